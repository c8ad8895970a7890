"""Rules on logging faults: a column that measures nothing, and columns that stand still for a good reason."""

from __future__ import annotations

import numpy as np
import pytest

from tests.runs import found, learns, noise, series_of, view_of
from tests.test_rules_values import setting

N = 120


def loss(seed=0):
    return np.linspace(2, 0.5, N) + noise(N, 0.03, seed)


def stop(values, at):
    values = np.array(values)
    values[at:] = values[at - 1]
    return values


# ---------------------------------------------------------------------------------------------------- never recorded
@pytest.mark.parametrize("name", ["grad_norm", "actor_mlp_grad_norm", "critic_norm", "entropy", "q_value", "td_error"])
def test_a_zero_column_beside_a_run_that_learns_was_never_recorded(name):
    view = view_of(series_of(name, np.zeros(N)), series_of("value_loss", loss()), series_of("episode_return", learns()))
    assert found(view, "LD101")["metric-never-recorded"].metrics == (name,)


@pytest.mark.parametrize("name", ["clip_fraction", "epsilon", "expert_ratio", "learning_rate", "kl", "skipped"])
def test_a_column_that_may_be_zero_is_left_alone(name):
    view = view_of(series_of(name, np.zeros(N)), series_of("value_loss", loss()), series_of("episode_return", learns()))
    assert not found(view, "LD101")


def without_expert(**share):
    return view_of(
        series_of("c_loss", np.zeros(N)), series_of("d_loss", loss()), series_of("loss", loss()),
        series_of("spin_agreement", 3.5 + noise(N, 0.3)), series_of("agreement", np.linspace(40, 59, N)),
        series_of("episode_return", learns()), *(series_of(k, np.full(N, v)) for k, v in share.items()),
    )  # fmt: skip


def test_a_loss_whose_part_is_switched_off_is_not_missing():
    off = found(without_expert(expert_ratio=0.0), "LD101", "LD508")
    assert off["metric-never-recorded"].benign
    assert "no expert moves to learn from" in off["metric-never-recorded"].summary
    assert list(off) == ["metric-never-recorded"]  # the head gets no training, so its agreement is not judged
    on = found(without_expert(expert_ratio=50.0), "LD101", "LD508")
    assert not on["metric-never-recorded"].benign
    assert "agreement-stagnates" in on


@pytest.mark.parametrize(
    ("given", "benign"),
    [({"continuous_loss_weight": 0.0}, True), ({"expert_ratio_start": 0.0, "expert_ratio_end": 0.0}, True),
     ({"expert_ratio_start": 0.9, "expert_ratio_end": 0.0}, False), ({}, False)],
)  # fmt: skip
def test_the_configuration_may_switch_a_loss_off(given, benign):
    view = without_expert()
    view.given = tuple(setting(name, value) for name, value in given.items())
    assert found(view, "LD101")["metric-never-recorded"].benign is benign


def test_a_dead_policy_has_truly_no_gradient():
    view = view_of(
        series_of("grad_norm", np.zeros(N)), series_of("entropy", np.full(N, 1e-9)),
        series_of("value_loss", loss()), series_of("episode_return", 20 + noise(N)),
    )  # fmt: skip
    assert not found(view, "LD101")


# ---------------------------------------------------------------------------------------------------- frozen
def test_one_frozen_metric_is_named_with_its_last_measured_row():
    view = view_of(
        series_of("loss", stop(loss(), 60)), series_of("grad_norm", 1 + noise(N, 0.1)),
        series_of("episode_return", learns()),
    )  # fmt: skip
    findings = found(view, "LD102", "LD807")
    assert list(findings) == ["metric-frozen"]
    assert findings["metric-frozen"].onset.line == 60


