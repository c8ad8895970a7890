"""Gradient rules: where they speak, from which row, and what they leave in peace."""

from __future__ import annotations

import numpy as np
import pytest

from logdoctor.model import Setting
from tests.runs import found, learns, noise, series_of, view_of

N = 120


def norm(size=1.0, count=N, seed=3):
    return size * (1 + 0.1 * np.abs(noise(count, 1.0, seed)))


def lost(count=N, seed=1):
    """A return that rises to 100 and falls to 10 after the middle."""
    up = learns(count) if count == N else np.linspace(0, 100, count)
    half = count // 2
    up[half:] = np.linspace(up[half - 1], 0.1 * up[half - 1], count - half) + noise(count - half, 0.5, seed)
    return up


def limit(value):
    return (Setting(name="max_grad_norm", raw_name="Gradient Clip", value=value, line=7),)


# ---------------------------------------------------------------------------------------------------- explosion
def test_an_explosion_is_dated_to_its_first_row_and_measured_against_the_rows_before():
    g = norm()
    g[70:] *= np.geomspace(15, 600, N - 70)
    finding = found(view_of(series_of("grad_norm", g), series_of("episode_return", lost())), "LD301")[
        "gradient-explosion"
    ]
    assert (finding.severity, finding.onset.line) == ("critical", 71)
    assert finding.figures["baseline_last_line"] == 70
    assert finding.figures["peak"] == g.max()
    assert finding.figures["ratio"] == pytest.approx(g.max() / finding.figures["baseline_median"])


def test_the_same_norm_in_a_run_that_does_well_is_left_in_peace():
    g = norm()
    g[70:] *= np.geomspace(15, 600, N - 70)
    assert not found(view_of(series_of("grad_norm", g), series_of("episode_return", learns())), "LD301")


def test_steady_growth_from_row_to_row_needs_only_five_rows():
    g = np.array([5191.5811, 130486.0547, 826256.0781, 2860755.0781, 7475702.3215])
    view = view_of(series_of("actor_cnn_grad_norm", g), series_of("episode_return", np.linspace(100, 0, 40)))
    finding = found(view, "LD301")["gradient-explosion"]
    assert "5,191.5811" in finding.summary
    assert "7,475,702.3215" in finding.summary or "7,475,702" in finding.summary


def test_without_a_printed_performance_only_unmistakable_growth_counts():
    assert "gradient-explosion" in found(view_of(series_of("grad_norm", np.geomspace(5191, 7475702, 6))), "LD301")
    assert not found(view_of(series_of("grad_norm", np.geomspace(0.5, 60, 40))), "LD301")


# ---------------------------------------------------------------------------------------------------- dead, fading
def test_a_gradient_that_dies_is_dated_to_the_first_dead_row():
    g = norm()
    g[80:] = 0.002
    view = view_of(
        series_of("grad_norm", g), series_of("episode_return", lost()), series_of("loss", 1 + noise(N, 0.05))
    )
    findings = found(view, "LD303", "LD304")
    assert findings["gradient-dead"].onset.line == 81
    assert findings["gradient-dead"].figures["rows_below"] == N - 80
    assert "gradient-vanishing" not in findings


def test_a_finished_run_has_a_small_gradient_and_is_well():
    loss = np.geomspace(2.3, 0.001, N)
    assert not found(
        view_of(series_of("grad_norm", np.geomspace(1, 1e-4, N)), series_of("loss", loss)), "LD303", "LD304"
    )


def test_a_gradient_that_fades_while_nothing_is_learned():
    view = view_of(
        series_of("grad_norm", np.geomspace(1, 0.004, N) * (1 + noise(N, 0.05))),
        series_of("loss", 2.3 + noise(N, 0.02)),
        series_of("episode_return", noise(N, 2.0)),
    )
    assert set(found(view, "LD303", "LD304")) == {"gradient-vanishing"}


# ---------------------------------------------------------------------------------------------------- not finite
def test_one_infinite_norm_that_recovers_is_a_remark():
    g = norm()
    g[60] = np.inf
    finding = found(view_of(series_of("grad_norm", g), series_of("loss", np.linspace(2, 1, N))), "LD310")[
        "gradient-not-finite"
    ]
    assert (finding.severity, finding.onset.line) == ("info", 61)
    assert "1 of 120 rows" in finding.summary


