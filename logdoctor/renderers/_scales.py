"""Axis scales and ticks for pictures: linear, logarithmic, or symmetric-logarithmic when the range needs it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# A curve that spans three orders of magnitude, or whose peak is a hundred times its middle, is a flat line with one
# spike on a linear axis.
LOG_SPAN = 1000.0
LOG_PEAK = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps values to 0..1. ``kind`` is ``linear``, ``log`` or ``symlog`` (linear within ``knee`` of zero)."""

    kind: str
    low: float
    high: float
    knee: float = 1.0

    def bend(self, value: float) -> float:
        """Return the value on the bent axis (log10, asinh or unchanged)."""
        if self.kind == "log":
            return math.log10(max(value, 1e-300))
        return math.asinh(value / self.knee) if self.kind == "symlog" else value

    def __call__(self, value: float) -> float:
        """Return the place of ``value`` between 0 (bottom) and 1 (top)."""
        a, b = self.bend(self.low), self.bend(self.high)
        return 0.5 if b == a else (self.bend(value) - a) / (b - a)


def scale_for(values: Sequence[float]) -> Scale:
    """Choose the scale for finite ``values`` (any length; empty gives 0..1)."""
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return Scale(kind="linear", low=0.0, high=1.0)
    low, high = min(finite), max(finite)
    if low == high:
        pad = abs(low) * 0.1 or 1.0
        return Scale(kind="linear", low=low - pad, high=high + pad)
    sizes = sorted(abs(v) for v in finite)
    if low > 0 and (high / low >= LOG_SPAN or high / sizes[len(sizes) // 2] >= LOG_PEAK):
        return Scale(kind="log", low=low, high=high)
    middle = sizes[len(sizes) // 2] or next((s for s in sizes if s > 0), 1.0)
    if sizes[-1] / middle >= LOG_SPAN:
        return Scale(kind="symlog", low=low, high=high, knee=middle)
    pad = (high - low) * 0.04
    return Scale(kind="linear", low=low - pad, high=high + pad)


def ticks(scale: Scale, count: int = 4) -> list[float]:
    """Return about ``count`` round values inside the scale."""
    if scale.kind == "linear":
        return nice(scale.low, scale.high, count)
    found: list[float] = []
    if scale.kind == "symlog":
        found = [0.0] if scale.low <= 0 <= scale.high else []
        for sign, edge in ((1.0, scale.high), (-1.0, -scale.low)):
            if edge > scale.knee:
                found += [sign * t for t in _powers(scale.knee, edge, max(2, count - 2))]
        return sorted(found)
    return _powers(scale.low, scale.high, count)


def _powers(low: float, high: float, count: int) -> list[float]:
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    every = max(1, math.ceil((last - first + 1) / count))
    return [10.0**k for k in range(first, last + 1, every)]


def nice(low: float, high: float, count: int) -> list[float]:
    """Return round numbers (steps of 1, 2 or 5 times a power of ten) between ``low`` and ``high``."""
    raw = (high - low) / max(count, 1)
    if raw <= 0 or not math.isfinite(raw):
        return [low]
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((m * power for m in (1, 2, 5, 10) if m * power >= raw), 10 * power)
    first = math.ceil(low / step)
    return [round(k * step, 12) for k in range(first, math.floor(high / step) + 1)]
