"""Parts of a run that the story compares: before the onset, after it, and how long the steps in between took."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from logdoctor.model import Clock, Floats, Place, Series
from logdoctor.view import RunView

LEAST = 8  # points that a band of ordinary values needs
TAIL = 0.2  # of the part before the break: recent enough that a learning curve has not moved far
LOW, HIGH = 10.0, 90.0  # percentiles of that band
SIGMAS, SLACK = 3.0, 0.1  # of the scatter around the trend, and of its level: less is no departure
SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True, eq=False)
class Stretches:
    """A run cut at the line where it broke (None: it never did, or was broken from the start)."""

    view: RunView
    break_line: int | None

    @cached_property
    def clock(self) -> Clock | None:
        """The main counter."""
        clocks = self.view.run.reading.clocks
        return next((c for c in clocks if c.primary), clocks[0] if clocks else None)

    @cached_property
    def timeline(self) -> Series | None:
        """The longest series on the main counter: its points are the rows of the run."""
        found = [s for n in self.view.names if (s := self.view.get(n)) is not None and s.clock is None]
        return max(found, key=len, default=None)

    @cached_property
    def first_step(self) -> float:
        """First step of the run on the main counter."""
        return self.view.span[0]

    @cached_property
    def last_step(self) -> float:
        """Last step of the run on the main counter."""
        return self.view.span[1]

    def step_at(self, line: int) -> float | None:
        """Return the main counter at a line: that of the last row at or before it."""
        series = self.timeline
        if series is None:
            return None
        index = int(np.searchsorted(series.line, line, side="right")) - 1
        return float(series.step[max(index, 0)])

    def before(self, name: str) -> Series | None:
        """Return the finite points of a metric before the break (all of them when nothing broke)."""
        series = self.view.finite(name)
        if series is None or self.break_line is None:
            return series
        series = series.where(series.line < self.break_line)
        return series if len(series) else None

    def after(self, name: str) -> Series | None:
        """Return the finite points of a metric from the break on."""
        series = self.view.finite(name)
        if series is None or self.break_line is None:
            return None
        series = series.where(series.line >= self.break_line)
        return series if len(series) else None

    @cached_property
    def broke_late(self) -> bool:
        """Whether there was a stretch before the break that can serve as a standard."""
        if self.break_line is None or self.timeline is None:
            return False
        count = int((self.timeline.line < self.break_line).sum())
        return count >= max(LEAST, 0.05 * len(self.timeline))

    @cached_property
    def good_steps(self) -> float:
        """Steps of the stretch that was well: up to the break, or the whole run when nothing broke late."""
        end = self.step_at(self.break_line) if self.break_line and self.broke_late else None
        return (self.last_step if end is None else end) - self.first_step

    def band(self, name: str, tail: float = TAIL) -> tuple[float, float] | None:
        """Return the 10th and 90th percentile of a metric over the last ``tail`` of the part before the break."""
        series = self.before(name)
        if series is None or len(series) < LEAST:
            return None
        part = series.value[self.band_start(series, tail) :]
        low, high = np.percentile(part, [LOW, HIGH])
        return float(low), float(high)

    def level(self, name: str) -> float | None:
        """Return the median of a metric over the same part as :meth:`band`: the level that it had when it broke."""
        series = self.before(name)
        return median(series.value[self.band_start(series) :]) if series is not None else None

    @staticmethod
    def band_start(series: Series, tail: float = TAIL) -> int:
        """Return the index from which on the band is taken."""
        return max(0, len(series) - max(LEAST, int(len(series) * tail)))

    def last_good(self) -> Place | None:
        """Return the last row before the break, or the last checkpoint before it where the log names one."""
        series = self.timeline
        if self.break_line is None or series is None:
            return None
        saved = [e for e in self.view.events("checkpoint") if e.line < self.break_line]
        if saved:
            return Place(line=saved[-1].line, step=saved[-1].step, clock=saved[-1].clock)
        index = int((series.line < self.break_line).sum()) - 1
        return RunView.place(series, index) if index >= 0 else None

    def seconds(self, line: int) -> float | None:
        """Return how long the run went on from a line, from the log's own clock or its speed; None if unknown."""
        series = self.timeline
        if series is None:
            return None
        timed = series if series.time is not None else self._timed()
        if timed is not None and timed.time is not None:
            late = timed.time[(timed.line >= line) & np.isfinite(timed.time)]
            if late.size >= 2 and late[-1] > late[0]:
                return float(late[-1] - late[0])
        start = self.step_at(line)
        speed = self._speed(line)
        if start is None or speed is None or self.last_step <= start:
            return None
        return (self.last_step - start) / speed

    def _timed(self) -> Series | None:
        found = [s for n in self.view.names if (s := self.view.get(n)) is not None and s.time is not None]
        return max(found, key=len, default=None)

    def _speed(self, line: int) -> float | None:
        """Main counter units a second after a line: a rate is used only where it counts the same thing."""
        unit = self.clock.unit if self.clock else ""
        names = {"frames": ("fps",), "env steps": ("fps", "steps_per_second"), "lines": ()}.get(
            unit, ("steps_per_second", "iterations_per_second")
        )
        for name in names:
            series = self.view.finite(name)
            if series is None:
                continue
            value = series.value[(series.line >= line) & (series.value > 0)]
            if value.size >= 3:
                return float(np.median(value))
        return None


def left_trend(series: Series, line: int) -> int:
    """Return the first line from which on a metric lay above its own trend until ``line``; ``line`` where it never did.

    A rule needs some rows of growth to be sure, so a run is already on its way where it sets the onset; a checkpoint
    from these rows carries the fault. The trend is the straight line through the rows before the last fifth, and its
    margin the larger of three standard deviations around it and a tenth of its level.
    """
    before = series.where((series.line < line) & np.isfinite(series.highs) & np.isfinite(series.step))
    late = max(LEAST, int(len(before) * TAIL))
    count = len(before) - late
    if count < LEAST:
        return line
    old = slice(max(0, count - 2 * late), count)
    at, value = np.arange(len(before), dtype=np.float64), before.highs
    slope, level = np.polyfit(at[old], value[old], 1)
    trend = slope * at + level
    margin = np.maximum(SIGMAS * float(np.std(value[old] - trend[old])), SLACK * np.abs(trend))
    # A curve that levels off lies above the line through its descent as well: it must also have risen.
    above = (value > trend + margin) & (value > median(value[old][-3:]))
    above[:count] = False
    inside = np.flatnonzero(~above)
    first = int(inside[-1]) + 1 if inside.size else 0
    return int(before.line[first]) if first < len(before) else line


def median(value: Floats) -> float:
    """Return the median, NaN for nothing."""
    return float(np.median(value)) if value.size else math.nan


def head(series: Series, share: float = 0.1) -> float:
    """Return the median of the first part of a series."""
    return median(series.value[: max(3, int(len(series) * share))])


def tail(series: Series, share: float = 0.1) -> float:
    """Return the median of the last part of a series."""
    return median(series.value[-max(3, int(len(series) * share)) :])
