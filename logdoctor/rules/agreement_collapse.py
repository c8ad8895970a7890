"""Agreement collapses.

What it finds: agreement that had reached a level, then falls far below it and does not come back.
Why it matters: the greedy action is no longer what the learner itself had found to pay; the loss may not show it at
all, because the targets follow the wrong policy.
How it decides: the smoothed peak level falls by ``points`` and by ``share`` of what lies above zero, and stays below
for ``rows`` rows or to the end. The beginning is the last row at which agreement was still near its level: the drift
before the break belongs to it.
When it is wrong: a restart with an empty buffer lowers agreement for a while; the rule waits for it to come back.
What to do: go back to a checkpoint before the drift; look at clipping, learning rate and targets.
References: seed report 002: 84-90 %, then 79, 76, 50, 31, 10 with a flat loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.baseline import noise
from logdoctor.detectors.smooth import rolling_median
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ramp, table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._policy import agreements, random_base
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView

SWING = 20.0  # points: as far as the fall that makes a collapse


@dataclass(frozen=True, slots=True)
class Collapse:
    """Level before, its place, the onset of the fall, the lowest smoothed point, and the level at the end."""

    level: float
    level_index: int
    onset: int
    lowest: int
    last: float


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for each agreement series that collapsed."""
    for series in agreements(view):
        found = collapse_of(series, limits.points, limits.share, int(limits.rows))
        if found is not None:
            yield _finding(view, series, found)


def collapse_of(series: Series, points: float = 20.0, share: float = 0.4, rows_needed: int = 3) -> Collapse | None:
    """Find the collapse of an agreement series, or None."""
    value = series.value
    n = value.size
    if n < 8:
        return None
    smooth = rolling_median(value, max(3, min(n // 20, 25) | 1))
    peak = int(np.argmax(smooth))
    level = float(smooth[peak])
    low = smooth < min(level - points, (1 - share) * level)
    low[: peak + 1] = False
    if low.sum() < rows_needed or level < 2 * points:
        return None
    first = int(np.argmax(low))
    late = smooth[first:]
    if float(np.mean(late < level - points / 2)) < 0.5 or float(np.median(value[-rows_needed:])) > level - points / 2:
        return None
    lowest = first + int(np.argmin(value[first:]))
    near_level = level - max(2.0, 3 * noise(value), 0.1 * (level - float(value[lowest])))
    near = np.flatnonzero(value[: first + 1] >= near_level)
    onset = min(first, int(near[-1]) + 1) if near.size else first
    return Collapse(level, peak, onset, lowest, float(value[-1]))


def _finding(view: RunView, series: Series, found: Collapse) -> Finding:
    base, why = random_base(view) if series.name == "agreement" else (None, "")
    lowest, last = float(series.value[found.lowest]), len(series) - 1
    below = f", below the {why}" if base is not None and lowest < base else ""
    picks = [
        (found.level_index, "best level"),
        (max(0, found.onset - 1), "last row near it"),
        (found.onset, "drift begins"),
    ]
    picks += [(i, "") for i in way(found.onset, found.lowest, 3)] + [(found.lowest, "lowest"), (last, "last row")]
    loss = _loss_meanwhile(view, series, found)
    swing = _swing(series, found)
    return finding(
        RULE,
        view,
        severity="critical",
        confidence=0.9,
        metrics=[series.name],
        onset=view.place(series, found.onset),
        summary=(
            f"{label(series)} fell from a level of {say(round(found.level, 2))} (best at "
            f"{at(view, series, found.level_index)}) to {say(lowest)}"
            f" at {at(view, series, found.lowest)}{below}; the fall begins at {at(view, series, found.onset)}; "
            f"last value {say(found.last)}{swing}{loss}."
        ),
        figures={
            "level": found.level,
            "level_line": int(series.line[found.level_index]),
            "lowest": lowest,
            "lowest_line": int(series.line[found.lowest]),
            "lost_points": found.level - lowest,
            "last": found.last,
            "random_base": base,
        },
        evidence=rows(series, picks),
        analysis="The policy left what it had learned; "
        + ("a loss this flat does not show it." if loss else "it is not a matter of noise, since it stays there."),
    )


def _swing(series: Series, found: Collapse) -> str:
    """Say between which values agreement swings at the end: its last few rows after the lowest point."""
    rest = np.arange(found.lowest + 1, len(series))[-max(5, len(series) // 20) :]
    if rest.size < 3:
        return ""
    low, high = float(series.value[rest].min()), float(series.value[rest].max())
    return f" after swings between {say(low)} and {say(high)}" if high - low > SWING else ""


def _loss_meanwhile(view: RunView, series: Series, found: Collapse) -> str:
    """Say when the loss stayed flat while agreement fell: then the loss does not show the collapse."""
    loss = view.finite("loss")
    if loss is None:
        return ""
    a, b = series.line[found.level_index], series.line[found.lowest]
    part = loss.value[(loss.line >= a) & (loss.line <= b)]
    if part.size < 3 or part.min() <= 0 or part.max() / part.min() > 2:
        return ""
    return f"; {label(loss)} stayed between {say(float(part.min()))} and {say(float(part.max()))} meanwhile"


def _log(sick: bool) -> str:
    value = ramp(30, 88, noise=0.5)
    if sick:
        value[35:] = np.linspace(84, 8, 25) + wobble(25, 0.5)
    return table(agreement=value, loss=0.1 + np.abs(wobble(size=0.005)))


RULE = Rule(
    id="LD509",
    name="agreement-collapse",
    title="Agreement collapses",
    severity="critical",
    detect=detect,
    min_points=8,
    thresholds=(
        threshold(
            "points",
            20.0,
            "points",
            "a fifth of all decisions changed",
            "seed report 002: not below 70 after reaching 85",
        ),
        threshold("share", 0.4, "of the level", "and far more than half-way noise", "seed report 002: 84 to 50 to 10"),
        threshold(
            "rows", 3.0, "rows", "a dip of a row or two may come from one batch", "llm-foundry: more than 4 consecutive"
        ),
    ),
    tags=("policy", "stability"),
    examples=(
        Example(title="88 % down to 8 %", log=lambda: _log(True), fires=True),
        Example(title="30 % up to 88 %", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if agreements(view) else "no agreement metric in this log",
)
