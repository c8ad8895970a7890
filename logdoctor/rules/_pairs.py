"""Training and held-out metrics of the same kind, brought to the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.model import Bools, Floats, Series

if TYPE_CHECKING:
    from logdoctor.view import RunView


LEAST_LOSS = math.log(2.0)  # a wrong answer costs more: its label got less than half of the probability
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


def held_accuracy(view: RunView) -> Series | None:
    """Return the held-out accuracy: the one named so, or one without a phase that the training loss contradicts.

    Of a cross-entropy below ``ln 2`` times the share of wrong answers, these cannot be the answers (fastai prints the
    held-out accuracy as ``accuracy``).
    """
    held = view.finite("val_accuracy")
    if held is not None:
        return held
    held, train = view.finite("accuracy"), view.finite("train_loss") or view.finite("loss")
    if held is None or train is None or view.finite("train_accuracy") is not None:
        return None
    top = 1.0 if float(held.value.max()) <= 1.0 else 100.0
    wrong = 1.0 - float(np.median(held.value[-5:])) / top
    return held if wrong * LEAST_LOSS > 1.5 * float(np.median(train.value[-5:])) else None


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
