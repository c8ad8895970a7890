"""Lines of a shape that was scanned before: one expression instead of the whole scan.

A shape is learnt from a scanned line that came a third time: its numbers become groups, everything else stays literal,
and what was neither value nor counter must be the same again, except inside clock times and brackets. A line that the
expression does not match is scanned as any other, so the result never depends on what was learnt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from logdoctor.parsers._record import Cell, Count, Scan
from logdoctor.values import IS_INF, IS_NAN, NUMBER, OK, to_float

_DIGITS = re.compile(r"\d+")
_SHAPE = re.compile(r"[-+]?\d+")
_BLANKS = re.compile(r"   +")
_NUMBER = re.compile(NUMBER, re.IGNORECASE)
_BRACKET = re.compile(r"\([^()=:]*\)")
_INTEGER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)")
_AS_INTEGER = r"([-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+(?!,\d{3})))"
_AS_DECIMAL = r"([-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)\.\d*|\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?\d+[eE][-+]?\d+)"
_AS_NONFINITE = r"([-+]?(?:nan|NaN|NAN|inf|Inf|INF|infinity|Infinity))"
MOST_SHAPES = 2000
AGAIN = 3
MAX_LENGTH = 4000


class _Slot(NamedTuple):
    """One group of the expression and what its number is: a cell or a counter, times ``scale``."""

    at: int
    counter: bool
    scale: float


class _Shape(NamedTuple):
    expression: re.Pattern[str]
    scan: Scan
    slots: tuple[_Slot, ...]

    def read(self, text: str) -> Scan | None:
        """Return the scan of ``text`` when it has this shape."""
        match = self.expression.fullmatch(text)
        if match is None:
            return None
        cells, counters = list(self.scan.cells), list(self.scan.counters)
        for group, slot in enumerate(self.slots, 1):
            token = match[group]
            value = to_float(token) * slot.scale if slot.scale != 1.0 else to_float(token)
            start, end = match.span(group)
            if slot.counter:
                counters[slot.at] = counters[slot.at]._replace(value=value, start=start, end=end)
                continue
            flag = OK if math.isfinite(value) else IS_NAN if math.isnan(value) else IS_INF
            cell = cells[slot.at]
            cells[slot.at] = Cell(cell.name, value, flag, cell.unit, start, end, cell.phase, cell.title)
        return self.scan._replace(counters=tuple(counters), cells=tuple(cells))


class Recall:
    """Shapes by what is left of a line without its digits."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._shapes: dict[str, list[_Shape]] = {}
        self._seen: dict[str, int] = {}

    def key(self, text: str) -> str:
        """Return what lines of one shape share."""
        return _BLANKS.sub("   ", _SHAPE.sub("0", text))

    def get(self, key: str, text: str) -> Scan | None:
        """Return the scan of ``text`` when its shape is known."""
        for shape in self._shapes.get(key, ()):
            found = shape.read(text)
            if found is not None:
                return found
        return None

    def learn(self, key: str, text: str, found: Scan, free: Iterable[tuple[int, int]]) -> None:
        """Remember the shape of a scanned line that came often enough; ``free`` are spans of clock times and bars."""
        if not found.cells or found.shares or len(text) > MAX_LENGTH or len(self._seen) > MOST_SHAPES:
            return
        times = self._seen.get(key, 0) + 1
        self._seen[key] = times
        if times < AGAIN or times > AGAIN + 4:
            return
        shape = _shape(text, found, list(free))
        if shape is not None and shape.read(text) == found:
            self._shapes.setdefault(key, []).insert(0, shape)


def _shape(text: str, found: Scan, free: list[tuple[int, int]]) -> _Shape | None:
    places = _places(text, found)
    if places is None:
        return None
    totals = _totals(text, found)
    if totals is None:
        return None
    free = [span for span in free if not any(span[0] < end and start < span[1] for start, end in totals)] + _around(
        free, totals
    )
    free += [match.span() for match in _BRACKET.finditer(text)]
    out, at, slots = [], 0, []
    for start, end, pattern, slot in places:
        if start < at:
            return None
        out.append(_literal(text, at, start, free))
        out.append(pattern)
        slots.append(slot)
        at = end
    out.append(_literal(text, at, len(text), free))
    return _Shape(re.compile("".join(out)), found, tuple(slots))


def _totals(text: str, found: Scan) -> list[tuple[int, int]] | None:
    """Return where the totals of the counters stand: they are part of the shape."""
    out = []
    for count in found.counters:
        if count.total is None:
            continue
        match = _TOTAL.match(text, count.end)
        if match is None or to_float(match.group(1)) != count.total:
            return None
        out.append(match.span(1))
    return out


_TOTAL = re.compile(r"[^\d]{0,12}?(\d[\d,]*(?:\.\d+)?)")


def _around(free: list[tuple[int, int]], totals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is left of free spans when the totals inside them are taken out."""
    out = []
    for start, end in free:
        inside = sorted(span for span in totals if start < span[1] and span[0] < end)
        for first, last in inside:
            out.append((start, first))
            start = last
        if inside:
            out.append((start, end))
    return out


def _places(text: str, found: Scan) -> list[tuple[int, int, str, _Slot]] | None:
    """Return where each value stands, in order; None when one is not printed as a plain number."""
    out = []
    items: list[tuple[Cell | Count, int, bool]] = [(cell, at, False) for at, cell in enumerate(found.cells)]
    items += [(count, at, True) for at, count in enumerate(found.counters)]
    for item, at, counts in items:
        match = _NUMBER.match(text, item.start) if item.start >= 0 else None
        if match is None:
            return None
        number = to_float(match.group())
        scale = 1.0
        if math.isfinite(number) and number and number != item.value:
            scale = item.value / number
            if scale not in (1e3, 1e6, 1e9, 1e12):
                return None
        elif math.isfinite(number) and number != item.value:
            return None
        out.append((item.start, match.end(), _pattern(match.group()), _Slot(at, counts, scale)))
    return sorted(out)


def _pattern(token: str) -> str:
    if _INTEGER.fullmatch(token):
        return _AS_INTEGER
    return _AS_DECIMAL if any(ch.isdigit() for ch in token) else _AS_NONFINITE


def _literal(text: str, start: int, end: int, free: list[tuple[int, int]]) -> str:
    """Write a stretch of the line as an expression: digits literal unless free, long runs of blanks alike."""
    out, at = [], start
    for run in _DIGITS.finditer(text, start, end):
        if any(first <= run.start() and run.end() <= last for first, last in free):
            out.append(_blanks(text[at : run.start()]))
            out.append(r"\d+")
            at = run.end()
    out.append(_blanks(text[at:end]))
    return "".join(out)


def _blanks(text: str) -> str:
    # One blank, two, and three or more mean different things to the scan; more than three mean what three mean.
    return re.sub(r"(?:\\ ){3,}", "\\\\ {3,}", re.escape(text))
