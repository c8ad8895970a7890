"""Isolated values far above what came before them: many robust deviations *and* a multiple of the level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.baseline import MAD_TO_SIGMA
from logdoctor.detectors.smooth import block_median, trailing_median
from logdoctor.model import Bools, Floats, Ints

WINDOW = 41  # points that make the level a spike is measured against


@dataclass(frozen=True, slots=True, eq=False)
class Spikes:
    """Where a series spikes: index of each spike's highest point, its z and its ratio to the level before it."""

    index: Ints
    z: Floats
    ratio: Floats
    level: Floats

    def __len__(self) -> int:
        """Return the number of spikes."""
        return int(self.index.size)


def spikes(value: Floats, z: float = 8.0, ratio: float = 3.0, window: int = WINDOW) -> Spikes:
    """Find values above the running level by ``z`` robust deviations and by the factor ``ratio``.

    Args:
        value: finite values, shape ``(n,)``; the ratio is taken of magnitudes, so the series should not straddle zero.
        z: robust standard deviations above the median of the ``window`` points before.
        ratio: multiple of that median.
        window: points before a value that make its level.
    """
    value = np.asarray(value, dtype=np.float64)
    empty = np.empty(0)
    if value.size < 8:
        return Spikes(np.empty(0, dtype=np.int64), empty, empty, empty)
    level = trailing_median(value, window)
    off = value - level
    off -= block_median(off, window)  # on a slope the level lags behind by a constant, which is no deviation
    sigma = MAD_TO_SIGMA * np.maximum(block_median(np.abs(off), window), _floor(off))
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(sigma > 0, off / sigma, np.where(off > 0, np.inf, 0.0))
        factor = np.where(level > 0, value / level, np.where(value > level, np.inf, 1.0))
    hot = (score > z) & (factor > ratio)
    hot[: min(5, value.size)] = False
    index = _tops(hot, value)
    return Spikes(index, score[index], factor[index], level[index])


def _floor(off: Floats) -> float:
    """A tenth of the overall spread: a stretch that happens to be still must not make the next wiggle a spike."""
    return 0.1 * float(np.median(np.abs(off - np.median(off))))


def _tops(hot: Bools, value: Floats) -> Ints:
    tops = []
    for first, stop in runs(hot):
        tops.append(first + int(np.argmax(value[first:stop])))
    return np.asarray(tops, dtype=np.int64)


def runs(mask: Bools) -> list[tuple[int, int]]:
    """Return the stretches where ``mask`` is true, as (first, stop) pairs."""
    padded = np.concatenate([[False], np.asarray(mask, dtype=bool), [False]])
    flips = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(a), int(b)) for a, b in zip(flips[::2], flips[1::2], strict=True)]
