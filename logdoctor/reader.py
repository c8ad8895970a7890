"""A log -> :class:`~logdoctor.model.RunLog`: lines to records, records to columns, columns to series."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from logdoctor import events, frames, hyperparameters
from logdoctor.custom_formats import Matched
from logdoctor.model import Event, Ints, Issue, Reading, RunLog, Segment, Series, Setting
from logdoctor.normalise import states
from logdoctor.parsers._assembler import Assembler, Record
from logdoctor.parsers._histories import MOST_LINES, histories, without_parts
from logdoctor.parsers._listings import without_listings
from logdoctor.parsers._trust import of_one_rank, trusted, without_copies
from logdoctor.segments import Division, Judgement, Mark, divide, judge, segment_after, segment_at
from logdoctor.settings import Settings
from logdoctor.sources import HEAD

#: Bytes from which on lines of one shape are read in bulk; below, the parsers take about a second.
LONG = 900_000
#: A line with as many values is a row of numbers and tells no event.
DENSE = 3
#: Events that are told in a sentence; the numbers in it are names of files, scores so far and new settings.
_TELLING = frozenset({"checkpoint", "model-load", "resume", "hyperparameter-change", "override", "shutdown", "start"})


def read_log(
    source: str | Path, *, parser: str | None = None, stream: bool = False, settings: Settings | None = None
) -> RunLog:
    """Read one log.

    Args:
        source: a path, or ``-`` for standard input.
        parser: the id of the one grammar to use, or a TOML file of formats of one's own; all grammars when None.
        stream: reduce long logs into bins instead of keeping every row.
        settings: settings of the tool.

    Raises:
        InputError: the source cannot be read, or is no text.
        SettingsError: a format of one's own is wrong.
    """
    settings = settings or Settings()
    run = _read(source, parser, stream, settings)
    if settings.names:
        from logdoctor.renaming import renamed

        return renamed(run, settings.names)
    return run


def _read(source: str | Path, parser: str | None, stream: bool, settings: Settings) -> RunLog:
    from logdoctor import custom_formats
    from logdoctor.machine import read_machine
    from logdoctor.sources import open_source

    chosen = parser or settings.parser
    own, chosen = custom_formats.chosen(chosen, settings.formats)
    found = read_machine(source, parser=chosen, read_text=lambda path: _read(path, None, stream, settings))
    if found is not None:
        return found
    opened = open_source(source)
    if _long(opened):
        from logdoctor.fastpath.long import read_long

        long = read_long(opened, chosen, stream=stream, own=own)
        if long is not None:
            return long
    numbered = list(opened.lines())
    return assemble(opened, numbered, chosen, custom_formats.match(own, numbered) if own else None)


def _long(opened: Any) -> bool:
    """Whether a source is worth reading in bulk; of a stream only the head is known."""
    if opened.binary is not None:
        return False
    if opened.path is None or opened.compression is not None:
        return len(opened.head) >= HEAD
    return bool(opened.path.stat().st_size >= LONG)


def assemble(
    opened: Any, numbered: Sequence[tuple[int, str]], parser: str | None = None, own: Matched | None = None
) -> RunLog:
    """Build the run log of numbered lines; ``own`` is what formats of the user's own read already."""
    builder = new_assembler(parser)
    for number, text in numbered:
        if own is None or number not in own.lines:
            builder.feed(number, text)
    builder.finish()
    builder.issues += own.issues if own else []
    known = understand(builder, numbered, own.records if own else ())
    lines = {line for record in known.records for _, line in record.cells.values()}
    grammars = Tally(record.grammar for record in known.records)
    return run_log(opened, builder, numbered, known, _streams(known.records, known.table), len(lines), grammars)


def new_assembler(parser: str | None = None) -> Assembler:
    """Return an assembler of one grammar, or of all."""
    return Assembler() if parser is None else Assembler(_grammars(parser))


def _dense(record: Record) -> bool:
    """Whether the first line of a record is a row of numbers."""
    if len(record.cells) < DENSE or record.grammar != "blocks":
        return len(record.cells) >= DENSE
    return sum(1 for _, line in record.cells.values() if line == record.line) >= DENSE


class Understood(NamedTuple):
    """What the records mean: those that are metrics, as a table, and the events with the marks of new runs."""

    records: list[Record]
    table: frames.Table
    found: tuple[Event, ...]
    marks: tuple[Mark, ...]
    unread: tuple[int, ...] = ()


