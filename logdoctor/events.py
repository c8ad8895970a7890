"""Lines that say that something happened: a changed setting, a resume, an error, the end.

One table of patterns; the first that fits a line names its kind. A line is looked at only when a cheap search finds one
of the words that the patterns need, so that rows of numbers cost next to nothing. Lines of one shape (digits apart) are
kept only a limited number of times, a traceback is one event.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from logdoctor.event_patterns import PATTERNS, may_tell
from logdoctor.hyperparameter_names import canonical
from logdoctor.model import Event, Floats, Ints, Segment
from logdoctor.normalise import states, strip_prefix
from logdoctor.segments import Mark

MOST_OF_A_SHAPE = {"alert": 5, "error": 50, "checkpoint": 200, "overflow": 500, "note": 20, "model-load": 50}
"""How often lines that differ only in their digits are kept; changes of a setting are always kept (up to ``MOST``)."""
MOST = 20_000
LONGEST = 4_000
SHAPE = 60
TRACEBACK_LINES = 400

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?")


_LEVEL = re.compile(r"(?:^|[\s\[|:-])(?P<level>ERROR|CRITICAL|FATAL|WARNING)(?=[\s\]|:-])")
_EXCEPTION = re.compile(
    r"^(?:[\w.]+\.)?(?P<name>[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Iteration|Warning))(?::\s*(?P<text>.*))?$"
)


# What Python says of an exception that ends nothing: in a finaliser, or while a line is logged.
_IGNORED = re.compile(r"Exception ignored in\b|-{3} Logging error -{3}")
NEAR = 2  # lines between that and the traceback


class EventScanner:
    """Feed it lines in order, then take :attr:`events`; steps and segments come from :func:`place`."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._events: list[Event] = []
        self._shapes: dict[str, int] = {}
        self._trace: tuple[int, int] | None = None
        self._ignored = -NEAR
        self.left_out = 0

    def feed(self, number: int, text: str) -> None:
        """Look at one line."""
        if self._trace is not None:
            self._in_traceback(number, text)
            return
        if len(text) > LONGEST and "\r" not in text:
            text = text[:LONGEST]
        if not may_tell(text):
            return
        for state in states(text)[-3:] if "\r" in text else (text,):
            if may_tell(state):
                self._line(number, state[:LONGEST])

    def finish(self) -> tuple[Event, ...]:
        """Return the events, in file order."""
        if self._trace is not None:
            self._add(Event(line=self._trace[0], step=None, kind="traceback", name="", text="Traceback (cut off)"))
            self._trace = None
        return tuple(self._events)

    def _line(self, number: int, text: str) -> None:
        whole = states(text)[-1].strip()
        payload = strip_prefix(whole).text.strip()
        if _IGNORED.match(payload):
            self._ignored = number
        if "Traceback (most recent call last)" in payload:
            self._trace = (number, number)
            return
        event = classify(number, payload) or (classify(number, whole) if whole != payload else None)
        if event is None:
            level = _LEVEL.search(text[: max(len(text) - len(payload), 0) + 12])
            if level is not None and level["level"] != "WARNING" and len(payload.split()) >= 2:
                event = Event(line=number, step=None, kind="error", name="logged_error", text=payload)
        if event is not None:
            self._add(event)

    def _in_traceback(self, number: int, text: str) -> None:
        assert self._trace is not None
        start, _ = self._trace
        payload = strip_prefix(states(text)[-1]).text
        match = _EXCEPTION.match(payload.strip())
        if match and not payload.strip().startswith("File "):
            self._trace = None
            self._close_traceback(start, number, match)
        elif number - start > TRACEBACK_LINES:
            self._trace = None
            self._add(Event(line=start, step=None, kind="traceback", text="Traceback (no exception line)"))

    def _close_traceback(self, start: int, number: int, match: re.Match[str]) -> None:
        """Add one event; of exceptions that follow each other the last one is the one that ended the program."""
        if start - self._ignored <= NEAR:
            self._add(Event(line=start, step=None, kind="note", name="ignored_exception", text=match.group()[:LONGEST]))
            return
        text = match.group()
        found = classify(number, text)
        kind = found.kind if found is not None and found.kind in {"oom", "killed"} else "traceback"
        name = match["name"] if kind == "traceback" else (found.name if found else "")
        last = self._events[-1] if self._events else None
        if (
            last is not None
            and last.kind == "traceback"
            and start - last.line <= TRACEBACK_LINES
            and last.value == start
        ):
            self._events.pop()
            start = last.line
        self._add(Event(line=start, step=None, kind=kind, name=name, text=text[:LONGEST]))

    def _add(self, event: Event) -> None:
        shape = f"{event.kind} {_DIGITS.sub('#', event.text)[:SHAPE]}"
        seen = self._shapes.get(shape, 0) + 1
        if len(self._shapes) < MOST:
            self._shapes[shape] = seen
        if len(self._events) >= MOST or seen > MOST_OF_A_SHAPE.get(event.kind, MOST):
            self.left_out += 1
            return
        self._events.append(event)


