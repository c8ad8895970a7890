"""Logs in the layouts of the five reports the project began with, each passing through the figures that they quote.

Between the quoted points the values are interpolated and wobble a little (fixed seeds), so that nothing but the quoted
figures is shared with the sample logs.
"""

# ruff: noqa: E501 - printed rows are as long as they are

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

L33 = [
    "Frame", "FPS", "FAFO", "Xprt", "Rwrd", "Subj", "Obj", "DQN", "DQN1M", "DQN5M", "DQNSlope", "Loss", "DLoss", "CLoss", "Agree%", "SpinAgr%", "AvgEpLen", "Train%", "Clnt", "Levl", "AvgInf", "Samp/s", "Steps/s", "GradNorm", "ClipΔ", "Q-Range", "Stats",
]  # fmt: skip
L27 = [
    "Frame", "FPS", "Epsi", "Xprt", "Rwrd", "RwdSlope", "Subj", "Obj", "DQN", "DQN1M", "DQN5M", "DQNSlope", "Loss", "Clnt", "Levl", "AvgInf", "Samp/s", "Steps/s", "GradNorm", "ClipΔ", "Q-Value Range", "Training Stats",
]  # fmt: skip


def through(pins: Mapping[float, float], at: Sequence[float], wobble: float, seed: int) -> np.ndarray:
    """Return values at the places ``at`` that pass exactly through ``pins`` and wobble relatively between them."""
    places = np.asarray(at, dtype=float)
    known = np.array(sorted(pins))
    value = np.interp(places, known, [pins[k] for k in known])
    noise = np.random.default_rng(seed).standard_normal(places.size) * wobble
    noise[np.isin(places, known)] = 0.0
    return value * (1 + noise)


