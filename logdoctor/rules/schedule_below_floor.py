"""A schedule falls below the floor that is configured for it.

What it finds: an expert ratio or an epsilon below its configured final value.
Why it matters: the floor was meant to hold (a remainder of expert moves, or of random actions); without it the run is
not the one that was configured.
How it decides: the configured end is above zero; at least ``rows`` rows and ``share`` of the last quarter lie below it
by ``below`` of its size and by more than the column is rounded to. Rows after an override by hand are left out.
When it is wrong: evaluation rows, in which exploration is switched off on purpose, printed in the same column.
What to do: look for the line that applies the floor (max(value, floor)) and for a second schedule on the same value.
References: Hester et al. 2018, Deep Q-learning from Demonstrations (a share of demonstrations is kept to the end);
Mnih et al. 2015 (final exploration).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView

FLOORS = {"expert_ratio": "expert_ratio_end", "epsilon": "epsilon_end"}


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for each schedule that ends below its floor."""
    for name, setting in FLOORS.items():
        series, floor = view.finite(name), view.number(setting)
        if series is None or floor is None or floor <= 0 or len(series) < 2 * int(limits.rows):
            continue
        by_hand = [e.line for e in view.events("override", "hyperparameter-change") if e.name in {name, setting}]
        series = series.where(series.line < min(by_hand)) if by_hand else series
        if len(series) >= 2 * int(limits.rows):
            yield from _below(view, series, _in_unit(floor, series), setting, limits)


def _in_unit(floor: float, series: Series) -> float:
    """Return the floor in the unit of the column: a fraction or a percent."""
    percent = float(series.value.max()) > 1.0
    if percent and floor <= 1.0:
        return 100.0 * floor
    return floor / 100.0 if not percent and floor > 1.0 else floor


def _below(view: RunView, series: Series, floor: float, setting: str, limits: Limits) -> Iterable[Finding]:
    steps = np.diff(np.unique(series.value))
    grain = float(steps.min()) if steps.size else 0.0
    low = series.value < floor - max(limits.below * floor, min(grain, 0.5 * floor))
    late = low[-max(int(limits.rows), len(series) // 4) :]
    if int(low.sum()) < int(limits.rows) or float(late.mean()) < limits.share:
        return
    first, last, lowest = int(np.argmax(low)), len(series) - 1, int(np.argmin(series.value))
    item = view.setting(setting)
    where = f", line {item.line}" if item is not None and item.line else ""
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[series.name],
        onset=view.place(series, first),
        summary=(
            f"{label(series)} falls below its floor of {say(float(f'{floor:.6g}'))} ({setting}{where}) from"
            f" {at(view, series, first)} on, in {int(low.sum()):,} rows; lowest {say(float(series.value[lowest]))} at"
            f" {at(view, series, lowest)}: the floor is not applied."
        ),
        figures={"floor": floor, "lowest": float(series.value[lowest]), "rows_below": int(low.sum())},
        evidence=rows(
            series,
            [
                (0, "first"),
                (max(0, first - 1), "last row at or above the floor"),
                (first, "below the floor"),
                *((i, "") for i in way(first, last, 2)),
                (last, "last"),
            ],
        ),
        analysis="The schedule that acts is not the one that was configured.",
    )


def _log(end: float) -> str:
    share = np.maximum(end, np.linspace(0.9, -0.3, 60))
    return f"expert_ratio_end: 0.10\n{table(expert_ratio=share, reward=50 + wobble(size=2.0))}"


RULE = Rule(
    id="LD515",
    name="schedule-below-floor",
    title="A schedule falls below its configured floor",
    severity="warning",
    detect=detect,
    min_points=10,
    thresholds=(
        threshold("below", 0.2, "of the floor", "more than rounding or a moving average", "columns of two digits"),
        threshold("rows", 5.0, "rows", "no single evaluation row", "sign test p < 0.05 from 5 rows on"),
        threshold("share", 0.9, "of the last quarter", "the value stays below it", "sign test p < 0.01 from 7 rows on"),
    ),
    tags=("exploration", "schedule", "configuration"),
    references=("https://arxiv.org/abs/1704.03732",),
    examples=(
        Example(title="expert ratio at 2 % under a floor of 10 %", log=lambda: _log(0.02), fires=True),
        Example(title="expert ratio at its floor of 10 %", log=lambda: _log(0.10), fires=False),
    ),
    applies_to=lambda view: (
        None
        if any(view.finite(name) is not None and view.number(key) for name, key in FLOORS.items())
        else "not a schedule with a stated floor"
    ),
)
