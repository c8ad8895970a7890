"""Records -> columns: one row a record, one column a metric, arrays instead of objects from here on."""

from __future__ import annotations

import functools
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from logdoctor.model import Bools, Clock, Floats, Ints, Issue, Series
from logdoctor.names import (
    EPOCHS,
    Name,
    canonical,
    counter,
    elsewhere,
    identity,
    is_clock,
    is_elapsed,
    of_agents,
    of_episodes,
    snake,
    split_phase,
    squash,
)
from logdoctor.parsers import _clocks
from logdoctor.parsers._assembler import Key, Record
from logdoctor.parsers._record import Cell
from logdoctor.values import MISSING, UNREADABLE

if TYPE_CHECKING:
    import pandas as pd

AGAIN = 3
MAX_SERIES = 2000
"""Distinct metrics kept; the rest is counted in an issue. 25 times the widest real log in the survey (80 names)."""


@dataclass(slots=True)
class Column:
    """The cells of one key, as arrays: row index, value and line, with what could not be read counted."""

    key: Key
    rows: Ints
    value: Floats
    line: Ints
    unit: str | None = None
    missing: int = 0
    unreadable: int = 0
    nonfinite: int = 0

    def dense(self, size: int) -> Floats:
        """Return a value for every row, NaN where there is none; shape ``(size,)``."""
        if self.rows.size == size:
            return self.value
        values = np.full(size, np.nan)
        values[self.rows] = self.value
        return values

    def line_at(self, row: int) -> int | None:
        """Return the line of the cell of a row, None when the row has none."""
        at = int(np.searchsorted(self.rows, row))
        return int(self.line[at]) if at < self.rows.size and self.rows[at] == row else None


class Cells(Protocol):
    """What a table asks of its columns; see :class:`Column`."""

    key: Key
    unit: str | None
    missing: int
    unreadable: int

    @property
    def rows(self) -> Ints:
        """The row of each cell."""

    @property
    def value(self) -> Floats:
        """The value of each cell."""

    @property
    def line(self) -> Ints:
        """The line of each cell."""

    @property
    def nonfinite(self) -> int:
        """How many values are NaN or infinite."""

    def dense(self, size: int) -> Floats:
        """Return a value for every row, NaN where there is none."""

    def line_at(self, row: int) -> int | None:
        """Return the line of the cell of a row, None when the row has none."""


@dataclass(slots=True)
class Table:
    """All rows of a log. Every array has shape ``(rows,)`` but those inside ``columns``."""

    line: Ints
    step: Floats
    clock: Ints
    clocks: tuple[Clock, ...]
    outer: Floats
    time: Floats
    layout: Ints
    columns: Mapping[str, Cells]
    names: dict[str, Name]
    issues: list[Issue] = field(default_factory=list)


def tabulate(records: Sequence[Record]) -> Table:
    """Turn records into columns with canonical names."""
    axis = _clocks.choose(records)
    _lengths(records, axis.lengths)
    _close(records)
    records, axis = _merged(records, axis)
    columns, elapsed, issues = _columns(records)
    agents = any(clock.unit in ("episodes", "env steps", "games") for clock in axis.clocks)
    named, names = _named(columns, agents)
    return Table(
        line=np.array([record.line for record in records], dtype=np.int64),
        step=axis.step,
        clock=axis.clock,
        clocks=_of_episodes(axis.clocks, columns),
        outer=axis.outer,
        time=_times(records, elapsed),
        layout=np.array([record.header for record in records], dtype=np.int64),
        columns=named,
        names=names,
        issues=issues,
    )


def _of_episodes(clocks: tuple[Clock, ...], columns: Sequence[Column]) -> tuple[Clock, ...]:
    """A global step beside an episodic return counts the steps of the environments, not those of the optimiser."""
    if not any(squash(column.key.raw).startswith("episodic") for column in columns):
        return clocks
    return tuple(replace(clock, unit="env steps") if squash(clock.name) == "globalstep" else clock for clock in clocks)


def _lengths(records: Sequence[Record], names: frozenset[str]) -> None:
    """Turn what looked like a counter and is none (steps of each episode) into values."""
    if not names:
        return
    for record in records:
        for count in record.counters:
            if identity(count.name) in names:
                cell = Cell(count.name, count.value, start=count.start, end=count.end)
                record.cells.setdefault(Key(_LENGTHS.get(identity(count.name), count.name)), (cell, record.line))


