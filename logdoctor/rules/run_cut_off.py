"""The log stops before the run does.

What it finds: a run whose last step is clearly short of the number of steps that its own settings or progress name,
with no line that says why.
Why it matters: the result is that of a shorter run; whether it was stopped by hand, killed or lost its disk is not
said.
How it decides: a planned number of steps, epochs or iterations stands in the settings, the last step of the same
counter is below ``share`` of it, and no event says shutdown, crash or early stop. It informs: the log may be a copy
taken meanwhile.
When it is wrong: a log copied while the run goes on; a plan counted in another unit (only equal units are compared).
What to do: look at the scheduler's or the machine's own log for the time of the last line.
References: L4 (FSE'25): 74 % of failures of large runs happen during iterations.
"""

from __future__ import annotations

from collections.abc import Iterable

from logdoctor.model import Finding
from logdoctor.rules._crashes import planned
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, say, threshold
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the plan was not reached and nothing says why."""
    if view.events("shutdown", "error", "traceback", "oom", "killed"):
        return
    last, found = view.span[1], planned(view)
    if found is None:
        return
    plan, unit = found
    if 0 < last < limits.share * plan and view.rows >= 10 and last > 0.01 * plan:
        yield finding(
            RULE,
            view,
            severity="info",
            confidence=0.6,
            metrics=[],
            summary=f"The log ends at {say(last)} of {say(plan)} planned {unit}, and no line says why.",
            figures={"last_step": last, "planned": plan, "share": round(last / plan, 3)},
            analysis="Either the log was copied while the run went on, or the run was stopped from outside.",
        )


RULE = Rule(
    id="LD107",
    name="run-cut-off",
    title="The log stops before the run does",
    severity="info",
    detect=detect,
    thresholds=(
        threshold(
            "share", 0.9, "of the plan", "the last row of a finished run may lie a little before", "one row in ten"
        ),
    ),
    tags=("operations",),
    references=("https://arxiv.org/abs/2503.20263",),
    examples=(
        Example(
            title="6,000 of 60,000 steps",
            log=lambda: table(every=100, loss=ramp(2, 1, ROWS)),
            fires=True,
            hyperparameters={"max_steps": 60000},
        ),
        Example(
            title="all steps",
            log=lambda: table(every=100, loss=ramp(2, 1, ROWS)),
            fires=False,
            hyperparameters={"max_steps": 6000},
        ),
    ),
)
