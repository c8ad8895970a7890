"""What the documents beside the five seed reports claim: said where a log shows it, left in peace where it does not.

The names D-4, T-1 ... are those of the research note. Logs are made by formula with the figures that a document quotes;
a test on the real log of a claim is skipped where the logs are absent.
"""

# ruff: noqa: E501 - the figures of a claim stand on one line

from __future__ import annotations

import json

import numpy as np
import pytest

from logdoctor.engine import diagnose
from logdoctor.model import Diagnosis
from tests.runs import noise
from tests.shared import SHARED, needs_shared

ROWS = 60
REAL = SHARED / "real_logs"
RETURN = 50 + noise(ROWS, 3.0)


def lines(**columns: object) -> str:
    """One ``key: value`` row a step; a missing value (NaN) is a key that the row does not have."""
    arrays = {name: np.broadcast_to(np.asarray(values, dtype=float), (ROWS,)) for name, values in columns.items()}
    rows = []
    for i in range(ROWS):
        cells = [f"{name}: {array[i]:.6g}" for name, array in arrays.items() if np.isfinite(array[i])]
        rows.append(f"step: {1000 * (i + 1)} " + " ".join(cells))
    return "\n".join(rows) + "\n"


@pytest.fixture
def told(tmp_path):
    def run(text: str, **settings: object) -> Diagnosis:
        path = tmp_path / "run.log"
        path.write_text(text, encoding="utf-8")
        diagnosis = diagnose(str(path), hyperparameters=settings or None)
        assert [check for check in diagnosis.checks if check.state == "failed"] == []
        return diagnosis

    return run


def found(diagnosis: Diagnosis, least: str = "warning") -> dict[str, object]:
    """Findings by name, without remarks unless asked for."""
    return {f.name: f for f in diagnosis.findings if not f.benign and (least == "info" or f.severity != "info")}


def step(before: object, after: object, at: int = 30) -> np.ndarray:
    """A curve that jumps from one stretch to another."""
    return np.concatenate([np.broadcast_to(before, (at,)), np.broadcast_to(after, (ROWS - at,))])


# ------------------------------------------------------------------------------------------------ Tempest
def test_d4_values_rescaled_on_load(told):
    text = lines(
        d_loss=step(0.03 + noise(30, 0.002), np.linspace(0.18, 0.59, 30)),
        agreement=step(93 + noise(30, 0.5), np.linspace(17, 63, 30)),
        q_min=step(-53.0, np.linspace(-0.03, -45, 30)), q_max=step(9.0, np.linspace(0.08, 64, 30)),
        dqn_reward_1m=step(60 + noise(30), np.linspace(58, 20, 30)),
    ).splitlines()  # fmt: skip
    text.insert(30, "Resuming from step 30000: model loaded from latest.pt")
    diagnosis = told("\n".join(text) + "\n", algorithm="DQN")
    collapse = found(diagnosis)["agreement-collapse"]
    assert collapse.severity == "critical"
    assert 31 <= collapse.onset.line <= 33


def test_d5_values_and_loss_rise_while_the_reward_is_flat(told):
    text = lines(q_max=np.linspace(3.88, 13.07, ROWS), loss=np.linspace(0.135, 0.192, ROWS), episode_return=RETURN)
    diagnosis = told(text, algorithm="DQN")
    assert "nothing is earned for the rising values" in found(diagnosis)["values-rise-alone"].summary
    assert "value-overestimation" in {cause.id for cause in diagnosis.causes}


def test_d6_a_value_at_the_bound_is_right(told):
    """Q of about r / (1 - gamma) = 12 is what it should be."""
    text = lines(
        q_max=12 + noise(ROWS, 0.2), loss=0.2 + noise(ROWS, 0.01), episode_return=48 + noise(ROWS), episode_length=400.0
    )
    assert not {"q-above-bound", "q-divergence", "value-scale-suspicious", "overestimation"} & set(
        found(told(text, algorithm="DQN", gamma=0.99), "info")
    )


def test_d7_a_loss_that_creeps_up_by_a_fifth_is_no_alarm(told):
    """+21 % with a flat reward: losses of healthy learners move by more, so the log cannot tell."""
    text = lines(loss=np.linspace(0.210, 0.255, ROWS) + noise(ROWS, 0.003), dqn_reward_1m=48 + noise(ROWS, 1.5))
    assert not {"loss-divergence", "loss-explosion", "values-rise-alone"} & set(
        found(told(text, algorithm="DQN"), "info")
    )


def test_d9_a_plateau_is_told_with_its_level(told):
    text = lines(
        episode_return=64 - 50 * np.exp(-np.linspace(0, 12, ROWS)) + noise(ROWS, 0.4), loss=0.1 + noise(ROWS, 0.003)
    )
    plateau = found(told(text, algorithm="DQN"), "info")["performance-stagnation"]
    assert "about 6" in plateau.summary
    assert plateau.severity == "info"


