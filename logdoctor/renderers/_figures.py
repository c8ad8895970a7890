"""Small pictures for text outputs, and the words for numbers that go with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from logdoctor.model import Curve
from logdoctor.wording import change, hours, number, percent, rounded, steps

__all__ = ["change", "hours", "is_logarithmic", "number", "parts", "percent", "rounded", "sparkline", "steps"]

BLOCKS = "▁▂▃▄▅▆▇█"
NON_FINITE = "!"
WIDTH = 40
LOG_RANGE = 1_000.0  # a series that spans three powers of ten says nothing on a linear scale


def is_logarithmic(values: Sequence[float]) -> bool:
    """Whether a picture of ``values`` needs a logarithmic scale: all above zero and over three powers of ten."""
    finite = [v for v in values if math.isfinite(v)]
    return bool(finite) and min(finite) > 0 and max(finite) / min(finite) >= LOG_RANGE


def sparkline(curve: Curve, width: int = WIDTH) -> str:
    """Return the series in at most ``width`` characters; ``!`` marks a part that holds a non-finite value.

    Each character stands for an equal part of the steps and shows the value that is farthest from the middle of the
    series, so that a single peak is seen.
    """
    values, width = list(curve.value), max(1, width)
    if not values:
        return ""
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return NON_FINITE * min(width, len(values))
    scale = math.log if is_logarithmic(values) else float
    scaled = [scale(v) if math.isfinite(v) else math.nan for v in values]
    seen = sorted(v for v in scaled if not math.isnan(v))
    low, high, middle = seen[0], seen[-1], seen[len(seen) // 2]
    out = []
    for part in parts(curve.step, scaled, width):
        if not part:
            out.append(" ")
        elif any(math.isnan(v) for v in part):
            out.append(NON_FINITE)
        else:
            value = max(part, key=lambda v: abs(v - middle))
            out.append(BLOCKS[_level(value, low, high)])
    return "".join(out).rstrip()


def _level(value: float, low: float, high: float) -> int:
    if high <= low:
        return 3
    return min(int((value - low) / (high - low) * len(BLOCKS)), len(BLOCKS) - 1)


def parts(at: Sequence[float], values: Sequence[float], width: int) -> list[list[float]]:
    """Cut values into at most ``width`` lists, each for an equal part of the steps (of the rows where these fall)."""
    n = len(values)
    if n <= width:
        return [[v] for v in values]
    rising = all(a <= b for a, b in pairwise(at)) and math.isfinite(at[0]) and at[-1] > at[0]
    out: list[list[float]] = [[] for _ in range(width)]
    for i, value in enumerate(values):
        share = (at[i] - at[0]) / (at[-1] - at[0]) if rising else i / (n - 1)
        out[min(int(share * width), width - 1)].append(value)
    return out
