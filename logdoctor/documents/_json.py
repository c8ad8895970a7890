"""JSON with the physical line of every value. Bare NaN and Infinity are taken, as many loggers write them."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

from logdoctor.documents._record import MOST_CELLS

_TOKEN = re.compile(
    r"[ \t\r]*(?:(?P<punct>[{}\[\],:])|(?P<number>-?(?:\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|Infinity|inf)|NaN|nan)"
    r'|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>true|false|null)|(?P<newline>\n))'
)
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
MOST_DEPTH = 64


class Leaf(NamedTuple):
    """A value and its line."""

    value: Any
    line: int


class JsonError(ValueError):
    """The text is no JSON."""


def parse(text: str) -> Any:
    """Return nested dictionaries and lists whose leaves are :class:`Leaf`.

    Raises:
        JsonError: the text is no JSON, is nested deeper than 64 levels or holds more than 5 million values.
    """
    line, at, leaves = 1, 0, 0
    stack: list[Any] = []
    keys: list[str | None] = []
    key: str | None = None
    root: Any = _NOTHING
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise JsonError(f"not JSON at line {line}")
        at = match.end()
        kind = match.lastgroup
        if kind == "newline":
            line += 1
            continue
        token = match[kind or ""]
        if kind == "punct":
            if token in "{[":
                if len(stack) >= MOST_DEPTH:
                    raise JsonError(f"nested too deep at line {line}")
                stack.append({} if token == "{" else [])
                keys.append(key)
                key = None
            elif token in "}]":
                if not stack or isinstance(stack[-1], dict) != (token == "}"):
                    raise JsonError(f"unbalanced bracket at line {line}")
                value, key = stack.pop(), keys.pop()
                root = _put(stack, key, value)
                key = None
            continue
        if kind == "string" and stack and isinstance(stack[-1], dict) and key is None:
            key = _string(token, line)
            continue
        leaves += 1
        if leaves > MOST_CELLS:
            raise JsonError(f"more than {MOST_CELLS} values")
        root = _put(stack, key, Leaf(_value(kind, token, line), line))
        key = None
    if stack or root is _NOTHING:
        raise JsonError("it ends too early")
    return root


_NOTHING = object()


def _put(stack: list[Any], key: str | None, value: Any) -> Any:
    """Put ``value`` into the innermost container; return it when it is the root."""
    if not stack:
        return value
    if isinstance(stack[-1], dict):
        if key is None:
            raise JsonError("a value without a name")
        stack[-1][key] = value
    else:
        stack[-1].append(value)
    return _NOTHING


def _value(kind: str | None, token: str, line: int) -> Any:
    if kind == "word":
        return _WORDS[token]
    if kind == "string":
        return _string(token, line)
    if token.lower() == "nan":
        return math.nan
    if token.lstrip("-").lower() in {"infinity", "inf"}:
        return -math.inf if token.startswith("-") else math.inf
    try:
        return int(token) if len(token) < 32 else float(token)
    except ValueError:
        return float(token)


def _string(token: str, line: int) -> str:
    try:
        text: str = json.loads(token, strict=False)
    except ValueError:
        raise JsonError(f"a broken string at line {line}") from None
    return text


def plain(value: Any) -> Any:
    """Return the value without lines."""
    if isinstance(value, Leaf):
        return value.value
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def first_line(value: Any) -> int:
    """Return the line of the first leaf inside ``value`` (1 when it has none)."""
    if isinstance(value, Leaf):
        return value.line
    inner = value.values() if isinstance(value, dict) else value
    return next((first_line(item) for item in inner), 1)
