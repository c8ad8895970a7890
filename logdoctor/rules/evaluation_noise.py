"""The evaluation jumps from one time to the next, and that is sampling noise.

What it finds: held-out metrics that scatter widely around a good trend.
Why it matters: picking the best checkpoint, or stopping early, by such numbers picks luck.
How it decides: the scatter around the smoothed curve is at least ``wide`` of the whole gain, while the trend is up.
Benign: it explains and never alarms.
When it is wrong: a training that oscillates makes its evaluation oscillate; then the training loss swings as well.
What to do: evaluate on more samples or episodes; compare averages over several evaluations.
References: trainspotter (median jitter at least 15 % of the gain); Henderson et al. 2018.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Goal
from logdoctor.rules._examples import ROWS, learning, table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import progress
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold
from logdoctor.view import RunView

METRICS: tuple[tuple[str, Goal], ...] = (("eval_return", "max"), ("val_accuracy", "max"), ("val_loss", "min"))


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return the benign explanation for the first noisy evaluation metric."""
    for name, goal in METRICS:
        found = progress(view, name, goal)
        if found is None or len(found.series) < 12 or found.gain <= 4 * found.error or found.lost > 0.3:
            continue
        if found.noise < limits.wide * found.gain:
            continue
        series = found.series
        worst = int(np.argmin(found.up - found.smooth))
        yield finding(
            RULE,
            view,
            severity="info",
            confidence=0.75,
            metrics=[name],
            benign=True,
            summary=(
                f"{label(series)} scatters by {say(float(f'{found.noise:.3g}'))} between evaluations,"
                f" {found.noise / found.gain:.0%} of all that was"
                " gained: differences of that size between checkpoints are chance."
            ),
            figures={
                "scatter": float(f"{found.noise:.4g}"),
                "gain": float(f"{found.gain:.4g}"),
                "evaluations": len(series),
            },
            evidence=rows(
                series, [(0, "first"), (worst, "the worst against its surroundings"), (len(series) - 1, "last")]
            ),
        )
        return


RULE = Rule(
    id="LD703",
    name="evaluation-noise",
    title="Evaluations scatter by chance",
    severity="info",
    detect=detect,
    benign=True,
    thresholds=(
        threshold("wide", 0.12, "of the gain", "larger than the differences one compares", "trainspotter: 15 %"),
    ),
    tags=("generalisation", "benign"),
    references=("https://arxiv.org/abs/1709.06560",),
    examples=(
        Example(
            title="noisy evaluations", log=lambda: table(eval_return=learning() + wobble(ROWS, 18.0, 5)), fires=True
        ),
        Example(title="steady evaluations", log=lambda: table(eval_return=learning()), fires=False),
    ),
)
