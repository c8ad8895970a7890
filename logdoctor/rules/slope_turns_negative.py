"""The printed reward slope turned negative and stayed there.

What it finds: a program that prints its own reward slope, whose slope stays below zero in the last part of the run.
Why it matters: it is the program's own early word that the agent is getting worse, often before the average shows it.
How it decides: at least ``share`` of the last ``tail`` of the rows are negative, their median is more than ``signal``
robust deviations of noise below zero, and the reward itself has fallen by ``fall`` of its gain and ``drop`` of its
best level.
When it is wrong: at the end of a solved run the slope scatters around zero; the fall of the reward rules that out.
What to do: compare with the rows before the sign changed: what moved first is the suspect.
References: Mann-Kendall and Theil-Sen as robust trend tests (Sen 1968).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.baseline import noise
from logdoctor.model import Finding, Floats, Series
from logdoctor.rules._examples import failing, learning, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.rules._values import Turn, slope_turn
from logdoctor.rules.q_divergence import diverged
from logdoctor.view import RunView

FEW, LONG = 5, 20  # rows that carry a slope that turned while Q diverged, and rows that carry one by itself
FLAT = 0.1  # of its lowest value: a slope that ends this close to zero tells of a fall that is over
SLOPES = ("dqn_slope", "reward_slope")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for the first slope metric that stays negative while the reward falls."""
    turn = slope_turn(view)
    if turn is not None and diverged(view) is not None:
        yield _turned(view, turn)
        return
    progress = performance(view)
    series = view.first(*SLOPES)
    if (
        progress is None
        or series is None
        or len(series) < LONG
        or progress.lost < limits.fall
        or progress.gain <= 4 * progress.error
    ):
        return
    if progress.best - progress.final < limits.drop * abs(progress.best):
        return
    series = series.where(np.isfinite(series.value))
    tail = series.value[-max(5, int(limits.tail * len(series))) :]
    if float((tail < 0).mean()) < limits.share or np.median(tail) > -limits.signal * noise(series.value):
        return
    yield _finding(view, series, _negative_from(series.value, limits.share))


def _turned(view: RunView, turn: Turn) -> Finding:
    """Tell a slope that turned while Q diverged: the reward itself, a slow mean, need not show it yet."""
    value = turn.series.value
    best, last, start = float(value[turn.best]), float(value[turn.last]), turn.negative
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.8,
        metrics=[turn.series.name],
        onset=view.place(turn.series, start),
        summary=(
            f"{label(turn.series)} turned from {best:+.12g} at {at(view, turn.series, turn.best)} to {last:+.12g} at"
            f" {at(view, turn.series, turn.last)} and is negative from {at(view, turn.series, start)} on:"
            " the agent was learning and now unlearns, while Q diverges."
        ),
        figures={
            "best": best,
            "best_line": int(turn.series.line[turn.best]),
            "last": last,
            "rows": turn.last - start + 1,
        },
        evidence=rows(
            turn.series,
            [
                (turn.best, "best"),
                *((i, "") for i in way(turn.best, start, 2)),
                (start, "negative from here"),
                *((i, "") for i in way(start, turn.last, 2)),
                (turn.last, "last row"),
            ],
        ),
        analysis="The slope of the mean shows the turn before the mean itself has lost much.",
    )


def _negative_from(slope: Floats, share: float) -> int:
    """Return the first negative row from which at least ``share`` of all rows are negative."""
    negative = slope < 0
    rest = np.cumsum(negative[::-1])[::-1] / np.arange(slope.size, 0, -1)
    return int(np.argmax(negative & (rest >= share)))


def _finding(view: RunView, series: Series, start: int) -> Finding:
    last, lowest = len(series) - 1, start + int(np.argmin(series.value[start:]))
    below, count = int((series.value[start:] < 0).sum()), last - start + 1
    end, least = float(series.value[last]), float(series.value[lowest])
    often = f"all {count:,} rows" if below == count else f"{below:,} of the {count:,} rows"
    flat = abs(end) <= FLAT * abs(least)
    judged = "the agent got worse and stays at the level that it fell to" if flat else "the agent is getting worse"
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.75,
        metrics=[series.name],
        onset=view.place(series, start),
        summary=(
            f"{label(series)} is negative in {often} from {at(view, series, start)} to the end (lowest {say(least)} at"
            f" {at(view, series, lowest)}, last {say(end)}): {judged}."
        ),
        figures={
            "rows": count,
            "negative": below,
            "median": float(f"{np.median(series.value[start:]):.4g}"),
            "lowest": least,
            "last": end,
        },
        evidence=rows(
            series,
            [
                *([(start - 1, "last row before")] if start else []),
                (start, "negative from here"),
                *((i, "") for i in way(start, last, 2)),
                (lowest, "lowest"),
                (last, "last row"),
            ],
        ),
    )


def _log(down: bool) -> str:
    slope = [*ramp(3, 1, 30, 0.2), *ramp(-2 if down else 1, -4 if down else 0.5, 30, 0.2)]
    return table(dqn_slope=slope, dqn_reward_1m=failing() if down else learning())


RULE = Rule(
    id="LD605",
    name="slope-turns-negative",
    title="The printed reward slope turned negative",
    severity="warning",
    detect=detect,
    needs=(SLOPES,),
    min_points=FEW,
    thresholds=(
        threshold("tail", 0.1, "of the rows", "the end of the run", "trainspotter: last 25 %"),
        threshold("share", 0.9, "of those rows", "nearly all of them", "sign test p < 0.01 from 7 rows on"),
        threshold("signal", 1.0, "robust deviations", "not zero by noise", "Sen 1968"),
        threshold(
            "drop",
            0.1,
            "of the best level",
            "a fall that a reader of the curve would notice",
            "SageMaker Debugger: 10 % for losses",
        ),
        threshold("fall", 0.2, "of the gain", "the reward itself has begun to fall", "rldoctor: decline"),
    ),
    tags=("performance", "reinforcement-learning"),
    references=("https://doi.org/10.1080/01621459.1968.10480934",),
    examples=(
        Example(title="slope negative for half of the run, reward falls", log=lambda: _log(True), fires=True),
        Example(title="slope positive to the end", log=lambda: _log(False), fires=False),
    ),
)
