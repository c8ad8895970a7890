"""One test for improvement: the verdict, the headline and every sentence about the curve ask the same."""

from __future__ import annotations

import re

import numpy as np
import pytest

from logdoctor import diagnose, render
from logdoctor.detectors.trend import rank_sum_p
from logdoctor.rules._course import course, improves
from tests.runs import learns, noise, run_of, series_of, view_of


def heavy(count=76, seed=0):
    """Rewards without a trend, some of them a hundred times the others."""
    rng = np.random.default_rng(seed)
    return np.round(np.exp(rng.normal(6.5, 0.6, count)) * np.where(rng.random(count) < 0.06, 60.0, 1.0))


def verdict(*series):
    return diagnose(run_of(*series)).verdict


def told(*series):
    """The whole report as text."""
    return render(diagnose(run_of(*series)), "markdown")


# ------------------------------------------------------------------------------------------ the test itself
def test_ranks_do_not_see_how_large_the_largest_is():
    low, high = np.arange(8.0), np.arange(8.0) + 20
    assert rank_sum_p(high, low) == rank_sum_p(high * 1e9, low) < 0.001
    assert rank_sum_p(low, high) > 0.99
    assert rank_sum_p(np.ones(5), np.ones(5)) == 1.0
    assert rank_sum_p(np.empty(0), low) == 1.0


@pytest.mark.parametrize("count", [10, 23, 76])
def test_a_trendless_heavy_tailed_reward_has_not_risen(count):
    risen = [improves(series_of("episode_return", heavy(count, seed)), "max") for seed in range(200)]
    assert sum(risen) <= 8  # four in a hundred; the test is made for two


def test_a_report_on_a_trendless_reward_promises_nothing():
    diagnosis = diagnose(run_of(series_of("episode_return", heavy(seed=3))))
    assert diagnosis.verdict != "healthy"
    assert "still improving" not in render(diagnosis, "markdown")


@pytest.mark.parametrize("count", [12, 20, 60, 400, 3000])
def test_what_rises_has_risen_however_long_the_log_is(count):
    went = course(view_of(series_of("episode_return", learns(count))))
    assert went is not None
    assert went.rose
    assert not went.fell
    assert verdict(series_of("episode_return", learns(count))) in {"healthy", "warning"}


def test_a_start_of_three_rows_counts():
    value = np.concatenate([[5.0, 6.0, 4.0], np.full(60, 90.0)]) + noise(63)
    went = course(view_of(series_of("episode_return", value)))
    assert went is not None
    assert went.rose
    assert went.start < 10


def test_a_return_near_zero_and_one_far_below_are_judged_alike():
    rise = np.linspace(-20.7, -19.5, 15) + noise(15, 0.1)
    assert verdict(series_of("episode_return", rise)) == "healthy"
    assert verdict(series_of("episode_return", rise + 20)) == "healthy"


# ------------------------------------------------------------------------------------------ not healthy
def test_twenty_rows_that_stand_still_prove_nothing():
    reward = np.full(20, 0.1)
    reward[17] = -3.0
    assert verdict(series_of("reward", reward)) == "warning"  # it never rose above its start
    resumed = diagnose(run_of(series_of("reward", reward, step=np.arange(2_500_000, 2_500_020))))
    assert resumed.verdict == "inconclusive"
    assert "stands at 0.1" in resumed.headline


@pytest.mark.parametrize("count", [20, 23, 40, 120])
def test_a_score_that_falls_far_is_not_healthy(count):
    score = np.linspace(400, 180, count) + noise(count, 60, 3)
    diagnosis = diagnose(run_of(series_of("episode_return", score)))
    assert diagnosis.verdict != "healthy"
    assert "No fault" not in diagnosis.headline


@pytest.mark.parametrize("seed", range(6))
def test_a_gain_that_is_half_lost_is_not_healthy(seed):
    score = np.concatenate([np.linspace(10, 100, 60), np.linspace(100, 35, 60)]) + noise(120, 3, seed)
    assert verdict(series_of("episode_return", score)) in {"warning", "critical"}


@pytest.mark.parametrize("count", [25, 60, 300])
@pytest.mark.parametrize("name", ["val_loss", "val_accuracy", "loss", "val_quality"])
def test_what_only_gets_worse_is_an_alarm_where_it_is_all_there_is(name, count):
    level = np.linspace(0.8, 0.45, count) + noise(count, 0.02)
    assert verdict(series_of(name, 1.3 - level if name.endswith("loss") else level)) in {"warning", "critical"}


@pytest.mark.parametrize("count", [25, 60, 300])
@pytest.mark.parametrize("name", ["val_loss", "val_accuracy", "episode_return"])
def test_a_level_that_is_half_lost_again_is_not_healthy(name, count):
    t = np.linspace(0, 1, count)
    level = np.where(t < 0.5, 0.2 + 1.2 * t, 0.8 - 0.6 * (t - 0.5)) + noise(count, 0.02)
    diagnosis = diagnose(run_of(series_of(name, 1.1 - level if name == "val_loss" else level)))
    assert diagnosis.verdict != "healthy"
    assert "told from noise" not in diagnosis.headline


