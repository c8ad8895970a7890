"""The entropy temperature runs away.

What it finds: an automatically tuned entropy coefficient (SAC's alpha) that keeps growing together with the critic
loss.
Why it matters: the entropy term becomes the reward; values grow with it and the policy is pushed to be random.
How it decides: the last fifth is ``growth`` times the smallest median before it, it is still rising, and the critic
loss grew by ``critic`` or performance fell.
When it is wrong: alpha may rise for a while after a policy became too deterministic; it then settles.
What to do: check the target entropy (minus the number of action dimensions), fix alpha, scale rewards, lower its
learning rate.
References: Haarnoja et al. 2018 (arXiv:1812.05905); FinRL#476 and #85.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.bins import medians
from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Finding, Floats
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import change, finding, rows, say, threshold, times, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when the temperature grows without end."""
    series = view.finite("ent_coef")
    if series is None or len(series) < 10:
        return
    level = medians(series.value, 5)
    low = int(np.argmin(level[:-1]))
    if level[low] <= 0 or level[-1] / level[low] < limits.growth or not _rising(series.value):
        return
    critic = view.finite("critic_loss")
    grown = _ratio(critic.value) if critic is not None and len(critic) >= 10 else 1.0
    hurt = outcome(view)
    if grown < limits.critic and not hurt.fell:
        return
    last = len(series) - 1
    start = low * len(series) // 5
    tail = f"the critic loss grew {times(grown)} times meanwhile" if grown >= limits.critic else hurt.text
    yield finding(
        RULE,
        view,
        severity="critical" if hurt.fell else "warning",
        confidence=0.8,
        metrics=[series.name, "critic_loss"],
        onset=view.place(series, start),
        summary=(
            f"{label(series)} grew from {say(float(f'{level[low]:.4g}'))} to {say(float(f'{level[-1]:.4g}'))} "
            f"({times(level[-1] / level[low])} times by medians of fifths) and still rises; {tail}."
        ),
        figures={
            "lowest_median": float(level[low]),
            "last_median": float(level[-1]),
            "ratio": float(level[-1] / level[low]),
            "critic_growth": grown,
        },
        evidence=rows(
            series,
            [
                (0, "first"),
                (start, "lowest"),
                *(
                    (i, change(float(series.value[i]), float(series.value[start])))
                    for i in (*way(start, last, 2), last)
                ),
            ],
        ),
        analysis="The entropy bonus outgrows the reward it is added to.",
    )


def _rising(value: Floats) -> bool:
    half = value[value.size // 2 :]
    return rank_correlation(np.arange(half.size, dtype=np.float64), half) > 0.7


def _ratio(value: Floats) -> float:
    level = medians(np.abs(value), 5)
    low = float(np.nanmin(level[:-1]))
    return float(level[-1] / low) if low > 0 else 1.0


def _log(sick: bool) -> str:
    alpha = np.geomspace(0.2, 60, 60) if sick else np.geomspace(1.0, 0.05, 60)
    return table(
        ent_coef=alpha,
        critic_loss=np.geomspace(1, 900, 60) if sick else 1 + np.abs(wobble(size=0.1)),
        actor_loss=wobble(size=0.1),
        episode_return=failing() if sick else learning(),
    )


RULE = Rule(
    id="LD409",
    name="temperature-runaway",
    title="The entropy temperature runs away",
    severity="critical",
    detect=detect,
    needs=(("ent_coef",),),
    min_points=10,
    thresholds=(
        threshold("growth", 10.0, "times its lowest median", "an order of magnitude upward", "FinRL#476"),
        threshold(
            "critic",
            10.0,
            "times the critic loss",
            "values follow the temperature",
            "FinRL#476: log-linear with the critic loss",
        ),
    ),
    tags=("values", "exploration"),
    references=("https://arxiv.org/abs/1812.05905",),
    examples=(
        Example(title="alpha grows 300-fold with the critic loss", log=lambda: _log(True), fires=True),
        Example(title="alpha decays to 0.05", log=lambda: _log(False), fires=False),
    ),
)
