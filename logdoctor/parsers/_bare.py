"""Numbers under no names: read where a log holds nothing else.

A file of one number a line, rows of numbers without a header, lists such as ``[2.31, 2.55, 1200, 0.0002]`` below a
heading with an epoch. A column of whole numbers that rises counts the rows; the others are numbered.
"""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from logdoctor.parsers._record import Cell, Count
from logdoctor.values import NUMBER, parse

LEAST = 5  # rows below which numbers may be anything
ALIKE = 0.8  # share of the rows that have the same number of fields
RISES = 0.8  # share of the steps by which a counter rises
MOST = 40  # fields of a row: more are weights or pixels

_LINE = re.compile(rf"^\s*[\[(]?\s*{NUMBER}(?:\s*[,;|]\s*{NUMBER}|\s+{NUMBER})*\s*[,;|]?\s*[\])]?\s*$", re.IGNORECASE)
_FIELD = re.compile(NUMBER, re.IGNORECASE)


class Bare(NamedTuple):
    """One line of numbers, the counters above it and the words above the first of such lines."""

    number: int
    text: str
    context: dict[str, Count]
    latest: tuple[Count, ...]
    title: str


class Row(NamedTuple):
    """What one line of numbers says."""

    bare: Bare
    counters: tuple[Count, ...]
    cells: tuple[Cell, ...]


def is_bare(text: str) -> bool:
    """Whether a line is nothing but numbers."""
    return len(text) <= 20 * MOST and bool(_LINE.match(text))


def rows_of(lines: Sequence[Bare]) -> list[Row]:
    """Return the rows of a log that holds nothing but such lines; none when they are too few or too different."""
    fields = [_FIELD.findall(line.text) for line in lines]
    width, times = Tally(map(len, fields)).most_common(1)[0] if fields else (0, 0)
    if times < LEAST or times < ALIKE * len(fields) or width > MOST:
        return []
    kept = [(line, row) for line, row in zip(lines, fields, strict=True) if len(row) == width]
    at = next((i for i in range(width) if width > 1 and _counts([row[i] for _, row in kept])), None)
    names = _names(width, at, kept[0][0].title)
    out = []
    for line, row in kept:
        spans = [match.span() for match in _FIELD.finditer(line.text)]
        values = [parse(token) for token in row]
        cells = tuple(Cell(names[i], values[i].value, values[i].flag, None, *spans[i]) for i in range(width) if i != at)
        counters = () if at is None else (Count("step", values[at].value, None, *spans[at]),)
        out.append(Row(line, counters, cells))
    return out


_CODE = re.compile(r"[<>{}]|0x[0-9a-fA-F]{4}")  # an object printed above the numbers names nothing


def _names(width: int, at: int | None, title: str) -> list[str]:
    if width - (at is not None) == 1:
        return [title if title and not _CODE.search(title) else "value"] * width
    return [f"value_{i + 1}" for i in range(width)]


def _counts(tokens: Sequence[str]) -> bool:
    """Whether a column holds whole numbers that rise."""
    if not all(token.isdigit() for token in tokens):
        return False
    values = [int(token) for token in tokens]
    rises = sum(1 for one, other in pairwise(values) if other > one)
    return rises >= RISES * (len(values) - 1)
