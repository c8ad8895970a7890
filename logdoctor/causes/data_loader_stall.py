"""The data pipeline stalls, or keeps returning the same batch.

The second kind shows as a training loss that falls off abruptly, by an order of magnitude, in the middle of a smooth
curve, while the held-out loss turns up at the same step: the model is learning one batch by heart.
"""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import STRONG, Present, change
from logdoctor.causes._facts import FALL, QUIETER, facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

WORKERS = 4.0  # worker processes to begin with, as in the examples of the data loaders in use


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    fall = facts(view).abrupt_fall
    if fall is not None:
        yield Argument(
            weight=STRONG + (1.5 if fall.ratio > 1.6 * FALL else 0.0),
            text=f"{fall.name} falls {say(fall.ratio)} times from line {fall.line} to line {fall.last_line} while "
            f"val_loss "
            f"rises from {say(fall.held_before)} to {say(fall.held_after)}: from there on the same few examples "
            f"are seen.",
        )
        if fall.quieter > QUIETER:
            yield Argument(
                weight=STRONG,
                text=f"From line {fall.last_line} on {fall.name} scatters {say(float(f'{fall.quieter:.2g}'))} times "
                "less from one record to the next: the records are no longer of different batches.",
            )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    if "loader-stall" in present:
        yield from _more_workers(view)
        return
    yield change(
        view,
        "data loader",
        "log an index or a checksum of every batch; reshuffle each epoch",
        "shows whether batches repeat or arrive late",
        tradeoff="A few bytes a step.",
        reference="PyTorch documentation, torch.utils.data (worker timeouts, seeds)",
    )


def _more_workers(view: RunView) -> Iterator[Change]:
    """What prepares batches ahead; which of them waits only the time spent waiting can tell."""
    workers = view.number("num_workers", "dataloader_num_workers")
    yield change(
        view,
        "num_workers",
        WORKERS if workers is None or workers < WORKERS else 2 * workers,
        "batches are prepared while the device works on the one before",
        tradeoff="More memory and processor cores; no gain where the disk is what waits.",
        reference="PyTorch documentation, torch.utils.data (multi-process data loading)",
        aliases=("dataloader_num_workers",),
    )
    yield change(
        view,
        "persistent_workers",
        True,
        "workers are not started anew in every epoch",
        tradeoff="They keep their memory between epochs.",
        reference="PyTorch documentation, torch.utils.data",
    )


CAUSE = CauseRecord(
    id="data-loader-stall",
    title="Data loader stalls or repeats itself",
    prior=-3.4,
    symptoms={"loader-stall": 6.0, "overfitting": 0.7, "throughput-degradation": 0.0},
    leads_to=("overfitting", "throughput-degradation", "training-stopped-silently"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The time spent waiting for data in each step.", "A checksum of each batch."),
)
