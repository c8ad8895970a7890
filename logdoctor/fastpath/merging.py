"""Joins the pieces of one record that were printed as several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from logdoctor.fastpath.decide import Decider, Shape
from logdoctor.fastpath.expanded import Singles
from logdoctor.fastpath.numbers import Floats
from logdoctor.model import Ints
from logdoctor.parsers._assembler import Key

MOST_APART = 60
"""Lines between the pieces of one record; as for records that are read alone."""


_UNKNOWN: Shape = ("", ())


@dataclass(slots=True)
class Group:
    """Records of one or several shapes: first line, step and clock of each; ``shape`` picks from ``shapes``.

    The records ``moved`` (indices) are pieces of records that begin at the lines ``to``.
    """

    head: Ints
    step: Floats
    clock: Ints
    shapes: list[Shape]
    shape: Ints | None = None
    moved: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    to: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def heads(self) -> Ints:
        """Return the line at which the record of each piece begins."""
        if not self.moved.size:
            return self.head
        out = self.head.copy()
        out[self.moved] = self.to
        return out

    @classmethod
    def of_singles(cls, sample: Decider, singles: Singles, shapes: Mapping[int, Shape]) -> Group:
        """Return the rows of the sample that belong to records read alone, and behind them the records joined to them.

        These stand for the places where a bulk record may follow: a row is known by the line of its first record.
        """
        table = sample.table
        joined = [
            (record.line, sample.rows[own])
            for record in sample.singles
            if (own := next((at for _, at in record.cells.values() if at in sample.rows), None)) is not None
            and table.line[sample.rows[own]] != record.line
        ]
        rows = np.array([*singles.rows.tolist(), *(row for _, row in joined)], np.int64)
        line = np.array([*table.line[singles.rows].tolist(), *(at for at, _ in joined)], np.int64)
        by_line = {record.line: shapes[id(record)] for record in sample.singles}
        every = list(dict.fromkeys([*by_line.values(), _UNKNOWN]))
        number = {shape: i for i, shape in enumerate(every)}
        shape = np.array([number[by_line.get(at, _UNKNOWN)] for at in line.tolist()], np.int64)
        return cls(line, table.step[rows], table.clock[rows], every, shape)


def merge(groups: Sequence[Group], pairs: set[tuple[Shape, Shape]]) -> None:
    """Join neighbours that the sample joined: same clock and step, printed within a few lines: sets ``moved``."""
    involved = [group for group in groups if group.head.size]
    if not pairs or not involved:
        return
    kind_of = _kinds(
        [shape for group in involved for shape in group.shapes] + [shape for pair in pairs for shape in pair]
    )
    many = len(kind_of)
    joins = np.zeros((many, many), np.bool_)
    for before, after in pairs:
        joins[kind_of[before], kind_of[after]] = True
    chosen = _adjacent(involved)
    kinds = []
    for group, at in zip(involved, chosen, strict=True):
        codes = np.array([kind_of[shape] for shape in group.shapes], np.int64)
        kinds.append(np.full(at.size, codes[0]) if group.shape is None else codes[group.shape[at]])
    head = np.concatenate([group.head[at] for group, at in zip(involved, chosen, strict=True)])
    order = np.argsort(head, kind="stable")
    kind = np.concatenate(kinds)[order]
    step = np.concatenate([group.step[at] for group, at in zip(involved, chosen, strict=True)])[order]
    clock = np.concatenate([group.clock[at] for group, at in zip(involved, chosen, strict=True)])[order]
    head = head[order]
    # A row of the sample without a shape of its own holds the rest of the record before it.
    rest = (kind == kind_of.get(_UNKNOWN, -1)) & np.append(False, head[1:] == head[:-1])
    kind = kind[np.maximum.accumulate(np.where(rest, 0, np.arange(head.size)))]
    follows = np.zeros(head.size, np.bool_)
    follows[1:] = joins[kind[:-1], kind[1:]] & (step[1:] == step[:-1]) & (clock[1:] == clock[:-1])
    follows[1:] &= head[1:] - head[:-1] <= MOST_APART
    follows[1:] |= head[1:] == head[:-1]  # pieces of one block
    first = np.maximum.accumulate(np.where(follows, 0, np.arange(head.size)))
    joined = np.empty_like(head)
    joined[order] = head[first]
    start = 0
    for group, at in zip(involved, chosen, strict=True):
        here = joined[start : start + at.size]
        other = here != group.head[at]
        group.moved, group.to = at[other], here[other]
        start += at.size


def _kinds(shapes: Sequence[Shape]) -> dict[Shape, int]:
    """Number the shapes; those of blocks with a key in common are parts of one kind of block."""
    kinds: dict[Shape, int] = {}
    of_key: dict[Key, int] = {}
    for shape in shapes:
        grammar, keys = shape
        if shape in kinds:
            continue
        shared = {of_key[key] for key in keys if key in of_key} if grammar == "blocks" else set()
        number = kinds[shape] = min(shared, default=len(kinds))
        for other, kind in kinds.items():
            if kind in shared:
                kinds[other] = number
        of_key = {key: number if kind in shared else kind for key, kind in of_key.items()}
        of_key.update(dict.fromkeys(keys if grammar == "blocks" else (), number))
    return kinds


def _adjacent(groups: Sequence[Group]) -> list[Ints]:
    """Return the records that can be joined: of a group much larger than the others only those beside one of these."""
    largest = max(range(len(groups)), key=lambda i: groups[i].head.size)
    head = groups[largest].head
    rest = [group.head for i, group in enumerate(groups) if i != largest]
    size = sum(other.size for other in rest)
    if not rest or head.size < 4 * size or bool((head[1:] < head[:-1]).any()):
        return [np.arange(group.head.size) for group in groups]
    at = np.searchsorted(head, np.concatenate(rest))
    near = distinct(np.concatenate([at - 1, at, at + 1])) if size else np.zeros(0, np.int64)
    near = near[(near >= 0) & (near < head.size)]
    return [near if i == largest else np.arange(group.head.size) for i, group in enumerate(groups)]


def distinct(values: Ints) -> Ints:
    """Return the distinct values in order (``np.unique`` hashes, which is slower where they are nearly sorted).

    Callers hand over an array of their own: it is sorted in place.
    """
    values.sort(kind="stable")
    fresh = np.concatenate([[True], values[1:] != values[:-1]])
    return values if fresh.all() else values[fresh]
