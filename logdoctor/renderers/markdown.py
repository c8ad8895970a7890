"""The report in GitHub's Markdown: what, since when, what to do; then the evidence, the reasons and the next run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap

from logdoctor.model import Cause, Change, Diagnosis, Finding
from logdoctor.renderers import _outline as outline
from logdoctor.renderers import _sentences as sentences
from logdoctor.renderers._escape import code, fence, markdown, markdown_reference, plain
from logdoctor.renderers._figures import percent
from logdoctor.renderers._mermaid import charts
from logdoctor.renderers._pictures import links
from logdoctor.renderers._record import Renderer, RenderOptions
from logdoctor.renderers._tables import WIDTH, curve_rows, evidence_rows

PARAMETERS = 24  # lines of the folded parameter table
HEALTHY_ITEMS = 6
REMARKS = 4
CALM = 2  # remarks in the report of a healthy run
CODE = 6


def render(diagnoses: Sequence[Diagnosis], options: RenderOptions) -> str:
    """Return the report of each diagnosis, several under an overview."""
    parts = [_overview(diagnoses)] if len(diagnoses) > 1 else []
    parts += [_report(diagnosis, options) for diagnosis in diagnoses]
    return "\n\n---\n\n".join(parts) + "\n"


def _overview(diagnoses: Sequence[Diagnosis]) -> str:
    lines = ["| | Log | In one sentence |", "|---|---|---|"]
    lines += [
        f"| {outline.MARKS[d.verdict]} | {code(d.source.path, table=True)} | {markdown(d.headline)} |"
        for d in diagnoses
    ]
    return "\n".join(lines)


def _report(diagnosis: Diagnosis, options: RenderOptions) -> str:
    sections: list[Callable[[Diagnosis], str]] = [_top, _curves, lambda d: links(d, options)]
    if options.extra.get("mermaid"):
        sections.append(charts)
    if not options.quiet:
        sections += [
            _symptoms, _phases, _causes, _code, _why_now, _changes, _expected, _watch, _healthy, _remarks, _prognosis,
            _not_checked, _parameters, _reading,
        ]  # fmt: skip
        if options.verbose:
            sections.append(_checks)
    return "\n\n".join(text for section in sections if (text := section(diagnosis)))


def _top(diagnosis: Diagnosis) -> str:
    lead = f"**{diagnosis.verdict.capitalize()}.** {markdown(diagnosis.headline)}"
    facts = "\n".join(f"- **{name}:** {markdown(text)}" for name, text in sentences.facts(diagnosis))
    head = f"# {outline.MARKS[diagnosis.verdict]} {markdown(sentences.title(diagnosis))}"
    return "\n\n".join(
        part for part in (head, lead, facts, f"{code(diagnosis.source.path)}, {_size(diagnosis)}") if part
    )


def _size(diagnosis: Diagnosis) -> str:
    return markdown(f"{diagnosis.reading.rows:,} rows read from {diagnosis.source.lines:,} lines.")


def _curves(diagnosis: Diagnosis) -> str:
    rows = curve_rows(diagnosis)
    return fence(rows) if rows else ""


def _symptoms(diagnosis: Diagnosis) -> str:
    told = outline.incidents(diagnosis)
    if not told:
        return ""
    parts = ["## What went wrong"]
    for index, item in enumerate(told, start=1):
        parts.append(_finding(diagnosis, item.root, f"{index}. {outline.MARKS[item.severity]} "))
        if item.derived:
            for name, found in (("What came before it:", item.before), ("What follows from it:", item.after)):
                if found:
                    parts += [name, "\n".join(_derived(finding) for finding in found)]
            main = outline.main(diagnosis, item)
            rows = evidence_rows(diagnosis, main) if main is not item.root else []
            parts += [f"{markdown(outline.heading(main))}:\n\n{fence(rows)}"] if rows else []
            figures = _derived_figures(diagnosis, [f for f in item.derived if f is not main or not rows])
            parts += [figures] if figures else []
    return "\n\n".join(parts)


def _finding(diagnosis: Diagnosis, finding: Finding, lead: str) -> str:
    known = " (already known)" if finding.known else ""
    lines = [f"### {lead}{markdown(outline.heading(finding))}{known}", "", markdown(finding.summary)]
    rows = evidence_rows(diagnosis, finding)
    if rows:
        lines += ["", fence(rows)]
    tail = f"{finding.id}, {percent(finding.confidence)} sure"
    lines += ["", f"{markdown(finding.analysis)} ({tail})" if finding.analysis else f"({tail})"]
    return "\n".join(lines)


def _derived(finding: Finding) -> str:
    mark = outline.MARKS[finding.severity]
    return f"- {mark} **{markdown(outline.heading(finding))}** ({finding.id}): {markdown(finding.summary)}"


def _derived_figures(diagnosis: Diagnosis, findings: Sequence[Finding]) -> str:
    parts = []
    for finding in findings:
        rows = evidence_rows(diagnosis, finding)
        if len(rows) > 2:
            parts.append(f"{markdown(outline.heading(finding))} ({finding.id})\n\n{fence(rows)}")
    if not parts:
        return ""
    return "<details><summary>Their figures</summary>\n\n" + "\n\n".join(parts) + "\n\n</details>"


def _phases(diagnosis: Diagnosis) -> str:
    rows = sentences.phase_rows(diagnosis)
    if diagnosis.verdict == "healthy":
        return ""  # the curves and the headline say it
    chain = diagnosis.story.chain
    if not rows and len(chain) < 2:
        return ""
    parts = ["## How it unfolded"]
    if rows:
        body = [f"| {markdown(name)} | {markdown(where)} | {markdown(text)} |" for name, where, text in rows]
        parts.append("\n".join(["| Phase | Where | What |", "|---|---|---|", *body]))
    if len(chain) > 1:
        steps = [
            f"{number}. {markdown(outline.place(diagnosis, link.place))}: {markdown(link.text)}"
            for number, link in enumerate(chain, start=1)
        ]
        parts.append("What broke first, and what followed:\n\n" + "\n".join(steps))
    return "\n\n".join(parts)


def _causes(diagnosis: Diagnosis) -> str:
    told, others = sentences.causes_in_order(diagnosis)
    if not told:
        return ""
    parts = ["## Why", *(_cause(diagnosis, cause, role) for role, cause in told)]
    if others:
        lines = [f"- {markdown(sentences.brief(diagnosis, cause))}" for cause in others]
        parts.append("### Considered as well\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _cause(diagnosis: Diagnosis, cause: Cause, role: str) -> str:
    lines = [f"### {role}: {markdown(cause.title or cause.id)} ({percent(cause.confidence)})", ""]
    lines += [f"- For: {markdown(text)}" for text in sentences.arguments(diagnosis, cause.for_)]
    lines += [f"- Against: {markdown(sentences.argument(diagnosis, text))}" for text in cause.against]
    lines += [f"- Would settle it: {markdown(text)}" for text in cause.would_settle]
    if cause.mechanism:
        wrapped = [part for line in cause.mechanism for part in wrap(plain(line), WIDTH, subsequent_indent="    ")]
        lines += ["", fence(wrapped)]
    return "\n".join(lines)


def _code(diagnosis: Diagnosis) -> str:
    lines = [f"{markdown(sentences.code_text(item))}\n  {code(item.text)}" for item in diagnosis.code[:CODE]]
    if len(diagnosis.code) > CODE:
        lines.append(f"{len(diagnosis.code) - CODE} more in `--format json`.")
    lines += [f"not read: {markdown(text)}" for text in diagnosis.code_skipped[:2]]
    return _list("In the code", lines)


def _why_now(diagnosis: Diagnosis) -> str:
    return _list("Why now", [markdown(text) for text in diagnosis.story.why_now])


def _changes(diagnosis: Diagnosis) -> str:
    rows = sentences.change_rows(diagnosis)
    if not rows:
        return ""
    actions = _actions([item for item in rows if sentences.is_action(item)])
    values = _values([item for item in rows if not sentences.is_action(item)])
    note = markdown(sentences.changes_note(diagnosis))
    order = (actions, values) if sentences.is_action(rows[0]) else (values, "Besides:" if actions else "", actions)
    parts = (f"## {sentences.changes_heading(diagnosis)}", note, *order)
    return "\n\n".join(part for part in parts if part)


def _actions(items: Sequence[Change]) -> str:
    lines = []
    for item in items:
        note = "; ".join(_notes(item))
        reason = f": {markdown(item.why)}" if item.why else ""
        lines.append(f"- **{markdown(sentences.action_sentence(item))}**{reason}" + (f"; {note}" if note else ""))
    return "\n".join(lines)


def _values(items: Sequence[Change]) -> str:
    if not items:
        return ""
    table, notes = ["| Parameter | Old | New | Reason |", "|---|---|---|---|"], []
    for item in items:
        cells = (
            code(item.parameter, table=True),
            markdown(sentences.old_text(item)),
            markdown(sentences.new_text(item)),
        )
        table.append(f"| {' | '.join(cells)} | {markdown(item.why)} |")
        if note := "; ".join(_notes(item)):
            notes.append(f"- {code(item.parameter)}: {note}")
    return "\n\n".join(["\n".join(table), "\n".join(notes)] if notes else ["\n".join(table)])


def _notes(item: Change) -> list[str]:
    """What a change costs, how its number comes about, and who says so; escaped."""
    free = item.tradeoff.rstrip(".").lower() in {"", "none"}
    note = [] if free else [markdown(f"cost: {item.tradeoff.rstrip('.')}")]
    note += [markdown(f"arithmetic: {item.arithmetic.rstrip('.')}")] if item.arithmetic else []
    return note + ([f"source: {markdown_reference(item.reference)}"] if item.reference else [])


def _expected(diagnosis: Diagnosis) -> str:
    parts = []
    for horizon, lines in diagnosis.story.expectations:
        parts.append(f"**{markdown(horizon)}**\n\n" + "\n".join(f"- {markdown(line)}" for line in lines))
    return "\n\n".join(["## What to expect after the change", *parts]) if parts else ""


def _watch(diagnosis: Diagnosis) -> str:
    if not diagnosis.watch:
        return ""
    out = ["## What to watch in the next run"]
    for sign, name, mark in (("recovery", "Signs of recovery", "✅"), ("failure", "Signs of failure", "⚠️")):
        shared, words = sentences.shared_action(diagnosis, sign), sentences.shared_sentence(diagnosis, sign)
        lines = []
        for item in (item for item in diagnosis.watch if item.sign == sign):
            action = "" if item.otherwise == shared else sentences.action_text(item)
            tail = f" → {markdown(action)}" if action else ""
            lines.append(f"- {mark} {markdown(sentences.watch_text(diagnosis, item))}{tail}")
        if lines:
            word = "If one of them fails to come" if sign == "recovery" else "If one of them shows"
            rest = f"\n\n{word}: {markdown(words)}." if shared else ""
            out.append(f"**{name}**\n\n" + "\n".join(lines) + rest)
    return "\n\n".join(out)


def _healthy(diagnosis: Diagnosis) -> str:
    items = diagnosis.healthy
    name = "Why it is healthy" if diagnosis.verdict == "healthy" else "What is healthy"
    lines = []
    for item in items[:HEALTHY_ITEMS]:
        metric, why = sentences.healthy_text(diagnosis, item)
        lines.append(f"✅ **{markdown(metric)}**: {markdown(why)}" if metric else f"✅ {markdown(why)}")
    return _list(name, lines)


def _remarks(diagnosis: Diagnosis) -> str:
    found = outline.remarks(diagnosis)
    most = CALM if diagnosis.verdict == "healthy" else REMARKS
    lines = [f"{markdown(f.summary)} ({f.id})" for f in found[:most]]
    if len(found) > most:
        lines.append(f"{len(found) - most} more: see `--format json`.")
    return _list("Remarks", lines)


def _prognosis(diagnosis: Diagnosis) -> str:
    story = diagnosis.story
    if diagnosis.verdict == "healthy":  # where the curve goes stands under "Now"
        return f"**Next checkpoint.** {markdown(story.next_checkpoint)}" if story.next_checkpoint else ""
    lines = [markdown(text) for text in story.prognosis]
    if story.next_checkpoint:
        lines.append(f"Next checkpoint: {markdown(story.next_checkpoint)}")
    return _list("Prognosis", lines)


def _not_checked(diagnosis: Diagnosis) -> str:
    lines = [markdown(text) for text in (*diagnosis.story.not_checked, *diagnosis.story.limits)]
    if diagnosis.verdict == "healthy":
        return f"**What was not checked.** {' '.join(lines)}" if lines else ""
    return _list("What was not checked", lines)


def _parameters(diagnosis: Diagnosis) -> str:
    items = diagnosis.hyperparameters
    if not items or diagnosis.verdict == "healthy":
        return ""
    rows = []
    for item in items[:PARAMETERS]:
        cells = (markdown(sentences.setting_value(item)), markdown(sentences.setting_place(item)))
        rows.append(f"| {code(sentences.setting_name(diagnosis, item), table=True)} | {' | '.join(cells)} |")
    more = f"\n\n{len(items) - PARAMETERS} more in `--format json`." if len(items) > PARAMETERS else ""
    table = "\n".join(["| Parameter | Value | Where |", "|---|---|---|", *rows])
    return f"<details><summary>Parameters of the run ({len(items)})</summary>\n\n{table}{more}\n\n</details>"


def _reading(diagnosis: Diagnosis) -> str:
    return "**How it was read.** " + " ".join(markdown(text) for text in sentences.reading_text(diagnosis))


def _checks(diagnosis: Diagnosis) -> str:
    rows = [f"| {c.id} | {markdown(c.name)} | {c.state} | {markdown(c.why)} |" for c in diagnosis.checks]
    return "\n".join(["| Check | Name | State | Why |", "|---|---|---|---|", *rows]) if rows else ""


def _list(name: str, lines: Sequence[str]) -> str:
    return f"## {name}\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


RENDERER = Renderer(id="markdown", title="Report in GitHub's Markdown", suffixes=(".md", ".markdown"), render=render)
