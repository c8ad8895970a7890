"""Direction of a series: Theil-Sen slope and Mann-Kendall test on a bounded number of bins.

Both are robust against outliers and against the shape of the noise. A p-value alone is no alarm: with many points
everything is significant, so callers also ask for a material change.
References: Sen 1968 (doi:10.1080/01621459.1968.10480934); Mann 1945; Kendall 1975.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.bins import binned
from logdoctor.model import Floats

BINS = 256  # 32,640 pairs: 1 ms, and averaging in bins takes out most of the autocorrelation between neighbours


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through a series.

    Attributes:
        slope: Theil-Sen slope per point of the series.
        change: slope times length: the rise over the whole stretch, in the unit of the series.
        start: value of the line at the first point.
        tau: Kendall's rank correlation with time, -1 to 1.
        p: two-sided p-value of the Mann-Kendall test.
    """

    slope: float
    change: float
    start: float
    tau: float
    p: float


def trend(value: Floats, bins: int = BINS) -> Trend | None:
    """Return the trend of the finite values of ``value`` (shape ``(n,)``), or None for fewer than four of them."""
    thin = binned(value, bins)
    keep = np.isfinite(thin.value)
    y = thin.value[keep]
    if y.size < 4:
        return None
    x = (0.5 * (thin.first + thin.stop - 1))[keep]
    i, j = np.triu_indices(y.size, 1)
    rise = y[j] - y[i]
    slope = float(np.median(rise / (x[j] - x[i])))
    score = float(np.sign(rise).sum())
    length = float(np.asarray(value).size - 1)
    start = float(np.median(y - slope * x))
    return Trend(slope, slope * length, start, score / i.size, _mann_kendall_p(score, y))


def _mann_kendall_p(score: float, y: Floats) -> float:
    n = y.size
    _, ties = np.unique(y, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18.0
    if variance <= 0:
        return 1.0
    z = (abs(score) - 1.0) / math.sqrt(variance) if score else 0.0
    return math.erfc(max(z, 0.0) / math.sqrt(2.0))


def rank_correlation(a: Floats, b: Floats) -> float:
    """Return Spearman's rank correlation of two equally long series (0 when one is constant)."""
    keep = np.isfinite(a) & np.isfinite(b)
    if keep.sum() < 3:
        return 0.0
    ranks = [
        np.argsort(np.argsort(np.asarray(v)[keep], kind="stable"), kind="stable").astype(np.float64) for v in (a, b)
    ]
    if np.ptp(np.asarray(a)[keep]) == 0 or np.ptp(np.asarray(b)[keep]) == 0:
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def order_p(value: Floats) -> float:
    """Return the one-sided p-value that the order of ``value`` (shape ``(n,)``, finite) is mere scatter.

    Rank version of von Neumann's ratio (Bartels 1982): neighbours of a curve lie closer together than any two values.
    Ranks leave skewed values, such as episode returns, without influence on the test.
    """
    n = value.size
    if n < 8 or np.ptp(value) == 0:
        return 1.0
    _, where, counts = np.unique(value, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - 0.5 * (counts - 1))[where]  # the mean rank of ties
    ratio = float((np.diff(rank) ** 2).sum() / ((rank - rank.mean()) ** 2).sum())
    variance = 4.0 * (n - 2) * (5.0 * n * n - 2 * n - 9) / (5.0 * n * (n + 1) * (n - 1) ** 2)
    return 0.5 * math.erfc((2.0 - ratio) / math.sqrt(2.0 * variance))


def rank_sum_p(a: Floats, b: Floats) -> float:
    """Return the one-sided p-value that ``a`` is no larger than ``b`` (Mann and Whitney 1947, normal approximation).

    Ties are shared and lower the variance; 1 where either is empty or all values are equal.
    """
    n, m = a.size, b.size
    if not n or not m:
        return 1.0
    _, where, counts = np.unique(np.concatenate([a, b]), return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - 0.5 * (counts - 1))[where]
    total = n + m
    ties = float((counts.astype(np.float64) ** 3 - counts).sum()) / (total * (total - 1))
    variance = n * m / 12.0 * (total + 1 - ties)
    if variance <= 0:
        return 1.0
    above = float(rank[:n].sum()) - n * (n + 1) / 2.0 - n * m / 2.0
    return 0.5 * math.erfc((above - 0.5) / math.sqrt(2.0 * variance))
