"""Labels shuffled or random: the training loss hardly falls, or falls only by memorising.

A single log shows it where the held-out labels are clean: the model does better on them than on its own training
data, and gets worse on them as it memorises. Otherwise only a sibling run can show it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from logdoctor.causes._evidence import HINT, SETTLES, SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.rules._progress import starts_midway
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    if view.is_rl:
        return
    known = facts(view)
    train, held = known.level("loss", "train_loss"), known.level("val_loss")
    if train is None:
        return
    if known.no_signal and held is not None:
        yield Argument(
            weight=SETTLES,
            text=f"{train.text()}, but held-out data is never predicted better than by a guess (best val_loss "
            f"{say(held.low)}): "
            "what is learned does not hold for any other data.",
        )
    elif train.end < 0.4 * train.start:
        yield Argument(weight=-SIGN, text=f"{train.text()}: it fits its labels well.")
    yield from _better_on_held_out(view)
    if held is not None and train.tau < -0.9 and 0.7 * train.start < train.end < 0.97 * train.start:
        yield Argument(weight=HINT, text=f"{train.text()}: a slow, steady fall without end, as in memorising.")
    accuracy = view.finite("val_accuracy")
    if accuracy is not None and len(accuracy) >= 10 and train.end > 0.6 * train.start:
        top = int(np.argmax(accuracy.value))
        peak, last = float(accuracy.value[top]), float(np.median(accuracy.value[-3:]))
        if top < 0.6 * len(accuracy) and last < 0.9 * peak and peak > 1.5 * float(accuracy.value[0]):
            yield Argument(
                weight=SIGN,
                text=f"val_accuracy peaks at {say(peak)} (line {int(accuracy.line[top])}) and falls to "
                f"{say(last)} while the training loss is "
                f"still {say(train.end)}: what it learns last is not in the held-out data.",
            )


def _better_on_held_out(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    train, held = known.level("train_loss", "loss"), known.level("val_loss")
    if train is None or held is None:
        return
    gap = (train.end - held.end) / max(train.end, 1e-12)
    series = view.finite(train.name)
    begun = series is not None and not starts_midway(view, series)  # else nothing says how far it has fallen
    if gap > 0.03 and train.end > 0.6 * train.start:
        yield Argument(
            weight=STRONG if begun else SIGN,
            text=f"val_loss ends at about {say(held.end)} (to line {held.last_line}), below the {train.shown} of "
            f"{say(train.end)}: the model does "
            "better on data it has not seen, so the training labels are the worse ones.",
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "training labels",
        "compare 50 inputs with their labels by eye; overfit one batch",
        "inputs and labels may be shuffled apart",
        tradeoff="Ten minutes.",
        reference="Zhang et al. 2017, Understanding deep learning requires rethinking generalization",
    )


CAUSE = CauseRecord(
    id="label-noise",
    title="Labels shuffled or wrong",
    prior=-3.6,
    symptoms={
        "performance-below-baseline": HINT,
        "validation-below-training": SIGN,
        "loss-not-learning": HINT,
        "loss-plateau": 0.3,
        "overfitting": 0.0,
        "loss-at-chance": 0.2,
    },
    leads_to=("validation-below-training", "loss-not-learning"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("A sibling run: the loss stays far above its floor.", "Fifty training pairs, looked at by eye."),
    references=("Zhang et al. 2017", "Northcutt et al. 2021, Pervasive Label Errors"),
    families=("supervised", "llm"),
)
