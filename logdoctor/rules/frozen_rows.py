"""Rows that were printed while nothing ran.

What it finds: stretches of rows whose counter stands still and whose values repeat: clients gone, waiting, paused.
Why it matters: averages and slopes over such rows are false, and a chart over lines shows a plateau that is none.
How it decides: the reader masks such rows (counter unchanged and at least six in ten values repeated, five rows on
end); this rule tells it when they are at least ``share`` of the rows. They are not judged by any other rule.
When it is wrong: never an alarm; a program that prints twice per step loses the repeated row.
What to do: nothing for the training; look why nobody was connected.
References: the reader's rule for frozen rows (docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Iterable

from logdoctor.model import Finding, Place
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, threshold
from logdoctor.view import RunView

KINDS = ("frozen", "no-clients")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the rows that were not judged because nothing ran."""
    segments = [s for s in view.run.reading.segments if s.index in view.segments]
    inside = [
        m
        for m in view.run.reading.masked
        if m.reason in KINDS and any(s.first_line <= m.first_line <= s.last_line for s in segments)
    ]
    count, total = sum(m.rows for m in inside), max(1, view.run.reading.rows)
    if count < limits.rows or count < limits.share * total:
        return
    first = min(inside, key=lambda m: m.first_line)
    longest = max(inside, key=lambda m: m.rows)
    yield finding(
        RULE,
        view,
        severity="info",
        confidence=0.95,
        metrics=[],
        onset=Place(line=first.first_line),
        benign=True,
        summary=(
            f"{count:,} of {total:,} rows were printed while nothing ran (the longest stretch: lines"
            f" {longest.first_line} to"
            f" {longest.last_line}); they are read and not judged."
        ),
        figures={"rows": count, "all_rows": total, "stretches": len(inside)},
        analysis="The counter stands still and the values repeat in these rows.",
    )


def _log(still: int) -> str:
    lines = table(loss=ramp(2, 0.5, noise=0.03), reward=ramp(0, 50, noise=1.0)).splitlines()
    return "\n".join(lines[:31] + [lines[30]] * still + lines[31:]) + "\n"


RULE = Rule(
    id="LD104",
    name="frozen-rows",
    title="Rows printed while nothing ran",
    severity="info",
    detect=detect,
    benign=True,
    thresholds=(
        threshold("rows", 5.0, "rows", "fewer need no word", "the reader's own limit"),
        threshold("share", 0.02, "of the rows", "enough to bend an average", "one row in fifty"),
    ),
    tags=("logging", "benign"),
    references=("https://en.wikipedia.org/wiki/Censoring_(statistics)",),
    examples=(
        Example(title="a row repeated 20 times", log=lambda: _log(20), fires=True),
        Example(title="no row repeated", log=lambda: _log(0), fires=False),
    ),
)
assert ROWS > 31  # the example repeats row 30
