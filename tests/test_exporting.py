"""The table as CSV, JSON lines and Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
import sys

import numpy as np
import pandas as pd
import pytest

from logdoctor import read_log
from logdoctor.errors import InputError, MissingExtraError, UsageError
from logdoctor.exporting import CHUNK, text_chunks, write_parquet
from tests.test_cli import SICK, run

FRAME = pd.DataFrame(
    {
        "line": [1, 2, 3],
        "step": [0.0, 100.0, 200.0],
        "time": pd.to_datetime(["2026-01-01 10:00:00", None, "2026-01-01 10:00:02"]),
        "=cmd": [0.1, math.nan, math.inf],
        "x": [-math.inf, 1e300, 3.0],
    }
)


def test_csv():
    rows = list(csv.reader(io.StringIO("".join(text_chunks(FRAME, "csv")))))
    assert rows[0] == ["line", "step", "time", "'=cmd", "x"]
    assert rows[1] == ["1", "0", "2026-01-01T10:00:00", "0.1", "-inf"]
    assert rows[2] == ["2", "100", "", "", "1e+300"]
    assert rows[3][3] == "inf"


def test_json_lines_are_strict():
    rows = [json.loads(line, parse_constant=pytest.fail) for line in "".join(text_chunks(FRAME, "jsonl")).splitlines()]
    assert rows[0] == {"line": 1, "step": 0, "time": "2026-01-01T10:00:00", "=cmd": 0.1, "x": None, "x_flag": "-inf"}
    assert rows[1]["=cmd"] is None
    assert "=cmd_flag" not in rows[1]
    assert rows[2]["=cmd_flag"] == "+inf"


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_long_tables_come_in_pieces_and_keep_every_value(format):
    n = CHUNK + 5
    frame = pd.DataFrame({"line": np.arange(n), "v": np.random.default_rng(0).standard_normal(n)})
    chunks = list(text_chunks(frame, format))
    assert len(chunks) >= 2
    text = io.StringIO("".join(chunks))
    back = pd.read_csv(text) if format == "csv" else pd.read_json(text, lines=True, precise_float=True)
    assert (back["v"].to_numpy() == frame["v"].to_numpy()).all()


def test_what_is_exported_is_the_frame_of_the_library():
    frame = read_log(SICK).frame
    back = pd.read_csv(io.BytesIO(run("export", SICK).stdout))
    assert list(back.columns) == list(frame.columns)
    assert np.allclose(back["loss"], frame["loss"], equal_nan=True)


def test_files_by_suffix(tmp_path):
    done = run("export", SICK, "-o", "a.csv", "-o", "a.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "a.csv").read_text(encoding="utf-8").count("\n") - 1
    assert rows == (tmp_path / "a.jsonl").read_text(encoding="utf-8").count("\n") == 45


def test_a_log_without_metrics_is_3(tmp_path):
    (tmp_path / "x.log").write_text("hello\n" * 5, encoding="utf-8")
    assert run("export", "x.log", cwd=tmp_path).returncode == 3


def test_parquet_without_the_extra_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"logdoctor\[parquet\]"):
        write_parquet(FRAME, tmp_path / "a.parquet")


def test_parquet_round_trip(tmp_path):
    pytest.importorskip("pyarrow")
    write_parquet(FRAME, tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), FRAME)
    with pytest.raises(InputError):
        write_parquet(FRAME, tmp_path / "none" / "a.parquet")


def test_only_text_formats_are_text():
    with pytest.raises(UsageError):
        list(text_chunks(FRAME, "parquet"))
