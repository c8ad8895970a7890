"""Keeps finished rows in a file, so that interrupted work resumes and an unchanged run is not read again.

One JSON object a line, appended as soon as a row is there; a line cut off by a crash is ignored. The key of a row is
the path, size and change time of its log and configuration, the version of logdoctor and the settings in force.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TextIO

from logdoctor import __version__
from logdoctor.errors import InputError
from logdoctor.fleet.row import Row
from logdoctor.fleet.runs import RunSpec
from logdoctor.settings import Settings


def key_of(spec: RunSpec, settings: Settings) -> str:
    """Return what must be unchanged for an old row to hold."""
    parts = [__version__, repr(settings), spec.log, *_state(spec.log), spec.config or "", *_state(spec.config)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _state(path: str | None) -> tuple[str, ...]:
    try:
        state = Path(path).stat() if path else None
    except OSError:
        return ("missing",)
    return () if state is None else (str(state.st_size), str(state.st_mtime_ns))


class Ledger:
    """The file of finished rows; use it as a context manager."""

    def __init__(self, path: str | Path | None) -> None:
        """Read the rows that ``path`` holds already; None keeps nothing."""
        self._path = None if path is None else Path(path)
        self._rows: dict[str, Row] = {}
        self._file: TextIO | None = None
        if self._path is not None:
            self._load(self._path)

    def _load(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} cannot be read as a file of finished runs: {error}") from None
        for line in text.split("\n"):
            try:
                data = json.loads(line)
                self._rows[data["key"]] = Row.from_dict(data)
            except (ValueError, KeyError, TypeError, AssertionError, InputError):
                continue  # a line that a crash cut off, or of another version: that run is read again

    def __enter__(self) -> Ledger:
        """Open the file for appending."""
        if self._path is not None:
            try:
                self._file = self._path.open("a", encoding="utf-8")
                if self._path.stat().st_size:
                    self._file.write("\n")  # so that a cut-off last line cannot swallow the next one
            except OSError as error:
                raise InputError(f"{self._path} cannot be written: {error.strerror}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def split(self, specs: Iterable[RunSpec], settings: Settings) -> tuple[list[Row], list[RunSpec]]:
        """Return the rows that still hold, and the runs that must be read."""
        done: list[Row] = []
        todo: list[RunSpec] = []
        for spec in specs:
            row = self._rows.get(key_of(spec, settings))
            done += [row] if row is not None else []
            todo += [] if row is not None else [spec]
        return done, todo

    def keep(self, rows: Iterable[Row], settings: Settings) -> Iterator[Row]:
        """Pass ``rows`` on and append each to the file; a row that names an error is not kept, so it is tried again."""
        for row in rows:
            if self._file is not None and row.error is None:
                key = key_of(RunSpec(log=row.path, config=row.config), settings)
                self._file.write(json.dumps({"key": key, **row.to_dict()}, allow_nan=False) + "\n")
                self._file.flush()
            yield row
