"""What a machine format is, what it returns, and how one is found for a path."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logdoctor.model import Issue, Setting
from logdoctor.names import counter
from logdoctor.parsers._assembler import Key, Record
from logdoctor.parsers._record import Cell, Count
from logdoctor.registry import records
from logdoctor.segments import Mark
from logdoctor.values import IS_INF, IS_NAN, MISSING

MOST_CELLS = 5_000_000
"""Values kept of one document (about 1 GB of records); what is beyond is counted in an issue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A path before it is read: a file with its first bytes, or a folder."""

    path: Path
    head: bytes = b""

    @property
    def folder(self) -> bool:
        """Whether this is a folder."""
        return self.path.is_dir()


@dataclass(slots=True, kw_only=True)
class Sheet:
    """What was read from a machine format.

    Attributes:
        records: one for each row, in order.
        text: returns the text of the lines asked for. Where the source is no text the line is the number of the value
            in reading order, and the text says which it is.
        marks: lines at which a run begins.
        redirect: the text log inside a folder that is to be read instead; ``settings`` still count.
        bytes: size of everything read.
        lines: lines (or values) read.
        sha256: hash of everything read.
    """

    records: list[Record] = field(default_factory=list)
    settings: tuple[Setting, ...] = ()
    issues: list[Issue] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    text: Callable[[Iterable[int]], dict[int, str]] = field(default=lambda _lines: {})
    redirect: Path | None = None
    bytes: int = 0
    lines: int = 0
    sha256: str = ""
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One machine format a file.

    Attributes:
        sniff: whether a path is of this format, from its name and first bytes.
        read: returns the sheet, or None when it is not of this format after all.
    """

    id: str
    title: str
    description: str
    sniff: Callable[[Probe], bool]
    read: Callable[[Probe], Sheet | None]


def find(probe: Probe) -> Iterator[Document]:
    """Yield the formats that may read ``probe``, in the order of their names."""
    for document in records("logdoctor.documents", "DOCUMENT").values():
        if document.sniff(probe):
            yield document


def record(grammar: str, values: Iterable[tuple[str, Any, int]], line: int | None = None) -> Record:
    """Return a row: counters become its clocks, numbers its cells, words are kept aside.

    Args:
        grammar: id of the format.
        values: ``(name, value, line)``.
        line: line of the row; that of its first value when None.
    """
    row = Record(line or 0, grammar)
    for name, value, at in values:
        row.line = row.line or at
        number = as_number(value)
        if number is None:
            if isinstance(value, str) and len(value) < 200:
                row.words[name] = value
        elif value is None:
            row.cells.setdefault(Key(name), (Cell(name, math.nan, MISSING), at))
        elif counter(name) is not None and math.isfinite(number):
            row.counters = (*row.counters, Count(name, number))
        else:
            row.cells.setdefault(Key(name), (cell(name, number), at))
    return row


def cell(name: str, number: float) -> Cell:
    """Return a cell with the flag of a non-finite number."""
    return Cell(name, number, IS_NAN if math.isnan(number) else IS_INF if math.isinf(number) else "")


def as_number(value: Any) -> float | None:
    """Return a JSON value as a number; null is NaN (missing), a string counts when it spells a number or NaN."""
    if isinstance(value, bool):
        return None
    if value is None:
        return math.nan
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    if isinstance(value, str) and 0 < len(value) < 32:
        try:
            return float(value)
        except ValueError:
            return None
    return None


def flat(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield ``(name, leaf)`` of nested mappings, names joined with a slash; a list of one counts as its item."""
    if isinstance(value, Mapping) and depth < 12:
        for key, inner in value.items():
            yield from flat(inner, f"{path}/{key}" if path else str(key), depth + 1)
    elif isinstance(value, list) and len(value) == 1:
        yield from flat(value[0], path, depth + 1)
    elif not isinstance(value, list):
        yield path, value


def numbered_text(texts: Mapping[int, str]) -> Callable[[Iterable[int]], dict[int, str]]:
    """Return a ``Sheet.text`` over texts that are held in memory."""
    return lambda lines: {n: texts[n] for n in lines if n in texts}
