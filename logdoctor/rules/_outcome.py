"""Did the run suffer? What the metric that the run is for did, as gate for alarms that alone prove nothing.

Gradients, Q values and losses of healthy reinforcement learning move over orders of magnitude. Rules therefore ask
here whether performance fell, never improved, or ended non-finite before they call such a movement an alarm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.detectors.baseline import noise
from logdoctor.detectors.bins import binned
from logdoctor.detectors.smooth import rolling_median
from logdoctor.model import Floats, Goal, Series
from logdoctor.rules._progress import BOUNDED
from logdoctor.rules._rows import say

if TYPE_CHECKING:
    from logdoctor.view import RunView

LOST = 0.5  # half of what was gained is gone: the "below half of its own maximum" test of peak-then-fall rules
DECLINED = 0.25  # a quarter of it: supports another sign, is none by itself
MARGIN = 3.0  # standard errors that a change of level must exceed
CURVE = 4096  # points that show every rise and fall of a run
SETTLED = 0.2  # of the run: a younger fall may be a dip that comes back (rldoctor: 25 % since the best)
POINTS = 8  # fewer values cannot show a rise and a fall


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of performance; levels are medians and keep the sign of the log.

    Attributes:
        fall_index: last point within a tenth of the later loss from the best: where the way down begins.
        lost: share of the gain that is gone at the end.
        fell: lost more than half of its gain, or fell clearly below its start.
        improved: the end, or the best stretch before, is clearly better than the start.
        nonfinite: a loss or the performance itself ends NaN or infinite.
        policy: one clause on an agreement that collapsed, which the printed performance may not show yet.
    """

    series: Series | None
    start: float
    best: float
    best_index: int
    fall_index: int
    last: float
    gain: float
    lost: float
    fell: bool
    improved: bool
    nonfinite: str | None
    policy: str = ""

    @property
    def bad(self) -> bool:
        """Whether the run suffered in any of these ways; unknown performance counts as not."""
        stuck = self.series is not None and not self.improved
        return self.fell or self.nonfinite is not None or stuck or bool(self.policy)

    @property
    def young(self) -> bool:
        """Whether the fall is the only harm and so young that it may still come back."""
        if self.series is None or not self.fell or self.nonfinite is not None or self.policy:
            return False
        return self.gain > 0 and self.fall_index > (1 - SETTLED) * len(self.series)

    @property
    def declined(self) -> bool:
        """Whether at least a quarter of what was gained is lost: too little for an alarm by itself."""
        return self.series is not None and self.lost > DECLINED

    @property
    def text(self) -> str:
        """One clause for a sentence, empty when nothing bad is known."""
        if self.series is not None and (self.fell or self.declined):
            verb = "rose" if self.last > self.best else "fell"  # a loss gets worse by rising
            return f"{label(self.series)} {verb} from {say(_short(self.best))} to {say(_short(self.last))}"
        if self.nonfinite:
            return f"{self.nonfinite} ended non-finite"
        if self.policy:
            return self.policy
        if self.series is not None and not self.improved:
            return f"{label(self.series)} did not improve ({say(_short(self.start))} to {say(_short(self.last))})"
        return ""


def best_came_later(view: RunView, line: int) -> bool:
    """Whether a performance that fell had reached its best level only after ``line``: what peaked there did no harm."""
    hurt = outcome(view)
    if hurt.series is None or not hurt.fell or hurt.gain <= 0:
        return False
    return int(hurt.series.line[min(hurt.best_index, len(hurt.series) - 1)]) > line


def label(series: Series) -> str:
    """Return the name that the log printed."""
    return series.raw_name or series.name


def _short(value: float) -> float:
    return float(f"{value:.5g}") if math.isfinite(value) else value


def outcome(view: RunView) -> Outcome:
    """Return what became of the run's performance (memoised on the view)."""
    known = view.__dict__.get("_outcome")
    if isinstance(known, Outcome):
        return known
    result = replace(_outcome(view), policy=_policy(view))
    view.__dict__["_outcome"] = result
    return result


def _outcome(view: RunView) -> Outcome:
    perf = view.performance
    broken = _ends_nonfinite(view)
    if perf is None or len(perf.series) < POINTS:
        return Outcome(None, math.nan, math.nan, 0, 0, math.nan, 0.0, 0.0, False, True, broken)
    sign = 1.0 if perf.goal == "max" else -1.0
    up = perf.upward
    return _judge(perf.series, up, sign, broken)


def outcome_of(series: Series, goal: Goal) -> Outcome:
    """Return what became of another metric of at least three values, alone."""
    sign = 1.0 if goal == "max" else -1.0
    return _judge(series, sign * series.value, sign, None)


def _room(series: Series, start: float) -> float:
    """Return a tenth of the start, or of the room above it where the metric is bounded by 1 (or 100)."""
    if series.name not in BOUNDED:
        return 0.1 * max(abs(start), 1e-12)
    top = 1.0 if float(series.value.max()) <= 1.0 else 100.0
    return max(0.1 * min(abs(start), top - start), 1e-12)


def _judge(series: Series, up: Floats, sign: float, broken: str | None) -> Outcome:
    thin = binned(up, CURVE)  # a running median over a twelfth of a long series would cost more than all rules
    up, n = thin.value, len(thin)
    w = max(3, n // 20)
    smooth = rolling_median(up, max(3, n // 12))
    start, last = float(np.median(up[:w])), float(np.median(up[-max(3, n // 10) :]))
    best_index = int(np.argmax(smooth))
    best = float(smooth[best_index])
    error = noise(up) / math.sqrt(w)
    gain, drop = best - start, best - last
    close = np.flatnonzero(smooth >= best - 0.1 * max(drop, 0.0))
    material = _room(series, start)
    improved = gain > MARGIN * error and gain > material
    lost = drop / gain if improved else 0.0
    below = start - last > MARGIN * error and start - last > 2 * material
    fell = bool((improved and lost > LOST and drop > MARGIN * error) or below)
    return Outcome(
        series,
        sign * start,
        sign * best,
        int(thin.first[best_index]),
        int(thin.first[close[-1]]),
        sign * last,
        gain,
        lost,
        fell,
        bool(improved and (last - start > 0.25 * gain)),
        broken,
    )


def _policy(view: RunView) -> str:
    """Return one clause on an agreement that collapsed, empty when there is none."""
    from logdoctor.rules.agreement_collapse import collapse_of

    agreement = view.finite("agreement")
    fall = collapse_of(agreement) if agreement is not None else None
    if agreement is None or fall is None:
        return ""
    low = float(agreement.value[fall.lowest])
    return f"{label(agreement)} collapsed from {say(round(fall.level, 2))} to {say(low)}"


def _ends_nonfinite(view: RunView) -> str | None:
    for name in view.names:
        if not (name.endswith("loss") or name == "grad_norm"):
            continue
        series = view.get(name)
        if series is not None and len(series) >= 2 and not np.isfinite(series.value[-2:]).any():
            return label(series)
    return None
