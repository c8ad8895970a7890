"""The table of all records, and the part of it that was read line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from logdoctor.fastpath.collect import Store
from logdoctor.fastpath.decide import Decided, Decider
from logdoctor.fastpath.numbers import Bools, Floats
from logdoctor.frames import Table
from logdoctor.model import Ints
from logdoctor.names import is_clock
from logdoctor.parsers._assembler import Record
from logdoctor.streaming import Points

DUPLICATES = 1 << 20
"""Rows that can begin on one line (states of a progress bar): row ``i`` of line ``n`` has the key ``n * 2**20 + i``."""


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


class Singles:
    """The cells and rows of the sample that belong to records read alone."""

    def __init__(self, sample: Decider, trusted: Sequence[Record]) -> None:
        """Take the sample and the records that its table was made of."""
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
        self.key = line * DUPLICATES + np.minimum(order - firsts, DUPLICATES - 1)


def all_metric_lines(singles: Singles, decided: Sequence[tuple[Store, Decided]]) -> int:
    """Return how many lines hold metrics."""
    return len(singles.lines) + sum(store.count * _metric_lines(store, found) for store, found in decided)


def _metric_lines(store: Store, found: Decided) -> int:
    visible = [kind for kind in store.effect.cells if not kind.flag]
    pairs = zip(visible, found.labels, strict=True)
    return len({kind.below for kind, label in pairs if label is not None or is_clock(kind.key.raw)})


def filled(step: Floats) -> Floats:
    """Rows before the first counter get the step of the row after them, rows behind the last one that before them."""
    missing = np.flatnonzero(~np.isfinite(step))
    if missing.size in (0, step.size):
        return step
    begins = np.flatnonzero(np.append(True, np.diff(missing) != 1))  # of each stretch of rows without a step
    behind = missing[np.append(begins[1:] - 1, missing.size - 1)] + 1
    known = np.where(behind < step.size, behind, missing[begins] - 1)
    step[missing] = step[np.repeat(known, np.diff(np.append(begins, missing.size)))]
    return step
