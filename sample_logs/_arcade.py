"""Logs of an arcade agent: aligned columns under a header that comes again every 30 rows."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from _curves import Curve, spaced

HEADER_EVERY = 30  # rows
Column = tuple[str, int]


def _columns(titles: str) -> tuple[Column, ...]:
    """Return the columns of ``title:width, title:width``."""
    pairs = (item.rsplit(":", 1) for item in titles.split(", "))
    return tuple((name, int(width)) for name, width in pairs)


L27 = _columns(
    "Frame:11, FPS:6, Epsi:6, Xprt:6, Rwrd:6, RwdSlope:9, Subj:6, Obj:6, DQN:6, DQN1M:6, DQN5M:6, "
    "DQNSlope:9, Loss:10, Clnt:4, Levl:5, AvgInf:7, Samp/s:8, Steps/s:8, GradNorm:8, ClipΔ:6, Q-Value "
    "Range:14, Training Stats:15"
)
L31 = _columns(
    "Frame:11, FPS:6, FAFO:6, Xprt:7, Rwrd:7, Subj:7, Obj:7, DQN:7, DQN1M:6, DQN5M:6, DQNSlope:9, "
    "Loss:10, DLoss:8, CLoss:8, BCLoss:8, Agree%:7, SpinAgr%:8, Done%:6, Train%:6, Clnt:4, Levl:5, "
    "AvgInf:7, Samp/s:9, Steps/s:8, GradNorm:8, ClipΔ:6, Q-Value Range:15, TgtAge:7, Training Stats:15"
)
L33 = _columns(
    "Frame:11, FPS:6, FAFO:6, Xprt:7, Rwrd:7, Subj:7, Obj:7, DQN:7, DQN1M:6, DQN5M:6, DQNSlope:9, "
    "Loss:10, DLoss:8, CLoss:8, Agree%:7, SpinAgr%:9, AvgEpLen:8, Train%:6, Clnt:4, Levl:5, AvgInf:7, "
    "Samp/s:9, Steps/s:8, GradNorm:8, ClipΔ:6, Q-Range:12, Stats:18"
)


def table(
    columns: Sequence[Column], rows: Sequence[Mapping[str, str]], between: Mapping[int, str] | None = None
) -> str:
    """Return the rows under their header; ``between[i]`` is printed after row ``i``."""
    header = " ".join(f"{name:>{width}}" for name, width in columns)
    out: list[str] = []
    for i, row in enumerate(rows):
        if i % HEADER_EVERY == 0:
            out += [header, "-" * len(header)]
        out.append(" ".join(f"{row[name]:>{width}}" for name, width in columns))
        if between and i in between:
            out.append(between[i])
    return "\n".join(out) + "\n"


def _banner(actions: int, settings: Mapping[str, str]) -> str:
    groups = {
        "📐 NETWORK ARCHITECTURE:": {"State Size": "171", "Discrete Actions": f"{actions} (FIRE/ZAP combinations)"},
        "⚙️  TRAINING HYPERPARAMETERS:": settings,
    }
    lines = ["", "=" * 100, " " * 33 + "ARCADE AGENT - NETWORK CONFIGURATION", "=" * 100, ""]
    for title, items in groups.items():
        lines += [title, *(f"   {name + ':':<18} {value}" for name, value in items.items()), ""]
    return "\n".join([*lines, "=" * 100, "⚠ No existing model found, starting fresh", ""])


def zero_init_head() -> str:
    """Discrete head that starts at zero: its loss rises, agreement stays near 40 %, no gradient norm is recorded."""
    rng = random.Random(20251019)
    frames = spaced([(0, 36_480), (1, 79_312), (3, 165_208), (12, 553_096), (23, 1_023_488)])
    at = {"36k": frames[0], "79k": frames[1], "165k": frames[3], "553k": frames[12], "1023k": frames[23]}
    d_loss = Curve(
        [
            (at["36k"], 0.00722),
            (at["79k"], 0.01572),
            (at["165k"], 0.01385),
            (at["553k"], 0.01837),
            (at["1023k"], 0.01926),
        ],
        rng,
        0.0006,
    )
    c_loss = Curve([(at["36k"], 0.01889), (at["165k"], 0.0174), (at["1023k"], 0.01443)], rng, 0.0003)
    agree_knots = [(at["36k"], 38.7), (at["165k"], 45.1), (at["553k"], 42.0), (at["1023k"], 40.2)]
    agree = Curve(agree_knots, rng, 0.5, high=45.0)
    spin = Curve([(at["36k"], 60.4), (at["553k"], 63.6), (at["1023k"], 65.8)], rng, 0.4)
    q_low = Curve([(at["36k"], 0.0), (at["165k"], 0.4), (at["553k"], 0.1), (at["1023k"], -0.2)], rng, 0.06)
    q_high = Curve([(at["36k"], 1.4), (at["165k"], 2.5), (at["553k"], 2.4), (at["1023k"], 2.3)], rng, 0.08)
    reward = Curve([(at["36k"], 5.70), (at["1023k"], 5.95)], rng, 0.22)
    dqn = Curve([(at["36k"], 2.60), (at["1023k"], 2.85)], rng, 0.18)
    rows = [_l33_row(0, 0, "0.0", {})]
    total, seen = 0.0, 0
    for frame in frames:
        own = dqn(frame)
        total, seen = total + own, seen + 1
        mean = total / seen
        d, c = d_loss(frame), c_loss(frame)
        steps = round((frame - 20_000) / 5.62)
        rows.append(
            _l33_row(
                frame,
                steps,
                f"{rng.gauss(1404, 14):.1f}",
                {
                    "Rwrd": f"{reward(frame):.2f}",
                    "Subj": f"{rng.gauss(1.05, 0.05):.2f}",
                    "Obj": f"{reward(frame):.2f}",
                    "DQN": f"{own:.2f}",
                    "DQN1M": f"{mean:.2f}",
                    "DQN5M": f"{mean:.2f}",
                    "Loss": f"{d + c:.6f}",
                    "DLoss": f"{d:.5f}",
                    "CLoss": f"{c:.5f}",
                    "Agree%": f"{agree(frame):.1f}%",
                    "SpinAgr%": f"{spin(frame):.1f}%",
                    "AvgEpLen": f"{rng.gauss(838, 14):.1f}",
                    "Train%": f"{rng.gauss(15.7, 0.2):.1f}",
                    "AvgInf": f"{rng.gauss(0.8, 0.01):.2f}",
                    "Q-Range": f"[{q_low(frame):.1f},{q_high(frame):.1f}]",
                },
            )
        )
    settings = {
        "Learning Rate": "0.000150",
        "Batch Size": "2,048",
        "Gamma (γ)": "0.99",
        "Epsilon (ε)": "0.05 → 0.05 (exploration)",
        "Memory Size": "2,000,000 transitions",
        "Target Update": "Every 1000 steps",
        "Loss Weights": "Discrete=10.0, Continuous=1.0",
        "Max Q-Value Clip": "10.0",
        "TD Target Clip": "100.0",
        "Gradient Clip": "10.0 (max norm)",
        "N-Step Returns": "3-step",
    }
    return _banner(4, settings) + table(L33, rows)


def _l33_row(frame: int, steps: int, fps: str, cells: Mapping[str, str]) -> dict[str, str]:
    per_second = 250.0 + (frame % 17) * 0.4 if frame else 0.0
    fill = min(frame / 2_000_000, 1.0) * 100
    row = {
        "Frame": f"{frame:,}",
        "FPS": fps,
        "FAFO": "0.05",
        "Xprt": "50.0%",
        "Rwrd": "0.00",
        "Subj": "0.00",
        "Obj": "0.00",
        "DQN": "0.00",
        "DQN1M": "0.00",
        "DQN5M": "0.00",
        "DQNSlope": "0.000",
        "Loss": "0.000000",
        "DLoss": "0.00000",
        "CLoss": "0.00000",
        "Agree%": "0.0%",
        "SpinAgr%": "0.0%",
        "AvgEpLen": "0.0",
        "Train%": "0.0",
        "Clnt": "0005",
        "Levl": "4.6",
        "AvgInf": "0.00",
        "Samp/s": f"{per_second * 2048:.0f}",
        "Steps/s": f"{per_second:.1f}",
        "GradNorm": "0.000",
        "ClipΔ": "1.000",
        "Q-Range": "[0.0,0.0]",
        "Stats": f"{frame // 1000}k/{steps}/{fill:.0f}%/{fill:.0f}%",
    }
    row.update(cells)
    return row


def q_divergence() -> str:
    """Q values grow from 325 to 2,000 and fall to 16 after the expert's share has reached its floor."""
    rng = random.Random(20251002)
    frames = spaced(
        [
            (0, 16_203_264),
            (15, 17_700_096),
            (32, 19_400_192),
            (34, 19_600_128),
            (37, 19_900_160),
            (38, 20_000_256),
            (42, 20_400_128),
            (44, 20_600_320),
        ]
    )
    at = {
        k: frames[i]
        for k, i in {"17.7": 15, "19.4": 32, "19.6": 34, "19.9": 37, "20.0": 38, "20.4": 42, "20.6": 44}.items()
    }
    q_low = Curve(
        [
            (frames[0], 0.4),
            (at["17.7"], 0.15),
            (at["19.4"], -12.91),
            (at["19.6"], -6.48),
            (at["19.9"], -12.89),
            (at["20.4"], -1.55),
            (at["20.6"], -3.37),
        ],
        rng,
        0.6,
    )
    q_high = Curve(
        [
            (frames[0], 291.4),
            (at["17.7"], 324.56),
            (frames[22], 402.0),
            (at["19.4"], 1024.10),
            (at["19.6"], 1308.56),
            (at["19.9"], 1779.30),
            (at["20.4"], 1999.62),
            (frames[43], 611.75),
            (at["20.6"], 15.95),
        ],
        rng,
        0.035,
        log=True,
    )
    slope = Curve(
        [(frames[0], 1.204), (at["17.7"], 1.131), (frames[24], 0.560), (at["20.0"], -0.190), (at["20.6"], -0.402)],
        rng,
        0.03,
    )
    loss = Curve([(frames[0], 0.472), (at["17.7"], 0.465), (at["20.0"], 0.367), (at["20.6"], 0.361)], rng, 0.007)
    expert = Curve([(frames[0], 8.1), (frames[11], 5.0), (frames[44], 5.0)], rng)
    own = Curve([(frames[0], 38.9), (frames[24], 42.1), (at["20.6"], 36.2)], rng, 0.9)
    mean_1m = Curve([(frames[0], 38.4), (frames[26], 41.2), (at["20.6"], 37.6)], rng, 0.12)
    mean_5m = Curve([(frames[0], 36.2), (frames[28], 39.9), (at["20.6"], 39.3)], rng, 0.04)
    noisy = {15: -49.168, 16: 50.312, 17: -40.618, 18: 48.981}
    rows = _l27_rows(
        frames,
        {"own": own, "mean_1m": mean_1m, "mean_5m": mean_5m, "slope": slope, "loss": loss, "expert": expert,
         "q_low": q_low, "q_high": q_high},
        norms={15: 4.764, 36: 8.787}, calm=4.8, wild=8.7, noisy=noisy, steps_per_second=48.0, updates=410_000,
        frames_per_update=35.1, rng=rng,
    )  # fmt: skip
    return _l27_start("0.003", 16_103_168, "0.0830") + table(L27, rows)


