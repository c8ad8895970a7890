"""Carries what was decided on the sample over to all records.

For every effect the sample shows which of its cells are metrics under which name, and how the step follows from the
counters: it *is* one of them, or an inner counter joined with an outer one. Every such rule is checked on all sampled
records of the effect; where none holds, :class:`Undecided` says that the log must be read line by line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from logdoctor.fastpath.collect import Collector, Sampled, Store
from logdoctor.fastpath.effects import Effect
from logdoctor.fastpath.numbers import Bools, Floats
from logdoctor.frames import Column, Table
from logdoctor.model import Ints
from logdoctor.parsers._assembler import Record
from logdoctor.streaming import Points

MOST_APART = 60
"""Lines between the pieces of one record; as for records that are read alone."""
_DUPLICATES = 64
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

    def of(self, numbers: Mapping[str, Floats], size: int) -> Floats:
        """Return the values for records with these ``numbers``."""
        if not self.inner and not self.outer:
            return np.broadcast_to(np.float64(np.nan), size)
        if not self.outer:
            return numbers[self.inner]
        value = (numbers[self.outer] - self.start) * self.length
        return value + numbers[self.inner] if self.inner else value


@dataclass(slots=True)
class Decided:
    """What the sample says of one effect: label of each visible cell (None: no metric), clock, and rules."""

    labels: list[str | None]
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
        self.bulk_lines = {
            item.record.line + kind.below for item in sampled for kind in item.effect.cells
        }
        self.singles = singles

    def decide(self, store: Store) -> Decided | None:
        """Return what the sample says of an effect, None when none of its cells is a metric."""
        items = self.by_effect.get(store.effect, [])
        visible = [(i, kind) for i, kind in enumerate(store.effect.cells) if not kind.flag]
        values = [item.values for item in items]
        labels: list[str | None] = []
        rows: dict[int, int] = {}
        taken: set[str] = set()
        for place, (_, kind) in enumerate(visible):
            label = self._label(items, values, place, kind.below, kind.key, taken)
            labels.append(label)
            if label is not None:
                taken.add(label)
                for at, item in enumerate(items):
                    found = self.cells[label].get(item.record.line + kind.below)
                    if found is not None:
                        rows.setdefault(at, found[0])
        if not rows:
            return None
        at = list(rows)
        row = np.array([rows[i] for i in at], np.int64)
        numbers = _numbers(
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
            labels=labels,
            clock=int(clocks[0]),
            step=_rule(numbers, self.table.step[row], every),
            outer=_rule(numbers, self.table.outer[row], every),
            time=_time(self.table.time[row], [values[i] for i in at]),
            layout=int(self.table.layout[row[0]]),
        )

    def _label(
        self, items: Sequence[Sampled], values: Sequence[Sequence[float]], place: int, below: int, key: object, taken: set[str]
    ) -> str | None:
        """Return the metric that a cell went into."""
        found: list[tuple[bool, float, str]] = []
        for label, cells in self.cells.items():
            if label in taken:
                continue
            hits = tries = 0
            for item, numbers in zip(items, values, strict=True):
                tries += 1
                entry = cells.get(item.record.line + below)
                hits += entry is not None and _same(entry[1], numbers[place])
                if tries == 4 and not hits:
                    break
            share = hits / max(1, tries)
            if share > 0.05:
                found.append((self.table.columns[label].key == key, share, label))
        if not found:
            return None
        _, share, label = max(found)
        if share < 0.95:
            raise Undecided(f"{label} holds some of the cells of an effect and not others")
        return label

    def pairs(self, sampled: Sequence[Sampled]) -> set[tuple[Effect, Effect]]:
        """Return which effect is joined to a record of which other effect printed just before it."""
        rows: dict[int, int] = {}
        for cells in self.cells.values():
            for line, (row, _) in cells.items():
                rows[line] = row
        out: set[tuple[Effect, Effect]] = set()
        for before, after in zip(sampled, sampled[1:], strict=False):
            a, b = (next((rows[line] for line in _lines(item) if line in rows), None) for item in (before, after))
            if a is not None and a == b and before.row != after.row:
                out.add((before.effect, after.effect))
        return out


def _lines(item: Sampled) -> list[int]:
    return [item.record.line + kind.below for kind in item.effect.cells]


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _numbers(counters: Mapping[str, Floats], context: Mapping[str, Floats], line: Ints, row: Ints) -> dict[str, Floats]:
    named = {f"above {key}": values for key, values in context.items()}
    return {**counters, **named, "row": row.astype(np.float64), "line": line.astype(np.float64)}


def _rule(numbers: Mapping[str, Floats], target: Floats, every: bool) -> Rule:
    """Find how ``target`` follows from ``numbers``; records where a number is missing may differ.

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
    raise Undecided("no rule for the step" if not every else "no rule for the step of a few records")


