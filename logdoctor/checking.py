"""``logdoctor check LOG --against report.json``: does the next run do what the last report said to watch for?

Each expectation ends as met, not met, not yet (its step has not come) or cannot tell, with the figure and the line that
decide; see :mod:`logdoctor.judging`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from logdoctor.errors import InputError
from logdoctor.expectations import from_report, load_expectations
from logdoctor.judging import judge, judged
from logdoctor.model import Diagnosis, Place, RunLog
from logdoctor.results import Checked, Expectation, Judgement
from logdoctor.settings import Settings
from logdoctor.tracks import Subject, subject


def check(
    run: Diagnosis | RunLog | str | Path,
    against: Diagnosis | Expectation | str | Path | Iterable[Diagnosis | str | Path | Expectation],
    *,
    config: str | Path | None = None,
    settings: Settings | None = None,
) -> Checked:
    """Judge a run against what was expected of it.

    Args:
        run: a log, a log that was read, a diagnosis or a saved report.
        against: saved reports, diagnoses, files of expectations or expectations.
        config: hyperparameters of the run.
        settings: settings of the tool.

    Raises:
        InputError: the log or an expectation cannot be read, or there is none.
    """
    many = [against] if isinstance(against, (Diagnosis, Expectation, str, Path)) else list(against)
    expected = [item for source in many for item in _expected(source)]
    if not expected:
        raise InputError("there is nothing to check against: the report holds neither a watch list nor an alarm")
    seen = subject(run, config=config, settings=settings)
    judgements = tuple(_outcome(item, seen) for item in expected)
    diagnosis = seen.diagnosis
    return Checked(
        source=diagnosis.source, verdict=diagnosis.verdict, judgements=judgements, last_step=seen.last_step(),
        against=tuple(dict.fromkeys(item.origin for item in expected)), headline=_headline(judgements),
        judgeable=diagnosis.judgeable,
    )  # fmt: skip


def _expected(source: Diagnosis | str | Path | Expectation) -> Sequence[Expectation]:
    if isinstance(source, Expectation):
        return (source,)
    return from_report(source, source.source.path) if isinstance(source, Diagnosis) else load_expectations(source)


def exit_code(checked: Checked, *, strict: bool = False, allow_empty: bool = False) -> int:
    """Return 1 when something is not met (with ``strict`` also when it is open), 3 when nothing could be judged."""
    if checked.count("not met") or (strict and checked.count("met") < len(checked.judgements)):
        return 1
    if not checked.judgeable:
        return 0 if allow_empty else 3
    return 0


def _headline(judgements: Sequence[Judgement]) -> str:
    counts = {s: sum(j.state == s for j in judgements) for s in ("met", "not met", "not yet", "cannot tell")}
    words = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    if counts["not met"]:
        return f"The run does not do what was expected: {words}."
    if counts["not yet"] or counts["cannot tell"]:
        return f"Nothing speaks against the change so far: {words}."
    return f"The run does what was expected: {words}."


def _outcome(expectation: Expectation, run: Subject) -> Judgement:
    return _absent(expectation, run) if expectation.condition == "absent" else judge(expectation, run)


def _absent(expectation: Expectation, run: Subject) -> Judgement:
    """Judge whether a kind of alarm has come back."""
    diagnosis = run.diagnosis
    back = [f for f in diagnosis.findings if f.id == expectation.metric and not f.benign and f.severity != "info"]
    if back:
        finding = back[0]
        item = finding.evidence[0] if finding.evidence else None
        judgement = judged(expectation, "not met", f"it is back: {finding.summary}")
        return Judgement(
            expectation=expectation, state="not met", text=judgement.text, next_action=judgement.next_action,
            value=item.value if item else None, deadline=expectation.by,
            place=Place(line=item.line, step=item.step, clock=item.clock) if item else finding.onset,
        )  # fmt: skip
    state = next((c for c in diagnosis.checks if c.id == expectation.metric), None)
    if state is None or state.state in ("not-applicable", "failed"):
        why = f": {state.why}" if state and state.why else ""
        return judged(expectation, "cannot tell", f"the check did not run{why}", deadline=expectation.by)
    last = run.last_step(expectation.clock)
    if expectation.by is not None and last is not None and last < expectation.by:
        text = f"not seen so far; it began at step {expectation.by:,.0f}, this run is at {last:,.0f}"
        return judged(expectation, "not yet", text, deadline=expectation.by)
    return judged(expectation, "met", "it did not come back", deadline=expectation.by)
