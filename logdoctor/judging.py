"""One expectation against one run: the conditions, the deadline, and the row that decides.

Values are looked at through a running median of up to five rows, so that one lucky or unlucky row decides nothing. Each
median is one of the values printed, and the judgement cites its line.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from logdoctor.comparing.levels import MAD_TO_SIGMA
from logdoctor.expectations import NUMERIC
from logdoctor.model import Bools, Floats, Ints, Place
from logdoctor.names import canonical
from logdoctor.results import Expectation, Judgement, State
from logdoctor.tracks import Subject, Track

LEAST_POINTS = 3
SMOOTH = 5  # rows of the running median, an odd number; fewer where the log has few
PART = 0.2  # share of the run at each end that tells whether a metric rises or falls


def judge(expectation: Expectation, run: Subject) -> Judgement:
    """Judge one expectation on a metric."""
    track = find(expectation.metric, run)
    if track is None:
        return judged(expectation, "cannot tell", f"{expectation.metric} is not in this log")
    deadline = _deadline(expectation, run, track)
    shown = track.where(np.isfinite(track.step) & (track.step <= (math.inf if deadline is None else deadline)))
    over = deadline is None or float(np.nanmax(track.step)) >= deadline
    if expectation.condition == "finite":
        return _finite(expectation, shown, over, deadline)
    finite = shown.finite
    if len(finite) < LEAST_POINTS:
        return _too_few(expectation, track, finite, over, deadline)
    if expectation.condition in ("rises", "falls"):
        return _trend(expectation, finite, over, deadline)
    return _level(expectation, finite, over, deadline)


def find(name: str, run: Subject) -> Track | None:
    """Return the metric called ``name``: its canonical name, or the name that the log prints."""
    if name in run.tracks:
        return run.tracks[name]
    known = {metric.raw_name: metric.name for metric in run.diagnosis.metrics}
    return run.tracks.get(known.get(name) or canonical(name).name)


def _deadline(expectation: Expectation, run: Subject, track: Track) -> float | None:
    """The step at which it must be decided, on the clock of the metric."""
    if expectation.within is None:
        return expectation.by
    start = run.first_step(track.clock)
    return None if start is None else start + expectation.within


def judged(
    expectation: Expectation,
    state: State,
    text: str,
    track: Track | None = None,
    index: int = -1,
    deadline: float | None = None,
) -> Judgement:
    """Return a judgement that cites the row ``index`` of ``track``."""
    place, value = None, None
    if track is not None and len(track):
        value = float(track.value[index])
        place = Place(line=int(track.line[index]), step=float(track.step[index]), clock=track.clock)
    action = expectation.otherwise if state == "not met" else ""
    return Judgement(
        expectation=expectation, state=state, text=text, value=value, place=place, deadline=deadline, next_action=action
    )


def _too_few(expectation: Expectation, track: Track, shown: Track, over: bool, deadline: float | None) -> Judgement:
    if len(track) and not np.isfinite(track.value).any():
        return judged(expectation, "not met", "every value is NaN or infinite", track, 0, deadline)
    text = f"only {len(shown)} values of {expectation.metric}" + (" before that step" if over and deadline else "")
    return judged(expectation, "cannot tell" if over else "not yet", text, shown, -1, deadline)


def _finite(expectation: Expectation, shown: Track, over: bool, deadline: float | None) -> Judgement:
    odd = np.flatnonzero(~np.isfinite(shown.value))
    if odd.size:
        text = f"{odd.size} of {len(shown)} values are NaN or infinite; this is the first"
        return judged(expectation, "not met", text, shown, int(odd[0]), deadline)
    if not len(shown):
        return judged(expectation, "cannot tell", f"no value of {expectation.metric}", None, -1, deadline)
    state: State = "met" if over else "not yet"
    return judged(expectation, state, f"all {len(shown)} values are finite so far", shown, -1, deadline)


def _trend(expectation: Expectation, shown: Track, over: bool, deadline: float | None) -> Judgement:
    """Compare the medians of the first and the last fifth; the difference must exceed the spread inside them."""
    count = max(LEAST_POINTS, int(len(shown) * PART))
    first, last = shown.value[:count], shown.value[-count:]
    move = float(np.median(last) - np.median(first))
    noise = float(np.hypot(_spread(first), _spread(last)))
    wanted = 1.0 if expectation.condition == "rises" else -1.0
    true = move * wanted > noise
    word = "rose" if move > 0 else "fell"
    text = f"{word} from {_say(np.median(first))} to {_say(np.median(last))} (medians of {count} rows at each end)"
    if not true and abs(move) <= noise:
        text = f"no clear trend: {text}"
    return _signed(expectation, true, over, text, shown, -1, deadline)


def _spread(values: Floats) -> float:
    return MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values))))


def _signed(
    expectation: Expectation, true: bool, over: bool, text: str, shown: Track, index: int, deadline: float | None
) -> Judgement:
    """Turn "the condition is true" into a state, by the sign of the expectation."""
    if expectation.sign == "failure":
        state: State = "not met" if true else ("met" if over else "not yet")
    else:
        state = "met" if true else ("not met" if over else "not yet")
    return judged(expectation, state, text, shown, index, deadline)


def _level(expectation: Expectation, shown: Track, over: bool, deadline: float | None) -> Judgement:
    holds = _test(expectation)
    if holds is None:
        return judged(expectation, "cannot tell", f"{expectation.value!r} is no number to compare with")
    smooth, rows = running_median(shown.value)
    if expectation.sign == "failure":
        return _failure(expectation, holds, shown, over, deadline)
    true = np.flatnonzero(holds(smooth))
    if not true.size:
        best = int(np.argmin(_distance(expectation, smooth)))
        text = f"it came no nearer than {_say(smooth[best])}; {_condition(expectation)} was expected"
        return judged(expectation, "not met" if over else "not yet", text, shown, int(rows[best]), deadline)
    first, last = int(rows[true[0]]), int(rows[-1])
    if _lost(expectation, smooth, int(true[0])):
        text = f"reached at step {shown.step[first]:,.0f} and lost again: {_say(shown.value[last])} at the end"
        return judged(expectation, "not met", text, shown, last, deadline)
    text = f"reached: {_say(shown.value[first])}, {_say(shown.value[last])} at the end"
    return judged(expectation, "met", text, shown, first, deadline)


def _failure(
    expectation: Expectation, holds: Callable[[Floats], Bools], shown: Track, over: bool, deadline: float | None
) -> Judgement:
    """Look for a sign of failure. Two rows in a row also count: an explosion must not be smoothed away.

    A run that begins where the sign is true (a reward below a limit, with nothing learned yet) fails only by staying.
    """
    smooth, rows = running_median(shown.value)
    seen = holds(smooth)
    begun = int(np.argmin(seen)) if not seen.all() else len(seen)  # rows at the start at which it is true
    if begun == len(seen):
        text = f"{_condition(expectation)} from the first row on, {_say(shown.value[-1])} at the end"
        return judged(expectation, "not met" if over else "not yet", text, shown, -1, deadline)
    raw = holds(shown.value)
    raw[: int(rows[begun])] = False
    hits = [int(rows[i]) for i in begun + np.flatnonzero(seen[begun:])[:1]]
    hits += [int(i) for i in np.flatnonzero(raw[:-1] & raw[1:])[:1]]
    if hits:
        index = min(hits)
        text = f"{_say(shown.value[index])}: the sign of failure {_condition(expectation)} has appeared"
        return judged(expectation, "not met", text, shown, index, deadline)
    later = shown.where(np.arange(len(shown)) >= int(rows[begun]))
    nearest = int(np.argmin(_distance(expectation, later.value)))
    text = f"{_condition(expectation)} has not appeared; the nearest is {_say(later.value[nearest])}"
    return judged(expectation, "met" if over else "not yet", text, later, nearest, deadline)


def _test(expectation: Expectation) -> Callable[[Floats], Bools] | None:
    value, other = _number(expectation.value), _number(expectation.value2)
    if value is None or (expectation.condition == "between" and other is None):
        return None
    tests: dict[str, Callable[[Floats], Bools]] = {
        ">=": lambda x: x >= value,
        ">": lambda x: x > value,
        "<=": lambda x: x <= value,
        "<": lambda x: x < value,
        "==": lambda x: np.isclose(x, value),
        "between": lambda x: (x >= min(value, other or 0.0)) & (x <= max(value, other or 0.0)),
    }
    return tests.get(expectation.condition)


def _distance(expectation: Expectation, values: Floats) -> Floats:
    """How far each value is from making the condition true; smaller is nearer."""
    value, other = _number(expectation.value) or 0.0, _number(expectation.value2)
    if expectation.condition in (">=", ">"):
        return -values
    if expectation.condition in ("<=", "<"):
        return values
    middle = value if other is None or expectation.condition == "==" else (value + other) / 2
    return np.abs(values - middle)


def _lost(expectation: Expectation, smooth: Floats, reached: int) -> bool:
    """Whether the level was more than half given up again by the end."""
    if expectation.condition not in (">=", ">", "<=", "<"):
        return False
    target = _number(expectation.value) or 0.0
    start = float(smooth[: max(1, min(reached, LEAST_POINTS))].mean()) if reached else target
    halfway = (start + target) / 2
    last = float(np.median(smooth[-max(LEAST_POINTS, len(smooth) // 10) :]))
    if expectation.condition in (">=", ">"):
        return last < min(halfway, target)
    return last > max(halfway, target)


def running_median(values: Floats) -> tuple[Floats, Ints]:
    """Median of the last rows, up to :data:`SMOOTH` and at most a tenth of the log.

    Returns:
        the medians and the rows that hold them, both of shape ``(n,)``.
    """
    width = int(np.clip(len(values) // 10, 1, SMOOTH))
    width -= 1 - width % 2  # an odd number, so that the median is a value that was printed
    if width == 1:
        return values, np.arange(len(values))
    padded = np.concatenate([np.full(width - 1, values[0]), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    middle = np.argsort(windows, axis=1, kind="stable")[:, width // 2]
    rows = np.maximum(np.arange(len(values)) - (width - 1) + middle, 0)
    return values[rows], rows


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _condition(expectation: Expectation) -> str:
    if expectation.condition == "between":
        return f"between {_say(expectation.value)} and {_say(expectation.value2)}"
    return (
        f"{expectation.condition} {_say(expectation.value)}"
        if expectation.condition in NUMERIC
        else expectation.condition
    )


def _say(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float)) else str(value)
