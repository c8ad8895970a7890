# ruff: noqa: E501 - the lines are those of logs
"""Layouts of programs that few people wrote: counters that begin again, blocks closed by their counter, pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from logdoctor.model import RunLog
from logdoctor.reader import read_log

Reader = Callable[[str], RunLog]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def reader(text: str) -> RunLog:
        path = tmp_path / "run.log"
        path.write_text(text, encoding="utf-8")
        return read_log(path)

    return reader


# --------------------------------------------------------------------------------------- counters that begin again


def test_an_epoch_that_begins_again_every_few_rows_is_the_clock(read):
    text = "".join(
        f"Repetition {run} of 6\n"
        + "".join(
            f"Epoch: {e}/400 | Fit loss: {2 / e + run / 100:.4f} | Val acc: {0.4 + e / 1000:.4f}\n" for e in (1, 350)
        )
        for run in range(1, 7)
    )
    run = read(text)
    assert "epoch" not in run.series
    assert run.series["val_accuracy"].step.tolist() == [1, 350] * 6
    assert run.reading.clocks[0].unit == "epochs"


def test_epochs_of_clients_in_rounds_are_the_clock_of_their_rows(read):
    text = "".join(
        f"=== Round {r} ===\n"
        + "".join(
            f"Site {c} Epoch {e}: loss={1 / (r + e):.4f}, acc={0.5 + r / 50:.4f}\n" for c in range(3) for e in (1, 2)
        )
        for r in range(1, 5)
    )
    run = read(text)
    assert "epoch" not in run.series
    assert run.series["loss"].step.tolist() == [1, 2] * 12


def test_epochs_in_no_order_are_neither_clock_nor_metric(read):
    text = "".join(
        f"worker epoch {e} loss {1 + i / 10:.2f} acc 0.5{i}\n"
        for i, e in enumerate((7, 3, 9, 1, 8, 2, 6, 4, 11, 5, 10, 0))
    )
    run = read(text)
    assert "epoch" not in run.series


# --------------------------------------------------------------------------------------- output behind a comment sign


@pytest.mark.parametrize("sign", ["##", "#>"])
def test_a_table_behind_comment_signs_is_a_table(read, sign):
    rows = [(i, 9000.5 - 70 * i, 0.05, 70.0 - i) for i in range(1, 9)]
    text = f"    {sign} Iter   TrainError   ValidError   Shrink   Gain\n" + "".join(
        f"    {sign} {i:6d} {v:12.4f}          nan     {s:.4f} {g:9.4f}\n" for i, v, s, g in rows
    )
    run = read(text)
    assert run.series["gain"].value.tolist() == [70.0 - i for i in range(1, 9)]
    assert run.series["gain"].step.tolist() == list(range(1, 9))


def test_a_counter_and_its_value_below_behind_comment_signs(read):
    run = read("".join(f"#> iter  {i} value \n#> {500.25 - 3 * i:.4f}\n" for i in range(5, 15)))
    assert run.series["value"].value[-1] == 458.25
    assert run.series["value"].step.tolist() == list(range(5, 15))


def test_headings_with_two_signs_stay_headings(read):
    text = "".join(
        f"## Epoch {e}\ntrain loss: {1 / e:.3f}\n## Validation ##\nloss: {1.5 / e:.3f}\n" for e in range(1, 6)
    )
    run = read(text)
    assert run.series["val_loss"].value.tolist() == [round(1.5 / e, 3) for e in range(1, 6)]
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5]


# --------------------------------------------------------------------------------------- one name for two things


def test_the_mean_of_the_epoch_is_apart_from_its_batches(read):
    text = "".join(
        "".join(
            f"epoch: {e}/4 batch {b}/3 Train loss: {1 / e + b / 100:.5f}, Acc: {0.5 + e / 20 + b / 100:.5f}\n"
            for b in (1, 2, 3)
        )
        + f"Train loss: {1.2 / e:.5f}, Acc: {0.4 + e / 20:.5f}\n"
        for e in range(1, 5)
    )
    run = read(text)
    assert len(run.series["accuracy"]) == 12
    assert run.series["accuracy"].value[-1] == 0.73
    assert run.series["accuracy_epoch"].value.tolist() == [0.45, 0.5, 0.55, 0.6]


def test_an_evaluation_with_names_of_its_own_is_apart_from_the_rows_above_it(read):
    text = "".join(
        f"Epoch {e}: Loss = {1 / e:.4f}, Accuracy = {0.5 + e / 40:.4f}\n"
        f"Accuracy: {0.45 + e / 40:.4f}, F1 Score: {0.4 + e / 40:.4f}, Specificity: {0.6 + e / 40:.4f}\n"
        for e in range(1, 7)
    )
    run = read(text)
    assert run.series["accuracy"].value[-1] == 0.65
    assert run.series["accuracy_2"].value[-1] == 0.6


def test_values_of_the_row_said_again_below_it_stay_one_metric(read):
    text = "".join(
        f"Finished epoch {e}: Train score: {2 / e:.4f}, Dev score: {1.5 / e:.4f}, Accuracy: {0.5 + e / 40:.4f}\n"
        f"Dev score: {1.2 / e:.4f}, Accuracy: {0.45 + e / 40:.4f}\n"
        for e in range(1, 5)
    )
    assert set(read(text).series) >= {"val_accuracy"}
    assert "val_accuracy_epoch" not in read(text).series
