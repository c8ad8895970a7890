"""Rules on entropy, KL, agreement, action distributions, exploration and sibling heads."""

from __future__ import annotations

import numpy as np
import pytest

from logdoctor.model import Setting
from tests.runs import event, found, learns, noise, series_of, view_of
from tests.test_rules_gradients import N, lost
from tests.test_rules_values import setting


def shares(kind, *columns):
    return [series_of(f"{kind}_action_share_{i}", np.broadcast_to(c, N)) for i, c in enumerate(columns)]


# ---------------------------------------------------------------------------------------------------- entropy
@pytest.mark.parametrize("name", ["entropy", "entropy_loss"])
def test_entropy_collapse_needs_a_run_that_does_not_do_well(name):
    value = np.geomspace(1.1, 0.002, N) * (1 if name == "entropy" else -1)
    sick = found(view_of(series_of(name, value), series_of("episode_return", lost())), "LD501")["entropy-collapse"]
    assert sick.severity == "critical"
    assert not found(view_of(series_of(name, value), series_of("episode_return", learns())), "LD501")


def test_the_entropy_of_a_gaussian_below_zero_is_not_judged():
    value = np.linspace(2.0, -3.0, N)
    assert not found(view_of(series_of("entropy", value), series_of("episode_return", lost())), "LD501", "LD502")


def test_a_policy_that_stays_uniform_and_learns_nothing():
    view = view_of(
        series_of("entropy_loss", -1.097 + noise(N, 0.001)), series_of("episode_return", -498 + noise(N, 0.5)),
        settings=[setting("ent_coef", 1.0)],
    )  # fmt: skip
    finding = found(view, "LD502")["policy-near-uniform"]
    assert "entropy coefficient is 1" in finding.summary


# ---------------------------------------------------------------------------------------------------- update size
def test_kl_far_above_its_target_when_the_return_falls():
    kl = 0.008 + np.abs(noise(N, 0.002))
    kl[62:66] = [0.4, 5.0, 31.13, 9.6]
    finding = found(view_of(series_of("kl", kl), series_of("episode_return", lost())), "LD503")["kl-blow-up"]
    assert (finding.severity, finding.onset.line, finding.figures["peak"]) == ("critical", 63, 31.13)


def test_a_healthy_ppo_is_silent():
    view = view_of(
        series_of("kl", 0.008 + np.abs(noise(N, 0.01))), series_of("clip_fraction", 0.12 + np.abs(noise(N, 0.05))),
        series_of("entropy_loss", -np.linspace(0.69, 0.3, N)), series_of("explained_variance", np.linspace(0, 0.9, N)),
        series_of("value_loss", np.geomspace(10, 0.01, N)), series_of("episode_return", learns()),
    )  # fmt: skip
    assert {n for n, f in found(view, "LD3", "LD4", "LD5").items() if f.severity != "info"} == set()


def test_a_spread_that_reaches_zero_is_critical_whatever_the_return():
    std = np.concatenate([np.full(80, 0.5), np.zeros(N - 80)])
    finding = found(view_of(series_of("action_std", std), series_of("episode_return", learns())), "LD505")[
        "action-std-underflow"
    ]
    assert (finding.severity, finding.onset.line) == ("critical", 81)


# ---------------------------------------------------------------------------------------------------- no gradient
def test_a_deterministic_policy_is_proved_by_one_block_with_advantages():
    parts = [
        series_of("log_prob_mean", [-0.0]), series_of("log_prob_std", [0.0]), series_of("grad_norm", [0.0]),
        series_of("advantage_mean", [-0.00536]), series_of("advantage_positive", [36.6]),
    ]  # fmt: skip
    finding = found(view_of(*parts), "LD506")["deterministic-policy"]
    assert finding.severity == "critical"
    assert finding.figures["advantage_mean"] == -0.00536


def test_a_certain_policy_that_solved_its_task_is_well():
    zero = np.concatenate([np.linspace(-1.1, -0.01, 80), np.zeros(40)])
    view = view_of(
        series_of("log_prob_mean", zero), series_of("log_prob_std", -zero), series_of("grad_norm", -zero),
        series_of("advantage_mean", noise(N, 0.01)), series_of("reward", learns()),
    )  # fmt: skip
    assert not found(view, "LD506", "LD501")


