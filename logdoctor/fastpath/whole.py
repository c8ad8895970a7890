"""Keeps every record: the table of all of them, its columns made of the arrays that the records were read into."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from logdoctor.fastpath.collect import Buffer, Store
from logdoctor.fastpath.decide import Decided, Decider, Rule, Shape, grammar_of, numbers_of, shape_of
from logdoctor.fastpath.expanded import DUPLICATES, Expanded, Singles, all_metric_lines, filled
from logdoctor.fastpath.merging import Group, merge
from logdoctor.fastpath.numbers import Bools, Floats
from logdoctor.fastpath.places import Place, place, spread
from logdoctor.frames import Table
from logdoctor.model import Ints
from logdoctor.parsers._assembler import Key
from logdoctor.values import MISSING

_NAN = float("nan")


@dataclass(slots=True)
class _Kind:
    """The records of one effect: what the sample says of them, their numbers and steps, and where they go."""

    store: Store
    found: Decided
    group: Group
    numbers: dict[str, Floats | Ints]
    where: Place = field(default_factory=lambda: Place(np.zeros(0, np.int64)))
    line: Ints | None = None
    moved: tuple[Ints, Ints] | None = None

    def put(self, where: Place) -> None:
        """Say where the records go: from here on the lines of the widest kind are those of the rows."""
        self.where = where
        line = self.store.whole().line
        if where.rows is not None or self.store.row is not None:
            self.line = line
        elif self.group.moved.size:
            self.moved = where.at(self.group.moved), line[self.group.moved]

    @property
    def own(self) -> Ints | slice:
        """The records that begin a row (a record that was joined to another one adds its cells alone)."""
        if not self.group.moved.size:
            return slice(None)
        first = np.ones(self.group.head.size, np.bool_)
        first[self.group.moved] = False
        return np.flatnonzero(first)


def whole(
    sample: Decider,
    decided: Sequence[tuple[Store, Decided]],
    singles: Singles,
    pairs: set[tuple[Shape, Shape]],
    shapes: Mapping[int, Shape],
) -> Expanded:
    """Return the table of all records; the stores are void afterwards."""
    table = sample.table
    kinds = [_kind(store, found) for store, found in decided]
    alone = Group.of_singles(sample, singles, shapes)
    merge([*(kind.group for kind in kinds), alone], pairs)
    moved = alone.moved[alone.moved < singles.rows.size]
    singles.key[singles.rows[moved]] = alone.to[: moved.size] * DUPLICATES
    keys = singles.key[singles.rows]
    places = place([kind.group for kind in kinds], keys)
    for kind, where in zip(kinds, places.groups, strict=True):
        kind.put(where)
    joined = np.zeros(keys.size, np.bool_)
    joined[moved] = True
    out = _table(table, kinds, places.size, singles.rows[~joined], places.singles[~joined])
    stream = _streams(sample, kinds, out, dict(zip(table.line[singles.rows], places.singles, strict=True)))
    tally = _tally(sample, kinds, set(table.line[singles.rows[~joined]].tolist()))
    lines = all_metric_lines(singles, decided)
    out.columns = _columns(sample, kinds, singles, places.singles, out.line)
    return Expanded(out, stream, lines, places.size, tally)


def _kind(store: Store, found: Decided) -> _Kind:
    every = store.whole()
    counters = {f"c{k}": values for k, values in enumerate(every.counters)}
    above = {key: values.array() for key, values in every.context.items() if found.uses(f"above {key}")}
    numbers = numbers_of(counters, above, every.line, every.row)
    step = np.asarray(found.step.of(numbers, every.line.size), np.float64)
    clock = np.broadcast_to(np.int64(found.clock), every.line.size)
    return _Kind(store, found, Group(every.row, step, clock, [shape_of(store.effect)]), numbers)


# ------------------------------------------------------------------------------------------------------ the rows


def _table(sample: Table, kinds: Sequence[_Kind], size: int, rows: Ints, at: Ints) -> Table:
    """Return the table without its columns; ``rows`` of the sample, read alone, go to the rows ``at``."""
    out = Table(
        line=_assembled([_heads(kind) for kind in kinds], kinds, size, 0),
        step=np.zeros(0),
        clock=_room(sample.clock, size),
        clocks=sample.clocks,
        outer=_room(sample.outer, size),
        time=_room(sample.time, size),
        layout=_room(sample.layout, size),
        columns={},
        names=sample.names,
        issues=sample.issues,
    )
    for kind in kinds:
        _set(out.clock, kind, kind.found.clock)
        _set(out.layout, kind, kind.found.layout)
        if out.outer.flags.writeable:
            _set(out.outer, kind, kind.found.outer.of(kind.numbers, kind.group.head.size))
        if kind.found.time is not None and out.time.flags.writeable:
            cell, unit = kind.found.time
            _set(out.time, kind, kind.store.cells[cell].values * unit)
    out.step = _assembled([_steps(kind) for kind in kinds], kinds, size, _NAN)
    for name in ("line", "step", "clock", "outer", "time", "layout"):
        if getattr(out, name).flags.writeable:
            getattr(out, name)[at] = getattr(sample, name)[rows]
    out.step = filled(out.step)
    return out


def _heads(kind: _Kind) -> Buffer | Ints:
    """Return the line at which each record begins."""
    buffer = kind.store.line if kind.store.row is None else kind.store.row
    assert buffer is not None
    return buffer


def _steps(kind: _Kind) -> Buffer | Floats:
    """Return the steps, in the buffer of a counter where they are nothing else."""
    rule = kind.found.step
    for k, label in enumerate(kind.found.counters):
        if label is None and rule == Rule(inner=f"c{k}"):
            return kind.store.counters[k]
    return kind.group.step.copy()  # its memory may become a column


def _assembled(several: Sequence[Buffer | np.ndarray], kinds: Sequence[_Kind], size: int, fill: float) -> np.ndarray:
    """Put the numbers of all records into their rows; those of joined records are left out."""
    first = next((i for i, kind in enumerate(kinds) if kind.where.rows is None), -1)
    dtype = np.int64 if fill == 0 else np.float64
    out = np.full(size, fill, dtype) if first < 0 else spread(several[first], kinds[first].where, size, fill)
    for i, (numbers, kind) in enumerate(zip(several, kinds, strict=True)):
        if i != first:
            values = numbers.values if isinstance(numbers, Buffer) else numbers
            assert kind.where.rows is not None
            out[kind.where.rows[kind.own]] = values[kind.own]
    return out


def _set(out: np.ndarray, kind: _Kind, values: Floats | int) -> None:
    """Write one value or one for each record, unless ``out`` holds one value for all rows."""
    if not out.flags.writeable:
        return
    if kind.where.rows is not None:
        out[kind.where.rows[kind.own]] = values if isinstance(values, int) else values[kind.own]
    else:
        kind.where.put(out, np.broadcast_to(values, kind.group.head.size))


def _room(sample: np.ndarray, size: int) -> np.ndarray:
    """Return room for ``size`` values, or one value seen ``size`` times when all of the sample are equal."""
    if sample.size and (bool((sample == sample[0]).all()) or bool((sample != sample).all())):
        return np.broadcast_to(np.asarray(sample[0], sample.dtype), size)
    return np.zeros(size, sample.dtype) if sample.dtype.kind == "i" else np.full(size, np.nan)


def _streams(sample: Decider, kinds: Sequence[_Kind], out: Table, rows: Mapping[int, int]) -> Ints:
    """Number the kinds of rows by clock and grammar: one number for all where they are the same."""
    names = [grammar_of(kind.store.effect) for kind in kinds]
    names += [record.grammar for record in sample.singles if record.line in rows]
    codes = {name: i for i, name in enumerate(dict.fromkeys(names))}
    if len(codes) < 2:
        return out.clock
    grammar = np.zeros(out.line.size, np.int64)
    for kind, name in zip(kinds, names, strict=False):
        _set(grammar, kind, codes[name])
    for record in sample.singles:
        if record.line in rows:
            grammar[rows[record.line]] = codes[record.grammar]
    grammar += out.clock * (len(codes) + 1)
    return grammar


def _tally(sample: Decider, kinds: Sequence[_Kind], lines: set[int]) -> dict[str, int]:
    """Count the records of each grammar."""
    tally: dict[str, int] = {}
    for kind in kinds:
        name = grammar_of(kind.store.effect)
        tally[name] = tally.get(name, 0) + (kind.store.count if kind.store.effect.piece != "joins" else 0)
    for record in sample.singles:
        if record.line in lines:
            tally[record.grammar] = tally.get(record.grammar, 0) + 1
    return tally


# --------------------------------------------------------------------------------------------------- the columns


@dataclass(slots=True, eq=False)
class _Source:
    """Cells of one metric in records of one effect, or in those read alone.

    ``line`` holds the line of each; None when it is that of the row but for ``moved`` (rows and their lines).
    """

    where: Place
    values: Buffer | Floats
    line: Ints | None
    below: int = 0
    moved: tuple[Ints, Ints] | None = None

    @property
    def array(self) -> Floats:
        """The values."""
        return self.values.values if isinstance(self.values, Buffer) else self.values


def _columns(sample: Decider, kinds: Sequence[_Kind], singles: Singles, at: Ints, line: Ints) -> dict[str, Woven]:
    """Put the cells of all records together, one column a metric."""
    table = sample.table
    sources: dict[str, list[_Source]] = {label: [] for label in table.columns}
    missing: dict[str, int] = {label: column.missing for label, column in table.columns.items()}
    place_of = dict(zip(singles.rows.tolist(), at.tolist(), strict=True))
    for label, column in table.columns.items():
        alone = singles.cells[label]
        if alone.any():
            rows = np.array([place_of[row] for row in column.rows[alone].tolist()], np.int64)
            sources[label].append(_Source(Place(rows), column.value[alone], column.line[alone]))
    for kind in kinds:
        for label, source in _cells(kind):
            sources[label].append(source)
        for cell in kind.store.effect.cells:
            for label, column in table.columns.items() if cell.flag == MISSING else ():
                if column.key == cell.key:
                    # The sample counts its own.
                    missing[label] += kind.store.count - len(sample.by_effect.get(kind.store.effect, ()))
    weaver = _Weaver(line)
    return {
        label: Woven(weaver, table.columns[label].key, several, table.columns[label].unit, missing[label],
                      table.columns[label].unreadable)
        for label, several in sources.items()
        if several
    }  # fmt: skip


def _cells(kind: _Kind) -> list[tuple[str, _Source]]:
    """Return the metrics of the records of one effect."""
    store, found = kind.store, kind.found
    cells = zip((cell for cell in store.effect.cells if not cell.flag), found.labels, store.cells, strict=True)
    wanted = [(label, buffer, cell.below) for cell, label, buffer in cells]
    wanted += [(label, buffer, 0) for label, buffer in zip(found.counters, store.counters, strict=True)]
    return [
        (label, _Source(kind.where, buffer, kind.line, below, kind.moved))
        for label, buffer, below in wanted
        if label is not None
    ]


class _Weaver:
    """Works out the rows and lines of cells, once for all columns whose cells stand in the same records."""

    def __init__(self, line: Ints) -> None:
        self.line = line
        self._rows: dict[Hashable, Ints] = {}
        self._lines: dict[Hashable, Ints] = {}
        self._alive: list[object] = []  # an id is only good while its object is there

    def rows(self, sources: Sequence[_Source]) -> Ints:
        """Return the rows of all cells, in order."""
        key = tuple(self._identity(source.where) for source in sources)
        if key not in self._rows:
            self._rows[key] = _rows(sources, self.line.size)
        return self._rows[key]

    def lines(self, sources: Sequence[_Source]) -> Ints:
        """Return the line of every cell, in the order of the rows."""
        key = tuple((self._identity(source.where), _identity(source.line), source.below) for source in sources)
        if key not in self._lines:
            self._alive += [source.line for source in sources]
            self._lines[key] = self._woven(sources)
        return self._lines[key]

    def _woven(self, sources: Sequence[_Source]) -> Ints:
        first = _widest(sources)
        if first is None:
            parts = [source.line + source.below for source in sources if source.line is not None]
            return _in_order(sources, parts)
        if len(sources) == 1 and first.line is None and not first.below and first.moved is None:
            return self.line[_present(sources, self.line.size)]
        out = self.line + first.below
        for source in sources:
            if source.line is not None:
                source.where.put(out, source.line + source.below)
        if first.moved is not None:
            out[first.moved[0]] = first.moved[1] + first.below
        return out[_present(sources, out.size)]

    def _identity(self, where: Place) -> Hashable:
        self._alive.append(where)
        return id(where) if where.rows is None or where.rows.size > _SHORT else where.rows.tobytes()


_SHORT = 20_000
"""Arrays up to this length are told apart by their bytes, longer ones by which object they are."""


def _identity(array: Ints | None) -> Hashable:
    return None if array is None else id(array) if array.size > _SHORT else array.tobytes()


def _widest(sources: Sequence[_Source]) -> _Source | None:
    """Return the source that has all rows but a few, if there is one."""
    return next((source for source in sources if source.where.rows is None), None)


def _absent(sources: Sequence[_Source]) -> Ints:
    """Return the rows without a cell, where one source has all rows but a few."""
    first = _widest(sources)
    assert first is not None
    others = [source.where.rows for source in sources if source.where.rows is not None]
    return np.setdiff1d(first.where.but, np.concatenate(others), assume_unique=True) if others else first.where.but


def _present(sources: Sequence[_Source], size: int) -> Bools | slice:
    absent = _absent(sources)
    if not absent.size:
        return slice(None)
    present = np.ones(size, np.bool_)
    present[absent] = False
    return present


def _rows(sources: Sequence[_Source], size: int) -> Ints:
    if _widest(sources) is None:
        rows = [source.where.rows for source in sources if source.where.rows is not None]
        return rows[0] if len(rows) == 1 else np.sort(np.concatenate(rows), kind="stable")
    present = _present(sources, size)
    return np.arange(size) if isinstance(present, slice) else np.flatnonzero(present)


def _in_order(sources: Sequence[_Source], parts: Sequence[np.ndarray]) -> np.ndarray:
    """Join what several sources hold for their cells, in the order of the rows."""
    if len(parts) == 1:
        return parts[0]
    rows = [source.where.rows for source in sources if source.where.rows is not None]
    return np.concatenate(parts)[np.argsort(np.concatenate(rows), kind="stable")]


class Woven:
    """A column of the table, put together when it is asked for (see :class:`logdoctor.frames.Column`)."""

    def __init__(
        self, weaver: _Weaver, key: Key, sources: Sequence[_Source], unit: str | None, missing: int, unreadable: int
    ) -> None:
        """Take the sources of the cells."""
        self.key, self.unit, self.missing, self.unreadable = key, unit, missing, unreadable
        self._weaver, self._sources = weaver, sources
        self._size = weaver.line.size
        first = _widest(sources)
        self._dense: Floats | None = None
        if first is not None:  # in place, at once: nothing else may read the buffer from here on
            self._dense = spread(first.values, first.where, self._size, _NAN)
            for source in sources:
                if source is not first:
                    source.where.put(self._dense, source.array)
                source.values = _EMPTY

    @property
    def rows(self) -> Ints:
        """The rows that have a cell, in order."""
        return self._weaver.rows(self._sources)

    @property
    def line(self) -> Ints:
        """The line of each cell."""
        return self._weaver.lines(self._sources)

    @property
    def value(self) -> Floats:
        """The value of each cell."""
        if self._dense is None:
            return _in_order(self._sources, [source.array for source in self._sources])
        return self._dense[_present(self._sources, self._size)]

    @property
    def nonfinite(self) -> int:
        """How many cells are NaN or infinite."""
        value = self.value
        return value.size - int(np.isfinite(value).sum())

    def line_at(self, row: int) -> int | None:
        """Return the line of the cell of a row, None when the row has none."""
        for source in self._sources:
            at = source.where.index(row)
            if at is None:
                continue
            if source.line is not None:
                return int(source.line[at]) + source.below
            if source.moved is not None and (here := np.flatnonzero(source.moved[0] == row)).size:
                return int(source.moved[1][here[0]]) + source.below
            return int(self._weaver.line[row]) + source.below
        return None

    def dense(self, size: int) -> Floats:
        """Return a value for every row, NaN where there is none; shape ``(size,)``."""
        if self._dense is not None:
            return self._dense
        out = np.full(size, _NAN)
        for source in self._sources:
            source.where.put(out, source.array)
        return out


_EMPTY: Floats = np.zeros(0)
