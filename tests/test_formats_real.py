# ruff: noqa: E501 - the lines are those of logs
"""The real samples, read twice: by the reader and by one plain expression per metric, value by value and line by line."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from logdoctor.reader import read_log
from tests.shared import SHARED, needs_shared

FORMATS = SHARED / "real_logs" / "formats"
N = r"([-+]?(?:\d[\d,]*\.?\d*(?:[eE][-+]?\d+)?|nan|NaN|inf))"
Points = list[tuple[int, float]]


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _text(name: str) -> list[str]:
    return (FORMATS / name).read_bytes().decode("utf-8", errors="replace").split("\n")


def by_regex(name: str, pattern: str) -> Points:
    """Line and first group of every line that ``pattern`` finds."""
    found = re.compile(pattern)
    return [(n, _number(m.group(1))) for n, line in enumerate(_text(name), 1) if (m := found.search(line))]


def by_csv(name: str, column: str, delimiter: str = ",") -> Points:
    lines = _text(name)
    start = next(i for i, line in enumerate(lines) if delimiter in line and not line.startswith("#{"))
    rows = csv.reader((line.rstrip("\r") for line in lines[start:]), delimiter=delimiter)
    header = [title.strip() for title in next(rows)]
    at = header.index(column)
    return [(start + 2 + i, float(row[at])) for i, row in enumerate(rows) if len(row) > at and row[at] != ""]


def by_json(name: str, *path: str) -> Points:
    out = []
    for number, line in enumerate(_text(name), 1):
        brace = line.find("{")
        if brace < 0:
            continue
        try:
            value = json.loads(line[brace:])
        except ValueError:
            continue
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            out.append((number, float(value)))
    return out


def regex(pattern: str) -> Callable[[str], Points]:
    return lambda name: by_regex(name, pattern)


def column(title: str, delimiter: str = ",") -> Callable[[str], Points]:
    return lambda name: by_csv(name, title, delimiter)


def keys(*path: str) -> Callable[[str], Points]:
    return lambda name: by_json(name, *path)


# file, canonical metric, how to find its values without the reader, first and last step, unit of the steps, values.
# First and last steps and the counts were read off the files by hand.
CASES: list[tuple[str, str, Callable[[str], Points], float, float, str, int]] = [
    ("alphazero_quoridor.log", "loss", regex(rf"epoch \d+/\d+  loss={N}"), 1, 6, "epochs", 6),
    ("alphazero_quoridor.log", "val_loss", regex(rf"  val={N}"), 1, 6, "epochs", 6),
    (
        "baselines_gail_table.log",
        "episode_return",
        regex(rf"\| mean 100 episode reward\s+\| {N}"),
        4,
        1816,
        "episodes",
        22,
    ),
    ("baselines_gail_table.log", "value_loss", regex(rf"\| value loss\s+\| {N}"), 4, 1816, "episodes", 22),
    ("basicsr_paddle_ansi.log", "loss", regex(rf"l_pix: {N}"), 100, 15800, "iterations", 158),
    ("caffe_rmsprop.log", "loss", regex(rf"Iteration \d+, loss = {N}"), 0, 2600, "iterations", 131),
    ("caffe_rmsprop.log", "train_loss", regex(rf"Train net output #0: loss = {N}"), 0, 2580, "iterations", 130),
    ("cleanrl_output.log", "episode_return", regex(rf"episodic return={N}"), 22528, 57344, "env steps", 400),
    ("deepmd_lcurve.log", "val_error", regex(rf"^\s*\d+\s+{N}"), 0, 39800, "steps", 399),
    ("detectron2.log", "loss", regex(rf"total_loss: {N}"), 19, 1979, "iterations", 99),
    ("detectron2.log", "data_time", regex(rf"data_time: {N}"), 19, 1979, "iterations", 99),
    ("dreamer_metrics.jsonl", "episode_return", keys("train/return"), 50, 4300, "steps", 86),
    ("fairseq_hydra.log", "loss", keys("loss"), 200, 4600, "updates", 23),
    ("fairseq_hydra.log", "val_loss", keys("valid_loss"), 479, 4791, "updates", 10),
    ("gluoncv_mxnet.log", "accuracy", regex(rf"Batch \[\d+\].*accuracy={N}"), 49, 17849, "batches", 357),
    ("gluoncv_mxnet.log", "val_error", regex(rf"validation: err-top1={N}"), 1250, 17500, "batches", 14),
    ("hf_trainer_state.json", "loss", regex(rf'^      "loss": {N}'), 401, 12030, "steps", 30),
    ("hf_trainer_state.json", "val_g0_loss", regex(rf'"eval_g0_loss": {N}'), 0, 12030, "steps", 31),
    ("impala_learner.log", "value_loss", regex(rf"value loss: {N}"), 972, 1347, "episodes", 173),
    ("impala_learner.log", "entropy", regex(rf"entropy: {N}"), 972, 1347, "episodes", 173),
    ("keras_csvlogger.csv", "val_loss", column("val_loss"), 0, 108, "epochs", 144),
    ("lightning_metrics.csv", "loss_step", column("train_loss_step"), 49, 6299, "steps", 126),
    ("lightning_metrics.csv", "loss_epoch", column("train_loss_epoch"), 62, 6299, "steps", 100),
    ("llamafactory_trainer_log.jsonl", "loss", keys("loss"), 10, 1510, "steps", 300),
    ("llmc_nan.log", "loss", regex(rf"^step\s+\d+/\d+ \| loss\s+{N}"), 1, 330, "steps", 330),
    ("llmc_nan.log", "learning_rate", regex(rf"\| lr {N}"), 1, 330, "steps", 330),
    ("llmc_nan.log", "tokens_per_second", regex(rf"\| {N} tok/s"), 1, 330, "steps", 330),
    ("megatron_deepspeed.log", "loss", regex(rf"lm-loss: {N}"), 1, 49, "iterations", 49),
    ("mmcv_log.jsonl", "loss", keys("loss"), 1, 344, "iterations", 344),
    ("modded_nanogpt.log", "val_loss", regex(rf"val_loss:{N}"), 125, 3175, "steps", 27),
    ("nanochat_sft_nan.log", "loss", regex(rf"\| loss: {N}"), 1, 133, "steps", 133),
    ("nanogpt.log", "loss", regex(rf"^iter \d+: loss {N}"), 10, 3720, "iterations", 371),
    ("nanogpt.log", "val_loss", regex(rf"val loss {N}"), 0, 2500, "iterations", 12),
    ("olmo_block.log", "loss", regex(rf"train/CrossEntropyLoss={N}"), 5930, 5966, "steps", 38),
    ("olmo_block.log", "grad_norm", regex(rf"optim/total_grad_norm={N}"), 5930, 5966, "steps", 37),
    ("pix2pix_loss.log", "d_a", regex(rf"D_A: {N}"), 100, 37600, "iterations", 398),
    ("rllib_result.jsonl", "episode_return", keys("episode_reward_mean"), 54500, 1952000, "env steps", 16),
    ("sb3_monitor.csv", "episode_return", column("r"), 33, 48831, "env steps", 389),
    ("sb3_ppo_table.log", "episode_return", regex(rf"ep_rew_mean\s+\| {N}"), 2048, 36864, "env steps", 18),
    ("sb3_ppo_table.log", "kl", regex(rf"approx_kl\s+\| {N}"), 4096, 36864, "env steps", 17),
    ("sb3_progress.csv", "episode_return", column("rollout/ep_rew_mean"), 2048, 559104, "env steps", 273),
    ("sb3_progress.csv", "eval_return", column("eval/mean_reward"), 10000, 560000, "env steps", 56),
    ("spinningup_progress.tsv", "episode_return", column("AverageEpRet", "\t"), 1000, 10000, "env steps", 10),
    ("stylegan_tick.log", "fid", keys("results", "fid50k_full"), 0, 800, "images x 1000", 3),
    ("stylegan_tick.log", "augment", regex(rf"augment {N}"), 0, 1136, "images x 1000", 285),
    ("tf_estimator_bert.log", "steps_per_second", regex(rf"global_step/sec: {N}"), 300, 5300, "steps", 52),
    ("torch7_json_stats.log", "loss", keys("loss"), 1, 60, "epochs", 60),
    ("torch7_json_stats.log", "val_accuracy", keys("test_acc"), 1, 60, "epochs", 60),
    ("torchvision_imagenet.log", "loss", regex(rf"^Epoch: .*\tLoss {N}"), 0, 66065, "batches", 344),
    ("torchvision_imagenet.log", "loss_avg", regex(rf"^Epoch: .*\tLoss \S+ \(\s*{N}\)"), 0, 66065, "batches", 344),
    ("trl_dpo.log", "loss", regex(rf"\{{'loss': {N}"), 0.06, 1.0, "epochs", 16),
    ("trl_dpo.log", "val_loss", regex(rf"'eval_loss': {N}"), 0.31, 0.94, "epochs", 3),
    ("verl_ppo.log", "policy_loss", regex(rf"actor/pg_loss:{N}"), 81, 105, "steps", 25),
    ("verl_ppo.log", "kl", regex(rf"critic/kl:{N}"), 81, 105, "steps", 25),
    ("xgboost.log", "error", regex(rf"train-rmse:{N}"), 801, 197, "rounds", 397),
    ("xgboost.log", "val_error", regex(rf"validation-rmse:{N}"), 801, 197, "rounds", 397),
    ("yolov7_nohup.log", "quality", regex(rf"^\s+all(?:\s+\S+){{4}}\s+{N}"), 0, 2, "epochs", 3),
]


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_every_value_of_a_metric_is_read(case):
    name, metric, independent, first, last, unit, count = case
    run = read_log(FORMATS / name)
    series = run.series[metric]
    expected = independent(name)
    assert len(expected) == count
    assert series.line.tolist() == [line for line, _ in expected]
    np.testing.assert_allclose(series.value, [value for _, value in expected], rtol=1e-12)
    assert series.step[0] == pytest.approx(first)
    assert series.step[-1] == pytest.approx(last)
    clock = next(c for c in run.reading.clocks if (c.primary if series.clock is None else c.name == series.clock))
    assert clock.unit == unit


@needs_shared
@pytest.mark.shared
def test_bars_keep_their_last_state_alone():
    two = read_log(FORMATS / "keras2_bar.log")
    ends = [
        n
        for n, line in enumerate(_text("keras2_bar.log"), 1)
        if line.startswith("10105/10105") or line.startswith("10613/10613")
    ]
    loss = two.series["loss"]
    assert loss.step.tolist() == list(range(1, 68))
    assert loss.line.tolist()[:-1] == ends[: len(loss) - 1]
    three = read_log(FORMATS / "keras3_bar.log")
    assert three.series["val_loss"].value.tolist() == [0.3245]
    assert three.series["accuracy"].step.tolist() == [2, 3]
    rows = read_log(FORMATS / "yolov7_nohup.log").series["box"]
    assert rows.step.tolist() == [0, 1, 2, 3]
    assert rows.value[-1] == 0.05886


@needs_shared
@pytest.mark.shared
def test_a_document_of_lists_is_read():
    run = read_log(FORMATS / "kerasrl_history.json")
    document = json.loads((FORMATS / "kerasrl_history.json").read_text())
    assert run.series["episode_return"].value.tolist() == document["episode_reward"]
    assert run.series["episode_return"].step[-1] == document["nb_steps"][-1] == 9922
    given = [value for value in document["loss"] if value is not None and not math.isnan(value)]
    assert run.series["loss"].value[~np.isnan(run.series["loss"].value)].tolist() == given


@needs_shared
@pytest.mark.shared
def test_nan_losses_are_counted_and_the_finite_evaluation_is_apart():
    run = read_log(FORMATS / "stgcn_nan.log")
    printed = by_regex("stgcn_nan.log", rf"mean_loss: {N}")
    nan = sum(1 for _, value in printed if math.isnan(value))
    seen = [series for name, series in run.series.items() if "loss" in name]
    assert sum(series.nonfinite for series in seen) == nan
    assert sum(len(series) for series in seen) >= len(printed)
    assert run.series["val_loss"].nonfinite == 0
    assert run.series["val_accuracy"].value[-1] == 40.0


# ------------------------------------------------------------------------------------------- the seeds' own programs

TEMPEST = {
    "TrainingLog_2025-09-28_ef7e93cc.txt": 1357,
    "log_2025-10-19_c53af4f9.txt": 2,
    "log_2025-10-20_9f159ed0.txt": 18,
    "log_2025-10-21_d184e782.txt": 117,
    "log_2025-10-22_2ddc2ce6.txt": 86,
    "log_2025-10-23_83a96c7e.txt": 202,
    "log_2025-10-28_9616ae4b.txt": 14,
    "log_2025-10-31_be809aea.txt": 250,
    "log_2025-11-01_bc5f4edf.txt": 17,
    "log_2025-11-01_ef490a82.txt": 1,
    "log_2025-11-06_aa7c70d6.txt": 3058,
    "log_2025-11-12_32e266ba.txt": 38,
    "log_2025-11-13_73d7725b.txt": 2644,
    "log_2025-11-13_af1e0fd1.txt": 4,
    "log_2025-11-16_00a522a2.txt": 3049,
}


def _rows(path: Path) -> dict[int, list[str]]:
    """Line -> fields of every row of an aligned log: a frame number first, then at least 19 further fields."""
    out = {}
    for number, line in enumerate(path.read_bytes().decode("utf-8", errors="replace").split("\n"), 1):
        text = re.sub(r"\[\s*([^\[\]]*?)\s*,\s*([^\[\]]*?)\s*\]", r"[\1,\2]", line.strip())
        fields = re.sub(r"(\d[kKM]?/)\s+", r"\1", text).split()
        if len(fields) >= 19 and re.fullmatch(r"[\d,]+", fields[0]) and re.fullmatch(r"\d+\.\d+", fields[1]):
            out[number] = fields
    return out


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize("name", TEMPEST)
def test_every_row_of_the_aligned_logs_is_read(name):
    path = SHARED / "real_logs" / "tempest" / name
    run = read_log(path)
    rows = _rows(path)
    assert len(rows) == TEMPEST[name]
    series = run.series["fps"]
    assert series.line.tolist() == list(rows)
    assert series.step.tolist() == [_number(fields[0]) for fields in rows.values()]
    assert series.value.tolist() == [float(fields[1]) for fields in rows.values()]
    assert run.reading.coverage == 1.0
    low = run.series["q_min"]
    ranges = {n: re.findall(r"\[([-\d.]+),([-\d.]+)\]", " ".join(fields)) for n, fields in rows.items()}
    expected = [(n, float(found[0][0]), float(found[0][1])) for n, found in ranges.items() if found]
    assert low.line.tolist() == [n for n, _, _ in expected]
    assert low.value.tolist() == [value for _, value, _ in expected]
    assert run.series["q_max"].value.tolist() == [value for _, _, value in expected]


@needs_shared
@pytest.mark.shared
def test_rows_pasted_under_another_header_get_their_own():
    run = read_log(SHARED / "real_logs" / "tempest" / "TrainingLog_2025-09-28_ef7e93cc.txt")
    rate = run.series["learning_rate"]
    assert rate.line[0] == 1406  # 11 rows of the layout with a learning rate, pasted above its header
    assert any(issue.line == 1406 and "11 rows" in issue.text for issue in run.reading.issues)
    loss = run.series["loss"]
    assert loss.line[np.isnan(loss.value)].tolist() == [1533, 1534, 1535]
    assert run.series["dqn_reward_5m"].value.max() == 272.10


@needs_shared
@pytest.mark.shared
def test_the_divergence_log_has_the_figures_of_the_note():
    run = read_log(SHARED / "real_logs" / "tempest" / "log_2025-11-06_aa7c70d6.txt")
    loss = run.series["loss"]
    peak = int(np.nanargmax(loss.value))
    assert (loss.line[peak], loss.value[peak]) == (1300, 11.324914)
    norm = run.series["grad_norm"]
    assert norm.value[norm.line == 1303].tolist() == [533.458]
    assert run.series["clip_delta"].value[norm.line == 1303].tolist() == [523.458]
    assert run.series["agreement"].value[norm.line == 1025].tolist() == [83.4]
    dead = norm.value[norm.line > 1360]
    assert (int((dead < 0.01).sum()), dead.size) == (1875, 1876)


@needs_shared
@pytest.mark.shared
def test_the_key_value_rows_of_the_driving_log():
    path = SHARED / "real_logs" / "td3_carla" / "validation_training_30k_20251026_222128.log"
    run = read_log(path)
    lines = path.read_bytes().decode("utf-8", errors="replace").split("\n")
    stepped = [n for n, line in enumerate(lines, 1) if re.match(r"\[(?:LEARNING|EXPLORATION)\] Step ", line)]
    trained = [n for n, line in enumerate(lines, 1) if line.startswith("[TRAIN] Episode")]
    judged = [n for n, line in enumerate(lines, 1) if line.startswith("[EVAL] Mean Reward")]
    assert (len(stepped), len(trained), len(judged)) == (300, 110, 15)
    assert run.series["reward"].line.tolist() == stepped
    assert run.series["reward"].step[-1] == 30000
    assert run.series["train_reward"].line.tolist() == trained
    assert run.series["eval_return"].line.tolist() == judged
    assert run.series["eval_return"].value[-10:].tolist() == [-52741.09] * 10
    assert run.series["eval_return"].clock is None
    assert run.series["val_success_rate"].value.max() == 0.0
