"""Which counter is the x axis of each record, and how an inner counter that starts again is joined with its epoch."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logdoctor.model import Clock, Floats, Ints
from logdoctor.names import counter
from logdoctor.parsers._assembler import Record
from logdoctor.parsers._record import Count

_STEP_LIKE = (1, 2)
_EPOCH_RANK = 6
_LINES = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The x axis of every record: ``clock[i]`` is an index into ``clocks``; ``epoch`` is NaN where unknown."""

    step: Floats
    clock: Ints
    clocks: tuple[Clock, ...]
    epoch: Floats


def rank(name: str) -> int:
    """Return how good a counter is as an x axis; smaller is better."""
    if name == "bar":
        return 3
    found = counter(name)
    return found.rank if found else 99


def choose(records: Sequence[Record]) -> Axis:
    """Return the x axis of ``records``."""
    epoch = np.array([_epoch(record) for record in records], dtype=np.float64)
    restarting = _restarting(records, epoch)
    names: list[str] = []
    steps = np.full(len(records), np.nan)
    first = float(np.nanmin(epoch)) if np.isfinite(epoch).any() else 0.0
    for index, record in enumerate(records):
        name, value = _of(record, epoch[index], restarting, first)
        names.append(name)
        steps[index] = value
    names = _unified(names, steps)
    return _axis(records, names, steps, epoch)


def _epoch(record: Record) -> float:
    own = next((c.value for c in record.counters if rank(c.name) == _EPOCH_RANK), None)
    if own is not None:
        return own
    above = [c for c in record.context.values() if rank(c.name) == _EPOCH_RANK]
    return above[-1].value if above else float("nan")


def _best(counters: Sequence[Count]) -> Count | None:
    known = [c for c in counters if rank(c.name) < 99]
    return min(known, key=lambda c: rank(c.name)) if known else None


def _restarting(records: Sequence[Record], epoch: Floats) -> dict[str, float]:
    """Return the counters that start again in every epoch, with the number of steps in one epoch."""
    seen: dict[str, list[tuple[float, float, float]]] = {}
    for record, outer in zip(records, epoch, strict=True):
        for count in record.counters:
            if 0 < rank(count.name) < _EPOCH_RANK and np.isfinite(outer):
                seen.setdefault(count.name.lower(), []).append((outer, count.value, count.total or 0.0))
    out: dict[str, float] = {}
    for name, rows in seen.items():
        table = np.array(rows)
        rises = np.flatnonzero(np.diff(table[:, 0]) > 0)
        if rises.size == 0:
            # One epoch only: an inner counter says so by running to its total, and needs no joining.
            continue
        falls = table[rises + 1, 1] <= table[rises, 1]
        if falls.mean() < 0.5:
            continue
        totals = table[:, 2]
        out[name] = float(totals.max()) if totals.max() > 0 else _length(table[:, 1])
    return out


def _length(values: Floats) -> float:
    """Steps in an epoch where no total is printed: the largest seen, one more where counting starts at zero."""
    unique = np.unique(values)
    most = float(unique[-1])
    gap = float(np.median(np.diff(unique))) if unique.size > 1 else 1.0
    return most + 1 if unique[0] == 0 or (gap > 1 and (most + 1) % gap == 0) else most


def _of(record: Record, epoch: float, restarting: dict[str, float], first: float) -> tuple[str, float]:
    own = _best(record.counters)
    above = _best(record.latest)
    if own is None or (record.anchored and above is not None and rank(above.name) < rank(own.name)):
        own = above if above is not None and (own is None or record.anchored) else own
    if own is None:
        return "", float("nan")
    low = own.name.lower()
    if low in restarting and np.isfinite(epoch):
        start = 0.0 if first == 0 else 1.0
        return low, (epoch - start) * restarting[low] + own.value
    if rank(own.name) == _EPOCH_RANK and restarting and not any(rank(c.name) < _EPOCH_RANK for c in record.counters):
        name, length = next(iter(restarting.items()))
        start = 0.0 if first == 0 else 1.0
        return name, (own.value - start + 1) * length
    return low, own.value


def _unified(names: list[str], steps: Floats) -> list[str]:
    """Call counters of the same kind (``step``, ``iter``) one clock when their values follow each other in the file."""
    tally = Tally(name for name in names if name)
    if len(tally) < 2:
        return names
    primary = tally.most_common(1)[0][0]
    if rank(primary) not in _STEP_LIKE:
        return names
    array = np.array(names)
    for other in list(tally):
        if other == primary or rank(other) not in _STEP_LIKE:
            continue
        both = steps[(array == primary) | (array == other)]
        both = both[np.isfinite(both)]
        if both.size > 2 and float((np.diff(both) >= 0).mean()) > 0.97:
            array[array == other] = primary
    return [str(name) for name in array]


def _axis(records: Sequence[Record], names: list[str], steps: Floats, epoch: Floats) -> Axis:
    tally = Tally(name for name in names if name)
    lines = np.array([record.line for record in records], dtype=np.float64)
    if not tally:
        clock = (Clock(name=_LINES, unit="lines", primary=True),)
        return Axis(step=lines, clock=np.zeros(len(records), np.int64), clocks=clock, epoch=epoch)
    primary = min(tally, key=lambda name: (-tally[name], rank(name)))
    order = [primary, *[name for name in tally if name != primary]]
    index = np.array([order.index(name) if name else 0 for name in names], dtype=np.int64)
    printed = {c.name.lower(): c.name for record in records for c in (*record.counters, *record.context.values())}
    clocks = tuple(
        Clock(name=printed.get(name, name), unit=_unit(name), primary=position == 0)
        for position, name in enumerate(order)
    )
    filled = steps.copy()
    missing = np.flatnonzero(~np.isfinite(filled))
    known = np.flatnonzero(np.isfinite(filled))
    for at in missing:
        later = known[known > at]
        filled[at] = filled[later[0]] if later.size else np.nan
    return Axis(step=filled, clock=index, clocks=clocks, epoch=epoch)


def _unit(name: str) -> str:
    if name == "bar":
        return "iterations"
    found = counter(name)
    return found.unit if found else "steps"
