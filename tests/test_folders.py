"""Directories: what is a log, what belongs together, and files that are read as one run."""

from __future__ import annotations

import os

import pytest

from logdoctor.discovery import expand, walk
from logdoctor.errors import InputError
from logdoctor.folders import find_logs, is_log
from logdoctor.reader import read_log


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def training(name="loss", n=40, scale=1.0, every=10):
    return [f"step {every * k}: {name} {scale / k:.5f}, lr 0.001" for k in range(1, n + 1)]


def evaluation(n=8):
    return [f"step {50 * k}: accuracy {k / 10:.2f}" for k in range(1, n + 1)]


def groups_of(*paths, read=read_log):
    return [(group.path, len(group.files)) for group in find_logs([str(p) for p in paths], read)]


def test_what_is_a_log(tmp_path):
    assert is_log(write(tmp_path / "a.log", training()))
    assert is_log(write(tmp_path / "noname", training()))
    assert not is_log(write(tmp_path / "notes.txt", ["Bought milk.", "Learning rate was fine, I think.", "Bye."]))
    assert not is_log(write(tmp_path / "train.py", training()))
    assert not is_log(write(tmp_path / "README.txt", training()))
    (tmp_path / "empty.log").touch()
    assert not is_log(tmp_path / "empty.log")


def test_files_of_one_run_are_one_run(tmp_path):
    write(tmp_path / "train.log", training())
    write(tmp_path / "eval.log", evaluation())
    write(tmp_path / "notes.txt", ["nothing here"])
    assert groups_of(tmp_path) == [(str(tmp_path), 2)]
    run = read_log(tmp_path)
    assert run.series["loss"].value.size == 40
    accuracy = run.series["accuracy"]
    assert accuracy.value.tolist() == [k / 10 for k in range(1, 9)]
    line = int(accuracy.line[2])
    assert run.fetch([line, int(run.series["loss"].line[0])]) == {
        line: "eval.log:3: step 150: accuracy 0.30",
        int(run.series["loss"].line[0]): "train.log:1: step 10: loss 1.00000, lr 0.001",
    }
    assert len({*accuracy.line.tolist()} & {*run.series["loss"].line.tolist()}) == 0
    assert len(run.frame) == run.reading.rows
    assert len(run.reading.segments) == 1


def test_runs_of_one_program_are_several_runs(tmp_path):
    for seed in range(3):
        write(tmp_path / f"seed{seed}.log", training(scale=1 + seed))
    assert [n for _, n in groups_of(tmp_path)] == [1, 1, 1]
    with pytest.raises(InputError, match="holds 3 runs"):
        read_log(tmp_path)


def test_runs_of_unlike_length_are_several_runs(tmp_path):
    write(tmp_path / "long.log", training(n=400))
    write(tmp_path / "short.log", evaluation(n=4))
    assert [n for _, n in groups_of(tmp_path)] == [1, 1]


def test_a_twin_is_read_once(tmp_path):
    write(tmp_path / "log.txt", training())
    write(tmp_path / "progress.csv", ["step,loss,lr"] + [f"{10 * k},{1 / k:.5f},0.001" for k in range(1, 41)])
    assert len(groups_of(tmp_path)) == 1


def test_many_logs_are_not_compared(tmp_path):
    for k in range(12):
        write(tmp_path / f"run{k:02d}.log", training() if k % 2 else evaluation())
    assert len(groups_of(tmp_path)) == 12


def test_folders_of_runs_below_a_directory(tmp_path):
    run = tmp_path / "mlruns" / "0" / "abc"
    write(run / "metrics" / "loss", [f"1700 {1 / (k + 1)} {k}" for k in range(9)])
    write(run / "meta.yaml", ["run_id: abc"])
    files = tmp_path / "wandb" / "run-1" / "files"
    write(files / "output.log", training())
    write(files / "wandb-summary.json", ['{"loss": 1}'])
    write(tmp_path / "plain" / "a.log", training())
    found = groups_of(tmp_path)
    assert sorted(path.removeprefix(str(tmp_path)) for path, _ in found) == [
        "/mlruns/0/abc",
        "/plain/a.log",
        "/wandb/run-1",
    ]


def test_a_directory_without_logs(tmp_path):
    with pytest.raises(InputError, match="no log in the directory"):
        find_logs([tmp_path])
    write(tmp_path / "train.py", ["x = 1"])
    with pytest.raises(InputError, match="no log in the directory"):
        find_logs([tmp_path])


def test_a_directory_whose_logs_cannot_be_read_says_so_later(tmp_path):
    """A short log is still named, so that the reader can say that nothing could be judged."""
    write(tmp_path / "short.log", ["step 1: loss 0.5"])
    assert groups_of(tmp_path) == [(str(tmp_path / "short.log"), 1)]


def test_paths_globs_and_repeats(tmp_path):
    a, b = write(tmp_path / "a.log", training()), write(tmp_path / "b.log", training())
    assert groups_of(a, tmp_path / "*.log", "-") == [(str(a), 1), (str(b), 1), ("-", 1)]
    odd = write(tmp_path / "run[1].log", training())
    assert groups_of(odd) == [(str(odd), 1)]
    with pytest.raises(InputError, match="no file matches"):
        groups_of(tmp_path / "*.none")
    with pytest.raises(InputError, match="there is no file"):
        groups_of(tmp_path / "none.log")


def test_links_do_not_make_a_walk_endless_or_double(tmp_path):
    log = write(tmp_path / "runs" / "a.log", training())
    (tmp_path / "runs" / "again").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "loop.log").symlink_to(tmp_path / "runs" / "loop.log")
    (tmp_path / "runs" / "latest.log").symlink_to(log)
    os.mkfifo(tmp_path / "runs" / "pipe.log")
    assert sorted(walk(tmp_path)) == [str(log), str(tmp_path / "runs" / "latest.log")]
    assert len(expand([tmp_path])) == 1
