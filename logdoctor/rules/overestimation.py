"""Q rises while returns fall.

What it finds: a mean (or largest) Q value above every return the run has shown, still rising while performance falls.
Why it matters: the policy maximises a value that the environment does not pay.
How it decides: the last fifth of the Q magnitude is ``above`` times the largest printed return and ``rising`` above
its own middle, returns are not negative, and performance fell. The divergence rule comes first; this one is for slow
growth.
When it is wrong: Q in other units than the printed return (scaled rewards).
What to do: double Q-learning, a slower target network, a larger replay buffer, a lower learning rate.
References: van Hasselt et al. 2016 (arXiv:1509.06461); Fujimoto et al. 2018 (arXiv:1802.09477).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import failing, learning, table
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, change, finding, say, threshold, times, way
from logdoctor.rules._values import largest_return, scale
from logdoctor.rules.q_divergence import diverged
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when Q exceeds all returns and rises while they fall."""
    q, top, hurt = scale(view), largest_return(view), outcome(view)
    if q is None or top is None or not hurt.fell or len(q.size) < 10 or diverged(view) is not None:
        return
    largest, returns = top
    if float(np.median(returns.value)) <= 0 or float(np.median(q.size.value[-(len(q.size) // 5) :])) <= 0:
        return
    m = q.magnitude
    late, middle = float(np.median(m[-(m.size // 5) :])), float(np.median(m[2 * m.size // 5 : 3 * m.size // 5]))
    if late < limits.above * largest or late < (1 + limits.rising) * middle:
        return
    above = np.flatnonzero(m > largest)
    last, best = len(q.size) - 1, int(np.argmax(returns.value))
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[q.size.name, returns.name],
        onset=view.place(q.size, int(above[0])),
        summary=(
            f"Q reaches {say(float(q.size.value[last]))} at {at(view, q.size, last)}, {times(late / largest)} "
            "times the largest"
            f" return ever printed ({label(returns)} {say(largest)}, line {int(returns.line[best])}), and rises "
            f"while {hurt.text}."
        ),
        figures={
            "late_median": late,
            "middle_median": middle,
            "largest_return": largest,
            "largest_return_line": int(returns.line[best]),
            "ratio": late / largest,
        },
        evidence=q.rows(
            [
                (0, "first"),
                (int(above[0]), "above every return"),
                *((i, change(float(m[i]), float(m[0]))) for i in way(0, last, 2)),
                (last, "last"),
            ]
        ),
        analysis="A discounted value cannot exceed the undiscounted return it estimates.",
    )


def _log(sick: bool) -> str:
    return table(
        q_value=np.linspace(90, 220, 60) if sick else np.linspace(0, 80, 60),
        episode_return=failing() if sick else learning(),
    )


RULE = Rule(
    id="LD410",
    name="overestimation",
    title="Q rises while returns fall",
    severity="warning",
    detect=detect,
    min_points=10,
    thresholds=(
        threshold("above", 1.2, "times the largest return", "a fifth above the impossible", "van Hasselt et al. 2016"),
        threshold(
            "rising",
            0.1,
            "above the middle fifth",
            "a tenth more than in the middle of the run",
            "van Hasselt et al. 2016, figure 3",
        ),
    ),
    tags=("values",),
    references=("https://arxiv.org/abs/1509.06461",),
    examples=(
        Example(title="Q 220 with a best return of 104 that falls", log=lambda: _log(True), fires=True),
        Example(title="Q 80 below the return", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if scale(view) is not None else "no Q values in this log",
)
