"""Exploration does not decay.

What it finds: an epsilon (or exploration rate) that stays high to the end of a run that does not improve.
Why it matters: an agent that acts at random most of the time collects random data and shows random returns, whatever
its value function knows.
How it decides: the median of the last fifth is above ``high``, it fell by less than ``decayed`` of its start, and
performance fell or did not improve. Where the log says how long the run is planned, only the second half of the plan
counts.
When it is wrong: the log ends early in a long schedule.
What to do: let epsilon reach 0.01 to 0.1 within the first tenth to half of the run.
References: Mnih et al. 2015 (1.0 to 0.1 over the first 2 % of frames); RLExplorer: wrong end value.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import learning, ramp, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when the exploration rate stays high without success."""
    series, hurt = view.finite("epsilon"), outcome(view)
    if series is None or len(series) < 10 or not hurt.bad or hurt.series is None:
        return
    unit = 100.0 if float(series.value.max()) > 1.0 else 1.0
    value = series.value / unit
    late, start = float(np.median(value[-max(1, len(value) // 5) :])), float(value[0])
    if late < limits.high or late < (1 - limits.decayed) * start:
        return
    planned = view.number("max_steps")
    if planned is not None and series.step[-1] < 0.5 * planned:
        return
    last = len(series) - 1
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.8,
        metrics=[series.name],
        onset=view.place(series, 0),
        summary=(
            f"{label(series)} is still {say(float(series.value[-1]))} at the end (first "
            f"{say(float(series.value[0]))}): {100 * late:.0f} % of the"
            f" actions are random after {len(series):,} rows; {hurt.text}."
        ),
        figures={"first": float(series.value[0]), "last": float(series.value[-1]), "late_median": late * unit},
        evidence=rows(series, [(0, "first"), *((i, "") for i in way(0, last, 2)), (last, "last")]),
        analysis="Most of what this run collects and shows is the behaviour of a random policy.",
    )


def _log(sick: bool) -> str:
    value = ramp(1.0, 0.9) if sick else np.maximum(0.05, ramp(1.0, -0.5))
    return table(
        epsilon=value, loss=1 + np.abs(wobble(size=0.1)), episode_return=20 + wobble(size=2.0) if sick else learning()
    )


RULE = Rule(
    id="LD511",
    name="exploration-not-decaying",
    title="Exploration does not decay",
    severity="warning",
    detect=detect,
    needs=(("epsilon",),),
    min_points=10,
    thresholds=(
        threshold(
            "high",
            0.5,
            "share of random actions",
            "more than half of the behaviour is random",
            "Mnih et al. 2015: 0.1 at the end",
        ),
        threshold(
            "decayed",
            0.3,
            "of its start",
            "a schedule that is on its way has come down by then",
            "RLExplorer: wrong direction or end",
        ),
    ),
    tags=("exploration",),
    references=("https://www.nature.com/articles/nature14236",),
    examples=(
        Example(title="0.9 at the end, return flat", log=lambda: _log(True), fires=True),
        Example(title="decays to 0.05", log=lambda: _log(False), fires=False),
    ),
)