def columns(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned table: header, rule, right-aligned rows."""
    width = [max(len(t), *(len(r[i]) for r in rows)) for i, t in enumerate(titles)]
    lines = [" ".join(t.rjust(w) for t, w in zip(titles, width, strict=True))]
    lines.append("-" * len(lines[0]))
    lines += [" ".join(c.rjust(w) for c, w in zip(r, width, strict=True)) for r in rows]
    return "\n".join(lines) + "\n"


def zero_init_head() -> str:
    """Seed 000: layout L33, GradNorm never recorded, one head that does not learn."""
    frames = sorted({0, 36_000, 79_000, 165_000, 553_000, 1_023_000, *range(100_000, 1_023_000, 33_000)})
    late = [f for f in frames if f]
    d = dict(
        zip(
            late,
            through({36e3: 0.00722, 79e3: 0.01572, 165e3: 0.01385, 553e3: 0.01837, 1023e3: 0.01926}, late, 0.02, 1),
            strict=True,
        )
    )
    c = dict(zip(late, through({36e3: 0.01889, 1023e3: 0.01443}, late, 0.01, 2), strict=True))
    agree = dict(zip(late, through({36e3: 38.7, 165e3: 45.1, 553e3: 42.0, 1023e3: 40.2}, late, 0.01, 3), strict=True))
    spin = dict(zip(late, through({36e3: 60.4, 1023e3: 65.8}, late, 0.004, 4), strict=True))
    low = dict(zip(late, through({36e3: 0.0, 165e3: 0.4, 1023e3: -0.2}, late, 0.0, 5), strict=True))
    high = dict(zip(late, through({36e3: 1.4, 165e3: 2.5, 1023e3: 2.3}, late, 0.02, 6), strict=True))
    rows = []
    for f in frames:
        if not f:
            rows.append(["0", "0.0", "0.05", "50.0%", *["0.00"] * 6, "0.000", "0.000000", "0.00000", "0.00000", "0.0%", "0.0%", "0.0", "0.0",
                         "0004", "1.0", "0.00", "0", "0.0", "0.000", "1.000", "[0.0,0.0]", "0k/0/0%/0%"])  # fmt: skip
            continue
        rows.append([f"{f:,}", "1390.2", "0.05", "50.0%", "5.80", "1.06", "5.80", "2.70", "2.60", "2.60", "0.000", f"{d[f] + c[f]:.6f}", f"{d[f]:.5f}",
                     f"{c[f]:.5f}", f"{agree[f]:.1f}%", f"{spin[f]:.1f}%", "835.0", "15.6", "0004", "4.6", "0.80", "512000", "250.0", "0.000", "1.000",
                     f"[{low[f]:.1f},{high[f]:.1f}]", f"{f // 1000}k/{f // 6}/2%/2%"])  # fmt: skip
    banner = "TEMPEST AI - NETWORK CONFIGURATION\n   Learning Rate:     0.000250\n   Batch Size:        2,048\n   Discrete Actions:  4\n"
    return banner + "   Gradient Clip:     10.0 (max norm)\n\n" + columns(L33, rows)


def q_divergence() -> str:
    """Seed 001: layout L27, expert ratio at its floor, Q explodes and collapses, loss and slope fall."""
    frames = sorted({*range(16_000_000, 20_700_000, 100_000)})
    q = through({16e6: 285, 17.7e6: 324.56, 18.6e6: 480, 19.4e6: 1024.10, 19.6e6: 1308.56, 19.9e6: 1779.30, 20.4e6: 1999.62, 20.5e6: 1200, 20.6e6: 15.95}, frames, 0.015, 11)  # fmt: skip
    low = through(
        {16e6: 0.2, 17.7e6: 0.15, 19.4e6: -12.91, 19.6e6: -6.48, 19.9e6: -12.89, 20.4e6: -1.55, 20.6e6: -3.37},
        frames,
        0.0,
        12,
    )
    slope = through({16e6: 0.95, 17.7e6: 1.131, 20e6: -0.190, 20.6e6: -0.35}, frames, 0.02, 13)
    loss = through({16e6: 0.49, 17.7e6: 0.465, 20e6: 0.367, 20.6e6: 0.36}, frames, 0.01, 14)
    norm = np.clip(np.abs(through({16e6: 5.6, 20.6e6: 5.6}, frames, 0.2, 15)), 4.8, 8.6)
    norm[10], norm[37] = 4.764, 8.787
    ratio = np.minimum(1.0, 5.0 / norm)
    noise = [(-49.168, 50.312, -40.618, 48.981)[i % 4] for i in range(len(frames))]
    expert = np.maximum(5.0, np.interp(frames, [16e6, 17e6], [12, 5]))
    rows = [
        [f"{f:,}", "1680.0", "0.05", f"{expert[i]:.1f}%", "43.10", f"{noise[i]:.3f}", "6.00", "37.10", f"{41 - 0.8 * (f > 19e6):.2f}", "41.00", "39.80",
         f"{slope[i]:.3f}", f"{loss[i]:.6f}", "0032", "5.4", "3.10", "780000", "48.0", f"{norm[i]:.3f}", f"{ratio[i]:.3f}",
         f"[{low[i]:.2f}, {q[i]:.2f}]", f"4000k/{400000 + 2900 * i}/28.5/0k"]
        for i, f in enumerate(frames)
    ]  # fmt: skip
    return columns(L27, rows)


def loss_explosion() -> str:
    """Seed 002: rows with Loss and agreement blocks; learning, drift, collapse, explosion; no clipping."""
    steps = list(range(100, 5500, 100))
    agree = through({100: 24, 900: 40, 1700: 84, 2200: 90, 2800: 87, 2900: 79, 3300: 76, 3400: 50, 3900: 31, 4500: 10, 5000: 44, 5100: 42, 5200: 78, 5300: 45, 5400: 76.8}, steps, 0.004, 21)  # fmt: skip
    loss = through(
        {100: 0.2, 1700: 0.10, 2900: 0.10, 3300: 0.12, 5000: 0.126, 5100: 5193.607, 5200: 900, 5400: 300},
        steps,
        0.01,
        22,
    )
    high = through({100: 2, 1700: 12, 5000: 20, 5100: 5193.607, 5400: 150}, steps, 0.02, 23)
    text = ["Learning rate: 0.00025", "Batch size: 4096"]
    for i, step in enumerate(steps):
        share = np.array([0.0, 0.25, 0.70, 0.05]) if step < 1700 else np.array([0.0, 0.065, 0.935, 0.0])
        if 2900 <= step < 3400:
            share = np.array([0.0, 0.30, 0.68, 0.02])
        elif step >= 3400:
            share = np.array([0.0, 0.03, 0.05, 0.92])
        count = np.floor(share * 1014).astype(int)
        count[int(np.argmax(count))] += 1014 - count.sum()
        text += [
            f"[AGREE DEBUG] Step {step}:", f"  n_dqn=1014, agree_pct={agree[i]:.1f}%", "  First 10 greedy: [2 2 2 2 1 2 2 2 2 2]",
            "  First 10 replay: [2 2 2 2 2 2 2 2 2 2]", "  Greedy dist: [" + " ".join(f"{c:3d}" for c in count) + "]", "  Replay dist: [182   1 829   2]",
            f"[TRAIN] Step {step} | Loss {loss[i]:.6f} | GradNorm {min(9e4, 20 * loss[i]):.3f} | Qmin {1.56 if step == 5100 else 0.9:.2f} | Qmax {high[i]:.3f}",
        ]  # fmt: skip
    return "\n".join(text) + "\n"


def feature_explosion() -> str:
    """Seed 003: titled blocks, features and actor loss explode, critic unstable, TD error flat, reward falls by 913."""
    steps = list(range(100, 5001, 100))
    grow = np.linspace(0, 1, len(steps))
    norm, mean, std = (
        a ** (1 - grow) * b**grow
        for a, b in ((15.7, 7_363_360_194_560.0), (0.4, 14_314_894_336.0), (0.57, 325_102_632_960.0))
    )
    rng = np.random.default_rng(31)
    critic = np.abs(rng.standard_normal(len(steps))) * 200 + 60
    critic[::9] = 4000.0
    critic[40] = 7500.0
    reward = np.linspace(973.88, 60.19, len(steps))
    text = ["  Discount γ: 0.99, Tau τ: 0.005", "  Policy freq: 2, Policy noise: 0.2", ""]
    for i, step in enumerate(steps):
        text += [
            f"Step {step} CNN Feature Stats:", f"   L2 Norm: {norm[i]:,.3f}", f"   Mean:    {mean[i]:,.3f}", f"   Std:     {std[i]:,.3f}", "",
            f"Step {step} Training Metrics:", f"   Critic Loss: {critic[i]:.4f}", f"   Actor Loss: {-1000.0 * 10 ** (9.5 * grow[i]):.4f}",
            f"   TD Error: {9.7 + 0.05 * rng.standard_normal():.4f}", f"   Critic Grad Norm: {9.0 + 0.3 * rng.standard_normal():.4f}",
            "   Actor MLP Grad Norm: 0.0000", f"   Episode Reward: {reward[i]:.2f}", "",
        ]  # fmt: skip
    return "\n".join(text) + "\n"


def policy_collapse() -> str:
    """Seed 004: pyrl blocks, log-probabilities and gradient zero from step 600 on, advantages not."""
    text: list[str] = []
    for step in range(100, 1501, 100):
        dead = step >= 600
        mean, std, norm, entropy = (
            (-0.0, 0.0, 0.0, 0.0)
            if dead
            else (-0.4 + step * 0.0006, 0.45 - step * 0.0007, 7.770147 - step * 0.01, 0.69 - step * 0.0012)
        )
        text += [
            "=" * 80, f"POLICY UPDATE DEBUG - Step {step}, κ=-0.200", "=" * 80, "Advantage (delta_prime) from baseline:",
            f"  Mean: {-0.005360 if step == 600 else -0.006 + step * 1e-6:.6f}", "  Std: 0.309142", f"  Positive: {36.6 if step == 600 else 37.1}%",
            f"  Negative: {63.4 if step == 600 else 62.9}%", "", "Log-probabilities:", f"  Mean: {mean:.6f}", f"  Std: {std:.6f}", "", "Policy Entropy:",
            f"  Mean entropy: {entropy:.6f}", "  Max possible entropy (log(2)): 0.693147", "", "Gradient Statistics (policy - before clipping):",
            f"  Total norm: {norm:.6f}", "", f"Mean reward: {0.52 - 0.00001 * step:.4f}", "",
        ]  # fmt: skip
    return "\n".join(text) + "\n"
