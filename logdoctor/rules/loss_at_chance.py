"""A classifier that answers as by chance.

What it finds: a loss at ln k together with an accuracy of 1/k: every class is given the same probability, or one
class is given to everything.
Why it matters: the network ignores its input; nothing will come of waiting.
How it decides: over the second half of the run the accuracy times the exponential of the loss stays near 1 (for
uniform answers over k classes the loss is ln k and the accuracy 1/k, whatever k is): the loss lies between ``near``
below ln k and ``above`` times ln k for a k that fits the accuracy, no stretch of that half was better than ``best``
times chance; at least ``points`` values. A network that was better before and is thrown back to guessing counts.
When it is wrong: a very hard task with many classes sits near chance for its first epochs.
What to do: overfit one batch; check labels against inputs, the input scale, and whether the loss reaches the first
layer.
References: Karpathy, "A Recipe for Training Neural Networks" (verify the loss at initialisation); runmedic (loss
within 2 % of ln k); TheDeepChecker (initial loss against theory).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ROWS, ramp, table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import starts_midway
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView

PAIRS = (
    ("loss", "accuracy"),
    ("train_loss", "train_accuracy"),
    ("val_loss", "val_accuracy"),
    ("val_loss", "accuracy"),  # programs that print one accuracy beside two losses mean the held-out one (fastai)
)


USUAL = (2, 3, 4, 5, 10, 20, 50, 100, 200, 1000)  # counts of classes that data sets have


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when loss and accuracy both say "chance"."""
    for loss_name, accuracy_name in PAIRS:
        loss, accuracy = view.finite(loss_name), view.finite(accuracy_name)
        if loss is None or accuracy is None or min(len(loss), len(accuracy)) < int(limits.points):
            continue
        if starts_midway(view, accuracy):
            return
        classes = chance_of(loss, accuracy, limits)
        if classes:
            yield _finding(view, loss, accuracy, classes)
            return


def chance_of(loss: Series, accuracy: Series, limits: Limits) -> int:
    """Return the number of classes among which the run guesses, or 0 when it does better."""
    top = 1.0 if float(accuracy.value.max()) <= 1.0 else 100.0
    share = accuracy.value / top
    late = float(np.median(share[len(share) // 2 :]))
    level = float(np.median(loss.value[len(loss) // 2 :]))
    later = np.sort(share[len(share) // 2 :])  # what was better before and lost again is chance in the end, too
    best = float(np.median(later[-max(3, len(share) // 10) :]))
    if not 0 < late <= limits.low or level <= 0 or best > limits.best * late:
        return 0
    if late < 1e-6:
        return 0
    classes = round(1.0 / late)
    spread = range(max(2, round(classes * 0.75)), round(classes * 1.9) + 2)
    nearest = min(spread, key=lambda k: abs(level - float(np.log(k))))
    if abs(level - np.log(nearest)) < limits.near * np.log(nearest) and best >= limits.best / nearest:
        return 0  # the loss is that of a guess among more classes than the accuracy allows: something is learned
    fits = [
        k
        for k in spread
        if (1 - limits.near) * np.log(k) < level < limits.above * np.log(k)
        and best < limits.best / k
        and late > 0.5 / k
    ]
    usual = [k for k in fits if k in USUAL]
    return min(usual or fits, key=lambda k: abs(level - float(np.log(k))), default=0)


def _finding(view: RunView, loss: Series, accuracy: Series, classes: int) -> Finding:
    last = len(accuracy) - 1
    top = 1.0 if float(accuracy.value.max()) <= 1.0 else 100.0
    late = float(np.median(accuracy.value[last // 2 :]))
    level = float(np.median(loss.value[len(loss) // 2 :]))
    proof = rows(accuracy, [(0, "first"), *((i, "") for i in way(0, last, 2)), (last, "last")])
    proof += rows(loss, [(len(loss) - 1, "loss, last row")])
    return finding(
        RULE,
        view,
        severity="critical",
        confidence=0.93,
        metrics=[loss.name, accuracy.name],
        summary=(
            f"The classifier guesses: {label(accuracy)} is about {say(float(f'{late:.3g}'))} (a guess"
            f" among {classes} gets {say(float(f'{top / classes:.3g}'))}) and {label(loss)} about"
            f" {say(float(f'{level:.4g}'))} over the second half, up to {at(view, accuracy, last)}; ln"
            f" {classes} is {np.log(classes):.3f}."
        ),
        figures={
            "accuracy": float(f"{late:.4g}"),
            "loss": float(f"{level:.5g}"),
            "classes": classes,
            "ln_classes": float(f"{np.log(classes):.4f}"),
        },
        evidence=proof,
        analysis=(
            "Uniform answers over k classes have a loss of ln k and an accuracy of 1/k: the input has no"
            " influence on the output."
        ),
    )


def _log(chance: bool) -> str:
    return table(
        loss=ramp(2.31, 2.30 if chance else 0.1, ROWS, 0.005),
        accuracy=np.abs((0.1 if chance else np.linspace(0.1, 0.95, ROWS)) + wobble(size=0.006)),
    )


RULE = Rule(
    id="LD207",
    name="loss-at-chance",
    title="The classifier answers as by chance",
    severity="critical",
    detect=detect,
    needs=(("loss", "train_loss", "val_loss"), ("accuracy", "train_accuracy", "val_accuracy")),
    min_points=15,
    thresholds=(
        threshold("near", 0.03, "of ln k", "at the level of uniform guessing or above it", "runmedic: 2 %"),
        threshold("above", 1.2, "times ln k", "steps that are too large add to it", "TheDeepChecker: relative error"),
        threshold("low", 0.55, "accuracy", "chance for two classes is 0.5", "1/k with k = 2"),
        threshold(
            "best",
            1.5,
            "times chance",
            "no stretch of the second half was clearly better",
            "AUTOTRAINER: gains below 0.01",
        ),
        threshold(
            "points",
            15.0,
            "values",
            "the first epochs of a hard task may be at chance",
            "AUTOTRAINER: 30 % of the epochs",
        ),
    ),
    tags=("loss", "supervised"),
    references=("https://karpathy.github.io/2019/04/25/recipe/",),
    examples=(
        Example(title="accuracy 0.1, loss 2.30", log=lambda: _log(True), fires=True),
        Example(title="accuracy rises to 0.95", log=lambda: _log(False), fires=False),
    ),
)
