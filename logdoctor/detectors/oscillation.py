"""Swings: how often a series turns and how far, early and late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.bins import binned
from logdoctor.model import Floats, Ints


@dataclass(frozen=True, slots=True)
class Oscillation:
    """Turning points of a series.

    Attributes:
        reversals: number of swings larger than the noise that was asked for.
        early: median swing of the first third, in the unit of the series; 0 where there are fewer than two.
        late: the same of the last third.
    """

    reversals: int
    early: float
    late: float

    @property
    def growth(self) -> float:
        """How many times larger the late swings are (1 when there are none to compare)."""
        return self.late / self.early if self.early > 0 else 1.0


def oscillation(value: Floats, least: float) -> Oscillation:
    """Count the swings of at least ``least`` (unit of the series) in the finite ``value`` (shape ``(n,)``)."""
    value = binned(value).value
    turns = _turning_points(value, least)
    swing = np.abs(np.diff(value[turns]))
    where = (
        turns[1:] + turns[:-1]
    ) / 2  # a swing is where its middle is: a long descent that ends late is none of the end
    early, late = swing[where < value.size / 3], swing[where >= 2 * value.size / 3]
    return Oscillation(
        max(0, swing.size - 1),
        float(np.median(early)) if early.size >= 2 else 0.0,
        float(np.median(late)) if late.size >= 2 else 0.0,
    )


def _turning_points(value: Floats, least: float) -> Ints:
    """Zig-zag: keep an extreme only when the series moves away from it by ``least``."""
    turns: list[int] = []
    high = low = 0
    direction = 0
    for i, v in enumerate(value.tolist()):
        high = i if v > value[high] else high
        low = i if v < value[low] else low
        if direction >= 0 and value[high] - v >= least:
            turns.append(high)
            direction, low = -1, i
            high = i
        elif direction <= 0 and v - value[low] >= least:
            turns.append(low)
            direction, high = 1, i
            low = i
    if value.size:
        turns.append(high if direction > 0 else low)
    return np.asarray(turns, dtype=np.int64)
