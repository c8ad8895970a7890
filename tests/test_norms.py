"""Published ranges: consistent in themselves, and compared with a run's settings on the right scale."""

from __future__ import annotations

import math

import pytest

from logdoctor import norms
from tests.cause_runs import view

PPO = {"kl": [0.01] * 20, "clip_fraction": [0.1] * 20, "value_loss": [1.0] * 20, "policy_loss": [0.0] * 20}


@pytest.mark.parametrize("family", norms.NORMS)
def test_a_norm_is_consistent_and_has_a_source(family: str) -> None:
    for norm in norms.NORMS[family]:
        assert norm.low <= norm.default <= norm.high, norm
        assert norm.sources
        assert all(source in norms.REFERENCES for source in norm.sources), norm
        assert norm.low > 0 or norm.scale != "log", norm


def test_the_optimiser_decides_where_it_is_stated() -> None:
    sgd, adam = (norms.norm_of("supervised", "learning_rate", name) for name in ("SGD", "adamw"))
    unknown = norms.norm_of("supervised", "learning_rate")
    assert sgd is not None
    assert adam is not None
    assert unknown is not None
    assert sgd.high > adam.high
    assert (unknown.low, unknown.high) == (min(sgd.low, adam.low), max(sgd.high, adam.high))


@pytest.mark.parametrize(
    ("parameter", "value", "side", "factor"),
    [
        ("learning_rate", 3e-4, "inside", 1.0),
        ("learning_rate", 0.03, "above", 10.0),
        ("learning_rate", 2e-6, "below", 10.0),
        ("gamma", 0.9999, "above", 10.0),  # horizon 10,000 against 1,000
        ("gamma", 1.0, "above", math.inf),
        ("ent_coef", 0.0, "inside", 1.0),  # off is usual
    ],
)
def test_a_setting_is_measured_on_its_own_scale(parameter: str, value: float, side: str, factor: float) -> None:
    found = norms.judge(view({parameter: value}, **PPO), parameter)
    assert found is not None
    assert found.side == side
    assert found.factor == pytest.approx(factor, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("lin_0.001", 0.001),
        ("linear_2.5e-4", 2.5e-4),
        ("3e-4", 3e-4),
        ("auto", None),
        (True, None),
        (None, None),
        (7, 7.0),
    ],
)
def test_schedules_of_the_zoo_count_as_their_start(text: object, number: float | None) -> None:
    assert norms.as_number(text) == number  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limit", "off"), [(None, True), (False, True), ("none", True), (1e9, True), (0, True), (0.5, False), ("10", False)]
)
def test_clipping_is_off_when_its_limit_never_acts(limit: object, off: bool) -> None:
    assert norms.clipping_off(view({"max_grad_norm": limit}, **PPO)) is off


def test_clipping_is_unknown_when_nothing_says_so() -> None:
    assert norms.clipping_off(view(**PPO)) is None


def test_the_peak_of_the_column_counts_where_no_setting_states_the_rate() -> None:
    rate = [1e-4, 5e-4, 0.05, 0.05, 0.02] * 4
    (found,) = norms.learning_rates(view(**PPO, learning_rate=rate))
    assert found.value == 0.05
    assert found.line == 13
    assert found.side == "above"


def test_a_new_language_model_is_not_judged_as_a_fine_tuning() -> None:
    tokens = {"tokens_per_second": [9e4] * 20}
    new = view({"learning_rate": 2e-6}, loss=[4.2 - 0.01 * i for i in range(20)], **tokens)
    tuned = view({"learning_rate": 2e-6}, loss=[1.8 - 0.01 * i for i in range(20)], **tokens)
    sides = [found.side for run in (new, tuned) if (found := norms.judge(run, "learning_rate")) is not None]
    assert sides == ["below", "inside"]


def test_a_large_setting_is_written_out():
    assert [norms.number(x) for x in (40_000, 65_536, 2_250_000, 1e-4, 0.005)] == [
        "40000",
        "65536",
        "2.25e6",
        "1e-4",
        "0.005",
    ]


def test_a_language_model_that_learns_at_a_rate_of_one_is_trained_by_plain_sgd():
    learns = view({"learning_rate": 1.0}, perplexity=[847, 400, 250, 180, 140, 120, 111])
    assert norms.judge(learns, "learning_rate").side == "inside"
    stuck = view({"learning_rate": 1.0}, perplexity=[847, 850, 861, 840, 855, 850, 849])
    assert norms.judge(stuck, "learning_rate").side == "above"


@pytest.mark.parametrize(
    ("settings", "side"),
    [({"bptt": 35}, "inside"), ({"model": "LSTM"}, "inside"), ({"model": "RNN_TANH"}, "inside"),
     ({"model": "gpt2"}, "above"), ({"bptt": 35, "optimizer": "AdamW"}, "above")],
)  # fmt: skip
def test_recurrent_language_models_use_large_rates_of_plain_sgd(settings, side):
    run = view({"learning_rate": 20, **settings}, loss=[7.6, 6.9, 6.5, 6.3], perplexity=[2000, 990, 665, 545])
    assert norms.judge(run, "learning_rate").side == side
