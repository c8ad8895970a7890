"""Diagnose the labelled benchmark runs and score the diagnoses.

    python benchmarks/run_benchmark.py [--benchmark DIR] [--out DIR] [--baseline] [--score SCRIPT] [ID ...]

Each log is diagnosed alone, with its sidecar configuration where it has one (``--baseline`` adds the healthy siblings
that ``siblings.json`` names). Diagnoses go to OUT as JSON lines; labels are never shown to the diagnosis.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from logdoctor import diagnose

SHARED = Path(os.environ.get("LOGDOCTOR_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="*", help="only these runs")
    parser.add_argument("--benchmark", type=Path, default=SHARED / "benchmark")
    parser.add_argument("--out", type=Path, default=Path("build") / "benchmark")
    parser.add_argument("--score", type=Path, default=SHARED / "tools" / "score_benchmark.py")
    parser.add_argument("--baseline", action="store_true")
    options = parser.parse_args()
    labels = [json.loads(line) for line in (options.benchmark / "runs.jsonl").read_text().splitlines() if line.strip()]
    wanted = [label for label in labels if not options.ids or label["id"] in options.ids]
    siblings = json.loads((options.benchmark / "siblings.json").read_text()) if options.baseline else {}
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    with (options.out / "diagnoses.jsonl").open("w", encoding="utf-8") as out:
        for label in wanted:
            out.write(json.dumps(_diagnosis(options.benchmark, label, siblings.get(label["id"], []))) + "\n")
    print(f"{len(wanted)} logs in {time.perf_counter() - began:.1f} s -> {options.out}")
    if not options.ids:
        command = [sys.executable, str(options.score), str(options.out), "--labels", str(options.benchmark)]
        raise SystemExit(subprocess.run(command, check=False).returncode)


def _diagnosis(home: Path, label: dict[str, object], siblings: list[str]) -> dict[str, object]:
    config = home / str(label["config"]) if label["config"] else None
    baseline = [home / name for name in siblings] or None
    found = diagnose(home / str(label["file"]), hyperparameters=config, baseline=baseline)
    return {**found.to_dict(), "file": label["file"]}


if __name__ == "__main__":
    main()
