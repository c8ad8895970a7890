"""Which algorithm family a run belongs to, from its metric names and settings.

The family decides which norms of hyperparameters apply and which noise is normal. Each test asks for metrics or
settings that only that family prints; none looks at values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logdoctor.view import RunView


def family_of(view: RunView) -> str | None:
    """Return the family's short name, or None when nothing in the log tells."""
    names = set(view.names)
    named = str(view.value("algorithm", "algo") or "").lower()
    for family in ("dqn", "ppo", "a2c", "sac", "td3", "ddpg", "grpo", "dpo", "reinforce"):
        if family in named:
            return {"ddpg": "td3", "reinforce": "pg"}.get(family, family)
    if names & {"entropy_coef", "ent_coef", "ent_coef_loss"} and "actor_loss" in names | {"policy_loss"} & names:
        return "sac"
    if names & {"kl", "clip_fraction"} and names & {"policy_loss", "value_loss", "explained_variance"}:
        return "ppo"
    if names & {"frac_reward_zero_std", "completion_length"}:
        return "grpo"
    if names & {"rewards_margins", "rewards_chosen"}:
        return "dpo"
    if names & {"agreement", "d_loss", "dqn_reward", "q_max"} or view.setting("target_update"):
        return "dqn"
    if names & {"critic_loss", "td_error"} and names & {"actor_loss"}:
        return "td3"
    if "explained_variance" in names:
        return "a2c"
    if names & {"log_prob_mean", "log_prob_std", "advantage_mean"}:
        return "pg"
    if names & {"episode_return", "episode_length", "reward"}:
        return "rl"
    if names & {"tokens_per_second", "perplexity", "mfu"}:
        return "llm"
    if names & {"accuracy", "val_accuracy", "val_loss", "loss"}:
        return "supervised"
    return None