_LENGTHS = {"steps": "episode steps", "step": "episode steps", "timesteps": "episode steps", "frames": "episode steps"}


def _merged(records: Sequence[Record], axis: _clocks.Axis) -> tuple[list[Record], _clocks.Axis]:
    """Join neighbours that are pieces of one record: same clock and step, no key twice, printed within a few lines."""
    keep: list[int] = []
    out: list[Record] = []
    for index, record in enumerate(records):
        if (
            out
            and _pieces(out[-1], record)
            and axis.clock[keep[-1]] == axis.clock[index]
            and axis.step[keep[-1]] == axis.step[index]
        ):
            out[-1].cells.update(record.cells)
            continue
        keep.append(index)
        out.append(record)
    at = np.array(keep, dtype=np.int64)
    return out, _clocks.Axis(step=axis.step[at], clock=axis.clock[at], clocks=axis.clocks, outer=axis.outer[at])


def _names(record: Record) -> set[str]:
    return {count.name.lower() for count in record.counters}


def _pieces(before: Record, after: Record) -> bool:
    if "columns" in (before.grammar, after.grammar) or "literal" in (before.grammar, after.grammar):
        return False
    if not (before.counters or before.context) or after.line - before.line > 60:
        return False
    if before.counters and after.counters and not _names(before) & _names(after):
        return False  # ``step 250: val loss ...`` and ``iter 250: loss ...`` count the same thing and are two records
    return not any(key in before.cells for key in after.cells)


def _closing(record: Record) -> bool | None:
    """Whether a record counts epochs or episodes alone, and nothing within; None when it counts nothing itself."""
    if not record.counters:
        return None
    ranks = [found.rank for count in record.counters if (found := counter(count.name))]
    return bool(ranks) and min(ranks) >= EPOCHS and all(count.name not in ("", "bar") for count in record.counters)


def _two_kinds(records: Sequence[Record]) -> frozenset[Key]:
    """Return the keys that stand both in rows within an epoch and in rows that close one: the mean of the epoch."""
    seen: tuple[dict[Key, int], dict[Key, int]] = ({}, {})
    for record in records:
        kind = _closing(record)
        if kind is not None:
            for key in record.cells:
                seen[kind][key] = seen[kind].get(key, 0) + 1
    return frozenset(key for key, times in seen[1].items() if times > 1 and seen[0].get(key, 0) > 1)


def _lines(record: Record) -> list[list[Key]]:
    """Return the keys of a record by the line that they were printed on."""
    by_line: dict[int, list[Key]] = {}
    for key, (_, line) in record.cells.items():
        by_line.setdefault(line, []).append(key)
    return list(by_line.values())


def _contained(one: Iterable[Key], other: Iterable[Key]) -> bool:
    """Whether all names of one line are among those of the other."""
    first, second = {key.raw for key in one}, {key.raw for key in other}
    return first <= second or second <= first


def _ended(record: Record) -> bool:
    """Whether a row is the last one of its epoch."""
    return any(
        count.total == count.value and count.total > 1 and identity(count.name) != "epoch"
        for count in record.counters
        if count.total
    )


def _beside(records: Sequence[Record]) -> dict[Key, type[Key]]:
    """Return the keys of lines without a counter that the counted row above has too, beside others than they have.

    What is printed twice at one place is two things: the mean of the epoch or an evaluation, and the row.
    """
    row: Record | None = None
    kinds: dict[Key, type[Key]] = {}
    hits: Tally[Key] = Tally()
    times: Tally[Key] = Tally()
    for record in records:
        if record.counters:
            row = record
        elif row is not None and record.grammar == "blocks":
            for keys in _lines(record):
                times.update(keys)
                if _ended(row) or not _contained(keys, row.cells):
                    shared = [key for key in keys if key in row.cells]
                    hits.update(shared)
                    kinds |= dict.fromkeys(shared, _Another if _closing(row) else _Closing)
    found = {key: kinds[key] for key, count in hits.items() if 2 * count > times[key]}
    return found | dict.fromkeys(_final(records, {key for key, count in times.items() if count == 1}), _Another)


