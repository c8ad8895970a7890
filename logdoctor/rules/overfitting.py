"""The held-out loss rises while the training loss goes on falling.

What it finds: a model that memorises its training set: the held-out loss turned upward at some evaluation and stays
above its best, while the training loss keeps falling.
Why it matters: every step after the turn makes the result worse; the best weights lie behind.
How it decides: from its smoothed minimum to the end the held-out loss rises by at least ``rise`` of the minimum and
by ``signal`` standard errors; the training loss falls by ``falls`` meanwhile and is below ``gap`` of the held-out
one. Where accuracies are printed and the held-out one neither fell by ``worse`` nor lies ``apart`` below the training
one (where none is printed, exp(-loss) stands for it), the rise is mere confidence and is told without alarm. Critical
when half of the progress of the held-out loss (and of its accuracy, if printed) is lost.
When it is wrong: noisy evaluations on few samples rise and fall by chance; a held-out loss may rise by overconfidence
while the accuracy is fine.
What to do: keep the checkpoint of the minimum, stop there next time; more data, augmentation, weight decay or
dropout.
References: trainspotter (rise >= 1 %, p < 0.1); runmedic (5 % info, 15 % warning, train gains >= 3 %); trainproof
(1.2 times the minimum); AUTOTRAINER (accuracy gap of 0.10, or 0.07 above 0.9).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.baseline import noise
from logdoctor.detectors.smooth import rolling_mean
from logdoctor.model import Finding, Floats, Severity
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._pairs import Pair, held_accuracy, pair
from logdoctor.rules._progress import Progress
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.rules.updates_stopped import stopped_metrics
from logdoctor.view import RunView

HELD_OUT = re.compile(r"^(val|eval|test)_\w+_loss$")  # one held-out set of several


FEW = 6  # evaluations from which scatter can be told from a trend


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the held-out loss is lowest, how far it rose since, and what the training loss did meanwhile."""

    index: int
    best: float
    final: float
    rise: float
    error: float
    train_at: float
    train_end: float


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the held-out loss turned upward for good."""
    if view.is_rl or stopped_metrics(view):  # a step up of the last evaluation before a stop is no turn
        return
    for name in ("val_loss", *(n for n in view.names if HELD_OUT.search(n))):
        found = pair(view, name, "train_loss", "loss")
        turn = turn_of(found) if found is not None else None
        if found is not None and turn is not None and turned(turn, limits):
            yield _finding(view, found, turn, alarm=_hurts(view, turn, limits), limits=limits)
            return


def turned(turn: Turn, limits: Limits) -> bool:
    """Whether the held-out loss rose by noise and by size while the training loss fell away from it."""
    falls = turn.train_end < (1 - limits.falls) * turn.train_at
    apart = turn.train_end < limits.gap * turn.final
    return falls and apart and turn.rise >= limits.rise * abs(turn.best) and turn.rise > limits.signal * turn.error


def turn_of(found: Pair) -> Turn:
    """Return the smoothed minimum of the held-out loss and the levels there and at the end."""
    value = found.held.value
    n = value.size
    smooth = rolling_mean(value, max(3, n // 12))
    index = int(np.argmin(smooth))
    width = max(2, n // 10)
    final, best = float(np.median(value[-width:])), float(smooth[index])
    near = slice(max(0, index - width // 2), index + width // 2 + 1)
    return Turn(
        index=index,
        best=best,
        final=final,
        rise=final - best,
        error=_scatter(value, index) / np.sqrt(width),
        train_at=float(np.median(found.train[near])),
        train_end=float(np.median(found.train[-width:])),
    )


def _scatter(value: Floats, index: int) -> float:
    """Return the noise of the evaluations since the turn, where there are enough; the steep descent before is none."""
    since = value[index:]
    return noise(since) if since.size >= FEW else noise(value)


def _hurts(view: RunView, turn: Turn, limits: Limits) -> bool:
    """Whether an accuracy confirms the rise, or none is there to contradict it."""
    held = held_accuracy(view)
    if held is None or len(held) < 6:
        return True
    top = 1.0 if float(held.value.max()) <= 1.0 else 100.0
    progress = Progress(held, "max")
    if (progress.best - progress.final) > max(limits.worse * top, 3 * progress.error):
        return True
    train = view.finite("train_accuracy") or view.finite("accuracy")
    if train is not None and train.name != held.name and len(train) >= 6:
        gap = float(np.median(train.value[-5:]) - np.median(held.value[-5:])) / top
        return gap >= limits.apart
    # The loss per sample is -ln p: a training loss of L means that the labels get exp(-L) on (geometric) average.
    gap = math.exp(-max(turn.train_end, 0.0)) - float(np.median(held.value[-5:])) / top
    return gap >= limits.apart and turn.rise >= 0.2 * turn.best


def _answers_fell(view: RunView, limits: Limits) -> bool:
    """Whether the held-out accuracy, where there is one, fell as well."""
    held = held_accuracy(view)
    if held is None or len(held) < 6:
        return True
    progress = Progress(held, "max")
    top = 1.0 if float(held.value.max()) <= 1.0 else 100.0
    return bool(progress.best - progress.final > max(limits.worse * top, 3 * progress.error))


def _finding(view: RunView, found: Pair, turn: Turn, *, alarm: bool, limits: Limits) -> Finding:
    held, last = found.held, len(found.held) - 1
    start = float(np.median(held.value[:2]))
    lost = turn.rise / max(start - turn.best, 1e-300)
    heavy = lost > 0.5 and _answers_fell(view, limits)
    best, final = (float(f"{x:.5g}") for x in (turn.best, turn.final))
    severity: Severity = "info" if not alarm else ("critical" if heavy else "warning")
    proof = rows(
        held, [(turn.index, "lowest level"), *((i, "") for i in way(turn.index, last, 3)), (last, "last evaluation")]
    )
    proof += rows(found.train_series, [(len(found.train_series) - 1, "training loss at the end")])
    return finding(
        RULE,
        view,
        severity=severity,
        confidence=0.9 if alarm else 0.6,
        metrics=[held.name, found.train_series.name],
        onset=view.place(held, turn.index),
        evidence=proof,
        summary=(
            f"{label(held)} is lowest at {at(view, held, turn.index)} (about {say(best)}) and rises to"
            f" {say(final)} ({turn.rise / abs(turn.best):+.0%}),"
            f" while {label(found.train_series)} falls from {say(float(f'{turn.train_at:.4g}'))} to"
            f" {say(float(f'{turn.train_end:.4g}'))}."
        ),
        figures={
            "lowest": best,
            "final": final,
            "rise": round(turn.rise / abs(turn.best), 3),
            "train_at_lowest": float(f"{turn.train_at:.5g}"),
            "train_at_end": float(f"{turn.train_end:.5g}"),
            "share_of_progress_lost": round(lost, 3),
        },
        analysis=(
            "The model fits its training set better and better and everything else worse."
            if alarm
            else "The accuracy does not fall with it: the model grows overconfident rather than worse."
        ),
    )


def _log(turn: bool) -> str:
    train = np.geomspace(3, 0.1, ROWS)
    val = np.geomspace(3, 0.9, ROWS)
    if turn:
        val[20:] = np.linspace(val[20], 1.6 * val[20], ROWS - 20)
    return table(loss=train, val_loss=val * (1 + ramp(0, 0, noise=0.01)))


RULE = Rule(
    id="LD701",
    name="overfitting",
    title="The held-out loss rises while the training loss falls",
    severity="critical",
    detect=detect,
    needs=(("loss", "train_loss"),),
    min_points=6,
    thresholds=(
        threshold(
            "rise",
            0.1,
            "of the minimum",
            "a rise that a reader of the curve would notice",
            "SageMaker Overfit: 0.1; runmedic: 5 % info, 15 % warning",
        ),
        threshold("signal", 4.0, "standard errors", "chance does not reach this", "two-sided p < 0.001"),
        threshold(
            "falls", 0.15, "of the training loss at the turn", "training goes on fitting", "runmedic: gains >= 3 %"
        ),
        threshold(
            "gap", 0.7, "of the held-out loss", "a gap has opened", "SageMaker Overfit: (val - train) / train > 0.1"
        ),
        threshold("worse", 0.03, "of full accuracy", "the answers became worse", "AUTOTRAINER: swings of 0.03"),
        threshold(
            "apart", 0.07, "of full accuracy", "train and held-out answers differ", "AUTOTRAINER: 0.07 above 0.9"
        ),
    ),
    tags=("generalisation", "supervised", "language-models"),
    references=("https://github.com/shiningrain/AUTOTRAINER",),
    examples=(
        Example(title="held-out loss rises by 60 % from row 20 on", log=lambda: _log(True), fires=True),
        Example(title="both fall", log=lambda: _log(False), fires=False),
    ),
)
