"""Gradient norm swings while the run gets worse.

What it finds: a gradient norm that moves up and down by a large factor without direction, and what share of it the
clip limit cut off, in a run whose performance or values break down.
Why it matters: with a step size in proportion, updates overshoot and are corrected again and again.
How it decides: the 95th over the 5th percentile is at least ``swing`` and the norm has no steady trend, or the
strongest clipping removed at least ``cut`` of a norm; and the run suffered (performance fell, a slope turned
negative, Q values collapsed). In a run that does well such swings are normal and nothing is said.
When it is wrong: norms of single batches scatter more than averages.
What to do: lower the learning rate, accumulate gradients over more batches, check for non-finite values.
References: seed report on Q divergence; Google tuning playbook.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Evidence, Finding, Floats, Scalar
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._gradients import Clipping, alive, clipping, norms
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times
from logdoctor.rules._values import suffering
from logdoctor.view import RunView

STEADY = 0.6  # rank correlation with time from which a norm is drifting and not swinging


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the main norm."""
    series = next(iter(map(alive, norms(view))), None)
    trouble = suffering(view)
    if series is None or len(series) < 5 or not trouble:
        return
    positive = series.where(series.value > 0)
    if len(positive) < 5 or abs(rank_correlation(np.arange(len(positive), dtype=np.float64), positive.value)) > STEADY:
        return
    low, high = (float(q) for q in np.quantile(positive.value, [0.05, 0.95]))
    clip = clipping(view)
    cut = clip.strongest[0] if clip is not None else 0.0
    if high / low < limits.swing and cut < limits.cut:
        return
    bottom, top = _ends(positive.value, low, high)
    text, figures, extra = _clip_text(clip, view)
    yield finding(
        RULE,
        view,
        severity="warning" if clip is not None else "info",
        confidence=0.6,
        metrics=[series.name, *(["clip_delta"] if clip else [])],
        onset=view.place(positive, top),
        summary=(
            f"{label(series)} swings between {say(float(positive.value[bottom]))} and {say(float(positive.value[top]))}"
            f" ({times(float(positive.value[top] / positive.value[bottom]))} times){text}; {trouble}."
        ),
        figures={
            "smallest": float(positive.value[bottom]),
            "largest": float(positive.value[top]),
            "ratio": float(positive.value[top] / positive.value[bottom]),
            "percentile_5": low,
            "percentile_95": high,
        }
        | figures,
        evidence=[
            *rows(positive, [(0, "first"), (bottom, "smallest"), (top, "largest"), (len(positive) - 1, "last")]),
            *extra,
        ],
        analysis="The optimiser bounces instead of converging: large and small updates alternate without direction.",
    )


def _ends(value: Floats, low: float, high: float) -> tuple[int, int]:
    """Return the smallest and the largest value, or those at the percentiles where one outlier makes the range."""
    if value.max() / value.min() <= 3 * high / low:
        return int(np.argmin(value)), int(np.argmax(value))
    return int(np.argmin(np.abs(value - low))), int(np.argmin(np.abs(value - high)))


def _clip_text(clip: Clipping | None, view: RunView) -> tuple[str, dict[str, Scalar], tuple[Evidence, ...]]:
    if clip is None:
        return "", {}, ()
    d = clip.delta
    low, high = int(np.argmin(d.value)), int(np.argmax(d.value))
    if np.ptp(d.value) == 0:
        return "", {}, ()
    cut, worst = clip.strongest
    text = f", {label(d)} between {say(float(d.value[low]))} and {say(float(d.value[high]))}"
    if clip.clipped.size:
        text += f", {100 * cut:.0f} % cut off at {at(view, d, worst)}, {clip.clipped.size} of {len(d)} rows clipped"
    figures: dict[str, Scalar] = {
        "clip_smallest": float(d.value[low]),
        "clip_largest": float(d.value[high]),
        "largest_cut": cut,
        "clipped_rows": int(clip.clipped.size),
        "clip_limit": clip.limit,
    }
    return text, figures, rows(d, [(low, "smallest"), (high, "largest")])


def _log(sick: bool) -> str:
    norm = 6.0 + 2.2 * np.sin(np.arange(60) * 2.1) + wobble(size=0.2)
    return table(
        grad_norm=norm, clip_delta=np.minimum(1.0, 5.0 / norm), episode_return=failing() if sick else learning()
    )


RULE = Rule(
    id="LD311",
    name="gradient-swings",
    title="Gradient norm swings while the run gets worse",
    severity="warning",
    detect=detect,
    min_points=5,
    thresholds=(
        threshold(
            "swing",
            2.0,
            "times, 95th over 5th percentile",
            "twofold swings of an averaged norm",
            "seed report 001: swinging 2 times or more",
        ),
        threshold(
            "cut", 0.2, "of the norm clipped away", "a ratio below 0.8", "seed report 001: ClipΔ often below 0.8"
        ),
    ),
    tags=("gradients",),
    examples=(
        Example(title="norm between 4 and 8 while the return falls", log=lambda: _log(True), fires=True),
        Example(title="the same norm while the return rises", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if norms(view) else "no gradient norm in this log",
)
