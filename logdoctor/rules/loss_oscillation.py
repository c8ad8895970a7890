"""The loss swings, and the swings grow.

What it finds: a supervised or language-model loss whose ups and downs become larger through the run; or one that has
come to a halt far from zero while the held-out accuracy jumps up and down from one evaluation to the next.
Why it matters: growing swings are the step before divergence: the step size is larger than the curvature allows.
How it decides: at least ``turns`` reversals larger than the noise, the median swing of the last third is ``growth``
times that of the first third and ``large`` of the level. Or: after the first quarter the training loss falls by less
than ``halt`` and stays above ``high`` of its start, and the held-out accuracy changes by ``jump`` and by three of its
smallest steps from one evaluation to the next, by median.
When it is wrong: a schedule with restarts makes the loss swing with it; then each swing has its restart.
What to do: lower the learning rate, raise the batch size, or let the schedule decay.
References: gradsnitch (swing in the last third at least 1.6 times the first, 6 reversals); TheDeepChecker (smoothness
below 0.5).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.baseline import noise
from logdoctor.detectors.oscillation import oscillation
from logdoctor.detectors.smooth import rolling_mean
from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, ramp, table, wobble
from logdoctor.rules._losses import main_loss
from logdoctor.rules._outcome import label
from logdoctor.rules._pairs import pair
from logdoctor.rules._progress import Progress
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the loss swings more and more, or goes nowhere while the answers jump about."""
    progress = main_loss(view, least=40)
    grown = _growing(view, progress, limits) if progress is not None else None
    found = grown or _jumping(view, limits)
    if found is not None:
        yield found


def _jumping(view: RunView, limits: Limits) -> Finding | None:
    """Return a finding when held-out accuracy jumps about over a training loss that has come to a halt."""
    accuracy = view.finite("val_accuracy")
    found = None if view.is_rl or accuracy is None else pair(view, "val_accuracy", "train_loss", "loss", least=12)
    if found is None:
        return None
    top = 1.0 if float(found.held.value.max()) <= 1.0 else 100.0
    quarter = len(found.held) // 4
    later = found.held.value[quarter:] / top
    steps = np.abs(np.diff(later))
    smallest = float(steps[steps > 1e-6].min()) if (steps > 1e-6).any() else np.inf
    jump = float(np.median(steps))
    start, early, late = (
        float(np.median(part)) for part in (found.train[:1], found.train[quarter : 2 * quarter], found.train[-quarter:])
    )
    error = noise(found.train[quarter:]) * np.sqrt(2 / max(1, quarter))
    halted = early - late < max(limits.halt * early, 2 * error) and late > limits.high * start
    if not halted or jump < limits.jump or jump < 3 * smallest:
        return None
    held, low, high = found.held, quarter + int(np.argmin(later)), quarter + int(np.argmax(later))
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[held.name, found.train_series.name],
        onset=view.place(held, quarter),
        summary=(
            f"{label(held)} changes by {jump:.1%} points from one evaluation to the next (between"
            f" {say(float(held.value[low]))} and {say(float(held.value[high]))}), while {label(found.train_series)}"
            f" stands at {say(float(f'{late:.4g}'))}, as in the second quarter of the run"
            f" ({say(float(f'{early:.4g}'))})."
        ),
        figures={"jump": round(jump, 4), "early_loss": early, "late_loss": late, "first_loss": start},
        evidence=rows(held, [(quarter, ""), (low, "lowest"), (high, "highest"), (len(held) - 1, "last evaluation")]),
        analysis="One set of samples answered so differently each time: the weights jump about and do not settle.",
    )


def _growing(view: RunView, progress: Progress, limits: Limits) -> Finding | None:
    """Return a finding when the swings of the training loss grow."""
    series = progress.series
    smooth = rolling_mean(series.value, len(series) // 100)
    level = float(np.median(series.value[-len(series) // 3 :]))
    swing = oscillation(smooth, 0.05 * abs(level))
    if swing.reversals < limits.turns or swing.late < limits.large * abs(level) or swing.early <= 0:
        return None
    if swing.growth < limits.growth:
        return None
    last = len(series) - 1
    high = int(2 * last / 3 + np.argmax(series.value[int(2 * last / 3) :]))
    return finding(
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
    title="The loss swings and does not settle",
    severity="warning",
    detect=detect,
    min_points=12,
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
        threshold("halt", 0.1, "of the loss", "half of the run that brings less is a halt", "trainspotter: 10 %"),
        threshold("high", 0.15, "of the first loss", "much is left to learn", "AUTOTRAINER: accuracy below 0.6"),
        threshold("jump", 0.03, "of full accuracy", "one set of samples, answered otherwise", "AUTOTRAINER: 0.03"),
    ),
    tags=("loss", "stability"),
    references=("https://arxiv.org/abs/2204.00694",),
    examples=(
        Example(title="swings grow from 0.05 to 0.6", log=lambda: _log(True), fires=True),
        Example(title="small steady swings", log=lambda: _log(False), fires=False),
    ),
)