def _final(records: Sequence[Record], once: set[Key]) -> list[Key]:
    """Return the keys of lines without a counter, printed once, below the last of the counted rows that have them."""
    rows: Tally[Key] = Tally()
    last: set[Key] = set()
    row: Record | None = None
    for record in records if once else ():
        keys = once & record.cells.keys()
        if record.counters:
            row = record
            rows.update(keys)
            last -= keys
        elif record.grammar == "blocks" and (len(keys) < AGAIN or row is None or keys != row.cells.keys()):
            last |= keys  # a whole row is one that has lost its counter
    return [key for key in last if rows[key] >= AGAIN]


def _close(records: Sequence[Record]) -> None:
    """Give the means of an epoch keys of their own (before records are joined: then it is seen no more)."""
    again = _beside(records)
    for record in records if again else ():
        if not record.counters and record.grammar == "blocks" and again.keys() & record.cells.keys():
            record.cells = {again.get(key, Key)(*key): item for key, item in record.cells.items()}
    both = _two_kinds(records)
    for record in records if both else ():
        if _closing(record):
            record.cells = {_Closing(*key) if key in both else key: item for key, item in record.cells.items()}


def _columns(records: Sequence[Record]) -> tuple[list[Column], list[Column], list[Issue]]:
    """Return the columns, those among them that are no metric but elapsed time, and issues."""
    cells: dict[Key, list[tuple[int, float, str, str | None, int]]] = {}
    for index, record in enumerate(records):
        for key, (cell, line) in record.cells.items():
            if not is_clock(key.raw):
                cells.setdefault(key, []).append((index, cell.value, cell.flag, cell.unit, line))
    issues: list[Issue] = []
    if len(cells) > MAX_SERIES:
        often = sorted(cells, key=lambda key: -len(cells[key]))
        issues.append(
            Issue(line=None, text=f"{len(cells):,} different names: only the {MAX_SERIES:,} most frequent are kept")
        )
        cells = (
            {key: cells[key] for key in sorted(often[:MAX_SERIES], key=list(cells).index)}
            if len(cells) < 20000
            else {key: cells[key] for key in often[:MAX_SERIES]}
        )
    columns = [column for key, rows in cells.items() if (column := _column(key, rows)) is not None]
    elapsed = [column for column in columns if _elapsed(column)]
    return [column for column in columns if not any(column is one for one in elapsed)], elapsed, issues


class _Closing(Key):
    """A key of rows that close an epoch."""

    def __eq__(self, other: object) -> bool:
        return type(other) is _Closing and tuple.__eq__(self, other)

    def __hash__(self) -> int:
        return hash((tuple(self), "closing"))


class _Another(Key):
    """A key of lines below the rows of epochs: an evaluation, or the result of the run."""

    def __eq__(self, other: object) -> bool:
        return type(other) is _Another and tuple.__eq__(self, other)

    def __hash__(self) -> int:
        return hash((tuple(self), "another"))


def _elapsed(column: Column) -> bool:
    """Whether a column called *time* is elapsed time (it only grows) and not the time of a step."""
    if squash(column.key.raw) in _LASTED and column.unit in _TIME_UNITS:
        return True
    if squash(column.key.raw) != "time":
        return False
    if column.value.size < AGAIN:
        return column.unit in _TIME_UNITS
    values = column.value[np.isfinite(column.value)]
    return bool(values.size >= AGAIN and np.all(np.diff(values) >= 0) and values[-1] > values[0])


def _column(key: Key, rows: Sequence[tuple[int, float, str, str | None, int]]) -> Column | None:
    flags = np.array([row[2] for row in rows])
    good = (flags != MISSING) & (flags != UNREADABLE)
    if not good.any():
        return None
    values = np.array([row[1] for row in rows], dtype=np.float64)[good]
    units = Tally(row[3] for row in rows if row[3])
    return Column(
        key=key,
        rows=np.array([row[0] for row in rows], dtype=np.int64)[good],
        value=values,
        line=np.array([row[4] for row in rows], dtype=np.int64)[good],
        unit=units.most_common(1)[0][0] if units else None,
        missing=int((flags == MISSING).sum()),
        unreadable=int((flags == UNREADABLE).sum()),
        nonfinite=int((~np.isfinite(values)).sum()),
    )


# ``train 2.1s``, ``total 5 min``: how long that took
_LASTED = frozenset({"total", "passed", "train", "training", "val", "valid", "eval", "test", "infer", "took"})
_LOSS = frozenset({"loss", "totalloss"})
_TIME_NAMES = frozenset({"time", "time_avg", "val_time", "val_time_avg", "test_time"})


