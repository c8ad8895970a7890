"""The loss falls, and the performance falls with it.

What it finds: a reinforcement-learning loss that drops to a fraction while the return is lost.
Why it matters: a falling loss looks like convergence. Here it means that the targets became trivial: the value
function agrees with itself about a world it no longer explores.
How it decides: the loss at the end is below ``fell`` of its level when performance was best, and performance has lost
at least ``lost`` of its gain (or half of the level it had at the start).
When it is wrong: a loss scaled by a schedule falls without meaning.
What to do: judge the run by its return; look at exploration and at the range of the Q values.
References: tensorflow/agents#294 (the loss is no measure of progress in value learning); van Hasselt et al. 2018.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import failing, learning, table
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import change, finding, rows, say, threshold, times, way
from logdoctor.rules._values import Turn, slope_turn
from logdoctor.rules.never_learned import fell_below_start
from logdoctor.rules.q_divergence import diverged
from logdoctor.view import RunView

FEW, LONG = 5, 20  # rows that carry a printed slope that turned, and rows from which levels can be compared
LOSSES = ("loss", "critic_loss", "value_loss", "d_loss")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when loss and performance fall together."""
    progress = performance(view)
    loss = next((s for name in LOSSES if (s := view.finite(name)) is not None and len(s) >= FEW), None)
    if progress is None or loss is None or not view.is_rl:
        return
    turn = slope_turn(view)
    if turn is not None and diverged(view) is not None and _falls(loss):
        yield _slope(view, loss, turn)
        return
    if len(loss) < LONG:
        return
    hurt = progress.gain > 4 * progress.error and progress.lost >= limits.lost
    if not hurt and not fell_below_start(progress):
        return
    best_line = int(progress.series.line[progress.best_index])
    near = int(np.clip(np.searchsorted(loss.line, best_line), 0, len(loss) - 1))
    width = max(3, len(loss) // 12)
    then = float(np.median(np.abs(loss.value[max(0, near - width) : near + width])))
    end = float(np.median(np.abs(loss.value[-width:])))
    if end <= 0 or end > limits.fell * then:
        return
    last = len(loss) - 1
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.75,
        metrics=[loss.name, progress.series.name],
        summary=(
            f"{label(loss)} falls from {say(float(f'{then:.4g}'))} to {say(float(f'{end:.4g}'))}"
            f" ({times(then / end)} times lower) while"
            f" {label(progress.series)} falls from {say(progress.printed(progress.best))} to"
            f" {say(progress.printed(progress.final))}: the smaller loss is no success."
        ),
        figures={
            "loss_at_best": float(f"{then:.5g}"),
            "loss_at_end": float(f"{end:.5g}"),
            "best": progress.printed(progress.best),
            "final": progress.printed(progress.final),
        },
        evidence=rows(
            loss, [(near, "when performance was best"), *((i, "") for i in way(near, last, 3)), (last, "last row")]
        ),
        analysis="The value function agrees with itself about targets that became trivial.",
    )


def _falls(loss: Series) -> bool:
    fifth = len(loss) // 5
    early, late = float(np.median(loss.value[:fifth])), float(np.median(loss.value[-fifth:]))
    return 0 < late < 0.9 * early and rank_correlation(np.arange(len(loss), dtype=np.float64), loss.value) < -0.5


def _slope(view: RunView, loss: Series, turn: Turn) -> Finding:
    """Tell a loss that falls while the printed slope of the reward turns negative and Q diverges."""
    last = len(loss) - 1
    near = int(np.clip(np.searchsorted(loss.line, turn.series.line[turn.best]), 0, last))
    then, end = float(loss.value[near]), float(loss.value[last])
    best, final = float(turn.series.value[turn.best]), float(turn.series.value[turn.last])
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.75,
        metrics=[loss.name, turn.series.name],
        onset=view.place(turn.series, turn.negative),
        summary=(
            f"{label(loss)} falls from {say(then)} to {say(end)} ({change(end, then)}) since line"
            f" {int(loss.line[near])} while"
            f" {label(turn.series)} turns from {best:+.12g} to {final:+.12g}: the smaller loss is no success."
        ),
        figures={"loss_then": then, "loss_end": end, "slope_then": best, "slope_end": final},
        evidence=[
            *rows(
                loss, [(near, "when the slope was best"), *((i, "") for i in way(near, last, 2)), (last, "last row")]
            ),
            *rows(turn.series, [(turn.best, "best"), (turn.last, "last row")]),
        ],
        analysis="The network fits targets that have lost their meaning: lower error, worse behaviour.",
    )


RULE = Rule(
    id="LD210",
    name="loss-falls-while-performance-falls",
    title="The loss falls while the performance is lost",
    severity="warning",
    detect=detect,
    needs=(LOSSES,),
    min_points=FEW,
    thresholds=(
        threshold(
            "fell",
            0.33,
            "of its level at the best performance",
            "clearly lower than it was at the best",
            "tensorflow/agents#294",
        ),
        threshold("lost", 0.5, "of the gain", "performance is lost", "zen-rl: below half of its maximum"),
    ),
    tags=("loss", "reinforcement-learning"),
    references=("https://github.com/tensorflow/agents/issues/294",),
    examples=(
        Example(
            title="loss 2 to 0.02, return lost",
            log=lambda: table(loss=np.geomspace(2, 0.02, 60), episode_return=failing()),
            fires=True,
        ),
        Example(
            title="loss falls, return rises",
            log=lambda: table(loss=np.geomspace(2, 0.02, 60), episode_return=learning()),
            fires=False,
        ),
    ),
)
