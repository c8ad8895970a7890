# ruff: noqa: E501 - a table of lines as programs print them
"""Events: what a line says that happened. The lines are written here, in the words that programs use."""

from __future__ import annotations

import numpy as np
import pytest

from logdoctor.events import MOST_OF_A_SHAPE, marks, place, scan
from logdoctor.model import Segment


def one(*lines: str):
    return scan(enumerate(lines, 1))


@pytest.mark.parametrize(
    ("line", "kind", "name", "value"),
    [
        ("Learning rate adjusted to 0.000300", "hyperparameter-change", "learning_rate", 0.0003),
        ("Epoch 00012: reducing learning rate of group 0 to 1.0000e-05.", "hyperparameter-change", "learning_rate", 1e-05),
        ("Epoch 5: ReduceLROnPlateau reducing learning rate to 0.0001.", "hyperparameter-change", "learning_rate", 0.0001),
        ("[INFO] entropy coef changed from 0.01 to 0.001", "hyperparameter-change", "ent_coef", 0.001),
        ("Batch size increased to 4,096", "hyperparameter-change", "batch_size", 4096),
        ("Epsilon: 0.040 (manual override)", "hyperparameter-change", "epsilon", 0.04),
        ("Expert ratio: 25% (manual override)", "hyperparameter-change", "expert_ratio", 25),
        ("Override mode: ON", "override", "override_mode", True),
        ("Epsilon override: OFF", "override", "epsilon_override", False),
        ("  - Resuming from frame: 22493328", "resume", "step", 22493328),
        ("Resumed training at epoch 12", "resume", "step", 12),
        ("=> loaded checkpoint 'out/model_best.pth' (epoch 41)", "resume", "step", 41),
        ("Resuming from checkpoints/best.pt", "resume", "checkpoint", None),
        ("  - Resuming epsilon: 0.0500", "note", "epsilon", 0.05),
        ("Loaded hybrid model from models/latest.pt", "model-load", "model", None),
        ("Optimizer state loaded. LR set to config value: 0.00015", "model-load", "model", None),
        ("⚠ No existing model found, starting fresh", "start", "fresh", None),
        ("          SPACE SHOOTER - NETWORK CONFIGURATION", "start", "banner", None),
        ("saving checkpoint to out-char", "checkpoint", "saved", None),
        ("INFO:tensorflow:Saving checkpoints for 399 into /tmp/model.ckpt.", "checkpoint", "saved", None),
        ("Training error: index 1386 is out of bounds for axis 0", "error", "training_error", None),
        ("Error handling client 2: Failed to read length", "error", "error_handling_client", None),
        ("Error handling client 0: [Errno 104] Connection reset by peer", "error", "error_handling_client", None),
        ("Segmentation fault (core dumped)", "error", "crash", None),
        ("gpu01: NCCL WARN Cuda failure 'unhandled cuda error'", "error", "nccl", None),
        ("RuntimeError: CUDA error: device-side assert triggered", "error", "cuda", None),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", "oom", "out_of_memory", None),
        ("slurmstepd: error: Detected 1 oom-kill event(s) in step 12.0", "oom", "out_of_memory", None),
        ("slurmstepd: error: *** JOB 99 ON n1 CANCELLED AT 2024-01-01T10:00:00 DUE TO TIME LIMIT ***", "killed", "time_limit", None),
        ("Killed", "killed", "sigkill", None),
        ("Received 15 death signal, shutting down workers", "killed", "sigterm", None),
        ("NOTE: gradient overflow detected, ignoring gradient, setting loss scale to: 64.0", "overflow", "loss_scale", 64.0),
        ("[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 65536, reducing to 32768", "overflow", "loss_scale", 32768),
        ("Loss is nan, stopping training", "error", "non_finite", None),
        ("⚠️⚠️⚠️  POLICY COLLAPSE DETECTED! Entropy = 0.003421 < 0.01", "alert", "policy_collapse", 0.003421),
        ("🔴 CRITICAL ALERT: Actor CNN gradient violation detected!", "alert", "critical_alert", None),
        ("Quit command received, shutting down...", "shutdown", "quit", None),
        ("Training completed in 3.2 hours", "shutdown", "completed", None),
        ("Epoch 00031: early stopping", "shutdown", "early_stopping", None),
        ("训练完成!", "shutdown", "completed", None),
        ("=== 模型训练已结束 ===", "shutdown", "completed", None),
        ("Обучение завершено.", "shutdown", "completed", None),
        ("Treinamento concluído!", "shutdown", "completed", None),
        ("Process finished with exit code 0", "shutdown", "completed", None),
        ("2024-01-02 10:11:12,345 - trainer - ERROR - data shard 12 could not be opened", "error", "logged_error", None),
    ],
)  # fmt: skip
def test_a_line_and_its_event(line, kind, name, value):
    (event,) = one(line)
    assert (event.kind, event.name, event.value) == (kind, name, value)
    assert event.line == 1


