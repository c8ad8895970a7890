"""Machine formats, each against a file made here whose numbers are known."""

from __future__ import annotations

import json
import math
import sqlite3
import struct

import numpy as np
import pytest

from logdoctor.documents._json import JsonError, Leaf, first_line, parse, plain
from logdoctor.documents.mlflow_sqlite import LARGEST, value_of
from logdoctor.errors import InputError
from logdoctor.reader import read_log
from tests.shared import SHARED, needs_shared


def settings_of(run):
    return {item.name: item.value for item in run.hyperparameters}


# --------------------------------------------------------------------------------------------------------------- JSON


@pytest.mark.parametrize(
    "text",
    ['{"a": [1, 2.5, -3e-4, true, false, null, "x\\"y\\u00e9"], "b": {}}',
     "[]", "1", '"a"', ' \n {"a"\n:\n1}\n', '{"a": {"b": [[1], [2]]}}'],
)  # fmt: skip
def test_json_is_what_the_standard_library_reads(text):
    assert plain(parse(text)) == json.loads(text)


def test_json_lines_and_bare_non_finite_numbers():
    data = parse('{\n "loss": [1,\n NaN,\n -Infinity],\n "n": 2\n}')
    assert [leaf.line for leaf in data["loss"]] == [2, 3, 4]
    assert math.isnan(data["loss"][1].value)
    assert data["loss"][2].value == -math.inf
    assert data["n"] == Leaf(2, 5)
    assert first_line(data) == 2


@pytest.mark.parametrize("text", ["", "{", "[1, 2", '{"a" 1]', "{]", "[1}", "nope", "[" * 200, '{"a": tru}', "\x00"])
def test_what_is_no_json_is_told(text):
    with pytest.raises(JsonError):
        parse(text)


def test_trainer_state(tmp_path):
    history = [
        {"epoch": k / 10, "step": 10 * k, "loss": 3 / k, "learning_rate": 1e-4, "grad_norm": 1.0} for k in range(1, 31)
    ]
    history.insert(15, {"epoch": 1.5, "step": 150, "eval_loss": 0.25, "eval_runtime": 5.0})
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"max_steps": 300, "num_train_epochs": 3, "log_history": history}, indent=1))
    run = read_log(path)
    assert run.reading.format == "json_document"
    loss = run.series["loss"]
    assert loss.value.tolist() == [3 / k for k in range(1, 31)]
    assert loss.step.tolist() == [10.0 * k for k in range(1, 31)]
    assert run.series["val_loss"].value.tolist() == [0.25]
    assert settings_of(run) == {"max_steps": 300, "epochs": 3}
    line = int(loss.line[3])
    assert f'"loss": {3 / 4}' in run.fetch([line])[line]


def test_columnar_history_on_one_line(tmp_path):
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"loss": [2.0, 1.0, 0.5], "val_loss": [2.5, math.nan, 1.0], "note": ["a", "b", "c"]}))
    run = read_log(path)
    assert run.series["loss"].value.tolist() == [2.0, 1.0, 0.5]
    assert run.series["loss"].step.tolist() == [1.0, 2.0, 3.0]
    assert run.series["val_loss"].nonfinite == 1
    assert [clock.name for clock in run.reading.clocks] == ["epoch"]


def test_keras_rl_columns_bring_their_own_counter(tmp_path):
    path = tmp_path / "dqn_log.json"
    path.write_text(json.dumps({"loss": [0.1, 0.2, 0.3], "nb_steps": [20, 45, 90], "episode": [0, 1, 2]}))
    run = read_log(path)
    assert run.series["loss"].step.tolist() == [20.0, 45.0, 90.0]
    assert "episode" not in run.series


def test_results_of_a_script_with_a_list_for_each_metric(tmp_path):
    path = tmp_path / "results.json"
    rewards = [float(x) for x in range(50)]
    path.write_text(
        json.dumps({"seed": 3, "training_rewards": rewards, "eval_rewards": [1.0, 2.0], "final": 4.5}, indent=2)
    )
    run = read_log(path)
    series = run.series["reward"] if "reward" in run.series else run.series["episode_return"]
    assert series.value.tolist() == rewards
    assert run.fetch([int(series.line[10])])[int(series.line[10])].strip() == "10.0,"
    assert run.series["eval_return"].value.tolist() == [1.0, 2.0]
    assert settings_of(run)["seed"] == 3


