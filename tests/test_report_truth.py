"""What a reader with the log beside the report once found untrue or told twice."""

from __future__ import annotations

import numpy as np
import pytest

from logdoctor.engine import diagnose, render
from tests.runs import noise

ROWS = 60


def keyed(clock="step", **columns):
    count = max(np.size(values) for values in columns.values())
    arrays = {name: np.broadcast_to(np.asarray(values, dtype=float), (count,)) for name, values in columns.items()}
    rows = [f"{clock}: {i + 1} " + " ".join(f"{n}: {a[i]:.6g}" for n, a in arrays.items()) for i in range(count)]
    return "\n".join(rows) + "\n"


@pytest.fixture
def judged(tmp_path):
    def run(text, **settings):
        path = tmp_path / "train.log"
        path.write_text(text, encoding="utf-8")
        return diagnose(str(path), hyperparameters=settings or None)

    return run


def cause(diagnosis, name):
    return next(item for item in diagnosis.causes if item.id == name)


def by_name(diagnosis):
    return {finding.name: finding for finding in diagnosis.findings}


def nan_after(values):
    return keyed(loss=np.concatenate([values, np.full(40, np.nan)]), tok_per_sec=24000 + noise(len(values) + 40, 50))


def test_a_loss_that_rose_before_it_became_nan_was_not_calm(judged):
    rose = judged(nan_after([5.47, 6.1, 7.2, 8.0, 8.6, 9.1, 9.5, 9.4, 9.0]))
    said = " ".join(text for item in rose.causes for text in (*item.for_, *item.against))
    assert "calm stretch" not in said
    assert "had been rising (6.1 to 9.4)" in said
    calm = judged(nan_after(5.4 + noise(12, 0.05)))
    assert "straight out of a calm stretch" in " ".join(cause(calm, "numeric-overflow").for_)


def test_the_first_loss_of_a_language_model_is_no_count_of_classes(judged):
    """Any number is the logarithm of some vocabulary."""
    diagnosis = judged(nan_after([5.47, 6.1, 7.2, 8.0, 8.6, 9.1, 9.5, 9.4, 9.0]), vocab_size=32768)
    said = " ".join(text for item in diagnosis.causes for text in (*item.for_, *item.against))
    assert "238 classes" not in said


def overfits():
    train = np.geomspace(1.1, 0.05, ROWS)
    held = np.concatenate([np.linspace(2.0, 1.1, 15), np.linspace(1.12, 2.6, ROWS - 15)])
    return keyed("epoch", loss=train, eval_g0_loss=held)


def test_after_overfitting_the_held_out_metric_is_what_to_watch(judged):
    diagnosis = judged(overfits())
    held = by_name(diagnosis)["overfitting"].metrics[0]
    signs = {(item.metric, item.sign, item.condition) for item in diagnosis.watch}
    assert (held, "recovery", "<") in signs
    assert (held, "failure", ">") in signs
    assert not any(metric == "loss" and condition in {"<=", "<"} for metric, _, condition in signs)


def test_the_checkpoint_to_keep_is_named_after_the_metric_of_the_log(judged):
    changes = cause(judged(overfits()), "overfitting").changes
    assert any("eval_g0_loss" in str(item.to) for item in changes)


def test_a_phase_tells_each_metric_once(judged):
    diagnosis = judged(keyed(actor_q_mean=np.geomspace(2.3, 1.8e6, 40)))
    assert diagnosis.phases
    for phase in diagnosis.phases:
        assert phase.summary.count("actor_q_mean") == 1


def test_an_explosion_is_not_told_again_as_spikes(judged):
    norm = 0.6 + np.abs(noise(ROWS, 0.05))
    norm[30:42] = np.tile([500.0, 30.0, 0.6], 4)
    ret = np.concatenate([np.linspace(0, 100, 30), np.full(30, 5.0)]) + noise(ROWS, 1.0)
    names = by_name(judged(keyed(grad_norm=norm, episode_return=ret, loss=1 + noise(ROWS, 0.02))))
    assert "gradient-explosion" in names
    assert "gradient-spikes" not in names


