"""One JSON document: a list of records, equally long lists, or results with a list for each metric.

Covers Hugging Face ``trainer_state.json`` (``log_history``), keras-rl and Keras histories, TensorBoard's JSON download
(``[[wall time, step, value], ...]``) and results files that a training script writes at its end.
"""

from __future__ import annotations

import json
import re
from collections import Counter as Tally
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from logdoctor.documents._json import JsonError, Leaf, first_line, parse, plain
from logdoctor.documents._record import Document, Probe, Sheet, record
from logdoctor.hyperparameters import canonical, from_mapping
from logdoctor.model import Setting
from logdoctor.names import counter
from logdoctor.parsers._assembler import Record
from logdoctor.parsers._record import Count
from logdoctor.segments import Mark
from logdoctor.sources import open_source

LEAST_ROWS = 2
EARLY = 64
"""Bytes within which a mistake says that a file is no JSON at all, and not a damaged document."""
_PER_EPISODE = re.compile(r"reward|return|episode|score|length", re.IGNORECASE)
_PER_EPOCH = re.compile(r"val|epoch|acc", re.IGNORECASE)
_HELD_OUT = re.compile(r"^(?:eval|val|test)", re.IGNORECASE)

Row = list[tuple[str, Any, int]]


def sniff(probe: Probe) -> bool:
    """Whether the file begins like one JSON document (and not like JSON lines, which the text reader takes)."""
    head = probe.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if probe.folder or head[:1] not in (b"{", b"["):
        return False
    first, newline, rest = head.partition(b"\n")
    try:
        json.loads(first)
    except RecursionError:
        return False  # nested beyond any record
    except ValueError:
        return _plausible(head)
    return not (newline and rest.strip()) or first.strip() in (b"[", b"{")


def _plausible(head: bytes) -> bool:
    """Whether text that is no JSON value by itself may be the beginning of one.

    ``[2026-03-01 12:00:00] step 1`` and ``{'loss': 0.5}`` are wrong from the first characters on; reading a long log
    whole to find that out would take as much memory as it is long.
    """
    try:
        json.loads(head.decode("utf-8", errors="replace"))
    except json.JSONDecodeError as error:
        return error.pos >= min(EARLY, len(head) - 1) or error.msg.startswith("Unterminated")
    except RecursionError:
        return False
    return True


def read(probe: Probe) -> Sheet | None:
    """Return the rows of the document, or None when it holds no series."""
    source = open_source(probe.path)
    text = source.document().decode("utf-8", errors="replace")
    try:
        data = parse(text)
    except JsonError:
        return None
    sheet = Sheet(text=source.fetch, issues=list(source.issues))
    rows = list(_records(data, sheet))
    if len(rows) < LEAST_ROWS:
        return None
    sheet.records = rows
    sheet.settings = _settings(data)
    info = source.info
    sheet.bytes, sheet.lines, sheet.sha256, sheet.encoding = info.bytes, info.lines, info.sha256, info.encoding
    return sheet


def _records(data: Any, sheet: Sheet) -> Iterator[Record]:
    if isinstance(data, list):
        yield from _listed(data)
        return
    if not isinstance(data, dict):
        return
    rows = _table(data) or _by_number(data)
    if rows:
        yield from _listed(rows)
        return
    found = False
    for value in data.values():
        value = _by_number(value) or value
        if isinstance(value, list) and sum(isinstance(item, dict) for item in value) >= LEAST_ROWS:
            yield from _listed(value)
            found = True
    if not found:
        yield from _columnar(data, sheet)


def _table(data: dict[str, Any]) -> list[Any]:
    """Return the rows of a data frame: names and rows apart, or a column a name with its rows by number."""
    titles, cells = data.get("columns"), data.get("data")
    if isinstance(titles, list) and isinstance(cells, list):
        names = [str(title.value) for title in titles if isinstance(title, Leaf)]
        return [dict(zip(names, row, strict=True)) for row in cells if isinstance(row, list) and len(row) == len(names)]
    columns = list(data.values())
    if not columns or not all(isinstance(column, dict) and column.keys() == columns[0].keys() for column in columns):
        return []
    if not _rising(columns[0]) or any(not isinstance(leaf, Leaf) for column in columns for leaf in column.values()):
        return []
    rows = [{name: column[key] for name, column in data.items()} for key in columns[0]]
    return [_counted(key, row) for key, row in zip(columns[0], rows, strict=True)]


_NUMBERED = re.compile(r"^(?P<word>epoch|step|iter(?:ation)?|episode|round)?[ _\-]?(?P<n>\d{1,12})$", re.IGNORECASE)


