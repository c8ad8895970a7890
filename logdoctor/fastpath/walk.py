"""Walks the matched records and the other lines of one block, in file order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.fastpath.effects import ELSEWHERE, Effect, record_of, restore, without_stand_ins
from logdoctor.fastpath.held import Held, held
from logdoctor.fastpath.known import NOWHERE, Bulk, Distrust, Known, move_of, settings_of
from logdoctor.fastpath.numbers import Floats
from logdoctor.fastpath.path import Path
from logdoctor.fastpath.scan import Rows as Matched
from logdoctor.fastpath.scan import line_starts
from logdoctor.fastpath.template import same_floats
from logdoctor.fastpath.window import Window
from logdoctor.model import Bools, Ints
from logdoctor.parsers._assembler import Assembler, Record
from logdoctor.parsers._record import Count

if TYPE_CHECKING:
    from logdoctor.fastpath.driver import Driver

FIRST_LINES = 96
RESCAN_AFTER = 64
DENSE = 3
"""A line with as many values is a row of numbers and tells no event."""
CHECKED = 0.25
"""Share of the pieces of a log in which one record of an effect is read a second time, besides the first piece."""
QUIET_LINES = 32
"""Lines of one shape without a record that are still handed to the scanners of events and settings."""


class Walk:
    """One block: the matched records and the other lines, walked in file order."""

    def __init__(self, driver: Driver, window: Window, last: bool) -> None:
        """Take a block of text; of the ``last`` one nothing is left for another."""
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
        path = Path(driver, scan, at, self.count)
        slow = 0
        while True:
            stop = path.stretch(driver.state)
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
        return not self.last and line > 0 and line > self.count - longest and self.driver.state != NOWHERE

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

    def _accept(self, path: Path, first: int, stop: int) -> None:
        if not path.moved:
            self.driver.flush()
        path.take(first, stop)
        self.driver.state = path.state
        self.driver.fast_lines += stop - first

    def _sync(self, path: Path, stop: int) -> None:
        """Put the assembler where the bulk reading has come to."""
        driver = self.driver
        if not path.moved:
            return
        path.moved = False
        driver.counters.update(path.counters(stop))
        driver.block_line = max(driver.block_line, path.opened(stop) + self.base)
        restore(driver.assembler, driver.saved[driver.state], driver.counters, driver.block_line)

    # ------------------------------------------------------------------------------------------------ results
    def _gather(self, path: Path) -> None:
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
                kinds.setdefault(move_of(known, state)[1], []).append(state)
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
            for key, value in settings_of(effect, rows.values):
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
        pick = self.driver.pick(bulk.line.size)
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
