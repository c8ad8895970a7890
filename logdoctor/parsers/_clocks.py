"""Which counter is the x axis of each record, and how an inner counter that restarts is joined with its outer one."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from logdoctor import names as naming
from logdoctor.model import Bools, Clock, Floats, Ints
from logdoctor.names import EPOCHS, counter
from logdoctor.parsers._assembler import Key, Record
from logdoctor.parsers._record import Count

BAR = 3
UNKNOWN = 99
#: Ranks of bars and batches: one that is the same in every row is where each pass ended.
WITHIN = (BAR, 4)
_STEPS = (0, 1, 2)
#: Different values up to which a count printed with every epoch is the size of a data set.
FEW = 3
_HELD = frozenset({"val", "eval", "test"})
#: Share of falls that an outer counter must explain before an inner one is joined with it.
EXPLAINED = 0.5
#: Share of rows at which an outer counter rises above which an inner one is no counter but a length.
PER_OUTER = 0.8
#: Share of decreases among the rows at which the outer counter stands still above which there is no inner counter:
#: numbers without order (of episodes in remarks of several workers) fall at half of them.
UNORDERED = 0.25
#: Lines between two records of a counter that may well follow each other: a validation and its summary stand there.
APART = 60
#: Lines below a heading of an epoch within which its first row stands.
BELOW = 10
#: Share of the records of one kind that have a counter above them from which on it is theirs.
HEADED = 0.5
#: Share of decreases above which a counter is no clock: lines of many workers, ids.
DISORDER = 0.3
#: Ranks of epochs, rounds and their like: counters that runs, folds, clients and trials begin again.
RESTARTING = (EPOCHS, EPOCHS + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The x axis of every record: ``clock[i]`` is an index into ``clocks``; ``outer`` is NaN where unknown."""

    step: Floats
    clock: Ints
    clocks: tuple[Clock, ...]
    outer: Floats
    lengths: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Join:
    """An inner counter that starts again with an outer one: ``length`` inner steps make one outer step."""

    outer: str
    length: float
    start: float


@lru_cache(maxsize=4096)
def identity(name: str) -> tuple[str, int, str]:
    """Return what makes two counters the same one, with its rank and unit: all epochs are one counter."""
    if name == "bar":
        return "bar", BAR, "iterations"
    found = counter(name)
    if found is None:
        return "", UNKNOWN, ""
    return naming.identity(name), found.rank, found.unit


