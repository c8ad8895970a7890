"""The next run against what the last report said to watch for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from logdoctor import check, diagnose
from logdoctor.checking import _outcome as judge
from logdoctor.checking import exit_code
from logdoctor.engine import render
from logdoctor.errors import InputError
from logdoctor.expectations import from_report, load_expectations
from logdoctor.model import Watch
from logdoctor.renderers import _checked
from logdoctor.renderers._document import to_markdown, to_terminal
from logdoctor.results import Expectation
from logdoctor.tracks import subject
from tests.hand_made import hostile, sick, well
from tests.test_comparison import finding, run

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_logs"


def expect(condition=">=", value=5.0, metric="reward", **more):
    return Expectation(metric=metric, condition=condition, value=value, **more)


def state(expectation, values, **more):
    return judge(expectation, subject(run(values, **more))).state


RISE, FALL = np.linspace(0, 10, 100), np.linspace(10, 0, 100)


@pytest.mark.parametrize(
    ("expectation", "values", "wanted"),
    [
        (expect(">=", 5.0), RISE, "met"),
        (expect(">=", 50.0), RISE, "not met"),
        (expect(">=", 50.0, within=20_000), RISE, "not yet"),
        (expect(">=", 5.0, within=2_000), RISE, "not met"),
        (expect(">=", 5.0, within=7_000), RISE, "met"),
        (expect(">=", 5.0, by=7_000), RISE, "met"),
        (expect("<=", 5.0), FALL, "met"),
        (expect("<", -5.0), FALL, "not met"),
        (expect("between", 4.0, value2=6.0), RISE, "met"),
        (expect("between", 40.0, value2=60.0, within=20_000), RISE, "not yet"),
        (expect("rises", None), RISE, "met"),
        (expect("rises", None), FALL, "not met"),
        (expect("falls", None), FALL, "met"),
        (expect("falls", None, within=20_000), RISE, "not yet"),
        (expect("finite", None), RISE, "met"),
        (expect("finite", None), [1, 2, np.nan, 3, 4, 5], "not met"),
        (expect("finite", None, within=1e6), RISE, "not yet"),
        (expect(">=", 5.0, metric="nothing"), RISE, "cannot tell"),
        (expect(">=", "big"), RISE, "cannot tell"),
        (expect(">=", 5.0), [1.0, 2.0], "cannot tell"),
        (expect(">=", 5.0, within=1e6), [1.0, 2.0], "not yet"),
        (expect(">=", 5.0), [np.nan] * 20, "not met"),
        (expect(">", 20.0, sign="failure"), RISE, "met"),
        (expect(">", 5.0, sign="failure"), RISE, "not met"),
        (expect(">", 20.0, sign="failure", within=1e6), RISE, "not yet"),
        (expect("rises", None, sign="failure"), RISE, "not met"),
        (expect("rises", None), [5.0] * 60, "not met"),
        (expect("<", 5.0, sign="failure"), RISE, "met"),  # it begins there, as every run does, and leaves
        (expect("<", 50.0, sign="failure", within=1e6), RISE, "not yet"),
        (expect("<", 50.0, sign="failure"), RISE, "not met"),
        (expect("<", 5.0, sign="failure"), FALL, "not met"),
    ],
)  # fmt: skip
def test_conditions(expectation, values, wanted):
    assert state(expectation, values) == wanted


def test_one_lucky_row_decides_nothing():
    values = np.zeros(100)
    values[50] = 100.0
    assert state(expect(">=", 50.0), values) == "not met"


def test_but_an_explosion_of_two_rows_is_a_sign_of_failure():
    values = np.zeros(100)
    values[50:52] = 100.0
    judgement = judge(expect(">", 50.0, sign="failure"), subject(run(values)))
    assert judgement.state == "not met"
    assert judgement.place.line == 51
    assert judgement.value == 100.0


def test_a_level_that_was_reached_and_lost_again_is_not_met():
    up_and_down = np.concatenate([np.linspace(0, 10, 60), np.linspace(10, 0, 60)])
    judgement = judge(expect(">=", 8.0), subject(run(up_and_down)))
    assert judgement.state == "not met"
    assert "lost again" in judgement.text


def test_the_figure_is_one_that_was_printed():
    noisy = 5 + np.random.default_rng(3).standard_normal(200)
    for condition, value in ((">=", 50.0), (">=", 5.0), ("<=", -50.0), ("between", 4.0)):
        judgement = judge(expect(condition, value, value2=6.0), subject(run(noisy)))
        assert noisy[judgement.place.line - 1] == judgement.value


def test_figures_name_their_line():
    judgement = judge(expect(">=", 5.0, otherwise="halve the learning rate"), subject(run(RISE)))
    assert judgement.place.line == pytest.approx(51, abs=4)
    assert RISE[judgement.place.line - 1] == judgement.value
    assert judgement.next_action == ""
    failed = judge(expect(">=", 50.0, otherwise="halve the learning rate"), subject(run(RISE)))
    assert failed.next_action == "halve the learning rate"


def test_alarms_of_the_report_must_not_come_back():
    report = replace(run(findings=[finding(step=5000.0)]), watch=())
    (absent,) = from_report(report)
    assert absent.condition == "absent"
    checks = sick().checks
    fixed = replace(run(), checks=(replace(checks[0], id="LD201", state="clear"),))
    assert judge(absent, subject(fixed)).state == "met"
    short = replace(run(np.linspace(0, 1, 20)), checks=fixed.checks)
    assert judge(absent, subject(short)).state == "not yet"
    assert judge(absent, subject(run(findings=[finding()]))).state == "not met"
    silent = replace(run(), checks=(replace(checks[0], id="LD201", state="not-applicable", why="no loss"),))
    assert judge(absent, subject(silent)).state == "cannot tell"


def test_exit_codes():
    met, bad = check(run(RISE), expect(">=", 5.0)), check(run(RISE), [expect(">=", 50.0)])
    late = check(run(RISE), [expect(">=", 50.0, within=1e6)])
    unknown = check(run(RISE), [expect(metric="nothing")])
    assert [exit_code(c) for c in (met, bad, late, unknown)] == [0, 1, 0, 0]
    assert [exit_code(c, strict=True) for c in (met, bad, late, unknown)] == [0, 1, 1, 1]
    mute = replace(unknown, judgeable=False)
    assert exit_code(mute) == 3
    assert exit_code(mute, allow_empty=True) == 0


def test_nothing_to_check_against_is_an_error():
    with pytest.raises(InputError, match="nothing to check"):
        check(run(), [run()])


# ------------------------------------------------------------------------------------------------------------ TOML
def toml(tmp_path, text):
    path = tmp_path / "expectations.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_expectations(tmp_path):
    path = toml(
        tmp_path,
        '[[expect]]\nmetric = "reward"\ncondition = "at least"\nvalue = 5\nby = 7000\notherwise = "stop"\n'
        '[[expect]]\nmetric = "reward"\nsign = "failure"\ncondition = ">"\nvalue = 100\n',
    )
    first, second = load_expectations(path)
    assert (first.condition, first.by, first.sign) == (">=", 7000, "recovery")
    assert second.sign == "failure"
    assert [j.state for j in check(run(RISE), path).judgements] == ["met", "met"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no [[expect]]"),
        ("x = 1", "unknown key 'x'"),
        ("[[expect]]\nmetrc = 'a'", "did you mean 'metric'"),
        ("[[expect]]\ncondition = 'rises'", "metric is missing"),
        ("[[expect]]\nmetric = 'a'\ncondition = 'rise'", "did you mean 'rises'"),
        ("[[expect]]\nmetric = 'a'\ncondition = '>='", "value must be a number"),
        ("[[expect]]\nmetric = 'a'\ncondition = '>='\nvalue = 'x'", "value must be a number"),
        ("[[expect]]\nmetric = 'a'\nwithin = 'x'", "within must be a number"),
        ("[[expect]]\nmetric = 'a'\nsign = 'bad'", "recovery or failure"),
        ("[[expect", "not valid TOML"),
    ],
)
def test_mistakes_in_it_are_named(tmp_path, text, says):
    with pytest.raises(InputError, match=r"expectations\.toml") as caught:
        load_expectations(toml(tmp_path, text))
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json", '{"schema": "other/1"}', "\x00"])
def test_what_is_no_report_is_an_error(tmp_path, text):
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"report\.json"):
        load_expectations(path)


# --------------------------------------------------------------------------------------------------------- documents
@pytest.mark.parametrize("report", [sick, hostile])
def test_the_documents(report):
    sign = Watch(
        metric="reward", condition=">=", value=50, within_steps=1e5, sign="recovery", otherwise="halve the rate"
    )
    watched = replace(report(), watch=(*report().watch, sign))
    result = check(run(RISE), watched)
    blocks = _checked.blocks(result)
    markdown, terminal = to_markdown(blocks), to_terminal(blocks)
    assert markdown.startswith("# Verdict: ")
    assert "http://evil" not in markdown
    assert "\x1b" not in terminal
    assert json.dumps(result.to_dict(), allow_nan=False)
    assert sum(result.to_dict()["counts"].values()) == len(result.judgements)


def test_the_next_action_stands_above_the_table():
    text = to_markdown(_checked.blocks(check(run(RISE), expect(">=", 50.0, otherwise="halve the learning rate"))))
    assert text.index("halve the learning rate") < text.index("| state |")


# ------------------------------------------------------------------------------------------------------ the full loop
def test_the_full_loop(tmp_path):
    """Analyse a failing sample, save its report, and check the unfixed and the fixed run against it."""
    report = tmp_path / "report.json"
    sample = SAMPLES / "q_divergence.log"
    report.write_text(render(diagnose(sample), "json"), encoding="utf-8")
    again = check(sample, report)
    assert again.count("not met") >= 1
    assert any(j.expectation.metric == "LD401" and j.state == "not met" for j in again.judgements)
    assert exit_code(again) == 1
    lines = sample.read_text(encoding="utf-8").splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if line.split()[:1] and line.split()[0].replace(",", "").isdigit())
    fixed = tmp_path / "fixed.log"
    fixed.write_text("".join(lines[:first]) + "".join(_calm(lines[first:])), encoding="utf-8")
    better = check(fixed, report)
    verdicts = {j.expectation.metric: j.state for j in better.judgements if j.expectation.condition == "absent"}
    assert verdicts["LD401"] == "met"
    assert well().verdict == "healthy"


def _calm(lines):
    """The healthy first rows of the sample, repeated with the frames of the whole run."""
    frames = [line.split()[0] for line in lines]
    calm = lines[:20]
    for i, frame in enumerate(frames):
        row = calm[i % 20]
        old = row.split()[0]
        yield row.replace(old, frame.rjust(len(old)), 1)
