"""Which algorithm family a run belongs to, from its metric names and settings.

The family decides which norms of hyperparameters apply and which noise is normal. Each test asks for metrics or
settings that only that family prints; none looks at values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logdoctor.view import RunView

# What a log or a configuration may call its algorithm -> family. Longer names first, so that "grpo" is not "ppo".
ALGORITHMS: tuple[tuple[str, str], ...] = (
    (r"grpo|rloo|dapo|gspo", "grpo"),
    (r"\bdpo\b|\borpo\b|\bkto\b|\bsimpo\b", "dpo"),
    (r"\bppo\d?\b|\btrpo\b|\bimpala\b", "ppo"),
    (r"\ba2c\b|\ba3c\b", "a2c"),
    (r"\bsac\b|soft.?actor", "sac"),
    (r"\btd3\b|\bddpg\b|\btqc\b|\bd4pg\b", "td3"),
    (r"dqn\b|rainbow|q.?learning|\bc51\b|\bqrdqn\b", "dqn"),
    (r"reinforce|policy.?gradient|\bvpg\b", "pg"),
)
RL = frozenset({"dqn", "ppo", "a2c", "sac", "td3", "pg", "grpo", "rl"})

# (family, groups): the family of the first row of which every group has at least one metric in the log.
METRICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("grpo", ("frac_reward_zero_std completion_length completions_mean_length",)),
    ("dpo", ("reward_margin rewards_margins rewards_chosen rewards_rejected",)),
    ("sac", ("ent_coef ent_coef_loss alpha_loss", "actor_loss policy_loss critic_loss")),
    ("ppo", ("clip_fraction",)),
    ("ppo", ("kl", "policy_loss value_loss explained_variance")),
    ("llm", ("tokens_per_second perplexity val_perplexity mfu", "loss val_loss")),
    ("td3", ("actor_loss", "critic_loss td_error q_value")),
    ("dqn", ("agreement spin_agreement dqn_reward dqn_reward_1m dqn_reward_5m q_max q_min q_value epsilon target_q",)),
    ("a2c", ("explained_variance",)),
    ("a2c", ("entropy entropy_loss", "value_loss")),
    ("pg", ("log_prob_mean log_prob_std advantage_mean advantage_std",)),
    ("rl", ("episode_return eval_return episode_length eval_episode_length reward td_error",)),
    ("llm", ("tokens_per_second perplexity val_perplexity mfu loss_scale",)),
    ("supervised", ("accuracy val_accuracy val_loss loss error val_error val_quality",)),
)


def family_of(view: RunView) -> str | None:
    """Return the family's short name, or None when nothing in the log tells."""
    named = str(view.value("algorithm", "algo", "agent", "trainer") or "").lower()
    for pattern, family in ALGORITHMS:
        if named and re.search(pattern, named):
            return family
    names = {name for name in view.names if view.get(name) is not None}
    for family, groups in METRICS:
        if all(names & set(group.split()) for group in groups):
            return "dqn" if family == "td3" and "epsilon" in names else family
    return "dqn" if view.setting("target_update") else None