def q_divergence_fixed() -> str:
    """The same agent from its last good checkpoint, with smaller steps: Q stays bounded, the slope comes back."""
    rng = random.Random(20251003)
    frames = spaced([(0, 18_500_144), (47, 23_200_160)])
    end = frames[-1]
    curves = {
        "q_low": Curve([(frames[0], -5.1), (frames[15], -4.2), (end, -3.9)], rng, 0.7),
        "q_high": Curve([(frames[0], 398.2), (frames[10], 371.4), (frames[28], 366.0), (end, 381.5)], rng, 7.0),
        "slope": Curve([(frames[0], 0.412), (frames[6], 0.388), (frames[20], 0.731), (end, 1.064)], rng, 0.03),
        "loss": Curve([(frames[0], 0.438), (frames[12], 0.421), (end, 0.384)], rng, 0.006),
        "expert": Curve([(frames[0], 5.0), (end, 5.0)], rng),
        "own": Curve([(frames[0], 40.9), (frames[10], 41.3), (end, 45.2)], rng, 0.9),
        "mean_1m": Curve([(frames[0], 40.72), (frames[10], 41.05), (end, 44.6)], rng, 0.1),
        "mean_5m": Curve([(frames[0], 38.6), (frames[12], 39.6), (end, 42.3)], rng, 0.04),
    }  # fmt: skip
    rows = _l27_rows(
        frames, curves, norms={}, calm=3.6, wild=5.6, noisy={}, steps_per_second=12.0, updates=473_000,
        frames_per_update=140.4, rng=rng,
    )  # fmt: skip
    return _l27_start("0.001", 18_400_136, "0.0500") + table(L27, rows)


