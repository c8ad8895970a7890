"""The loss is summed over the batch: gradients grow with the batch size and act like a larger learning rate.

The log alone hardly tells it from its neighbours; it is named when the code confirms it (``--source``).
"""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "loss reduction",
        "mean over the batch (or over the tokens)",
        "the step size then no longer depends on the batch size",
        tradeoff="Retune the learning rate: gradients shrink by the batch size.",
        reference="alibaba/Pai-Megatron-Patch issue 587 (gradient norm of about 1000)",
    )


CAUSE = CauseRecord(
    id="wrong-reduction",
    title="Loss summed instead of averaged",
    prior=-4.5,
    symptoms={"gradient-explosion": 0.7, "clip-saturation": 0.7, "gradient-swings": 0.2},
    leads_to=("gradient-explosion", "clip-saturation", "learning-rate-too-high"),
    changes=_changes,
    would_settle=("The gradient norm with half of the batch size: it halves.",),
    references=("alibaba/Pai-Megatron-Patch issue 587 (gradient norm of about 1000)",),
)
