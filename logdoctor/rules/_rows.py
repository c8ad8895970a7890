"""How rules of this package write: numbers, places and evidence rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.model import Evidence, Finding, Place, Scalar, Series, Severity
from logdoctor.rules._record import Threshold

if TYPE_CHECKING:
    from logdoctor.rules._record import Rule
    from logdoctor.view import RunView

PRINTED = 10  # digits of a figure that a log prints for people: shown as they stand
DIGITS = 7  # as many as float32 holds: what is left of a longer one
_POWERS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def threshold(name: str, value: float, unit: str, why: str, reference: str) -> Threshold:
    """Return a threshold; positional, so that a rule's thresholds read as a table."""
    return Threshold(name=name, value=value, unit=unit, why=why, reference=reference)


def say(value: float | None) -> str:
    """Write an observed number as it can be found in the log: thousands commas, no printed digit lost."""
    if value is None:
        return "n/a"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if value == 0:
        return "0"
    if abs(value) >= 1e16 or abs(value) < 1e-5:
        return power(value)
    if float(value).is_integer():
        return f"{int(value):,}"
    digits = DIGITS if _long(value) else PRINTED
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(places, 15)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _long(value: float) -> bool:
    """Whether ``value`` needs more digits than a log prints for people: it was computed, or dumped by a machine."""
    return len(repr(abs(value)).split("e")[0].replace(".", "").lstrip("0")) > PRINTED


def power(value: float) -> str:
    """Write ``value`` as 7.36 × 10¹²."""
    exponent = math.floor(math.log10(abs(value))) if value else 0
    return f"{value / 10.0**exponent:.3g} × 10{str(exponent).translate(_POWERS)}"


def big(value: float) -> str:
    """Write an observed number, with its power of ten beside it when it is too long to be read."""
    return say(value) if abs(value) < 1e6 or abs(value) >= 1e16 else f"{say(value)} ({power(value)})"


def times(ratio: float) -> str:
    """Write a derived factor: 1.84, 12.3, 378, 41,219."""
    if not math.isfinite(ratio):
        return "infinitely many"
    if abs(ratio) >= 1e6:
        return power(ratio)
    return f"{ratio:,.0f}" if abs(ratio) >= 100 else f"{ratio:.3g}"


def change(new: float, old: float) -> str:
    """Write the change from ``old`` to ``new`` in percent: ``+117 %``; a change of sign or from zero is left out."""
    if old == 0 or not math.isfinite(new) or not math.isfinite(old) or (new < 0) != (old < 0):
        return ""
    percent = 100.0 * (new - old) / abs(old)
    return f"{percent:+,.0f} %" if abs(percent) >= 10 else f"{percent:+.1f} %"


def clock_of(view: RunView, series: Series) -> str:
    """Name the counter of ``series`` for a sentence: ``frame``, ``step``, ``epoch`` ... or ``line``."""
    clocks = view.run.reading.clocks
    if series.clock is not None:
        return series.clock.lower()
    name = next((c.name for c in clocks if c.primary), clocks[0].name if clocks else "")
    return name.lower() if name else "line"


def at(view: RunView, series: Series, index: int, where: str = "value") -> str:
    """Write a position: ``frame 50,731,928 (line 1300)``."""
    place = view.place(series, index, where)
    clock = clock_of(view, series)
    if clock == "line" or place.step is None:
        return f"line {place.line}"
    return f"{clock} {say(place.step)} (line {place.line})"


def started(series: Series) -> Series:
    """Return ``series`` without its leading exact zeros: rows printed before anything was measured."""
    moved = np.flatnonzero(series.value != 0)
    if not moved.size or moved[0] == 0 or moved[0] > 0.2 * len(series):
        return series
    return series.where(np.arange(len(series)) >= moved[0])


def rows(series: Series, picks: Iterable[tuple[int, str]], where: str = "value") -> tuple[Evidence, ...]:
    """Return evidence rows in file order; notes for the same point are joined."""
    from logdoctor.view import RunView

    notes: dict[int, list[str]] = {}
    for index, note in picks:
        index = int(index) % len(series)
        notes.setdefault(index, [])
        if note and note not in notes[index]:
            notes[index].append(note)
    return tuple(RunView.evidence(series, i, ", ".join(notes[i]), where) for i in sorted(notes))


def way(first: int, last: int, count: int = 3) -> list[int]:
    """Return up to ``count`` points evenly between ``first`` and ``last``, both left out."""
    if last - first < 2:
        return []
    inner = np.linspace(first, last, count + 2)[1:-1].round().astype(int)
    return sorted({int(i) for i in inner if first < i < last})


def journey(
    series: Series, first: int, worst: int, last: int, what: str = "peak", on_way: int = 2, calm: int | None = None
) -> tuple[Evidence, ...]:
    """Return the rows of a table like a hand-written one: first, some on the way, worst, last, each with its change.

    ``calm`` is a row at the level before, where the row ``first`` has left it already.
    """
    calm = first if calm is None else calm
    base = float(series.value[calm])
    along = [first, *way(first, worst, on_way), worst, *way(worst, last, 1), last]
    picks = [(calm, "baseline")]
    picks += [(i, change(float(series.value[i]), base)) for i in along if i != calm]
    picks.append((worst, what))
    return rows(series, picks)


def finding(
    rule: Rule,
    view: RunView,
    *,
    severity: Severity,
    confidence: float,
    summary: str,
    metrics: Iterable[str],
    onset: Place | None = None,
    end: Place | None = None,
    figures: Mapping[str, Scalar] | None = None,
    evidence: Iterable[Evidence] = (),
    analysis: str = "",
    explained_by: Iterable[str] = (),
    segment: int = 0,
    benign: bool = False,
) -> Finding:
    """Fill in a finding of ``rule``; numpy numbers become plain ones."""
    return Finding(
        id=rule.id,
        name=rule.name,
        title=rule.title,
        severity=severity,
        confidence=confidence,
        summary=summary,
        metrics=tuple(metrics),
        segment=segment or (view.segments[0] if view.segments else 0),
        onset=onset,
        end=end,
        figures={key: _plain(item) for key, item in (figures or {}).items()},
        evidence=tuple(evidence),
        analysis=analysis,
        explained_by=tuple(explained_by),
        benign=benign or rule.benign,
    )


def _plain(value: Scalar) -> Scalar:
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    return float(value) if isinstance(value, np.floating) else value
