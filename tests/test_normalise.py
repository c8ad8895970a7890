"""Control codes, states of a line, rulers and prefixes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdoctor.normalise import clean, is_ruler, states, strip_prefix


@pytest.mark.parametrize(
    ("line", "payload"),
    [
        ("2024-11-28 21:11:33,406 Learner INFO value loss: 29.1", "value loss: 29.1"),
        ("INFO:tensorflow:loss = 0.3, step = 5", "loss = 0.3, step = 5"),
        ("I0124 14:23:33.433430 31536 solver.cpp:237] Iteration 20, loss = 27", "Iteration 20, loss = 27"),
        ("[03.24.23|09:56:31] \tmean_loss: nan", "mean_loss: nan"),
        ("23-05-05 21:26:52.413 - INFO: [epoch:  1, iter: 5]", "[epoch:  1, iter: 5]"),
        ("[rank0]:[titan] 2026-05-18 16:04:46,338 - root - INFO - step: 14", "step: 14"),
        ("(main_task pid=64899) step:81 - loss:1", "step:81 - loss:1"),
        ("[gpu01:0/2] 2020-07-19 08:49:04,080 (trainer:464) INFO: 1epoch:train", "1epoch:train"),
        ("2025-12-13 04:19:15.730\tnode-03:0\tolmo.train:979\tINFO\t[step=5/9,epoch=0]", "[step=5/9,epoch=0]"),
        ("[11/18 18:14:39] d2.utils.events INFO:  eta: 21:04:05  iter: 59", "eta: 21:04:05  iter: 59"),
        ("[2021-05-26 04:38:20,031] [INFO] [logging.py:60:log_dist] [Rank 0] step=0, skipped=0", "step=0, skipped=0"),
        ("2020-12-21 19:00:28.049095: train loss : 1.3331", "train loss : 1.3331"),
        ("[LightGBM] [Info] Iteration:998, training's auc: 1", "Iteration:998, training's auc: 1"),
        ("[EVAL] Mean Reward: 5", "[EVAL] Mean Reward: 5"),
        ("[1]\ttrain-rmse:7.1", "[1]\ttrain-rmse:7.1"),
        ("  0.5 1.0 2.0", "  0.5 1.0 2.0"),
        ("12:30:05 step 5", "step 5"),
    ],
)
def test_prefixes(line, payload):
    found = strip_prefix(line)
    assert found.text == payload
    assert line[found.start :] == payload


def test_a_prefix_gives_the_time_of_the_line():
    assert strip_prefix("2024-11-28 21:11:33,406 Learner INFO loss: 1").time == "2024-11-28 21:11:33,406"
    assert strip_prefix("loss: 1").time is None


def test_escapes_go_and_line_numbers_stay():
    assert clean("\x1b[2J\x1b[H   Frame    FPS") == "   Frame    FPS"
    assert clean("\x1b[31mstep:  1\x1b[0m") == "step:  1"
    assert clean("a\u00a0b\u2212c") == "a b-c"


def test_a_line_shows_several_states():
    assert states("10%|#  |\r50%|## |\r100%|###|\n") == ["10%|#  |", "50%|## |", "100%|###|"]
    assert states("one\r\n") == ["one"]
    erased = "loss: 0.5" + "\x08" * 9 + "loss: 0.4"
    assert states(erased) == ["loss: 0.5", "loss: 0.4"]
    assert states("loss: 0.59\x08\x084") == ["loss: 0.59", "loss: 0.4"] or states("loss: 0.59\x084")[-1] == "loss: 0.54"


@pytest.mark.parametrize("line", ["-----", "=======", "+---+---+", "│────│", "#####", "| --- | --- |"])
def test_rulers(line):
    assert is_ruler(line)


@pytest.mark.parametrize("line", ["", "--", "- 5 -", "loss ---", "1 2 3"])
def test_what_is_no_ruler(line):
    assert not is_ruler(line)


@given(st.text(max_size=200))
def test_nothing_crashes_and_no_control_code_survives(line):
    for state in states(line):
        assert not any(ord(ch) < 32 and ch != "\t" for ch in state)
        found = strip_prefix(state)
        assert state.endswith(found.text)
