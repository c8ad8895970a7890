"""Rules on speed, memory and crash lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from logdoctor import diagnose
from logdoctor.model import Event, Setting
from logdoctor.view import RunView
from tests.runs import event, found, noise, run_of, series_of, view_of

N = 120


def loss():
    return series_of("loss", np.linspace(2, 0.5, N) + noise(N, 0.03))


# ---------------------------------------------------------------------------------------------------- throughput
def test_a_step_that_takes_longer_and_longer():
    time = 10 + noise(N, 0.5)
    time[40:] += np.linspace(0, 60, 80)
    finding = found(view_of(loss(), series_of("step_time", time)), "LD801")["throughput-degradation"]
    assert abs(finding.onset.line - 42) <= 5
    assert finding.figures["times_slower"] > 5


@pytest.mark.parametrize("seed", range(8))
def test_the_row_at_the_onset_is_itself_slower_than_before(seed):
    rate = 33_000 * (1 + noise(N, 0.02, seed))
    rate[40 + seed] = 75_000  # one fast row at the foot of the ramp
    rate[40:] /= 1 + np.linspace(0, 8, N - 40)
    finding = found(view_of(loss(), series_of("tokens_per_second", rate)), "LD801")["throughput-degradation"]
    assert rate[finding.onset.line - 1] < 0.95 * np.median(rate[:40])
    assert 40 <= finding.onset.line <= 52


def test_a_rate_that_falls_is_found_in_the_other_direction():
    rate = 400 / (1 + np.concatenate([np.zeros(40), np.linspace(0, 9, 80)])) * (1 + noise(N, 0.05))
    assert "throughput-degradation" in found(view_of(loss(), series_of("steps_per_second", rate)), "LD801")


@pytest.mark.parametrize("seed", range(6))
def test_a_shared_machine_is_no_degradation(seed):
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.choice([300.0, 420.0, 690.0], N // 10), 10)
    view = view_of(loss(), series_of("steps_per_second", level * (1 + noise(N, 0.05, seed))))
    assert not found(view, "LD801", "LD802")


def test_frames_a_second_since_the_start_fall_when_learning_sets_in():
    step = np.linspace(100, 25_000, N)
    cost = np.where(step < 3000, 1 / 12_000, 1 / 1_200)
    elapsed = np.cumsum(np.diff(step, prepend=0) * cost)
    fps = series_of("fps", np.round(step / elapsed), step=step, raw_name="time/fps")
    assert fps.value[0] > 5 * fps.value[-1]
    assert not found(view_of(loss(), fps, format="boxed"), "LD801", "LD802")


def test_short_episodes_before_learning_sets_in_are_no_slowdown():
    """Half of the rows are episodes of ten steps before the first update; the pace is constant once it learns."""
    step = np.concatenate([np.arange(20, 1000, 20), np.linspace(1100, 9000, 60)])
    cost = np.where(step < 1000, 40e-6, np.where(step < 2200, 300e-6, 620e-6))
    elapsed = np.cumsum(np.diff(step, prepend=0) * cost)
    fps = series_of("fps", np.round(step / elapsed), step=step, raw_name="time/fps")
    assert not found(view_of(loss(), fps, format="boxed"), "LD801")


def test_stalls_that_begin_in_mid_run_are_a_warning_and_a_grid_from_the_start_is_not():
    time = 17 + noise(N, 0.3)
    time[60::7] = 250.0
    finding = found(view_of(loss(), series_of("step_time", time)), "LD802")["loader-stall"]
    assert (finding.severity, finding.onset.line) == ("warning", 61)
    grid = 17 + noise(N, 0.3)
    grid[4::10] = 250.0
    assert found(view_of(loss(), series_of("step_time", grid)), "LD802")["loader-stall"].severity == "info"


def test_a_slow_first_step_is_compilation():
    time = 17 + noise(N, 0.3)
    time[0] = 9000.0
    assert not found(view_of(loss(), series_of("step_time", time)), "LD801", "LD802")


def test_a_buffer_that_fills_is_no_leak():
    leak = 2000 + 40 * np.arange(N) + noise(N, 20)
    assert "memory-growth" in found(view_of(loss(), series_of("memory", leak)), "LD803")
    assert not found(view_of(loss(), series_of("memory", np.minimum(leak, 3500.0))), "LD803")


# ---------------------------------------------------------------------------------------------------- crashes
def crash(*events):
    return found(RunView(run_of(loss(), events=events)), "LD804", "LD805", "LD806")


def test_memory_that_ran_out_ends_a_run_or_is_survived():
    assert crash(event("oom", 120, "CUDA out of memory"))["out-of-memory"].severity == "critical"
    assert crash(event("oom", 50, "CUDA out of memory"))["out-of-memory"].severity == "warning"


def test_a_traceback_at_the_end_is_a_crash_and_one_in_between_was_caught():
    assert crash(event("traceback", 121, "ValueError: bad"))["crash"].severity == "critical"
    assert crash(event("traceback", 30, "ValueError: bad"))["crash"].severity == "warning"


def over(line, name="completed"):
    return Event(line=line, step=None, kind="shutdown", name=name, text="Training complete")


def test_what_fails_after_the_training_is_over_costs_no_training():
    late = event("traceback", 125, "IndexError: too many indices")
    assert crash(over(122), late)["crash"].severity == "warning"
    assert "after the end of the training" in crash(over(122), late)["crash"].summary
    assert crash(late, over(130))["crash"].severity == "critical"  # said by another program, below it
    assert crash(over(40), late)["crash"].severity == "critical"  # of a phase before this one
    plan = (Setting(name="max_steps", raw_name="max_steps", line=None, value=100 * N),)
    assert found(RunView(run_of(loss(), events=[late]), settings=plan), "LD805")["crash"].severity == "warning"
    plan = (Setting(name="max_steps", raw_name="max_steps", line=None, value=200 * N),)
    assert found(RunView(run_of(loss(), events=[late]), settings=plan), "LD805")["crash"].severity == "critical"


@pytest.mark.parametrize(
    ("last", "severity"),
    [
        ("Epoch 12/12 loss 0.5", "warning"),
        ("Epoch [12/12], Step [600/600], loss: 0.5", "warning"),
        ("epoch 11 of 12: loss 0.5", "critical"),
        ("Epoch 3/12 step 600/600 loss 0.5", "critical"),
        ("Epoch 3 step 600/600 loss 0.5", "critical"),
        ("loss 0.5 accuracy 12/12", "critical"),
    ],
)
def test_a_counter_at_its_total_says_that_the_training_was_over(last, severity):
    run = run_of(loss(), events=[event("traceback", 125, "ModuleNotFoundError: No module named 'seaborn'")])
    run = replace(run, fetch=lambda lines: {line: last if line == N else "saving" for line in lines})
    assert found(RunView(run), "LD805")["crash"].severity == severity


def test_a_traceback_above_the_first_row_is_that_of_an_earlier_start():
    rows = series_of("loss", np.linspace(2, 0.5, N) + noise(N, 0.03), line=np.arange(30, 30 + N))
    early = event("traceback", 5, "AttributeError: no attribute 'to'")
    assert found(RunView(run_of(rows, events=[early])), "LD805")["crash"].severity == "info"
    assert found(RunView(run_of(rows, events=[early, over(160)])), "LD805")["crash"].severity == "info"


def test_memory_that_ran_out_on_the_way_to_the_planned_end_is_a_remark():
    assert crash(event("oom", 50, "CUDA out of memory"), over(121))["out-of-memory"].severity == "info"
    assert crash(event("oom", 119, "CUDA out of memory"), over(121))["out-of-memory"].severity == "critical"


def test_an_allocator_that_asks_for_less_has_not_failed():
    asked = "I tensorflow/stream_executor/cuda/driver.cc:789] failed to allocate 613.15M from device: out of memory"
    less = "Allocator (GPU_0_bfc) ran out of memory. The caller indicates that this is not a failure, but ..."
    assert crash(event("oom", 50, asked), event("oom", 51, asked))["out-of-memory"].severity == "info"
    assert crash(event("oom", 118, less))["out-of-memory"].severity == "info"
    assert crash(event("oom", 121, asked))["out-of-memory"].severity == "warning"
    both = crash(event("oom", 120, asked), event("oom", 121, "OOM when allocating tensor"))["out-of-memory"]
    assert both.severity == "critical"
    assert both.onset.line == 121


def test_a_lost_client_is_no_crash():
    assert crash(event("error", 121, "Error handling client 0: Failed to read length"))["crash"].severity == "info"
    assert not crash(event("error", 60, "Training error: index out of bounds"))


def test_a_killed_program_is_told_without_blaming_the_training():
    assert crash(event("killed", 121, "Killed"))["killed"].severity == "warning"
    assert not crash(event("killed", 20, "worker killed, restarting"))


# ---------------------------------------------------------------------------------------------------- where it crashed
BAR = "\r".join(f" {n // 40:3}%|#         | {n}/4000 [00:{n % 60:02}<10:00,  6.1it/s]" for n in range(0, 241, 20))


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        (
            ["{'loss': 2.31, 'grad_norm': 1.2, 'epoch': 0.0}", BAR + "{'loss': 2.24, 'grad_norm': 1.1, 'epoch': 0.0}"],
            "after epoch 0, its progress bar at 240 of 4,000",
        ),
        ([f"step {n} loss {2.3 - n / 1000:.3f}" for n in range(0, 400, 20)], "after step 380: ValueError"),
        ([f"loss {2.3 - n / 1000:.3f}" for n in range(0, 400, 20)], "at line 21: ValueError"),
    ],
    ids=["a bar counts finer than the epoch", "steps of the rows", "no counter"],
)
def test_a_crash_is_placed_by_the_finest_counter(tmp_path, rows, place):
    path = tmp_path / "run.log"
    trace = ["Traceback (most recent call last):", '  File "train.py", line 9, in <module>', "ValueError: no more"]
    path.write_text("\n".join([*rows, *trace]) + "\n", newline="")
    found = [f for f in diagnose(path).findings if f.name == "crash"]
    assert len(found) == 1
    assert place in found[0].summary


def ended(tmp_path, rows, *last):
    path = tmp_path / "run.log"
    path.write_text("\n".join([*rows, *last]) + "\n")
    return diagnose(path)


def test_what_fails_after_the_training_needs_no_restart(tmp_path):
    rows = [f"Epoch {n}/30 loss {2.3 - n / 20:.3f}" for n in range(1, 31)]
    told = ended(tmp_path, rows, "Training complete.", "Traceback (most recent call last):", "ValueError: no figure")
    assert told.story.decision.startswith("keep the trained model")
    assert told.story.restart_from is None
    assert "after the training" in str(told.causes[0].changes[0].to)


def test_a_time_limit_is_no_error_of_the_program(tmp_path):
    rows = [f"Epoch {n}/90 loss {2.3 - n / 20:.3f}" for n in range(1, 31)]
    told = ended(tmp_path, rows, "slurmstepd: error: *** JOB 7 ON c1 CANCELLED AT 2024-04-05 DUE TO TIME LIMIT ***")
    assert told.causes[0].id == "crash"
    assert told.causes[0].changes[0].parameter == "time limit of the job"
    assert "shows no fault" in told.story.decision_why


def test_nothing_is_said_of_what_was_learned_where_nothing_was_read(tmp_path):
    told = ended(tmp_path, ["Epoch 1 loss 2.3"], "Traceback (most recent call last):", "ValueError: no data")
    assert "shows no fault" not in told.story.decision_why
