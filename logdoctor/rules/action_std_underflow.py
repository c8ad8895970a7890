"""The action noise dies or runs away.

What it finds: a Gaussian policy whose standard deviation falls to almost nothing, or grows by an order of magnitude,
in a run that does not do well.
Why it matters: without spread the policy explores nothing and its log-probabilities explode; in float32 exp(log_std)
ends at zero, and with it the program ("std >= 0").
How it decides: the last tenth is below ``share`` of the first, or below ``dead``, or above ``growth`` times the
first, and performance fell or did not improve; a value that is exactly zero or negative needs no performance.
When it is wrong: a solved task may end with a small spread; such runs improved.
What to do: bound log_std, raise the entropy coefficient, lower the learning rate.
References: rsl_rl#190 ("std >= 0"); Andrychowicz et al. 2021 (arXiv:2006.05990) on the initial spread.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, times, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when the policy's spread dies or runs away."""
    series, hurt = view.finite("action_std"), outcome(view)
    if series is None or len(series) < 10:
        return
    tenth = max(1, len(series) // 10)
    start, late = float(np.median(series.value[:tenth])), float(np.median(series.value[-tenth:]))
    broken = bool((series.value <= 0).any()) and start > 0
    small = start > 0 and (late < limits.share * start or late < limits.dead)
    large = start > 0 and late > limits.growth * start
    if not broken and not ((small or large) and hurt.bad):
        return
    last = len(series) - 1
    border = limits.share * start if small or broken else limits.growth * start
    out = np.flatnonzero(series.value <= border) if small or broken else np.flatnonzero(series.value > border)
    onset = int(out[0]) if out.size else last
    how = (
        f"{times(start / late)} times less"
        if 0 < late < start
        else f"{times(late / start)} times"
        if late > start
        else "zero"
    )
    yield finding(
        RULE,
        view,
        severity="critical" if broken else "warning",
        confidence=0.8,
        metrics=[series.name],
        onset=view.place(series, onset),
        summary=(
            f"{label(series)} went from {say(float(f'{start:.4g}'))} to {say(float(f'{late:.3g}'))} "
            f"({how}){'; ' + hurt.text if hurt.text else ''}."
        ),
        figures={
            "start_median": start,
            "late_median": late,
            "smallest": float(series.value.min()),
            "largest": float(series.value.max()),
        },
        evidence=rows(
            series, [(0, "first"), *((i, "") for i in way(0, last, 2)), (onset, "past the limit"), (last, "last")]
        ),
        analysis="The spread is how this policy explores." if not large else "Actions are dominated by noise.",
    )


def _log(sick: bool) -> str:
    value = np.geomspace(1.0, 1e-5, 60) if sick else np.linspace(1.0, 0.4, 60)
    return table(
        action_std=value, value_loss=1 + np.abs(wobble(size=0.1)), episode_return=failing() if sick else learning()
    )


RULE = Rule(
    id="LD505",
    name="action-std-underflow",
    title="The action noise dies or runs away",
    severity="critical",
    detect=detect,
    needs=(("action_std",),),
    min_points=10,
    thresholds=(
        threshold("share", 0.01, "of the first tenth", "two orders of magnitude", "rsl_rl#190"),
        threshold("dead", 1e-3, "standard deviation", "a thousandth of an action unit explores nothing", "rsl_rl#190"),
        threshold(
            "growth",
            10.0,
            "times the first tenth",
            "an order of magnitude upward",
            "Andrychowicz et al. 2021: initial 0.5",
        ),
    ),
    tags=("policy", "exploration"),
    references=("https://arxiv.org/abs/2006.05990",),
    examples=(
        Example(title="1.0 to 0.00001 while the return falls", log=lambda: _log(True), fires=True),
        Example(title="1.0 to 0.4", log=lambda: _log(False), fires=False),
    ),
)
