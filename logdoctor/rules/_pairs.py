"""Training and held-out metrics of the same kind, brought to the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.model import Bools, Floats, Series

if TYPE_CHECKING:
    from logdoctor.view import RunView


FRESH = 0.6  # of the evaluations: otherwise the two do not belong to one stretch of the run


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A held-out series and the level of the training one around each of its points, shape ``(len(held),)``."""

    held: Series
    train_series: Series
    train: Floats


def pair(view: RunView, held: str, *train: str, least: int = 6) -> Pair | None:
    """Return the held-out metric with the median of the training values since the evaluation before it."""
    series = view.finite(held)
    if series is None or len(series) < least:
        return None
    for name in train:
        other = view.finite(name)
        if other is not None and len(other) >= least:
            fresh = _fresh(series, other)
            if fresh.mean() >= FRESH:
                series = series.where(fresh)
                return Pair(series, other, _beside(series, other))
    return None


def _fresh(held: Series, train: Series) -> Bools:
    """Whether training values were printed since the evaluation before (or in the same row)."""
    stop = np.searchsorted(train.line, held.line, side="right")
    return np.asarray(np.diff(np.concatenate([[0], stop])) > 0)


def _beside(held: Series, train: Series) -> Floats:
    stop = np.searchsorted(train.line, held.line, side="right")
    often = len(train) >= 1.5 * len(held)
    start = np.concatenate([[0], stop[:-1]]) if often else stop - 1
    out = np.empty(len(held))
    for i, (a, b) in enumerate(zip(start.tolist(), stop.tolist(), strict=True)):
        first = max(0, min(a, b - 1))
        out[i] = np.median(train.value[first : max(b, first + 1)])
    return out
