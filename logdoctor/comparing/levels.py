"""The level of each metric that matters, before and after, at the same step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from logdoctor.results import Level, MetricChange
from logdoctor.tracks import WINDOW, Subject, Track

MATERIAL = 0.05  # a change below 5 % of the metric's own scale is not worth a decision, however certain
MAD_TO_SIGMA = 1.4826  # of a normal distribution
LEAST_POINTS = 3
MOST_METRICS = 12
_ALWAYS = ("loss", "val_loss", "accuracy", "val_accuracy", "episode_length", "entropy", "grad_norm", "kl")


def metric_changes(one: Subject, two: Subject, siblings: Sequence[Subject]) -> tuple[MetricChange, ...]:
    """Return before, after and change of the metrics that matter, performance first."""
    changes = []
    for name in _worth(one, two):
        change = _metric(one.tracks[name], two.tracks[name], [s.tracks[name] for s in siblings if name in s.tracks])
        if change is not None:
            changes.append(change)
    return tuple(changes[:MOST_METRICS])


def _worth(one: Subject, two: Subject) -> list[str]:
    """Metrics that matter: performance, those of the findings and of the watch list, then the usual ones."""
    diagnoses = (one.diagnosis, two.diagnosis)
    names = [d.performance for d in diagnoses if d.performance]
    names += [metric for d in diagnoses for f in d.findings if not f.benign for metric in f.metrics]
    names += [item.metric for d in diagnoses for item in d.watch]
    names += list(_ALWAYS)
    return [name for name in dict.fromkeys(names) if name in one.tracks and name in two.tracks]


def _metric(before: Track, after: Track, siblings: Sequence[Track]) -> MetricChange | None:
    one, two = before.finite, after.finite
    if len(one) < LEAST_POINTS or len(two) < LEAST_POINTS or one.clock != two.clock:
        return None
    end = float(min(one.step.max(), two.step.max()))
    levels = [level_at(track, end) for track in (one, two)]
    if levels[0] is None or levels[1] is None:
        return None
    noise = _noise(levels[0], levels[1], [level for s in siblings if (level := level_at(s.finite, end)) is not None])
    change = levels[1].value - levels[0].value
    goal = one.goal if one.goal != "none" else two.goal
    scale = max(_range(one, end), _range(two, end), abs(levels[0].value), abs(levels[1].value))
    small = abs(change) <= max(noise, MATERIAL * scale)
    return MetricChange(
        metric=before.name, goal=goal, before=levels[0], after=levels[1], change=change, noise=noise, step=end,
        percent=percent(levels[0].value, levels[1].value), clock=one.clock,
        reading="within noise" if small else _direction(change, goal),
    )  # fmt: skip


def level_at(track: Track, end: float, start: float | None = None) -> Level | None:
    """Return the median of the stretch that ends at step ``end``: a tenth of the way, at least 3 points."""
    inside = np.flatnonzero(track.step <= end)
    if inside.size < LEAST_POINTS:
        return None
    first = float(track.step[inside[0]]) if start is None else start
    late = inside[track.step[inside] >= end - WINDOW * (end - first)]
    picks = late if late.size >= LEAST_POINTS else inside[-LEAST_POINTS:]
    values = track.value[picks]
    middle = float(np.median(values))
    return Level(
        value=middle, spread=MAD_TO_SIGMA * float(np.median(np.abs(values - middle))), count=int(picks.size),
        first_line=int(track.line[picks[0]]), last_line=int(track.line[picks[-1]]),
        last_step=float(track.step[picks[-1]]),
    )  # fmt: skip


def _range(track: Track, end: float) -> float:
    """Middle 90 % of the values up to ``end``: the metric's own scale, without its peaks."""
    low, high = np.percentile(track.value[track.step <= end], [5, 95])
    return float(high - low)


def _noise(before: Level, after: Level, siblings: Sequence[Level]) -> float:
    """What may differ without a reason: the spread between sibling runs, else that of the rows of both stretches."""
    if len(siblings) >= 2:
        values = np.array([level.value for level in siblings])
        return 2 * float(values.std(ddof=1))
    return float(np.hypot(before.spread, after.spread))


def _direction(change: float, goal: str) -> Literal["better", "worse", "different"]:
    if goal == "none":
        return "different"
    return "better" if (change > 0) == (goal == "max") else "worse"


def percent(before: float, after: float) -> float | None:
    """Return the change in percent of the size of ``before``; None where a percentage has no meaning."""
    if before == 0 or (before < 0) != (after < 0):
        return None
    return 100 * (after - before) / abs(before)
