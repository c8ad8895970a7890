"""A short document (headings, paragraphs, lists, tables) written once and shown as Markdown or on a terminal.

Blocks hold plain, unescaped text; each of the two writers escapes it for its own language.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from logdoctor.renderers._escape import markdown as md
from logdoctor.renderers._escape import terminal as tty

_STYLES = {"bad": "31;1", "warn": "33", "good": "32", "head": "1", "dim": "2", "": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading; ``level`` 1 is the title."""

    text: str
    level: int = 2
    style: str = "head"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph; ``style`` is ``bad``, ``warn``, ``good``, ``dim`` or nothing."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """A list; an item of several lines is indented from its second line on."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; ``numbers`` are the columns that are aligned to the right, ``styles`` one for each row."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int] = ()
    styles: Sequence[str] = ()


Block = Heading | Paragraph | Bullets | Table


def to_markdown(blocks: Sequence[Block]) -> str:
    """Return the blocks as GitHub's Markdown."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {md(block.text)}"
    if isinstance(block, Paragraph):
        return md(block.text)
    if isinstance(block, Bullets):
        return "\n".join("- " + "\n  ".join(md(part) for part in item.split("\n")) for item in block.items)
    rule = ["---:" if i in block.numbers else "---" for i in range(len(block.head))]
    rows = [block.head, rule, *block.rows]
    return "\n".join("| " + " | ".join(c if row is rule else md(c) for c in row) + " |" for row in rows)


def to_terminal(blocks: Sequence[Block], width: int = 80, color: bool = False) -> str:
    """Return the blocks as text of at most ``width`` columns where words allow it."""
    return "\n\n".join(_terminal(block, width, color) for block in blocks) + "\n"


def _terminal(block: Block, width: int, color: bool) -> str:
    if isinstance(block, Heading):
        return _styled(_wrapped(tty(block.text), width), block.style, color)
    if isinstance(block, Paragraph):
        return _styled(_wrapped(tty(block.text), width), block.style, color)
    if isinstance(block, Bullets):
        return "\n".join(_bullet(item, width) for item in block.items)
    return _aligned(block, width, color)


def _bullet(item: str, width: int) -> str:
    first, *rest = [tty(part) for part in item.split("\n")]
    lines = [_wrapped(first, width, "- ", "  "), *(_wrapped(part, width, "  ", "  ") for part in rest)]
    return "\n".join(lines)


def _wrapped(text: str, width: int, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _styled(text: str, style: str, color: bool) -> str:
    code = _STYLES.get(style, "")
    return f"\x1b[{code}m{text}\x1b[0m" if color and code else text


def _aligned(block: Table, width: int, color: bool) -> str:
    """Lay a table out in columns; where it is too wide, each row becomes a small paragraph."""
    cells = [[tty(cell) for cell in row] for row in (block.head, *block.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(block.head))]
    if sum(widths) + 2 * (len(widths) - 1) > width:
        return _stacked(block, cells, width, color)
    lines = []
    for number, row in enumerate(cells):
        parts = [
            c.rjust(w) if i in block.numbers else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(_styled("  ".join(parts).rstrip(), _row_style(block, number), color))
    return "\n".join(lines)


def _stacked(block: Table, cells: Sequence[Sequence[str]], width: int, color: bool) -> str:
    head, *rows = cells
    items = []
    for number, row in enumerate(rows, start=1):
        title = _styled(_wrapped(row[0], width), _row_style(block, number), color)
        rest = [_wrapped(f"{h}: {c}", width, "  ", "    ") for h, c in zip(head[1:], row[1:], strict=True) if c]
        items.append("\n".join([title, *rest]))
    return "\n".join(items)


def _row_style(block: Table, number: int) -> str:
    if number == 0:
        return "dim"
    return block.styles[number - 1] if number <= len(block.styles) else ""
