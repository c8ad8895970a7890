"""Log of a TD3 driving agent with a convolutional front end: titled blocks every 100 steps between progress lines."""

from __future__ import annotations

import random

from _curves import Curve

FIRST_LEARNING = 1_100  # first block after 1,000 steps of random actions
LAST = 5_000


def _progress(step: int, episode: int, reward: float, speed: float) -> list[str]:
    phase = "LEARNING" if step >= FIRST_LEARNING else "EXPLORATION"
    return [
        f"[{phase}] Processing step {step:>6}/5,000...",
        f"[{phase}] Step {step:>6}/5,000 | Episode {episode:>4} | Ep Step {1 + step % 17:>4} | Reward={reward:>+7.2f} "
        f"| Speed={speed:>5.1f} km/h | Buffer={step:>7}/1000000",
    ]


def _features(step: int, norm: float, mean: float, std: float) -> list[str]:
    return [
        "",
        f"[DEBUG][Step {step}] CNN Feature Stats:",
        f"  L2 Norm: {norm:.3f}",
        f"  Mean: {mean:.3f}, Std: {std:.3f}",
        f"  Range: [{mean - 1.355 * std:.3f}, {mean + 1.303 * std:.3f}]",
        "",
    ]


def feature_explosion() -> str:
    """Features of the convolutional network grow to 7.36e12; actor loss and reward follow. Clipping works."""
    rng = random.Random(20251121)
    norm = Curve(
        [(100, 15.747), (1000, 15.912), (1500, 412.0), (2500, 4.1e6), (4000, 2.6e10), (LAST, 7_363_360_194_560.0)],
        rng,
        0.03,
        log=True,
    )
    mean = Curve([(100, 0.398), (1000, 0.402), (1500, 8.4), (LAST, 14_314_894_336.0)], rng, 0.03, log=True)
    std = Curve([(100, 0.571), (1000, 0.580), (1500, 18.1), (LAST, 325_102_632_960.0)], rng, 0.03, log=True)
    critic = Curve(
        [(FIRST_LEARNING, 41.0), (2500, 640.0), (3700, 7500.0), (3800, 310.0), (LAST, 890.0)],
        rng,
        0.75,
        log=True,
        high=7500.0,
    )
    actor = Curve([(FIRST_LEARNING, 96.0), (2500, 2.4e6), (LAST, 3.21e12)], rng, 0.05, log=True)
    td_error = Curve([(FIRST_LEARNING, 9.7), (LAST, 9.7)], rng, 0.25)
    cnn_grad = Curve([(FIRST_LEARNING, 0.91), (LAST, 0.98)], rng, 0.03, high=1.0)
    critic_grad = Curve([(FIRST_LEARNING, 8.9), (LAST, 9.6)], rng, 0.4, high=10.0)
    episode = Curve([(10, 973.88), (60, 905.0), (120, 610.0), (180, 240.0), (240, 60.19)], rng, 38.0)
    out = [
        "=" * 70,
        "TD3 TRAINING PIPELINE - DRIVING AGENT",
        "=" * 70,
        "",
        "TD3Agent initialized with:",
        "  State dim: 535, Action dim: 2",
        "  Actor hidden size: [256, 256]",
        "  Discount γ: 0.99, Tau τ: 0.005",
        "  Policy freq: 2, Policy noise: 0.2",
        "  Exploration noise: 0.1",
        "  Buffer size: 1000000, Batch size: 256",
        "  Actor CNN optimizer initialized with lr=0.0001",
        "  Critic CNN optimizer initialized with lr=0.0001",
        "[INIT] Max timesteps: 5,000",
        "[INIT] Seed: 42",
        "",
    ]
    episodes = {round(n * LAST / 249 / 100) * 100: n for n in range(10, 250, 10)}
    for step in range(100, LAST + 1, 100):
        out += _progress(step, round(step * 249 / LAST), rng.gauss(8, 3), abs(rng.gauss(6, 2)))
        out += _features(step, norm(step), mean(step), std(step))
        if step >= FIRST_LEARNING:
            error = td_error(step)
            out += [
                f"   TRAINING STEP {step} - CRITIC UPDATE:",
                f"   Critic loss: {critic(step):.4f}",
                f"   TD error Q1: {error:.4f}",
                f"   TD error Q2: {error + rng.gauss(0, 0.05):.4f}",
                f"   TRAINING STEP {step} - ACTOR UPDATE (delayed, freq=2):",
                f"   Actor loss: {-actor(step):.4f}",
                f"   TRAINING STEP {step} - GRADIENTS (AFTER CLIPPING):",
                f"   Critic CNN grad norm: {critic_grad(step):.4f}",
                f"   Actor CNN grad norm: {cnn_grad(step):.4f}",
                "   Actor MLP grad norm: 0.0000",
                "",
            ]
        if step in episodes:
            n = episodes[step]
            average = episode(n)
            out.append(
                f"[TRAIN] Episode {n:>4} | Timestep {step:>7} | Reward {average + rng.gauss(0, 45):>8.2f} "
                f"| Avg Reward (10ep) {average:>8.2f} | Collisions  0"
            )
    return "\n".join([*out, "", "[TRAINING] Training complete!", ""])
