"""Which metrics stop changing from some row on, while others go on: one look shared by three rules."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.detectors.constant import repeat_share, trailing_constant
from logdoctor.detectors.nonfinite import nonfinite
from logdoctor.model import Floats, Series
from logdoctor.rules._progress import BOUNDED
from logdoctor.rules._speed import averages_since_start

if TYPE_CHECKING:
    from logdoctor.view import RunView

LEAST = 8  # rows that repeat one value; fewer happen where a program prints a running value between updates
OFTEN = 0.4  # of the rows repeat the one before: the value is printed too coarsely, or carried forward
CHANCE = 1e-7  # for one metric of a log; a hundred logs of ten metrics then make one false word in ten thousand
HELD = ("val_", "eval_", "test_")
MANY = 5.0  # units of the last printed digit by which a metric moved before it stopped; rounding moves it by one
ABRUPT = 0.2  # of the steps before: early in a run each is a third to a half of the one before it
SPENT = 1e-3  # of the first loss: below it nothing is left to update for
CALM = 0.2  # of the steps before: a run that has come to rest
DRIFT = 0.1  # of the whole range of the loss, between the ends of the stretch: it goes nowhere any more
REST = 0.01  # of the whole range of the loss: a step that no curve shows
ROUND = 10.0  # caps are round numbers: 500 steps, 100 %
SHARE = 0.08  # of the series: a frozen value must cover a stretch that matters
# What the optimiser computes anew at every update: it cannot repeat itself to the last digit while training goes on.
OPTIMISED = re.compile(
    r"loss$|grad_norm$|^(actor|critic|policy|value)_norm$|^td_error$|^q_(value|max|min|std)$|^target_q$|^agreement$|^spin_agreement$|^kl$|^entropy$|^entropy_loss$"
    r"|^clip_fraction$|^explained_variance$|^clip_delta$|^log_prob_|^advantage_"
)
# Counters, schedules, settings and windowed means that stand still at a bound are no measurements that froze.
IGNORED = re.compile(
    r"learning_rate|^lr|epsilon|expert_ratio|ent_coef$|clip_range|^level$|^clients$|buffer|memory|loss_scale|skipped|n_updates|best_"
    r"|eta|elapsed|iterations|episodes|epoch|^time|max_|min_|seed|batch|beta|gamma|tau$|margin_target|mfu"
)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A series that repeats its last value from point ``first`` (its first repetition is ``first + 1``)."""

    series: Series
    first: int

    @property
    def rows(self) -> int:
        """Rows in which the value stands still."""
        return len(self.series) - self.first


def digits(value: float) -> int:
    """Return the significant digits that a value was printed with, at most."""
    text = f"{abs(value):.10g}".split("e")[0].replace(".", "").strip("0")
    return len(text)


def frozen(view: RunView) -> list[Frozen]:
    """Return the metrics that moved at (nearly) every row and then repeat one value up to the last row."""
    found = []
    broken = broken_from(view)
    for name in view.names:
        series = view.get(name)
        if series is None or len(series) < 2 * LEAST or IGNORED.search(name):
            continue
        if name == "fps" and averages_since_start(view, series):
            continue
        tail = trailing_constant(series.value)
        if tail is None or tail.length < max(LEAST, SHARE * len(series)) or not np.isfinite(tail.value):
            continue
        before_end = int(series.line[tail.first]) < broken and not converged(view, series, tail.first)
        if before_end and is_measurement(series, tail.first, tail.value):
            found.append(Frozen(series, tail.first))
    return found


def broken_from(view: RunView) -> float:
    """Line from which a loss or a gradient norm stays non-finite: what repeats from there on follows from that."""
    lines = [math.inf]
    for name in view.names:
        series = view.get(name) if name.endswith(("loss", "grad_norm")) else None
        bad = nonfinite(series.value) if series is not None else None
        if series is not None and bad is not None and bad.stays:
            lines.append(float(series.line[max(0, bad.first - 2)]))
    return min(lines)


def is_measurement(series: Series, first: int, value: float) -> bool:
    """Whether the value before moved freely, and the repeated one is no bound of it and no rounded zero."""
    before = series.value[: first + 1]
    before = before[np.isfinite(before)]
    if value == 0.0 or before.size < 3 or digits(value) < 3:
        return False
    if np.unique(before).size < min(before.size, 3) or len(series) - first < _needed(before):
        return False
    at_bound = value >= before.max() or value <= before.min()
    return not (at_bound and before.size >= 10 and _approaches(before, value))


