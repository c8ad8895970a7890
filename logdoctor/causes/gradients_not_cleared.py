"""Gradients of all earlier batches add up: each step follows a growing sum.

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
        "optimizer.zero_grad()",
        "call it once per update, before backward()",
        "a step must follow the gradient of its own batch",
        tradeoff="None.",
        reference="PyTorch documentation, optimizer.zero_grad",
    )


CAUSE = CauseRecord(
    id="gradients-not-cleared",
    title="Gradients are never cleared",
    prior=-4.5,
    symptoms={"gradient-explosion": 0.7, "loss-divergence": 0.7, "loss-oscillation": 0.5, "clip-saturation": 0.3},
    leads_to=("gradient-explosion", "loss-divergence", "learning-rate-too-high"),
    changes=_changes,
    would_settle=("The gradient norm of two updates on the same batch: it must not double.",),
    references=("PyTorch documentation, optimizer.zero_grad",),
)
