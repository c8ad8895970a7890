"""What a text report is made of: findings grouped by event, names of metrics as the log prints them, places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from logdoctor.model import (
    Clock,
    Diagnosis,
    Finding,
    Metric,
    Place,
    severity_rank,
)
from logdoctor.wording import action_name, steps, unit_word

MARKS = {"critical": "🔴", "warning": "⚠️", "info": "ℹ️", "healthy": "✅", "inconclusive": "❔"}
GENERIC = frozenset({"mean", "std", "min", "max", "norm", "total", "value", "loss", "avg", "average", "total norm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One event: the finding it is told by, and those that follow from it."""

    root: Finding
    derived: tuple[Finding, ...] = ()

    @property
    def before(self) -> tuple[Finding, ...]:
        """Lesser findings that began earlier: signs and changes that came before the event."""
        return tuple(f for f in self.derived if self._earlier(f))

    @property
    def after(self) -> tuple[Finding, ...]:
        """What follows from the event."""
        return tuple(f for f in self.derived if not self._earlier(f))

    def _earlier(self, finding: Finding) -> bool:
        if finding.onset is None or self.root.onset is None:
            return False
        lesser = severity_rank(finding.severity) < severity_rank(self.root.severity)
        return lesser and finding.onset.line < self.root.onset.line

    @property
    def severity(self) -> str:
        """The worst severity of the event."""
        return max((self.root, *self.derived), key=lambda f: severity_rank(f.severity)).severity


# ---------------------------------------------------------------------------------------------- findings and names
def incidents(diagnosis: Diagnosis) -> tuple[Incident, ...]:
    """Group the findings that matter: each derived one stands under the first of those it is explained by."""
    told = [f for f in diagnosis.findings if not f.benign and f.severity != "info"]
    by_id: dict[str, Finding] = {}
    for finding in told:
        by_id.setdefault(finding.id, finding)
    groups: dict[int, list[Finding]] = {}
    for index, finding in enumerate(told):
        root = _root_of(finding, by_id)
        groups.setdefault(index if root is finding else _index(told, root), []).append(finding)
    return tuple(
        Incident(root=told[index], derived=tuple(f for f in members if f is not told[index]))
        for index, members in sorted(groups.items())
    )


def _index(told: Sequence[Finding], wanted: Finding) -> int:
    return next(i for i, finding in enumerate(told) if finding is wanted)


def _root_of(finding: Finding, by_id: dict[str, Finding]) -> Finding:
    seen = [finding]
    while True:
        known = (by_id[i] for i in finding.explained_by if i in by_id)
        parent = next((f for f in known if not any(f is other for other in seen)), None)
        if parent is None:
            return finding
        seen.append(parent)
        finding = parent


def main(diagnosis: Diagnosis, incident: Incident) -> Finding:
    """Return the finding that names the event: the one the story chose, else the first of the gravest."""
    members = (incident.root, *incident.derived)
    chosen = next((f for f in members if f.id == diagnosis.story.main), None)
    return chosen or next(f for f in members if f.severity == incident.severity)


def remarks(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    """Return the findings that are worth a line and no alarm."""
    told = set(diagnosis.story.why_now)
    return tuple(f for f in diagnosis.findings if f.severity == "info" and not f.benign and f.summary not in told)


def heading(finding: Finding) -> str:
    """Return the title of a finding."""
    return finding.title or finding.name.replace("-", " ").capitalize()


def metric_of(diagnosis: Diagnosis, name: str) -> Metric | None:
    """Return the line of the metric table for a canonical name."""
    return next((metric for metric in diagnosis.metrics if metric.name == name), None)


def label(diagnosis: Diagnosis, name: str, size: int = 0) -> str:
    """Return what the log itself calls a metric, at most ``size`` characters where that is not 0.

    Of a title and its key (``CNN Feature Stats / L2 Norm``) the key is enough where it says what it is.
    """
    metric = metric_of(diagnosis, name)
    raw = action_name(name) or (metric.raw_name if metric else "") or name
    if metric is not None and sum(other.raw_name == raw for other in diagnosis.metrics) > 1:
        raw = f"{raw} ({name})"  # training and evaluation may print one name
    if metric is None and ("-" in name or name == "settings"):  # the name of a rule, where a finding concerns no metric
        raw = name.replace("-", " ").capitalize()
    title, _, key = raw.rpartition(" / ")
    if title and key.lower() not in GENERIC:
        raw = key
    elif title:
        raw = f"{title} {key}"
    if not size or len(raw) <= size:
        return raw
    tag = raw.rpartition("/")[2]  # the group before it ("rollout/") is the same for many
    if tag and len(tag) <= size and not title:
        return tag
    if title and len(key) + 4 < size and key.lower() in GENERIC:
        room = size - len(key) - 2
        return f"{title[:room].rstrip()}… {key}"
    return f"{raw[: size - 9].rstrip()}…{raw[-8:]}"  # names often differ in their ends alone


# ------------------------------------------------------------------------------------------------------- places
def clock_of(diagnosis: Diagnosis, name: str | None) -> Clock | None:
    """Return the counter called ``name``, or the primary one."""
    clocks = diagnosis.reading.clocks
    if name is not None:
        return next((clock for clock in clocks if clock.name == name), Clock(name=name, unit=name.lower()))
    return next((clock for clock in clocks if clock.primary), clocks[0] if clocks else None)


def unit(diagnosis: Diagnosis, name: str | None = None) -> str:
    """Return what one reading of a counter is called: ``frame``, ``step``, ``epoch``."""
    return unit_word(clock_of(diagnosis, name))


def place(diagnosis: Diagnosis, where: Place | None, exact: bool = True) -> str:
    """Return ``frame 50,595,696 (line 1297)``."""
    if where is None:
        return ""
    word = unit(diagnosis, where.clock)
    if where.step is None or word == "line" or not math.isfinite(where.step):
        return f"line {where.line}"
    return f"{word} {steps(where.step, exact)} (line {where.line})"


def last_step(diagnosis: Diagnosis) -> str:
    """Return ``frame 118.9M``: where the run that was judged ends."""
    lines = diagnosis.story.lines or (0, math.inf)
    own = [s for s in diagnosis.reading.segments if lines[0] <= s.first_line and s.last_line <= lines[1]]
    ends = [s.last_step for s in own if s.last_step is not None]
    if not ends:
        return ""
    word = unit(diagnosis)
    return f"line {own[-1].last_line:,}" if word == "line" else f"{word} {steps(max(ends))}"
