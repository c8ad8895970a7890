"""Stretches in which exactly the same value is printed again and again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.model import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Constant:
    """A stretch of one repeated value: points ``first`` to ``stop - 1``; ``share`` of the whole series."""

    first: int
    stop: int
    value: float
    share: float

    @property
    def length(self) -> int:
        """Points in the stretch."""
        return self.stop - self.first


def longest_constant(value: Floats) -> Constant | None:
    """Return the longest stretch of one repeated value (NaN repeats NaN), or None for an empty series."""
    value = np.asarray(value, dtype=np.float64)
    if not value.size:
        return None
    first, stop = _stretches(value)
    at = int(np.argmax(stop - first))
    return _constant(value, int(first[at]), int(stop[at]))


def trailing_constant(value: Floats) -> Constant | None:
    """Return the stretch of one repeated value that reaches the end, or None for an empty series."""
    value = np.asarray(value, dtype=np.float64)
    if not value.size:
        return None
    first, stop = _stretches(value)
    return _constant(value, int(first[-1]), int(stop[-1]))


def repeat_share(value: Floats) -> float:
    """Return the share of points that repeat the point before them exactly (0 for fewer than two points)."""
    value = np.asarray(value, dtype=np.float64)
    return float(_same(value).mean()) if value.size > 1 else 0.0


def _same(value: Floats) -> Bools:
    return np.asarray((value[1:] == value[:-1]) | (np.isnan(value[1:]) & np.isnan(value[:-1])))


def _stretches(value: Floats) -> tuple[Ints, Ints]:
    cut = np.flatnonzero(~_same(value)) + 1
    return np.concatenate([[0], cut]), np.concatenate([cut, [value.size]])


def _constant(value: Floats, first: int, stop: int) -> Constant:
    return Constant(first, stop, float(value[first]), (stop - first) / value.size)
