"""Measures how fast and in how much memory logs are read; prints the table and writes docs/performance.md.

    python benchmarks/reading.py                     # 20 MB a workload, 3 rounds
    python benchmarks/reading.py --mb 200 --rounds 5 --write
    python benchmarks/reading.py --kinds columns,jsonl --designs logdoctor,naive

Every run is a process of its own; the clock is its CPU time (``time.process_time``) without imports; rounds interleave
all designs. A result that differs from the generator's truth (count and sum of every column, sum of the line numbers)
is no result: the table then says "wrong" and the command ends with 1.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import workloads

ROOT = Path(__file__).resolve().parent.parent
TARGETS = {  # workload: at most, times read_csv; at least, times faster than the naive loop
    "columns": (3.0, 5.0),
    "keyvalue": (3.0, 5.0),
    "boxes": (8.0, 5.0),
    "dicts": (6.0, 10.0),
    "jsonl": (6.0, 4.0),
    "pipes": (6.5, 2.5),
}
DESIGNS = ("read_csv", "naive", "logdoctor", "stream")
NAN_LIMIT = 1.5
STREAM_LIMIT_MB, FRAME_LIMIT = 100, 2.5


# --- designs (run in a process of their own) ---------------------------------------------------------------------


def _read_csv(_log: Path, csv: Path) -> Any:
    import pandas as pd

    return lambda: pd.read_csv(csv, dtype="float64", engine="c")


def _logdoctor(log: Path, _csv: Path) -> Any:
    # Imports are not counted.
    import pandas as pd  # noqa: F401

    import logdoctor.fastpath.long  # noqa: F401
    from logdoctor.reader import read_log

    def run() -> Any:
        read = read_log(log)
        frame = read.frame
        frame.attrs["run"] = read
        return frame

    return run


def _stream(log: Path, _csv: Path) -> Any:
    import logdoctor.fastpath.long  # noqa: F401
    from logdoctor.reader import read_log

    return lambda: read_log(log, stream=True)


def _naive(log: Path, _csv: Path) -> Any:
    import pandas as pd

    records = _NAIVE[log.stem.split("-")[0]]

    def run() -> Any:
        with log.open(encoding="utf-8") as lines:
            return pd.DataFrame(list(records(lines)))

    return run


_NUMBER = r"([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf))"
_COLUMNS = re.compile(
    rf"\s*([\d.]+)([kMB]?)\s+{_NUMBER}\s+{_NUMBER}\s+\[{_NUMBER}, {_NUMBER}\]" + rf"\s+{_NUMBER}" * 4 + r"\s*$"
)
_SCALE = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9}
_ITER = re.compile(rf"iter (\d+): loss {_NUMBER}, time {_NUMBER}ms, mfu {_NUMBER}%$")
_STEP = re.compile(rf"step (\d+): train loss {_NUMBER}, val loss {_NUMBER}$")
_PIPE = re.compile(
    r" \[[^\]]*\] iteration\s+(\d+)/\s*(\d+) \| consumed samples:\s+(\d+) \| "
    rf"elapsed time per iteration \(ms\): {_NUMBER} \| "
    rf"learning rate: {_NUMBER} \| global batch size:\s+(\d+) \| lm loss: {_NUMBER} \| loss scale: {_NUMBER} \| "
    rf"grad norm: {_NUMBER} \| num zeros: {_NUMBER} \| params norm: {_NUMBER} \| "
    r"number of skipped iterations:\s+(\d+) \| number of nan iterations:\s+(\d+) \| "
    rf"throughput per GPU \(TFLOP/s/GPU\): {_NUMBER} \|$"
)
_BOX_LINE = re.compile(rf"\| +(\w+) +\| {_NUMBER} +\|$")


def _naive_columns(lines: Iterable[str]) -> Iterable[dict[str, float]]:
    names = ("sps", "return", "low", "high", "delta", "loss", "entropy", "kl")
    for number, line in enumerate(lines, 1):
        match = _COLUMNS.match(line)
        if match:
            cells = match.groups()
            row = {"line": number, "steps": float(cells[0]) * _SCALE[cells[1]]}
            yield row | {name: float(cell) for name, cell in zip(names, cells[2:], strict=True)}


def _naive_keyvalue(lines: Iterable[str]) -> Iterable[dict[str, float]]:
    for number, line in enumerate(lines, 1):
        if match := _ITER.match(line):
            i, loss, ms, mfu = map(float, match.groups())
            yield {"line": number, "iter": i, "loss": loss, "time": ms, "mfu": mfu}
        elif match := _STEP.match(line):
            i, train, held = map(float, match.groups())
            yield {"line": number, "iter": i, "train_loss": train, "val_loss": held}


def _naive_pipes(lines: Iterable[str]) -> Iterable[dict[str, float]]:
    names = (
        "iteration", "total", "consumed", "ms", "lr", "batch", "loss", "scale", "grad_norm", "zeros", "params_norm",
        "skipped", "nans", "tflops",
    )  # fmt: skip
    for number, line in enumerate(lines, 1):
        if match := _PIPE.match(line):
            yield {"line": number} | {name: float(cell) for name, cell in zip(names, match.groups(), strict=True)}


def _naive_boxes(lines: Iterable[str]) -> Iterable[dict[str, float]]:
    row: dict[str, float] = {}
    for number, line in enumerate(lines, 1):
        if line.startswith("-----"):
            if len(row) > 1:
                yield row
                row = {}
            else:
                row = {"line": number}
        elif match := _BOX_LINE.match(line):
            row[match[1]] = float(match[2])


def _naive_dicts(lines: Iterable[str]) -> Iterable[dict[str, float]]:
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            try:
                yield {"line": number} | ast.literal_eval(line)
            except ValueError:  # a bare nan is no literal
                yield {"line": number} | eval(line, {"nan": math.nan, "inf": math.inf})


def _naive_jsonl(lines: Iterable[str]) -> Iterable[dict[str, float]]:
    for number, line in enumerate(lines, 1):
        yield {"line": number} | json.loads(line)


_NAIVE: dict[str, Callable[[Iterable[str]], Iterable[dict[str, float]]]] = {
    "columns": _naive_columns,
    "keyvalue": _naive_keyvalue,
    "pipes": _naive_pipes,
    "boxes": _naive_boxes,
    "dicts": _naive_dicts,
    "jsonl": _naive_jsonl,
}
_MAKE = {"read_csv": _read_csv, "naive": _naive, "logdoctor": _logdoctor, "stream": _stream}


def _rss() -> float:
    """Return the resident memory now, in MB."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def worker(design: str, log: Path, csv: Path, truth: dict[str, Any]) -> dict[str, Any]:
    run = _MAKE[design](log, csv)
    before = _rss()
    start = time.process_time()
    result = run()
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    out = {"seconds": seconds, "memory": peak - before, "own": 0.0, "wrong": ""}
    if design == "stream":
        out["wrong"] = _check_series(result, truth)
    else:
        out["own"] = float(result.memory_usage(deep=True).sum()) / 1e6
        out["wrong"] = _check_frame(result, truth)
    return out


