"""Peak, then fall: how much of what was gained is lost at the end, and where the fall begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.bins import binned
from logdoctor.detectors.smooth import rolling_mean, rolling_median
from logdoctor.model import Floats


@dataclass(frozen=True, slots=True)
class Drawdown:
    """How a series (larger is better) rose and fell.

    Attributes:
        start: level of the first part.
        floor: lowest smoothed level up to the peak.
        peak: highest smoothed level; ``peak_index`` is its point.
        final: level of the last part.
        lost: share of the gain (peak above ``floor``) that is gone at the end; 0 none, 1 all, more is below the start.
        fall_index: last point at which the smoothed series was still within a tenth of the gain from its peak.
        noise: standard deviation of the points around the smoothed series.
    """

    start: float
    floor: float
    peak: float
    peak_index: int
    final: float
    lost: float
    fall_index: int
    noise: float

    @property
    def gain(self) -> float:
        """Peak above the floor before it."""
        return self.peak - self.floor


def window_for(count: int, share: float = 0.05) -> int:
    """Return the smoothing window: a ``share`` of the series, at least three points."""
    return max(3, round(count * share))


def drawdown(value: Floats, share: float = 0.05) -> Drawdown | None:
    """Describe the rise and the fall of ``value`` (shape ``(n,)``, larger is better), or None for fewer than 6 points.

    Args:
        value: the series; non-finite values must be left out by the caller.
        share: smoothing window, start and end stretch, as a share of the length.
    """
    thin = binned(value)
    value = thin.value
    if value.size < 6:
        return None
    window = window_for(value.size, share)
    smooth = rolling_mean(rolling_median(value, 3), window)
    peak_index = int(np.argmax(smooth))
    peak = float(smooth[peak_index])
    start, final = float(value[:window].mean()), float(value[-window:].mean())
    floor = float(min(smooth[: peak_index + 1].min(), start))
    gain = peak - floor
    lost = (peak - final) / gain if gain > 0 else 0.0
    close = np.flatnonzero(smooth >= peak - 0.1 * gain)
    where = int(thin.first[peak_index])
    return Drawdown(start, floor, peak, where, final, lost, int(thin.first[close[-1]]), float(np.std(value - smooth)))
