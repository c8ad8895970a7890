"""Memory ran out: the batch, the sequence or a leak no longer fits."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import CauseRecord
from logdoctor.model import Change
from logdoctor.norms import number
from logdoctor.view import RunView


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    batch, accumulation = view.number("batch_size"), view.number("accumulation_steps", "grad_accumulation") or 1
    if batch is not None and batch >= 2:
        yield change(
            view,
            "batch_size",
            float(batch // 2),
            "half the activations",
            tradeoff="Noisier gradients, unless they are accumulated.",
            arithmetic=f"{number(batch // 2)} × {number(accumulation * 2)} accumulated = "
            f"{number(batch // 2 * accumulation * 2)}, the same effective batch",
        )
        yield change(
            view,
            "accumulation_steps",
            accumulation * 2,
            "keeps the effective batch",
            tradeoff="Twice as many passes per update.",
            aliases=("grad_accumulation",),
        )
    else:
        yield change(
            view,
            "batch_size",
            "half of it, with twice the accumulation",
            "half the activations",
            tradeoff="More passes per update.",
        )


CAUSE = CauseRecord(
    id="out-of-memory",
    title="Out of memory",
    prior=-3.0,
    group="operations",
    symptoms={"out-of-memory": 6.0, "memory-growth": 2.0, "killed": 1.5},
    leads_to=("crash", "killed", "run-cut-off"),
    changes=_changes,
    would_settle=("Memory over the last steps: a step up (batch, sequence) or a slope (leak).",),
)
