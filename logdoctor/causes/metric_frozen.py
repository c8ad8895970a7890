"""A logged value stops being updated while training goes on."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    if "updates-stopped" in present:
        yield Argument(weight=-STRONG, text=f"All training metrics stop together: {present['updates-stopped'].summary}")
    if {"loss-not-finite", "gradient-not-finite", "hidden-nan"} & set(present):
        yield Argument(weight=-STRONG, text="Weights that are NaN give the same answer every time.")
    known = facts(view)
    if known.weights_still is not None:
        yield Argument(
            weight=-STRONG,
            text=f"From line {known.weights_still[1]} on the training loss goes nowhere either: it is the weights "
            f"that stand "
            "still, not the metric.",
        )
    if known.at_chance or {"loss-divergence", "loss-at-chance"} & set(present):
        yield Argument(
            weight=-STRONG, text="A network that gives one answer to everything prints the same result each time."
        )
    frozen = present.get("metric-frozen")
    if (
        frozen is not None
        and any(n.startswith(("q_", "td_error")) for n in frozen.metrics)
        and len(frozen.metrics) >= 4
    ):
        yield Argument(weight=-STRONG, text=f"{len(frozen.metrics)} metrics stop together, the values among them.")
    if view.is_rl and "evaluation-frozen" in present and frozen is None:
        yield Argument(weight=-2.0, text="A deterministic policy that no longer learns repeats its evaluation, too.")
    if "metric-never-recorded" in present and "metric-frozen" not in present and "evaluation-frozen" not in present:
        yield Argument(weight=-SIGN, text="The value never was anything else.")
    rate = facts(view).rate
    if rate is not None and rate.spent_at is not None and "learning-rate-decayed-early" in present:
        yield Argument(weight=-SIGN, text="The learning rate had decayed to nothing.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    finding = present.get("metric-frozen") or present.get("evaluation-frozen")
    for name in finding.metrics if finding is not None else ():
        yield change(
            view,
            f"logging of {name}",
            "log the value of the current step",
            "the variable that is printed is no longer the one that is computed",
            tradeoff="None.",
        )


CAUSE = CauseRecord(
    id="metric-frozen",
    title="Metric frozen",
    prior=-3.0,
    group="recording",
    symptoms={"metric-frozen": 5.5, "evaluation-frozen": 4.5},
    weigh=_weigh,
    changes=_changes,
    would_settle=("The line of code that assigns the value, and the condition it stands under.",),
)
