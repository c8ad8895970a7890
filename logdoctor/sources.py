r"""A path, standard input or URL -> numbered text, within stated limits.

Lines are counted by ``\n`` alone, so that a line number is that of the file as given; a ``\r`` inside a line is a
redraw of the same line and is left for the normaliser. Text arrives as UTF-8 blocks that end at line ends
(:meth:`Source.blocks`), as numbered lines (:meth:`Source.lines`), or as the lines asked for (:meth:`Source.fetch`).

Nothing here needs memory that grows with the file: a line longer than ``Limits.line_bytes`` is cut, decompression stops
at ``Limits.decompressed_bytes`` or at ``Limits.ratio``, and an endless stream stops at ``Limits.stream_bytes``. Each of
these leaves an :class:`~logdoctor.model.Issue`; nothing is dropped in silence.
"""

from __future__ import annotations

import bisect
import codecs
import hashlib
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from logdoctor import progress
from logdoctor.errors import InputError
from logdoctor.model import Issue, SourceInfo
from logdoctor.rawtext.decoding import Cleaner, binary_kind, encoding_of
from logdoctor.rawtext.decompression import DamagedError, decompress, kind_of
from logdoctor.rawtext.linecutter import LineCutter, count_lines
from logdoctor.rawtext.rawinput import (
    BLOCK,
    FileInput,
    RawInput,
    StreamInput,
    opened,
    remote_input,
    standard_input,
    status_of,
)

