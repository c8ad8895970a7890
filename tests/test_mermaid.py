"""Mermaid charts: on request alone, few points, true peaks, nothing of the log can leave its string."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from logdoctor.cli import app
from logdoctor.model import Clock, Curve, Diagnosis, Metric, Reading, SourceInfo
from logdoctor.renderers import _mermaid

SAMPLES = Path(__file__).resolve().parents[1] / "sample_logs"


def diagnosis(*values: float, step: tuple[float, ...] = (), name: str = "episode_return", raw: str = "") -> Diagnosis:
    at = step or tuple(float(i) for i in range(len(values)))
    curve = Curve(metric=name, step=at, value=values, line=tuple(range(1, len(values) + 1)))
    metric = Metric(
        name=name, raw_name=raw or name, unit=None, count=len(values), missing=0, nonfinite=0,
        first=None, last=None, min=None, max=None,
    )  # fmt: skip
    reading = Reading(
        format="columns", rows=len(values), metric_lines=len(values), unread_lines=0, coverage=1.0,
        clocks=(Clock(name="step", unit="steps", primary=True),),
    )  # fmt: skip
    return Diagnosis(
        source=SourceInfo(path="run.log"), reading=reading, verdict="healthy", headline="", performance=name,
        curves=(curve,), metrics=(metric,),
    )  # fmt: skip


def points(text: str) -> list[float]:
    return [float(item) for item in re.search(r"line \[(.+)\]", text)[1].split(", ")]  # type: ignore[index]


def test_a_long_curve_keeps_its_peak_and_few_points() -> None:
    values = [1.0 + 0.001 * (i % 7) for i in range(5000)]
    values[3210] = 99.5
    shown = points(_mermaid.charts(diagnosis(*values)))
    assert len(shown) <= _mermaid.POINTS
    assert max(shown) == 99.5
    assert shown.index(99.5) == int(3210 / 4999 * _mermaid.POINTS)


def test_wide_ranges_are_drawn_as_logarithms_without_exponents() -> None:
    text = _mermaid.charts(diagnosis(1e-5, 1.0, 1e12))
    assert points(text) == [-5.0, 0.0, 12.0]
    assert "log10 of episode_return" in text
    assert "e+" not in text


def test_values_that_are_not_finite_are_counted_and_not_drawn() -> None:
    text = _mermaid.charts(diagnosis(1.0, 2.0, math.nan, 3.0))
    assert points(text) == [1.0, 2.0, 2.0, 3.0]
    assert "(1 of 4 values not finite)" in text


@pytest.mark.parametrize("values", [(), (1.0,), (2.0, 2.0), (math.nan, math.inf)])
def test_what_cannot_be_drawn_is_left_out(values: tuple[float, ...]) -> None:
    assert _mermaid.charts(diagnosis(*values)) == ""


def test_steps_that_fall_are_replaced_by_lines() -> None:
    assert 'x-axis "line" 1 --> 3' in _mermaid.charts(diagnosis(1.0, 2.0, 3.0, step=(5.0, 9.0, 1.0)))


def test_hostile_name_stays_inside_of_its_string() -> None:
    text = _mermaid.charts(diagnosis(1.0, 2.0, name="x", raw='a"]\n```\n<script>%%{init}'))
    title = text.splitlines()[2]
    assert title.count('"') == 2
    assert not set("<>`{}[]") & set(title)
    assert text.count("```") == 2


def report(*options: str) -> str:
    return CliRunner().invoke(app, ["analyze", str(SAMPLES / "loss_explosion.log"), "-f", "markdown", *options]).stdout


def test_charts_come_on_request_alone() -> None:
    assert "```mermaid" not in report()
    text = report("--mermaid")
    assert 1 <= text.count("```mermaid") <= _mermaid.CHARTS
    assert all(len(points(block)) <= 60 for block in re.findall(r"xychart-beta.+?```", text, re.DOTALL))


def test_written_figures_are_shown_relative_to_the_report(tmp_path: Path) -> None:
    out, figures = tmp_path / "reports" / "run.md", tmp_path / "figures"
    out.parent.mkdir()
    log = str(SAMPLES / "loss_explosion.log")
    CliRunner().invoke(app, ["analyze", log, "-o", str(out), "--figures", str(figures)])
    links = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", out.read_text(encoding="utf-8"))
    assert links
    assert all((out.parent / link).resolve().suffix == ".svg" and (out.parent / link).exists() for link in links)
    assert {(out.parent / link).resolve() for link in links} == set(figures.resolve().glob("*.svg"))
