"""Q values above what rewards can add up to.

What it finds: Q values larger than any discounted sum of the run's rewards.
Why it matters: such a value cannot be true, whatever the policy does; it is overestimation, or Q and reward are in
different units.
How it decides: the bound is r/(1-gamma). With a configured reward clip r is exact and the median of the second half
must exceed the bound; else r is estimated as the 90th percentile of return over length, and the excess must be
``estimated`` times. Nothing is said where the divergence rule already reports the same values.
When it is wrong: rewards may be scaled before training (then the printed return is in other units).
What to do: clip or scale rewards, use double Q-learning, check that terminal states do not bootstrap.
References: van Hasselt et al. 2018 (arXiv:1812.02648): max |Q| > r_max/(1-gamma) is soft divergence.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import learning, table
from logdoctor.rules._outcome import outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, say, threshold, times
from logdoctor.rules._values import bound, bound_of, scale
from logdoctor.rules.q_divergence import diverged
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when the settled Q values exceed the bound."""
    q = scale(view)
    limit = bound_of(view, q) if q is not None else None
    if q is None or limit is None or len(q.size) < 5 or diverged(view) is not None:
        return
    late = q.magnitude[len(q.size) // 2 :]
    factor = 1.0 if limit.exact else limits.estimated
    if float(np.median(late)) <= factor * limit.value:
        return
    worst = int(np.argmax(q.magnitude))
    over = np.flatnonzero(q.magnitude > factor * limit.value)
    peak = float(q.size.value[worst])
    yield finding(
        RULE,
        view,
        severity="warning" if outcome(view).bad or limit.exact else "info",
        confidence=0.7 if limit.exact else 0.55,
        metrics=[s.name for s in (q.low, q.high) if s is not None] or [q.size.name],
        onset=view.place(q.size, int(over[0])),
        summary=(
            f"Q reaches {say(peak)} at {at(view, q.size, worst)}, {times(abs(peak) / limit.value)} times {limit.text};"
            f" {over.size:,} of {len(q.size):,} rows lie more than {say(factor)} times above it."
        ),
        figures={
            "peak": peak,
            "bound": limit.value,
            "bound_reward": limit.reward,
            "gamma": limit.gamma,
            "late_median": float(np.median(late)),
            "rows_above": int(over.size),
            "rows": len(q.size),
        },
        evidence=q.rows([(int(over[0]), "first above"), (worst, "largest"), (len(q.size) - 1, "last")]),
        analysis=(
            "No policy can earn that much, so the values are overestimated, or rewards are scaled before training."
        ),
    )


def _missing(view: RunView) -> str | None:
    """Say what the bound lacks, and only that: gamma may come from the log or from the configuration."""
    if bound(view):
        return None
    gamma = view.number("gamma", "discount")
    if gamma is None:
        return "gamma is neither in the log nor given (--config)"
    if not 0 < gamma < 1:
        return f"gamma is {say(gamma)}: returns that are not discounted have no bound"
    lacking = [
        words
        for names, words in ((("episode_return", "reward"), "returns"), (("episode_length",), "episode lengths"))
        if view.first(*names) is None
    ]
    if lacking:
        return f"no {' and no '.join(lacking)} in the log, and no reward clip, so the largest reward is unknown"
    return "returns and episode lengths do not stand together in three rows of this log"


def _log(top: float) -> str:
    return f"gamma: 0.9\nreward_clip: 1.0\n{table(q_max=np.full(60, top), episode_return=learning())}"


RULE = Rule(
    id="LD403",
    name="q-above-bound",
    title="Q values above what rewards can add up to",
    severity="warning",
    detect=detect,
    min_points=5,
    thresholds=(
        threshold(
            "estimated",
            10.0,
            "times an estimated bound",
            "a mean hides large single rewards",
            "van Hasselt et al. 2018 with an order of margin",
        ),
    ),
    tags=("values",),
    references=("https://arxiv.org/abs/1812.02648",),
    examples=(
        Example(
            title="Q of 40 with rewards clipped to 1 and gamma 0.9",
            log=lambda: _log(40.0),
            fires=True,
            hyperparameters={"gamma": 0.9, "reward_clip": 1.0},
        ),
        Example(
            title="Q of 8 under a bound of 10",
            log=lambda: _log(8.0),
            fires=False,
            hyperparameters={"gamma": 0.9, "reward_clip": 1.0},
        ),
    ),
    applies_to=lambda view: "no Q values in this log" if scale(view) is None else _missing(view),
)