def test_d11_penalties_outweigh_the_objective(told):
    text = lines(
        dqn_reward_1m=-9000 + noise(ROWS, 300), obj_reward=1150 + noise(ROWS, 60), loss=0.1 + noise(ROWS, 0.005)
    )
    diagnosis = told(text, algorithm="DQN", death_penalty=-1.0)
    assert "penalties 7.76 times the objective" in found(diagnosis)["reward-parts-disagree"].summary
    assert diagnosis.causes[0].id == "penalty-too-large"
    change = diagnosis.causes[0].changes[0]
    assert (change.parameter, change.from_, change.to) == ("death_penalty", -1.0, -0.1)
    assert "reward-parts-disagree" not in found(told(text.replace("-", "")), "info")


def test_d13_an_agreement_that_stands_still_while_its_loss_falls_is_a_remark(told):
    rows = [(1481816, 91.9, 63.8, 0.0442), (1875568, 93.1, 64.2, 0.0422), (2217512, 93.4, 63.9, 0.0399),
            (2560128, 93.4, 64.1, 0.0384), (2773392, 93.3, 64.6, 0.0378)]  # fmt: skip
    text = "Frame       Agree%  SpinAgr%  CLoss\n" + "".join(f"{f:,}   {a}%   {s}%   {c}\n" for f, a, s, c in rows)
    remark = found(told(text), "info")["agreement-stagnates"]
    assert remark.severity == "info"
    assert "63.8 to 64.6" in remark.summary
    assert "-14 %" in remark.summary
    moving = text.replace("64.6%", "71.6%")
    assert "agreement-stagnates" not in found(told(moving), "info")


@pytest.mark.parametrize(("level", "fires"), [(0.0, True), (0.08, True), (2.3, False)])
def test_d17_an_agreement_below_any_guess_is_a_fault_of_the_metric(told, level, fires):
    text = lines(
        agreement=level * (1 + noise(ROWS, 0.1)),
        d_loss=np.linspace(1, 0.2, ROWS),
        reward=np.linspace(10, 80, ROWS) + noise(ROWS),
    )
    assert ("metric-never-recorded" in found(told(text, algorithm="DQN"))) is fires


def test_d17_many_actions_excuse_a_small_agreement(told):
    text = lines(agreement=0.06 + noise(ROWS, 0.01), d_loss=np.linspace(1, 0.2, ROWS), reward=np.linspace(10, 80, ROWS))
    assert "metric-never-recorded" not in found(told(text, algorithm="DQN", n_actions=2000))


@pytest.mark.parametrize(("end", "fires"), [(5.0, True), (9.0, False), (10.0, False)])
def test_d22_an_expert_ratio_below_its_floor(told, end, fires):
    share = np.maximum(end, np.linspace(90, -30, ROWS))
    findings = found(told(lines(expert_ratio=share, reward=RETURN), expert_ratio_end=0.10))
    assert ("schedule-below-floor" in findings) is fires
    if fires:
        assert "floor of 10 (expert_ratio_end" in findings["schedule-below-floor"].summary


# ------------------------------------------------------------------------------------------------ TD3
def test_t1_values_grow_and_the_clip_is_always_at_its_limit(told):
    norm = 3.0 + np.abs(noise(ROWS, 0.5))
    text = lines(
        q1_max=np.geomspace(317, 728, ROWS), q1_std=np.linspace(80, 132, ROWS), grad_norm=norm, clip_delta=1 / norm,
        critic_loss=50 + noise(ROWS, 8), episode_return=np.linspace(900, 60, ROWS) + noise(ROWS, 20),
    )  # fmt: skip
    findings = found(told(text, algorithm="TD3", max_grad_norm=1.0))
    assert "60 of 60 rows" in findings["clip-saturation"].summary
    assert "critic-loss-explosion" not in findings  # 0.1 to 100 is the band of the document


def test_t3_t4_an_actor_loss_beyond_any_return(told):
    text = lines(
        actor_loss=-np.geomspace(2.85, 2.7e9, ROWS), actor_grad_norm=1.0, critic_loss=1 + np.abs(noise(ROWS, 0.1)),
        episode_return=np.linspace(120, 20, ROWS) + noise(ROWS, 5),
    )  # fmt: skip
    diagnosis = told(text, algorithm="TD3", max_grad_norm=1.0, actor_learning_rate=3e-3, gamma=0.99)
    exploded = found(diagnosis)["actor-loss-explosion"]
    assert exploded.severity == "critical"
    # Clipping works (the norm is bounded), so it is not what is missing.
    assert diagnosis.causes[0].id != "gradient-clipping-missing"


