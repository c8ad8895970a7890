"""The metrics jump back to an earlier level and run through it a second time.

What it finds: a training loss and a held-out loss that leap, from one evaluation to the next, to levels they had many
evaluations ago, and then fall again by the same way and at the same pace as the first time.
Why it matters: old weights were loaded: the work between the two places is lost or done twice, and a counter that goes
on hides it.
How it decides: both losses rise at one evaluation by ``size`` times and by ``signal`` times their scatter; one earlier
evaluation matches both new levels to within ``same`` of the leap; and the next evaluations, at least ``replay`` of
them, repeat the ones after that earlier place to within ``same`` of the leap on average. A raise of the learning rate
at that place explains the leap otherwise, a step counter that goes back tells it already.
When it is wrong: an upset that happens to be worked off at the pace of the first time.
What to do: compare the step stored in the checkpoint with the last step of the log; load the newest one, with optimiser
and schedule.
References: PyTorch tutorial, Saving and Loading a General Checkpoint; TrainCheck (OSDI'25): silent errors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.baseline import noise
from logdoctor.model import Finding, Floats
from logdoctor.rules._examples import table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._pairs import Pair, pair
from logdoctor.rules._rates import raises
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold
from logdoctor.rules.step_goes_back import RULE as STEP
from logdoctor.rules.step_goes_back import detect as step_goes_back
from logdoctor.view import RunView


@dataclass(frozen=True, slots=True)
class Replay:
    """Evaluation ``index`` has the levels of evaluation ``before``, and ``length`` evaluations repeat themselves."""

    index: int
    before: int
    length: int


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when both losses went back to an earlier place of their curves."""
    found = None if view.is_rl else pair(view, "val_loss", "train_loss", "loss", least=12)
    if found is None:
        return
    place = replay_of(found, limits)
    if place is None or _raised(view, found, place) or any(step_goes_back(view, Limits(STEP.thresholds))):
        return
    yield _finding(view, found, place)


def replay_of(found: Pair, limits: Limits) -> Replay | None:
    """Return the largest leap back that is followed by a replay, or None."""
    held, train = found.held.value, found.train
    if held.min() <= 0 or train.min() <= 0:
        return None
    curves = np.log(np.stack([held, train]))
    scatter = np.array([noise(curve) for curve in curves])
    leap = np.diff(curves, axis=1)
    least = np.maximum(np.log(limits.size), limits.signal * scatter)
    places = np.flatnonzero((leap >= least[:, None]).all(axis=0)) + 1
    for index in sorted(places.tolist(), key=lambda i: -float(leap[:, i - 1].sum())):
        found_at = _match(curves, index, leap[:, index - 1], limits)
        if found_at is not None:
            return found_at
    return None


def _match(curves: Floats, index: int, leap: Floats, limits: Limits) -> Replay | None:
    """Return the earlier place whose levels, and whose next levels, are those from ``index`` on."""
    least = int(limits.replay)
    if index < least + 2 or curves.shape[1] - index < least:
        return None
    off = np.abs(curves[:, : index - 2] - curves[:, index : index + 1]) / leap[:, None]
    before = int(np.argmin(off.max(axis=0)))
    length = min(curves.shape[1] - index, index - before)
    if float(off[:, before].max()) > limits.same or length < least or before == 0:
        return None
    again = np.abs(curves[:, index : index + length] - curves[:, before : before + length]).mean(axis=1)
    return Replay(index, before, length) if bool((again < limits.same * leap).all()) else None


def _raised(view: RunView, found: Pair, place: Replay) -> bool:
    """Whether the learning rate was raised between the evaluations around the leap."""
    first, last = (int(found.held.line[i]) for i in (max(0, place.index - 2), place.index))
    return any(first <= step.line <= last for step in raises(view))


def _finding(view: RunView, found: Pair, place: Replay) -> Finding:
    held, index, before = found.held, place.index, place.before
    train = [float(f"{found.train[i]:.4g}") for i in (index - 1, index, before)]
    last = index + place.length - 1
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.85,
        metrics=[held.name, found.train_series.name],
        onset=view.place(held, index),
        summary=(
            f"At {at(view, held, index)} {label(held)} leaps from {say(float(held.value[index - 1]))} to"
            f" {say(float(held.value[index]))} and {label(found.train_series)} from {say(train[0])} to {say(train[1])}:"
            f" the levels of {at(view, held, before)} ({say(float(held.value[before]))} and {say(train[2])}); the next"
            f" {place.length} evaluations repeat the ones after it."
        ),
        figures={
            "before_the_leap": float(held.value[index - 1]),
            "after_the_leap": float(held.value[index]),
            "earlier_level": float(held.value[before]),
            "evaluations_back": index - before,
            "evaluations_repeated": place.length,
        },
        evidence=rows(
            held,
            [
                (before, "the same level, first time"),
                (index - 1, "before the leap"),
                (index, "after the leap"),
                (last, "repeated up to here"),
            ],
        ),
        analysis="Weights that are upset come back by another way; weights that are older go the same way again.",
    )


def _log(back: bool) -> str:
    way = np.geomspace(2.3, 0.2, 24)
    curve = np.concatenate([way, way[8:20]]) if back else np.geomspace(2.3, 0.12, 36)
    return table(train_loss=curve * (1 + wobble(36, 0.01)), val_loss=1.1 * curve * (1 + wobble(36, 0.01, seed=3)))


RULE = Rule(
    id="LD109",
    name="metrics-go-back",
    title="The metrics jump back to an earlier level",
    severity="warning",
    detect=detect,
    needs=(("val_loss",), ("loss", "train_loss")),
    min_points=12,
    thresholds=(
        threshold("size", 1.3, "times", "a leap that a reader of the curve would notice", "gradsnitch: 30 %"),
        threshold("signal", 6.0, "robust deviations", "chance does not reach this twice at once", "two times p < 1e-8"),
        threshold("same", 0.35, "of the leap", "two evaluations of one model differ by less", "a third of the effect"),
        threshold(
            "replay", 4.0, "evaluations", "four repeated levels of two losses are no chance", "sign test, p < 0.01"
        ),
    ),
    tags=("logging", "operations"),
    references=("https://pytorch.org/tutorials/beginner/saving_loading_models.html",),
    examples=(
        Example(title="from the end back to the ninth evaluation", log=lambda: _log(True), fires=True),
        Example(title="a loss that falls all the way", log=lambda: _log(False), fires=False),
    ),
)
