"""What became of the findings, and the verdict on the change as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from logdoctor.model import Diagnosis, Finding, severity_rank
from logdoctor.results import FindingChange, MetricChange, Outcome
from logdoctor.tracks import Subject


def _alarms(diagnosis: Diagnosis) -> dict[tuple[str, str], Finding]:
    """Findings that count for the verdict, by rule and first metric; the most severe of a kind."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in diagnosis.findings:
        if finding.benign or finding.severity == "info":
            continue
        key = (finding.id, finding.metrics[0] if finding.metrics else "")
        if key not in found or severity_rank(finding.severity) > severity_rank(found[key].severity):
            found[key] = finding
    return found


def finding_changes(one: Subject, two: Subject) -> tuple[FindingChange, ...]:
    """Return what became of each kind of finding: gone, stayed, new, or not reached yet."""
    before, after = _alarms(one.diagnosis), _alarms(two.diagnosis)
    changes = []
    for key, finding in before.items():
        if key in after:
            changes.append(FindingChange(state="stayed", before=finding, after=after[key]))
        else:
            state: Literal["gone", "not reached"] = "gone" if _reached(finding, two) else "not reached"
            changes.append(FindingChange(state=state, before=finding, after=None))
    changes += [FindingChange(state="new", before=None, after=f) for key, f in after.items() if key not in before]
    return tuple(changes)


def _reached(finding: Finding, run: Subject) -> bool:
    """Whether ``run`` is long enough to show a fault that began where ``finding`` began."""
    if finding.onset is None or finding.onset.step is None:
        return True
    last = run.last_step(finding.onset.clock)
    return last is None or last >= finding.onset.step


def outcome_of(
    one: Subject, two: Subject, findings: Sequence[FindingChange], metrics: Sequence[MetricChange]
) -> tuple[Outcome, str]:
    """Weigh findings first, then performance; see :func:`_weigh` for the order."""
    performance = next((m for m in metrics if m.metric in (two.diagnosis.performance, one.diagnosis.performance)), None)
    if "inconclusive" in (one.diagnosis.verdict, two.diagnosis.verdict) and performance is None:
        return "cannot tell", "One of the runs is too short or prints too little to be judged."
    outcome = _weigh(findings, performance)
    return outcome, _headline(outcome, findings, performance)


def _weigh(findings: Sequence[FindingChange], performance: MetricChange | None) -> Outcome:
    by = {state: [c for c in findings if c.state == state] for state in ("gone", "stayed", "new", "not reached")}
    worst_before = _worst(c.before for c in findings)
    worst_after = _worst(c.after for c in findings)
    trend = performance.reading if performance else None
    if by["not reached"] and not by["new"] and not by["stayed"]:
        return "cannot tell"
    if worst_before == worst_after == -1:
        return {"better": "better", "worse": "worse"}.get(trend or "", "same")  # type: ignore[return-value]
    if worst_after == -1:
        return "worse" if trend == "worse" else "fixed"
    if (
        by["gone"]
        and by["new"]
        and _worst(c.after for c in by["new"]) >= worst_before > _worst(c.after for c in by["stayed"])
    ):
        return "other fault"
    if worst_before != worst_after:
        return "better" if worst_after < worst_before else "worse"
    if trend in ("better", "worse"):
        return trend
    balance = len(by["gone"]) - len(by["new"])
    return "same" if balance == 0 or by["stayed"] else ("better" if balance > 0 else "worse")


def _worst(findings: Iterable[Finding | None]) -> int:
    return max((severity_rank(f.severity) for f in findings if f is not None), default=-1)


def _headline(outcome: Outcome, findings: Sequence[FindingChange], performance: MetricChange | None) -> str:
    def names_of(state: str) -> str:
        found = list(dict.fromkeys(c.finding.name for c in findings if c.state == state))
        return ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")

    words = [
        f"{label}: {names_of(state)}" for state, label in _LABELS.items() if any(c.state == state for c in findings)
    ]
    parts = [_OPENINGS[outcome]]
    parts += ["; ".join(words) + "."] if words else []
    if performance is not None:
        parts.append(f"{performance.metric} at step {performance.step:,.0f}: {_figures(performance)}.")
    return " ".join(parts)


_LABELS = {"gone": "gone", "stayed": "still there", "new": "new", "not reached": "not reached yet"}
_OPENINGS = {
    "fixed": "Fixed.",
    "better": "Better, not yet right.",
    "same": "The same.",
    "worse": "Worse.",
    "other fault": "The old fault is gone and another one has come.",
    "cannot tell": "The later run cannot tell yet.",
}


def _figures(change: MetricChange) -> str:
    relative = "" if change.percent is None else f", {change.percent:+.0f} %"
    return f"{change.before.value:.6g} → {change.after.value:.6g} ({change.reading}{relative})"
