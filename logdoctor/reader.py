"""A log -> :class:`~logdoctor.model.RunLog`: lines to records, records to columns, columns to series."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from logdoctor import frames
from logdoctor.model import Event, Issue, Reading, RunLog, Setting
from logdoctor.names import canonical
from logdoctor.normalise import states
from logdoctor.parsers._assembler import Assembler, Key, Record
from logdoctor.segments import Judgement, Mark, divide, judge
from logdoctor.settings import Settings

_TRUSTED_ALWAYS = frozenset({"columns"})
ENOUGH = 3  # a line shape is trusted when it occurs again: three times, or twice for records of several lines


def read_log(
    source: str | Path, *, parser: str | None = None, stream: bool = False, settings: Settings | None = None
) -> RunLog:
    """Read one log.

    Args:
        source: a path, or ``-`` for standard input.
        parser: the id of the one grammar to use; all of them when None.
        stream: reduce long logs into bins instead of keeping every row.
        settings: settings of the tool.

    Raises:
        InputError: the source cannot be read, or is no text.
    """
    from logdoctor.sources import open_source

    settings = settings or Settings()
    opened = open_source(source)
    numbered = list(opened.lines())
    return assemble(opened, numbered, parser or settings.parser)


def assemble(opened: Any, numbered: Sequence[tuple[int, str]], parser: str | None = None) -> RunLog:
    """Build the run log of numbered lines."""
    builder = Assembler() if parser is None else Assembler(_grammars(parser))
    for number, text in numbered:
        builder.feed(number, text)
    builder.finish()
    records = trusted(builder.records)
    table = frames.tabulate(records)
    events, marks = _events(numbered, table)
    streams = _streams(records, table)
    division = divide(
        table.line, table.step, marks=marks, stream=streams, outer=table.epoch, layout=table.layout,
        last_line=numbered[-1][0] if numbered else None,
    )  # fmt: skip
    judgement = (
        judge(table.step, division.index, frames.dense(table), table.line, streams)
        if table.line.size
        else Judgement(rows=np.zeros(0, np.bool_))
    )
    series = frames.series_of(table, division.index, judgement.of)
    metric_lines = {line for record in records for _, line in record.cells.values()}
    unread = [issue for issue in builder.issues if "under no header" in issue.text]
    total = len(metric_lines) + len(unread)
    grammars = Tally(record.grammar for record in records)
    reading = Reading(
        format=grammars.most_common(1)[0][0] if grammars else "none",
        formats=tuple(name for name, _ in grammars.most_common()),
        rows=int(table.line.size),
        metric_lines=len(metric_lines),
        unread_lines=len(unread),
        coverage=len(metric_lines) / total if total else 0.0,
        clocks=table.clocks if table.line.size else (),
        segments=division.segments,
        issues=tuple(sorted((*opened.issues, *builder.issues, *table.issues), key=lambda issue: issue.line or 0)),
        masked=judgement.masked,
    )
    return RunLog(
        source=opened.info,
        reading=reading,
        series=series,
        hyperparameters=_hyperparameters(numbered),
        events=events,
        raw_names={name: item.raw_name for name, item in series.items()},
        fetch=_fetcher(opened),
        build_frame=lambda: frames.frame(table, division.index),
    )


def _grammars(parser: str) -> tuple[str, ...]:
    from logdoctor.errors import UsageError
    from logdoctor.registry import records

    known = records("logdoctor.parsers", "PARSER")
    if parser not in known:
        raise UsageError(f"unknown parser {parser!r}; choose one of {', '.join(known)}")
    return ("keyvalue", "blocks") if parser in ("keyvalue", "blocks") else (parser,)


def trusted(records: Sequence[Record]) -> list[Record]:
    """Keep the records whose names occur again; a name that is printed once is prose or configuration."""
    counts: Tally[Key] = Tally()
    for record in records:
        counts.update(record.cells.keys())
    out = [record for record in records if _trust(record, counts)]
    if not out:
        out = [
            record
            for record in records
            if any(_known(key) for key in record.cells) and (record.counters or record.context)
        ]
    return out


def _trust(record: Record, counts: Tally[Key]) -> bool:
    if record.grammar in _TRUSTED_ALWAYS:
        return True
    enough = ENOUGH if record.grammar == "keyvalue" else 2
    often = sum(1 for key in record.cells if counts[key] >= enough)
    if often * 2 >= len(record.cells):
        return True
    known = sum(1 for key in record.cells if _known(key))
    return bool(record.counters) and known >= 1 and any(counts[key] >= 2 for key in record.cells)


def _known(key: Key) -> bool:
    return canonical(key.raw, key.title, key.phase).known


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


def _optional(module: str) -> Any:
    try:
        return import_module(f"logdoctor.{module}")
    except ModuleNotFoundError:
        return None


def _events(numbered: Sequence[tuple[int, str]], table: frames.Table) -> tuple[tuple[Event, ...], tuple[Mark, ...]]:
    del table
    return (), ()


def _hyperparameters(numbered: Iterable[tuple[int, str]]) -> tuple[Setting, ...]:
    module = _optional("hyperparameters")
    if module is None or not hasattr(module, "scan"):
        return ()
    return tuple(module.scan(numbered))


def _fetcher(opened: Any) -> Any:
    def fetch(lines: Iterable[int]) -> dict[int, str]:
        return {number: states(text)[-1] for number, text in opened.fetch(lines).items()}

    return fetch


__all__ = ["Issue", "assemble", "read_log", "trusted"]
