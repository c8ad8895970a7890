"""The public names: their examples run, and the command line does nothing that they cannot."""

from __future__ import annotations

import doctest
import inspect
import json

import pytest

import logdoctor
from logdoctor import check, compare, diagnose, read_log, render
from logdoctor.checking import exit_code
from logdoctor.demo import sample
from tests.test_cli import run


def test_the_examples_run():
    result = doctest.testmod(logdoctor)
    assert result.attempted >= 10
    assert result.failed == 0


@pytest.mark.parametrize("name", [n for n in logdoctor.__all__ if not n.startswith("_")])
def test_public_names_are_typed_and_documented(name):
    value = getattr(logdoctor, name)
    assert inspect.getdoc(value)
    if inspect.isfunction(value):
        hints = inspect.signature(value)
        assert hints.return_annotation is not inspect.Signature.empty
        assert all(p.annotation is not inspect.Parameter.empty for p in hints.parameters.values())


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing"):
        logdoctor.nothing  # noqa: B018


def test_command_and_function_say_the_same():
    log, config, _ = sample("q_divergence")
    saved = json.loads(run("analyze", log, "--config", config, "-f", "json").stdout)
    assert saved == diagnose(str(log), hyperparameters=str(config)).to_dict()
    assert json.loads(run("compare", log, log, "-f", "json").stdout) == compare(str(log), str(log)).to_dict()


def test_check_of_command_and_function(tmp_path):
    log, _, _ = sample("q_divergence")
    report = tmp_path / "report.json"
    report.write_text(render(diagnose(log), "json"), encoding="utf-8")
    done = run("check", log, "--against", report, "-f", "json")
    mine = check(str(log), str(report))
    assert json.loads(done.stdout) == mine.to_dict()
    assert done.returncode == exit_code(mine) == 1


def test_a_log_may_be_read_once_and_judged_twice():
    log, _, _ = sample("healthy_arcade")
    read = read_log(log)
    assert diagnose(read).to_dict() == diagnose(read).to_dict()
