"""MLflow file store: one folder a run, one file a metric, lines of ``timestamp value step``.

MLflow itself refuses this store since 3.13, so the files are read directly. Lines are counted through the metric files
in the order of their names; a quoted line says which file it is of.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path

from logdoctor.documents._record import MOST_CELLS, Document, Probe, Sheet, cell
from logdoctor.hyperparameters import from_mapping
from logdoctor.model import Issue, Setting
from logdoctor.parsers._assembler import Key, Record
from logdoctor.parsers._record import Count

MOST_PARAMS = 2_000
MOST_PARAM_BYTES = 8_192


def sniff(probe: Probe) -> bool:
    """Whether the folder is a run: ``metrics`` beside ``meta.yaml`` or ``params``."""
    return (
        probe.folder
        and (probe.path / "metrics").is_dir()
        and ((probe.path / "meta.yaml").is_file() or (probe.path / "params").is_dir())
    )


def read(probe: Probe) -> Sheet:
    """Return one row a step."""
    sheet = Sheet(settings=_params(probe.path / "params"))
    rows: dict[tuple[float, int], Record] = {}
    digest = hashlib.sha256(usedforsecurity=False)
    starts: list[int] = []
    files = [f for f in sorted((probe.path / "metrics").rglob("*")) if f.is_file() and not f.is_symlink()]
    for file in files:
        name = file.relative_to(probe.path / "metrics").as_posix()
        starts.append(sheet.lines + 1)
        for text in _lines(file, sheet):
            sheet.lines += 1
            sheet.bytes += len(text)
            digest.update(text)
            if sheet.lines <= MOST_CELLS:
                _add(rows, sheet, name, text)
    if sheet.lines > MOST_CELLS:
        sheet.issues.append(Issue(line=None, text=f"only the first {MOST_CELLS} of {sheet.lines} values are kept"))
    sheet.records = [rows[key] for key in sorted(rows)]
    sheet.sha256 = digest.hexdigest()
    sheet.text = lambda wanted: _fetch(wanted, files, starts)
    return sheet


def _lines(file: Path, sheet: Sheet) -> Iterator[bytes]:
    try:
        with file.open("rb") as handle:
            while text := handle.readline(4096):
                yield text
    except OSError as error:
        sheet.issues.append(Issue(line=None, text=f"{file.name} may not be read: {error.strerror}"))


def _add(rows: dict[tuple[float, int], Record], sheet: Sheet, name: str, text: bytes) -> None:
    """Put a value into the row of its step; a step that a metric has twice (a rerun) gets a row of its own."""
    parts = text.split()
    try:
        value, step = float(parts[1]), float(parts[2]) if len(parts) > 2 else 0.0
        stamp = float(parts[0])
    except (ValueError, IndexError):
        if parts:
            sheet.issues.append(Issue(line=sheet.lines, text=f"{name}: not a line of timestamp, value and step"))
        return
    again = 0
    while (step, again) in rows and Key(name) in rows[step, again].cells:
        again += 1
    row = rows.get((step, again))
    if row is None:
        row = rows[step, again] = Record(sheet.lines, "mlflow_files", (Count("step", step),))
        row.cells[Key("wall_time")] = (cell("wall_time", stamp / 1000), sheet.lines)
    row.cells[Key(name)] = (cell(name, value), sheet.lines)


def _params(folder: Path) -> tuple[Setting, ...]:
    found = {}
    try:
        files = [f for f in sorted(folder.rglob("*")) if f.is_file()][:MOST_PARAMS] if folder.is_dir() else []
        for file in files:
            with file.open("rb") as handle:
                found[file.relative_to(folder).as_posix()] = (
                    handle.read(MOST_PARAM_BYTES).decode("utf-8", "replace").strip()
                )
    except OSError:
        return ()
    return from_mapping(found, source="log")


def _fetch(wanted: Iterable[int], files: list[Path], starts: list[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    by_file: dict[int, set[int]] = {}
    for line in wanted:
        at = bisect_right(starts, line) - 1
        if at >= 0:
            by_file.setdefault(at, set()).add(line)
    for at, lines in by_file.items():
        with files[at].open("rb") as handle:
            for number, text in enumerate(handle, starts[at]):
                if number in lines:
                    shown = text.decode("utf-8", "replace").strip()
                    found[number] = f"metrics/{files[at].name} line {number - starts[at] + 1}: {shown}"
                if number >= max(lines):
                    break
    return found


DOCUMENT = Document(
    id="mlflow_files",
    title="MLflow run folder (file store)",
    description="metrics/<name> with lines of timestamp, value and step; params/ are the settings.",
    sniff=sniff,
    read=read,
)
