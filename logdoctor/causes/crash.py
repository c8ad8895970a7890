"""The program ended by an error or was ended from outside."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    events = view.events("traceback", "error", "killed")
    place = f"line {events[-1].line}" if events else ""
    yield change(
        view,
        "program",
        "repair the error and resume from the last checkpoint",
        f"the run ended at {place}" if place else "the run ended",
        tradeoff="None.",
    )


CAUSE = CauseRecord(
    id="crash",
    title="The program crashed",
    prior=-3.0,
    group="operations",
    symptoms={"crash": 5.0, "killed": 4.5, "out-of-memory": 0.0},
    leads_to=("run-cut-off",),
    changes=_changes,
    would_settle=("The traceback, or the log of the job manager.",),
)
