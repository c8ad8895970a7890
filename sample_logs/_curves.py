"""Curves through given points, with repeatable noise that vanishes on the points themselves."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

Knots = Sequence[tuple[float, float]]


class Curve:
    """A line through ``knots``; between them it wobbles, on them it is exact.

    Args:
        knots: ``(x, y)`` in rising order of x.
        noise: standard deviation of the wobble; a share of the value where ``log``.
        rng: the generator of the log, so that a log is the same on every machine.
        log: straight in the logarithm (all y above zero).
        low: smallest value that may come out.
        high: largest value that may come out.
    """

    def __init__(
        self,
        knots: Knots,
        rng: random.Random,
        noise: float = 0.0,
        log: bool = False,
        low: float = -math.inf,
        high: float = math.inf,
    ) -> None:
        """Keep the knots; see the class for the arguments."""
        self.xs = [float(x) for x, _ in knots]
        self.ys = [math.log(y) if log else float(y) for _, y in knots]
        self.exact = {float(x): float(y) for x, y in knots}
        self.rng, self.noise, self.log, self.low, self.high = rng, noise, log, low, high

    def __call__(self, x: float) -> float:
        """Return the value at ``x``; one random number is drawn for each call, on a knot too."""
        wobble = self.rng.gauss(0.0, self.noise) if self.noise else 0.0
        if float(x) in self.exact:
            return self.exact[float(x)]
        middle = self._line(float(x))
        value = math.exp(middle + wobble) if self.log else middle + wobble
        return min(max(value, self.low), self.high)

    def _line(self, x: float) -> float:
        if x <= self.xs[0] or len(self.xs) == 1:
            return self.ys[0]
        if x >= self.xs[-1]:
            return self.ys[-1]
        right = bisect_right(self.xs, x)
        x0, x1, y0, y1 = self.xs[right - 1], self.xs[right], self.ys[right - 1], self.ys[right]
        return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def spaced(pins: Sequence[tuple[int, int]], unit: int = 8) -> list[int]:
    """Return counters that pass exactly through ``(index, counter)`` pins, evenly spaced between them."""
    out: list[int] = []
    for (i0, c0), (i1, c1) in pairwise(pins):
        out += [c0 + round((c1 - c0) * k / (i1 - i0) / unit) * unit for k in range(i1 - i0)]
    return [*out, pins[-1][1]]
