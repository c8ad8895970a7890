"""Numbers, counters and durations as words: a figure is written in one way in every sentence and table."""

from __future__ import annotations

import math
import re

from logdoctor.model import Clock, Scalar

DIGITS = 7  # as many as float32 holds; more are shown only where a log printed them as a short decimal
SHORT = 10  # digits of the shortest decimal that means the same number: up to here it is what the log printed
MANY_TIMES = 10.0  # from ten times on, "x 42,000" reads better than "+4,199,900 %"
_ACTION = re.compile(r"([a-z]+)_action_share_(\d+)$")
_POWERS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SINGULAR = {
    "frames": "frame", "steps": "step", "env steps": "step", "epochs": "epoch", "episodes": "episode",
    "updates": "update", "iterations": "iteration", "lines": "line", "batches": "batch", "tokens": "token",
    "samples": "sample", "ticks": "tick", "rounds": "round",
}  # fmt: skip


def number(value: Scalar, digits: int = DIGITS) -> str:
    """Return an observed value: as many digits as a log prints, thousands separated, no trailing zeros."""
    if value is None:
        return "–"
    if isinstance(value, (bool, str)):
        return str(value)
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    size = abs(value)
    if size >= 1e16 or 0 < size < 1e-6:
        return power(value)
    if value.is_integer():
        return f"{int(value):,}"
    exact = f"{size:.{SHORT}g}"
    places = max(0, digits - 1 - math.floor(math.log10(size)))
    if float(exact) == size and "e" not in exact:
        places = len(exact.partition(".")[2])
    text = f"{value:,.{min(places, 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def power(value: float) -> str:
    """Return ``7.36 × 10¹²``."""
    mantissa, exponent = f"{value:.2e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa} × 10{str(int(exponent)).translate(_POWERS)}"


def rounded(value: Scalar, digits: int = 3) -> str:
    """Return a derived value to ``digits`` significant digits."""
    if isinstance(value, (bool, str)) or value is None or not math.isfinite(float(value)):
        return number(value)
    value = float(value)
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e7 or size < 1e-5:
        return power(value)
    return number(round(value, digits - 1 - math.floor(math.log10(size))))


def steps(value: float | None, exact: bool = False) -> str:
    """Return a counter: ``50.6M``, ``36.5k``, ``600``; the full number with separators when ``exact``."""
    if value is None or not math.isfinite(value):
        return "?"
    if exact or abs(value) < 10_000:
        return number(round(value, 3))
    for limit, unit in _UNITS:
        # 999,996 is 1M and not 1000k: the unit is chosen after rounding.
        if abs(value) >= limit * 0.9995:
            scaled = value / limit
            return f"{scaled:.4g}{unit}" if abs(scaled) >= 100 else f"{scaled:.3g}{unit}"
    return number(value)


def round_steps(value: float) -> float:
    """Return a round number of steps near ``value``: 1, 2 or 5 times a power of ten."""
    if value <= 1:
        return 1.0
    power_of_ten = 10.0 ** math.floor(math.log10(value))
    return float(min((1, 2, 5, 10), key=lambda m: abs(m * power_of_ten - value)) * power_of_ten)


def change(first: float, value: float) -> str:
    """Return how far ``value`` is from ``first``: ``+117 %``, ``x 42,000``, ``/ 125``; empty where it has no sense."""
    if not (math.isfinite(first) and math.isfinite(value)) or first == 0 or value == first:
        return ""
    if value == 0 or (first < 0) != (value < 0):
        return ""
    ratio = value / first
    if ratio >= MANY_TIMES or (first < 0 and ratio >= 2):  # "-576 %" of a negative number is read by nobody
        return f"x {rounded(ratio)}"
    if ratio <= 1 / MANY_TIMES:
        return f"/ {rounded(1 / ratio)}"
    share = (value - first) / abs(first) * 100
    return f"{share:+.0f} %" if abs(share) >= 1 else f"{share:+.1f} %"


def percent(share: float) -> str:
    """Return a share of 1 as percent."""
    return f"{share * 100:.0f} %"


def hours(value: float) -> str:
    """Return a duration given in hours: ``3.2 h``, ``12 min``, ``40 s``, ``2.5 days``."""
    if value >= 48:
        return f"{value / 24:.1f} days"
    if value >= 1:
        return f"{value:.1f} h"
    return f"{value * 60:.0f} min" if value >= 1 / 60 else f"{value * 3600:.0f} s"


def unit_word(clock: Clock | None) -> str:
    """Return what one counter reading is called: ``frame``, ``step``, ``epoch``, ``line``."""
    if clock is None:
        return "step"
    return _SINGULAR.get(clock.unit, _SINGULAR.get(clock.name.lower(), "step"))


def plural(word: str) -> str:
    """Return the plural of a counter's name: ``frames``, ``batches``."""
    return f"{word}es" if word.endswith("batch") else f"{word}s"


def counted(value: float, word: str) -> str:
    """Return ``5M frames`` or ``1 epoch``."""
    return f"{steps(value)} {word if value == 1 else plural(word)}"


def action_name(metric: str) -> str:
    """Return ``greedy action 2`` for ``greedy_action_share_2``, nothing for any other metric."""
    match = _ACTION.match(metric)
    return f"{match[1]} action {match[2]}" if match else ""


def lower_first(text: str) -> str:
    """Lower the first letter, unless the first word is a name such as GradNorm, KL, Q or Agree%."""
    word = text.split(" ")[0].rstrip(",:;")
    if word in {"A", "An", "The"}:
        return text[:1].lower() + text[1:]
    named = sum(c.isupper() for c in word) > 1 or len(word) == 1 or not word.replace("-", "").isalpha()
    return text if named else text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """Raise the first letter."""
    return text[:1].upper() + text[1:]
