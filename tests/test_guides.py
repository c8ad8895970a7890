"""The guides name what is there: settings, variables, events, options."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
import typer

from logdoctor.cli import app
from logdoctor.expectations import _KEYS, CONDITIONS
from logdoctor.results import Outcome, State
from logdoctor.settings import Settings, load_settings
from logdoctor.watching import alerts, happening

DOCS = Path(__file__).resolve().parent.parent / "docs"


def text(name):
    return (DOCS / name).read_text(encoding="utf-8")


def test_every_setting_is_described():
    page = text("settings.md")
    keys = {field.name.replace("_", "-") for field in dataclasses.fields(Settings)} - {"origin", "thresholds"}
    assert not [key for key in keys if key not in page]
    assert "rules." in page


def test_the_example_of_the_settings_works(tmp_path):
    block = re.search(r"```toml\n(.+?)```", text("settings.md"), re.DOTALL)[1]
    block = block.replace('select = ["LD2", "rl"]', 'select = ["LD2"]')
    (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
    settings = load_settings(start=tmp_path, environ={})
    assert settings.fail_on == "warning"
    assert settings.thresholds == {"q-divergence": {"factor": 8.0}}
    assert settings.names == {"big goodness": "episode_return"}
    assert settings.formats["mine"]["pattern"]


def test_every_event_is_described():
    page = text("watching.md")
    kinds = re.search(r"kind: (.+?)\n        moment", happening.Happening.__doc__, re.DOTALL)[1]
    assert not [kind for kind in re.findall(r"``(\w+)``", kinds) if f"`{kind}`" not in page]
    event = happening.Happening(kind="verdict", moment=0.0, path="a", text="b")
    assert not [name for name in alerts.environment(event) if name not in page]
    assert all(f"`{kind}`" in page for kind in happening.ALERTS)


def test_every_condition_and_verdict_is_described():
    page = text("next-run.md")
    assert not [key for key in _KEYS if key not in page and key not in ("why", "clock")]
    block = re.search(r"condition = .+", page)[0]
    assert not [condition for condition in CONDITIONS if condition not in block]
    assert not [word for word in (*get_args(State), *get_args(Outcome)) if word not in page]
    tomllib.loads(re.search(r"```toml\n(.+?)```", page, re.DOTALL)[1])


def commands():
    return typer.main.get_command(app).commands


@pytest.mark.parametrize("name", ["ci.md", "next-run.md", "watching.md", "settings.md"])
def test_options_and_commands_exist(name):
    options = {"--help"} | {o for c in commands().values() for p in c.params for o in p.opts}
    page = text(name)
    assert not [option for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", page) if option not in options]
    assert not [command for command in re.findall(r"logdoctor ([a-z]+) ", page) if command not in commands()]


def test_every_command_and_option_has_help():
    for name, command in commands().items():
        assert command.help, name
        for parameter in command.params:
            if parameter.opts and parameter.opts[0].startswith("-"):
                assert parameter.help, (name, parameter.name)
