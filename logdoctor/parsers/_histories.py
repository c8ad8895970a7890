"""Histories: the values of all epochs in one list, ``val_loss: [0.9, 0.7, ...]``, as programs print them at their end.

Where a log has rows, they repeat what the rows said; where it has none, they are all there is.
"""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Iterable, Sequence

from logdoctor.names import canonical
from logdoctor.parsers._assembler import Key, Record
from logdoctor.parsers._record import Cell, Count
from logdoctor.values import NUMBER, parse

LEAST = 5  # values that make a list a history: fewer are the parts of a loss, or the classes of a recall
MOST_LINES = 20_000  # of a log in which histories are looked for
LONGEST = 200_000  # characters of a line that is looked at

_LIST = re.compile(
    r"(?P<name>[A-Za-z][\w.%/\-]*(?: [A-Za-z][\w.%/\-]*){0,4})['\"]?\s*[:=]\s*"
    rf"\[\s*(?P<body>{NUMBER}(?:\s*,\s*{NUMBER}|\s+{NUMBER})+)\s*,?\s*\]",
    re.IGNORECASE,
)
_ITEM = re.compile(NUMBER, re.IGNORECASE)
_PART = re.compile(r"^(?P<name>.+)_(?P<n>\d+)$")


def without_parts(records: Sequence[Record]) -> None:
    """Take the parts of histories out of the records: lists of at least :data:`LEAST` values that come once."""
    times = Tally(
        key for record in records if record.grammar != "columns" for key in record.cells if key.raw[-1:].isdigit()
    )
    for record in records:
        if record.grammar == "columns":
            continue
        parts: dict[tuple[str, int], set[int]] = {}
        for key, (_, line) in record.cells.items():
            match = _PART.match(key.raw) if times.get(key) == 1 else None
            if match:
                parts.setdefault((match["name"], line), set()).add(int(match["n"]))
        long = {name for (name, _), found in parts.items() if len(found) >= LEAST and found == set(range(len(found)))}
        if long:
            record.cells = {
                k: v for k, v in record.cells.items() if not ((m := _PART.match(k.raw)) and m["name"] in long)
            }


def histories(lines: Iterable[tuple[int, str]]) -> list[Record]:
    """Return the rows of a log that prints nothing but histories; none when its lists say nothing of metrics."""
    lists: dict[str, tuple[int, list[Cell]]] = {}
    for number, text in lines:
        if "[" not in text or len(text) > LONGEST:
            continue
        for match in _LIST.finditer(text):
            name, at = match["name"], match.start("body")
            values = [(parse(item.group()), item) for item in _ITEM.finditer(match["body"])]
            if name in lists:
                return []  # printed again and again: no history
            cells = [Cell(name, v.value, v.flag, None, at + item.start(), at + item.end()) for v, item in values]
            if len(cells) >= LEAST:
                lists[name] = (number, cells)
    told = [name for name in lists if canonical(name).known or canonical(name).goal != "none"]
    if not told:
        return []
    size = Tally(len(lists[name][1]) for name in told).most_common(1)[0][0]
    chosen = {name: item for name, item in lists.items() if len(item[1]) == size}
    first = min(number for number, _ in chosen.values())
    rows = [Record(first, "columns", (Count("step", float(index + 1)),)) for index in range(size)]
    for name, (number, cells) in chosen.items():
        for row, cell in zip(rows, cells, strict=True):
            row.cells[Key(name)] = (cell, number)
    return rows
