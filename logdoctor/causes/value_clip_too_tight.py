"""A clip on values or targets is reached all the time: the estimate cannot follow the return."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


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
    symptoms={"value-pinned-at-clip": 4.0, "performance-stagnation": 0.3},
    leads_to=("performance-stagnation",),
    changes=_changes,
    would_settle=("The share of targets that are clipped.",),
    families=("dqn", "sac", "td3", "rl"),
)