# --- is the result right? ----------------------------------------------------------------------------------------


def _check_frame(frame: Any, truth: dict[str, Any]) -> str:
    import numpy as np

    found: dict[str, tuple[int, float]] = {}
    for name in frame.columns:
        if frame[name].dtype.kind in "fi":
            values = frame[name].to_numpy(float)
            good = values[~np.isnan(values)]
            found[name] = (good.size, float(good.sum()))
    skipped = truth["counters"] if "run" in frame.attrs else ()
    taken = {name: _taken(found, want) for name, want in truth["columns"].items() if name not in skipped}
    wrong = [name for name, columns in taken.items() if not columns]
    if "run" in frame.attrs and not wrong:
        (column,) = taken[truth["everywhere"]]
        wrong += _check_places(frame.attrs["run"].series[column], truth)
    return ", ".join(wrong)


def _check_places(series: Any, truth: dict[str, Any]) -> list[str]:
    """Compare the sums of lines (up to a constant distance: a box is known by its first line) and of steps."""
    away = (int(series.line.sum()) - truth["line_sum"]) / max(1, len(series))
    wrong = [] if away.is_integer() and 0 <= away < 20 else [f"lines are {away} away"]
    if not math.isclose(float(series.step.sum()), truth["step_sum"], rel_tol=1e-9):
        wrong.append(f"steps add up to {float(series.step.sum())}, not {truth['step_sum']}")
    return wrong


