"""SAC's temperature grows without bound: the target entropy cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import STRONG, Present, change
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    alpha = facts(view).level("ent_coef")
    if alpha is not None and alpha.end < 2 and "temperature-runaway" not in present:
        yield Argument(weight=-STRONG, text=f"{alpha.text()}: the temperature is bounded.")
    elif alpha is not None and alpha.end > 10 * alpha.start:
        yield Argument(weight=1.5, text=f"{alpha.text()}, {say(alpha.end / max(alpha.start, 1e-12))} times its start.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "ent_coef",
        0.2,
        "a fixed temperature cannot run away",
        tradeoff="It must fit the scale of the reward.",
        reference="Haarnoja et al. 2018; p-christ/Deep-Reinforcement-Learning-Algorithms-with-PyTorch issue 85",
    )


CAUSE = CauseRecord(
    id="temperature-runaway",
    title="Entropy temperature runs away",
    prior=-3.3,
    symptoms={"temperature-runaway": 4.5, "critic-loss-explosion": 0.3},
    leads_to=("critic-loss-explosion", "actor-loss-explosion", "q-divergence"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The target entropy beside the largest entropy the policy can have.",),
    references=("Haarnoja et al. 2018",),
    families=("sac",),
)