def _l27_start(learning_rate: str, frame: int, expert_ratio: str) -> str:
    """Return the lines that the program prints before its table."""
    return (
        f"Using device: cuda:0\nLearning rate: {learning_rate}\nBatch size: 16384\nMemory size: 4,000,000\n"
        "Hidden size: 512\nNumber of layers: 6\nMixed precision: enabled\nState size: 175\nGradient clip: 5.0\n"
        f"  - Resuming from frame: {frame}\n  - Resuming epsilon: 0.0500\n  - Resuming expert_ratio: {expert_ratio}\n\n"
    )


def _l27_rows(
    frames: Sequence[int],
    curves: Mapping[str, Curve],
    *,
    norms: Mapping[int, float],
    calm: float,
    wild: float,
    noisy: Mapping[int, float],
    steps_per_second: float,
    updates: int,
    frames_per_update: float,
    rng: random.Random,
) -> list[dict[str, str]]:
    """Return one row a frame: ``curves`` by name, gradient norms up to ``wild`` (``norms`` and ``noisy`` by row)."""
    rows = []
    for i, frame in enumerate(frames):
        norm = norms.get(i, rng.uniform(calm, 5.0) if rng.random() < 0.35 else rng.uniform(5.1, wild))
        steps_s = rng.gauss(steps_per_second, 0.5 * steps_per_second / 48.0)
        r, sign = curves["own"](frame), -1.0 if i % 2 else 1.0
        done = updates + round((frame - frames[0]) / frames_per_update)
        rows.append(
            {
                "Frame": f"{frame:,}",
                "FPS": f"{rng.gauss(1688, 22):.1f}",
                "Epsi": "0.05",
                "Xprt": f"{curves['expert'](frame):.1f}%",
                "Rwrd": f"{r + 1.6:.2f}",
                "RwdSlope": f"{noisy.get(i, sign * rng.uniform(38, 52)):.3f}",
                "Subj": f"{rng.gauss(6.1, 0.3):.2f}",
                "Obj": f"{r - 4.4:.2f}",
                "DQN": f"{r:.2f}",
                "DQN1M": f"{curves['mean_1m'](frame):.2f}",
                "DQN5M": f"{curves['mean_5m'](frame):.2f}",
                "DQNSlope": f"{curves['slope'](frame):.3f}",
                "Loss": f"{curves['loss'](frame):.6f}",
                "Clnt": "0032",
                "Levl": f"{rng.gauss(5.6, 0.2):.1f}",
                "AvgInf": f"{rng.gauss(3.1, 0.05):.2f}",
                "Samp/s": f"{steps_s * 16384:.0f}",
                "Steps/s": f"{steps_s:.1f}",
                "GradNorm": f"{norm:.3f}",
                "ClipΔ": f"{min(1.0, 5.0 / norm):.3f}",
                "Q-Value Range": f"[{curves['q_low'](frame):.2f}, {curves['q_high'](frame):.2f}]",
                "Training Stats": f"4000k/{done}/28.5/{(frame // 1000) % 25}k",
            }
        )
    return rows


