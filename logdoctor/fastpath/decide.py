"""Says what the records of one effect mean, from the sample of them.

The sample shows which of the cells of an effect are metrics under which name, and how the step follows from the
counters: it *is* one of them, or an inner counter joined with an outer one. Every such rule is checked on all sampled
records of the effect; where none holds, :class:`Undecided` says that the log must be read line by line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from logdoctor.fastpath.collect import Sampled, Store
from logdoctor.fastpath.effects import Effect
from logdoctor.fastpath.numbers import Floats
from logdoctor.frames import Table
from logdoctor.model import Ints
from logdoctor.parsers._assembler import Key, Record

Shape = tuple[str, tuple[Key, ...]]
_UNITS = (1.0, 60.0, 3600.0, 1e-3)


class Undecided(Exception):  # noqa: N818 - a decision, not a fault of the input
    """The sample does not say how the records of ``effect`` are to be read."""

    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How a number follows from those of a record: ``(outer - start) * length + inner``; an absent part counts as 0."""

    inner: str = ""
    outer: str = ""
    start: float = 0.0
    length: float = 1.0

    def of(self, numbers: Mapping[str, Floats | Ints], size: int) -> Floats:
        """Return the values for records with these ``numbers``."""
        if not self.inner and not self.outer:
            return np.broadcast_to(np.float64(np.nan), size)
        if not self.outer:
            return np.asarray(numbers[self.inner], np.float64)
        value = np.asarray((numbers[self.outer] - self.start) * self.length, np.float64)
        return value + numbers[self.inner] if self.inner else value


@dataclass(slots=True)
class Decided:
    """What the sample says of one effect: label of each visible cell (None: no metric), clock, and rules.

    ``counters`` are the labels of counters that turned out to be values (the length of each episode).
    """

    labels: list[str | None]
    counters: list[str | None]
    clock: int
    step: Rule
    outer: Rule
    time: tuple[int, float] | None
    layout: int

    def uses(self, number: str) -> bool:
        """Whether the step, or the outer counter, follows from the number of this name."""
        return number in (self.step.inner, self.step.outer, self.outer.inner, self.outer.outer)


class Decider:
    """The table of the sample, by line."""

    def __init__(self, table: Table, sampled: Sequence[Sampled], singles: Sequence[Record]) -> None:
        """Take the table, the records that stand for others, and those read alone."""
        self.table = table
        self.by_effect: dict[Effect, list[Sampled]] = {}
        for item in sampled:
            self.by_effect.setdefault(item.effect, []).append(item)
        self.cells: dict[str, dict[int, tuple[int, float]]] = {
            label: dict(zip(c.line.tolist(), zip(c.rows.tolist(), c.value.tolist(), strict=True), strict=True))
            for label, c in table.columns.items()
        }
        self.bulk_lines = {item.record.line + kind.below for item in sampled for kind in item.effect.cells}
        self.bulk_lines |= {item.record.line for item in sampled if item.effect.counters}
        self.singles = singles

    @cached_property
    def rows(self) -> dict[int, int]:
        """The row of the sample that the cells of each line went into."""
        return {line: row for cells in self.cells.values() for line, (row, _) in cells.items()}

    def decide(self, store: Store) -> Decided | None:
        """Return what the sample says of an effect, None when none of its cells is a metric.

        Raises:
            Undecided: its records do not agree.
        """
        try:
            return self._decide(store)
        except Undecided as undecided:
            undecided.effect = store.effect
            raise

    def _decide(self, store: Store) -> Decided | None:
        items = self.by_effect.get(store.effect, [])
        visible = [kind for kind in store.effect.cells if not kind.flag]
        sources: list[tuple[int, object, list[float]]] = [
            *((kind.below, kind.key, [item.values[i] for item in items]) for i, kind in enumerate(visible)),
            *((0, name, [item.counters[k] for item in items]) for k, (name, _) in enumerate(store.effect.counters)),
        ]
        labels: list[str | None] = []
        rows: dict[int, int] = {}
        taken: set[str] = set()
        for below, key, numbers in sources:
            label = self._label(items, numbers, below, key, taken)
            labels.append(label)
            if label is not None:
                taken.add(label)
                for place, item in enumerate(items):
                    found = self.cells[label].get(item.record.line + below)
                    if found is not None:
                        rows.setdefault(place, found[0])
        if not rows:
            return None
        # A record joined to the one before it takes its place over: it says nothing of its own step.
        own = [i for i, row in rows.items() if int(self.table.line[row]) == items[i].row]
        at = own or list(rows)
        row = np.array([rows[i] for i in at], np.int64)
        named = numbers_of(
            {f"c{k}": np.array([items[i].counters[k] for i in at]) for k in range(len(store.effect.counters))},
            {key: np.array([items[i].context[key] for i in at]) for key, _, _ in store.effect.context},
            np.array([items[i].record.line for i in at]),
            np.array([items[i].row for i in at]),
        )
        clocks = np.unique(self.table.clock[row])
        if clocks.size > 1:
            raise Undecided("records of one effect on two clocks")
        every = store.count <= len(at)
        return Decided(
            labels=labels[: len(visible)],
            counters=labels[len(visible) :],
            clock=int(clocks[0]),
            step=_rule(named, self.table.step[row], every, self._next_steps(row)),
            outer=_rule(named, self.table.outer[row], every),
            time=_time(self.table.time[row], [items[i].values for i in at]),
            layout=int(self.table.layout[row[0]]),
        )

    def _next_steps(self, row: Ints) -> Floats:
        """Return the step of the row behind each of ``row`` that is none of them, NaN at the end."""
        others = np.setdiff1d(np.arange(self.table.line.size), row)
        if not others.size:
            return np.full(row.size, np.nan)
        behind = np.searchsorted(others, row)
        step = self.table.step[others[np.minimum(behind, others.size - 1)]]
        return np.where(behind < others.size, step, np.nan)

    def _label(
        self, items: Sequence[Sampled], numbers: Sequence[float], below: int, key: object, taken: set[str]
    ) -> str | None:
        """Return the metric that a cell went into."""
        found: list[tuple[bool, float, str]] = []
        for label, cells in self.cells.items():
            if label in taken:
                continue
            hits = tries = 0
            for item, value in zip(items, numbers, strict=True):
                tries += 1
                entry = cells.get(item.record.line + below)
                hits += entry is not None and _same(entry[1], value)
                if tries == 4 and not hits:
                    break
            share = hits / max(1, tries)
            if share > 0.05:
                column = self.table.columns[label].key
                found.append((key in (column, column.raw), share, label))
        if not found:
            return None
        _, share, label = max(found)
        if share < 0.95:
            raise Undecided(f"{label} holds some of the cells of an effect and not others")
        return label

    def pairs(self, sampled: Sequence[Sampled], shapes: Mapping[int, Shape]) -> set[tuple[Shape, Shape]]:
        """Return which shape of record is joined to a record of which other shape printed just before it."""
        rows = self.rows
        entries = [(item.row, shape_of(item.effect), _lines(item)) for item in sampled]
        entries += [
            (record.line, shapes[id(record)], [line for _, line in record.cells.values()]) for record in self.singles
        ]
        entries.sort(key=lambda entry: entry[0])
        placed = [
            (line, shape, next((rows[cell] for cell in cells if cell in rows), None)) for line, shape, cells in entries
        ]
        placed = [entry for entry in placed if entry[2] is not None]
        return {
            (before[1], after[1])
            for before, after in pairwise(placed)
            if before[2] == after[2] and before[0] != after[0]
        }


