"""Before and after: findings, figures at the same step, settings, and what explains the outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from logdoctor import compare
from logdoctor.comparing.findings import outcome_of
from logdoctor.comparing.levels import percent
from logdoctor.comparing.settings import same_value
from logdoctor.errors import InputError
from logdoctor.model import (
    Cause,
    Change,
    Clock,
    Curve,
    Diagnosis,
    Finding,
    Metric,
    Place,
    Reading,
    Segment,
    Setting,
    SourceInfo,
)
from logdoctor.renderers import _comparison
from logdoctor.renderers._document import to_markdown, to_terminal
from tests.hand_made import NASTY, hostile, sick, well


def finding(rule="LD201", severity="critical", step=5000.0, metric="loss"):
    return Finding(
        id=rule, name=f"fault-{rule.lower()}", severity=severity, confidence=0.9, summary="it broke", metrics=(metric,),
        onset=Place(line=50, step=step),
    )  # fmt: skip


def run(
    values=None,
    findings=(),
    settings=(),
    causes=(),
    name="a.log",
    metric="reward",
    goal="max",
    steps=None,
    verdict=None,
):
    values = np.linspace(0, 10, 100) if values is None else np.asarray(values, dtype=float)
    steps = np.arange(values.size) * 100.0 if steps is None else steps
    worst = max((["info", "warning", "critical"].index(f.severity) for f in findings), default=0)
    segment = Segment(
        index=0, first_line=1, last_line=values.size, first_step=0.0, last_step=float(steps[-1]), rows=values.size
    )
    return Diagnosis(
        source=SourceInfo(path=name),
        reading=Reading(
            format="columns", rows=values.size, metric_lines=values.size, unread_lines=0, coverage=1.0,
            segments=(segment,), clocks=(Clock(name="step", unit="steps", primary=True),),
        ),
        verdict=verdict or ("healthy", "warning", "critical")[worst],
        headline="", findings=tuple(findings), causes=tuple(causes), performance=metric, family="dqn",
        hyperparameters=tuple(Setting(name=k, raw_name=k, value=v, line=i + 1) for i, (k, v) in enumerate(settings)),
        metrics=(
            Metric(
                name=metric, raw_name=metric, unit=None, count=values.size, missing=0, nonfinite=0,
                first=float(values[0]), last=float(values[-1]), min=float(values.min()), max=float(values.max()),
                goal=goal,
            ),
        ),
        curves=(
            Curve(metric=metric, step=tuple(steps), value=tuple(values), line=tuple(range(1, values.size + 1))),
        ),
    )  # fmt: skip


CAUSE = Cause(
    id="learning-rate-too-high", rank=1, confidence=0.8, title="Learning rate too high",
    changes=(Change(parameter="learning_rate", from_=0.01, to=0.001, why="it diverges"),),
)  # fmt: skip
UP, FLAT = np.linspace(0, 10, 100), np.linspace(0, 1, 100)


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (run(), run(), "same"),
        (run(FLAT), run(UP), "better"),
        (run(UP), run(FLAT), "worse"),
        (run(findings=[finding()]), run(), "fixed"),
        (run(UP, findings=[finding()]), run(FLAT), "worse"),
        (run(findings=[finding()]), run(findings=[finding(severity="warning")]), "better"),
        (run(findings=[finding()]), run(findings=[finding()]), "same"),
        (run(FLAT, findings=[finding()]), run(UP, findings=[finding()]), "better"),
        (run(findings=[finding()]), run(findings=[finding("LD401")]), "other fault"),
        (run(), run(findings=[finding()]), "worse"),
        (run(findings=[finding("LD601", "warning")]), run(findings=[finding()]), "other fault"),
    ],
)
def test_outcomes(before, after, outcome):
    assert compare(before, after).outcome == outcome


def test_a_run_that_is_too_short_to_show_the_fault_is_not_called_fixed():
    short = run(np.linspace(0, 3, 30))
    result = compare(run(findings=[finding(step=5000.0)]), short)
    assert [c.state for c in result.findings] == ["not reached"]
    assert result.outcome == "cannot tell"


def test_figures_stand_at_the_step_that_both_reached():
    result = compare(run(np.linspace(0, 10, 100)), run(np.linspace(0, 6, 60)))
    change = result.metrics[0]
    assert change.step == 5900.0
    assert change.before.last_step <= 5900.0
    assert change.before.value == pytest.approx(np.median(np.linspace(0, 10, 100)[54:60]), rel=0.02)
    assert "AFTER is shorter" in " ".join(result.notes)


def test_a_noisy_metric_is_not_better_by_chance():
    rng = np.random.default_rng(1)
    result = compare(run(5 + rng.standard_normal(300)), run(5.2 + rng.standard_normal(300)))
    assert result.metrics[0].reading == "within noise"
    assert result.outcome == "same"


def test_siblings_say_what_noise_is():
    siblings = [run(UP * factor) for factor in (0.6, 1.0, 1.5)]
    quiet, noisy = compare(run(UP), run(UP * 1.3)), compare(run(UP), run(UP * 1.3), baseline=siblings)
    assert quiet.metrics[0].reading == "better"
    assert noisy.metrics[0].reading == "within noise"
    assert "3 sibling runs" in " ".join(noisy.notes)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [(10, 12, 20), (-10, -8, 20), (-10, -12, -20), (0, 5, None), (-1, 1, None), (1, -1, None)],
)
def test_percent_is_safe_with_signs(before, after, wanted):
    assert percent(before, after) == wanted


def test_losses_below_zero_are_compared_by_their_goal():
    down = -np.linspace(0, 10, 100)
    result = compare(run(down / 2, metric="loss", goal="min"), run(down, metric="loss", goal="min"))
    assert result.metrics[0].reading == "better"
    assert result.metrics[0].percent < 0


def test_settings_that_differ_and_the_one_that_explains_it():
    before = run(findings=[finding()], settings=[("learning_rate", 0.01), ("gamma", 0.99), ("seed", 1)], causes=[CAUSE])
    after = run(settings=[("learning_rate", 0.003), ("gamma", 0.99), ("seed", 2), ("n_step", 3)])
    result = compare(before, after)
    assert [(c.name, c.before, c.after, c.known) for c in result.settings] == [
        ("learning_rate", 0.01, 0.003, "both"),
        ("seed", 1, 2, "both"),
        ("n_step", None, 3, "after"),
    ]
    assert result.attributions[0].setting == "learning_rate"
    assert "rank 1, 80%" in result.attributions[0].text


def test_a_change_against_the_advice_explains_what_got_worse():
    before = run(settings=[("learning_rate", 0.001)])
    after = run(findings=[finding()], settings=[("learning_rate", 0.01)], causes=[CAUSE])
    result = compare(before, after)
    assert result.outcome == "worse"
    assert result.attributions[0].setting == "learning_rate"


def test_advice_in_the_other_direction_explains_nothing():
    before = run(findings=[finding()], settings=[("learning_rate", 0.01), ("tau", 1)], causes=[CAUSE])
    after = run(settings=[("learning_rate", 0.1), ("tau", 2)])
    assert compare(before, after).attributions == ()


def test_a_setting_that_was_not_there_before_counts_where_the_advice_was_to_set_it():
    advice = Cause(
        id="gradient-clipping-missing", rank=1, confidence=0.7,
        changes=(Change(parameter="max_grad_norm", from_=None, to=1.0, why="nothing limits the update"),),
    )  # fmt: skip
    before = run(findings=[finding()], settings=[("gamma", 0.9)], causes=[advice])
    result = compare(before, run(settings=[("gamma", 0.9), ("max_grad_norm", 10.0), ("n_step", 3)]))
    assert [a.setting for a in result.attributions] == ["max_grad_norm"]
    assert "from not set to 10.0" in result.attributions[0].text


def test_one_difference_alone_is_named_with_less_confidence():
    result = compare(run(FLAT, settings=[("tau", 1)]), run(UP, settings=[("tau", 2)]))
    assert result.attributions[0].confidence <= 0.5
    assert "only setting" in result.attributions[0].text


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [(0.1, 0.1000000000001, True), (1, 1.0, True), (1, True, False), (None, None, True), ("Adam", "adam ", True),
     (1, "1", True), (0.1, 0.2, False), (None, 0, False)],
)  # fmt: skip
def test_same_value(a, b, same):
    assert same_value(a, b) is same


def test_different_tasks_are_not_compared_without_a_word():
    other = replace(run(metric="val_loss", goal="min", settings=[("env", "Pong")]), family="supervised")
    text = " ".join(compare(run(settings=[("env", "Breakout")]), other).warnings)
    for words in ("env is Breakout before and Pong after", "dqn and supervised", "reward and val_loss", "same program"):
        assert words in text


def test_the_order_of_weighing_needs_no_metric():
    assert outcome_of.__doc__
    short = replace(run(), curves=(run().curves[0],), verdict="inconclusive", performance=None, metrics=())
    assert compare(short, run()).outcome in ("cannot tell", "same", "better")


def test_a_run_without_metrics_is_an_error():
    with pytest.raises(InputError, match="AFTER"):
        compare(run(), replace(run(), curves=()))


@pytest.mark.parametrize("pair", [(sick, well), (well, sick), (hostile, sick), (sick, hostile)])
def test_the_documents(pair):
    result = compare(pair[0](), pair[1]())
    blocks = _comparison.blocks(result)
    markdown, terminal = to_markdown(blocks), to_terminal(blocks, width=80)
    assert markdown.startswith(f"# Verdict: {result.outcome}")
    assert not any(character in terminal for character in "\x1b\u202e")
    assert "<b>z</b>" not in markdown.replace("&lt;b>z&lt;/b>", "")
    assert "http://evil" not in markdown
    for line in terminal.splitlines():
        assert len(line) <= 80 or " " not in line.strip(), line
    assert "\x1b[" in to_terminal(blocks, color=True)
    assert result.to_dict()["schema"] == "logdoctor.comparison/1"
    assert NASTY  # what is hidden in `hostile`
