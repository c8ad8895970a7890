"""What the value rules share: the Q series as one magnitude, the plausible bound, and signs that a run suffers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from logdoctor.detectors.smooth import rolling_median
from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Floats, Series
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._progress import starts_midway
from logdoctor.rules._rows import say, times

if TYPE_CHECKING:
    from logdoctor.model import Evidence
    from logdoctor.view import RunView

PRINTED = ("q_max", "q_min", "q_value", "target_q", "q1_max", "q2_max", "q2_value")
BURST = 100.0  # times its median: seed report 002 saw 42,000
AT_LEVEL = 0.8  # of the highest of the last five rows: still at the level from which it falls
MOST_DROPS = 2000  # a series that drops more often than that has no level to fall from
MOSTLY = 0.8  # of the rows after a slow fall are low: single rows may still leap
CLIPS = ("max_q_value", "td_target_clip", "value_clip", "target_clamp_value")
FALLBACK = ("q_value", "target_q", "value_max")


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Q values of a run: ``size`` is the printed value that lies farthest from zero in each row.

    Attributes:
        size: signed values as printed (from ``q_max`` or ``q_min`` on the same line).
        low: the smaller end of the printed range, None where only one figure is printed.
        high: the larger end.
    """

    size: Series
    low: Series | None
    high: Series | None

    @property
    def magnitude(self) -> Floats:
        """Distance from zero, shape ``(rows,)``."""
        return np.abs(self.size.value)

    def text(self, index: int) -> str:
        """Return the range of a row as printed, or the one value."""
        if self.low is None or self.high is None:
            return say(float(self.size.value[index]))
        return f"[{say(float(self.low.value[index]))}, {say(float(self.high.value[index]))}]"

    def rows(self, picks: list[tuple[int, str]]) -> tuple[Evidence, ...]:
        """Return evidence rows; each note starts with the printed range."""
        from dataclasses import replace

        from logdoctor.rules._rows import rows

        if self.low is None or self.high is None:
            return rows(self.size, picks)
        lower = self.low.value == self.size.value
        end = {
            int(line): self.low.name if low else self.high.name for line, low in zip(self.size.line, lower, strict=True)
        }
        notes: dict[int, list[str]] = {}
        for index, note in picks:
            notes.setdefault(index, [])
            if note and note not in notes[index]:
                notes[index].append(note)
        told = rows(self.size, [(i, ", ".join([f"range {self.text(i)}", *notes[i]])) for i in sorted(notes)])
        return tuple(replace(item, metric=end[item.line]) for item in told)


def scale(view: RunView) -> Scale | None:
    """Return the Q scale of the run, or None when no Q value is printed."""
    low, high = view.finite("q_min"), view.finite("q_max")
    if low is not None and high is not None:
        _, i, j = np.intersect1d(low.line, high.line, return_indices=True)
        if i.size:
            keep_low, keep_high = np.zeros(len(low), dtype=bool), np.zeros(len(high), dtype=bool)
            keep_low[i], keep_high[j] = True, True
            low, high = low.where(keep_low), high.where(keep_high)
            outer = np.where(np.abs(low.value) > np.abs(high.value), low.value, high.value)
            return Scale(_with_values(high, outer), low, high)
    single = high or low or next((s for n in FALLBACK if (s := view.finite(n)) is not None), None)
    others = [s for n in view.names if _is_q(n) and (s := view.finite(n)) is not None]
    if single is None:
        single = next(iter(others), None)
    if single is None:
        return None
    # The values of replayed actions may stay small while those that the policy climbs run away.
    largest = max(others, key=_peak, default=single)
    return Scale(largest if _peak(largest) >= BURST * _peak(single) else single, None, None)


def _peak(series: Series) -> float:
    return float(np.abs(series.value).max())


def _is_q(name: str) -> bool:
    """Whether a metric without a canonical name is a Q value: ``actor_q_mean``, ``q1_max``; no loss, no spread."""
    words = set(name.split("_"))
    return bool({"q", "q1", "q2", "qvalue", "qvalues"} & words) and not {"std", "loss", "error", "grad"} & words


def _with_values(series: Series, value: Floats) -> Series:
    from dataclasses import replace

    return replace(
        series,
        name="q_range" if not np.array_equal(value, series.value) else series.name,
        raw_name="Q range",
        value=value,
        low=None,
        high=None,
        low_line=None,
        high_line=None,
    )


@dataclass(frozen=True, slots=True)
class Bound:
    """The largest plausible value: ``value`` = r / (1 - gamma); ``exact`` when r is a configured clip."""

    value: float
    reward: float
    gamma: float
    exact: bool

    @property
    def text(self) -> str:
        """The arithmetic as it is shown."""
        kind = "reward clip" if self.exact else "mean reward a step"
        return (
            f"{kind} {say(float(f'{self.reward:.4g}'))} / (1 - {say(self.gamma)}) = {say(float(f'{self.value:.4g}'))}"
        )


