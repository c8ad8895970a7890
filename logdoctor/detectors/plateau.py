"""Stretches in which a series no longer moves beyond its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.trend import trend
from logdoctor.model import Floats


@dataclass(frozen=True, slots=True)
class Plateau:
    """The longest trailing stretch without a material trend; ``share`` is its part of the series."""

    index: int
    share: float
    level: float
    change: float


def trailing_plateau(value: Floats, material: float, parts: int = 20) -> Plateau | None:
    """Return the longest stretch up to the end whose trend changes it by less than ``material`` (its own unit).

    Tried from the longest to the shortest in twentieths of the series; None when not even a fifth of it is flat.
    """
    value = np.asarray(value, dtype=np.float64)
    for part in range(parts - parts // 5 + 1):
        first = value.size * part // parts
        line = trend(value[first:])
        if line is not None and abs(line.change) < material:
            return Plateau(first, 1 - first / value.size, float(np.nanmedian(value[first:])), line.change)
    return None