def test_json_lines_are_left_to_the_text_reader(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("".join(json.dumps({"step": k, "loss": 1 / k}) + "\n" for k in range(1, 9)))
    run = read_log(path)
    assert run.reading.format == "literal"
    assert run.series["loss"].value.tolist() == [1 / k for k in range(1, 9)]


def test_tensorboard_download(tmp_path):
    path = tmp_path / "tag_loss.json"
    path.write_text(json.dumps([[1700000000.0 + k, 10 * k, 1 / (k + 1)] for k in range(5)]))
    run = read_log(path)
    assert run.series["value"].value.tolist() == [1 / (k + 1) for k in range(5)]
    assert run.series["value"].step.tolist() == [0.0, 10.0, 20.0, 30.0, 40.0]


# ------------------------------------------------------------------------------------------------------------ Monitor


def test_monitor_counts_steps_by_lengths(tmp_path):
    path = tmp_path / "0.monitor.csv"
    path.write_text(
        '#{"t_start": 1.5, "env_id": "Cart-v1"}\r\nr,l,t\r\n33.0,33,1.2\r\n25.5,20,1.7\r\nbad,row\r\n11.0,11,2.0\r\n'
    )
    run = read_log(path)
    returns = run.series["episode_return"]
    assert returns.value.tolist() == [33.0, 25.5, 11.0]
    assert returns.step.tolist() == [33.0, 53.0, 64.0]
    assert returns.line.tolist() == [3, 4, 6]
    assert run.series["episode_length"].value.tolist() == [33.0, 20.0, 11.0]
    assert [(issue.line, issue.text) for issue in run.reading.issues] == [(5, "2 fields under a header of 3")]
    assert settings_of(run) == {"environment": "Cart-v1"}


def test_monitor_files_of_several_environments_are_one_run(tmp_path):
    head = '#{"t_start": 1.5, "env_id": "Cart-v1"}\nr,l,t\n'
    (tmp_path / "0.monitor.csv").write_text(head + "1.0,10,1.0\n3.0,10,3.0\n")
    (tmp_path / "1.monitor.csv").write_text(head + "2.0,20,2.0\n4.0,20,4.0\n")
    run = read_log(tmp_path)
    assert run.series["episode_return"].value.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert run.series["episode_return"].step.tolist() == [10.0, 30.0, 40.0, 60.0]
    lines = run.series["episode_return"].line.tolist()
    assert lines == [1, 2, 3, 4]
    assert run.fetch([2, 3, 9]) == {2: "1.monitor.csv:3: 2.0,20,2.0", 3: "0.monitor.csv:4: 3.0,10,3.0"}


# ------------------------------------------------------------------------------------------------------------- MLflow


@pytest.fixture
def mlflow_run(tmp_path):
    run = tmp_path / "mlruns" / "0" / "abc"
    (run / "metrics" / "train").mkdir(parents=True)
    (run / "params").mkdir()
    (run / "meta.yaml").write_text("run_id: abc\n")
    (run / "metrics" / "train" / "loss").write_text("".join(f"170000000000{k} {1 / (k + 1)} {k}\n" for k in range(5)))
    (run / "metrics" / "val_loss").write_text("1700000000009 nan 2\n1700000000010 0.5 4 dataset digest\n")
    (run / "params" / "learning_rate").write_text("0.001")
    return run


def test_mlflow_files(mlflow_run):
    run = read_log(mlflow_run)
    loss = run.series["loss"]
    assert loss.value.tolist() == [1 / (k + 1) for k in range(5)]
    assert loss.step.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert np.isnan(run.series["val_loss"].value[0])
    assert settings_of(run) == {"learning_rate": 0.001}
    line = int(run.series["val_loss"].line[1])
    assert run.fetch([line]) == {line: "metrics/val_loss line 2: 1700000000010 0.5 4 dataset digest"}


def test_mlflow_sqlite_says_nan_and_infinity(tmp_path):
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan)")
        database.execute("CREATE TABLE params (key, value, run_uuid)")
        rows = [
            ("loss", v, 1000 + s, "r1", s, n) for s, (v, n) in enumerate([(0.5, 0), (0.0, 1), (LARGEST, 0), (0.25, 0)])
        ]
        rows += [("loss", 9.0 + s, 9000 + s, "r2", s, 0) for s in range(3)]
        database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
        database.execute("INSERT INTO params VALUES ('lr', '0.1', 'r1')")
    database.close()
    before = path.read_bytes()
    run = read_log(path)
    value = run.series["loss"].value
    assert value[0] == 0.5
    assert math.isnan(value[1])
    assert value[2] == math.inf
    assert value[3:].tolist() == [0.25, 9.0, 10.0, 11.0]
    assert [segment.rows for segment in run.reading.segments] == [4, 3]
    assert settings_of(run) == {"learning_rate": 0.1}
    assert run.fetch([2]) == {2: "loss = nan at step 1 of run r1"}
    assert path.read_bytes() == before
    assert value_of(-LARGEST, 0) == -math.inf


