"""What the exit code is: findings against ``fail_on``, findings already known, logs that could not be judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from logdoctor.fingerprints import candidates
from logdoctor.model import Diagnosis, Finding, severity_rank
from logdoctor.settings import Settings

OK, FAILED, ERROR, NOT_JUDGED = 0, 1, 2, 3
_WORST_FIRST = (ERROR, FAILED, NOT_JUDGED, OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """An exit code and the reason for it, in words."""

    code: int
    why: str


def failing(diagnosis: Diagnosis, fail_on: str) -> tuple[Finding, ...]:
    """Return the findings that fail the gate: at or above ``fail_on``, neither benign nor known."""
    if fail_on == "never":
        return ()
    limit = severity_rank(fail_on)
    return tuple(f for f in diagnosis.findings if severity_rank(f.severity) >= limit and not f.benign and not f.known)


def rule(diagnosis: Diagnosis, settings: Settings) -> Ruling:
    """Return the exit code for one diagnosis.

    A failing finding wins over poor coverage: what was read carries it, and ``allow_empty`` must not hide it.
    """
    bad = failing(diagnosis, settings.fail_on)
    if bad:
        names = ", ".join(dict.fromkeys(f"{f.id} {f.name}" for f in bad))
        return Ruling(code=FAILED, why=f"{names}: at or above --fail-on {settings.fail_on}")
    why = not_judged(diagnosis, settings.minimum_coverage)
    if why:
        return Ruling(code=OK if settings.allow_empty else NOT_JUDGED, why=f"nothing could be judged: {why}")
    if diagnosis.verdict == "inconclusive":
        return Ruling(code=OK, why="inconclusive: rows were read, but they cannot carry a judgement")
    known = sum(f.known for f in diagnosis.findings)
    return Ruling(code=OK, why=f"nothing new at or above --fail-on ({known} known)" if known else diagnosis.verdict)


def not_judged(diagnosis: Diagnosis, minimum_coverage: float) -> str | None:
    """Return why nothing in the log could be judged, or None when something was."""
    reading = diagnosis.reading
    if not diagnosis.judgeable:
        return "no metric has at least 3 values"
    if reading.coverage < minimum_coverage:
        total = reading.metric_lines + reading.unread_lines
        return (
            f"only {reading.metric_lines:,} of {total:,} metric lines were read "
            f"({reading.coverage:.0%}, the minimum is {minimum_coverage:.0%})"
        )
    return None


def worst(codes: Iterable[int]) -> int:
    """Return the exit code of several logs: an error wins over a failed gate, that over "not judged"."""
    seen = set(codes)
    return next((code for code in _WORST_FIRST if code in seen), OK)


def mark_known(diagnosis: Diagnosis, known: Sequence[Diagnosis]) -> Diagnosis:
    """Mark the findings that ``known`` reports hold already; they are shown and do not fail the gate.

    A finding that has become more severe than it was is not known.
    """
    ranks: dict[str, int] = {}
    for finding in (f for report in known for f in report.findings if f.fingerprint):
        ranks[finding.fingerprint] = max(severity_rank(finding.severity), ranks.get(finding.fingerprint, 0))

    def is_known(finding: Finding) -> bool:
        rank = severity_rank(finding.severity)
        return any(ranks.get(name, -1) >= rank for name in candidates(finding))

    return replace(diagnosis, findings=tuple(replace(f, known=is_known(f)) for f in diagnosis.findings))
