"""What a line does to the assembler: the record it makes, the counters it sets, the state it leaves behind.

The fast path knows nothing of grammars. It watches the assembler read lines one by one: which state it was in, which
record came out, which counters changed, and where in the text each of these numbers stands. Lines of one shape that did
the same thing in the same state will do it again.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

from logdoctor.fastpath.template import TOKEN
from logdoctor.normalise import states, strip_prefix
from logdoctor.parsers._assembler import Assembler, Key, Record
from logdoctor.parsers._record import Cell, Count
from logdoctor.parsers.columns import Header
from logdoctor.values import IS_INF, IS_NAN, MISSING, UNREADABLE, parse

#: What the assembler collects; everything else of it is state.
_OUTPUT = frozenset({"records", "issues", "orphans", "headers", "grammars", "anchors"})
_TOKEN = re.compile(TOKEN.pattern.decode())
_QUOTED = r"""(?P<q>['"]){name}(?P=q)\s*:\s*['"]?(?P<value>[^\s,'"}}\]]+)"""


class Busy(Exception):  # noqa: N818 - not an error: the assembler is in the middle of a record
    """The assembler holds an open box or bar: what the next line does depends on more than its shape."""


#: Line number of cells that stand in for cells read in bulk.
ELSEWHERE = -1


def state_of(assembler: Assembler) -> Hashable:
    """Return what decides how the next line is read, values of counters apart.

    Raises:
        Busy: a box or a bar is open.
    """
    return tuple((name, _frozen(name, value)) for name, value in vars(assembler).items() if name not in _OUTPUT)


def _frozen(name: str, value: Any) -> Hashable:
    if isinstance(value, Record):
        if name != "_block":
            raise Busy
        # The next line asks which names an open block holds, never for their values.
        names = (tuple(value.context), tuple(count.name for count in value.latest))
        return (value.grammar, value.header, value.bar, value.anchored, tuple(value.cells), names)
    if isinstance(value, Count):
        return (value.name, value.total)
    if isinstance(value, Header):
        # Rows are counted in the header; only whether there were any, and a second one, is ever asked.
        return (id(value), min(value.rows, 2), len(value.joins))
    if isinstance(value, dict):
        return tuple((key, _frozen(name, item)) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return tuple(_frozen(name, item) for item in value)
    if name == "_blank":
        return min(int(value), 4)
    return value if isinstance(value, Hashable) else id(value)


def snapshot(assembler: Assembler) -> dict[str, Any]:
    """Return a copy of the state for :func:`restore`."""
    return {
        name: _emptied(value)
        if isinstance(value, Record)
        else value.copy()
        if isinstance(value, (list, dict))
        else value
        for name, value in vars(assembler).items()
        if name not in _OUTPUT
    }


def _emptied(record: Record) -> Record:
    """Return a stand-in for a block whose cells were, or will be, handed over: it knows their names alone."""
    cells = {key: (Cell(cell.name, math.nan, MISSING), ELSEWHERE) for key, (cell, _) in record.cells.items()}
    return replace(record, cells=cells)


def restore(assembler: Assembler, saved: Mapping[str, Any], counters: Mapping[str, Count], block_line: int) -> None:
    """Put the assembler into a saved state, with the counters printed last and the first line of an open block."""
    for name, value in saved.items():
        if isinstance(value, Record):
            block = _emptied(value)
            block.line = block_line
            block.context = _current(value.context, counters)
            block.latest = _current(value.latest, counters)
            setattr(assembler, name, block)
        else:
            setattr(assembler, name, _current(value, counters))


def without_stand_ins(record: Record) -> Record | None:
    """Return the record without cells that were read in bulk, None when nothing is left."""
    if all(line != ELSEWHERE for _, line in record.cells.values()):
        return record
    cells = {key: item for key, item in record.cells.items() if item[1] != ELSEWHERE}
    return replace(record, cells=cells) if cells else None


def _current(value: Any, counters: Mapping[str, Count]) -> Any:
    if isinstance(value, dict):
        return {key: counters.get(key, item) if isinstance(item, Count) else item for key, item in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "_fields") and any(isinstance(item, Count) for item in value):
        return tuple(counters.get(item.name.lower(), item) if isinstance(item, Count) else item for item in value)
    return value.copy() if isinstance(value, list) else value


class CellKind(NamedTuple):
    """A cell without its value; ``below`` is how many lines it stands below the record's first line."""

    key: Key
    name: str
    unit: str | None
    flag: str
    below: int


