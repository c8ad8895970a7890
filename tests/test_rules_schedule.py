"""Raises of the learning rate: every one is told, a ramp is one raise, and the rate in force is the one named."""

from __future__ import annotations

import numpy as np
import pytest

from logdoctor.model import Event
from logdoctor.rules._rates import are_restarts, raises
from logdoctor.telling.soundness import healthy_items
from tests.runs import found, learns, series_of, view_of
from tests.test_rules_values import setting

ROWS = 120


def pressed(*changes):
    """Key presses: (line, rate)."""
    return [
        Event(line=line, step=100.0 * line, kind="hyperparameter-change", name="learning_rate", value=rate)
        for line, rate in changes
    ]


def keyed(*changes, first=1.5e-4):
    return view_of(
        series_of("episode_return", learns(ROWS)),
        events=pressed(*changes),
        settings=[setting("learning_rate", first), setting("gamma", 0.99), setting("algorithm", "dqn")],
    )


def test_a_raise_below_the_factor_is_told_after_the_one_above_it():
    finding = found(keyed((20, 2e-4), (23, 2.5e-4), (26, 3.5e-4), (70, 4e-4), (73, 5e-4)), "LD551")[
        "learning-rate-changed"
    ]
    assert "from 0.00015 to 0.00035 (2.33 times) at lines 20 to 26" in finding.summary
    assert "then on to 0.0005 at lines 70 to 73 (3.33 times in all)" in finding.summary
    assert finding.figures["in_force"] == 5e-4
    assert [item.line for item in finding.evidence] == [26, 73]


def test_a_raise_that_was_taken_back_is_told_with_its_end():
    finding = found(keyed((20, 6e-4), (60, 3e-4)), "LD551")["learning-rate-changed"]
    assert "4 times) at line 20, then down to 0.0003 at line 60;" in finding.summary
    assert "in all" not in finding.summary
    assert finding.figures["in_force"] == 3e-4


def test_small_raises_far_apart_are_one_raise_from_first_to_last():
    view = keyed((20, 1.8e-4), (45, 2.2e-4), (70, 2.7e-4), (95, 3.2e-4))
    (step,) = raises(view)
    assert (step.before, step.after, step.line, step.stated[0]) == (1.5e-4, 3.2e-4, 20, 95)


def test_small_raises_with_a_cut_between_them_are_no_ramp():
    assert not raises(keyed((20, 1.8e-4), (45, 1.5e-4), (70, 1.8e-4), (95, 2.1e-4)))


def column(rate):
    return view_of(series_of("learning_rate", rate), series_of("episode_return", learns(ROWS)))


def test_a_slow_ramp_of_the_column_after_a_constant_stretch_is_one_raise():
    rate = np.full(ROWS, 1e-4)
    rate[60:90] = np.linspace(1e-4, 4e-4, 30)
    rate[90:] = 4e-4
    (step,) = raises(column(rate))
    assert (step.before, step.after, step.line, step.stated[0]) == (1e-4, 4e-4, 62, 90)
    assert "(4 times) at lines 62 to 90" in found(column(rate), "LD551")["learning-rate-changed"].summary


@pytest.mark.parametrize(
    "rate",
    [
        np.concatenate([np.linspace(1e-5, 1e-3, 36), np.linspace(1e-3, 1e-6, ROWS - 36)]),  # one cycle
        1e-3 * (1.1 - np.abs((np.arange(ROWS) % 40) - 20) / 20),  # triangles
        np.concatenate([np.linspace(1e-5, 1e-3, 10), np.full(ROWS - 10, 1e-3)]),  # warm-up, then constant
        np.concatenate([np.full(60, 1e-4), np.linspace(1e-4, 1.2e-4, 60)]),  # a rise by a fifth
    ],
    ids=["one-cycle", "triangles", "warm-up", "small"],
)
def test_schedules_are_no_raises(rate):
    assert not raises(column(rate))


@pytest.mark.parametrize("count", [4, 6, 20])
def test_the_warm_up_of_a_short_log_is_no_raise(count):
    rate = np.minimum(6e-5 * np.arange(1, count + 1), 3e-4)
    assert not raises(view_of(series_of("learning_rate", rate), series_of("loss", np.linspace(10, 8, count))))


def test_warm_restarts_stay_restarts():
    rate = 1e-3 * (0.05 + 0.95 * (1 + np.cos(np.pi * (np.arange(ROWS) % 30) / 30)) / 2)
    assert are_restarts(raises(column(rate)))


def told_settings(view):
    return next(item.why for item in healthy_items(view, ()) if item.metric == "settings")


def test_the_rate_in_force_is_the_one_that_is_called_within_the_ranges():
    assert "learning_rate 5e-4 (since line 70; stated at the start: 1.5e-4)" in told_settings(keyed((70, 5e-4)))
    assert "learning_rate 1.5e-4, gamma" in told_settings(keyed())


def test_a_rate_that_left_the_range_on_the_way_is_not_called_fine():
    view = keyed((70, 0.5))
    view.given = (*view.given, setting("n_step", 3))
    assert "learning_rate" not in told_settings(view)
