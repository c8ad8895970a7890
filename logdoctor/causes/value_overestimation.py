"""The maximum over noisy values is too large on average, and bootstrapping feeds it back."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import SIGN, Present, change
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    double = view.value("double_q", "double_dqn", "use_double")
    if double is True:
        yield Argument(weight=-SIGN, text="Double Q-learning is on.")
    elif double is False:
        yield Argument(weight=SIGN, text="Double Q-learning is off.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "double_q",
        True,
        "one network chooses the action, the other values it",
        tradeoff="One more forward pass.",
        reference="van Hasselt et al. 2016, Double Q-learning; Fujimoto et al. 2018 (twin critics)",
        aliases=("double_dqn",),
    )


CAUSE = CauseRecord(
    id="value-overestimation",
    title="Values overestimated",
    prior=-3.4,
    symptoms={
        "values-rise-alone": 1.5,
        "overestimation": 2.5,
        "q-above-bound": 0.7,
        "q-divergence": 0.3,
        "performance-collapse": 0.3,
    },
    leads_to=("q-above-bound", "q-divergence", "performance-collapse"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The values beside the discounted returns that followed.",),
    references=("van Hasselt et al. 2016", "Fujimoto et al. 2018"),
    families=("dqn", "sac", "td3", "rl"),
)
