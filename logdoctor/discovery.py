"""Paths, globs and directories -> the logs that they name."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from logdoctor.errors import InputError
from logdoctor.rawtext.decoding import binary_kind
from logdoctor.rawtext.decompression import kind_of
from logdoctor.rawtext.rawinput import status_of


def expand(specs: Iterable[str | Path]) -> list[str]:
    """Return the sources that paths, globs and directories name, each file once, in order.

    A pattern is expanded only when no file has that very name. A directory is walked without following links; hidden
    entries, code and settings are left out, and so are files whose first bytes show that they are no text.

    Raises:
        InputError: nothing matches a pattern, a path is missing, or a directory holds no log.
    """
    found: dict[tuple[int, int] | str, str] = {}
    for spec in specs:
        for item in _named(str(spec)):
            found.setdefault(_identity(item), item)
    return list(found.values())


# What lies beside logs and is none: code, settings and text for people.
_NO_LOGS = frozenset(
    (
        ".py", ".pyi", ".pyx", ".ipynb", ".md", ".rst", ".toml", ".ini", ".cfg", ".yaml", ".yml", ".lock", ".sh",
        ".bat", ".c", ".h", ".cc", ".cpp", ".cu", ".js", ".ts", ".css", ".html", ".svg",
    )
)  # fmt: skip


def walk(directory: str | Path) -> list[str]:
    """Return the readable text files (plain or compressed) below ``directory``, sorted by path."""
    return [item for item in files_below(directory) if _may_be_log(item) and _is_text(Path(item))]


def files_below(directory: str | Path) -> Iterator[str]:
    """Yield every file below ``directory``, sorted by path; no links are followed, hidden entries are left out."""
    for root, folders, names in os.walk(Path(directory).expanduser(), followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__pycache__")
        yield from (str(Path(root) / name) for name in sorted(names) if not name.startswith("."))


def _may_be_log(name: str) -> bool:
    return Path(name).suffix.lower() not in _NO_LOGS


def _named(spec: str) -> list[str]:
    if spec == "-" or "://" in spec:
        return [spec]
    path = Path(spec).expanduser()
    if not os.path.lexists(path) and any(c in spec for c in "*?["):
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - an absolute pattern is allowed
        if not matches:
            raise InputError(f"no file matches {spec}")
        return [item for match in matches for item in (walk(match) if Path(match).is_dir() else [match])]
    if stat.S_ISDIR(status_of(path, spec).st_mode):
        items = walk(path)
        if not items:
            raise InputError(f"there is no log in the directory {spec}")
        return items
    return [spec]


def _identity(item: str) -> tuple[int, int] | str:
    try:
        status = Path(item).expanduser().stat()
    except (OSError, ValueError):
        return item
    return (status.st_dev, status.st_ino)


def _is_text(path: Path) -> bool:
    """Whether a file of a directory is worth opening: regular, readable, not empty, and text (or packed text)."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as handle:
            head = handle.read(4096)
    except OSError:
        return False
    return bool(head) and (kind_of(head) is not None or binary_kind(head) is None)
