"""Drives the assembler and the scanner over a log: known shapes in bulk, everything else line by line, in order.

State of the assembler (which header is in force, which titles stand above ...) decides what a line means, so a shape is
used only in a state in which the assembler was seen to read it, and what the shape leads to is part of what was learnt.
Whether a stretch of matched lines is a path through known states is decided for all of them at once; the first line off
that path goes to the assembler.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logdoctor.fastpath.effects import (
    ELSEWHERE,
    Busy,
    Effect,
    Seen,
    observe,
    record_of,
    restore,
    snapshot,
    state_of,
    without_stand_ins,
)
from logdoctor.fastpath.held import Held, held
from logdoctor.fastpath.numbers import Floats
from logdoctor.fastpath.scan import Rows as Matched
from logdoctor.fastpath.scan import Scan, Scanner, line_starts
from logdoctor.fastpath.template import Sample, Template, learn, same_floats, shape_of
from logdoctor.fastpath.window import Window
from logdoctor.model import Bools, Ints
from logdoctor.parsers._assembler import Assembler, Record
from logdoctor.parsers._record import Count

BLOCK = 4 << 20
"""Bytes matched in one go: enough that the cost of a call is small beside its work, few enough for the caches."""
LEAST_SAMPLES = 4
MOST_SAMPLES = 64
MOST_GROUPS = 1000
"""Shapes that are remembered (about 30 kB each); the rare ones make room for others when there are more."""
MOST_TEMPLATES = 256
MOST_STATES = 500
LONGEST_RECORD = 64
FIRST_LINES = 96
RESCAN_AFTER = 64
DENSE = 3
"""A line with as many values is a row of numbers and tells no event."""
TOLD = 16
"""Samples of a shape that are asked whether they tell of an event."""
CHECKED = 0.25
"""Share of the pieces of a log in which one record of an effect is read a second time, besides the first piece."""
QUIET_LINES = 32
"""Lines of one shape without a record that are still handed to the scanners of events and settings."""

NOWHERE = -1
WATCHED = 1024
"""Observations made before they must have paid."""


class Distrust(Exception):  # noqa: N818 - a decision, not a fault of the input
    """A line read in bulk differs from what the assembler makes of it: ``effect`` must be read line by line."""

    def __init__(self, text: str, effect: Effect | None) -> None:
        """Take what is told, and whose record it is."""
        super().__init__(text)
        self.effect = effect


@dataclass(slots=True)
class Known:
    """A shape and what it does: state -> (state behind it, effect), and the samples that taught it."""

    samples: list[Sample] = field(default_factory=list)
    template: Template | None = None
    moves: dict[int, tuple[int, Effect] | None] = field(default_factory=dict)
    models: dict[Effect, Record | None] = field(default_factory=dict)
    taught: int = 0
    told: int = 0
    telling: int = 0
    shown: int = 0


@dataclass(slots=True)
class _Open:
    """What was seen since the last known state."""

    line: int
    state: int
    counters: dict[str, Count]
    texts: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    pieces: list[tuple[str, Record]] = field(default_factory=list)
    quiet: bool = True


@dataclass(frozen=True, slots=True)
class Bulk:
    """Records of one effect, in file order.

    ``line`` is the first line of each record, shape ``(n,)``; ``row`` is the same but for pieces of a block, which
    belong to the record that begins at line ``row``.
    """

    effect: Effect
    model: Record
    line: Ints
    row: Ints
    counters: list[Floats]
    cells: list[Floats]
    context: dict[str, Held]


class Driver:
    """Reads blocks of a log. ``single`` and ``bulk`` are called with what was read, in file order within each."""

    def __init__(
        self,
        assembler: Assembler,
        single: Callable[[Record], None],
        bulk: Callable[[Bulk], None],
        other: Callable[[int, str], None],
        tells: Callable[[str], int],
        begins: Callable[[int, int, int], None] | None = None,
        alone: Set[Effect] = frozenset(),
        own: Callable[[Sequence[tuple[int, str]]], Set[int]] | None = None,
    ) -> None:
        """Take the assembler, who wants records and lines without one, and how many lines like one are of interest.

        Records of the effects ``alone`` are never read in bulk; ``own`` takes lines and says which it has read.
        """
        self.assembler, self.single, self.bulk, self.other, self.tells = assembler, single, bulk, other, tells
        self.begins = begins or _ignore
        self.alone = alone
        self.own = own
        self.scanner = Scanner()
        self.groups: dict[Hashable, Known] = {}
        self.known: dict[int, Known] = {}
        self.states: dict[Hashable, int] = {}
        self.saved: list[dict[str, Any]] = []
        self.counters: dict[str, Count] = {}
        self.line = 1
        self.fast_lines = 0
        self._random = random.Random(0)  # the same rows are checked in every run
        self.checked: set[Effect] = set()
        self._state = self._number()
        self._open: _Open | None = None
        self.block_line = 0
        self._fed = 0
        self._watched = 0
        self._fresh = False

    # ------------------------------------------------------------------------------------------------ states
    def _number(self) -> int:
        """Return the number of the assembler's state, :data:`NOWHERE` inside a record."""
        try:
            state = state_of(self.assembler)
        except Busy:
            return NOWHERE
        number = self.states.get(state)
        if number is None:
            if len(self.states) >= MOST_STATES:
                return NOWHERE
            number = self.states[state] = len(self.states)
            self.saved.append(snapshot(self.assembler))
        return number

    # ------------------------------------------------------------------------------------------------ blocks
    def read(self, blocks: Iterable[bytes]) -> None:
        """Read all blocks (each ends at a line end, the last one may not) and close the assembler."""
        # The first pieces are small: shapes are learnt from few lines.
        size, wanted = 0, BLOCK >> 2
        for block in blocks:
            if size >= wanted:
                size, wanted = self._walk(last=False), min(BLOCK, 2 * wanted)
            size = self.scanner.add(block)
        self._walk(last=True)
        self.assembler.finish()
        self._drain()

    def _walk(self, *, last: bool) -> int:
        """Read what was added to the work buffer; return how many bytes are left in it for the next time."""
        walk = _Walk(self, self.scanner.window(), last)
        walk.run()
        return self.scanner.add(walk.raw(walk.count, walk.starts.size - 1))

    def _drain(self, block: Record | None = None) -> list[Record]:
        """Hand over the records that came out; return them without ``block``, which was read before."""
        records = self.assembler.records
        out = list(records)
        records.clear()
        for record in out:
            whole = without_stand_ins(record)
            if whole is not None:
                self.single(whole)
        return [record for record in out if record is not block]

    def chance(self, share: float) -> bool:
        """Whether one of many is picked."""
        return self._random.random() < share

    def flush(self) -> None:
        """Hand over what an open block holds: its next cells are read in bulk."""
        block, self.assembler._block = self.assembler._block, None
        if block is not None:
            self.assembler.records.append(block)
            self._drain()

    def slow(self, first: int, lines: list[str], raw: bytes) -> None:
        """Read lines with the assembler, from line number ``first`` on, and learn from what it does."""
        start = 0
        read = self.own(list(enumerate(lines, first))) if self.own else frozenset()
        for number, text in enumerate(lines, first):
            stop = raw.index(b"\n", start) + 1 if raw.find(b"\n", start) >= 0 else len(raw)
            if number not in read:
                self._slow(number, text, raw[start:stop])
            start = stop

    def _slow(self, number: int, text: str, raw: bytes) -> None:
        assembler = self.assembler
        before, state, block = assembler._context, self._state, assembler._block
        held = 0 if block is None else len(block.cells)
        noted = (len(assembler.issues), len(assembler.orphans))
        assembler.feed(number, text)
        records = self._drain(block)
        self._state = self._number()
        quiet = (len(assembler.issues), len(assembler.orphans)) == noted
        self.other(number, text)
        if self._open is None:
            if state == NOWHERE or not self._worth_watching():
                return
            self._open = _Open(number, state, before)
        watched = self._open
        watched.texts.append(text)
        watched.raw.append(raw)
        watched.records += records
        watched.quiet &= quiet
        piece = self._piece(number, block, held)
        if piece is not None:
            watched.pieces.append(piece)
        if self._state != NOWHERE:
            self._learn(watched)
            self._open = None
        elif len(watched.texts) > LONGEST_RECORD:
            self._open = None

    def _worth_watching(self) -> bool:
        """Watch the first lines, then one in sixteen as long as few lines are read in bulk."""
        self._fed += 1
        return self._watched < WATCHED + self.fast_lines // 8 or self._fed % 16 == 0

    def _piece(self, number: int, before: Record | None, held: int) -> tuple[str, Record] | None:
        """Return what a line added to a block."""
        block = self.assembler._block
        if block is None or (block is before and len(block.cells) == held):
            return None
        cells = list(block.cells.items())[held if block is before else 0 :]
        return ("joins" if block is before else "opens"), replace(block, line=number, cells=dict(cells))

    # ------------------------------------------------------------------------------------------------ learning
    def _learn(self, watched: _Open) -> None:
        """Take the lines since the last known state as one observation."""
        self._watched += 1
        raw = b"".join(watched.raw)
        after = self.assembler._context
        self.counters.update(after)
        made = len(watched.records) + len(watched.pieces)
        if not watched.quiet or made > 1 or len(raw) > 1 << 16 or not raw.endswith(b"\n"):
            return
        if watched.pieces and len(watched.texts) > 1:
            return
        texts = watched.texts
        if any(piece.rstrip(b"\r\n") != text.encode() for piece, text in zip(watched.raw, texts, strict=True)):
            return
        kind, record = watched.pieces[0] if watched.pieces else ("", watched.records[0] if watched.records else None)
        seen = observe(texts, raw, watched.line, record, kind, watched.counters, after)
        if seen is not None:
            self._take(seen, watched.state, texts)

    def _take(self, seen: Seen, state: int, texts: list[str]) -> None:
        sample = Sample(seen.text, seen.spans, seen.effect.names, seen.values)
        shape = shape_of(sample)
        if shape is None or seen.effect in self.alone:
            return
        group = self.groups.get(shape)
        if group is None:
            if len(self.groups) >= MOST_GROUPS:
                self.groups = {shape: known for shape, known in self.groups.items() if known.told >= LEAST_SAMPLES}
            if len(self.groups) >= MOST_GROUPS:
                return
            group = self.groups[shape] = Known()
        move = (self._state, seen.effect)
        if state not in group.moves:
            group.moves[state] = move
        elif group.moves[state] != move:
            group.moves[state] = None  # the shape does not decide what happens here
        group.models.setdefault(seen.effect, seen.record)
        if group.told < TOLD:
            group.telling = max([group.telling, *(self.tells(text) for text in texts)])
        group.told += 1
        if len(group.samples) < MOST_SAMPLES:
            group.samples.append(sample)
        else:
            group.samples[group.told % MOST_SAMPLES] = sample
        self._fresh = True
        if group.told >= LEAST_SAMPLES and group.told >= 2 * group.taught:
            self._teach(group)

    def _teach(self, group: Known) -> None:
        group.taught = group.told
        template = learn(group.samples)
        if template is None or (group.template is None and len(self.known) >= MOST_TEMPLATES):
            return
        if group.template is not None:
            template.hits = group.template.hits
            self.scanner.templates.remove(group.template)
            del self.known[id(group.template)]
        group.template = template
        self.known[id(template)] = group
        self.scanner.templates.append(template)
        self._fresh = True

    def taught_anew(self) -> bool:
        """Whether something was learnt since the last call."""
        fresh, self._fresh = self._fresh, False
        return fresh