def _needed(before: Floats) -> int:
    """Rows of one value that chance does not give to a metric which repeats itself as often as this one did before."""
    repeats = max(repeat_share(before), repeat_share(before[-max(3, before.size // 3) :]))
    if repeats > OFTEN:
        return before.size + LEAST * before.size
    return LEAST if repeats < 0.01 else max(LEAST, math.ceil(math.log(CHANCE) / math.log(repeats)))


def _approaches(before: Floats, value: float) -> bool:
    """Whether a curve closes in on its bound (a capped score, a converged loss) rather than stopping in mid-flight."""
    step = np.abs(np.diff(before))
    late = step[-max(3, step.size // 10) :]
    return float(np.median(late)) < 0.2 * float(np.median(step)) or value % ROUND == 0


def converged(view: RunView, series: Series, first: int) -> bool:
    """Whether an accuracy may stand still because all else that is measured beside it has come to rest as well.

    An accuracy is a count: it repeats as long as no sample changes sides. A held-out loss (or, where none is printed, a
    training loss) whose steps have become small beside those before says that few do.
    """
    if series.name.removesuffix("_avg") not in BOUNDED:
        return False
    line = int(series.line[first])
    for name in ("val_loss", "eval_loss", "loss", "train_loss"):
        other = view.finite(name)
        if other is None or other.name == series.name:
            continue
        step, late = np.abs(np.diff(other.value)), other.line[1:] > line
        if late.sum() >= 3 and (~late).sum() >= 3:
            here, whole = float(np.median(step[late])), float(np.ptp(other.value))
            after = other.value[other.line >= line]
            drift = abs(float(np.median(after[-3:]) - np.median(after[:3])))
            return drift < DRIFT * whole and 0 < here < max(CALM * float(np.median(step[~late])), REST * whole)
    return False


def held_still(view: RunView) -> list[Frozen]:
    """Return the held-out metrics that all repeat to the end while the training loss goes nowhere, else an empty list.

    Weights that are no longer updated evaluate to the same numbers; a loss per batch then only scatters.
    """
    if view.is_rl or broken_from(view) < math.inf:
        return []
    found = []
    for name in view.names:
        series = view.raw(name) if name.startswith(HELD) else None  # rows that repeat may have been masked for that
        if series is None or len(series) < LEAST + 3 or IGNORED.search(name):
            continue
        # An accuracy printed twice, with two and with three decimals, is one value.
        tail = trailing_constant(series.value if name.endswith("loss") else np.round(series.value, 1 + _scale(series)))
        if tail is None or tail.length < LEAST or not np.isfinite(tail.value) or tail.first < 2:
            return []
        found.append(Frozen(series, tail.first))
    losses = [item for item in found if item.series.name.endswith("loss")]
    stops = [item for item in losses if _in_flight(item)]
    if not stops or max(digits(float(item.series.value[-1])) for item in found) < 3:
        return []
    train = view.finite("loss") or view.finite("train_loss")
    return found if train is not None and _goes_nowhere(train, int(stops[0].series.line[stops[0].first])) else []


def _scale(series: Series) -> int:
    """Decimals beyond the first that a share (2) or a percentage (0) needs to be told apart."""
    return 2 if float(np.nanmax(series.value)) <= 1.0 else 0


def _in_flight(item: Frozen) -> bool:
    """Whether the metric stopped at once: its last step was many times the last printed digit and as large as others.

    Under a step size that decays the last steps shrink before the metric stands still.
    """
    steps = np.abs(np.diff(item.series.value[: item.first + 1]))[-3:]
    places = max(len(f"{v:.10g}".partition(".")[2]) for v in item.series.value[: item.first + 1].tolist())
    return bool(steps[-1] >= max(MANY * 10.0**-places, ABRUPT * float(steps[:-1].min(initial=np.inf))))


def _goes_nowhere(train: Series, line: int) -> bool:
    """Whether the training loss, which fell before ``line``, stays at a level above nothing after it."""
    before, after = train.value[train.line <= line], train.value[train.line > line]
    if before.size < 3 or after.size < LEAST:
        return False
    third = after.size // 3
    early, late = float(np.mean(after[:third])), float(np.mean(after[-third:]))
    error = float(np.std(after)) * math.sqrt(2 / third)
    start = float(np.max(before[: max(1, before.size // 5)]))
    return late > SPENT * start and abs(late - early) < max(3 * error, 0.01 * abs(early)) and late > 0.8 * early


def alive(view: RunView, name: str, from_line: int) -> bool:
    """Whether a metric still changes after ``from_line``."""
    series = view.finite(name)
    if series is None:
        return False
    late = series.value[series.line > from_line]
    return bool(late.size >= 3 and np.ptp(late) > 0)
