"""Long series in bounded memory: bins that keep observed values, so that every figure quoted stands in the file.

A bin of ``n`` printed values keeps the smallest, the largest and a middle one, each with its line. The middle
is the (lower) median of the bin as long as bins are not merged; when a series outgrows its limit, neighbours are merged
in pairs and the merged bin takes the middle of one of them, in turn the earlier and the later, so that no trend is
favoured. Medians of bins keep the resistance to outliers that means lack (Tukey 1977, "Exploratory data analysis",
chapter 7), and the extremes keep the lone spikes that medians lose.

Non-finite values are not mixed into bins: the first :data:`FIRST_NONFINITE` stand for themselves, later ones are
counted in bins of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logdoctor.model import Floats, Ints

STREAM_BYTES = 64 << 20
"""Logs above this size are reduced into bins when they are analysed: 64 MB of text are about 1e6 to 5e6 numbers."""

FINITE_BINS = 3072
NONFINITE_BINS = 1024
"""Together at most 4096 points a metric: about 300 KB, and three points for each pixel of a wide figure."""

FIRST_NONFINITE = 16
"""Non-finite values kept one by one: the onset and the beginning of its pattern (every second, one in a hundred)."""

MOST_PIECES = 32
MOST_PARTS = 256
"""Cuts that bins respect. A log with more restarts than this has bins that cross the later ones."""

_FIELDS = ("value", "line", "low", "low_line", "high", "high_line", "weight")


@dataclass(frozen=True, slots=True)
class Points:
    """Bins of one series, in file order; arrays of one length.

    Attributes:
        value: an observed middle value, printed on ``line``.
        low: the smallest value, on ``low_line``; ``high`` and ``high_line`` alike.
        weight: printed values in the bin.
        part: the number of the part (see :meth:`Reducer.cut`) that the bin belongs to.
        beside: what was printed beside ``value``: its counters, its time.
    """

    value: Floats
    line: Ints
    low: Floats
    low_line: Ints
    high: Floats
    high_line: Ints
    weight: Ints
    part: Ints
    beside: tuple[Floats, ...] = ()

    def __len__(self) -> int:
        """Return the number of points."""
        return int(self.value.size)


def thinned(points: Points, limit: int = FINITE_BINS + NONFINITE_BINS) -> Points:
    """Merge neighbours until there are at most ``limit`` bins (bins of several effects stand side by side)."""
    fields = {name: getattr(points, name) for name in (*_FIELDS, "part")}
    fields |= {f"beside{i}": array for i, array in enumerate(points.beside)}
    later = False
    while fields["value"].size > limit:
        before = fields["value"].size
        # A non-finite bin is merged with none: it would hide the finite one, or be hidden.
        whole = np.isfinite(fields["value"])
        fields["part"] = np.cumsum(np.concatenate([[0], (np.diff(fields["part"]) != 0) | (whole[1:] != whole[:-1])]))
        fields = _merge(fields, later)
        later = not later
        if fields["value"].size == before:
            break
    beside = tuple(fields.pop(f"beside{i}") for i in range(len(points.beside)))
    return Points(**fields, beside=beside)


class Reducer:
    """Takes a series piece by piece and keeps it in at most 4096 points."""

    def __init__(self, expected: int = 0, beside: int = 0) -> None:
        """Choose the first bin width for about ``expected`` values (0: unknown, start with every value).

        ``beside`` is how many numbers are kept with each value (see :meth:`add`).
        """
        width = 1
        while expected > width * FINITE_BINS:
            width *= 2
        self._beside = beside
        self._finite = _Bins(FINITE_BINS, width, beside)
        self._nonfinite = _Bins(NONFINITE_BINS, 1, beside)
        self._first = _Bins(FIRST_NONFINITE, 1, beside)
        self._bins = (self._finite, self._nonfinite, self._first)
        self._part = 0
        self.count = 0
        self.nonfinite = 0

    def add(self, value: Floats, line: Ints, *beside: Floats) -> None:
        """Append printed values with their lines and what was printed beside them. Shapes ``(n,)``."""
        self.count += value.size
        good = np.isfinite(value)
        if good.all():
            self._finite.add(value, line, *beside)
            return
        bad = ~good
        alone = max(0, FIRST_NONFINITE - self.nonfinite)
        self.nonfinite += int(bad.sum())
        if alone:
            place = np.flatnonzero(bad)[:alone]
            self._first.add(value[place], line[place], *(array[place] for array in beside))
            bad[place] = False
        self._finite.add(value[good], line[good], *(array[good] for array in beside))
        self._nonfinite.add(value[bad], line[bad], *(array[bad] for array in beside))

    def cut(self) -> None:
        """Begin a new part (a segment of the log): no bin crosses this place."""
        if self._part < MOST_PARTS:
            self._part += 1
            for bins in self._bins:
                bins.cut(self._part)

    def points(self) -> Points:
        """Return the bins so far."""
        parts = [bins.points() for bins in self._bins]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.argsort(joined["line"], kind="stable")
        joined = {name: array[order] for name, array in joined.items()}
        beside = tuple(joined.pop(f"beside{i}") for i in range(self._beside))
        return Points(**joined, beside=beside)


class _Bins:
    """Bins of ``width`` values each; the width doubles when there are more than ``limit``."""

    def __init__(self, limit: int, width: int, beside: int) -> None:
        self.limit, self.width, self.part = limit, width, 0
        self._names = (*_FIELDS, *(f"beside{i}" for i in range(beside)), "part")
        self._full: dict[str, list[np.ndarray]] = {name: [] for name in self._names}
        self._size = 0
        self._wait: list[tuple[np.ndarray, ...]] = []
        self._waiting = 0
        self._later = False

    def add(self, value: Floats, line: Ints, *beside: Floats) -> None:
        if not value.size:
            return
        self._wait.append((value, line, *beside))
        self._waiting += value.size
        if self._waiting >= self.width:
            self._fill(flush=False)

    def cut(self, part: int) -> None:
        self._fill(flush=True)
        self.part = part

    def _fill(self, *, flush: bool) -> None:
        if not self._waiting:
            return
        arrays = [np.concatenate(pieces) for pieces in zip(*self._wait, strict=True)]
        size = arrays[0].size
        whole = size // self.width * self.width
        if whole:
            self._store(_reduce([array[:whole] for array in arrays], self.width))
        if flush and whole < size:
            self._store(_reduce([array[whole:] for array in arrays], size - whole))
            whole = size
        # Copies: a view would keep the whole piece alive.
        left = tuple(array[whole:].copy() for array in arrays)
        self._wait = [left] if left[0].size else []
        self._waiting = left[0].size
        self._shrink()

    def _store(self, bins: dict[str, np.ndarray]) -> None:
        size = bins["value"].size
        for name, array in bins.items():
            self._full[name].append(array)
        self._full["part"].append(np.full(size, self.part, np.int64))
        self._size += size
        if len(self._full["part"]) > MOST_PIECES:  # thousands of short arrays would take more room than their values
            self._full = {name: [np.concatenate(arrays)] for name, arrays in self._full.items()}

    def _shrink(self) -> None:
        while self._size > self.limit:
            before = self._size
            merged = _merge({name: np.concatenate(arrays) for name, arrays in self._full.items()}, self._later)
            self._later = not self._later
            self._full = {name: [array] for name, array in merged.items()}
            self._size = merged["value"].size
            self.width *= 2
            if self._size == before:  # every bin is a part of its own: nothing can be merged within parts
                break

    def points(self) -> dict[str, np.ndarray]:
        kept = {name: list(arrays) for name, arrays in self._full.items()}
        if self._waiting:
            waiting = [np.concatenate(pieces) for pieces in zip(*self._wait, strict=True)]
            for name, array in _reduce(waiting, self._waiting).items():
                kept[name].append(array)
            kept["part"].append(np.full(1, self.part, np.int64))
        return {name: np.concatenate(arrays) if arrays else _empty(name) for name, arrays in kept.items()}


def _empty(name: str) -> np.ndarray:
    whole = name in {"line", "low_line", "high_line", "weight", "part"}
    return np.zeros(0, np.int64 if whole else np.float64)


def _reduce(arrays: Sequence[np.ndarray], width: int) -> dict[str, np.ndarray]:
    """Return the bins of ``width`` consecutive values each (the size is a multiple of ``width``)."""
    value, line, *beside = arrays
    if width == 1:
        fields = (value, line, value, line, value, line, np.ones(value.size, np.int64))
        out = {name: np.array(array) for name, array in zip(_FIELDS, fields, strict=True)}
        return out | {f"beside{i}": np.array(array) for i, array in enumerate(beside)}
    table = value.reshape(-1, width)
    base = np.arange(table.shape[0]) * width
    lowest = base + table.argmin(axis=1)
    highest = base + table.argmax(axis=1)
    middle = base + middle_of(table)
    weight = np.full(base.size, width, np.int64)
    fields = (value[middle], line[middle], value[lowest], line[lowest], value[highest], line[highest], weight)
    out = dict(zip(_FIELDS, fields, strict=True))
    return out | {f"beside{i}": array[middle] for i, array in enumerate(beside)}


def middle_of(table: Floats) -> Ints:
    """Return, for each row of ``table`` (shape ``(n, width)``), the column of its lower median (NaN sorts last)."""
    half = (table.shape[1] - 1) // 2
    middle = np.partition(table, half, axis=1)[:, half]
    # The first of equal values; argmax of an all-False row (a NaN middle) is column 0.
    return np.asarray((table == middle[:, None]).argmax(axis=1), np.int64)


def _merge(bins: dict[str, np.ndarray], later: bool) -> dict[str, np.ndarray]:
    """Merge neighbours in pairs within each part."""
    part = bins["part"]
    start = np.concatenate([[0], np.flatnonzero(np.diff(part)) + 1])
    sizes = np.diff(np.append(start, part.size))
    place = np.arange(part.size) - np.repeat(start, sizes)
    first = np.flatnonzero(place % 2 == 0)
    second = first + 1
    paired = (second < part.size) & (part[np.minimum(second, part.size - 1)] == part[first])
    second = np.where(paired, second, first)
    turn = (np.arange(first.size) + later) % 2 == 1
    middle = np.where(turn, second, first)
    low = np.where(bins["low"][second] < bins["low"][first], second, first)
    high = np.where(bins["high"][second] > bins["high"][first], second, first)
    merged = {name: bins[name][middle] for name in bins if name in {"value", "line"} or name.startswith("beside")}
    merged |= {name: bins[name][low] for name in ("low", "low_line")}
    merged |= {name: bins[name][high] for name in ("high", "high_line")}
    merged["weight"] = bins["weight"][first] + np.where(paired, bins["weight"][second], 0)
    merged["part"] = part[first]
    return merged
