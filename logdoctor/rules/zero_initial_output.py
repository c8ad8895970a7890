"""The first Q range is exactly [0, 0].

What it finds: a first printed Q range whose two ends are zero, followed by a run in which the values widen slowly or
the head does not learn.
Why it matters: an output layer that starts at zero weights and zero bias gives the same value to every action; what
reaches the layers before it is multiplied by zero at first, so symmetry is broken late or never.
How it decides: both ends of the first range are zero as printed, later ones are not, and agreement does not rise
afterwards (the rule agreement-stagnates). Without that second sign nothing is said: small random weights print the
same zeros.
When it is wrong: a row printed before the first batch was sampled shows zeros whatever the initialisation.
What to do: initialise the output weights with small random values, bias zero; restart rather than continue.
References: Glorot and Bengio 2010; seed report 000.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import learning, ramp, table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._policy import agreements
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, say, threshold, way
from logdoctor.rules._switched_off import untrained
from logdoctor.rules._values import scale
from logdoctor.rules.agreement_stagnates import stagnation
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when the first range is zero."""
    q = scale(view)
    if q is None or q.low is None or q.high is None or len(q.size) < 5:
        return
    zero = (q.low.value == 0) & (q.high.value == 0)
    if not zero[0] or zero.mean() > limits.most:
        return
    count = int(np.argmin(zero))
    flat = next((s for s in agreements(view) if stagnation(s) is not None and not untrained(view, s.name)), None)
    if flat is None:
        return
    step = float(np.diff(np.unique(q.high.value)).min())
    width = q.high.value - q.low.value
    last = len(q.size) - 1
    why = f"{label(flat)} does not rise afterwards ({say(float(flat.value[0]))} to {say(float(flat.value[-1]))})"
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.5,
        metrics=["q_min", "q_max"],
        onset=view.place(q.size, 0),
        summary=(
            f"The first Q range is {q.text(0)} at {at(view, q.size, 0)} (printed in steps of {say(round(step, 6))}):"
            f" all actions had the same value, as with an output layer initialised to zero. It widens to"
            f" {q.text(count)} at {at(view, q.size, count)} and {q.text(last)} at the end; {why}."
        ),
        figures={
            "first_low": 0.0,
            "first_high": 0.0,
            "zero_rows": count,
            "width_after": float(width[count]),
            "width_last": float(width[last]),
        },
        evidence=q.rows(
            [
                (0, "zero: all actions equal"),
                (count, f"width {say(float(width[count]))}"),
                *((i, f"width {say(round(float(width[i]), 4))}") for i in way(count, last, 2)),
                (last, f"width {say(round(float(width[last]), 4))}"),
            ]
        ),
        analysis=(
            "Zero weights pass no signal back, so the layers before them have to do all the work until symmetry is "
            "broken."
        ),
    )


def _log(first: float) -> str:
    high = np.linspace(1.4, 2.3, 60)
    low = np.linspace(0.0, -0.2, 60)
    high[0], low[0] = first, -first
    return table(
        q_min=low,
        q_max=high,
        agreement=40 + wobble(size=1.0) if not first else ramp(25, 85, noise=1.0),
        reward=learning(),
    )


RULE = Rule(
    id="LD412",
    name="zero-initial-output",
    title="The first Q range is exactly [0, 0]",
    severity="warning",
    detect=detect,
    needs=(("q_min",), ("q_max",)),
    min_points=5,
    thresholds=(
        threshold(
            "most",
            0.5,
            "of the rows",
            "a column that is zero throughout was never recorded",
            "rule metric-never-recorded",
        ),
    ),
    tags=("values", "initialisation"),
    references=("https://proceedings.mlr.press/v9/glorot10a.html",),
    examples=(
        Example(title="first range zero, agreement stays at 40 %", log=lambda: _log(0.0), fires=True),
        Example(title="first range of plus and minus 0.3", log=lambda: _log(0.3), fires=False),
    ),
)