# ---------------------------------------------------------------------------------------------------- agreement
def test_agreement_collapse_is_dated_to_the_first_row_of_the_drift():
    agreement = np.concatenate(
        [np.linspace(25, 88, 60), [88, 87, 88, 87, 79, 78, 77, 76, 50, 45, 31, 20], np.full(48, 12.0)]
    )
    finding = found(view_of(series_of("agreement", agreement + noise(N, 0.2))), "LD5")["agreement-collapse"]
    assert finding.onset.line == 65
    assert finding.figures["lowest"] < 13


def test_a_dip_that_comes_back_is_no_collapse():
    agreement = np.linspace(25, 90, N)
    agreement[60:66] -= 40
    assert "agreement-collapse" not in found(view_of(series_of("agreement", agreement)), "LD5")


@pytest.mark.parametrize(
    ("count", "text"), [(4, "100/4 = 25 %"), (44, "100/44 = 2.27 %"), (None, "random base is unknown")]
)
def test_the_random_base_comes_from_the_number_of_actions_or_is_said_to_be_unknown(count, text):
    settings = [] if count is None else [setting("n_actions", count)]
    finding = found(view_of(series_of("agreement", 40 + noise(N, 0.5)), settings=settings), "LD508")[
        "agreement-stagnates"
    ]
    assert text in finding.summary


def test_below_chance_only_when_chance_is_known():
    low = series_of("agreement", 12 + noise(N, 0.5))
    assert not found(view_of(low), "LD510")
    assert not found(view_of(low, settings=[setting("n_actions", 44)]), "LD510")
    assert "agreement-below-random" in found(view_of(low, settings=[setting("n_actions", 4)]), "LD510")


def test_an_inverted_policy_is_named_with_both_actions():
    view = view_of(
        series_of("agreement", 10.4 + noise(N, 0.3)), *shares("greedy", 0, 704, 86, 0), *shares("replay", 86, 0, 699, 5)
    )
    finding = found(view, "LD510")["agreement-below-random"]
    assert "greedy picks action 1 in 89 %, the replay data action 2 in 88 %" in finding.summary


def test_a_switch_of_the_greedy_action_with_a_fall_of_agreement_is_critical():
    two = np.where(np.arange(N) < 70, 948.0, 40.0)
    agreement = np.concatenate([np.linspace(80, 90, 66), np.linspace(78, 10, N - 66)])
    view = view_of(series_of("agreement", agreement), *shares("greedy", 0, 66, two, 1014 - 66 - two))
    finding = found(view, "LD507")["action-distribution-switch"]
    assert (finding.severity, finding.figures["old_action"], finding.figures["new_action"]) == ("critical", 2, 3)
    assert finding.figures["old_share_percent"] == pytest.approx(100 * 948 / 1014)


def test_two_actions_that_share_the_lead_are_no_switch():
    one = 500 + 60 * np.sin(np.arange(N))
    assert not found(view_of(series_of("agreement", learns()), *shares("greedy", one, 1000 - one, 5, 5)), "LD507")


# ---------------------------------------------------------------------------------------------------- heads
def test_a_head_that_does_not_learn_while_its_twin_does():
    view = view_of(
        series_of("d_loss", np.linspace(0.00722, 0.01926, N)), series_of("c_loss", np.linspace(0.01889, 0.01443, N)),
        series_of("agreement", 40 + noise(N, 0.5)), series_of("spin_agreement", np.linspace(60.4, 65.8, N)),
    )  # fmt: skip
    finding = found(view, "LD211")["head-not-learning"]
    assert finding.figures["worse_change_percent"] == pytest.approx(166.8, abs=0.1)
    assert finding.figures["better_change_percent"] == pytest.approx(-23.6, abs=0.1)
    assert finding.figures["spin_agreement_change"] == pytest.approx(5.4)


def test_a_head_that_forgets_while_its_twin_learns():
    view = view_of(
        series_of("agreement", np.linspace(17.8, 82.9, N)),
        series_of("spin_agreement", np.linspace(72.2, 60.5, N) + noise(N, 0.2)),
    )
    finding = found(view, "LD211")["head-not-learning"]
    assert finding.figures["worse_first"] > finding.figures["worse_last"]
    assert "one head forgets" in finding.summary


