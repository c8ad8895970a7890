"""Whether events come on a regular grid (a stall at each checkpoint) or at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.model import Ints

MOSTLY = 0.7  # of the gaps: a grid with a few events missing or added (runmedic calls 70 % periodic)


@dataclass(frozen=True, slots=True)
class Period:
    """Distance between events in points, and the share of gaps that fit a multiple of it."""

    length: float
    share: float


def period(index: Ints, tolerance: float = 0.1) -> Period | None:
    """Return the period of events at the points ``index`` (sorted), or None for fewer than three of them.

    Args:
        index: points at which something happened.
        tolerance: how far a gap may lie from a multiple of the period, as a share of the period.
    """
    gaps = np.diff(np.asarray(index, dtype=np.float64))
    if gaps.size < 2:
        return None
    best = Period(0.0, 0.0)
    for length in np.unique(gaps[gaps > 0])[::-1]:
        off = np.abs(gaps / length - np.round(gaps / length))
        share = float(((off <= tolerance) & (gaps >= length * (1 - tolerance))).mean())
        if share >= MOSTLY:  # the longest period that fits: every gap is a multiple of one row
            return Period(float(length), share)
        if share > best.share:
            best = Period(float(length), share)
    return best if best.length else None
