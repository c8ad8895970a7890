"""A schedule reached its floor before the break.

What it finds: an expert ratio or an epsilon that came down to its floor, and a break (divergence, collapse, decline)
after it.
Why it matters: it answers "why now": as long as an expert or exploration supplied good states, errors did not
compound; from the floor on the learner depends on its own values alone.
How it decides: the schedule fell by ``fall`` of its start and stays within ``near`` of its floor; the break (Q
divergence or collapse, agreement collapse, fall of performance or of its slope) begins after the floor was reached,
or in the last part of the descent.
When it is wrong: every schedule ends some time, so the order alone proves nothing; it is a contributing factor.
What to do: a higher floor until the values are stable; lower again afterwards.
References: seed report 001: expert ratio 95 % to 10 %, stable; at the floor, divergence. Ross et al. 2011
(arXiv:1011.0686).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Place, Series
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.rules._values import collapse, scale, slope_turn
from logdoctor.rules.agreement_collapse import collapse_of
from logdoctor.rules.q_divergence import diverged, onset_of
from logdoctor.view import RunView

SCHEDULES = ("expert_ratio", "epsilon")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the schedule that reached its floor last before the break."""
    broke = break_of(view)
    if broke is None:
        return
    place, what = broke
    best: tuple[int, Series] | None = None
    for name in SCHEDULES:
        series = view.finite(name)
        floor = _floor(series, limits) if series is not None else None
        if (
            series is not None
            and floor is not None
            and _shortly_before(series, floor, place, limits.near_break)
            and (best is None or series.line[floor] > best[1].line[best[0]])
        ):
            best = (floor, series)
            break  # the expert ratio explains more than epsilon where both are printed
    if best is None:
        return
    floor, series = best
    last = len(series) - 1
    yield finding(
        RULE,
        view,
        severity="info",
        confidence=0.6,
        metrics=[series.name],
        onset=view.place(series, floor),
        summary=(
            f"{label(series)} fell from {say(float(series.value[0]))} to its floor of "
            f"{say(float(series.value[floor]))} at {at(view, series, floor)},"
            f" before {what} began at line {place.line}: stable with it, unstable without it."
        ),
        figures={
            "first": float(series.value[0]),
            "floor": float(series.value[floor]),
            "floor_line": int(series.line[floor]),
            "break_line": place.line,
            "break_step": place.step,
        },
        evidence=rows(
            series, [(0, "first"), *((i, "") for i in way(0, floor, 1)), (floor, "floor reached"), (last, "last")]
        ),
        analysis="From here on the learner's own errors are its data, and they compound.",
    )


def break_of(view: RunView) -> tuple[Place, str] | None:
    """Return where the run broke first and what broke, or None."""
    found: list[tuple[Place, str]] = []
    spread = diverged(view)
    if spread is not None:
        found.append((view.place(spread[0].size, onset_of(view, spread[0], spread[1])), "the divergence of Q"))
    q = scale(view)
    drop = collapse(q, 10.0) if q is not None else None
    if q is not None and drop is not None:
        found.append((view.place(q.size, drop.after), "the collapse of Q"))
    agreement = view.finite("agreement")
    fall = collapse_of(agreement) if agreement is not None else None
    if agreement is not None and fall is not None:
        found.append((view.place(agreement, fall.onset), "the collapse of agreement"))
    hurt = outcome(view)
    if hurt.fell and hurt.series is not None:
        found.append((view.place(hurt.series, hurt.fall_index), f"the fall of {label(hurt.series)}"))
    turn = slope_turn(view)
    if turn is not None:
        found.append((view.place(turn.series, turn.negative), f"the negative {label(turn.series)}"))
    return min(found, key=lambda item: item[0].line) if found else None


def _shortly_before(series: Series, floor: int, broke: Place, share: float) -> bool:
    """Whether the floor was reached before the break, and not so long before that the run proved itself without it."""
    if series.line[floor] > broke.line:
        return False
    if broke.step is None or broke.step <= 0 or broke.clock != series.clock:
        return True
    return bool((broke.step - series.step[floor]) <= share * broke.step)


def _floor(series: Series, limits: Limits) -> int | None:
    """Return the first row from which the series stays at its floor after a real descent, or None."""
    value = series.value
    if value.size < 8 or value[0] <= 0:
        return None
    floor = float(np.median(value[-max(2, value.size // 10) :]))
    if value[0] - floor < limits.fall * value[0]:
        return None
    off = np.flatnonzero(value > floor + limits.near * (value[0] - floor))
    first = int(off[-1]) + 1 if off.size else 0
    return first if first < value.size else None


def _log(sick: bool) -> str:
    ratio = np.maximum(5.0, np.linspace(95, -100, 60))
    return table(
        expert_ratio=ratio,
        loss=1 + np.abs(wobble(size=0.1)),
        q_max=np.concatenate([np.linspace(8, 9, 30), np.geomspace(10, 900, 30)]) if sick else np.linspace(5, 20, 60),
        episode_return=failing() if sick else learning(),
    )


RULE = Rule(
    id="LD513",
    name="schedule-floor-before-break",
    title="A schedule reached its floor before the break",
    severity="info",
    detect=detect,
    needs=(SCHEDULES,),
    min_points=8,
    thresholds=(
        threshold("fall", 0.3, "of its start", "a schedule, not a wobble", "seed report 001: 95 % to 10 %"),
        threshold(
            "near_break",
            0.25,
            "of the steps up to the break",
            "longer, and the run has shown that it can do without",
            "seed report 001: 17M to 19.4M frames",
        ),
        threshold(
            "near",
            0.02,
            "of the descent",
            "printed values of a finished schedule do not move",
            "rounding of percent columns",
        ),
    ),
    tags=("exploration", "schedule"),
    references=("https://arxiv.org/abs/1011.0686",),
    examples=(
        Example(title="expert ratio at its floor, then Q diverges", log=lambda: _log(True), fires=True),
        Example(title="expert ratio at its floor, run goes on improving", log=lambda: _log(False), fires=False),
    ),
)
