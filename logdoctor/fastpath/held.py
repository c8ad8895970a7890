"""A number that stays the same over many records: counters printed above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logdoctor.fastpath.numbers import Floats
from logdoctor.model import Ints


@dataclass(frozen=True, slots=True)
class Held:
    """``value[i]`` holds for the records from ``start[i]`` on; without ``start`` there is a value for each of them."""

    value: Floats
    start: Ints | None
    size: int

    def at(self, record: int) -> float:
        """Return the value for one record."""
        if self.start is not None:
            record = int(np.searchsorted(self.start, record, side="right")) - 1
        return float(self.value[record])

    def array(self) -> Floats:
        """Return the value for each record, shape ``(size,)``."""
        if self.start is None:
            return self.value
        if self.value.size == 1:
            return np.broadcast_to(self.value, self.size)
        return np.repeat(self.value, np.diff(np.append(self.start, self.size)))


def held(value: Floats, start: Ints, size: int) -> Held:
    """Return values that hold from ``start`` on (rising from 0, not strictly), without those that tell nothing new."""
    some = np.diff(np.append(start, size)) > 0
    value, start = value[some], start[some]
    fresh = np.append(True, ~((value[1:] == value[:-1]) | (np.isnan(value[1:]) & np.isnan(value[:-1]))))
    return Held(value[fresh[: value.size]], start[fresh[: value.size]], size)


def joined(parts: Sequence[Held]) -> Held:
    """Put the records of several parts one after another."""
    if len(parts) == 1:
        return parts[0]
    before = np.cumsum([0, *(part.size for part in parts)])
    starts = [
        (np.arange(part.size) if part.start is None else part.start) + first
        for part, first in zip(parts, before[:-1], strict=True)
    ]
    out = held(np.concatenate([part.value for part in parts]), np.concatenate(starts), int(before[-1]))
    return out if 2 * out.value.size < out.size else Held(out.array(), None, out.size)