def shape_of(effect: Effect) -> Shape:
    """Return the grammar and the keys of the cells: what the pieces of one record are told by."""
    return grammar_of(effect), tuple(kind.key for kind in effect.cells)


def grammar_of(effect: Effect) -> str:
    """Return the grammar that read the records of an effect."""
    head = effect.head
    return str(head[0]) if isinstance(head, tuple) and head else ""


def _lines(item: Sampled) -> list[int]:
    return [item.record.line + kind.below for kind in item.effect.cells]


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def numbers_of(
    counters: Mapping[str, Floats], context: Mapping[str, Floats], line: Ints, row: Ints
) -> dict[str, Floats | Ints]:
    """Return the numbers of records by name: counters, counters above, first line of the row, own line."""
    named = {f"above {key}": values for key, values in context.items()}
    return {**counters, **named, "row": row, "line": line}


def _rule(numbers: Mapping[str, Floats | Ints], target: Floats, every: bool, behind: Floats | None = None) -> Rule:
    """Find how ``target`` follows from ``numbers``; records where a number is missing may differ.

    Where it is the step of the row ``behind``, no number is given: such rows are filled when all are there.

    Raises:
        Undecided: no rule holds.
    """
    if np.isnan(target).all():
        return Rule()
    named = [name for name in numbers if name not in {"row", "line"}]
    for name in [*named, "row", "line"]:
        if _holds(numbers[name], target):
            return Rule(inner=name)
    for outer in named:
        for inner in ["", *(name for name in named if name != outer)]:
            rule = _join(numbers, target, inner, outer)
            if rule is not None:
                return rule
    if behind is not None and _holds(behind, target):
        return Rule()
    raise Undecided("no rule for the step" if not every else "no rule for the step of a few records")


def _join(numbers: Mapping[str, Floats | Ints], target: Floats, inner: str, outer: str) -> Rule | None:
    base = target - numbers[inner] if inner else target
    first = numbers[outer]
    low, high = int(np.nanargmin(first)), int(np.nanargmax(first))
    if not first[high] > first[low]:
        return None
    length = float((base[high] - base[low]) / (first[high] - first[low]))
    length = float(round(length)) if abs(length - round(length)) < 1e-6 * max(1.0, abs(length)) else length
    for start in (0.0, 1.0):
        # An outer counter alone closes its step: it stands for one more.
        rule = Rule(inner, outer, start if inner else start - 1.0, length)
        if length > 0 and _holds(rule.of(numbers, target.size), target):
            return rule
    return None


def _holds(found: Floats | Ints, target: Floats) -> bool:
    known = np.isfinite(found)
    return bool(known.any()) and bool(np.array_equal(found[known], target[known]))


def _time(target: Floats, values: Sequence[Sequence[float]]) -> tuple[int, float] | None:
    """Return which cell is the elapsed time, and its unit in seconds."""
    if not np.isfinite(target).any() or not values:
        return None
    table = np.array(values)
    for place in range(table.shape[1]):
        for unit in _UNITS:
            if _holds(table[:, place] * unit, target):
                return place, unit
    return None
