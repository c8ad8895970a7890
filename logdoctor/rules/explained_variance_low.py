"""The critic explains nothing.

What it finds: an explained variance that stays near zero or below in a run that does not do well.
Why it matters: below zero the value function predicts returns worse than their mean would; advantages are noise then.
How it decides: the median of the second half is below ``low``, and performance fell or did not improve; or it is below
``low`` in ``always`` of all rows while a value loss above ``large`` stays at ``falls`` of its start or higher.
When it is wrong: when all returns are equal (a solved task) the measure is undefined and prints near zero; such runs
improved and are left in peace.
What to do: normalise rewards or returns, raise vf_coef or the critic's capacity, look at gamma against the horizon.
References: Stable-Baselines3 logger manual (explained_variance); Schulman, "Nuts and bolts of deep RL".
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import failing, learning, ramp, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when explained variance stays low in a bad run."""
    series = view.finite("explained_variance")
    hurt = outcome(view)
    if series is None or len(series) < 10 or hurt.series is None:
        return
    hopeless = "" if hurt.bad else never_fits(view, series, limits)
    if not hurt.bad and not hopeless:
        return
    late = float(np.median(series.value[len(series) // 2 :]))
    if late >= limits.low:
        return
    high = np.flatnonzero(series.value >= limits.low)
    onset = int(high[-1]) + 1 if high.size and high[-1] + 1 < len(series) else 0
    worst, last = int(np.argmin(series.value)), len(series) - 1
    below = int((series.value < limits.low).sum())
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[series.name],
        onset=view.place(series, min(onset, last)),
        summary=(
            f"{label(series)} has a median of {say(float(f'{late:.3g}'))} in the second half and is below "
            f"{say(limits.low)} in"
            f" {below:,} of {len(series):,} rows: the critic predicts no better than a constant;"
            f" {hopeless or hurt.text}."
        ),
        figures={"late_median": late, "rows_below": below, "rows": len(series), "lowest": float(series.value[worst])},
        evidence=rows(series, [(0, "first"), *((i, "") for i in way(0, last, 2)), (worst, "lowest"), (last, "last")]),
        analysis="Advantages computed with such a baseline are as noisy as the returns themselves.",
    )


def never_fits(view: RunView, series: Series, limits: Limits) -> str:
    """Return a clause on a large value loss that never falls under a critic that never explains anything, else empty.

    Whatever the return does meanwhile, it does it without a baseline.
    """
    value = view.finite("value_loss") or view.finite("critic_loss")
    if value is None or len(value) < 20 or len(series) < 20:
        return ""
    fifth = len(value) // 5
    early, late = float(np.median(value.value[:fifth])), float(np.median(value.value[-fifth:]))
    nothing = float((series.value < limits.low).mean()) >= limits.always
    if not nothing or early < limits.large or late < limits.falls * early:
        return ""
    first, last = (say(float(f"{level:.4g}")) for level in (early, late))
    return f"{label(value)} stands at {first} in the first fifth of the rows and at {last} in the last"


def _log(sick: bool) -> str:
    value = wobble(size=0.02) if sick else np.clip(ramp(0.0, 0.9, noise=0.02), -1, 1)
    return table(
        explained_variance=value,
        value_loss=1 + np.abs(wobble(size=0.1)),
        episode_return=failing() if sick else learning(),
    )


RULE = Rule(
    id="LD405",
    name="explained-variance-low",
    title="The critic explains nothing",
    severity="warning",
    detect=detect,
    needs=(("explained_variance",),),
    min_points=10,
    thresholds=(
        threshold(
            "low",
            0.05,
            "explained variance",
            "0 is what a constant prediction reaches",
            "Stable-Baselines3 manual: 0 or below is bad",
        ),
        threshold("always", 0.9, "of the rows", "it never learns, not even for a while", "Stable-Baselines3 manual"),
        threshold(
            "large",
            1000.0,
            "value loss",
            "returns of about ten give squared errors below a hundred",
            "Jones 2021: scale rewards to returns of ±10",
        ),
        threshold("falls", 0.8, "of its start", "a value loss that is learned from falls", "Spinning Up: loss trends"),
    ),
    tags=("values", "critic"),
    references=("https://stable-baselines3.readthedocs.io/en/master/common/logger.html",),
    examples=(
        Example(title="near zero throughout while the return falls", log=lambda: _log(True), fires=True),
        Example(title="rises to 0.9", log=lambda: _log(False), fires=False),
    ),
)
