"""The agent keeps acting (almost) at random: epsilon stays high to the end."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import SETTLES, SIGN, STRONG, Present, change, where
from logdoctor.causes._facts import facts
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

HIGH = 0.3  # at the end of a run; published schedules end between 0.01 and 0.1, at 0.3 every third action is random


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    epsilon = facts(view).epsilon
    if epsilon is not None:
        if epsilon.end > HIGH:
            weight = SETTLES if epsilon.end > 0.5 else SIGN
            yield Argument(
                weight=weight, text=f"{epsilon.text()}: at the end {epsilon.end:.0%} of the actions are still random."
            )
        else:
            yield Argument(weight=-SETTLES, text=f"{epsilon.text()}: the schedule ends where it should.")
    end = view.setting("epsilon_end")
    if end is not None and epsilon is None and isinstance(end.value, (int, float)) and end.value > HIGH:
        yield Argument(weight=STRONG, text=f"epsilon_end = {end.value} ({where(end.line, end.source)}).")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "epsilon_end",
        0.05,
        "let the agent act on what it has learned",
        tradeoff="Less new experience late in the run.",
        reference="Mnih et al. 2015 (0.1); Stable-Baselines3 (0.05)",
    )


CAUSE = CauseRecord(
    id="exploration-not-decaying",
    title="Exploration does not decay",
    prior=-3.2,
    symptoms={"exploration-not-decaying": STRONG, "never-learned": 0.5, "performance-stagnation": 0.5},
    leads_to=("never-learned", "performance-stagnation"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("A few episodes with epsilon 0: if they are good, only the exploration hides it.",),
    references=("Mnih et al. 2015",),
    families=("dqn", "rl"),
)
