"""Which settings separate the failed runs from the healthy ones, corrected for how many settings were tried.

Method
    Runs of one *stratum* (same family, same printed metrics) are compared, never unlike tasks. Each setting is cut
    into at most four levels (the values themselves, or quartiles); the statistic is the chi-square of level against
    outcome, summed over strata. Its null distribution comes from shuffling the outcomes within the strata, and the
    smallest p over all settings is corrected by the same shuffles (Westfall & Young 1993, single-step minP), so the
    chance of *any* false claim in a sweep is at most ``ALPHA`` whatever the settings' dependence.
    The interval of an effect is Newcombe's (1998, method 10) for a difference of two proportions.
    A claimed setting that no longer separates at equal values of another claimed one is explained by it; two that
    explain each other (they moved together) cannot be told apart and are reported as confounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from logdoctor.fleet.row import Row
from logdoctor.model import Scalar

ALPHA = 0.05  # family-wise: one sweep in twenty without any real effect may show one claim
SHUFFLES = 4000  # the smallest p that can be told is 1/4001; enough against 60 settings at 0.05
BLOCK = 16_000_000  # outcomes shuffled at a time: 128 MB
MIN_RUNS = 8  # 4 against 4 is the smallest split that can reach p = 0.03 at all (1 / C(8,4) * 2)
MIN_EACH = 2
LEVELS = 4
IGNORED = {"seed", "run_name", "output_dir", "log_dir", "name", "device", "logdir", "save_dir"}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of a setting with its counts."""

    label: str
    failed: int
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One setting that separates failed from healthy runs.

    ``difference`` is the failure rate of the runs on the bad side less that of the others, with a 95 % interval; the
    side was chosen from the same data, so the interval is somewhat too hopeful: ``p`` is not (it is corrected).
    """

    setting: str
    p: float
    levels: tuple[Level, ...]
    bad: str
    difference: float
    low: float
    high: float
    bad_failed: int
    bad_runs: int
    other_failed: int
    other_runs: int
    edge: str = ""
    recommended: str = ""
    confounded_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """The answer for a sweep: effects found, how many settings were tried, and why nothing more can be said."""

    effects: tuple[Effect, ...] = ()
    tried: tuple[str, ...] = ()
    runs: int = 0
    failed: int = 0
    note: str = ""


def separate(rows: Sequence[Row], seed: int = 0) -> Separation:
    """Find the settings that separate failed from healthy runs."""
    judged = [row for row in rows if row.judged]
    failed = np.array([row.failed for row in judged], dtype=bool)
    bare = Separation(runs=len(judged), failed=int(failed.sum()))
    if len(judged) < MIN_RUNS or min(failed.sum(), (~failed).sum(), MIN_EACH) < MIN_EACH:
        need = f"at least {MIN_RUNS} judged runs with {MIN_EACH} failed and {MIN_EACH} healthy ones are needed"
        return replace(bare, note=f"cannot tell: {need}, there are {len(judged)} with {int(failed.sum())} failed")
    strata = _codes([row.stratum for row in judged])
    found = ((name, _levels(values)) for name, values in _settings(judged).items())
    columns = {name: column for name, column in found if column is not None}
    if not columns:
        return replace(bare, note="cannot tell: no setting takes two or more values over the judged runs")
    names = sorted(columns)
    corrected = _corrected([columns[n][0] for n in names], failed, strata, np.random.default_rng(seed))
    claimed = [n for n, p in zip(names, corrected, strict=True) if p <= ALPHA]
    effects = [
        _effect(
            name, float(corrected[names.index(name)]), columns[name], [r.settings.get(name) for r in judged], failed
        )
        for name in claimed
    ]
    effects = _untangle(effects, {n: columns[n][0] for n in claimed}, failed, strata, np.random.default_rng(seed))
    effects.sort(key=lambda e: (e.p, -e.difference, e.setting))
    note = "" if effects else f"no setting of {len(names)} separates failed from healthy runs beyond chance"
    return replace(bare, effects=tuple(effects), tried=tuple(names), note=note)


def _settings(rows: Sequence[Row]) -> Mapping[str, list[Scalar]]:
    names = sorted({name for row in rows for name in row.settings} - IGNORED)
    return {name: [row.settings.get(name, _ABSENT) for row in rows] for name in names}


_ABSENT = "\0absent"


def _codes(values: Sequence[object]) -> NDArray[np.int64]:
    index: dict[object, int] = {}
    return np.array([index.setdefault(value, len(index)) for value in values], dtype=np.int64)


def _levels(values: Sequence[Scalar]) -> tuple[NDArray[np.int64], tuple[str, ...]] | None:
    """Return the level of each run (-1 where the setting is unknown) and the labels, or None when it never varies."""
    known = [v for v in values if v != _ABSENT]
    distinct = list(dict.fromkeys(known))
    if len(distinct) < 2 or len(known) < MIN_RUNS // 2:
        return None
    numbers = [v for v in known if isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v)]
    if len(numbers) == len(known):
        return _numeric_levels(values, sorted({float(v) for v in numbers}), np.array(numbers, dtype=float))
    if len(distinct) > len(known) // 2:
        return None  # a name or a path: it differs from run to run
    labels = sorted(distinct, key=str)
    place = {label: i for i, label in enumerate(labels)}
    return np.array([place.get(v, -1) for v in values], dtype=np.int64), tuple(str(v) for v in labels)


def _numeric_levels(
    values: Sequence[Scalar], distinct: list[float], numbers: Floats
) -> tuple[NDArray[np.int64], tuple[str, ...]] | None:
    if len(distinct) <= LEVELS:
        edges = np.array(distinct)
        labels = tuple(f"{v:g}" for v in distinct)
    else:
        edges = np.unique(np.quantile(numbers, np.linspace(0, 1, LEVELS + 1)[:-1], method="inverted_cdf"))
        tops = [*edges[1:], math.inf]
        labels = tuple(
            f"{a:g} and above" if b == math.inf else f"{a:g} to below {b:g}" for a, b in zip(edges, tops, strict=True)
        )
        if len(edges) < 2:
            return None
    number = [float(v) if v != _ABSENT and isinstance(v, (int, float)) else math.nan for v in values]
    codes = np.searchsorted(edges, np.array(number), side="right") - 1
    return np.where(np.isnan(number), -1, codes).astype(np.int64), labels


def _corrected(
    columns: Sequence[NDArray[np.int64]], failed: NDArray[np.bool_], strata: NDArray[np.int64], rng: np.random.Generator
) -> Floats:
    """Return the minP-corrected p of each column."""
    p = np.empty((len(columns), SHUFFLES + 1))
    for i, statistic in enumerate(_null(columns, failed, strata, rng)):
        order = np.sort(statistic)
        # share of shuffles (the data itself among them) with a statistic at least as large
        p[i] = (statistic.size - np.searchsorted(order, statistic - 1e-9, side="left")) / statistic.size
    smallest = p.min(axis=0)
    order = np.sort(smallest)
    corrected: Floats = np.searchsorted(order, p[:, 0] + 1e-12, side="right") / smallest.size
    return corrected


def _null(
    columns: Sequence[NDArray[np.int64]], failed: NDArray[np.bool_], strata: NDArray[np.int64], rng: np.random.Generator
) -> Floats:
    """Return the statistic of each column for the data (first) and for each shuffle, shape ``(columns, 1 + SHUFFLES)``.

    The shuffles are made in blocks of about ``BLOCK`` outcomes, so that memory does not grow with the number of runs.
    """
    out = np.empty((len(columns), SHUFFLES + 1))
    width = max(1, min(SHUFFLES, BLOCK // max(failed.size, 1)))
    for start in range(0, SHUFFLES + 1, width):
        stop = min(start + width, SHUFFLES + 1)
        outcomes = np.repeat(failed[:, None].astype(float), stop - start, axis=1)
        for stratum in np.unique(strata):
            rows = np.flatnonzero(strata == stratum)
            outcomes[rows] = rng.permuted(outcomes[rows], axis=0)
        if start == 0:
            outcomes[:, 0] = failed
        for i, column in enumerate(columns):
            out[i, start:stop] = _chi_square(column, outcomes, strata)
    return out


def _chi_square(column: NDArray[np.int64], outcomes: Floats, strata: NDArray[np.int64]) -> Floats:
    """Return the chi-square of level against outcome, summed over strata, for each column of ``outcomes``."""
    total = np.zeros(outcomes.shape[1])
    for stratum in np.unique(strata):
        rows = np.flatnonzero((strata == stratum) & (column >= 0))
        levels = np.unique(column[rows])
        if levels.size < 2:
            continue
        y = outcomes[rows]
        rate = y.mean(axis=0)
        spread = np.where((rate > 0) & (rate < 1), rate * (1 - rate), np.inf)
        member = (column[rows][None, :] == levels[:, None]).astype(float)
        count = member.sum(axis=1)
        observed = member @ y
        total += (((observed - count[:, None] * rate) ** 2) / count[:, None]).sum(axis=0) / spread
    return total


def _effect(
    name: str, p: float, column: tuple[NDArray[np.int64], tuple[str, ...]], values: Sequence[Scalar],
    failed: NDArray[np.bool_],
) -> Effect:  # fmt: skip
    codes, labels = column
    levels = []
    for i, label in enumerate(labels):
        here = codes == i
        levels.append(Level(label=label, failed=int(failed[here].sum()), runs=int(here.sum())))
    numeric = [float(v) if isinstance(v, (int, float)) and not isinstance(v, bool) else math.nan for v in values]
    known = codes >= 0
    if all(math.isfinite(v) for v, k in zip(numeric, known, strict=True) if k):
        bad, text, edge, recommended = _numeric_side(np.array(numeric), failed, known)
    else:
        worst = max(levels, key=lambda v: (v.failed / max(v.runs, 1), v.runs))
        bad, text, edge = codes == labels.index(worst.label), f"= {worst.label}", ""
        best = min((v for v in levels if v.runs >= MIN_EACH), key=lambda v: v.failed / v.runs, default=worst)
        recommended = f"= {best.label}" if best is not worst else ""
    other = known & ~bad
    k1, n1, k2, n2 = int(failed[bad].sum()), int(bad.sum()), int(failed[other].sum()), int(other.sum())
    low, high = newcombe(k1, n1, k2, n2)
    return Effect(
        setting=name, p=p, levels=tuple(levels), bad=text, difference=k1 / max(n1, 1) - k2 / max(n2, 1), low=low,
        high=high, bad_failed=k1, bad_runs=n1, other_failed=k2, other_runs=n2, edge=edge, recommended=recommended,
    )  # fmt: skip


def _numeric_side(
    values: Floats, failed: NDArray[np.bool_], known: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], str, str, str]:
    """Return the bad side of the best threshold, its text, the edge of stability and the recommended region."""
    distinct = np.unique(values[known])
    best: tuple[float, float, bool] | None = None
    for cut in distinct[1:]:
        above = known & (values >= cut)
        below = known & (values < cut)
        if min(above.sum(), below.sum()) < MIN_EACH:
            continue
        gap = failed[above].mean() - failed[below].mean()
        weight = abs(gap) * math.sqrt(above.sum() * below.sum())
        if best is None or weight > best[0] + 1e-12:
            best = (weight, float(cut), bool(gap > 0))
    if best is None:
        cut, high_is_bad = float(distinct[-1]), True
    else:
        _, cut, high_is_bad = best
    bad = known & ((values >= cut) if high_is_bad else (values < cut))
    good = known & ~bad
    fine = values[good & ~failed]
    inside = float(distinct[distinct < cut][-1])
    edge = f"between {inside:g} and {cut:g}"
    recommended = f"{fine.min():g} to {fine.max():g}" if fine.size else ""
    return bad, (f">= {cut:g}" if high_is_bad else f"< {cut:g}"), edge, recommended


def newcombe(k1: int, n1: int, k2: int, n2: int) -> tuple[float, float]:
    """Return the 95 % interval of k1/n1 - k2/n2 (Newcombe 1998, method 10: Wilson scores combined)."""
    if n1 == 0 or n2 == 0:
        return -1.0, 1.0
    p1, p2 = k1 / n1, k2 / n2
    l1, u1 = wilson(k1, n1)
    l2, u2 = wilson(k2, n2)
    low = p1 - p2 - math.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    high = p1 - p2 + math.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)
    return max(low, -1.0), min(high, 1.0)


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's (1927) 95 % interval of a proportion."""
    p = k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def _untangle(
    effects: Sequence[Effect], columns: Mapping[str, NDArray[np.int64]], failed: NDArray[np.bool_],
    strata: NDArray[np.int64], rng: np.random.Generator,
) -> list[Effect]:  # fmt: skip
    """Drop effects that another one explains, and name those that cannot be told apart.

    B is explained by A when B no longer separates the runs at equal A while A still does at equal B; when neither does
    (they moved together, or too few runs differ in one alone), the design is confounded.
    """
    alone: dict[tuple[str, str], bool] = {}
    for one in effects:
        for other in effects:
            if one is not other:
                both = _codes(list(zip(strata.tolist(), columns[other.setting].tolist(), strict=True)))
                statistic = _null([columns[one.setting]], failed, both, rng)[0]
                p = float((statistic >= statistic[0] - 1e-9).mean())
                alone[one.setting, other.setting] = p <= ALPHA
    kept = []
    for one in effects:
        rivals = [other.setting for other in effects if other is not one and not alone[one.setting, other.setting]]
        if any(alone[rival, one.setting] for rival in rivals):
            continue
        kept.append(replace(one, confounded_with=tuple(rivals)))
    return kept
