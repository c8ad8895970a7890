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
