"""From the broken run to the checked repair: analyse, change, check the next run, compare the two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from logdoctor.cli import app

SAMPLES = Path(__file__).resolve().parents[1] / "sample_logs"
BROKEN, FIXED = SAMPLES / "q_divergence.log", SAMPLES / "q_divergence_fixed.log"


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("loop") / "report.json"
    code, _ = run("analyze", BROKEN, "--config", SAMPLES / "q_divergence_config.py", "-o", path)
    assert code == 1  # the run is critical
    return path


def unmet(text: str) -> list[dict[str, Any]]:
    return [item["expectation"] for item in json.loads(text)["judgements"] if item["state"] != "met"]


def test_report_asks_for_what_the_repair_does(report: Path) -> None:
    saved: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    changes = {c["parameter"]: (c["from"], c["to"]) for cause in saved["causes"] for c in cause["changes"]}
    assert changes["lr"] == (0.003, 0.001)
    assert changes["tau"] == (0.012, 0.005)
    assert changes["n_step"] == (8, 5)
    assert changes["gradient_accumulation_steps"] == (1, 4)
    watched = {(item["metric"], item["condition"]) for item in saved["watch"]}
    assert {("dqn_slope", ">"), ("q_max", ">"), ("dqn_reward_1m", ">=")} <= watched


def test_repaired_run_meets_every_expectation(report: Path) -> None:
    code, text = run("check", FIXED, "--against", report, "-f", "json", "--strict")
    assert code == 0, text
    assert unmet(text) == []


def test_broken_run_does_not(report: Path) -> None:
    code, text = run("check", BROKEN, "--against", report, "-f", "json")
    assert code == 1
    missed = {(item["metric"], item["condition"]) for item in unmet(text)}
    assert {("q_max", ">"), ("dqn_slope", "<"), ("LD401", "absent")} <= missed


def test_comparison_says_fixed_and_names_the_change() -> None:
    code, text = run("compare", BROKEN, FIXED, "-f", "json", "--fail-on", "warning")
    assert code == 0
    compared = json.loads(text)
    assert compared["outcome"] == "fixed", compared["headline"]
    assert "learning_rate" in text


def test_repaired_run_is_healthy_by_itself() -> None:
    code, text = run("analyze", FIXED, "--config", SAMPLES / "q_divergence_fixed_config.py", "-f", "json")
    assert code == 0
    assert json.loads(text)["verdict"] == "healthy"
