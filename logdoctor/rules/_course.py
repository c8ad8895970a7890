"""Where the run's performance went, by one test: every sentence about improvement and the verdict itself ask here.

A change counts when it is clear and large. Clear: by ranks, so that a few huge episodes of a heavy-tailed reward say no
more than any others; either the whole curve has a direction (Mann-Kendall) or its first rows and its later half differ
(Mann-Whitney). Large: a tenth of the start for a return, a twentieth for anything else, or of the room above it where
the metric is bounded. A curve that does not pass has not risen, whatever two medians say.

References: Mann and Whitney 1947; Mann 1945; Kendall 1975.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.detectors.bins import binned
from logdoctor.detectors.smooth import rolling_median
from logdoctor.detectors.trend import rank_sum_p, trend
from logdoctor.model import Floats, Goal, Series
from logdoctor.rules._outcome import outcome, outcome_of
from logdoctor.rules._progress import BOUNDED, starts_midway
from logdoctor.view import LEAST_ROWS, LONG_ROWS, PERFORMANCE, Performance

if TYPE_CHECKING:
    from logdoctor.view import RunView

HELD_OUT = ("val_", "eval_")
SURE = 0.01  # p-value of either test: of trendless curves one in fifty passes
FEW = 3  # rows at the start that already differ from the rest: fast learners leave it within a few
POINTS = 256  # bins of a long series: enough for its course, and neighbours in a bin share their noise
LARGE, RETURN = 0.05, 0.1  # of the start: trainproof (5 %), because adapted models move by little; SageMaker (10 %)
PART = 0.35  # of the gain: as much as a loss must give back to have turned (loss-divergence)
FAR = 2.0  # times that: a fall that nobody would call noise of the evaluation
SLOW = 0.1  # of the whole change: a last third that moves by less stands still
TOP, ALL = 0.9, 0.99  # of the upper bound: little is left to rise to; every answer is right
ORDERLY = 0.6  # rank correlation with time from which a rise is no matter of its first and last rows
CAP, STANDS = 10.0, 0.5  # caps of a return are round numbers (200 and 500 steps); share of the later rows at it


@dataclass(frozen=True, eq=False)
class Course:
    """The course of a metric; levels are medians with the sign of the log.

    Attributes:
        performance: the metric and its direction.
        lost: most of what was gained is gone at the end.
        midway: the log does not hold its start.
        acting: it is a return of reinforcement learning.
    """

    performance: Performance
    lost: bool = False
    midway: bool = False
    acting: bool = False

    @property
    def series(self) -> Series:
        """The metric."""
        return self.performance.series

    @cached_property
    def up(self) -> Floats:
        """The values, larger being better, at most ``POINTS`` of them."""
        return np.asarray(binned(self.performance.upward, POINTS).value, dtype=np.float64)

    @cached_property
    def _begin(self) -> int:
        """Rows that are its start: a tenth, or the first few where they alone differ from the rest."""
        tenth, half = max(FEW, self.up.size // 10), self.up.size // 2
        few = [abs(self._change(rows)) for rows in (tenth, FEW) if self._differs(rows, half)]
        return FEW if few and abs(self._change(FEW)) > 2 * abs(self._change(tenth)) else tenth

    def _change(self, rows: int) -> float:
        return float(np.median(self.up[-max(FEW, self.up.size // 10) :]) - np.median(self.up[:rows]))

    def _differs(self, rows: int, half: int) -> bool:
        sides = self.up[-half:], self.up[:rows]
        return min(rank_sum_p(*sides), rank_sum_p(*sides[::-1])) < SURE

    @cached_property
    def start(self) -> float:
        """Level of the first rows."""
        return self._sign * float(np.median(self.up[: self._begin]))

    @cached_property
    def end(self) -> float:
        """Level of the last tenth."""
        return self._sign * float(np.median(self.up[-max(FEW, self.up.size // 10) :]))

    @property
    def _sign(self) -> float:
        return -1.0 if self.performance.goal == "min" else 1.0

    @property
    def gained(self) -> float:
        """End against start, above zero where it is better."""
        return self._sign * (self.end - self.start)

    def better(self, one: float, other: float) -> bool:
        """Whether level ``one`` is better than ``other``."""
        return self._sign * (one - other) > 0

    @cached_property
    def large(self) -> float:
        """What a change must exceed to be large."""
        share, size = RETURN if self.acting else LARGE, abs(self.start)
        if math.isfinite(self.top):
            size = min(size, max(self.top - self.start, 0.0))
        return share * size

    @cached_property
    def top(self) -> float:
        """The upper bound of the metric, infinity where it has none."""
        if self.series.name not in BOUNDED:
            return math.inf
        return 1.0 if float(self.series.value.max()) <= 1.0 else 100.0

    def _clear(self, upward: bool) -> bool:
        """Whether the curve goes that way by ranks."""
        value = self.up if upward else -self.up
        if value.size < 2 * FEW or float(np.ptp(value)) == 0:
            return False
        late = value[-(value.size // 2) :]
        return _directed(value) or any(rank_sum_p(late, value[:rows]) < SURE for rows in {FEW, self._begin})

    @cached_property
    def rose(self) -> bool:
        """Whether the end is clearly and by size better than the start.

        The first rows of a log that begins in mid-run are no start, and the zero of a return is anywhere: there it is
        enough that it is clear, and for a return that the rows follow each other in good order.
        """
        if self.gained <= 0 or not self._clear(upward=True):
            return False
        line = trend(self.up) if self.acting else None
        return self.midway or self.gained > self.large or (line is not None and line.tau > ORDERLY)

    @cached_property
    def sank(self) -> bool:
        """Whether the end is clearly and largely worse than the start."""
        return -self.gained > FAR * self.large and self._clear(upward=False)

    @cached_property
    def best(self) -> float:
        """The highest level of a tenth of the rows."""
        return self._sign * float(self._smooth[self._top_at])

    @cached_property
    def _smooth(self) -> Floats:
        return rolling_median(self.up, max(FEW, self.up.size // 10))

    @cached_property
    def _top_at(self) -> int:
        return int(np.argmax(self._smooth))

    @cached_property
    def back(self) -> bool:
        """Whether a good part of what was gained is clearly and largely lost again, on a way that leads down."""
        drop = self._sign * (self.best - self.end)
        won = self._sign * (self.best - self.start)
        after = self.up[self._top_at :]
        return (
            won > 0
            and drop > PART * won
            and drop > FAR * self.large
            and after.size >= max(2 * FEW, self.up.size // 10)
            and _directed(-after)
        )

    @cached_property
    def fell(self) -> bool:
        """Whether the end is clearly and largely worse than the start or than the best level."""
        return self.lost or self.sank or self.back

    @cached_property
    def held(self) -> bool:
        """Whether a run that was under way before the log began goes on measuring, and keeps its level."""
        value = self.series.value
        return self.midway and value.size >= LONG_ROWS and float((value == np.median(value)).mean()) < STANDS

    @cached_property
    def at_top(self) -> bool:
        """Whether the metric stands where nothing is left to rise to: at its bound, or at a round cap."""
        late = self.series.value[-(len(self.series) // 2) :]
        if not late.size:
            return False
        if math.isfinite(self.top):  # what repeats below it may be one evaluation, told again and again
            return float(np.median(late)) >= (TOP if float(np.ptp(late)) > 0 else ALL) * self.top
        least, most = float(self.series.value.min()), float(self.series.value.max())
        capped = self.performance.goal == "max" and least < most > 0 and most % CAP == 0
        return bool(capped and (late == most).mean() >= STANDS)

    @cached_property
    def late(self) -> int:
        """Direction of the last third against the second one: 1 improves, -1 gets worse, 0 stands still."""
        third = self.up.size // 3
        middle, last = self.up[-2 * third : -third], self.up[-third:]
        if third < FEW:
            return 0
        low, high = np.percentile(self.up, [10, 90])
        moved = float(np.median(last) - np.median(middle))
        if abs(moved) <= SLOW * max(abs(self.gained), float(high - low)):
            return 0
        sign = 1 if moved > 0 else -1
        clear = rank_sum_p(sign * last, sign * middle) < SURE or _directed(sign * self.up[-2 * third :])
        return sign if clear else 0

    @property
    def good(self) -> bool:
        """Whether the metric shows that the run does what it is for."""
        return (self.rose or self.at_top or self.held) and not self.fell


def _directed(value: Floats) -> bool:
    """Whether a curve rises as a whole."""
    line = trend(value)
    return line is not None and line.tau > 0 and line.p < SURE


def improves(series: Series, goal: Goal) -> bool:
    """Whether a metric of the run, whichever it is, ended better than it began, by the same test."""
    return Course(Performance(series=series, goal=goal)).rose


def course(view: RunView) -> Course | None:
    """Return the course of the run's performance (memoised on the view), or None.

    Where a training metric shows nothing, a held-out one of fewer values that improves says more.
    """
    if "_course" not in view.__dict__:
        view.__dict__["_course"] = _course(view)
    result: Course | None = view.__dict__["_course"]
    return result


def solved(view: RunView) -> bool:
    """Whether performance stands at its bound or its cap, where nothing is left to rise to."""
    went = course(view)
    return went is not None and went.at_top and went.good


def _course(view: RunView) -> Course | None:
    found = view.performance
    if found is None:
        return None
    went = Course(found, outcome(view).fell, starts_midway(view, found.series), view.is_rl)
    if went.good or view.is_rl or found.name.startswith(HELD_OUT):
        return went
    for name, goal in PERFORMANCE:
        series = view.finite(name) if name.startswith(HELD_OUT) else None
        if series is not None and len(series) >= LEAST_ROWS:
            other = Course(Performance(series=series, goal=goal), outcome_of(series, goal).fell)
            if other.rose and not other.fell:
                return other
    return went