class Effect(NamedTuple):
    """What lines of one shape do in one state.

    Attributes:
        record: whether a record comes out (else only counters are set, or nothing happens).
        head: the rest of the record, as a key (grammar, header, bar, anchored ...).
        counters: name and total of the record's own counters.
        context: names of the counters above, of which the own ones are left out (but not below an anchor).
        latest: names of the counters last printed above.
        cells: the cells in the order printed.
        sets: counters that the lines set: key, name and total.
        slots: for each number of the shape what it is: ``("counter", i)``, ``("cell", i)`` or ``("sets", i)``.
        first: how many lines below the first line of the shape the record begins.
        piece: ``""``, or for lines of a block ``"opens"`` and ``"joins"``: their cells belong to the record that began
            at the line that opened the block last.
    """

    record: bool
    head: Hashable = ()
    counters: tuple[tuple[str, float | None], ...] = ()
    context: tuple[tuple[str, str, float | None], ...] = ()
    latest: tuple[tuple[str, float | None], ...] = ()
    cells: tuple[CellKind, ...] = ()
    sets: tuple[tuple[str, str, float | None], ...] = ()
    slots: tuple[tuple[str, int], ...] = ()
    first: int = 0
    piece: str = ""

    @property
    def names(self) -> Hashable:
        """What must agree before digits of the text may be taken as free: all names, and the totals."""
        cells = tuple((cell.name, cell.key.raw, cell.unit, cell.flag) for cell in self.cells)
        return (self.record, self.piece, self.counters, cells, self.sets)


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation: lines, the spans of their numbers (in bytes of ``text``), values, effect and model record."""

    text: bytes
    spans: tuple[tuple[int, int], ...]
    values: tuple[float, ...]
    effect: Effect
    record: Record | None


def observe(
    lines: Sequence[str],
    raw: bytes,
    number: int,
    record: Record | None,
    piece: str,
    before: Mapping[str, Count],
    after: Mapping[str, Count],
) -> Seen | None:
    """Describe what the lines from line ``number`` on did, None when it cannot be told from their text.

    Args:
        lines: the text of the lines.
        raw: the same in bytes, with line ends.
        number: of the first line.
        record: the record that came out, if any, or what was added to a block.
        piece: see :class:`Effect`.
        before: counters in force before.
        after: counters in force after.
    """
    if any(states(line) != [line] for line in lines):
        return None
    place = _Places(lines, raw)
    found: list[tuple[tuple[int, int], float, tuple[str, int]]] = []
    own: dict[int, int] = {}
    if record is not None:
        for i, count in enumerate(record.counters):
            own[id(count)] = i
            span = place.of(count, None, count.name)
            if span is None:
                return None
            found.append((span, count.value, ("counter", i)))
        for i, (key, (cell, line)) in enumerate(record.cells.items()):
            if cell.flag in (MISSING, UNREADABLE):
                continue
            span = place.of(cell, line - number, key.raw)
            if span is None:
                return None
            found.append((span, cell.value, ("cell", i)))
    changed = {key: count for key, count in after.items() if before.get(key) is not count}
    sets: list[tuple[str, str, float | None]] = []
    for name, count in changed.items():
        if id(count) not in own:
            span = place.of(count, None, count.name)
            if span is None:
                return None
            found.append((span, count.value, ("sets", len(sets))))
        sets.append((name, count.name, count.total))
    found.sort()
    if any(a[0][1] > b[0][0] for a, b in pairwise(found)):
        return None
    effect = _effect(record, number, tuple(sets), tuple(item[2] for item in found))._replace(piece=piece)
    return Seen(raw, tuple(item[0] for item in found), tuple(item[1] for item in found), effect, record)


def _effect(record: Record | None, number: int, sets: Any, slots: tuple[tuple[str, int], ...]) -> Effect:
    if record is None:
        return Effect(record=False, sets=sets, slots=slots)
    # Below an anchor the counters above decide the step; else they are those of the record before: its own are better.
    own = set() if record.anchored else {count.name.lower() for count in record.counters}
    return Effect(
        record=True,
        head=(record.grammar, record.header, record.bar, record.anchored),
        counters=tuple((count.name, count.total) for count in record.counters),
        context=tuple((key, count.name, count.total) for key, count in record.context.items() if key not in own),
        # Where they are those of the record itself, its own values are at hand.
        latest=()
        if own and own == {count.name.lower() for count in record.latest}
        else tuple((count.name, count.total) for count in record.latest),
        cells=tuple(
            CellKind(key, cell.name, cell.unit, _lasting(cell.flag), line - record.line)
            for key, (cell, line) in record.cells.items()
        ),
        sets=sets,
        slots=slots,
        first=record.line - number,
    )


def _lasting(flag: str) -> str:
    """Return a flag that a shape decides; whether a number is finite is told by its value."""
    return flag if flag in (MISSING, UNREADABLE) else ""


class _Places:
    """Finds where numbers stand in some lines."""

    def __init__(self, lines: Sequence[str], raw: bytes) -> None:
        self.lines = lines
        self.starts = [0]
        for line in raw.split(b"\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.shifts = [(0, strip_prefix(line).start) for line in lines]
        self.used: set[tuple[int, int]] = set()

    def of(self, item: Cell | Count, below: int | None, name: str) -> tuple[int, int] | None:
        """Return the span of a number in bytes, None when it is not found."""
        last = name.rsplit("/", 1)[-1]
        several = below is None and len(self.lines) > 1
        where = range(len(self.lines)) if below is None else (below,)
        for index in where:
            if several and last not in self.lines[index]:
                continue
            span = self._stated(index, item) if item.start >= 0 else self._named(index, item, name)
            if span is not None:
                self.used.add((index, span[0]))
                return self._bytes(index, span)
        return None

    def _stated(self, index: int, item: Cell | Count) -> tuple[int, int] | None:
        line = self.lines[index]
        for shift in self.shifts[index]:
            a, b = item.start + shift, item.end + shift
            if b <= len(line) and _means(line[a:b], item.value):
                return _narrowed(line, a, b, item.value)
        return None

    def _named(self, index: int, item: Cell | Count, name: str) -> tuple[int, int] | None:
        """Find ``"name": value`` in an object; of a nested name the last part is printed."""
        pattern = _QUOTED.format(name=re.escape(name.rsplit("/", 1)[-1]))
        for match in re.finditer(pattern, self.lines[index]):
            span = match.span("value")
            if (index, span[0]) not in self.used and _means(match["value"], item.value):
                return _narrowed(self.lines[index], *span, item.value)
        return None

    def _bytes(self, index: int, span: tuple[int, int]) -> tuple[int, int]:
        line = self.lines[index]
        start = self.starts[index]
        if line.isascii():
            return start + span[0], start + span[1]
        return start + len(line[: span[0]].encode()), start + len(line[: span[1]].encode())


def _narrowed(line: str, start: int, end: int, value: float) -> tuple[int, int]:
    """Leave a unit or a percent sign that the parsers took with the number to the text around it."""
    match = _TOKEN.match(line, start, end)
    if match is None or match.end() == end:
        return start, end
    whole = match["suffix"] == "" or not _same(parse(match["number"]).value, value)
    stop = match.end() if whole else match.end("number")
    return (start, stop) if _same(parse(line[start:stop]).value, value) else (start, end)


def _means(token: str, value: float) -> bool:
    try:
        if float(token) == value:
            return True
    except ValueError:
        pass
    return bool(token) and (_same(parse(token).value, value) or _same(parse(token, count=True).value, value))


def _same(one: float, other: float) -> bool:
    return struct.pack("<d", one) == struct.pack("<d", other) or (math.isnan(one) and math.isnan(other))


def record_of(
    effect: Effect,
    model: Record,
    line: int,
    counters: Sequence[float],
    cells: Sequence[float],
    context: Mapping[str, float],
) -> Record:
    """Return a record like ``model`` with other numbers: what the assembler would have made of the line."""
    own = tuple(Count(name, value, total) for (name, total), value in zip(effect.counters, counters, strict=True))
    above = {key: Count(name, context[key], total) for key, name, total in effect.context}
    mine = {count.name.lower(): count for count in own}
    values = iter(cells)
    found = {}
    for kind in effect.cells:
        value = math.nan if kind.flag else next(values)
        flag = kind.flag or (IS_NAN if math.isnan(value) else IS_INF if math.isinf(value) else "")
        found[kind.key] = (Cell(kind.name, value, flag, kind.unit), line + kind.below)
    merged = {**mine, **above}
    latest = tuple(
        Count(name, merged[name.lower()].value if name.lower() in merged else math.nan, total)
        for name, total in effect.latest
    )
    return replace(
        model,
        line=line,
        counters=own,
        context={key: merged[key] for key in model.context if key in merged},
        latest=latest,
        cells=found,
    )
