"""The only wiring: log -> rules -> causes -> story -> diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from logdoctor.fingerprints import stamp
from logdoctor.model import (
    Check,
    CodeFact,
    Diagnosis,
    Finding,
    RunLog,
    Setting,
    Verdict,
    severity_rank,
)
from logdoctor.registry import records
from logdoctor.renderers._record import Renderer, RenderOptions
from logdoctor.rules._course import course
from logdoctor.rules._record import Limits, Rule
from logdoctor.settings import Settings
from logdoctor.sources import hashed
from logdoctor.summaries import curve_of, metric_of
from logdoctor.view import LEAST_ROWS, RunView, main_run, runs_of


def diagnose(
    run: RunLog | str | Path,
    hyperparameters: Mapping[str, Any] | str | Path | None = None,
    source_dir: str | Path | None = None,
    baseline: Any = None,
    settings: Settings | None = None,
) -> Diagnosis:
    """Judge one run.

    Args:
        run: a log that was read, or the path of one.
        hyperparameters: name -> value, or the path of a configuration file (read, never executed).
        source_dir: directory of training code to look at (read, never executed).
        baseline: paths of sibling logs, a directory of them, or a saved report.
        settings: settings of the tool.

    Raises:
        InputError: the log or the configuration cannot be read.
    """
    from logdoctor.baseline import load_siblings
    from logdoctor.baseline import summary as summary_of
    from logdoctor.ranking import rank_causes, with_confidence
    from logdoctor.story import tell

    settings = settings or Settings()
    if not isinstance(run, RunLog):
        from logdoctor.reader import read_log

        run = read_log(run, stream=True, settings=settings)
    facts, skipped = _code(source_dir)
    given = _settings_of(hyperparameters)
    siblings = load_siblings(baseline, run)
    views = [
        RunView(run, segments=group, settings=given, baseline=siblings, source_facts=facts) for group in runs_of(run)
    ]
    view, findings, checks = _judged_run(views, settings)
    findings = stamp(with_confidence((*findings, *_of_other_runs(view, views, settings))))
    causes = rank_causes(view, [f for f in findings if f.segment in view.segments])
    diagnosis = Diagnosis(
        source=hashed(run.source),
        reading=run.reading,
        verdict=_verdict(view, findings),
        headline="",
        hyperparameters=tuple(view.settings.values()),
        events=run.events,
        metrics=tuple(metric_of(series) for series in run.series.values()),
        findings=findings,
        causes=causes,
        checks=checks,
        curves=tuple(curve_of(series) for series in run.series.values() if len(series) >= 2),
        performance=view.performance.name if view.performance else None,
        family=view.family,
        code=facts,
        code_skipped=skipped,
        judgeable=any(len(series) >= 3 for series in run.series.values()),
        baseline=summary_of(siblings),
    )
    return _quote(tell(view, diagnosis), run)


def _judged_run(views: Sequence[RunView], settings: Settings) -> tuple[RunView, tuple[Finding, ...], tuple[Check, ...]]:
    """Judge the main run; where it cannot carry a judgement, the last run before it that shows something wrong."""
    main = main_run(views)
    findings, checks = judge(main, settings)
    if len(views) > 1 and _verdict(main, findings) == "inconclusive":
        for view in reversed(views):
            if view is main or view.rows < LEAST_ROWS:
                continue
            other = judge(view, settings)
            if _verdict(view, other[0]) in {"critical", "warning"}:
                return view, *other
    return main, findings, checks


def judge(view: RunView, settings: Settings) -> tuple[tuple[Finding, ...], tuple[Check, ...]]:
    """Run every selected rule; each ends as fired, clear, not-applicable or failed, and none may stop the others."""
    findings: list[Finding] = []
    checks: list[Check] = []
    for rule in records("logdoctor.rules", "RULE").values():
        if not settings.selected(rule):
            continue
        why_not = not_applicable(rule, view)
        if why_not:
            checks.append(Check(id=rule.id, name=rule.name, state="not-applicable", why=why_not))
            continue
        try:
            with np.errstate(all="ignore"):
                fired = list(rule.detect(view, Limits(rule.thresholds, settings.thresholds.get(rule.name))))
        except Exception as error:  # noqa: BLE001 - one broken rule must not lose the report; it is reported as failed
            checks.append(Check(id=rule.id, name=rule.name, state="failed", why=f"{type(error).__name__}: {error}"))
            continue
        findings += fired
        checks.append(Check(id=rule.id, name=rule.name, state="fired" if fired else "clear"))
    findings.sort(key=lambda f: (-severity_rank(f.severity), f.onset.line if f.onset else 0, f.id))
    return tuple(findings), tuple(checks)


def not_applicable(rule: Rule, view: RunView) -> str | None:
    """Return why ``rule`` cannot judge this run, or None when it can."""
    for group in rule.needs:
        found = [series for name in group if (series := view.get(name)) is not None]
        if not found:
            return f"no {' or '.join(group)} in this log"
        if max(len(series) for series in found) < rule.min_points:
            return f"fewer than {rule.min_points} values of {' or '.join(group)}"
    return rule.applies_to(view) if rule.applies_to else None


def render(diagnosis: Diagnosis | Sequence[Diagnosis], format: str, options: RenderOptions | None = None) -> str:
    """Return ``diagnosis`` as text in one of the formats of ``logdoctor analyze --format``.

    Raises:
        UsageError: the format is unknown.
    """
    from logdoctor.errors import UsageError

    renderers: dict[str, Renderer] = records("logdoctor.renderers", "RENDERER")
    if format not in renderers:
        raise UsageError(f"unknown format {format!r}; choose one of {', '.join(renderers)}")
    many = [diagnosis] if isinstance(diagnosis, Diagnosis) else list(diagnosis)
    return renderers[format].render(many, _with_manual(options or RenderOptions()))


def _with_manual(options: RenderOptions) -> RenderOptions:
    """Hand over the rules' pages and our version, which a renderer may not look up itself."""
    from logdoctor import __version__
    from logdoctor.manual import pages

    return replace(options, extra={"pages": pages(), "version": __version__, **options.extra})


