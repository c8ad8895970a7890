"""A clip on values or targets is reached all the time: the estimate cannot follow the return."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import SIGN, Present, change
from logdoctor.causes._facts import facts
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

LIMITS = ("td_target_clip", "max_q_value", "target_clamp_value", "q_clip")


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    if not any(view.number(name) is not None for name in LIMITS):
        yield Argument(weight=-SIGN, text="No limit on values or targets is stated.")
    low, high = facts(view).settled_early("q_min"), facts(view).settled_early("q_max")
    if low is not None and high is not None and 0 < low[0] < 0.5 and 0 < high[0] < 0.5:
        yield Argument(weight=-2 * SIGN, text="Both ends of the Q-range stand still, not only the one at the limit.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    now = view.number("td_target_clip", "max_q_value", "target_clamp_value")
    yield change(
        view,
        "td_target_clip",
        now * 4 if now else "four times the present limit",
        "returns beyond the limit cannot be told apart",
        tradeoff="Less protection against divergence: watch q_max.",
        aliases=("max_q_value", "target_clamp_value"),
    )


CAUSE = CauseRecord(
    id="value-clip-too-tight",
    title="Value clip too tight",
    prior=-3.6,
    symptoms={"value-pinned-at-clip": 3.0, "performance-stagnation": 0.3},
    leads_to=("performance-stagnation",),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The share of targets that are clipped.",),
    families=("dqn", "sac", "td3", "rl"),
)
