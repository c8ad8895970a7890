# ruff: noqa: E501 - a table of names
"""Raw names -> canonical names, goals, phases; and which names are counters or clocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdoctor.names import ALIASES, canonical, counter, goal_of, identity, is_clock, snake, split_phase


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("DLoss", "d_loss"), ("CLoss", "c_loss"), ("BCLoss", "bc_loss"), ("Agree%", "agreement"), ("agree_pct", "agreement"),
        ("SpinAgr%", "spin_agreement"), ("GradNorm", "grad_norm"), ("GrNorm", "grad_norm"), ("ClipΔ", "clip_delta"),
        ("Q-Range_min", "q_min"), ("Q-Value Range_max", "q_max"), ("Rwrd", "reward"), ("DQN", "dqn_reward"),
        ("DQN1M", "dqn_reward_1m"), ("DQN5M", "dqn_reward_5m"), ("RwdSlope", "reward_slope"), ("DQNSlope", "dqn_slope"),
        ("SlpM", "dqn_slope"), ("Epsi", "epsilon"), ("FAFO", "epsilon"), ("Xprt", "expert_ratio"), ("Samp/s", "samples_per_second"),
        ("Steps/s", "steps_per_second"), ("AvgEpLen", "episode_length"), ("Subj", "subj_reward"), ("obj", "obj"),
        ("rollout/ep_rew_mean", "episode_return"), ("eprewmean", "episode_return"), ("EpRewMean", "episode_return"),
        ("AverageEpRet", "episode_return"), ("Mean Reward", "episode_return"), ("eval/mean_reward", "eval_return"),
        ("test_reward", "eval_return"), ("train/policy_gradient_loss", "policy_loss"), ("actor/pg_loss", "policy_loss"),
        ("LossV", "value_loss"), ("train/explained_variance", "explained_variance"), ("train/approx_kl", "kl"),
        ("train/entropy_loss", "entropy_loss"), ("rollout/exploration_rate", "epsilon"), ("train/std", "action_std"),
        ("val_loss", "val_loss"), ("Validation Loss", "val_loss"), ("eval_loss", "val_loss"), ("valid loss", "val_loss"),
        ("validation/main/loss", "val_loss"), ("val_accuracy", "val_accuracy"), ("test_acc1", "val_accuracy"),
        ("Acc@1_avg", "accuracy_avg"), ("loss_avg", "loss_avg"), ("lm loss", "loss"), ("reduced_train_loss", "loss"),
        ("train-rmse", "error"), ("valid_0's auc", "val_quality"), ("mAP@.5", "quality"), ("fid50k_full", "fid"),
        ("tok/sec", "tokens_per_second"), ("Tokens/s/device", "tokens_per_second"), ("global_step/sec", "steps_per_second"),
        ("elapsed time per iteration (ms)", "step_time"), ("number of nan iterations", "nan_iterations"), ("lr_0", "learning_rate"),
        ("KL", "kl"), ("critic/grad_norm", "critic_grad_norm"), ("Greedy dist_share_2", "greedy_action_share_2"),
        ("Avg Reward (10ep)", "episode_return"), ("HellaSwag", "hella_swag"), ("Top1", "accuracy"),
    ],
)  # fmt: skip
def test_canonical_names(raw, name):
    assert canonical(raw).name == name


@pytest.mark.parametrize(
    ("title", "key", "name"),
    [
        ("Log-probabilities", "Mean", "log_prob_mean"),
        ("Log-probabilities", "Std", "log_prob_std"),
        ("Advantage (delta_prime) from baseline", "Mean", "advantage_mean"),
        ("Advantage (delta_prime)", "Positive", "advantage_positive"),
        ("Policy Entropy", "Mean entropy", "entropy"),
        ("Gradient Statistics (policy - before clipping)", "Total norm", "grad_norm"),
        ("CNN Feature Stats", "L2 Norm", "feature_l2_norm"),
        ("CNN Feature Stats", "Mean", "feature_mean"),
        ("Training Metrics", "Critic Loss", "critic_loss"),
        ("Training Metrics", "TD Error", "td_error"),
        ("Actor MLP", "Grad norm", "actor_mlp_grad_norm"),
        ("Policy Loss", "Total loss (-J + reg)", "policy_loss"),
        ("Rewards R", "Mean", "rewards_r_mean"),
    ],
)
def test_a_key_under_a_title(title, key, name):
    assert canonical(key, title).name == name


def test_the_phase_of_the_line_names_what_has_none():
    assert canonical("loss", phase="val").name == "val_loss"
    assert canonical("Mean Reward", phase="eval").name == "eval_return"
    assert canonical("loss", phase="train").name == "loss"
    assert canonical("val_loss", phase="train").name == "val_loss"


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("episode_return", "max"),
        ("accuracy", "max"),
        ("grad_norm", "none"),
        ("policy_loss", "none"),
        ("learning_rate", "none"),
        ("fid", "min"),
        ("reward_slope", "none"),
    ],
)
def test_goals(name, goal):
    assert goal_of(name) == goal


@pytest.mark.parametrize(
    ("raw", "unit"),
    [
        ("time/total_timesteps", "env steps"),
        ("Frame", "frames"),
        ("iter", "iterations"),
        ("Epoch", "epochs"),
        ("n/ep", "episodes"),
        ("kimg", "images x 1000"),
        ("consumed samples", "samples"),
        ("valid_num_updates", "updates"),
        ("Up.", "updates"),
    ],
)
def test_counters(raw, unit):
    assert counter(raw).unit == unit


@pytest.mark.parametrize("raw", ["loss", "sec/tick", "timing/gen", "samples/s", "Test Episodes", "fps step", "lr", ""])
def test_what_is_no_counter(raw):
    assert counter(raw) is None


def test_env_steps_are_a_better_axis_than_epochs_and_episodes():
    ranks = [counter(name).rank for name in ("total_timesteps", "step", "iter", "updates", "batch", "epoch", "episode")]
    assert ranks == sorted(ranks)


def test_all_epochs_are_one_counter():
    assert {identity(name) for name in ("Epoch", "Training epoch", "Eval epoch", "ep.")} == {"epoch"}
    assert identity("valid_num_updates") == identity("num_updates")


@pytest.mark.parametrize(
    "raw", ["time_elapsed", "ETA", "eta", "train_runtime", "remaining_time", "total_time", "eval_g0_runtime"]
)
def test_clocks_are_no_metrics(raw):
    assert is_clock(raw)


def test_split_phase():
    assert split_phase("Validation Loss") == ("Loss", "val")
    assert split_phase("train/loss") == ("loss", "train")
    assert split_phase("rmse_val") == ("rmse", "val")
    assert split_phase("LatDev") == ("LatDev", "")
    assert split_phase("loss") == ("loss", "")


@given(st.text(max_size=40))
def test_any_name_becomes_a_snake_case_name(raw):
    name = canonical(raw).name
    assert name == name.strip("_").lower()
    assert name
    assert not any(ch.isspace() for ch in name)
    assert snake(name) == name


def test_no_alias_is_unreachable():
    for alias, name in ALIASES.items():
        assert alias == alias.lower()
        assert name == snake(name)
