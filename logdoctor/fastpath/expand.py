"""Carries what was decided on the sample over to all records.

For every effect the sample shows which of its cells are metrics under which name, and how the step follows from the
counters: it *is* one of them, or an inner counter joined with an outer one. Every such rule is checked on all sampled
records of the effect; where none holds, :class:`Undecided` says that the log must be read line by line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from logdoctor.fastpath.collect import SLACK, Buffer, Collector, Sampled, Store, points_of
from logdoctor.fastpath.effects import Effect
from logdoctor.fastpath.numbers import Bools, Floats
from logdoctor.frames import Column, Table
from logdoctor.model import Ints
from logdoctor.names import is_clock
from logdoctor.parsers._assembler import Key, Record
from logdoctor.streaming import Points, thinned
from logdoctor.values import MISSING

MOST_APART = 60
"""Lines between the pieces of one record; as for records that are read alone."""
_DUPLICATES = 64
Shape = tuple[str, tuple[Key, ...]]
_UNITS = (1.0, 60.0, 3600.0, 1e-3)


class Undecided(Exception):  # noqa: N818 - a decision, not a fault of the input
    """The sample does not say how the records of an effect are to be read."""


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


@dataclass(slots=True)
class Expanded:
    """The table of all records, and what the reader counts."""

    table: Table
    stream: Ints
    metric_lines: int
    rows: int
    grammars: dict[str, int]
    points: dict[str, SeriesPoints] = field(default_factory=dict)
    weight: Ints | None = None


@dataclass(slots=True)
class SeriesPoints:
    """The bins of one metric with their steps; ``count`` and ``nonfinite`` are those of the printed values."""

    points: Points
    step: Floats
    clock: int
    count: int
    nonfinite: int


class _Sample:
    """The table of the sample, by line."""

    def __init__(self, table: Table, sampled: Sequence[Sampled], singles: Sequence[Record]) -> None:
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

    def decide(self, store: Store) -> Decided | None:
        """Return what the sample says of an effect, None when none of its cells is a metric."""
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
        named = _numbers(
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
        rows: dict[int, int] = {}
        for cells in self.cells.values():
            for line, (row, _) in cells.items():
                rows[line] = row
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
    return _grammar(effect), tuple(kind.key for kind in effect.cells)


def _lines(item: Sampled) -> list[int]:
    return [item.record.line + kind.below for kind in item.effect.cells]


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _numbers(
    counters: Mapping[str, Floats], context: Mapping[str, Floats], line: Ints, row: Ints
) -> dict[str, Floats | Ints]:
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


def expand(
    table: Table,
    trusted: Sequence[Record],
    sampled: Sequence[Sampled],
    collector: Collector,
    shapes: Mapping[int, Shape],
) -> Expanded:
    """Return the table of all records from that of the sample.

    Args:
        table: the table of the sample.
        trusted: the records that it was made of.
        sampled: the records of the sample that stand for others.
        collector: all records.
        shapes: the shape of each record that was read alone (by identity), before cells were taken from it.

    Raises:
        Undecided: see there.
    """
    sample = _Sample(table, sampled, collector.singles)
    decided = [(store, found) for store in collector.stores.values() if (found := sample.decide(store)) is not None]
    singles = _Singles(sample, trusted)
    if collector.stream:
        return _binned(sample, decided, singles)
    return _whole(sample, decided, singles, sample.pairs(sampled, shapes), shapes)


class _Singles:
    """The cells and rows of the sample that belong to records read alone."""

    def __init__(self, sample: _Sample, trusted: Sequence[Record]) -> None:
        table = sample.table
        self.rows = np.zeros(0, np.int64)
        self.cells: dict[str, Bools] = {}
        used: set[int] = set()
        self.lines = {line for record in trusted for _, line in record.cells.values()} - sample.bulk_lines
        for label, column in table.columns.items():
            alone = np.array([line not in sample.bulk_lines for line in column.line.tolist()], np.bool_)
            self.cells[label] = alone
            used.update(column.rows[alone].tolist())
        self.rows = np.array(sorted(used), np.int64)
        # Several records may stand on one line (states of a progress bar): they are told apart by a running number.
        line = table.line
        order = np.arange(line.size)
        firsts = np.searchsorted(line, line, side="left") if bool((np.diff(line) >= 0).all()) else order
        self.key = line * _DUPLICATES + np.minimum(order - firsts, _DUPLICATES - 1)


def _whole(
    sample: _Sample,
    decided: Sequence[tuple[Store, Decided]],
    singles: _Singles,
    pairs: set[tuple[Shape, Shape]],
    shapes: Mapping[int, Shape],
) -> Expanded:
    """Keep every record."""
    table = sample.table
    heads: list[Ints] = []
    steps: list[Floats] = []
    numbers: list[dict[str, Floats | Ints]] = []
    for store, found in decided:
        whole = store.whole()
        counters = {f"c{k}": values for k, values in enumerate(whole.counters)}
        named = _numbers(counters, whole.context, whole.line, whole.row)
        numbers.append(named)
        steps.append(np.asarray(found.step.of(named, whole.line.size), np.float64))
        heads.append(whole.row)
    alone = _Group.of_singles(sample, singles, shapes)
    groups = [
        _Group(head, step, np.broadcast_to(np.int64(found.clock), head.size), [shape_of(store.effect)])
        for (store, found), head, step in zip(decided, heads, steps, strict=True)
    ]
    _merge([*groups, alone], pairs)
    moved = alone.head != table.line[singles.rows]
    singles.key[singles.rows[moved]] = alone.head[moved] * _DUPLICATES
    every = np.concatenate([*(group.head for group in groups), singles.key[singles.rows]])
    every[: every.size - singles.rows.size] *= _DUPLICATES
    every = _distinct(every)
    size = every.size
    placed = _places(every, groups, singles.key[singles.rows])
    at_singles = np.searchsorted(every, singles.key[singles.rows])
    every //= _DUPLICATES
    out = Table(
        line=every,
        step=np.full(size, np.nan),
        clock=_room(table.clock, size),
        clocks=table.clocks,
        outer=_room(table.outer, size),
        time=_room(table.time, size),
        layout=_room(table.layout, size),
        columns={},
        names=table.names,
        issues=table.issues,
    )
    grammar = np.zeros(size, np.int8)
    codes: dict[str, int] = {}
    tally: dict[str, int] = {}
    for (store, found), head, group, at, step, named in zip(
        decided, heads, groups, placed, steps, numbers, strict=True
    ):
        name = _grammar(store.effect)
        first = group.head == head  # a record that was joined to another one adds its cells alone
        own: Any = slice(None) if first.all() else first
        to = at[own]
        out.step[to] = step[own]
        if out.clock.flags.writeable:
            out.clock[to] = found.clock
        if out.layout.flags.writeable:
            out.layout[to] = found.layout
        if out.outer.flags.writeable:
            out.outer[to] = found.outer.of(named, step.size)[own]
        if found.time is not None:
            out.time[to] = (store.cells[found.time[0]].values * found.time[1])[own]
        grammar[to] = codes.setdefault(name, len(codes))
        tally[name] = tally.get(name, 0) + (store.count if store.effect.piece != "joins" else 0)
        named.clear()
    where = _copy_rows(table, singles.rows[~moved], out, at_singles[~moved])
    for record in sample.singles:
        if record.line in where:
            grammar[where[record.line]] = codes.setdefault(record.grammar, len(codes))
            tally[record.grammar] = tally.get(record.grammar, 0) + 1
    out.step = _filled(out.step)
    out.columns = _columns(sample, decided, singles, placed, at_singles)
    stream = out.clock * (len(codes) + 1) + grammar
    return Expanded(out, stream, _all_metric_lines(singles, decided), size, tally)


def _copy_rows(sample: Table, rows: Ints, out: Table, at: Ints) -> dict[int, int]:
    """Copy ``rows`` of the sample to the rows ``at``; return which line went where."""
    for name in ("step", "clock", "outer", "time", "layout"):
        if getattr(out, name).flags.writeable:
            getattr(out, name)[at] = getattr(sample, name)[rows]
    return dict(zip(sample.line[rows].tolist(), at.tolist(), strict=True))


def _places(every: Ints, groups: Sequence[_Group], others: Ints) -> list[Ints]:
    """Return the rows of each group; ``every`` numbers the rows that begin at one line."""
    sizes = [group.head.size for group in groups]
    largest = int(np.argmax(sizes)) if sizes else -1
    found = [
        np.zeros(0, np.int64) if i == largest else np.searchsorted(every, group.head * _DUPLICATES)
        for i, group in enumerate(groups)
    ]
    if largest >= 0:
        if sum(sizes) + others.size == every.size:  # no two records share a row: the largest group has the rest
            taken = np.concatenate([*found, np.searchsorted(every, others)])
            found[largest] = np.flatnonzero(_free(every.size, taken))
        else:
            found[largest] = np.searchsorted(every, groups[largest].head * _DUPLICATES)
    return found


def _room(sample: np.ndarray, size: int) -> np.ndarray:
    """Return room for ``size`` values, or one value seen ``size`` times when all of the sample are equal."""
    if sample.size and (bool((sample == sample[0]).all()) or bool((sample != sample).all())):
        return np.broadcast_to(np.asarray(sample[0], sample.dtype), size)
    return np.zeros(size, sample.dtype) if sample.dtype.kind == "i" else np.full(size, np.nan)


def _grammar(effect: Effect) -> str:
    head = effect.head
    return str(head[0]) if isinstance(head, tuple) and head else ""


def _all_metric_lines(singles: _Singles, decided: Sequence[tuple[Store, Decided]]) -> int:
    return len(singles.lines) + sum(store.count * _metric_lines(store, found) for store, found in decided)


def _metric_lines(store: Store, found: Decided) -> int:
    visible = [kind for kind in store.effect.cells if not kind.flag]
    pairs = zip(visible, found.labels, strict=True)
    return len({kind.below for kind, label in pairs if label is not None or is_clock(kind.key.raw)})


@dataclass(slots=True)
class _Source:
    """Cells of one metric in records of one effect (or in those read alone): rows, values and lines."""

    rows: Ints
    values: Floats
    line: Ints
    below: int = 0
    buffer: Buffer | None = None


def _columns(
    sample: _Sample, decided: Sequence[tuple[Store, Decided]], singles: _Singles, placed: Sequence[Ints], at: Ints
) -> dict[str, Column]:
    """Put the cells of all records together, one column a metric."""
    table = sample.table
    sources: dict[str, list[_Source]] = {label: [] for label in table.columns}
    missing: dict[str, int] = {label: column.missing for label, column in table.columns.items()}
    place = dict(zip(singles.rows.tolist(), at.tolist(), strict=True))
    for label, column in table.columns.items():
        alone = singles.cells[label]
        if alone.any():
            rows = np.array([place[row] for row in column.rows[alone].tolist()], np.int64)
            sources[label].append(_Source(rows, column.value[alone], column.line[alone]))
    for (store, found), rows in zip(decided, placed, strict=True):
        line = store.whole().line
        visible = [kind for kind in store.effect.cells if not kind.flag]
        for kind, name, buffer in zip(visible, found.labels, store.cells, strict=True):
            if name is not None:
                sources[name].append(_Source(rows, buffer.values, line, kind.below, buffer))
        for name, buffer in zip(found.counters, store.counters, strict=True):
            if name is not None:
                sources[name].append(_Source(rows, buffer.values.copy(), line))
        for kind in store.effect.cells:
            for label, column in table.columns.items() if kind.flag == MISSING else ():
                if column.key == kind.key:
                    # The sample counts its own.
                    missing[label] += store.count - len(sample.by_effect.get(store.effect, ()))
        store.cells = []
    weaver = _Weaver()
    return {
        label: _column(table.columns[label], several, missing[label], weaver)
        for label, several in sources.items()
        if several
    }


def _column(model: Column, sources: list[_Source], missing: int, weaver: _Weaver) -> Column:
    rows, places, line = weaver.woven(sources)
    value = _values(sources, places, rows.size)
    sources.clear()
    bad = value.size - int(np.isfinite(value).sum())
    return Column(
        key=model.key, rows=rows, value=value, line=line, unit=model.unit, missing=missing,
        unreadable=model.unreadable, nonfinite=bad,
    )  # fmt: skip


def _values(sources: Sequence[_Source], places: Sequence[Ints | None], size: int) -> Floats:
    """Return the values of all sources in row order, in the memory of the largest where the others are few."""
    if len(sources) == 1:
        return sources[0].values
    largest = max(range(len(sources)), key=lambda i: sources[i].values.size)
    buffer = sources[largest].buffer
    rest = [i for i in range(len(sources)) if i != largest]
    if buffer is not None and sum(sources[i].values.size for i in rest) <= SLACK:
        at = np.concatenate([place for place in places if place is not None])
        order = np.argsort(at)
        return buffer.woven(at[order], np.concatenate([sources[i].values for i in rest])[order])
    value = np.empty(size)
    _fill(value, places, [source.values for source in sources])
    return value


def _fill(out: np.ndarray, places: Sequence[Ints | None], several: Sequence[np.ndarray]) -> None:
    """Put the values of each source at its places; the one without places gets what is left."""
    taken = [place for place in places if place is not None]
    for place, values in zip(places, several, strict=True):
        if place is None:
            out[_free(out.size, np.concatenate(taken)) if taken else slice(None)] = values
        else:
            out[place] = values


class _Weaver:
    """Works out where the cells of several kinds of records go, once for all columns made of the same kinds."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[Ints, list[Ints | None]]] = {}
        self._lines: dict[tuple[object, ...], Ints] = {}
        self._alive: list[Ints] = []  # an id is only good while its array is there

    def woven(self, sources: Sequence[_Source]) -> tuple[Ints, list[Ints | None], Ints]:
        """Return the rows in order, the place of every cell of each source (None: as they are), and the lines."""
        key = tuple(_identity(source.rows) for source in sources)
        if key not in self._known:
            self._known[key] = self._placed([source.rows for source in sources])
            self._alive += [source.rows for source in sources]
        rows, places = self._known[key]
        lines = (*key, *((_identity(source.line), source.below) for source in sources))
        if lines not in self._lines:
            self._alive += [source.line for source in sources]
            self._lines[lines] = self._joined(rows.size, places, sources)
        return rows, places, self._lines[lines]

    @staticmethod
    def _placed(several: list[Ints]) -> tuple[Ints, list[Ints | None]]:
        if len(several) == 1:
            return several[0], [None]
        largest = max(range(len(several)), key=lambda i: several[i].size)
        few = [array for i, array in enumerate(several) if i != largest]
        if sum(array.size for array in few) <= SLACK:
            return _between(several, largest)
        rows = np.concatenate(several)
        order = np.argsort(rows, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(order.size)
        stops = np.cumsum([array.size for array in several])
        return rows[order], list(np.split(place, stops[:-1]))

    @staticmethod
    def _joined(size: int, places: Sequence[Ints | None], sources: Sequence[_Source]) -> Ints:
        if len(sources) == 1:
            return sources[0].line + sources[0].below if sources[0].below else sources[0].line
        line = np.empty(size, np.int64)
        _fill(line, places, [source.line + source.below if source.below else source.line for source in sources])
        return line


def _between(several: list[Ints], largest: int) -> tuple[Ints, list[Ints | None]]:
    """Put a few rows between many; the largest source has no places of its own, it fills what is left."""
    few = np.concatenate([array for i, array in enumerate(several) if i != largest])
    order = np.argsort(few, kind="stable")
    at = np.empty_like(order)
    at[order] = np.searchsorted(several[largest], few[order]) + np.arange(few.size)
    rows = np.empty(several[largest].size + few.size, np.int64)
    free = _free(rows.size, at)
    rows[free] = several[largest]
    rows[at] = few
    places: list[Ints | None] = []
    start = 0
    for i, array in enumerate(several):
        places.append(None if i == largest else at[start : start + array.size])
        start += 0 if i == largest else array.size
    return rows, places


def _free(size: int, taken: Ints) -> Bools:
    free = np.ones(size, np.bool_)
    free[taken] = False
    return free


def _identity(array: Ints) -> object:
    """Return what tells an array from others: its bytes when it is short, else which object it is."""
    return array.tobytes() if array.size < 20_000 else id(array)


@dataclass(slots=True)
class _Group:
    """Records of one or several shapes: first line, step and clock of each; ``shape`` picks from ``shapes``."""

    head: Ints
    step: Floats
    clock: Ints
    shapes: list[Shape]
    shape: Ints | None = None

    @classmethod
    def of_singles(cls, sample: _Sample, singles: _Singles, shapes: Mapping[int, Shape]) -> _Group:
        """Return the rows of the sample that belong to records read alone."""
        table = sample.table
        by_line = {record.line: shapes[id(record)] for record in sample.singles}
        every = list(dict.fromkeys([*by_line.values(), ("", ())]))
        number = {shape: i for i, shape in enumerate(every)}
        line = table.line[singles.rows]
        shape = np.array([number[by_line.get(at, ("", ()))] for at in line.tolist()], np.int64)
        return cls(line.copy(), table.step[singles.rows], table.clock[singles.rows], every, shape)


def _merge(groups: Sequence[_Group], pairs: set[tuple[Shape, Shape]]) -> None:
    """Join neighbours that the sample joined: same clock and step, printed within a few lines. Changes ``head``."""
    names = {shape: i for i, shape in enumerate(dict.fromkeys(shape for pair in pairs for shape in pair))}
    involved = [group for group in groups if group.head.size and any(shape in names for shape in group.shapes)]
    if not involved:
        return
    joins = np.zeros((len(names) + 1, len(names) + 1), np.bool_)
    for before, after in pairs:
        joins[names[before], names[after]] = True
    chosen = _adjacent(involved)
    kinds = []
    for group, at in zip(involved, chosen, strict=True):
        codes = np.array([names.get(shape, len(names)) for shape in group.shapes], np.int64)
        kinds.append(np.full(at.size, codes[0]) if group.shape is None else codes[group.shape[at]])
    head = np.concatenate([group.head[at] for group, at in zip(involved, chosen, strict=True)])
    order = np.argsort(head, kind="stable")
    kind = np.concatenate(kinds)[order]
    step = np.concatenate([group.step[at] for group, at in zip(involved, chosen, strict=True)])[order]
    clock = np.concatenate([group.clock[at] for group, at in zip(involved, chosen, strict=True)])[order]
    head = head[order]
    follows = np.zeros(head.size, np.bool_)
    follows[1:] = joins[kind[:-1], kind[1:]] & (step[1:] == step[:-1]) & (clock[1:] == clock[:-1])
    follows[1:] &= head[1:] - head[:-1] <= MOST_APART
    follows[1:] |= head[1:] == head[:-1]  # pieces of one block
    first = np.maximum.accumulate(np.where(follows, 0, np.arange(head.size)))
    joined = np.empty_like(head)
    joined[order] = head[first]
    start = 0
    for group, at in zip(involved, chosen, strict=True):
        if at.size:
            group.head = group.head.copy()
            group.head[at] = joined[start : start + at.size]
        start += at.size


def _adjacent(groups: Sequence[_Group]) -> list[Ints]:
    """Return the records that can be joined: of a group much larger than the others only those beside one of these."""
    every = [np.arange(group.head.size) for group in groups]
    largest = max(range(len(groups)), key=lambda i: groups[i].head.size)
    rest = [groups[i].head for i in range(len(groups)) if i != largest]
    size = sum(head.size for head in rest)
    if not rest or groups[largest].head.size < 4 * size:
        return every
    at = np.searchsorted(groups[largest].head, np.concatenate(rest))
    near = _distinct(np.concatenate([at - 1, at, at + 1])) if size else np.zeros(0, np.int64)
    every[largest] = near[(near >= 0) & (near < groups[largest].head.size)]
    return every


def _filled(step: Floats) -> Floats:
    """Rows before the first counter get the step of the row after them."""
    missing = np.flatnonzero(~np.isfinite(step))
    known = np.flatnonzero(np.isfinite(step))
    if missing.size and known.size:
        step[missing] = step[known[np.minimum(np.searchsorted(known, missing), known.size - 1)]]
    return step


def _distinct(values: Ints) -> Ints:
    """Return the distinct values in order (``np.unique`` hashes, which is slower where they are nearly sorted).

    Callers hand over an array of their own: it is sorted in place.
    """
    values.sort(kind="stable")
    fresh = np.concatenate([[True], values[1:] != values[:-1]])
    return values if fresh.all() else values[fresh]


def _binned(sample: _Sample, decided: Sequence[tuple[Store, Decided]], singles: _Singles) -> Expanded:
    """Keep bins: one row of the table stands for the records of a bin, every metric has bins of its own."""
    table = sample.table
    rows = [_Heads.of_singles(sample, singles)]
    parts: dict[str, list[SeriesPoints]] = {label: [] for label in table.columns}
    judged: dict[str, list[tuple[int, Floats]]] = {label: [] for label in table.columns}
    tally: dict[str, int] = {}
    for record in sample.singles:
        if record.line in singles.lines:
            tally[record.grammar] = tally.get(record.grammar, 0) + 1
    for label, column in table.columns.items():
        alone = singles.cells[label]
        if alone.any():
            parts[label].append(_single_points(column, alone, table))
    for store, found in decided:
        heads, cells = points_of(store)
        named = _beside(store, heads, 0)
        step, outer = (np.asarray(rule.of(named, len(heads)), np.float64) for rule in (found.step, found.outer))
        rows.append(_Heads(heads.line, step, outer, found, [_grammar(store.effect)], heads.weight))
        for name, made in _points(store, found, heads, cells, rows[-1].step):
            parts[name].append(made)
            if len(made.points) == len(heads):
                judged[name].append((len(rows) - 1, made.points.value))
        grammar = _grammar(store.effect)
        tally[grammar] = tally.get(grammar, 0) + (store.count if store.effect.piece != "joins" else 0)
    out, stream, weight, place = _stacked(rows, table)
    for label, arrays in judged.items():
        if arrays:
            at = np.concatenate([place[i] for i, _ in arrays])
            value = np.concatenate([values for _, values in arrays])
            order = np.argsort(at, kind="stable")
            model = table.columns[label]
            out.columns[label] = Column(model.key, at[order], value[order], out.line[at[order]])
    joined = {label: _together(pieces) for label, pieces in parts.items() if pieces}
    lines = _all_metric_lines(singles, decided)
    return Expanded(out, stream, lines, int(weight.sum()), tally, joined, weight)


def _points(
    store: Store, found: Decided, heads: Points, cells: Sequence[Points], step: Floats
) -> Iterator[tuple[str, SeriesPoints]]:
    """Yield the bins of every metric of an effect; those of a counter that is a value are those of its records."""
    visible = [kind for kind in store.effect.cells if not kind.flag]
    for kind, label, points, reducer in zip(visible, found.labels, cells, store.reducers, strict=True):
        if label is not None:
            own = np.asarray(found.step.of(_beside(store, points, kind.below), len(points)), np.float64)
            yield label, SeriesPoints(points, own, found.clock, reducer.count, reducer.nonfinite)
    for k, label in enumerate(found.counters):
        if label is not None:
            value = heads.beside[k]
            same = replace(heads, value=value, low=value, high=value, low_line=heads.line, high_line=heads.line)
            yield label, SeriesPoints(same, step, found.clock, store.count, 0)


@dataclass(slots=True)
class _Heads:
    """Rows of the table that stand for the records of one effect, or for those read alone."""

    line: Ints
    step: Floats
    outer: Floats
    found: Decided | None
    grammar: Sequence[str]
    weight: Ints
    clock: Ints | None = None
    layout: Ints | None = None

    @classmethod
    def of_singles(cls, sample: _Sample, singles: _Singles) -> _Heads:
        table, rows = sample.table, singles.rows
        by_line = {record.line: record.grammar for record in sample.singles}
        line = table.line[rows]
        return cls(
            line, table.step[rows], table.outer[rows], None, [by_line.get(at, "") for at in line.tolist()],
            np.ones(rows.size, np.int64), table.clock[rows], table.layout[rows],
        )  # fmt: skip


def _beside(store: Store, points: Points, below: int) -> dict[str, Floats | Ints]:
    """Return the numbers printed beside the middle of each bin."""
    count = len(store.effect.counters)
    counters = {f"c{k}": points.beside[k] for k in range(count)}
    context = {key: points.beside[count + k] for k, (key, _, _) in enumerate(store.effect.context)}
    line = points.line - below
    return _numbers(counters, context, line, line)


def _single_points(column: Column, alone: Bools, table: Table) -> SeriesPoints:
    value, line, rows = column.value[alone], column.line[alone], column.rows[alone]
    zeros = np.zeros(value.size, np.int64)
    points = Points(value, line, value, line, value, line, zeros + 1, zeros)
    bad = value.size - int(np.isfinite(value).sum())
    return SeriesPoints(points, table.step[rows], int(np.bincount(table.clock[rows]).argmax()), value.size, bad)


def _stacked(rows: Sequence[_Heads], table: Table) -> tuple[Table, Ints, Ints, list[Ints]]:
    """Put rows together in file order; return the table, the stream and weight of each row, and where each went."""
    line = np.concatenate([part.line for part in rows])
    order = np.argsort(line, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    place, start = [], 0
    for part in rows:
        place.append(rank[start : start + part.line.size])
        start += part.line.size

    def filled(values: Callable[[_Heads], Any]) -> Any:
        return np.concatenate([np.broadcast_to(values(part), part.line.size) for part in rows])[order]

    codes = {name: i for i, name in enumerate(dict.fromkeys(name for part in rows for name in part.grammar))}
    clock = filled(lambda part: part.found.clock if part.found else part.clock)
    grammar = filled(lambda part: np.array([codes[name] for name in part.grammar], np.int64))
    out = Table(
        line=line[order],
        step=_filled(filled(lambda part: part.step)),
        clock=clock,
        clocks=table.clocks,
        outer=filled(lambda part: part.outer),
        time=np.full(line.size, np.nan),
        layout=filled(lambda part: part.found.layout if part.found else part.layout),
        columns={},
        names=table.names,
        issues=table.issues,
    )
    return out, clock * len(codes) + grammar, filled(lambda part: part.weight), place


def _together(pieces: Sequence[SeriesPoints]) -> SeriesPoints:
    """Join the bins of one metric that stand in records of several effects."""
    names = ("value", "line", "low", "low_line", "high", "high_line", "weight", "part")
    joined = {name: np.concatenate([getattr(piece.points, name) for piece in pieces]) for name in names}
    order = np.argsort(joined["line"], kind="stable")
    step = np.concatenate([piece.step for piece in pieces])[order]
    largest = max(pieces, key=lambda piece: piece.count)
    joined["part"][:] = 0  # parts are numbered by effect; restarts are told by the steps
    points = thinned(Points(**{name: array[order] for name, array in joined.items()}, beside=(step,)))
    count, bad = sum(piece.count for piece in pieces), sum(piece.nonfinite for piece in pieces)
    return SeriesPoints(points, points.beside[0], largest.clock, count, bad)
