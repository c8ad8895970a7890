"""Rules on performance: outcome, noise that is healthy, and what a start and a peak are."""

from __future__ import annotations

import numpy as np
import pytest

from logdoctor.engine import _verdict, judge
from logdoctor.model import Segment
from logdoctor.rules._progress import Progress, lag, starts_midway
from logdoctor.settings import Settings
from logdoctor.view import RunView, main_run, runs_of
from tests.runs import event, found, learns, noise, run_of, series_of, view_of

N = 120


def lost(keep=0.2, at=70):
    ret = learns()
    ret[at:] = np.linspace(ret[at - 1], keep * 100, N - at) + noise(N - at, 2)
    return ret


# ---------------------------------------------------------------------------------------------------- collapse
def test_a_collapse_is_dated_to_where_the_fall_begins():
    ret = learns()
    ret[80:] = 5 + noise(40, 2)
    finding = found(view_of(series_of("episode_return", ret)), "LD601")["performance-collapse"]
    assert finding.severity == "critical"
    assert abs(finding.onset.line - 81) <= 3


def test_a_plateau_begins_where_its_level_is_reached():
    ret = -0.62 - 5.5 * np.exp(-np.arange(N) / 2.0) + noise(N, 0.005)
    plateau = found(view_of(series_of("episode_return", ret)), "LD602")["performance-stagnation"]
    begin = next(item for item in plateau.evidence if "still from here" in item.note)
    assert begin.value > -1.3
    assert plateau.figures["share_of_run"] < 1


@pytest.mark.parametrize("seed", range(12))
def test_the_best_row_stands_before_the_fall(seed):
    ret = np.concatenate([np.linspace(-90, 160, 60), np.linspace(150, -230, 20), np.full(40, -230.0)]) + noise(
        N, 25, seed
    )
    finding = found(view_of(series_of("episode_return", ret)), "LD601")["performance-collapse"]
    assert finding.figures["best_line"] <= finding.onset.line
    assert f"(line {finding.figures['best_line']})" in finding.summary


@pytest.mark.parametrize("seed", range(8))
def test_swings_of_a_healthy_return_are_no_collapse(seed):
    ret = learns(seed=seed) + noise(N, 15.0, seed + 50)
    findings = found(view_of(series_of("episode_return", ret), series_of("policy_loss", noise(N))), "LD6")
    assert {name for name, f in findings.items() if f.severity != "info"} <= {"still-improving"}
    assert "performance-collapse" not in findings


def test_a_dip_that_recovers_is_no_collapse():
    ret = learns(high=200)
    ret[70:90] = 40.0
    assert not found(view_of(series_of("episode_return", ret)), "LD601")


@pytest.mark.parametrize("seed", range(40))
def test_single_episodes_of_a_random_policy_are_no_collapse(seed):
    """CartPole under random actions: episode lengths are skewed, and a lucky stretch looks like a peak."""
    score = np.round(9 + np.random.default_rng(seed).exponential(13.0, 20))
    assert not found(view_of(series_of("episode_return", score)), "LD601")


@pytest.mark.parametrize(("behind", "severity"), [(14, "warning"), (22, "warning"), (30, "critical")])
def test_a_young_fall_is_a_warning_that_says_so(behind, severity):
    ret = np.concatenate([np.linspace(10, 200, N - behind), np.full(behind, 30.0)]) + noise(N, 2.0)
    finding = found(view_of(series_of("episode_return", ret)), "LD601")["performance-collapse"]
    assert finding.severity == severity
    assert ("too few to tell a collapse from a dip" in finding.summary) is (severity == "warning")
    assert finding.figures["rows_since"] == pytest.approx(behind, abs=1)


def test_a_fall_that_still_goes_on_in_a_windowed_mean_is_a_warning():
    ret = np.concatenate([np.linspace(-500, -85, 80), np.linspace(-85, -220, 40)])
    assert found(view_of(series_of("episode_return", ret)), "LD601")["performance-collapse"].severity == "warning"


def test_a_level_that_was_there_from_the_start_can_be_lost():
    ret = np.linspace(800, 60, N) + noise(N, 20)
    findings = found(view_of(series_of("episode_return", ret)), "LD6")
    assert findings["performance-collapse"].severity == "critical"
    assert "never-learned" not in findings


