"""A loss that stands still: zero, at the level of a guess, or a column that is not filled."""

from __future__ import annotations

import math

import numpy as np
import pytest

from logdoctor import diagnose, render
from tests.runs import found, learns, noise, run_of, series_of, view_of

GUESS = math.log(2)


def loss(values, **more):
    return series_of("loss", values, **more)


def one(*series):
    """The finding of the two rules on a loss that stands still, or None."""
    findings = found(view_of(*series), "LD205", "LD208")
    assert len(findings) <= 1
    return next(iter(findings.values()), None)


def verdict(*series):
    return diagnose(run_of(*series)).verdict


# ------------------------------------------------------------------------------------------ zeros
@pytest.mark.parametrize("first", [0, 1, 5])
@pytest.mark.parametrize("name", ["error", "val_loss", "accuracy"])
def test_a_zero_beside_which_the_run_learns_is_a_column_that_is_not_filled(first, name):
    zero = np.zeros(15)
    zero[:first] = 0.46
    better = np.geomspace(0.46, 3e-5, 15)
    beside = series_of(name, 1 - better if name == "accuracy" else better)
    finding = one(loss(zero), goal(beside, "max" if name == "accuracy" else "min"))
    assert finding is not None
    assert finding.severity == "info"
    assert "not filled" in finding.summary
    assert verdict(loss(zero), goal(beside, "max" if name == "accuracy" else "min")) == "healthy"


def test_a_zero_beside_which_nothing_improves_stays_critical():
    zero = np.concatenate([1.5 + noise(20, 0.1), np.zeros(20)])
    still = goal(series_of("val_loss", np.full(40, 1.4) + noise(40, 0.01)), "min")
    finding = one(loss(zero), still)
    assert finding is not None
    assert finding.severity == "critical"


def test_a_running_mean_that_falls_over_zeros_is_no_learning():
    zero = np.concatenate([np.full(10, 1.5), np.zeros(30)])
    mean = goal(series_of("loss_avg", np.cumsum(zero) / np.arange(1, 41)), "min")
    finding = one(loss(zero), mean)
    assert finding is not None
    assert finding.severity == "critical"


def test_a_zero_with_every_answer_right_is_a_question_to_the_labels():
    finding = one(loss(np.zeros(12)), goal(series_of("accuracy", np.ones(12)), "max"))
    assert finding is not None
    assert finding.severity == "warning"
    assert "nothing to learn" in finding.summary


# ------------------------------------------------------------------------------------------ constants
@pytest.mark.parametrize(
    ("value", "rows", "severity"),
    [
        (GUESS, 60, "critical"),
        (GUESS, 15, "critical"),
        (0.693, 25, "critical"),
        (2.3026, 40, "critical"),
        (1.2345, 40, "warning"),
        (1.234567, 12, "warning"),
        (0.693, 15, None),
        (0.7, 60, None),
        (GUESS, 8, None),
        (0.0, 60, None),
    ],
)
def test_a_loss_that_repeats_to_the_last_digit(value, rows, severity):
    findings = found(view_of(loss(np.full(rows, value))), "LD205")
    told = [f.severity for f in findings.values() if f.severity != "info"]
    assert told == ([severity] if severity else [])
    assert verdict(loss(np.full(rows, value))) != "healthy"


def test_the_last_bits_of_a_double_are_no_movement():
    value = np.full(15, GUESS)
    value[10] = np.nextafter(GUESS, 1)
    finding = one(loss(value))
    assert finding is not None
    assert finding.severity == "critical"
    assert "ln 2" in finding.summary


def test_an_accuracy_of_a_guess_is_a_second_witness():
    finding = one(loss(np.full(30, 4.2197)), goal(series_of("accuracy", np.full(30, 0.25)), "max"))
    assert finding is not None
    assert finding.severity == "critical"
    assert "a guess among 4" in finding.summary


def test_a_constant_beside_which_the_run_learns_is_only_told():
    rises = goal(series_of("val_accuracy", np.linspace(0.3, 0.9, 40) + noise(40, 0.01)), "max")
    series = (loss(np.full(40, 0.6931)), rises)
    finding = one(*series)
    assert finding is not None
    assert finding.severity == "info"
    assert "not what is trained" in finding.summary
    assert verdict(*series) == "healthy"
    assert "**loss**" not in render(diagnose(run_of(*series)), "markdown")


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param(("accuracy", np.full(40, 0.9123)), id="one evaluation, told again and again"),
        pytest.param(("episode_return", learns(40)), id="a term of reinforcement learning"),
    ],
)
def test_a_constant_that_is_no_fault(beside):
    findings = found(view_of(loss(np.full(40, 0.2345)), goal(series_of(*beside), "max")), "LD205")
    assert not [f for f in findings.values() if f.severity != "info"]


@pytest.mark.parametrize("name", ["learning_rate", "kl_penalty", "entropy_loss", "val_loss"])
def test_other_columns_may_be_constant(name):
    falls = loss(np.geomspace(2, 0.5, 40) + noise(40, 0.01))
    assert not found(view_of(falls, series_of(name, np.full(40, 0.6931))), "LD205", "LD208")


def goal(series, wanted):
    from dataclasses import replace

    return replace(series, goal=wanted)
