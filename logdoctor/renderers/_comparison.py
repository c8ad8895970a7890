"""A comparison of two runs as a document."""

from __future__ import annotations

from logdoctor.renderers._document import Block, Bullets, Heading, Paragraph, Table
from logdoctor.results import Comparison, FindingChange, MetricChange
from logdoctor.wording import number, rounded, steps

_STYLES = {"fixed": "good", "better": "good", "same": "", "worse": "bad", "other fault": "bad", "cannot tell": "warn"}
_READINGS = {"better": "good", "worse": "bad", "different": "", "within noise": "dim"}
_STATES = {"new": "bad", "stayed": "warn", "gone": "good", "not reached": "dim"}


def blocks(comparison: Comparison) -> list[Block]:
    """Return the document: verdict, warnings, findings, figures, settings, explanation, notes."""
    found: list[Block] = [
        Heading(text=f"Verdict: {comparison.outcome}", level=1, style=_STYLES[comparison.outcome] or "head"),
        Paragraph(text=comparison.headline),
        Table(head=("", "log", "verdict", "last step"), rows=_sides(comparison), numbers=(3,)),
    ]
    if comparison.warnings:
        found += [Heading(text="Before you trust this"), Bullets(items=comparison.warnings)]
    found += _findings(comparison)
    found += _metrics(comparison)
    found += _settings(comparison)
    if comparison.notes:
        found += [Heading(text="How this was compared"), Bullets(items=comparison.notes)]
    return found


def _sides(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    return [
        (name, side.source.path, side.verdict, steps(side.last_step) if side.last_step is not None else "–")
        for name, side in (("before", comparison.before), ("after", comparison.after))
    ]


def _findings(comparison: Comparison) -> list[Block]:
    if not comparison.findings:
        return [Heading(text="Findings"), Paragraph(text="Neither run has a finding at or above a warning.")]
    order = list(_STATES)
    changes = sorted(comparison.findings, key=lambda c: order.index(c.state))
    rows = [_finding(change) for change in changes]
    return [
        Heading(text="Findings"),
        Table(head=("what", "finding", "before", "after"), rows=rows, styles=[_STATES[c.state] for c in changes]),
    ]


def _finding(change: FindingChange) -> tuple[str, str, str, str]:
    finding = change.finding
    sides = [
        "–" if f is None else f"{f.severity}" + (f", line {f.onset.line}" if f.onset else "")
        for f in (change.before, change.after)
    ]
    if change.state == "not reached":
        sides[1] = "its step was not reached"
    return (change.state, f"{finding.id} {finding.name}", sides[0], sides[1])


def _metrics(comparison: Comparison) -> list[Block]:
    if not comparison.metrics:
        return [Heading(text="Figures"), Paragraph(text="No metric can be compared at a common step.")]
    rows = [_metric(change) for change in comparison.metrics]
    return [
        Heading(text="Figures at the same step"),
        Table(
            head=("metric", "step", "before", "after", "change", "reading"), rows=rows, numbers=(1, 2, 3, 4),
            styles=[_READINGS[c.reading] for c in comparison.metrics],
        ),
        Paragraph(text=_lines(comparison.metrics[0])),
    ]  # fmt: skip


def _metric(change: MetricChange) -> tuple[str, ...]:
    relative = "" if change.percent is None else f" ({change.percent:+,.0f} %)"
    sign = "+" if change.change > 0 else ""
    return (
        change.metric, steps(change.step), rounded(change.before.value), rounded(change.after.value),
        f"{sign}{rounded(change.change)}{relative}", change.reading,
    )  # fmt: skip


def _lines(change: MetricChange) -> str:
    parts = [
        f"{name}: {level.count} values on lines {level.first_line} to {level.last_line}, "
        f"spread {number(level.spread, 3)}"
        for name, level in (("before", change.before), ("after", change.after))
    ]
    return f"Each figure is the median of the last stretch before that step ({change.metric}: {'; '.join(parts)})."


def _settings(comparison: Comparison) -> list[Block]:
    found: list[Block] = [Heading(text="What was changed")]
    if comparison.settings:
        rows = [
            (
                c.name,
                _value(c.before, c.before_line, c.known != "after"),
                _value(c.after, c.after_line, c.known != "before"),
            )
            for c in comparison.settings
        ]
        found.append(Table(head=("setting", "before", "after"), rows=rows))
    else:
        found.append(Paragraph(text="No hyperparameter differs in what the two logs print."))
    if comparison.attributions:
        found += [
            Heading(text="What most likely explains it"),
            Bullets(items=[a.text for a in comparison.attributions]),
        ]
    elif comparison.outcome not in ("same", "cannot tell"):
        text = "No difference stands out: change one setting at a time, or look at the code and the seed."
        found.append(Paragraph(text=text))
    return found


def _value(value: object, line: int | None, known: bool) -> str:
    if not known:
        return "not printed"
    text = number(value) if isinstance(value, (int, float, str)) else str(value)
    return text + (f" (line {line})" if line else "")
