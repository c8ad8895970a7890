"""Rows in long form: one names its value instead of standing under its name (``{"name": "loss", "value": 0.5}``)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from logdoctor.names import words as table
from logdoctor.parsers._record import Cell

_NAMES = ("metric", "metric_name", "name", "key", "tag")
_VALUES = table("value val scalar metric_value")
_NAME = re.compile(r"^[A-Za-z][\w/.@%\- ]{0,60}$")


def named(cells: list[Cell], words: Mapping[str, str]) -> list[Cell]:
    """Call the value of a row by the name that the row gives it."""
    if not words:
        return cells
    at = [index for index, cell in enumerate(cells) if cell.name.lower() in _VALUES]
    if len(at) != 1:
        return cells
    low = {key.lower(): text for key, text in words.items()}
    name = next((low[key] for key in _NAMES if key in low and _NAME.match(low[key])), None)
    if name is None:
        return cells
    out = list(cells)
    out[at[0]] = out[at[0]]._replace(name=name)
    return out
