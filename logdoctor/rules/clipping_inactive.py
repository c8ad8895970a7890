"""Gradient clipping is off, or does not act.

What it finds: norms far above the stated limit with a clip column that stays at its neutral value, or a run without
any limit whose norm reaches many times its median.
Why it matters: without a limit one bad batch can move the weights by a hundred ordinary updates.
How it decides: the clip column never leaves its neutral value (1.000 as ratio, 0.000 as difference) although the norm
exceeds the stated limit in ``rows`` rows or more; or no limit is stated, or it is stated to be off, and the norm
reaches ``factor`` times its median. Where the log does not speak of clipping at all it must be ``unstated`` times in
a run that suffers. It is a warning where performance or a loss suffered, else a remark.
When it is wrong: the column may show another parameter group than the norm.
What to do: clip the gradient norm, for a start near the 90th percentile of the norms printed.
References: Pascanu et al. 2013 (arXiv:1211.5063); Google tuning playbook.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._gradients import alive, clip_setting, clipping, norms
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times
from logdoctor.rules._values import suffering
from logdoctor.view import RunView

NEVER = 1e6  # a limit this large is a way of writing "off"


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when nothing limits the gradient."""
    clip = clipping(view)
    series = clip.norm if clip is not None else next(iter(map(alive, norms(view))), None)
    if series is None or len(series) < 5 or (clip is not None and clip.clipped.size):
        return
    stated, setting = clip_setting(view)
    if setting is not None and setting >= NEVER:
        setting = None
    if setting is not None and clip is None:
        return  # no column says whether the stated limit acts
    silent = setting is None and not stated and clip is None
    if silent and not (outcome(view).bad or suffering(view)):
        return  # nothing speaks of clipping, and nothing speaks of harm
    positive = series.value[series.value > 0]
    median = float(np.median(positive)) if positive.size else 0.0
    border = setting if setting is not None else (limits.unstated if silent else limits.factor) * median
    above = np.flatnonzero(series.highs > border)
    if silent:
        above = above[above >= max(3, len(series) // 10)]  # norms that start high and fade as a run converges are usual
    if border <= 0 or above.size < (1 if silent else limits.rows) or series.highs.max() < limits.least:
        return
    words = "the clip column never left its neutral value" if clip is not None else "clipping is configured to be off"
    yield _finding(view, series, above, setting, median, "the log states no clip limit" if silent else words)


def _finding(
    view: RunView, series: Series, above: np.ndarray, setting: float | None, median: float, words: str
) -> Finding:
    trouble = outcome(view).text if outcome(view).bad else suffering(view)
    tail = f"; {trouble}" if trouble else ""
    worst = int(np.argmax(series.highs))
    peak = float(series.highs[worst])
    what = (
        f"above the stated limit {say(setting)}"
        if setting is not None
        else f"{times(peak / median)} times its median {say(median)}"
    )
    top = above[np.argsort(-series.highs[above])[:4]]
    return finding(
        RULE,
        view,
        severity="warning" if trouble else "info",
        confidence=0.75,
        metrics=[series.name],
        onset=view.place(series, int(above[0]), "high"),
        summary=(
            f"{label(series)} reached {say(peak)} at {at(view, series, worst, 'high')}, "
            f"{what}, and {words}:"
            f" nothing limited {f'the {above.size:,} largest updates' if above.size > 1 else 'that update'}{tail}."
        ),
        figures={
            "peak": peak,
            "median": median,
            "stated_limit": setting,
            "rows_above": int(above.size),
            "rows": len(series),
        },
        evidence=rows(series, [(0, "first"), *((int(i), "not clipped") for i in top), (worst, "largest")], "high"),
        analysis="An update in proportion to such a norm is many ordinary updates in one.",
    )


def _log(clipped: bool) -> str:
    norm = 1.0 + np.abs(wobble(size=0.1))
    norm[[30, 33, 36, 40, 45]] = 400.0
    return table(
        grad_norm=norm,
        clip_delta=np.minimum(1.0, 10.0 / norm) if clipped else np.ones(60),
        episode_return=learning() if clipped else failing(),
    )


RULE = Rule(
    id="LD308",
    name="clipping-inactive",
    title="Gradient clipping is off or does not act",
    severity="warning",
    detect=detect,
    min_points=5,
    thresholds=(
        threshold(
            "rows",
            3.0,
            "rows above the limit",
            "one row may be printed before the first clip",
            "rldoctor: recurring at 3",
        ),
        threshold(
            "factor",
            10.0,
            "times the median norm",
            "a tenfold norm is what clipping is for",
            "runmedic, trainproof: > 10 x median",
        ),
        threshold(
            "unstated",
            100.0,
            "times the median norm",
            "where nothing speaks of clipping, only a burst does",
            "seed report 002: 100 times normal",
        ),
        threshold(
            "least",
            1.0,
            "gradient norm",
            "below the usual clip limit there is nothing to clip",
            "common max_grad_norm of 0.5 to 1",
        ),
    ),
    tags=("gradients", "clipping", "configuration"),
    references=("https://arxiv.org/abs/1211.5063",),
    examples=(
        Example(title="norms of 400 with a clip ratio of 1.000 throughout", log=lambda: _log(False), fires=True),
        Example(title="norms of 400 clipped to 10", log=lambda: _log(True), fires=False),
    ),
    applies_to=lambda view: None if norms(view) else "no gradient norm in this log",
)
