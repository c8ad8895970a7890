"""Robust centre and spread of a series, and how far a value lies outside of them.

Median and MAD have a breakdown point of one half: a handful of spikes cannot hide themselves by widening the spread
(Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.model import Floats

MAD_TO_SIGMA = 1.4826  # makes the MAD of a normal sample its standard deviation


@dataclass(frozen=True, slots=True)
class Baseline:
    """Centre and spread of a stretch, in the unit of the series; ``count`` finite values took part."""

    center: float
    spread: float
    low: float
    high: float
    count: int

    def z(self, value: float) -> float:
        """Return how many robust standard deviations ``value`` lies from the centre (infinite for zero spread)."""
        if value == self.center:
            return 0.0
        return (
            (value - self.center) / self.spread if self.spread > 0 else float(np.copysign(np.inf, value - self.center))
        )


def baseline(value: Floats, low: float = 0.05, high: float = 0.95) -> Baseline | None:
    """Return median, robust standard deviation and the ``low``/``high`` quantiles of the finite values.

    The spread falls back to the interquartile range, then to the standard deviation, where more than half of the
    values are equal (the MAD is zero then although the series moves). None when no value is finite.
    """
    value = np.asarray(value, dtype=np.float64)
    value = value[np.isfinite(value)]
    if not value.size:
        return None
    bottom, quarter, center, three, top = np.quantile(value, [low, 0.25, 0.5, 0.75, high])
    spread = MAD_TO_SIGMA * float(np.median(np.abs(value - center)))
    if spread == 0.0:
        spread = float(three - quarter) / 1.349 or float(value.std())
    return Baseline(float(center), spread, float(bottom), float(top), int(value.size))


def noise(value: Floats) -> float:
    """Return the standard deviation of the point-to-point noise, whatever the trend.

    From the median absolute second difference: a straight ramp contributes nothing, a jump only two points.
    ``sqrt(6)`` is the factor by which second differences of white noise are wider than the noise.
    """
    value = np.asarray(value, dtype=np.float64)
    value = value[np.isfinite(value)]
    if value.size < 4:
        return float(value.std()) if value.size else 0.0
    return MAD_TO_SIGMA * float(np.median(np.abs(np.diff(value, 2)))) / float(np.sqrt(6.0))
