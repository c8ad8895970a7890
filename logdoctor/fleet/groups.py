"""Groups of runs: those that failed in the same way, and sibling seeds of which one stands out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from logdoctor.fleet.row import NAMING, Row

# Iglewicz & Hoaglin (1993): a modified z-score beyond 3.5 is an outlier.
OUTLIER_Z = 3.5
MIN_SIBLINGS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Runs that failed in the same way."""

    signature: tuple[str, ...]
    paths: tuple[str, ...]
    verdicts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlier:
    """A run that ends far from its siblings (same settings but for the seed)."""

    path: str
    metric: str
    final: float
    median: float
    spread: float
    z: float
    siblings: int
    better: bool


def failures(rows: Sequence[Row]) -> tuple[FailureGroup, ...]:
    """Group the failed runs by their signature, largest group first."""
    found: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if row.failed:
            found[row.signature].append(row)
    groups = [
        FailureGroup(signature=k, paths=tuple(r.path for r in v), verdicts=tuple(str(r.verdict) for r in v))
        for k, v in found.items()
    ]
    return tuple(sorted(groups, key=lambda g: (-len(g.paths), g.signature)))


def outliers(rows: Sequence[Row]) -> tuple[Outlier, ...]:
    """Return runs whose final performance lies outside the spread of their siblings."""
    families: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if row.final is not None and row.metric is not None and row.settings:
            same = tuple(sorted((k, str(v)) for k, v in row.settings.items() if k not in NAMING))
            families[(row.stratum, row.metric, same)].append(row)
    found = [outlier for family in families.values() if len(family) >= MIN_SIBLINGS for outlier in _outliers(family)]
    return tuple(sorted(found, key=lambda o: (-abs(o.z), o.path)))


def _outliers(family: Sequence[Row]) -> list[Outlier]:
    finals = [row.final for row in family if row.final is not None and math.isfinite(row.final)]
    if len(finals) < MIN_SIBLINGS:
        return []
    median = _median(finals)
    spread = 1.4826 * _median([abs(v - median) for v in finals])
    found = []
    for row in family:
        if row.final is None or not math.isfinite(row.final) or row.metric is None:
            continue
        # a family whose values are all but equal has no spread to be outside of; 5 % of the median is the floor
        z = (row.final - median) / max(spread, 0.05 * abs(median), 1e-12)
        if abs(z) > OUTLIER_Z:
            better = (z > 0) == (row.goal == "max")
            found.append(
                Outlier(
                    path=row.path,
                    metric=row.metric,
                    final=row.final,
                    median=median,
                    spread=spread,
                    z=z,
                    siblings=len(finals),
                    better=better,
                )
            )
    return found


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
