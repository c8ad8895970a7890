"""Scores become probabilities; the shipped numbers are what the procedure writes."""

from __future__ import annotations

import json
import math
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from logdoctor import calibration
from logdoctor.calibration import Calibration, cause_confidences, finding_confidence, logit, shares, squash
from logdoctor.registry import records

ROOT = Path(__file__).resolve().parents[1]
PLAIN = Calibration(temperature=1.0, none_score=0.0)


def test_shares_compete_with_each_other_and_with_none_of_these() -> None:
    found = shares([1.0, 0.0, -2.0], 1.0, 0.0)
    total = math.exp(1) + 1 + math.exp(-2) + 1
    assert found == pytest.approx([math.exp(1) / total, 1 / total, math.exp(-2) / total])
    assert sum(found) < 1


def test_shares_survive_huge_scores() -> None:
    assert shares([1e4, -1e4], 0.7, 0.0) == pytest.approx([1.0, 0.0])
    assert shares([], 1.0, 0.0) == []


def test_a_higher_temperature_says_less() -> None:
    cool, hot = (shares([3.0, 0.0], t, 0.0) for t in (1.0, 4.0))
    assert cool[0] > hot[0] > hot[1] > cool[1]


def test_confidences_rise_with_the_score_and_are_never_certain() -> None:
    found = [cause_confidences([score, 0.0], PLAIN)[0] for score in (-50.0, -1.0, 0.0, 2.0, 50.0)]
    assert found == sorted(found)
    assert found[0] == calibration.FLOOR
    assert found[-1] == calibration.CEILING


@pytest.mark.parametrize("p", [0.01, 0.3, 0.5, 0.99])
def test_logit_and_squash_undo_each_other(p: float) -> None:
    assert squash(logit(p)) == pytest.approx(p)


def test_a_rule_seen_often_is_believed_on_its_record_and_one_never_seen_on_its_prior() -> None:
    fit = Calibration(strength=8.0, severities={"critical": 0.9}, rules={"often": {"critical": (80, 8)}})
    assert finding_confidence("often", "critical", 0.9, fit) == pytest.approx((8 + 8 * 0.9) / 88)
    assert finding_confidence("never-seen", "critical", 0.9, fit) == pytest.approx(0.9)
    assert finding_confidence("never-seen", "critical", 0.5, fit) < 0.9
    assert finding_confidence("often", "info", 0.4, fit) == 0.4


def test_the_shipped_file_is_read() -> None:
    data = json.loads(resources.files("logdoctor").joinpath("data", "calibration.json").read_text(encoding="utf-8"))
    fit = calibration.load()
    assert fit.temperature == data["causes"]["temperature"]
    assert fit == calibration.from_data(data)
    names = {rule.name for rule in records("logdoctor.rules", "RULE").values()}
    assert set(fit.rules) <= names, "calibrated for rules that do not exist: run benchmarks/calibrate.py"
    assert all(0 <= failed <= fired for counts in fit.rules.values() for fired, failed in counts.values())


def test_the_cross_validated_confidences_hold() -> None:
    data = json.loads(resources.files("logdoctor").joinpath("data", "calibration.json").read_text(encoding="utf-8"))
    checked = data["cross_validation"]
    assert len(data["about"]["tasks"]) >= 5
    for view, figures in checked["causes"].items():
        assert figures["calibration_error"] < 0.05, view
        base = sum(row["count"] * row["true"] for row in figures["curve"]) / figures["count"]
        assert figures["brier"] < 0.6 * base * (1 - base), f"{view}: hardly better than the base rate"
    assert checked["findings"]["calibration_error"] < 0.1


def test_the_logistic_fit_finds_the_curve_it_was_made_from() -> None:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from calibrate import _logistic
    finally:
        sys.path.pop(0)
    draw = np.random.default_rng(5)
    x = draw.normal(size=20_000)
    y = (draw.random(x.size) < 1 / (1 + np.exp(-(0.5 + 2.0 * x)))).astype(float)
    assert _logistic(x, y) == pytest.approx((0.5, 2.0), abs=0.1)
