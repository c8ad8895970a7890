"""Detectors: what must hold for any series, and the cases that they are for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from logdoctor.detectors.baseline import baseline, noise
from logdoctor.detectors.bins import binned, edges, medians
from logdoctor.detectors.constant import longest_constant, repeat_share, trailing_constant
from logdoctor.detectors.drawdown import drawdown
from logdoctor.detectors.nonfinite import nonfinite
from logdoctor.detectors.onset import backtrack, first_outside, last_inside
from logdoctor.detectors.oscillation import oscillation
from logdoctor.detectors.periodicity import period
from logdoctor.detectors.plateau import trailing_plateau
from logdoctor.detectors.shift import best_split, level_shifts
from logdoctor.detectors.smooth import rolling_mean, rolling_median, trailing_median
from logdoctor.detectors.spike import runs, spikes
from logdoctor.detectors.trend import order_p, rank_correlation, trend

values = st.floats(-1e6, 1e6, allow_nan=False)
curves = arrays(np.float64, st.integers(8, 80), elements=values)
any_curve = arrays(np.float64, st.integers(1, 60), elements=st.floats(allow_nan=True, allow_infinity=True, width=64))
quick = settings(max_examples=60, deadline=None)


def rng(seed=0):
    return np.random.default_rng(seed)


# ------------------------------------------------------------------------------------------------- bins, smoothing
@quick
@given(st.integers(1, 10_000), st.integers(1, 5000))
def test_edges_cover_every_point_once(count, limit):
    border = edges(count, limit)
    assert border[0] == 0
    assert border[-1] == count
    assert (np.diff(border) >= 1).all()
    assert border.size <= limit + 1


def test_a_short_series_is_not_binned_and_a_long_one_keeps_its_mean():
    short = np.array([1.0, np.nan, 3.0])
    assert np.array_equal(binned(short, 10).value, short, equal_nan=True)
    long = rng().normal(5.0, 1.0, 10_000)
    thin = binned(long, 100)
    assert len(thin) == 100
    assert np.average(thin.value, weights=thin.stop - thin.first) == pytest.approx(long.mean())


def test_bins_leave_non_finite_values_out():
    thin = binned(np.array([1.0, np.nan, np.inf, 3.0, np.nan, np.nan]), 3)
    assert thin.value[0] == 1.0
    assert thin.value[1] == 3.0
    assert np.isnan(thin.value[2])
    assert np.isnan(medians(np.array([np.nan, np.nan, 1.0, 1.0]), 2)[0])


@quick
@given(curves, st.integers(1, 15))
def test_smoothed_values_stay_inside_the_range(value, window):
    for smooth in (rolling_median(value, window), rolling_mean(value, window), trailing_median(value, window)):
        assert smooth.shape == value.shape
        assert smooth.min() >= value.min() - 1e-6 * (1 + abs(value.min()))
        assert smooth.max() <= value.max() + 1e-6 * (1 + abs(value.max()))


def test_a_trailing_median_does_not_see_the_point_itself():
    value = np.array([1.0, 1.0, 1.0, 1.0, 50.0, 1.0])
    assert trailing_median(value, 3)[4] == 1.0


def test_the_median_of_a_long_series_is_taken_block_by_block():
    value = np.concatenate([np.full(30_000, 1.0), np.full(30_000, 9.0)])
    level = trailing_median(value, 41)
    assert level.shape == value.shape
    assert level[29_000] == 1.0
    assert level[-1] == 9.0


# ------------------------------------------------------------------------------------------------- baseline, trend
def test_spikes_do_not_widen_the_spread():
    value = rng().normal(10.0, 1.0, 500)
    value[::25] = 1e6
    base = baseline(value)
    assert base.center == pytest.approx(10.0, abs=0.3)
    assert base.spread == pytest.approx(1.0, rel=0.3)
    assert base.z(20.0) > 5


def test_a_baseline_of_nothing_is_none_and_of_one_value_has_no_spread():
    assert baseline(np.array([np.nan, np.inf])) is None
    assert baseline(np.full(5, 2.0)).spread == 0.0
    assert baseline(np.full(5, 2.0)).z(3.0) == np.inf


def test_noise_does_not_see_a_ramp():
    ramp = np.linspace(0.0, 1000.0, 400)
    assert noise(ramp) == pytest.approx(0.0, abs=1e-9)
    assert noise(ramp + rng().normal(0.0, 3.0, 400)) == pytest.approx(3.0, rel=0.3)


@quick
@given(st.floats(-50, 50), st.integers(8, 300))
def test_the_trend_of_a_straight_line_is_exact(slope, count):
    line = trend(7.0 + slope * np.arange(count))
    assert line.slope == pytest.approx(slope, abs=1e-6)
    assert line.change == pytest.approx(slope * (count - 1), abs=1e-4)


def test_a_trend_survives_a_fifth_of_outliers_and_white_noise_has_none():
    value = np.linspace(0.0, 10.0, 200) + rng().normal(0, 0.1, 200)
    value[rng(1).choice(200, 40, replace=False)] += 500.0
    assert trend(value).change == pytest.approx(10.0, rel=0.15)
    assert trend(value).p < 1e-6
    assert np.mean([trend(rng(seed).normal(size=100)).p < 0.05 for seed in range(60)]) < 0.15


def test_a_trend_needs_four_values_and_turns_with_the_sign():
    assert trend(np.array([1.0, 2.0, 3.0])) is None
    value = rng(3).normal(size=50).cumsum()
    assert trend(-value).tau == pytest.approx(-trend(value).tau)


def test_rank_correlation_ignores_the_shape():
    x = np.linspace(0.1, 5, 50)
    assert rank_correlation(x, np.exp(x)) == pytest.approx(1.0)
    assert rank_correlation(x, -(x**3)) == pytest.approx(-1.0)
    assert rank_correlation(x, np.full(50, 2.0)) == 0.0


# ------------------------------------------------------------------------------------------------- spikes, shifts
def test_a_spike_needs_many_deviations_and_a_multiple_of_the_level():
    value = 1.0 + np.abs(rng().normal(0, 0.02, 200))
    assert len(spikes(value)) == 0
    value[120] = 1.6  # thirty deviations, and not even twice the level
    assert len(spikes(value)) == 0
    value[150] = 9.0
    found = spikes(value)
    assert found.index.tolist() == [150]
    assert found.ratio[0] == pytest.approx(9.0, rel=0.1)


def test_neighbouring_hot_points_are_one_spike():
    value = 1.0 + np.abs(rng().normal(0, 0.02, 200))
    value[100:103] = [5.0, 9.0, 6.0]
    assert spikes(value).index.tolist() == [101]


@quick
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_runs_are_the_true_stretches(mask):
    found = runs(np.array(mask))
    assert sum(b - a for a, b in found) == sum(mask)
    assert all(all(mask[a:b]) for a, b in found)


def test_a_level_shift_is_found_where_it_is():
    value = np.concatenate([rng().normal(0, 1, 100), rng(1).normal(8, 1, 150)])
    shifts = level_shifts(value)
    assert len(shifts) == 1
    assert abs(shifts[0].index - 100) <= 2
    assert shifts[0].jump == pytest.approx(8.0, rel=0.15)
    assert abs(best_split(value).index - 100) <= 2


def test_white_noise_has_no_level_shift():
    assert sum(bool(level_shifts(rng(seed).normal(size=200))) for seed in range(30)) <= 2


# ------------------------------------------------------------------------------------------------- shapes of curves
def test_a_fall_is_measured_against_the_gain():
    value = np.concatenate([np.linspace(0, 100, 100), np.full(100, 25.0)])
    fall = drawdown(value)
    assert fall.lost == pytest.approx(0.75, abs=0.05)
    assert 90 <= fall.fall_index <= 105
    assert drawdown(np.linspace(0, 100, 100)).lost == pytest.approx(0.0, abs=0.05)
    assert drawdown(np.array([1.0, 2.0])) is None


def test_the_longest_plateau_reaches_to_the_end():
    value = np.concatenate([np.linspace(0, 100, 100), 100 + rng().normal(0, 0.5, 300)])
    plateau = trailing_plateau(value, material=5.0)
    assert plateau.share > 0.6
    assert plateau.level == pytest.approx(100, abs=2)
    assert trailing_plateau(np.linspace(0, 100, 100), material=5.0) is None


def test_swings_are_counted_and_their_growth_is_seen():
    wave = np.sin(np.arange(200) * 0.5)
    assert oscillation(wave, 0.5).reversals == pytest.approx(200 * 0.5 / np.pi, abs=3)
    assert oscillation(wave, 0.5).growth == pytest.approx(1.0, abs=0.1)
    assert oscillation(wave * np.linspace(0.5, 4, 200), 0.3).growth > 3
    assert oscillation(np.linspace(0, 1, 50), 0.1).reversals == 0


def test_a_grid_of_events_is_told_from_accidents():
    assert period(np.arange(5, 200, 12)).length == 12
    assert period(np.arange(5, 200, 12)).share == 1.0
    assert period(np.array([3, 4])) is None
    assert period(np.array([3, 10, 11, 40, 58, 59, 97])).length == 1  # only the row itself fits


# ------------------------------------------------------------------------------------------------- broken values
@quick
@given(any_curve)
def test_non_finite_values_are_all_counted(value):
    found = nonfinite(value)
    bad = ~np.isfinite(value)
    if not bad.any():
        assert found is None
        return
    assert found.count == bad.sum()
    assert found.first == int(np.flatnonzero(bad)[0])
    assert found.stays == bool(bad[-1])


@quick
@given(any_curve)
def test_a_constant_stretch_holds_one_value(value):
    for found in (longest_constant(value), trailing_constant(value)):
        part = value[found.first : found.stop]
        assert found.length >= 1
        assert np.isnan(part).all() or (part == found.value).all()
    assert longest_constant(value).length >= trailing_constant(value).length


def test_repeats_are_neighbours_that_are_equal():
    assert repeat_share(np.array([1.0, 1.0, 2.0, np.nan, np.nan])) == 0.5
    assert repeat_share(np.array([1.0])) == 0.0


# ------------------------------------------------------------------------------------------------- onset
def test_the_onset_is_where_the_excursion_begins():
    value = np.concatenate([np.full(50, 1.0), np.linspace(1.5, 20, 20)])
    assert last_inside(value, 69, 0.0, 2.0) == 51
    assert first_outside(value, 0.0, 2.0, needed=3) == 51
    assert first_outside(np.full(5, 1.0), 0.0, 2.0) is None
    assert backtrack(value, 69, toward=1.0, tolerance=0.2) == 50


@quick
@given(curves, st.floats(-100, 100))
def test_an_onset_lies_at_or_before_the_place_it_is_asked_for(value, toward):
    index = value.size - 1
    assert 0 <= backtrack(value, index, toward, 1.0) <= index
    assert 0 <= last_inside(value, index, toward - 1, toward + 1) <= index


# ------------------------------------------------------------------------------------------------- size
@pytest.mark.parametrize("count", [200_000])
def test_long_series_are_judged_in_bounded_work(count):
    value = np.abs(rng().normal(1.0, 0.1, count))
    value[count // 2 :] *= 3.0
    assert abs(level_shifts(value)[0].index - count // 2) < count // 500
    assert trend(value).change > 0
    assert drawdown(value).peak == pytest.approx(3.0, rel=0.1)
    assert len(spikes(value, ratio=2.0)) <= 3


def test_the_order_of_scatter_is_chance_and_that_of_a_curve_is_not():
    rng = np.random.default_rng(3)
    p = np.array([order_p(np.exp(rng.standard_normal(30))) for _ in range(1000)])
    assert abs((p < 0.05).mean() - 0.05) < 0.025
    assert (
        order_p(np.concatenate([np.linspace(0, 1, 10), np.linspace(1, 0, 10)]) + 0.1 * rng.standard_normal(20)) < 0.01
    )
    assert order_p(np.ones(20)) == 1.0
    assert order_p(np.repeat([1.0, 5.0, 2.0], 8)) < 0.001
