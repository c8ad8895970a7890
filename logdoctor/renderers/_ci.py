"""What the outputs for CI hosts have in common: which findings fail, where they are shown, and in which words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from logdoctor.model import Diagnosis, Finding, Setting, severity_rank
from logdoctor.renderers._escape_ci import unlinked
from logdoctor.renderers._record import RenderOptions

MESSAGE_CHARS = 1000  # hosts cut or fold longer messages; the report holds the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A place in a file; ``line`` is at least 1."""

    path: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One finding of one diagnosis, and its number among the findings of the same fingerprint."""

    diagnosis: Diagnosis
    finding: Finding
    number: int = 1

    @property
    def identity(self) -> str:
        """A name that is unique within one output and stable from run to run."""
        name = self.finding.fingerprint or self.finding.id
        return name if self.number == 1 else f"{name}-{self.number}"


def entries(diagnoses: Sequence[Diagnosis]) -> list[Entry]:
    """Return all findings, the most severe first, then in the order of the diagnoses."""
    seen: dict[str, int] = {}
    found = []
    for diagnosis in diagnoses:
        for finding in diagnosis.findings:
            name = finding.fingerprint or finding.id
            seen[name] = seen.get(name, 0) + 1
            found.append(Entry(diagnosis=diagnosis, finding=finding, number=seen[name]))
    found.sort(key=lambda e: (e.finding.benign, -severity_rank(e.finding.severity)))
    return found


def fails(finding: Finding, options: RenderOptions) -> bool:
    """Whether the finding fails the gate that the exit code follows."""
    if options.fail_on == "never" or finding.benign or finding.known:
        return False
    return severity_rank(finding.severity) >= severity_rank(options.fail_on)


def log_anchor(entry: Entry) -> Anchor:
    """Return the place of the finding in the log."""
    finding = entry.finding
    line = finding.onset.line if finding.onset else next((e.line for e in finding.evidence), 1)
    return Anchor(path=entry.diagnosis.source.path, line=max(1, line))


def config_anchor(entry: Entry, options: RenderOptions) -> Anchor | None:
    """Return the line of the configuration file that the finding's cause wants changed, or None without a file."""
    path = options.config_path
    if path is None:
        return None
    setting = _setting_at_fault(entry)
    return Anchor(path=path, line=max(1, (setting.line if setting else None) or 1))


def _setting_at_fault(entry: Entry) -> Setting | None:
    """Find the parameter that the best cause of this finding wants changed, among those of the configuration file."""
    given = {s.name: s for s in entry.diagnosis.hyperparameters if s.source != "log" and s.line}
    for cause in entry.diagnosis.causes:
        if entry.finding.id in cause.explains or entry.finding.name in cause.explains:
            for change in cause.changes:
                if change.parameter in given:
                    return given[change.parameter]
    return None


def message(entry: Entry) -> str:
    """Return the sentence shown on the host: what, where, and the most likely cause."""
    finding = entry.finding
    text = finding.summary or finding.title or finding.name
    where = _where(entry)
    cause = next((c for c in entry.diagnosis.causes if finding.id in c.explains), None)
    because = f" Likely cause: {cause.title or cause.id} ({cause.confidence:.0%})." if cause else ""
    return unlinked(f"{text} ({where}){because}", MESSAGE_CHARS)


def _where(entry: Entry) -> str:
    anchor = log_anchor(entry)
    name = anchor.path.replace("\\", "/").rsplit("/", 1)[-1]
    place = entry.finding.onset
    step = f", step {place.step:,.0f}" if place and place.step is not None else ""
    return f"{name} line {anchor.line}{step}"


def failures(options: RenderOptions) -> tuple[tuple[str, str], ...]:
    """Return ``(path, reason)`` of the logs of which nothing could be said."""
    given = options.extra.get("failures", ())
    return tuple((str(path), str(reason)) for path, reason in given)


def unjudged(diagnoses: Iterable[Diagnosis], options: RenderOptions) -> tuple[tuple[str, str], ...]:
    """Return ``(path, reason)`` of the logs that were read and could not be judged."""
    reasons: Mapping[str, str] = options.extra.get("unjudged", {})
    found = []
    for diagnosis in diagnoses:
        path = diagnosis.source.path
        reason = reasons.get(path) or (None if diagnosis.judgeable else "no metric has at least 3 values")
        if reason:
            found.append((path, f"nothing could be judged: {reason}"))
    return tuple(found)
