"""Q values diverge.

What it finds: Q values that leave their earlier level and grow, together with a sign that they lost their meaning.
Why it matters: the bootstrap target contains the growing values, so each update pushes them further; the greedy
policy follows them and gets worse.
How it decides: the magnitude (the end of the printed range that is farther from zero) reaches ``factor`` times its
first tenth in a steady rise, and at least one of: performance fell while they exceed every printed return or ten
times their settled level, or its printed slope turned negative; the values collapsed afterwards; they exceed the
bound r/(1-gamma); they grew by ``orders`` and performance never improved. Growth alone is no alarm: Q values of a
healthy run rise from zero to the return that they predict.
When it is wrong: rewards that truly grow (a curriculum, a longer horizon) raise Q with them.
What to do: lower the learning rate, slow the target network, clip or scale rewards, use double Q-learning.
References: van Hasselt et al. 2018 (arXiv:1812.02648), soft divergence; Mnih et al. 2015.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.smooth import rolling_median
from logdoctor.model import Finding, Severity
from logdoctor.rules._examples import failing, learning, table
from logdoctor.rules._outcome import outcome
from logdoctor.rules._progress import performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, change, finding, say, threshold, times, way
from logdoctor.rules._values import (
    BURST,
    Bound,
    Growth,
    Scale,
    bound_of,
    broken,
    collapse,
    growth,
    largest_return,
    scale,
    slope_turn,
    suffering,
)
from logdoctor.view import RunView

LEAST_ELBOW = 8  # rows of growth in which a bend can be told from scatter
SAG = 0.3  # of the peak: a curve that bends that far below its chord grew in two stages
MOST_OF_GAIN = 0.7  # of the whole gain in performance was reached where the curve bends
ABOVE = 1.2  # times the largest printed return, a mean over episodes: single states are worth a little more
FAR_BELOW = 0.1  # of the largest printed return: a discount shortens the sum of rewards by about as much
ESTIMATE = 10.0  # an estimated bound (mean reward a step) must be exceeded by an order of magnitude


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when Q values diverge."""
    found = diverged(view, limits.factor, limits.orders, limits.steady, limits.collapse)
    if found is None:
        return
    q, rise, reasons, severity = found
    last = len(q.size) - 1
    peak = float(q.size.value[rise.peak])
    start = min(rise.onset, max(0, rise.level_last))
    begin = onset_of(view, q, rise)
    limit = bound_of(view, q)
    picks = [(0, "baseline")] + [(i, _step(q, i)) for i in way(start, rise.peak, 4)]
    if begin > rise.onset and begin - 1 > start:
        picks.append((begin - 1, "still in step with what was learned"))
    picks += [(begin, "onset"), (rise.peak, f"peak, {times(rise.ratio)} times"), (last, _end(q, rise, last))]
    summary = (
        f"Q values grew from {say(float(q.size.value[0]))} to {say(peak)} at {at(view, q.size, rise.peak)}"
        f" ({_against(view, q, rise, begin)}); {'; '.join(reasons)}."
    )
    yield finding(
        RULE,
        view,
        severity=severity,
        confidence=0.93 if severity == "critical" else 0.75,
        summary=summary,
        metrics=_names(q),
        onset=view.place(q.size, begin),
        figures={
            "first": float(q.size.value[0]),
            "baseline_median": rise.level,
            "baseline_first_line": int(q.size.line[0]),
            "baseline_last_line": int(q.size.line[rise.level_last]),
            "peak": peak,
            "peak_line": int(q.size.line[rise.peak]),
            "ratio": rise.ratio,
            "last": float(q.size.value[-1]),
            "rank_correlation": rise.steady,
        }
        | _bound_figures(limit, abs(peak)),
        evidence=q.rows(picks),
        analysis=_analysis(limit, abs(peak)),
    )


def diverged(
    view: RunView, factor: float = 3.0, orders: float = 1000.0, steady: float = 0.5, drop: float = 10.0
) -> tuple[Scale, Growth, list[str], Severity] | None:
    """Return the scale, its growth, the reasons and the severity, or None when Q does not diverge."""
    q = scale(view)
    rise = growth(q) if q is not None else None
    if q is None or rise is None or rise.ratio < factor:
        return None
    if rise.steady < steady and not (rise.ratio >= BURST and broken(view)):
        return None
    reasons, strong = _reasons(view, q, rise, orders, drop)
    return (q, rise, reasons, "critical" if strong else "warning") if reasons else None