def test_pairs_are_found_by_their_stem_and_not_by_name():
    view = view_of(
        series_of("left_loss", np.linspace(0.1, 0.3, N)), series_of("right_loss", np.linspace(0.3, 0.1, N)),
        series_of("episode_return", noise(N, 1.0)),
    )  # fmt: skip
    assert "head-not-learning" in found(view, "LD211")


@pytest.mark.parametrize(
    "pair", [("policy_loss", "value_loss"), ("actor_loss", "critic_loss"), ("train_loss", "val_loss")]
)
def test_losses_that_play_different_parts_are_no_heads(pair):
    view = view_of(
        series_of(pair[0], np.linspace(0.1, 0.3, N)),
        series_of(pair[1], np.linspace(0.3, 0.1, N)),
        series_of("episode_return", noise(N, 1.0)),
    )
    assert not found(view, "LD211")


def test_a_loss_that_grows_with_the_values_it_predicts_is_no_fault():
    view = view_of(
        series_of("d_loss", np.linspace(0.01, 0.13, N)), series_of("c_loss", np.linspace(0.05, 0.004, N)),
        series_of("agreement", np.linspace(26, 89, N)), series_of("spin_agreement", np.linspace(32, 95, N)),
    )  # fmt: skip
    assert not found(view, "LD211", "LD508")


# ---------------------------------------------------------------------------------------------------- exploration
def test_epsilon_that_stays_high_or_is_never_there():
    flat = series_of("episode_return", 20 + noise(N, 1.0))
    assert "exploration-not-decaying" in found(view_of(series_of("epsilon", np.linspace(1, 0.9, N)), flat), "LD511")
    assert "exploration-absent" in found(view_of(series_of("epsilon", np.zeros(N)), flat), "LD512")
    assert not found(view_of(series_of("epsilon", np.linspace(1, 0.05, N)), flat), "LD511", "LD512")
    assert not found(
        view_of(series_of("epsilon", np.zeros(N)), series_of("episode_return", learns())), "LD511", "LD512"
    )


def test_an_epsilon_of_zero_in_a_log_that_begins_in_mid_run_is_the_end_of_a_schedule():
    flat = series_of("episode_return", 20 + noise(N, 1.0))
    later = np.arange(2_500_000.0, 2_500_000.0 + N)
    assert not found(
        view_of(series_of("epsilon", np.zeros(N), step=later), series_of("episode_return", flat.value, step=later)),
        "LD512",
    )
    assert not found(view_of(series_of("epsilon", np.zeros(N)), flat, events=[event("model-load", 1)]), "LD512")


def test_an_expert_supplies_the_data_that_epsilon_does_not():
    view = view_of(
        series_of("epsilon", np.zeros(N)),
        series_of("expert_ratio", np.full(N, 90.0)),
        series_of("episode_return", 20 + noise(N, 1.0)),
    )
    assert not found(view, "LD512")


def test_a_floor_long_before_the_break_is_no_explanation():
    expert = np.concatenate([np.linspace(95, 5, 10), np.full(N - 10, 5.0)])
    q = np.concatenate([np.full(100, 20.0) + noise(100, 0.3), np.geomspace(22, 4000, N - 100)])
    view = view_of(series_of("expert_ratio", expert), series_of("q_max", q), series_of("episode_return", lost()))
    assert not found(view, "LD513")


def test_actions_at_their_limit():
    stuck = series_of("action_steering", np.tanh(np.linspace(0.2, 6, N)))
    assert "action-saturation" in found(view_of(stuck, series_of("episode_return", lost())), "LD514")
    assert not found(view_of(stuck, series_of("episode_return", learns())), "LD514")


def test_a_setting_that_is_no_number_is_no_count():
    view = view_of(
        series_of("agreement", 40 + noise(N, 0.5)),
        settings=[Setting(name="n_actions", raw_name="n", value="many", line=1)],
    )
    assert "unknown" in found(view, "LD508")["agreement-stagnates"].summary
