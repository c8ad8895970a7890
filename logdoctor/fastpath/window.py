"""A piece of a log in memory, and reads of 8 to 32 bytes at many places at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Cursor = NDArray[np.int64]
Bytes = NDArray[np.uint8]

PADDING = 64
"""Zero bytes kept behind the text: a read of 32 bytes at the last line end stays inside the buffer."""


def u64(value: int) -> np.uint64:
    """Return ``value`` modulo 2**64 as a numpy scalar (so that no operation is promoted to float64)."""
    return np.uint64(value & 0xFFFFFFFFFFFFFFFF)


def spread(byte: int) -> np.uint64:
    """Return the word that holds ``byte`` eight times."""
    return u64(byte * 0x0101010101010101)


class Window:
    """Bytes with padding, addressable as overlapping little-endian words.

    Attributes:
        data: ``uint8``, the text followed by at least :data:`PADDING` zero bytes.
        size: number of bytes of text.
    """

    __slots__ = ("_eight", "_thirtytwo", "data", "size")

    def __init__(self, data: Bytes, size: int) -> None:
        """Take a padded buffer of which the first ``size`` bytes are text."""
        if data.size < size + PADDING:
            raise ValueError("the buffer lacks its padding")
        self.data = data
        self.size = size
        # Overlapping views: element i starts at byte i. An indexed read then copies 8 or 32 bytes an item.
        self._eight: NDArray[np.void] = np.ndarray((data.size - 8,), "V8", data, 0, (1,))
        self._thirtytwo: NDArray[np.void] = np.ndarray((data.size - 32,), "V32", data, 0, (1,))

    def words(self, at: Cursor) -> Words:
        """Return the 8 bytes from each of ``at``, shape ``(n,)``."""
        return self._eight[at].view("<u8")

    def quads(self, at: Cursor) -> Words:
        """Return the 32 bytes from each of ``at`` as words, flat, shape ``(4 * n,)``."""
        return self._thirtytwo[at].view("<u8")


def window_of(text: bytes) -> Window:
    """Return a window over a copy of ``text`` (for learning and for tests)."""
    data = np.zeros(len(text) + PADDING, np.uint8)
    data[: len(text)] = np.frombuffer(text, np.uint8)
    return Window(data, len(text))