# ---------------------------------------------------------------------------------------------------- never learned
def test_a_flat_return_never_learned_and_a_second_witness_makes_it_critical():
    flat = 22 + noise(N, 1.0)
    assert "never-learned" in found(view_of(series_of("episode_return", flat)), "LD603")
    entropy = np.full(N, 0.693) + noise(N, 1e-4)
    view = view_of(series_of("episode_return", flat + np.linspace(0, 2, N)), series_of("entropy", entropy))
    finding = found(view, "LD603")["never-learned"]
    assert finding.severity == "critical"
    assert "acts as at random" in finding.analysis


def test_what_was_learned_within_three_rows_counts_as_learned():
    ret = np.concatenate([[0.52, 0.62, 0.70], 0.72 + noise(N - 3, 0.012)])
    assert not found(view_of(series_of("episode_return", ret)), "LD603")


def test_a_policy_that_settles_has_learned_before_the_first_row():
    ret, entropy = 0.72 + noise(N, 0.012), np.linspace(0.4, 0.12, N)
    assert not found(view_of(series_of("episode_return", ret), series_of("entropy", entropy)), "LD603")
    assert found(view_of(series_of("episode_return", ret)), "LD603")


@pytest.mark.parametrize("why", ["loaded", "mid-run", "solved"])
def test_a_flat_curve_that_began_high_is_no_fault(why):
    level = 0.95 if why == "solved" else 0.6
    step = 50_000 + 100 * np.arange(N) if why == "mid-run" else None
    view = view_of(
        series_of("val_accuracy", level + noise(N, 0.004), step=step),
        events=[event("resume", 1)] if why == "loaded" else [],
    )
    assert not found(view, "LD603")


def test_a_short_run_is_inconclusive_and_not_healthy():
    view = view_of(series_of("episode_return", 20 + noise(12, 3)))
    findings, _ = judge(view, Settings())
    assert _verdict(view, findings) == "inconclusive"
    short = view_of(series_of("episode_return", np.linspace(0, 100, 12)))
    assert _verdict(short, judge(short, Settings())[0]) in {"healthy", "warning"}


# ---------------------------------------------------------------------------------------------------- unfinished
def test_an_unfinished_run_is_told_so():
    ret = np.concatenate([np.full(80, -12.0), np.linspace(-12, 20, 40)]) + noise(N, 0.5)
    finding = found(view_of(series_of("episode_return", ret)), "LD604")["still-improving"]
    assert finding.severity == "warning"
    assert "unfinished" in finding.summary


def test_a_slow_training_loss_far_from_done_is_unfinished_and_a_fine_tuned_one_is_not():
    slow = np.linspace(3.6, 2.6, N) + noise(N, 0.01)
    finding = found(view_of(series_of("loss", slow)), "LD604")["still-improving"]
    assert "slowly" in finding.summary
    assert not found(view_of(series_of("loss", slow - 1.5)), "LD604")  # began at 2.1: trained before
    done = 0.3 + 3.3 * np.exp(-np.linspace(0, 5, N)) + noise(N, 0.01)
    assert not found(view_of(series_of("loss", done)), "LD604")


def test_a_curve_that_reached_its_cap_is_finished():
    ret = np.minimum(np.concatenate([np.full(80, 20.0), np.linspace(20, 400, 40)]), 200.0)
    assert not found(view_of(series_of("episode_return", ret)), "LD604")


def test_a_mean_over_a_hundred_episodes_lags_and_is_not_called_unfinished():
    ret = np.concatenate([np.full(60, 20.0), np.linspace(20, 200, 60)])
    step = np.linspace(200, 25_000, N)
    view = view_of(
        series_of("episode_return", ret, step=step, raw_name="rollout/ep_rew_mean"),
        series_of("episode_length", ret, step=step, raw_name="rollout/ep_len_mean"),
    )
    assert lag(view, view.get("episode_return")) > 0.5
    assert not found(view, "LD604")