def _ignore(first: int, count: int, size: int) -> None:
    del first, count, size


class _Walk:
    """One block: the matched records and the other lines, walked in file order."""

    def __init__(self, driver: Driver, window: Window, last: bool) -> None:
        self.driver, self.last = driver, last
        self.starts = line_starts(window)
        self.window = window
        self.count = self.starts.size - 1
        self.base = driver.line
        self.points: dict[str, list[tuple[int, float]]] = {}
        self.begin = dict(driver.counters)
        self.opened: list[tuple[int, int]] = []
        self.first_block = driver.block_line
        self.parts: list[tuple[Known, Effect, Matched, Bools]] = []

    def raw(self, first: int, stop: int) -> bytes:
        """Return the lines from ``first`` up to ``stop`` as they are."""
        return self.window.data[int(self.starts[first]) : int(self.starts[stop])].tobytes()

    def text(self, line: int) -> str:
        """Return one line without its end."""
        return self.raw(line, line + 1).decode("utf-8", errors="replace").rstrip("\r\n")

    def run(self) -> None:
        """Read the block."""
        self.driver.begins(self.base, self.count, self.window.size)
        at = 0
        while at < self.count:
            at = self._pass(at)
        self.driver.line += self.count
        self._emit()

    def _pass(self, at: int) -> int:
        """Match from line ``at`` on and walk; return the line from which to match again with what was learnt."""
        driver = self.driver
        driver.taught_anew()
        if not driver.known:
            stop = min(self.count, at + FIRST_LINES)
            self._slow(at, stop)
            return stop
        scan = driver.scanner.match(self.window, self.starts, at)
        path = _Path(driver, scan, at, self.count)
        slow = 0
        while True:
            stop = path.stretch(driver._state)
            if stop > at:
                self._accept(path, at, stop)
                at = stop
            if stop >= self.count:
                self._gather(path)
                return self.count
            if stop == path.reach:
                continue
            if self._cut_off(stop):
                self.count = stop
                self._gather(path)
                return self.count
            self._sync(path, stop)
            after = stop + path.length(stop)
            self._slow(stop, after)
            path.skip(after)
            slow += after - stop
            at = after
            if slow >= RESCAN_AFTER and driver.taught_anew() and at < self.count:
                path.forget(at)
                self._gather(path)
                return at

    def _cut_off(self, line: int) -> bool:
        """Whether a record may begin at ``line`` whose last lines are in the next block: it is left for that one."""
        longest = max(template.lines for template in self.driver.scanner.templates)
        return not self.last and line > 0 and line > self.count - longest and self.driver._state != NOWHERE

    def _slow(self, first: int, stop: int) -> None:
        raw = self.raw(first, stop)
        texts = raw.decode("utf-8", errors="replace").split("\n")
        if texts[-1] == "":
            texts.pop()
        driver = self.driver
        before = dict(driver.counters)
        driver.slow(self.base + first, [text.removesuffix("\r") for text in texts], raw)
        driver.counters.update(driver.assembler._context)
        for key, count in driver.counters.items():
            if before.get(key) is not count:
                self.points.setdefault(key, []).append((stop - 1, count.value))
        block = driver.assembler._block
        if block is not None and block.line != driver.block_line:
            driver.block_line = block.line
            self.opened.append((stop - 1, block.line))

    def _accept(self, path: _Path, first: int, stop: int) -> None:
        if not path.moved:
            self.driver.flush()
        path.take(first, stop)
        self.driver._state = path.state
        self.driver.fast_lines += stop - first

    def _sync(self, path: _Path, stop: int) -> None:
        """Put the assembler where the bulk reading has come to."""
        driver = self.driver
        if not path.moved:
            return
        path.moved = False
        driver.counters.update(path.counters(stop))
        driver.block_line = max(driver.block_line, path.opened(stop) + self.base)
        restore(driver.assembler, driver.saved[driver._state], driver.counters, driver.block_line)

    # ------------------------------------------------------------------------------------------------ results
    def _gather(self, path: _Path) -> None:
        """Keep what was accepted of one matching pass."""
        self._sync(path, self.count)
        for known, rows in path.rows:
            taken = path.taken[rows.line]
            if not taken.any():
                continue
            states = path.before[rows.line]
            # In several states a shape may do the same.
            kinds: dict[Effect, list[int]] = {}
            for state in np.flatnonzero(np.bincount(states[taken])).tolist():
                move = known.moves[state]
                assert move is not None
                kinds.setdefault(move[1], []).append(state)
            for effect, several in kinds.items():
                self.parts.append((known, effect, rows, taken if len(kinds) == 1 else taken & np.isin(states, several)))

    def _emit(self) -> None:
        updates = self._updates()
        opened = self._opened()
        made: dict[Effect, list[Bulk]] = {}
        for known, effect, rows, mask in self.parts:
            if not effect.record:
                self._tell(known, rows.line[mask], rows.template.lines)
                continue
            model = known.models[effect]
            assert model is not None
            whole = bool(mask.all())
            line = rows.line if whole else rows.line[mask]
            values = rows.values if whole else [value[mask] for value in rows.values]
            counters: list[Floats] = [_EMPTY] * len(effect.counters)
            cells: dict[int, Floats] = {}
            for (what, i), value in zip(effect.slots, values, strict=True):
                if what == "counter":
                    counters[i] = value
                elif what == "cell":
                    cells[i] = value
            context = {key: self._context(key, line, updates) for key, _, _ in effect.context}
            place = line + (self.base + effect.first)
            row = place
            if effect.piece == "joins":
                row = opened[1][np.searchsorted(opened[0], line, side="right") - 1]
            bulk = Bulk(effect, model, place, row, counters, [cells[i] for i in sorted(cells)], context)
            if effect not in self.driver.checked or self.driver.chance(CHECKED):
                self.driver.checked.add(effect)
                self._check(known, bulk, rows, mask)
            if known.telling and len(cells) < DENSE:
                self._tell(known, line, rows.template.lines)
            made.setdefault(effect, []).append(bulk)
        for bulks in made.values():
            self.driver.bulk(_in_order(bulks))

    def _opened(self) -> tuple[Ints, Ints]:
        """Return where in this block of text blocks of the log were opened, and their first lines."""
        lines = [np.array([-1, *(at for at, _ in self.opened)], np.int64)]
        firsts = [np.array([self.first_block, *(first for _, first in self.opened)], np.int64)]
        for _, effect, rows, mask in self.parts:
            if effect.piece == "opens":
                lines.append(rows.line[mask])
                firsts.append(rows.line[mask] + self.base)
        line, first = np.concatenate(lines), np.concatenate(firsts)
        order = np.argsort(line, kind="stable")
        return line[order], first[order]

    def _updates(self) -> dict[str, tuple[Ints, Floats]]:
        """Return, for every counter, the lines of this block that set it and the values."""
        lines: dict[str, list[Ints]] = {}
        values: dict[str, list[Floats]] = {}
        for key, points in self.points.items():
            lines.setdefault(key, []).append(np.array([line for line, _ in points], np.int64))
            values.setdefault(key, []).append(np.array([value for _, value in points], np.float64))
        wanted = {key for _, effect, _, _ in self.parts for key, _, _ in effect.context}
        for _, effect, rows, mask in self.parts:
            for key, value in _settings(effect, rows.values):
                if key in wanted:
                    lines.setdefault(key, []).append(rows.line[mask])
                    values.setdefault(key, []).append(value[mask])
        out: dict[str, tuple[Ints, Floats]] = {}
        for key, arrays in lines.items():
            line, value = np.concatenate(arrays), np.concatenate(values[key])
            order = np.argsort(line, kind="stable")
            out[key] = (line[order], value[order])
        return out

    def _context(self, key: str, line: Ints, updates: dict[str, tuple[Ints, Floats]]) -> Held:
        first = self.begin[key].value if key in self.begin else np.nan
        if key not in updates:
            return held(np.array([first]), np.zeros(1, np.int64), line.size)
        lines, values = updates[key]
        values = np.concatenate([[first], values])
        if lines.size < line.size:
            return held(values, np.append(0, np.searchsorted(line, lines, side="right")), line.size)
        return Held(values[np.searchsorted(lines, line, side="left")], None, line.size)

    def _tell(self, known: Known, lines: Ints, length: int) -> None:
        """Hand lines without a record to those who look for events and settings."""
        lines = lines[: max(0, (known.telling or QUIET_LINES) - known.shown)]
        known.shown += lines.size
        for line in lines.tolist():
            for further in range(line, line + length):
                self.driver.other(self.base + further, self.text(further))

    def _check(self, known: Known, bulk: Bulk, rows: Matched, mask: Bools) -> None:
        """Read one of the records with an assembler of its own and compare."""
        pick = self.driver._random.randrange(bulk.line.size)
        first = int(rows.line[mask][pick])
        state = next(s for s, move in known.moves.items() if move is not None and move[1] == bulk.effect)
        assembler = Assembler(self.driver.assembler.grammars)
        assembler.headers = self.driver.assembler.headers
        counted = [(header, header.rows) for header in assembler.headers]
        above = {key: Count(name, bulk.context[key].at(pick), total) for key, name, total in bulk.effect.context}
        restore(assembler, self.driver.saved[state], above, int(bulk.row[pick]))
        for line in range(first, first + rows.template.lines):
            assembler.feed(self.base + line, self.text(line))
        for header, seen in counted:
            header.rows = seen
        expected = record_of(
            bulk.effect, bulk.model, int(bulk.line[pick]), [float(c[pick]) for c in bulk.counters],
            [float(c[pick]) for c in bulk.cells], {key: v.at(pick) for key, v in bulk.context.items()},
        )  # fmt: skip
        found = [record for record in assembler.records if without_stand_ins(record) is record]
        if bulk.effect.piece and assembler._block is not None:
            block = assembler._block
            cells = {key: cell for key, cell in block.cells.items() if cell[1] != ELSEWHERE}
            found = [*found, replace(block, line=int(bulk.line[pick]), cells=cells)]
        if len(found) != 1 or not alike(found[0], expected):
            raise Distrust(f"line {self.base + first}", bulk.effect)


