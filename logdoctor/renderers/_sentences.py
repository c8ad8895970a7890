"""The sentences of a text report, before they are set in a language; shared by Markdown and terminal.

Strings made here are unescaped; each renderer passes them through its own function of :mod:`._escape`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from logdoctor.model import (
    Cause,
    Change,
    CodeFact,
    Diagnosis,
    Healthy,
    Phase,
    Place,
    Setting,
    Watch,
)
from logdoctor.renderers._outline import Incident, heading, incidents, label, last_step, main, metric_of, place, unit
from logdoctor.wording import counted, hours, lower_first, number, percent, plural, steps, upper_first

UNSURE = 0.4  # probability below which a cause is called a guess
MASKED = 4  # stretches of rows that were not judged and are named
BACKGROUND = frozenset({"LD513"})  # what had changed before, without being a fault itself
CLEAR = 0.5  # probability from which the first cause is acted upon together with what contributes
ALTERNATIVES = 3  # causes that were considered as well and are named
VALUED = frozenset({"learning_rate", "max_steps", "td_target_clip", "max_completion_length", "batch_size"})
SELF_EVIDENT = frozenset({"skip", "guard", "program", "watchdog", "early stopping", "layer_norm", "clip call"})
BRAKE = "emergency brake"  # begins the reason of a change that is made only where all others failed
BROKE_FIRST = "It explains what broke first"
_LINE = re.compile(r"line \d+")
SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}


def title(diagnosis: Diagnosis) -> str:
    """Return the name of the problem and where the log ends."""
    told = incidents(diagnosis)
    if diagnosis.verdict == "inconclusive":
        what = "No judgement possible"
    elif not told:
        what = "Healthy run"
    else:
        names = list(dict.fromkeys(heading(main(diagnosis, item)) for item in told))
        what = names[0] if len(names) == 1 else f"{names[0]} (and {len(names) - 1} more)"
    end = last_step(diagnosis)
    return f"{what} – {end}" if end else what


def facts(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    """Return what a reader needs in twenty seconds, as (label, sentence)."""
    story, out = diagnosis.story, []
    told = incidents(diagnosis)
    if told:
        out.append(("Since", since(diagnosis, told[0])))
    if story.decision:
        out.append(("Now", _joined(story.decision, story.decision_why)))
    if diagnosis.causes and told:
        out.append(("Most likely cause", _cause_of(diagnosis)))
    if story.go is not None:
        out.append(("Longer run", _joined("go" if story.go else "no-go", story.go_why)))
    if story.wasted_steps:
        out.append(("Lost", wasted(diagnosis)))
    return [(name, text) for name, text in out if text]


def since(diagnosis: Diagnosis, incident: Incident) -> str:
    """Return where it began, and where it became obvious when that is later."""
    chain = [link for link in diagnosis.story.chain if link.finding not in BACKGROUND]
    if not chain:
        onset = incident.root.onset
        if onset is None:
            return "the start of the run"
        return _start(diagnosis, onset)
    first = chain[0].text.split("; ")[0]  # what else shows on this line stands in the list of onsets
    text = _start(diagnosis, chain[0].place) + (f", {first}" if first else "")
    worst = [f for f in (incident.root, *incident.derived) if f.severity == incident.severity and f.onset]
    seen = min((f.onset for f in worst if f.onset), key=lambda where: where.line, default=None)
    first_seen = chain[0].place
    same_row = (
        seen is not None and seen.step is not None and (seen.step, seen.clock) == (first_seen.step, first_seen.clock)
    )
    if seen is None or seen.line <= first_seen.line or same_row:
        return text
    return f"{text}; plain to see from {place(diagnosis, seen)}"


def _start(diagnosis: Diagnosis, where: Place) -> str:
    starts = {segment.first_line for segment in diagnosis.reading.segments}
    return f"{'the first row, ' if where.line in starts else ''}{place(diagnosis, where)}"


def _cause_of(diagnosis: Diagnosis) -> str:
    """Return the most probable cause of the first event: one that explains only another fault would mislead."""
    first = diagnosis.causes[0]
    if not diagnosis.story.main:
        return _cause_line(first)
    own = next((c for c in diagnosis.causes if c.id == diagnosis.story.cause), None)
    if own is None:
        rest = [c for c in relevant(diagnosis) if c.role != "alternative"]
        unnamed = "not named by this log for this event"
        return f"{unnamed}; for the rest: {lower_first(_cause_line(rest[0]))}" if rest else unnamed
    return _cause_line(own)


def _cause_line(cause: Cause) -> str:
    text = f"{cause.title or cause.id} ({percent(cause.confidence)})"
    if cause.confidence < UNSURE:
        text = f"not clear from this log; first guess: {lower_first(text)}"
    if cause.changes:
        text += f"; change first: {change_text(cause.changes[0])}"
    return text


def change_text(item: Change) -> str:
    """Return ``learning_rate 0.0003 → 0.0001``, or the sentence when the change is no value."""
    if is_action(item):
        return action_sentence(item)
    if isinstance(item.to, str) and " " in item.to:
        return f"{item.parameter}: {item.to}"
    old = "" if item.from_ is None else f" {_value(item.from_)}"
    return f"{item.parameter}{old} → {_value(item.to)}"


def _value(value: object) -> str:
    return "not set" if value is None else number(value) if isinstance(value, (int, float)) else str(value)


def wasted(diagnosis: Diagnosis) -> str:
    """Return the steps and hours since the onset."""
    story = diagnosis.story
    if not story.wasted_steps:
        return ""
    word = unit(diagnosis)
    text = f"{counted(story.wasted_steps, word)}"
    if story.wasted_hours:
        text += f", about {hours(story.wasted_hours)}"
    return _joined(text, story.wasted_why)


def _joined(text: str, why: str) -> str:
    return f"{text}: {why}" if text and why else text or why


# ---------------------------------------------------------------------------------------------- phases, watch, changes
def phase_rows(diagnosis: Diagnosis) -> list[tuple[str, str, str]]:
    """Return (name, range, summary) of each phase."""
    return [(p.name, _range(diagnosis, p), p.summary) for p in diagnosis.phases]


def _range(diagnosis: Diagnosis, phase: Phase) -> str:
    lines = f"lines {phase.first_line}–{phase.last_line}"
    word = unit(diagnosis, phase.clock)
    if phase.first_step is None or phase.last_step is None or word == "line":
        return lines
    return f"{plural(word)} {steps(phase.first_step)}–{steps(phase.last_step)}, {lines}"


def relevant(diagnosis: Diagnosis) -> list[Cause]:
    """Return the causes that explain something that was found; a suspicion without a symptom is no advice."""
    found = {f.id for item in incidents(diagnosis) for f in (item.root, *item.derived)}
    named = _named(diagnosis)
    return [c for c in diagnosis.causes if c.id == named or found & set(c.explains)]


def _named(diagnosis: Diagnosis) -> str:
    """Return the id of the cause of the gravest event; of a report without a story that of the first cause."""
    if diagnosis.story.main:
        return diagnosis.story.cause
    return diagnosis.story.cause or next((c.id for c in diagnosis.causes), "")


def change_rows(diagnosis: Diagnosis) -> list[Change]:
    """Return each parameter change once, by expected effect: in the order of the causes, emergency brakes last."""
    causes = sorted(relevant(diagnosis), key=lambda c: c.id != diagnosis.story.cause)
    seen: set[str] = set()
    out: list[Change] = []
    for item in (item for cause in causes for item in cause.changes):
        if item.parameter not in seen:
            seen.add(item.parameter)
            out.append(item)
    return sorted(out, key=lambda item: item.why.startswith(BRAKE))


def is_action(item: Change) -> bool:
    """Whether a change is something to do rather than a parameter with a value."""
    return isinstance(item.to, str) and " " in item.to and item.from_ is None and item.parameter not in VALUED


def action_sentence(item: Change) -> str:
    """Return what to do; what it concerns stands in front where the sentence does not say it itself."""
    return str(item.to) if item.parameter in SELF_EVIDENT else f"{item.parameter}: {item.to}"


def changes_heading(diagnosis: Diagnosis) -> str:
    """Return the heading of the changes: a run that goes on with an unclear cause is not told to change anything."""
    goes_on = diagnosis.story.decision.startswith(("continue", "pause"))
    return (
        "What to try if it stays like this" if goes_on and _first_confidence(diagnosis) < UNSURE else "What to change"
    )


def changes_note(diagnosis: Diagnosis) -> str:
    """Say whether to make the changes together or one by one; empty where there is one, or a cause that is clear."""
    rows = change_rows(diagnosis)
    sure = _first_confidence(diagnosis)
    if len(rows) < 2 or sure >= CLEAR:
        return ""
    return (
        f"The first cause is only {percent(sure)} sure: make the first change alone, so that the next log tells "
        "whether it was the one; make all of them where the run matters more than the answer."
    )


def _first_confidence(diagnosis: Diagnosis) -> float:
    own = [c for c in diagnosis.causes if c.id == diagnosis.story.cause] or diagnosis.causes[:1]
    return own[0].confidence if own else 0.0


def causes_in_order(diagnosis: Diagnosis) -> tuple[list[tuple[str, Cause]], list[Cause]]:
    """Return the causes to tell in full, each with its role, the one of the gravest event first; and the others."""
    named = _named(diagnosis)
    own = [c for c in diagnosis.causes if c.id == named]
    full = [c for c in relevant(diagnosis) if c.role != "alternative" and c.id != named]
    told = [("Most likely cause" if c.confidence >= UNSURE else "First guess", c) for c in own]
    event = {f.id for item in incidents(diagnosis)[:1] for f in (item.root, *item.derived)}
    told += [("Contributing" if event & set(c.explains) else "Cause of another finding", c) for c in full]
    others = [c for c in relevant(diagnosis) if c.role == "alternative" and c.id != named]
    return told, sorted(others, key=lambda c: -c.confidence)[:ALTERNATIVES]


def brief(diagnosis: Diagnosis, cause: Cause) -> str:
    """Return a cause that is only considered: name, probability, and an argument that is more than a finding."""
    summaries = {f.summary for f in diagnosis.findings}
    said = [f"for: {text}" for text in cause.for_ if text not in summaries][:1]
    said += [f"against: {text}" for text in cause.against if text not in summaries][:1]
    reason = "; ".join(text.rstrip(".") for text in said)
    return f"{cause.title or cause.id} ({percent(cause.confidence)})" + (f": {reason}" if reason else "")


def shared_action(diagnosis: Diagnosis, sign: str) -> str:
    """Return the action that most signs of one kind share; empty where each has its own."""
    actions = [item.otherwise for item in diagnosis.watch if item.sign == sign and item.otherwise]
    most = max(dict.fromkeys(actions), key=actions.count, default="")
    return most if actions.count(most) > 1 else ""


def shared_sentence(diagnosis: Diagnosis, sign: str) -> str:
    """Return the shared action as a clause of one sentence."""
    return lower_first(shared_action(diagnosis, sign).rstrip("."))


def old_text(item: Change) -> str:
    """Return the present value of a change and where it stands."""
    if item.from_ is None:
        return "not stated" if not item.where or item.where.startswith("not ") else f"not set ({item.where})"
    return _value(item.from_) + (f" ({item.where})" if item.where else "")


def new_text(item: Change) -> str:
    """Return the new value of a change."""
    return _value(item.to)


def watch_text(diagnosis: Diagnosis, item: Watch) -> str:
    """Return what to look for, with its number and by when."""
    name = label(diagnosis, item.metric)
    if item.condition == "between":
        text = f"{name} between {_value(item.value)} and {_value(item.value2)}"
    elif item.condition in SIGNS:
        text = f"{name} {SIGNS[item.condition]} {_value(item.value)}"
    elif item.condition == "finite":
        text = f"{name} stays finite"
    else:
        text = f"{name} {item.condition}" + (f" (now {_value(item.value)})" if item.value is not None else "")
    if item.within_steps:
        text += f" within {counted(item.within_steps, unit(diagnosis, item.clock))}"
    return f"{text}: {item.why}" if item.why else text


def healthy_text(diagnosis: Diagnosis, item: Healthy) -> tuple[str, str]:
    """Return the name of a healthy metric and the reason; a reason that begins with the name has none in front."""
    name = label(diagnosis, item.metric)
    metric = metric_of(diagnosis, item.metric)
    if item.why.startswith((name, metric.raw_name if metric and metric.raw_name else name)):
        return "", item.why
    return name, item.why


def action_text(item: Watch) -> str:
    """Return what to do about a watched sign."""
    if not item.otherwise:
        return ""
    return f"if not: {item.otherwise}" if item.sign == "recovery" else f"then: {item.otherwise}"


def arguments(diagnosis: Diagnosis, texts: Sequence[str]) -> list[str]:
    """Return the arguments for a cause; that it explains what broke first is left out where that finding is named."""
    out = [argument(diagnosis, text) for text in texts]
    first = [text for text in out if text.startswith(BROKE_FIRST)]
    named = [place for text in first if (place := _LINE.search(text))]
    said = {place[0] for place in named if any(f"{place[0]})" in text for text in out)}
    return [text for text in out if text not in first or not ((place := _LINE.search(text)) and place[0] in said)]


def argument(diagnosis: Diagnosis, text: str) -> str:
    """Return an argument for a cause; one that repeats a finding names it instead of telling it twice."""
    found = next((f for f in diagnosis.findings if f.summary == text), None)
    if found is None:
        return upper_first(text) if text.split(" ")[0] in {"the", "a", "an"} else text
    where = f", line {found.onset.line}" if found.onset else ""
    return f"{heading(found)} ({found.id}{where})"


# --------------------------------------------------------------------------------------------------------- reading
def reading_text(diagnosis: Diagnosis) -> list[str]:
    """Return how the log was read: coverage, counters, runs, rows that were not judged, issues."""
    reading = diagnosis.reading
    unread = f"{reading.unread_lines:,} lines that look like metrics were not read"
    covered = f"{unread} (coverage {percent(reading.coverage)})" if reading.unread_lines else "all of them read"
    out = [f"{reading.rows:,} rows ({reading.format}) from {reading.metric_lines:,} metric lines, {covered}."]
    siblings = (diagnosis.baseline or {}).get("siblings") or []
    if siblings:
        more = f" and {len(siblings) - 4} more" if len(siblings) > 4 else ""
        out.append(f"Compared with {len(siblings)} sibling runs: {', '.join(map(str, siblings[:4]))}{more}.")
    if len(reading.clocks) > 1:
        out.append("Counters: " + ", ".join(f"{c.name}{' (main)' if c.primary else ''}" for c in reading.clocks) + ".")
    if len(reading.segments) > 1:
        parts = [f"lines {s.first_line}–{s.last_line} ({s.begins})" for s in reading.segments[:6]]
        more = f" and {len(reading.segments) - 6} more" if len(reading.segments) > 6 else ""
        out.append(f"{len(reading.segments)} parts: {', '.join(parts)}{more}.")
    out += _masked(diagnosis)
    out += [f"Line {issue.line}: {issue.text}." if issue.line else f"{issue.text}." for issue in reading.issues[:4]]
    if len(reading.issues) > 4:
        out.append(f"{len(reading.issues) - 4} further remarks of the reader: see --format json.")
    return out


def code_text(item: CodeFact) -> str:
    """Return where something stands in the code, and what."""
    return f"{item.file}, line {item.line}: {item.what}"


def _masked(diagnosis: Diagnosis) -> list[str]:
    """Tell once for each stretch why its rows were not judged."""
    texts: dict[tuple[int, int, int], list[str]] = {}
    own = diagnosis.story.lines or (0, math.inf)
    for masked in diagnosis.reading.masked:
        if masked.last_line < own[0] or masked.first_line > own[1]:
            continue  # another run of this file
        key = (masked.first_line, masked.last_line, masked.rows)
        texts.setdefault(key, []).append(masked.text or masked.reason)
    out = []
    for (first, last, rows), reasons in list(texts.items())[:MASKED]:
        where = f"line {first}" if first == last else f"lines {first}–{last}"
        counted = "1 row" if rows == 1 else f"{rows:,} rows"
        out.append(f"Not judged: {counted} ({where}): {_first_two(reasons)}.")
    return out


def _first_two(reasons: Sequence[str]) -> str:
    different = list(dict.fromkeys(reasons))
    more = f"; {len(different) - 2} more" if len(different) > 2 else ""
    return "; ".join(different[:2]) + more


def setting_name(diagnosis: Diagnosis, item: Setting) -> str:
    """Return what the log calls a hyperparameter; with our name where one line holds two of them."""
    raw = item.raw_name or item.name
    twice = sum((other.raw_name or other.name) == raw for other in diagnosis.hyperparameters) > 1
    return f"{raw}: {item.name}" if twice else raw


def setting_value(item: Setting) -> str:
    """Return the value of a hyperparameter."""
    return _value(item.value)


def setting_place(item: Setting) -> str:
    """Return where a hyperparameter stands."""
    if item.source == "log":
        return f"line {item.line}" if item.line else "log"
    name = item.source.replace("\\", "/").rpartition("/")[2]
    return f"{name}, line {item.line}" if item.line else name
