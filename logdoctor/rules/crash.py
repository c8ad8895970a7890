"""The program died of an error.

What it finds: a traceback or an error line after which the log ends or its metrics stop.
Why it matters: the run did not finish; what it printed before is all there is.
How it decides: a traceback counts as fatal when fewer than ``goes_on`` rows follow it; otherwise it was caught and is
told as a warning; one above the first row is that of an earlier start, and only told. One that comes when the training
was over is a warning: what ran after it failed. A plain error line counts only when no row follows it, as a warning,
and only as a word when it tells of a lost client or an orderly end. Out-of-memory and killed lines have findings of
their own.
When it is wrong: a traceback printed by a library that goes on, or one pasted by hand.
What to do: read the last line of the traceback; it names what failed.
References: L4 (FSE'25): failure lines identify most failures of large runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from logdoctor.model import Event, Finding
from logdoctor.rules._crashes import came_to_its_end, report, rows_after, rows_before
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import threshold
from logdoctor.view import RunView

LOST_CLIENT = re.compile(r"\bclient|connection|socket|peer|broken pipe|disconnect", re.IGNORECASE)


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for a traceback, or for an error line that ends the log."""
    if view.events("oom", "killed"):
        return
    traces = view.events("traceback")
    errors = tuple(e for e in view.events("error") if rows_after(view, e.line) == 0)
    if traces:
        yield _of_traces(view, limits, traces)
    elif errors:
        found = report(RULE, view, errors, "An error line ends the log", "No row follows it.")
        yield replace(found, severity="info" if _of_a_client(view, errors) else "warning")


def _of_traces(view: RunView, limits: Limits, traces: tuple[Event, ...]) -> Finding:
    last = traces[-1]
    rest = "The rows before it are judged as far as they go."
    if rows_after(view, last.line) < limits.goes_on:
        if came_to_its_end(view, limits.goes_on, before=last.line):
            found = report(
                RULE, view, (last,), "A traceback after the end of the training", "What ran after it failed."
            )
            return replace(found, severity="warning")
        return report(RULE, view, (last,), "A traceback", rest)
    if not rows_before(view, last.line):
        found = report(RULE, view, traces, "A traceback above the first row", "An earlier start failed; this one ran.")
        return replace(found, severity="info")
    return replace(report(RULE, view, traces, "A traceback", rest), severity="warning")


def _of_a_client(view: RunView, errors: tuple[Event, ...]) -> bool:
    """Whether the errors tell of a lost connection or of an orderly end: the training did not fail."""
    return bool(view.events("shutdown")) or all(LOST_CLIENT.search(e.text) for e in errors)


def _log(broken: bool) -> str:
    trace = 'Traceback (most recent call last):\n  File "train.py", line 10, in <module>\n    main()\n'
    trace += "ValueError: bad batch\n"
    return table(loss=ramp(2, 1.5)) + (trace if broken else "")


RULE = Rule(
    id="LD805",
    name="crash",
    title="The program died of an error",
    severity="critical",
    detect=detect,
    thresholds=(
        threshold("goes_on", 5.0, "rows after it", "the program recovered", "L4: lines at the end of the log"),
    ),
    tags=("operations", "crash"),
    references=("https://arxiv.org/abs/2503.20263",),
    examples=(
        Example(title="traceback at the end", log=lambda: _log(True), fires=True),
        Example(title="no error", log=lambda: _log(False), fires=False),
    ),
)