def _by_number(value: Any) -> list[Any]:
    """Return the records of an object that holds them by number: ``{"1": {...}, "2": {...}}``."""
    if not isinstance(value, dict) or not _rising(value) or not all(isinstance(row, dict) for row in value.values()):
        return []
    return [_counted(key, row) for key, row in value.items()]


def _rising(value: dict[str, Any]) -> bool:
    found = [_NUMBERED.match(key) for key in value]
    numbers = [int(match["n"]) for match in found if match]
    return LEAST_ROWS < len(numbers) == len(value) and all(a < b for a, b in pairwise(numbers))


def _counted(key: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a record with the number that it is kept by, where it has no counter of its own."""
    match = _NUMBERED.match(key)
    if match is None or any(counter(name) for name in row):
        return row
    word = match["word"] or ("epoch" if any(map(_PER_EPOCH.search, row)) else "step")
    return {word: Leaf(int(match["n"]), first_line(row)), **row}


def _listed(items: list[Any]) -> Iterator[Record]:
    """A list of records, or of ``[wall time, step, value]`` triples."""
    for item in items:
        if isinstance(item, dict):
            row = record("json_document", _leaves(item))
            if row.cells:
                yield row
        elif isinstance(item, list) and len(item) == 3 and all(isinstance(x, Leaf) for x in item):
            names = ("wall_time", "step", "value")
            yield record("json_document", [(n, x.value, x.line) for n, x in zip(names, item, strict=True)])


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any, int]]:
    if isinstance(value, Leaf):
        yield path, value.value, value.line
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}/{key}" if path else key)
    elif isinstance(value, list) and len(value) == 1:
        yield from _leaves(value[0], path)


def _columnar(data: dict[str, Any], sheet: Sheet) -> Iterator[Record]:
    """Lists of numbers, one a metric; those of one length are the columns of one table."""
    lists = dict(_number_lists(data))
    lengths = Tally(len(values) for values in lists.values())
    for length, _ in sorted(lengths.items(), key=lambda item: (-item[1] * min(item[0], 50), -item[0])):
        if length < LEAST_ROWS:
            continue
        columns = {name: values for name, values in lists.items() if len(values) == length}
        implied = None if any(counter(name) for name in columns) else _implied(columns, data)
        first = True
        for at in range(length):
            row = record(
                "json_document", [(name, values[at].value, values[at].line) for name, values in columns.items()]
            )
            if implied:
                row.counters = (*row.counters, Count(implied, float(at + 1)))
            if row.cells:
                if first and sheet.records:
                    sheet.marks.append(Mark(line=row.line, kind="banner"))
                first = False
                yield row


def _number_lists(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, list[Leaf]]]:
    if isinstance(value, dict) and depth < 6:
        for key, inner in value.items():
            yield from _number_lists(inner, f"{path}/{key}" if path else key, depth + 1)
    elif isinstance(value, list) and value and all(isinstance(item, Leaf) for item in value):
        numbers = sum(isinstance(item.value, (int, float)) and not isinstance(item.value, bool) for item in value)
        if numbers >= 0.5 * len(value):
            yield path, value


def _implied(columns: dict[str, list[Leaf]], data: dict[str, Any]) -> str:
    """Name the counter that the position in the list stands for."""
    if any(_HELD_OUT.search(name) for name in columns) and not any(not _HELD_OUT.search(n) for n in columns):
        return "step" if "epochs" not in data else "epoch"
    if any(_PER_EPISODE.search(name) for name in columns):
        return "episode"
    return "epoch" if any(_PER_EPOCH.search(name) for name in columns) else "step"


def _settings(data: Any) -> tuple[Setting, ...]:
    """Single values beside the lists that are known settings, and a dictionary that says that it is one."""
    if not isinstance(data, dict):
        return ()
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Leaf) and canonical(key) and value.value is not None:
            found[key] = value.value
        elif key in {"config", "args", "params", "hyperparameters", "hparams", "settings"}:
            inner = plain(value)
            if isinstance(inner, dict):
                found |= inner
    lines = {key: value.line for key, value in data.items() if isinstance(value, Leaf)}
    return tuple(
        Setting(name=s.name, raw_name=s.raw_name, value=s.value, line=lines.get(s.raw_name), source="log")
        for s in from_mapping(found, source="log")
    )


DOCUMENT = Document(
    id="json_document",
    title="One JSON document",
    description="trainer_state.json, Keras and keras-rl histories, results files: a list of records under any name, or"
    " lists of numbers of equal length. Each value keeps the physical line on which it stands.",
    sniff=sniff,
    read=read,
)
