"""Boxed key/value tables: ``| key | value |`` between rulers, group rows such as ``rollout/`` become a prefix."""

from __future__ import annotations

import re
from typing import NamedTuple

from logdoctor.names import counter
from logdoctor.parsers._record import Cell, Count, Parser
from logdoctor.values import UNREADABLE, parse

_BOX = re.compile(r"^\s*[|│┃║](?P<key>[^|│┃║]*)[|│┃║](?P<value>[^|│┃║]*)[|│┃║]\s*$")


class Row(NamedTuple):
    """One row of a box. ``group`` is set on a row that only opens a group."""

    key: str
    group: str
    counter: Count | None
    cell: Cell | None


def read(text: str) -> Row | None:
    """Return the row of a box that ``text`` is, or None."""
    match = _BOX.match(text)
    if match is None:
        return None
    key, token = match["key"].strip(), match["value"].strip()
    if not key or not any(ch.isalpha() for ch in key):
        return None
    if not token:
        return Row(key, key.rstrip("/") if key.endswith("/") else key, None, None)
    value = parse(token, count=counter(key) is not None)
    if value.flag == UNREADABLE:
        return Row(key, "", None, None)
    start = match.start("value") + (len(match["value"]) - len(match["value"].lstrip()))
    span = (start, start + len(token))
    if counter(key) and not value.flag:
        return Row(key, "", Count(key, value.value, None, *span), None)
    return Row(key, "", None, Cell(key, value.value, value.flag, value.unit, *span))


_RULE = "-" * 33 + "\n"


def _sample(returns: float, steps: int) -> str:
    rows = (("rollout/", ""), ("   ep_rew_mean", returns), ("time/", ""), ("   total_timesteps", steps))
    return _RULE + "".join(f"| {key:<20} | {value:<6} |\n" for key, value in rows) + _RULE


PARSER = Parser(
    id="boxed",
    title="Boxed key/value tables",
    description="One record a box: rows of a key and a value between bars, rulers above and below; a row without a"
    " value opens a group.",
    sample=_sample(20.5, 2048) + _sample(25.1, 4096),
    expect={"episode_return": 25.1},
)