HEAD = 1 << 16
BOMB_FLOOR = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one source may cost.

    Attributes:
        line_bytes: a longer line is cut there. 8 MiB is 80 times the longest line of a real log (a progress bar).
        stream_bytes: how much of standard input, a pipe or a URL is kept (on disk) for the second pass.
        decompressed_bytes: where decompression stops.
        ratio: decompression also stops when more than 64 MiB came out at a higher ratio; text logs reach 5 to 50.
        document_bytes: the largest source that is taken as one document.
    """

    line_bytes: int = 8 << 20
    stream_bytes: int = 4 << 30
    decompressed_bytes: int = 64 << 30
    ratio: int = 500
    document_bytes: int = 256 << 20


class Source:
    """One log. Iterate :meth:`blocks` or :meth:`lines` (each starts again from the top), then ask for :attr:`info`."""

    def __init__(self, raw: RawInput, limits: Limits) -> None:
        """Use :func:`open_source`."""
        self._raw = raw
        self.limits = limits
        self.hashing = True  # a hash costs as much as reading a long log; :func:`hashed` adds it afterwards
        self._issues: list[Issue] = []
        self._index: list[tuple[int, int]] = []  # (first line, raw offset) of the blocks of a plain file
        self._head = b"".join(_first(raw.chunks(), HEAD))
        self.compression = kind_of(self._head)
        if self.compression:
            self._head = b"".join(_first(self._unpacked(raw.chunks()), HEAD))
        self.encoding, self._mark = encoding_of(self._head)
        self._info = SourceInfo(
            path=raw.path, encoding=self.encoding, compression=self.compression, modified=raw.modified
        )

    @property
    def path(self) -> Path | None:
        """The local file, or None for a stream."""
        return self._raw.file if isinstance(self._raw, FileInput) else None

    @property
    def name(self) -> str:
        """The source as the user named it."""
        return self._raw.path

    @property
    def head(self) -> bytes:
        """The first bytes (at most 64 KiB), decompressed but otherwise as they are."""
        return self._head

    @property
    def binary(self) -> str | None:
        """What the source is when it is no text (``"a PNG picture"``), or None."""
        return binary_kind(self._head)

    @property
    def info(self) -> SourceInfo:
        """Size, lines, hash and encoding; final once :meth:`blocks` or :meth:`lines` has run to its end."""
        return self._info

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What could not be read, or was read with a reservation, in the last complete pass."""
        return tuple(self._issues)

    def document(self) -> bytes:
        """Return the whole text as clean UTF-8.

        Raises:
            InputError: it is larger than ``limits.document_bytes``, or no text.
        """
        parts: list[bytes] = []
        size = 0
        for block in self._blocks(self.limits.document_bytes + BLOCK):
            parts.append(block)
            size += len(block)
            if size > self.limits.document_bytes:
                most = self.limits.document_bytes >> 20
                raise InputError(f"{self.name} is larger than {most} MiB, too large to be read as one document")
        return b"".join(parts)

    def blocks(self) -> Iterator[bytes]:
        """Yield the text as clean UTF-8 in blocks of about 1 MiB that end at line ends (the last one may not).

        Raises:
            InputError: the source is no text, or cannot be read.
        """
        return self._blocks(self.limits.line_bytes)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield ``(number, text)`` for every line; the text is without its line end, inner carriage returns stay."""
        first = 1
        for block in self.blocks():
            texts = split_lines(block)
            yield from enumerate(texts, first)
            first += len(texts)

    def fetch(self, wanted: Iterable[int]) -> dict[int, str]:
        """Return the text of the lines asked for, in one further pass; a line that is gone is left out."""
        numbers = sorted({int(n) for n in wanted if n >= 1})
        if not numbers or (isinstance(self._raw, FileInput) and not self._raw.same()):
            return {}
        return self._seek(numbers) if self._index else self._walk(numbers)

    def _blocks(self, line_bytes: int) -> Iterator[bytes]:
        if self.binary:
            raise InputError(f"{self.name} is {self.binary}, not a text log")
        self._issues, self._index = [], []
        digest = hashlib.sha256(usedforsecurity=False)
        cleaner, cutter = Cleaner(), LineCutter(line_bytes)
        plain = self.compression is None and self.encoding == "utf-8" and isinstance(self._raw, FileInput)
        index: list[tuple[int, int]] = []
        line, last = 1, b"\n"
        chunks = progress.blocks(self._hashed(digest), f"reading {self.name}", self._raw.size)
        for block in cutter.cut(self._text(chunks)):
            if not block:
                continue
            index.append((line, self._mark + cutter.offset))
            last = cleaner.clean(block, line)
            line += count_lines(last)
            cutter.line = line
            yield last
        self._index = index if plain and not cutter.shortened else []
        self._issues += [*self._raw.issues, *cutter.issues, *cleaner.issues]
        self._info = replace(
            self._info,
            lines=line - 1 + (not last.endswith(b"\n")),
            encoding="latin-1" if cleaner.latin and self.encoding == "utf-8" else self.encoding,
        )

    def _hashed(self, digest: Any) -> Iterator[bytes]:
        size = 0
        for chunk in self._raw.chunks():
            if self.hashing:
                digest.update(chunk)
            size += len(chunk)
            yield chunk
        self._info = replace(self._info, bytes=size, sha256=digest.hexdigest() if self.hashing else "")

    def _text(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        pieces = _without_prefix(self._unpacked(chunks), self._mark)
        if self.encoding == "utf-8":
            yield from pieces
            return
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
        for piece in pieces:
            yield decoder.decode(piece).encode("utf-8", errors="replace")
        yield decoder.decode(b"", final=True).encode("utf-8", errors="replace")

    def _unpacked(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        if self.compression is None:
            yield from chunks
            return
        meter = _Meter(chunks)
        out = 0
        try:
            for piece in decompress(self.compression, meter):
                out += len(piece)
                if out > self.limits.decompressed_bytes or out > max(BOMB_FLOOR, self.limits.ratio * meter.size):
                    text = f"unpacking stopped at {out >> 20} MiB from {meter.size >> 10} KiB: no log expands so much"
                    self._issues.append(Issue(line=None, text=text))
                    break
                yield piece
        except DamagedError as error:
            text = f"the {self.compression} file is damaged or cut off ({error}); what came before is used"
            self._issues.append(Issue(line=None, text=text))
        for _ in chunks:  # the hash is that of the whole file
            pass

    def _walk(self, numbers: list[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        first, at = 1, 0
        for block in Source(self._raw, self.limits).blocks():
            count = count_lines(block) + (not block.endswith(b"\n"))
            if numbers[at] < first + count:
                texts = split_lines(block)
                while at < len(numbers) and numbers[at] < first + count:
                    found[numbers[at]] = texts[numbers[at] - first]
                    at += 1
                if at == len(numbers):
                    break
            first += count
        return found

    def _seek(self, numbers: list[int]) -> dict[int, str]:
        """Read only the blocks of a plain file that hold a wanted line."""
        found: dict[int, str] = {}
        firsts = [line for line, _ in self._index]
        wanted: dict[int, list[int]] = {}
        for number in numbers:
            wanted.setdefault(bisect.bisect_right(firsts, number) - 1, []).append(number)
        for at, inside in wanted.items():
            line, offset = self._index[at]
            end = self._index[at + 1][1] if at + 1 < len(self._index) else self._info.bytes
            data = b"".join(_first(self._raw.chunks(offset), end - offset)).replace(b"\x00", b"")
            texts = split_lines(Cleaner().clean(data, line))
            found |= {n: texts[n - line] for n in inside if n - line < len(texts)}
        return found


def open_source(spec: str | Path | BinaryIO, *, limits: Limits | None = None) -> Source:
    """Open one log: a path, ``-`` for standard input, a URL, or a binary file object.

    Raises:
        InputError: there is no such file, it may not be read, or it is no file.
        MissingExtraError: a URL without the ``remote`` extra.
    """
    limits = limits or Limits()
    if not isinstance(spec, (str, Path)):
        return Source(StreamInput(spec, str(getattr(spec, "name", "<stream>")), limits.stream_bytes), limits)
    text = str(spec)
    if text == "-":
        return Source(StreamInput(standard_input(), "-", limits.stream_bytes), limits)
    if "://" in text and not text.startswith("file://"):
        return Source(StreamInput(remote_input(text), text, limits.stream_bytes, owned=True), limits)
    path = Path(text.removeprefix("file://")).expanduser()
    mode = status_of(path, text).st_mode
    if stat.S_ISDIR(mode):
        raise InputError(f"{text} is a directory, not a log")
    if stat.S_ISFIFO(mode) or (stat.S_ISCHR(mode) and text.startswith(("/dev/stdin", "/dev/fd/"))):
        return Source(StreamInput(opened(path, text), text, limits.stream_bytes, owned=True), limits)
    if not stat.S_ISREG(mode):
        raise InputError(f"{text} is a device, not a log")
    return Source(FileInput(path, text), limits)


def hashed(info: SourceInfo) -> SourceInfo:
    """Return ``info`` with the hash of the file when it was read without one (and is still there)."""
    path = Path(info.path).expanduser()
    if info.sha256 or not path.is_file():
        return info
    with path.open("rb") as handle:
        return replace(info, sha256=hashlib.file_digest(handle, "sha256").hexdigest())


def split_lines(block: bytes) -> list[str]:
    r"""Return the lines of a block without their line ends; only ``\n`` ends a line."""
    texts = block.decode("utf-8", errors="replace").split("\n")
    if texts[-1] == "":
        texts.pop()
    return [text.removesuffix("\r") for text in texts]


class _Meter:
    """Counts the bytes that went through."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self.size += len(chunk)
        return chunk


def _first(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the first ``size`` bytes of ``chunks``."""
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return


def _without_prefix(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        rest = piece[size:]
        size = max(0, size - len(piece))
        if rest:
            yield rest
