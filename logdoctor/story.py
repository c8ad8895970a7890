"""Ties the findings together: headline, order of onsets, decision, outlook, and what was not checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from logdoctor.model import Cause, Diagnosis, Event, Finding, Link, Place, Scalar, Story
from logdoctor.phases import phases
from logdoctor.rules._outcome import label
from logdoctor.telling.aftermath import BLOW_UPS, of_event
from logdoctor.telling.decisions import Decision, decide
from logdoctor.telling.forecast import expectations
from logdoctor.telling.headlines import clause, headline
from logdoctor.telling.incidents import Incident, group, linked
from logdoctor.telling.ledger import limits, not_checked
from logdoctor.telling.outlook import gates, loss_since, next_checkpoint, prognosis
from logdoctor.telling.soundness import healthy_items
from logdoctor.telling.stretches import Stretches, left_trend
from logdoctor.telling.turning_points import beginning, context, event_text, first_line, harm_line, turning_point
from logdoctor.telling.watchlist import watch_list
from logdoctor.view import LEAST_ROWS, RunView
from logdoctor.wording import action_name, lower_first, number, rounded, upper_first

FAINT = 0.15  # probability below which a cause is not worth a place on the first screen
TOGETHER = 3  # findings of one line that are named
LINKS = 6  # steps of the chain; what comes after is the same collapse seen in further metrics


def tell(view: RunView, diagnosis: Diagnosis) -> Diagnosis:
    """Return ``diagnosis`` with headline, phases, watch list, healthy items and story filled in."""
    own = [f for f in diagnosis.findings if f.segment in view.segments]
    span = _lines(view)
    incidents = group(own, diagnosis.causes, span)
    event = turning_point(view, incidents, span)
    onset = first_line(view, incidents[0]) if incidents else 0
    parts = Stretches(view, _break_line(view, incidents, onset, event))
    decision = decide(view, incidents, parts, diagnosis.causes)
    watch = watch_list(view, incidents, parts, diagnosis.causes, decision)
    story = _story(view, diagnosis, incidents, parts, event, decision)
    judged = diagnosis.verdict != "inconclusive"
    return replace(
        diagnosis,
        headline=headline(view, diagnosis, incidents, event, span),
        findings=linked(diagnosis.findings, incidents),
        phases=phases(view, own) if judged else (),
        watch=watch if judged else (),
        healthy=healthy_items(view, own, diagnosis.causes, judged=judged),
        story=replace(story, expectations=expectations(view, incidents, parts, watch, decision)) if judged else story,
    )


def _story(
    view: RunView,
    diagnosis: Diagnosis,
    incidents: Sequence[Incident],
    parts: Stretches,
    event: Event | None,
    decision: Decision,
) -> Story:
    story = Story(
        lines=_lines(view), not_checked=tuple(not_checked(view, diagnosis.checks)), limits=tuple(limits(diagnosis))
    )
    if diagnosis.verdict == "inconclusive":
        return story
    own = [f for f in diagnosis.findings if f.segment in view.segments]
    before = context(own, first_line(view, incidents[0]), _lines(view), event) if incidents else []
    lost = loss_since(view, incidents, parts, harm_line(view, incidents[0]) if incidents else 0)
    return replace(
        story,
        main=incidents[0].main.id if incidents else "",
        cause=_cause(incidents, diagnosis.causes),
        chain=_chain(view, incidents, event, before, parts),
        why_now=tuple(_why_now(view, incidents, parts, event, before)),
        decision=decision.text,
        decision_why=decision.why,
        restart_from=decision.restart_from,
        go=decision.go,
        go_why=decision.go_why,
        prognosis=(*prognosis(view, incidents, parts), *gates(parts, decision)),
        next_checkpoint=next_checkpoint(view, incidents, parts, decision),
        wasted_steps=lost.steps,
        wasted_hours=lost.hours,
        wasted_why=lost.why,
    )


def _cause(incidents: Sequence[Incident], causes: Sequence[Cause]) -> str:
    """Return the id of the cause of the gravest event; a mere possibility among many is not named as one."""
    found = of_event(incidents, causes) if incidents else []
    return found[0].id if found and (found[0].confidence >= FAINT or len(causes) == 1) else ""


def _break_line(view: RunView, incidents: Sequence[Incident], onset: int, event: Event | None) -> int | None:
    """Return the line before which the run was well: before the onset, a changed setting, a growth that led there."""
    if not onset:
        return None
    line = min(onset, event.line) if event else onset
    main = incidents[0].main
    if main.name not in BLOW_UPS or main.onset is None or main.onset.line != onset:
        return line
    found = [series for name in main.metrics[:2] if (series := view.finite(name)) is not None]
    return min([line, *(left_trend(series, onset) for series in found)])


def _lines(view: RunView) -> tuple[int, int]:
    segments = [s for s in view.run.reading.segments if s.index in view.segments]
    if not segments:
        return (1, max(1, view.run.source.lines))
    return (segments[0].first_line, segments[-1].last_line)


def _chain(
    view: RunView,
    incidents: Sequence[Incident],
    event: Event | None,
    before: Sequence[Finding],
    parts: Stretches,
) -> tuple[Link, ...]:
    """Return what broke first and what followed, by line; one link a line."""
    if not incidents:
        return ()
    told = [f for f in beginning(view, incidents[0]) if f not in before]
    links = [_link(view, f) for f in told if f.onset is not None]
    links += [
        Link(finding=f.id, place=f.onset, text=lower_first(f.title or f.name)) for f in before if f.onset and links
    ]
    if event is not None and not any(f.name == "learning-rate-changed" for f in told):
        place = Place(line=event.line, step=event.step, clock=event.clock)
        links.append(Link(finding=event.name, place=place, text=event_text(view, event, _lines(view))))
    links += _foot(view, incidents[0], parts)
    by_line: dict[int, Link] = {}
    main = incidents[0].main.id
    count: dict[int, int] = {}
    for link in sorted(links, key=lambda link: (link.place.line, link.finding != main)):
        known = by_line.get(link.place.line)
        count[link.place.line] = count.get(link.place.line, 0) + 1
        if known is None:
            by_line[link.place.line] = link
        elif count[link.place.line] <= TOGETHER:
            by_line[link.place.line] = replace(known, text=f"{known.text}; {link.text}")
    for at, told_there in count.items():
        if told_there > TOGETHER:
            by_line[at] = replace(by_line[at], text=f"{by_line[at].text}; {told_there - TOGETHER} more")
    return tuple(by_line.values())[:LINKS]


def _link(view: RunView, finding: Finding) -> Link:
    assert finding.onset is not None
    here = next((e for e in finding.evidence if e.line == finding.onset.line and _is_number(e.value)), None)
    text = lower_first(finding.title or finding.name.replace("-", " "))
    if finding.name == "learning-rate-changed":  # what was changed says more than that it was
        return Link(finding=finding.id, place=finding.onset, text=lower_first(clause(finding.summary)))
    if here is not None:
        series = view.run.series.get(here.metric)
        name = action_name(here.metric) or (label(series) if series is not None else here.metric)
        text += f" ({name} {number(here.value)})"
    return Link(finding=finding.id, place=finding.onset, text=text)


def _foot(view: RunView, incident: Incident, parts: Stretches) -> Iterator[Link]:
    """Where the growth began that led to the event, when that is before the rule could be sure."""
    main, line = incident.main, parts.break_line
    if line is None or main.onset is None or main.name not in BLOW_UPS or line >= main.onset.line:
        return
    for series in (view.finite(name) for name in main.metrics[:2]):
        if series is not None and left_trend(series, main.onset.line) == line:
            index = int(np.searchsorted(series.line, line))
            text = f"{label(series)} leaves its trend ({number(float(series.highs[index]))})"
            yield Link(finding=main.id, place=RunView.place(series, index), text=text)
            return


def _is_number(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _why_now(
    view: RunView, incidents: Sequence[Incident], parts: Stretches, event: Event | None, before: Sequence[Finding]
) -> Iterator[str]:
    """Say why it broke then and not before, where the log tells."""
    if not incidents:
        return
    yield from (finding.summary for finding in before)
    if not parts.broke_late or parts.break_line is None:
        return
    names = [m for f in (incidents[0].main, *incidents[0].findings) for m in f.metrics if parts.band(m)]
    metric = next((m for m in names if m != "q_min" or "q_max" not in names), None)
    quiet = _quiet(parts, metric) if metric else ""
    if event is not None:
        text = event_text(view, event, _lines(view))
        yield f"{upper_first(text)} (line {event.line}){'; until then ' + quiet if quiet else ''}."
    elif quiet:
        yield f"Until the onset {quiet}."


def _quiet(parts: Stretches, metric: str) -> str:
    band, series = parts.band(metric), parts.before(metric)
    if band is None or series is None or len(series) < LEAST_ROWS:
        return ""
    half = series.line[parts.band_start(series)]
    span = f"{rounded(band[0])} to {rounded(band[1])}"
    return f"{label(series)} had kept to {span} (8 of 10 rows in lines {int(half)}–{int(series.line[-1])})"
