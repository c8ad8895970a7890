"""The program was killed from outside.

What it finds: a line that says that a signal, a scheduler or a watchdog ended the program.
Why it matters: the run did not finish, and nothing in the training is at fault; the cause is in the machine, its
limits or another program.
How it decides: the reader marks such lines (killed, SIGKILL, SIGTERM, preempted, watchdog timeout); fewer than
``goes_on`` rows follow.
When it is wrong: a worker that was killed and started again; then rows follow and the finding stays away.
What to do: look at the scheduler's and the kernel's log for that time (memory limit, time limit, preemption).
References: SageMaker StalledTraining; NCCL watchdog timeouts (PyTorch distributed documentation).
"""

from __future__ import annotations

from collections.abc import Iterable

from logdoctor.model import Finding
from logdoctor.rules._crashes import report, rows_after
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import threshold
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the program was killed and nothing follows."""
    events = tuple(e for e in view.events("killed") if rows_after(view, e.line) < limits.goes_on)
    if events:
        yield report(
            RULE, view, events, "The program was killed", "The training itself shows no reason; look at the machine."
        )


def _log(broken: bool) -> str:
    return table(loss=ramp(2, 1.5)) + (
        "slurmstepd: error: *** JOB 1 CANCELLED DUE TO TIME LIMIT ***\nKilled\n" if broken else ""
    )


RULE = Rule(
    id="LD806",
    name="killed",
    title="The program was killed",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold("goes_on", 5.0, "rows after it", "the program was started again", "SageMaker StalledTraining"),
    ),
    tags=("operations", "crash"),
    references=("https://pytorch.org/docs/stable/distributed.html",),
    examples=(
        Example(title="killed at the end", log=lambda: _log(True), fires=True),
        Example(title="no such line", log=lambda: _log(False), fires=False),
    ),
)
