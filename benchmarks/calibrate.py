"""Fit the confidences of causes and findings on labelled runs and write ``logdoctor/data/calibration.json``.

    python benchmarks/calibrate.py [--benchmark DIR] [--check]

Procedure (the same numbers come out of every run of this script):

1. Every run is judged three times: as given (with its configuration where it has one), from its log alone, and from its
   log without a third of its metrics. The second and third are what other programs, which print less, will look like;
   without them the confidences would only hold for the programs of the benchmark.
2. Causes: temperature and the score of "none of these" are searched on a grid, slope and intercept of the logistic
   curve are fitted to each by Newton's method with a small ridge; the pair with the least log-loss is taken. A cause
   counts as true when it is one of the injected ones. Four numbers are fitted.
3. Findings: for each rule and severity the number of runs in which it fired and of failed ones among them (runs whose
   fault did no harm are left out, as the scorer does), drawn to that of the severity by ``STRENGTH`` pseudo-runs.
4. Cross-validation leaves out one task at a time; its figures are written into the file and into docs/accuracy.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _labelled import SHARED, Judged, judged

from logdoctor.calibration import Calibration, finding_confidence, from_data, logit, shares, squash
from logdoctor.ranking import by_group

TARGET = Path(__file__).resolve().parents[1] / "logdoctor" / "data" / "calibration.json"
VIEWS = ("plain", "alone", "thinned")
TEMPERATURES = (0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
NONE_SCORES = (-3.0, -2.0, -1.0, 0.0, 1.0)
STRENGTH = 8.0  # pseudo-runs of the prior: a rule seen eight times is believed half on its own record
RIDGE = 1.0
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", type=Path, default=SHARED / "benchmark")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file would change")
    options = parser.parse_args()
    runs = list(judged(options.benchmark, *VIEWS))
    data = fit(runs)
    data["cross_validation"] = cross_validate(runs)
    data["about"] = {
        "written_by": "benchmarks/calibrate.py",
        "runs": len(runs) // len(VIEWS),
        "views": list(VIEWS),
        "tasks": sorted({run.task for run in runs}),
    }
    text = json.dumps(data, indent=1, sort_keys=True) + "\n"
    if options.check:
        raise SystemExit(0 if TARGET.read_text(encoding="utf-8") == text else "the calibration would change")
    TARGET.write_text(text, encoding="utf-8")
    print(json.dumps({k: data[k] for k in ("causes", "cross_validation")}, indent=1))


def fit(runs: Sequence[Judged]) -> dict[str, Any]:
    """Return the calibration of ``runs`` as the JSON object that the package reads."""
    return {"causes": _fit_causes(runs), "findings": _fit_findings(runs)}


# ------------------------------------------------------------------------------------------------------- causes
def _pairs(runs: Iterable[Judged], temperature: float, none_score: float) -> tuple[np.ndarray, np.ndarray]:
    """Return log-odds of the shares and truth, one entry a named cause."""
    x, y = [], []
    for run in runs:
        for group in dict.fromkeys(g for _, g, _ in run.scores):
            named = [(name, score) for name, g, score in run.scores if g == group]
            for share, (name, _) in zip(shares([s for _, s in named], temperature, none_score), named, strict=True):
                x.append(logit(share))
                y.append(name in run.true)
    return np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)


def _fit_causes(runs: Sequence[Judged]) -> dict[str, float]:
    best: tuple[float, dict[str, float]] | None = None
    for temperature in TEMPERATURES:
        for none_score in NONE_SCORES:
            x, y = _pairs(runs, temperature, none_score)
            intercept, slope = _logistic(x, y)
            loss = _log_loss(_squash(intercept + slope * x), y)
            if best is None or loss < best[0] - 1e-9:
                found = {
                    "temperature": temperature,
                    "none_score": none_score,
                    "intercept": round(intercept, 4),
                    "slope": round(slope, 4),
                }
                best = (loss, found)
    assert best is not None
    return best[1]


def _logistic(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Fit P(y) = squash(a + b x) by Newton's method, with a ridge that draws (a, b) towards (0, 1)."""
    theta, target = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    design = np.column_stack([np.ones_like(x), x])
    for _ in range(50):
        p = _squash(design @ theta)
        gradient = design.T @ (p - y) + RIDGE * (theta - target)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + RIDGE * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        theta = theta - step
        if float(np.abs(step).max()) < 1e-9:
            break
    return float(theta[0]), float(theta[1])


