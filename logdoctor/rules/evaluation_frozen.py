"""The evaluation returns the same numbers again and again.

What it finds: held-out metrics that repeat to the last digit from some evaluation on, while training metrics move.
Why it matters: model selection, early stopping and the learning-rate schedule look at these numbers.
How it decides: as for a frozen metric (at least 8 evaluations and 8 % of them, three significant digits, free
movement before), for metrics of an evaluation, also where there are few of them; a repetition of at least ``few``
evaluations counts when two metrics repeat.
When it is wrong: a policy that no longer changes evaluates identically with a fixed seed; then the updates stopped
too.
What to do: check that the evaluation loads the current weights and that its result is not cached.
References: SageMaker UnchangedTensor (3 equal values); TD3 logs in which the last ten evaluations are identical.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.constant import trailing_constant
from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, ramp, table, wobble
from logdoctor.rules._frozen import LEAST, Frozen, alive, broken_from, converged, frozen, is_measurement
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import threshold
from logdoctor.rules.metric_frozen import EVALUATION, report
from logdoctor.rules.updates_stopped import stopped_metrics
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the evaluation metrics that froze."""
    still = [item for item in frozen(view) if item.series.name.startswith(EVALUATION)] or _few(view, int(limits.few))
    if not still or stopped_metrics(view):
        return
    first = min(still, key=lambda item: int(item.series.line[item.first]))
    line = int(first.series.line[first.first])
    others = [name for name in view.names if not name.startswith(EVALUATION) and alive(view, name, line)]
    if others:
        yield report(RULE, view, first, still, others)


def _few(view: RunView, few: int) -> list[Frozen]:
    found: list[Frozen] = []
    for name in view.names if broken_from(view) == math.inf else ():
        series = view.get(name)
        if not name.startswith(EVALUATION) or series is None or len(series) < few + 2:
            continue
        tail = trailing_constant(series.value)
        if not tail or tail.length < few or not np.isfinite(tail.value) or converged(view, series, tail.first):
            continue
        if is_measurement(series, tail.first, tail.value):
            found.append(Frozen(series, tail.first))
    return found if len(found) >= 2 or any(item.rows > LEAST for item in found) else []


def _log(stop: int) -> str:
    val = ramp(0.5, 0.9) + wobble(size=0.01)
    val[stop:] = val[stop - 1]
    return table(loss=ramp(2, 0.5, noise=0.05), val_accuracy=val)


RULE = Rule(
    id="LD108",
    name="evaluation-frozen",
    title="The evaluation repeats the same numbers",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold(
            "few", 5.0, "evaluations", "two metrics that repeat so often are no chance", "SageMaker UnchangedTensor: 3"
        ),
    ),
    tags=("logging", "generalisation"),
    references=("https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html",),
    examples=(
        Example(title="validation accuracy repeats from row 30 on", log=lambda: _log(30), fires=True),
        Example(title="validation accuracy moves to the end", log=lambda: _log(ROWS), fires=False),
    ),
)