def test_t5_the_values_of_the_policy_leave_those_of_the_replay_data(told):
    text = lines(
        q_value=np.linspace(20, 43, ROWS), actor_q_mean=np.geomspace(25, 461423, ROWS), tau=0.01,
        episode_return=np.linspace(120, 20, ROWS) + noise(ROWS, 5), episode_length=10.0,
    )  # fmt: skip
    findings = found(told(text, algorithm="TD3", gamma=0.99))
    assert findings["q-divergence"].severity == "critical"
    assert "461,423" in findings["q-divergence"].summary


def test_t6_more_steps_make_it_worse(told):
    text = lines(
        q_mean=np.geomspace(2.29, 1796760, ROWS),
        episode_return=np.linspace(721, 7.6, ROWS),
        episode_length=np.linspace(50, 2, ROWS),
    )
    diagnosis = told(text, algorithm="TD3")
    assert diagnosis.verdict == "critical"
    assert diagnosis.story.go is False
    assert diagnosis.story.decision.startswith("stop")


@pytest.mark.parametrize("diverges", [True, False])
def test_t8_a_log_that_stops_is_told_from_one_that_diverges(told, diverges):
    loss = -np.geomspace(2.3, 1.28e12, ROWS) if diverges else -2.3 + noise(ROWS, 0.1)
    diagnosis = told(
        lines(actor_loss=loss, episode_return=RETURN - (np.arange(ROWS) if diverges else 0)), max_steps=1_000_000
    )
    findings = found(diagnosis, "info")
    assert "run-cut-off" in findings
    assert ("actor-loss-explosion" in findings) is diverges
    assert "crash" not in findings


def test_t9_features_that_double_are_fine_and_a_reward_that_is_lost_is_not(told):
    text = lines(
        feature_l2_norm=step(15.7 + noise(30, 0.05), np.linspace(16, 30, 30)), td_error=np.linspace(1.43, 10.11, ROWS),
        episode_return=step(393 + noise(30, 10), 76 + noise(30, 10)), q_value=np.linspace(15, 79, ROWS),
    )  # fmt: skip
    findings = found(told(text, algorithm="TD3"))
    assert "feature-norm-explosion" not in findings
    assert "performance-collapse" in findings


def test_t10_growth_that_sets_in_late_is_seen(told):
    """15.8 at first, 61 to 65 later (within the band of 10 to 100), a single batch at 1,242.8."""
    norm = step(15.8 + noise(10, 0.1), np.linspace(61, 65.3, 50), at=10)
    norm[45] = 1242.8
    text = lines(feature_l2_norm=norm, episode_return=np.linspace(100, -60, ROWS) + noise(ROWS, 5))
    late = found(told(text, algorithm="TD3"))["feature-norm-explosion"]
    assert "1,242.8" in late.summary
    early = "\n".join(text.splitlines()[:10]) + "\n"
    assert "feature-norm-explosion" not in found(told(early, algorithm="TD3"), "info")


def test_t11_a_saturated_action_without_spread(told):
    text = lines(
        steering_mean=step(np.linspace(0, -0.94, 20), -0.943 + noise(40, 0.001), at=20),
        steering_std=step(0.3, 0.006, at=20), episode_return=np.linspace(-109, -155, ROWS) + noise(ROWS, 3),
    )  # fmt: skip
    assert "action-saturation" in found(told(text, algorithm="TD3"))


def test_t11_t13_one_penalty_holds_most_of_the_reward(told):
    parts = {
        "reward_safety": -50 + noise(ROWS, 1), "reward_progress": 0.5 + noise(ROWS, 0.05, 2), "reward_lane": 0.6 + noise(ROWS, 0.05, 3),
    }  # fmt: skip
    hurt = lines(episode_return=np.linspace(-20, -50, ROWS) + noise(ROWS, 1), **parts)
    finding = found(told(hurt, algorithm="TD3"))["reward-parts-disagree"]
    assert finding.figures["share"] == pytest.approx(0.98, abs=0.01)
    well = lines(episode_return=np.linspace(-50, 90, ROWS) + noise(ROWS, 1), **parts)
    assert "reward-parts-disagree" not in found(told(well, algorithm="TD3"), "info")


def test_t12_the_reward_falls_beside_healthy_values(told):
    text = lines(
        q_value=5 + noise(ROWS, 0.3), critic_loss=1 + np.abs(noise(ROWS, 0.1)), td_error=0.5 + np.abs(noise(ROWS, 0.05)),
        episode_return=step(159 + noise(20, 8), np.linspace(150, -36, 40), at=20), episode_length=np.linspace(65, 16, ROWS),
    )  # fmt: skip
    findings = found(told(text, algorithm="TD3"))
    assert "performance-collapse" in findings
    assert not {name for name in findings if name.startswith(("q-", "critic"))}