_EMPTY: Floats = np.zeros(0)
_SAME = -9
_DEPENDS = -8
_NONE, _INSIDE = -1, -2
States = NDArray[np.int16]
"""Numbers of states or shapes."""
_STRIDE = 1024


def _in_order(bulks: list[Bulk]) -> Bulk:
    """Join the records that several shapes made of one effect, in file order."""
    first = bulks[0]
    if len(bulks) == 1:
        return first
    order = np.argsort(np.concatenate([bulk.line for bulk in bulks]), kind="stable")

    def joined(arrays: Iterable[np.ndarray]) -> np.ndarray:
        return np.concatenate(list(arrays))[order]

    return Bulk(
        effect=first.effect,
        model=first.model,
        line=joined(bulk.line for bulk in bulks),
        row=joined(bulk.row for bulk in bulks),
        counters=[joined(bulk.counters[i] for bulk in bulks) for i in range(len(first.counters))],
        cells=[joined(bulk.cells[i] for bulk in bulks) for i in range(len(first.cells))],
        context={
            key: Held(joined(bulk.context[key].array() for bulk in bulks), None, order.size) for key in first.context
        },
    )


def _settings(effect: Effect, values: list[Floats]) -> Iterator[tuple[str, Floats]]:
    """Yield the counters that an effect sets, with their values."""
    own = {name.lower(): i for i, (name, _) in enumerate(effect.counters)}
    place = {slot: i for i, slot in enumerate(effect.slots)}
    for i, (key, _, _) in enumerate(effect.sets):
        slot = place.get(("sets", i))
        if slot is None and key in own:
            slot = place.get(("counter", own[key]))
        if slot is not None:
            yield key, values[slot]


