"""The machine or the accelerator ran out of memory.

What it finds: a line that says so: CUDA or HIP out of memory, cannot allocate, a loader killed for lack of shared
memory.
Why it matters: the step was lost and mostly the run.
How it decides: the reader marks such lines by their fixed wording; one is enough. Where at least ``goes_on`` rows
follow, the program went on: a warning, and only a remark when the run came to its end all the same, when the line
belongs to a start before the first row, or when it is an allocator that tells of a smaller attempt.
When it is wrong: a program that catches the error and halves its batch goes on; then rows follow and the finding is a
warning.
What to do: a smaller batch with gradient accumulation, shorter sequences, activation checkpointing; for shared memory
fewer loader workers or a larger /dev/shm.
References: PyTorch CUDA semantics, memory management; runmedic (crash vocabulary).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from logdoctor.model import Finding, Severity
from logdoctor.rules._crashes import came_to_its_end, report, rows_after, rows_before
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import threshold
from logdoctor.view import RunView

# What an allocator says while it looks for a smaller block; what fails in the end is said in other words.
_ATTEMPT = re.compile(r"^I\s+tensorflow/.*failed to allocate|caller indicates that this is not a failure")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when a line says that memory ran out."""
    events = view.events("oom")
    if not events:
        return
    failed = tuple(e for e in events if not _ATTEMPT.search(e.text))
    found = report(
        RULE, view, failed or events, "Out of memory", "Whether the run went on shows in the rows after the line."
    )
    yield replace(found, severity=_severity(view, limits, bool(failed), (failed or events)[-1].line))


def _severity(view: RunView, limits: Limits, failed: bool, last: int) -> Severity:
    after = rows_after(view, last)
    if not failed:
        return "info" if after else "warning"
    if after < limits.goes_on:
        return "critical"
    return "info" if not rows_before(view, last) or came_to_its_end(view, limits.goes_on) else "warning"


def _log(broken: bool) -> str:
    text = table(loss=ramp(2, 1.5))
    return text + ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n" if broken else "")


RULE = Rule(
    id="LD804",
    name="out-of-memory",
    title="Out of memory",
    severity="critical",
    detect=detect,
    thresholds=(threshold("goes_on", 5.0, "rows after it", "the program recovered", "PyTorch FAQ"),),
    tags=("operations", "memory", "crash"),
    references=("https://pytorch.org/docs/stable/notes/cuda.html#memory-management",),
    examples=(
        Example(title="CUDA out of memory at the end", log=lambda: _log(True), fires=True),
        Example(title="no such line", log=lambda: _log(False), fires=False),
    ),
)
