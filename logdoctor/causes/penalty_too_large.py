"""A penalty outweighs the objective: the agent learns to avoid it and not to earn what the run is for."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import SIGN, Present, change
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Setting
from logdoctor.view import RunView

TENTH = 0.1  # an order of magnitude: the penalty is then of the size of what it stands beside
WORDS = ("penalty", "penalties", "punish")


def _penalties(view: RunView) -> list[Setting]:
    return [
        item
        for name, item in view.settings.items()
        if any(word in name.lower() for word in WORDS)
        and isinstance(item.value, (int, float))
        and not isinstance(item.value, bool)
        and item.value
    ]


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    if "reward-parts-disagree" in present:
        for item in _penalties(view)[:1]:
            place = f" (line {item.line})" if item.line else ""
            yield Argument(weight=SIGN, text=f"{item.raw_name or item.name} = {item.value}{place} is in force.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    found = max(_penalties(view), key=lambda item: abs(float(str(item.value))), default=None)
    to = float(f"{TENTH * float(str(found.value)):.4g}") if found is not None else "a tenth of the present value"
    yield change(
        view,
        found.name if found is not None else "penalty",
        to,
        "the objective then weighs as much as what is to be avoided",
        tradeoff="What the penalty forbids happens more often at first.",
        reference="Ng et al. 1999, Policy invariance under reward transformations",
    )


CAUSE = CauseRecord(
    id="penalty-too-large",
    title="Penalty outweighs the objective",
    prior=-3.5,
    symptoms={"reward-parts-disagree": 5.0},
    leads_to=("never-learned", "performance-stagnation", "performance-collapse", "reward-parts-disagree"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("Each part of the reward printed by itself, with its share of the sum.",),
    references=("Ng et al. 1999", "Skalse et al. 2022"),
    families=("rl",),
)
