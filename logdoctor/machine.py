"""Machine formats -> :class:`~logdoctor.model.RunLog`: the counterpart of the text reader for documents and folders."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logdoctor.errors import InputError
from logdoctor.model import Floats, Ints, Reading, RunLog, SourceInfo
from logdoctor.registry import records
from logdoctor.segments import Judgement, divide, judge

if TYPE_CHECKING:
    from logdoctor.documents._record import Document, Sheet
    from logdoctor.parsers._assembler import Record

_LIKELY = (b"{", b"[", b"#{", b"r,", b"SQLite")
_NAMED = ("tfevents", ".db", ".sqlite", ".json", ".csv")


def read_machine(
    source: Any, *, parser: str | None = None, read_text: Callable[[Path], RunLog] | None = None
) -> RunLog | None:
    """Read a machine format, or return None when ``source`` is text for the line grammars.

    Args:
        source: what the user named; only paths are looked at.
        parser: the id of the one format to use.
        read_text: reads the text log that a folder leads to.

    Raises:
        InputError: a folder holds no run, or a file announces a format and cannot be read.
    """
    path = _path_of(source)
    if path is None:
        return None
    folder = path.is_dir()
    if parser is not None and parser not in records("logdoctor.documents", "DOCUMENT"):
        return None
    head = b"" if folder else _head(path)
    if not folder and parser is None and not head.lstrip()[:6].startswith(_LIKELY) and not _named(path):
        return None
    from logdoctor.documents import _record

    probe = _record.Probe(path=path, head=head)
    for document in _record.find(probe):
        if parser is not None and document.id != parser:
            continue
        sheet = document.read(probe)
        if sheet is None:
            continue
        if sheet.redirect is not None and read_text is not None:
            run = read_text(sheet.redirect)
            return replace(run, hyperparameters=(*run.hyperparameters, *sheet.settings))
        return run_of(sheet, document, str(source), path)
    if folder:
        if parser is not None or read_text is None:
            raise InputError(f"the directory {source} holds no run of that format")
        from logdoctor.folders import read_directory

        return read_directory(str(source), lambda file: read_text(Path(file)))
    return None


def run_of(sheet: Sheet, document: Document, name: str, path: Path) -> RunLog:
    """Build the run log of a sheet."""
    from logdoctor import frames

    rows = sorted(sheet.records, key=lambda row: row.line)
    table = frames.tabulate(rows)
    streams = _streams(rows, table.line, table.step, table.clock)
    division = divide(
        table.line, table.step, marks=sheet.marks, stream=streams, outer=table.outer, last_line=sheet.lines or None
    )
    judgement = (
        judge(table.step, division.index, frames.dense(table), table.line, streams)
        if table.line.size
        else Judgement(rows=np.zeros(0, np.bool_))
    )
    series = frames.series_of(table, division.index, judgement.of)
    lines = {line for row in rows for _, line in row.cells.values()}
    reading = Reading(
        format=document.id,
        formats=(document.id,),
        rows=int(table.line.size),
        metric_lines=len(lines),
        unread_lines=0,
        coverage=1.0 if lines else 0.0,
        clocks=table.clocks if table.line.size else (),
        segments=division.segments,
        issues=tuple(sorted((*sheet.issues, *table.issues), key=lambda issue: issue.line or 0)),
        masked=judgement.masked,
    )
    return RunLog(
        source=_info(sheet, name, path),
        reading=reading,
        series=series,
        hyperparameters=sheet.settings,
        raw_names={label: item.raw_name for label, item in series.items()},
        fetch=sheet.text,
        build_frame=frames.framed(table, division.index),
    )


def _streams(rows: Sequence[Record], line: Ints, step: Floats, clock: Ints) -> Ints:
    """Rows of one clock are one stream; where that falls back, rows with the same names are compared with each other.

    Training and evaluation may be written in an order of their own.
    """
    primary = step[clock == 0]
    if not (np.diff(primary[np.isfinite(primary)]) < 0).any():
        return clock.astype(np.int64)
    kinds: dict[tuple[int, frozenset[Any]], int] = {}
    keys = {row.line: frozenset(row.cells) for row in rows}
    pairs = zip(line.tolist(), clock.tolist(), strict=True)
    out = [kinds.setdefault((c, keys.get(n, frozenset())), len(kinds)) for n, c in pairs]
    return np.array(out, np.int64) if len(kinds) <= 32 else clock.astype(np.int64)


def _info(sheet: Sheet, name: str, path: Path) -> SourceInfo:
    try:
        modified = path.stat().st_mtime
    except OSError:
        modified = None
    digest = sheet.sha256 or (hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
    return SourceInfo(
        path=name, bytes=sheet.bytes, lines=sheet.lines, sha256=digest, encoding=sheet.encoding, modified=modified
    )


def _path_of(source: Any) -> Path | None:
    if not isinstance(source, (str, Path)) or str(source) == "-" or "://" in str(source):
        return None
    path = Path(source).expanduser()
    try:
        return path if path.is_file() or path.is_dir() else None
    except OSError:
        return None


def _head(path: Path) -> bytes:
    from logdoctor.sources import open_source

    try:
        return open_source(path).head
    except InputError:
        return b""


def _named(path: Path) -> bool:
    return any(part in path.name for part in _NAMED)
