"""TD error does not fall.

What it finds: a temporal-difference error without a trend in a run that does not get better.
Why it matters: the TD error is what the critic is trained to reduce; flat means that it does not converge.
How it decides: the change along a robust trend line is below ``flat`` of its median, the last fifth is not below the
first by more than that, and performance fell or did not improve.
When it is wrong: rewards that keep rising bring new errors in; such a run improves and is left in peace.
What to do: look at target updates, learning rate and the scale of features and rewards.
References: Fujimoto et al. 2018 (arXiv:1802.09477); seed report 003: 9.7 (stable), expected to fall to 5 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.trend import trend
from logdoctor.model import Finding
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import change, finding, rows, say, threshold, way
from logdoctor.rules.critic_loss_explosion import falling
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when the TD error is flat in a run that does not improve."""
    series = next((s for n in view.names if n.startswith("td_error") and (s := view.finite(n)) is not None), None)
    hurt = outcome(view)
    if series is None or len(series) < 5 or not (hurt.bad or falling(view)):
        return
    line = trend(series.value)
    median = float(np.median(series.value))
    fifth = max(1, len(series) // 5)
    early, late = float(np.median(series.value[:fifth])), float(np.median(series.value[-fifth:]))
    if (
        line is None
        or median <= 0
        or abs(line.change) > limits.flat * median
        or abs(late - early) > limits.flat * median
    ):
        return
    last = len(series) - 1
    first_value, last_value = float(series.value[0]), float(series.value[-1])
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.65,
        metrics=[series.name],
        onset=view.place(series, 0),
        summary=(
            f"{label(series)} stays at {say(float(f'{median:.4g}'))} (median; first {say(first_value)}, last "
            f"{say(last_value)},"
            f" {change(last_value, first_value) or 'no change'}): the critic does not converge; "
            f"{hurt.text or 'performance declines'}."
        ),
        figures={
            "median": median,
            "first": first_value,
            "last": last_value,
            "early_median": early,
            "late_median": late,
            "trend_change": line.change,
        },
        evidence=rows(series, [(0, "first"), *((i, "") for i in way(0, last, 3)), (last, "last")]),
        analysis="A critic that learns reduces this error; here it is as large at the end as at the start.",
    )


def _log(sick: bool) -> str:
    error = 9.7 + wobble(size=0.2) if sick else np.linspace(9.7, 2.0, 60)
    return table(
        td_error=error, critic_loss=1 + np.abs(wobble(size=0.1)), episode_return=failing() if sick else learning()
    )


RULE = Rule(
    id="LD408",
    name="td-error-flat",
    title="TD error does not fall",
    severity="warning",
    detect=detect,
    min_points=5,
    thresholds=(
        threshold(
            "flat",
            0.1,
            "of its median",
            "less than a tenth over the whole run",
            "TheDeepChecker: fall below 5 % a check; doubled for noise",
        ),
    ),
    tags=("values", "critic"),
    references=("https://arxiv.org/abs/1802.09477",),
    examples=(
        Example(title="9.7 from start to end while the return falls", log=lambda: _log(True), fires=True),
        Example(title="falls from 9.7 to 2", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if any(n.startswith("td_error") for n in view.names) else "no td_error in this log",
)
