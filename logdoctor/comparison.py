"""``logdoctor compare BEFORE AFTER``: what went, what stayed, what came, and which difference explains it.

Figures are compared at the same step: the last that both runs reached. The level of a metric there is the median of
the stretch that ends at it (a tenth of the way), since a single row of a noisy run says nothing. A difference counts
when it is larger than the spread of both stretches and larger than a material share of the metric's own scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from logdoctor.comparing.findings import finding_changes, outcome_of
from logdoctor.comparing.levels import metric_changes
from logdoctor.comparing.settings import attributions, first_values, same_value, setting_changes
from logdoctor.model import Diagnosis, RunLog
from logdoctor.results import Comparison, MetricChange, Side
from logdoctor.settings import Settings
from logdoctor.tracks import Subject, need, subject

_ALIKE = 0.5  # share of metrics that two runs of one program have in common at the least
_IDENTITY = ("environment", "env", "env_id", "task", "dataset", "model", "algorithm", "algo", "game", "map")


def compare(
    before: Diagnosis | RunLog | str | Path,
    after: Diagnosis | RunLog | str | Path,
    *,
    config_before: str | Path | None = None,
    config_after: str | Path | None = None,
    baseline: Sequence[str | Path] = (),
    settings: Settings | None = None,
) -> Comparison:
    """Compare a run before and after a change.

    Args:
        before: a log, a log that was read, a diagnosis or a saved report.
        after: the same.
        config_before: hyperparameters of the earlier run, where its log does not print them.
        config_after: hyperparameters of the later run.
        baseline: runs that differ by their seed alone; their spread is then the noise of every metric.
        settings: settings of the tool.

    Raises:
        InputError: a side cannot be read or holds no metric.
    """
    one = subject(before, config=config_before, settings=settings)
    two = subject(after, config=config_after, settings=settings)
    need(one, "BEFORE")
    need(two, "AFTER")
    siblings = [subject(path, settings=settings) for path in baseline]
    findings = finding_changes(one, two)
    metrics = metric_changes(one, two, siblings)
    differences = setting_changes(one.diagnosis, two.diagnosis)
    outcome, headline = outcome_of(one, two, findings, metrics)
    return Comparison(
        before=_side(one), after=_side(two), outcome=outcome, headline=headline, findings=findings, metrics=metrics,
        settings=differences, attributions=attributions(outcome, one.diagnosis, two.diagnosis, differences),
        warnings=_warnings(one, two), notes=_notes(one, two, metrics, siblings),
    )  # fmt: skip


def _side(run: Subject) -> Side:
    diagnosis = run.diagnosis
    return Side(
        source=diagnosis.source, verdict=diagnosis.verdict, headline=diagnosis.headline,
        last_step=run.last_step(), performance=diagnosis.performance,
    )  # fmt: skip


def _warnings(one: Subject, two: Subject) -> tuple[str, ...]:
    """Say what speaks against comparing these two runs at all."""
    found = []
    a, b = set(one.tracks), set(two.tracks)
    if len(a & b) < _ALIKE * min(len(a), len(b)):
        found.append(f"The runs share {len(a & b)} of {len(a)} and {len(b)} metrics: are they of the same program?")
    before, after = one.diagnosis, two.diagnosis
    if before.family != after.family and before.family and after.family:
        found.append(f"The runs look like different algorithms: {before.family} and {after.family}.")
    if before.performance != after.performance:
        found.append(f"They are judged by different metrics: {before.performance} and {after.performance}.")
    settings = [{name: s.value for name, s in first_values(d).items()} for d in (before, after)]
    found += [
        f"Different task: {name} is {settings[0][name]} before and {settings[1][name]} after."
        for name in _IDENTITY
        if name in settings[0] and name in settings[1] and not same_value(settings[0][name], settings[1][name])
    ]
    units = [next((c.unit for c in d.reading.clocks if c.primary), None) for d in (before, after)]
    if units[0] and units[1] and units[0] != units[1]:
        found.append(
            f"The runs count in different units ({units[0]} and {units[1]}): figures are not at the same point."
        )
    return tuple(found)


def _notes(one: Subject, two: Subject, metrics: Sequence[MetricChange], siblings: Sequence[Subject]) -> tuple[str, ...]:
    found = []
    ends = (one.last_step(), two.last_step())
    if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
        shorter = "AFTER" if ends[1] < ends[0] else "BEFORE"
        found.append(
            f"{shorter} is shorter: figures stand at step {min(ends[0], ends[1]):,.0f}, the last that both reached."
        )
    if metrics and len(siblings) < 2:
        found.append("Noise is the spread of the rows compared; how far seeds differ takes sibling runs (--baseline).")
    elif metrics:
        found.append(f"Noise is twice the standard deviation between {len(siblings)} sibling runs at that step.")
    if one.saved or two.saved:
        found.append("A saved report keeps thinned curves: medians are of those points.")
    if not one.diagnosis.hyperparameters or not two.diagnosis.hyperparameters:
        found.append("At least one log prints no hyperparameters; --config-before and --config-after can give them.")
    return tuple(found)
