"""Decides which of the matched records are a path through known states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from logdoctor.fastpath.known import NOWHERE, move_of, settings_of
from logdoctor.fastpath.scan import Scan
from logdoctor.model import Ints
from logdoctor.parsers._record import Count

if TYPE_CHECKING:
    from logdoctor.fastpath.driver import Driver

_SAME = -9
_DEPENDS = -8
_NONE, _INSIDE = -1, -2
States = NDArray[np.int16]
"""Numbers of states or shapes."""
_STRIDE = 1024


class Path:
    """Which matched records are a path through known states.

    It is worked out for *items*: records of one or several lines, and lines that match nothing.
    """

    def __init__(self, driver: Driver, scan: Scan, first: int, count: int) -> None:
        """Take what was matched from line ``first`` on; the block has ``count`` lines."""
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
        self.state = driver.state
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
            move = move_of(known, int(self.before[line]))
            names = {key: (name, total) for key, name, total in move[1].sets}
            for key, values in settings_of(move[1], rows.values):
                if key not in latest or latest[key][0] < line:
                    latest[key] = (line, Count(names[key][0], float(values[at]), names[key][1]))
        return {key: count for key, (_, count) in latest.items()}
