"""Running medians and means with the window cut at the ends."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from logdoctor.model import Floats

LONG = 20_000  # from here on a running median point by point would cost more than everything else together


def rolling_median(value: Floats, window: int) -> Floats:
    """Return the centred running median of ``value`` (shape ``(n,)``, finite); the ends repeat the outermost window."""
    value = np.asarray(value, dtype=np.float64)
    window = min(window | 1, value.size if value.size % 2 else value.size - 1)
    if window <= 1:
        return value.copy()
    middle = np.median(sliding_window_view(value, window), axis=1)
    half = window // 2
    return np.concatenate([np.full(half, middle[0]), middle, np.full(half, middle[-1])])


def rolling_mean(value: Floats, window: int) -> Floats:
    """Return the centred running mean of ``value`` (shape ``(n,)``, finite); at the ends the window shrinks."""
    value = np.asarray(value, dtype=np.float64)
    half = max(0, min(window, value.size) // 2)
    total = np.concatenate([[0.0], np.cumsum(value)])
    index = np.arange(value.size)
    low = np.maximum(0, index - half)
    high = np.minimum(value.size, index + half + 1)
    return np.asarray((total[high] - total[low]) / (high - low), dtype=np.float64)


def trailing_median(value: Floats, window: int) -> Floats:
    """Return, for each point, the median of the ``window`` points before it (the first points look at what there is).

    The point itself is left out, so a spike is compared with what came before it and not with itself.
    """
    value = np.asarray(value, dtype=np.float64)
    if value.size > LONG:
        return block_median(value, window)
    out = np.empty_like(value)
    head = min(window, value.size)
    for i in range(head):
        out[i] = np.median(value[:i]) if i else value[0]
    if value.size > window:
        out[window:] = np.median(sliding_window_view(value, window)[:-1], axis=1)
    return out


def block_median(value: Floats, window: int) -> Floats:
    """Return the median of the block of ``window`` points before the block that each point is in.

    One pass, for long series and where the level moves slowly; the first block looks at itself.
    """
    value = np.asarray(value, dtype=np.float64)
    blocks = value.size // window
    if blocks < 2:
        return np.full(value.size, np.median(value) if value.size else 0.0)
    middle = np.median(value[: blocks * window].reshape(blocks, window), axis=1)
    before = np.concatenate([middle[:1], middle])
    return np.asarray(np.repeat(before, window)[: value.size], dtype=np.float64)
