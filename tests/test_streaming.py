"""Bins of observed values: bounded, exact in their extremes, and true to the file in every figure."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor.streaming import FINITE_BINS, FIRST_NONFINITE, NONFINITE_BINS, Reducer, middle_of


def filled(value: np.ndarray, pieces: list[int], expected: int = 0, cuts: tuple[int, ...] = ()) -> Reducer:
    reducer = Reducer(expected, 1)
    line = np.arange(1, value.size + 1)
    borders = sorted({0, value.size, *np.cumsum(pieces).clip(0, value.size).tolist(), *cuts})
    for a, b in itertools.pairwise(borders):
        if a in cuts:
            reducer.cut()
        reducer.add(value[a:b], line[a:b], line[a:b] * 10.0)
    return reducer


VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.sampled_from([np.nan, np.inf, -np.inf])), min_size=1, max_size=300)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.lists(st.integers(1, 50), max_size=10), st.integers(0, 40_000))
def test_every_figure_stands_in_the_file(values, pieces, expected):
    value = np.array(values)
    points = filled(value, pieces, expected).points()
    assert points.weight.sum() == value.size
    for found, line in ((points.value, points.line), (points.low, points.low_line), (points.high, points.high_line)):
        np.testing.assert_array_equal(found, value[line - 1])
    np.testing.assert_array_equal(points.beside[0], points.line * 10.0)
    assert (np.diff(points.line) > 0).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40_000), st.integers(0, 60_000))
def test_extremes_are_exact_and_the_size_is_bounded(seed, count, expected):
    value = np.random.default_rng(seed).normal(size=count)
    points = filled(value, [997] * (count // 997), expected).points()
    assert len(points) <= FINITE_BINS + 1
    assert points.low.min() == value.min()
    assert points.high.max() == value.max()
    assert points.low_line[points.low.argmin()] == value.argmin() + 1
    assert points.high_line[points.high.argmax()] == value.argmax() + 1


def test_a_short_series_is_kept_as_it_is():
    value = np.random.default_rng(0).normal(size=1000)
    points = filled(value, [300, 300]).points()
    np.testing.assert_array_equal(points.value, value)
    np.testing.assert_array_equal(points.low, value)
    assert (points.weight == 1).all()


def test_the_pieces_do_not_matter():
    value = np.random.default_rng(0).normal(size=50_000)
    a, b = filled(value, [1] * 5000, 50_000).points(), filled(value, [50_000], 50_000).points()
    for name in ("value", "line", "low", "high", "weight", "low_line", "high_line"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_the_middle_resists_outliers():
    rng = np.random.default_rng(0)
    value = 1.0 + rng.normal(0, 0.01, 200_000)
    value[rng.random(value.size) < 0.05] = 1e6
    points = filled(value, [20_000] * 10, value.size).points()
    assert points.value.max() < 1.1
    assert points.high.max() == 1e6


def test_a_trend_keeps_its_place_when_bins_are_merged():
    value = np.arange(100_000, dtype=float)
    points = filled(value, [1000] * 100).points()  # unknown length: merged five times
    assert np.abs(points.value - value[points.line - 1]).max() == 0
    centre = (points.low + points.high) / 2
    off = (points.value - centre) / (points.high - points.low + 1)
    assert abs(off.mean()) < 0.1


@pytest.mark.parametrize("count", [0, 1, 30, 5000])
def test_non_finite_values_stand_apart(count):
    value = np.random.default_rng(0).normal(size=20_000)
    at = np.linspace(10_000, 19_999, count).astype(int)
    value[at] = np.nan
    reducer = filled(value, [3000] * 7, value.size)
    points = reducer.points()
    bad = np.isnan(points.value)
    assert reducer.nonfinite == len(set(at.tolist())) == points.weight[bad].sum()
    assert bad.sum() <= NONFINITE_BINS + 1
    assert not np.isnan(points.low[~bad]).any()
    if count:
        assert points.line[bad][0] == at[0] + 1
        first = points.line[bad][:FIRST_NONFINITE]
        if count <= NONFINITE_BINS:
            assert first.tolist() == [a + 1 for a in at[: first.size]]


def test_the_first_non_finite_values_stay_when_there_are_many():
    value = np.full(100_000, np.nan)
    points = filled(value, [10_000] * 10).points()
    assert points.line[:FIRST_NONFINITE].tolist() == list(range(1, FIRST_NONFINITE + 1))
    assert len(points) <= NONFINITE_BINS + FIRST_NONFINITE + 1
    assert points.weight.sum() == 100_000


def test_no_bin_crosses_a_cut():
    value = np.concatenate([np.zeros(30_000), np.ones(30_000)])
    points = filled(value, [5000] * 12, value.size, cuts=(30_000,)).points()
    assert set(points.part.tolist()) == {0, 1}
    np.testing.assert_array_equal(points.low, points.high)
    assert (points.line[points.part == 1] > 30_000).all()


def test_many_cuts_do_not_break_the_bound():
    reducer = Reducer(beside=1)
    for i in range(3 * FINITE_BINS):
        reducer.cut()
        reducer.add(np.array([float(i)]), np.array([i + 1]), np.array([float(i)]))
    assert len(reducer.points()) <= FINITE_BINS + 1
    assert reducer.points().high.max() == 3 * FINITE_BINS - 1


def test_the_middle_is_the_lower_median():
    table = np.array([[3.0, 1.0, 2.0, 9.0], [5.0, 5.0, 5.0, 5.0], [1.0, 4.0, 2.0, 3.0]])
    assert middle_of(table).tolist() == [2, 0, 2]