def test_another_database_is_one_sentence(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (a)")
    database.close()
    with pytest.raises(InputError, match="without MLflow metrics"):
        read_log(path)


# ---------------------------------------------------------------------------------------------------------------- W&B


def test_wandb_folder(tmp_path):
    files = tmp_path / "run-20240101-abc" / "files"
    files.mkdir(parents=True)
    (files / "config.yaml").write_text("wandb_version: 1\n\nlr:\n  desc: null\n  value: 0.01\n")
    (files / "wandb-summary.json").write_text('{"loss": NaN}')
    (files / "output.log").write_text("".join(f"step {k}: loss {1 / k:.4f}\n" for k in range(1, 40)))
    run = read_log(files.parent)
    assert run.series["loss"].value[1] == 0.5
    assert settings_of(run)["learning_rate"] == 0.01
    (files / "output.log").unlink()
    with pytest.raises(InputError, match=r"output\.log"):
        read_log(files.parent)


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(InputError, match="no log in the directory"):
        read_log(tmp_path)


# -------------------------------------------------------------------------------------------------------- TensorBoard


def varint(value: int) -> bytes:
    out = b""
    value &= (1 << 64) - 1
    while True:
        out += bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
        value >>= 7
        if not value:
            return out


def field(number: int, wire: int, content: bytes) -> bytes:
    return varint(number << 3 | wire) + (varint(len(content)) if wire == 2 else b"") + content


def event(step: int, time: float, values: dict[str, float], *, tensor: bool = False) -> bytes:
    parts = b""
    for tag, number in values.items():
        if tensor:
            shape_free = field(1, 0, varint(1)) + field(5, 2, struct.pack("<f", number))
            inner = field(1, 2, tag.encode()) + field(8, 2, shape_free)
        else:
            inner = field(1, 2, tag.encode()) + field(2, 5, struct.pack("<f", number))
        parts += field(1, 2, inner)
    return field(1, 1, struct.pack("<d", time)) + field(2, 0, varint(step)) + field(5, 2, parts)


def frames(*events: bytes) -> bytes:
    return b"".join(struct.pack("<Q", len(data)) + b"\0\0\0\0" + data + b"\0\0\0\0" for data in events)


def test_event_files_keep_every_value(tmp_path):
    path = tmp_path / "events.out.tfevents.1.host"
    values = [float(np.float32(1 / (k + 1))) for k in range(12_000)]
    values[7_000] = math.nan
    path.write_bytes(
        frames(field(3, 2, b"brain.Event:2"), *(event(k, 100.0 + k, {"train/loss": v}) for k, v in enumerate(values)))
    )
    run = read_log(path)
    loss = run.series["loss"]
    np.testing.assert_array_equal(loss.value, values)
    np.testing.assert_array_equal(loss.step, np.arange(12_000.0))
    assert loss.nonfinite == 1
    assert run.fetch([2]) == {2: "train/loss = 0.5 at step 1"}


def test_event_folder_with_phases_and_tensors(tmp_path):
    for phase, scale in (("train", 1.0), ("validation", 2.0)):
        (tmp_path / phase).mkdir()
        made = frames(*(event(k, 1.0, {"epoch_loss": scale / (k + 1)}, tensor=True) for k in range(6)))
        (tmp_path / phase / "events.out.tfevents.1").write_bytes(made)
    run = read_log(tmp_path)
    assert run.series["loss"].value.tolist() == [float(np.float32(1 / (k + 1))) for k in range(6)]
    assert run.series["val_loss"].value.tolist() == [float(np.float32(2 / (k + 1))) for k in range(6)]
    assert len(run.reading.segments) == 1


def test_a_damaged_event_file_gives_what_there_is(tmp_path):
    path = tmp_path / "events.out.tfevents.1"
    made = frames(*(event(k, 1.0, {"loss": 1.0}) for k in range(10)))
    path.write_bytes(made[:-20])
    run = read_log(path)
    assert len(run.series["loss"]) == 9
    assert "cut off" in run.reading.issues[0].text
    path.write_bytes(b"\xff" * 4000)
    assert "damaged" in read_log(path).reading.issues[0].text


# --------------------------------------------------------------------------------------------------------- real files


@needs_shared
@pytest.mark.parametrize(
    ("name", "rows", "metric", "last_step", "last_value"),
    [
        ("formats/sb3_monitor.csv", 389, "episode_return", None, None),
        ("formats/kerasrl_history.json", 161, "loss", 9922.0, 18.21148108422756),
        ("td3_carla/results_20251121-110006.json", 249, None, 249.0, None),
    ],
)
def test_real_documents(name, rows, metric, last_step, last_value):
    run = read_log(SHARED / "real_logs" / name)
    assert run.reading.rows == rows
    if metric and last_value is not None:
        assert run.series[metric].value[-1] == last_value
    if last_step is not None:
        assert run.reading.segments[-1].last_step == last_step


@needs_shared
def test_the_fall_of_the_results_file_of_the_third_seed():
    """First ten episodes 973.88, last ten 60.19, as its report says."""
    run = read_log(SHARED / "real_logs" / "td3_carla" / "results_20251121-110006.json")
    values = next(s for s in run.series.values() if len(s) == 249).value
    assert np.mean(values[:10]) == pytest.approx(973.88, abs=0.005)
    assert np.mean(values[-10:]) == pytest.approx(60.19, abs=0.005)


# ------------------------------------------------------------------------------------------- other shapes of JSON
_ROWS = {str(i): {"loss": round(2 / i, 4), "val_loss": round(2.2 / i, 4)} for i in range(1, 9)}
_SHAPES = {
    "by number": _ROWS,
    "by named number": {f"epoch_{i}": row for i, row in _ROWS.items()},
    "inside": {"args": {"lr": 0.1}, "history": _ROWS},
    "columns by number": {name: {i: row[name] for i, row in _ROWS.items()} for name in ("loss", "val_loss")},
    "names and rows": {
        "columns": ["epoch", "loss", "val_loss"],
        "index": list(range(8)),
        "data": [[int(i), *row.values()] for i, row in _ROWS.items()],
    },
}


@pytest.mark.parametrize("shape", _SHAPES)
@pytest.mark.parametrize("indent", [None, 2])
def test_records_and_data_frames_by_number(tmp_path, shape, indent):
    path = tmp_path / "history.json"
    path.write_text(json.dumps(_SHAPES[shape], indent=indent), encoding="utf-8")
    run = read_log(path)
    assert run.reading.format == "json_document"
    assert set(run.series) == {"loss", "val_loss"}
    assert run.series["val_loss"].value.tolist() == [row["val_loss"] for row in _ROWS.values()]
    assert run.series["loss"].step.tolist() == list(range(1, 9))


def test_results_by_class_are_no_series(tmp_path):
    path = tmp_path / "results.json"
    report = {str(k): {"precision": 0.5 + k / 10, "support": 10} for k in range(4)} | {"accuracy": 0.8}
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")
    assert read_log(path).reading.format != "json_document"
    path.write_text("{}", encoding="utf-8")
    assert not read_log(path).series