def onset_of(view: RunView, q: Scale, rise: Growth) -> int:
    """Return the row at which Q leaves a plausible level for good.

    Where the values lay below every printed return between a fifth and two fifths of the run, the rise up to there
    was learning; what counts is when they leave that level. Else it is the departure from the first tenth.
    """
    elbow = _elbow(view, q, rise)
    if elbow is not None:
        return elbow
    top, m = largest_return(view), q.magnitude
    settled = float(np.median(m[m.size // 5 : max(m.size // 5 + 1, 2 * m.size // 5)]))
    if top is None or settled > top[0] or settled <= rise.level or rise.peak < 2 * m.size // 5:
        return rise.onset
    below = np.flatnonzero(rolling_median(m, 3)[: rise.peak + 1] <= 1.5 * settled)
    return max(rise.onset, min(rise.peak, int(below[-1]) + 1)) if below.size else rise.onset


def _elbow(view: RunView, q: Scale, rise: Growth) -> int | None:
    """Return the row from which Q grows much faster than it had while the run still improved, or None.

    The row is the point of the smoothed curve that lies farthest below the straight line from its first point to its
    peak. It counts only where performance rose by most of its gain up to there: values that rise with what they
    predict are no divergence yet, whatever their ratio to the first rows.
    """
    learned = performance(view)
    m = rolling_median(q.magnitude, 3)[: rise.peak + 1]
    if learned is None or rise.peak - rise.onset < LEAST_ELBOW or learned.gain <= 4 * learned.error:
        return None
    line = np.interp(np.arange(m.size), [0, m.size - 1], [m[0], q.magnitude[rise.peak]])
    bend = int(np.argmax(line - m))
    if m[bend] < 2 * rise.level:
        return None  # what grew before the bend is little beside what came after it
    if bend <= rise.onset or (line - m)[bend] < SAG * q.magnitude[rise.peak]:
        return None
    reached = int(np.searchsorted(learned.series.line, q.size.line[bend]))
    level = float(learned.smooth[min(reached, len(learned.smooth) - 1)])
    if level - learned.start < MOST_OF_GAIN * learned.gain:
        return None
    beyond = np.flatnonzero(m <= 1.5 * m[bend])
    return min(rise.peak, int(beyond[-1]) + 1)


def _reasons(view: RunView, q: Scale, rise: Growth, orders: float, drop: float) -> tuple[list[str], bool]:
    reasons, strong = [], False
    hurt = outcome(view)
    fall = collapse(q, drop)
    if fall is not None and fall.after > rise.peak:
        reasons.append(
            f"then they collapsed to {say(float(q.size.value[fall.after]))} at {at(view, q.size, fall.after)}"
            f" ({times(fall.ratio)} times lower)"
        )
        strong = True
    if (hurt.fell or hurt.nonfinite) and (fall is not None or _implausible(view, q, rise, drop)):
        reasons.append(hurt.text)
        strong = strong or rise.ratio >= 2 * drop or fall is not None or q.magnitude[rise.peak] >= orders
    elif slope_turn(view) is not None:
        reasons.append(suffering(view))
        strong = strong or fall is not None
    elif hurt.policy and rise.onset < len(q.magnitude) - 1:
        reasons.append(hurt.policy)
    elif rise.ratio >= BURST and broken(view):
        reasons.append(broken(view))
        strong = True
    limit = bound_of(view, q)
    over = abs(float(q.size.value[rise.peak])) / limit.value if limit is not None else 0.0
    if limit is not None and over > (1.0 if limit.exact else ESTIMATE) and (hurt.bad or not reasons):
        reasons.append(f"{times(over)} times the bound {limit.text}")
        strong = strong or hurt.bad
    if rise.ratio >= orders and q.magnitude[rise.peak] >= orders and (hurt.series is None or hurt.bad):
        reasons.append(hurt.text or "no performance is printed that would justify such values")
        strong = True
    return list(dict.fromkeys(reasons)), strong


def _implausible(view: RunView, q: Scale, rise: Growth, drop: float) -> bool:
    """Whether the values are more than those of a learner on its way up: above every return, or grown when settled.

    A discounted value cannot exceed the undiscounted return; and a rise from zero is how every value function begins,
    so growth counts only against the level between a fifth and two fifths of the run.
    """
    top = largest_return(view)
    m = q.magnitude
    if top is not None and m[rise.peak] > ABOVE * top[0]:
        return True
    if top is not None and m[rise.peak] < FAR_BELOW * top[0] and not _learned(view):
        return False  # on their way from zero to what the returns are worth, in a run that has learned nothing yet
    settled = float(np.median(m[m.size // 5 : max(m.size // 5 + 1, 2 * m.size // 5)]))
    return settled > 0 and rise.peak > 2 * m.size // 5 and m[rise.peak] / settled >= drop


def _learned(view: RunView) -> bool:
    """Whether performance left its start by more than noise at any time."""
    gained = performance(view)
    return gained is not None and gained.gain > 4 * gained.error


def _bound_figures(limit: Bound | None, peak: float) -> dict[str, float]:
    if limit is None:
        return {}
    return {
        "bound": limit.value,
        "bound_reward": limit.reward,
        "gamma": limit.gamma,
        "peak_over_bound": peak / limit.value,
    }


def _analysis(limit: Bound | None, peak: float) -> str:
    text = "The Bellman updates do not converge: each target contains the value that it enlarges."
    if limit is not None:
        text += f" The plausible bound is {limit.text}; the peak is {times(peak / limit.value)} times that."
    return text


def _against(view: RunView, q: Scale, rise: Growth, begin: int) -> str:
    """Say what the peak is compared with: the first rows, or the last row before the growth bent upwards."""
    text = f"{times(rise.ratio)} times their median of {_stretch(rise)}"
    if begin > rise.onset and begin >= 1 and q.magnitude[begin - 1] > 0:
        ratio = float(q.magnitude[rise.peak] / q.magnitude[begin - 1])
        before = f"{say(float(q.size.value[begin - 1]))} at {at(view, q.size, begin - 1)}"
        text += f", {times(ratio)} times the {before}"
    return text


def _stretch(rise: Growth) -> str:
    return "the first tenth" if rise.onset > rise.level_last + 1 or rise.level_last < 5 else "the rows before"


def _step(q: Scale, index: int) -> str:
    return change(float(q.size.value[index]), float(q.size.value[0]))


def _end(q: Scale, rise: Growth, last: int) -> str:
    ratio = q.magnitude[rise.peak] / max(q.magnitude[last], 1e-12)
    return "" if last == rise.peak else (f"{times(float(ratio))} times lower" if ratio > 2 else "last row")


def _names(q: Scale) -> list[str]:
    return [s.name for s in (q.low, q.high) if s is not None] or [q.size.name]


def _log(sick: bool) -> str:
    q = np.where(np.arange(60) < 30, np.linspace(5, 20, 60), 20 * np.exp(np.linspace(-3, 4.5, 60)))
    return table(
        q_max=np.maximum(q, 5) if sick else np.linspace(0.1, 90, 60),
        q_min=-np.ones(60),
        episode_return=failing() if sick else learning(),
    )


RULE = Rule(
    id="LD401",
    name="q-divergence",
    title="Q values diverge",
    severity="critical",
    detect=detect,
    min_points=5,
    thresholds=(
        threshold(
            "factor",
            3.0,
            "times the first tenth",
            "a threefold rise of a settled range is no drift",
            "AUTOTRAINER, TheDeepChecker: ratio 2 over a window; a third more margin",
        ),
        threshold("steady", 0.5, "rank correlation with time up to the peak", "a rise, not one row", "Kendall 1975"),
        threshold(
            "orders",
            1000.0,
            "times",
            "three orders of magnitude need no second sign but missing success",
            "ReAgent#189: TD loss 4.97 to 2.6e6 in 9 reports",
        ),
        threshold(
            "collapse", 10.0, "times lower", "an order of magnitude within one row", "seed report 001: 125 times lower"
        ),
    ),
    tags=("values", "stability"),
    references=("https://arxiv.org/abs/1812.02648",),
    examples=(
        Example(title="Q grows from 20 to 1,800 while the return falls", log=lambda: _log(True), fires=True),
        Example(title="Q rises from 0 to 90 with the return", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if scale(view) is not None else "no Q values in this log",
)
