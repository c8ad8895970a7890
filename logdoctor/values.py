"""One printed token -> one number, or the reason why it is not one.

NaN, an infinity, an empty cell and an unreadable cell are four different things: the first two are observations about
the run, the third is about the logger and the last about this reader.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

NAN = math.nan

#: Flags of :class:`Value`.
OK, IS_NAN, IS_INF, MISSING, UNREADABLE = "", "nan", "inf", "missing", "unreadable"

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
#: A finite decimal number, thousands commas allowed.
FINITE = r"[-+−]?" + _DIGITS
#: What printers write for a number that is none: C, Python, JavaScript, Torch and Windows spellings.
NONFINITE = r"[-+−]?(?:nan(?:\(ind\))?|inf(?:inity)?|1\.#(?:qnan|ind|inf)\d*)(?![A-Za-z_])"
#: A number or a non-finite value, to be used with ``re.IGNORECASE``.
NUMBER = rf"(?:{NONFINITE}|{FINITE})"

_FINITE = re.compile(FINITE)
_NUMBER = re.compile(NUMBER, re.IGNORECASE)
_MISSING = frozenset(
    {"", "[]", "()", "-", "--", "---", "–", "—", "n/a", "na", "none", "null", "err", "error", "?", "nil", "."}
)
_MARKS = "*!†‡^"
_SCALE = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "b": 1e9, "T": 1e12}
_COUNT_SCALE = {**_SCALE, "m": 1e6, "G": 1e9, "g": 1e9}
_WRAPPED = re.compile(
    r"(?:np\.|numpy\.|torch\.|jnp\.)?(?:float(?:16|32|64)?|int(?:8|16|32|64)?|bfloat16|tensor|array|Array|Decimal)"
    r"\(\s*\[?\s*([^\s,()\[\]]+)\s*\]?\s*(?:,[^()]*)?\)$"
)
_TAIL = re.compile(r"\s*([%‰]|[A-Za-zµμ²³°/][A-Za-zµμ0-9²³°/%·.]*(?:\s?/\s?[A-Za-z]+)?)?\s*$")
_NO_UNIT = re.compile(r"^(?:[xXbBoO][0-9a-fA-F]+|[eE])$")  # ``0x1f``, ``5e``: a number cut or written otherwise
_DURATION = re.compile(
    r"^(?:(\d+)\s*d(?:ays?)?,?\s*)?(?:(\d+)\s*h(?:ours?)?\s*)?(?:(\d+)\s*m(?:in(?:utes?)?)?\s*)?(?:(\d+(?:\.\d+)?)\s*s(?:ec(?:onds?)?)?)?$"
)
_CLOCK = re.compile(r"^(?:(\d+)\s*days?,?\s*)?(\d+):(\d{2})(?::(\d{2}(?:\.\d+)?))?$")


class Value(NamedTuple):
    """A number, why it is not finite (``flag``) and the unit printed with it."""

    value: float
    flag: str = OK
    unit: str | None = None


_ABSENT = Value(NAN, MISSING)
_BAD = Value(NAN, UNREADABLE)


def parse(token: str, *, count: bool = False) -> Value:
    """Return the number that ``token`` stands for.

    Thousands commas, a leading plus, the suffixes k, M, B and T, a percent sign, marks such as ``*`` and ``!``, quotes,
    ``np.float64(0.5)``, ``(2e-4,)`` and a unit are understood. A percent stays in percent.

    Args:
        token: what was printed.
        count: the token counts things, so a lower-case ``m`` means a million and ``G`` a thousand million.
    """
    text = token.strip()
    try:
        if "_" not in text:
            number = float(text)
            return Value(number) if math.isfinite(number) else _nonfinite(number)
    except ValueError:
        pass
    return _slow(text, count)


def number(token: str) -> float:
    """Return the number of ``token``, NaN when it is none."""
    return parse(token).value


def _nonfinite(number: float) -> Value:
    return Value(number, IS_NAN if math.isnan(number) else IS_INF)


def _slow(text: str, count: bool) -> Value:
    text = text.strip("\"'` \t").rstrip(_MARKS).strip()
    if text.lower() in _MISSING:
        return _ABSENT
    wrapped = _WRAPPED.match(text)
    if wrapped:
        return parse(wrapped.group(1), count=count)
    if text[:1] in "([" and text[-1:] in ")]":
        inner = text[1:-1].strip().rstrip(",").strip()
        if inner and "," not in inner and " " not in inner:
            return parse(inner, count=count)
        if re.fullmatch(FINITE, inner):
            return parse(inner, count=count)
        return _BAD
    match = _NUMBER.match(text)
    if match is None:
        return _BAD
    return _with_tail(match.group(), text[match.end() :], count)


def _with_tail(head: str, tail: str, count: bool) -> Value:
    value = to_float(head)
    unit = _TAIL.match(tail.rstrip(_MARKS))
    if unit is None:
        return _BAD
    flag = OK if math.isfinite(value) else _nonfinite(value).flag
    suffix = unit.group(1)
    if suffix is None:
        return Value(value, flag)
    if _NO_UNIT.match(suffix):
        return _BAD
    scale = (_COUNT_SCALE if count else _SCALE).get(suffix)
    if scale is not None and not tail[:1].isspace():
        return Value(scaled(head, scale) if flag == OK else value, flag)
    return Value(value, flag, suffix)


def scaled(head: str, scale: float) -> float:
    """Return ``head`` times ``scale``, rounded as decimals are: ``17.7`` with 1e6 is 17700000."""
    value = to_float(head) * scale
    return float(round(value)) if abs(value) < 1e15 and abs(value - round(value)) < 1e-6 * scale else value


def to_float(text: str) -> float:
    """Return the number of a token that matches :data:`NUMBER`."""
    text = text.replace(",", "").replace("−", "-")
    try:
        return float(text)
    except ValueError:
        lower = text.lower()
        if "inf" in lower:
            return -math.inf if lower.startswith("-") else math.inf
        return NAN


def seconds(text: str) -> float | None:
    """Return a duration such as ``1:02:03``, ``7h 35m 48s`` or ``1 day, 0:34:08`` in seconds, None when it is none."""
    text = text.strip()
    clock = _CLOCK.match(text)
    if clock:
        days, first, second, third = clock.groups()
        base = float(days or 0) * 86400
        if third is None:
            return base + int(first) * 60 + int(second)
        return base + int(first) * 3600 + int(second) * 60 + float(third)
    if not text or not text[0].isdigit():
        return None
    parts = _DURATION.match(text)
    if parts is None or not any(parts.groups()):
        return None
    d, h, m, s = (float(part or 0) for part in parts.groups())
    return d * 86400 + h * 3600 + m * 60 + s
