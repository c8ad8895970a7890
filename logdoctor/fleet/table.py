"""The rows of a sweep as a table for other programs: one column a field, one a hyperparameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from logdoctor.fleet.row import Row

PLAIN = (
    "path", "config", "error", "verdict", "headline", "family", "format", "rows", "coverage", "metric", "goal", "first",
    "best", "final", "last_step", "onset_line", "onset_step", "decision",
)  # fmt: skip


def columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Return column name -> values; the causes by rank, each hyperparameter as ``setting.<name>``.

    A hyperparameter column holds numbers when all its values are numbers, else text.
    """
    table: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in PLAIN}
    for rank in range(3):
        table[f"cause_{rank + 1}"] = [row.causes[rank].id if len(row.causes) > rank else None for row in rows]
    table["findings"] = [",".join(f.id for f in row.findings) for row in rows]
    for name in sorted({name for row in rows for name in row.settings}):
        values = [row.settings.get(name) for row in rows]
        numeric = all(v is None or (isinstance(v, (int, float)) and not isinstance(v, bool)) for v in values)
        table[f"setting.{name}"] = [None if v is None else (float(v) if numeric else str(v)) for v in values]
    return table
