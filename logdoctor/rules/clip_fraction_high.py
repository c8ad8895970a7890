"""Most policy ratios are clipped.

What it finds: a PPO clip fraction that stays high in a run that suffers.
Why it matters: clipped samples give no gradient; the update is driven by a minority and repeats on stale data.
How it decides: the median of some fifth of the run is above ``high`` and performance fell or did not improve.
When it is wrong: large clip fractions early, with a policy that still improves, are survived; nothing is said then.
What to do: lower the learning rate or the number of epochs, larger batches, target_kl.
References: rldoctor: 0.10 / 0.20 / 0.40; Stable-Baselines3#1593: 0.999 just before NaN.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.bins import edges, medians
from logdoctor.model import Finding
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when the clip fraction stays high in a bad run."""
    series, hurt = view.finite("clip_fraction"), outcome(view)
    if series is None or len(series) < 10 or not hurt.bad:
        return
    percent = float(series.value.max()) > 1.0
    unit = 100.0 if percent else 1.0
    level = medians(series.value, 5) / unit
    if float(np.nanmax(level)) < limits.high:
        return
    part = int(np.nanargmax(level))
    start = int(edges(len(series), 5)[part])
    first = int(np.flatnonzero(series.value / unit >= limits.high)[0])
    worst, last = int(np.argmax(series.value)), len(series) - 1
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[series.name],
        onset=view.place(series, first),
        summary=(
            f"{label(series)} has a median of {say(round(float(level[part] * unit), 3))} from "
            f"{at(view, series, start)} on (a fifth of the run),"
            f" largest {say(float(series.value[worst]))}: most samples give no gradient; {hurt.text}."
        ),
        figures={
            "median_of_worst_fifth": float(level[part] * unit),
            "largest": float(series.value[worst]),
            "rows_above": int((series.value / unit >= limits.high).sum()),
        },
        evidence=rows(
            series,
            [
                (0, "first"),
                (first, "first above"),
                *((i, "") for i in way(0, last, 2)),
                (worst, "largest"),
                (last, "last"),
            ],
        ),
        analysis="The policy leaves the trust region within one batch; the rest of the epochs work on clipped samples.",
    )


def _log(sick: bool) -> str:
    value = np.clip((0.6 if sick else 0.08) + wobble(size=0.05), 0, 1)
    return table(
        clip_fraction=value, kl=0.01 + np.abs(wobble(size=0.002)), episode_return=failing() if sick else learning()
    )


RULE = Rule(
    id="LD504",
    name="clip-fraction-high",
    title="Most policy ratios are clipped",
    severity="warning",
    detect=detect,
    needs=(("clip_fraction",),),
    min_points=10,
    thresholds=(
        threshold(
            "high", 0.4, "share of samples", "the highest of three published levels", "rldoctor: 0.10 / 0.20 / 0.40"
        ),
    ),
    tags=("policy",),
    references=("https://github.com/DLR-RM/stable-baselines3/issues/1593",),
    examples=(
        Example(title="0.6 throughout while the return falls", log=lambda: _log(True), fires=True),
        Example(title="0.08", log=lambda: _log(False), fires=False),
    ),
)