def _join(numbers: Mapping[str, Floats], target: Floats, inner: str, outer: str) -> Rule | None:
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


def _holds(found: Floats, target: Floats) -> bool:
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


def expand(table: Table, sampled: Sequence[Sampled], collector: Collector) -> Expanded:
    """Return the table of all records from that of the sample.

    Raises:
        Undecided: see there.
    """
    sample = _Sample(table, sampled, collector.singles)
    decided = [
        (store, found) for store in collector.stores.values() if (found := sample.decide(store)) is not None
    ]
    singles = _Singles(sample, {label for label in table.columns})
    if collector.stream:
        return _binned(sample, decided, singles)
    return _whole(sample, decided, singles, sample.pairs(sampled))


class _Singles:
    """The cells and rows of the sample that belong to records read alone."""

    def __init__(self, sample: _Sample, labels: set[str]) -> None:
        table = sample.table
        self.rows = np.zeros(0, np.int64)
        self.cells: dict[str, Bools] = {}
        used: set[int] = set()
        self.lines: set[int] = set()
        for label in labels:
            column = table.columns[label]
            alone = np.array([line not in sample.bulk_lines for line in column.line.tolist()], np.bool_)
            self.cells[label] = alone
            used.update(column.rows[alone].tolist())
            self.lines.update(column.line[alone].tolist())
        self.rows = np.array(sorted(used), np.int64)
        # Several records may stand on one line (states of a progress bar): they are told apart by a running number.
        line = table.line
        order = np.arange(line.size)
        firsts = np.searchsorted(line, line, side="left") if bool((np.diff(line) >= 0).all()) else order
        self.key = line * _DUPLICATES + np.minimum(order - firsts, _DUPLICATES - 1)


def _whole(
    sample: _Sample, decided: Sequence[tuple[Store, Decided]], singles: _Singles, pairs: set[tuple[Effect, Effect]]
) -> Expanded:
    """Keep every record."""
    table = sample.table
    heads: list[Ints] = []
    steps: list[Floats] = []
    numbers: list[dict[str, Floats]] = []
    for store, found in decided:
        line, row = _cat(store.line), _cat(store.row)
        counters = {f"c{k}": _cat([part[k] for part in store.counters]) for k in range(len(store.effect.counters))}
        context = {key: _cat([part[key] for part in store.context]) for key, _, _ in store.effect.context}
        named = _numbers(counters, context, line, row)
        numbers.append(named)
        steps.append(np.asarray(found.step.of(named, line.size), np.float64))
        heads.append(row)
        store.line, store.row, store.counters, store.context = [line], [row], [], []
    heads = _merged(decided, heads, steps, pairs)
    keys = [head * _DUPLICATES for head in heads]
    every = np.unique(np.concatenate([*keys, singles.key[singles.rows]]))
    size = every.size
    out = Table(
        line=every // _DUPLICATES,
        step=np.full(size, np.nan),
        clock=np.zeros(size, np.int64),
        clocks=table.clocks,
        outer=np.full(size, np.nan),
        time=np.full(size, np.nan),
        layout=np.full(size, -1, np.int64),
        columns={},
        names=table.names,
        issues=table.issues,
    )
    grammar = np.zeros(size, np.int64)
    codes: dict[str, int] = {}
    tally: dict[str, int] = {}
    placed: list[Ints] = []
    for (store, found), key, step, named in zip(decided, keys, steps, numbers, strict=True):
        at = np.arange(size) if key.size == size else np.searchsorted(every, key)
        placed.append(at)
        out.step[at], out.clock[at], out.layout[at] = step, found.clock, found.layout
        out.outer[at] = found.outer.of(named, step.size)
        if found.time is not None:
            out.time[at] = _cat([part[found.time[0]] for part in store.cells]) * found.time[1]
        name = _grammar(store.effect)
        grammar[at] = codes.setdefault(name, len(codes))
        tally[name] = tally.get(name, 0) + store.count
        named.clear()
    at = np.searchsorted(every, singles.key[singles.rows])
    for field_name in ("step", "clock", "outer", "time", "layout"):
        getattr(out, field_name)[at] = getattr(table, field_name)[singles.rows]
    where = {line: row for row, line in zip(at.tolist(), out.line[at].tolist(), strict=True)}
    for record in sample.singles:
        if record.line in where:
            grammar[where[record.line]] = codes.setdefault(record.grammar, len(codes))
            tally[record.grammar] = tally.get(record.grammar, 0) + 1
    out.step = _filled(out.step)
    out.columns = _columns(sample, decided, singles, placed, at)
    stream = np.unique(out.clock * (len(codes) + 1) + grammar, return_inverse=True)[1].astype(np.int64)
    lines = len(singles.lines) + sum(store.count * _metric_lines(store, found) for store, found in decided)
    return Expanded(table=out, stream=stream, metric_lines=lines, rows=size, grammars=tally)


