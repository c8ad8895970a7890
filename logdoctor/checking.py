"""``logdoctor check LOG --against report.json``: does the next run do what the last report said to watch for?

Each expectation ends as met, not met, not yet (its step has not come) or cannot tell, with the figure and the line that
decide. Values are smoothed by a running median of up to five rows first, so that one lucky or unlucky row decides
nothing; a level that was reached and then more than half lost again counts as not met.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from logdoctor.comparing.levels import MAD_TO_SIGMA
from logdoctor.expectations import NUMERIC, from_report, load_expectations
from logdoctor.model import Bools, Diagnosis, Floats, Place, RunLog
from logdoctor.names import canonical
from logdoctor.results import Checked, Expectation, Judgement, State
from logdoctor.settings import Settings
from logdoctor.tracks import Subject, Track, subject

LEAST_POINTS = 3
SMOOTH = 5  # rows of the running median; fewer where the log has few
PART = 0.2  # share of the run at each end that tells whether a metric rises or falls


def check(
    run: Diagnosis | RunLog | str | Path,
    against: Diagnosis | Expectation | str | Path | Iterable[Diagnosis | str | Path | Expectation],
    *,
    config: str | Path | None = None,
    settings: Settings | None = None,
) -> Checked:
    """Judge a run against what was expected of it.

    Args:
        run: a log, a log that was read, a diagnosis or a saved report.
        against: saved reports, diagnoses, files of expectations or expectations.
        config: hyperparameters of the run.
        settings: settings of the tool.

    Raises:
        InputError: the log or an expectation cannot be read, or there is none.
    """
    from logdoctor.errors import InputError

    many = [against] if isinstance(against, (Diagnosis, Expectation, str, Path)) else list(against)
    expected = [item for source in many for item in _expected(source)]
    if not expected:
        raise InputError("there is nothing to check against: the report holds neither a watch list nor an alarm")
    seen = subject(run, config=config, settings=settings)
    judgements = tuple(judge(item, seen) for item in expected)
    diagnosis = seen.diagnosis
    return Checked(
        source=diagnosis.source, verdict=diagnosis.verdict, judgements=judgements, last_step=seen.last_step(),
        against=tuple(dict.fromkeys(item.origin for item in expected)), headline=_headline(judgements),
        judgeable=diagnosis.judgeable,
    )  # fmt: skip


def _expected(source: Diagnosis | str | Path | Expectation) -> Sequence[Expectation]:
    if isinstance(source, Expectation):
        return (source,)
    return from_report(source, source.source.path) if isinstance(source, Diagnosis) else load_expectations(source)


def exit_code(checked: Checked, *, strict: bool = False, allow_empty: bool = False) -> int:
    """Return 1 when something is not met (with ``strict`` also when it is open), 3 when nothing could be judged."""
    if checked.count("not met") or (strict and checked.count("met") < len(checked.judgements)):
        return 1
    if not checked.judgeable:
        return 0 if allow_empty else 3
    return 0


def _headline(judgements: Sequence[Judgement]) -> str:
    counts = {s: sum(j.state == s for j in judgements) for s in ("met", "not met", "not yet", "cannot tell")}
    words = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    if counts["not met"]:
        return f"The run does not do what was expected: {words}."
    if counts["not yet"] or counts["cannot tell"]:
        return f"Nothing speaks against the change so far: {words}."
    return f"The run does what was expected: {words}."


# -------------------------------------------------------------------------------------------------- one expectation
def judge(expectation: Expectation, run: Subject) -> Judgement:
    """Judge one expectation."""
    if expectation.condition == "absent":
        return _absent(expectation, run)
    track = find(expectation.metric, run)
    if track is None:
        return _judged(expectation, "cannot tell", f"{expectation.metric} is not in this log")
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


def _judged(
    expectation: Expectation,
    state: State,
    text: str,
    track: Track | None = None,
    index: int = -1,
    deadline: float | None = None,
) -> Judgement:
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
        return _judged(expectation, "not met", "every value is NaN or infinite", track, 0, deadline)
    text = f"only {len(shown)} values of {expectation.metric}" + (" before that step" if over and deadline else "")
    return _judged(expectation, "cannot tell" if over else "not yet", text, shown, -1, deadline)


def _finite(expectation: Expectation, shown: Track, over: bool, deadline: float | None) -> Judgement:
    odd = np.flatnonzero(~np.isfinite(shown.value))
    if odd.size:
        text = f"{odd.size} of {len(shown)} values are NaN or infinite; this is the first"
        return _judged(expectation, "not met", text, shown, int(odd[0]), deadline)
    if not len(shown):
        return _judged(expectation, "cannot tell", f"no value of {expectation.metric}", None, -1, deadline)
    state: State = "met" if over else "not yet"
    return _judged(expectation, state, f"all {len(shown)} values are finite so far", shown, -1, deadline)


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
    return _judged(expectation, state, text, shown, index, deadline)


def _level(expectation: Expectation, shown: Track, over: bool, deadline: float | None) -> Judgement:
    holds = _test(expectation)
    if holds is None:
        return _judged(expectation, "cannot tell", f"{expectation.value!r} is no number to compare with")
    smooth = running_median(shown.value)
    true = np.flatnonzero(holds(smooth))
    if expectation.sign == "failure":
        return _failure(expectation, holds, true, shown, over, deadline)
    if not true.size:
        best = int(np.argmin(_distance(expectation, smooth)))
        text = f"it came no nearer than {_say(smooth[best])}; {_condition(expectation)} was expected"
        return _judged(expectation, "not met" if over else "not yet", text, shown, best, deadline)
    if _lost(expectation, smooth, int(true[0])):
        text = f"reached at step {shown.step[true[0]]:,.0f} and lost again: {_say(smooth[-1])} at the end"
        return _judged(expectation, "not met", text, shown, -1, deadline)
    text = f"reached: {_say(smooth[true[0]])}, {_say(smooth[-1])} at the end" if true.size else ""
    return _judged(expectation, "met", text, shown, int(true[0]), deadline)


def _failure(
    expectation: Expectation, holds: Callable[[Floats], Bools], true: np.ndarray, shown: Track, over: bool,
    deadline: float | None,
) -> Judgement:  # fmt: skip
    """A sign of failure also counts when two rows in a row show it: an explosion is not smoothed away."""
    raw = holds(shown.value)
    pairs = np.flatnonzero(raw[:-1] & raw[1:])
    hits = [int(array[0]) for array in (true, pairs) if array.size]
    if hits:
        index = min(hits)
        text = f"{_say(shown.value[index])}: the sign of failure {_condition(expectation)} has appeared"
        return _judged(expectation, "not met", text, shown, index, deadline)
    nearest = int(np.argmin(_distance(expectation, shown.value)))
    text = f"{_condition(expectation)} has not appeared; the nearest is {_say(shown.value[nearest])}"
    return _judged(expectation, "met" if over else "not yet", text, shown, nearest, deadline)


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


def running_median(values: Floats) -> Floats:
    """Median of the last rows, up to :data:`SMOOTH` and at most a tenth of the log. Shape ``(n,)`` in and out."""
    width = int(np.clip(len(values) // 10, 1, SMOOTH))
    if width == 1:
        return values
    padded = np.concatenate([np.full(width - 1, values[0]), values])
    medians: Floats = np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
    return medians


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


# ------------------------------------------------------------------------------------------------- findings
def _absent(expectation: Expectation, run: Subject) -> Judgement:
    """Judge whether a kind of alarm has come back."""
    diagnosis = run.diagnosis
    back = [f for f in diagnosis.findings if f.id == expectation.metric and not f.benign and f.severity != "info"]
    if back:
        finding = back[0]
        item = finding.evidence[0] if finding.evidence else None
        judgement = _judged(expectation, "not met", f"it is back: {finding.summary}")
        return Judgement(
            expectation=expectation, state="not met", text=judgement.text, next_action=judgement.next_action,
            value=item.value if item else None, place=finding.onset, deadline=expectation.by,
        )  # fmt: skip
    state = next((c for c in diagnosis.checks if c.id == expectation.metric), None)
    if state is None or state.state in ("not-applicable", "failed"):
        why = f": {state.why}" if state and state.why else ""
        return _judged(expectation, "cannot tell", f"the check did not run{why}", deadline=expectation.by)
    last = run.last_step(expectation.clock)
    if expectation.by is not None and last is not None and last < expectation.by:
        text = f"not seen so far; it began at step {expectation.by:,.0f}, this run is at {last:,.0f}"
        return _judged(expectation, "not yet", text, deadline=expectation.by)
    return _judged(expectation, "met", "it did not come back", deadline=expectation.by)
