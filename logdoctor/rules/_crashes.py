"""How rules about crash lines turn an event of the log into a finding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from logdoctor.model import Event, Evidence, Finding, Place, Series
from logdoctor.rules._rows import finding, say
from logdoctor.wording import unit_word

if TYPE_CHECKING:
    from logdoctor.rules._record import Rule
    from logdoctor.view import RunView


OVER = frozenset({"completed", "early_stopping"})  # orderly ends of a training, as the events call them
_PLANS: tuple[tuple[str, frozenset[str]], ...] = (
    ("max_steps", frozenset({"step", "steps", "iterations", "updates", "env steps", "frames"})),
    ("epochs", frozenset({"epoch", "epochs"})),
)


def planned(view: RunView) -> tuple[float, str] | None:
    """Return how far the settings say that the run goes, in the unit of its primary clock, and that unit."""
    clocks = [clock for clock in view.run.reading.clocks if clock.primary]
    units = sorted({clock.unit for clock in clocks} | {clock.name for clock in clocks})
    for name, allowed in _PLANS:
        plan = view.number(name)
        if plan is not None and any(unit.lower() in allowed for unit in units):
            return plan, units[0]
    return None


def rows_before(view: RunView, line: int) -> int:
    """Return how many rows of the longest metric stand above ``line``."""
    return max((int((s.line < line).sum()) for s in _all(view)), default=0)


def rows_after(view: RunView, line: int) -> int:
    """Return how many rows of the longest metric follow ``line``."""
    return max((int((s.line > line).sum()) for s in _all(view)), default=0)


def came_to_its_end(view: RunView, goes_on: float, before: int | None = None) -> bool:
    """Whether the training was over as planned: a line says so, or its counter stands where the settings put the end.

    Args:
        view: the run.
        goes_on: rows after a line that says so from which on it was the end of something else.
        before: line before which that was the case.
    """
    told = (e.line for e in view.events("shutdown") if e.name in OVER and (before is None or e.line < before))
    if any(rows_after(view, line) < goes_on for line in told):
        return True
    plan = planned(view)
    if plan is None:
        return before is not None and not rows_after(view, before) and _counted_out(view, before)
    first, last = view.span
    from_zero = first == 0 and last.is_integer()  # such a counter ends one short of the plan
    return last >= plan[0] - from_zero


_COUNTED = re.compile(
    r"(?P<word>epoch|episode|round|step|iter|update)\w*\W{0,4}(?P<n>\d[\d,]*)(?:\s*(?:/|of)\s*(?P<of>\d[\d,]*))?",
    re.IGNORECASE,
)
ABOVE = 30  # lines above the last row in which its epoch may stand


def _counted_out(view: RunView, before: int) -> bool:
    """Whether every counter in force at the last row stands at its printed total: ``Epoch 12/12``, ``step 50/50``."""
    lines = [int(s.line[s.line < before][-1]) for s in _all(view) if bool((s.line < before).any())]
    last = max(lines, default=0)
    texts = view.run.fetch(range(max(1, last - ABOVE), last + 1))
    found: dict[str, tuple[str, str | None]] = {}
    for _, text in sorted(texts.items()):
        found.update((m["word"].lower(), (m["n"], m["of"])) for m in _COUNTED.finditer(text))
    return bool(found) and all(n == total for n, total in found.values())


def _all(view: RunView) -> Iterator[Series]:
    return (s for name in view.names if (s := view.get(name)) is not None)


_BAR = re.compile(
    r"(?P<n>\d[\d,]*)\s*/\s*(?P<of>\d[\d,]*)\s*\[[^\]]*(?:/s|s/\w+)[^\]]*\]"
)  # 250/142377 [02:05<.., 1.97it/s]


def _after(view: RunView, event: Event) -> str:
    """Say how far the run had come at an event: the counter of its rows, and a progress bar that counts finer."""
    clocks = view.run.reading.clocks
    clock = next((c for c in clocks if (c.primary if event.clock is None else c.name == event.clock)), None)
    word = unit_word(clock)
    known = event.step is not None and word != "line"
    text = f", after {word} {say(event.step)}" if known else ""
    bar = _bar(view, event.line)
    if bar is None or (known and event.step is not None and bar[0] <= event.step):
        return text
    return f"{text}, its progress bar at {bar[0]:,} of {bar[1]:,}"


def _bar(view: RunView, line: int) -> tuple[int, int] | None:
    """Return the last state of the longest progress bar shortly before ``line``: count and total; None without one."""
    states: dict[int, int] = {}
    for _, text in sorted(view.run.fetch(range(max(1, line - ABOVE), line + 1)).items()):
        for match in _BAR.finditer(text):
            states[int(match["of"].replace(",", ""))] = int(match["n"].replace(",", ""))
    return (states[max(states)], max(states)) if states else None


def report(rule: Rule, view: RunView, events: tuple[Event, ...], what: str, advice: str) -> Finding:
    """Return the finding for the first of ``events``; ``what`` says in one clause what the line means."""
    first = events[0]
    after = _after(view, first)
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
        summary=f"{what} at line {first.line}{after}: {text}{more}",
        figures={"lines": len(events), "line": first.line},
        evidence=proof,
        analysis=advice,
    )
