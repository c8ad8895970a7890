"""A value sits exactly on a clip.

What it finds: Q values that are printed as exactly the same extreme again and again, most often a configured clip.
Why it matters: beyond the clip the network cannot tell better from worse; a pinned end of the range says that targets
want to go further.
How it decides: with a configured limit (value clip, target clip) ``rows`` rows on plus or minus that limit; without
one the smallest or largest value must occur in ``unknown_rows`` rows and ``unknown_share`` of the log, while the
other values vary. It is a warning from ``share`` of the rows.
When it is wrong: a true bound of the task (a return of exactly 500) looks the same.
What to do: raise the clip, or scale the rewards so that values fit into it.
References: Mnih et al. 2015 (reward clipping); rule R-2 of the format research.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series, Setting
from logdoctor.rules._examples import table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.rules._values import CLIPS, PRINTED
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for each Q series with a pinned end."""
    for name in PRINTED:
        series = view.finite(name)
        if series is None or len(series) < 5:
            continue
        found = _configured(view, series, limits) or _repeated(series, limits)
        if found is not None:
            yield _finding(view, series, *found, limits)


def _configured(view: RunView, series: Series, limits: Limits) -> tuple[float, Setting | None] | None:
    best: tuple[int, float, Setting | None] | None = None
    for clip in CLIPS:
        number = view.number(clip)
        if number is None or number <= 0:
            continue
        for value in (number, -number):
            count = int((series.value == value).sum())
            if count >= limits.rows and (best is None or count > best[0]):
                best = (count, value, view.setting(clip))
    return None if best is None else (best[1], best[2])


def _repeated(series: Series, limits: Limits) -> tuple[float, Setting | None] | None:
    if np.unique(series.value).size < 5:
        return None
    for value in (float(series.value.min()), float(series.value.max())):
        count = int((series.value == value).sum())
        if abs(value) < limits.digits * _resolution(series):
            continue  # with so few digits, equal prints are rounding and no limit
        if count >= limits.unknown_rows and count >= limits.unknown_share * len(series):
            return value, None
    return None


def _resolution(series: Series) -> float:
    """Return the smallest distance of two different printed values: the last digit of the column."""
    distinct = np.unique(series.value)
    return float(np.diff(distinct).min()) if distinct.size > 1 else 0.0


def _finding(view: RunView, series: Series, value: float, setting: Setting | None, limits: Limits) -> Finding:
    on = np.flatnonzero(series.value == value)
    share = on.size / len(series)
    what = "no limit of that size is configured"
    if setting is not None:
        what = f"the configured {setting.raw_name or setting.name} of {say(abs(value))}" + (
            f" (line {setting.line})" if setting.line else ""
        )
    picks = [(int(on[0]), "first"), *((int(on[i]), "") for i in way(0, on.size - 1, 2)), (int(on[-1]), "last")]
    return finding(
        RULE,
        view,
        severity="warning" if share >= limits.share else "info",
        confidence=0.9 if setting else 0.6,
        metrics=[series.name],
        onset=view.place(series, int(on[0])),
        summary=(
            f"{label(series)} is exactly {say(value)} in {on.size:,} of {len(series):,} rows, first at"
            f" {at(view, series, int(on[0]))}: {what}."
        ),
        figures={
            "value": value,
            "rows_pinned": int(on.size),
            "rows": len(series),
            "share": share,
            "limit": abs(value) if setting else None,
            "limit_line": setting.line if setting else None,
        },
        evidence=rows(series, picks),
        analysis="Beyond the clip all values look alike to the learner; targets press against it.",
    )


def _log(pinned: int) -> str:
    q = -300 + wobble(size=60)
    q[:pinned] = -500.0
    return f"max_q_value: 500.0\n{table(q_min=q, q_max=wobble(size=5) + 40)}"


RULE = Rule(
    id="LD404",
    name="value-pinned-at-clip",
    title="A value sits exactly on a clip",
    severity="warning",
    detect=detect,
    min_points=5,
    thresholds=(
        threshold(
            "rows",
            3.0,
            "rows on a configured limit",
            "an exact hit of a known number is no chance",
            "rldoctor: recurring at 3",
        ),
        threshold("unknown_rows", 10.0, "rows", "an unknown limit needs more hits", "chance of equal float32 extremes"),
        threshold("digits", 200.0, "last digits", "two to three significant digits", "rounding of %.1f ranges"),
        threshold("unknown_share", 0.05, "of the rows", "and a part of the run", "chance of equal float32 extremes"),
        threshold(
            "share",
            0.1,
            "of the rows",
            "a tenth of the run pressed against the limit",
            "Tuning Playbook: clip near the 90th percentile",
        ),
    ),
    tags=("values", "configuration"),
    examples=(
        Example(
            title="-500.0 in twenty rows with a limit of 500",
            log=lambda: _log(20),
            fires=True,
            hyperparameters={"max_q_value": 500.0},
        ),
        Example(title="never at the limit", log=lambda: _log(0), fires=False, hyperparameters={"max_q_value": 500.0}),
    ),
    applies_to=lambda view: None if any(view.get(name) is not None for name in PRINTED) else "no Q values in this log",
)
