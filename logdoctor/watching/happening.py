"""What ``watch`` has to say: one record an event, as a line for people or as a line of JSON."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from logdoctor.model import Finding, Place
from logdoctor.renderers._escape import terminal
from logdoctor.renderers.json_report import dump
from logdoctor.wording import steps

SCHEMA = "logdoctor.watch/1"
ALERTS = ("verdict", "recovered", "silent", "resumed")  # what --on-change and [notify] are told
_COLORS = {"critical": "31;1", "warning": "33", "healthy": "32"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event.

    Attributes:
        kind: ``started``, ``verdict``, ``recovered``, ``finding``, ``cleared``, ``restarted``, ``replaced``,
            ``truncated``, ``waiting``, ``appeared``, ``gone``, ``silent``, ``resumed``, ``heartbeat``, ``error`` or
            ``ended``.
        moment: seconds since the epoch.
        verdict: the verdict now; None while nothing could be judged.
        before: the verdict before, where it changed.
        findings: what triggered it.
    """

    kind: str
    moment: float
    path: str
    text: str
    verdict: str | None = None
    before: str | None = None
    place: Place | None = None
    findings: tuple[Finding, ...] = ()
    lines: int = 0
    step: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON values, under the schema ``logdoctor.watch/1``."""
        moment = datetime.datetime.fromtimestamp(self.moment, tz=datetime.UTC)
        place = self.place
        return {
            "schema": SCHEMA,
            "event": self.kind,
            "time": moment.isoformat(timespec="seconds"),
            "path": self.path,
            "verdict": self.verdict,
            "before": self.before,
            "text": self.text,
            "lines": self.lines,
            "step": self.step,
            "onset": None if place is None else {"line": place.line, "step": place.step, "clock": place.clock},
            "findings": [
                {"id": f.id, "name": f.name, "severity": f.severity, "summary": f.summary} for f in self.findings
            ],
        }

    def to_json(self, *, ascii_only: bool = False) -> str:
        """Return one line of JSON."""
        return dump(self.to_dict(), ascii_only=ascii_only)

    def to_line(self, *, color: bool = False, name: str = "") -> str:
        """Return one line for people, in local time."""
        clock = datetime.datetime.fromtimestamp(self.moment).astimezone().strftime("%H:%M:%S")
        parts = [clock, *([terminal(name)] if name else []), _painted(self.verdict or "", self._head(), color)]
        where = ""
        if self.place is not None:
            step = "" if self.place.step is None else f"step {steps(self.place.step)}, "
            where = f" [since {step}line {self.place.line}]"
        return "  ".join(part for part in parts if part) + f"  {terminal(self.text)}{where}"

    def _head(self) -> str:
        if self.kind in ("verdict", "recovered"):
            return f"{self.before} → {self.verdict}" if self.before else str(self.verdict)
        return (self.verdict or "") if self.kind in ("started", "heartbeat", "ended") else self.kind


def _painted(verdict: str, text: str, color: bool) -> str:
    code = _COLORS.get(verdict, "")
    return f"\x1b[{code}m{text}\x1b[0m" if color and code else text
