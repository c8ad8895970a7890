"""Which rows belong to which run of a file, and which rows no rule may judge.

A file may hold several runs: a program started again, one that resumed, a second process that writes to the same file.
Works on arrays; the reader calls :func:`divide` once all rows are known, then :func:`judge` with the columns.

A step that falls is a new run unless the fall is ordinary: an inner counter that starts again in every epoch, a late
line of another rank, or the counterpart of a fall that another kind of record already showed.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from logdoctor.model import Bools, Floats, Ints, Masked, Segment

#: Rows in a row that must stay below the highest step so far before a small fall counts as a restart.
SETTLED = 3
#: Equal falls from which on a counter without an outer one is taken to start again in every epoch.
LAPS = 10
#: Share of rows that go back before rows are sorted into several writers.
MIXED_SHARE = 0.1
#: A leap of this many usual increments together with another set of columns is another run's excerpt.
LEAP = 20.0
#: Rows at one and the same step, with unchanged values, before the counter is called frozen.
FROZEN_ROWS = 5
#: Share of the values that must repeat for a row to be called unchanged.
UNCHANGED = 0.6
#: Rows at the start of a run in which a slope over a long window says nothing (an ordinary regression needs about 20
#: points before its standard error is below the half of the spread it is fitted to).
SLOPE_ROWS = 20

#: More stretches of one reason than this are told as one.
MOST_STRETCHES = 4

_AVERAGE = re.compile(r"(?:_avg|_mean|_ema|_\d+[kmKM])$|^(?:running|smoothed|moving)_|slope|trend")
_SLOPE = re.compile(r"slope|trend")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line between rows that may begin a run. ``kind``: ``banner`` (a start) or ``resume``."""

    line: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """The runs of a file, and for each row the index of its segment (shape ``(rows,)``)."""

    segments: tuple[Segment, ...]
    index: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What may be judged: ``rows`` (all columns), ``columns`` (name -> further rows that are not), and the reasons."""

    rows: Bools
    columns: Mapping[str, Bools] = field(default_factory=dict)
    masked: tuple[Masked, ...] = ()

    def of(self, name: str) -> Bools:
        """Return the mask of the column ``name``: True where it may be judged."""
        return self.rows & self.columns[name] if name in self.columns else self.rows


def divide(
    line: Ints,
    step: Floats,
    *,
    marks: Sequence[Mark] = (),
    stream: Ints | None = None,
    outer: Floats | None = None,
    layout: Ints | None = None,
    last_line: int | None = None,
) -> Division:
    """Divide rows into runs.

    Args:
        line: line of each row, rising, shape ``(n,)``.
        step: step of each row on its own clock, NaN where it has none.
        marks: banners, starts and resume lines, by line.
        stream: which counter and kind of record each row belongs to (train rows, evaluation rows, blocks with a clock
            of their own); steps are compared within a stream only. One stream when None.
        outer: an outer counter (epoch), NaN where there is none: where it rises, a step that falls is no restart.
        layout: number of the set of columns of each row.
        last_line: last line of the file.

    Returns:
        At least one segment when there are rows.
    """
    n = line.size
    if n == 0:
        return Division(segments=(), index=np.zeros(0, np.int64))
    stream = np.zeros(n, np.int64) if stream is None else stream
    borders: dict[int, str] = {}
    known: list[int] = []
    writers = np.zeros(n, np.int64)  # takes no memory before it is written to
    several = False
    for one in _distinct(stream):
        some = _picked((stream == one) & np.isfinite(step))
        part = _Steps(step[some], _moving(outer, some), _moving(layout, some))
        if part.step.size < 2:
            continue
        mixed = part.writers()
        if mixed is not None:
            writers[some], several = mixed, True
            continue
        for at, why in part.borders():
            before, row = (at - 1, at) if isinstance(some, slice) else (int(some[at - 1]), int(some[at]))
            _add_border(borders, known, int(line[before]), int(line[row]), why)
    for mark in marks:
        _add_mark(borders, mark, line)
    _drop_empty(borders, line, step, stream)
    return _division(line, step, stream, writers, borders, marks, last_line or int(line[-1]), several=several)


def segment_at(line: int, segments: Sequence[Segment]) -> int:
    """Return the index of the segment of a line between rows: that of the row before it, else the first."""
    inside = [s.index for s in segments if s.first_line <= line]
    return inside[-1] if inside else (segments[0].index if segments else 0)


def segment_after(line: int, segments: Sequence[Segment]) -> int | None:
    """Return the index of the segment that a banner at ``line`` announces: the next one that begins below it."""
    return next((s.index for s in segments if s.first_line > line), None)


def judge(
    step: Floats, segment: Ints, columns: Mapping[str, Floats], line: Ints, stream: Ints | None = None
) -> Judgement:
    """Say which rows may be judged.

    Not judged are rows whose counter stands still while their values repeat (``frozen``), rows without a client
    (``no-clients``), running averages that still stand at their initial zero (``start-up``), slopes over the first
    rows of a run (``start-up``), and rewards of rows in which no episode ended (``no-episode``).

    Args:
        step: step of each row, shape ``(n,)``.
        segment: segment of each row.
        columns: canonical name -> values, NaN where a row has none; each of shape ``(n,)``.
        line: line of each row.
        stream: as in :func:`divide`.
    """
    n = step.size
    stream = np.zeros(n, np.int64) if stream is None else stream
    rows = np.ones(n, np.bool_)
    masked: list[Masked] = []
    idle = columns["clients"] == 0 if "clients" in columns else np.zeros(n, np.bool_)
    frozen = _frozen(step, segment, stream, columns, idle)
    for reason, mask in (("frozen", frozen), ("no-clients", idle & ~frozen)):
        rows &= ~mask
        masked += _stretches(reason, mask, line)
    by_column: dict[str, Bools] = {}
    for name in columns:
        if not _AVERAGE.search(name):
            continue
        mask = _start_up(name, columns[name], segment)
        if mask.any():
            by_column[name] = ~mask
            masked += _stretches("start-up", mask & rows, line, name)
    empty = _no_episode(columns)
    for name in () if empty is None else _REWARDS & set(columns):
        hit = empty & (columns[name] == 0)
        if hit.any():
            by_column[name] = by_column.get(name, np.ones(n, np.bool_)) & ~hit
            masked += _stretches("no-episode", hit & rows, line, name)
    masked.sort(key=lambda item: (item.first_line, item.reason, item.text))
    return Judgement(rows=rows, columns=by_column, masked=tuple(masked))


# --------------------------------------------------------------------------------------------------------- dividing


def _counts(numbers: Ints) -> Ints:
    """Return how often each small number occurs; piece by piece, for ``bincount`` copies what is not contiguous."""
    if numbers.strides == (0,):  # one number, seen many times
        return np.bincount(numbers[:1]) * numbers.size
    pieces = [np.bincount(numbers[at : at + _CHUNK]) for at in range(0, numbers.size, _CHUNK)]
    out = np.zeros(max((piece.size for piece in pieces), default=0), np.int64)
    for piece in pieces:
        out[: piece.size] += piece
    return out


def _distinct(numbers: Ints) -> Ints:
    """Return the distinct ones of small numbers (many times faster than ``np.unique`` on long arrays)."""
    return np.flatnonzero(_counts(numbers))


def _moving(values: np.ndarray | None, some: Ints | slice) -> np.ndarray | None:
    """Return some of the values; None where there are none, or one value seen many times."""
    return None if values is None or values.strides == (0,) else values[some]


def _picked(chosen: Bools) -> Ints | slice:
    """Return the chosen rows; all of them as a slice: it gives views where an index gives copies."""
    return slice(None) if bool(chosen.all()) else np.flatnonzero(chosen)


_CHUNK = 1 << 16
"""Rows looked at in one piece. The usual increment of a longer stream is that of as many rows, spread over it."""


def _some_changes(step: Floats) -> Floats:
    at = np.linspace(0, step.size - 2, _CHUNK).astype(np.int64)
    return np.asarray(step[at + 1] - step[at])


class _Steps:
    """The steps of one stream."""

    def __init__(self, step: Floats, outer: Floats | None, layout: Ints | None) -> None:
        self.step, self.outer, self.layout = step, outer, layout
        change = np.diff(step) if step.size <= _CHUNK else _some_changes(step)
        rising = change[change > 0]
        self.usual = float(np.median(rising)) if rising.size else 1.0
        self.falls = np.flatnonzero(step[1:] < step[:-1]) + 1

    def borders(self) -> list[tuple[int, str]]:
        """Return ``(row, why)`` for each row that begins a run."""
        found = [] if self._inner() else [(int(at), "step-falls") for at in self.falls if self._restarts(int(at))]
        if self.layout is not None:
            other = np.flatnonzero(self.layout[1:] != self.layout[:-1]) + 1
            leaps = other[self.step[other] - self.step[other - 1] > LEAP * self.usual]
            found += [(int(at), "header") for at in leaps]
        return sorted(found)

    def writers(self) -> Ints | None:
        """Return a writer per row when several processes write rising steps into each other, else None."""
        if self.falls.size < max(5, MIXED_SHARE * self.step.size) or self._inner():
            return None
        if self.outer is not None and self._explained_by_outer().mean() > 0.5:
            return None
        chains = _chains(self.step)
        if chains is None:
            return None
        counts = np.bincount(chains)
        kept = np.flatnonzero(counts >= max(5, 0.1 * chains.size))
        if kept.size < 2 or counts[kept].sum() < 0.9 * chains.size or not _overlap(chains, kept):
            return None
        lookup = np.zeros(counts.size, np.int64)
        lookup[kept] = np.arange(kept.size)
        return lookup[chains]

    def _explained_by_outer(self) -> Bools:
        assert self.outer is not None
        return self.outer[self.falls] > self.outer[self.falls - 1]

    def _restarts(self, at: int) -> bool:
        if self.outer is not None and self.outer[at] > self.outer[at - 1]:
            return False
        peak = self.step[at - 1]
        if peak - self.step[at] >= SETTLED * self.usual:
            return True
        after = self.step[at : at + SETTLED]
        return bool(after.size == SETTLED and (after < peak).all())

    def _inner(self) -> bool:
        """Whether the falls are those of a counter that starts again in every epoch: same tops, same bottoms.

        Few such falls are as likely to be folds or repeated runs.
        """
        if self.falls.size < LAPS:
            return False
        tops, bottoms = self.step[self.falls - 1], self.step[self.falls]
        near = 2.0 * self.usual
        return bool(np.ptp(tops) <= near and np.ptp(bottoms) <= near and abs(self.step[0] - bottoms[0]) <= near)


def _chains(step: Floats) -> Ints | None:
    """Sort rows into rising chains: on with the last one where that fits, else the nearest that was used lately.

    A leap begins a chain of its own; it counts only if it runs side by side with another one.
    """
    gaps = np.diff(np.unique(step))
    usual = float(np.median(gaps)) if gaps.size else 1.0
    last: list[float] = []
    used: list[int] = []
    current = -1
    out = np.zeros(step.size, np.int64)
    for row, value in enumerate(step.tolist()):
        if current < 0 or not 0 <= value - last[current] <= 2 * usual:
            near = [c for c in range(len(last)) if row - used[c] <= 64 and 0 <= value - last[c] <= LEAP * usual]
            current = min(near, key=lambda c: (value - last[c], -used[c]), default=-1)
            if current < 0:
                if len(last) >= 64:  # not a handful of writers
                    return None
                last.append(value)
                used.append(row)
                current = len(last) - 1
        last[current] = value
        used[current] = row
        out[row] = current
    return out


def _overlap(chains: Ints, kept: Ints) -> bool:
    spans = [(int(rows[0]), int(rows[-1])) for c in kept if (rows := np.flatnonzero(chains == c)).size]
    spans.sort()
    return any(b[0] < a[1] for a, b in itertools.pairwise(spans))


def _add_border(borders: dict[int, str], known: list[int], before: int, at: int, why: str) -> None:
    """Add a border at line ``at`` unless one between the two records explains the fall already."""
    place = bisect_right(known, before)
    if place == len(known) or known[place] > at:
        known.insert(place, at)
        borders[at] = why


def _add_mark(borders: dict[int, str], mark: Mark, line: Ints) -> None:
    """Begin a run at the first row after the mark; a mark tells more than the fall that it explains."""
    after = int(np.searchsorted(line, mark.line, side="right"))
    if after == 0 or after == line.size:
        return
    row = int(line[after])
    inside = [known for known in borders if line[after - 1] < known <= row]
    for known in inside:
        if borders[known] == "resume":
            return
        del borders[known]
    borders[row] = mark.kind


def _drop_empty(borders: dict[int, str], line: Ints, step: Floats, stream: Ints) -> None:
    """Let no piece without a step stand alone: a run begins at its first row with a step, under the strongest mark."""
    if not borders:
        return
    counted = line[(stream == _counts(stream).argmax()) & np.isfinite(step)]
    if not counted.size:
        return
    cuts = sorted(borders)
    has = np.diff(np.searchsorted(counted, [-1, *cuts, int(line[-1]) + 1])) > 0
    for at, cut in enumerate(cuts):
        if (
            not has[at] and at > 0 and cuts[at - 1] in borders
        ):  # the piece above this cut is empty: it loses its own cut
            borders[cut] = _stronger(borders.pop(cuts[at - 1]), borders[cut])
        elif not has[at] and at == 0:
            borders.pop(cut)
    if not has[-1] and cuts[-1] in borders:
        borders.pop(cuts[-1])


def _stronger(one: str, other: str) -> str:
    order = ("step-falls", "header", "banner", "resume")
    return max(one, other, key=order.index)


def _division(
    line: Ints,
    step: Floats,
    stream: Ints,
    writers: Ints,
    borders: dict[int, str],
    marks: Sequence[Mark],
    last_line: int,
    *,
    several: bool,
) -> Division:
    cuts = np.array(sorted(borders), np.int64)
    early = [mark.kind for mark in marks if mark.line < line[0]]
    first = "resume" if "resume" in early else ("banner" if early else "start")
    most = int(writers.max()) + 1 if several else 1
    # One run: the array of zeros is never written to, and takes no memory.
    together = np.searchsorted(cuts, line, side="right") * most + writers if cuts.size or most > 1 else writers
    keys = _distinct(together) if cuts.size or most > 1 else np.zeros(1, np.int64)
    counted = (stream == _counts(stream).argmax()) & np.isfinite(step)
    index = together if keys.size == 1 and keys[0] == 0 else np.searchsorted(keys, together).astype(np.int64)
    segments = []
    for number, key in enumerate(keys.tolist()):
        piece, writer = divmod(key, most)
        inside = np.ones(line.size, np.bool_) if keys.size == 1 else index == number
        head, tail = _ends(inside)
        own = inside & counted
        begin, end = _ends(own)
        last = int(cuts[piece]) - 1 if piece < cuts.size else last_line
        segments.append(
            Segment(
                index=number,
                first_line=int(line[head]),
                last_line=max(last, int(line[tail])),
                first_step=float(step[begin]) if own[begin] else None,
                last_step=float(step[end]) if own[begin] else None,
                begins="second-process" if writer else (borders[int(cuts[piece - 1])] if piece else first),
                rows=int(np.count_nonzero(inside)),
            )
        )
    return Division(segments=tuple(segments), index=index)


def _ends(mask: Bools) -> tuple[int, int]:
    """Return the first and the last place of a mask that is set somewhere."""
    return int(mask.argmax()), mask.size - 1 - int(mask[::-1].argmax())


# ---------------------------------------------------------------------------------------------------------- judging

_REWARDS = {"episode_return", "reward", "dqn_reward", "subj_reward", "obj_reward", "exp_reward"}


def _frozen(step: Floats, segment: Ints, stream: Ints, columns: Mapping[str, Floats], idle: Bools) -> Bools:
    """Rows that repeat the row before: the same step, and most of the same values (or nobody connected)."""
    n = step.size
    out = np.zeros(n, np.bool_)
    if n < FROZEN_ROWS:
        return out
    for one in _distinct(stream):
        rows = _picked(stream == one)
        own, run = step[rows], segment[rows]
        still = np.concatenate(([False], (own[1:] == own[:-1]) & (run[1:] == run[:-1])))
        still = _long_runs(still, FROZEN_ROWS)  # before the values are looked at: most steps are printed once or twice
        if not still.any():
            continue
        same = np.zeros(own.size, np.int16)
        counted = np.zeros(own.size, np.int16)
        for values in columns.values():
            part = values[rows]
            finite = np.isfinite(part)
            both = finite[1:] & finite[:-1]
            counted[1:] += both
            same[1:] += both & (part[1:] == part[:-1])
        repeats = still & ((same >= UNCHANGED * np.maximum(counted, 1)) & (counted > 0) | idle[rows])
        out[rows] = _long_runs(repeats, FROZEN_ROWS)
    return out


def _long_runs(mask: Bools, least: int) -> Bools:
    """Keep the stretches of True that are at least ``least`` long."""
    edges = np.flatnonzero(np.diff(mask.view(np.int8), prepend=np.int8(0), append=np.int8(0)))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= least
    out = np.zeros(mask.size, np.bool_)
    for start, end in zip(starts[long].tolist(), ends[long].tolist(), strict=True):
        out[start:end] = True
    return out


def _start_up(name: str, values: Floats, segment: Ints) -> Bools:
    out = np.zeros(values.size, np.bool_)
    if not _AVERAGE.search(name):
        return out
    rows = np.flatnonzero(~np.isnan(values))
    rows = rows[np.argsort(segment[rows], kind="stable")]
    if rows.size == 0:
        return out
    own = segment[rows]
    starts = np.flatnonzero(np.concatenate(([True], np.diff(own) != 0)))
    lengths = np.diff(np.concatenate((starts, [rows.size])))
    position = np.arange(rows.size) - np.repeat(starts, lengths)
    moved = np.where(values[rows] != 0, position, rows.size)
    first = np.minimum.reduceat(moved, starts)  # an average that never moves is broken, which the rules will say
    least = np.where(first >= lengths, 0, first)
    if _SLOPE.search(name):
        least = np.where((first < lengths) & (lengths > 2 * SLOPE_ROWS), np.maximum(least, SLOPE_ROWS), least)
    out[rows[position < np.repeat(least, lengths)]] = True
    return out


def _no_episode(columns: Mapping[str, Floats]) -> Bools | None:
    """Rows in which no episode ended, where the log prints lengths at all."""
    length = columns.get("episode_length")
    if length is None or not bool((length > 0).any()):
        return None
    none: Bools = length == 0
    return none


def _stretches(reason: str, mask: Bools, line: Ints, name: str = "") -> list[Masked]:
    if not mask.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    text = _TEXTS[reason].format(name=name)
    if edges.size > 2 * MOST_STRETCHES:
        edges, text = np.array([edges[0], edges[-1]]), f"{text} (scattered over these lines)"
        return [
            Masked(
                reason=reason,
                first_line=int(line[edges[0]]),
                last_line=int(line[edges[1] - 1]),
                rows=int(mask.sum()),
                text=text,
            )
        ]
    return [
        Masked(reason=reason, first_line=int(line[a]), last_line=int(line[b - 1]), rows=int(b - a), text=text)
        for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]


_TEXTS = {
    "frozen": "the step counter stands still and the values repeat",
    "no-clients": "no client is connected",
    "start-up": "{name} has not filled its window yet",
    "no-episode": "{name}: no episode ended since the row before",
}
