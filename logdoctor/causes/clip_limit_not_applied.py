"""The limit in force is not the configured one: clipping uses another number, comes after the step, or is missing."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, Present, change, seen
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    limit = view.number("max_grad_norm")
    if limit is not None and "clipping-inactive" in present:
        yield Argument(weight=HINT, text=f"max_grad_norm = {limit:g} is configured all the same.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    finding = seen(present, "clip-limit-differs", "clipping-inactive")
    measured = finding.figures.get("measured_limit") if finding is not None else None
    limit = view.value("max_grad_norm")
    yield change(
        view,
        "clip call",
        f"clip_grad_norm_(parameters, {limit if limit is not None else 'max_grad_norm'}) between backward() and step()",
        "the configured limit then acts" + (f" (measured: {measured})" if measured is not None else ""),
        tradeoff="None.",
        reference="torch.nn.utils.clip_grad_norm_",
    )


CAUSE = CauseRecord(
    id="clip-limit-not-applied",
    title="Clip limit not applied",
    prior=-3.8,
    symptoms={"clip-limit-differs": 3.0, "clipped-norm-above-limit": 2.0, "clipping-inactive": 1.5},
    leads_to=("gradient-explosion", "gradient-clipping-missing", "clip-saturation"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The norm before and after the clip call, on one update.",),
)