def loss_explosion() -> str:
    """The policy drifts and collapses while the loss stays flat; then the loss explodes: clipping was never active."""
    rng = random.Random(20251014)
    steps = list(range(100, 5_501, 100))
    agree = Curve(
        [
            (100, 25.3),
            (1000, 46.0),
            (1700, 84.0),
            (2300, 90.0),
            (2800, 86.0),
            (2900, 79.0),
            (3300, 76.0),
            (3400, 50.0),
            (3800, 31.0),
            (4400, 10.0),
            (4500, 10.4),
            (5000, 24.0),
            (5100, 42.0),
            (5200, 78.0),
            (5300, 47.2),
            (5400, 71.6),
            (5500, 44.9),
        ],
        rng,
        1.1,
        low=2.0,
        high=91.0,
    )
    loss = Curve(
        [
            (100, 0.31),
            (800, 0.14),
            (1700, 0.101),
            (2800, 0.098),
            (3300, 0.118),
            (4500, 0.121),
            (5000, 0.126),
            (5100, 5193.607),
            (5200, 3177.441),
            (5300, 4810.912),
            (5400, 2264.083),
            (5500, 3902.570),
        ],
        rng,
        0.03,
        log=True,
    )
    norm = Curve(
        [
            (100, 2.4),
            (1700, 2.1),
            (2800, 2.6),
            (2900, 14.2),
            (3000, 4.1),
            (3300, 6.3),
            (3400, 38.7),
            (3500, 9.8),
            (4000, 21.5),
            (4500, 33.9),
            (5000, 61.4),
            (5100, 41873.250),
            (5300, 36120.5),
            (5500, 29408.7),
        ],
        rng,
        0.12,
        log=True,
    )
    q_high = Curve(
        [
            (100, 1.9),
            (1700, 14.8),
            (2800, 19.6),
            (3400, 27.3),
            (4500, 30.0),
            (5000, 46.1),
            (5100, 5193.61),
            (5300, 4402.7),
            (5500, 3871.2),
        ],
        rng,
        0.04,
        log=True,
    )
    q_low = Curve([(100, 0.05), (1700, 2.2), (2800, 3.1), (5000, 1.9), (5100, 1.56), (5500, -80.3)], rng, 0.1)
    own = Curve([(100, 12.0), (2300, 46.0), (2900, 44.0), (3400, 33.0), (4500, 11.0), (5500, 9.0)], rng, 1.2)
    rows, blocks, window = [], {}, []
    for i, step in enumerate(steps):
        agreement, value, frame = agree(step), loss(step), step * 96
        window.append(own(step))
        mean = sum(window) / len(window)
        d = value * 0.86
        rows.append(
            {
                "Frame": f"{frame:,}",
                "FPS": f"{rng.gauss(1410, 12):.1f}",
                "FAFO": "0.10",
                "Xprt": "50.0%",
                "Rwrd": f"{window[-1] + 9:.2f}",
                "Subj": f"{rng.gauss(2.4, 0.2):.2f}",
                "Obj": f"{window[-1] + 6.6:.2f}",
                "DQN": f"{window[-1]:.2f}",
                "DQN1M": f"{mean:.2f}",
                "DQN5M": f"{mean:.2f}",
                "DQNSlope": "0.000",
                "Loss": f"{value:.6f}",
                "DLoss": f"{d:.5f}",
                "CLoss": f"{min(value * 0.1, 0.02):.5f}",
                "BCLoss": f"{value * 0.04:.5f}",
                "Agree%": f"{agreement:.1f}",
                "SpinAgr%": f"{rng.gauss(61, 0.8):.1f}",
                "Done%": f"{rng.gauss(0.4, 0.05):.1f}",
                "Train%": f"{rng.gauss(31, 0.4):.1f}",
                "Clnt": "0008",
                "Levl": f"{rng.gauss(4.4, 0.2):.1f}",
                "AvgInf": f"{rng.gauss(0.9, 0.02):.2f}",
                "Samp/s": f"{rng.gauss(30100, 300):.0f}",
                "Steps/s": f"{rng.gauss(14.7, 0.15):.1f}",
                "GradNorm": f"{norm(step):.3f}",
                "ClipΔ": "1.000",
                "Q-Value Range": f"[{q_low(step):.2f}, {q_high(step):.2f}]",
                "TgtAge": f"{step % 200}",
                "Training Stats": f"{frame // 1000}k/{step}/10.4/{step % 200}",
            }
        )
        blocks[i] = _agree_block(step, agreement, rng)
    start = (
        "Using device: cuda:0\nLearning rate: 0.00025\nBatch size: 2048\nGamma: 0.99\nMemory size: 2,000,000\n"
        "Number of actions: 4\nTarget update frequency: 200\nTD target clip: 50.0\nVerbose mode: ON\n\n"
    )
    return start + table(L31, rows, blocks)


