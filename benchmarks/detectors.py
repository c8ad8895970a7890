"""Measures the detectors: CPU time on 1e6 points of 20 metrics, and how it grows with the length.

    python benchmarks/detectors.py

Long series are judged in bins (:mod:`logdoctor.streaming`), so what counts is the way that ``analyze`` takes: 1e6
points into bins, and every detector on the bins. Limits that we hold: at most 0.3 s for 20 series of 1e6 points, and a
growth from 1e5 to 1e6 points no worse than that of n log n (a factor of 12; measured with the slack of 1.5 that short
times need). Each detector on the unbinned points is shown beside it. Ends with 1 when a limit is broken or a detector
misses the fault that was planted (a detector that does nothing is fast).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from logdoctor.detectors.baseline import baseline
from logdoctor.detectors.constant import longest_constant
from logdoctor.detectors.drawdown import drawdown
from logdoctor.detectors.nonfinite import nonfinite
from logdoctor.detectors.oscillation import oscillation
from logdoctor.detectors.plateau import trailing_plateau
from logdoctor.detectors.shift import level_shifts
from logdoctor.detectors.spike import spikes
from logdoctor.detectors.trend import trend
from logdoctor.streaming import Reducer

METRICS = 20
PIECE = 20_000
LIMIT_SECONDS = 0.3
GROWTH = 12 * 1.5

DETECTORS: dict[str, Callable[[Any], Any]] = {
    "baseline": baseline,
    "trend": trend,
    "spikes": spikes,
    "level_shifts": level_shifts,
    "drawdown": drawdown,
    "trailing_plateau": lambda value: trailing_plateau(value, 0.05),
    "oscillation": lambda value: oscillation(value, 0.5),
    "nonfinite": nonfinite,
    "longest_constant": longest_constant,
}


def series(count: int, seed: int = 0) -> np.ndarray:
    """Return a falling curve with noise, a level shift after two thirds and a spike in the middle."""
    rng = np.random.default_rng(seed)
    value = 3.0 * np.exp(-np.arange(count) / (0.2 * count)) + rng.normal(0, 0.1, count)
    value[2 * count // 3 :] += 2.0
    value[count // 2] += 50.0
    return value


def seconds(call: Callable[[Any], Any], value: np.ndarray, repeat: int = 5) -> float:
    best = np.inf
    for _ in range(repeat):
        start = time.process_time()
        call(value)
        best = min(best, time.process_time() - start)
    return float(best)


def missed(value: np.ndarray) -> list[str]:
    """Return the detectors that do not see what was planted."""
    wrong = []
    found = spikes(value)
    hit = [int(i) for name in ("index", "at", "top", "tops") for i in np.atleast_1d(getattr(found, name, [])).tolist()]
    if not any(abs(i - value.size // 2) <= value.size // 4096 + 1 for i in hit):
        wrong.append("spikes")
    if not level_shifts(value):
        wrong.append("level_shifts")
    if trend(value) is None:
        wrong.append("trend")
    return wrong


def judged(value: np.ndarray) -> np.ndarray:
    """Bin ``value`` in pieces as the reader does and run every detector on the bins; return the bins."""
    reducer = Reducer(value.size, beside=1)
    line = np.arange(1, value.size + 1)
    for i in range(0, value.size, PIECE):
        part = slice(i, i + PIECE)
        reducer.add(value[part], line[part], line[part].astype(float))
    points = reducer.points()
    for call in DETECTORS.values():
        call(points.value)
    spikes(points.high)
    return points.high


def main() -> int:
    inputs = {n: series(n) for n in (10_000, 100_000, 1_000_000)}
    failed = missed(judged(inputs[1_000_000]))
    print("| what | 1e4, ms | 1e5, ms | 1e6, ms | growth 1e5 to 1e6 |\n|---|---|---|---|---|")
    calls = {"**bins and all detectors on them**": judged} | DETECTORS
    for name, call in calls.items():
        times = [seconds(call, value) for value in inputs.values()]
        growth = times[2] / max(times[1], 1e-4)
        print("| " + " | ".join([name, *(f"{1e3 * t:.2f}" for t in times), f"{growth:.1f}"]) + " |")
        failed += [f"{name} grows by {growth:.0f}"] if growth > GROWTH and call is judged else []
        if call is judged:
            total = METRICS * times[2]
    print(f"\n{METRICS} series of 1e6 points: {total:.3f} s (limit {LIMIT_SECONDS} s)")
    if total > LIMIT_SECONDS:
        failed.append(f"{total:.3f} s")
    print("\n".join(f"FAILED: {text}" for text in failed))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