def raised(*changes):
    rows = keyed(
        episode_return=np.concatenate([np.linspace(0, 100, 40), np.linspace(95, 5, 20)]) + noise(ROWS, 1)
    ).splitlines()
    for line, rate in sorted(changes, reverse=True):
        rows.insert(line, f"Learning rate adjusted to {rate:.6f}")
    return "learning_rate: 0.00015\nalgorithm: dqn\n" + "\n".join(rows) + "\n"


def test_the_rate_that_was_in_force_is_the_one_weighed(judged):
    diagnosis = judged(raised((38, 0.02)), gamma=0.99)
    said = " ".join(text for item in diagnosis.causes for text in (*item.for_, *item.against))
    assert "0.02" in said
    assert "1.5e-4 (line 1) is within" not in said


def test_an_earlier_raise_without_harm_is_told(judged):
    finding = by_name(judged(raised((10, 0.00025), (38, 0.0005))))["learning-rate-changed"]
    assert (
        "episode_return got worse after it. An earlier raise, to 0.00025 at line 13, had done no harm."
        in finding.summary
    )


def test_an_agent_that_reached_the_expert_and_lost_it_is_told_so(judged):
    share = np.concatenate([np.linspace(90, 5, 15), np.full(45, 5.0)])
    own = np.concatenate([np.linspace(0, 20, 15), np.linspace(20, 80, 20), np.full(25, 3.0)]) + noise(ROWS, 1.0)
    both = np.concatenate([np.full(15, 110.0), own[15:]]) + noise(ROWS, 1.0, 1)
    diagnosis = judged(keyed(expert_ratio=share, reward=both, dqn_reward_1m=own, loss=1 + noise(ROWS, 0.02)))
    below = by_name(diagnosis)["performance-below-expert"].summary
    assert "does not reach half of that level any more (it had: " in below


def test_checks_that_say_nothing_of_this_run_are_left_out(judged):
    text = render(judged(nan_after(5.4 + noise(12, 0.05))), "markdown")
    for name in ("reward-parts-disagree", "schedule-below-floor", "clipping", "clipped"):
        assert name not in text


def test_a_loss_that_was_nan_for_most_of_the_run_is_no_start_up(judged):
    values = np.concatenate([np.full(30, np.nan), [2.4, 2.3]])
    assert (
        by_name(judged(keyed("epoch", loss=values, accuracy=0.2 + noise(32, 0.01))))["loss-not-finite"].severity
        == "critical"
    )


def test_a_learner_that_fills_its_buffer_prints_no_loss_yet(judged):
    values = np.concatenate([np.full(30, np.nan), 1 + noise(10, 0.1)])
    diagnosis = judged(
        keyed(loss=values, episode_return=np.linspace(0, 50, 40) + noise(40), epsilon=np.linspace(1, 0.1, 40))
    )
    assert "loss-not-finite" not in by_name(diagnosis)


def test_a_stall_is_compared_with_the_rows_around_it(judged):
    time = np.concatenate([np.full(60, 2.0), np.full(60, 0.4)]) + noise(120, 0.01)
    time[[70, 79, 85, 98, 101, 113]] = 24.8
    diagnosis = judged(keyed("batch", loss=np.linspace(5, 1, 120), step_time=time))
    stall = by_name(diagnosis)["loader-stall"]
    assert "against 0.4" in stall.summary
    assert stall.figures["typical_ratio"] == pytest.approx(62, abs=4)
    assert diagnosis.story.go_why == "a longer run waits as often"
    assert [item.parameter for item in cause(diagnosis, "data-loader-stall").changes] == [
        "num_workers",
        "persistent_workers",
    ]


