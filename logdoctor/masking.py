"""Takes private details out of log text before it is shown elsewhere: paths, hosts, addresses, user names, secrets.

Patterns cannot know every secret. Whatever is masked keeps its kind and the end of a path, so that a bug report stays
readable; numbers, metric names (``train/loss``) and counters (``68k/19279``) are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_METRIC_AT = r"acc|accuracy|prec|precision|recall|hit|hits|map|ap|ndcg|mrr|top|pass|r|p|f1|bleu|ppl|loss|auc|iou"
_TLD = (
    r"com|org|net|edu|gov|mil|int|io|ai|co|dev|app|cloud|local|localdomain|internal|intranet|lan|corp|home|cluster|info|me"
    r"|de|fr|uk|eu|nl|ch|at|it|es|se|no|fi|dk|pl|cz|jp|cn|kr|in|au|ca|us|br|ru"
)
_NAME = r"[\w.@+~$%#-]+"


def _path(match: re.Match[str]) -> str:
    """Keep the last component: ``<path>/train.py``."""
    last = re.split(r"[\\/]", match[0].rstrip("\\/"))[-1]
    return f"<path>/{last}" if re.fullmatch(r"[\w-]{1,40}(\.\w{1,8}){1,2}", last) else "<path>"


def _secret_value(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}<secret>"


def _named(kind: str) -> Callable[[re.Match[str]], str]:
    return lambda match: f"{match[1]}{match[2]}<{kind}>"


def _opaque(match: re.Match[str]) -> str:
    """Long runs of letters and digits are keys or hashes; words and plain numbers are not."""
    text = match[0]
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    number = re.fullmatch(r"[-+]?[\d_.,]+(e[-+]?\d+)?", text, re.IGNORECASE)
    wordy = "_" in text and max(len(word) for word in re.split(r"[_-]", text)) < 16
    return "<secret>" if mixed and not number and not wordy else text


_ROOT = r"(?<![\w.%])(?:~|\b[A-Za-z]:|file:)?(?:\\\\|\\|/)"  # ~/ C:\ file:/ \\server or a plain slash
_QUOTED_ROOT = r"(?:~?/|[A-Za-z]:[\\/]|\\\\)"
_ASSIGN = r"['\"]?)(\s*[:=]\s*)['\"]?"

# Kind of thing, pattern, and whether upper and lower case are the same. The order matters: what is masked stays masked.
_PATTERNS: tuple[tuple[str | Callable[[re.Match[str]], str], str, bool], ...] = (
    ("<secret>", r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|$)", False),
    (_secret_value, r"\b(authorization|bearer|basic)(\s*[:=]?\s+)(?:bearer\s+|basic\s+)?[\w.~+/=-]{8,}", True),
    (
        _secret_value,
        r"\b([\w-]*(?:passw(?:or)?d|passwd|secret|api[_-]?key|access[_-]?key|token|credential|private[_-]?key)s?"
        + _ASSIGN
        + r"(?![\d.,+-]+(?:e[+-]?\d+)?(?:[\s,;|]|$))[^\s'\",;]+",
        True,
    ),
    ("<secret>", r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bhf_\w{16,}", False),
    ("<secret>", r"\bAKIA[0-9A-Z]{12,}|\bxox[abprs]-[\w-]{10,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.?[\w-]*", False),
    ("<url>", r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>)\]]+", True),
    ("<address>", rf"\b(?!(?:{_METRIC_AT})@)[\w.+-]+@[a-z][\w-]*(?:\.[\w-]+)*(?::[~/][^\s]*)?", True),
    (_path, rf"(?<=[\"']){_QUOTED_ROOT}[^\"'\n]+(?=[\"'])", False),
    (_path, rf"{_ROOT}(?:[\w.@+~$ -]*[\w.@+~$-])?(?:[\\/]{_NAME})+[\\/]?", False),
    (_path, rf"(?<![\w.%/])(?:\.{{1,2}}/|~/){_NAME}(?:/{_NAME})*/?", False),
    (_path, rf"(?<![\w.%/])(?:{_NAME}/){{2,}}[\w.-]*[A-Za-z_][\w-]*\.[A-Za-z]\w{{1,5}}\b", False),
    (
        _named("host"),
        r"\b((?:host(?:name)?|node(?:name|list)?|server|machine|master_addr)" + _ASSIGN + r"[\w.:-]*[a-z][\w.:-]*",
        True,
    ),
    (_named("name"), r"\b((?:user(?:name)?|login|account|entity|owner)" + _ASSIGN + r"[\w.-]*[a-z][\w.-]*", True),
    (_named("host"), r"^((?:[A-Z][a-z]{2}\s+\d+ [\d:]{8}) )()\S+(?= \S+?(?:\[\d+\])?:)", False),
    (_named("host"), r"^()()\S+?(?=:\d+:\d+ \[\d+\] NCCL)", False),
    ("<host>", r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)(?::\d+)?", False),
    ("<host>", r"(?<![\w:.])(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}(?![\w:])", True),
    ("<host>", rf"(?<![\w.@/-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_TLD})(?![\w.(]*[\w(])(?::\d+)?", True),
    ("<id>", r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", True),
    (_opaque, r"(?<![\w./+=-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w/+=-])", False),
    ("<secret>", r"(?<![\w.])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{20,}(?![\w.])", True),
)  # fmt: skip
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE if blind else 0), replacement) for replacement, pattern, blind in _PATTERNS
)


def mask(text: str) -> str:
    """Return one line of text without private details; ``<path>``, ``<host>`` ... say what stood there."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