def understand(builder: Assembler, numbered: Sequence[tuple[int, str]], own: Sequence[Record] = ()) -> Understood:
    """Decide which cells of the records are metrics, what they are called and what their steps are."""
    dense = {record.line for record in builder.records if record.grammar == "columns" or _dense(record)}
    found = events.scan(item for item in numbered if item[0] not in dense)
    marks = events.marks(found)
    once, copies = without_copies(builder.records)
    if copies:
        text = f"{copies:,} records were printed again with the same counters and values (another rank, a redrawn bar)"
        builder.issues.append(Issue(line=None, text=f"{text}; each is read once"))
    once, others = of_one_rank(once)
    if others:
        text = f"{others:,} records of other processes with values of their own were left out: the first one is read"
        builder.issues.append(Issue(line=None, text=text))
    once, lists = without_listings(once)
    builder.issues += lists
    if not any(record.counters for record in once) and len(numbered) <= MOST_LINES and (rows := histories(numbered)):
        once = rows
    without_parts(once)
    told, chosen = _claimed(numbered, builder, found, [mark.line for mark in marks])
    records = trusted(once, told, chosen)
    if own:
        records = sorted([*records, *own], key=lambda record: record.line)
    again = {record.line for record in builder.records} - {record.line for record in once}
    unread = _unread(numbered, records, told | chosen | again | {event.line for event in found})
    return Understood(records, frames.tabulate(records), tuple(found), tuple(marks), unread)


#: A word for a metric and a number with decimals, or none, right behind it.
_LOOKS = re.compile(
    r"(?:loss|acc(?:uracy)?|reward|return|score|ppl|perplexity|error|f1|auc|bleu|psnr|m?iou|dice|rmse|mae|损失|准确率|精度|奖励)"
    r"\w{0,12}[\s\"')\]]{0,3}\s*(?::|=|\||\bis\b|\s)\s*[-+\[(]?(?:\d+\.\d+|\d+(?:\.\d+)?e[-+]\d|nan\b|inf\b)",
    re.IGNORECASE,
)
#: Words of lines that say again what a row said: the best so far, what a checkpoint is named after, a summary.
_AGAIN = re.compile(r"^wandb:|best|sav(?:ed|ing)|improv|highest|lowest|checkpoint|final|initial", re.IGNORECASE)


def _unread(numbered: Sequence[tuple[int, str]], records: Sequence[Record], claimed: frozenset[int]) -> tuple[int, ...]:
    """Return the lines that look like metrics and were not read: from the first that was read on, or all."""
    read = {line for record in records for _, line in record.cells.values()} | {record.line for record in records}
    first = min(read, default=0)
    return tuple(
        number
        for number, text in numbered
        if number >= first and number not in read and number not in claimed and _looks(text)
    )


def _looks(text: str) -> bool:
    if len(text) > LONGEST_UNREAD or not _LOOKS.search(text):
        return False
    return not _AGAIN.search(text) and not _BAR.search(text)


_BAR = re.compile(r"\[[=>.]{5,}\]|━━|%\s?\|")  # a state of a progress bar: the last one is read
LONGEST_UNREAD = 2_000  # characters; a longer line is a dump


def run_log(
    opened: Any,
    builder: Assembler,
    numbered: Sequence[tuple[int, str]],
    known: Understood,
    streams: Ints,
    metric_lines: int,
    grammars: Tally[str],
    make_series: Callable[[Division, Judgement], Mapping[str, Series]] | None = None,
) -> RunLog:
    """Divide a table into runs and put the run log together; ``make_series`` is given where rows stand for bins."""
    table = known.table
    division = divide(
        table.line, table.step, marks=known.marks, stream=streams, outer=table.outer, layout=table.layout,
        last_line=numbered[-1][0] if numbered else None,
    )  # fmt: skip
    judgement = (
        judge(table.step, division.index, frames.dense(table), table.line, streams)
        if table.line.size
        else Judgement(rows=np.zeros(0, np.bool_))
    )
    if make_series is None:
        series = frames.series_of(table, division.index, judgement.of)
        raw_names = {label: frames.raw_name(column.key) for label, column in table.columns.items()}
    else:
        series = make_series(division, judgement)
        raw_names = {name: item.raw_name for name, item in series.items()}
    rows = {issue.line for issue in builder.issues if "under no header" in issue.text}
    unread = rows | set(known.unread)
    if known.unread:
        text = f"{len(known.unread):,} lines that look like metrics were not read; this is the first"
        builder.issues.append(Issue(line=known.unread[0], text=text))
    total = metric_lines + len(unread)
    reading = Reading(
        format=grammars.most_common(1)[0][0] if grammars else "none",
        formats=tuple(name for name, _ in grammars.most_common()),
        rows=int(table.line.size),
        metric_lines=metric_lines,
        unread_lines=len(unread),
        coverage=metric_lines / total if total else 0.0,
        clocks=table.clocks if table.line.size else (),
        segments=division.segments,
        issues=tuple(sorted((*opened.issues, *builder.issues, *table.issues), key=lambda issue: issue.line or 0)),
        masked=judgement.masked,
    )
    return RunLog(
        source=opened.info,
        reading=reading,
        series=series,
        hyperparameters=_hyperparameters(numbered, table, division.segments),
        events=_placed(known.found, table, division.segments),
        raw_names=raw_names,
        fetch=_fetcher(opened),
        build_frame=frames.framed(table, division.index),
    )


