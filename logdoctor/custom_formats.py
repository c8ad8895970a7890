"""Log formats that a user defines in TOML: a pattern, which group is the step, names and units.

The pattern is an ordinary Python expression. It runs in a process of its own under a time limit, so that no pattern,
however hostile, can hang the tool: when a batch of lines takes too long, the formats are dropped with an issue that
says so, and the log is read without them.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logdoctor import match_worker
from logdoctor.errors import SettingsError
from logdoctor.model import Issue
from logdoctor.names import counter
from logdoctor.normalise import states
from logdoctor.parsers._assembler import Key, Record
from logdoctor.parsers._record import Cell, Count
from logdoctor.values import parse

LONGEST = 4_000
"""Longer lines are not matched; the longest line of the survey's text formats that is no progress bar has 1,900."""
BATCH_LINES = 2_000
BATCH_SECONDS = 2.0
"""An ordinary pattern needs about 5 ms for a batch, and the process 30 ms to start."""
_KEYS = frozenset({"pattern", "step", "fields", "units", "phase", "description"})
_PHASES = frozenset({"", "train", "val", "eval", "test"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomFormat:
    """One format of the user.

    Attributes:
        pattern: a Python expression with named groups; it may match anywhere in the line.
        step: the group that is the counter; the first group with the name of a counter when empty.
        fields: group -> metric name; a group that is not listed is called as it is named.
        units: group -> unit (for the step: ``frames``, ``epochs`` ...).
        phase: ``train``, ``val``, ``eval``, ``test`` or empty.
    """

    id: str
    pattern: str
    step: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    phase: str = ""


@dataclass(slots=True)
class Matched:
    """What the formats read: records in line order, the lines that they took, and issues."""

    records: list[Record] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    issues: list[Issue] = field(default_factory=list)


def load(tables: Mapping[str, Mapping[str, Any]]) -> tuple[CustomFormat, ...]:
    """Check definitions (``[tool.logdoctor.formats.<name>]`` or ``[formats.<name>]``).

    Raises:
        SettingsError: a key is unknown or of the wrong kind, the pattern does not compile, or a group is not in it.
    """
    return tuple(_checked(str(name), table) for name, table in tables.items())


def load_file(path: str | Path) -> tuple[CustomFormat, ...]:
    """Read definitions from a TOML file: its ``formats`` table, else every table at its top.

    Raises:
        SettingsError: the file cannot be read or a definition is wrong.
    """
    import tomllib

    try:
        data = tomllib.loads(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read the formats of {path}: {error}") from None
    tables = data.get("formats", data)
    if not isinstance(tables, Mapping) or not all(isinstance(table, Mapping) for table in tables.values()):
        raise SettingsError(f"{path} holds no tables of formats")
    return load(tables)


def chosen(parser: str | None, tables: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[CustomFormat, ...], str | None]:
    """Return the formats to use, and the parser that is left to choose.

    ``parser`` may be a TOML file of formats, or the name of one of them; then only these are used beside all grammars.

    Raises:
        SettingsError: a definition is wrong.
    """
    if parser is not None and parser.endswith(".toml"):
        return load_file(parser), None
    if parser is not None:
        own = load({parser: tables[parser]}) if parser in tables else ()
        return own, None if own else parser
    return load(tables), None


def match(
    formats: Sequence[CustomFormat], numbered: Iterable[tuple[int, str]], seconds: float = BATCH_SECONDS
) -> Matched:
    """Match lines against the formats; the first format that fits a line takes it.

    Args:
        formats: what :func:`load` returned.
        numbered: ``(number, text)`` of the lines.
        seconds: time limit of a batch of ``BATCH_LINES`` lines.
    """
    found = Matched()
    with Matcher(formats, seconds) as matcher:
        try:
            for batch in _batches(numbered):
                records = matcher.take(batch)
                found.records += records.values()
                found.lines |= records.keys()
        except TooSlow as error:
            return Matched(issues=[error.issue])
    return found


class TooSlow(Exception):  # noqa: N818 - what is told is in the issue
    """Matching took longer than it may; the formats are not to be used for this log."""

    def __init__(self, issue: Issue) -> None:
        """Take what is told."""
        super().__init__(issue.text)
        self.issue = issue


class Matcher:
    """Matches lines against formats, batch by batch, in one process of its own."""

    def __init__(self, formats: Sequence[CustomFormat], seconds: float = BATCH_SECONDS) -> None:
        """Start the process."""
        self._formats, self._seconds = formats, seconds
        self._worker = _Worker([one.pattern for one in formats], seconds)

    def __enter__(self) -> Matcher:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._worker.close()

    def take(self, batch: Sequence[tuple[int, str]]) -> dict[int, Record]:
        """Return the records of the lines that a format fits, by line.

        Raises:
            TooSlow: matching took longer than it may.
        """
        answer = self._worker.ask([states(text)[-1][:LONGEST] for _, text in batch])
        if answer is None:
            names = ", ".join(one.id for one in self._formats)
            text = f"matching the format {names} took longer than {self._seconds:g} s from this line on; it is not used"
            raise TooSlow(Issue(line=batch[0][0], text=text))
        return {batch[at][0]: _record(self._formats[which], batch[at][0], groups) for at, which, groups in answer}


def _batches(numbered: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    batch: list[tuple[int, str]] = []
    for item in numbered:
        batch.append(item)
        if len(batch) == BATCH_LINES:
            yield batch
            batch = []
    if batch:
        yield batch


def _record(one: CustomFormat, line: int, groups: Mapping[str, str | None]) -> Record:
    record = Record(line, one.id)
    step = one.step or next((name for name in groups if counter(one.fields.get(name, name))), "")
    for group, text in groups.items():
        if text is None:
            continue
        name = one.fields.get(group, group)
        value = parse(text.strip(), count=group == step)
        if group == step:
            if not value.flag:
                printed = one.units.get(group, name)
                # What the format calls its step is one, whatever the group is called.
                record.counters = (Count(printed if counter(printed) else "step", value.value),)
            continue
        cell = Cell(name, value.value, value.flag, one.units.get(group, value.unit))
        record.cells[Key(name, "", one.phase)] = (cell, line)
    return record


def _checked(name: str, table: Mapping[str, Any]) -> CustomFormat:
    where = f"the format {name!r}"
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise SettingsError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    pattern = table.get("pattern")
    if not isinstance(pattern, str) or not pattern:
        raise SettingsError(f"{where} needs a pattern")
    try:
        groups = set(re.compile(pattern).groupindex)
    except (re.error, RecursionError, OverflowError) as error:
        raise SettingsError(f"{where}: the pattern does not compile: {error}") from None
    fields, units = _texts(table, "fields", where), _texts(table, "units", where)
    step, phase = table.get("step", ""), table.get("phase", "")
    if not groups:
        raise SettingsError(f"{where}: the pattern has no named group such as (?P<loss>[-+.\\deE]+)")
    for group in (*fields, *units, *([step] if step else [])):
        if group not in groups:
            raise SettingsError(f"{where}: the pattern has no group {group!r}")
    if phase not in _PHASES:
        raise SettingsError(f"{where}: the phase is train, val, eval or test, not {phase!r}")
    return CustomFormat(id=name, pattern=pattern, step=step, fields=fields, units=units, phase=phase)


def _texts(table: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
    value = table.get(key, {})
    if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
        raise SettingsError(f"{where}: {key} is a table of names")
    return dict(value)


class _Worker:
    """The process that matches. It is ended when it takes too long, and at the end."""

    def __init__(self, patterns: Sequence[str], seconds: float) -> None:
        self._seconds = seconds
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(match_worker.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._send({"patterns": list(patterns)})

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def ask(self, lines: Sequence[str]) -> list[tuple[int, int, dict[str, str | None]]] | None:
        """Return the matches of a batch, or None when they took too long or the process is gone."""
        try:
            self._send({"lines": list(lines)})
        except OSError:
            return None
        answer = self._receive()
        return None if answer is None else [(at, which, groups) for at, which, groups in json.loads(answer)]

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _receive(self) -> bytes | None:
        assert self._process.stdout is not None
        parts: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while selector.select(self._seconds):
                part = os.read(self._process.stdout.fileno(), 1 << 20)
                if not part:
                    return None
                parts.append(part)
                if part.endswith(b"\n"):
                    return b"".join(parts)
        return None
