"""Which settings separate the failed runs from the healthy ones, corrected for how many settings were tried.

Method
    Runs of one *stratum* (same family, format, performance metric and environment) are compared, never unlike tasks.
    Each setting is cut into at most four levels (:mod:`logdoctor.fleet.levels`); the statistic sums observed less
    expected failures per level over the strata. Its null distribution comes from shuffling the outcomes within the
    strata, and the smallest p over all settings and all ways of failing is corrected by the same shuffles (Westfall &
    Young 1993, single-step minP), so the chance of *any* false claim in a sweep is at most ``ALPHA``.
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

from logdoctor.fleet.levels import ABSENT, Levels, cut
from logdoctor.fleet.row import NAMING, Row
from logdoctor.model import Scalar

ALPHA = 0.05  # family-wise: one sweep in twenty without any real effect may show one claim
SHUFFLES = 4000  # the smallest p that can be told is 1/4001; enough against 60 settings at 0.05
BLOCK = 16_000_000  # outcomes shuffled at a time: 128 MB
MIN_RUNS = 8  # 4 against 4 is the smallest split that can reach p = 0.03 at all (1 / C(8,4) * 2)
MIN_EACH = 2

# What failing can mean, by the names of the findings; None: any of them.
OUTCOMES: dict[str, frozenset[str] | None] = {
    "failed": None,
    "diverged": frozenset(
        {"loss-explosion", "loss-not-finite", "loss-divergence", "gradient-explosion", "gradient-not-finite",
         "q-divergence", "kl-blow-up", "critic-loss-explosion", "actor-loss-explosion", "feature-norm-explosion"}
    ),
    "never learned": frozenset({"never-learned", "loss-not-learning", "loss-at-chance", "nothing-was-trained"}),
    "collapsed": frozenset({"performance-collapse", "agreement-collapse", "entropy-collapse", "deterministic-policy"}),
}  # fmt: skip

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of a setting with its counts."""

    label: str
    failed: int
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One setting that separates runs that failed (in the way ``outcome``) from healthy ones.

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
    outcome: str = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """The answer for a sweep: effects found, how many settings were tried, and why nothing more can be said."""

    effects: tuple[Effect, ...] = ()
    tried: tuple[str, ...] = ()
    runs: int = 0
    failed: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One way of failing, asked of the runs that failed in it and of the healthy ones."""

    outcome: str
    failed: NDArray[np.bool_]
    strata: NDArray[np.int64]
    columns: Mapping[str, Levels]


def separate(rows: Sequence[Row], seed: int = 0) -> Separation:
    """Find the settings that separate failed from healthy runs, for any failure and for each way of failing."""
    judged = [row for row in rows if row.judged]
    failed = sum(row.failed for row in judged)
    bare = Separation(runs=len(judged), failed=failed)
    if len(judged) < MIN_RUNS or min(failed, len(judged) - failed) < MIN_EACH:
        need = f"at least {MIN_RUNS} judged runs with {MIN_EACH} failed and {MIN_EACH} healthy ones are needed"
        return replace(bare, note=f"cannot tell: {need}, there are {len(judged)} with {failed} failed")
    questions = [q for outcome, names in OUTCOMES.items() if (q := _question(outcome, names, judged)) is not None]
    tried = tuple(sorted({name for question in questions for name in question.columns}))
    if not tried:
        return replace(bare, note="cannot tell: no setting takes two or more values over the judged runs")
    rng = np.random.default_rng(seed)
    corrected = _corrected(questions, rng)
    effects = [effect for question in questions for effect in _answer(question, corrected, rng)]
    note = "" if effects else f"no setting of {len(tried)} separates failed from healthy runs beyond chance"
    return replace(bare, effects=_once(effects), tried=tried, note=note)


def _question(outcome: str, names: frozenset[str] | None, judged: Sequence[Row]) -> _Question | None:
    """Take the runs that failed in this way and the healthy ones; None when there are too few of either."""

    def hit(row: Row) -> bool:
        return row.failed and (names is None or any(f.name in names and f.severity != "info" for f in row.findings))

    rows = [row for row in judged if hit(row) or not row.failed]
    failed = np.array([hit(row) for row in rows], dtype=bool)
    if len(rows) < MIN_RUNS or min(failed.sum(), (~failed).sum()) < MIN_EACH:
        return None
    strata = _codes([row.stratum for row in rows])
    found = ((name, cut(values, strata)) for name, values in _settings(rows).items())
    columns = {name: levels for name, levels in found if levels is not None}
    return _Question(outcome=outcome, failed=failed, strata=strata, columns=columns)


def _answer(question: _Question, corrected: Mapping[tuple[str, str], float], rng: np.random.Generator) -> list[Effect]:
    claimed = [name for name in question.columns if corrected[question.outcome, name] <= ALPHA]
    effects = [
        _effect(name, corrected[question.outcome, name], question.columns[name], question.failed, question.outcome)
        for name in claimed
    ]
    return _untangle(effects, {n: question.columns[n].codes for n in claimed}, question.failed, question.strata, rng)


def _once(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    """Keep, for each setting, the way of failing that it separates best."""
    best: dict[str, Effect] = {}
    for effect in sorted(effects, key=lambda e: (e.p, -e.difference, e.outcome != "failed")):
        best.setdefault(effect.setting, effect)
    return tuple(sorted(best.values(), key=lambda e: (e.p, -e.difference, e.setting)))


def _settings(rows: Sequence[Row]) -> Mapping[str, list[Scalar]]:
    names = sorted({name for row in rows for name in row.settings} - NAMING)
    return {name: [row.settings.get(name, ABSENT) for row in rows] for name in names}


def _codes(values: Sequence[object]) -> NDArray[np.int64]:
    index: dict[object, int] = {}
    return np.array([index.setdefault(value, len(index)) for value in values], dtype=np.int64)


def _corrected(questions: Sequence[_Question], rng: np.random.Generator) -> dict[tuple[str, str], float]:
    """Return the minP-corrected p of each (outcome, setting), corrected over all of them."""
    keys: list[tuple[str, str]] = []
    p: list[Floats] = []
    for question in questions:
        codes = [levels.codes for levels in question.columns.values()]
        for name, statistic in zip(question.columns, _null(codes, question.failed, question.strata, rng), strict=True):
            order = np.sort(statistic)
            # share of shuffles (the data itself among them) with a statistic at least as large
            keys.append((question.outcome, name))
            p.append((statistic.size - np.searchsorted(order, statistic - 1e-9, side="left")) / statistic.size)
    table = np.array(p)
    smallest = np.sort(table.min(axis=0))
    corrected = np.searchsorted(smallest, table[:, 0] + 1e-12, side="right") / smallest.size
    return {key: float(value) for key, value in zip(keys, corrected, strict=True)}


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
    """Return the statistic of one setting for each column of ``outcomes``.

    Per level, observed less expected failures are summed over the strata before they are squared (Mantel and Haenszel
    1959), so that the same effect in several small groups adds up.
    """
    size = int(column.max()) + 1
    gap = np.zeros((size, outcomes.shape[1]))
    variance = np.zeros((size, outcomes.shape[1]))
    for stratum in np.unique(strata):
        rows = np.flatnonzero((strata == stratum) & (column >= 0))
        levels = np.unique(column[rows])
        if levels.size < 2:
            continue
        y = outcomes[rows]
        rate = y.mean(axis=0)
        member = (column[rows][None, :] == levels[:, None]).astype(float)
        count = member.sum(axis=1)[:, None]
        gap[levels] += member @ y - count * rate
        variance[levels] += count * (rows.size - count) / (rows.size - 1) * rate * (1 - rate)
    statistic: Floats = np.divide(gap**2, variance, out=np.zeros_like(gap), where=variance > 0).sum(axis=0)
    return statistic


def _effect(name: str, p: float, levels: Levels, failed: NDArray[np.bool_], outcome: str) -> Effect:
    codes, labels = levels.codes, levels.labels
    known = codes >= 0
    counted = tuple(
        Level(label=label, failed=int(failed[codes == i].sum()), runs=int((codes == i).sum()))
        for i, label in enumerate(labels)
    )
    worst = max(counted, key=lambda v: (v.failed / max(v.runs, 1), v.runs))
    if levels.numbers is not None and worst.label != "None":
        side = _numeric_side(
            levels.numbers,
            failed,
            known & np.isfinite(levels.numbers),
            " times its group's usual value" if levels.relative else "",
        )
    else:
        side = _category_side(codes, counted)
    other = known & ~side.bad
    k1, n1, k2, n2 = int(failed[side.bad].sum()), int(side.bad.sum()), int(failed[other].sum()), int(other.sum())
    low, high = newcombe(k1, n1, k2, n2)
    return Effect(
        setting=name, p=p, levels=counted, bad=side.text, difference=k1 / max(n1, 1) - k2 / max(n2, 1), low=low,
        high=high, bad_failed=k1, bad_runs=n1, other_failed=k2, other_runs=n2, edge=side.edge,
        recommended=side.recommended, outcome=outcome,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """The runs on the bad side of a setting, and how to say it."""

    bad: NDArray[np.bool_]
    text: str
    edge: str = ""
    recommended: str = ""


def _category_side(codes: NDArray[np.int64], levels: Sequence[Level]) -> _Side:
    worst = max(levels, key=lambda v: (v.failed / max(v.runs, 1), v.runs))
    best = min((v for v in levels if v.runs >= MIN_EACH), key=lambda v: v.failed / v.runs, default=worst)
    recommended = f"= {best.label}" if best is not worst else ""
    return _Side(bad=codes == list(levels).index(worst), text=f"= {worst.label}", recommended=recommended)


def _numeric_side(values: Floats, failed: NDArray[np.bool_], known: NDArray[np.bool_], unit: str) -> _Side:
    """Find the threshold that separates best; the edge of stability lies between the values on its two sides."""
    distinct = np.unique(values[known])
    best: tuple[float, float, bool] | None = None
    for cut_at in distinct[1:]:
        above, below = known & (values >= cut_at), known & (values < cut_at)
        if min(above.sum(), below.sum()) < MIN_EACH:
            continue
        gap = failed[above].mean() - failed[below].mean()
        weight = abs(gap) * math.sqrt(above.sum() * below.sum())
        if best is None or weight > best[0] + 1e-12:
            best = (weight, float(cut_at), bool(gap > 0))
    _, cut_at, high_is_bad = best or (0.0, float(distinct[-1]), True)
    bad = known & ((values >= cut_at) if high_is_bad else (values < cut_at))
    fine = values[known & ~bad & ~failed]
    inside = float(distinct[distinct < cut_at][-1])
    span = f"{fine.min():g} to {fine.max():g}" if fine.size and fine.min() < fine.max() else ""
    recommended = span or (f"{fine.min():g}" if fine.size else "")
    return _Side(
        bad=bad,
        text=f"{'>=' if high_is_bad else '<'} {cut_at:g}{unit}",
        edge=f"between {inside:g} and {cut_at:g}{unit}",
        recommended=f"{recommended}{unit}" if recommended else "",
    )


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
