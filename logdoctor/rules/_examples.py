"""Small logs for the examples of rules: a CSV with a step column, made by formula and never copied from a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logdoctor.model import Floats

ROWS = 60


def table(every: int = 1000, **columns: Sequence[float] | Floats) -> str:
    """Return a CSV text: ``step`` counts in ``every``, then one column a metric (all equally long)."""
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    count = max(array.size for array in arrays.values())
    lines = ["step," + ",".join(arrays)]
    lines += [f"{(i + 1) * every}," + ",".join(f"{array[i]:.6g}" for array in arrays.values()) for i in range(count)]
    return "\n".join(lines) + "\n"


def wobble(count: int = ROWS, size: float = 1.0, seed: int = 7) -> Floats:
    """Return reproducible noise of standard deviation ``size``, shape ``(count,)``."""
    return size * np.random.default_rng(seed).standard_normal(count)


def ramp(first: float, last: float, count: int = ROWS, noise: float = 0.0, seed: int = 7) -> Floats:
    """Return a straight line with noise."""
    return np.linspace(first, last, count) + wobble(count, noise, seed)


def learning(count: int = ROWS, best: float = 100.0, seed: int = 11) -> Floats:
    """Return a return that rises and stays: a healthy run."""
    return best * (1 - np.exp(-np.linspace(0, 5, count))) + wobble(count, 0.02 * best, seed)


def failing(count: int = ROWS, best: float = 100.0, seed: int = 11) -> Floats:
    """Return a return that rises to ``best`` and falls back to a tenth of it after the middle."""
    curve = learning(count, best, seed)
    half = count // 2
    curve[half:] = np.linspace(best, 0.1 * best, count - half) + wobble(count - half, 0.02 * best, seed)
    return curve
