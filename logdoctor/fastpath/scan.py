"""Blocks of lines -> numbers of the lines whose shape is known, and the places of the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.fastpath.numbers import Bools, Floats
from logdoctor.fastpath.template import Template
from logdoctor.fastpath.window import PADDING, Bytes, Cursor, Window

_NEWLINE = 10
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Rows:
    """Records of one template, in file order.

    Attributes:
        line: index of the first line of each record inside the block.
        values: one array a slot.
    """

    template: Template
    line: Cursor
    values: list[Floats]


@dataclass(frozen=True, slots=True)
class Scan:
    """What a block holds.

    Attributes:
        rows: the records, by template.
        rest: indices of the lines that matched nothing.
        starts: where each line begins, and one more entry: the end of the block.
    """

    rows: list[Rows]
    rest: Cursor
    starts: Cursor


def line_starts(window: Window) -> Cursor:
    """Return where each line begins, and one more entry: the end of the text."""
    text = window.data[: window.size]
    pieces = [np.flatnonzero(text[at : at + _PIECE] == _NEWLINE) + (at + 1) for at in range(0, window.size, _PIECE)]
    starts = np.concatenate([np.zeros(1, np.int64), *pieces])
    return starts if starts[-1] == window.size else np.append(starts, window.size)


class Scanner:
    """Matches templates against blocks; its work buffer is reused from block to block."""

    def __init__(self) -> None:
        """Start without any template."""
        self.templates: list[Template] = []
        self._buffer: Bytes = np.zeros(0, np.uint8)
        self._size = 0
        keep_heap_mapped()

    def add(self, piece: bytes) -> int:
        """Put text behind what is in the work buffer; return how many bytes that are."""
        size = self._size + len(piece)
        if self._buffer.size < size + PADDING:
            larger = np.zeros(size + size // 4 + PADDING, np.uint8)
            larger[: self._size] = self._buffer[: self._size]
            self._buffer = larger
        self._buffer[self._size : size] = np.frombuffer(piece, np.uint8)
        self._size = size
        return size

    def window(self) -> Window:
        """Return what was added, and begin anew; the text must end with a newline to be matched whole."""
        size, self._size = self._size, 0
        if self._buffer.size < size + PADDING:
            self._buffer = np.zeros(size + PADDING, np.uint8)
        self._buffer[size : size + PADDING] = 0
        return Window(self._buffer, size)

    def scan(self, block: bytes, skip: int = 0) -> Scan:
        """Match every line from index ``skip`` on."""
        self.add(block)
        window = self.window()
        return self.match(window, line_starts(window), skip)

    def match(self, window: Window, starts: Cursor, skip: int = 0) -> Scan:
        """Match the lines that begin at ``starts[skip:-1]``."""
        count = starts.size - 1
        free = np.ones(count, np.bool_)
        free[:skip] = False
        out: list[Rows] = []
        if not self.templates:
            return Scan(out, np.flatnonzero(free), starts)
        left = np.arange(skip, count)
        heads = window.words(starts[skip:count])
        for template in self.templates:
            if not left.size:
                break
            word, mask = template.head
            here = (heads & mask) == word
            if not here.any():
                continue
            lines = left if here.all() else left[here]
            rows = _records(template, window, lines, starts, free)
            if rows is None:
                continue
            out.append(rows)
            template.hits += rows.line.size
            still = free[left]
            left, heads = left[still], heads[still]
        # Records of several lines first: their last line may look like a line of its own.
        self.templates.sort(key=lambda t: (-t.lines, -t.hits))
        return Scan(out, left, starts)


def _records(template: Template, window: Window, lines: Cursor, starts: Cursor, free: Bools) -> Rows | None:
    """Match one template and mark the lines it took."""
    last = starts.size - 1
    if template.lines > 1:
        lines = lines[lines + template.lines <= last]
        if not lines.size:
            return None
    found, values, ends = template.match(window, starts[lines])
    if not found.size:
        return None
    line = lines[found]
    # The last step of a template is a line end; numbers and spaces cannot hold one, so this holds by construction.
    # It is checked all the same, because everything else rests on it.
    good = starts[line + template.lines] == ends
    if template.lines > 1:
        good &= _disjoint(line, template.lines)
        for further in range(1, template.lines):
            good &= free[line + further]
    if not good.all():
        line, values = line[good], [value[good] for value in values]
    for further in range(template.lines):
        free[line + further] = False
    return Rows(template, line, values)


def _disjoint(line: Cursor, lines: int) -> Bools:
    """Keep each record that begins after the end of the one kept before it."""
    if line.size < 2 or int(np.diff(line).min()) >= lines:
        return np.ones(line.size, np.bool_)
    keep = np.zeros(line.size, np.bool_)
    end = -1
    for i, first in enumerate(line.tolist()):
        if first >= end:
            keep[i] = True
            end = first + lines
    return keep


def keep_heap_mapped() -> None:
    """Let the C library keep the memory of work arrays (glibc raises its thresholds when a large block is freed).

    Without this every array above 128 KiB is mapped and faulted in anew, which costs 14 to 27 % of the time.
    """
    np.empty(24 << 20, np.uint8)
