"""Every step takes longer and longer (leak-like)."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "state kept between steps",
        "store numbers (loss.item()), bound lists and buffers",
        "what grows with the step count slows every step",
        tradeoff="None.",
        reference="PyTorch FAQ: do not accumulate history across the training loop",
    )


CAUSE = CauseRecord(
    id="throughput-degradation",
    title="Throughput degrades",
    prior=-3.0,
    group="operations",
    symptoms={"throughput-degradation": 6.0, "memory-growth": 0.7},
    leads_to=("memory-growth", "out-of-memory"),
    changes=_changes,
    would_settle=("Memory of the process over time.", "A profile of step 100 beside one of the last step."),
    references=("PyTorch FAQ, 'My model reports cuda runtime error(2): out of memory'",),
)