def _agree_block(step: int, agreement: float, rng: random.Random) -> str:
    n = 1014
    if step < 1700:
        share = 0.30 + 0.64 * step / 1700
        shares = [(1 - share) / 2, (1 - share) / 2, share, 0.0]
    elif step <= 2800:
        shares = [0.0, 0.065, 0.935, 0.0]
    elif step <= 3300:
        zap = 0.10 + 0.10 * (step - 2800) / 500
        shares = [0.0, zap, 1 - zap, 0.0]
    else:
        wrong = min(0.89, 0.42 + 0.47 * (step - 3300) / 1100)
        shares = [0.0, 0.05, 0.95 - wrong, wrong]
    greedy = _split(n, _sampled(shares, rng))
    top = greedy.index(max(greedy))
    picks = [top if rng.random() < 0.85 else 1 for _ in range(10)]
    replay = _split(n, _sampled([0.17, 0.0, 0.83, 0.0], rng))
    return "\n".join(
        [
            f"[AGREE DEBUG] Step {step}:",
            f"  n_dqn={n}, agree_pct={agreement:.1f}%",
            f"  First 10 greedy: [{' '.join(map(str, picks))}]",
            "  First 10 replay: [2 2 2 2 0 2 2 2 2 2]",
            f"  Greedy dist: [{' '.join(f'{v:>4}' for v in greedy)}]",
            f"  Replay dist: [{' '.join(f'{v:>4}' for v in replay)}]",
        ]
    )


