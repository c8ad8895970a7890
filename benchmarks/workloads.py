"""Logs for measuring, each a pure function of (kind, size, seed, share of NaN), with the truth about every number.

Numbers are drawn as integers and printed with a fixed number of decimals, or printed first and parsed back, so that the
truth is the correctly rounded double of the printed text. Blocks of rows have generators of their own: a larger log has
the smaller one as its beginning.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 3000
Rows = tuple[list[str], list[bool], dict[str, np.ndarray]]

TITLES = {
    "columns": "aligned columns with 1 % chatter",
    "keyvalue": "`key value` lines",
    "pipes": "400-byte pipe-separated lines",
    "boxes": "boxed tables",
    "dicts": "Python dict lines",
    "jsonl": "JSON lines",
}


def _rounded(values: Any, decimals: int) -> np.ndarray:
    return np.rint(np.asarray(values, float) * 10.0**decimals) / 10.0**decimals


def _falling(i: np.ndarray, start: float, end: float, scale: float) -> np.ndarray:
    return end + (start - end) * np.exp(-i / scale)


def _significant(values: np.ndarray, digits: int) -> np.ndarray:
    return np.array([float(f"{v:.{digits}g}") for v in values.tolist()])


def _human(value: int) -> tuple[str, float]:
    for limit, scale, letter in ((999_950, 100, "k"), (999_950_000, 100_000, "M")):
        if value < limit:
            tenths = round(value / scale)
            return f"{tenths / 10:.1f}{letter}", float(tenths * scale)
    tenths = round(value / 10_000_000)
    return f"{tenths / 100:.2f}B", float(tenths * 10_000_000)


def _talk(rng: np.random.Generator, count: int) -> list[str]:
    lines = (
        "[2026-03-01 12:{a:02d}:{b:02d}] saved checkpoint to runs/a/ckpt_{c:06d}.pt (1.2 GB)",
        "WARNING {a:02d}:{b:02d} gradient norm clipped at 1.0 in worker {c}",
        "eval {a:02d}/{b:02d}: episode {c} done, video written",
        "INFO:root:{a:02d}{b:02d} resharded dataset part-{c:05d}",
    )
    pick = rng.integers(0, len(lines), count).tolist()
    small, large = rng.integers(0, 60, (count, 2)).tolist(), rng.integers(0, 99999, count).tolist()
    return [lines[k].format(a=ab[0], b=ab[1], c=c) for k, ab, c in zip(pick, small, large, strict=True)]


def _bars(rng: np.random.Generator, count: int) -> list[str]:
    return [
        f"{v:3d}%|{'█' * (v // 10):<10s}| {v * 100}/10000 [00:12<05:43,  8.4it/s]"
        for v in rng.integers(0, 100, count).tolist()
    ]


def _mixed(
    rng: np.random.Generator, rows: list[str], share: float, talk: Callable[..., list[str]] = _talk
) -> tuple[list[str], list[bool]]:
    """Return lines with chatter after a share of the rows, and whether each begins a row."""
    after = np.flatnonzero(rng.random(len(rows)) < share)
    texts = dict(zip(after.tolist(), talk(rng, after.size), strict=True))
    lines: list[str] = []
    begins: list[bool] = []
    for i, row in enumerate(rows):
        parts = row.split("\n")
        lines += parts
        begins += [True] + [False] * (len(parts) - 1)
        if i in texts:
            lines.append(texts[i])
            begins.append(False)
    return lines, begins


def _columns(rng: np.random.Generator, i: np.ndarray, nan: np.ndarray) -> Rows:
    n = i.size
    texts, steps = zip(*(_human(v) for v in ((i + 1) * 2048).tolist()), strict=True)
    score = _falling(i, -100, 900, 4e4) + rng.normal(0, 40, n)
    score = _rounded(np.where(rng.random(n) < 0.001, score * 1e6, score), 2)  # these overflow their cell
    low, high = _rounded(score - rng.exponential(300, n), 2), _rounded(score + rng.exponential(600, n), 2)
    loss = _rounded(_falling(i, 4, 0.4, 3e4) * rng.lognormal(0, 0.2, n), 3)
    loss[nan] = np.nan
    columns = {
        "steps": np.array(steps),
        "sps": _rounded(40 + rng.normal(0, 3, n), 1),
        "return": score,
        "low": low,
        "high": high,
        "delta": _rounded(rng.normal(0, 1.3, n), 3),
        "loss": loss,
        "entropy": _rounded(_falling(i, 2.8, 0.6, 1e5) + rng.normal(0, 0.02, n), 2),
        "kl": _rounded(rng.gamma(2, 0.004, n), 4),
    }
    rows = [
        f"{text:>8s} {s:8.1f} {r:10.2f}  {f'[{a:.2f}, {b:.2f}]':>20s} {d:+8.3f} {v:8.3f} {e:6.2f} {k:8.4f}"
        for text, s, r, a, b, d, v, e, k in zip(
            texts, *(c.tolist() for name, c in columns.items() if name != "steps"), strict=True
        )
    ]
    head = "   steps      sps     return  return[min, max]       d_ret   v_loss    ent       kl"
    lines, begins = _mixed(rng, rows, 0.01)
    out, flags, seen = [], [], 0
    for line, row in zip(lines, begins, strict=True):
        if row:
            if seen % 30 == 0:
                out.append(head)
                flags.append(False)
            seen += 1
        out.append(line)
        flags.append(row)
    return out, flags, columns


def _keyvalue(rng: np.random.Generator, i: np.ndarray, nan: np.ndarray) -> Rows:
    n = i.size
    loss = _rounded(_falling(i, 10.8, 2.9, 2e4) + rng.normal(0, 0.05, n), 4)
    loss[nan] = np.nan
    time, mfu = _rounded(123 + rng.exponential(4, n), 2), _rounded(40 + rng.normal(0, 1, n), 2)
    train, held = (_rounded(loss + shift + rng.normal(0, 0.02, n), 4) for shift in (0.0, 0.05))
    judged = i % 250 == 0
    rows: list[str] = []
    for k, (a, t, m, e, x, y) in enumerate(
        zip(*(c.tolist() for c in (loss, time, mfu, judged, train, held)), strict=True)
    ):
        if e:
            rows.append(f"step {i[k]}: train loss {x:.4f}, val loss {y:.4f}")
        rows.append(f"iter {i[k]}: loss {a:.4f}, time {t:.2f}ms, mfu {m:.2f}%")
    lines, begins = _mixed(rng, rows, 0.002)
    steps = np.concatenate([i, i[judged]]).astype(float)
    columns = {"iter": steps, "time": time, "mfu": mfu}
    # "train loss" and the running "loss" of the same line kind may share one canonical name: their union is compared.
    columns |= {"loss|train_loss": np.concatenate([loss, train[judged]]), "val_loss": held[judged]}
    return lines, begins, columns


def _pipes(rng: np.random.Generator, i: np.ndarray, nan: np.ndarray) -> Rows:
    n = i.size
    rate = [f"{v:.3E}" for v in _falling(i, 3e-4, 3e-5, 1e5).tolist()]
    loss = [f"{v:.6E}" for v in np.abs(_falling(i, 10.8, 2.1, 2e4) + rng.normal(0, 0.05, n)).tolist()]
    for k in np.flatnonzero(nan).tolist():
        loss[k] = "nan"
    columns = {
        "iteration": i + 1.0,
        "consumed": (i + 1) * 256.0,
        "ms": _rounded(1200 + rng.exponential(40, n), 1),
        "lr": np.array([float(t) for t in rate]),
        "loss": np.array([float(t) for t in loss]),
        "grad_norm": _rounded(rng.lognormal(0, 0.3, n), 3),
        "params_norm": _rounded(_falling(i, 300, 900, 1e5), 3),
        "tflops": _rounded(380 + rng.normal(0, 5, n), 1),
        "total": np.full(n, 9999999.0),
        "batch": np.full(n, 256.0),
        "scale": np.full(n, 65536.0),
        "zeros": np.zeros(n),
        "skipped": np.zeros(n),
        "nans": np.zeros(n),
    }
    second = (i * 1.25).astype(int)
    rows = [
        f" [2026-03-{1 + s // 86400 % 28:02d} {s // 3600 % 24:02d}:{s // 60 % 60:02d}:{s % 60:02d}"
        f".{k * 7919 % 1000000:06d}] "
        f"iteration {k:8d}/ 9999999 | consumed samples: {k * 256:12d} | elapsed time per iteration (ms): {m:.1f} | "
        f"learning rate: {r} | global batch size: {256:5d} | lm loss: {a} | loss scale: 65536.0 | grad norm: {g:.3f} | "
        f"num zeros: 0.0 | params norm: {p:.3f} | number of skipped iterations: {0:3d} | "
        f"number of nan iterations: {0:3d} | throughput per GPU (TFLOP/s/GPU): {t:.1f} |"
        for s, k, m, r, a, g, p, t in zip(
            second.tolist(), (i + 1).tolist(), columns["ms"].tolist(), rate, loss,
            columns["grad_norm"].tolist(), columns["params_norm"].tolist(), columns["tflops"].tolist(), strict=True,
        )
    ]  # fmt: skip
    lines, begins = _mixed(rng, rows, 0.005)
    return lines, begins, columns


_BOX = {
    "rollout/": ("ep_len_mean", "ep_rew_mean"),
    "time/": ("fps", "iterations", "time_elapsed", "total_timesteps"),
    "train/": (
        "approx_kl", "clip_fraction", "entropy_loss", "explained_variance", "learning_rate", "loss", "n_updates",
        "policy_gradient_loss", "value_loss",
    ),
}  # fmt: skip
_WHOLE = {"fps", "iterations", "time_elapsed", "total_timesteps", "n_updates"}


def _boxes(rng: np.random.Generator, i: np.ndarray, nan: np.ndarray) -> Rows:
    n = i.size
    columns = {
        "ep_len_mean": _significant(200 + rng.normal(0, 30, n), 3),
        "ep_rew_mean": _significant(_falling(i, -1200, 250, 2e4) + rng.normal(0, 20, n), 3),
        "fps": np.rint(1000 + rng.normal(0, 30, n)),
        "iterations": i + 1.0,
        "time_elapsed": (i + 1.0) * 2,
        "total_timesteps": (i + 1.0) * 2048,
        "approx_kl": _significant(rng.gamma(2, 0.004, n), 9),
        "clip_fraction": _significant(rng.beta(2, 12, n), 3),
        "entropy_loss": _significant(-_falling(i, 2.8, 0.6, 1e5), 3),
        "explained_variance": _significant(1 - rng.exponential(0.2, n), 3),
        "learning_rate": np.full(n, 0.0003),
        "loss": _significant(rng.exponential(20, n), 3),
        "n_updates": (i + 1.0) * 10,
        "policy_gradient_loss": _significant(rng.normal(-0.005, 0.002, n), 3),
        "value_loss": _significant(rng.exponential(50, n), 3),
    }
    columns["loss"][nan] = np.nan
    rule = "-" * 43
    parts = [rule]
    for title, names in _BOX.items():
        parts.append(f"| {title:<24s}|{'':14s}|")
        parts += [f"|    {name:<21s}| %-13s |" for name in names]
    box = "\n".join([*parts, rule])
    texts = [
        [f"{v:d}" for v in column.astype(int).tolist()]
        if name in _WHOLE
        else [f"{v:.9g}" if name == "approx_kl" else f"{v:.3g}" for v in column.tolist()]
        for name, column in columns.items()
    ]
    lines, begins = _mixed(rng, [box % row for row in zip(*texts, strict=True)], 0.05)
    return lines, begins, columns


def _dicts(rng: np.random.Generator, i: np.ndarray, nan: np.ndarray) -> Rows:
    n = i.size
    loss = _rounded(np.abs(_falling(i, 3.2, 0.9, 3e4) + rng.normal(0, 0.03, n)), 4)
    held = loss + rng.normal(0, 0.01, n)
    loss[nan] = np.nan
    norm, rate = rng.lognormal(0.3, 0.4, n), 5e-5 * (1 - (i % 1_000_000) / 1e6)
    epoch, judged = _rounded(i / 5000.0, 2), i % 50 == 49
    runtime, speed = _rounded(12 + rng.exponential(0.3, n), 4), _rounded(400 + rng.normal(0, 5, n), 3)
    rows: list[str] = []
    for a, g, r, p, e, h, t, s in zip(
        *(c.tolist() for c in (loss, norm, rate, epoch, judged, held, runtime, speed)), strict=True
    ):
        rows.append(f"{{'loss': {a!r}, 'grad_norm': {g!r}, 'learning_rate': {r!r}, 'epoch': {p!r}}}")
        if e:
            rows.append(
                f"{{'eval_loss': {h!r}, 'eval_runtime': {t!r}, 'eval_samples_per_second': {s!r}, 'epoch': {p!r}}}"
            )
    lines, begins = _mixed(rng, rows, 0.01, _bars)
    columns = {"loss": loss, "grad_norm": norm, "learning_rate": rate, "epoch": np.concatenate([epoch, epoch[judged]])}
    return lines, begins, columns | {"eval_loss": held[judged], "eval_samples_per_second": speed[judged]}


def _jsonl(rng: np.random.Generator, i: np.ndarray, nan: np.ndarray) -> Rows:
    n = i.size
    columns = {
        "step": i.astype(float),
        "loss": _falling(i, 10.8, 2.1, 2e4) + rng.normal(0, 0.05, n),
        "lr": _falling(i, 3e-4, 3e-5, 1e5),
        "grad_norm": rng.lognormal(0, 0.3, n),
        "tokens_per_s": _rounded(181_000 + rng.normal(0, 900, n), 1),
        "time": _rounded(1.77e9 + i * 1.25, 3),
    }
    columns["loss"][nan] = np.nan
    rows = [
        json.dumps({"step": int(s), "loss": a, "lr": b, "grad_norm": c, "tokens_per_s": d, "time": e})
        for s, a, b, c, d, e in zip(*(c.tolist() for c in columns.values()), strict=True)
    ]
    return rows, [True] * n, columns


#: Columns that count something: an x axis, not a metric. The first one is the step of every row that has all columns.
COUNTERS = {
    "columns": ("steps",),
    "keyvalue": ("iter",),
    "pipes": ("iteration", "consumed", "total"),
    "boxes": ("total_timesteps", "iterations", "n_updates", "time_elapsed"),
    "dicts": ("epoch",),
    "jsonl": ("step", "time"),
}
#: A metric that stands in every ordinary row: its steps and lines are compared one sum each.
EVERYWHERE = {
    "columns": "return", "keyvalue": "time", "pipes": "ms", "boxes": "fps", "dicts": "grad_norm", "jsonl": "grad_norm"
}  # fmt: skip

_MAKERS = {
    "columns": _columns,
    "keyvalue": _keyvalue,
    "pipes": _pipes,
    "boxes": _boxes,
    "dicts": _dicts,
    "jsonl": _jsonl,
}


def write(
    kind: str, megabytes: float, log: Path, csv: Path | None = None, seed: int = 0, nan_share: float = 0.0
) -> dict[str, Any]:
    """Write a log of about ``megabytes`` (10**6 bytes) and the same numbers as clean CSV; return the truth."""
    count: dict[str, int] = {}
    sums: dict[str, list[float]] = {}
    lines = rows = line_sum = step_sum = written = block = 0
    with log.open("wb") as text, (csv or Path("/dev/null")).open("wb") as table:
        while written < megabytes * 1e6:
            rng = np.random.default_rng([seed, sorted(_MAKERS).index(kind), block])
            i = np.arange(block * ROWS, (block + 1) * ROWS)
            nan = rng.random(ROWS) < nan_share
            texts, begins, columns = _MAKERS[kind](rng, i, nan)
            data = ("\n".join(texts) + "\n").encode()
            text.write(data)
            if not block:
                table.write((",".join(columns) + "\n").encode())
            table.write(_csv(columns))
            at = np.flatnonzero(begins)
            dense = columns[EVERYWHERE[kind]]
            at = at[_ordinary(kind, texts, at)]
            line_sum += int((at + 1 + lines).sum())
            step_sum += float(columns[COUNTERS[kind][0]][: dense.size].sum())
            rows, lines, written, block = rows + at.size, lines + len(texts), written + len(data), block + 1
            for name, values in columns.items():
                good = values[~np.isnan(values)]
                count[name] = count.get(name, 0) + good.size
                sums.setdefault(name, []).append(float(good.sum()))
    total = {name: {"count": count[name], "sum": math.fsum(sums[name])} for name in count}
    return {
        "kind": kind, "bytes": written, "lines": lines, "rows": rows, "columns": total,
        "everywhere": EVERYWHERE[kind], "counters": COUNTERS[kind], "line_sum": line_sum, "step_sum": step_sum,
    }  # fmt: skip


def _ordinary(kind: str, texts: list[str], at: np.ndarray) -> np.ndarray:
    """Tell the rows of training from those of evaluation, which lack most columns."""
    if kind not in {"keyvalue", "dicts"}:
        return np.ones(at.size, np.bool_)
    return np.array([not texts[i].startswith(("step ", "{'eval")) for i in at.tolist()], np.bool_)


def _csv(columns: dict[str, np.ndarray]) -> bytes:
    longest = max(c.size for c in columns.values())
    texts = []
    for values in columns.values():
        cells = ["" if v != v else str(int(v)) if v == int(v) and abs(v) < 1e15 else repr(v) for v in values.tolist()]
        texts.append(cells + [""] * (longest - len(cells)))
    return ("\n".join(",".join(row) for row in zip(*texts, strict=True)) + "\n").encode()


if __name__ == "__main__":
    kind, size, out = sys.argv[1:4]
    print(json.dumps(write(kind, float(size), Path(out))))
