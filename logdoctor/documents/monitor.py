"""Episode log of the Gym and Stable-Baselines3 Monitor: ``r`` reward, ``l`` length, ``t`` seconds.

A row is an episode; its environment step is the sum of the lengths so far.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator

from logdoctor.documents._record import Document, Probe, Sheet, record
from logdoctor.hyperparameters import from_mapping
from logdoctor.model import Issue, Setting
from logdoctor.sources import open_source

_NAMES = {"r": "episode_reward", "l": "episode_length", "t": "time_elapsed"}


def sniff(probe: Probe) -> bool:
    """Whether the file begins with the comment and the header of a Monitor file."""
    lines = probe.head.decode("utf-8", errors="replace").splitlines()[:3]
    return any(line.split(",")[:2] == ["r", "l"] or line.split(",")[:3] == ["r", "t", "l"] for line in lines)


def read(probe: Probe) -> Sheet:
    """Return one row an episode."""
    source = open_source(probe.path)
    sheet = Sheet(text=source.fetch)
    header: list[str] = []
    step = episode = 0.0
    for number, cells in _rows(source.lines(), sheet):
        if "r" in cells and "l" in cells:
            header = cells
            continue
        if len(cells) != len(header):
            sheet.issues.append(Issue(line=number, text=f"{len(cells)} fields under a header of {len(header)}"))
            continue
        named = dict(zip(header, cells, strict=True))
        try:
            step += float(named["l"])
        except ValueError:
            sheet.issues.append(Issue(line=number, text="an episode without a length"))
            continue
        episode += 1
        values = [(_NAMES.get(name, name), value, number) for name, value in named.items()]
        clocks = [("total_timesteps", step, number), ("episode", episode, number)]
        sheet.records.append(record("monitor", [*clocks, *values], number))
    info = source.info
    sheet.issues += source.issues
    sheet.bytes, sheet.lines, sheet.sha256, sheet.encoding = info.bytes, info.lines, info.sha256, info.encoding
    return sheet


def _rows(lines: Iterator[tuple[int, str]], sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    for number, text in lines:
        if text.startswith("#"):
            sheet.settings = (*sheet.settings, *_comment(text[1:], number))
        elif text.strip():
            yield number, next(csv.reader([text]))


def _comment(text: str, line: int) -> tuple[Setting, ...]:
    try:
        data = json.loads(text)
    except ValueError:
        return ()
    known = {k: v for k, v in data.items() if k == "env_id" and v} if isinstance(data, dict) else {}
    return tuple(
        Setting(name=s.name, raw_name=s.raw_name, value=s.value, line=line) for s in from_mapping(known, source="log")
    )


DOCUMENT = Document(
    id="monitor",
    title="Gym / Stable-Baselines3 Monitor CSV",
    description="One row an episode (r, l, t); the step is the sum of the lengths so far.",
    sniff=sniff,
    read=read,
)
