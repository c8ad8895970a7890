# ruff: noqa: E501 - lists of odd words
"""Inputs for the property tests: bytes that are almost logs."""

from __future__ import annotations

from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.integers(-(10**9), 10**9).map(str),
    st.sampled_from(["nan", "-nan", "inf", "1e999", "-1e-999", "12,345", "36k", "17.7M", "50%", "n/a", "--", "", "1,2,3", "0x1F", "1_000"]),
)  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(
        [
            "loss",
            "val_loss",
            "step",
            "epoch",
            "Frame",
            "reward",
            "lr",
            "grad_norm",
            "ClipΔ",
            "train/loss",
            "eval loss",
            "κ",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=12),
)
PAIRS = st.lists(st.tuples(NAMES, NUMBERS), min_size=1, max_size=6)
JUNK = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "Traceback (most recent call last):", "RuntimeError: CUDA out of memory", "-----------------", "| rollout/ | |", "\x1b[2J\x1b[H",
            "10%|#    | 1/10\r20%|##   | 2/10", "Namespace(lr=0.1, b=[1, 2], c={'d': (1,)})", "{", "}", "{'loss': nan, 'epoch': 0.5}",
            '{"step": 1, "loss": NaN}', "[AGREE DEBUG] Step 5400:", "  Greedy dist: [  0  66 948   0]", "Learning rate adjusted to 0.0003",
            "=====", "Epoch 3/10", "\x00\x00", "\ufeff", "a\u2028b", "Resuming from frame: 10",
        ]
    ),
)  # fmt: skip


def _key_values(pairs: list[tuple[str, str]]) -> str:
    return " | ".join(f"{name}: {value}" for name, value in pairs)


def _words(pairs: list[tuple[str, str]]) -> str:
    return " ".join(f"{name} {value}" for name, value in pairs)


def _columns(pairs: list[tuple[str, str]]) -> str:
    return "  ".join(f"{name:>10}" for name, _ in pairs) + "\n" + "  ".join(f"{value:>10}" for _, value in pairs)


def _boxed(pairs: list[tuple[str, str]]) -> str:
    return "-" * 20 + "\n" + "\n".join(f"| {name} | {value} |" for name, value in pairs) + "\n" + "-" * 20


def _literal(pairs: list[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name!r}: {value or 'None'}" for name, value in pairs) + "}"


LINES = st.one_of(
    PAIRS.map(_key_values), PAIRS.map(_words), PAIRS.map(_columns), PAIRS.map(_boxed), PAIRS.map(_literal), JUNK,
    st.tuples(st.integers(0, 10**6), PAIRS).map(lambda item: f"step {item[0]} {_key_values(item[1])}"),
)  # fmt: skip
LOGS = st.tuples(st.lists(LINES, max_size=25), st.sampled_from(["\n", "\r\n", "\n\n"])).map(
    lambda item: item[1].join(item[0]).encode("utf-8", errors="replace")
)
#: Logs with a few bytes changed, cut off or inserted.
DAMAGED = st.tuples(LOGS, st.integers(0, 2000), st.binary(max_size=8), st.integers(0, 40)).map(
    lambda item: item[0][: item[1]] + item[2] + item[0][item[1] + item[3] :]
)
REPEATED = st.tuples(LINES, st.integers(3, 30)).map(
    lambda item: "\n".join([item[0]] * item[1]).encode("utf-8", "replace")
)
ANY_LOG = st.one_of(LOGS, DAMAGED, REPEATED, st.binary(max_size=300))
