"""Rules on Q values, critics and features."""

from __future__ import annotations

import numpy as np
import pytest

from logdoctor.engine import judge
from logdoctor.model import Setting
from logdoctor.settings import Settings
from tests.runs import found, learns, noise, series_of, view_of
from tests.test_rules_gradients import N, lost


def setting(name, value):
    return Setting(name=name, raw_name=name, value=value, line=3)


def ranges(high, low=None):
    return series_of("q_max", high), series_of("q_min", -np.ones(len(high)) if low is None else low)


# ---------------------------------------------------------------------------------------------------- divergence
def test_q_that_grows_from_its_level_while_the_return_falls():
    q = np.concatenate([np.full(70, 20.0) + noise(70, 0.3), np.geomspace(22, 4000, N - 70)])
    finding = found(view_of(*ranges(q), series_of("episode_return", lost())), "LD4")["q-divergence"]
    assert finding.severity == "critical"
    assert 70 <= finding.onset.line <= 80
    assert finding.figures["peak"] == q[-1]


def test_q_that_rises_from_zero_to_the_return_is_learning():
    view = view_of(
        *ranges(np.linspace(0.02, 90, N)), series_of("episode_return", learns()), settings=[setting("gamma", 0.99)]
    )
    assert not found(view, "LD401", "LD402", "LD403", "LD410", "LD413")


def test_the_bound_is_computed_from_the_runs_own_clip_and_gamma():
    view = view_of(
        *ranges(np.full(N, 400.0)),
        series_of("episode_return", learns()),
        settings=[setting("gamma", 0.99), setting("reward_clip", 1.0)],
    )
    finding = found(view, "LD4")["q-above-bound"]
    assert finding.figures["bound"] == pytest.approx(100.0)
    assert "1 / (1 - 0.99) = 100" in finding.summary


def a2c(peak_at, fall_at):
    """A value loss with one burst and a return that rises to its best and falls."""
    loss = 0.6 + np.abs(noise(N, 0.1))
    loss[peak_at : peak_at + 8] = 300.0
    ret = np.concatenate([np.linspace(20, 240, fall_at), np.full(N - fall_at, 60.0)]) + noise(N, 2.0)
    return view_of(series_of("value_loss", loss), series_of("episode_return", ret))


def test_a_critic_loss_that_burst_before_the_best_level_did_no_harm():
    early = found(a2c(40, 80), "LD407")
    assert all(finding.severity != "critical" for finding in early.values())
    assert found(a2c(78, 80), "LD407")["critic-loss-explosion"].severity == "critical"


def test_a_critic_loss_beside_a_young_fall_is_a_warning():
    assert found(a2c(100, 102), "LD407")["critic-loss-explosion"].severity == "warning"


def test_values_on_their_way_to_the_returns_are_no_divergence_yet():
    q = -np.geomspace(0.09, 25, 60)
    ret = np.concatenate([np.linspace(-1150, -1430, 60)]) + noise(60, 20)
    view = view_of(series_of("q_value", q), series_of("episode_return", ret))
    assert not found(view, "LD401")
    far = view_of(series_of("q_value", 40 * q), series_of("episode_return", ret))
    assert "q-divergence" in found(far, "LD401")


@pytest.mark.parametrize(
    ("given", "extra", "why"),
    [
        ({}, (), "gamma is neither in the log nor given (--config)"),
        ({"gamma": 0.99}, (), "no episode lengths in the log, and no reward clip, so the largest reward is unknown"),
        ({"gamma": 1.0}, ("episode_length",), "gamma is 1: returns that are not discounted have no bound"),
        ({"gamma": 0.99}, ("episode_length",), None),
    ],
)
def test_what_the_bound_lacks_is_said_exactly(given, extra, why):
    view = view_of(
        *ranges(np.full(N, 5.0)), series_of("episode_return", learns()),
        *(series_of(name, np.full(N, 80.0)) for name in extra),
        settings=[setting(name, value) for name, value in given.items()],
    )  # fmt: skip
    (check,) = judge(view, Settings(select=("LD403",)))[1]
    assert check.state == ("clear" if why is None else "not-applicable")
    assert why is None or check.why == why


def test_a_bound_in_other_units_than_q_is_not_used():
    """Rewards scaled before training: Q lies far above the estimate from the first row on."""
    view = view_of(
        *ranges(np.full(N, 50.0) + noise(N, 1.0)), series_of("episode_return", 4 + noise(N, 0.1)),
        series_of("episode_length", np.full(N, 800.0)), settings=[setting("gamma", 0.99)],
    )  # fmt: skip
    assert not found(view, "LD401", "LD403")


def test_growth_by_orders_needs_no_printed_performance():
    q = np.geomspace(2.28635073, 1796760.0, 40)
    finding = found(view_of(series_of("actor_q_mean", q)), "LD401")["q-divergence"]
    assert finding.severity == "critical"
    assert "2.28635073" in finding.summary


