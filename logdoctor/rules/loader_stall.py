"""Some steps take many times longer than their neighbours, again and again.

What it finds: isolated slow steps, often on a regular grid: a data loader that runs empty, a checkpoint, an
evaluation inside the loop.
Why it matters: a few slow steps in a hundred may double the time of the run; they also hide in an average.
How it decides: in a run of ``points`` rows or more at least ``times`` rows after the first ``warm`` of it take
``ratio`` times the running median and ten robust deviations more, and together they cost ``cost`` of the whole time.
On a grid when most gaps are multiples of one.
When it is wrong: a step that includes an evaluation or a checkpoint is slow by design; slow steps on a regular grid
from the start on are told without alarm for that reason.
What to do: more loader workers, prefetching, a local copy of the data; move evaluation out of the timed step.
References: runmedic (3 times the median, at least 3; periodic if 70 % lie on a grid); SageMaker StepOutlier (3 sigma,
over 10).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.baseline import MAD_TO_SIGMA
from logdoctor.detectors.periodicity import MOSTLY, period
from logdoctor.detectors.smooth import rolling_median
from logdoctor.model import Finding, Floats, Ints
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times
from logdoctor.rules._speed import Speed, speeds
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the speed metric with the clearest stalls."""
    found = []
    for speed in speeds(view):
        if speed.derived:
            continue
        level, index = stalls(speed, limits)
        if index.size >= limits.times:
            found.append((speed, level, index))
    if found:
        yield _finding(view, *found[0])  # times per step come first: they are measured, rates may be averages


def stalls(speed: Speed, limits: Limits) -> tuple[Floats, Ints]:
    """Return the running median of the cost and the rows that stall (none when they cost too little together)."""
    cost = speed.cost
    if cost.size < limits.points:
        return cost, np.zeros(0, dtype=np.int64)
    level = rolling_median(cost, min(41, max(5, cost.size // 3)))
    off = cost - level
    sigma = MAD_TO_SIGMA * float(np.median(np.abs(off)))
    slow = (cost > limits.ratio * level) & (off > 10 * sigma)
    slow[: max(2, int(limits.warm * cost.size))] = False
    index = np.flatnonzero(slow).astype(np.int64)
    if index.size > 0.25 * cost.size or float(off[index].sum()) < limits.cost * float(cost.sum()):
        return level, index[:0]
    return level, index


def _finding(view: RunView, speed: Speed, level: Floats, index: Ints) -> Finding:
    series = speed.series
    worst = int(index[np.argmax(speed.cost[index] / level[index])])
    ratio = float(np.median(speed.cost[index] / level[index]))
    grid = period(index)
    regular = grid is not None and grid.share >= MOSTLY and grid.length >= 2 and index.size >= 4
    always = regular and grid is not None and int(index[0]) <= max(2 * grid.length, 0.05 * len(series))
    usual = float(1 / level[worst] if speed.rate else level[worst])
    lost = float((speed.cost[index] - level[index]).sum() / speed.cost.sum())
    where = f", mostly every {say(grid.length)} rows" if regular and grid is not None else ""
    picks = [
        (max(0, int(index[0]) - 1), "row before"),
        *((int(i), "stall") for i in index[:3]),
        (worst, "the longest"),
        (int(index[-1]), "the last"),
    ]
    return finding(
        RULE,
        view,
        severity="info" if always else "warning",
        confidence=0.85,
        metrics=[series.name],
        onset=view.place(series, int(index[0])),
        summary=(
            f"{index.size:,} rows take about {times(ratio)} times as long as their neighbours (first at"
            f" {at(view, series, int(index[0]))}{where}):"
            f" {label(series)} is {say(float(series.value[worst]))} at {at(view, series, worst)} against"
            f" {say(float(f'{usual:.4g}'))} around it; waiting makes up {lost:.0%} of the time of all printed rows."
        ),
        figures={
            "stalls": int(index.size),
            "typical_ratio": float(f"{ratio:.3g}"),
            "usual": float(f"{usual:.5g}"),
            "worst": float(series.value[worst]),
            "share_of_time_lost": round(lost, 3),
            "period_rows": grid.length if regular and grid is not None else None,
        },
        evidence=rows(series, picks),
        analysis=(
            "On a grid since the start: something that the loop does every so often (checkpoint, evaluation, an"
            " epoch's end, a loader that starts again)."
            if always
            else "They are not there from the start, or come at irregular places: the step waits for something, most"
            " often for data."
        ),
    )


def _log(stall: bool) -> str:
    time = ramp(17, 17, noise=0.4)
    if stall:
        time[20::6] = 270.0
    return table(loss=ramp(2, 0.5, noise=0.02), step_time=time)


RULE = Rule(
    id="LD802",
    name="loader-stall",
    title="Steps stall again and again",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold("ratio", 4.0, "times the running median", "beyond the scatter of a shared machine", "runmedic: 3"),
        threshold("points", 30.0, "rows", "three slow rows of twenty are no exception", "runmedic: at least 30 points"),
        threshold("times", 3.0, "rows", "once is an accident", "runmedic: at least 3"),
        threshold(
            "warm",
            0.03,
            "of the rows",
            "compilation and caches slow the first steps",
            "SageMaker: initialisation apart",
        ),
        threshold("cost", 0.1, "of the whole time", "what is lost must matter", "runmedic: data share 0.2"),
    ),
    tags=("operations", "throughput", "data"),
    references=("https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-profiler-rules.html",),
    examples=(
        Example(title="every sixth row takes 270 ms", log=lambda: _log(True), fires=True),
        Example(title="17 ms throughout", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if speeds(view) else "no speed and no time per step in this log",
)
assert ROWS > 30  # the stalls of the example begin at row 20
