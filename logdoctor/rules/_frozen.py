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
from logdoctor.rules._speed import averages_since_start

if TYPE_CHECKING:
    from logdoctor.view import RunView

LEAST = 8  # rows that repeat one value; fewer happen where a program prints a running value between updates
OFTEN = 0.4  # of the rows repeat the one before: the value is printed too coarsely, or carried forward
CHANCE = 1e-7  # for one metric of a log; a hundred logs of ten metrics then make one false word in ten thousand
ROUND = 10.0  # caps are round numbers: 500 steps, 100 %
SHARE = 0.08  # of the series: a frozen value must cover a stretch that matters
# What the optimiser computes anew at every update: it cannot repeat itself to the last digit while training goes on.
OPTIMISED = re.compile(
    r"loss$|grad_norm$|^td_error$|^q_(value|max|min|std)$|^target_q$|^agreement$|^spin_agreement$|^kl$|^entropy$|^entropy_loss$"
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
        if int(series.line[tail.first]) < broken and is_measurement(series, tail.first, tail.value):
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


def alive(view: RunView, name: str, from_line: int) -> bool:
    """Whether a metric still changes after ``from_line``."""
    series = view.finite(name)
    if series is None:
        return False
    late = series.value[series.line > from_line]
    return bool(late.size >= 3 and np.ptp(late) > 0)
