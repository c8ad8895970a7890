"""What the gradient rules share: which series are gradient norms, and what the clipping columns say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.model import Floats, Ints, Series

if TYPE_CHECKING:
    from logdoctor.view import RunView

EXACT = 0.02  # relative scatter within which products or differences of printed figures count as one constant


def norms(view: RunView) -> list[Series]:
    """Return the judged gradient-norm series, the global one first."""
    found = [s for name in view.names if _is_norm(name) and (s := view.get(name)) is not None]
    return sorted(found, key=lambda s: (s.name != "grad_norm", -len(s)))


def _is_norm(name: str) -> bool:
    """Whether a metric is a gradient norm: it says so, or it is the norm of a network and of nothing else."""
    return "grad_norm" in name or name in {"actor_norm", "critic_norm", "policy_norm", "value_norm", "generator_norm"}


def alive(series: Series) -> Series:
    """Return the finite values of ``series``."""
    return series.where(np.isfinite(series.value))


@dataclass(frozen=True, slots=True, eq=False)
class Clipping:
    """What GradNorm and the clip column say about the limit in force.

    Attributes:
        meaning: ``ratio`` (norm after / norm before) or ``difference`` (norm before minus limit).
        limit: the measured limit, None when no row was clipped.
        clipped: indices into ``norm`` of the clipped rows.
        norm: gradient norm before clipping of the rows where both were printed.
        delta: the clip column of the same rows.
    """

    meaning: str
    limit: float | None
    clipped: Ints
    norm: Series
    delta: Series

    @property
    def strongest(self) -> tuple[float, int]:
        """The largest part of a norm that clipping removed (0 to 1) and the row of it."""
        if not self.clipped.size:
            return 0.0, 0
        norm, delta = self.norm.value[self.clipped], self.delta.value[self.clipped]
        cut = 1 - delta if self.meaning == "ratio" else delta / norm
        return float(cut.max()), int(self.clipped[np.argmax(cut)])


def clipping(view: RunView) -> Clipping | None:
    """Return how clipping shows in the log, or None when the log has no gradient norm or no clip column."""
    norm, delta = view.get("grad_norm"), view.get("clip_delta")
    if norm is None or delta is None:
        return None
    _, i, j = np.intersect1d(norm.line, delta.line, return_indices=True)
    pick_i, pick_j = np.zeros(len(norm), dtype=bool), np.zeros(len(delta), dtype=bool)
    ok = np.isfinite(norm.value[i]) & np.isfinite(delta.value[j]) & (norm.value[i] > 0)
    pick_i[i[ok]], pick_j[j[ok]] = True, True
    norm, delta = norm.where(pick_i), delta.where(pick_j)
    return _read(norm, delta) if len(norm) >= 2 else None


def _read(norm: Series, delta: Series) -> Clipping:
    g, d = norm.value, delta.value
    as_ratio = np.flatnonzero((d < 0.9995) & (d > 0))
    as_difference = np.flatnonzero(d > 0)
    ratio_scatter = _scatter(g[as_ratio] * d[as_ratio])
    difference_scatter = _scatter(g[as_difference] - d[as_difference])
    ratio = bool(d.max() <= 1.0 and d.min() >= 0 and (ratio_scatter <= difference_scatter or (d == 1.0).mean() > 0.5))
    if ratio and not (d == 0).all():
        limit = float(np.median(g[as_ratio] * d[as_ratio])) if as_ratio.size else None
        return Clipping("ratio", limit if ratio_scatter < EXACT else None, as_ratio, norm, delta)
    limit = float(np.median(g[as_difference] - d[as_difference])) if as_difference.size else None
    return Clipping("difference", limit if difference_scatter < EXACT else None, as_difference, norm, delta)


def _scatter(value: Floats) -> float:
    if not value.size:
        return np.inf
    center = float(np.median(value))
    return float(np.median(np.abs(value - center))) / abs(center) if center else np.inf


def clip_setting(view: RunView) -> tuple[bool, float | None]:
    """Return whether the run states a clip limit at all, and the limit (None when clipping is stated to be off)."""
    item = view.setting("max_grad_norm")
    if item is None:
        return False, None
    number = view.number("max_grad_norm")
    return True, number if number and number > 0 else None


@dataclass(frozen=True, slots=True)
class Death:
    """First dead point, the level before it, and how many of the points after it lie below the border."""

    index: int
    level: float
    border: float
    below: int
    count: int


def death_of(
    series: Series, small: float = 0.01, shrunk: float = 0.05, quiet: float = 0.7, rows: int = 10, share: float = 0.05
) -> Death | None:
    """Find the row from which a norm stays down, or None (the thresholds are explained in the rule gradient-dead)."""
    value = series.value
    n = value.size
    need = max(rows, share * n)
    positive = value[value > 0]
    if n < 2 * rows or not positive.size:
        return None
    level = float(np.quantile(positive, 0.75)) if (value > 0).mean() < 0.75 else float(np.median(positive))
    level = max(level, float(np.median(value[: max(5, n // 10)])))
    border = min(small, shrunk * level)
    low = value < border
    if not low.any() or low[: max(5, n // 10)].mean() > 0.5:
        return None
    tail = np.cumsum(low[::-1])[::-1] / np.arange(n, 0, -1)
    first = np.flatnonzero(low & (tail >= quiet))
    if not first.size or n - first[0] < need:
        return None
    index = int(first[0])
    before = value[max(0, index - max(20, n // 10)) : index]
    level = float(np.median(before)) if before.size else level
    if level <= 0 or border > shrunk * level * 5:
        return None
    return Death(index, level, border, int(low[index:].sum()), n - index)
