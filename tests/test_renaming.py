"""Metrics whose name misleads can be given another one."""

from __future__ import annotations

import json

import pytest

from logdoctor import diagnose, read_log
from logdoctor.settings import Settings, load_settings
from tests.test_cli import run

LOG = "".join(
    f"step {i * 10} | Big Goodness {i * 0.5:.2f} | loss {2 / (i + 1):.4f} | aux loss {1 / (i + 1):.4f}\n"
    for i in range(40)
)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "a.log"
    path.write_text(LOG, encoding="utf-8")
    return path


def test_a_printed_name_gets_its_meaning(log):
    plain = read_log(log)
    assert "episode_return" not in plain.series
    named = read_log(log, settings=Settings(names={"big-goodness": "episode_return"}))
    series = named.series["episode_return"]
    assert series.goal == "max"
    assert series.raw_name == "Big Goodness"
    assert "episode_return" in named.frame.columns
    assert diagnose(log, settings=Settings(names={"Big Goodness": "episode_return"})).performance == "episode_return"


def test_two_metrics_can_change_places(log):
    names = {"aux loss": "loss"}
    old, new = read_log(log), read_log(log, settings=Settings(names=names))
    aux = next(name for name, series in old.series.items() if series.raw_name == "aux loss")
    assert (new.series["loss"].value == old.series[aux].value).all()
    assert (new.series["loss_2"].value == old.series["loss"].value).all()
    assert {"loss", "loss_2"} <= set(new.frame.columns)


def test_names_nobody_prints_change_nothing(log):
    assert set(read_log(log, settings=Settings(names={"other": "loss"})).series) == set(read_log(log).series)


def test_flag_and_settings(log, tmp_path):
    (tmp_path / "logdoctor.toml").write_text('[names]\n"aux loss" = "value_loss"\n', encoding="utf-8")
    settings = load_settings(start=tmp_path, environ={}, names={"Big Goodness": "episode_return"})
    assert settings.names == {"aux loss": "value_loss", "Big Goodness": "episode_return"}
    done = run(
        "analyze", log, "-f", "json", "--name", "Big Goodness=episode_return", "--fail-on", "never", cwd=tmp_path
    )
    assert {"episode_return", "value_loss", "loss"} <= {metric["name"] for metric in json.loads(done.stdout)["metrics"]}
    assert run("analyze", log, "--name", "nothing", cwd=tmp_path).returncode == 2
