"""The step counter goes back.

What it finds: a row whose step is clearly below the one before it, in one and the same run.
Why it matters: training went on from an older checkpoint, or the counter was reset while schedules (learning rate,
epsilon) were not; the steps in between are done twice and curves over the step are folded.
How it decides: inside a run the step falls by at least ``rows`` usual distances between rows and by ``share`` of what
was run so far. After a line that says "resumed" a fall up to ``usual`` of the run is what a checkpoint costs, and
only told.
When it is wrong: two programs that write to one file look the same; a counter that restarts in every epoch is not
judged.
What to do: check which checkpoint was loaded (weights, optimiser, scheduler and step must be of one save).
References: losslint (step backtrack: strictly decreasing); trainspotter (resume bug: learning rate rises after its
peak).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ROWS, ramp
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import clock_of, finding, rows, say, threshold
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for the largest fall of the step in this run."""
    series = _longest(view)
    if series is None or len(series) < 10:
        return
    rise = np.diff(series.step)
    usual = float(np.median(rise[rise > 0])) if (rise > 0).any() else 0.0
    falls = np.flatnonzero(rise < 0)
    falls = falls[falls < len(series) - int(limits.after)]  # the last record of a log that is cut off is half a record
    if not falls.size or usual <= 0 or falls.size > max(3, 0.05 * len(series)):
        return
    at = int(falls[np.argmin(rise[falls])])
    back = -float(rise[at])
    done = float(series.step[: at + 1].max() - series.step[0])
    if back < limits.rows * usual or done <= 0 or back < limits.share * done:
        return
    told = [e for e in view.events("resume", "model-load") if series.line[at] <= e.line <= series.line[at + 1]]
    yield _finding(view, series, at, back, done, bool(told) and back <= limits.usual * done)


def _longest(view: RunView) -> Series | None:
    found = [series for name in view.names if (series := view.get(name)) is not None and series.clock is None]
    return max(found, key=len, default=None)


def _finding(view: RunView, series: Series, at: int, back: float, done: float, told: bool) -> Finding:
    before, after = float(series.step[at]), float(series.step[at + 1])
    clock = clock_of(view, series)
    return finding(
        RULE,
        view,
        severity="info" if told else "warning",
        confidence=0.9,
        metrics=[series.name],
        onset=view.place(series, at + 1),
        summary=(
            f"The {clock} goes back from {say(before)} (line {series.line[at]}) to {say(after)} (line"
            f" {series.line[at + 1]}): {say(back)}"
            f" are done twice, {back / done:.0%} of what had been run."
        ),
        figures={"before": before, "after": after, "back": back, "share_of_run": round(back / done, 3)},
        evidence=rows(
            series,
            [
                (max(0, at - 1), ""),
                (at, "before the fall"),
                (at + 1, "after the fall"),
                (min(len(series) - 1, at + 2), ""),
            ],
        ),
        analysis=(
            "A line between the two rows says that a checkpoint was loaded; the fall is what such a restart costs."
            if told
            else "An older checkpoint was loaded, or the counter was reset while the rest went on."
        ),
    )


def _log(back: int) -> str:
    lines = ["step,loss"]
    step = 0
    for i, loss in enumerate(ramp(2, 0.5, noise=0.03)):
        step += 100 if i != 40 else -back
        lines.append(f"{step},{loss:.5g}")
    return "\n".join(lines) + "\n"


RULE = Rule(
    id="LD103",
    name="step-goes-back",
    title="The step counter goes back",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold(
            "rows", 3.0, "usual distances between rows", "late lines of another rank are shorter", "losslint: any fall"
        ),
        threshold("after", 3.0, "rows", "the run goes on from there", "a log that is being written ends in a fragment"),
        threshold("share", 0.02, "of what was run", "a loss that matters", "one checkpoint interval of a hundred"),
        threshold(
            "usual", 0.1, "of what was run", "what resuming from the last checkpoint costs", "ten checkpoints a run"
        ),
    ),
    tags=("logging", "operations"),
    references=("https://pytorch.org/tutorials/beginner/saving_loading_models.html",),
    examples=(
        Example(title="step 4,000 goes back to 2,000", log=lambda: _log(2000), fires=True),
        Example(title="step rises throughout", log=lambda: _log(-100 * (ROWS // ROWS)), fires=False),
    ),
)
