"""The sample logs are what their generator makes, and the program finds in each what the index says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from logdoctor.engine import diagnose

FOLDER = Path(__file__).resolve().parents[1] / "sample_logs"
NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
INDEX = tomllib.loads((FOLDER / "index.toml").read_text(encoding="utf-8"))["log"]


def test_generator_makes_the_committed_logs_byte_for_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(FOLDER / "make.py"), str(tmp_path)], check=True, timeout=60)
    made = {path.name: path.read_bytes() for path in tmp_path.glob("*.log")}
    committed = {path.name: path.read_bytes() for path in FOLDER.glob("*.log")}
    assert made == committed


def test_index_names_every_log_once() -> None:
    assert sorted(item["file"] for item in INDEX) == sorted(path.name for path in FOLDER.glob("*.log"))


@pytest.mark.parametrize(
    ("file", "figures"),
    [
        ("zero_init_head.log", ["0.00722", "0.01572", "0.01385", "0.01837", "0.01926", "45.1%", "40.2%", "65.8%"]),
        ("q_divergence.log", ["324.56]", "1024.10]", "1308.56]", "1779.30]", "1999.62]", "15.95]", "1.131", "-0.190"]),
        ("loss_explosion.log", ["5193.607", "agree_pct=10.0%", "agree_pct=90.0%"]),
        ("feature_explosion.log", ["7363360194560.000", "14314894336.000", "325102632960.000", "973.88", "60.19"]),
        ("policy_collapse.log", ["-0.005360", "36.6%", "63.4%", "Mean: -0.000000", "Total norm: 0.000000"]),
        ("healthy_policy.log", ["-0.005719", "0.117366", "7.770147"]),
    ],
)
def test_log_passes_through_the_published_figures(file: str, figures: list[str]) -> None:
    text = (FOLDER / file).read_text(encoding="utf-8")
    assert [figure for figure in figures if figure not in text] == []


@pytest.mark.parametrize("item", INDEX, ids=[item["file"] for item in INDEX])
def test_program_finds_what_the_index_says(item: dict[str, object]) -> None:
    config = FOLDER / str(item["config"]) if "config" in item else None
    diagnosis = diagnose(FOLDER / str(item["file"]), hyperparameters=config)
    told = {f.name for f in diagnosis.findings if f.severity != "info" and not f.benign}
    assert diagnosis.verdict in item["verdict"], diagnosis.headline  # type: ignore[operator]
    assert set(item.get("findings", [])) <= told  # type: ignore[call-overload]
    assert set(item.get("benign", [])) <= {f.name for f in diagnosis.findings if f.benign}  # type: ignore[call-overload]
    if "causes" in item:
        assert diagnosis.causes[0].id in item["causes"]  # type: ignore[operator]
    assert [check.why for check in diagnosis.checks if check.state == "failed"] == []
    cited = {(e.metric, e.value) for f in diagnosis.findings for e in f.evidence}
    assert {tuple(pair) for pair in item.get("figures", [])} <= cited  # type: ignore[attr-defined]


@pytest.mark.parametrize("item", INDEX, ids=[item["file"] for item in INDEX])
def test_every_cited_value_stands_on_its_line(item: dict[str, object]) -> None:
    path = FOLDER / str(item["file"])
    lines = path.read_text(encoding="utf-8").splitlines()
    diagnosis = diagnose(path)
    cited = [e for f in diagnosis.findings for e in f.evidence if isinstance(e.value, float)]
    for evidence in cited:
        printed = [float(n.replace(",", "")) for n in NUMBER.findall(lines[evidence.line - 1])]
        if "_action_share_" in evidence.metric:  # a printed distribution is kept as shares of its sum
            printed = [n / sum(printed) for n in printed]
        assert any(abs(n - evidence.value) <= 1e-9 * abs(evidence.value) for n in printed), evidence
