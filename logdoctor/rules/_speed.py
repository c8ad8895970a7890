"""The speed of a run from whatever the log prints: rates, or times per step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.model import Floats, Series

if TYPE_CHECKING:
    from logdoctor.view import RunView

# Canonical names first; programs with names of their own are understood by how such names end.
RATES = ("steps_per_second", "samples_per_second", "tokens_per_second", "fps")
TIMES = ("step_time", "time")
RATE = re.compile(r"^(?!val_|eval_|test_)\w*(per_s|per_sec|per_second|throughput|_hz)$")
TIME = re.compile(
    r"^(?!val_|eval_|test_|data_|total_|elapsed)\w*?(step|iter|iteration|batch|update|epoch|train)_(time|ms|seconds|secs?|s)(_m?s)?$"
    r"|^(time|dt|ms|sec)_(ms|s|sec|per_(step|iter|iteration|batch|update))$|^(dt|ms)$"
)


@dataclass(frozen=True, slots=True, eq=False)
class Speed:
    """A speed series: ``cost`` is the time that a unit of work takes, in any unit (smaller is faster).

    ``derived`` costs are differences of an average since the start: their level holds, single rows are noisy.
    """

    series: Series
    cost: Floats
    rate: bool
    derived: bool = False


def speeds(view: RunView, least: int = 20) -> list[Speed]:
    """Return the speed metrics of the run, times per step first (they are measured, rates may be averages)."""
    found = []
    for names, pattern, rate in ((TIMES, TIME, False), (RATES, RATE, True)):
        others = sorted(name for name in view.names if name not in names and pattern.search(name))
        for name in (*names, *others):
            series = view.finite(name)
            if series is None:
                continue
            series = series.where(series.value > 0)
            if len(series) < least or (not rate and _accumulates(series)):
                continue
            cost = 1.0 / series.value if rate else series.value
            derived = name == "fps" and averages_since_start(view, series)
            if derived:
                series, cost = _between_rows(series)
            if len(series) >= least:
                found.append(Speed(series, cost, rate, derived))
    return found


def averages_since_start(view: RunView, series: Series) -> bool:
    """Stable-Baselines3 prints frames since the start over seconds since the start.

    In its boxed table, or wherever its own name of the mean return stands beside it.
    """
    mean = view.run.series.get("episode_return")
    if mean is not None and re.search(r"(^|/)ep[ _]rew[ _]mean$", mean.raw_name or ""):
        return True
    return series.raw_name.lower() == "time/fps" or "boxed" in (view.run.reading.format, *view.run.reading.formats)


def _between_rows(series: Series) -> tuple[Series, Floats]:
    """Return the time per frame between rows: elapsed time is frames over the average rate."""
    elapsed = series.step / series.value
    count = np.diff(series.step)
    keep = np.concatenate([[False], count > 0])
    cost = np.diff(elapsed)[count > 0] / count[count > 0]
    positive = cost > 0
    inside = series.where(keep)
    return inside.where(positive), np.asarray(cost[positive], dtype=np.float64)


def _accumulates(series: Series) -> bool:
    """Whether a "time" column counts up since the start and is no time per step."""
    return bool((np.diff(series.value) >= 0).mean() > 0.97 and series.value[-1] > 3 * series.value[0])
