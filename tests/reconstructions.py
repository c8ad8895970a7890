"""Logs that pass through the figures of the five seed reports, printed as their programs print them.

Fixed column widths that values may overflow, a header every thirty rows, blocks between the rows; only the quoted rows,
some sixty or some four hundred; with the settings in the banner, in a file beside the log, or nowhere. Written apart
from ``seed_logs``, so that what holds for both does not hang on one way of filling the gaps.
"""

# ruff: noqa: E501 - printed rows are as long as they are
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Layout = list[tuple[str, int]]


def cols(spec: str) -> Layout:
    """Read ``title:width`` pairs."""
    return [(p.rsplit(":", 1)[0].strip(), int(p.rsplit(":", 1)[1])) for p in spec.split(",")]


L27 = cols(
    "Frame:11,FPS:6,Epsi:6,Xprt:6,Rwrd:6,RwdSlope:9,Subj:6,Obj:6,DQN:6,DQN1M:6,DQN5M:6,DQNSlope:9,Loss:10,Clnt:4,Levl:5,AvgInf:7,Samp/s:8,Steps/s:8,GradNorm:8,ClipΔ:6,Q-Value Range:14,Training Stats:15"
)
L31 = cols(
    "Frame:11,FPS:6,FAFO:6,Xprt:7,Rwrd:7,Subj:7,Obj:7,DQN:7,DQN1M:6,DQN5M:6,DQNSlope:9,Loss:10,DLoss:8,CLoss:8,BCLoss:8,Agree%:7,SpinAgr%:8,Done%:6,Train%:6,Clnt:4,Levl:5,AvgInf:7,Samp/s:9,Steps/s:8,GradNorm:8,ClipΔ:6,Q-Value Range:15,TgtAge:7,Training Stats:15"
)
L33 = cols(
    "Frame:11,FPS:6,FAFO:6,Xprt:7,Rwrd:7,Subj:7,Obj:7,DQN:7,DQN1M:6,DQN5M:6,DQNSlope:9,Loss:10,DLoss:8,CLoss:8,Agree%:7,SpinAgr%:9,AvgEpLen:8,Train%:6,Clnt:4,Levl:5,AvgInf:7,Samp/s:9,Steps/s:8,GradNorm:8,ClipΔ:6,Q-Range:12,Stats:18"
)


def header(layout: Layout) -> list[str]:
    """Return the titles, right-aligned, and the rule below them."""
    h = " ".join(f"{t:>{w}}" for t, w in layout)
    return [h, "-" * len(h)]


def line(layout: Layout, cells: Sequence[str]) -> str:
    """Return one row; a value that is wider than its column pushes the others to the right."""
    assert len(cells) == len(layout), (len(cells), len(layout))
    return " ".join(f"{c:>{w}}" for c, (_, w) in zip(cells, layout, strict=False))


def curve(
    pins: Mapping[int, float], at: Sequence[int], noise: float, rng: np.random.Generator, log: bool = False
) -> np.ndarray:
    """Return values that pass exactly through ``pins`` and scatter relatively between them."""
    x = np.array(sorted(pins), float)
    y = np.array([pins[k] for k in sorted(pins)], float)
    at = np.asarray(at, float)
    v = np.exp(np.interp(at, x, np.log(y))) if log else np.interp(at, x, y)
    n = rng.standard_normal(at.size) * noise
    n[np.isin(at, x)] = 0
    return v * (1 + n)