@pytest.mark.parametrize("rows", [slice(60, 64), slice(100, N)])
def test_several_in_a_row_or_to_the_end_are_critical(rows):
    g = norm()
    g[rows] = np.nan
    finding = found(view_of(series_of("grad_norm", g), series_of("loss", np.linspace(2, 1, N))), "LD310")[
        "gradient-not-finite"
    ]
    assert (finding.severity, finding.onset.line) == ("critical", rows.start + 1)


# ---------------------------------------------------------------------------------------------------- clipping
@pytest.mark.parametrize(("meaning", "measured"), [("ratio", 5.0), ("difference", 1.0)])
def test_the_limit_is_measured_in_both_meanings_of_the_column(meaning, measured):
    g = np.round(norm(8.0), 3)
    delta = np.round(measured / g if meaning == "ratio" else g - measured, 3)
    view = view_of(series_of("grad_norm", g), series_of("clip_delta", delta), settings=limit(10.0))
    finding = found(view, "LD307")["clip-limit-differs"]
    assert finding.figures["measured_limit"] == pytest.approx(measured, rel=0.01)
    assert (finding.figures["meaning"], finding.figures["stated_limit"]) == (meaning, 10.0)
    assert "line 7" in finding.summary


def test_a_limit_that_holds_is_no_finding():
    g = norm(12.0)
    view = view_of(series_of("grad_norm", g), series_of("clip_delta", g - 10.0), settings=limit(10.0))
    assert not found(view, "LD307")


def test_the_first_row_of_a_run_that_has_not_trained_says_nothing_about_the_meaning():
    g = np.concatenate([[0.0], norm(12.0)[1:]])
    delta = np.concatenate([[1.0], g[1:] - 10.0])
    assert not found(view_of(series_of("grad_norm", g), series_of("clip_delta", delta), settings=limit(10.0)), "LD307")


def test_norms_above_the_limit_with_a_neutral_column_are_not_clipped():
    g = norm(2.0)
    g[[50, 70, 90]] = 400.0
    view = view_of(
        series_of("grad_norm", g),
        series_of("clip_delta", np.ones(N)),
        series_of("episode_return", lost()),
        settings=limit(10.0),
    )
    finding = found(view, "LD308")["clipping-inactive"]
    assert (finding.severity, finding.figures["rows_above"]) == ("warning", 3)


def test_a_burst_in_a_log_that_does_not_speak_of_clipping():
    g = norm(2.0)
    g[100] = 5000.0
    finding = found(view_of(series_of("grad_norm", g), series_of("episode_return", lost())), "LD308")[
        "clipping-inactive"
    ]
    assert "states no clip limit" in finding.summary
    assert not found(view_of(series_of("grad_norm", g), series_of("episode_return", learns())), "LD308")


def test_a_neutral_column_below_the_limit_is_fine():
    view = view_of(series_of("grad_norm", norm(2.0)), series_of("clip_delta", np.ones(N)), settings=limit(10.0))
    assert not found(view, "LD308", "LD305", "LD307")


def test_swings_are_told_with_the_strongest_clipping_when_the_run_suffers():
    g = np.round(5.0 + 3.7 * np.sin(np.arange(N)) ** 2, 3)
    ratio = np.round(np.minimum(1.0, 5.0 / g), 3)
    parts = series_of("grad_norm", g), series_of("clip_delta", ratio)
    finding = found(view_of(*parts, series_of("episode_return", lost())), "LD311")["gradient-swings"]
    assert finding.figures["largest"] == g.max()
    assert finding.figures["largest_cut"] == pytest.approx(1 - ratio.min())
    assert not found(view_of(*parts, series_of("episode_return", learns())), "LD311")


# ---------------------------------------------------------------------------------------------------- delayed updates
def test_zeros_in_every_second_row_of_an_actor_are_benign():
    actor = np.where(np.arange(N) % 2 == 0, 0.4, 0.0)
    view = view_of(series_of("actor_grad_norm", actor), series_of("critic_loss", 1 + np.abs(noise(N, 0.2))))
    finding = found(view, "LD309")["delayed-update-zeros"]
    assert finding.benign
    assert finding.figures["row_distance"] == 2


def test_zeros_of_a_saturated_actor_are_not_excused():
    view = view_of(
        series_of("actor_grad_norm", np.zeros(N)),
        series_of("critic_loss", 1 + np.abs(noise(N, 0.2))),
        series_of("action_steering", np.ones(N)),
        settings=(Setting(name="policy_delay", raw_name="Policy freq", value=2, line=1),),
    )
    assert not found(view, "LD309")
