"""What a curve did from start to end: the levels that rules about learning compare.

Larger is better inside this module: the values of a metric to be minimised are turned around. A level is the mean of a
stretch, never a single value, and comes with its standard error, so that a change can be judged against noise
(statistical condition) and against the size of the start or of the gain (material condition).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.detectors.baseline import MAD_TO_SIGMA
from logdoctor.detectors.bins import binned
from logdoctor.detectors.smooth import rolling_mean, rolling_median
from logdoctor.model import Floats, Goal, Series

if TYPE_CHECKING:
    from logdoctor.view import RunView

BOUNDED = frozenset(
    {"accuracy", "train_accuracy", "val_accuracy", "success_rate", "eval_success_rate"}
)  # between 0 and 1, or 0 and 100
MIDWAY_ROWS, MIDWAY_SHARE = 10.0, 0.05  # a first step of ten rows and a twentieth of the run was not the first one
SB3_WINDOW = 100  # episodes that rollout/ep_rew_mean averages (stats_window_size of Stable-Baselines3)


@dataclass(frozen=True, eq=False)
class Progress:
    """A finite series and the levels of its stretches, larger being better.

    Attributes:
        series: the finite points; every index below points into it.
        goal: ``max`` or ``min``, the direction that the metric has in the log.
    """

    series: Series
    goal: Goal

    @cached_property
    def sign(self) -> float:
        """+1 where larger is better in the log, -1 where smaller is."""
        return -1.0 if self.goal == "min" else 1.0

    @cached_property
    def up(self) -> Floats:
        """The values, turned so that larger is better."""
        return np.asarray(self.sign * self.series.value, dtype=np.float64)

    @cached_property
    def smooth(self) -> Floats:
        """Running mean of a running median over a twelfth of the run."""
        window = max(3, len(self.series) // 12)
        return rolling_mean(rolling_median(self.up, 3), window)

    @cached_property
    def noise(self) -> float:
        """Robust standard deviation of the points around the smoothed curve (a jump is no noise)."""
        off = self.up - self.smooth
        return MAD_TO_SIGMA * float(np.median(np.abs(off - np.median(off)))) if off.size else 0.0

    def level(self, first: float, last: float, least: int = 3) -> float:
        """Return the mean over a stretch given as shares of the run (0 to 1), of at least ``least`` points."""
        n = len(self.series)
        a, b = int(first * n), max(math.ceil(last * n), int(first * n) + least)
        a = max(0, min(a, n - least))
        return float(np.mean(rolling_median(self.up, 3)[a : min(b, n)])) if n else math.nan

    @cached_property
    def start(self) -> float:
        """Level of the first hundredth, at least three rows: fast learners leave their start within a few rows."""
        return self.level(0.0, 0.01)

    @cached_property
    def final(self) -> float:
        """Level of the last tenth."""
        return self.level(0.9, 1.0)

    @cached_property
    def best_index(self) -> int:
        """Point at which the smoothed curve is highest."""
        return int(np.argmax(self.smooth)) if len(self.series) else 0

    @cached_property
    def best(self) -> float:
        """Highest smoothed level."""
        return float(self.smooth[self.best_index])

    @cached_property
    def floor(self) -> float:
        """Lowest smoothed level up to the best, or the start when that is lower."""
        return min(self.start, float(self.smooth[: self.best_index + 1].min()))

    @cached_property
    def error(self) -> float:
        """Standard error of a change between two levels, the shorter of which averages a hundredth of the rows."""
        return self.noise / math.sqrt(max(3, len(self.series) // 100))

    @property
    def gain(self) -> float:
        """Best level above the start."""
        return self.best - self.start

    @property
    def improvement(self) -> float:
        """End above the start."""
        return self.final - self.start

    @cached_property
    def lost(self) -> float:
        """Share of the gain (best above start) that is gone at the end; 0 when nothing was gained."""
        return (self.best - self.final) / self.gain if self.gain > 0 else 0.0

    @cached_property
    def top(self) -> float:
        """The upper bound of the metric where it has one (1 or 100), else infinity."""
        if self.series.name not in BOUNDED:
            return math.inf
        return 1.0 if float(self.series.value.max()) <= 1.0 else 100.0

    def material(self, share: float) -> float:
        """Return what a material improvement is: a ``share`` of the start's size, or of the room above it."""
        if math.isfinite(self.top):
            return share * max(self.top - self.start, 0.0)
        return share * abs(self.start)

    def printed(self, level: float) -> float:
        """Return ``level`` with the sign of the log, at five digits: a derived level claims no more."""
        return float(f"{self.sign * level:.5g}") if math.isfinite(level) else level

    def last_near_best(self, share: float = 0.1) -> int:
        """Return the last point whose smoothed level is within a ``share`` of the gain from the best one."""
        near = np.flatnonzero(self.smooth >= self.best - share * max(self.gain, 0.0))
        return int(near[-1])


def progress(view: RunView, name: str, goal: Goal = "max") -> Progress | None:
    """Return the progress of a metric, or None when it has no finite judged value."""
    series = view.finite(name)
    return Progress(series, goal) if series is not None else None


def performance(view: RunView) -> Progress | None:
    """Return the progress of the run's performance metric (memoised on the view), or None."""
    if "_progress" not in view.__dict__:
        found = view.performance
        view.__dict__["_progress"] = Progress(found.series, found.goal) if found else None
    result: Progress | None = view.__dict__["_progress"]
    return result


def lag(view: RunView, series: Series) -> float:
    """Return the share of the run over which one printed value averages (0 when it averages over nothing known).

    Stable-Baselines3 prints the mean of the last 100 episodes; its share follows from the printed episode count or from
    the episode length. A curve that averages over half of the run still rises long after the policy stopped improving.
    """
    raw = series.raw_name.lower()
    if "ep_rew_mean" not in raw and "mean_100" not in raw and "mean 100" not in raw:
        return 0.0
    length = view.finite("episode_length")
    first, last = view.span
    if length is None or last <= first:
        return 0.0
    return min(1.0, SB3_WINDOW * float(np.median(length.value[-max(3, len(length) // 10) :])) / (last - first))


def started_from_model(view: RunView) -> bool:
    """Whether the log says that weights were loaded, so that a high start and a flat curve are no fault."""
    return bool(view.events("resume", "model-load"))


def starts_midway(view: RunView, series: Series) -> bool:
    """Whether the log begins in mid-run, so that its first rows are no start: a high first step, or loaded weights."""
    if started_from_model(view):
        return True
    step = series.step[np.isfinite(series.step)]
    rise = np.diff(step)
    rise = rise[rise > 0]
    if step.size < 3 or not rise.size:
        return False
    low = float(step.min())
    if series.clock is None:
        low = min(low, view.span[0])  # a metric may set in later than the log, after an exploration phase
    return bool(low > MIDWAY_ROWS * float(np.median(rise)) and low > MIDWAY_SHARE * float(np.quantile(step, 0.95)))


def correlation(a: Series, b: Series) -> float:
    """Return Spearman's rank correlation of two metrics, ``b`` taken at the steps of ``a`` (0 when not comparable)."""
    from logdoctor.detectors.trend import rank_correlation

    if len(a) < 8 or len(b) < 8 or a.clock != b.clock:
        return 0.0
    order = np.argsort(b.line, kind="stable")
    at = np.clip(np.searchsorted(b.line[order], a.line), 0, len(b) - 1)
    left = binned(a.value, 256).value
    right = binned(b.value[order][at], 256).value
    return rank_correlation(left, right)
