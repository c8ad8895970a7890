"""Tables that list things and are no series: thresholds that were tried, members of a population, scores by target.

A row of a series stands for a time. Where a table counts nothing, its rows may stand for something else: every row has
a label of its own, or its first column is a grid of values, and all of them were printed in one place of the log.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logdoctor.model import Issue
from logdoctor.names import PHASES, squash, words
from logdoctor.parsers._assembler import Record

LEAST = 3  # records that count, without which a table may be all that the log holds
#: First columns that name the things of a list, by number.
_THINGS = words("id species genome individual specimen member")
_ALL = frozenset({"", "all", "total", "mean", "average", "overall"})


def without_listings(records: Sequence[Record]) -> tuple[list[Record], list[Issue]]:
    """Leave out the rows of lists; also return an issue for each list."""
    tables: dict[int, list[Record]] = {}
    counted: set[int] = set()
    others = 0
    for record in records:
        if record.grammar != "columns":
            others += bool(record.counters)
        elif record.counters:
            others += 1
            counted.add(record.header)
        else:
            tables.setdefault(record.header, []).append(record)
    issues: list[Issue] = []
    left_out: set[int] = set()
    for header, rows in tables.items():
        if header in counted or len(rows) < 2:
            continue
        listed = _listed(rows, others)
        if listed:
            what = f"a table lists things by {_first(rows[0])[0]!r}: its rows are no series"
            issues.append(Issue(line=listed[0].line, text=what))
            left_out.update(map(id, listed))
    kept = [record for record in records if id(record) not in left_out] if left_out else list(records)
    return _without_summaries(kept, counted) if counted else kept, issues


def _listed(rows: Sequence[Record], others: int) -> Sequence[Record]:
    """Return the rows of a table without a counter that list things; none where they may be a series."""
    if all(record.words for record in rows):
        return _labelled(rows, others)
    if any(record.words for record in rows):
        return ()
    title, numbers = _first(rows[0])[0], np.array([_first(record)[1] for record in rows])
    places = [id(record.context) for record in rows]
    if len(set(places)) > 1:
        return rows if squash(title) in _THINGS and bool((np.diff(numbers) < 0).any()) else ()
    return rows if others >= LEAST and len(rows) <= others and _grid(numbers) else ()


def _labelled(rows: Sequence[Record], others: int) -> Sequence[Record]:
    """Return the rows under labels that each come once; the row of all of them stays."""
    labels = [next(iter(record.words.values())) for record in rows]
    if len(set(labels)) < len(labels):
        return ()
    told = any(ch.isdigit() for ch in "".join(labels)) or any(label.lower() in PHASES for label in labels)
    if others < LEAST and told:
        return ()  # ``model-100``: a counter in words; ``train``: a row of its own series
    return [record for record, label in zip(rows, labels, strict=True) if label.lower() not in _ALL]


def _first(record: Record) -> tuple[str, float]:
    """Return the title and the number of the first cell of a row."""
    if not record.cells:
        return next(iter(record.words), ""), float("nan")
    cell, _ = min(record.cells.values(), key=lambda item: item[0].start)
    return next(iter(record.words), cell.name), cell.value


def _grid(numbers: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    """Whether numbers rise throughout, or fall by equal steps."""
    change = np.diff(numbers)
    return bool((change > 0).all() or ((change < 0).all() and np.ptp(change) <= 1e-6 * abs(change[0])))


def _without_summaries(records: list[Record], counted: set[int]) -> list[Record]:
    """Leave out what is printed again, under no counter of its own, below the last row of a table that counts."""
    rows = {record.header: record for record in records if record.grammar == "columns" and record.header in counted}
    lasts = [
        (tuple(count for count in row.counters if count.name), {squash(key.raw) for key in row.cells})
        for row in rows.values()
    ]
    for record in records:
        if record.grammar == "blocks" and not record.counters and record.latest:
            for counters, titles in lasts:
                if record.latest == counters:
                    cells = record.cells.items()
                    record.cells = {k: cell for k, cell in cells if k.phase or squash(k.raw) not in titles}
    return [record for record in records if record.cells]
