"""Bytes that can be read from the beginning more than once: a regular file, or a stream that is kept."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from logdoctor.errors import InputError, MissingExtraError
from logdoctor.model import Issue

BLOCK = 1 << 20  # 64 KiB blocks are 2 to 4 times slower to scan, larger ones are not faster
SPOOL_IN_MEMORY = 8 << 20


class RawInput(Protocol):
    """Bytes that can be read from the beginning more than once."""

    path: str
    modified: float | None
    size: int | None
    complete: bool
    issues: list[Issue]

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from ``start`` on."""
        ...


class FileInput:
    """A regular file: opened anew for each pass, and only its first ``size`` bytes (it may still grow) are taken."""

    def __init__(self, file: Path, path: str) -> None:
        """Look at ``file``, which the user called ``path``."""
        self.file, self.path = file, path
        self.issues: list[Issue] = []
        self.complete = False
        with opened(file, path) as handle:
            status = os.fstat(handle.fileno())
        self.modified: float | None = status.st_mtime
        self.size: int | None = status.st_size
        self._identity = (status.st_dev, status.st_ino)

    def same(self) -> bool:
        """Whether the path still names the file that was read, with at least the bytes that were read."""
        try:
            status = self.file.stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity and status.st_size >= (self.size or 0)

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from ``start`` on."""
        self.issues.clear()
        left = self.size - start if self.size else None  # files of /proc say 0
        with opened(self.file, self.path) as handle:
            handle.seek(start)
            while left is None or left > 0:
                try:
                    chunk = handle.read(BLOCK if left is None else min(BLOCK, left))
                except OSError as error:
                    self.issues.append(Issue(line=None, text=f"reading stopped: {error.strerror or error}"))
                    return
                if not chunk:
                    if left:
                        self.issues.append(
                            Issue(line=None, text=f"the file became {left} bytes shorter while it was read")
                        )
                    return
                left = None if left is None else left - len(chunk)
                yield chunk


class StreamInput:
    """A stream, kept in a temporary file (in memory up to 8 MiB) so that it can be read again."""

    modified: float | None = None
    size: int | None = None

    def __init__(self, stream: IO[bytes], path: str, limit: int, *, owned: bool = False) -> None:
        """Read ``stream``, which the user called ``path``, up to ``limit`` bytes; close it at its end if ``owned``."""
        self.path, self._stream, self._limit = path, stream, limit
        self.issues: list[Issue] = []
        self.complete = False
        self._held = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=SPOOL_IN_MEMORY)  # noqa: SIM115 - lives as long as we do
        self._owned = owned
        weakref.finalize(self, _close, self._file, *([stream] if owned else []))

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from ``start`` on: first those that are kept, then what the stream still has."""
        at = start
        while True:
            if at < self._held:
                self._file.seek(at)
                chunk = self._file.read(min(BLOCK, self._held - at))
            else:
                chunk = self._more()
            if not chunk:
                return
            at += len(chunk)
            yield chunk

    def _more(self) -> bytes:
        if self.complete:
            return b""
        if self._held >= self._limit:
            self.complete = True
            text = f"reading stopped after {self._limit} bytes, the limit for a stream; save it to a file"
            self.issues.append(Issue(line=None, text=text))
            return b""
        read: Callable[[int], bytes | str] = getattr(self._stream, "read1", self._stream.read)
        try:
            chunk = read(min(BLOCK, self._limit - self._held))
        except OSError as error:
            self.issues.append(Issue(line=None, text=f"reading stopped: {error.strerror or error}"))
            chunk = b""
        data = chunk.encode() if isinstance(chunk, str) else chunk
        self.complete = not data
        if self.complete and self._owned:
            self._stream.close()
        self._file.seek(self._held)
        self._file.write(data)
        self._held += len(data)
        return data


def _close(*files: IO[bytes]) -> None:
    for file in files:
        file.close()


def standard_input() -> IO[bytes]:
    """Return standard input as bytes."""
    return getattr(sys.stdin, "buffer", None) or io.BytesIO(sys.stdin.read().encode())


def remote_input(url: str) -> IO[bytes]:
    """Open a URL through fsspec.

    Raises:
        InputError: it cannot be opened.
        MissingExtraError: fsspec is not installed.
    """
    try:
        import fsspec
    except ImportError:
        raise MissingExtraError(f"reading {url}", "remote") from None
    try:
        opened: IO[bytes] = fsspec.open(url, "rb").open()
    except ImportError as error:  # fsspec names the file system that is missing
        raise InputError(f"cannot read {url}: {error}") from None
    except Exception as error:  # noqa: BLE001 - every file system of fsspec has errors of its own
        raise InputError(f"cannot read {url}: {type(error).__name__}: {error}") from None
    return opened


def opened(path: Path, shown: str) -> BinaryIO:
    """Open a file, or say in one sentence why not (InputError)."""
    try:
        return path.open("rb")
    except OSError as error:
        raise _input_error(shown, error) from None


def status_of(path: Path, shown: str) -> os.stat_result:
    """Return the status of a path, or say in one sentence why not (InputError)."""
    try:
        return path.stat()
    except (OSError, ValueError) as error:
        raise _input_error(shown, error) from None


def _input_error(shown: str, error: OSError | ValueError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"there is no file {shown}")
    if isinstance(error, PermissionError):
        return InputError(f"{shown} may not be read: permission denied")
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"cannot read {shown}: {reason}")
