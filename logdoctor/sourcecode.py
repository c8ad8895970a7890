"""``--source DIR``: reads training code as text and looks for what confirms or weakens a cause.

Nothing is imported or executed: files are parsed with :mod:`ast` and :mod:`tokenize`. A file that does not parse is
passed over and named. The bounds keep a huge or hostile tree from stalling a diagnosis.
"""

from __future__ import annotations

import io
import os
import tokenize
from collections.abc import Iterator
from pathlib import Path

from logdoctor import pytext
from logdoctor.codefacts._record import CodeFact, Module, Pattern
from logdoctor.errors import InputError
from logdoctor.registry import records

MAX_FILES = 2000
MAX_BYTES = 1_000_000  # a training script is a few 10 kB; a larger file is generated or vendored
SKIPPED = {"site-packages", "node_modules", "__pycache__", "venv", ".venv", "build", "dist", "tests", "test"}


def read_code(directory: str | Path) -> tuple[tuple[CodeFact, ...], tuple[str, ...]]:
    """Return what the code below ``directory`` says, and why files were passed over.

    Raises:
        InputError: ``directory`` does not exist.
    """
    root = Path(directory)
    if not root.exists():
        raise InputError(f"the source directory {directory} does not exist")
    modules: list[Module] = []
    skipped: list[str] = []
    for path in _python_files(root):
        if len(modules) >= MAX_FILES:
            skipped.append(f"only the first {MAX_FILES} files were read")
            break
        try:
            modules.append(_parse(path, root))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
            skipped.append(f"{path.name}: {type(error).__name__}")
    patterns: dict[str, Pattern] = records("logdoctor.codefacts", "PATTERN")
    found = tuple(fact for pattern in patterns.values() for fact in pattern.find(tuple(modules)))
    return found, tuple(skipped)


def _python_files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for here, folders, files in os.walk(root, followlinks=False):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("."))
        yield from (Path(here) / name for name in sorted(files) if name.endswith(".py"))


def _parse(path: Path, root: Path) -> Module:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("too large")
    with tokenize.open(path) as stream:
        text = stream.read()
    tree = pytext.tree(text)
    shown = path.name if root.is_file() else path.relative_to(root).as_posix()
    return Module(path=shown, tree=tree, lines=tuple(text.splitlines()), comments=_comments(text))


def _comments(text: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
