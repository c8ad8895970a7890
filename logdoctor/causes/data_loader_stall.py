"""The data pipeline stalls, or keeps returning the same batch.

The second kind shows as a training loss that falls off abruptly, by an order of magnitude, in the middle of a smooth
curve, while the held-out loss turns up at the same step: the model is learning one batch by heart.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from logdoctor.causes._evidence import STRONG, Present, change
from logdoctor.causes._facts import say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

FALL = 5.0  # factor by which the loss falls within a tenth of the run; healthy runs take most of the run for it


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    train = view.finite("loss") or view.finite("train_loss")
    held = view.finite("val_loss")
    if view.is_rl or train is None or held is None or len(train) < 20 or len(held) < 6:
        return
    value = np.maximum(train.value, 1e-12)
    window = max(2, value.size // 10)
    ratio = value[:-window] / value[window:]
    start = value.size // 10
    index = start + int(np.argmax(ratio[start:]))
    if ratio[index] < FALL or value[index] > 1.5 * float(value[: index + 1].min()):
        return  # no fall, or only the way back from a spike
    step = float(train.step[index])
    before, after = held.value[held.step <= step], held.value[held.step > step]
    earlier = value[index] / max(value[0], 1e-12)
    if before.size and after.size and float(np.median(after)) > 1.2 * float(before[-1]) and earlier > 0.02:
        yield Argument(
            weight=STRONG + (1.5 if ratio[index] > 3 * FALL else 0.0),
            text=f"{train.name} falls {say(float(ratio[index]))} times from line {int(train.line[index])} to line "
            f"{int(train.line[index + window])} "
            f"while val_loss rises from {say(float(before[-1]))} to {say(float(np.median(after)))}: from there on "
            f"the same few examples are seen.",
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "data loader",
        "log an index or a checksum of every batch; reshuffle each epoch",
        "shows whether batches repeat or arrive late",
        tradeoff="A few bytes a step.",
        reference="PyTorch documentation, torch.utils.data (worker timeouts, seeds)",
    )


CAUSE = CauseRecord(
    id="data-loader-stall",
    title="Data loader stalls or repeats itself",
    prior=-3.4,
    symptoms={"loader-stall": 6.0, "throughput-degradation": 0.0},
    leads_to=("overfitting", "throughput-degradation", "training-stopped-silently"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The time spent waiting for data in each step.", "A checksum of each batch."),
)
