"""Logs of other programs: boxed tables of an RL library, iteration lines of a language model, progress bars."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from _curves import Curve


def _boxed(groups: Mapping[str, Mapping[str, str]]) -> list[str]:
    keys = [f"{name}/" for name in groups] + [f"   {key}" for items in groups.values() for key in items]
    left = max(map(len, keys)) + 1
    right = max(len(v) for items in groups.values() for v in items.values()) + 1
    rule = "-" * (left + right + 5)
    lines = [rule]
    for name, items in groups.items():
        lines.append(f"| {name + '/':<{left}}| {'':<{right}}|")
        lines += [f"| {'   ' + key:<{left}}| {value:<{right}}|" for key, value in items.items()]
    return [*lines, rule]


def _g(value: float) -> str:
    return f"{value:.3g}"


def noisy_ppo() -> str:
    """PPO that learns with the noise that is usual for it: returns swing, losses spike, entropy falls slowly."""
    rng = random.Random(7)
    episode = Curve(
        [(2048, 21.4), (20_480, 71.0), (51_200, 171.0), (92_160, 302.0), (204_800, 418.0)], rng, 21.0, low=18.0
    )
    entropy = Curve([(4096, -0.690), (51_200, -0.584), (204_800, -0.462)], rng, 0.009)
    explained = Curve([(4096, 0.012), (30_720, 0.46), (92_160, 0.79), (204_800, 0.88)], rng, 0.07, high=0.97)
    kl = Curve([(4096, 0.0078), (204_800, 0.0064)], rng, 0.35, log=True)
    value_loss = Curve([(4096, 13.2), (40_960, 58.0), (204_800, 22.0)], rng, 0.45, log=True)
    out = ["Using cpu device", "Wrapping the env in a DummyVecEnv.", "Logging to runs/PPO_7"]
    for i in range(1, 101):
        step = i * 2048
        length = episode(step)
        groups = {
            "rollout": {"ep_len_mean": _g(length), "ep_rew_mean": _g(length)},
            "time": {
                "fps": str(round(rng.gauss(1910, 40))),
                "iterations": str(i),
                "time_elapsed": str(round(step / 1905)),
                "total_timesteps": str(step),
            },
        }
        if i > 1:
            v = value_loss(step)
            groups["train"] = {
                "approx_kl": f"{kl(step):.9f}",
                "clip_fraction": _g(abs(rng.gauss(0.071, 0.02))),
                "clip_range": "0.2",
                "entropy_loss": _g(entropy(step)),
                "explained_variance": _g(explained(step)),
                "learning_rate": "0.0003",
                "loss": _g(v / 2 - 0.01),
                "n_updates": str((i - 1) * 10),
                "policy_gradient_loss": _g(-abs(rng.gauss(0.008, 0.003))),
                "value_loss": _g(v),
            }
        out += _boxed(groups)
    return "\n".join([*out, ""])


def sac_growing_critic() -> str:
    """SAC whose critic loss grows sixfold because the returns grow: nothing is wrong with it."""
    rng = random.Random(11)
    episode = Curve([(800, -1271.0), (8_000, -1190.0), (24_000, -612.0), (40_000, -241.0), (80_000, -148.0)], rng, 14.0)
    critic = Curve([(1_600, 0.87), (24_000, 3.9), (80_000, 5.6)], rng, 0.22, log=True)
    actor = Curve([(1_600, 12.6), (24_000, 96.0), (80_000, 71.0)], rng, 3.0)
    alpha = Curve([(1_600, 0.82), (24_000, 0.21), (80_000, 0.11)], rng, 0.05, log=True)
    out = ["Using cpu device"]
    for i in range(1, 101):
        step = i * 800
        groups = {
            "rollout": {"ep_len_mean": "200", "ep_rew_mean": _g(episode(step))},
            "time": {
                "episodes": str(i * 4),
                "fps": str(round(rng.gauss(310, 5))),
                "time_elapsed": str(round(step / 310)),
                "total_timesteps": str(step),
            },
        }
        if i > 1:
            groups["train"] = {
                "actor_loss": _g(actor(step)),
                "critic_loss": _g(critic(step)),
                "ent_coef": _g(alpha(step)),
                "ent_coef_loss": _g(rng.gauss(-0.2, 0.4)),
                "learning_rate": "0.0003",
                "n_updates": str(step - 801),
            }
        out += _boxed(groups)
    return "\n".join([*out, ""])


def healthy_language_model() -> str:
    """A small language model with warm-up and cosine decay; validation follows training closely."""
    rng = random.Random(3)
    out = ["tokens per iteration will be: 16,384", "number of parameters: 10.65M"]
    for step in range(0, 5_001, 10):
        warm = min(1.0, (step + 1) / 100)
        rate = 1e-3 * warm if step < 100 else 1e-4 + 0.5 * 9e-4 * (1 + math.cos(math.pi * (step - 100) / 4_900))
        loss = 1.22 + 2.95 * math.exp(-step / 420) + 0.42 * math.exp(-step / 2_400)
        if step % 250 == 0:
            val = loss + 0.03 + 0.09 * step / 5_000 + rng.gauss(0, 0.006)
            out.append(f"step {step}: train loss {loss:.4f}, val loss {val:.4f}")
        out.append(
            f"iter {step}: loss {loss + rng.gauss(0, 0.025):.4f}, time {rng.gauss(31.2, 0.6):.2f}ms, "
            f"lr {rate:.4e}, norm {abs(rng.gauss(0.62, 0.09)):.4f}"
        )
    return "\n".join([*out, ""])


def overfitting_classifier() -> str:
    """A classifier on few images: training loss goes on falling, validation loss turns at epoch 14."""
    rng = random.Random(5)
    val = Curve([(1, 1.612), (8, 0.702), (14, 0.611), (30, 0.842), (60, 1.394)], rng, 0.012)
    accuracy = Curve([(1, 0.431), (14, 0.804), (60, 0.787)], rng, 0.004)
    out = []
    for epoch in range(1, 61):
        loss = 0.02 + 1.7 * math.exp(-epoch / 9.5) + rng.gauss(0, 0.004)
        out += [
            f"Epoch {epoch}/60",
            f"63/63 ━━━━━━━━━━━━━━━━━━━━ 1s {round(rng.gauss(14, 0.6))}ms/step "
            f"- accuracy: {1 - 0.62 * math.exp(-epoch / 8):.4f} - loss: {max(loss, 0.004):.4f} "
            f"- val_accuracy: {accuracy(epoch):.4f} - val_loss: {val(epoch):.4f}",
        ]
    return "\n".join([*out, ""])
