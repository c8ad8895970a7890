"""A metric is called healthy only when its own figures say so, and a setting only within its published range."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from logdoctor.model import Cause, Change, Finding
from logdoctor.reader import read_log
from logdoctor.telling.soundness import healthy_items
from logdoctor.view import RunView

ROWS = 60
Build = Callable[..., RunView]


@pytest.fixture
def view(tmp_path: Path) -> Build:
    def build(start: str = "", **columns: object) -> RunView:
        arrays = {name: np.broadcast_to(np.asarray(values, dtype=float), (ROWS,)) for name, values in columns.items()}
        rows = [
            f"step: {1000 * (i + 1)} " + " ".join(f"{n}: {a[i]:.6g}" for n, a in arrays.items()) for i in range(ROWS)
        ]
        path = tmp_path / "run.log"
        path.write_text(start + "\n".join(rows) + "\n", encoding="utf-8")
        return RunView(read_log(path))

    return build


def told(view: RunView, *findings: Finding, causes: tuple[Cause, ...] = ()) -> dict[str, str]:
    return {item.metric: item.why for item in healthy_items(view, findings, causes)}


RISING = np.linspace(1.0, 50.0, ROWS)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("loss", np.linspace(2.0, 0.5, ROWS), np.linspace(0.5, 2.0, ROWS)),
        ("loss", np.linspace(2.0, 0.5, ROWS), np.where(np.arange(ROWS) == 30, np.nan, 1.0)),
        ("grad_norm", 1.0 + 0.1 * np.sin(np.arange(ROWS)), np.where(np.arange(ROWS) == 30, 100.0, 1.0)),
        ("grad_norm", 1.0 + 0.1 * np.sin(np.arange(ROWS)), np.zeros(ROWS)),
        ("entropy", np.linspace(0.69, 0.40, ROWS), np.linspace(0.69, 0.01, ROWS)),
        ("explained_variance", np.linspace(0.0, 0.9, ROWS), np.linspace(0.0, 0.2, ROWS)),
        ("fps", 100 + np.sin(np.arange(ROWS)), np.linspace(100, 50, ROWS)),
        ("approx_kl", np.full(ROWS, 0.01) + 0.001 * np.sin(np.arange(ROWS)), np.full(ROWS, 0.2)),
    ],
)
def test_good_is_named_and_bad_is_not(view: Build, name: str, good: object, bad: object) -> None:
    seen = view(episode_return=RISING, **{name: good})
    metric = next(iter(set(seen.names) - {"episode_return"}))
    assert metric in told(seen)
    assert metric not in told(view(episode_return=RISING, **{name: bad}))


def test_performance_comes_first_with_its_figures(view: Build) -> None:
    items = healthy_items(view(episode_return=RISING, loss=np.linspace(2, 0.5, ROWS)), ())
    assert items[0].metric == "episode_return"
    assert items[0].why.startswith("rose from ")
    assert "best value 50 at line 60" in items[0].why
    assert [e.line for e in items[0].evidence] == [1, 60]


def test_a_stray_value_is_not_called_the_best(view: Build) -> None:
    stray = RISING.copy()
    stray[20] = 1e9
    assert "best value" not in told(view(episode_return=stray))["episode_return"]


def test_a_metric_of_an_alarm_is_left_out_but_the_healthy_twin_stays(view: Build) -> None:
    seen = view(episode_return=RISING, d_loss=np.linspace(2, 0.5, ROWS), c_loss=np.linspace(2, 0.5, ROWS))
    alarm = Finding(id="LD201", name="x", severity="warning", confidence=1, summary="", metrics=("d_loss", "c_loss"))
    twin = Finding(
        id="LD211", name="head-not-learning", severity="warning", confidence=1, summary="", metrics=("d_loss", "c_loss")
    )
    assert {"d_loss", "c_loss"}.isdisjoint(told(seen, alarm))
    assert "c_loss" in told(seen, twin)
    assert "d_loss" not in told(seen, twin)


def test_settings_within_their_ranges_are_left_alone_unless_a_cause_changes_them(view: Build) -> None:
    start = "Algorithm: ppo\nLearning rate: 0.0003\nGamma: 0.99\nClip range: 0.2\n"
    seen = view(start, episode_return=RISING, approx_kl=0.01, clip_fraction=0.1, policy_loss=RISING, entropy=0.6)
    assert "learning_rate 3e-4" in told(seen)["settings"]
    cause = Cause(
        id="x", rank=1, confidence=0.5, changes=(Change(parameter="learning_rate", from_=3e-4, to=1e-4, why=""),)
    )
    assert "learning_rate" not in told(seen, causes=(cause,))["settings"]


def test_nothing_is_said_of_a_short_log(view: Build) -> None:
    seen = view(episode_return=RISING, loss=np.linspace(2, 0.5, ROWS))
    short = RunView(seen.run)
    short._judged = {name: s.where(s.line < 8) for name, s in seen.run.series.items()}
    assert told(short) == {}
