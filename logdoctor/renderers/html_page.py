"""One HTML file: verdict first, curves with onsets, every finding linked to its curve and to the lines it cites.

No network, no inline style attributes; the one style sheet and the one script are allowed by their hashes in the
page's own content-security policy, so that the page also works where scripts are forbidden (it is then static but
complete). Colours follow the reader's light or dark setting; a print style is included.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence

from logdoctor.model import Cause, Change, Diagnosis, Evidence, Finding, Scalar
from logdoctor.renderers import _outline as outline
from logdoctor.renderers import _sentences as sentences
from logdoctor.renderers import _svg
from logdoctor.renderers._escape import html as esc
from logdoctor.renderers._escape import json_in_html
from logdoctor.renderers._page import asset, page
from logdoctor.renderers._record import Renderer, RenderOptions
from logdoctor.wording import steps

MAX_FOLDED = 24  # further curves below the fold; more would only add weight
MAX_QUOTED = 160


def render(diagnoses: Sequence[Diagnosis], options: RenderOptions) -> str:
    """Return the page for one or more diagnoses."""
    title = diagnoses[0].headline if len(diagnoses) == 1 else f"{len(diagnoses)} runs"
    body = "".join(_run(diagnosis, index, options) for index, diagnosis in enumerate(diagnoses))
    return page(title, body, asset("page.css"), asset("page.js"))


def _run(diagnosis: Diagnosis, index: int, options: RenderOptions) -> str:
    key = f"r{index}"
    drawn = _svg.charts(diagnosis)
    chosen = [name for name in _svg.pick(diagnosis) if name in drawn]
    rest = [name for name in drawn if name not in chosen][:MAX_FOLDED]
    parts = [
        f'<section class="run" id="{key}">',
        _top(diagnosis, key),
        _chart_section(drawn, chosen, key),
        _findings(diagnosis, key),
        _chain(diagnosis),
        _causes(diagnosis),
        _changes(diagnosis),
        _phases(diagnosis),
        _expectations(diagnosis),
        _watch(diagnosis),
        _healthy(diagnosis),
        _checks(diagnosis),
        _folded_charts(drawn, rest, key),
        _parameters(diagnosis),
        _quoted(diagnosis, key),
        _reading(diagnosis),
        _data(drawn, [*chosen, *rest]),
        "</section>",
    ]
    del options
    return "".join(parts)


def _top(diagnosis: Diagnosis, key: str) -> str:
    told = outline.incidents(diagnosis)
    rows = [("Log", esc(diagnosis.source.path))]
    for name, text in sentences.facts(diagnosis):
        linked = f'<a href="#{key}-{_anchor(told[0].root)}">{esc(text)}</a>' if name == "Since" and told else esc(text)
        rows.append((name, linked))
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows)
    badge = f'<span class="badge {diagnosis.verdict}">{diagnosis.verdict}</span>'
    title = f'<p class="soft small">{esc(sentences.title(diagnosis))}</p>'
    return f"<header>{badge}<h1>{esc(diagnosis.headline)}</h1>{title}<dl class='facts'>{listed}</dl></header>"


def _soft(text: str) -> str:
    return f'<span class="soft">{esc(text)}</span>' if text else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _anchor(finding: Finding) -> str:
    return f"{finding.id}-{finding.onset.line if finding.onset else 0}"


def _chart_section(drawn: dict[str, _svg.Chart], names: list[str], key: str) -> str:
    if not names:
        return ""
    hint = (
        '<p class="soft small hint">Move over a curve: the cursor is shared. Drag or Shift + wheel to zoom, '
        "double-click to reset; with the keyboard: arrows, + and −, 0.</p>"
    )
    legend = _legend([drawn[name] for name in names])
    return f"<h2>Curves</h2>{legend}{hint}" + "".join(_figure(drawn[name], key) for name in names)


def _legend(shown: Sequence[_svg.Chart]) -> str:
    """Name the shaded stretches and the lines, once for all curves."""
    bands = dict.fromkeys(band.name for chart in shown for band in chart.bands)
    kinds = {mark.kind for chart in shown for mark in chart.marks}
    items = [f'<svg class="key" viewBox="0 0 10 10">{_svg.swatch(name)}</svg> {esc(name)}' for name in bands]
    items += ["dashed: onset of a finding"] if kinds & {"critical", "warning"} else []
    items += ["dotted: a setting was changed"] if "event" in kinds else []
    items += ["×: not a finite number"] if any(not math.isfinite(y) for chart in shown for y in chart.y) else []
    return f'<p class="soft small">{" · ".join(items)}</p>' if items else ""


def _figure(chart: _svg.Chart, key: str) -> str:
    svg = _svg.draw(chart, identity=f"{key}-c-{chart.metric}")
    svg = svg.replace(' class="chart"', f' class="chart" data-metric="{esc(chart.metric)}"', 1)
    notes = f"<strong>{esc(chart.raw_name)}</strong>"
    if chart.findings:
        notes += f" {esc(', '.join(dict.fromkeys(chart.findings)))}"
    return f'<figure><figcaption><span>{notes}</span><span class="readout"></span></figcaption>{svg}</figure>'


def _folded_charts(drawn: dict[str, _svg.Chart], names: list[str], key: str) -> str:
    if not names:
        return ""
    inner = "".join(_figure(drawn[name], key) for name in names)
    return f"<details><summary>{len(names)} further curves</summary>{inner}</details>"


def _findings(diagnosis: Diagnosis, key: str) -> str:
    told = outline.incidents(diagnosis)
    if not told:
        return _remarks(diagnosis)
    out = ["<h2>What went wrong</h2>"]
    for number, item in enumerate(told, start=1):
        inner = ""
        for name, found in (("What came before it", item.before), ("What follows from it", item.after)):
            if found:
                inner += f"<p class='small'><strong>{name}</strong></p>" + "".join(
                    _card(diagnosis, f, key) for f in found
                )
        out.append(_card(diagnosis, item.root, key, f"{number}. ", inner))
    return "".join(out) + _remarks(diagnosis)


def _remarks(diagnosis: Diagnosis) -> str:
    lines = [f"{finding.summary} ({finding.id})" for finding in outline.remarks(diagnosis)]
    return f"<h2>Remarks</h2>{_list(lines)}" if lines else ""


def _card(diagnosis: Diagnosis, finding: Finding, key: str, prefix: str = "", inner: str = "") -> str:
    where = ", ".join(f'<a href="#{key}-c-{esc(m)}">{esc(m)}</a>' for m in finding.metrics[:4])
    onset = f"onset {esc(outline.place(diagnosis, finding.onset))}; " if finding.onset else ""
    known = " · known" if finding.known else ""
    return (
        f'<article class="card {finding.severity}" id="{key}-{_anchor(finding)}">'
        f'<h3>{prefix}<span class="{finding.severity}">{esc(outline.heading(finding))}</span></h3>'
        f"<p>{esc(finding.summary)}</p>{_evidence(finding.evidence, key)}"
        + (f"<p>{esc(finding.analysis)}</p>" if finding.analysis else "")
        + f'<p class="soft small">{finding.id} {esc(finding.name)}{known} · {onset}confidence '
        f"{_percent(finding.confidence)}{' · ' + where if where else ''}</p>{inner}</article>"
    )


def _evidence(evidence: Iterable[Evidence], key: str) -> str:
    rows = "".join(
        f'<tr><td class="n"><a href="#{key}-L{e.line}">line {e.line}</a></td>'
        f'<td class="n">{"" if e.step is None else steps(e.step, exact=True)}</td><td>{esc(e.metric)}</td>'
        f'<td class="n">{_value(e.value)}</td><td>{esc(e.note)}</td></tr>'
        for e in evidence
    )
    return f'<div class="wide"><table>{rows}</table></div>' if rows else ""


def _value(value: Scalar) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
        return esc(f"{value:.10g}")
    return "none" if value is None else esc(str(value))


def _chain(diagnosis: Diagnosis) -> str:
    story = diagnosis.story
    out = ""
    if len(story.chain) > 1:
        items = "".join(
            f"<li>{esc(link.text)} {_soft(f'– {outline.place(diagnosis, link.place)}')}</li>" for link in story.chain
        )
        out += f"<h2>What broke first</h2><ol>{items}</ol>"
    if story.why_now:
        out += "<h2>Why now</h2>" + _list(story.why_now)
    return out


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{esc(item)}</li>" for item in items) + "</ul>"


def _causes(diagnosis: Diagnosis) -> str:
    told, others = sentences.causes_in_order(diagnosis)
    if not told and not others:
        return ""
    out = ["<h2>Why</h2>"]
    for index, (role, cause) in enumerate(told):
        name = esc(cause.title or cause.id)
        head = f"{role}: {name} <span class='soft'>{_percent(cause.confidence)}</span>"
        body = _arguments(diagnosis, cause)
        out.append(
            f"<article class='card info'><h3>{head}</h3>{body}</article>"
            if index == 0
            else f"<details><summary>{head}</summary>{body}</details>"
        )
    if others:
        considered = _list(sentences.brief(diagnosis, cause) for cause in others)
        out.append(f"<details><summary>Considered as well</summary>{considered}</details>")
    return "".join(out)


def _arguments(diagnosis: Diagnosis, cause: Cause) -> str:
    parts = (
        ("For", sentences.arguments(diagnosis, cause.for_)),
        ("Against", sentences.arguments(diagnosis, cause.against)),
        ("Would settle it", list(cause.would_settle)),
    )
    inner = "".join(f"<p class='small'><strong>{name}</strong></p>{_list(items)}" for name, items in parts if items)
    if cause.mechanism:
        lines = "\n".join(esc(line) for line in cause.mechanism)
        inner += f"<pre>{lines}</pre>"
    return inner


def _changes(diagnosis: Diagnosis) -> str:
    rows = sentences.change_rows(diagnosis)
    if not rows:
        return ""
    note = sentences.changes_note(diagnosis)
    actions = "".join(
        f"<li><strong>{esc(sentences.action_sentence(c))}</strong> {esc(c.why)} {_price(c)}</li>"
        for c in rows
        if sentences.is_action(c)
    )
    values = "".join(
        f"<tr><td><code>{esc(c.parameter)}</code></td><td>{esc(sentences.old_text(c))}</td>"
        f"<td>{esc(sentences.new_text(c))}</td><td>{esc(c.why)} {_price(c)}</td></tr>"
        for c in rows
        if not sentences.is_action(c)
    )
    head = "<tr><th>Parameter</th><th>old</th><th>new</th><th>why, and what it costs</th></tr>"
    parts = [
        f"<ul>{actions}</ul>" if actions else "",
        f"<div class='wide'><table>{head}{values}</table></div>" if values else "",
    ]
    if not sentences.is_action(rows[0]):
        parts.reverse()
    heading = sentences.changes_heading(diagnosis)
    return f"<h2>{heading}</h2>{'<p>' + esc(note) + '</p>' if note else ''}{''.join(parts)}"


def _price(change: Change) -> str:
    said = (("cost", change.tradeoff), ("arithmetic", change.arithmetic), ("source", change.reference))
    return _soft("; ".join(f"{name}: {text.rstrip('.')}" for name, text in said if text))


def _phases(diagnosis: Diagnosis) -> str:
    rows = "".join(
        f"<tr><td>{esc(name)}</td><td>{esc(where)}</td><td>{esc(text)}</td></tr>"
        for name, where, text in sentences.phase_rows(diagnosis)
    )
    return f"<h2>Phases</h2><div class='wide'><table>{rows}</table></div>" if rows else ""


def _expectations(diagnosis: Diagnosis) -> str:
    story = diagnosis.story
    out = "".join(f"<h3>{esc(name)}</h3>{_list(items)}" for name, items in story.expectations)
    out = f"<h2>Expected after the change</h2>{out}" if out else ""
    if story.prognosis:
        out += "<h2>Prognosis</h2>" + _list(story.prognosis)
    return out + (f"<p>Next checkpoint: {esc(story.next_checkpoint)}</p>" if story.next_checkpoint else "")


def _watch(diagnosis: Diagnosis) -> str:
    out = []
    for sign, name, css in (("recovery", "Signs of recovery", "healthy"), ("failure", "Signs of failure", "warning")):
        shared = sentences.shared_action(diagnosis, sign)
        items = []
        for item in (item for item in diagnosis.watch if item.sign == sign):
            action = "" if item.otherwise == shared else sentences.action_text(item)
            items.append(f"<li>{esc(sentences.watch_text(diagnosis, item))} {_soft(action)}</li>")
        if items:
            word = "If one of them fails to come" if sign == "recovery" else "If one of them shows"
            rest = f"<p>{word}: {esc(sentences.shared_sentence(diagnosis, sign))}.</p>" if shared else ""
            out.append(f"<h3 class='{css}'>{name}</h3><ul>{''.join(items)}</ul>{rest}")
    return f"<h2>What to watch in the next run</h2>{''.join(out)}" if out else ""


def _healthy(diagnosis: Diagnosis) -> str:
    items = []
    for item in diagnosis.healthy:
        name, why = sentences.healthy_text(diagnosis, item)
        items.append(f"<li>{'<strong>' + esc(name) + '</strong>: ' if name else ''}{esc(why)}</li>")
    name = "Why it is healthy" if diagnosis.verdict == "healthy" else "What is healthy"
    return f"<h2>{name}</h2><ul>{''.join(items)}</ul>" if items else ""


def _checks(diagnosis: Diagnosis) -> str:
    states = {
        state: [c for c in diagnosis.checks if c.state == state] for state in ("clear", "not-applicable", "failed")
    }
    not_checked = _list(diagnosis.story.not_checked or [f"{c.name or c.id}: {c.why}" for c in states["not-applicable"]])
    failed = _list([f"{c.id} {c.name}: {c.why}" for c in states["failed"]]) if states["failed"] else ""
    clear = ", ".join(esc(c.name or c.id) for c in states["clear"])
    limits = _list(diagnosis.story.limits) if diagnosis.story.limits else ""
    if not diagnosis.checks and not limits:
        return ""
    return (
        f"<h2>What was not checked</h2><details><summary>{len(states['not-applicable'])} checks could not run, "
        f"{len(states['clear'])} ran and found nothing</summary>{not_checked}{failed}"
        f"<p class='small soft'>Clear: {clear}</p></details>{limits}"
    )


def _parameters(diagnosis: Diagnosis) -> str:
    rows = "".join(
        f"<tr><td>{esc(s.raw_name)}</td><td class='n'>{_value(s.value)}</td>"
        f"<td>{esc(s.source)}{'' if s.line is None else f' line {s.line}'}</td></tr>"
        for s in diagnosis.hyperparameters[:200]
    )
    if not rows:
        return ""
    count = len(diagnosis.hyperparameters)
    return f"<details><summary>{count} hyperparameters</summary><div class='wide'><table>{rows}</table></div></details>"


def _quoted(diagnosis: Diagnosis, key: str) -> str:
    texts: dict[int, str] = {}
    for evidence in [e for f in diagnosis.findings for e in f.evidence]:
        texts.setdefault(evidence.line, evidence.text)
    if not texts:
        return ""
    lines = "".join(
        f'<code class="quoted" id="{key}-L{n}">{n:>8}  {esc(text)}</code>'
        for n, text in sorted(texts.items())[:MAX_QUOTED]
    )
    return f"<details open><summary>The lines that are cited</summary><div class='wide'>{lines}</div></details>"


def _reading(diagnosis: Diagnosis) -> str:
    return f"<h2>How it was read</h2><p>{' '.join(esc(text) for text in sentences.reading_text(diagnosis))}</p>"


def _data(drawn: dict[str, _svg.Chart], names: list[str]) -> str:
    geometry = {
        "width": _svg.WIDTH, "height": _svg.HEIGHT, "left": _svg.LEFT, "right": _svg.RIGHT, "top": _svg.TOP,
        "bottom": _svg.BOTTOM,
    }  # fmt: skip
    charts = {}
    for name in names:
        chart = drawn[name]
        charts[name] = {
            "x": [float(f"{x:.12g}") for x in chart.x],
            "y": [float(f"{y:.6g}") if math.isfinite(y) else None for y in chart.y],
            "flags": {i: _value(y) for i, y in enumerate(chart.y) if not math.isfinite(y)},
            "line": chart.line,
            "x_label": chart.x_label,
        }
    text = json_in_html(json.dumps({"geometry": geometry, "charts": charts}, allow_nan=False, separators=(",", ":")))
    return f'<script type="application/json">{text}</script>'


RENDERER = Renderer(id="html", title="One HTML page with curves", suffixes=(".html", ".htm"), render=render)
