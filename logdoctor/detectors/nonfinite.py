"""Runs of NaN and infinite values: where they begin, whether they stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.spike import runs
from logdoctor.model import Floats


@dataclass(frozen=True, slots=True)
class NonFinite:
    """Non-finite values of a series.

    Attributes:
        first: index of the first one.
        count: how many there are.
        runs: number of separate stretches.
        last_run: index at which the stretch that reaches the end begins, or None when the series recovered.
        share: non-finite part of the values from ``first`` on.
    """

    first: int
    count: int
    runs: int
    last_run: int | None
    share: float

    @property
    def stays(self) -> bool:
        """Whether the series ends non-finite."""
        return self.last_run is not None


def nonfinite(value: Floats) -> NonFinite | None:
    """Describe the NaN and infinite values of ``value`` (shape ``(n,)``); None when there are none."""
    bad = ~np.isfinite(np.asarray(value, dtype=np.float64))
    if not bad.any():
        return None
    stretches = runs(bad)
    first, stop = stretches[0][0], stretches[-1][1]
    last_run = stretches[-1][0] if stop == bad.size else None
    return NonFinite(first, int(bad.sum()), len(stretches), last_run, float(bad[first:].mean()))