def table(layout: Layout, rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows with a header before every thirty."""
    out = []
    for i, r in enumerate(rows):
        if i % 30 == 0:
            out += header(layout)
        out.append(line(layout, r))
    return out


def grid(pins: Sequence[int], n: int | None, lo: int, hi: int) -> list[int]:
    """Return the frames: only the pins, or ``n`` more between ``lo`` and ``hi``."""
    if n is None:
        return sorted(pins)
    extra = np.linspace(lo, hi, n)
    extra = np.unique((extra // 8 * 8).astype(int))
    return sorted(set(pins) | {int(e) for e in extra})


def banner(
    lr="0.000150",
    batch="2,048",
    gamma="0.99",
    clip="10.0",
    nstep="3-step",
    td="100.0",
    expert="50%",
    weights="Discrete=10.0, Continuous=1.0",
    target="Every 1000 steps",
) -> list[str]:
    """Return the banner with the settings of the run."""
    return f"""
====================================================================================================
                                 TEMPEST AI - NETWORK CONFIGURATION
====================================================================================================

📐 NETWORK ARCHITECTURE:
   State Size:        171
   Discrete Actions:  4 (FIRE/ZAP combinations)
   Continuous Output: 1 (Spinner: -0.9 to +0.9)

   Discrete Head:     128 → 64 → 4
   Continuous Head:   128 → 64 → 32 → 1

⚙️  TRAINING HYPERPARAMETERS:
   Learning Rate:     {lr}
   Batch Size:        {batch}
   Gamma (γ):         {gamma}
   Epsilon (ε):       0.05 → 0.05 (exploration)
   Memory Size:       2,000,000 transitions
   Target Update:     {target}

⚖️  LOSS CONFIGURATION:
   Discrete Loss:     TD (Huber)
   Continuous Loss:   MSE with advantage weighting
   Loss Weights:      {weights}
   Max Q-Value Clip:  None
   TD Target Clip:    {td}

🎓 EXPERT GUIDANCE:
   Expert Ratio:      {expert}
   Superzap Gate:     Disabled

🚀 OPTIMIZATION:
   Gradient Clip:     {clip} (max norm)
   N-Step Returns:    {nstep}
   Training Workers:  4

====================================================================================================
⚠ No existing model found, starting fresh
SocketServer listening on 0.0.0.0:9999
Starting stats reporter thread...""".splitlines()


# ---------- seed 000
def lame_head(n: int | None, with_banner: bool, seed: int = 5) -> list[str]:
    """Report 000: a head that starts at zero and does not learn beside one that does."""
    rng = np.random.default_rng(seed)
    pins = [0, 36_128, 79_440, 165_208, 553_016, 1_023_496]
    at = grid(pins, n, 20_000, 1_023_000)
    d = curve(
        {pins[0]: 0.006, pins[1]: 0.00722, pins[2]: 0.01572, pins[3]: 0.01385, pins[4]: 0.01837, pins[5]: 0.01926},
        at,
        0.05,
        rng,
    )
    c = curve({pins[0]: 0.022, pins[1]: 0.01889, pins[5]: 0.01443}, at, 0.02, rng)
    ag = curve({pins[0]: 26, pins[1]: 38.7, pins[3]: 45.1, pins[4]: 41.5, pins[5]: 40.2}, at, 0.02, rng)
    sp = curve({pins[0]: 52, pins[1]: 60.4, pins[5]: 65.8}, at, 0.01, rng)
    lo = curve({pins[0]: 0, pins[1]: 0, pins[3]: 0.4, pins[5]: -0.2}, at, 0.0, rng)
    hi = curve({pins[0]: 0, pins[1]: 1.4, pins[3]: 2.5, pins[5]: 2.3}, at, 0.04, rng)
    rows = []
    for i, x in enumerate(at):
        if x == 0:
            rows.append(
                [
                    "0",
                    "0.0",
                    "0.05",
                    "50.0%",
                    "0.00",
                    "0.00",
                    "0.00",
                    "0.00",
                    "0.00",
                    "0.00",
                    "0.000",
                    "0.000000",
                    "0.00000",
                    "0.00000",
                    "0.0%",
                    "0.0%",
                    "0.0",
                    "0.0",
                    "0004",
                    "1.0",
                    "0.00",
                    "0",
                    "0.0",
                    "0.000",
                    "1.000",
                    "[0.0,0.0]",
                    "0k/0/0%/0%",
                ]
            )
            continue
        st = 250 + rng.normal() * 6
        rw = 5.6 + 0.1 * rng.normal()
        dq = 2.7 + 0.15 * rng.normal()
        rows.append(
            [
                f"{x:,}",
                f"{1400 + 20 * rng.normal():.1f}",
                "0.05",
                "50.0%",
                f"{rw:.2f}",
                "1.05",
                f"{rw:.2f}",
                f"{dq:.2f}",
                "2.65",
                "2.62",
                "0.000",
                f"{d[i] * 10 + c[i]:.6f}",
                f"{d[i]:.5f}",
                f"{c[i]:.5f}",
                f"{ag[i]:.1f}%",
                f"{sp[i]:.1f}%",
                f"{830 + 10 * rng.normal():.1f}",
                "15.6",
                "0005",
                "4.6",
                "0.80",
                f"{st * 2048:.0f}",
                f"{st:.1f}",
                "0.000",
                "1.000",
                f"[{lo[i]:.1f},{hi[i]:.1f}]",
                f"{x // 1000}k/{int(x / 5.6)}/2%/4%",
            ]
        )
    head = banner() if with_banner else []
    return head + table(L33, rows)


CONF0 = """training:
  lr: 0.00015
  batch_size: 2048
  gamma: 0.99
  epsilon: 0.05
  discrete_loss_weight: 10.0
  continuous_loss_weight: 1.0
  max_grad_norm: 10.0
  num_discrete_actions: 4
  memory_size: 2000000
"""


# ---------- seed 001
def diverging_values(n: int | None, start: str = "expert", seed: int = 6) -> list[str]:
    """Report 001: Q values that explode after the expert has gone, and collapse."""
    rng = np.random.default_rng(seed)
    q = [17_702_448, 19_400_112, 19_601_904, 19_902_336, 20_403_120, 20_604_480]
    pins = sorted([*q, 20_004_208])
    lo0 = 17_702_448
    if start == "expert":
        pins = sorted([*pins, 1_000_208, 9_000_416, 16_902_000])
        lo0 = 1_000_000
    at = grid(pins, n, lo0, 20_600_000)
    early = {1_000_208: 12.0, 9_000_416: 120.0, 16_902_000: 290.0} if start == "expert" else {}
    hi = curve(
        {**early, **dict(zip(q, [324.56, 1024.10, 1308.56, 1779.30, 1999.62, 15.95], strict=False))},
        at,
        0.02,
        rng,
        log=True,
    )
    lo = curve(
        {**dict.fromkeys(early, 0.1), **dict(zip(q, [0.15, -12.91, -6.48, -12.89, -1.55, -3.37], strict=False))},
        at,
        0.05,
        rng,
    )
    es = {1_000_208: 0.4, 9_000_416: 1.2, 16_902_000: 1.1} if start == "expert" else {}
    sl = curve({**es, q[0]: 1.131, 20_004_208: -0.190, q[-1]: -0.19}, at, 0.04, rng)
    el = {1_000_208: 0.9, 9_000_416: 0.55, 16_902_000: 0.48} if start == "expert" else {}
    ls = curve({**el, q[0]: 0.465, 20_004_208: 0.367, q[-1]: 0.367}, at, 0.015, rng)
    ed = {1_000_208: 8.0, 9_000_416: 25.0, 16_902_000: 38.5} if start == "expert" else {}
    d5 = curve({**ed, q[0]: 39.6, 19_400_112: 40.4, 20_004_208: 40.3, q[-1]: 40.1}, at, 0.0, rng)
    ex = curve({0: 95.0, 16_902_000: 10.0, 17_000_000: 5.0, 20_700_000: 5.0}, at, 0, rng)
    ex = np.where(np.asarray(at) >= 17_000_000, 5.0, np.maximum(ex, 5))
    gn = np.clip(6.2 + 1.1 * rng.standard_normal(len(at)), 4.80, 8.70)
    i1, i2 = at.index(19_400_112), at.index(20_403_120)
    gn[i1], gn[i2] = 4.764, 8.787
    clip = np.minimum(1, 5.0 / gn)
    rs = 50 * rng.uniform(-1, 1, len(at))
    for k, v in zip([19_400_112, 19_601_904, 19_902_336, 20_004_208], [-49.168, 50.312, -40.618, 48.981], strict=False):
        rs[at.index(k)] = v
    rows = []
    for i, x in enumerate(at):
        st = 48 + 0.8 * rng.normal()
        dq = d5[i] + 2 * rng.normal()
        rows.append(
            [
                f"{x:,}",
                f"{1650 + 30 * rng.normal():.1f}",
                "0.05" if x > 5e6 else "0.20",
                f"{ex[i]:.1f}%",
                f"{dq + 6:.2f}",
                f"{rs[i]:.3f}",
                "5.91",
                f"{dq:.2f}",
                f"{dq:.2f}",
                f"{d5[i] + 0.3:.2f}",
                f"{d5[i]:.2f}",
                f"{sl[i]:.3f}",
                f"{ls[i]:.6f}",
                "0032",
                "6.1",
                "2.94",
                f"{st * 16384:.0f}",
                f"{st:.1f}",
                f"{gn[i]:.3f}",
                f"{clip[i]:.3f}",
                f"[{lo[i]:.2f}, {hi[i]:.2f}]",
                f"4000k/{int(x * 0.0285)}/28.5/{(x // 1000) % 25}k",
            ]
        )
    return table(L27, rows)


CONF1 = '''"""Settings."""
from dataclasses import dataclass


@dataclass
class RLConfigData:
    state_size: int = 175
    batch_size: int = 16384
    lr: float = 0.003               # Very high
    gamma: float = 0.995
    n_step: int = 8
    epsilon_start: float = 1.0
    epsilon_min: float = 0.05
    expert_ratio_start: float = 0.95
    expert_ratio_min: float = 0.05
    memory_size: int = 4000000
    tau: float = 0.012
    use_soft_target: bool = True
    gradient_accumulation_steps: int = 1
    training_steps_per_sample: int = 8
    max_grad_norm: float = 5.0
    clamp_targets: bool = False
    target_clamp_value: float = 50.0
    hard_target_refresh_every_steps: int = 25000


RL_CONFIG = RLConfigData()
'''
CONF1Y = """lr: 0.003
tau: 0.012
use_soft_target: true
n_step: 8
gamma: 0.995
batch_size: 16384
gradient_accumulation_steps: 1
training_steps_per_sample: 8
max_grad_norm: 5.0
clamp_targets: false
expert_ratio_start: 0.95
expert_ratio_min: 0.10
hard_target_refresh_every_steps: 25000
"""


# ---------- seed 002
def exploding_loss(n: int | None, rows_too: bool, with_banner: bool, seed: int = 7) -> list[str]:
    """Report 002: agreement drifts and collapses under a flat loss, then the loss explodes."""
    rng = np.random.default_rng(seed)
    if n is None:
        steps = [1700, 2200, 2800, 2900, 3100, 3300, 3400, 3900, 4500, 5000, 5100, 5400]
    elif n <= 100:
        steps = list(range(100, 5500, 100))
    else:
        steps = list(range(20, 5500, 20))
        steps = list(steps)
    agp = {
        20: 24.5,
        100: 25,
        1000: 30,
        1700: 84,
        2200: 90,
        2800: 88,
        2900: 79,
        3300: 76,
        3400: 50,
        3900: 31,
        4500: 10,
        5000: 30,
        5100: 42,
        5200: 78,
        5300: 48,
        5400: 76.8,
        5480: 55,
    }
    ag = curve(agp, steps, 0.008, rng)
    ls = curve(
        {
            20: 0.35,
            1700: 0.10,
            2800: 0.10,
            3300: 0.12,
            4500: 0.12,
            5000: 0.126,
            5060: 0.126,
            5100: 5193.607,
            5200: 1800,
            5400: 640,
            5480: 400,
        },
        steps,
        0.03,
        rng,
        log=True,
    )
    hi = curve(
        {20: 1.5, 1700: 12, 2800: 18, 5000: 22, 5060: 25, 5100: 5193.607, 5400: 900, 5480: 700},
        steps,
        0.04,
        rng,
        log=True,
    )
    out = (
        banner(
            lr="0.000250",
            batch="4,096",
            clip="10.0",
            td="50.0",
            target="Every 200 steps",
            weights="Discrete=1.0, Continuous=1.0",
        )
        if with_banner
        else []
    )
    trows = 0
    for i, s in enumerate(steps):
        if s < 1700:
            sh = np.array([0.05, 0.2, 0.6, 0.15])
        elif s < 2900:
            sh = np.array([0, 0.06, 0.94, 0])
        elif s < 3400:
            sh = np.array([0, 0.27, 0.71, 0.02])
        elif s < 5100:
            sh = np.array([0, 0.06, 0.08, 0.86])
        else:
            sh = np.array([0, 0.4, 0.5, 0.1]) if i % 2 else np.array([0, 0.1, 0.2, 0.7])
        tot = int(1014 + rng.integers(-20, 20))
        cnt = np.floor(sh * tot).astype(int)
        cnt[int(np.argmax(cnt))] += tot - cnt.sum()
        out += [
            f"[AGREE DEBUG] Step {s}:",
            f"  n_dqn={tot}, agree_pct={ag[i]:.1f}%",
            "  First 10 greedy: [2 2 2 2 1 2 2 2 2 2]",
            "  First 10 replay: [2 2 2 2 2 2 2 2 2 2]",
            "  Greedy dist: [" + " ".join(f"{c:3d}" for c in cnt) + "]",
            "  Replay dist: [182   1 829   2]",
            f"  Spinner agree_pct={62 + rng.normal():.1f}%",
        ]
        if rows_too:
            if trows % 30 == 0:
                out += header(L31)
            trows += 1
            gn = 12 + 3 * abs(rng.normal()) if s < 5100 else 45000 * rng.uniform(0.2, 1)
            fr = s * 180
            out.append(
                line(
                    L31,
                    [
                        f"{fr:,}",
                        "1301.2",
                        "0.05",
                        "50.0%",
                        f"{38 + rng.normal():.2f}",
                        "5.10",
                        f"{38 + rng.normal():.2f}",
                        f"{33 + rng.normal():.2f}",
                        f"{(20 + i * 0.25 if s < 2900 else 32 - (s - 2900) * 0.004) + 0.3 * rng.normal():.2f}",
                        f"{20 + i * 0.1:.2f}",
                        "0.412",
                        f"{ls[i]:.6f}",
                        f"{ls[i] * 0.9:.5f}",
                        f"{ls[i] * 0.1:.5f}",
                        "0.02100",
                        f"{ag[i]:.1f}",
                        f"{62 + rng.normal():.1f}",
                        "0.4",
                        "24.8",
                        "0012",
                        "5.1",
                        "1.94",
                        "231000",
                        "56.4",
                        f"{gn:.3f}",
                        "1.000",
                        f"[{1.56 if s >= 5100 else 1.02:.2f}, {hi[i]:.2f}]",
                        f"{s % 200}",
                        f"{fr // 1000}k/{s}/2%/{s % 200}",
                    ],
                )
            )
        else:
            out.append(f"  Loss: {ls[i]:.3f}")
    return out


# ---------- seed 003
def exploding_features(n: int | None, style: str, seed: int = 8) -> list[str]:
    """Report 003: features grow by eleven orders of magnitude, the reward falls."""
    rng = np.random.default_rng(seed)
    steps = (
        [100, 1000, 2000, 3000, 4000, 5000]
        if n is None
        else list(range(100, 5001, 100))
        if n <= 100
        else [int(x) for x in np.linspace(12, 5000, n)]
    )
    steps = sorted({*steps, 5000})
    g = (np.array(steps) - steps[0]) / (5000 - steps[0])
    l2 = 15.7 ** (1 - g) * 7_363_360_194_560.0**g
    me = 0.4 ** (1 - g) * 14_314_894_336.0**g
    sd = 0.57 ** (1 - g) * 325_102_632_960.0**g
    m = len(steps)
    cr = np.abs(rng.standard_normal(m)) * 900 + 40
    if m > 3:
        cr[m // 2] = 7500.0
    al = -(3.0 ** (1 - g)) * (2.85e12**g)
    td = 9.7 + 0.15 * rng.standard_normal(m)
    out = (
        [
            "[INIT] Max timesteps: 5,000",
            "[INIT] Seed: 42",
            "TD3Agent initialized with:",
            "  State dim: 565, Action dim: 2",
            "  Discount γ: 0.99, Tau τ: 0.005",
            "  Policy freq: 2, Policy noise: 0.2",
            "  Exploration noise: 0.1",
            "  Buffer size: 1000000, Batch size: 256",
            "  Actor CNN optimizer initialized with lr=0.0001",
            "  Critic CNN optimizer initialized with lr=0.0001",
            "",
        ]
        if n
        else []
    )
    eps = 249 if n else 24
    rew = np.linspace(990, 46, eps) + (rng.normal(size=eps) * 60 if n else 0)
    k = 0
    for i, s in enumerate(steps):
        if style == "seed":
            out += [
                f"Step {s} CNN Feature Stats:",
                f"   L2 Norm: {l2[i]:,.0f}" if l2[i] > 1e5 else f"   L2 Norm: {l2[i]:.3f}",
                f"   Mean:    {me[i]:,.0f}" if me[i] > 1e5 else f"   Mean:    {me[i]:.3f}",
                f"   Std:     {sd[i]:,.0f}" if sd[i] > 1e5 else f"   Std:     {sd[i]:.3f}",
            ]
        else:
            out += [
                f"[DEBUG][Step {s}] CNN Feature Stats:",
                f"  L2 Norm: {l2[i]:.3f}",
                f"  Mean: {me[i]:.3f}, Std: {sd[i]:.3f}",
                f"  Range: [{-1.3 * sd[i]:.3f}, {1.35 * sd[i]:.3f}]",
                "  Action: [0.152, 0.463] (steering, throttle/brake)",
            ]
        out += [
            "",
            f"   TRAINING STEP {s} - CRITIC UPDATE:",
            f"   Current Q1: mean={-al[i]:.2f}, std={abs(al[i]) * 0.3:.2f}, min={-al[i] * 0.2:.2f}, max={-al[i] * 2:.2f}",
            f"   Critic loss: {cr[i]:.4f}",
            f"   TD error Q1: {td[i]:.4f}",
            f"   TRAINING STEP {s} - ACTOR UPDATE (delayed, freq=2):",
            f"   Actor loss: {al[i]:.4f}",
            f"   TRAINING STEP {s} - GRADIENTS (AFTER CLIPPING):",
            f"   Critic grad norm: {8 + 0.5 * rng.normal():.4f}",
            f"   Critic CNN grad norm: {min(10, 9.5 + 0.3 * abs(rng.normal())):.4f}",
            f"   Actor CNN grad norm: {min(1.0, 0.9 + 0.05 * abs(rng.normal())):.4f}",
            f"   Actor MLP grad norm: {0.0:.4f}",
            "",
        ]
        while k < eps and k < (i + 1) * eps / m:
            out.append(
                f"[TRAIN] Episode {k + 1:4d} | Timestep {s:7d} | Reward {rew[k]:8.2f} | Avg Reward (10ep) {np.mean(rew[max(0, k - 9) : k + 1]):8.2f} | Collisions  0"
            )
            k += 1
    return out


CONF3 = """agent:
  algorithm: TD3
  discount: 0.99
  tau: 0.005
  policy_freq: 2
  actor_lr: 0.0003
  critic_lr: 0.0003
  batch_size: 256
  buffer_size: 1000000
  exploration_noise: 0.1
training:
  max_timesteps: 1000000
  seed: 42
"""


# ---------- seed 004
def dead_policy(n: int | None, both: bool, seed: int = 9, ent: bool = True) -> list[str]:
    """Report 004: a deterministic policy without gradient, and one that learns."""
    rng = np.random.default_rng(seed)
    out = []

    def block(step, kappa, adv, pos, lp, lps, norm, en, r):
        o = [
            "=" * 80,
            f"POLICY UPDATE DEBUG - Step {step}, κ={kappa:+.3f}",
            "=" * 80,
            "Advantage (delta_prime) from baseline:",
            "  Shape: (10, 100)",
            f"  Mean: {adv:.6f}",
            "  Std: 0.309142",
            "  Min: -1.204412",
            "  Max: 0.911240",
            f"  Positive: {pos:.1f}%",
            f"  Negative: {100 - pos:.1f}%",
            "",
            "Log-probabilities:",
            "  Shape: (10, 100)",
            f"  Mean: {lp:.6f}",
            f"  Std: {lps:.6f}",
            f"  Min: {lp - 4 * lps:.6f}",
            "  Max: -0.000000",
            "",
        ]
        if ent:
            o += ["Policy Entropy:", f"  Mean entropy: {en:.6f}", "  Max possible entropy (log(2)): 0.693147", ""]
        o += [
            "Gradient Statistics (policy - before clipping):",
            f"  Total norm: {norm:.6f}",
            f"  Max absolute: {norm * 0.2:.6f}",
            "  Min absolute: 0.000000",
            "",
        ]
        if en < 0.01 and ent:
            o.insert(-7, f"  ⚠️⚠️⚠️  POLICY COLLAPSE DETECTED! Entropy = {en:.6f} < 0.01")
        return o

    steps = (
        [100, 600, 700]
        if n is None
        else list(range(100, 6001, 100))
        if n <= 100
        else list(range(100, 100 * n + 1, 100))
    )
    if n is None:
        steps = [100, 200, 300, 400, 500, 600, 700, 800]
    for s in steps:
        if s == 600:
            b = (-0.005360, 36.6, -0.0, 0.0, 0.0, 0.0)
        elif s > 600:
            b = (-0.0054 + 0.0006 * rng.normal(), 36.6 + rng.normal(), -0.0, 0.0, 0.0, 0.0)
        else:
            e = 0.69 * (1 - (s - 100) / 500) ** 1.5
            b = (
                -0.01 + 0.004 * rng.normal(),
                45 - s / 70,
                -0.68 * (1 - (s - 100) / 500) ** 1.5,
                0.3 * (1 - (s - 100) / 520),
                6.5 * (1 - (s - 100) / 500) ** 1.2,
                e,
            )
        out += block(s, -0.2, b[0], b[1], b[2], b[3], b[4], b[5], 0.5)
    if both:
        for s in [1300] if n is None else range(100, 1400, 100):
            x = (
                (-0.0041, 48.2, -0.005719, 0.117366, 7.770147, 0.3)
                if s == 1300
                else (
                    -0.004 + 0.001 * rng.normal(),
                    48 + rng.normal(),
                    -0.4 + s * 0.0003,
                    0.4 - s * 0.0002,
                    7 + rng.normal(),
                    0.69 - s * 0.0003,
                )
            )
            out += block(s, 0.2, *x[:2], x[2], x[3], x[4], x[5], 0.6)
    return out


CONF4 = """config = {
    'network_type': 'gru',
    'N': 100,
    'Nout': 2,
    'Wout': 0,
    'lr': 0.002,
    'grad_clip': 5,
    'kappa': -0.2,
    'max_iter': 10000,
    'n_gradient': 10,
}
"""
