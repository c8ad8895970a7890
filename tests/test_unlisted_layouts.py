"""Layouts that no parser knows by name are read with the right step and values."""

from __future__ import annotations

from pathlib import Path

import pytest

from logdoctor import read_log
from tests.further_layouts import CLUTTER_AFTER, CLUTTER_BEFORE, FURTHER, saving
from tests.unlisted_layouts import LAYOUTS, Layout, each

ALL = [*LAYOUTS, *FURTHER]


def squeezed(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "").replace(".", "")


@pytest.mark.parametrize("layout", ALL, ids=[layout.name for layout in ALL])
def test_last_step_and_last_values(layout: Layout, tmp_path: Path) -> None:
    path = tmp_path / ("run.csv" if "csv" in layout.name else "run.log")
    path.write_text(layout.text, encoding="utf-8")
    run = read_log(path)
    read: dict[str, float] = {}
    for series in run.series.values():
        for name in (series.raw_name, series.raw_name.rsplit(" / ", 1)[-1]):
            read.setdefault(squeezed(name), float(series.value[-1]))
    for name, value in layout.last.items():
        assert read.get(squeezed(name)) == pytest.approx(value, rel=6e-3, abs=1e-6), (name, read)
    if layout.step is not None:
        last = max(float(series.step[-1]) for series in run.series.values() if series.clock is None)
        assert last == pytest.approx(layout.step)


def test_nothing_but_the_metrics(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_text(CLUTTER_BEFORE + each(saving) + CLUTTER_AFTER, encoding="utf-8")
    run = read_log(path)
    assert {(series.raw_name, len(series)) for series in run.series.values()} == {
        ("train_loss", 12),
        ("val_loss", 12),
        ("acc", 12),
    }
