"""The bootstrap target is not cut off from the graph: the update also moves the target towards the estimate.

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
        "target",
        "compute it under torch.no_grad() or .detach() it",
        "semi-gradient methods hold the target fixed",
        tradeoff="None.",
        reference="Sutton and Barto 2018, section 9.3",
    )


CAUSE = CauseRecord(
    id="target-not-detached",
    title="Gradient flows through the target",
    prior=-4.5,
    symptoms={"q-divergence": 0.5, "critic-loss-explosion": 0.3, "overestimation": 0.3, "never-learned": 0.2},
    leads_to=("q-divergence", "never-learned", "target-network-unstable"),
    changes=_changes,
    would_settle=("The line that computes the target.",),
    references=("Sutton and Barto 2018, section 9.3",),
)