def test_a_level_that_a_loss_was_thrown_back_to_is_no_plateau(judged):
    loss = np.concatenate([np.geomspace(3.6, 0.5, 60), [9.0, 7.8, 15.2, 8.0, 5.0], 2.9 + noise(55, 0.05)])
    diagnosis = judged(keyed("iter", loss=loss))
    names = by_name(diagnosis)
    assert "loss-explosion" in names
    assert "loss-plateau" not in names
    assert 60 <= diagnosis.story.chain[0].place.line <= 62


def test_a_loss_that_gets_worse_rises(judged):
    loss = np.concatenate([np.geomspace(3.6, 0.5, 60), [9.0, 7.8, 15.2, 8.0, 5.0], 2.9 + noise(55, 0.05)])
    said = by_name(judged(keyed("iter", loss=loss)))["loss-explosion"].summary
    assert "loss rose from 0.5" in said
    assert "fell from" not in said


def test_a_schedule_is_no_sign_of_recovery(judged):
    share = np.concatenate([np.linspace(90, 50, 40), np.full(80, 5.0)])
    own = np.concatenate([np.linspace(0, 60, 40), np.full(80, 8.0)]) + noise(120, 1.0)
    both = np.concatenate([np.full(40, 110.0), own[40:]]) + noise(120, 1.0, 1)
    diagnosis = judged(keyed(expert_ratio=share, reward=both, dqn_reward_1m=own, loss=1 + noise(120, 0.02)))
    assert {"performance-below-expert", "performance-collapse"} & set(by_name(diagnosis))
    assert "expert_ratio" not in {item.metric for item in diagnosis.watch}
    assert not any("expert_ratio" in line for _, lines in diagnosis.story.expectations for line in lines)


def test_a_run_that_never_moved_is_not_said_to_move_the_right_way(judged):
    flat = keyed(episode_return=20 + noise(ROWS, 1.0), entropy=1.0986 + noise(ROWS, 0.0004))
    changes = cause(judged(flat, algorithm="PPO", learning_rate=1e-7), "learning-rate-too-low").changes
    assert all("right way" not in item.why for item in changes)


def test_a_score_of_a_supervised_run_may_be_its_loss(judged):
    score = np.geomspace(2.3, 0.2, 40) * (1 + noise(40, 0.02))
    rows = [f"Score at iteration {10 * i} is {value:.6f}" for i, value in enumerate(score)]
    assert "performance-collapse" not in by_name(judged("\n".join([*rows, "Accuracy: 0.92"]) + "\n"))


def test_one_rate_at_the_end_of_a_schedule_is_no_setting(judged):
    rows = [f"Epoch 3, Batch {100 * (i + 1)}, Loss: {7.8 - 0.02 * i:.4f}" for i in range(14)]
    text = "\n".join([*rows, "Epoch 3 Training Loss: 7.6343, LR: 0.000000", "Epoch 3 Validation Loss: 6.7451"]) + "\n"
    assert "setting-out-of-norm" not in by_name(judged(text))


def test_a_setting_accuses_nobody_where_too_few_rows_tell_of_learning(judged):
    rows = []
    for epoch, (train, held) in enumerate([(48.1, 47.4), (38.6, 29.7), (23.3, 22.3), (17.8, 15.5), (16.8, 15.3)]):
        rows += [f"Epoch: {epoch} Train Perplexity: {train}", f"Epoch: {epoch} Valid Perplexity: {held}"]
    found = by_name(judged("\n".join(rows) + "\n", learning_rate=1.0))
    assert found.get("setting-out-of-norm") is None or found["setting-out-of-norm"].severity == "info"


def test_a_counter_that_falls_to_the_second_row_of_a_run_begins_another(judged):
    rows = [f"[Val] Epoch:{epoch} MAE:{0.3 / epoch + 0.02:.6f}" for epoch in (*range(1, 13), *range(2, 24, 2))]
    assert "step-goes-back" not in by_name(judged("\n".join(rows) + "\n"))


