"""What the agent is trained on contradicts what the run is for.

What it finds: a reward of the agent that is far below zero while the objective part beside it is positive; or, in a
run that does not do well, one negative part that makes up most of a reward printed in parts.
Why it matters: an agent that is punished whatever it does learns to avoid the punishment and not to earn the objective:
the reward, and not the learner, is what has to change.
How it decides: the agent's reward is negative and the objective positive in ``often`` of at least ``rows`` rows, and
the former is ``times`` the size of the latter. Parts: at least three columns of one prefix (reward/..., rew_...); one
negative part holds ``part`` of the sum of their sizes in the median row, in ``often`` of the rows it is the largest,
and performance fell or did not improve.
When it is wrong: a task whose rewards are all costs (time, energy) is negative by design; it has no positive objective.
What to do: scale the penalty down until it no longer outweighs the objective, or give it only where the agent can
avoid it; print each part with its share.
References: Ng et al. 1999 (policy invariance under reward shaping); Skalse et al. 2022 (arXiv:2209.13085); sibling
documents D-11 (-9,000 against +1,150), T-11 (76 %) and T-13 (92.9 %).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Floats, Series
from logdoctor.rules._examples import ROWS, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times, way
from logdoctor.view import RunView

AGENT = ("dqn_reward_1m", "dqn_reward", "reward")
PREFIX = re.compile(r"^(?:(?:mean_)?episode_)?(?:rewards?|rew)_(?!mean|std|min|max|slope|total|sum|scale|clip|avg)")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding: total against objective first, else a part that outweighs all others."""
    found = _against_objective(view, limits) or _penalty(view, limits)
    if found is not None:
        yield found


def _against_objective(view: RunView, limits: Limits) -> Finding | None:
    goal = view.finite("obj_reward")
    own = view.first(*AGENT)
    if goal is None or own is None:
        return None
    (a, b), _ = _aligned([own, goal])
    if a.size < int(limits.rows) or float(((a < 0) & (b > 0)).mean()) < limits.often:
        return None
    size, paid = float(np.median(-a)), float(np.median(b))
    if size < limits.times * paid:
        return None
    series, last = own, len(own) - 1
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[own.name, goal.name],
        onset=view.place(series, int(np.argmax(series.value < 0))),
        summary=(
            f"{label(own)} is about {say(float(f'{-size:.4g}'))} while {label(goal)} is about"
            f" +{say(float(f'{paid:.4g}'))} (medians of {a.size:,} rows; opposite signs in"
            f" {float(((a < 0) & (b > 0)).mean()):.0%} of them): penalties {times(size / paid)} times the objective"
            " decide what is learned."
        ),
        figures={"agent_median": -size, "objective_median": paid, "ratio": size / paid, "rows": int(a.size)},
        evidence=[
            *rows(series, [(0, "first"), *((i, "") for i in way(0, last, 2)), (last, "last")]),
            *rows(goal, [(0, "objective"), (len(goal) - 1, "objective, last")]),
        ],
        analysis="The agent is punished whatever it earns, so it learns to avoid the penalty.",
    )


def _penalty(view: RunView, limits: Limits) -> Finding | None:
    hurt = outcome(view)
    parts = [s for n in view.names if PREFIX.search(n) and (s := view.finite(n)) is not None and s.value.any()]
    if len(parts) < 3 or not hurt.bad:
        return None
    values, lines = _aligned(parts)
    if lines < int(limits.rows):
        return None
    sizes = np.abs(np.array(values))
    share = sizes / np.maximum(sizes.sum(axis=0), 1e-300)
    top = int(np.argmax(np.median(share, axis=1)))
    held, level = float(np.median(share[top])), float(np.median(values[top]))
    if level >= 0 or held < limits.part or float((np.argmax(share, axis=0) == top).mean()) < limits.often:
        return None
    series = parts[top]
    last, worst = len(series) - 1, int(np.argmin(series.value))
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.6,
        metrics=[series.name],
        onset=view.place(series, 0),
        summary=(
            f"{label(series)} makes up {held:.0%} of the size of all {len(parts)} parts of the reward (median of"
            f" {lines:,} rows) and is negative (median {say(float(f'{level:.4g}'))}, lowest"
            f" {say(float(series.value[worst]))} at {at(view, series, worst)}); {hurt.text}."
        ),
        figures={"share": round(held, 3), "median": level, "parts": len(parts), "rows": lines},
        evidence=rows(series, [(0, "first"), *((i, "") for i in way(0, last, 2)), (worst, "lowest"), (last, "last")]),
        analysis="With one penalty that large, the other parts hardly steer what is learned.",
    )


def _aligned(series: list[Series]) -> tuple[list[Floats], int]:
    """Return the values of the records that hold all of ``series`` (parts may stand on lines of their own)."""
    if all(np.array_equal(s.line, series[0].line) for s in series):
        return [s.value for s in series], len(series[0])
    steps = [np.unique(s.step, return_index=True) for s in series]
    common = steps[0][0]
    for step, _ in steps[1:]:
        common = np.intersect1d(common, step)
    return [s.value[index[np.isin(step, common)]] for s, (step, index) in zip(series, steps, strict=True)], common.size


def _log(agent: float) -> str:
    return table(
        dqn_reward_1m=agent + wobble(size=300.0), obj_reward=1150 + wobble(size=60.0, seed=8), loss=np.ones(ROWS)
    )


def _parts(penalty: float) -> str:
    return table(
        episode_return=penalty + wobble(size=1.0),
        reward_lane=0.6 + wobble(size=0.1),
        reward_speed=0.4 + wobble(size=0.1, seed=8),
        reward_safety=penalty + wobble(size=1.0, seed=9),
    )


RULE = Rule(
    id="LD613",
    name="reward-parts-disagree",
    title="Penalties outweigh what the run is for",
    severity="warning",
    detect=detect,
    min_points=10,
    thresholds=(
        threshold("rows", 20.0, "rows", "fewer show no habit", "rldoctor: at least 12 points"),
        threshold("often", 0.9, "of the rows", "a rule and no exception", "sign test p < 0.001 from 20 rows on"),
        threshold("times", 2.0, "times the objective", "clearly larger than it", "sibling document D-11: 8 times"),
        threshold(
            "part",
            0.75,
            "of the size of all parts",
            "one part decides alone",
            "sibling documents T-11: below 60 % is fine; 76 %",
        ),
    ),
    tags=("reward", "reinforcement-learning"),
    references=("https://arxiv.org/abs/2209.13085",),
    examples=(
        Example(title="-9,000 for the agent, +1,150 of objective", log=lambda: _log(-9000.0), fires=True),
        Example(title="900 for the agent, 1,150 of objective", log=lambda: _log(900.0), fires=False),
        Example(title="one penalty is nearly all of the reward", log=lambda: _parts(-50.0), fires=True),
        Example(title="parts of one size", log=lambda: _parts(-0.5), fires=False),
    ),
    applies_to=lambda view: (
        None
        if view.finite("obj_reward") is not None or sum(bool(PREFIX.search(n)) for n in view.names) >= 3
        else "not a reward that is printed in parts"
    ),
)