def _grammar(effect: Effect) -> str:
    head = effect.head
    return str(head[0]) if isinstance(head, tuple) and head else ""


def _metric_lines(store: Store, found: Decided) -> int:
    visible = [kind for kind in store.effect.cells if not kind.flag]
    return len({kind.below for kind, label in zip(visible, found.labels, strict=True) if label is not None})


def _columns(
    sample: _Sample, decided: Sequence[tuple[Store, Decided]], singles: _Singles, placed: Sequence[Ints], at: Ints
) -> dict[str, Column]:
    """Put the cells of all records together, one column a metric."""
    table = sample.table
    parts: dict[str, list[tuple[Ints, Floats, Ints]]] = {label: [] for label in table.columns}
    missing: dict[str, int] = {label: column.missing for label, column in table.columns.items()}
    place = dict(zip(singles.rows.tolist(), at.tolist(), strict=True))
    for label, column in table.columns.items():
        alone = singles.cells[label]
        if alone.any():
            rows = np.array([place[row] for row in column.rows[alone].tolist()], np.int64)
            parts[label].append((rows, column.value[alone], column.line[alone]))
    for (store, found), rows in zip(decided, placed, strict=True):
        line = store.line[0]
        visible = [kind for kind in store.effect.cells if not kind.flag]
        shifted: dict[int, Ints] = {0: line}
        for i, (kind, label) in enumerate(zip(visible, found.labels, strict=True)):
            value = _cat([part[i] for part in store.cells])
            for part in store.cells:
                part[i] = _NONE  # held once: what was joined is let go
            if label is not None:
                shifted.setdefault(kind.below, line + kind.below)
                parts[label].append((rows, value, shifted[kind.below]))
        for kind in store.effect.cells:
            for label, column in table.columns.items() if kind.flag else ():
                if column.key == kind.key:
                    missing[label] += store.count
        store.cells = []
    return {
        label: _column(table.columns[label], pieces, missing[label]) for label, pieces in parts.items() if pieces
    }


def _column(model: Column, pieces: Sequence[tuple[Ints, Floats, Ints]], missing: int) -> Column:
    if len(pieces) == 1:
        rows, value, line = pieces[0]
    else:
        rows, value, line = (_cat(list(arrays)) for arrays in zip(*pieces, strict=True))
        if bool((np.diff(rows) < 0).any()):
            order = np.argsort(rows, kind="stable")
            rows, value, line = rows[order], value[order], line[order]
    bad = value.size - int(np.isfinite(value).sum())
    return Column(
        key=model.key, rows=rows, value=value, line=line, unit=model.unit, missing=missing,
        unreadable=model.unreadable, nonfinite=bad,
    )  # fmt: skip


_NONE: Floats = np.zeros(0)


def _merged(
    decided: Sequence[tuple[Store, Decided]], heads: list[Ints], steps: list[Floats], pairs: set[tuple[Effect, Effect]]
) -> list[Ints]:
    """Join neighbours that the sample joined: same clock and step, printed within a few lines."""
    index = {store.effect: i for i, (store, _) in enumerate(decided)}
    known = [(index[a], index[b]) for a, b in pairs if a in index and b in index]
    if not known:
        return heads
    involved = sorted({i for pair in known for i in pair})
    head = np.concatenate([heads[i] for i in involved])
    step = np.concatenate([steps[i] for i in involved])
    kind = np.concatenate([np.full(heads[i].size, i) for i in involved])
    own = np.concatenate([np.arange(heads[i].size) for i in involved])
    order = np.argsort(head, kind="stable")
    head, step, kind, own = head[order], step[order], kind[order], own[order]
    joins = np.zeros((len(decided), len(decided)), np.bool_)
    for a, b in known:
        joins[a, b] = decided[a][1].clock == decided[b][1].clock
    follows = np.concatenate([[False], joins[kind[:-1], kind[1:]] & (step[1:] == step[:-1])])
    follows[1:] &= head[1:] - head[:-1] <= MOST_APART
    first = np.maximum.accumulate(np.where(follows, 0, np.arange(head.size)))
    out = list(heads)
    for i in involved:
        mine = kind == i
        out[i] = np.empty_like(heads[i])
        out[i][own[mine]] = head[first[mine]]
    return out


def _filled(step: Floats) -> Floats:
    """Rows before the first counter get the step of the row after them."""
    missing = np.flatnonzero(~np.isfinite(step))
    known = np.flatnonzero(np.isfinite(step))
    if missing.size and known.size:
        step[missing] = step[known[np.minimum(np.searchsorted(known, missing), known.size - 1)]]
    return step


def _cat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _binned(sample: _Sample, decided: Sequence[tuple[Store, Decided]], singles: _Singles) -> Expanded:
    raise NotImplementedError
