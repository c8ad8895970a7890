"""Memory grows with every step: a list, a graph or a cache is never released."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "logged tensors",
        "loss.item(), .detach()",
        "a stored tensor keeps its whole graph",
        tradeoff="None.",
        reference="PyTorch FAQ",
    )


CAUSE = CauseRecord(
    id="memory-leak",
    title="Memory leak",
    prior=-3.2,
    group="operations",
    symptoms={"memory-growth": 4.5, "out-of-memory": 0.7, "throughput-degradation": 0.3},
    leads_to=("out-of-memory", "throughput-degradation", "killed"),
    changes=_changes,
    would_settle=("A heap snapshot at step 100 and at the last step.",),
)
