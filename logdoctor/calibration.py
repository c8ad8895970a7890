"""Turns scores into probabilities that were measured on labelled runs.

The numbers live in ``data/calibration.json``, which ``benchmarks/calibrate.py`` writes from a labelled benchmark by a
stated procedure. Without that file the functions fall back to untempered odds, so that nothing depends on its
presence.

* Causes: the scores of one run compete. With temperature T and the score N of "none of these", the share of cause i is
``s_i = exp(x_i / T) / (exp(N / T) + sum_j exp(x_j / T))``; a logistic curve ``a + b logit(s_i)`` maps it to the share
of true causes among those given it.
* Findings: the share of truly failed runs among those in which the rule fired, drawn towards the overall share for its
  severity by a Beta prior of a few pseudo-runs, so that a rule seen twice does not claim certainty.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

FLOOR, CEILING = 0.01, 0.99  # nothing read from a log alone is certain


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The fitted numbers. ``rules`` maps a rule name to (runs it fired in, failed ones among them), by severity."""

    temperature: float = 1.0
    none_score: float = -1.0
    intercept: float = 0.0
    slope: float = 1.0
    strength: float = 5.0
    severities: Mapping[str, float] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)


@cache
def load() -> Calibration:
    """Return the calibration shipped with the package."""
    try:
        text = resources.files("logdoctor").joinpath("data", "calibration.json").read_text(encoding="utf-8")
    except (FileNotFoundError, ModuleNotFoundError):
        return Calibration()
    return from_data(json.loads(text))


def from_data(data: Mapping[str, Any]) -> Calibration:
    """Build a calibration from its JSON object."""
    causes, findings = data.get("causes", {}), data.get("findings", {})
    return Calibration(
        temperature=float(causes.get("temperature", 1.0)),
        none_score=float(causes.get("none_score", -1.0)),
        intercept=float(causes.get("intercept", 0.0)),
        slope=float(causes.get("slope", 1.0)),
        strength=float(findings.get("strength", 5.0)),
        severities={str(k): float(v) for k, v in findings.get("severities", {}).items()},
        rules={
            str(name): {str(s): (int(c[0]), int(c[1])) for s, c in counts.items()}
            for name, counts in findings.get("rules", {}).items()
        },
    )


def shares(scores: Sequence[float], temperature: float, none_score: float) -> list[float]:
    """Return the share of each score against the others and against "none of these"."""
    if not scores:
        return []
    top = max(*scores, none_score)
    weights = [math.exp((s - top) / temperature) for s in scores]
    total = sum(weights) + math.exp((none_score - top) / temperature)
    return [w / total for w in weights]


def logit(p: float) -> float:
    """Return the log-odds of ``p``, held away from 0 and 1."""
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def squash(x: float) -> float:
    """Return the probability whose log-odds are ``x``."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def cause_confidences(scores: Sequence[float], fitted: Calibration | None = None) -> list[float]:
    """Return, for the scores of one run's causes, the probability that each is a true cause."""
    fit = fitted or load()
    raw = shares(scores, fit.temperature, fit.none_score)
    return [_held(squash(fit.intercept + fit.slope * logit(s))) for s in raw]


def finding_confidence(name: str, severity: str, stated: float, fitted: Calibration | None = None) -> float:
    """Return the probability that a run is truly sick when the rule ``name`` fires at ``severity``.

    The rule's own ``stated`` confidence sets the prior together with the share measured for the severity; ``info``
    findings, which are remarks and no alarms, keep their own.
    """
    fit = fitted or load()
    if severity not in fit.severities:
        return stated
    prior = squash(0.5 * (logit(stated) + logit(fit.severities[severity])))
    fired, failed = fit.rules.get(name, {}).get(severity, (0, 0))
    return _held((failed + fit.strength * prior) / (fired + fit.strength))


def _held(p: float) -> float:
    return min(max(p, FLOOR), CEILING)
