"""MLflow SQLite store: tables ``metrics(key, value, timestamp, run_uuid, step, is_nan)`` and ``params``.

Opened read-only by URI. NaN is stored as 0 with ``is_nan`` set, an infinity as the largest float: a plain query would
see a perfect loss. A line is the number of the value in the order of run, step and name.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from logdoctor.documents._record import MOST_CELLS, Document, Probe, Sheet, cell
from logdoctor.errors import InputError
from logdoctor.hyperparameters import from_mapping
from logdoctor.model import Issue, Setting
from logdoctor.parsers._assembler import Key, Record
from logdoctor.parsers._record import Count
from logdoctor.segments import Mark

LARGEST = 1.7976931348623157e308
_RUNS = "SELECT run_uuid FROM metrics GROUP BY run_uuid ORDER BY MIN(timestamp), run_uuid"
_VALUES = "SELECT key, value, step, is_nan, timestamp FROM metrics WHERE run_uuid = ? ORDER BY step, timestamp, key"


def sniff(probe: Probe) -> bool:
    """Whether the file is an SQLite database."""
    return probe.head.startswith(b"SQLite format 3\x00")


def read(probe: Probe) -> Sheet:
    """Return one row a run and step.

    Raises:
        InputError: the database holds no MLflow metrics.
    """
    sheet = Sheet()
    values: list[str] = []
    try:
        with closing(_open(probe.path)) as database:
            _rows(database, sheet, values)
            sheet.settings = tuple(_params(database, sheet))
    except sqlite3.Error as error:
        raise InputError(f"{probe.path} is an SQLite database without MLflow metrics ({error})") from None
    sheet.lines = len(values)
    sheet.bytes = probe.path.stat().st_size
    with probe.path.open("rb") as handle:
        sheet.sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    sheet.text = lambda wanted: _fetch(wanted, values)
    return sheet


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, timeout=5)
    database.execute("PRAGMA query_only = 1")
    return database


def _rows(database: sqlite3.Connection, sheet: Sheet, values: list[str]) -> None:
    for (run,) in database.execute(_RUNS).fetchall():
        row: Record | None = None
        if values:
            sheet.marks.append(Mark(line=len(values), kind="banner"))
        for key, value, step, is_nan, stamp in database.execute(_VALUES, (run,)):
            if len(values) >= MOST_CELLS:
                sheet.issues.append(Issue(line=None, text=f"only the first {MOST_CELLS} values are kept"))
                return
            number = value_of(value, is_nan)
            values.append(f"{key} = {number:g} at step {step} of run {run}")
            line, name = len(values), Key(str(key))
            if row is None or row.counters[0].value != float(step or 0) or name in row.cells:
                row = Record(line, "mlflow_sqlite", (Count("step", float(step or 0)),))
                row.cells[Key("wall_time")] = (cell("wall_time", float(stamp or 0) / 1000), line)
                sheet.records.append(row)
            row.cells[name] = (cell(str(key), number), line)


def value_of(value: Any, is_nan: Any) -> float:
    """Return the value that MLflow meant: NaN where it is marked so, an infinity for the largest float."""
    if is_nan:
        return math.nan
    number = float(value)
    return math.copysign(math.inf, number) if abs(number) >= LARGEST else number


def _params(database: sqlite3.Connection, sheet: Sheet) -> Iterator[Setting]:
    try:
        found = database.execute("SELECT run_uuid, key, value FROM params").fetchmany(20_000)
    except sqlite3.Error:
        return
    if len({uuid for uuid, _, _ in found}) > 1 and sheet.marks:
        sheet.issues.append(Issue(line=None, text="several runs: parameters are those of the first one that has them"))
    yield from from_mapping({str(key): value for _, key, value in reversed(found)}, source="log")


def _fetch(wanted: Iterable[int], values: list[str]) -> dict[int, str]:
    return {line: values[line - 1] for line in wanted if 1 <= line <= len(values)}


DOCUMENT = Document(
    id="mlflow_sqlite",
    title="MLflow SQLite store (mlflow.db)",
    description="Metrics of all runs, each run a segment; NaN and infinities as MLflow stores them.",
    sniff=sniff,
    read=read,
)
