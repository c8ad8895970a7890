"""Every metric is zero or constant from the first row to the last.

What it finds: a log in which no result ever moves: losses, rewards, gradient norms, speeds all 0 or one value.
Why it matters: the program prints and does nothing: no data, no client, a counter that never starts.
How it decides: at least ``metrics`` results (losses, rewards, gradient norms, Q values, speeds) of at least ``rows``
rows, of which not one changes and at least one is 0 throughout. Settings that are changed by hand meanwhile do not
count.
When it is wrong: a log cut to its first seconds, before the first update; it is short then, and the figure says so.
What to do: look for what feeds the program: a connection, a data path, a replay buffer below its minimum.
References: SageMaker AllZero (100 % zeros).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold
from logdoctor.view import RunView

CORE = re.compile(r"loss$|reward|return|grad_norm|accuracy|^q_|agreement|per_second$|^fps$|episode_length")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when nothing in the log ever moves."""
    held = [series for name in view.names if (series := view.raw(name)) is not None and len(series) >= limits.rows]
    core = [series for series in held if CORE.search(series.name)]
    if len(core) < limits.metrics or any(_moves(series) for series in core):
        return
    if not any(float(np.abs(series.value).max()) == 0 for series in core):
        return
    yield _finding(view, core, held)


def _moves(series: Series) -> bool:
    finite = series.value[np.isfinite(series.value)]
    return bool(finite.size and np.ptp(finite) > 0) or finite.size != series.value.size


def _finding(view: RunView, core: list[Series], held: list[Series]) -> Finding:
    first = max(core, key=len)
    last = len(first) - 1
    zero = sum(1 for series in core if not series.value.any())
    return finding(
        RULE,
        view,
        severity="critical",
        confidence=0.9,
        metrics=[series.name for series in core],
        onset=view.place(first, 0),
        summary=(
            f"Nothing was trained: none of {len(core)} results changes in {len(first):,} rows ({zero} of them"
            f" are 0 throughout;"
            f" {label(first)} = {say(float(first.value[0]))})."
        ),
        figures={"rows": len(first), "metrics": len(core), "all_metrics": len(held), "zero_metrics": zero},
        evidence=rows(first, [(0, "first row"), (last // 2, ""), (last, "last row")]),
        analysis="The program prints, and nothing reaches it: no client, no data, or a buffer below its minimum.",
    )


RULE = Rule(
    id="LD106",
    name="nothing-was-trained",
    title="Nothing was trained",
    severity="critical",
    detect=detect,
    thresholds=(
        threshold("rows", 5.0, "rows", "fewer are a start-up", "SageMaker AllZero"),
        threshold("metrics", 3.0, "metrics", "one constant metric is another finding", "SageMaker AllZero"),
    ),
    tags=("logging", "operations"),
    references=("https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html",),
    examples=(
        Example(
            title="all zero",
            log=lambda: table(loss=np.zeros(14), reward=np.zeros(14), grad_norm=np.zeros(14)),
            fires=True,
        ),
        Example(
            title="loss moves",
            log=lambda: table(loss=ramp(2, 1, 14), reward=np.zeros(14), grad_norm=np.zeros(14)),
            fires=False,
        ),
    ),
)
