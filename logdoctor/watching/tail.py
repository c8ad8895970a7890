"""New lines of a growing file or a pipe, each byte read once.

A file is polled with ``stat``: that works on network disks, needs no service of the system, and sees when the file was
replaced (another inode), truncated (shorter than what was read) or rewritten in place (another beginning). A line is
handed over when its end has been written.
"""

from __future__ import annotations

import codecs
import collections
import os
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from logdoctor.errors import InputError
from logdoctor.rawtext.decoding import Cleaner, binary_kind, encoding_of

BLOCK = 1 << 20
HEAD = 4096  # bytes that tell the encoding, and whether the file is still the same one
LONGEST = 8 << 20  # a line that is longer is handed over in pieces

Line = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something about the source: ``waiting``, ``appeared``, ``replaced``, ``truncated``, ``rewritten`` or ``gone``."""

    kind: str


class Tail(Protocol):
    """A source of new lines."""

    name: str
    offset: int
    ended: bool

    def poll(self) -> Iterator[list[Line] | News]:
        """Yield what is new: batches of numbered lines, and news about the source."""

    def close(self) -> None:
        """Let go of the source."""


class _Lines:
    """Bytes to numbered lines."""

    def __init__(self) -> None:
        self.number = 0
        self._rest = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._cleaner = Cleaner()
        self._encoding = ""

    def feed(self, data: bytes) -> list[Line]:
        if not self._encoding:
            self._rest += data
            if len(self._rest) < 4 and b"\n" not in self._rest:
                return []
            self._encoding, mark = encoding_of(self._rest[:HEAD])
            data, self._rest = self._rest[mark:], b""
            if self._encoding != "utf-8":
                self._decoder = codecs.getincrementaldecoder(self._encoding)(errors="replace")
        if self._decoder is not None:
            data = self._decoder.decode(data).encode("utf-8", "replace")
        data = self._rest + data
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) > LONGEST:
            cut = len(data)
        self._rest = data[cut:]
        return self._numbered(data[:cut])

    def finish(self) -> list[Line]:
        """Hand over the last line, which has no end."""
        rest, self._rest = self._rest, b""
        return self._numbered(rest)

    def _numbered(self, block: bytes) -> list[Line]:
        if not block:
            return []
        text = self._cleaner.clean(block, self.number + 1).decode("utf-8", "replace")
        pieces = text.removesuffix("\n").split("\n")
        first = self.number + 1
        self.number += len(pieces)
        return list(enumerate(pieces, start=first))


class FileTail:
    """Follows a path; the path may not exist yet, and may come to name another file."""

    def __init__(self, path: str) -> None:
        """Follow ``path``."""
        self.name = path
        self.offset = 0
        self.ended = False
        self._file: IO[bytes] | None = None
        self._head = b""
        self._lines = _Lines()
        self._missing = False

    def poll(self) -> Iterator[list[Line] | News]:
        """Yield the new lines, and what happened to the file.

        Raises:
            InputError: the file may not be read, or is no text.
        """
        if self._file is None and not self._open():
            if not self._missing:
                self._missing = True
                yield News(kind="waiting")
            return
        if self._missing:
            self._missing = False
            yield News(kind="appeared")
        yield from self._read()
        change = self._changed()
        if change is None:
            return
        yield from (batch for batch in [self._lines.finish()] if batch)
        self.close()
        yield News(kind=change)
        if change != "gone" and self._open():
            yield from self._read()
        elif change == "gone":
            self._missing = True

    def skip(self, keep_first: int, keep_last: int) -> tuple[int, list[Line], list[Line]] | None:
        """Take all complete lines that are there without looking at them, but for the first and the last few.

        Returns:
            their number, the first and the last of them; None when the file is not there, or not plain UTF-8.
        """
        if self._file is not None or not self._open():
            return None
        assert self._file is not None
        first: list[Line] = []
        last: collections.deque[Line] = collections.deque(maxlen=keep_last)
        for batch in self._read():
            first += batch[: max(0, keep_first - len(first))]
            last.extend(batch)
        return self._lines.number, first, list(last)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> bool:
        try:
            self._file = Path(self.name).open("rb")  # noqa: SIM115 - it stays open from poll to poll
        except FileNotFoundError:
            return False
        except OSError as error:
            raise InputError(f"{self.name} cannot be read: {error.strerror or error}") from None
        self._head, self.offset, self._lines = b"", 0, _Lines()
        return True

    def _read(self) -> Iterator[list[Line]]:
        assert self._file is not None
        while block := self._file.read(BLOCK):
            if len(self._head) < HEAD:
                self._head += block[: HEAD - len(self._head)]
                kind = binary_kind(self._head)
                if kind:
                    self.close()
                    raise InputError(f"{self.name} is {kind}, not a text log")
            self.offset += len(block)
            batch = self._lines.feed(block)
            if batch:
                yield batch

    def _changed(self) -> str | None:
        """Compare the path with the file that is open."""
        assert self._file is not None
        try:
            now, mine = Path(self.name).stat(), os.fstat(self._file.fileno())
        except OSError:
            return "gone"
        if (now.st_dev, now.st_ino) != (mine.st_dev, mine.st_ino):
            return "replaced"
        if now.st_size < self.offset:
            return "truncated"
        here = self._file.tell()
        self._file.seek(0)
        same = self._file.read(len(self._head)) == self._head
        self._file.seek(here)
        return None if same else "rewritten"


class PipeTail:
    """Follows standard input; a thread reads it, since a pipe cannot be polled everywhere."""

    def __init__(self, stream: IO[bytes], name: str = "-") -> None:
        """Read ``stream`` until its end."""
        self.name = name
        self.offset = 0
        self.ended = False
        self._lines = _Lines()
        self._blocks: queue.Queue[bytes] = queue.Queue(maxsize=64)
        threading.Thread(target=self._fill, args=(stream,), daemon=True).start()

    def _fill(self, stream: IO[bytes]) -> None:
        reader = getattr(stream, "read1", stream.read)
        try:
            while block := reader(1 << 16):
                self._blocks.put(block)
        except (OSError, ValueError):  # closed under our feet: the same as its end
            pass
        self._blocks.put(b"")

    def poll(self) -> Iterator[list[Line] | News]:
        """Yield what has arrived; ``ended`` is true after the last batch."""
        while not self.ended:
            try:
                block = self._blocks.get_nowait()
            except queue.Empty:
                return
            self.offset += len(block)
            self.ended = not block
            batch = self._lines.feed(block) if block else self._lines.finish()
            if batch:
                yield batch

    def close(self) -> None:
        """Nothing to do: the stream is not ours."""
