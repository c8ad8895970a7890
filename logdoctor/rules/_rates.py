"""What a printed learning rate does over the run: its peak, where it is used up, and where it was raised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.detectors.smooth import rolling_median
from logdoctor.model import Event, Floats, Series

if TYPE_CHECKING:
    from logdoctor.view import RunView

RAISED = 1.5  # a rise between neighbouring records by this factor is no schedule: a ramp rises from the first record on
SPENT = 0.03  # a rate below this share of its peak moves nothing any more; cosine schedules usually end at 0.1
EXACT = 1e-6  # 0.0003 / 0.0002 is a rounding error short of 1.5
SOON = 0.25  # share of the run in which a change shows; later breaks have had time for causes of their own
GAP, GAP_LINES = 0.005, 12  # share of the lines, or lines, between keys that were pressed one after the other
FLAT, FLAT_ROWS = 0.05, 5  # share of the records, and records, without a change before a ramp that is no schedule
FIRST_ROWS = 5  # rows in which a rate that rises from the first one on is warmed up, however short the log is
RAMP = 4  # like rises in a row that are a ramp (a triangular or cyclic schedule out of its trough), not a jump
WARM_UP = 0.15  # share of the run in which a rising rate may still be its warm-up (1 to 10 % is usual)


@dataclass(frozen=True, slots=True)
class Step:
    """The rate changed from ``before`` to ``after``; a change in several key presses ends at ``last_line``."""

    before: float
    after: float
    line: int
    step: float | None
    position: float
    text: str = ""
    last_line: int = 0
    last_step: float | None = None

    @property
    def stated(self) -> tuple[int, float | None]:
        """Line and step at which ``after`` was printed."""
        return (self.last_line, self.last_step) if self.last_line else (self.line, self.step)

    @property
    def where(self) -> str:
        """``line 97`` or ``lines 1212 to 1215``."""
        several = self.last_line and self.last_line != self.line
        return f"lines {self.line} to {self.last_line}" if several else f"line {self.line}"

    @property
    def factor(self) -> float:
        """After over before."""
        return self.after / self.before if self.before > 0 else float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class Rate:
    """The column of a learning rate; positions are shares of its records."""

    series: Series
    peak_index: int
    spent_index: int | None

    @property
    def first(self) -> float:
        """First printed rate."""
        return float(self.series.value[0])

    @property
    def peak(self) -> float:
        """Largest printed rate."""
        return float(self.series.value[self.peak_index])

    @property
    def last(self) -> float:
        """Last printed rate."""
        return float(self.series.value[-1])

    @property
    def peak_line(self) -> int:
        """Line of the largest rate."""
        return int(self.series.line[self.peak_index])

    @property
    def warm(self) -> bool:
        """Whether the rate ramps up at the start."""
        return self.first < 0.9 * self.peak and self.peak_index <= WARM_UP * len(self.series) + 1

    @property
    def spent_at(self) -> tuple[float, int] | None:
        """(share of the run, line) from which the rate stays below ``SPENT`` of its peak, or None."""
        if self.spent_index is None:
            return None
        return self.spent_index / len(self.series), int(self.series.line[self.spent_index])

    @property
    def lowest_late(self) -> float:
        """Smallest rate of the second half."""
        return float(self.series.value[len(self.series) // 2 :].min())


def rate_of(view: RunView) -> Rate | None:
    """Return the printed learning rate, or None for fewer than four records."""
    series = view.finite("learning_rate")
    if series is None or len(series) < 4:
        return None
    top = int(series.value.argmax())
    peak = float(series.value[top])
    alive = np.flatnonzero(series.value > SPENT * peak)
    spent = int(alive[-1]) + 1 if alive.size and alive[-1] + 1 < len(series) else None
    return Rate(series, top, spent)


def raises(view: RunView) -> list[Step]:
    """Return the places at which the rate was raised by ``RAISED``: key events first, else the printed column.

    A ramp of several small changes after a constant stretch is one raise, from its first value to its last.
    """
    found = rate_changes(view)
    if found:
        return [step for step in _ramps(found) if step.factor >= (1 - EXACT) * RAISED]
    rate = rate_of(view)
    if rate is None:
        return []
    jumps = _jumps(view, rate)
    lines = {step.line for step in jumps}
    slow = [ramp for ramp in _slow_ramps(view, rate) if not any(ramp.line <= n <= ramp.last_line for n in lines)]
    return sorted((*jumps, *slow), key=lambda step: step.line)


def rate_changes(view: RunView) -> list[Step]:
    """Return every change of the rate that an event states, up or down; keys pressed in a row are one change."""
    events = view.events("hyperparameter-change", "override")
    return _joined(view, [step for event in events if (step := _by_event(view, event))])


def in_force(view: RunView, name: str) -> tuple[float, int] | None:
    """Return the value that the last event of the run gave the setting ``name``, with its line, or None."""
    events = [e for e in view.events("hyperparameter-change", "override") if e.name == name]
    for event in reversed(events):
        if isinstance(event.value, (int, float)) and not isinstance(event.value, bool):
            return float(event.value), event.line
    return None


def _jumps(view: RunView, rate: Rate) -> list[Step]:
    """Rises between neighbouring records that are no warm-up."""
    value, count = rate.series.value, len(rate.series)
    steps = []
    for i in np.flatnonzero(value[1:] >= RAISED * np.maximum(value[:-1], 1e-300)) + 1:
        before = value[:i]
        ramp = (i <= WARM_UP * count and (i <= 2 or bool((np.diff(before) > 0).any()))) or _goes_on(value[i - 1 :])
        early = i <= FIRST_ROWS and bool((np.diff(value[: i + 1]) > 0).all())
        if before[-1] > 0 and not ramp and not early:
            place = view.place(rate.series, int(i))
            steps.append(Step(float(before[-1]), float(value[i]), place.line, place.step, float(i) / count))
    return steps


def _goes_on(value: Floats) -> bool:
    """Whether a rise (from the first value to the second) is followed by like ones: the foot of a ramp, no jump."""
    steps = np.diff(value[: RAMP + 1])
    return bool(steps.size == RAMP and (steps[1:] >= 0.5 * steps[0]).all())


def _slow_ramps(view: RunView, rate: Rate) -> list[Step]:
    """Rises in small steps that begin after the warm-up, out of a constant stretch: no schedule in use does that."""
    value, count = rate.series.value, len(rate.series)
    flat = max(FLAT_ROWS, int(FLAT * count))
    moves = np.flatnonzero(np.abs(np.diff(value)) > EXACT * np.abs(value[:-1])) + 1
    steps: list[Step] = []
    for chain in np.split(moves, np.flatnonzero(np.diff(np.sign(value[moves] - value[moves - 1]))) + 1):
        if not chain.size or value[chain[0]] < value[chain[0] - 1] or chain[0] <= WARM_UP * count:
            continue
        first, last = int(chain[0]), int(chain[-1])
        begin, end = float(value[first - 1]), float(value[last])
        if (
            first >= flat
            and np.ptp(value[first - flat : first]) <= EXACT * begin
            and end >= (1 - EXACT) * RAISED * begin
        ):
            a, b = view.place(rate.series, first), view.place(rate.series, last)
            steps.append(Step(begin, end, a.line, a.step, first / count, "", b.line, b.step))
    return steps


def _ramps(steps: list[Step]) -> list[Step]:
    """Make one raise of small raises that follow each other without a cut between them."""
    groups: list[list[Step]] = []
    for step in steps:
        if groups and all(1 < s.factor < (1 - EXACT) * RAISED for s in (groups[-1][-1], step)):
            groups[-1].append(step)
        else:
            groups.append([step])
    return [_one(group) for group in groups]


def _one(group: list[Step]) -> Step:
    """Return the change from the first value of a group to its last."""
    first, last = group[0], group[-1]
    return Step(first.before, last.after, first.line, first.step, first.position, first.text, *last.stated)


def are_restarts(steps: list[Step]) -> bool:
    """Whether the raises are restarts of a schedule: two or more, by no key event, to about the same peak."""
    top = max((s.after for s in steps), default=0.0)
    return len(steps) >= 2 and all(s.after > 0.8 * top for s in steps) and not any(s.text for s in steps)


def _by_event(view: RunView, event: Event) -> Step | None:
    if event.name not in {"learning_rate", "lr"} or isinstance(event.value, bool):
        return None
    if not isinstance(event.value, (int, float)):
        return None
    earlier = [
        e for e in view.events("hyperparameter-change", "override") if e.line < event.line and e.name == event.name
    ]
    values = [float(e.value) for e in earlier if isinstance(e.value, (int, float)) and not isinstance(e.value, bool)]
    before = values[-1] if values else view.number("learning_rate")
    if before is None or before <= 0:
        return None
    first, last = _lines(view)
    position = (event.line - first) / max(last - first, 1)
    return Step(before, float(event.value), event.line, event.step, position, event.text.strip())


def _joined(view: RunView, steps: list[Step]) -> list[Step]:
    """Join keys pressed one after the other, up or down, into one change from the first value to the last."""
    first, last = _lines(view)
    gap = max(GAP_LINES, GAP * (last - first))
    groups: list[list[Step]] = []
    for step in steps:
        if groups and step.line - groups[-1][-1].line <= gap:
            groups[-1].append(step)
        else:
            groups.append([step])
    return [_one(group) for group in groups]


def _lines(view: RunView) -> tuple[int, int]:
    ends = [(int(s.line[0]), int(s.line[-1])) for name in view.names if (s := view.get(name)) is not None]
    return (min(a for a, _ in ends), max(b for _, b in ends)) if ends else (0, 0)


def learned(view: RunView) -> bool:
    """Whether the performance metric left its noise and ends with at least half of its best gain.

    Six times the point-to-point noise is far outside of what noise makes of a smoothed curve.
    """
    from logdoctor.detectors.baseline import noise

    performance = view.performance
    if performance is None or len(performance.series) < 8:
        return False
    smooth = rolling_median(performance.upward, max(3, len(performance.series) // 15))
    edge = max(3, smooth.size // 20)
    start, end, best = float(np.median(smooth[:edge])), float(np.median(smooth[-edge:])), float(smooth.max())
    gain = best - start
    spread = max(noise(performance.upward), 1e-3 * float(np.abs(performance.upward).max()))
    return gain > 6 * spread and end - start > 0.5 * gain


def worse_after(view: RunView, line: int, until: int | None = None) -> str:
    """Name what got worse soon after ``line`` (performance or loss), or return an empty string.

    Args:
        view: the run.
        line: line of the change.
        until: line of the next change, which ends what can be laid at the door of this one.
    """
    first, last = _lines(view)
    stop = min(until or last + 1, int(line + SOON * (last - first)) + 1)
    performance = view.performance
    if performance is not None:
        at, value = performance.series.line, performance.upward
        before, after = value[at < line], value[(at >= line) & (at < stop)]
        if before.size >= 5 and after.size >= 5:
            level = float(np.median(before[-max(3, before.size // 10) :]))
            late = float(np.median(after[-max(3, after.size // 4) :]))
            spread = float(np.median(np.abs(np.diff(before)))) + 1e-12
            if level - late > max(3 * spread, 0.2 * abs(level)):
                return performance.name
    loss = view.get("loss")
    if loss is not None:
        old, new = loss.value[loss.line < line], loss.value[(loss.line >= line) & (loss.line < stop)]
        calm = old[np.isfinite(old)][-40:]
        level = float(np.median(np.abs(calm))) if calm.size else 0.0
        if new.size and (not np.isfinite(new).all() or (level > 0 and float(new.max()) > 10 * level)):
            return "loss"
    return ""
