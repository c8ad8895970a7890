# ruff: noqa: E501 - the lines are those of logs
"""Tables: which line is their header, which column counts, and which of them are no series."""

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


# ------------------------------------------------------------------------------------------- headers of two lines
TWO_LINES = (
    "average  since         example        example  current  current  current\n"
    "loss     last          counter         weight    label  predict features\n"
)


def test_a_header_of_two_lines_names_its_columns_with_both(read):
    rows = "".join(
        f"{0.7 - i / 20:.6f} {0.6 - i / 20:.6f} {2**i:14d} {2.0**i:14.1f} {1.0:8.4f} {0.1 * i:8.4f} {50 + i:8d}\n"
        for i in range(8)
    )
    run = read(f"num sources = 1\n{TWO_LINES}{rows}\nfinished run\n")
    assert run.series["loss"].raw_name == "average loss"
    assert run.series["loss"].step.tolist() == [2**i for i in range(8)]
    assert "since_last" in run.series
    assert run.reading.clocks[0].name == "example counter"


def test_a_line_of_words_above_a_header_does_not_belong_to_it(read):
    text = "losses  and  scores  below\nstep   loss  reward   lr\n" + "".join(
        f"{i:4d}  {2 / i:6.3f} {10 * i:6.1f}  0.001\n" for i in range(1, 6)
    )
    run = read(text)
    assert set(run.series) == {"loss", "reward", "learning_rate"}
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5]
