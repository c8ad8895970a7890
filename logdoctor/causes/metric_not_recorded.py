"""A logged value is a constant zero because it is never recorded."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Watch
from logdoctor.view import RunView

FAINT = 0.1  # norm below which an update with a usual learning rate hardly moves a network
LARGE = 10.0  # the largest clip limit in use


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    finding = present.get("metric-never-recorded")
    if finding is not None and finding.metrics and all("loss" in name for name in finding.metrics):
        yield Argument(weight=-3.0, text=f"{', '.join(finding.metrics)} may truly be 0 at the printed precision.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    finding = present.get("metric-never-recorded")
    for name in finding.metrics if finding is not None else ():
        yield change(
            view,
            f"recording of {name}",
            "keep what the clip call returns: norm = clip_grad_norm_(...)"
            if "grad" in name
            else "assign the value after it is computed",
            "the number is computed and dropped",
            tradeoff="None.",
            reference="torch.nn.utils.clip_grad_norm_ returns the norm before clipping",
        )


def _watch(view: RunView, present: Present) -> Iterator[Watch]:
    finding = present.get("metric-never-recorded")
    for name in finding.metrics if finding is not None else ():
        if "grad" not in name or "norm" not in name:
            continue
        limit = view.number("max_grad_norm")
        top = limit if limit and limit < 1e6 else LARGE
        yield Watch(
            metric=name,
            condition="between",
            value=FAINT,
            value2=top,
            within_steps=None,
            sign="recovery",
            otherwise=f"below {FAINT}: weak gradients, raise the learning rate of that part; far above {top:g}: "
            "exploding, clip harder",
            why="once it is recorded: a gradient that flows and does not explode",
            horizon="Immediate",
        )


CAUSE = CauseRecord(
    id="metric-not-recorded",
    title="Metric never recorded",
    prior=-3.0,
    group="recording",
    symptoms={"metric-never-recorded": 6.0},
    leads_to=("gradient-vanishing", "gradient-dead", "metric-frozen"),
    weigh=_weigh,
    changes=_changes,
    watch=_watch,
    would_settle=("The line of code that assigns the value.",),
)