def falls_back(q_last, *, best=130.0):
    """A return that is learned and lost while Q stays near what it was worth."""
    ret = np.concatenate([np.linspace(20, best, 60), np.full(60, 60.0)]) + noise(120, 1.5)
    q = np.concatenate([np.linspace(0.3, 98, 60), np.linspace(100, q_last, 60)])
    return keyed(episode_return=ret, q_max=q, loss=0.5 + np.abs(noise(120, 0.05)), grad_norm=5 + noise(120, 0.5))


def test_values_a_tenth_above_the_largest_return_do_not_diverge(judged):
    assert "q-divergence" not in by_name(judged(falls_back(144.0), algorithm="DQN", learning_rate=0.0023))
    assert "q-divergence" in by_name(judged(falls_back(900.0), algorithm="DQN", learning_rate=0.0023))


@pytest.mark.parametrize("q_last", [160.0, 190.0, 400.0, 4000.0])
def test_the_sign_of_failure_lies_above_all_that_was_well(judged, q_last):
    diagnosis = judged(falls_back(q_last), algorithm="DQN", learning_rate=0.02)
    onset = by_name(diagnosis)["q-divergence"].onset.line
    well = max(np.concatenate([np.linspace(0.3, 98, 60), np.linspace(100, q_last, 60)])[: onset - 3])
    signs = [w for w in diagnosis.watch if w.metric == "q_max" and w.sign == "failure" and w.condition == ">"]
    assert signs
    assert all(well < item.value < q_last for item in signs)


def test_a_metric_that_ran_one_way_before_the_break_gives_no_band(judged):
    ret = np.concatenate([np.linspace(10, 90, 50), np.full(70, 8.0)]) + noise(120, 1.0)
    q = np.concatenate([np.linspace(1, 60, 50), np.geomspace(70, 9000, 70)])
    norm = np.concatenate([1 + np.abs(noise(50, 0.1)), 400 + noise(70, 5)])
    story = judged(keyed(episode_return=ret, q_value=q, grad_norm=norm), algorithm="DQN").story
    lines = [line for _, found in story.expectations for line in found]
    assert any(line.startswith("grad_norm between") for line in lines)
    assert not any(line.startswith("q_value between") for line in lines)


def test_the_best_level_is_not_promised_where_the_start_was_better(judged):
    ret = np.concatenate([np.linspace(-5, -8, 20), np.linspace(-9, -12.5, 100)]) + noise(120, 0.1)
    dead = np.concatenate([0.3 + noise(20, 0.02), np.zeros(100)])
    story = judged(
        keyed(episode_return=ret, actor_grad_norm=dead, critic_loss=2 + np.abs(noise(120, 0.2))), algorithm="TD3"
    ).story
    assert not any("its best level before" in line for _, found in story.expectations for line in found)


def test_one_step_is_not_told_twice_as_the_beginning(judged):
    rows = []
    for i in range(80):
        late = i >= 30
        rows.append(
            f"step: {100 * (i + 1)} q_value: {(2.0 if not late else 2.0 * 1.2 ** (i - 29)) + 0.01 * (i % 3):.5g}"
        )
        rows.append(f"step: {100 * (i + 1)} actor_grad_norm: {0.0 if late else 0.3 + 0.01 * (i % 5):.4f}")
        rows.append(f"step: {100 * (i + 1)} episode_return: {(20 + 3 * i) if not late else 5 + (i % 4):.3f}")
    facts = render(judged("\n".join(rows) + "\n", algorithm="TD3"), "markdown")
    since = next(line for line in facts.splitlines() if line.startswith("- **Since:**"))
    first, _, later = since.partition("; plain to see from ")
    assert not later or later.split(" (line")[0] not in first


def test_a_descent_with_tiny_ripples_at_its_end_does_not_swing(judged):
    early = np.linspace(3.5, 1.2, 40) + 0.06 * np.sin(np.arange(40))
    loss = np.concatenate([early, np.geomspace(1.1, 0.0075, 20), 0.0073 + 0.0004 * np.sin(np.arange(60))])
    held = np.concatenate([np.linspace(3.5, 1.3, 30), np.linspace(1.3, 2.7, 90)])
    assert "loss-oscillation" not in by_name(judged(keyed("iter", loss=loss, val_loss=held)))


