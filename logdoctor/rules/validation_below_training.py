"""The held-out result is clearly better than the training result.

What it finds: a held-out loss well below the training loss (or a held-out accuracy well above) for most of the run,
while the training set itself is hardly fitted.
Why it matters: some of it is ordinary (dropout, augmentation, averages over an epoch); a wide gap with a training
loss that hardly falls says that the training labels are wrong, or that held-out samples leak into training.
How it decides: in at least ``often`` of the evaluations of the second half the held-out loss is below ``below`` of
the training one, and the training loss has fallen by less than ``fitted`` of its start; where accuracies are printed,
the held-out one is ``apart`` higher, and from ``wide`` on that alone is enough. A well fitted training set clears the
suspicion.
When it is wrong: heavy dropout, mixup or label smoothing raise the training loss on purpose.
What to do: evaluate a batch of the training set in evaluation mode with its labels; look at twenty samples and their
labels.
References: UMLAUT (validation above training by 0.05 after epoch 3); runmedic (validation below 0.9 of training in 70
% of pairs).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._pairs import Pair, pair
from logdoctor.rules._progress import starts_midway
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the held-out set is fitted better than a hardly fitted training set."""
    found = pair(view, "val_loss", "train_loss", "loss")
    if found is None or view.is_rl or len(found.held) < int(limits.points):
        return
    half = len(found.held) // 2
    lower = found.held.value[half:] < limits.below * found.train[half:]
    start = max(float(found.train[0]), float(np.median(found.train[:3])))
    gap = _accuracy_gap(view)
    wide = gap is not None and gap >= limits.wide
    early = not starts_midway(view, found.train_series)  # else the first row printed is not where training began
    if float(lower.mean()) < limits.often or not (wide or (early and _hardly_fitted(found, start, limits))):
        return
    if gap is not None and gap < limits.apart:
        return
    yield _finding(view, found, start if early else None, gap)


def _hardly_fitted(found: Pair, start: float, limits: Limits) -> bool:
    return start > 0 and float(np.median(found.train[-3:])) > (1 - limits.fitted) * start


def _accuracy_gap(view: RunView) -> float | None:
    train = view.finite("accuracy") or view.finite("train_accuracy")
    held = view.finite("val_accuracy")
    if train is None or held is None or len(train) < 6 or len(held) < 6:
        return None
    top = 1.0 if max(float(held.value.max()), float(train.value.max())) <= 1.0 else 100.0
    return float(np.median(held.value[len(held) // 2 :]) - np.median(train.value[len(train) // 2 :])) / top


def _finding(view: RunView, found: Pair, start: float | None, gap: float | None) -> Finding:
    held, last = found.held, len(found.held) - 1
    half = len(held) // 2
    end, train_end = float(np.median(held.value[-3:])), float(np.median(found.train[-3:]))
    fell = 1 - train_end / start if start else None
    fitted = f", which fell by only {fell:.0%} of its start" if fell is not None else ""
    more = f" The held-out accuracy is {gap:.0%} points higher." if gap is not None else ""
    proof = rows(held, [(half, "held-out"), *((i, "") for i in way(half, last, 1)), (last, "held-out, last")])
    proof += rows(found.train_series, [(0, "training, first"), (len(found.train_series) - 1, "training, last")])
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.8,
        metrics=[held.name, found.train_series.name],
        summary=(
            f"{label(held)} ({say(float(f'{end:.4g}'))} at {at(view, held, last)}) is well below"
            f" {label(found.train_series)}"
            f" ({say(float(f'{train_end:.4g}'))}){fitted}: the training set is not what the model learns to answer."
        ),
        figures={
            "held_out_end": float(f"{end:.5g}"),
            "train_end": float(f"{train_end:.5g}"),
            "train_start": float(f"{start:.5g}") if start else None,
            "train_fell": round(fell, 3) if fell is not None else None,
            "accuracy_gap": None if gap is None else round(gap, 3),
        },
        evidence=proof,
        analysis=(
            f"A model that answers unseen samples better than its own training samples was given wrong"
            f" training labels, or is trained with heavy noise on purpose.{more}"
        ),
    )


def _log(wrong: bool) -> str:
    train = ramp(2.3, 2.0 if wrong else 0.1, ROWS, 0.01)
    return table(loss=train, val_loss=ramp(2.2, 1.6 if wrong else 0.12, ROWS, 0.01))


RULE = Rule(
    id="LD702",
    name="validation-below-training",
    title="Held-out samples are answered better than training samples",
    severity="warning",
    detect=detect,
    needs=(("val_loss",), ("loss", "train_loss")),
    min_points=10,
    thresholds=(
        threshold(
            "below", 0.96, "of the training loss", "beyond the average over an epoch", "runmedic: 0.9 in 70 % of pairs"
        ),
        threshold("often", 0.8, "of the evaluations", "chance does not reach this", "runmedic: 70 %"),
        threshold(
            "fitted", 0.4, "of the first training loss", "a fitted training set clears the suspicion", "trainproof"
        ),
        threshold("apart", 0.05, "of full accuracy", "the answers differ as well", "UMLAUT: 0.05"),
        threshold("wide", 0.15, "of full accuracy", "more than augmentation and dropout cost", "UMLAUT: 0.05"),
        threshold("points", 10.0, "evaluations", "fewer show no habit", "UMLAUT: after epoch 3"),
    ),
    tags=("generalisation", "supervised", "data"),
    references=("https://doi.org/10.1145/3411764.3445538",),
    examples=(
        Example(title="training 2.0, held-out 1.6", log=lambda: _log(True), fires=True),
        Example(title="training 0.1, held-out 0.12", log=lambda: _log(False), fires=False),
    ),
)
