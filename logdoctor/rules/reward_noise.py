"""The reward swings from row to row, and that is normal.

What it finds: a noisy return whose trend is up or level.
Why it matters: a single bad row looks like a collapse; knowing the size of the usual swing saves a restart.
How it decides: the scatter around the smoothed curve exceeds ``swing`` of the gain, while the end is within ``near``
of the best level. Always benign: it explains and never alarms.
When it is wrong: when the swings grow while the level stays, the policy may be becoming unstable; then other rules
speak.
What to do: nothing; compare averages over as many rows as the figure says, not single rows.
References: Henderson et al. 2018, "Deep Reinforcement Learning that Matters" (arXiv:1709.06560): variance of returns.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._course import course
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold
from logdoctor.view import RunView

LEAST_SLOPES = 5


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return the benign explanation where it is needed."""
    yield from _alternating(view, limits)
    progress = performance(view)
    if progress is None or not view.is_rl or len(progress.series) < 20:
        return
    healthy = progress.gain > 4 * progress.error and progress.best - progress.final < limits.near * progress.gain
    went = course(view)
    if not healthy or progress.noise < limits.swing * progress.gain or went is None or not went.good:
        return
    series = progress.series
    worst = int(np.argmin(progress.up - progress.smooth))
    need = int(np.ceil((2 * progress.noise / (0.1 * progress.gain)) ** 2))
    yield finding(
        RULE,
        view,
        severity="info",
        confidence=0.8,
        metrics=[series.name],
        benign=True,
        summary=(
            f"{label(series)} scatters by {say(float(f'{progress.noise:.3g}'))} from row to row while its level"
            f" rises from"
            f" {say(progress.printed(progress.start))} to {say(progress.printed(progress.final))}: single low"
            f" rows are noise."
        ),
        figures={
            "scatter": float(f"{progress.noise:.4g}"),
            "start": progress.printed(progress.start),
            "final": progress.printed(progress.final),
            "rows_for_a_tenth_of_the_gain": need,
        },
        evidence=rows(
            series, [(0, "start"), (worst, "the lowest against its surroundings"), (len(series) - 1, "last row")]
        ),
        analysis=f"To tell a change of a tenth of the gain from noise, average about {need:,} rows.",
    )


def _alternating(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Explain a printed reward slope over few episodes that changes its sign in most rows."""
    series = view.finite("reward_slope")
    if series is None or len(series) < LEAST_SLOPES:
        return
    flips = int((np.sign(series.value[1:]) * np.sign(series.value[:-1]) < 0).sum())
    steps = len(series) - 1
    if flips < limits.flips * steps - np.sqrt(steps) * limits.flips:
        return  # fewer changes than a coin shows in five of six runs of this length
    low, high, last = int(np.argmin(series.value)), int(np.argmax(series.value)), len(series) - 1
    yield finding(
        RULE,
        view,
        severity="info",
        confidence=0.8,
        metrics=[series.name],
        benign=True,
        summary=(
            f"{label(series)} changes its sign in {flips:,} of {last:,} steps, between"
            f" {say(float(series.value[low]))} and"
            f" {say(float(series.value[high]))}: episodes are too noisy for a slope over few of them; read the"
            f" long-window one."
        ),
        figures={
            "sign_changes": flips,
            "rows": len(series),
            "lowest": float(series.value[low]),
            "highest": float(series.value[high]),
        },
        evidence=rows(
            series, [(i, "") for i in range(max(0, last - 3), last + 1)] + [(low, "lowest"), (high, "highest")]
        ),
        analysis="Single episodes hide the pattern that the mean over millions of frames shows.",
    )


RULE = Rule(
    id="LD606",
    name="reward-noise",
    title="The reward is noisy and its trend is not",
    severity="info",
    detect=detect,
    benign=True,
    thresholds=(
        threshold("swing", 0.1, "of the gain", "swings that an eye takes for falls", "Henderson et al. 2018"),
        threshold(
            "flips", 0.5, "of the rows change the sign", "as often as a coin", "Wald and Wolfowitz 1940, runs test"
        ),
        threshold("near", 0.2, "of the gain", "the end is close to the best level", "zen-rl: collapse below 50 %"),
    ),
    tags=("performance", "reinforcement-learning", "benign"),
    references=("https://arxiv.org/abs/1709.06560",),
    examples=(
        Example(
            title="noisy rise", log=lambda: table(episode_return=learning() + wobble(size=15.0, seed=3)), fires=True
        ),
        Example(
            title="rise and fall", log=lambda: table(episode_return=failing() + wobble(size=15.0, seed=3)), fires=False
        ),
    ),
)
