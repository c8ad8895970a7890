"""TensorBoard event files: every scalar, without sampling and without TensorFlow.

A file is a row of frames (length, its checksum, data, its checksum); the data is an ``Event`` protocol buffer, of which
only step, wall time, tag and scalar value are taken. A line is the number of the scalar in reading order.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from logdoctor.documents._record import MOST_CELLS, Document, Probe, Sheet, cell
from logdoctor.model import Issue
from logdoctor.parsers._assembler import Key, Record
from logdoctor.parsers._record import Count

MOST_FRAME = 64 << 20  # a frame with pictures is a few MB; a larger length is a damaged one
_HELD_OUT = {"validation": "val", "val": "val", "eval": "eval", "test": "test", "train": "train"}
_FLOAT, _DOUBLE = 1, 2  # tensorflow.DataType

Field = tuple[int, int, bytes | int]


def sniff(probe: Probe) -> bool:
    """Whether the path is an event file, or a folder that holds one (or one for each phase)."""
    return bool(_files(probe.path)) if probe.folder else "tfevents" in probe.path.name


def read(probe: Probe) -> Sheet | None:
    """Return one row a step and phase."""
    sheet = Sheet()
    texts: list[str] = []
    digest = hashlib.sha256(usedforsecurity=False)
    for file in _files(probe.path) if probe.folder else [probe.path]:
        phase = _HELD_OUT.get(file.parent.name, "") if probe.folder and file.parent != probe.path else ""
        row: Record | None = None
        with file.open("rb") as handle:
            for tag, value, step, time in _scalars(handle, sheet, digest, file.name):
                if len(texts) >= MOST_CELLS:
                    sheet.issues.append(Issue(line=None, text=f"only the first {MOST_CELLS} values are kept"))
                    break
                texts.append(f"{f'{phase}: ' if phase else ''}{tag} = {value:g} at step {step}")
                key = Key(tag, "", phase)
                if row is None or row.counters[0].value != step or key in row.cells:
                    row = Record(len(texts), "tensorboard", (Count("step", float(step)),))
                    row.cells[Key("wall_time", "", phase)] = (cell("wall_time", time), len(texts))
                    sheet.records.append(row)
                row.cells[key] = (cell(tag, value), len(texts))
    sheet.lines, sheet.sha256 = len(texts), digest.hexdigest()
    sheet.text = lambda wanted: _fetch(wanted, texts)
    return sheet if sheet.records or not probe.folder else None


def _files(folder: Path) -> list[Path]:
    """Event files of a folder, in the order of their names (which begin with the time), then those of its phases."""
    try:
        own = sorted(f for f in folder.iterdir() if "tfevents" in f.name and f.is_file())
        phases = [sorted(f for f in (folder / name).glob("*tfevents*") if f.is_file()) for name in sorted(_HELD_OUT)]
    except OSError:
        return []
    return [*own, *(file for files in phases for file in files)]


def _scalars(handle: BinaryIO, sheet: Sheet, digest: object, name: str) -> Iterator[tuple[str, float, int, float]]:
    for data in _frames(handle, sheet, digest, name):
        step, time, values = 0, 0.0, []
        try:
            for number, wire, content in fields(data):
                if number == 1 and wire == 1 and isinstance(content, bytes):
                    time = struct.unpack("<d", content)[0]
                elif number == 2 and isinstance(content, int):
                    step = content - (1 << 64) if content >> 63 else content
                elif number == 5 and isinstance(content, bytes):
                    values += [
                        found for n, _, inner in fields(content) if n == 1 and (found := _value(inner)) is not None
                    ]
        except (ValueError, IndexError, struct.error):
            sheet.issues.append(Issue(line=None, text=f"{name}: a damaged event was left out"))
            continue
        for tag, value in values:
            yield tag, value, step, time


def _frames(handle: BinaryIO, sheet: Sheet, digest: object, name: str) -> Iterator[bytes]:
    """Yield the data of each frame. Checksums are not computed: in Python they take 5 times as long as all else."""
    while head := handle.read(12):
        length = struct.unpack("<Q", head[:8])[0] if len(head) == 12 else 0
        data = handle.read(length + 4) if len(head) == 12 and length <= MOST_FRAME else b""
        digest.update(head + data)  # type: ignore[attr-defined]
        sheet.bytes += len(head) + len(data)
        if len(head) < 12 or len(data) < length + 4:
            sheet.issues.append(Issue(line=None, text=f"{name} is damaged or cut off; what came before is used"))
            return
        yield data[:-4]


def fields(data: bytes) -> Iterator[Field]:
    """Yield ``(number, wire type, content)`` of a protocol buffer message.

    Raises:
        ValueError: the message is damaged.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield key >> 3, wire, value
            continue
        size, at = (8, at) if wire == 1 else (4, at) if wire == 5 else _varint(data, at) if wire == 2 else (-1, at)
        if size < 0 or at + size > end:
            raise ValueError("a damaged message")
        yield key >> 3, wire, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a damaged number")


def _value(data: bytes | int) -> tuple[str, float] | None:
    """Return tag and number of a ``Summary.Value``, or None when it is no scalar."""
    if isinstance(data, int):
        return None
    tag, found = "", None
    for number, wire, content in fields(data):
        if number == 1 and isinstance(content, bytes):
            tag = content.decode("utf-8", "replace")
        elif number == 2 and wire == 5 and isinstance(content, bytes):
            found = struct.unpack("<f", content)[0]
        elif number == 8 and isinstance(content, bytes):
            found = _tensor(content)
    return (tag, found) if tag and found is not None else None


def _tensor(data: bytes) -> float | None:
    """Return the number of a scalar ``TensorProto`` of kind float or double."""
    kind, values = 0, []
    for number, wire, content in fields(data):
        if number == 1 and isinstance(content, int):
            kind = content
        elif number == 2 and isinstance(content, bytes) and content:
            if any(n == 2 for n, _, _ in fields(content)):  # it has a dimension: no scalar
                return None
        elif number in (4, 5, 6) and wire in (1, 2, 5) and isinstance(content, bytes):
            double = number == 6 or (number == 4 and kind == _DOUBLE)
            size = 8 if double else 4
            if kind in (_FLOAT, _DOUBLE) and len(content) == size:
                values.append(struct.unpack("<d" if double else "<f", content)[0])
    return float(values[0]) if len(values) == 1 else None


def _fetch(wanted: Iterable[int], texts: list[str]) -> dict[int, str]:
    return {line: texts[line - 1] for line in wanted if 1 <= line <= len(texts)}


DOCUMENT = Document(
    id="tensorboard",
    title="TensorBoard event files",
    description="Every scalar of an event file or a folder of them (sub-folders train and validation are phases).",
    sniff=sniff,
    read=read,
)