def test_all_update_metrics_frozen_means_that_updates_stopped():
    view = view_of(
        series_of("loss", stop(loss(), 60)), series_of("grad_norm", stop(1 + noise(N, 0.1), 60)),
        series_of("q_max", stop(5 + noise(N, 0.2, 3), 60)), series_of("episode_return", learns()),
    )  # fmt: skip
    findings = found(view, "LD102", "LD807")
    assert list(findings) == ["updates-stopped"]
    assert findings["updates-stopped"].severity == "critical"
    assert findings["updates-stopped"].onset.line == 60


def test_frozen_evaluations_have_a_finding_of_their_own():
    val = np.linspace(0.5, 0.9, N) + noise(N, 0.01)
    view = view_of(series_of("loss", loss()), series_of("val_accuracy", stop(val, 40)))
    assert list(found(view, "LD102", "LD108")) == ["evaluation-frozen"]


@pytest.mark.parametrize(
    "values",
    [
        np.minimum(learns(high=600, size=1), 500.0),  # a capped score
        np.maximum(np.linspace(1.0, -1.0, N), 0.05),  # a schedule at its floor
        np.round(np.linspace(2, 0.5, N), 1),  # a value printed with one decimal
        np.repeat(loss()[:12], 10),  # an evaluation carried forward
        np.round(np.geomspace(1, 1e-4, N), 3),  # a loss that converged below its digits
    ],
    ids=["cap", "floor", "digits", "carried", "converged"],
)
def test_what_stands_still_by_nature_did_not_freeze(values):
    view = view_of(series_of("episode_return", values), series_of("loss", loss()), series_of("grad_norm", loss(2)))
    assert not found(view, "LD102", "LD807")


def test_a_value_of_two_digits_that_stops_with_the_others_does_not_hide_the_stop():
    view = view_of(
        series_of("critic_loss", stop(1.2 + noise(N, 0.1), 60)),
        series_of("actor_norm", stop(1 + noise(N, 0.1, 2), 60)),
        series_of("q_value", stop(np.round(np.linspace(0, 0.9, N), 2), 60)), series_of("episode_return", learns()),
    )  # fmt: skip
    assert list(found(view, "LD102", "LD807")) == ["updates-stopped"]
    moving = view_of(
        series_of("critic_loss", stop(1.2 + noise(N, 0.1), 60)),
        series_of("actor_norm", stop(1 + noise(N, 0.1, 2), 60)),
        series_of("q_value", np.round(np.linspace(0, 0.9, N), 2)), series_of("episode_return", learns()),
    )  # fmt: skip
    assert list(found(moving, "LD102", "LD807")) == ["metric-frozen"]


# ---------------------------------------------------------------------------------------------------- steps
def test_a_step_that_goes_back_is_found_and_a_late_row_is_not():
    step = np.concatenate([np.arange(1, 81), np.arange(41, 81)]) * 100.0
    finding = found(view_of(series_of("loss", loss(), step=step)), "LD103")["step-goes-back"]
    assert finding.figures["back"] == 3900
    assert finding.onset.line == 81
    late = np.arange(1, N + 1) * 100.0
    late[50], late[51] = late[51], late[50]
    assert not found(view_of(series_of("loss", loss(), step=late)), "LD103")


def test_a_counter_that_restarts_in_every_epoch_is_no_fault():
    assert not found(view_of(series_of("loss", loss(), step=np.tile(np.arange(1, 13), 10))), "LD103")


@pytest.mark.parametrize("rows", [1, 2])
def test_the_fragment_at_the_end_of_a_log_that_is_being_written_is_no_fall(rows):
    step = np.arange(1.0, N + 1) * 100
    step[-rows:] = 59.0
    assert not found(view_of(series_of("loss", loss(), step=step)), "LD103")


def test_nothing_was_trained_looks_at_results_only():
    zero = np.zeros(14)
    results = [series_of(name, zero) for name in ("loss", "reward", "grad_norm", "fps")]
    settings = series_of("epsilon", np.linspace(0.06, 0.5, 14))
    assert "nothing-was-trained" in found(view_of(*results, settings), "LD106")
    assert not found(view_of(*results[1:], series_of("loss", loss()[:14])), "LD106")