@pytest.mark.parametrize(
    "line",
    [
        "  1,024  364.6  50%  0.383567  8.4%  [-500.0,0.6] 1500k/6434215/100%",
        "step 100 loss 2.31 error 0.35",
        "Test Error: ",
        "Training error: 0.3512",
        "Val error: 0.12, top5 error: 0.05",
        "  TD error Q1: 0.2042",
        "mean squared error: nan",
        "Prediction error: 0.132",
        "Will use validation_rmse for early stopping.",
        "EarlyStopping counter: 3 out of 10",
        "Loading checkpoint shards: 100%|##########| 4/4 [00:54<00:00, 13.5s/it]",
        "Loading training set...",
        "resume: False",
        "resume                | 0",
        "WARNING:src.environment.sensors:Lane invasion at 12",
        "loss set the pace for the day",
        "optimizer: adam",
        "early_stopping_patience=10",
        "第3轮训练完成",
        "训练完成度: 30%",
        "Process finished with exit code 3 of 4",
    ],
)
def test_lines_that_are_no_events(line):
    assert one(line) == ()


@pytest.mark.parametrize("above", ["Exception ignored in: <function _Iter.__del__ at 0x7f>", "--- Logging error ---"])
def test_an_exception_that_python_ignores_ends_nothing(above):
    trace = (
        "Traceback (most recent call last):",
        '  File "x.py", line 3, in __del__',
        "AssertionError: can only test a child",
    )
    (event,) = [e for e in one(above, *trace, "step 10") if e.kind in ("note", "traceback", "error")]
    assert (event.kind, event.name, event.line) == ("note", "ignored_exception", 2)
    assert [e.kind for e in one(above, "a", "b", "c", *trace) if e.kind != "error"] == ["traceback"]


def test_a_traceback_is_one_event_with_its_exception():
    events = one(
        "step 1 loss 0.5",
        "Traceback (most recent call last):",
        '  File "train.py", line 10, in <module>',
        "    main()",
        "ValueError: Expected parameter loc to satisfy the constraint, got nan",
        "step 2 loss 0.4",
    )
    (event,) = events
    assert (event.kind, event.name, event.line) == ("traceback", "ValueError", 2)
    assert event.text.startswith("ValueError: Expected parameter loc")


def test_out_of_memory_inside_a_traceback_is_out_of_memory():
    (event,) = one(
        "Traceback (most recent call last):",
        '  File "train.py", line 10, in step',
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB",
    )
    assert (event.kind, event.name, event.line) == ("oom", "out_of_memory", 1)


def test_a_traceback_that_the_end_of_the_file_cuts_off():
    (event,) = one("Traceback (most recent call last):", '  File "train.py", line 10, in <module>')
    assert (event.kind, event.line) == ("traceback", 1)


def test_a_traceback_behind_logging_prefixes():
    (event,) = one(
        "(main_task pid=12) Traceback (most recent call last):",
        '(main_task pid=12)   File "train.py", line 1, in <module>',
        "(main_task pid=12) KeyError: 'loss'",
    )
    assert event.name == "KeyError"


def test_lines_of_one_shape_are_bounded_and_changes_of_a_setting_are_not():
    many = [f"WARNING: batch {i} took {i}.5 s to load" for i in range(1000)]
    assert len(one(*many)) == MOST_OF_A_SHAPE["alert"]
    changes = [f"Learning rate adjusted to 0.000{i:03d}" for i in range(1000)]
    assert len(one(*changes)) == 1000


def test_a_redrawn_line_tells_what_it_last_showed():
    (event,) = one("\x1b[2K 10%|#    | 1/10\r 100%|#####| 10/10\rLearning rate adjusted to 0.0002")
    assert event.value == 0.0002


def test_place_gives_the_step_of_the_record_before():
    events = one("Override mode: ON", "", "", "Learning rate adjusted to 0.1", "", "", "Quit command received")
    segments = (
        Segment(index=0, first_line=2, last_line=4, first_step=10, last_step=20),
        Segment(index=1, first_line=5, last_line=9, first_step=0, last_step=30),
    )
    placed = place(
        events, np.array([2, 3, 5, 6]), np.array([10.0, 20.0, np.nan, 30.0]), segments, [None, None, None, "Epoch"]
    )
    assert [(e.step, e.clock, e.segment) for e in placed] == [(None, None, 0), (20.0, None, 0), (30.0, "Epoch", 1)]


def test_marks_are_starts_and_resumes():
    events = one("GAME - NETWORK CONFIGURATION", "Resuming from frame: 10", "Learning rate adjusted to 0.1")
    assert [(m.line, m.kind) for m in marks(events)] == [(1, "banner"), (2, "resume")]


def test_hostile_lines_take_no_time():
    lines = [c * 200_000 for c in ("(", "A ", "error ", "⚠", "[1m", "Resum ", "-", "WARNING ")]
    assert len(one(*lines)) <= len(lines)
