"""Cuts a setting into a few levels that can be counted against failed and healthy.

A number that most runs share (the default of a program) is cut into *below*, *at* and *above the usual value*, where
the usual value is that of the run's own group: a learning rate of 0.003 is high for one program and ordinary for
another. Values that are spread over a range in one group alone (a grid, a random search) keep their own values or
quartiles. Anything else is a category.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logdoctor.model import Scalar

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

ABSENT = "\0absent"
LEVELS = 4  # quartiles: with more, a sweep of 50 runs has a handful in each
SHARED = 0.4  # share of a group that makes a value its usual one; a grid of three values stays below it
MIN_KNOWN = 4
MOSTLY = 0.5  # share of numbers that makes a setting one; a word among numbers ("auto") is then unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """A setting, cut.

    Attributes:
        codes: the level of each run, -1 where the setting is unknown.
        labels: what each level is called.
        numbers: the value of each run (NaN: unknown), or its ratio to the group's usual value; None for categories.
        relative: whether ``numbers`` are such ratios.
    """

    codes: Codes
    labels: tuple[str, ...]
    numbers: Floats | None = None
    relative: bool = False


def cut(values: Sequence[Scalar], strata: Codes) -> Levels | None:
    """Cut ``values`` (one a run, ``ABSENT`` where unknown), or return None when there is nothing to compare."""
    known = [v for v in values if v != ABSENT]
    distinct = list(dict.fromkeys(known))
    if len(distinct) < 2 or len(known) < MIN_KNOWN:
        return None
    if sum(_is_number(v) for v in known) >= MOSTLY * len(known):
        numbers = np.array([float(v) if _is_number(v) else math.nan for v in values])  # type: ignore[arg-type]
        return _with_none(_numeric(numbers, strata), np.array([v is None for v in values]))
    if len(distinct) > len(known) // 2:
        return None  # a name or a path: it differs from run to run
    labels = sorted(distinct, key=str)
    place = {label: i for i, label in enumerate(labels)}
    codes = np.array([place.get(v, -1) for v in values], dtype=np.int64)
    return Levels(codes=codes, labels=tuple(str(v) for v in labels))


def _with_none(levels: Levels | None, none: NDArray[np.bool_]) -> Levels | None:
    """Add "None" as a level of its own: switched off is a value, and not a small number."""
    if levels is None or not none.any():
        return levels
    codes = np.where(none, len(levels.labels), levels.codes)
    return Levels(codes=codes, labels=(*levels.labels, "None"), numbers=levels.numbers, relative=levels.relative)


def _is_number(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _numeric(numbers: Floats, strata: Codes) -> Levels | None:
    groups = [g for g in np.unique(strata) if np.isfinite(numbers[strata == g]).any()]
    usual = {g: _usual(numbers[strata == g]) for g in groups}
    shared = [share for _, share in usual.values()]
    if len(groups) > 1 or max(shared) >= SHARED:
        return _relative(numbers, strata, {g: value for g, (value, _) in usual.items()})
    return _absolute(numbers)


def _usual(values: Floats) -> tuple[float, float]:
    """Return the most frequent value of a group and its share; the one nearest to the median where several are."""
    finite = values[np.isfinite(values)]
    counts = Counter(finite.tolist())
    most = max(counts.values())
    middle = float(np.median(finite))
    value = min((v for v, n in counts.items() if n == most), key=lambda v: abs(v - middle))
    return (value if most > 1 else middle), most / finite.size


def _relative(numbers: Floats, strata: Codes, usual: dict[np.int64, float]) -> Levels | None:
    base = np.array([usual.get(g, math.nan) for g in strata])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(base == 0, np.where(numbers == 0, 1.0, np.sign(numbers) * math.inf), numbers / base)
    ratio = np.where(base < 0, 2.0 - ratio, ratio)  # keeps "above" above for settings that are usually negative
    side = np.where(np.isclose(ratio, 1.0, rtol=1e-9), 1, np.where(ratio < 1, 0, 2))
    codes = np.where(np.isfinite(numbers), side, -1).astype(np.int64)
    if len(set(codes[codes >= 0].tolist())) < 2:
        return None
    labels = ("below its group's usual value", "the usual value", "above its group's usual value")
    plain = len(usual) == 1
    return Levels(codes=codes, labels=labels, numbers=numbers if plain else ratio, relative=not plain)


def _absolute(numbers: Floats) -> Levels | None:
    finite = numbers[np.isfinite(numbers)]
    distinct = np.unique(finite)
    if distinct.size <= LEVELS:
        edges = distinct
        labels = tuple(f"{v:g}" for v in distinct)
    else:
        edges = np.unique(np.quantile(finite, np.linspace(0, 1, LEVELS + 1)[:-1], method="inverted_cdf"))
        tops = [*edges[1:], math.inf]
        labels = tuple(
            f"{a:g} and above" if b == math.inf else f"{a:g} to below {b:g}" for a, b in zip(edges, tops, strict=True)
        )
    if edges.size < 2:
        return None
    codes = np.searchsorted(edges, numbers, side="right") - 1
    return Levels(codes=np.where(np.isfinite(numbers), codes, -1).astype(np.int64), labels=labels, numbers=numbers)
