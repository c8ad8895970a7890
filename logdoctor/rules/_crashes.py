"""How rules about crash lines turn an event of the log into a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logdoctor.model import Event, Evidence, Finding, Place
from logdoctor.rules._rows import finding, say

if TYPE_CHECKING:
    from logdoctor.rules._record import Rule
    from logdoctor.view import RunView


def report(rule: Rule, view: RunView, events: tuple[Event, ...], what: str, advice: str) -> Finding:
    """Return the finding for the first of ``events``; ``what`` says in one clause what the line means."""
    first = events[0]
    step = f", after step {say(first.step)}" if first.step is not None else ""
    text = first.text if len(first.text) <= 160 else f"{first.text[:157]}..."
    more = f" ({len(events):,} such lines)" if len(events) > 1 else ""
    proof = [
        Evidence(line=e.line, step=e.step, metric=e.kind, value=e.name or e.kind, note=e.kind, clock=e.clock)
        for e in events[:4]
    ]
    return finding(
        rule,
        view,
        severity=rule.severity,
        confidence=0.95,
        metrics=[],
        onset=Place(line=first.line, step=first.step, clock=first.clock),
        summary=f"{what} at line {first.line}{step}: {text}{more}",
        figures={"lines": len(events), "line": first.line},
        evidence=proof,
        analysis=advice,
    )
