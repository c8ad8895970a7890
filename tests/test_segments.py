"""Segments: which rows make a run, and which rows are not judged. All inputs are arrays built here."""

from __future__ import annotations

import numpy as np
import pytest

from logdoctor.segments import Mark, divide, judge, segment_after, segment_at


def lines_of(n: int, start: int = 10) -> np.ndarray:
    return np.arange(start, start + n, dtype=np.int64)


def split(steps, **more):
    step = np.asarray(steps, dtype=np.float64)
    return divide(lines_of(step.size), step, **more)


def spans(division):
    return [(s.first_step, s.last_step, s.begins, s.rows) for s in division.segments]


def test_one_run():
    division = split(np.arange(100) * 10.0)
    assert spans(division) == [(0.0, 990.0, "start", 100)]
    assert (division.index == 0).all()


def test_no_rows():
    assert split([]).segments == ()


def test_a_restart_from_zero():
    division = split([*range(0, 1000, 10), *range(0, 500, 10)])
    assert spans(division) == [(0.0, 990.0, "start", 100), (0.0, 490.0, "step-falls", 50)]
    assert division.segments[0].last_line == division.segments[1].first_line - 1
    assert division.index.tolist() == [0] * 100 + [1] * 50


def test_a_resume_from_an_older_checkpoint():
    division = split([*range(0, 1000, 10), *range(600, 1500, 10)])
    assert [s.first_step for s in division.segments] == [0.0, 600.0]


def test_a_late_line_of_another_rank_is_no_restart():
    steps = list(range(0, 1000, 10))
    steps.insert(50, steps[48])
    assert len(split(steps).segments) == 1


def test_an_inner_counter_under_an_outer_one_is_no_restart():
    inner = np.tile(np.arange(0, 100, 10), 8)
    outer = np.repeat(np.arange(8.0), 10)
    assert len(split(inner, outer=outer).segments) == 1


def test_an_outer_counter_that_falls_with_the_step_is_a_restart():
    inner = np.tile(np.arange(0, 100, 10), 8)
    outer = np.concatenate((np.repeat(np.arange(5.0), 10), np.repeat(np.arange(3.0), 10)))
    assert len(split(inner, outer=outer).segments) == 2


def test_equal_laps_without_an_outer_counter():
    """Many equal laps are epochs; a few may be folds, and each of them is a run."""
    lap = list(range(0, 100, 10))
    assert len(split(lap * 30).segments) == 1
    assert len(split(lap * 5).segments) == 5


def test_unequal_restarts_are_runs_however_many():
    steps = [x for n in range(15) for x in range(0, 200 + 70 * (n % 5), 10)]
    assert len(split(steps).segments) == 15


def test_two_processes_that_write_into_each_other():
    one, two = np.arange(0, 1000, 10.0), np.arange(5, 1005, 10.0) + 300
    division = split(np.column_stack((one, two)).ravel())
    assert sorted(spans(division)) == [(0.0, 990.0, "start", 100), (305.0, 1295.0, "second-process", 100)]
    assert division.index[:4].tolist() in ([0, 1, 0, 1], [1, 0, 1, 0])


def test_a_banner_between_rows_begins_a_run_and_takes_the_place_of_the_fall():
    steps = [*range(0, 100, 10), *range(0, 100, 10)]
    division = split(steps, marks=[Mark(line=19, kind="banner")])
    assert [s.begins for s in division.segments] == ["start", "banner"]
    assert division.segments[1].first_line == 20


def test_a_resume_outranks_a_banner_and_marks_before_the_first_row_name_the_first_run():
    marks = [
        Mark(line=1, kind="banner"),
        Mark(line=3, kind="resume"),
        Mark(line=19, kind="resume"),
        Mark(line=19, kind="banner"),
    ]
    division = split([*range(0, 100, 10), *range(50, 100, 10)], marks=marks)
    assert [s.begins for s in division.segments] == ["resume", "resume"]


def test_a_run_begins_at_its_first_row_with_a_step():
    step = np.concatenate((np.arange(20) * 10.0, [np.nan, np.nan], np.arange(15) * 10.0))
    division = split(step, marks=[Mark(line=29, kind="banner"), Mark(line=31, kind="resume")])
    assert spans(division) == [(0.0, 190.0, "start", 22), (0.0, 140.0, "resume", 15)]
    before = np.concatenate(([np.nan, np.nan], np.arange(15) * 10.0))
    assert len(split(before, marks=[Mark(line=11, kind="banner")]).segments) == 1
    after = np.concatenate((np.arange(15) * 10.0, [np.nan, np.nan]))
    assert len(split(after, marks=[Mark(line=24, kind="banner")]).segments) == 1


def test_a_mark_after_the_last_row_begins_nothing():
    assert len(split(range(10), marks=[Mark(line=500, kind="banner")]).segments) == 1


def test_each_kind_of_record_is_compared_with_itself():
    """Evaluation rows print an older step than the training rows around them."""
    step = np.array([x for k in range(50) for x in (100.0 * k, 100.0 * k - 50)])
    stream = np.tile([0, 1], 50)
    assert len(divide(lines_of(100), step, stream=stream).segments) == 1