def _named(columns: Sequence[Column], agents: bool) -> tuple[dict[str, Column], dict[str, Name]]:
    """Give every column a name of its own; two spellings of one metric are joined unless they run side by side."""
    named: dict[str, Column] = {}
    names: dict[str, Name] = {}
    spelt = Tally(squash(column.key.raw) for column in columns)
    agents = agents or any(of_agents(*column.key) for column in columns)
    measured = any("loss" in canonical(*column.key).name for column in columns)
    for column in sorted(
        columns, key=lambda item: (-item.value.size, item.key.phase == "train", item.key.raw == "base_lr")
    ):
        name = canonical(column.key.raw, column.key.title, column.key.phase)
        raw = column.key.raw
        name = of_episodes(raw, name) if agents else elsewhere(raw, name, measured)
        if not name.known and spelt[squash(column.key.raw)] == 1 and squash(column.key.raw) in _LOSS:
            name = canonical(
                column.key.raw, "", column.key.phase
            )  # the only loss of the log, whatever its block is called
        if squash(split_phase(column.key.raw)[0]) == "correct" and column.unit == "%":
            name = canonical("accuracy", "", name.phase)
        if squash(column.key.raw) == "speed" and column.unit:
            rate = canonical(column.unit, "", column.key.phase)
            name = rate._replace(unit=None) if rate.known else name
        if column.unit in _SECONDS_OR_LESS and name.name.endswith(("loss", "return", "reward", "accuracy")):
            name = name._replace(name=f"{snake(column.key.raw)}_time", goal="min", known=False)
        if name.name in _TIME_NAMES:
            name = name._replace(name=name.name.replace("time", "step_time"), goal="min")
        label = name.name
        if label in named:
            if _apart(named[label], column, names[label].phase == name.phase):
                named[label] = _joined(named[label], column)
                continue
            label = _own_name(column.key, name, named)
            name = name._replace(name=label)
        named[label] = column
        names[label] = name
    order = sorted(named, key=lambda item: (int(named[item].rows[0]), int(named[item].line[0])))
    return {label: named[label] for label in order}, names


def _apart(one: Column, other: Column, alike: bool) -> bool:
    """Whether two columns never run side by side, so that they are one metric under two spellings."""
    if not alike and one.key.raw == other.key.raw:
        return False
    return bool(one.rows[-1] < other.rows[0] or other.rows[-1] < one.rows[0])


def _joined(one: Column, other: Column) -> Column:
    first, second = (one, other) if one.rows[0] < other.rows[0] else (other, one)
    return Column(
        key=one.key,
        rows=np.concatenate([first.rows, second.rows]),
        value=np.concatenate([first.value, second.value]),
        line=np.concatenate([first.line, second.line]),
        unit=one.unit or other.unit,
        missing=one.missing + other.missing,
        unreadable=one.unreadable + other.unreadable,
        nonfinite=one.nonfinite + other.nonfinite,
    )


def _own_name(key: Key, name: Name, taken: Mapping[str, Column]) -> str:
    held = name.phase in ("val", "eval", "test")
    candidates = [snake(key.raw)]
    if isinstance(key, _Closing):
        candidates = [f"{name.name}_epoch"]
        held = False
    if not key.raw.isascii() and name.phase:
        candidates = [f"{name.phase}_{name.name}"]
    if name.phase == "test" and name.name.startswith("val_"):  # a test set beside a validation set
        candidates = [f"test_{name.name.removeprefix('val_')}"]
    if held and not candidates[0].startswith(("val_", "eval_", "test_")):
        candidates = [f"val_{snake(split_phase(key.raw)[0])}", *candidates]
    if key.title:
        candidates.append(snake(f"{key.title} {key.raw}"))
    if key.phase and not candidates[0].startswith(key.phase):
        candidates.append(f"{key.phase}_{snake(key.raw)}")
    for candidate in candidates:
        if candidate not in taken:
            return candidate
    number = 2
    while f"{name.name}_{number}" in taken:
        number += 1
    return f"{name.name}_{number}"


def _times(records: Sequence[Record], elapsed: Sequence[Column]) -> Floats:
    """Return the time that each record prints, in seconds; a column called *time* gives it where no other name does."""
    out = np.full(len(records), np.nan)
    for column in elapsed:
        if squash(column.key.raw) == "time":
            out[column.rows] = column.value * _SECONDS.get(column.unit or "", 1.0)
    for index, record in enumerate(records):
        for key, (cell, _) in record.cells.items():
            if is_elapsed(key.raw) and np.isfinite(cell.value):
                out[index] = cell.value * _SECONDS.get(cell.unit or "", 1.0)
                break
    return out


