"""Runs the commands of ``docs/tutorial.md`` and renews what the page quotes of them.

``python docs/tutorial.py`` writes the page. Above each block a comment says which lines are quoted: ``1-20``, or
``section NAME`` for one section of a report.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from logdoctor.cli import app

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"<!-- quote: (?P<what>.+?) -->\n```console\n\$ (?P<command>.+?)\n(?P<quoted>.*?)```", re.S)
LONGEST = 34  # lines of one block


@dataclass(frozen=True)
class Block:
    """One command of the page, what it quotes, and what the page holds now."""

    command: str
    what: str
    quoted: str


def blocks(text: str) -> list[Block]:
    """Return the commands of the page in their order."""
    return [Block(m["command"], m["what"], m["quoted"]) for m in BLOCK.finditer(text)]


def outputs(text: str) -> Iterator[str]:
    """Run the commands one after another in a folder that holds the samples; yield what is quoted of each."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copytree(ROOT / "sample_logs", "sample_logs")
        for block in blocks(text):
            yield quote(run(block.command), block.what)


def run(command: str) -> str:
    """Return what a command of the program prints on a terminal of 80 columns."""
    arguments = shlex.split(command)[1:]
    if "-o" not in arguments and "-f" not in arguments:
        arguments += ["-f", "terminal"]
    old = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        result = CliRunner().invoke(app, arguments)
    finally:
        os.environ.pop("COLUMNS") if old is None else os.environ.update(COLUMNS=old)
    out = io.StringIO()
    out.write(result.stdout if "-o" not in arguments else result.stderr)
    return out.getvalue()


def quote(output: str, what: str) -> str:
    """Return the lines that a block quotes, with dots where something is left out."""
    lines = output.rstrip("\n").split("\n")
    if what.startswith("section "):
        start = lines.index(what.removeprefix("section "))
        end = next((i for i in range(start + 1, len(lines)) if not lines[i]), len(lines))
        kept, before, after = lines[start : min(end, start + LONGEST)], ["..."], ["..."]
    else:
        first, last = (int(number) for number in what.split("-"))
        kept, before = lines[first - 1 : last], ["..."] if first > 1 else []
        after = ["..."] if last < len(lines) else []
    return "\n".join([*before, *kept, *after]) + "\n"


def renewed(text: str) -> str:
    """Return the page with its blocks renewed."""
    found = iter(list(outputs(text)))
    return BLOCK.sub(lambda m: f"<!-- quote: {m['what']} -->\n```console\n$ {m['command']}\n{next(found)}```", text)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