def test_one_restart_seen_by_two_kinds_of_record_is_one_border():
    run = [(100.0 * k, 0) for k in range(20)]
    rows = [(x, s) for k, (x, _) in enumerate(run) for s, x in ((0, x), *([(1, x)] if k % 4 == 3 else []))]
    twice = rows + rows
    division = divide(lines_of(len(twice)), np.array([x for x, _ in twice]), stream=np.array([s for _, s in twice]))
    assert len(division.segments) == 2
    assert division.segments[1].first_line == 10 + len(rows)


def test_another_layout_far_ahead_is_an_excerpt_of_another_run():
    steps = np.concatenate((np.arange(0, 1000, 10.0), np.arange(50_000, 51_000, 10.0)))
    layout = np.repeat([24, 26], 100)
    assert [s.begins for s in split(steps, layout=layout).segments] == ["start", "header"]
    assert len(split(steps, layout=np.full(200, 24)).segments) == 1


def test_rows_without_a_step_belong_to_the_run_around_them():
    step = np.arange(0, 300, 10.0)
    step[5:8] = np.nan
    assert spans(split(step)) == [(0.0, 290.0, "start", 30)]


def test_the_segment_of_a_line_between_rows():
    segments = split([*range(0, 100, 10), *range(0, 100, 10)], last_line=40).segments
    assert [segment_at(line, segments) for line in (1, 10, 19, 20, 40)] == [0, 0, 0, 1, 1]
    assert [segment_after(line, segments) for line in (1, 15, 25)] == [0, 1, None]
    assert segments[1].last_line == 40


# ---------------------------------------------------------------------------------------------------------- judging


def judged(step, columns, segment=None):
    step = np.asarray(step, dtype=np.float64)
    segment = np.zeros(step.size, np.int64) if segment is None else np.asarray(segment)
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    return judge(step, segment, arrays, lines_of(step.size))


def test_a_counter_that_stands_still_while_the_values_repeat():
    step = np.concatenate((np.arange(20), np.full(30, 19), np.arange(20, 30)))
    loss = np.concatenate((np.linspace(1, 0.5, 20), np.full(30, 0.5), np.linspace(0.49, 0.4, 10)))
    result = judged(step, {"loss": loss})
    assert result.rows.tolist() == [True] * 20 + [False] * 30 + [True] * 10
    (masked,) = result.masked
    assert (masked.reason, masked.first_line, masked.last_line, masked.rows) == ("frozen", 30, 59, 30)


def test_several_episodes_of_one_step_are_not_frozen():
    step = np.repeat(np.arange(10.0), 20)
    returns = np.random.default_rng(0).normal(size=200)
    assert judged(step, {"episode_return": returns}).rows.all()


def test_rows_without_clients():
    clients = np.array([4.0] * 10 + [0] * 8 + [4] * 10)
    step = np.concatenate((np.arange(10), np.full(8, 9), np.arange(10, 20)))
    noise = np.random.default_rng(1).normal(size=28)
    result = judged(step, {"clients": clients, "fps": noise})
    assert result.rows.tolist() == [True] * 10 + [False] * 8 + [True] * 10


def test_a_running_average_at_its_initial_zero_is_masked_in_its_own_column_only():
    average = np.concatenate((np.zeros(3), np.linspace(1, 5, 40)))
    result = judged(np.arange(43), {"dqn_reward_5m": average, "loss": np.linspace(1, 0, 43)})
    assert result.of("dqn_reward_5m").tolist() == [False] * 3 + [True] * 40
    assert result.of("loss").all()
    assert [m.reason for m in result.masked] == ["start-up"]


def test_start_up_is_counted_in_every_run_anew():
    average = np.concatenate((np.zeros(2), np.ones(20), np.zeros(3), np.ones(20)))
    result = judged(np.arange(45), {"dqn_reward_1m": average}, segment=[0] * 22 + [1] * 23)
    assert np.flatnonzero(~result.of("dqn_reward_1m")).tolist() == [0, 1, 22, 23, 24]


def test_an_average_that_never_moves_is_left_to_the_rules():
    assert judged(np.arange(30), {"dqn_reward_5m": np.zeros(30)}).of("dqn_reward_5m").all()


def test_a_slope_says_nothing_in_its_first_rows():
    slope = np.concatenate(([1.7e6, -2e5], np.linspace(3, 1, 58)))
    result = judged(np.arange(60), {"dqn_slope": slope})
    assert not result.of("dqn_slope")[:20].any()
    assert result.of("dqn_slope")[20:].all()


def test_rewards_of_rows_in_which_no_episode_ended():
    length = np.array([100.0, 0, 120, 0, 110])
    result = judged(
        np.arange(5), {"episode_length": length, "dqn_reward": [5.0, 0, 6, 0, 7], "loss": [1.0, 0, 1, 0, 1]}
    )
    assert result.of("dqn_reward").tolist() == [True, False, True, False, True]
    assert result.of("loss").all()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_short_inputs(n):
    assert judged(np.arange(n), {"loss": np.ones(n)}).rows.size == n