def test_a_healthy_run_past_its_best_says_so():
    t = np.linspace(0, 1, 60)
    level = np.where(t < 0.5, 0.2 + 1.2 * t, 0.8 - 0.35 * (t - 0.5)) + noise(60, 0.01)
    headline = diagnose(run_of(series_of("val_loss", 1.1 - level))).headline
    assert headline.startswith("No fault was found")
    assert "at its best" in headline


def test_a_noisy_score_that_is_shorter_at_the_end_is_no_alarm_either():
    score = [201, 540, 355, 210, 790, 990, 260, 310, 165, 255, 515, 570, 230, 190, 215, 220, 320, 530, 170, 180, 165,
             160, 330]  # fmt: skip
    diagnosis = diagnose(run_of(series_of("episode_return", score)))
    assert diagnosis.verdict == "inconclusive"


# ------------------------------------------------------------------------------------------ healthy all the same
def test_a_solved_task_may_stand_still():
    solved = np.minimum(500.0, 450 + 20 * np.arange(30.0))
    assert verdict(series_of("episode_return", solved)) == "healthy"
    assert verdict(series_of("val_accuracy", 0.985 + noise(30, 0.002))) == "healthy"


def test_a_resumed_run_keeps_its_level():
    step = np.arange(50_000, 50_000 + 60 * 100, 100)
    assert verdict(series_of("loss", 0.55 + noise(60, 0.01), step=step)) == "healthy"
    assert verdict(series_of("loss", np.full(60, 0.5), step=step)) != "healthy"


def test_held_out_values_say_more_than_the_running_mean_of_a_first_epoch():
    running = np.concatenate([np.linspace(0.9, 0.45, 80), np.linspace(0.45, 0.68, 160)])
    held = series_of("val_error", np.geomspace(0.9, 0.45, 14) + noise(14, 0.01), line=np.arange(1, 15) * 17)
    assert course(view_of(series_of("accuracy", running), held)).series.name == "val_error"
    assert verdict(series_of("accuracy", running), held) == "healthy"


def test_another_metric_is_judged_by_the_same_test():
    assert improves(series_of("val_loss", np.geomspace(2, 1, 12)), "min")
    assert not improves(series_of("val_loss", np.full(12, 2.0)), "min")
    assert not improves(series_of("reward", heavy()), "max")


# ------------------------------------------------------------------------------------------ one report, one story
GOING_UP = re.compile(r"still improving|still rising|no plateau is in sight", re.IGNORECASE)
STANDING = re.compile(r"has stood at about|has levelled off|never improved|keeps the level|got worse towards the end")
GOOD = re.compile(r"Nothing is wrong|\*\*Healthy")
BAD = re.compile(r"never improved|change cannot be told from noise|No judgement|Performance was learned and lost")
ROSE = re.compile(r"while its level rises|\*\*: (?:rose|fell) from")


def contradictions(text):
    """Pairs of statements of one report that cannot both be true."""
    pairs = ((GOING_UP, STANDING), (GOOD, BAD), (GOING_UP, BAD), (ROSE, re.compile("never improved|No judgement")))
    return [(a.search(text)[0], b.search(text)[0]) for a, b in pairs if a.search(text) and b.search(text)]


def curve(kind, count, seed):
    t = np.linspace(0, 1, count)
    shape = {
        "heavy": np.zeros(count),
        "level": np.ones(count),
        "rise": t,
        "late": np.where(t < 0.75, 0.05, (t - 0.75) * 4),
        "early": 1 - np.exp(-30 * t),
        "saturating": 1 - np.exp(-5 * t),
        "fall": 1 - t,
        "hump": np.sin(np.pi * t),
        "sag": np.where(t < 0.6, t / 0.6, 1 - 0.6 * (t - 0.6) / 0.4),
        "walk": np.cumsum(noise(count, 0.1, seed + 99)),
        "waves": 0.5 + 0.4 * np.sin(14 * t),
    }[kind]
    size = 0.02 + 0.13 * (seed % 3)
    return heavy(count, seed) if kind == "heavy" else 20 + 100 * shape + noise(count, 100 * size, seed)


KINDS = ("heavy", "level", "rise", "late", "early", "saturating", "fall", "hump", "sag", "walk", "waves")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["episode_return", "val_accuracy", "loss"])
def test_no_report_contradicts_itself(kind, name):
    for count in (12, 21, 60, 300):
        for seed in range(6):
            value = curve(kind, count, seed)
            if name == "val_accuracy":
                value = np.clip(value / 160, 0, 1)
            if name == "loss":
                value = np.abs(150 - value) / 50 + 0.05
            beside = [series_of("policy_loss", noise(count))] if name == "episode_return" else []
            text = told(series_of(name, value), *beside)
            assert not contradictions(text), (count, seed, text[:600])