_SECONDS_OR_LESS = frozenset({"s", "ms", "us", "µs", "sec", "secs", "seconds"})
_TIME_UNITS = frozenset({"s", "ms", "us", "m", "h", "min", "sec", "secs", "seconds", "minutes", "hours"})
_SECONDS = {"m": 60.0, "min": 60.0, "minutes": 60.0, "mins": 60.0, "h": 3600.0, "hours": 3600.0, "ms": 1e-3}


def series_of(table: Table, segment: Ints, judged: Callable[[str], Bools]) -> Mapping[str, Series]:
    """Return the series of the contract, canonical name -> values; each is made when it is asked for."""
    return _SeriesOf(table, segment, judged)


class _SeriesOf(Mapping[str, Series]):
    """The series of a table."""

    def __init__(self, table: Table, segment: Ints, judged: Callable[[str], Bools]) -> None:
        self._table, self._segment, self._judged = table, segment, judged
        self._timed = bool(np.isfinite(table.time).any())
        self._made: dict[str, Series] = {}
        self._shared: dict[int, tuple[Ints, Floats, Ints, Floats | None, int]] = {}
        self._masks: dict[tuple[int, int], tuple[Bools, Bools]] = {}

    def __len__(self) -> int:
        return len(self._table.columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.columns)

    def __contains__(self, label: object) -> bool:
        return label in self._table.columns

    def __getitem__(self, label: str) -> Series:
        if label not in self._made:
            self._made[label] = self._series(label, self._table.columns[label])
        return self._made[label]

    def _series(self, label: str, column: Cells) -> Series:
        rows = column.rows
        if id(rows) not in self._shared:  # cells of one kind of record share their rows, and all that follows from them
            self._shared[id(rows)] = self._beside(rows)
        _, step, segments, times, most = self._shared[id(rows)]
        mask = self._judged(label)
        key = (id(mask), id(rows))
        if key not in self._masks:
            self._masks[key] = (mask, mask[rows])  # the mask is kept, so that its id stays its own
        name = self._table.names[label]
        value = column.value
        return Series(
            name=label,
            raw_name=raw_name(column.key),
            value=value,
            step=step,
            line=column.line,
            segment=segments,
            judged=self._masks[key][1],
            clock=None if most == 0 else self._table.clocks[most].name,
            unit=name.unit or column.unit,
            phase=name.phase,
            goal=name.goal,
            time=times,
            missing=column.missing,
            unreadable=column.unreadable,
            nonfinite=column.nonfinite,
            count=int(value.size),
        )

    def _beside(self, rows: Ints) -> tuple[Ints, Floats, Ints, Floats | None, int]:
        """Return what the cells in ``rows`` share; the rows too, so that their id stays their own."""
        table = self._table
        times = table.time[rows] if self._timed else None
        return rows, table.step[rows], self._segment[rows], times, int(np.bincount(table.clock[rows]).argmax())


def raw_name(key: Key) -> str:
    """Return a key as the log printed it."""
    return f"{key.title} / {key.raw}" if key.title else key.raw


def dense(table: Table) -> Mapping[str, Floats]:
    """Return every column with shape ``(rows,)``, NaN where a row has no value; each is made when asked for."""
    return _Dense(table)


class _Dense(Mapping[str, Floats]):
    """The columns of a table with a value, or NaN, for every row."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table.columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.columns)

    def __contains__(self, label: object) -> bool:
        return label in self._table.columns

    def __getitem__(self, label: str) -> Floats:
        return self._table.columns[label].dense(self._table.line.size)


def framed(table: Table, segment: Ints) -> Callable[[], pd.DataFrame]:
    """Return what makes the dataframe of the contract, once.

    Its columns are the arrays of the series. Who hands it out hands out a shallow copy: as long as the first one is
    kept, pandas copies a column before it is written to.
    """

    def frame() -> pd.DataFrame:
        import pandas as pd

        data: dict[str, object] = {"line": table.line, "segment": segment, "step": table.step}
        if np.isfinite(table.time).any():
            data["time"] = table.time
        data.update(dense(table))
        return pd.DataFrame(data, copy=False)

    return functools.cache(frame)
