"""Training went on from an older checkpoint: step counter and weights jump back."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import SIGN, Present, change
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    events = view.events("resume", "model-load")
    if "step-goes-back" in present and events:
        yield Argument(weight=SIGN, text=f"Line {events[-1].line} says: {events[-1].text.strip()[:120]}")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "resume",
        "the newest checkpoint, with optimiser, schedule and step counter",
        "the steps since the older one are otherwise lost or repeated",
        tradeoff="None.",
        reference="PyTorch tutorial, Saving and Loading a General Checkpoint",
    )


CAUSE = CauseRecord(
    id="wrong-checkpoint-resumed",
    title="Older checkpoint resumed",
    prior=-3.2,
    symptoms={"step-goes-back": 5.5, "metrics-go-back": 5.0, "loss-spikes": 0.0},
    leads_to=("performance-collapse", "loss-spikes"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The step stored in the checkpoint beside the last step of the log.",),
)
