"""Every step takes longer than before, and it gets worse.

What it finds: a speed that falls, or a time per step that grows, well beyond the scatter of a shared machine.
Why it matters: the run finishes late or never; a steady growth is the mark of a leak (history kept, a growing buffer,
a log file rewritten each time).
How it decides: the time per unit of work in the last tenth is at least ``slower`` times that of the fastest tenth of
the first half, it is still ``ongoing`` times larger at the end than in the middle or jumped once and stayed, and
hardly a row of the end is as fast as the usual row before. A rate averaged since the start (frames per second of some
trainers) falls when learning sets in and then levels off, which is no fault.
When it is wrong: longer episodes or sequences, or an evaluation inside the step, cost more by design.
What to do: look at memory and at what grows with the step count (lists of losses with their graphs, replay, logging).
References: runmedic (last below 0.8 of first, Spearman below -0.6); trainspotter (recent over early at least 1.4);
trainproof (last fifth over 3 times the first half); PyTorch FAQ ("My model reports cuda runtime error(2): out of
memory": history kept).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.bins import medians
from logdoctor.detectors.trend import rank_correlation, trend
from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times, way
from logdoctor.rules._speed import Speed, speeds
from logdoctor.view import RunView

TENTHS = 10
SLOWER = 1.1  # times the level before: the least by which the row at the onset is slower
JUMP = 3.0  # times slower from one stretch to the next: no change of the task makes a rate fall that far


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the speed that fell most clearly."""
    slow = [
        (speed, tenths)
        for speed in speeds(view)
        if (tenths := _tenths(speed, limits, _trained_early(view, speed))) is not None
    ]
    if slow:
        speed, tenths = max(slow, key=lambda pair: pair[1][-1] / pair[1][:5].min())
        yield _finding(view, speed, tenths, [item.series.name for item, _ in slow])


