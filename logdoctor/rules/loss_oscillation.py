"""The loss swings, and the swings grow.

What it finds: a supervised or language-model loss whose ups and downs become larger through the run.
Why it matters: growing swings are the step before divergence: the step size is larger than the curvature allows.
How it decides: at least ``turns`` reversals larger than the noise, the median swing of the last third is ``growth``
times that of the first third and ``large`` of the level.
When it is wrong: a schedule with restarts makes the loss swing with it; then each swing has its restart.
What to do: lower the learning rate, raise the batch size, or let the schedule decay.
References: gradsnitch (swing in the last third at least 1.6 times the first, 6 reversals); TheDeepChecker (smoothness
below 0.5).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.oscillation import oscillation
from logdoctor.detectors.smooth import rolling_mean
from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, ramp, table, wobble
from logdoctor.rules._losses import main_loss
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the swings of the training loss grow."""
    progress = main_loss(view, least=40)
    if progress is None:
        return
    series = progress.series
    smooth = rolling_mean(series.value, len(series) // 100)
    level = float(np.median(series.value[-len(series) // 3 :]))
    swing = oscillation(smooth, 0.05 * abs(level))
    if swing.reversals < limits.turns or swing.late < limits.large * abs(level) or swing.early <= 0:
        return
    if swing.growth < limits.growth:
        return
    last = len(series) - 1
    high = int(2 * last / 3 + np.argmax(series.value[int(2 * last / 3) :]))
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[series.name],
        onset=view.place(series, int(last / 3)),
        summary=(
            f"{label(series)} swings {swing.reversals} times and the swings grow:"
            f" {say(float(f'{swing.early:.3g}'))} in the first third,"
            f" {say(float(f'{swing.late:.3g}'))} in the last ({times(swing.growth)} times), up to"
            f" {say(float(series.value[high]))} at {at(view, series, high)}."
        ),
        figures={
            "reversals": swing.reversals,
            "early_swing": float(f"{swing.early:.4g}"),
            "late_swing": float(f"{swing.late:.4g}"),
            "growth": float(f"{swing.growth:.3g}"),
        },
        evidence=rows(
            series,
            [
                (0, "start"),
                *((i, "") for i in way(0, last, 3)),
                (high, "highest of the last third"),
                (last, "last row"),
            ],
        ),
    )


def _log(grows: bool) -> str:
    wave = np.sin(np.arange(ROWS) * 0.9) * (np.linspace(0.05, 0.6, ROWS) if grows else 0.01)
    return table(loss=ramp(1.2, 1.0) + wave + wobble(size=0.005))


RULE = Rule(
    id="LD206",
    name="loss-oscillation",
    title="The swings of the loss grow",
    severity="warning",
    detect=detect,
    min_points=40,
    thresholds=(
        threshold("turns", 6.0, "reversals", "a habit and no accident", "gradsnitch: 6"),
        threshold("growth", 2.0, "times the early swings", "the swings clearly grow", "gradsnitch: 1.6"),
        threshold(
            "large",
            0.15,
            "of the level",
            "swings that a reader of the curve would notice",
            "TheDeepChecker: smoothness below 0.5",
        ),
    ),
    tags=("loss", "stability"),
    references=("https://arxiv.org/abs/2204.00694",),
    examples=(
        Example(title="swings grow from 0.05 to 0.6", log=lambda: _log(True), fires=True),
        Example(title="small steady swings", log=lambda: _log(False), fires=False),
    ),
)
