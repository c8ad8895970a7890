"""Reduces a series to what a report shows of it: one line of the metric table, and a thinned curve."""

from __future__ import annotations

import itertools

import numpy as np

from logdoctor.model import Curve, Metric, Series

CURVE_POINTS = 400  # a picture 700 pixels wide shows no more; extremes of every bin are kept


def metric_of(series: Series) -> Metric:
    """Return the line of the metric table: first, last, smallest and largest value with their lines."""
    some = bool(np.isfinite(series.value).any())
    low = int(np.argmin(np.where(np.isfinite(series.lows), series.lows, np.inf))) if some else 0
    high = int(np.argmax(np.where(np.isfinite(series.highs), series.highs, -np.inf))) if some else 0
    full = len(series) > 0
    return Metric(
        name=series.name,
        raw_name=series.raw_name,
        unit=series.unit,
        count=series.count or len(series),
        missing=series.missing,
        nonfinite=series.nonfinite,
        goal=series.goal,
        first=float(series.value[0]) if full else None,
        first_line=int(series.line[0]) if full else None,
        last=float(series.value[-1]) if full else None,
        last_line=int(series.line[-1]) if full else None,
        min=float(series.lows[low]) if some else None,
        min_line=int(series.low_lines[low]) if some else None,
        max=float(series.highs[high]) if some else None,
        max_line=int(series.high_lines[high]) if some else None,
    )


def curve_of(series: Series) -> Curve:
    """Thin a series to at most ``CURVE_POINTS`` points, keeping the extremes of each bin."""
    n = len(series)
    if n <= CURVE_POINTS:
        keep = np.arange(n)
    else:
        edges = np.linspace(0, n, CURVE_POINTS // 2 + 1).astype(int)
        picks: set[int] = set()
        for a, b in itertools.pairwise(edges):
            part = series.value[a:b]
            odd = np.flatnonzero(~np.isfinite(part))
            if odd.size:
                picks.add(a + int(odd[0]))
            if odd.size < part.size:
                picks |= {a + int(np.nanargmin(np.where(np.isfinite(part), part, np.nan)))}
                picks |= {a + int(np.nanargmax(np.where(np.isfinite(part), part, np.nan)))}
        keep = np.array(sorted(picks))
    return Curve(
        metric=series.name, clock=series.clock,
        step=tuple(float(x) for x in series.step[keep]),
        value=tuple(float(x) for x in series.value[keep]),
        line=tuple(int(x) for x in series.line[keep]),
    )  # fmt: skip