def _taken(found: dict[str, tuple[int, float]], want: dict[str, Any]) -> tuple[str, ...]:
    """Take the column, or the two columns (a metric printed by two kinds of lines), with this count and sum."""
    groups = [(a,) for a in found] + [(a, b) for a in found for b in found if a < b]
    for names in groups:
        count = sum(found[name][0] for name in names)
        total = sum(found[name][1] for name in names)
        if count == want["count"] and math.isclose(total, want["sum"], rel_tol=1e-9, abs_tol=1e-9):
            for name in names:
                if name not in {"step", "time"}:  # a counter may serve as the step and as a column
                    del found[name]
            return names
    return ()


def _check_series(run: Any, truth: dict[str, Any]) -> str:
    """A streamed log has no rows: all its printed values must be counted, in few points with their extremes."""
    counts = [series.count - series.nonfinite for series in run.series.values()]
    wrong = [
        name
        for name, want in truth["columns"].items()
        if name not in truth["counters"]
        and want["count"] not in counts
        and want["count"] not in [a + b for a in counts for b in counts]
    ]
    wrong += [name for name, series in run.series.items() if run.reading.streamed and len(series) > 4096]
    return ", ".join(wrong)


# --- the rounds --------------------------------------------------------------------------------------------------


def measure(design: str, log: Path, csv: Path, truth: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, __file__, "--worker", design, str(log), str(csv)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, input=json.dumps(truth), capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        return {"seconds": math.nan, "memory": math.nan, "own": math.nan, "wrong": done.stderr.strip()[-300:]}
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def rounds(arguments: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for kind in arguments.kinds:
        cases = {kind: 0.0} | ({f"{kind}-nan": 0.3} if not arguments.no_nan else {})
        files = {}
        for case, share in cases.items():
            log, csv = folder / f"{case}.log", folder / f"{case}.csv"
            files[case] = (log, csv, workloads.write(kind, arguments.mb, log, csv, nan_share=share))
        runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for number in range(arguments.rounds):
            order = [(case, d) for case in cases for d in arguments.designs if case == kind or d == "logdoctor"]
            for case, design in order if number % 2 == 0 else reversed(order):
                if design == "naive" and kind == "dicts" and arguments.mb > 50 and number:
                    continue  # ast.literal_eval takes half a minute at 200 MB: one round
                runs.setdefault((case, design), []).append(measure(design, *files[case]))
        table[kind] = _summary(kind, runs) | {"megabytes": files[kind][2]["bytes"] / 1e6}
        print(_row(kind, table[kind]), flush=True)
        for log, csv, _ in files.values():
            log.unlink()
            csv.unlink()
    return table


def _summary(kind: str, runs: dict[tuple[str, str], list[dict[str, Any]]]) -> dict[str, Any]:
    out: dict[str, Any] = {"wrong": {}}
    for (case, design), results in runs.items():
        name = design if case == kind else "nan"
        for key in ("seconds", "memory", "own"):
            out[f"{name}.{key}"] = statistics.median(r[key] for r in results)
        bad = [r["wrong"] for r in results if r["wrong"]]
        if bad:
            out["wrong"][name] = bad[0]
    return out


HEAD = (
    "| workload | MB/s | x read_csv | at most | x faster than naive | at least | 30 % NaN | frame memory / own size "
    "| streamed: x read_csv | streamed: MB |\n|---|---|---|---|---|---|---|---|---|---|"
)


def _row(kind: str, r: dict[str, Any]) -> str:
    def ratio(a: str, b: str) -> str:
        value = r.get(a, math.nan) / r.get(b, math.nan)
        return "-" if math.isnan(value) else f"{value:.2f}"

    most, least = TARGETS[kind]
    speed = r["megabytes"] / r.get("logdoctor.seconds", math.nan)
    cells = [
        workloads.TITLES[kind],
        f"{speed:.0f}",
        ratio("logdoctor.seconds", "read_csv.seconds"),
        f"{most}",
        ratio("naive.seconds", "logdoctor.seconds"),
        f"{least}",
        ratio("nan.seconds", "logdoctor.seconds"),
        ratio("logdoctor.memory", "logdoctor.own"),
        ratio("stream.seconds", "read_csv.seconds"),
        f"{r.get('stream.memory', math.nan):.0f}",
    ]
    wrong = "".join(f"\n  WRONG {name}: {text}" for name, text in r["wrong"].items())
    return "| " + " | ".join(cells) + " |" + wrong


def document(table: dict[str, dict[str, Any]], arguments: argparse.Namespace) -> str:
    import numpy as np
    import pandas as pd

    rows = "\n".join(_row(kind, r) for kind, r in table.items())
    machine = (
        f"Python {platform.python_version()}, pandas {pd.__version__}, numpy {np.__version__}, {os.cpu_count()} cores"
    )
    return TEXT.format(
        rows=rows, head=HEAD, machine=machine, mb=arguments.mb, rounds=arguments.rounds, nan=NAN_LIMIT,
        frame=FRAME_LIMIT, stream=STREAM_LIMIT_MB,
    )  # fmt: skip


TEXT = """# Speed and memory

Written by `python benchmarks/reading.py --mb {mb:g} --rounds {rounds} --write`; do not edit by hand.

{head}
{rows}

{machine}. One process a run, CPU seconds without imports, median of {rounds} interleaved rounds, logs of {mb:g} MB from
`benchmarks/workloads.py`. Everything is on: format detection, learning the shapes, the slow path, line numbers.
`read_csv` is pandas' C reader on the same numbers as clean CSV; the naive loop matches one regular expression a line
(`ast.literal_eval` or `json.loads` where the line is a literal), fills dictionaries and makes a dataframe of them.
Every run is compared with the truth of the generator: count and sum of each column and the line numbers.

Goals: the two "at most / at least" columns; 30 % NaN at most {nan} times the same log without; the dataframe at most
{frame} times its own size; a streamed log at most {stream} MB over the imports, at any size.

## How

A log is read by the parsers line by line only until the shapes of its lines are known. From then on
`logdoctor/fastpath` walks each shape over some megabytes of lines at once, one cursor a line:

1. literal bytes are compared 32 at a time, all of them; runs of spaces and digits are counted inside 64-bit words;
2. digits are summed eight at a time inside 64-bit words, and the decimal is rounded to a double exactly as `float()`
   does (a single IEEE operation where mantissa and power of ten are exact, a quotient with known remainder for up to
   19 digits, `float()` itself for the few that lie too close to the middle between two doubles);
3. a line that differs from its shape in any byte that is not a number goes back to the parsers, in its place and with
   its line number; what they read teaches new shapes;
4. in the first piece of the log with records of a kind, and in a quarter of the others, one of them is read a second
   time by the parsers and compared bit by bit; after one difference all records of this kind are read one by one.

Which cells are metrics, their names and their steps are decided on a sample of records (stretches from all over the
log, extremes, restarts, everything read alone) by the very code that decides for short logs, and carried over by rules
that are checked on the sample (`decide.py`); records for which no rule holds are read one by one. The arrays that the
records were read into become the columns of the table in place (`places.py`, `whole.py`); series and the dataframe are
made when they are asked for and share that memory until one of them is written to (pandas copies on write). On most
machines memory that a process touches for the first time costs more than the work done on it.

Other measurements: `python benchmarks/detectors.py` (20 series of 1e6 points in at most 0.3 s) and
`python benchmarks/startup.py` (`--help` at most 1.5 times a bare typer application; a 1 MB log analysed in at most
twice the time of its imports).

Above 64 MB `analyze` and `watch` keep, for each metric, at most 4096 bins with the smallest, the largest and a middle
printed value and their lines (`logdoctor/streaming.py`); `read_log(path)` keeps every row. A streamed log is never kept
as a whole: of records that have no common shape one in 2, 4, 8 ... is kept, and the report says so.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", type=lambda t: t.split(","), default=list(TARGETS))
    parser.add_argument("--designs", type=lambda t: t.split(","), default=list(DESIGNS))
    parser.add_argument("--no-nan", action="store_true", help="leave the runs with NaN in 30 %% of the rows out")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        design, log, csv = arguments.worker
        print(json.dumps(worker(design, Path(log), Path(csv), json.load(sys.stdin))))
        return 0
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        table = rounds(arguments, Path(folder))
    if arguments.write:
        (ROOT / "docs" / "performance.md").write_text(document(table, arguments))
    return int(any(r["wrong"] for r in table.values()))


if __name__ == "__main__":
    sys.exit(main())
