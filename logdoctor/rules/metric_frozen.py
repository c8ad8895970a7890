"""One metric stops changing while the others go on.

What it finds: a metric that moved at nearly every row and from some row on repeats one value to the last digit.
Why it matters: the column shows an old measurement; whatever happened since does not show in it.
How it decides: the value repeats up to the last row over at least 8 rows and 8 % of the run, with at least three
significant digits, not at a bound that the curve approached, and other metrics still move after that row. When all
update metrics froze together the updates themselves stopped, which is another finding.
When it is wrong: a metric computed rarely (an evaluation every hundred rows, carried forward) repeats by design; it
does so before the freeze as well and is left out for that.
What to do: look for the place where the variable is assigned: an early return, a stale reference, an evaluation that
no longer runs.
References: SageMaker UnchangedTensor (3 equal values, rtol 1e-5).
"""

from __future__ import annotations

from collections.abc import Iterable

from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, learning, ramp, table, wobble
from logdoctor.rules._frozen import Frozen, alive, frozen
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.rules.updates_stopped import stopped_metrics
from logdoctor.view import RunView

EVALUATION = ("val_", "eval_", "test_")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the metrics that froze at one place."""
    still = [item for item in frozen(view) if not item.series.name.startswith(EVALUATION)]
    if not still or stopped_metrics(view):
        return
    first = min(still, key=lambda item: int(item.series.line[item.first]))
    others = [name for name in view.names if alive(view, name, int(first.series.line[first.first]))]
    if len(others) >= int(limits.moving):
        yield report(RULE, view, first, still, others)


def report(rule: Rule, view: RunView, first: Frozen, still: list[Frozen], others: list[str]) -> Finding:
    """Return the finding for metrics that froze; ``first`` is the one that froze first."""
    series, start, last = first.series, first.first, len(first.series) - 1
    names = ", ".join(label(item.series) for item in still)
    value = float(series.value[-1])
    picks = [(max(0, start - 1), "still moving"), (start, "last measured value"), (min(last, start + 1), "repeated")]
    return finding(
        rule,
        view,
        severity="warning",
        confidence=0.93,
        metrics=[item.series.name for item in still],
        onset=view.place(series, start),
        summary=(
            f"{names} {'repeats' if len(still) == 1 else 'repeat'} to the last digit from"
            f" {at(view, series, start)} to the end"
            f" ({label(series)} = {say(value)} in {last - start + 1:,} rows), while {', '.join(others[:3])} go"
            f" on moving."
        ),
        figures={"value": value, "rows": last - start + 1, "metrics": len(still), "moving_metrics": len(others)},
        evidence=rows(series, [*picks, *((i, "") for i in way(start + 1, last, 1)), (last, "repeated to the end")]),
        analysis=(
            "The training goes on; it is the printed value that is old. What happened since does not show"
            " in this column."
        ),
    )


def _log(stop: int) -> str:
    loss = ramp(2, 0.5) + wobble(size=0.05)
    loss[stop:] = loss[stop - 1]
    return table(loss=loss, grad_norm=1 + wobble(size=0.1, seed=3), episode_return=learning())


RULE = Rule(
    id="LD102",
    name="metric-frozen",
    title="A metric repeats one value while the run goes on",
    severity="warning",
    detect=detect,
    thresholds=(threshold("moving", 1.0, "other metrics", "the run itself is alive", "SageMaker UnchangedTensor"),),
    tags=("logging",),
    references=("https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html",),
    examples=(
        Example(title="loss repeats from row 30 on", log=lambda: _log(30), fires=True),
        Example(title="loss moves to the end", log=lambda: _log(ROWS), fires=False),
    ),
)