def _trained_early(view: RunView, speed: Speed) -> bool:
    """Whether updates were made in the first fifth of the steps and twentieth of the rows that tell the speed.

    Else a rate falls when learning sets in; short episodes before it fill many rows with few steps.
    """
    rows_before = int(speed.series.line[len(speed.series) // 20])
    first, last = view.span
    losses = [s for n in view.names if n.endswith("loss") and (s := view.finite(n)) is not None]
    steps = [float(s.step[s.value != 0][0]) for s in losses if (s.value != 0).any() and np.isfinite(s.step).all()]
    lines = [int(s.line[s.value != 0][0]) for s in losses if (s.value != 0).any()]
    soon = bool(lines) and min(lines) <= rows_before + 1
    return soon and bool(steps) and last > first and min(steps) <= first + 0.2 * (last - first)


def _tenths(speed: Speed, limits: Limits, early: bool = False) -> np.ndarray | None:
    """Return the median cost of each tenth when the run degraded, else None."""
    cost = speed.cost
    tenths = _by_work(speed) if speed.derived else medians(cost, TENTHS)
    if not np.isfinite(tenths).all():
        return None
    base, end = float(tenths[3 if speed.derived else 0 : 5].min()), float(tenths[-1])  # learning may set in late
    factor = limits.slower * (limits.derived if speed.derived else 1.0)
    first = cost[: cost.size // 2]
    usual = float(np.quantile(first[np.isfinite(first)], 0.5))
    late = cost[-max(3, cost.size // TENTHS) :]
    if end < factor * base or end < 0.6 * limits.slower * usual or float((late < 1.3 * usual).mean()) > 0.1:
        return None
    ongoing = end >= limits.ongoing * float(tenths[4]) and rank_correlation(np.arange(5.0), tenths[5:]) > 0.6
    jumped = not speed.rate and end >= limits.slower * float(np.quantile(cost[: int(0.6 * cost.size)], 0.75))
    fell = speed.rate and not speed.derived and float(tenths[6:].min()) >= JUMP * float(tenths[:3].max())
    return tenths if ongoing or jumped or (fell and early) else None


def _by_work(speed: Speed) -> np.ndarray:
    """Return the mean cost of each tenth of the work done: short episodes fill the first rows with few steps."""
    step = speed.series.step
    elapsed = np.cumsum(speed.cost * np.diff(step, prepend=step[0]))
    edges = np.linspace(float(step[0]), float(step[-1]), TENTHS + 1)
    return np.asarray(np.diff(np.interp(edges, step, elapsed)) / np.diff(edges), dtype=np.float64)


def onset(speed: Speed, base: float, spread: float) -> int:
    """Return where the slowing begins: the first row from which (nearly) all are slower, or the foot of the ramp.

    It is always a row that is itself slower than the level before, so that the row quoted shows what it is quoted for.
    """
    border = max(base + 4 * spread, 1.25 * base)
    slow = speed.cost > border
    share = np.cumsum(slow[::-1])[::-1] / np.arange(slow.size, 0, -1)
    from_here = np.flatnonzero(slow & (share > 0.9))
    if not from_here.size:
        return speed.cost.size // 2
    first = int(from_here[0])
    line = trend(speed.cost[first:])
    foot = first  # a jump begins where it is seen
    if line is not None and line.slope > 0 and line.change >= 0.5 * base:
        back = (line.start - base) / line.slope  # a ramp begins where its line leaves the old level
        foot = max(0, int(first - min(max(back, 0.0), 0.25 * speed.cost.size)))
    level = max(base, float(np.median(speed.cost[: max(3, foot)])))
    return foot + int(np.argmax(speed.cost[foot:] > max(base + 2 * spread, SLOWER * level)))


def _finding(view: RunView, speed: Speed, tenths: np.ndarray, names: list[str]) -> Finding:
    series, last = speed.series, len(speed.series) - 1
    best = int(np.argmin(tenths[:5]))
    head = speed.cost[: (best + 1) * last // TENTHS + 1]
    base = float(np.median(head))
    spread = 1.4826 * float(np.median(np.abs(head - base)))
    start = onset(speed, base, spread)
    before = float(np.median(series.value[: max(3, start)]))
    end = float(np.median(series.value[-max(3, last // TENTHS) :]))
    factor = float(tenths[-1]) / base
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.92,
        metrics=names,
        onset=view.place(series, start),
        summary=(
            f"Each step takes longer and longer from {at(view, series, start)} on: {label(series)} goes from"
            f" about {say(float(f'{before:.4g}'))}"
            f" to {say(float(f'{end:.4g}'))}, {times(factor)} times slower."
        ),
        figures={
            "before": float(f"{before:.5g}"),
            "end": float(f"{end:.5g}"),
            "times_slower": float(f"{factor:.4g}"),
            "middle": float(f"{tenths[4] if not speed.rate else 1 / tenths[4]:.5g}"),
        },
        evidence=rows(
            series,
            [
                (0, "start"),
                (max(0, start - 1), "before"),
                (start, "slower from here"),
                *((i, "") for i in way(start, last, 2)),
                (last, "last row"),
            ],
        ),
        analysis=(
            "The rows at the end are slower than nearly every row before the onset, so this is no scatter"
            " of a busy machine."
        ),
    )


def _log(slow: bool) -> str:
    time = ramp(10, 10, noise=0.5)
    if slow:
        time[20:] = np.linspace(10, 60, ROWS - 20)
    return table(loss=ramp(2, 0.5, noise=0.02), step_time=time)


RULE = Rule(
    id="LD801",
    name="throughput-degradation",
    title="Every step takes longer",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold(
            "slower",
            2.5,
            "times the fastest tenth",
            "beyond what sharing a machine costs",
            "trainproof: 3; trainspotter: 1.4",
        ),
        threshold(
            "derived", 1.4, "times as much", "a cost from differences of an average is noisy", "error propagation"
        ),
        threshold("ongoing", 1.3, "times the middle", "it goes on getting worse", "trainspotter: 1.4"),
    ),
    tags=("operations", "throughput"),
    references=("https://pytorch.org/docs/stable/notes/faq.html",),
    examples=(
        Example(title="10 ms, then up to 60 ms", log=lambda: _log(True), fires=True),
        Example(title="10 ms throughout", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if speeds(view) else "no speed and no time per step in this log",
)
