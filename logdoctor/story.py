"""Ties the findings together: headline, order of onsets, decision, outlook, and what was not checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from logdoctor.forecast import expectations, watch_list
from logdoctor.incidents import Incident, group, linked
from logdoctor.model import Check, Diagnosis, Event, Finding, Link, Place, Story
from logdoctor.outlook import decide, loss_since, next_checkpoint, prognosis
from logdoctor.rules._outcome import label
from logdoctor.soundness import healthy_items
from logdoctor.stretches import Stretches, change_event, head, tail
from logdoctor.view import LEAST_ROWS, RunView
from logdoctor.wording import change, number, rounded, steps, unit_word

LINKS = 6  # steps of the chain; what comes after is the same collapse seen in further metrics
HEADLINE = 240  # characters; a headline is one sentence that somebody repeats
NEAR = 0.1  # of the lines of the run: a setting changed this shortly before the onset belongs to the story
GROUPS = 5  # reasons why checks did not apply


def tell(view: RunView, diagnosis: Diagnosis) -> Diagnosis:
    """Return ``diagnosis`` with headline, phases, watch list, healthy items and story filled in."""
    own = [f for f in diagnosis.findings if f.segment in view.segments]
    incidents = group(own, diagnosis.causes, _lines(view))
    event = _event(view, incidents)
    onset = _onset(incidents)
    parts = Stretches(view, min(onset, event.line) if event and onset else onset or None)
    chain = _chain(view, incidents, event)
    decision = decide(view, incidents, parts)
    lost = loss_since(view, incidents, parts, onset)
    watch = watch_list(view, incidents, parts, diagnosis.causes)
    judged = diagnosis.verdict != "inconclusive"
    story = Story(
        chain=chain,
        why_now=tuple(_why_now(view, incidents, parts, event)),
        decision=decision.text if judged else "",
        decision_why=decision.why if judged else "",
        restart_from=decision.restart_from,
        go=decision.go if judged else None,
        go_why=decision.go_why if judged else "",
        prognosis=tuple(prognosis(view, incidents, parts, diagnosis.causes)) if judged else (),
        next_checkpoint=next_checkpoint(view, incidents, parts, decision) if judged else "",
        wasted_steps=lost.steps,
        wasted_hours=lost.hours,
        wasted_why=lost.why,
        expectations=expectations(view, incidents, parts, watch),
        not_checked=tuple(_not_checked(view, diagnosis.checks)),
        limits=tuple(_limits(diagnosis)),
    )
    return replace(
        diagnosis,
        headline=_headline(view, diagnosis, incidents, event),
        findings=linked(diagnosis.findings, incidents),
        watch=watch,
        healthy=healthy_items(view, own),
        story=story,
    )


def _lines(view: RunView) -> tuple[int, int]:
    segments = [s for s in view.run.reading.segments if s.index in view.segments]
    if not segments:
        return (1, max(1, view.run.source.lines))
    return (segments[0].first_line, segments[-1].last_line)


def _onset(incidents: Sequence[Incident]) -> int:
    """Return the first line of the gravest event, 0 when it has none."""
    found = [f.onset.line for f in incidents[0].findings if f.onset] if incidents else []
    return min(found, default=0)


# ---------------------------------------------------------------------------------------------------------- events
def _event(view: RunView, incidents: Sequence[Incident]) -> Event | None:
    """Return the change of a setting that came shortly before the onset, if it could have mattered."""
    onset = _onset(incidents)
    if not onset or incidents[0].root.name == "learning-rate-changed":
        return None
    first, last = _lines(view)
    event = change_event(view, onset, max(20.0, NEAR * (last - first)))
    if event is None or (event.name.endswith("learning_rate") and not _raised(view, event)):
        return None
    return event


def _old_value(view: RunView, event: Event) -> float | None:
    earlier = [
        e for e in view.events("hyperparameter-change", "override") if e.name == event.name and e.line < event.line
    ]
    value = earlier[-1].value if earlier else view.value(event.name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _start_value(view: RunView, event: Event) -> tuple[float | None, int]:
    """Return the value before the burst of changes that ``event`` ends, and how many changes the burst had."""
    changes = [
        e for e in view.events("hyperparameter-change", "override") if e.name == event.name and e.line <= event.line
    ]
    first, last = _lines(view)
    count = 1
    while count < len(changes) and changes[-count].line - changes[-count - 1].line <= max(5.0, 0.01 * (last - first)):
        count += 1
    return _old_value(view, changes[-count]), count


def _raised(view: RunView, event: Event) -> bool:
    old, _ = _start_value(view, event)
    return old is None or not isinstance(event.value, (int, float)) or float(event.value) > old


def _event_text(view: RunView, event: Event) -> str:
    name = event.name.replace("_", " ") or "a setting"
    old, count = _start_value(view, event)
    if old is None or not isinstance(event.value, (int, float)):
        return f"the {name} was set to {number(event.value)}"
    verb = "raised" if float(event.value) > old else "lowered"
    times = f" in {count} steps" if count > 1 else ""
    return f"the {name} was {verb} from {number(old)} to {number(event.value)}{times}"


# ----------------------------------------------------------------------------------------------------------- chain
def _chain(view: RunView, incidents: Sequence[Incident], event: Event | None) -> tuple[Link, ...]:
    """Return what broke first and what followed, by line; one link a line."""
    if not incidents:
        return ()
    links = [_link(view, f) for f in incidents[0].findings if f.onset is not None]
    if event is not None:
        place = Place(line=event.line, step=event.step, clock=event.clock)
        links.append(Link(finding=event.name, place=place, text=_event_text(view, event)))
    by_line: dict[int, Link] = {}
    for link in sorted(links, key=lambda link: link.place.line):
        known = by_line.get(link.place.line)
        by_line[link.place.line] = replace(known, text=f"{known.text}; {link.text}") if known else link
    return tuple(by_line.values())[:LINKS]


def _link(view: RunView, finding: Finding) -> Link:
    assert finding.onset is not None
    here = next((e for e in finding.evidence if e.line == finding.onset.line and e.value is not None), None)
    text = _lower(finding.title or finding.name.replace("-", " "))
    if here is not None:
        series = view.run.series.get(here.metric)
        text += f" ({label(series) if series is not None else here.metric} {number(here.value)})"
    return Link(finding=finding.id, place=finding.onset, text=text)


def _why_now(view: RunView, incidents: Sequence[Incident], parts: Stretches, event: Event | None) -> Iterator[str]:
    """Say why it broke then and not before, where the log tells."""
    if not incidents:
        return
    for finding in incidents[0].findings[1:]:
        if finding.name in {"schedule-floor-before-break", "learning-rate-changed"}:
            yield finding.summary
    if not parts.broke_late or parts.break_line is None:
        return
    metric = next((m for f in incidents[0].findings for m in f.metrics if parts.band(m)), None)
    quiet = _quiet(parts, metric) if metric else ""
    if event is not None:
        yield f"{_upper(_event_text(view, event))} (line {event.line}){'; until then ' + quiet if quiet else ''}."
    elif quiet:
        yield f"Until the onset {quiet}."


def _quiet(parts: Stretches, metric: str) -> str:
    band, series = parts.band(metric), parts.before(metric)
    if band is None or series is None or len(series) < LEAST_ROWS:
        return ""
    half = series.line[len(series) // 2]
    span = f"{rounded(band[0])} to {rounded(band[1])}"
    return f"{label(series)} had kept to {span} (8 of 10 rows in lines {int(half)}–{int(series.line[-1])})"


# -------------------------------------------------------------------------------------------------------- headline
def _headline(view: RunView, diagnosis: Diagnosis, incidents: Sequence[Incident], event: Event | None) -> str:
    if diagnosis.verdict == "inconclusive":
        return _no_judgement(view, diagnosis)
    if not incidents:
        return _all_well(view)
    main = incidents[0].main
    text = _sentence(main.summary)
    if event is not None and main.onset is not None:
        gap = _gap(view, event, main.onset)
        text += f", {gap} after {_event_text(view, event)}" if gap else f", after {_event_text(view, event)}"
    return f"{text}."


def _sentence(summary: str) -> str:
    """Return the first sentence, cut at a clause when it is too long to be repeated."""
    first = summary.split(". ")[0].rstrip(".")
    while len(first) > HEADLINE and "; " in first:
        first = first.rsplit("; ", 1)[0]
    return first


def _gap(view: RunView, event: Event, onset: Place) -> str:
    if event.step is None or onset.step is None or event.clock != onset.clock or onset.step <= event.step:
        return ""
    clocks = view.run.reading.clocks
    clock = next((c for c in clocks if (c.primary if onset.clock is None else c.name == onset.clock)), None)
    word = unit_word(clock)
    return "" if word == "line" else f"{steps(onset.step - event.step)} {word}s"


def _all_well(view: RunView) -> str:
    performance = view.performance
    if performance is None:
        return "No fault was found."
    series = performance.series
    first, last = head(series), tail(series)
    better = last < first if performance.goal == "min" else last > first
    length = _length(view)
    moved = change(first, last)
    figures = f"from {rounded(first)} to {rounded(last)}{f' ({moved})' if moved else ''}"
    if better:
        return f"Nothing is wrong: {label(series)} {'fell' if last < first else 'rose'} {figures}{length}."
    return f"No fault was found; {label(series)} went {figures}{length}."


def _length(view: RunView) -> str:
    first, last = view.span
    clocks = view.run.reading.clocks
    clock = next((c for c in clocks if c.primary), None)
    if clock is None or clock.unit == "lines" or last <= first:
        return f" over {view.rows:,} rows"
    return f" over {steps(last - first)} {unit_word(clock)}s"


def _no_judgement(view: RunView, diagnosis: Diagnosis) -> str:
    if not diagnosis.judgeable:
        return "No judgement: no metric has three values or more."
    performance = view.performance
    if performance is None:
        return (
            f"No judgement: {view.rows:,} rows were read, and none of their metrics says how well the run does "
            "what it is for (a return, an accuracy, a validation loss)."
        )
    count = len(performance.series)
    if count < LEAST_ROWS:
        return (
            f"No judgement: {label(performance.series)} has {count} values; at least {LEAST_ROWS} are needed "
            "to tell a trend from noise."
        )
    flat = float(np.ptp(performance.series.value)) == 0
    why = (
        f"{label(performance.series)} is {number(float(performance.series.value[0]))} in every row"
        if flat
        else "too little of the log can be judged"
    )
    return f"No judgement: {why}."


# ------------------------------------------------------------------------------------------------- what was not checked
def _not_checked(view: RunView, checks: Sequence[Check]) -> Iterator[str]:
    """Group the checks that did not apply by their reason; those of other fields of machine learning are left out."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for check in checks:
        if check.state == "not-applicable" and _concerns(view, check.id):
            reasons[check.why].append(check.name or check.id)
    ordered = sorted(reasons.items(), key=lambda item: -len(item[1]))
    for why, names in ordered[:GROUPS]:
        listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        yield f"{_upper(why)}: {listed}."
    rest = sum(len(names) for _, names in ordered[GROUPS:])
    if rest:
        yield f"{rest} further checks did not apply; --verbose lists them with their reasons."
    for check in checks:
        if check.state == "failed":
            yield f"{check.id} {check.name} failed with an error of its own: {check.why}."


def _concerns(view: RunView, rule: str) -> bool:
    kind = rule[2:3]
    if kind in {"4", "5"}:
        return view.is_rl
    if kind == "9":
        return view.family in {"llm", "grpo", "dpo"}
    return kind != "7" or not view.is_rl


def _limits(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.verdict == "healthy":
        return
    if not diagnosis.code:
        yield "The code was not looked at (--source): faults of initialisation or sign show by their symptoms only."
    if not diagnosis.hyperparameters:
        yield "The log names no hyperparameters; give them with --config to have the causes weighed against them."


# ---------------------------------------------------------------------------------------------------------- helpers
def _lower(text: str) -> str:
    word = text.split(" ")[0]
    return text if sum(c.isupper() for c in word) > 1 else text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