def _squash(x: np.ndarray) -> np.ndarray:
    return np.array([squash(float(v)) for v in x])


def _log_loss(p: np.ndarray, y: np.ndarray) -> float:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()) if y.size else math.nan


# ----------------------------------------------------------------------------------------------------- findings
def _fit_findings(runs: Sequence[Judged]) -> dict[str, Any]:
    fired: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    total: Counter[str] = Counter()
    sick: Counter[str] = Counter()
    for run in runs:
        if run.view != "plain" or (not run.failed and run.label["fault"] != "none"):
            continue
        for name, severity in sorted(
            {(f.name, f.severity) for f in run.findings if not f.benign and f.severity != "info"}
        ):
            fired[name][severity][0] += 1
            fired[name][severity][1] += run.failed
        for severity in sorted({f.severity for f in run.findings if not f.benign and f.severity != "info"}):
            total[severity] += 1
            sick[severity] += run.failed
    severities = {s: round((sick[s] + 1) / (total[s] + 2), 4) for s in sorted(total)}
    return {"strength": STRENGTH, "severities": severities, "rules": {n: dict(v) for n, v in sorted(fired.items())}}


# --------------------------------------------------------------------------------------------- cross-validation
def cross_validate(runs: Sequence[Judged]) -> dict[str, Any]:
    """Leave out one task at a time; return the figures on the runs left out."""
    causes: dict[str, list[tuple[float, bool]]] = {view: [] for view in VIEWS}
    first: dict[str, list[tuple[float, bool]]] = {view: [] for view in VIEWS}
    findings: list[tuple[float, bool]] = []
    for task in sorted({run.task for run in runs}):
        fitted = from_data(fit([run for run in runs if run.task != task]))
        for run in (run for run in runs if run.task == task):
            held = list(_held_out(run, fitted))
            causes[run.view] += held
            first[run.view] += held[:1]
            if run.view == "plain" and (run.failed or run.label["fault"] == "none"):
                findings += [
                    (finding_confidence(f.name, f.severity, f.confidence, fitted), run.failed)
                    for f in run.findings
                    if not f.benign and f.severity != "info"
                ]
    return {
        "causes": {view: _figures(pairs) for view, pairs in causes.items()},
        "first_cause": {view: _figures(pairs) for view, pairs in first.items()},
        "findings": _figures(findings),
    }


def _held_out(run: Judged, fitted: Calibration) -> Iterable[tuple[float, bool]]:
    confidences = by_group([(group, score) for _, group, score in run.scores], fitted)
    pairs = [(p, name in run.true) for p, (name, _, _) in zip(confidences, run.scores, strict=True)]
    return sorted(pairs, key=lambda pair: -pair[0])


def _figures(pairs: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    p, y = np.array([a for a, _ in pairs]), np.array([float(b) for _, b in pairs])
    if not p.size:
        return {"count": 0}
    table = []
    for low, high in itertools.pairwise(BINS):
        inside = (p > low) & (p <= high) if low > 0 else (p >= low) & (p <= high)
        if inside.any():
            table.append(
                {
                    "from": low,
                    "to": high,
                    "count": int(inside.sum()),
                    "said": round(float(p[inside].mean()), 3),
                    "true": round(float(y[inside].mean()), 3),
                }
            )
    error = sum(row["count"] * abs(row["said"] - row["true"]) for row in table) / p.size
    return {
        "count": int(p.size),
        "brier": round(float(((p - y) ** 2).mean()), 4),
        "log_loss": round(_log_loss(p, y), 4),
        "calibration_error": round(float(error), 4),
        "curve": table,
    }


if __name__ == "__main__":
    main()
