"""Tables with a metric a row and a column a part: ``| Metrics | Layer 0 | Layer 1 |``, ``Training | Validation``."""

from __future__ import annotations

import re
from typing import NamedTuple

from logdoctor.names import PHASES, squash
from logdoctor.parsers._record import Cell
from logdoctor.values import MISSING, UNREADABLE, parse

#: What the first column of such a table is called.
_FIRST = frozenset(
    {"", "metric", "metrics", "name", "key", "item", "stat", "stats", "statistic", "measure", "quantity"}
)
MOST = 24  # columns of such a table


class Part(NamedTuple):
    """One column: the words above it, or the phase that they name."""

    title: str
    phase: str


def parts(text: str) -> tuple[Part, ...]:
    """Return the columns that a line names as the head of such a table; nothing when it is none."""
    cells = _cells(text)
    if not 3 <= len(cells) <= MOST or squash(cells[0]) not in _FIRST:
        return ()
    titles = cells[1:]
    if not all(re.search(r"[^\W\d]{2}", title) for title in titles) or len(set(titles)) < len(titles):
        return ()
    found = tuple(_part(title) for title in titles)
    return found if cells[0] or all(part.phase for part in found) else ()


def _part(title: str) -> Part:
    phase = PHASES.get(title.lower(), "")
    return Part("" if phase else title, phase)


def row(text: str, columns: int) -> tuple[str, tuple[Cell | None, ...]] | None:
    """Return the name of a row and a value for each column (None where there is none)."""
    cells = _cells(text)
    if len(cells) != columns + 1 or not re.search(r"[^\W\d]", cells[0]) or len(cells[0]) > 60:
        return None
    out: list[Cell | None] = []
    at = text.index("|", text.index(cells[0]))
    for token in cells[1:]:
        value = parse(token)
        if value.flag == UNREADABLE:
            return None
        start = text.index(token, at) if token else at
        at = start + len(token)
        out.append(None if value.flag == MISSING else Cell(cells[0], value.value, value.flag, value.unit, start, at))
    return cells[0], tuple(out)


def _cells(text: str) -> list[str]:
    body = text.rstrip()
    if body.lstrip().startswith("|") and body.endswith("|"):
        body = body.strip()[1:-1]
    pieces = [piece.strip() for piece in body.split("|")]
    # ``      Training |  Validation``: the first column has no head, and no bar of its own
    bare = len(pieces) == 2 and all(piece.lower() in PHASES for piece in pieces)
    return ["", *pieces] if bare else pieces
