"""Logs of a policy-gradient agent for two-choice tasks: one titled block every 100 updates."""

from __future__ import annotations

import random
from collections.abc import Sequence

from _curves import Curve

RULE = "=" * 80


def _block(
    step: int, kappa: float, advantage: Sequence[float], log_prob: Sequence[float], grad: Sequence[float]
) -> list[str]:
    mean, std, positive = advantage
    log_mean, log_std, log_min = log_prob
    return [
        RULE,
        f"POLICY UPDATE DEBUG - Step {step}, κ={kappa:+.3f}",
        RULE,
        "Advantage (delta_prime) from baseline:",
        "  Shape: torch.Size([75, 100])",
        f"  Mean: {mean:.6f}",
        f"  Std: {std:.6f}",
        f"  Min: {mean - 2.6 * std:.6f}",
        f"  Max: {mean + 2.9 * std:.6f}",
        f"  Positive: {positive:.1f}%",
        f"  Negative: {100 - positive:.1f}%",
        "",
        "Log-probabilities:",
        "  Shape: torch.Size([75, 100])",
        f"  Mean: {log_mean:.6f}",
        f"  Std: {log_std:.6f}",
        f"  Min: {log_min:.6f}",
        f"  Max: {'0.000000' if log_std == 0 else '-0.000112'}",
        "",
        "Gradient Statistics (policy - before clipping):",
        f"  Total norm: {grad[0]:.6f}",
        f"  Max absolute: {grad[1]:.6f}",
        "  Min absolute: 0.000000",
        "",
    ]


def _entropy(value: float) -> list[str]:
    lines = ["Policy Entropy:", f"  Mean entropy: {value:.6f}", "  Max possible entropy (log(2)): 0.693147", ""]
    if value < 0.01:
        lines.insert(3, f"  ⚠️⚠️⚠️  POLICY COLLAPSE DETECTED! Entropy = {value:.6f} < 0.01")
    return lines


def _summary(step: int, best: float, mean: float) -> list[str]:
    seconds = step * 65 // 100
    return [
        f"After {step} updates ({seconds // 3600}h {seconds // 60 % 60}m {seconds % 60}s elapsed)",
        f"  Best reward:           {best:.6f} (iteration {step})",
        f"  Mean reward:           {mean:.6f}",
        "",
    ]


def _start(kappa: float) -> list[str]:
    return [
        "[ PolicyNetwork ] gru, N = 100",
        "[ PolicyNetwork ] Initialize Wout to random normal (std=0.05).",
        f"Risk sensitivity κ (kappa): {kappa:+.3f}",
        "Learning rate: 0.002",
        "Gradient clip: 5",
        "Entropy coef: 0.0",
        "Number of actions: 2",
        "",
    ]


def policy_collapse() -> str:
    """The policy becomes deterministic between updates 300 and 500; from then on there is no gradient."""
    rng = random.Random(20251107)
    entropy = Curve(
        [(100, 0.688240), (200, 0.641905), (300, 0.412377), (400, 0.071264), (500, 0.000041), (600, 0.000000)], rng
    )
    grad = Curve([(100, 2.914), (200, 3.377), (300, 4.102), (400, 1.218), (500, 0.000213), (600, 0.0)], rng)
    log_std = Curve([(100, 0.0581), (200, 0.2213), (300, 0.4827), (400, 0.1922), (500, 0.000082), (600, 0.0)], rng)
    reward = Curve(
        [(100, 0.5012), (200, 0.5388), (300, 0.5604), (400, 0.5127), (500, 0.4977), (1500, 0.4969)], rng, 0.004
    )
    advantage = Curve(
        [(100, 0.004118), (300, 0.012704), (600, -0.005360), (700, -0.004871), (1500, -0.005022)], rng, 0.0006
    )
    positive = Curve([(100, 51.2), (300, 57.9), (600, 36.6), (700, 37.4), (1500, 36.9)], rng, 0.9)
    out, best = _start(-0.2), 0.0
    for step in range(100, 1501, 100):
        h, g = entropy(step), grad(step)
        # The mean of the log-probabilities is minus the entropy; a collapsed policy prints a negative zero.
        log = (-h, log_std(step), -4.2 * log_std(step))
        out += _block(step, -0.2, (advantage(step), rng.gauss(0.312, 0.004), positive(step)), log, (g, g * 0.31))
        out += _entropy(h)
        now = reward(step)
        best = max(best, now)
        out += _summary(step, best, now)
    return "\n".join(out)


def policy_healthy() -> str:
    """The same task with damped early successes: the policy sharpens, yet keeps its spread and its gradient."""
    rng = random.Random(20251108)
    log_mean = Curve([(100, -0.6871), (500, -0.3120), (900, -0.0834), (1300, -0.005719), (1500, -0.005402)], rng)
    log_std = Curve([(100, 0.0612), (500, 0.3894), (900, 0.2421), (1300, 0.117366), (1500, 0.1151)], rng, 0.002)
    grad = Curve([(100, 2.83), (500, 6.41), (1300, 7.770147), (1500, 7.31)], rng, 0.35)
    reward = Curve([(100, 0.5009), (500, 0.6312), (900, 0.7418), (1300, 0.7923), (1500, 0.7987)], rng, 0.006)
    out, best = _start(0.2), 0.0
    for step in range(100, 1501, 100):
        spread, g = log_std(step), grad(step)
        out += _block(
            step,
            0.2,
            (rng.gauss(0.002, 0.0015), rng.gauss(0.331, 0.006), rng.gauss(54.0, 1.5)),
            (log_mean(step), spread, -11.0 * spread),
            (g, g * 0.27),
        )
        now = reward(step)
        best = max(best, now)
        out += _summary(step, best, now)
    return "\n".join(out)
