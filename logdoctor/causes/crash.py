"""The program ended by an error or was ended from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

OVER = "after the end of the training"  # as the rule says it
LIMIT = re.compile(r"time ?limit|walltime|DUE TO TIME", re.IGNORECASE)


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    events = view.events("traceback", "error", "killed")
    place = f"the run ended at line {events[-1].line}" if events else "the run ended"
    crash = present.get("crash")
    if crash is not None and OVER in crash.summary:
        parameter, wanted = "program", "repair what ran after the training, and run that alone on the saved weights"
        place = f"the training was over when the program failed at line {events[-1].line}" if events else place
    elif any(LIMIT.search(event.text) for event in view.events("killed")):
        parameter, wanted = "time limit of the job", "longer, or resume from the last checkpoint in the next job"
        place = f"{place} because its time was up"
    elif crash is None and "killed" in present:
        parameter, wanted = "job", "resume from the last checkpoint, once the log of the machine says who ended it"
    else:
        parameter, wanted = "program", "repair the error and resume from the last checkpoint"
    yield change(view, parameter, wanted, place, tradeoff="None.")


CAUSE = CauseRecord(
    id="crash",
    title="The program crashed or was ended",
    prior=-3.0,
    group="operations",
    symptoms={"crash": 5.0, "killed": 4.5, "out-of-memory": 0.0},
    leads_to=("run-cut-off",),
    changes=_changes,
    would_settle=("The traceback, or the log of the job manager.",),
)
