"""Q values keep widening although the run improves.

What it finds: one end of the Q range that grows to a multiple of its earlier level and does not settle, in a run
whose performance improves.
Why it matters: it is the state before a divergence: nothing is lost yet, and nothing bounds the values.
How it decides: the last fifth of the magnitude is ``factor`` times the second fifth, or single rows reach
``excursion`` times the median of the run; the values exceed every printed return; performance improved. It never says
collapse.
When it is wrong: penalties on rare states give a long negative tail by design.
What to do: keep running, watch that end of the range; set a value or target clip before it costs performance.
References: van Hasselt et al. 2018 (arXiv:1812.02648).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import learning, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, change, finding, say, threshold, times, way
from logdoctor.rules._values import CLIPS, bound_of, broken, largest_return, scale
from logdoctor.rules.q_divergence import diverged
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for a Q range that widens without harm."""
    q, hurt, top = scale(view), outcome(view), largest_return(view)
    if q is None or len(q.size) < 20 or hurt.bad or hurt.series is None or broken(view) or diverged(view) is not None:
        return
    m = q.magnitude
    fifth = len(m) // 5
    early, late, median = float(np.median(m[fifth : 2 * fifth])), float(np.median(m[-fifth:])), float(np.median(m))
    worst = int(np.argmax(m))
    over = m[worst] / top[0] if top is not None else 0.0
    limit = bound_of(view, q)
    widening = early > 0 and late / early >= limits.factor
    leaping = median > 0 and m[worst] / median >= limits.excursion
    beyond = over > 1.0 or (limit is not None and m[worst] > 10 * limit.value)
    if not beyond or not (widening or leaping):
        return
    clip = view.setting(*CLIPS)
    unbound = (
        "no value clip is configured"
        if clip is None or clip.value is None
        else f"{clip.raw_name or clip.name} is {clip.value}"
    )
    last = len(m) - 1
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.55,
        metrics=[s.name for s in (q.low, q.high) if s is not None] or [q.size.name],
        onset=view.place(q.size, int(np.argmax(m > limits.excursion / 2 * median)) if leaping else 2 * fifth),
        summary=(
            f"Q reaches {say(float(q.size.value[worst]))} at {at(view, q.size, worst)}, "
            f"{times(m[worst] / median)} times its median"
            f" magnitude {say(float(f'{median:.4g}'))}, and does not settle ({unbound}); {label(hurt.series)} improves"
            f" meanwhile ({say(float(f'{hurt.start:.4g}'))} to {say(float(f'{hurt.last:.4g}'))}), so this is an "
            "excursion and no collapse."
        ),
        figures={
            "extreme": float(q.size.value[worst]),
            "extreme_line": int(q.size.line[worst]),
            "median_magnitude": median,
            "early_median": early,
            "late_median": late,
            "largest_return": top[0] if top else None,
            "bound": limit.value if limit else None,
        },
        evidence=q.rows(
            [
                (0, "first"),
                *((i, change(float(m[i]), float(m[0]))) for i in way(0, worst, 2)),
                (worst, "farthest from zero"),
                (last, "last"),
            ]
        ),
        analysis="Nothing is lost yet, and nothing bounds the values either.",
    )


def _log(top: float) -> str:
    low = -np.geomspace(20, top, 60) * (1 + wobble(size=0.1))
    return table(q_min=low, q_max=np.full(60, 15.0), episode_return=learning())


RULE = Rule(
    id="LD413",
    name="value-scale-suspicious",
    title="Q values keep widening although the run improves",
    severity="warning",
    detect=detect,
    min_points=20,
    thresholds=(
        threshold(
            "factor",
            3.0,
            "last fifth over second fifth",
            "as for divergence",
            "AUTOTRAINER, TheDeepChecker: ratio 2 over a window",
        ),
        threshold(
            "excursion",
            4.0,
            "times the median magnitude",
            "rows far outside of the usual range",
            "Iglewicz and Hoaglin 1993: modified z above 3.5",
        ),
    ),
    tags=("values",),
    references=("https://arxiv.org/abs/1812.02648",),
    examples=(
        Example(title="lower end falls to -900 while the return rises to 100", log=lambda: _log(900.0), fires=True),
        Example(title="lower end near -30", log=lambda: _log(30.0), fires=False),
    ),
    applies_to=lambda view: None if scale(view) is not None else "no Q values in this log",
)