def test_the_name_of_a_metric_keeps_its_capital(judged):
    curve = 60 + 37 * (1 - np.exp(-np.linspace(0, 9, ROWS))) + noise(ROWS, 0.05)
    rows = [f"Epoch {i + 1}\nTest Error: Accuracy: {value:.2f}" for i, value in enumerate(curve)]
    decision = judged("\n".join(rows) + "\n").story.decision_why
    assert "levelled off" in decision
    assert "accuracy" not in decision


def test_the_number_of_classes_is_one_that_data_sets_have(judged):
    said = by_name(judged(keyed("epoch", loss=2.367 + noise(ROWS, 0.01), accuracy=0.0958 + noise(ROWS, 0.004))))
    assert "a guess among 10 gets 0.1" in said["loss-at-chance"].summary
    assert said["loss-at-chance"].figures["classes"] == 10


def test_a_loss_that_never_was_below_its_start_is_not_better_by_less_than_nothing(judged):
    said = by_name(judged(keyed("epoch", loss=np.concatenate([[2.35], 2.39 + 0.001 * np.arange(59)]))))
    assert "better" not in said["loss-not-learning"].summary
    assert "no lower than that at its best" in said["loss-not-learning"].summary


def test_a_sibling_on_another_scale_is_no_target(judged):
    lame, good = np.linspace(0.2, 0.47, ROWS), np.geomspace(0.75, 7e-5, ROWS)
    stuck, twin = 45 + noise(ROWS, 2.0), np.linspace(2, 97, ROWS)
    q = np.linspace(0.1, 3.1, ROWS)
    q[0] = 0.0
    columns = {"q_min": np.where(q > 0, q - 1.0, 0.0), "q_max": q, "agreement": stuck, "spin_agreement": twin}
    diagnosis = judged(
        keyed(d_loss=lame, c_loss=good, dqn_reward_1m=np.linspace(0, 40, ROWS), **columns), algorithm="DQN"
    )
    targets = {item.metric: item.value for item in diagnosis.watch if item.sign == "recovery"}
    assert targets["d_loss"] >= 0.1
    assert targets["agreement"] == 80.0


def forgets(last=80.0):
    spin = np.concatenate([[2.0], np.linspace(97, 99, 11), np.linspace(98, last, 48)])
    both = np.concatenate([np.full(20, 90.0), np.full(40, -6.0)]) + noise(ROWS, 3.0)
    share = np.concatenate([np.linspace(90, 5, 28), np.full(32, 5.0)])
    return keyed(
        agreement=np.linspace(45, 67, ROWS),
        spin_agreement=spin,
        reward=both,
        expert_ratio=share,
        loss=1 + noise(ROWS, 0.02),
    )


def test_a_head_that_forgets_falls_from_the_level_it_had(judged):
    lame = by_name(judged(forgets()))["head-not-learning"]
    assert "spin_agreement fell from 9" in lame.summary
    assert "(-1" in lame.summary
    collapsed = by_name(judged(forgets(20.0)))  # told once, by the rule of that name
    assert "agreement-collapse" in collapsed
    assert "head-not-learning" not in collapsed


def test_a_head_that_forgets_must_rise_again(judged):
    diagnosis = judged(forgets())
    assert not any(w.metric == "spin_agreement" and w.condition == "falls" for w in diagnosis.watch)
    assert not any(line == "spin_agreement falls" for _, found in diagnosis.story.expectations for line in found)


def test_what_was_earned_with_the_expert_is_not_what_the_agent_had(judged):
    assert "any more" not in by_name(judged(forgets()))["performance-below-expert"].summary


