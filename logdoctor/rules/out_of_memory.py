"""The machine or the accelerator ran out of memory.

What it finds: a line that says so: CUDA or HIP out of memory, cannot allocate, a loader killed for lack of shared
memory.
Why it matters: the step was lost and mostly the run.
How it decides: the reader marks such lines by their fixed wording; one is enough.
When it is wrong: a program that catches the error and halves its batch goes on; then rows follow and the finding is a
warning.
What to do: a smaller batch with gradient accumulation, shorter sequences, activation checkpointing; for shared memory
fewer loader workers or a larger /dev/shm.
References: PyTorch CUDA semantics, memory management; runmedic (crash vocabulary).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from logdoctor.model import Finding
from logdoctor.rules._crashes import report
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import threshold
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when a line says that memory ran out."""
    events = view.events("oom")
    if not events:
        return
    found = report(RULE, view, events, "Out of memory", "Whether the run went on shows in the rows after the line.")
    yield replace(found, severity="warning") if rows_after(view, events[0].line) >= limits.goes_on else found


def rows_after(view: RunView, line: int) -> int:
    """Return how many rows of the longest metric follow ``line``."""
    return max((int((s.line > line).sum()) for name in view.names if (s := view.get(name)) is not None), default=0)


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
