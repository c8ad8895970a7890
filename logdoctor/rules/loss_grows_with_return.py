"""The critic's loss grows, and so does the return: that is how value learning looks.

What it finds: a value, critic or TD loss that is several times larger at the end than early on, in a run that
improves.
Why it matters: it looks like divergence and is none; restarting such a run throws away a good one.
How it decides: the loss is at least ``grew`` times its early level, the performance rose clearly and stands near its
best. Benign: it explains and never alarms.
When it is wrong: when the return stops rising and the loss goes on growing, rules about Q values speak up.
What to do: nothing. Larger returns make larger targets, and a squared error grows with their square.
References: tensorflow/agents#294 (not a fault while Q grows); hill-a/stable-baselines#808 (normal for fitted Q).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import failing, learning, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, times, way
from logdoctor.view import RunView

LOSSES = ("critic_loss", "value_loss", "loss", "td_error", "d_loss")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return the benign explanation for the first loss that grew with the return."""
    progress = performance(view)
    if progress is None or not view.is_rl:
        return
    good = progress.gain > max(4 * progress.error, progress.material(0.2)) and progress.lost < 0.15
    if not good:
        return
    for name in LOSSES:
        series = view.finite(name)
        if series is None or len(series) < 20:
            continue
        fifth = len(series) // 5
        early, late = float(np.median(np.abs(series.value[:fifth]))), float(np.median(np.abs(series.value[-fifth:])))
        if early <= 0 or late < limits.grew * early:
            continue
        last = len(series) - 1
        yield finding(
            RULE,
            view,
            severity="info",
            confidence=0.85,
            metrics=[name, progress.series.name],
            benign=True,
            summary=(
                f"{label(series)} grew {times(late / early)} times (from {say(float(f'{early:.4g}'))} to"
                f" {say(float(f'{late:.4g}'))}) while"
                f" {label(progress.series)} rose from {say(progress.printed(progress.start))} to"
                f" {say(progress.printed(progress.final))}: expected, not a divergence."
            ),
            figures={
                "early": float(f"{early:.5g}"),
                "late": float(f"{late:.5g}"),
                "start": progress.printed(progress.start),
                "final": progress.printed(progress.final),
            },
            evidence=rows(series, [(0, "start"), *((i, "") for i in way(0, last, 2)), (last, "last row")]),
            analysis="Larger returns make larger targets; the error of the value estimate grows with them.",
        )
        return


RULE = Rule(
    id="LD212",
    name="loss-grows-with-return",
    title="The critic's loss grows because the return does",
    severity="info",
    detect=detect,
    benign=True,
    needs=(LOSSES,),
    min_points=20,
    thresholds=(
        threshold("grew", 2.5, "times the early level", "a user would worry", "TheDeepChecker: diverging at 2"),
    ),
    tags=("loss", "reinforcement-learning", "benign"),
    references=("https://github.com/tensorflow/agents/issues/294",),
    examples=(
        Example(
            title="loss 0.1 to 0.8, return rises",
            log=lambda: table(critic_loss=ramp(0.1, 0.8, noise=0.02), episode_return=learning()),
            fires=True,
        ),
        Example(
            title="loss 0.1 to 0.8, return lost",
            log=lambda: table(critic_loss=ramp(0.1, 0.8, noise=0.02), episode_return=failing()),
            fires=False,
        ),
    ),
)