# ---------------------------------------------------------------------------------------------------- expert
def handover(agent, *, own=None):
    ratio = np.concatenate([np.linspace(90, 5, 60), np.full(60, 5.0)])
    reward = np.concatenate([np.full(40, 100.0), np.linspace(100, agent, 30), np.full(50, float(agent))])
    series = [series_of("expert_ratio", ratio), series_of("reward", reward + noise(N, 3))]
    return view_of(*series, *([series_of("dqn_reward_1m", own)] if own is not None else []))


def test_the_expert_sets_the_level_to_reach():
    assert found(handover(8), "LD610")["performance-below-expert"].severity == "critical"
    assert not found(handover(85), "LD610")


def test_the_agents_own_reward_is_what_counts():
    own = np.linspace(-20, 95, N) + noise(N, 2)
    assert not found(handover(30, own=own), "LD610")


def test_the_experts_level_is_no_peak_of_the_agent():
    assert "performance-collapse" not in found(handover(40), "LD601")


# ---------------------------------------------------------------------------------------------------- the rest
def test_short_episodes_explain_a_lost_return_and_a_quick_goal_does_not():
    short = view_of(series_of("episode_return", lost()), series_of("episode_length", 5 * lost()))
    assert "episodes-shorten" in found(short, "LD607")
    quick = view_of(series_of("episode_return", learns()), series_of("episode_length", np.linspace(500, 60, N)))
    assert not found(quick, "LD607")


def test_a_return_that_is_the_episode_length_is_one_curve():
    ret = lost()
    assert not found(view_of(series_of("episode_return", ret), series_of("episode_length", ret)), "LD607")


def test_a_capped_score_is_not_a_lack_of_variance():
    solved = np.minimum(learns(high=600, size=1), 500.0)
    view = view_of(series_of("episode_return", solved), series_of("policy_loss", noise(N)))
    assert not found(view, "LD609")
    floor = np.concatenate([np.linspace(-20, -53, 30), np.full(90, -53.0)])
    view = view_of(series_of("episode_return", floor), series_of("policy_loss", noise(N)))
    assert "reward-zero-variance" in found(view, "LD609")


def test_a_slope_counts_only_when_the_reward_falls_with_it():
    slope = np.concatenate([np.full(60, 2.0), np.full(60, -3.0)]) + noise(N, 0.1)
    assert "slope-turns-negative" in found(
        view_of(series_of("dqn_slope", slope), series_of("dqn_reward_1m", lost())), "LD605"
    )
    assert not found(view_of(series_of("dqn_slope", slope), series_of("dqn_reward_1m", learns())), "LD605")


def test_a_slope_that_is_back_at_zero_at_the_end_is_told_with_its_last_value():
    slope = np.concatenate([np.full(60, 2.0), np.full(56, -3.0), [-0.1, -0.02, -0.003, 0.001]])
    finding = found(view_of(series_of("dqn_slope", slope), series_of("dqn_reward_1m", lost())), "LD605")[
        "slope-turns-negative"
    ]
    assert finding.onset.line == 61
    assert "negative in 59 of the 60 rows from step 6,100 (line 61) to the end" in finding.summary
    assert "lowest -3 at step 6,100 (line 61), last 0.001): the agent got worse and stays" in finding.summary
    assert (finding.figures["rows"], finding.figures["negative"]) == (60, 59)
    noted = {item.note: item.value for item in finding.evidence}
    assert all(value < 0 for note, value in noted.items() if "negative from here" in note)


def handed_over(last):
    share = np.concatenate([np.linspace(90, 5, 40), np.full(80, 5.0)])
    own = np.concatenate([np.full(90, -5.0), np.linspace(-5, last, 30)]) + noise(N, 0.4)
    return view_of(
        series_of("expert_ratio", share), series_of("reward", np.linspace(100, 40, N) + noise(N, 2.0)),
        series_of("dqn_reward_1m", own),
    )  # fmt: skip


def test_an_agent_on_its_way_to_the_expert_is_a_warning():
    rising = found(handed_over(22.0), "LD610")["performance-below-expert"]
    assert rising.severity == "warning"
    assert "at its present rate it would in half a run more" in rising.summary
    assert found(handed_over(6.0), "LD610")["performance-below-expert"].severity == "critical"