def test_t14_one_return_again_and_again_after_returns_that_never_repeated(told):
    stands = np.concatenate([-95 + noise(50, 6.0), np.full(10, -491.1)])
    finding = found(told(lines(episode_return=stands, episode_length=1000.0), algorithm="TD3"))["reward-zero-variance"]
    assert finding.onset.line == 51
    assert "-491.1" in finding.summary
    falls = np.concatenate([-95 + noise(50, 6.0), -491.1 + noise(10, 3.0)])
    assert "reward-zero-variance" not in found(told(lines(episode_return=falls), algorithm="TD3"), "info")


def test_t15_t16_a_short_recovery_does_not_hide_that_nothing_is_learned(told):
    constant = np.full(ROWS, -53.0)
    constant[22:26] = [-40.2, -31.5, -37.8, -49.9]
    findings = found(
        told(lines(episode_return=constant, speed=0.0, critic_loss=1 + np.abs(noise(ROWS, 0.1))), algorithm="TD3")
    )
    assert {"never-learned", "reward-zero-variance"} & set(findings)


def test_t17_many_constant_metrics_are_a_matter_of_logging(told):
    frozen = {f"metric_{i}": step(1 + noise(20, 0.1, i), 1.234567 + i, at=20) for i in range(9)}
    moving = {
        "actor_loss": -5 + noise(ROWS, 0.5),
        "critic_loss": 2 + np.abs(noise(ROWS, 0.2)),
        "episode_return": np.linspace(10, 90, ROWS) + noise(ROWS),
    }
    findings = found(told(lines(**moving, **frozen), algorithm="TD3"))
    assert "metric-frozen" in findings
    assert "updates-stopped" not in findings
    assert len(findings["metric-frozen"].metrics) == 9


def test_t18_an_actor_loss_of_every_second_step_is_ordinary(told):
    actor = np.where(np.arange(ROWS) % 2 == 0, -5 + noise(ROWS, 0.3), np.nan)
    text = lines(
        actor_loss=actor, q_value=np.linspace(30, 24, ROWS) + noise(ROWS, 0.3), critic_loss=2 + np.abs(noise(ROWS, 0.2)),
        episode_return=np.linspace(10, 90, ROWS) + noise(ROWS, 3),
    )  # fmt: skip
    diagnosis = told(text, algorithm="TD3", policy_delay=2)
    assert diagnosis.verdict == "healthy", found(diagnosis)


def test_t20_metrics_on_unlike_counters_keep_their_own(told):
    rows = []
    for i in range(ROWS):
        rows.append(
            f"[TRAIN] Step {500 * (i + 1)} | critic_loss: {2 + 0.01 * (i % 5):.4f} | q_value: {20 + 0.1 * (i % 7):.3f}"
        )
        rows.append(f"[EPISODE] Episode {i + 1} | episode_return: {np.linspace(900, 60, ROWS)[i] + 5 * (i % 3):.2f}")
    diagnosis = told("\n".join(rows) + "\n", algorithm="TD3")
    collapse = found(diagnosis)["performance-collapse"]
    assert collapse.onset.step is not None
    assert collapse.onset.step <= ROWS or collapse.onset.clock is None
    assert collapse.metrics == ("episode_return",)


# ------------------------------------------------------------------------------------------------ the real logs
@needs_shared
def test_t6_real_values_of_the_run_that_more_steps_would_not_save():
    diagnosis = diagnose(str(REAL / "td3_carla" / "5k_q_values.csv"))
    assert found(diagnosis)["q-divergence"].figures["peak"] == pytest.approx(1796760.125)
    assert diagnosis.story.go is False


@needs_shared
def test_t14_real_returns_of_a_policy_that_stands():
    path = REAL / "td3_carla" / "results_20251202-113322.json"
    returns = json.loads(path.read_text(encoding="utf-8"))["training_rewards"]
    collapse = found(diagnose(str(path)))["performance-collapse"]
    assert collapse.figures["last_ten_mean"] == pytest.approx(float(np.mean(returns[-10:])), rel=1e-3)


@needs_shared
def test_t15_real_log_of_a_car_that_never_moves():
    findings = found(diagnose(str(REAL / "td3_carla" / "validation_training_30k_20251026_222128.log")))
    assert {"never-learned", "evaluation-frozen"} <= set(findings)


@needs_shared
def test_d13_real_table_of_an_agreement_that_stands_still():
    remark = found(diagnose(str(REAL / "quoted_in_docs" / "tempest_SPINNER_PLATEAU_FIX_table.txt")), "info")
    assert remark["agreement-stagnates"].severity == "info"


@needs_shared
def test_d12_real_table_of_a_head_that_forgets():
    findings = found(diagnose(str(REAL / "quoted_in_docs" / "tempest_SPINNER_DEGRADATION_FIX_table.txt")))
    assert "one head forgets while the other learns" in findings["head-not-learning"].summary