def classify(number: int, payload: str) -> Event | None:
    """Return the event that a line (without its prefix) tells of, or None."""
    low = payload.lower()
    for pattern in PATTERNS:
        if not any(hint in low for hint in pattern.hints):
            continue
        match = pattern.regex.search(payload)
        if match is None:
            continue
        name = pattern.name if isinstance(pattern.name, str) else pattern.name(match)
        value = pattern.value(match) if pattern.value else None
        if (
            pattern.kind == "hyperparameter-change"
            and canonical(match["name"]) is None
            and not _adjustable(match["name"])
        ):
            continue
        return Event(line=number, step=None, kind=pattern.kind, name=name, value=value, text=payload)
    return None


def _adjustable(name: str) -> bool:
    """Whether words name something that a program adjusts (``noise std``, ``loss scale``), not any sentence."""
    return bool(
        re.search(
            r"\b(?:rate|ratio|scale|coef\w*|weight|noise|size|norm|temperature|momentum|beta|alpha|factor|decay)$",
            name.strip(),
            re.IGNORECASE,
        )
    )


def scan(lines: Iterable[tuple[int, str]]) -> tuple[Event, ...]:
    """Return the events of ``(number, text)`` lines, in file order, without steps (see :func:`place`)."""
    scanner = EventScanner()
    for number, text in lines:
        scanner.feed(number, text)
    return scanner.finish()


def marks(events: Iterable[Event]) -> tuple[Mark, ...]:
    """Return the lines at which a run may begin, for :func:`logdoctor.segments.divide`."""
    found = []
    for event in events:
        if event.kind == "resume":
            found.append(Mark(line=event.line, kind="resume"))
        elif event.kind == "start":
            found.append(Mark(line=event.line, kind="banner"))
    return tuple(found)


def place(
    events: Sequence[Event],
    line: Ints,
    step: Floats,
    segments: Sequence[Segment] = (),
    clock: Sequence[str | None] | None = None,
) -> tuple[Event, ...]:
    """Give each event the step of the record before it, that record's clock, and its segment.

    Args:
        events: events in file order.
        line: line of each record, rising, shape ``(n,)``.
        step: step of each record, NaN where it has none.
        segments: the segments of the file.
        clock: name of each record's clock, None for the primary one.
    """
    known = np.isfinite(step)
    rows = None if bool(known.all()) else np.flatnonzero(known)
    lines = line if rows is None else line[rows]
    firsts = [segment.first_line for segment in segments]
    out = []
    for event in events:
        at = int(np.searchsorted(lines, event.line, side="right")) - 1
        row = at if rows is None or at < 0 else int(rows[at])
        out.append(
            replace(
                event,
                step=float(step[row]) if row >= 0 else None,
                clock=clock[row] if clock is not None and row >= 0 else None,
                segment=segments[max(0, bisect_right(firsts, event.line) - 1)].index if segments else 0,
            )
        )
    return tuple(out)
