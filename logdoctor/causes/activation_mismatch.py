"""The recurrent step and the readout use different activations.

The policy is then no function of the state that is carried on. The log alone hardly tells it from its neighbours; it
is named when the code confirms it (``--source``).
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
        "activation",
        "the same function in the recurrent step and in firing_rate()",
        "the readout then sees the state that the dynamics produce",
        tradeoff="Models trained before must be trained again.",
        reference="Song et al. 2017",
    )


CAUSE = CauseRecord(
    id="activation-mismatch",
    title="Activation differs between step and readout",
    prior=-4.5,
    symptoms={"gradient-vanishing": 0.5, "gradient-dead": 0.5, "never-learned": 0.3, "entropy-collapse": 0.2},
    leads_to=("gradient-vanishing", "never-learned", "dead-relu"),
    changes=_changes,
    would_settle=("The two functions side by side in the code.",),
    references=("Song et al. 2017",),
)
