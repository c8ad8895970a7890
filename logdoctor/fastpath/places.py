"""Where the records of each kind stand among the rows of the table.

In most long logs one kind of record has all rows but a few. Its arrays then become columns of the table in place: they
are spread so far that the other rows fit between them, and no second array of that length is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from logdoctor.fastpath.collect import Buffer
from logdoctor.fastpath.expanded import DUPLICATES
from logdoctor.fastpath.merging import Group, distinct
from logdoctor.model import Ints

_NONE = np.zeros(0, np.int64)
_CHUNK = 1 << 16


@dataclass(slots=True, eq=False)
class Place:
    """The rows of some records: ``rows`` in their order, or (None) every row of the table but those in ``but``."""

    rows: Ints | None
    but: Ints = field(default_factory=lambda: _NONE)

    def at(self, index: Ints) -> Ints:
        """Return the rows of the records ``index``."""
        if self.rows is not None:
            return self.rows[index]
        return index + np.searchsorted(self.but - np.arange(self.but.size), index, side="right")

    def index(self, row: int) -> int | None:
        """Return which record stands at a row, None when it is none of these."""
        if self.rows is not None:
            found = np.flatnonzero(self.rows == row)
            return int(found[0]) if found.size else None
        at = int(np.searchsorted(self.but, row))
        return None if at < self.but.size and self.but[at] == row else row - at

    def put(self, out: np.ndarray, values: np.ndarray) -> None:
        """Write the values of the records into the rows of ``out``."""
        if self.rows is not None:
            out[self.rows] = values
            return
        _spread(out, self.but, values, None)


@dataclass(slots=True)
class Places:
    """``size`` rows; a place for each group, and the rows of the keys asked for."""

    size: int
    groups: list[Place]
    singles: Ints


def place(groups: Sequence[Group], singles: Ints) -> Places:
    """Return where the groups and the rows with the keys ``singles`` stand."""
    largest = max(range(len(groups)), key=lambda i: groups[i].head.size, default=-1)
    if largest < 0 or not _rising(groups[largest]):
        return _searched(groups, singles)
    own = groups[largest]
    keys = [group.heads() * DUPLICATES for i, group in enumerate(groups) if i != largest]
    others = distinct(np.concatenate([*keys, singles]))
    at, met = _among(own, others)
    fresh = np.flatnonzero(~met)
    but = at[fresh] + np.arange(fresh.size)
    rows = np.empty_like(others)
    rows[fresh] = but
    rows[met] = at[met] + np.searchsorted(at[fresh], at[met], side="right")
    found = iter([Place(rows[np.searchsorted(others, key)]) for key in keys])
    return Places(
        size=own.head.size + fresh.size,
        groups=[Place(None, but) if i == largest else next(found) for i in range(len(groups))],
        singles=rows[np.searchsorted(others, singles)],
    )


def _rising(group: Group) -> bool:
    """Whether every record of a group is a row of its own."""
    head = group.head
    if not head.size or not bool((head[1:] > head[:-1]).all()):
        return False
    before = group.moved - 1
    return bool((group.to > np.where(before >= 0, head[before], -1)).all())


def _among(own: Group, keys: Ints) -> tuple[Ints, Ints]:
    """Return before which record of a group each key stands, and whether it is that very record."""
    line, extra = keys // DUPLICATES, keys % DUPLICATES
    at = np.searchsorted(own.head, line)
    here = own.head[np.minimum(at, own.head.size - 1)].copy()
    if own.moved.size:
        moved = np.minimum(np.searchsorted(own.moved, at), own.moved.size - 1)
        here = np.where(own.moved[moved] == at, own.to[moved], here)
    inside = at < own.head.size
    met = inside & (here == line) & (extra == 0)
    return at + (inside & (here <= line) & ~met), met


def _searched(groups: Sequence[Group], singles: Ints) -> Places:
    """Records of one group share rows: every row is looked up."""
    keys = [group.heads() * DUPLICATES for group in groups]
    every = distinct(np.concatenate([*keys, singles]))
    return Places(
        size=every.size,
        groups=[Place(np.searchsorted(every, key)) for key in keys],
        singles=np.searchsorted(every, singles),
    )


def spread(values: Buffer | np.ndarray, where: Place, size: int, fill: float) -> np.ndarray:
    """Return ``size`` numbers: ``values`` at their rows, ``fill`` elsewhere. A buffer is void afterwards."""
    array = values.values if isinstance(values, Buffer) else values
    if where.rows is not None:
        out = np.full(size, fill, array.dtype)
        out[where.rows] = array
        return out
    if not where.but.size:
        return array
    roomy = values.room_before(where.but.size) if isinstance(values, Buffer) else None
    out = np.empty(size, array.dtype) if roomy is None else roomy
    _spread(out, where.but, array, fill)
    return out


def _spread(out: np.ndarray, but: Ints, values: np.ndarray, fill: float | None) -> None:
    """Write values into all of ``out`` but ``but``. They may be its last part: each moves towards the front."""
    done = 0
    for start in range(0, out.size, _CHUNK):
        stop = min(start + _CHUNK, out.size)
        gaps = but[slice(*np.searchsorted(but, [start, stop]))] - start
        part = values[done : done + stop - start - gaps.size]
        done += part.size
        if not gaps.size:
            out[start:stop] = part
            continue
        free = np.ones(stop - start, np.bool_)
        free[gaps] = False
        whole = out[start:stop].copy() if fill is None else np.full(stop - start, fill, out.dtype)
        whole[free] = part
        out[start:stop] = whole
