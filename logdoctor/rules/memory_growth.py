"""Memory grows with every row.

What it finds: a memory figure that rises through the whole run.
Why it matters: sooner or later the run ends with "out of memory", often hours in.
How it decides: the last tenth uses at least ``grown`` times the first stretch after warm-up, the growth is steady
(rank correlation with time of at least ``steady``), and it still grows in the second half.
When it is wrong: a replay buffer that fills up grows until it is full; then it stops, and the second half is flat.
What to do: look for tensors kept with their graphs (``loss`` instead of ``loss.item()``), lists that only grow,
caches.
References: runmedic (last at least 1.2 times first, Spearman at least 0.8); SageMaker GPUMemoryIncrease (+5 points).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.bins import medians
from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when memory grows without end."""
    series = view.finite("memory")
    if series is None or len(series) < 20:
        return
    tenths = medians(series.value, 10)
    ratio = float(tenths[-1] / tenths[1]) if tenths[1] > 0 else 1.0
    steady = rank_correlation(np.arange(10.0), tenths)
    if ratio < limits.grown or steady < limits.steady or tenths[-1] < 1 + (limits.grown - 1) / 3 * tenths[5]:
        return
    if tenths[-1] / tenths[5] < 1 + (limits.grown - 1) / 3:
        return
    last = len(series) - 1
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.8,
        metrics=["memory"],
        onset=view.place(series, 0),
        summary=(
            f"{label(series)} grows through the whole run: {say(float(tenths[1]))} early,"
            f" {say(float(tenths[-1]))} at {at(view, series, last)},"
            f" {times(ratio)} times as much and still growing."
        ),
        figures={
            "early": float(tenths[1]),
            "middle": float(tenths[5]),
            "end": float(tenths[-1]),
            "ratio": float(f"{ratio:.4g}"),
            "rank_correlation": round(steady, 3),
        },
        evidence=rows(series, [(0, "first row"), *((i, "") for i in way(0, last, 3)), (last, "last row")]),
        analysis="A buffer that fills would level off; this does not.",
    )


RULE = Rule(
    id="LD803",
    name="memory-growth",
    title="Memory grows without end",
    severity="warning",
    detect=detect,
    needs=(("memory",),),
    min_points=20,
    thresholds=(
        threshold(
            "grown", 1.2, "times the level after warm-up", "more than the scatter of an allocator", "runmedic: 1.2"
        ),
        threshold("steady", 0.9, "rank correlation", "growth and no steps", "runmedic: 0.8"),
    ),
    tags=("operations", "memory"),
    references=("https://pytorch.org/docs/stable/notes/faq.html",),
    examples=(
        Example(
            title="2,000 to 6,000",
            log=lambda: table(loss=ramp(2, 0.5, noise=0.02), memory=ramp(2000, 6000, noise=20)),
            fires=True,
        ),
        Example(
            title="fills, then level",
            log=lambda: table(loss=ramp(2, 0.5, noise=0.02), memory=np.minimum(ramp(2000, 12000, ROWS), 5000.0)),
            fires=False,
        ),
    ),
)
