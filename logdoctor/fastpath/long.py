"""Reads a long log: known shapes in bulk, everything else line by line."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from typing import Any

import numpy as np

from logdoctor import events
from logdoctor.custom_formats import CustomFormat, Matcher, TooSlow
from logdoctor.fastpath.collect import Collector
from logdoctor.fastpath.decide import Undecided
from logdoctor.fastpath.driver import Driver
from logdoctor.fastpath.effects import Effect
from logdoctor.fastpath.expand import expand
from logdoctor.fastpath.expanded import Expanded
from logdoctor.fastpath.known import CountedBlocks, Distrust
from logdoctor.frames import Table, raw_name
from logdoctor.model import Issue, RunLog, Series
from logdoctor.segments import Division, Judgement
from logdoctor.streaming import STREAM_BYTES

ATTEMPTS = 8
"""Times a log is read in bulk: each time with one more kind of records that are read one by one."""
HASHED_BYTES = 16 << 20
"""A larger log that is only read, not analysed, is not hashed on the way: that would cost as much as reading it."""


def read_long(opened: Any, parser: str | None, *, stream: bool, own: Sequence[CustomFormat] = ()) -> RunLog | None:
    """Return the run log, or None when the log must be read line by line (never when it is streamed).

    Args:
        opened: the source.
        parser: the id of the one grammar to use; all of them when None.
        stream: reduce a log above :data:`~logdoctor.streaming.STREAM_BYTES` into bins.
        own: formats of the user's own; with them only a log that is streamed is read here, line by line.
    """
    size = opened.path.stat().st_size if opened.path is not None else None
    streamed = stream and (size is None or size > STREAM_BYTES or opened.compression is not None)
    opened.hashing = stream or (size or 0) < HASHED_BYTES
    if own:
        return _own(opened, parser, own, size) if streamed else None
    alone: set[Effect] = set()
    pieces = True
    for _ in range(ATTEMPTS):
        try:
            return _read(opened, parser, alone, Collector(stream=streamed, size=size or 0), pieces=pieces)
        except CountedBlocks:
            pieces = False
        except (Distrust, Undecided) as refusal:
            if refusal.effect is None:
                break
            alone.add(refusal.effect)
    # A log that is streamed must not be kept as a whole: it is read in the same way, but nothing of it in bulk.
    if not streamed:
        return None
    return _read(opened, parser, _Everything(), Collector(stream=True, size=size or 0), pieces=False)


def _own(opened: Any, parser: str | None, own: Sequence[CustomFormat], size: int | None) -> RunLog:
    """Read a log with formats of the user's own, without them when they take too long."""
    collector = Collector(stream=True, size=size or 0)
    with Matcher(own) as matcher:

        def take(lines: Sequence[tuple[int, str]]) -> Set[int]:
            records = matcher.take(lines)
            for record in records.values():
                collector.own(record)
            return records.keys()

        try:
            return _read(opened, parser, _Everything(), collector, take, pieces=False)
        except TooSlow as error:
            run = read_long(opened, parser, stream=True)
            assert run is not None
            issues = (error.issue, *run.reading.issues)
            return replace(run, reading=replace(run.reading, issues=issues))


class _Everything(Set[Effect]):
    """All effects there are."""

    def __contains__(self, effect: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Effect]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _read(
    opened: Any,
    parser: str | None,
    alone: Set[Effect],
    collector: Collector,
    own: Callable[[Sequence[tuple[int, str]]], Set[int]] | None = None,
    *,
    pieces: bool,
) -> RunLog:
    from logdoctor.reader import new_assembler, run_log, understand

    assembler = new_assembler(parser)
    driver = Driver(
        assembler,
        collector.single,
        collector.bulk,
        collector.other,
        tells=_tells,
        begins=collector.next_block,
        alone=alone,
        own=own,
        pieces=pieces,
    )
    driver.read(opened.blocks())
    if collector.kept_every > 1:
        text = f"records without a common shape, or of a format of your own: one in {collector.kept_every} is kept"
        assembler.issues.append(Issue(line=None, text=text))
    sampled = collector.sample()
    numbered = collector.told()
    if collector.untold:
        text = f"{collector.untold:,} lines of no common shape were not searched for events and settings"
        assembler.issues.append(Issue(line=None, text=text))
    last = driver.line - 1
    del driver  # its work buffers are not needed any more
    if last and (not numbered or numbered[-1][0] < last):
        numbered.append((last, ""))
    records = [*collector.singles, *(item.record for item in sampled)]
    assembler.records = sorted(records, key=lambda record: record.line)
    shapes = {id(record): (record.grammar, tuple(record.cells)) for record in collector.singles}
    known = understand(assembler, numbered, collector.owned)
    sample = known.table
    whole = expand(known.table, known.records, sampled, collector, shapes)
    known = known._replace(table=whole.table)
    tally = Tally(whole.grammars)
    if not collector.stream:
        return run_log(opened, assembler, numbered, known, whole.stream, whole.metric_lines, tally)
    run = run_log(
        opened, assembler, numbered, known, whole.stream, whole.metric_lines, tally,
        lambda division, judgement: _series(whole, sample, division, judgement),
    )  # fmt: skip
    return _streamed(run, whole)


def _series(whole: Expanded, sample: Table, division: Division, judgement: Judgement) -> dict[str, Series]:
    """Return the series of bins; a bin belongs to the run, and is judged like the row, that it follows."""
    table = whole.table
    out: dict[str, Series] = {}
    for label, found in whole.points.items():
        points, column, name = found.points, sample.columns[label], table.names[label]
        row = np.maximum(np.searchsorted(table.line, points.line, side="right") - 1, 0)
        out[label] = Series(
            name=label,
            raw_name=raw_name(column.key),
            value=points.value,
            step=found.step,
            line=points.line,
            segment=division.index[row],
            judged=judgement.of(label)[row],
            clock=None if found.clock == 0 else table.clocks[found.clock].name,
            unit=name.unit or column.unit,
            phase=name.phase,
            goal=name.goal,
            low=points.low,
            high=points.high,
            low_line=points.low_line,
            high_line=points.high_line,
            weight=points.weight,
            missing=column.missing,
            unreadable=column.unreadable,
            nonfinite=found.nonfinite,
            count=found.count,
        )
    return out


def _streamed(run: RunLog, whole: Expanded) -> RunLog:
    """Count printed records instead of bins, and say that there is no dataframe."""
    assert whole.weight is not None
    segments = []
    for segment in run.reading.segments:
        inside = (whole.table.line >= segment.first_line) & (whole.table.line <= segment.last_line)
        segments.append(replace(segment, rows=int(whole.weight[inside].sum())))
    reading = replace(run.reading, rows=whole.rows, segments=tuple(segments), streamed=True)
    return replace(run, reading=reading, build_frame=None)


def _tells(text: str) -> int:
    """Return how many lines like ``text`` are kept as events, 0 when it tells of none."""
    return max((events.MOST_OF_A_SHAPE.get(event.kind, events.MOST) for event in events.scan([(1, text)])), default=0)