class _Path:
    """Which matched records are a path through known states.

    It is worked out for *items*: records of one or several lines, and lines that match nothing.
    """

    def __init__(self, driver: Driver, scan: Scan, first: int, count: int) -> None:
        self.driver, self.count = driver, count
        self.rows = [(driver.known[id(rows.template)], rows) for rows in scan.rows]
        # For every line: which shape begins there, or _NONE, or _INSIDE a record of several lines.
        self.shape = np.full(count + 1, _NONE, np.int16)
        for i, (_, rows) in enumerate(self.rows):
            self.shape[rows.line] = i
            for further in range(1, rows.template.lines):
                self.shape[rows.line + further] = _INSIDE
        self._items: Ints = np.flatnonzero(self.shape[:count] != _INSIDE)
        self.before = np.full(count + 1, NOWHERE, np.int16)
        self.taken = np.zeros(count + 1, np.bool_)
        self.state = driver._state
        self.moved = False
        self._at = first
        self._stops: Ints = np.zeros(0, np.int64)
        self._since = 0
        self._behind = np.zeros(0, np.int16)
        self._ready = False
        self._stride = _STRIDE
        self.reach = first

    def length(self, line: int) -> int:
        """How many lines the record that begins at ``line`` has (1 for an unmatched line)."""
        shape = int(self.shape[line])
        return self.rows[shape][1].template.lines if shape >= 0 else 1

    def stretch(self, state: int) -> int:
        """Return the first line that must be read by the assembler, given the state before the next line."""
        if self._at >= self.count:
            return self.count
        if not self._ready or self._at >= self.reach or state != int(self.before[self._at]):
            if self._ready and self._at < self.reach:
                self._stride = _STRIDE
            self._plan(state)
        return int(self._stops[np.searchsorted(self._stops, self._at)])

    def _plan(self, state: int) -> None:
        """Follow the states from the next line on, taking lines without a shape as if they changed nothing."""
        self._ready = True
        # After a change of plan only a short stretch is followed, twice as long each time it holds.
        first, stop = np.searchsorted(self._items, [self._at, self._at + self._stride])
        self.reach = int(self._items[stop]) if stop < self._items.size else self.count
        self._stride = min(2 * self._stride, self.count)
        lines = self._items[first:stop]
        shape = self.shape[lines]
        after, table = self._table(state)
        leads = after[shape]
        changes = np.flatnonzero(leads != _SAME)
        self._settle(leads, changes, shape, table, state)
        # The state before the first change, then the one behind each: how many changes came before says which.
        states = np.append(np.int16(state), leads[changes])
        passed = np.zeros(lines.size + 1, np.int32)
        passed[changes + 1] = 1
        np.cumsum(passed, out=passed)
        self._behind = states[passed[1:]]
        before = states[passed[:-1]]
        self.before[lines] = before
        self._since = int(first)
        self._stops = np.append(lines[table[shape, before] == NOWHERE], self.reach)

    def _table(self, state: int) -> tuple[States, States]:
        """Return the state behind each shape, and behind each shape in each state (:data:`NOWHERE`: not known).

        The first says ``_SAME`` for a shape that leaves the state as it is and ``_DEPENDS`` where that varies. Only
        states that can be reached from ``state`` count: most states belong to the beginning of a log.
        """
        reached, fresh = {state}, [state]
        while fresh:
            here = fresh.pop()
            for known, _ in self.rows:
                move = known.moves.get(here)
                if move is not None and move[0] not in reached:
                    reached.add(move[0])
                    fresh.append(move[0])
        after = np.full(len(self.rows) + 1, _SAME, np.int16)  # the last one is that of lines without a shape
        table = np.full((len(self.rows) + 1, len(self.driver.states) + 1), NOWHERE, np.int16)
        for i, (known, _) in enumerate(self.rows):
            moves = {s: move[0] for s, move in known.moves.items() if move is not None and s in reached}
            if any(behind != s for s, behind in moves.items()):
                after[i] = next(iter(moves.values())) if len(set(moves.values())) == 1 else _DEPENDS
            for s, behind in moves.items():
                table[i, s] = behind
        return after, table

    @staticmethod
    def _settle(leads: States, changes: Ints, shape: States, table: States, state: int) -> None:
        """Fill in, in place, the states behind shapes whose effect depends on the state before them."""
        behind = leads[changes]
        open_ = np.flatnonzero(behind == _DEPENDS)
        if not open_.size:
            return
        earlier = np.append(np.int16(state), behind)[open_]
        known = earlier != _DEPENDS
        kinds = shape[changes[open_]]
        behind[open_[known]] = table[kinds[known], earlier[known]]
        for at, kind in zip(open_[~known].tolist(), kinds[~known].tolist(), strict=True):
            behind[at] = table[kind, behind[at - 1]]
        leads[changes] = behind

    def opened(self, stop: int) -> int:
        """Return the last accepted line before ``stop`` that opened a block, -1 if none did."""
        latest = -1
        for known, rows in self.rows:
            if any(move is not None and move[1].piece == "opens" for move in known.moves.values()):
                at = int(np.searchsorted(rows.line, stop)) - 1
                while at >= 0 and not self.taken[rows.line[at]]:
                    at -= 1
                latest = max(latest, int(rows.line[at]) if at >= 0 else -1)
        return latest

    def take(self, first: int, stop: int) -> None:
        """Accept the lines from ``first`` up to ``stop``."""
        self.taken[first:stop] = True
        self.state = int(self._behind[np.searchsorted(self._items, stop) - 1 - self._since])
        self.moved = True
        self._at = stop

    def skip(self, stop: int) -> None:
        """The lines up to ``stop`` were read by the assembler."""
        self._at = stop
        if stop < self.count and self.shape[stop] == _INSIDE:
            # The record of several lines that these belonged to was given up: its other lines stand alone.
            rest = stop
            while rest < self.count and self.shape[rest] == _INSIDE:
                self.shape[rest] = _NONE
                rest += 1
            self._items = np.flatnonzero(self.shape[: self.count] != _INSIDE)
            self._ready = False

    def forget(self, line: int) -> None:
        """Take nothing from ``line`` on."""
        self.taken[line:] = False

    def counters(self, stop: int) -> dict[str, Count]:
        """Return the counters that the accepted records before ``stop`` set last."""
        latest: dict[str, tuple[int, Count]] = {}
        for known, rows in self.rows:
            at = int(np.searchsorted(rows.line, stop)) - 1
            while at >= 0 and not self.taken[rows.line[at]]:
                at -= 1
            if at < 0:
                continue
            line = int(rows.line[at])
            move = known.moves[int(self.before[line])]
            assert move is not None
            names = {key: (name, total) for key, name, total in move[1].sets}
            for key, values in _settings(move[1], rows.values):
                if key not in latest or latest[key][0] < line:
                    latest[key] = (line, Count(names[key][0], float(values[at]), names[key][1]))
        return {key: count for key, (_, count) in latest.items()}


def alike(one: Record, other: Record) -> bool:
    """Whether two records are the same for everything that is made of records."""
    return (
        (one.line, one.grammar, one.header, one.bar, one.anchored, list(one.cells))
        == (other.line, other.grammar, other.header, other.bar, other.anchored, list(other.cells))
        and _counts(one.counters) == _counts(other.counters)
        and (not other.latest or [c.name for c in one.latest] == [c.name for c in other.latest])
        and all(
            (a.flag, a.unit, line) == (b.flag, b.unit, below) and same_floats(np.array([a.value]), np.array([b.value]))
            for (a, line), (b, below) in zip(one.cells.values(), other.cells.values(), strict=True)
        )
    )


def _counts(counters: Iterable[Count]) -> list[tuple[str, float, float | None]]:
    return [(count.name, count.value, count.total) for count in counters]