def test_a_single_row_a_hundred_times_its_level_in_a_run_that_broke_is_a_divergence():
    q = 20 + noise(N, 0.5)
    q[100] = 5193.61
    agreement = np.concatenate([np.linspace(25, 88, 60), np.linspace(88, 10, N - 60)])
    finding = found(view_of(*ranges(q), series_of("agreement", agreement)), "LD401")["q-divergence"]
    assert finding.onset.line == 101


# ---------------------------------------------------------------------------------------------------- collapse
def test_a_collapse_is_measured_from_the_last_row_at_its_level():
    q = np.concatenate([np.linspace(300, 2000, 40), [1999.62, 600.0, 15.95]])
    finding = found(view_of(*ranges(q)), "LD402")["q-collapse"]
    assert finding.figures["ratio"] == pytest.approx(1999.62 / 15.95)
    assert finding.onset.line == 42


def test_costs_that_rise_to_zero_are_an_improvement():
    q = np.concatenate([np.full(60, -22.0), np.full(60, -0.3)])
    assert not found(view_of(series_of("q_max", q), series_of("episode_return", learns())), "LD401", "LD402")


def test_a_burst_that_goes_back_to_its_level_is_no_collapse():
    q = 20 + noise(N, 0.5)
    q[60:64] = 3000
    assert not found(view_of(*ranges(q), series_of("episode_return", learns())), "LD402")


# ---------------------------------------------------------------------------------------------------- clips
def test_values_on_a_configured_clip_are_counted():
    low = -300 + noise(N, 40.0)
    low[20:60] = -500.0
    finding = found(view_of(*ranges(np.full(N, 40.0), low), settings=[setting("max_q_value", 500.0)]), "LD404")[
        "value-pinned-at-clip"
    ]
    assert (finding.figures["rows_pinned"], finding.onset.line, finding.severity) == (40, 21, "warning")


def test_small_printed_values_that_repeat_are_rounding():
    high = np.round(0.4 + 0.1 * np.abs(noise(N, 1.0)), 1)
    assert not found(view_of(*ranges(high)), "LD404")


# ---------------------------------------------------------------------------------------------------- features, losses
def test_one_block_is_enough_for_features_beyond_every_band():
    view = view_of(
        series_of("feature_l2_norm", [7363360194560.0]), series_of("feature_mean", [14314894336.0]),
        series_of("feature_std", [325102632960.0]),
    )  # fmt: skip
    finding = found(view, "LD406")["feature-norm-explosion"]
    assert finding.severity == "critical"
    assert finding.figures["feature_l2_norm_over_expected"] == pytest.approx(7.36e10, rel=0.01)


@pytest.mark.parametrize("values", [np.linspace(15.7, 29.5, 40), np.linspace(0.4, 12.0, 40)])
def test_features_inside_the_band_are_fine(values):
    assert not found(view_of(series_of("feature_l2_norm", values), series_of("episode_return", learns())), "LD406")


def test_an_unstable_critic_is_told_with_mean_spread_and_maximum():
    loss = np.abs(noise(N, 200.0)) + 60
    loss[::9], loss[50] = 4000.0, 7500.0
    finding = found(
        view_of(series_of("critic_loss", loss), series_of("episode_return", np.linspace(973, 60, N))), "LD407"
    )
    figures = finding["critic-loss-explosion"].figures
    assert figures["mean"] == pytest.approx(loss.mean())
    assert figures["standard_deviation"] == pytest.approx(loss.std())
    assert figures["largest"] == 7500.0
    assert not found(view_of(series_of("critic_loss", loss), series_of("episode_return", learns())), "LD407")


def test_a_flat_td_error_counts_only_when_the_run_does_not_improve():
    error = series_of("td_error", 9.7 + noise(N, 0.1))
    assert "td-error-flat" in found(view_of(error, series_of("episode_return", np.linspace(973, 60, N))), "LD408")
    assert not found(view_of(error, series_of("episode_return", learns())), "LD408")


def test_the_temperature_that_runs_away_with_the_critic():
    view = view_of(
        series_of("ent_coef", np.geomspace(0.2, 90, N)), series_of("critic_loss", np.geomspace(1, 900, N)),
        series_of("actor_loss", noise(N, 1.0)), series_of("episode_return", lost()),
    )  # fmt: skip
    assert found(view, "LD409")["temperature-runaway"].severity == "critical"


def test_an_explained_variance_of_zero_in_a_solved_task_is_no_fault():
    ev = series_of("explained_variance", noise(N, 0.01))
    assert not found(view_of(ev, series_of("episode_return", learns())), "LD405")
    assert "explained-variance-low" in found(view_of(ev, series_of("episode_return", lost())), "LD405")