def _sampled(shares: Sequence[float], rng: random.Random) -> list[float]:
    """Return shares as a sample shows them: no batch has exactly the same counts as the one before."""
    drawn = [max(0.0, s + rng.gauss(0, 0.006)) if s else 0.0 for s in shares]
    return [s / sum(drawn) for s in drawn]


def _split(n: int, shares: Sequence[float]) -> list[int]:
    counts = [int(n * s) for s in shares]
    counts[counts.index(max(counts))] += n - sum(counts)
    return counts


def healthy_arcade() -> str:
    """The same game when all is well: both heads learn, rewards are noisy, Q values grow slowly and stay bounded."""
    rng = random.Random(20251104)
    frames = spaced([(0, 41_120), (95, 4_018_240)])
    last = frames[-1]
    d_loss = Curve([(41_120, 0.0310), (900_000, 0.0190), (last, 0.0118)], rng, 0.05, log=True)
    c_loss = Curve([(41_120, 0.0232), (900_000, 0.0160), (last, 0.0109)], rng, 0.04, log=True)
    agree = Curve([(41_120, 34.0), (500_000, 51.0), (1_500_000, 62.0), (last, 68.5)], rng, 0.9)
    spin = Curve([(41_120, 58.0), (1_500_000, 66.0), (last, 69.0)], rng, 0.6)
    q_high = Curve([(41_120, 0.9), (500_000, 2.8), (last, 6.4)], rng, 0.15)
    q_low = Curve([(41_120, -0.2), (last, -1.1)], rng, 0.1)
    own = Curve([(41_120, 2.4), (1_500_000, 4.6), (last, 6.0)], rng, 0.55)
    norm = Curve([(41_120, 2.2), (last, 1.4)], rng, 0.22, log=True)
    rows, history = [], []
    for frame in frames:
        d, c, r = d_loss(frame), c_loss(frame), own(frame)
        history.append(r)
        million = history[-25:]
        rows.append(
            _l33_row(
                frame,
                round(frame / 5.62),
                f"{rng.gauss(1410, 15):.1f}",
                {
                    "Rwrd": f"{r + 2.6:.2f}",
                    "Subj": f"{rng.gauss(1.1, 0.05):.2f}",
                    "Obj": f"{r + 1.5:.2f}",
                    "DQN": f"{r:.2f}",
                    "DQN1M": f"{sum(million) / len(million):.2f}",
                    "DQN5M": f"{sum(history) / len(history):.2f}",
                    "DQNSlope": f"{rng.gauss(0.42, 0.03) if frame > 800_000 else 0.0:.3f}",
                    "Loss": f"{d + c:.6f}",
                    "DLoss": f"{d:.5f}",
                    "CLoss": f"{c:.5f}",
                    "Agree%": f"{agree(frame):.1f}%",
                    "SpinAgr%": f"{spin(frame):.1f}%",
                    "AvgEpLen": f"{rng.gauss(860, 18):.1f}",
                    "Train%": f"{rng.gauss(15.7, 0.2):.1f}",
                    "AvgInf": f"{rng.gauss(0.8, 0.01):.2f}",
                    "GradNorm": f"{norm(frame):.3f}",
                    "Q-Range": f"[{q_low(frame):.1f},{q_high(frame):.1f}]",
                },
            )
        )
    settings = {
        "Learning Rate": "0.000100",
        "Batch Size": "2,048",
        "Gamma (γ)": "0.99",
        "Epsilon (ε)": "0.10 → 0.05 (exploration)",
        "Memory Size": "2,000,000 transitions",
        "Target Update": "Every 1000 steps",
        "Loss Weights": "Discrete=10.0, Continuous=1.0",
        "Max Q-Value Clip": "50.0",
        "Gradient Clip": "10.0 (max norm)",
        "N-Step Returns": "3-step",
    }
    return _banner(4, settings) + table(L33, rows)
