"""Measures what starting costs, in CPU time of the whole process.

    python benchmarks/startup.py

Limits that we hold: ``logdoctor --help`` at most 1.5 times a bare typer application and without numpy, pandas or scipy;
a log of 1 MB analysed in at most twice the time that the imports of that very run take. Ends with 1 when one is broken.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import workloads

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9
HELP_LIMIT, ANALYZE_LIMIT = 1.5, 2.0
HEAVY = ("numpy", "pandas", "scipy")

BARE = """
import typer
app = typer.Typer()
@app.command()
def analyze(
    log: str, format: str = typer.Option("json", help="The output."), output: str = typer.Option("", help="A file.")
):
    "Read a log."
@app.command()
def compare(before: str, after: str):
    "Compare two."
app()
"""
CLI = "import sys; from logdoctor.cli import main; sys.exit(main())"
MODULES = """
import json, sys
from logdoctor.cli import main
try:
    main()
except SystemExit:
    pass
print("\\n" + json.dumps([name for name in sys.modules if sys.modules[name] is not None]))
"""
IMPORTS = """
import importlib, json, sys
for name in json.load(open(sys.argv[1])):
    try:
        importlib.import_module(name)
    except Exception:
        pass
"""


def cpu(code: str, *arguments: str) -> float:
    """Return the CPU seconds of a python process that runs ``code``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def modules(*arguments: str) -> list[str]:
    """Return the modules that a run of the command line has loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", MODULES, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    loaded: list[str] = json.loads(done.stdout.strip().splitlines()[-1])
    return loaded


def tops(names: list[str]) -> list[str]:
    """Return the modules whose import brings the others (top packages and our own)."""
    return [name for name in names if "." not in name or name.startswith(("logdoctor.", "scipy.", "pandas."))]


def main() -> int:
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "small.log"
        workloads.write("columns", 1.0, log)
        names = Path(folder) / "modules.json"
        names.write_text(json.dumps(tops(modules("analyze", str(log), "-f", "json"))))
        runs = {
            "bare typer --help": (BARE, "--help"),
            "logdoctor --help": (CLI, "--help"),
            "imports of analyze": (IMPORTS, str(names)),
            "analyze a 1 MB log": (CLI, "analyze", str(log), "-f", "json"),
        }
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(ROUNDS):
            for name, command in runs.items():
                times[name].append(cpu(*command))
        loaded = modules("--help")
        analysed = json.loads(names.read_text())
    middle = {name: statistics.median(values) for name, values in times.items()}
    print("| run | CPU, ms |\n|---|---|")
    for name, value in middle.items():
        print(f"| {name} | {1e3 * value:.0f} |")
    for title, limit, a, b in (
        ("--help / bare typer", HELP_LIMIT, "logdoctor --help", "bare typer --help"),
        ("analyze / its imports", ANALYZE_LIMIT, "analyze a 1 MB log", "imports of analyze"),
    ):
        ratio = middle[a] / middle[b]
        print(f"{title}: {ratio:.2f} (limit {limit})")
        failed += [f"{title} is {ratio:.2f}"] if ratio > limit else []
    failed += [f"--help loads {name}" for name in HEAVY if name in loaded]
    failed += ["analyze loads scipy.stats"] if "scipy.stats" in analysed else []
    print("analyze loads:", ", ".join(name for name in HEAVY if name in analysed) or "none of " + ", ".join(HEAVY))
    print("\n".join(f"FAILED: {text}" for text in failed))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
