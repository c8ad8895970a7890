"""The runs that a run is compared with (``--baseline``), and what "within their spread" means.

Three siblings or fewer carry no distribution, so nothing here is a p-value. A metric is compared at the same steps as
in the siblings; the run is outside only where it lies beyond *every* sibling by more than both the siblings' own
disagreement and a material share of what they gained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.detectors.smooth import rolling_median
from logdoctor.model import Floats, Goal, Ints, Scalar, Series

if TYPE_CHECKING:
    from logdoctor.view import RunView

LAST = 0.1  # share of the compared stretch that counts as its end
OVERLAP = 0.3  # share of the run that a sibling must cover, or else shares of the run are compared instead of steps


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The finite values of one metric of a sibling; ``step`` and ``value`` have shape ``(n,)``."""

    step: Floats
    value: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Sibling:
    """One run to compare with: its name, its metrics and its settings."""

    name: str
    tracks: Mapping[str, Track]
    settings: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Siblings:
    """All runs given as a baseline."""

    runs: tuple[Sibling, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a metric ends, beside its siblings at the same place; ``start`` and ``gains`` are levels and rises.

    Attributes:
        end: the run's own level at the end.
        ends: the siblings' levels there.
        start: median of all starting levels, the run's own included.
        spread: largest minus smallest of ``ends`` (0 for one sibling).
        outside_from: index into the run's series from which it stays beyond every sibling, or None.
    """

    end: float
    ends: tuple[float, ...]
    start: float
    spread: float
    outside_from: int | None

    @property
    def worst(self) -> float:
        """The lowest of the siblings' ends."""
        return min(self.ends)

    @property
    def gain(self) -> float:
        """Rise from the common start to the lowest sibling's end; 0 where it did not rise."""
        return max(self.worst - self.start, 0.0)

    @property
    def shortfall(self) -> float:
        """What the run lacks to its lowest sibling, as a share of that sibling's gain."""
        return (self.worst - self.end) / self.gain if self.gain > 0 else 0.0


def siblings_of(view: RunView) -> Siblings | None:
    """Return the runs given as a baseline, or None."""
    return view.baseline if isinstance(view.baseline, Siblings) and view.baseline.runs else None


def no_siblings(view: RunView) -> str | None:
    """Why a rule about siblings does not apply, or None when it does."""
    return None if siblings_of(view) is not None else "no siblings were given (--baseline)"


def standing(series: Series, siblings: Siblings, goal: Goal) -> Standing | None:
    """Return where ``series`` stands beside its siblings, larger being better; None when none has the metric."""
    sign = -1.0 if goal == "min" else 1.0
    tracks = [run.tracks[series.name] for run in siblings.runs if series.name in run.tracks]
    tracks = [t for t in tracks if t.value.size >= 3]
    if not tracks or len(series) < 3:
        return None
    own = sign * smooth(series.value)
    others = [aligned(t, series.step, sign) for t in tracks]
    known = np.isfinite(np.vstack(others)).all(axis=0)
    if known.sum() < 3:
        return None
    index = np.flatnonzero(known)
    last = index[-max(3, round(LAST * index.size)) :]
    ends = tuple(float(np.median(o[last])) for o in others)
    # Raw first records: a fast learner has left its start before a smoothed curve begins.
    start = float(np.median([*(sign * float(t.value[0]) for t in tracks), sign * float(series.value[0])]))
    lowest = np.min(np.vstack(others), axis=0)
    return Standing(
        float(np.median(own[last])), ends, start, max(ends) - min(ends), _outside(own, lowest, index, min(ends) - start)
    )


def _outside(own: Floats, lowest: Floats, index: Ints, gain: float) -> int | None:
    """Return the first point from which the run stays a tenth of the gain below every sibling."""
    below = own[index] < lowest[index] - 0.1 * max(gain, 0.0)
    if not below[-1]:
        return None
    inside = np.flatnonzero(~below)
    return int(index[inside[-1] + 1]) if inside.size else int(index[0])


def smooth(value: Floats) -> Floats:
    """Return the running median over a fifteenth of the run, so that one odd record decides nothing."""
    return rolling_median(value, max(3, value.size // 15)) if value.size >= 5 else value


def aligned(track: Track, step: Floats, sign: float) -> Floats:
    """Return the sibling's smoothed curve at ``step`` (NaN beyond its end), or at the same shares of the run."""
    value = sign * smooth(track.value)
    x, at = track.step, step
    span = max(float(step[-1] - step[0]), 1e-12)
    shared = min(float(step[-1]), float(x[-1])) - max(float(step[0]), float(x[0]))
    if shared < OVERLAP * span or not (np.diff(x) >= 0).all() or not (np.diff(step) >= 0).all():
        x, at = np.linspace(0, 1, track.value.size), np.linspace(0, 1, step.size)
    out = np.interp(at, x, value)
    slack = 0.02 * max(float(x[-1] - x[0]), 1e-12)
    out[at > x[-1] + slack] = np.nan
    return out


def differing_settings(view: RunView, siblings: Siblings) -> list[tuple[str, Scalar, tuple[Scalar, ...]]]:
    """Return the settings whose value is that of no sibling: name, the run's value, theirs."""
    found = []
    for name, setting in view.settings.items():
        theirs = tuple(run.settings[name] for run in siblings.runs if name in run.settings)
        if theirs and name != "seed" and all(not _same(setting.value, other) for other in theirs):
            found.append((setting.raw_name or name, setting.value, theirs))
    return found


def _same(a: Scalar, b: Scalar) -> bool:
    if (
        isinstance(a, (int, float))
        and isinstance(b, (int, float))
        and not isinstance(a, bool)
        and not isinstance(b, bool)
    ):
        return abs(float(a) - float(b)) <= 1e-9 * max(abs(float(a)), abs(float(b)))
    return a == b
