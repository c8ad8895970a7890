"""The replay buffer holds only the newest transitions: samples are correlated and old skills are forgotten."""

from __future__ import annotations

import math
from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change, low
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _typed(size: float) -> bool:
    """Whether a number looks typed in: at most two significant digits, or a power of two."""
    return float(f"{size:.1e}") == size or (size >= 1 and math.log2(size).is_integer())


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    size, batch = view.number("buffer_size"), view.number("batch_size")
    if size is not None and not _typed(size):
        return  # "Replay buffer size: 1,616" says how full it is; a capacity is a round number
    yield from low(view, "buffer_size")
    if size is not None and batch is not None and batch > 0 and size < 20 * batch:
        yield Argument(
            weight=SIGN, text=f"The buffer holds {say(size)} transitions, {size / batch:.1f} batches of {say(batch)}."
        )
    for name in facts(view).named("buffer", "buffer_size", "replay_size", "buffer_size_now"):
        level = facts(view).level(name)
        if (
            level is not None
            and view.setting("buffer_size") is None
            and level.high < 5000
            and level.end == level.high
            and abs(level.tau) < 0.5
        ):
            yield Argument(
                weight=STRONG, text=f"The buffer is full at {say(level.high)} transitions (line {level.high_line})."
            )
    q = facts(view).level("q_max", "q_value")
    if q is not None and view.performance is not None and "performance-collapse" in present and q.high < 1e4:
        yield Argument(
            weight=HINT / 2, text="The return falls after a peak while the values stay bounded: old skills are lost."
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "buffer_size",
        100_000.0,
        "a batch should mix many episodes and policies",
        tradeoff="Memory: one transition each.",
        reference="Mnih et al. 2015 (1,000,000); Fedus et al. 2020, Revisiting Fundamentals of Experience Replay",
    )


CAUSE = CauseRecord(
    id="replay-buffer-too-small",
    title="Replay buffer too small",
    prior=-3.8,
    symptoms={
        "performance-collapse": HINT,
        "loss-oscillation": 0.3,
        "performance-stagnation": 0.3,
        "q-divergence": 0.2,
        "action-distribution-switch": 0.3,
    },
    leads_to=("performance-collapse", "q-divergence", "overestimation"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The age of the sampled transitions.", "The same run with a buffer ten times as large."),
    references=("Fedus et al. 2020", "Zhang and Sutton 2017, A Deeper Look at Experience Replay"),
    families=("dqn", "sac", "td3", "rl"),
)
