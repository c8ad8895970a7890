"""There is no exploration.

What it finds: an epsilon, or a configured exploration noise, of (almost) zero from the start in a run that does not
learn.
Why it matters: without trying other actions the learner only ever sees the consequences of its first policy.
How it decides: epsilon is at most ``least`` in ``share`` of all rows and from the first row on, or the configured
noise is zero; no expert supplies actions (expert ratio below ``expert``), and performance fell, did not improve, or
repeats itself in the second half.
A log that begins in mid-run, or from a loaded model, says nothing about the start of the schedule.
When it is wrong: noisy networks, entropy bonuses and random environments explore without epsilon.
What to do: start with epsilon 1.0 (or action noise 0.1) and let it decay.
References: Mnih et al. 2015; Fujimoto et al. 2018 (noise 0.1).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.constant import repeat_share
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import learning, table, wobble
from logdoctor.rules._outcome import Outcome, label, outcome
from logdoctor.rules._progress import starts_midway
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when nothing explores and nothing is learned."""
    hurt = outcome(view)
    if hurt.series is None or not (hurt.bad or _stands(hurt.series, limits.repeats)):
        return
    expert = view.finite("expert_ratio")
    if (
        expert is not None
        and float(np.median(expert.value[-max(3, len(expert) // 5) :])) / (100.0 if expert.value.max() > 1 else 1.0)
        > limits.expert
    ):
        return
    series = view.finite("epsilon")
    if series is not None and starts_midway(view, series):
        return  # what is zero here may be the end of a schedule that began before this log
    if series is not None and len(series) >= 10 and _none(series, limits):
        yield finding(
            RULE,
            view,
            severity="warning",
            confidence=0.7,
            metrics=[series.name],
            onset=view.place(series, 0),
            summary=(
                f"{label(series)} is at most {say(float(series.value.max()))} in all {len(series):,} rows, from the "
                f"first one on: nothing explores; {_harm(hurt)}."
            ),
            figures={"first": float(series.value[0]), "largest": float(series.value.max()), "rows": len(series)},
            evidence=rows(series, [(0, "first"), (len(series) // 2, ""), (len(series) - 1, "last")]),
            analysis="The replay data holds only what the first policy happened to do.",
        )
        return
    noise = view.setting("exploration_noise")
    if series is None and noise is not None and view.number("exploration_noise") == 0:
        yield finding(
            RULE,
            view,
            severity="warning",
            confidence=0.6,
            metrics=[hurt.series.name],
            onset=view.place(hurt.series, 0),
            summary=(
                f"{noise.raw_name} is 0{f' (line {noise.line})' if noise.line else ''}: a deterministic policy "
                f"without noise explores nothing; {_harm(hurt)}."
            ),
            figures={"exploration_noise": 0.0},
            evidence=rows(hurt.series, [(0, "first"), (-1, "last")]),
            analysis="The replay data holds only what the first policy happened to do.",
        )


def _stands(series: Series, repeats: float) -> bool:
    """Whether the second half of performance mostly repeats the row before: every episode goes the same way."""
    return repeat_share(series.value[len(series) // 2 :]) >= repeats


def _harm(hurt: Outcome) -> str:
    if hurt.bad or hurt.series is None:
        return hurt.text
    return f"{label(hurt.series)} repeats itself in the second half (last {say(float(hurt.series.value[-1]))})"


def _none(series: Series, limits: Limits) -> bool:
    unit = 100.0 if float(series.value.max()) > 1.0 else 1.0
    low = series.value / unit <= limits.least
    return bool(low[: max(1, len(series) // 20)].all() and low.mean() >= limits.share)


def _log(sick: bool) -> str:
    value = np.zeros(60) if sick else np.maximum(0.05, np.linspace(1, -0.5, 60))
    return table(
        epsilon=value, loss=1 + np.abs(wobble(size=0.1)), episode_return=10 + wobble(size=1.0) if sick else learning()
    )


RULE = Rule(
    id="LD512",
    name="exploration-absent",
    title="There is no exploration",
    severity="warning",
    detect=detect,
    min_points=10,
    thresholds=(
        threshold(
            "least",
            0.005,
            "share of random actions",
            "below the smallest value in use",
            "Hessel et al. 2018: epsilon 0.01 at the end",
        ),
        threshold("share", 0.95, "of the rows", "also later nothing explores", "Mnih et al. 2015"),
        threshold(
            "repeats",
            0.3,
            "of the rows repeat the one before",
            "a policy that never tries anything else",
            "rule reward-zero-variance",
        ),
        threshold(
            "expert",
            0.5,
            "share of expert actions",
            "an expert that drives most actions supplies the data",
            "curriculum practice of seed report 001",
        ),
    ),
    tags=("exploration",),
    references=("https://arxiv.org/abs/1802.09477",),
    examples=(
        Example(title="epsilon 0 throughout, return flat", log=lambda: _log(True), fires=True),
        Example(title="epsilon decays from 1 to 0.05", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: (
        None
        if view.get("epsilon") is not None or view.setting("exploration_noise")
        else "no epsilon and no exploration noise in this log"
    ),
)