@pytest.mark.parametrize(
    ("behind", "why"), [(10, "a fall this young may come back"), (22, "part of what was learned is lost")]
)
def test_after_a_fall_that_is_a_warning_the_best_checkpoint_is_kept(judged, behind, why):
    ret = np.concatenate([np.linspace(10, 200, ROWS - behind), np.full(behind, 95.0)]) + noise(ROWS, 2.0)
    story = judged(keyed(episode_return=ret, policy_loss=noise(ROWS, 0.1))).story
    assert story.decision.startswith("keep the checkpoint nearest to step ")
    assert why in story.decision_why
    assert "nothing is lost" not in story.decision_why


def test_a_row_printed_before_training_is_no_level_of_agreement(judged):
    agree = np.concatenate([[1.6], 46.5 + noise(ROWS - 1, 1.0)])
    columns = {"agreement": agree, "spin_agreement": np.linspace(20, 83, ROWS), "d_loss": 0.3 + noise(ROWS, 0.01)}
    said = by_name(judged(keyed(dqn_reward_1m=10 + noise(ROWS, 1.0), **columns), algorithm="DQN"))[
        "agreement-stagnates"
    ]
    assert "went from 4" in said.summary
    assert abs(said.figures["change"]) < 5


def test_features_outside_of_the_usual_band_are_not_called_healthy(judged):
    rows = {"episode_return": np.linspace(0, 90, ROWS) + noise(ROWS, 1.0)}
    well = judged(keyed(feature_l2_norm=15 + noise(ROWS, 0.5), **rows), algorithm="TD3")
    large = judged(keyed(feature_l2_norm=np.linspace(120, 430, ROWS), **rows), algorithm="TD3")
    assert "feature_l2_norm" in {item.metric for item in well.healthy}
    assert "feature_l2_norm" not in {item.metric for item in large.healthy}


@pytest.mark.parametrize(("rows", "told"), [(7, 0), (40, 1)])
def test_a_buffer_that_fills_is_not_four_lost_measurements(judged, rows, told):
    still = {name: np.zeros(rows) for name in ("d_loss", "grad_norm", "steps_per_second", "samples_per_second")}
    text = keyed(
        "frame", fps=1400 + noise(rows, 30), reward=5 + noise(rows, 1.0), episode_length=800 + noise(rows, 9), **still
    )
    found = [f for f in judged(text).findings if f.name == "metric-never-recorded"]
    assert len(found) == told
    assert all("No update was made" in f.summary for f in found)


def test_an_adapted_model_that_scatters_around_its_first_loss_did_not_get_worse(judged):
    loss = np.concatenate([[0.5566], 0.571 + noise(31, 0.006)])
    found = by_name(judged(keyed(loss=loss, learning_rate=1e-5)))
    assert "loss-not-learning" not in found or found["loss-not-learning"].severity == "info"


def test_a_loss_that_hides_in_its_noise_while_the_answers_improve_is_no_plateau(judged):
    loss = 0.0011 * (1 + noise(90, 0.05))
    loss[:10] = np.linspace(0.00153, 0.00115, 10)
    assert "loss-plateau" not in by_name(
        judged(keyed("iter", loss=loss, accuracy=np.linspace(0.1, 0.4, 90) + noise(90, 0.01)))
    )
    assert "loss-plateau" in by_name(judged(keyed("iter", loss=loss, accuracy=0.1 + noise(90, 0.01))))


def test_a_classifier_that_stays_at_its_guess_is_no_adapted_model(judged):
    found = by_name(judged(keyed("epoch", loss=np.concatenate([[2.31], 2.33 + noise(59, 0.004)]))))
    assert found["loss-not-learning"].severity in {"warning", "critical"}


def test_a_loss_that_ends_below_its_start_did_not_rise(judged):
    loss = np.concatenate([[2.300, 2.3376, 2.338], np.linspace(2.320, 2.306, 57)])
    assert "rose instead" not in by_name(judged(keyed("epoch", loss=loss)))["loss-not-learning"].summary