class _Counters:
    """The counters of all records by identity, and which of them are fit to be an x axis."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.printed: dict[str, str] = {}
        self.rank: dict[str, int] = {}
        self.unit: dict[str, str] = {}
        self.own: dict[str, list[tuple[int, float, float | None]]] = {}
        self.above: dict[str, list[tuple[int, float, float | None]]] = {}
        previous: tuple[Count, ...] = ()
        context: dict[str, Count] = {}
        for index, record in enumerate(records):
            for name, count in _by_identity(_outermost(record)).items():
                self.own.setdefault(name, []).append((index, count.value, count.total))
            if not record.counters and record.latest is not previous:
                for name, count in _by_identity(record.latest).items():
                    self.above.setdefault(name, []).append((index, count.value, count.total))
            previous = record.latest
            around = () if record.context is context else record.context.values()
            context = record.context
            for count in (*record.counters, *record.latest, *around):
                name, rank, unit = identity(count.name)
                self.printed.setdefault(name, count.name)
                self.rank.setdefault(name, rank)
                self.unit.setdefault(name, unit)
        self.context = [{name: c.value for name, c in _by_identity(r.context.values()).items()} for r in records]
        self.lines = [record.line for record in records]
        self.kinds = [tuple(record.cells) for record in records]
        self._openers: dict[tuple[tuple[Key, ...], str], bool] = {}
        self.lengths: set[str] = set()
        self._demote()
        self._mean(records)
        self._headed(records)
        self.joins = self._joined()
        self._drop_disordered()

    def _demote(self) -> None:
        """A counter that never moves is a total, one with fractions counts epochs."""
        for name, rows in self.own.items():
            values = np.array([value for _, value, _ in rows])
            still = values.size >= 3 and bool(np.all(values == values[0]))
            if not still and self.rank[name] in WITHIN and values.size >= 3:
                still = all(value == total for _, value, total in rows)  # bars that ran to their end
            if still and (self.rank[name] in WITHIN or self._others_move(name, rows)):
                self.rank[name] = UNKNOWN
            elif 0 < self.rank[name] < 5 and name != "bar" and bool(np.any(values != np.round(values))):
                self.rank[name] = EPOCHS + 1
                self.unit[name] = "epochs"

        for name, rows in self.above.items():
            alone = name not in self.own and len(rows) >= 3 and len({value for _, value, _ in rows}) == 1
            if alone and len(self.context[rows[-1][0]]) > 1:
                self.rank[name] = UNKNOWN

    def _mean(self, records: Sequence[Record]) -> None:
        """What is also printed with decimals (``steps: 5.81``) is a mean and counts nothing."""
        keys = {key.raw for record in records for key in record.cells}
        for name in {found for raw in keys if (found := identity(raw)[0])}:
            if name in self.rank and self.rank[name] < EPOCHS:
                self.rank[name] = UNKNOWN
                self.lengths.add(name)

    def _headed(self, records: Sequence[Record]) -> None:
        """Find the better counters that stand above nearly all records of a kind, as their heading does.

        A counter above one record of many is that of a note (``Update 3751: change the learning rate``).
        """
        pairs: Tally[tuple[str, str]] = Tally()
        owns: Tally[str] = Tally()
        for record in records:
            own = self.best(_outermost(record)) if record.counters else None
            if own is None:
                continue
            owns[own[0]] += 1
            above = self.best(record.latest) if record.anchored else None
            if above is not None and self.rank[above[0]] < self.rank[own[0]]:
                pairs[own[0], above[0]] += 1
        self.heads = {pair for pair, times in pairs.items() if times >= HEADED * owns[pair[0]]}

    def _others_move(self, name: str, rows: Sequence[tuple[int, float, float | None]]) -> bool:
        inside = {index for index, _, _ in rows}
        for outer in {key for index in inside for key in self.context[index] if key != name}:
            if (
                len({self.context[index].get(outer) for index in inside}) > 1
                and self.rank.get(outer, UNKNOWN) < UNKNOWN
            ):
                return True
        for other, theirs in self.own.items():
            if other == name:
                continue
            values = {value for index, value, _ in theirs if index in inside}
            if len(values) > 1:
                return True
        return False

    def _joined(self) -> dict[str, _Join]:
        out: dict[str, _Join] = {}
        both = {
            name: sorted([*self.own.get(name, ()), *self.above.get(name, ())], key=lambda row: row[0])
            for name in {*self.own, *self.above}
        }
        for name, rows in sorted(both.items(), key=lambda item: (self.rank[item[0]], item[0])):
            if self.rank[name] in (0, UNKNOWN) or len(rows) < 3:
                continue
            join = self._join(name, rows)
            if join is not None:
                out[name] = join
        return out

    def _join(self, name: str, rows: Sequence[tuple[int, float, float | None]]) -> _Join | None:
        index = np.array([row[0] for row in rows])
        values = np.array([row[1] for row in rows])
        near = self._near(index)
        every = np.diff(values) < 0
        falls = np.flatnonzero(every & near if (every & near).any() else every)
        if falls.size == 0:
            return None
        outers: Tally[str] = Tally()
        for at in falls:
            before, after = self._around(int(index[at]), int(index[at + 1]), name)
            outers.update(key for key in after if key in before and after[key] > before[key])
        fit = [
            key
            for key, hits in outers.items()
            if hits >= EXPLAINED * falls.size
            and key != name
            and self.rank[key] < UNKNOWN
            and self.unit[key] != "trials"  # runs of their own: their epochs do not add up
        ]
        if not fit:
            return None
        outer = min(fit, key=lambda key: (-outers[key], self.rank[key] != EPOCHS, self.rank[key]))
        around = np.array([self._all(int(at), name).get(outer, float("nan")) for at in index])
        still = (np.diff(around) == 0) & near
        if still.sum() > FEW and float((np.diff(values)[still] < 0).mean()) > UNORDERED:
            return None
        if self._per_outer(values, around):
            self.rank[name] = UNKNOWN
            counted = any(row[2] for row in rows)  # ``step: 13/29``: where it stands, not how long it is
            if not counted and (self.rank[outer] != EPOCHS or np.unique(values).size > FEW):
                self.lengths.add(name)  # else the batches of training and of validation: how many, not how long
            return None
        if self._runs_through(name, outer):
            return None
        totals = [row[2] for row in rows if row[2]]
        length = float(max(totals)) if totals else _length(values, falls)
        seen = [context[outer] for context in self.context if outer in context] + [
            row[1] for row in self.own.get(outer, ())
        ]
        return _Join(outer=outer, length=length, start=0.0 if min(seen) == 0 else 1.0)

    def _near(self, index: Ints) -> Bools:
        """Return between which records nothing is left out: those of a long log are a sample from all over it."""
        gaps = np.diff(np.take(self.lines, index))
        return np.asarray(gaps <= max(APART, 4 * np.median(gaps)), np.bool_)

    @staticmethod
    def _per_outer(values: Floats, around: Floats) -> bool:
        """Whether the outer counter rises with nearly every row: then the values are lengths, no inner counter."""
        return values.size >= 4 and float((np.diff(around) > 0).mean()) > PER_OUTER

    def _runs_through(self, name: str, outer: str) -> bool:
        """Whether ``outer`` is the inner one: it rises many times while ``name`` stands still."""
        return bool(
            self.rank[outer] < self.rank[name] and outer in self.own and len(self.own[outer]) > 2 * len(self.own[name])
        )

    def _around(self, one: int, two: int, name: str) -> tuple[Mapping[str, float], Mapping[str, float]]:
        return self._all(one, name), self._all(two, name)

    def _all(self, index: int, name: str) -> dict[str, float]:
        found = {key: value for key, value in self.context[index].items() if key != name}
        found.update(self.present.get(index, {}))
        found.pop(name, None)
        return found

    def opens(self, index: int, inner: str, outer: str) -> bool:
        """Whether records like this one, with the outer counter alone, stand above the rows of their outer step.

        What most of them do decides: of a sample, the rows beside one may be missing.
        """
        kind = (self.kinds[index], inner)
        if kind not in self._openers:
            votes = [
                self._heads(at, number, inner, outer)
                for at, number, _ in self.own.get(outer, ())
                if self.kinds[at] == kind[0]
            ]
            seen = [vote for vote in votes if vote is not None]
            self._openers[kind] = 2 * sum(seen) > len(seen)
        return self._openers[kind]

    def _heads(self, index: int, value: float, inner: str, outer: str) -> bool | None:
        """Return whether the rows of an outer step begin just below a record, None where no row is near."""
        rows = self.own.get(inner, [])
        at = bisect_right(rows, index, key=lambda row: row[0])
        if at == len(rows) or self.lines[rows[at][0]] - self.lines[index] > BELOW:
            return None
        if self._all(rows[at][0], inner).get(outer) != value:
            return False
        near = at > 0 and self.lines[index] - self.lines[rows[at - 1][0]] <= BELOW
        return not (near and self._all(rows[at - 1][0], inner).get(outer) == value)

    @property
    def present(self) -> dict[int, dict[str, float]]:
        if not hasattr(self, "_present"):
            self._present: dict[int, dict[str, float]] = {}
            for key, rows in self.own.items():
                for index, value, _ in rows:
                    self._present.setdefault(index, {})[key] = value
        return self._present

    def _drop_disordered(self) -> None:
        self.disordered: set[str] = set()
        for name, rows in self.own.items():
            values = np.array([value for _, value, _ in rows])
            if values.size >= 10 and name not in self.joins and float((np.diff(values) < 0).mean()) > DISORDER:
                if self.rank[name] in RESTARTING and _starts_again(values):
                    continue
                self.rank[name] = UNKNOWN
                if name != "epoch":  # which is a metric in no log
                    self.disordered.add(name)

    def best(self, counters: Iterable[Count]) -> tuple[str, float] | None:
        """Return the identity and value of the best counter among ``counters``."""
        found = [
            (self.rank[name], not name.startswith(("global", "total")), position, name, count.value)
            for position, (name, count) in enumerate(_by_identity(counters).items())
        ]
        found = [item for item in found if item[0] < UNKNOWN]
        if not found:
            return None
        *_, name, value = min(found)
        return name, value


def _starts_again(values: Floats) -> bool:
    """Whether a counter falls to one and the same value and rises from there, as in runs, folds and clients."""
    bottoms = values[1:][np.diff(values) < 0]
    return bool((bottoms == values[0]).mean() >= ALWAYS and bottoms.min() == values.min())


def _outermost(record: Record) -> tuple[Count, ...]:
    """Return the counters of a record; of a held-out one without those that count within its evaluation."""
    if len(record.counters) < 2 or not all(key.phase in _HELD for key in record.cells):
        return record.counters
    outer = [count for count in record.counters if identity(count.name)[1] == EPOCHS]
    return tuple(outer) if outer else record.counters


def _by_identity(counters: Iterable[Count]) -> dict[str, Count]:
    out: dict[str, Count] = {}
    for count in counters:
        name = identity(count.name)[0]
        if name and math.isfinite(count.value):  # a number of hundreds of digits counts nothing
            out.setdefault(name, count)
    return out


def _length(values: Floats, falls: Ints) -> float:
    """Steps in an outer step where no total is printed, from the values on both sides of each start."""
    rises = np.diff(values)
    usual = rises[rises > 0]
    if usual.size == 0:
        return float(values.max())
    gap = float(np.median(usual))
    lengths = values[falls] + gap - values[falls + 1]
    middle = float(np.median(lengths))
    if middle >= values.max() and float((np.abs(lengths - middle) < 0.5).mean()) >= 0.5:
        return middle
    most = float(values.max())
    return most + 1 if values.min() == 0 else most


def _promote(records: Sequence[Record]) -> None:
    """Take the first number of every row for its counter where no row has one and it rises by whole, equal steps."""
    if not records or any(record.counters or record.latest for record in records):
        return
    firsts = Tally(next(iter(record.cells)) for record in records if record.cells)
    key, times = firsts.most_common(1)[0] if firsts else (None, 0)
    rows = [record for record in records if key in record.cells and len(record.cells) > 1]
    if key is None or len(rows) < max(PROMOTED, ALWAYS * len(records)) or times < len(rows):
        return
    cells = [record.cells[key][0] for record in rows]
    values = np.array([cell.value for cell in cells])
    if not np.isfinite(values).all():
        return
    strides = np.diff(values)
    if any(cell.unit for cell in cells) or not np.all(values == np.round(values)) or not np.all(strides > 0):
        return
    if float((strides == np.median(strides)).mean()) < ALWAYS:
        return
    for record in rows:
        cell, _ = record.cells.pop(key)
        record.counters = (Count("step", cell.value, None, cell.start, cell.end),)


#: Rows that must rise for an unknown name to be a counter, and the share of the rows and strides that must agree.
PROMOTED = 5
ALWAYS = 0.9


def choose(records: Sequence[Record]) -> Axis:
    """Return the x axis of ``records``."""
    _promote(records)
    _split_ratios(records)
    counters = _Counters(records)
    names: list[str] = []
    steps = np.full(len(records), np.nan)
    outer = np.full(len(records), np.nan)
    for index, record in enumerate(records):
        name, steps[index], outer[index] = _of(record, counters, index)
        names.append(name)
    names = _unified(names, steps, counters)
    _follow(records, names, steps)
    _begin(records, names, steps)
    axis = _axis(records, names, steps, outer, counters)
    return replace(axis, lengths=frozenset(counters.lengths | counters.disordered))


def _split_ratios(records: Sequence[Record]) -> None:
    """Read ``Batch 3/400`` as epoch 3 and batch 400 where what should be the total counts up and starts again.

    A total stands still, or changes with the run; one that takes most of its values while the number before it stands
    still is the inner counter.
    """
    seen: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        for count in record.counters:
            if count.total is not None and count.name and math.isfinite(count.value) and math.isfinite(count.total):
                seen.setdefault(count.name, []).append((count.value, count.total))
    split = {name for name, pairs in seen.items() if len(pairs) > FEW and _moves_behind(np.array(pairs))}
    if not split:
        return
    done: dict[int, tuple[Count, ...]] = {}
    for record in records:
        record.counters = _two(record.counters, split)
        record.latest = done.setdefault(id(record.latest), _two(record.latest, split))
        if any(count.name in split for count in record.context.values()):
            record.context = {count.name.lower(): count for count in _two(tuple(record.context.values()), split)}


def _moves_behind(pairs: Floats) -> bool:
    value, total = pairs[:, 0], pairs[:, 1]
    still = np.diff(value) == 0
    return bool(
        still.mean() > 0.5
        and np.unique(total).size > FEW
        and (np.diff(total)[still] > 0).mean() > 0.9
        and (value.max() == value.min() or (np.diff(total)[~still] < 0).mean() > 0.5)
    )


def _two(counters: tuple[Count, ...], split: set[str]) -> tuple[Count, ...]:
    out: list[Count] = []
    for count in counters:
        if count.name in split and count.total is not None:
            out += [Count("epoch", count.value), Count(count.name, count.total)]
        else:
            out.append(count)
    return tuple(out)


def _of(record: Record, counters: _Counters, index: int) -> tuple[str, float, float]:
    own = counters.best(_outermost(record))
    above = counters.best(record.latest)
    if own is None:
        own = above or counters.best(record.context.values())
    elif record.anchored and above is not None and (own[0], above[0]) in counters.heads:
        own = above
    if own is None:
        return "", float("nan"), float("nan")
    name, value = own
    around = {**counters.context[index], **counters.present.get(index, {})}
    epoch = around.get("epoch", float("nan"))
    join = counters.joins.get(name)
    if join is not None and join.outer in around:
        count = _by_identity(record.counters).get(name)
        if count is not None and count.total not in (None, join.length) and count.value == count.total:
            # A pass of another length, run to its end (an evaluation): it closes the outer step.
            return name, (around[join.outer] - join.start + 1) * join.length, around[join.outer]
        return name, (around[join.outer] - join.start) * join.length + value, around[join.outer]
    for inner, other in counters.joins.items():
        # A record with the outer counter alone closes that outer step.
        if other.outer == name and counters.rank[inner] <= counters.rank[name] and counters.rank[inner] < EPOCHS:
            if counters.opens(index, inner, name):
                return inner, (value - other.start) * other.length, value
            return inner, (value - other.start + 1) * other.length, value
    return name, value, epoch if name != "epoch" else float("nan")


def _follow(records: Sequence[Record], names: list[str], steps: Floats) -> None:
    """Decide whether values without a counter belong to the counter before them or to the one after them.

    Evaluations come at multiples of their interval: where the steps after the lines are multiples and those before
    them are not, the line was printed ahead of its counter.
    """
    groups: dict[frozenset[object], list[int]] = {}
    for index, record in enumerate(records):
        if not record.counters and not record.anchored and record.latest:
            groups.setdefault(frozenset(record.cells), []).append(index)
    own = [index for index, record in enumerate(records) if record.counters and np.isfinite(steps[index])]
    for members in groups.values():
        after = [next(iter(own[bisect_right(own, index) :][:1]), None) for index in members]
        if len(members) < 3 or any(at is None for at in after[:-1]):
            continue
        kept = [
            (index, at)
            for index, at in zip(members, after, strict=True)
            if at is not None and names[at] == names[index]
        ]
        before = np.array([steps[index] for index, _ in kept])
        later = np.array([steps[at] for _, at in kept])
        gap = float(np.median(np.diff(later))) if later.size > 2 else 0.0
        if gap > 0 and _multiples(later, gap) >= 0.9 and _multiples(before, gap) < 0.5:
            for index, at in kept:
                steps[index] = steps[at]
            shift = later - before
            if after[-1] is None and float(np.ptp(shift)) == 0:  # behind the last one no counter follows
                steps[members[-1]] += shift[0]


def _begin(records: Sequence[Record], names: list[str], steps: Floats) -> None:
    """Rows of a file that begins inside a block know no counter yet: the one that follows is theirs."""
    primary = Tally(name for name in names if name).most_common(1)
    if not primary:
        return
    for index, record in enumerate(records):
        if names[index] == primary[0][0] or record.counters:
            break
        names[index], steps[index] = primary[0][0], float("nan")


def _multiples(steps: Floats, gap: float) -> float:
    return float((np.abs(steps / gap - np.round(steps / gap)) * gap < 0.5).mean())


def _unified(names: list[str], steps: Floats, counters: _Counters) -> list[str]:
    """Call counters of the same kind (``step``, ``iter``) one clock when their values follow each other in the file."""
    tally = Tally(name for name in names if name)
    if len(tally) < 2:
        return names
    primary = tally.most_common(1)[0][0]
    array = np.array(names)
    for other in list(tally):
        if other == primary or not _alike(counters.rank[primary], counters.rank[other]):
            continue
        both = steps[(array == primary) | (array == other)]
        both = both[np.isfinite(both)]
        if both.size > 2 and float((np.diff(both) >= 0).mean()) > 0.97:
            array[array == other] = primary
    return [str(name) for name in array]


def _alike(one: int, other: int) -> bool:
    return one == other or (one in _STEPS and other in _STEPS) or (one in (1, 2, 3, 4) and other in (1, 2, 3, 4))


def _axis(records: Sequence[Record], names: list[str], steps: Floats, outer: Floats, counters: _Counters) -> Axis:
    tally = Tally(name for name in names if name)
    if not tally:
        lines = np.array([record.line for record in records], dtype=np.float64)
        clock = (Clock(name="line", unit="lines", primary=True),)
        return Axis(step=lines, clock=np.zeros(len(records), np.int64), clocks=clock, outer=outer)
    primary = min(tally, key=lambda name: (-tally[name], counters.rank[name]))
    order = [primary, *[name for name in tally if name != primary]]
    index = np.array([order.index(name) if name else 0 for name in names], dtype=np.int64)
    clocks = tuple(
        Clock(name=counters.printed[name], unit=counters.unit[name], primary=position == 0)
        for position, name in enumerate(order)
    )
    return Axis(step=_filled(steps), clock=index, clocks=clocks, outer=outer)


def _filled(steps: Floats) -> Floats:
    """Rows before the first counter get that of the row after them."""
    known = np.flatnonzero(np.isfinite(steps))
    missing = np.flatnonzero(~np.isfinite(steps))
    if not missing.size or not known.size:
        return steps
    later = np.minimum(np.searchsorted(known, missing), known.size - 1)
    out = steps.copy()
    out[missing] = steps[known[later]]
    return out
