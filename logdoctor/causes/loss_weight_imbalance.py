"""Two losses share one optimiser and the larger one drowns the other."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, Present, change, where
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

APART = 10.0  # factor between two losses from which the smaller one hardly steers a shared optimiser


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    known = facts(view)
    first, second = known.level("d_loss"), known.level("c_loss")
    weight = view.setting("discrete_loss_weight")
    if first is None or second is None or "head-not-learning" not in present:
        return
    ratio = first.end / max(second.end, 1e-12)
    if ratio < 1 / APART:
        yield Argument(
            weight=SIGN,
            text=f"d_loss is {say(first.end)}, c_loss {say(second.end)}: the discrete head is {say(1 / ratio)} "
            f"times the lighter one.",
        )
    if weight is not None and isinstance(weight.value, (int, float)) and weight.value >= 5:
        yield Argument(
            weight=-HINT,
            text=f"discrete_loss_weight = {weight.value} ({where(weight.line, weight.source)}) already favours it.",
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    now = view.number("discrete_loss_weight")
    yield change(
        view,
        "discrete_loss_weight",
        now * 2 if now else 10.0,
        "gives the head that does not learn more of the gradient",
        tradeoff="The other head learns more slowly.",
    )


CAUSE = CauseRecord(
    id="loss-weight-imbalance",
    title="Loss weights out of balance",
    prior=-3.8,
    symptoms={"head-not-learning": 1.0, "agreement-stagnates": 0.2},
    leads_to=("head-not-learning", "agreement-stagnates"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The gradient norm of each loss by itself.",),
    references=("Kendall et al. 2018, Multi-Task Learning Using Uncertainty to Weigh Losses",),
)