def _code(source_dir: str | Path | None) -> tuple[tuple[CodeFact, ...], tuple[str, ...]]:
    if source_dir is None:
        return (), ()
    from logdoctor.sourcecode import read_code

    return read_code(source_dir)


def _settings_of(hyperparameters: Mapping[str, Any] | str | Path | None) -> tuple[Setting, ...]:
    from logdoctor.hyperparameters import from_mapping, read_config

    if hyperparameters is None:
        return ()
    if isinstance(hyperparameters, Mapping):
        return from_mapping(hyperparameters)
    return read_config(hyperparameters)


def _verdict(view: RunView, findings: Iterable[Finding]) -> Verdict:
    """Return the verdict on the main run: its worst finding, or whether there is enough to call it healthy.

    A log without an alarm is healthy only when the metric that the run is for was read often enough and shows that the
    run does what it is for: it rose, or it stands where nothing is left to rise to, and it did not fall again.
    Otherwise nothing was found because nothing could be.
    """
    worst = max((severity_rank(f.severity) for f in findings if not f.benign), default=0)
    if worst:
        return "critical" if worst == 2 else "warning"
    went = course(view)
    return "healthy" if went is not None and len(went.series) >= LEAST_ROWS and went.good else "inconclusive"


def _of_other_runs(main: RunView, views: Sequence[RunView], settings: Settings) -> tuple[Finding, ...]:
    """Return what was wrong with the other runs of the file, as information: the verdict is the main run's alone."""
    others: list[Finding] = []
    for number, view in enumerate(views, start=1):
        if view is main or view.rows < LEAST_ROWS:
            continue
        worst = [f for f in judge(view, settings)[0] if f.severity != "info" and not f.benign][:2]
        for item in worst:
            text = f"Run {number} of {len(views)} in this file ({item.severity} there): {item.summary}"
            others.append(replace(item, severity="info", summary=text, segment=view.segments[0]))
    return tuple(others)


def _quote(diagnosis: Diagnosis, run: RunLog) -> Diagnosis:
    """Fill in the printed text of every line that is cited, in one pass over the source."""
    wanted = {e.line for f in diagnosis.findings for e in f.evidence}
    wanted |= {e.line for p in diagnosis.phases for e in p.evidence} | {
        e.line for h in diagnosis.healthy for e in h.evidence
    }
    texts = run.fetch(sorted(wanted))

    def quoted(items: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(replace(e, text=texts.get(e.line, e.text)) for e in items)

    return replace(
        diagnosis,
        findings=tuple(replace(f, evidence=quoted(f.evidence)) for f in diagnosis.findings),
        phases=tuple(replace(p, evidence=quoted(p.evidence)) for p in diagnosis.phases),
        healthy=tuple(replace(h, evidence=quoted(h.evidence)) for h in diagnosis.healthy),
    )
