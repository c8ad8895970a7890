# ruff: noqa: E501 - a table of names
"""Every labelled training run: what is read equals what was handed to the printer, up to the printed digits."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest

from logdoctor.names import canonical, counter, is_clock
from logdoctor.reader import read_log
from tests.shared import SHARED, needs_shared

BENCHMARK = SHARED / "benchmark"
LABELS = BENCHMARK / "runs.jsonl"
RUNS = [json.loads(line) for line in LABELS.read_text().splitlines()] if LABELS.is_file() else []

# Columns whose name in the truth is not the one that is printed.
NAMED = {
    "Q-min": "q_min", "Q-max": "q_max", "reward": "episode_return", "positive_pct": "advantage_positive",
    "negative_pct": "advantage_negative", "logp_mean": "log_prob_mean", "logp_std": "log_prob_std", "policy_loss": "policy_loss",
    "baseline_loss": "value_loss", "l2_norm": "feature_l2_norm", "feat_mean": "feature_mean", "feat_std": "feature_std",
    "q1": "q_value", "episode_reward": "episode_return", "time_ms": "step_time", "tok_per_s": "tokens_per_second", "Rewards": "reward",
    "Buffer": None, "step_ms": None, "lm_loss": "loss",
    "eval_loss": "val_loss",
}  # fmt: skip
# Formats that print another figure than the truth column of that name holds.
OTHER = {
    ("torch_tutorial", "loss"),
    ("keras", "lr"),
    ("torch_tutorial", "lr"),
    ("torch_tutorial", "grad_norm"),
    ("keras", "grad_norm"),
}


def _series(run, column, layout):
    if column in NAMED:
        name = NAMED[column]
    elif layout == "nanogpt" and column == "train_loss":
        name = "train_loss"
    else:
        name = canonical(column).name
    if name == "episode_return" and layout.startswith("arcade"):
        name = "reward"
    return run.series.get(name) if name else None


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize("label", RUNS, ids=lambda label: label["id"])
def test_values_equal_the_truth(label):
    run = read_log(BENCHMARK / label["file"])
    with (BENCHMARK / "truth" / f"{label['id']}.csv").open() as file:
        rows = list(csv.DictReader(file))
    compared = 0
    for column in rows[0]:
        if column == "step" or counter(column) or is_clock(column) or (label["format"], column) in OTHER:
            continue
        given = [(float(row["step"]), float(row[column])) for row in rows if row[column] not in ("", None)]
        series = _series(run, column, label["format"])
        if series is None or not given:
            continue
        if column == "Clip\u0394" or column == "LR":
            continue
        assert len(series) == len(given), column
        truth = np.array([value for _, value in given])
        if truth.size and np.nanmax(np.abs(truth[np.isfinite(truth)]), initial=0.0) <= 1.0 and series.unit == "%":
            truth = truth * 100
        close = np.isclose(series.value, truth, rtol=0.006, atol=0.0505) | (np.isnan(series.value) & np.isnan(truth))
        close |= series.value == truth
        assert close.all(), (column, np.flatnonzero(~close)[:3])
        steps = np.array([step for step, _ in given])
        assert np.isclose(series.step, steps, rtol=0.05 if label["format"] == "arcade_compact" else 1e-9).all(), column
        assert series.nonfinite == sum(1 for value in truth if not math.isfinite(value))
        compared += 1
    assert compared >= 2
