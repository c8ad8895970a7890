"""From the obvious place back to where a fault begins."""

from __future__ import annotations

import numpy as np

from logdoctor.model import Floats


def last_inside(value: Floats, index: int, low: float, high: float) -> int:
    """Return the first point of the excursion that contains ``index``.

    Walks back from ``index`` while the values lie outside ``[low, high]`` (non-finite counts as outside) and returns
    the earliest point of that unbroken stretch.
    """
    value = np.asarray(value, dtype=np.float64)
    head = value[: index + 1]
    inside = np.flatnonzero(np.isfinite(head) & (head >= low) & (head <= high))
    return int(inside[-1]) + 1 if inside.size and inside[-1] < index else (0 if not inside.size else index)


def first_outside(value: Floats, low: float, high: float, needed: int = 1) -> int | None:
    """Return the first point of the first ``needed`` consecutive values outside ``[low, high]``, or None."""
    value = np.asarray(value, dtype=np.float64)
    out = ~((value >= low) & (value <= high))
    count = 0
    for i in np.flatnonzero(out).tolist():
        count = count + 1 if i and out[i - 1] and count else 1
        if count >= needed:
            return i - needed + 1
    return None


def backtrack(value: Floats, index: int, toward: float, tolerance: float) -> int:
    """Walk back from ``index`` as long as the series keeps coming from ``toward``; return where it left it.

    The point returned is the one after the last value within ``tolerance`` of ``toward`` (the level before the
    change), so a slow slide is dated to its beginning and a jump to its first point.
    """
    value = np.asarray(value, dtype=np.float64)
    head = value[: index + 1]
    near = np.flatnonzero(np.isfinite(head) & (np.abs(head - toward) <= tolerance))
    return min(index, int(near[-1]) + 1) if near.size else 0
