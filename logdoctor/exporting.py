"""``logdoctor export LOG``: the dataframe as CSV, JSON lines or Parquet, for a notebook or a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logdoctor.errors import InputError, MissingExtraError, UsageError
from logdoctor.renderers._escape_ci import csv_cell

if TYPE_CHECKING:
    import pandas as pd

FORMATS: Mapping[str, Sequence[str]] = {
    "csv": (".csv",),
    "jsonl": (".jsonl", ".ndjson", ".json"),
    "parquet": (".parquet", ".pq"),
}
CHUNK = 20_000  # rows turned into text at a time, so that a long log is not held twice


def text_chunks(frame: pd.DataFrame, format: str) -> Iterator[str]:
    """Yield the table as text, in pieces of whole rows.

    Args:
        frame: the table of :attr:`logdoctor.RunLog.frame`.
        format: ``csv`` or ``jsonl``. In CSV a missing value is empty and infinity is ``inf``; in JSON lines both are
            ``null``, with ``"<metric>_flag"`` beside a value that is printed and not finite.

    Raises:
        UsageError: the format is no text format.
    """
    if format not in ("csv", "jsonl"):
        raise UsageError(f"{format} is no text format")
    columns = [str(name) for name in frame.columns]
    if format == "csv":
        yield _csv_rows([[csv_cell(name) for name in columns]])
    for start in range(0, len(frame), CHUNK):
        part = frame.iloc[start : start + CHUNK]
        rows = zip(*(_values(part[name]) for name in frame.columns), strict=True)
        if format == "csv":
            yield _csv_rows([[_csv_cell(value) for value in row] for row in rows])
        else:
            yield "".join(_json_row(columns, row) for row in rows)


def _values(column: Any) -> list[Any]:
    if column.dtype.kind == "M":
        return [None if value != value else value.isoformat() for value in column]  # NaT differs from itself
    values: list[Any] = column.tolist()
    return values


def _csv_rows(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _csv_cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return csv_cell(value) if isinstance(value, str) else _number(value)


def _number(value: Any) -> str:
    """Return the shortest text that means the same number; whole numbers without ``.0``."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _json_row(columns: Sequence[str], row: Sequence[Any]) -> str:
    record: dict[str, Any] = {}
    for name, value in zip(columns, row, strict=True):
        if isinstance(value, float) and not math.isfinite(value):
            record[name] = None
            if math.isinf(value):
                record[f"{name}_flag"] = "+inf" if value > 0 else "-inf"
        else:
            record[name] = (
                int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
            )
    return json.dumps(record, allow_nan=False) + "\n"


def write_parquet(table: pd.DataFrame | Mapping[str, list[Any]], file: str | Path) -> None:
    """Write a table, or columns of Python values (None where missing), as Parquet.

    Raises:
        MissingExtraError: pyarrow is not installed.
        InputError: the file cannot be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("Parquet", "parquet") from None
    try:
        if isinstance(table, Mapping):
            pq.write_table(pa.table(dict(table)), str(file))
        else:
            table.to_parquet(file, index=False)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}") from None
