"""One token -> one number, or the reason why it is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdoctor.values import IS_INF, IS_NAN, MISSING, OK, UNREADABLE, parse, seconds


@pytest.mark.parametrize(
    ("token", "value", "unit"),
    [
        ("0.5", 0.5, None),
        ("+1.131", 1.131, None),
        ("-0.000", -0.0, None),
        ("20,070,248", 20070248.0, None),
        ("1,234.5", 1234.5, None),
        ("36k", 36000.0, None),
        ("17.7M", 17700000.0, None),
        ("1.3b", 1.3e9, None),
        ("2.3B", 2.3e9, None),
        ("1.875E-05", 1.875e-05, None),
        ("7.9E+00", 7.9, None),
        (".5", 0.5, None),
        ("5.", 5.0, None),
        ("34.3%", 34.3, "%"),
        ("34.3 %", 34.3, "%"),
        ("91.1ms", 91.1, "ms"),
        ("9.46GiB", 9.46, "GiB"),
        ("2.10it/s", 2.1, "it/s"),
        ("145654 tok/s", 145654.0, "tok/s"),
        ("0.00!", 0.0, None),
        ("50%*", 50.0, "%"),
        ("'0.5'", 0.5, None),
        ("np.float64(0.5)", 0.5, None),
        ("tensor(0.25, device='cuda:0')", 0.25, None),
        ("(2.000e-04,)", 2e-4, None),
        ("[1e-05]", 1e-5, None),
        ("0040", 40.0, None),
    ],
)
def test_finite_numbers(token, value, unit):
    assert parse(token) == (value, OK, unit)


@pytest.mark.parametrize("token", ["nan", "NaN", "-nan", "NAN", "-nan(ind)", "1.#QNAN", "1.#IND00"])
def test_nan_is_an_observation(token):
    value, flag, _ = parse(token)
    assert math.isnan(value)
    assert flag == IS_NAN


@pytest.mark.parametrize(
    ("token", "value"), [("inf", math.inf), ("-Infinity", -math.inf), ("1e999", math.inf), ("Inf", math.inf)]
)
def test_infinities(token, value):
    assert parse(token)[:2] == (value, IS_INF)


@pytest.mark.parametrize("token", ["", "  ", "--", "n/a", "N/A", "None", "null", "err", "Error", "-", "–"])
def test_what_says_that_there_is_no_value(token):
    value, flag, _ = parse(token)
    assert math.isnan(value)
    assert flag == MISSING


@pytest.mark.parametrize(
    "token", ["OVR", "abc", "1.2.3", "12:30:05", "[0.1, 0.2]", "0x1f", "1_000", "1,23", "5e", "++5", "(1, 2, 3)"]
)
def test_what_cannot_be_read_is_not_guessed(token):
    value, flag, _ = parse(token)
    assert math.isnan(value)
    assert flag == UNREADABLE


def test_a_count_may_be_in_millions():
    assert parse("1.5m", count=True).value == 1500000.0
    assert parse("1.5m") == (1.5, OK, "m")


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("0:00:25", 25.0),
        ("21:04:05", 75845.0),
        ("1 day, 0:34:08", 88448.0),
        ("7h 35m 48s", 27348.0),
        ("13m 25s", 805.0),
        ("45", None),
        ("x", None),
    ],
)
def test_durations(token, expected):
    assert seconds(token) == expected


@given(st.floats(-1e300, 1e300))
def test_what_python_prints_comes_back(number):
    for shown in (repr(number), f"{number:,.3f}", f"{number:.4e}", f"{number:+.2f}"):
        assert parse(shown).value == pytest.approx(float(shown.replace(",", "")), rel=1e-12)
        assert parse(shown).flag == OK


@given(st.text(max_size=60))
def test_no_token_crashes_and_flags_agree_with_values(token):
    value, flag, _ = parse(token)
    assert math.isfinite(value) == (flag == OK)
    assert (flag == IS_INF) == math.isinf(value)
