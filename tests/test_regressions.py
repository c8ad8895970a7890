"""Verdicts that once were wrong: small logs made by formula, judged from the text to the cause.

Each test names what a reader of the curve sees at once and the program did not, or saw where nothing was.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from logdoctor.engine import diagnose
from tests.runs import noise

LN10 = math.log(10)
EPOCHS = 30


def fastai(train, valid, accuracy):
    rows = ["epoch     train_loss  valid_loss  accuracy  time"]
    rows += [
        f"{e:<10d}{t:<12.6f}{v:<12.6f}{a:<10.6f}00:02"
        for e, (t, v, a) in enumerate(zip(train, valid, accuracy, strict=True))
    ]
    return "\n".join(rows) + "\n"


def table(**columns):
    """A CSV of one row an epoch."""
    names = list(columns)
    rows = [",".join(["epoch", *names])]
    rows += [f"{e}," + ",".join(f"{x:.6g}" for x in row) for e, row in enumerate(zip(*columns.values(), strict=True))]
    return "\n".join(rows) + "\n"


def per_batch(loss, valid, accuracy, each=5, places=4):
    """Lines of single batches with a line of held-out results after each epoch."""
    rows = []
    for e, (v, a) in enumerate(zip(valid, accuracy, strict=True)):
        rows += [
            f"Epoch [{e + 1}/{len(valid)}], Step [{10 * i}/44], Loss: {loss[e * each + i]:.{places}f}"
            for i in range(each)
        ]
        rows.append(f"Epoch {e + 1}: val loss {v:.{places}f}, val acc {a:.4f}")
    return "\n".join(rows) + "\n"


def falls(last=0.05, first=2.3, count=EPOCHS, size=0.02, seed=0):
    return np.geomspace(first, last, count) * np.exp(noise(count, size, seed))


@pytest.fixture
def judged(tmp_path):
    def run(text, name="train.log", **settings):
        path = tmp_path / name
        path.write_text(text)
        return diagnose(str(path), hyperparameters=settings or None)

    return run


def names(diagnosis, *severities):
    return {f.name for f in diagnosis.findings if f.severity in (severities or ("warning", "critical"))}


def first_cause(diagnosis):
    return diagnosis.causes[0].id


# ------------------------------------------------------------------------------------------------- thrown back
def test_a_classifier_that_is_thrown_back_to_guessing_is_critical(judged):
    train = np.concatenate([np.linspace(6.0, 1.8, 6), 2.34 + noise(24, 0.01)])
    valid = np.concatenate([np.linspace(2.1, 1.9, 6), 2.35 + noise(24, 0.02, 1)])
    accuracy = np.concatenate([np.linspace(0.19, 0.26, 6), 0.097 + np.abs(noise(24, 0.01, 2))])
    diagnosis = judged(fastai(train, valid, accuracy))
    assert "loss-at-chance" in names(diagnosis, "critical")


def test_labels_without_signal_are_the_cause_where_only_training_learns(judged):
    train = np.linspace(2.31, 1.98, EPOCHS)
    valid = np.linspace(2.30, 2.48, EPOCHS) + noise(EPOCHS, 0.01)
    accuracy = 0.1 + noise(EPOCHS, 0.012, 2)
    diagnosis = judged(table(train_loss=train, val_loss=valid, val_acc=accuracy))
    assert diagnosis.verdict == "critical"
    assert first_cause(diagnosis) == "label-noise"


def test_a_slow_run_that_beats_chance_is_not_said_to_guess(judged):
    valid = np.linspace(2.305, 2.288, EPOCHS)
    diagnosis = judged(table(train_loss=valid + 0.001, val_loss=valid, val_acc=np.linspace(0.143, 0.179, EPOCHS)))
    assert "loss-at-chance" not in names(diagnosis)
    assert first_cause(diagnosis) == "learning-rate-too-low"


# ------------------------------------------------------------------------------------------------- at the guess
def test_a_loss_that_climbs_record_by_record_from_the_first_is_maximised(judged):
    loss = 2.3 + 0.02 * np.arange(150.0) ** 2.2 * np.exp(noise(150, 0.01))
    valid = loss[4::5] * 1.02
    diagnosis = judged(per_batch(loss, valid, np.full(EPOCHS, 0.0806)))
    assert first_cause(diagnosis) == "sign-error"


def test_one_answer_for_every_input_is_no_matter_of_the_step_size(judged):
    train = LN10 + 2e-3 * np.exp(-np.arange(EPOCHS) / 6) + noise(EPOCHS, 3e-5)
    valid = 2.3064 - 5e-3 * np.exp(-np.arange(EPOCHS) / 6)
    accuracy = np.where(np.arange(EPOCHS) < 12, 0.1008, 0.0756)
    diagnosis = judged(
        table(
            train_loss=train + 2e-3 * (np.arange(EPOCHS) == 0),
            val_loss=valid,
            val_acc=accuracy,
            lr=np.full(EPOCHS, 1e-3),
        )
    )
    assert diagnosis.verdict == "critical"
    assert first_cause(diagnosis) == "dead-relu"
    assert "learning-rate-too-high" not in {c.id for c in diagnosis.causes[:2]}


def test_a_first_batch_far_above_a_guess_means_inputs_too_large(judged):
    loss = np.concatenate([[57.0], LN10 + np.abs(noise(149, 0.01))])
    diagnosis = judged(per_batch(loss, np.full(EPOCHS, 1646.4), 0.09 + noise(EPOCHS, 0.004)))
    assert first_cause(diagnosis) == "unnormalised-inputs"


# ------------------------------------------------------------------------------------------- frozen and stopped
def test_an_accuracy_that_repeats_while_everything_is_at_rest_did_not_freeze(judged):
    valid = np.concatenate([np.geomspace(1.9, 0.08, 20) * np.exp(noise(20, 0.15)), 0.080 + 2e-4 * np.arange(20)])
    accuracy = np.concatenate([np.linspace(0.6, 0.98, 20) + noise(20, 0.004, 1), np.full(20, 0.985)])
    diagnosis = judged(table(train_loss=falls(1e-4, count=40), val_loss=valid, val_acc=accuracy))
    assert diagnosis.verdict == "healthy"


def test_an_accuracy_that_repeats_while_the_held_out_loss_moves_on_is_frozen(judged):
    valid = np.geomspace(1.9, 0.3, 40) * np.exp(noise(40, 0.05))
    accuracy = np.concatenate([np.linspace(0.6, 0.9, 20) + noise(20, 0.004, 1), np.full(20, 0.8713)])
    diagnosis = judged(table(train_loss=falls(0.2, count=40), val_loss=valid, val_acc=accuracy))
    assert "evaluation-frozen" in names(diagnosis)


def stopped_run():
    loss = np.concatenate([np.geomspace(2.3, 0.2, 50), np.full(100, 0.12)]) * np.exp(noise(150, 0.3))
    valid = np.concatenate([np.geomspace(1.9, 0.1655, 10), np.full(20, 0.1655)])
    accuracy = np.concatenate([np.linspace(0.76, 0.9521, 10), np.full(20, 0.9521)])
    return per_batch(loss, valid, accuracy)


def test_held_out_results_that_repeat_over_a_loss_that_only_scatters_mean_stopped_updates(judged):
    diagnosis = judged(stopped_run())
    assert names(diagnosis, "critical") == {"updates-stopped"}
    assert not names(diagnosis) & {"metric-frozen", "evaluation-frozen", "overfitting"}
    assert first_cause(diagnosis) == "training-stopped-silently"


def test_a_held_out_loss_that_slows_down_before_it_rests_was_not_stopped(judged):
    way = 1.2 * np.exp(-np.arange(EPOCHS) * 1.5) + 0.9
    loss = 0.9 + np.exp(-np.arange(150) / 5) + np.abs(noise(150, 0.1))
    diagnosis = judged(per_batch(loss, way, np.full(EPOCHS, 0.75) - 0.2 * np.exp(-np.arange(EPOCHS) * 1.5)))
    assert "updates-stopped" not in names(diagnosis)


def test_one_batch_again_and_again_scatters_no_more(judged):
    loss = np.concatenate([np.geomspace(2.3, 0.15, 45) * np.exp(noise(45, 0.3)), np.geomspace(0.02, 6e-4, 105)])
    valid = np.concatenate([np.geomspace(1.9, 0.16, 9), np.linspace(0.25, 0.4, 21)])
    accuracy = np.concatenate([np.linspace(0.7, 0.965, 9), np.linspace(0.91, 0.86, 21)])
    diagnosis = judged(per_batch(loss, valid, accuracy, places=6))
    assert first_cause(diagnosis) == "data-loader-stall"


# ----------------------------------------------------------------------------------------------- went back
def replayed(leap_only=False):
    way = np.geomspace(2.2, 0.12, 20)
    after = way[5:15] if not leap_only else np.array([0.5, 0.14, *np.geomspace(0.12, 0.09, 8)])
    curve = np.concatenate([way, after])
    return table(
        train_loss=curve * np.exp(noise(30, 0.02)),
        val_loss=1.1 * curve * np.exp(noise(30, 0.02, 1)),
        val_acc=0.98 - 0.4 * curve / 2.2,
    )


def test_metrics_that_run_through_their_curve_twice_come_from_an_older_checkpoint(judged):
    diagnosis = judged(replayed())
    assert "metrics-go-back" in names(diagnosis)
    assert first_cause(diagnosis) == "wrong-checkpoint-resumed"
    assert next(f for f in diagnosis.findings if f.name == "metrics-go-back").onset.step == 20


def test_an_upset_that_is_made_good_at_once_is_no_older_checkpoint(judged):
    assert "metrics-go-back" not in names(judged(replayed(leap_only=True)))


# ------------------------------------------------------------------------------------------------ overfitting
def test_a_held_out_loss_that_creeps_up_at_full_accuracy_is_no_alarm(judged):
    valid = np.concatenate([np.geomspace(1.9, 0.077, 12), np.linspace(0.078, 0.105, 18)])
    accuracy = np.concatenate([np.linspace(0.6, 0.98, 12), 0.98 + noise(18, 0.002)])
    diagnosis = judged(table(train_loss=falls(4e-4), val_loss=valid, val_acc=accuracy))
    assert diagnosis.verdict == "healthy"


def test_the_same_rise_with_every_sixth_answer_wrong_is_overfitting(judged):
    valid = np.concatenate([np.geomspace(1.9, 0.5, 12), np.linspace(0.52, 0.9, 18)])
    accuracy = np.concatenate([np.linspace(0.6, 0.84, 12), 0.84 + noise(18, 0.002)])
    diagnosis = judged(table(train_loss=falls(4e-4), val_loss=valid, val_acc=accuracy))
    assert "overfitting" in names(diagnosis)


def test_an_accuracy_near_its_top_from_the_first_row_needs_no_rise(judged):
    rows = "\n".join(
        f"step: {i}  loss: {x:.5f}  grad_norm: {g:.4f}"
        + (f"\nvalidate step: {i}  val_acc: {a:.4f}" if i % 5 == 4 else "")
        for i, (x, g, a) in enumerate(
            zip(
                falls(1e-4, 1.0, 200, 0.2),
                np.concatenate([np.full(40, 1.2), np.full(160, 0.006)]) * np.exp(noise(200, 0.3, 1)),
                np.linspace(0.925, 0.98, 200) + noise(200, 0.001),
                strict=True,
            )
        )
    )
    assert "clipping-inactive" not in names(judged(rows + "\n"))


# ------------------------------------------------------------------------------------------------ instability
def test_answers_that_jump_about_over_a_loss_at_a_halt_are_an_alarm(judged):
    train = np.concatenate([[1.9, 1.1], 0.9 + noise(18, 0.12)])
    accuracy = np.concatenate([[0.55, 0.6], 0.62 + noise(18, 0.09, 1)])
    diagnosis = judged(table(train_loss=train, val_loss=1.0 + noise(20, 0.2, 2), val_acc=accuracy))
    assert "loss-oscillation" in names(diagnosis)
    assert first_cause(diagnosis) == "learning-rate-too-high"


# ------------------------------------------------------------------------------------------------ policies
def ppo(ret, entropy, explained, value, kl=0.003):
    return "\n".join(
        f"update {i} | step {512 * (i + 1)} | ep_rew_mean {r:.4g} | approx_kl {kl} | clip_fraction 0.001 | "
        f"entropy_loss {-e:.4g} | explained_variance {x:.4g} | value_loss {v:.4g} | policy_gradient_loss -0.004"
        for i, (r, e, x, v) in enumerate(zip(ret, entropy, explained, value, strict=True))
    )


def rising(count=80):
    return 20 + 180 * np.linspace(0, 1, count) + noise(count, 3.0)


def test_an_entropy_that_is_held_near_its_maximum_while_the_return_stands_is_told(judged):
    ret = 20 + 40 * (1 - np.exp(-np.arange(80) / 10)) + noise(80, 1.5)
    entropy = 0.65 + 0.043 * np.exp(-np.arange(80) / 6) + noise(80, 0.003, 1)
    diagnosis = judged(ppo(ret, np.minimum(entropy, math.log(2)), np.linspace(0, 0.5, 80), np.full(80, 90.0)))
    assert "policy-near-uniform" in names(diagnosis)


def test_an_entropy_that_falls_with_a_rising_return_is_healthy(judged):
    diagnosis = judged(ppo(rising(), np.linspace(0.693, 0.55, 80), np.linspace(0, 0.8, 80), np.linspace(60, 90, 80)))
    assert "policy-near-uniform" not in names(diagnosis)


def test_a_critic_that_never_explains_anything_under_a_huge_loss_is_told_though_the_return_rises(judged):
    ret = 24_000 + 8_000 * np.linspace(0, 1, 80) + noise(80, 800)
    value = 1e8 * np.exp(noise(80, 0.1))
    diagnosis = judged(ppo(ret, np.linspace(0.693, 0.68, 80), np.full(80, 4e-5), value, kl=2e-6))
    assert "explained-variance-low" in names(diagnosis)
    assert first_cause(diagnosis) == "reward-scale-too-large"


def dqn(ret):
    return "\n".join(
        f"global_step={400 * (i + 1)}, ep_rew_mean={r:.4g}, exploration_rate=0.05, loss={0.5 + 0.01 * (i % 7):.3g}"
        for i, r in enumerate(ret)
    )


def test_a_fall_under_way_is_judged_by_its_last_rows(judged):
    ret = np.concatenate([np.linspace(22, 262, 68), np.linspace(258, 112, 18)]) + noise(86, 1.5)
    assert "performance-collapse" in names(judged(dqn(ret)))


def test_a_short_dip_at_the_end_is_none(judged):
    ret = np.concatenate([np.linspace(22, 262, 82), np.linspace(250, 200, 4)]) + noise(86, 1.5)
    assert "performance-collapse" not in names(judged(dqn(ret)))


def test_a_return_on_its_way_back_is_no_longer_critical(judged):
    ret = np.concatenate([np.linspace(30, 200, 60), np.linspace(190, 20, 10), np.linspace(25, 95, 14)]) + noise(84, 1.0)
    diagnosis = judged(dqn(ret))
    assert "performance-collapse" in names(diagnosis, "warning")


def test_a_setting_far_out_of_range_accuses_nobody_who_learns(judged):
    text = ppo(rising(), np.linspace(0.693, 0.55, 80), np.linspace(0, 0.8, 80), np.linspace(60, 90, 80))
    diagnosis = judged(text, gamma=0.99999, algo="PPO")
    assert "setting-out-of-norm" not in names(diagnosis)
    assert "setting-out-of-norm" in names(diagnosis, "info")


# ------------------------------------------------------------------------------------- far away, speed, names
def test_numbers_that_overflow_their_columns_are_read_and_a_loss_that_runs_away_is_critical(judged):
    train = 2.3 * 10.0 ** np.linspace(0, 24, 20)
    diagnosis = judged(fastai(train, 1.2 * train, np.full(20, 0.09068)))
    assert diagnosis.reading.rows == 20
    assert diagnosis.reading.unread_lines == 0
    assert diagnosis.verdict == "critical"
    assert first_cause(diagnosis) == "sign-error"


def averaged_since_the_start(fast, slow, learns_at=1000):
    """Frames over seconds since the start, as Stable-Baselines3 prints them; many rows before it learns."""
    steps = np.concatenate([np.arange(1, 31) * learns_at / 30, learns_at + np.arange(1, 51) * 480.0])
    seconds = np.where(steps <= learns_at, steps / fast, learns_at / fast + (steps - learns_at) / slow)
    rows = []
    for i, (step, second) in enumerate(zip(steps, seconds, strict=True)):
        loss = f", loss={0.5 + 0.01 * (i % 7):.3f}" if step > learns_at else ""
        ret = 20 + 0.01 * step
        rows.append(f"global_step={int(step)}, ep_rew_mean={ret:.4g}, fps={int(step / second)}{loss}")
    return "\n".join(rows) + "\n"


def test_a_rate_since_the_start_that_falls_when_learning_sets_in_is_no_degradation(judged):
    assert "throughput-degradation" not in names(judged(averaged_since_the_start(30_000.0, 900.0)))


def test_a_raise_of_the_rate_is_told_with_the_name_that_the_log_printed(judged):
    rate = np.where(np.arange(60) < 30, 3e-4, 3e-3)
    ret = np.concatenate([np.linspace(0, 100, 30), np.linspace(95, 5, 30)]) + noise(60, 1.0)
    rows = [
        f"step={100 * (i + 1)}, DQN1M={r:.4g}, epsilon=0.05, lr={x:.1e}"
        for i, (r, x) in enumerate(zip(ret, rate, strict=True))
    ]
    found = next(f for f in judged("\n".join(rows) + "\n").findings if f.name == "learning-rate-changed")
    assert "DQN1M got worse" in found.summary
