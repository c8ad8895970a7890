"""Episode log of the Gym and Stable-Baselines3 Monitor: ``r`` reward, ``l`` length, ``t`` seconds.

A row is an episode; its environment step is the sum of the lengths so far. A folder with a file for each environment
(``0.monitor.csv``, ``1.monitor.csv`` ...) is one run, its episodes in the order of their time.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from logdoctor.documents._record import Document, Probe, Sheet, as_number, record
from logdoctor.hyperparameters import from_mapping
from logdoctor.model import Issue, Setting
from logdoctor.sources import Source, open_source

_NUMBERED = re.compile(r"(?:\d+\.)?monitor\.csv(?:\.gz|\.bz2|\.xz)?")
_NAMES = {"r": "episode_reward", "l": "episode_length", "t": "time_elapsed"}


def sniff(probe: Probe) -> bool:
    """Whether the file begins with the header of a Monitor file, or the folder holds one for each environment."""
    if probe.folder:
        return len(_files(probe.path)) >= 2
    lines = probe.head.decode("utf-8", errors="replace").splitlines()[:3]
    return any(line.split(",")[:2] == ["r", "l"] or line.split(",")[:3] == ["r", "t", "l"] for line in lines)


def read(probe: Probe) -> Sheet:
    """Return one row an episode; those of several environments in the order of their time."""
    files = _files(probe.path) if probe.folder else [probe.path]
    sheet = Sheet()
    episodes: list[tuple[float, int, dict[str, str]]] = []
    sources: list[tuple[int, Source]] = []
    digest = hashlib.sha256(usedforsecurity=False)
    for file in files:
        source = open_source(file)
        sources.append((sheet.lines, source))
        episodes += _episodes(source, sheet)
        info = source.info
        sheet.lines += info.lines
        sheet.bytes += info.bytes
        digest.update(info.sha256.encode())
        sheet.issues += source.issues
    if len(files) > 1:
        episodes.sort(key=lambda item: item[0])
    printed = [line for _, line, _ in episodes]
    step = 0.0
    for number, (_, line, named) in enumerate(episodes, 1):
        line = number if len(files) > 1 else line  # their order is that of time, not of lines
        step += float(named["l"])
        values = [(_NAMES.get(name, name), value, line) for name, value in named.items()]
        clocks = [("total_timesteps", step, line), ("episode", float(number), line)]
        sheet.records.append(record("monitor", [*clocks, *values], line))
    sheet.sha256 = digest.hexdigest() if len(files) > 1 else sources[0][1].info.sha256
    sheet.text = lambda wanted: _fetch(wanted, sources, printed if len(files) > 1 else None)
    return sheet


def _files(folder: Path) -> list[Path]:
    """Monitor files of a folder, by number; none when other logs lie beside them."""
    try:
        found = [f for f in folder.iterdir() if f.is_file() and not f.name.startswith(".")]
    except OSError:
        return []
    ours = [f for f in found if _NUMBERED.fullmatch(f.name)]
    return sorted(ours, key=lambda f: (len(f.name), f.name)) if len(ours) == len(found) else []


def _episodes(source: Source, sheet: Sheet) -> Iterator[tuple[float, int, dict[str, str]]]:
    header: list[str] = []
    start = sheet.lines
    for number, cells in _rows(source.lines(), sheet):
        line = start + number
        if "r" in cells and "l" in cells:
            header = cells
            continue
        named = dict(zip(header, cells, strict=False))
        if len(cells) != len(header):
            sheet.issues.append(Issue(line=line, text=f"{len(cells)} fields under a header of {len(header)}"))
        elif as_number(named["l"]) is None:
            sheet.issues.append(Issue(line=line, text="an episode without a length"))
        else:
            yield as_number(named.get("t", "")) or 0.0, line, named


def _fetch(wanted: Iterable[int], sources: list[tuple[int, Source]], printed: list[int] | None) -> dict[int, str]:
    """Return lines of the one file; of several files the episodes by number, each with its file and line."""
    if printed is None:
        return sources[0][1].fetch(wanted)
    where = {printed[n - 1]: n for n in wanted if 1 <= n <= len(printed)}
    found: dict[int, str] = {}
    for start, source in sources:
        inside = [line for line in where if start < line <= start + source.info.lines]
        name = Path(source.name).name
        for n, text in source.fetch([line - start for line in inside]).items():
            found[where[n + start]] = f"{name}:{n}: {text}"
    return found


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
    description="One row an episode (r, l, t); the step is the sum of the lengths so far. Also a folder of them.",
    sniff=sniff,
    read=read,
)
