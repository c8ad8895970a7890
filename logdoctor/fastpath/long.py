"""Reads a long log: known shapes in bulk, everything else line by line."""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

from logdoctor import events
from logdoctor.fastpath.collect import Collector
from logdoctor.fastpath.driver import Distrust, Driver
from logdoctor.fastpath.expand import Undecided, expand
from logdoctor.model import RunLog
from logdoctor.streaming import STREAM_BYTES


def read_long(opened: Any, parser: str | None, *, stream: bool) -> RunLog | None:
    """Return the run log, or None when the log must be read line by line.

    Args:
        opened: the source.
        parser: the id of the one grammar to use; all of them when None.
        stream: reduce a log above :data:`~logdoctor.streaming.STREAM_BYTES` into bins.
    """
    try:
        return _read(opened, parser, stream=stream)
    except (Distrust, Undecided):
        return None


def _read(opened: Any, parser: str | None, *, stream: bool) -> RunLog:
    from logdoctor.reader import new_assembler, run_log, understand

    size = opened.path.stat().st_size if opened.path is not None else None
    collector = Collector(stream=stream and (size is None or size > STREAM_BYTES))
    assembler = new_assembler(parser)
    driver = Driver(
        assembler, collector.single, collector.bulk, collector.other, tells=_tells, begins=collector.next_block
    )
    driver.read(opened.blocks())
    sampled = collector.sample()
    numbered = sorted(collector.others, key=lambda item: item[0])
    last = driver.line - 1
    if last and (not numbered or numbered[-1][0] < last):
        numbered.append((last, ""))
    records = [*collector.singles, *(item.record for item in sampled)]
    assembler.records = sorted(records, key=lambda record: record.line)
    shapes = {id(record): (record.grammar, tuple(record.cells)) for record in collector.singles}
    known = understand(assembler, numbered)
    whole = expand(known.table, known.records, sampled, collector, shapes)
    return run_log(
        opened, assembler, numbered, known._replace(table=whole.table), whole.stream, whole.metric_lines, Tally(whole.grammars)
    )


def _tells(text: str) -> bool:
    """Whether a line tells of an event."""
    return bool(events.scan([(1, text)]))
