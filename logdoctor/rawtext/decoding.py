"""Bytes -> clean UTF-8 bytes, without touching a single ASCII character (so never a number).

Only runs of bytes above 127 are looked at: outside of them UTF-8, Mac Roman, cp1252 and Latin-1 agree, and a damaged
character cannot reach across an ASCII one. Each distinct run is judged once:

* valid UTF-8 that is no mojibake stays as it is;
* UTF-8 that was read as Mac Roman or cp1252 and saved again (``ClipŒî`` for ``ClipΔ``) is turned back;
* bytes that are no UTF-8 are taken as Latin-1, or as replacement characters where some of the run is valid.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from logdoctor.model import Issue

_RUN = re.compile(rb"[\x80-\xff]+")
_BOMS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive (a PyTorch checkpoint is one, too)"),
    (b"\x7fELF", "a program"),
    (b"\x89HDF", "an HDF5 file"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\x00", "an SQLite database without MLflow runs"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x80\x05\x95", "a Python pickle"),
)
# Control characters that consoles do print: bell, backspace, tab, newline, vertical tab, form feed, return, escape.
_CONSOLE = bytes([7, 8, 9, 10, 11, 12, 13, 27])
_CONTROLS = bytes(b for b in range(1, 32) if b not in _CONSOLE)
# Random bytes hold about 9 % of the control characters that text never has; a console recording well under 1 %.
_BINARY_SHARE = 0.04
_MAC = {bytes([b]).decode("mac_roman"): b for b in range(128, 256)}
_CP1252 = {chr(b): b for b in range(128, 256)} | {
    bytes([b]).decode("cp1252"): b for b in range(128, 256) if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_TABLES = (("Mac Roman", _MAC), ("cp1252", _CP1252))
_HEADLESS_EMOJI = re.compile(rb"(?<![\xf0-\xf4])\x9f[\x80-\xbf]{2}(?![\x80-\xbf])")


def encoding_of(head: bytes) -> tuple[str, int]:
    """Return the encoding that ``head`` announces, and the bytes of its byte-order mark."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name, len(bom)
    if len(head) >= 64:  # UTF-16 without a mark: Latin text has a NUL in every second place
        even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
        half = len(head[:4096]) // 2
        if odd > 0.7 * half and even < 0.05 * half:
            return "utf-16-le", 0
        if even > 0.7 * half and odd < 0.05 * half:
            return "utf-16-be", 0
    return "utf-8", 0


def binary_kind(head: bytes) -> str | None:
    """Return what a file that is no text is (``"a PNG picture"``, ``"binary data"``), or None for text."""
    for magic, name in _KINDS:
        if head.startswith(magic):
            return name
    if encoding_of(head)[0] != "utf-8":
        return None
    printed = len(head) - head.count(0)
    if printed < 64:
        return None
    controls = printed - len(head.translate(None, _CONTROLS + b"\x00"))
    scattered = len(re.findall(rb"\x00+", head))  # a hole in a file is one run of NUL, binary numbers are many
    return "binary data" if controls > _BINARY_SHARE * printed or scattered > _BINARY_SHARE * printed else None


class Cleaner:
    """Cleans blocks of one source and remembers what it had to do."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._known: dict[bytes, tuple[bytes, str]] = {}
        self._first: dict[str, int] = {}

    def clean(self, block: bytes, first_line: int) -> bytes:
        """Return ``block`` (which starts at line ``first_line``) as clean UTF-8."""
        if block.isascii():
            return block
        high = np.flatnonzero(np.frombuffer(block, np.int8) < 0)
        starts = high[np.concatenate(([True], np.diff(high) > 1))]
        ends = high[np.concatenate((np.diff(high) > 1, [True]))] + 1
        changed = False
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            run = block[start:end]
            known = self._known.get(run)
            if known is None:
                known = self._known[run] = _judge(run)
                if len(self._known) > 100_000:  # hostile input: bounded memory, only slower
                    self._known = {run: known}
            if known[1]:
                changed = True
                if known[1] not in self._first:
                    self._first[known[1]] = first_line + block.count(b"\n", 0, start)
        return _RUN.sub(self._replace, block) if changed else block

    def _replace(self, match: re.Match[bytes]) -> bytes:
        run = match.group()
        known = self._known.get(run)
        return (known or _judge(run))[0]

    @property
    def latin(self) -> bool:
        """Whether some of the text was no UTF-8 and was taken as Latin-1."""
        return "latin-1" in self._first

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What was repaired or guessed, each with the first line where it happened."""
        texts = {
            "latin-1": "bytes that are not UTF-8, read as Latin-1 (from this line on where they occur)",
            "replaced": "damaged UTF-8 characters, shown as replacement characters",
        }
        repaired = "UTF-8 text that had been read as {}, repaired (from this line on where it occurs)"
        return tuple(
            Issue(line=line, text=texts.get(kind, repaired.format(kind))) for kind, line in self._first.items()
        )


def _judge(run: bytes) -> tuple[bytes, str]:
    """Return the UTF-8 bytes for ``run`` and what was done to it ("" for nothing)."""
    try:
        text = run.decode("utf-8")
    except UnicodeDecodeError:
        partly = run.decode("utf-8", errors="replace")
        if any(c not in "\ufffd" for c in partly):
            return partly.encode(), "replaced"
        return run.decode("latin-1").encode(), "latin-1"
    for name, table in _TABLES:
        if len(text) >= 2 and (repaired := _turned_back(text, table)):
            return repaired.encode(), name
    return run, ""


def _turned_back(text: str, table: dict[str, int]) -> str | None:
    """Return ``text`` with its UTF-8 restored, or None where it is no mojibake of this code page."""
    if not all(c in table for c in text):
        return None
    raw = bytes(table[c] for c in text)
    for candidate in (raw, _HEADLESS_EMOJI.sub(lambda m: b"\xf0" + m.group(), raw)):
        try:
            restored = candidate.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if _plausible(restored):
            return restored
    return None


def _plausible(restored: str) -> bool:
    """Whether these are characters that logs print; ``≈±`` could also be read as a Hungarian letter, and is not."""
    if any(unicodedata.category(c) in {"Cc", "Cn", "Co", "Cs"} for c in restored):
        return False
    odd = [c for c in restored if "\u0100" <= c < "\u0800" and not "\u0370" <= c < "\u0400"]
    return not odd or len(restored) > 2
