"""Keeps what the driver reads: records as arrays (or bins) by effect, and a sample of them as single records.

Which cells are metrics, what they are called and which counter is the x axis is decided by the same code for short and
long logs, on single records. For a long log it decides on a sample: stretches of consecutive records from all over the
log, every record that was read alone, the extremes of every cell, non-finite values, and the places where a counter
falls. What it decided is then carried over to all records of the same effect (:mod:`logdoctor.fastpath.expand`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from logdoctor.fastpath.effects import Effect, record_of
from logdoctor.fastpath.held import Held, joined
from logdoctor.fastpath.known import Bulk
from logdoctor.fastpath.numbers import Floats
from logdoctor.model import Ints
from logdoctor.parsers._assembler import Record
from logdoctor.streaming import Points, Reducer

FIRST = 32
STRETCH = 16
MOST_STRETCHES = 16
MOST_FALLS = 64
MOST_EXTREMES = 64
NEIGHBOURS = 16
MOST_SINGLES = 8192
"""Records read alone that are kept when a log is streamed (2 to 4 kB each with all that is made of them); of more,
every second one, then every fourth ... is kept: about as many as a metric has bins."""
MOST_OTHERS = 16 << 20
"""Bytes of lines without a record that are kept for the scanners of settings and events when streaming."""
LINE_COST = 160
"""Bytes that a line needs beside its text."""


@dataclass(slots=True)
class Sampled:
    """One record of the sample that stands for others: its effect and its numbers."""

    record: Record
    effect: Effect
    row: int
    counters: list[float]
    context: dict[str, float]
    values: list[float]


SLACK = 16384
"""Free places before the values of a buffer, and one more for 16 values: other rows find room between the values
without a second array (:mod:`logdoctor.fastpath.places`)."""


class Buffer:
    """An array that grows. ``room`` is how many values are expected; memory that is not written to costs nothing."""

    __slots__ = ("_array", "_slack", "size")

    def __init__(self, room: int, dtype: type) -> None:
        """Make room for ``room`` values."""
        self._slack = SLACK + room // 16
        self._array: np.ndarray = np.empty(self._slack + room, dtype)
        self.size = 0

    def append(self, values: np.ndarray) -> None:
        """Add values at the end."""
        start = self._slack + self.size
        if start + values.size > self._array.size:
            self._grow(self.size + values.size)
            start = self._slack + self.size
        self._array[start : start + values.size] = values
        self.size += values.size

    def _grow(self, size: int) -> None:
        room = size + size // 2
        larger = np.empty(SLACK + room // 16 + room, self._array.dtype)
        slack = larger.size - room
        larger[slack : slack + self.size] = self.values
        self._array, self._slack = larger, slack

    @property
    def values(self) -> np.ndarray:
        """What was added."""
        return self._array[self._slack : self._slack + self.size]

    def room_before(self, many: int) -> np.ndarray | None:
        """Return the values with ``many`` free places before them, None when there are fewer (see :data:`SLACK`)."""
        first = self._slack - many
        return self._array[first : self._slack + self.size] if first >= 0 else None


@dataclass(slots=True)
class Store:
    """All records of one effect: arrays in file order, or bins."""

    effect: Effect
    model: Record
    count: int = 0
    line: Buffer | None = None
    row: Buffer | None = None
    counters: list[Buffer] = field(default_factory=list)
    context: dict[str, list[Held]] = field(default_factory=dict)
    cells: list[Buffer] = field(default_factory=list)
    low: Floats | None = None
    high: Floats | None = None
    falls: int = 0
    extremes: int = 0
    flawed: bool = False
    reducers: list[Reducer] = field(default_factory=list)
    heads: Reducer | None = None

    def keep(self, bulk: Bulk, room: int) -> None:
        """Add records, expecting about ``room`` in all."""
        if self.line is None:
            self.line = Buffer(room, np.int64)
            self.row = Buffer(room, np.int64) if self.effect.piece else None
            self.counters = [Buffer(room, np.float64) for _ in bulk.counters]
            self.context = {key: [] for key in bulk.context}
            self.cells = [Buffer(room, np.float64) for _ in bulk.cells]
        self.line.append(bulk.line)
        if self.row is not None:
            self.row.append(bulk.row)
        for buffer, values in zip([*self.counters, *self.cells], [*bulk.counters, *bulk.cells], strict=True):
            buffer.append(values)
        for key, above in bulk.context.items():
            self.context[key].append(above)

    def whole(self) -> Bulk:
        """Return all records."""
        assert self.line is not None
        line = self.line.values
        self.context = {key: [joined(parts)] for key, parts in self.context.items()}
        return Bulk(
            effect=self.effect,
            model=self.model,
            line=line,
            row=line if self.row is None else self.row.values,
            counters=[buffer.values for buffer in self.counters],
            cells=[buffer.values for buffer in self.cells],
            context={key: parts[0] for key, parts in self.context.items()},
        )


@dataclass(slots=True)
class _Few:
    """Records read alone; of many only every second, fourth ... one is kept when a log is streamed."""

    records: list[Record] = field(default_factory=list)
    every: int = 1
    seen: int = 0

    def add(self, record: Record, bounded: bool) -> None:
        self.seen += 1
        if self.seen % self.every:
            return
        self.records.append(record)
        if bounded and len(self.records) >= MOST_SINGLES:
            self.every *= 2
            self.records = self.records[::2]


class Collector:
    """Takes what the driver reads.

    Args:
        stream: reduce the numbers into bins instead of keeping all.
        size: bytes of the log, 0 when unknown; tells how wide the bins are going to be.
    """

    def __init__(self, *, stream: bool = False, size: int = 0) -> None:
        """Start with nothing."""
        self.stream, self.size = stream, size
        self._alone, self._own = _Few(), _Few()
        self.others: list[tuple[int, str]] = []
        self.stores: dict[Effect, Store] = {}
        self.untold = 0
        self._held = self._late_held = 0
        self._late: deque[tuple[int, str]] = deque()
        self._stretches: list[tuple[int, list[Sampled]]] = []
        self._always: list[Sampled] = []
        self._window: tuple[int, int] = (0, 0)
        self._block = 1
        self._blocks = 0
        self._every = 1

    def single(self, record: Record) -> None:
        """Take a record that was read alone."""
        self._alone.add(record, self.stream)

    def own(self, record: Record) -> None:
        """Take a record that a format of the user's own read."""
        self._own.add(record, self.stream)

    @property
    def singles(self) -> list[Record]:
        """The records that were read alone."""
        return self._alone.records

    @property
    def owned(self) -> list[Record]:
        """The records that formats of the user's own read."""
        return self._own.records

    @property
    def kept_every(self) -> int:
        """Of how many records read alone one was kept."""
        return max(self._alone.every, self._own.every)

    def other(self, number: int, text: str) -> None:
        """Take a line without a record; of a streamed log the first and the last ones are kept."""
        size = len(text) + LINE_COST
        if not self.stream or self._held + size <= MOST_OTHERS // 2:
            self._held += size
            self.others.append((number, text))
            return
        self._late.append((number, text))
        self._late_held += size
        while self._late_held > MOST_OTHERS // 2:
            _, gone = self._late.popleft()
            self._late_held -= len(gone) + LINE_COST
            self.untold += 1

    def told(self) -> list[tuple[int, str]]:
        """Return the lines without a record that are kept, in file order."""
        return sorted([*self.others, *self._late], key=lambda item: item[0])

    def bulk(self, bulk: Bulk) -> None:
        """Take many records of one effect."""
        store = self.stores.get(bulk.effect)
        if store is None:
            store = self.stores[bulk.effect] = Store(bulk.effect, bulk.model)
        self._sample(store, bulk)
        if self.stream:
            self._reduce(store, bulk)
        store.count += bulk.line.size
        if self.stream:
            return
        store.keep(bulk, self._expected(bulk.line.size) * 9 // 8 + SLACK)

    # ------------------------------------------------------------------------------------------------ bins
    def _reduce(self, store: Store, bulk: Bulk) -> None:
        """Add to the bins of each cell; counters travel with the middle value, for its step."""
        if store.heads is None:
            beside = len(bulk.counters) + len(bulk.context)
            expected = self._expected(bulk.line.size)
            store.heads = Reducer(expected, beside)
            store.reducers = [Reducer(expected, beside) for _ in bulk.cells]
        counters = [*bulk.counters, *(values.array() for values in bulk.context.values())]
        leading = counters[0] if counters else bulk.line.astype(np.float64)
        cuts = _falls(bulk.counters)
        store.falls += cuts.size
        if cuts.size > 8 or store.falls > 200:
            cuts = cuts[:0]  # an inner counter, not a restart
        begin = 0
        visible = [kind for kind in store.effect.cells if not kind.flag]
        # The first record of a run is a bin of its own: it says where, and at which step, the run begins.
        alone = {0} if store.count == 0 else set()
        alone |= set(cuts.tolist())
        borders = sorted({*alone, *(at + 1 for at in alone if at + 1 < bulk.line.size), bulk.line.size} - {0})
        for stop in borders:
            part = slice(begin, stop)
            near = [c[part] for c in counters]
            store.heads.add(leading[part], bulk.row[part], *near)
            for reducer, cell, kind in zip(store.reducers, bulk.cells, visible, strict=True):
                reducer.add(cell[part], bulk.line[part] + kind.below, *near)
            if stop < bulk.line.size:
                for reducer in (store.heads, *store.reducers):
                    reducer.cut()
            begin = stop

    def _expected(self, rows: int) -> int:
        """Return about how many records there will be of an effect of which the present block has ``rows``."""
        return int(rows * max(1.0, self.size / self._block)) if rows >= 64 else 0

    # ------------------------------------------------------------------------------------------------ sample
    def sample(self) -> list[Sampled]:
        """Return the sample, one entry a record, in file order."""
        out: dict[tuple[Effect, int], Sampled] = {}
        for item in [*self._always, *(item for _, items in self._stretches for item in items)]:
            out.setdefault((item.effect, item.record.line), item)
        if not self.stream:
            for item in self._neighbours(list(out.values())):
                out.setdefault((item.effect, item.record.line), item)
        return sorted(out.values(), key=lambda item: item.record.line)

    def _neighbours(self, items: list[Sampled]) -> list[Sampled]:
        """Return, for a few records of each effect and some read alone, the records printed just before and after."""
        by_effect: dict[Effect, list[int]] = {}
        for item in items:
            by_effect.setdefault(item.effect, []).append(item.record.line)
        lines = {line for every in by_effect.values() for line in _spaced(every, NEIGHBOURS)}
        lines |= set(_spaced([record.line for record in self.singles], 16 * NEIGHBOURS))
        out = []
        for store in self.stores.values():
            whole = store.whole()
            at = np.searchsorted(whole.line, sorted(lines))
            near = np.unique(np.concatenate([at - 1, at, at + 1]))
            out += [self._record(whole, i) for i in near.tolist() if 0 <= i < whole.line.size]
        return out

    def next_block(self, first: int, count: int, size: int) -> None:
        """Say that ``count`` lines from ``first`` on are a new block of ``size`` bytes; decide which are sampled."""
        self._block = size
        self._blocks += 1
        self._window = (0, 0)
        if self._blocks % self._every:
            return
        if len(self._stretches) >= MOST_STRETCHES:
            self._stretches = self._stretches[::2]
            self._every *= 2
        at = first + count // 3
        self._window = (at, at + STRETCH * 8)
        self._stretches.append((at, []))

    def _sample(self, store: Store, bulk: Bulk) -> None:
        wanted: set[int] = set(range(min(bulk.line.size, max(0, FIRST - store.count))))
        wanted |= self._extremes(store, bulk)
        falls = _falls(bulk.counters)
        if falls.size and store.falls < MOST_FALLS:
            few = falls if falls.size <= 6 else falls[np.linspace(0, falls.size - 1, 6).astype(int)]
            wanted |= {at + k for at in few.tolist() for k in (-2, -1, 0, 1) if 0 <= at + k < bulk.line.size}
            store.falls += 0 if self.stream else few.size
        if self._window[1]:
            wanted.add(bulk.line.size - 1)
        self._always += [self._record(bulk, at) for at in sorted(wanted)]
        a, b = np.searchsorted(bulk.line, self._window)
        if self._stretches and self._window[1]:
            self._stretches[-1][1].extend(self._record(bulk, at) for at in range(int(a), min(int(b), int(a) + STRETCH)))

    def _extremes(self, store: Store, bulk: Bulk) -> set[int]:
        """Return the records with a value beyond all before, and the first that is not finite."""
        if not bulk.cells or store.extremes > MOST_EXTREMES:
            return set()
        low = np.array([np.fmin.reduce(cell) for cell in bulk.cells])
        high = np.array([np.fmax.reduce(cell) for cell in bulk.cells])
        out: set[int] = set()
        if store.low is None or store.high is None:
            store.low, store.high = low, high
            fresh_low = fresh_high = np.ones(low.size, np.bool_)
        else:
            fresh_low, fresh_high = low < store.low, high > store.high
            store.low, store.high = np.fmin(store.low, low), np.fmax(store.high, high)
        for i in np.flatnonzero(fresh_low).tolist():
            out.add(int(np.flatnonzero(bulk.cells[i] == low[i])[:1].sum()))
        for i in np.flatnonzero(fresh_high).tolist():
            out.add(int(np.flatnonzero(bulk.cells[i] == high[i])[:1].sum()))
        if not store.flawed:
            for cell in bulk.cells:
                bad = np.flatnonzero(~np.isfinite(cell))
                if bad.size:
                    out.add(int(bad[0]))
                    store.flawed = True
        store.extremes += len(out)
        return out

    def _record(self, bulk: Bulk, at: int) -> Sampled:
        counters = [float(values[at]) for values in bulk.counters]
        context = {key: values.at(at) for key, values in bulk.context.items()}
        values = [float(column[at]) for column in bulk.cells]
        record = record_of(bulk.effect, bulk.model, int(bulk.line[at]), counters, values, context)
        return Sampled(record, bulk.effect, int(bulk.row[at]), counters, context, values)


def _spaced(lines: list[int], most: int) -> list[int]:
    """Return at most ``most`` of ``lines``, evenly spaced."""
    return lines if len(lines) <= most else [lines[i] for i in np.linspace(0, len(lines) - 1, most).astype(int)]


def _falls(counters: Sequence[Floats]) -> Ints:
    """Return where the first counter that moves falls."""
    for values in counters:
        change = np.diff(values)
        if change.any():
            return np.asarray(np.flatnonzero(change < 0) + 1, np.int64)
    return np.zeros(0, np.int64)


def points_of(store: Store) -> tuple[Points, list[Points]]:
    """Return the bins of a store: those of its records, and those of each cell."""
    assert store.heads is not None
    return store.heads.points(), [reducer.points() for reducer in store.reducers]
