"""The agent falls far short of the expert that it replaces.

What it finds: an expert (or a scripted player) acted in most steps at first and was withdrawn; what the agent earns
by itself at the end is less than half of what was earned while the expert played.
Why it matters: the level to reach stands in the log. An agent that saw it and stays below half of it has not learned.
How it decides: the expert's share falls from at least ``high`` to at most ``low``; the agent's level at the end,
counted from what it earned at the start, is below ``half`` of the expert's level, and the gap exceeds ``signal``
standard errors.
It is a warning where the agent is on its way there.
When it is wrong: an expert that cheats (sees hidden state) is no standard; a run stopped right after the handover is
merely early, which is why the share must have been low for a tenth of the rows.
What to do: compare agreement with the expert and the value range at the handover; look for what kept the agent from
learning.
References: DAgger (Ross et al. 2011, arXiv:1011.0686): the learner is judged on its own state distribution.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.trend import trend
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import Progress
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView

OWN = ("dqn_reward_1m", "dqn_reward", "dqn_reward_5m")  # what the agent earned without the expert


def expert_share(view: RunView) -> Series | None:
    """Return the expert's share of the actions as a fraction, or None."""
    series = view.finite("expert_ratio")
    if series is None or len(series) < 10:
        return None
    from dataclasses import replace

    scale = 100.0 if float(series.value.max()) > 1.0 else 1.0
    return replace(series, value=series.value / scale, low=None, high=None)


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the agent stays below half of the expert's level."""
    share, mixed = expert_share(view), view.finite("reward")
    if share is None or mixed is None or len(mixed) < 20:
        return
    led = share.line[share.value >= max(limits.high, 0.5 * float(share.value.max()))]
    alone = share.line[share.value <= limits.low]
    if led.size < 3 or alone.size < 0.1 * len(share) or led[0] > alone[0]:
        return
    taught = mixed.where((mixed.line >= led[0]) & (mixed.line <= led[-1]))
    if len(taught) < 5:
        return
    own = next((series for name in OWN if (series := view.finite(name)) is not None and len(series) >= 20), mixed)
    yield from _compare(view, Progress(taught, "max"), Progress(own, "max"), int(alone[0]), limits)


def _compare(view: RunView, taught: Progress, own: Progress, alone: int, limits: Limits) -> Iterable[Finding]:
    expert = float(np.median(np.sort(taught.up)[-max(3, taught.up.size // 2) :]))
    base = min(own.start, 0.0) if own.series.name in OWN else min(0.0, own.final)
    error = max(own.error, taught.noise / np.sqrt(taught.up.size))
    reached = (own.final - base) / (expert - base) if expert > base else 1.0
    if reached >= limits.half or expert - own.final < limits.signal * error:
        return
    yield _finding(view, taught, own, expert, reached, alone)


def _finding(view: RunView, taught: Progress, own: Progress, expert: float, reached: float, alone: int) -> Finding:
    series, rising = own.series, _on_its_way(own, expert)
    outlook = ", but at its present rate it would in half a run more" if rising else ""
    first = int(np.clip(np.searchsorted(series.line, alone), 0, len(series) - 1))
    top = first + int(np.argmax(own.smooth[first:]))
    half = float(own.smooth[top]) >= 0.5 * expert
    once = (
        f" any more (it had: {say(own.printed(float(own.smooth[top])))} around {at(view, series, top)})" if half else ""
    )
    last = len(series) - 1
    taught_best = int(np.argmax(taught.series.value))
    figure = {
        "expert_level": float(f"{expert:.4g}"),
        "agent_level": own.printed(own.final),
        "reached_share": round(reached, 3),
        "agent_start": own.printed(own.start),
        "expert_best_line": int(taught.series.line[taught_best]),
        "handover_line": alone,
    }
    proof = rows(taught.series, [(taught_best, "the expert still acts")])
    proof += rows(
        series, [(first, "the agent acts alone from here"), *((i, "") for i in way(first, last, 2)), (last, "last row")]
    )
    return finding(
        RULE,
        view,
        severity="critical" if reached < 0.25 and not rising else "warning",
        confidence=0.85,
        metrics=[series.name, "expert_ratio"],
        figures=figure,
        evidence=proof,
        summary=(
            f"{label(series)} ends at {say(own.printed(own.final))}; while the expert played, the reward was about"
            f" {say(figure['expert_level'])}. The agent has acted almost alone since {at(view, series, first)}"
            f" and does not reach half of that level{once}{outlook}."
        ),
        analysis=(
            "The level to reach is taken from this log: the upper half of the rewards earned while the"
            " expert still acted."
        ),
    )


def _on_its_way(own: Progress, expert: float) -> bool:
    """Whether the last quarter rises without a pause, fast enough to reach half of ``expert`` in half a run more."""
    end = own.smooth[-max(6, len(own.smooth) // 4) :]
    line = trend(end)
    if line is None or line.tau <= 0.8 or line.change <= 4 * own.error:
        return False
    return bool(own.final + 2 * line.change >= 0.5 * expert)


def _handover(end: float) -> str:
    return table(
        expert_ratio=np.concatenate([ramp(90, 5, 30), np.full(30, 5.0)]),
        reward=np.concatenate([ramp(80, 100, 20, 3.0), ramp(100, end, 20, 3.0), ramp(end, end, 20, 3.0)]),
    )


RULE = Rule(
    id="LD610",
    name="performance-below-expert",
    title="The agent stays far below the expert it replaces",
    severity="critical",
    detect=detect,
    needs=(("expert_ratio",), ("reward",)),
    min_points=20,
    thresholds=(
        threshold(
            "high", 0.4, "share of actions", "the expert makes the level of those rows", "DAgger: mixing starts at 1"
        ),
        threshold(
            "low", 0.2, "share of actions", "the agent makes the level of these rows", "DAgger: mixing decays to 0"
        ),
        threshold(
            "half",
            0.5,
            "of the expert's level",
            "less than half of a level shown to it",
            "RLExplorer: reward off target",
        ),
        threshold("signal", 4.0, "standard errors", "the gap must exceed noise", "two-sided p < 0.001"),
    ),
    tags=("performance", "reinforcement-learning", "imitation"),
    references=("https://arxiv.org/abs/1011.0686",),
    examples=(
        Example(title="expert earns 100, agent alone 10", log=lambda: _handover(10), fires=True),
        Example(title="expert earns 100, agent alone 95", log=lambda: _handover(95), fires=False),
    ),
)