def _claimed(
    numbered: Sequence[tuple[int, str]], builder: Assembler, found: Sequence[Event], starts: Sequence[int]
) -> tuple[frozenset[int], frozenset[int]]:
    """Return the lines that tell of something done, and those that print a setting: numbers on them are no metrics."""
    rows = sorted({record.line for record in builder.records if record.counters} | set(builder.anchors))
    firsts = {rows[at] for line in (0, *starts) if (at := bisect_right(rows, line)) < len(rows)}
    quiet = hyperparameters.quiet_regions(rows, firsts, numbered[-1][0] if numbered else 0)
    settings = hyperparameters.scan(numbered, quiet) if rows else ()
    own = {record.line for record in builder.records if record.counters}
    told = {event.line for event in found if event.kind in _TELLING or event.line not in own}
    return frozenset(told), frozenset(item.line for item in settings if item.line is not None and item.line not in own)


def _grammars(parser: str) -> tuple[str, ...]:
    from logdoctor.errors import UsageError
    from logdoctor.registry import records

    known = records("logdoctor.parsers", "PARSER")
    if parser not in known:
        raise UsageError(f"unknown parser {parser!r}; choose one of {', '.join(known)}")
    return ("keyvalue", "blocks") if parser in ("keyvalue", "blocks") else (parser,)


def _streams(records: Sequence[Record], table: frames.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Number the kinds of rows: rows of different clocks, grammars or metrics are compared among themselves only."""
    kinds: dict[tuple[int, str], int] = {}
    by_line = {record.line: record for record in records}
    out = np.zeros(table.line.size, np.int64)
    for index, line in enumerate(table.line.tolist()):
        record = by_line.get(line)
        kind = (int(table.clock[index]), record.grammar if record else "")
        out[index] = kinds.setdefault(kind, len(kinds))
    return out


def _placed(found: Sequence[Event], table: frames.Table, segments: Sequence[Segment]) -> tuple[Event, ...]:
    names = [None, *(clock.name for clock in table.clocks[1:])]
    return events.place(found, table.line, table.step, segments, _Picked(names, table.clock))


class _Picked(Sequence[Any]):
    """``names[index]`` for each of many indices, looked up when asked for."""

    def __init__(self, names: Sequence[Any], index: Ints) -> None:
        self._names, self._index = names, index

    def __len__(self) -> int:
        return int(self._index.size)

    def __getitem__(self, at: Any) -> Any:
        return self._names[int(self._index[at])]


def _hyperparameters(
    numbered: Sequence[tuple[int, str]], table: frames.Table, segments: Sequence[Segment]
) -> tuple[Setting, ...]:
    """Return the settings of the log; those of a banner belong to the run that begins below it."""
    last = numbered[-1][0] if numbered else 0
    firsts = [s.first_line for s in segments]
    at = np.searchsorted(table.line, firsts)
    # Only the rows before and at the start of each run decide where the quiet stretches are.
    rows = (
        np.unique(table.line[np.clip(np.concatenate([at - 1, at]), 0, max(0, table.line.size - 1))])
        if firsts
        else table.line
    )
    moved = {line: _first_value(line, table) for line in {*rows.tolist(), *firsts}}
    begins = [moved[line] for line in firsts]
    quiet = hyperparameters.quiet_regions(sorted(moved[line] for line in rows.tolist()), begins, last)
    found = hyperparameters.scan(numbered, quiet)
    found = tuple(item for item in found if item.name != "buffer_size" or not _printed(item, table))
    if len(segments) < 2:
        return found
    return tuple(replace(item, segment=_segment_of(item.line or 0, quiet, segments)) for item in found)


def _first_value(line: int, table: frames.Table) -> int:
    """Return where the first metric of the row at ``line`` stands: settings may stand above it in the same block."""
    row = int(np.searchsorted(table.line, line))
    if row == table.line.size or table.line[row] != line:
        return line
    lines = (column.line_at(row) for column in table.columns.values())
    return min((line for line in lines if line is not None), default=line)


def _printed(item: Setting, table: frames.Table) -> bool:
    """Whether a setting is the first value of a series: how full a buffer is, not how much it holds."""
    return any(item.raw_name in (column.key.raw, column.key.title) for column in table.columns.values())


def _segment_of(line: int, quiet: Sequence[tuple[int, int]], segments: Sequence[Segment]) -> int | None:
    if any(first <= line <= last for first, last in quiet):
        return segment_after(line, segments)
    return segment_at(line, segments)


def _fetcher(opened: Any) -> Any:
    def fetch(lines: Iterable[int]) -> dict[int, str]:
        return {number: states(text)[-1] for number, text in opened.fetch(lines).items()}

    return fetch


__all__ = ["Issue", "assemble", "read_log", "trusted"]
