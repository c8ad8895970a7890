"""The loss scale falls and falls: half precision no longer holds the gradients.

What it finds: a dynamic loss scale that is halved again and again, or reaches its minimum.
Why it matters: each halving is a skipped update; at a scale of 1 even small gradients underflow, and in long runs the
scale sinks thousands of steps before the loss moves.
How it decides: after the first ``warm`` of the rows (in which the scale looks for its level) it falls by a factor of
at least ``factor``, without having come back at the end; critical at a scale of ``least`` or below. Updates skipped
at the start are normal.
When it is wrong: a scale that is changed by hand, or a fresh start from a checkpoint with a high initial scale.
What to do: bf16 where the hardware has it; otherwise a lower learning rate, a smaller beta2, less wide
initialisation.
References: bigscience tr8-104B chronicles (the scale fell about 2,300 steps before the loss); DeepSpeed#697, #931,
#5779.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the loss scale sinks."""
    series = view.finite("loss_scale")
    if series is None or len(series) < 10:
        return
    first = max(1, int(limits.warm * len(series)))
    value = series.value[first:]
    if value.size < 8 or float(value.max()) <= 0:
        return
    top = int(np.argmax(value))
    end = float(np.median(value[-3:]))
    lowest = float(value.min())
    factor = float(value[top]) / max(end, 1e-12)
    if factor < limits.factor or end > 4 * lowest:
        return
    last = len(series) - 1
    falls = np.flatnonzero(np.diff(value[top:]) < 0)
    start = first + top + (int(falls[0]) + 1 if falls.size else 0)
    dead = end <= limits.least
    yield finding(
        RULE,
        view,
        severity="critical" if dead else "warning",
        confidence=0.85,
        metrics=["loss_scale"],
        onset=view.place(series, start),
        summary=(
            f"{label(series)} sinks from {say(float(value[top]))} to {say(end)} ({times(factor)} times) from"
            f" {at(view, series, start)} on:"
            f" {'the gradients no longer fit into half precision' if dead else 'every halving is a skipped update'}."
        ),
        figures={
            "highest": float(value[top]),
            "end": end,
            "factor": float(f"{factor:.4g}"),
            "halvings": int(falls.size),
        },
        evidence=rows(
            series,
            [
                (first + top, "highest after the start"),
                (start, "falls from here"),
                *((i, "") for i in way(start, last, 3)),
                (last, "last row"),
            ],
        ),
    )


def _log(sinks: bool) -> str:
    scale = np.full(ROWS, 32768.0)
    if sinks:
        scale[20:] = 32768.0 / 2.0 ** np.minimum(15, (np.arange(ROWS - 20) // 2 + 1))
    else:
        scale[:3] = [262144.0, 131072.0, 65536.0]
    return table(loss=ramp(3, 2, noise=0.02), loss_scale=scale)


RULE = Rule(
    id="LD901",
    name="loss-scale-falls",
    title="The loss scale sinks",
    severity="critical",
    detect=detect,
    needs=(("loss_scale",),),
    min_points=10,
    thresholds=(
        threshold(
            "warm",
            0.1,
            "of the rows",
            "the scale looks for its level",
            "DeepSpeed#5779: eight overflows in a row at the start",
        ),
        threshold(
            "factor", 16.0, "times", "four halvings without return", "DeepSpeed: window of 1,000 steps to double"
        ),
        threshold("least", 1.0, "loss scale", "no scaling is left", "OPT: the scale must stay at or above 1"),
    ),
    tags=("language-models", "numerics"),
    references=("https://github.com/bigscience-workshop/bigscience/blob/master/train/tr8-104B-wide/chronicles.md",),
    examples=(
        Example(title="32,768 halved fifteen times", log=lambda: _log(True), fires=True),
        Example(title="three halvings at the start", log=lambda: _log(False), fires=False),
    ),
)
