"""Q values collapse.

What it finds: a Q range that shrinks by an order of magnitude from one row to the next and stays there.
Why it matters: after an explosion the network over-corrects; what it knew about the order of actions is gone.
How it decides: the magnitude falls by ``factor`` against the row before and against the median of the ten rows
before, and the median of all later rows stays below half of that way; or, over several rows, the best level is
``factor`` times the median of the last third in a run that suffers.
When it is wrong: a new run in the same file, a reward rescaling or a restored checkpoint look the same; the rule
looks at one run at a time.
What to do: go back to a checkpoint before the values left their level.
References: van Hasselt et al. 2018 (arXiv:1812.02648).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import failing, learning, table
from logdoctor.rules._outcome import outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, say, threshold, times, way
from logdoctor.rules._values import Fall, Scale, collapse, growth, scale, shrinking
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when the Q range collapsed."""
    q = scale(view)
    if q is None:
        return
    fall = collapse(q, limits.factor, limits.least)
    if fall is not None:
        yield _sudden(view, q, fall)
        return
    slow = shrinking(q, limits.factor, limits.least)
    if slow is not None and outcome(view).bad:
        yield _slow(view, q, slow)


def _sudden(view: RunView, q: Scale, fall: Fall) -> Finding:
    rise = growth(q)
    grown = rise is not None and rise.ratio >= 3 and rise.peak < fall.after
    before, after = float(q.size.value[fall.before]), float(q.size.value[fall.after])
    last = len(q.size) - 1
    picks = [
        (max(0, fall.before - 1), ""),
        (fall.before, "last row at its level"),
        (fall.after, f"{times(fall.ratio)} times lower"),
        (min(last, fall.after + 1), ""),
        (last, "last row"),
    ]
    stays = f"most of the {fall.rows_after:,} rows from there to the end are that low"
    count = stays if fall.rows_after > 1 else "it is the last row of the log"
    return finding(
        RULE,
        view,
        severity="critical" if outcome(view).bad or grown else "warning",
        confidence=0.9 if fall.rows_after >= 3 else 0.75,
        metrics=_names(q),
        onset=view.place(q.size, fall.before + 1),
        summary=(
            f"The Q range collapsed from {q.text(fall.before)} to {q.text(fall.after)}"
            f" at {at(view, q.size, fall.after)}: {say(before)} to {say(after)} is"
            f" {times(fall.ratio)} times lower within {_rows(fall)}{_peak(q, fall)}; {count}."
        ),
        figures={
            "before": before,
            "before_line": int(q.size.line[fall.before]),
            "after": after,
            "ratio": fall.ratio,
            "rows_after": fall.rows_after,
        },
        evidence=q.rows(picks),
        analysis="A change of this size in one row is an over-correction, not learning.",
        explained_by=["LD401"] if grown else [],
    )


def _slow(view: RunView, q: Scale, fall: Fall) -> Finding:
    m, last = q.magnitude, len(q.size) - 1
    top = int(np.argmax(np.where(np.abs(np.arange(m.size) - fall.before) <= 2, m, -np.inf)))
    late = float(np.median(m[-(m.size // 3) :]))
    third = m.size - m.size // 3
    picks = [(0, "first"), (top, "largest of its level"), (fall.after, "below half for good")]
    picks += [(i, "") for i in way(fall.after, last, 2)] + [(last, "last row")]
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.75,
        metrics=_names(q),
        onset=view.place(q.size, fall.after),
        summary=(
            f"The Q range shrank from {q.text(top)} at {at(view, q.size, top)} to a median magnitude of"
            f" {say(round(late, 3))} in the last third, {times(fall.ratio)} times lower by medians;"
            f" {outcome(view).text}."
        ),
        figures={
            "largest": float(q.size.value[top]),
            "largest_line": int(q.size.line[top]),
            "late_median": late,
            "late_first_line": int(q.size.line[third]),
            "ratio": fall.ratio,
        },
        evidence=q.rows(picks),
        analysis="The network no longer tells good states from bad ones: its values have shrunk to a narrow band.",
    )


def _peak(q: Scale, fall: Fall) -> str:
    """Compare with the highest value before the fall where that is another row."""
    top = int(np.argmax(q.magnitude[: fall.after]))
    if top == fall.before:
        return ""
    ratio = q.magnitude[top] / q.magnitude[fall.after]
    return (
        f" ({times(float(ratio))} times below the largest, {say(float(q.size.value[top]))} in line "
        f"{int(q.size.line[top])})"
    )


def _rows(fall: Fall) -> str:
    return "one row" if fall.after - fall.before == 1 else f"{fall.after - fall.before} rows"


def _names(q: Scale) -> list[str]:
    return [s.name for s in (q.low, q.high) if s is not None] or [q.size.name]


def _log(sick: bool) -> str:
    q = np.concatenate([np.geomspace(20, 900, 40), np.full(20, 8.0)]) if sick else np.linspace(1, 60, 60)
    return table(q_max=q, q_min=-np.ones(60), episode_return=failing() if sick else learning())


RULE = Rule(
    id="LD402",
    name="q-collapse",
    title="Q values collapse",
    severity="critical",
    detect=detect,
    min_points=5,
    thresholds=(
        threshold(
            "factor",
            10.0,
            "times lower",
            "an order of magnitude from one row to the next",
            "seed report 001: 125 times lower",
        ),
        threshold(
            "least",
            1.0,
            "in Q units, level before",
            "below one, printed digits decide the ratio",
            "rounding of %.1f ranges",
        ),
    ),
    tags=("values", "stability"),
    references=("https://arxiv.org/abs/1812.02648",),
    examples=(
        Example(title="range falls from 900 to 8 and stays", log=lambda: _log(True), fires=True),
        Example(title="range grows to 60", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if scale(view) is not None else "no Q values in this log",
)
