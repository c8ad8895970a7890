"""Runs per second of a sweep: one and two processes, Dask against the pool, logs of 1 KB to 10 MB, and memory.

    python benchmarks/sweeping.py [--dask] [--quick]

Prints a Markdown table. Absolute times depend on the machine; the ratios are what to compare.
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import tempfile
import time
from concurrent.futures import Executor
from pathlib import Path

from logdoctor.fleet.row import Row
from logdoctor.fleet.runs import find_runs
from logdoctor.fleet.work import dask_executor, run_all
from logdoctor.settings import Settings

SIZES = {"1 KB": (1_000, 400), "100 KB": (100_000, 60), "10 MB": (10_000_000, 4)}


def make_logs(directory: Path, size: int, count: int) -> None:
    """Write ``count`` logs of about ``size`` bytes each."""
    for i in range(count):
        rng = random.Random(i)
        with (directory / f"run{i:05d}.log").open("w", encoding="utf-8") as file:
            step = 0
            while file.tell() < size:
                loss = 3 * math.exp(-step / 3000) + 0.5 + rng.gauss(0, 0.02)
                file.write(f"step {step}: loss {loss:.4f}, grad_norm {abs(rng.gauss(1, 0.2)):.3f}, lr 3.0e-04\n")
                step += 10


def measure(directory: Path, workers: int, executor: Executor | None = None) -> tuple[float, list[Row]]:
    """Return wall seconds and rows of one sweep."""
    specs = find_runs([directory])
    start = time.perf_counter()
    rows = list(run_all(specs, Settings(), workers=workers, executor=executor))
    return time.perf_counter() - start, rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dask", action="store_true", help="also measure Dask with two worker processes")
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    options = parser.parse_args()
    engines = ["1 process", "2 processes"] + (["Dask, 2 processes"] if options.dask else [])
    print(f"| log size | runs | {' | '.join(f'{e}, runs/s' for e in engines)} |")
    print(f"|---|---|{'---|' * len(engines)}")
    close = None
    executor: Executor | None = None
    if options.dask:
        executor, close = dask_executor(None, 2)
    for name, (size, count) in SIZES.items():
        count = max(2, count // 10) if options.quick else count
        with tempfile.TemporaryDirectory() as folder:
            make_logs(Path(folder), size, count)
            measured = [measure(Path(folder), 1), measure(Path(folder), 2)]
            if executor is not None:
                measured.append(measure(Path(folder), 2, executor))
        for _, rows in measured:
            assert len(rows) == count
            assert all(row.error is None for row in rows), rows[0].error
        print(f"| {name} | {count} | {' | '.join(f'{count / seconds:.1f}' for seconds, _ in measured)} |")
    if close is not None:
        close()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\nPeak memory: {own:.0f} MB in the caller, {child:.0f} MB in the largest worker.")


if __name__ == "__main__":
    main()
