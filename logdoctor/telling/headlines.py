"""The one sentence that the owner of a run would repeat: what happened, with its figure and its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from logdoctor.model import Diagnosis, Event, Finding, Place
from logdoctor.rules._course import course
from logdoctor.rules._outcome import label
from logdoctor.telling.incidents import Incident, impact
from logdoctor.telling.stretches import head, tail
from logdoctor.telling.turning_points import begins, event_text, first_line
from logdoctor.view import LEAST_ROWS, RunView, runs_of
from logdoctor.wording import change, counted, lower_first, number, rounded, steps, unit_word

LONGEST = 240  # characters; a longer sentence is not repeated by anybody
_CLAUSES = re.compile(r"; (?![^(]*\))|\. (?=[A-Z])")  # not inside of parentheses
_LINE = re.compile(r" \(line [\d,]+\)")
_CITED = re.compile(r"\b([^\W\d][\w/]*) (\d[\d,]*(?:\.\d+)?) \(line [\d,]+\)")  # frame 50,731,928 (line 1300)
_ASIDE = re.compile(
    r" \((?:best|smallest|largest|first|last|around|about|from|at|until)\b[^()]*\b\w+ [\d.,]+[kMGT]?[^()]*\)"
)
_PLACE = re.compile(
    r" \((?:frame|step|epoch|iter|iteration|update|episode|batch|\w*timesteps?|[^\W\d]\w*/\w+) [\d.,]+[kMGT]?\)"
)
_LONG = re.compile(
    r"-?\d[\d,]{9,}(?:\.\d+)? \((-?[\d.]+ × 10[⁰¹²³⁴⁵⁶⁷⁸⁹]+)\)"
)  # all digits, then the same as a power of ten
_LINES = re.compile(r"\bline ([\d,]+)")
_BEFORE_IT = re.compile(r"( at (\w+ \d(?:[\d.,]*\d)?[kMGT]?)(?![\w.]).*?) before \2(?![\w.])")  # one place, told twice
_ENDS = re.compile(r",? and ends at -?[\d.,]*\d(?=, |$)")  # no comma inside of the number
_PLACED = re.compile(r"\b(?:line|[^\W\d][\w/]* [\d,.]+ \(line) ?\d", re.IGNORECASE)


def headline(
    view: RunView, diagnosis: Diagnosis, incidents: Sequence[Incident], event: Event | None, span: tuple[int, int]
) -> str:
    """Return the headline of a diagnosis; of a file with several runs it says which one."""
    text = _headline(view, diagnosis, incidents, event, span)
    runs = runs_of(view.run)
    if len(runs) < 2 or view.segments not in runs:
        return text
    which = f"Run {runs.index(view.segments) + 1} of {len(runs)} in this file (lines {span[0]}–{span[1]})"
    return f"{which}: {lower_first(text)}"


def _headline(
    view: RunView, diagnosis: Diagnosis, incidents: Sequence[Incident], event: Event | None, span: tuple[int, int]
) -> str:
    if diagnosis.verdict == "inconclusive":
        return _no_judgement(view, diagnosis)
    if not incidents:
        return _all_well(view)
    incident = incidents[0]
    main = incident.main
    text = clause(main.summary, words=_words(view))
    if main.onset is not None and begins(view, main) and not _PLACED.search(_CLAUSES.split(main.summary)[0]):
        text += f", from {_short_place(view, main.onset)} on"
    if event is not None:
        onset = main.onset or Place(line=first_line(view, incident))
        gap = _gap(view, event, onset)
        text += f", {gap} after {event_text(view, event, span)}" if gap else f", after {event_text(view, event, span)}"
    for other in _more(view, incident, incidents[1:]):
        longer = f"{text}; {other}"
        if len(longer) < LONGEST:
            text = longer
            break
    return f"{text}."


def clause(summary: str, index: int = 0, words: Mapping[str, str] | None = None) -> str:
    """Return one clause of a summary without the asides that only say where a figure stands; empty if there is none.

    ``words`` maps the name of a counter, in lower case, to what one reading of it is called.
    """
    clauses = _CLAUSES.split(summary.rstrip(". "))
    if index >= len(clauses):
        return ""
    names = words or {}
    text = _CITED.sub(
        lambda match: f"{names.get(match[1].lower(), match[1])} {steps(float(match[2].replace(',', '')))}",
        clauses[index],
    )
    text = _LONG.sub(r"\1", text)
    text = _BEFORE_IT.sub(r"\1 before", text)
    text = _ENDS.sub("", _PLACE.sub("", _ASIDE.sub("", _LINE.sub("", text)))).strip().rstrip(".,:;")
    while len(text) > LONGEST and ", " in text:
        text = text.rsplit(", ", 1)[0]
    return text


def _more(view: RunView, incident: Incident, rest: Sequence[Incident]) -> Iterator[str]:
    """Yield what may stand in second place: what followed at once, another critical finding, another event."""
    main = incident.main
    words = _words(view)
    second = clause(main.summary, 1, words)
    name = label(view.performance.series) if view.performance else ""
    others = [f for f in incident.findings if f is not main and f.metrics[:1] != main.metrics[:1]]
    if second.startswith("then "):
        yield second
    yield from _earlier(main, others, words)
    if name and second.startswith(name):
        yield second
    graver = sorted((f for f in others if f.severity == "critical"), key=impact)
    lost = [f for f in others if f.name == "performance-collapse" and f not in graver]
    for finding in (*graver, *lost, *(item.main for item in rest if item.severity == incident.severity)):
        yield re.sub(r"^(The|A|An) ", lambda match: match.group().lower(), clause(finding.summary, words=words))
    if second and not second.lower().startswith("the fall begins"):  # that is the place, and it is said already
        yield lower_first(second)


def _earlier(main: Finding, others: Sequence[Finding], words: Mapping[str, str]) -> Iterator[str]:
    """A critical finding that was over before the one that names the event began: it could have been seen earlier."""
    for finding in sorted((f for f in others if f.severity == "critical" and f.onset), key=_onset_line):
        told = _CLAUSES.split(finding.summary)[0]
        lines = [int(number.replace(",", "")) for number in _LINES.findall(told)]
        if main.onset is not None and lines and max(*lines, _onset_line(finding)) < main.onset.line:
            text = re.sub(r"^(The|A|An) ", lambda match: match.group().lower(), clause(finding.summary, words=words))
            yield f"earlier, {text.split(', below the random base')[0]}"


def _onset_line(finding: Finding) -> int:
    return finding.onset.line if finding.onset else 0


def _words(view: RunView) -> dict[str, str]:
    return {clock.name.lower(): unit_word(clock) for clock in view.run.reading.clocks}


def _short_place(view: RunView, place: Place) -> str:
    word = _word(view, place.clock)
    return f"line {place.line}" if place.step is None or word == "line" else f"{word} {steps(place.step)}"


def _word(view: RunView, name: str | None) -> str:
    clocks = view.run.reading.clocks
    return unit_word(next((c for c in clocks if (c.primary if name is None else c.name == name)), None))


def _gap(view: RunView, event: Event, onset: Place) -> str:
    word = _word(view, onset.clock)
    if event.step is None or onset.step is None or event.clock != onset.clock or onset.step <= event.step:
        return ""
    return "" if word == "line" else f"{counted(onset.step - event.step, word)}"


def _all_well(view: RunView) -> str:
    went = course(view)
    if went is None:
        return "No fault was found."
    name, first, last = label(went.series), went.start, went.end
    moved = change(first, last)
    figures = f"from {rounded(first)} to {rounded(last)}{f' ({moved})' if moved else ''}"
    if went.rose:
        verb = "fell" if last < first else "rose"
        if went.late < 0 and went.better(went.best, last):
            return (
                f"No fault was found; {name} {verb} {figures}{_length(view)}, after {rounded(went.best)} at its best."
            )
        return f"Nothing is wrong: {name} {verb} {figures}{_length(view)}."
    if went.at_top:
        return f"No fault was found; {name} stands at {rounded(last)}, with little left to rise to{_length(view)}."
    return f"No fault was found; {name} keeps the level that it had when the log began, {figures}{_length(view)}."


def _length(view: RunView) -> str:
    first, last = view.span
    word = _word(view, None)
    if word == "line" or last <= first:
        return f" over {view.rows:,} rows"
    return f" over {counted(last - first, word)}"


def _no_judgement(view: RunView, diagnosis: Diagnosis) -> str:
    performance = view.performance
    if not diagnosis.judgeable:
        return "No judgement: no metric has three values or more."
    if performance is None:
        return (
            f"No judgement: {view.rows:,} rows were read, and none of their metrics says how well the run does "
            "what it is for (a return, an accuracy, a validation loss)."
        )
    series = performance.series
    if len(series) < LEAST_ROWS:
        return (
            f"No judgement: {label(series)} has {len(series)} values; at least {LEAST_ROWS} are needed "
            "to tell a trend from noise."
        )
    if float(np.ptp(series.value)) == 0:
        return f"No judgement: {label(series)} is {number(float(series.value[0]))} in every row."
    went = course(view)
    first, last = (went.start, went.end) if went is not None else (head(series), tail(series))
    ends = f"from {rounded(first)} to {rounded(last)}"
    if went is not None and went.fell and not went.sank:
        return (
            f"No judgement: {label(series)} went {ends} in {len(series)} values, after {rounded(went.best)} at its"
            " best. That is no good sign, and no fault is proven by it."
        )
    if went is not None and went.sank:
        return (
            f"No judgement: {label(series)} went {ends} in {len(series)} values. That is no good sign, and no fault is "
            "proven by it."
        )
    if first == last:
        return (
            f"No judgement: {label(series)} stands at {number(last)} in {len(series)} values, and nothing in the log "
            "says whether that is as good as it can be."
        )
    return f"No judgement: in {len(series)} values of {label(series)}, {ends}, a change cannot be told from noise."
