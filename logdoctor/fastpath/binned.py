"""Keeps bins of all records: one row of the table stands for the records of a bin, every metric has its own bins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from logdoctor.fastpath.collect import Store, points_of
from logdoctor.fastpath.decide import Decided, Decider, grammar_of, numbers_of
from logdoctor.fastpath.expanded import Expanded, SeriesPoints, Singles, all_metric_lines, filled
from logdoctor.fastpath.numbers import Bools, Floats
from logdoctor.frames import Cells, Column, Table
from logdoctor.model import Ints
from logdoctor.streaming import Points, thinned


def binned(sample: Decider, decided: Sequence[tuple[Store, Decided]], singles: Singles) -> Expanded:
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
        rows.append(_Heads(heads.line, step, outer, found, [grammar_of(store.effect)], heads.weight))
        for name, made in _points(store, found, heads, cells, rows[-1].step):
            parts[name].append(made)
            if len(made.points) == len(heads):
                judged[name].append((len(rows) - 1, made.points.value))
        grammar = grammar_of(store.effect)
        tally[grammar] = tally.get(grammar, 0) + (store.count if store.effect.piece != "joins" else 0)
    out, stream, weight, place = _stacked(rows, table)
    columns: dict[str, Cells] = {}
    for label, arrays in judged.items():
        if arrays:
            at = np.concatenate([place[i] for i, _ in arrays])
            value = np.concatenate([values for _, values in arrays])
            order = np.argsort(at, kind="stable")
            model = table.columns[label]
            columns[label] = Column(model.key, at[order], value[order], out.line[at[order]])
    out.columns = columns
    joined = {label: _together(pieces) for label, pieces in parts.items() if pieces}
    lines = all_metric_lines(singles, decided)
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
    def of_singles(cls, sample: Decider, singles: Singles) -> _Heads:
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
    return numbers_of(counters, context, line, line)


def _single_points(column: Cells, alone: Bools, table: Table) -> SeriesPoints:
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

    def stacked(values: Callable[[_Heads], Any]) -> Any:
        return np.concatenate([np.broadcast_to(values(part), part.line.size) for part in rows])[order]

    codes = {name: i for i, name in enumerate(dict.fromkeys(name for part in rows for name in part.grammar))}
    clock = stacked(lambda part: part.found.clock if part.found else part.clock)
    grammar = stacked(lambda part: np.array([codes[name] for name in part.grammar], np.int64))
    out = Table(
        line=line[order],
        step=filled(stacked(lambda part: part.step)),
        clock=clock,
        clocks=table.clocks,
        outer=stacked(lambda part: part.outer),
        time=np.full(line.size, np.nan),
        layout=stacked(lambda part: part.found.layout if part.found else part.layout),
        columns={},
        names=table.names,
        issues=table.issues,
    )
    return out, clock * len(codes) + grammar, stacked(lambda part: part.weight), place


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
