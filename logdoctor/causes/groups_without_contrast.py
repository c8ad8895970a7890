"""All answers of a group earn the same reward, so the advantage and the gradient are zero."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    count = view.number("num_generations")
    yield change(
        view,
        "num_generations",
        count * 2 if count else 16,
        "a larger group holds at least one success and one failure more often",
        tradeoff="Twice the sampling.",
        reference="Yu et al. 2025, DAPO (dynamic sampling)",
    )


CAUSE = CauseRecord(
    id="groups-without-contrast",
    title="Prompts too hard or too easy",
    prior=-3.3,
    symptoms={"zero-variance-groups": 4.5},
    leads_to=("never-learned", "performance-stagnation"),
    changes=_changes,
    would_settle=("The pass rate of each prompt.",),
    references=("Yu et al. 2025, DAPO",),
    families=("grpo",),
)
