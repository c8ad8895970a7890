"""Thins a series to a bounded number of bins, so that no detector grows worse than linearly with the log."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from logdoctor.model import Floats, Ints

LIMIT = 4096  # more points than any picture or any eye resolves; keeps n log n detectors under a millisecond


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Consecutive groups of points.

    Attributes:
        first: index of the first point of each bin, shape ``(k,)``.
        stop: index after the last point of each bin, shape ``(k,)``.
        value: mean of the finite values of each bin (the value itself where a bin holds one point), NaN if none.
    """

    first: Ints
    stop: Ints
    value: Floats

    def __len__(self) -> int:
        """Return the number of bins."""
        return int(self.first.size)


def edges(count: int, limit: int) -> Ints:
    """Return the borders of at most ``limit`` equally filled bins over ``count`` points, shape ``(bins + 1,)``."""
    bins = max(1, min(limit, count))
    return np.linspace(0, count, bins + 1).astype(np.int64)


def binned(value: Floats, limit: int = LIMIT) -> Bins:
    """Average ``value`` (shape ``(n,)``, any unit) into at most ``limit`` bins; non-finite values are left out."""
    value = np.asarray(value, dtype=np.float64)
    if value.size <= limit:
        index = np.arange(value.size, dtype=np.int64)
        return Bins(index, index + 1, np.where(np.isfinite(value), value, np.nan))
    border = edges(value.size, limit)
    finite = np.isfinite(value)
    total = np.add.reduceat(np.where(finite, value, 0.0), border[:-1])
    count = np.add.reduceat(finite.astype(np.float64), border[:-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, total / count, np.nan)
    return Bins(border[:-1], border[1:], mean)


def medians(value: Floats, parts: int) -> Floats:
    """Return the median of the finite values of each of ``parts`` equal stretches (NaN where a stretch has none)."""
    value = np.asarray(value, dtype=np.float64)
    border = edges(value.size, parts)
    out = np.full(border.size - 1, np.nan)
    for i, (a, b) in enumerate(pairwise(border.tolist())):
        part = value[a:b]
        part = part[np.isfinite(part)]
        if part.size:
            out[i] = np.median(part)
    return out
