"""Where a magnitude leaves its earlier level by a factor, and whether it stays there.

The level is the running median before the departure and is frozen when the departure begins, so that a long explosion
cannot become its own baseline. Compared are logarithms: a factor of ten is as far from 0.001 as from 1,000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.baseline import MAD_TO_SIGMA
from logdoctor.detectors.smooth import trailing_median
from logdoctor.model import Bools, Floats

SPREAD_FLOOR = 0.05  # natural log: below five percent of scatter, every wiggle of a still stretch would be "many sigma"


@dataclass(frozen=True, slots=True)
class Departure:
    """One stretch above ``factor`` times the level before it.

    Attributes:
        start: first point of the unbroken climb that lies outside of all that the level's rows had shown (and above
            three sigma), at or before ``crossing``.
        crossing: first point above the factor.
        peak: point of the largest finite magnitude of the stretch.
        stop: index after the last point of the stretch (the length of the series when it never comes back).
        level: median magnitude before the departure; it was taken over ``level_first`` to ``level_last`` (inclusive).
        ratio: magnitude at ``peak`` over ``level``.
        sustained: whether more than half of the points after the crossing stay above half the factor.
    """

    start: int
    crossing: int
    peak: int
    stop: int
    level: float
    level_first: int
    level_last: int
    ratio: float
    sustained: bool


def departures(
    value: Floats, factor: float, sigmas: float = 8.0, window: int | None = None, hold: int | None = None
) -> list[Departure]:
    """Return the departures of ``value`` (magnitudes, shape ``(n,)``; infinite counts as above), in file order.

    Args:
        value: non-negative magnitudes; NaN counts as the point before it.
        factor: how many times the level before is material.
        sigmas: robust standard deviations (of the logarithm) above the level.
        window: points that make the level; by default a tenth of the series, 5 to 200.
        hold: points after the crossing that decide whether it stays; by default a twentieth, at least 5.
    """
    value = _filled(value)
    n = value.size
    window = window or int(np.clip(n // 10, 5, 200))
    hold = hold or max(5, n // 20)
    if n < 6:
        return []
    log = np.log(np.maximum(value, _smallest(value)))
    level = trailing_median(log, window)
    spread = np.maximum(MAD_TO_SIGMA * trailing_median(np.abs(log - level), window), SPREAD_FLOOR)
    hot = (log - level > np.log(factor)) & (log - level > sigmas * spread)
    hot[: min(5, n)] = False
    found: list[Departure] = []
    after = 0
    for i in np.flatnonzero(hot).tolist():
        if i >= after:
            found.append(_departure(log, i, float(level[i]), float(spread[i]), np.log(factor), window, hold))
            after = found[-1].stop
    return found


def _departure(
    log: Floats, crossing: int, level: float, spread: float, factor: float, window: int, hold: int
) -> Departure:
    high: Bools = log > level + 0.5 * factor
    share = high[crossing : crossing + hold].mean()
    sustained = bool(share > 0.5) and crossing + 1 < log.size
    stop = crossing + 1
    while stop < log.size and high[stop : stop + (hold if sustained else 1)].mean() > (0.5 if sustained else 0.0):
        stop += 1
    start = crossing
    before = log[max(0, crossing - window) : max(1, crossing - max(3, window // 10))]
    seen = float(before.max()) - level if before.size else 0.0
    border = level + min(max(np.log(1.5), 3 * spread, seen), factor)
    while start > 0 and log[start - 1] > border:
        start -= 1
    part = np.where(np.isfinite(log[crossing:stop]), log[crossing:stop], -np.inf)
    peak = crossing + int(np.argmax(part))
    first = max(0, start - window)
    return Departure(
        start=start,
        crossing=crossing,
        peak=peak,
        stop=stop,
        level=float(np.exp(level)),
        level_first=first,
        level_last=max(first, start - 1),
        ratio=float(np.exp(min(log[peak] - level, 700.0))),
        sustained=sustained,
    )


def _filled(value: Floats) -> Floats:
    value = np.abs(np.asarray(value, dtype=np.float64))
    missing = np.isnan(value)
    if missing.any():
        last = np.maximum.accumulate(np.where(missing, 0, np.arange(value.size)))
        value = np.nan_to_num(value[last], nan=0.0, posinf=np.inf)
    return value


def _smallest(value: Floats) -> float:
    """A floor for zeros: a thousandth of the smallest ordinary magnitude, so that a logged zero is no singularity."""
    positive = value[(value > 0) & np.isfinite(value)]
    return float(np.quantile(positive, 0.05)) / 1000.0 if positive.size else 1.0