# ---------------------------------------------------------------------------------------------------- levels, runs
def test_levels_are_turned_so_that_larger_is_better():
    falling = Progress(series_of("val_loss", np.linspace(3, 1, N)), "min")
    assert falling.improvement == pytest.approx(2.0, abs=0.15)
    assert falling.printed(falling.final) == pytest.approx(1.1, abs=0.1)
    assert falling.lost == pytest.approx(0.0, abs=0.1)


def test_a_jump_is_no_noise():
    value = np.concatenate([np.full(60, 1.0), np.full(60, 9.0)]) + noise(N, 0.1)
    assert Progress(series_of("episode_return", value), "max").noise < 0.2


def test_a_log_that_begins_in_mid_run_has_no_start():
    assert starts_midway(view_of(s := series_of("loss", learns(), step=np.arange(7000, 7000 + N))), s)
    assert not starts_midway(view_of(s := series_of("loss", learns(), step=np.arange(1, N + 1))), s)


def _segments(*parts):
    line = 1
    for index, (begins, first, last, rows) in enumerate(parts):
        yield Segment(
            index=index, first_line=line, last_line=line + rows - 1, first_step=first, last_step=last, begins=begins,
            rows=rows,
        )  # fmt: skip
        line += rows


@pytest.mark.parametrize(
    ("parts", "groups"),
    [
        ([("start", 1, 900, 50), ("step-falls", 1, 900, 50)], [(0,), (1,)]),
        ([("start", 1, 900, 50), ("step-falls", 500, 1500, 50)], [(0, 1)]),
        ([("start", 1, 900, 50), ("resume", 850, 1500, 50)], [(0, 1)]),
        ([("banner", 1, 900, 50), ("banner", 1, 900, 50)], [(0,), (1,)]),
        ([("start", 1, 900, 50), ("second-process", 1, 900, 50)], [(0,), (1,)]),
        ([("start", 1, 900, 50), ("header", 1000, 2000, 50)], [(0, 1)]),
        ([("start", 1, 900, 50), ("step-falls", None, None, 1), ("step-falls", 400, 2000, 50)], [(0, 1, 2)]),
    ],
)
def test_parts_of_a_file_are_grouped_into_runs(parts, groups):
    rows = sum(part[3] for part in parts)
    segment = np.repeat(np.arange(len(parts)), [part[3] for part in parts])
    run = run_of(series_of("loss", np.ones(rows), segment=segment), segments=_segments(*parts))
    assert runs_of(run) == groups


def test_the_report_is_about_the_last_run_that_can_be_judged():
    parts = [("banner", 1, 900, 60), ("banner", 1, 900, 40), ("banner", 1, 90, 4)]
    segment = np.repeat([0, 1, 2], [60, 40, 4])
    run = run_of(series_of("episode_return", learns(104), segment=segment), segments=_segments(*parts))
    views = [RunView(run, segments=group) for group in runs_of(run)]
    assert main_run(views).segments == (1,)


def test_other_runs_of_a_file_are_told_and_do_not_decide():
    from logdoctor.engine import diagnose

    count = 60
    sick, well = np.full(count, np.nan), np.linspace(2.0, 0.3, count) + noise(count, 0.02)
    sick[:20] = np.linspace(3.6, 3.0, 20)
    segment = np.repeat([0, 1], count)
    parts = _segments(("banner", 100, 6000, count), ("banner", 100, 6000, count))
    step = np.tile(np.arange(1, count + 1) * 100.0, 2)
    rows = [
        series_of("loss", np.concatenate([sick, well]), segment=segment, step=step),
        series_of(
            "val_accuracy",
            np.concatenate([np.full(count, 0.1), np.linspace(0.2, 0.95, count)]),
            segment=segment,
            step=step,
        ),
    ]
    diagnosis = diagnose(run_of(*rows, segments=parts))
    assert diagnosis.verdict == "healthy"
    other = [f for f in diagnosis.findings if f.segment == 0]
    assert other
    assert all(f.severity == "info" and f.summary.startswith("Run 1 of 2") for f in other)