def bound(view: RunView) -> Bound | None:
    """Return r_max / (1 - gamma) (van Hasselt et al. 2018) from the run's own gamma and rewards, or None."""
    gamma = view.number("gamma", "discount")
    if gamma is None or not 0 < gamma < 1:
        return None
    clip = view.number("reward_clip")
    if clip is not None and clip > 0:
        return Bound(clip / (1 - gamma), clip, gamma, True)
    returns = view.first("episode_return", "reward")
    length = view.first("episode_length")
    if returns is None or length is None:
        return None
    _, i, j = np.intersect1d(returns.line, length.line, return_indices=True)
    ok = np.isfinite(returns.value[i]) & np.isfinite(length.value[j]) & (length.value[j] > 0)
    if ok.sum() < 3:
        return None
    step = float(np.quantile(np.abs(returns.value[i][ok] / length.value[j][ok]), 0.9))
    return Bound(step / (1 - gamma), step, gamma, False) if step > 0 else None


def bound_of(view: RunView, q: Scale) -> Bound | None:
    """Return the bound of :func:`bound` when Q and the bound are in the same units, as far as the start tells.

    An estimate from printed returns says nothing where rewards are scaled before training: Q is then far above it (or
    below) from the first rows on. A configured reward clip is in the units of Q by definition.
    """
    limit = bound(view)
    early = float(np.median(q.magnitude[: max(1, q.magnitude.size // 10)]))
    return limit if limit is not None and (limit.exact or early <= limit.value) else None


def largest_return(view: RunView) -> tuple[float, Series] | None:
    """Return the largest printed magnitude of an episode's return and its series, or None."""
    series = view.finite("episode_return") or view.finite("eval_return") or view.finite("reward")
    if series is None or len(series) < 3:
        return None
    top = float(np.abs(series.value).max())
    return (top, series) if top > 0 else None


@dataclass(frozen=True, slots=True)
class Growth:
    """How Q grew: ``level`` before (points 0 to ``level_last``), ``onset``, ``peak``; ``ratio`` is peak over level."""

    level: float
    level_last: int
    onset: int
    peak: int
    ratio: float
    steady: float


def growth(q: Scale) -> Growth | None:
    """Describe the rise of the Q magnitude from its first tenth to its peak, or None for fewer than 5 rows."""
    m = q.magnitude
    if m.size < 5:
        return None
    first = max(1, m.size // 10)
    level = float(np.median(m[:first]))
    smooth = rolling_median(m, 3)
    peak = int(np.argmax(m))
    if level <= 0:
        positive = m[m > 0]
        level = float(positive[0]) if positive.size else 0.0
    if level <= 0 or peak < first:
        return None
    steady = rank_correlation(np.arange(peak + 1, dtype=np.float64), smooth[: peak + 1])
    burst = _burst(m, peak)
    if burst is not None:
        before = float(np.median(m[:burst]))
        return Growth(before, burst - 1, burst, peak, float(m[peak] / before), steady)
    below = np.flatnonzero(smooth[: peak + 1] <= 1.5 * level)
    onset = min(peak, int(below[-1]) + 1) if below.size else first
    return Growth(level, first - 1, onset, peak, float(m[peak] / level), steady)


def _burst(m: Floats, peak: int) -> int | None:
    """Return where a burst begins: the magnitude leaves its level for a hundredfold within a few rows, or None."""
    if peak < 5:
        return None
    start = peak
    border = 3 * float(np.median(m[:peak]))
    while start > 0 and m[start - 1] > border:
        start -= 1
    before = float(np.median(m[:start])) if start >= 5 else 0.0
    return start if before > 0 and m[peak] / before >= BURST and peak - start <= max(3, m.size // 20) else None


@dataclass(frozen=True, slots=True)
class Fall:
    """A collapse of the Q magnitude: last row still at its level, first row below, and the ratio of the two."""

    before: int
    after: int
    ratio: float
    rows_after: int


def collapse(q: Scale, factor: float, least: float = 1.0) -> Fall | None:
    """Find the first drop of the Q magnitude by ``factor`` from one level to another that stays, or None."""
    m = q.magnitude
    for i in _drops(m, factor, least):
        before = float(np.median(m[max(0, i - 10) : i]))
        if q.low is None and q.size.value[i - 1] < 0:
            continue  # a negative value (costs) that rises towards zero is an improvement
        if before < least or m[i] > before / factor or float(np.median(m[i : i + 5])) > before / factor:
            continue
        if float(np.median(m[i:])) > before / (factor / 2):
            continue
        recent = m[max(0, i - 5) : i]
        last = max(0, i - 5) + int(np.flatnonzero(recent >= AT_LEVEL * recent.max())[-1])
        return Fall(last, i, float(m[last] / m[i]), m.size - i)
    return None


def _drops(m: Floats, factor: float, least: float) -> list[int]:
    """Return the rows that lie ``factor`` below the largest of the ten rows before: no other can be a collapse."""
    if m.size < 4:
        return []
    before = np.maximum.accumulate(m[:10])
    if m.size > 10:
        before = np.concatenate([before, sliding_window_view(m, 10)[1:].max(axis=1)])
    rows = np.flatnonzero((m[1:] > 0) & (m[1:] <= before[:-1] / factor) & (before[:-1] >= least)) + 1
    return [int(i) for i in rows[rows >= 2][:MOST_DROPS]]


def shrinking(q: Scale, factor: float, least: float = 1.0) -> Fall | None:
    """Find a fall of the Q magnitude by ``factor`` over several rows: best level against the last third, or None."""
    m = q.magnitude
    if m.size < 12 or (q.low is None and float(np.median(q.size.value)) < 0):
        return None
    smooth = rolling_median(m, 5)
    top = int(np.argmax(smooth))
    late = float(np.median(m[-(m.size // 3) :]))
    if smooth[top] < least or late <= 0 or smooth[top] / late < factor:
        return None
    if top >= 5 and late > 0.5 * float(np.median(m[:top])):
        return None  # back to the level before a burst is no loss
    low = m < 0.5 * smooth[top]
    rest = np.cumsum(low[::-1])[::-1] / np.arange(m.size, 0, -1)  # share of low rows from each row to the end
    end = top + int(np.argmax((low & (rest >= MOSTLY))[top:]))
    return Fall(top, end, float(smooth[top] / late), m.size - end)


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """A printed performance slope that turned: its best row, the first of the negative rows at the end, the last row.

    The series holds every printed value: a slope whose window is not yet full is told but not judged.
    """

    series: Series
    best: int
    negative: int
    last: int

    @property
    def text(self) -> str:
        """One clause: from the best to the last value."""
        value = self.series.value
        return f"{label(self.series)} turned from {say(float(value[self.best]))} to {say(float(value[self.last]))}"


def slope_turn(view: RunView) -> Turn | None:
    """Return the printed performance slope that turned from clearly positive to negative, or None."""
    judged, series = view.finite("dqn_slope"), view.raw("dqn_slope")
    if judged is None or series is None or len(judged) < 4 or np.ptp(judged.value) == 0:
        return None
    part = max(1, len(judged) // 5)
    early, late = float(np.median(judged.value[:part])), float(np.median(judged.value[-part:]))
    if early <= 0 or judged.value[-1] >= -0.1 * early:
        return None
    if late >= 0.5 * early and not _stays_negative(judged.value, early):
        return None
    if len(judged) >= 40 and float(np.median(judged.value[-5:])) > -0.1 * float(judged.value.max()):
        return None  # a solved run scatters around zero: with enough rows, one negative value at the end is no turn
    series = series.where(np.isfinite(series.value))
    # A regression over one or two points is no slope; a log that begins in mid-run has all its points behind it.
    first = 0 if starts_midway(view, series) else min(3, len(series) - 1)
    best = first + int(np.argmax(series.value[first:]))
    positive = np.flatnonzero(series.value > 0)
    return Turn(series, best, min(int(positive[-1]) + 1 if positive.size else 0, len(series) - 1), len(series) - 1)


def _stays_negative(slope: Floats, early: float) -> bool:
    """Whether the last rows are negative without exception, more of them than scatter around a level would give."""
    positive = np.flatnonzero(slope >= 0)
    tail = slope[int(positive[-1]) + 1 :] if positive.size else slope
    return tail.size >= max(5, slope.size // 50) and float(np.median(tail)) <= -0.1 * early


def suffering(view: RunView) -> str:
    """Return one clause that says how the run suffers, or an empty text when it does not (as far as the log shows)."""
    hurt = outcome(view)
    if hurt.fell or hurt.nonfinite:
        return hurt.text
    turn = slope_turn(view)
    if turn is not None:
        return turn.text
    q = scale(view)
    drop = collapse(q, 10.0) if q is not None else None
    if q is not None and drop is not None:
        return f"Q fell from {say(float(q.size.value[drop.before]))} to {say(float(q.size.value[drop.after]))}"
    return broken(view)


def broken(view: RunView) -> str:
    """Return one clause on agreement that collapsed or a loss that burst: harm that performance may not show yet."""
    if outcome(view).policy:
        return outcome(view).policy
    loss = view.finite("loss")
    if loss is not None and len(loss) >= 8:
        peak = int(np.argmax(loss.highs))
        # Against what came before it: a loss that starts high and is learned away has not burst.
        median = float(np.median(loss.value[:peak])) if peak >= max(3, len(loss) // 20) else 0.0
        top = float(loss.highs[peak])
        if median > 0 and top / median >= BURST:
            return f"{label(loss)} burst to {say(top)}, {times(top / median)} times its median before"
    return ""
