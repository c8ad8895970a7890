"""Which losses a rule about losses may judge, and their levels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.model import Series
from logdoctor.rules._progress import Progress, starts_midway

if TYPE_CHECKING:
    from logdoctor.view import RunView

CLASSES, GUESS = (10, 100, 1000), 0.03  # counts of classes that data sets have; share of ln k that initial weights add
MAIN = (
    "loss",
    "train_loss",
    "lm_loss",
    "total_loss",
    "loss_epoch",
    "loss_step",
)  # the training loss of a supervised or language-model run
PRETRAINED = (
    2.5  # nats: a language model that starts below was trained before (a random one starts at ln of its vocabulary)
)


def main_loss(view: RunView, least: int = 20) -> Progress | None:
    """Return the training loss of a run that is no reinforcement learning, or None."""
    if view.is_rl:
        return None
    for name in MAIN:
        series = view.finite(name)
        if series is not None and len(series) >= least:
            return Progress(series, "min")
    return None


def first_level(progress: Progress) -> float:
    """Return the printed loss at the start: the first value, or the mean of the first rows when that is higher."""
    return max(float(progress.series.value[0]), -progress.start)


def fine_tuning(view: RunView, progress: Progress) -> bool:
    """Whether the run adapts a trained model, whose loss starts low and hardly falls."""
    if starts_midway(view, progress.series) or view.family == "dpo":
        return True
    classified = any(view.finite(name) is not None for name in ("accuracy", "train_accuracy", "val_accuracy"))
    return not classified and abs(first_level(progress)) < PRETRAINED and not _guesses(progress)


def _guesses(progress: Progress) -> bool:
    """Whether the first loss is that of a guess among a usual number of classes: a classifier that begins anew."""
    first = float(progress.series.value[0])
    return any(abs(first - math.log(k)) < GUESS * math.log(k) for k in CLASSES)


def learning_rate_at(view: RunView, line: int) -> float | None:
    """Return the learning rate printed last before ``line``, or None."""
    series = view.finite("learning_rate")
    if series is None:
        return None
    at = int(np.searchsorted(series.line, line, side="right")) - 1
    return float(series.value[max(0, at)])


def decayed_before(view: RunView, series: Series, index: int) -> bool:
    """Whether the learning rate had fallen below a tenth of its peak at that point."""
    rate = view.finite("learning_rate")
    here = learning_rate_at(view, int(series.line[index]))
    return rate is not None and here is not None and here < 0.1 * float(rate.value.max())
