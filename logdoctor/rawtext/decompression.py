"""Compressed bytes -> bytes, in bounded pieces, with damage reported instead of raised.

gzip, bzip2 and xz come from the standard library; Zstandard from ``compression.zstd`` (Python 3.14) or the ``zstd``
extra. The kind is told by the first bytes, never by the file name. Output comes in pieces of at most ``PIECE`` bytes
whatever the input expands to, so that memory does not depend on how hostile the file is.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

PIECE = 1 << 20
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)


class DamagedError(Exception):
    """The compressed stream is corrupt or ends early; what came before it was good."""


class _Inflater(Protocol):
    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def kind_of(head: bytes) -> str | None:
    """Return the compression that ``head`` (the first bytes of a file) announces, or None."""
    return next((name for magic, name in MAGIC if head.startswith(magic)), None)


def decompress(kind: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the decompressed bytes of ``chunks`` in pieces of at most ``PIECE`` bytes.

    Raises:
        DamagedError: the stream is corrupt or ends early (after everything readable was yielded).
        MissingExtraError: Zstandard is not available.
    """
    if kind == "gzip":
        return _members(chunks, lambda: zlib.decompressobj(wbits=31), _gzip_pieces)
    if kind == "bzip2":
        return _members(chunks, bz2.BZ2Decompressor, _stdlib_pieces)
    if kind == "xz":
        return _members(chunks, lzma.LZMADecompressor, _stdlib_pieces)
    return _zstd(chunks)


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return _members(chunks, zstd.ZstdDecompressor, _stdlib_pieces)
    try:
        import zstandard
    except ImportError:
        from logdoctor.errors import MissingExtraError

        raise MissingExtraError("reading a Zstandard file", "zstd") from None
    return _zstandard(zstandard, chunks)


def _zstandard(zstandard: Any, chunks: Iterator[bytes]) -> Iterator[bytes]:
    reader = zstandard.ZstdDecompressor().stream_reader(_Readable(chunks), read_across_frames=True)
    try:
        while piece := reader.read(PIECE):
            yield piece
    except zstandard.ZstdError as error:
        raise DamagedError(str(error)) from None


class _Readable:
    """Enough of a file for a stream reader: ``read(n)`` over an iterator of chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        data = self._rest or next(self._chunks, b"")
        size = len(data) if size < 0 else size
        self._rest = data[size:]
        return data[:size]


def _members(
    chunks: Iterator[bytes],
    start: Callable[[], Any],
    pieces: Callable[[Any, bytes], Iterator[bytes]],
) -> Iterator[bytes]:
    """Decompress a file that may hold several members (``cat a.gz b.gz``)."""
    inflater: Any = None
    for data in chunks:
        rest = data
        while rest:
            if inflater is None:
                rest = rest.lstrip(b"\x00")  # padding between members
                if not rest:
                    break
                inflater = start()
            try:
                yield from pieces(inflater, rest)
            except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError) as error:
                raise DamagedError(str(error)) from None
            rest = inflater.unused_data if inflater.eof else b""
            inflater = None if inflater.eof else inflater
    if inflater is not None:
        raise DamagedError("it ends before its end mark")


def _gzip_pieces(inflater: Any, data: bytes) -> Iterator[bytes]:
    while data:
        piece = inflater.decompress(data, PIECE)
        if piece:
            yield piece
        data = b"" if inflater.eof else inflater.unconsumed_tail
    while not inflater.eof and (piece := inflater.decompress(b"", PIECE)):
        yield piece


def _stdlib_pieces(inflater: Any, data: bytes) -> Iterator[bytes]:
    piece = inflater.decompress(data, PIECE)
    while True:
        if piece:
            yield piece
        if inflater.eof or inflater.needs_input:
            return
        piece = inflater.decompress(b"", PIECE)
