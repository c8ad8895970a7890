"""What the lines around a value decide: which of two equal lines is a copy, which rank speaks, what was not read."""

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


def test_a_metric_that_stands_still_is_printed_again_and_is_no_copy(read):
    text = "".join(
        f"Epoch {e} iter 100 loss {0.9 - e / 10:.3f} lr 0.001 acc 0.{40 + e}\n"
        "Test batch 10/10: loss 0.6931 acc 0.500 auc 0.500\n"
        for e in range(5)
    )
    run = read(text)
    assert run.series["val_loss"].value.tolist() == [0.6931] * 5
    assert run.series["val_loss"].line.tolist() == [2, 4, 6, 8, 10]
    assert not run.reading.issues


def test_a_copy_has_the_place_of_the_line_before_it(read):
    text = "".join(
        f"Epoch: [{e}] [{b}/30] loss: {1.5 - e / 10 - b / 100} acc: 0.5 lr: 0.01\n" * 2
        for e in range(3)
        for b in (10, 20, 30)
    )
    run = read(text)
    assert len(run.series["loss"]) == 9
    assert "9 records were printed again" in run.reading.issues[0].text


# --------------------------------------------------------------------------------------- what belongs to what


def test_a_sentence_above_the_first_epoch_is_no_header(read):
    text = "Training of the model begins now on digits\n" + "".join(
        f"EPOCH: {e}\nLR: {0.1 * e:.2f}\nLoss={2 / e:.3f} Batch_id=97 Accuracy={10 * e}.5: 100%|█████| 98/98 [00:08<00:00, 11.6it/s]\n"
        for e in (1, 2, 3)
    )
    run = read(text)
    assert set(run.series) == {"learning_rate", "loss", "accuracy"}
    assert run.series["learning_rate"].step.tolist() == [1, 2, 3]
    assert run.series["accuracy"].step.tolist() == [1, 2, 3]


def test_a_counter_that_is_glued_to_a_bar_counts(read):
    text = "".join(
        f"  0%|          | 0/782 [00:00<?, ?it/s]EPOCH: {e}\n"
        f"Loss={2 / e:.3f} Batch_id=781: 100%|██████| 782/782 [00:20<00:00, 38.5it/s]\n"
        for e in (1, 2, 3)
    )
    assert read(text).series["loss"].step.tolist() == [1, 2, 3]


def test_a_batch_that_is_always_the_last_one_is_no_clock(read):
    text = "".join(
        f"loss={2 / e:.3f} batch_id=468: 100%|█████| 469/469 [00:21<00:00, 22.06it/s]\n\n" for e in (1, 2, 3, 4)
    )
    run = read(text)
    assert [clock.unit for clock in run.reading.clocks] == ["lines"]
    assert run.series["loss"].value.tolist() == pytest.approx([2, 1, 0.667, 0.5])


def test_lines_below_a_word_for_validation_are_held_out_and_two_known_words_are_enough(read):
    text = "".join(
        f"Epoch {e}/3\nTraining...\nBatch 500,Net Loss:0.{e}1\nBatch 900,Net Loss:0.{e}2\n"
        f"Epoch, Net Loss: 0.{e}3,Net ACC: 9{e}.5%\nValidating...\nEpoch, Net Loss: 0.{e}4,Net ACC: 8{e}.5%\n"
        for e in (0, 1)
    )
    run = read(text)
    assert run.series["val_net_loss"].value.tolist() == [0.04, 0.14]
    assert run.series["net_acc"].value.tolist() == [90.5, 91.5]
