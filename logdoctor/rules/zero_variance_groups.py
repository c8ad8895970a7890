"""All answers to a prompt earn the same reward, so nothing is learned from it.

What it finds: a large share of prompts whose group of answers has no spread in reward.
Why it matters: group-relative advantages of such prompts are exactly zero; the batch shrinks to what is left.
How it decides: the median share over the last fifth is at least ``some`` (warning) or ``most`` (critical, unless the
mean reward shows that the prompts have become easy).
When it is wrong: a solved task has no spread left; the mean reward then stands near its maximum and the finding says
so.
What to do: filter prompts that are always or never solved (dynamic sampling), larger groups, harder or easier data.
References: rldoctor (0.30 / 0.50 / 0.75; mean reward at least 0.85 "too easy", at most 0.15 "too hard"); DAPO
(arXiv:2503.14476).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._names import ZERO_GROUPS, named
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when most groups have no spread."""
    series = named(view, ZERO_GROUPS)
    if series is None or float(series.value.max()) > 1.0:
        return
    late = float(np.median(series.value[-max(3, len(series) // 5) :]))
    if late < limits.some:
        return
    reward = view.finite("reward") or view.finite("episode_return")
    level = float(np.median(reward.value[-5:])) if reward is not None else None
    why = (
        ""
        if level is None
        else (
            " The prompts are too easy by now."
            if level >= 0.85
            else " The prompts are too hard."
            if level <= 0.15
            else ""
        )
    )
    last = len(series) - 1
    high = np.flatnonzero(series.value >= limits.some)
    easy = level is not None and level >= 0.85
    yield finding(
        RULE,
        view,
        severity="critical" if late >= limits.most and not easy else "warning",
        confidence=0.85,
        metrics=[series.name],
        onset=view.place(series, int(high[0])),
        summary=(
            f"{late:.0%} of the prompts give no signal over the last fifth of the run: all their answers"
            f" earn the same ({label(series)}, last {say(float(series.value[last]))} at {at(view, series, last)}).{why}"
        ),
        figures={"late_share": round(late, 4), "first_share": float(series.value[0]), "mean_reward": level},
        evidence=rows(series, [(0, "start"), *((i, "") for i in way(0, last, 2)), (last, "last row")]),
        analysis="The advantage of an answer is its reward minus the mean of its group; without spread it is zero.",
    )


def _log(share: float) -> str:
    return table(
        completion_length=ramp(200, 250, noise=5),
        frac_reward_zero_std=ramp(share, share, noise=0.01),
        reward=ramp(0.1, 0.4, noise=0.02),
        kl=ramp(0.01, 0.02),
    )


RULE = Rule(
    id="LD903",
    name="zero-variance-groups",
    title="Groups of answers without any spread in reward",
    severity="critical",
    detect=detect,
    thresholds=(
        threshold("some", 0.5, "of the prompts", "half of the batch is lost", "rldoctor: 0.30 / 0.50 / 0.75"),
        threshold("most", 0.75, "of the prompts", "little is left to learn from", "rldoctor: 0.75"),
    ),
    tags=("language-models", "reward"),
    references=("https://arxiv.org/abs/2503.14476",),
    examples=(
        Example(title="80 % of the groups", log=lambda: _log(0.8), fires=True),
        Example(title="10 % of the groups", log=lambda: _log(0.1), fires=False),
    ),
)
