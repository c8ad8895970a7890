"""The sample logs are what their generator makes, and their index names files that exist."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "sample_logs"
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
