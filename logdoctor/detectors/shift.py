"""Level shifts: where one mean stops describing a series (binary segmentation with a BIC-like penalty).

Reference: Scott and Knott 1974; the penalty follows Yao 1988 (2 sigma^2 log n per change) times a safety factor,
because logged values are autocorrelated.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from logdoctor.detectors.baseline import noise
from logdoctor.detectors.bins import binned
from logdoctor.model import Floats, Ints

BINS = 1024


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of level at ``index`` (first point of the new level), with the medians on both sides."""

    index: int
    before: float
    after: float
    gain: float

    @property
    def jump(self) -> float:
        """New level minus old level."""
        return self.after - self.before


def best_split(value: Floats, least: int = 3) -> Shift | None:
    """Return the split that explains most of the variance of ``value`` (shape ``(n,)``), or None when it is too short.

    Args:
        value: the series; non-finite values are left out.
        least: points that each side must have.
    """
    thin = binned(value, BINS)
    keep = np.flatnonzero(np.isfinite(thin.value))
    y = thin.value[keep]
    if y.size < 2 * least:
        return None
    cut, gain = _split(y, least)
    if cut < 0:
        return None
    return Shift(int(thin.first[keep[cut]]), float(np.median(y[:cut])), float(np.median(y[cut:])), gain)


def level_shifts(value: Floats, most: int = 6, least: int = 5, strictness: float = 4.0) -> list[Shift]:
    """Return up to ``most`` level shifts in file order, by binary segmentation.

    Args:
        value: the series; non-finite values are left out.
        most: upper bound of the number of shifts.
        least: points that each level must have.
        strictness: multiple of the BIC penalty that a split must gain.
    """
    thin = binned(value, BINS)
    keep = np.flatnonzero(np.isfinite(thin.value))
    y = thin.value[keep]
    if y.size < 2 * least:
        return []
    penalty = strictness * 2.0 * max(noise(y) ** 2, 1e-12 * float(np.var(y))) * float(np.log(y.size))
    cuts: list[tuple[int, float]] = []
    parts = [(0, int(y.size))]
    while parts and len(cuts) < most:
        found = [(*_split(y[a:b], least), a, b) for a, b in parts]
        cut, gain, a, b = max(found, key=lambda item: item[1])
        if cut < 0 or gain <= penalty:
            break
        cuts.append((a + cut, gain))
        parts.remove((a, b))
        parts += [(a, a + cut), (a + cut, b)]
    return _levels(y, sorted(cuts), thin.first[keep])


def _split(y: Floats, least: int) -> tuple[int, float]:
    n = y.size
    if n < 2 * least:
        return -1, 0.0
    total = np.cumsum(y - y.mean())
    k = np.arange(1, n)
    gain = total[:-1] ** 2 * n / (k * (n - k))
    gain[: least - 1] = -1.0
    gain[n - least :] = -1.0
    best = int(np.argmax(gain))
    return best + 1, float(gain[best])


def _levels(y: Floats, cuts: list[tuple[int, float]], first: Ints) -> list[Shift]:
    border = [0, *(cut for cut, _ in cuts), int(y.size)]
    level = [float(np.median(y[a:b])) for a, b in pairwise(border)]
    return [Shift(int(first[cut]), level[i], level[i + 1], gain) for i, (cut, gain) in enumerate(cuts)]
