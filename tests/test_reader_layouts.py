"""Every layout of the survey, in invented lines: the last step with its unit and the last value of each metric."""

from __future__ import annotations

import math

import pytest

from logdoctor.reader import read_log
from tests.surveyed_layouts import LAYOUTS


@pytest.fixture(params=LAYOUTS, ids=lambda layout: layout.id)
def layout(request):
    return request.param


def _read(layout, tmp_path):
    path = tmp_path / ("run.csv" if layout.id.endswith("csv") else "run.log")
    path.write_bytes(layout.text.encode())
    return read_log(path)


def test_last_step_unit_and_values(layout, tmp_path):
    run = _read(layout, tmp_path)
    for position, (name, value) in enumerate(layout.last.items()):
        series = run.series[name]
        assert series.value[-1] == pytest.approx(value, nan_ok=True), name
        if position == 0:
            clock = next(
                c for c in run.reading.clocks if (c.primary if series.clock is None else c.name == series.clock)
            )
            assert (series.step[-1], clock.unit) == (pytest.approx(layout.step), layout.unit)
            assert not layout.count or len(series) == layout.count


def test_every_quoted_line_holds_the_value(layout, tmp_path):
    run = _read(layout, tmp_path)
    texts = run.fetch({int(line) for series in run.series.values() for line in series.line})
    raw = layout.text.split("\n")
    for series in run.series.values():
        for line, value in zip(series.line, series.value, strict=True):
            text = raw[line - 1]
            assert line in texts
            shown = ("nan", "NaN") if math.isnan(value) else ("",)
            assert any(part in text for part in shown), (series.name, line)


def test_no_setting_or_code_becomes_a_metric(layout, tmp_path):
    run = _read(layout, tmp_path)
    for name in ("in_features", "out_features", "config_lr", "train_batch_size", "num_iterations", "max_steps", "pid"):
        assert name not in run.series


def test_frame_has_the_columns_of_the_contract(layout, tmp_path):
    run = _read(layout, tmp_path)
    frame = run.frame
    assert list(frame.columns[:3]) == ["line", "segment", "step"]
    assert str(frame["line"].dtype) == "int64"
    assert str(frame["step"].dtype) == "float64"
    assert len(frame) == run.reading.rows
    for name, series in run.series.items():
        assert str(frame[name].dtype) == "float64"
        assert frame[name].notna().sum() <= len(series)
    assert frame["line"].is_monotonic_increasing
