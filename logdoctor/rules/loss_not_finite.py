"""A loss became NaN or infinite.

What it finds: a loss, perplexity, value or reward that is not a finite number any more.
Why it matters: a NaN in the loss is a NaN in every weight one step later; whatever follows is wasted.
How it decides: non-finite values that stay to the end, or that are at least ``share`` of the values after the first
one, are critical. Values that come back are a warning from ``count`` on, and told below that. Non-finite values
before the first finite one (a mean over no episode yet; outside reinforcement learning no more than half of the rows)
and loss-scale search in the first rows are start-up and not judged.
When it is wrong: a metric that is undefined for some rows (a mean over an empty group) may print NaN by design.
What to do: go back to a checkpoint before the first non-finite row; look at gradient norm, loss scale and learning
rate in the rows before it; lower the learning rate, clip, or use bf16.
References: SageMaker ExplodingTensor; trainproof TP-NAN; DeepSpeed#931 (overflow in the first steps is harmless).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.nonfinite import NonFinite, nonfinite
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView

JUDGED = re.compile(r"loss|perplexity|^error$|entropy|^q_|target_q|log_prob|advantage|feature|return$|^(dqn_)?reward")
LOSS = re.compile(r"loss|perplexity|^error$")


START, START_ROWS = 0.5, 5  # share of the rows, and rows, of NaN that are no start-up of a loss any more


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for all metrics that are not finite, at the first place of the ones that stay so."""
    broken = [
        (s, n)
        for name in view.names
        if JUDGED.search(name) and (s := view.get(name)) is not None and (n := _of(s, view.is_rl))
    ]
    lasting = [(s, n) for s, n in broken if (n.stays and len(s) - n.first >= 1) or n.share >= limits.share]
    passing = [(s, n) for s, n in broken if n.count >= limits.count or LOSS.search(s.name)]
    if lasting:
        yield _finding(view, lasting, critical=True)
    elif passing:
        yield _passing(view, passing, limits)


def _of(series: Series, is_rl: bool) -> NonFinite | None:
    """Non-finite values after the first finite one; all of them for a loss that never was finite, or hardly ever.

    A learner that first fills its buffer prints no loss for a while; one that fits a data set has no such start.
    """
    finite = np.flatnonzero(np.isfinite(series.value))
    if not finite.size:
        return nonfinite(series.value) if LOSS.search(series.name) and len(series) >= 2 else None
    first = int(finite[0])
    fitted = LOSS.search(series.name) and not series.name.startswith("val_") and not is_rl
    if fitted and first >= max(START_ROWS, START * len(series)):
        return nonfinite(series.value)
    found = nonfinite(series.value[first:])
    if found is None:
        return None
    last_run = None if found.last_run is None else found.last_run + first
    return NonFinite(found.first + first, found.count, found.runs, last_run, found.share)


def _first(broken: list[tuple[Series, NonFinite]]) -> tuple[Series, NonFinite]:
    return min(broken, key=lambda pair: (int(pair[0].line[pair[1].first]), not LOSS.search(pair[0].name)))


def _finding(view: RunView, broken: list[tuple[Series, NonFinite]], *, critical: bool) -> Finding:
    series, found = _first(broken)
    first, last = found.first, len(series) - 1
    before = series.value[:first]
    before = before[np.isfinite(before)]
    names = [label(item) for item, _ in broken]
    known = f"; the last finite value is {say(float(before[-1]))}" if before.size else ""
    picks = [(max(0, first - 2), ""), (max(0, first - 1), "last finite value"), (first, "first non-finite value")]
    figures = {
        "nonfinite_rows": found.count,
        "last_finite": float(before[-1]) if before.size else None,
        "median_before": float(f"{np.median(before):.5g}") if before.size else None,
        "metrics": len(broken),
    }
    return finding(
        RULE,
        view,
        severity="critical" if critical else "warning",
        confidence=0.99,
        metrics=[item.name for item, _ in broken],
        onset=view.place(series, first),
        figures=figures,
        summary=(
            f"{label(series)} is {say(float(series.value[first]))} from {at(view, series, first)} on and does"
            f" not come back"
            f" ({found.count:,} of the {len(series) - first:,} rows from there{known})."
        ),
        evidence=rows(series, [*picks, *((i, "") for i in way(first, last, 1)), (last, "last row")]),
        analysis=(
            f"Not finite: {', '.join(names[:6])}. The weights hold NaN from here on; a restart must load"
            f" an older checkpoint."
        ),
    )


def _passing(view: RunView, broken: list[tuple[Series, NonFinite]], limits: Limits) -> Finding:
    series, found = _first(broken)
    first, last = found.first, len(series) - 1
    after = min(last, first + 1)
    many = found.count >= limits.count
    return finding(
        RULE,
        view,
        severity="warning" if many else "info",
        confidence=0.85,
        metrics=[item.name for item, _ in broken],
        onset=view.place(series, first),
        figures={"nonfinite_rows": found.count, "stretches": found.runs, "rows": len(series)},
        summary=(
            f"{label(series)} is not finite in {found.count:,} of {len(series):,} rows (first at"
            f" {at(view, series, first)}) and comes"
            " back each time."
        ),
        evidence=rows(
            series, [(max(0, first - 1), "before"), (first, "not finite"), (after, "after"), (last, "last row")]
        ),
        analysis="The weights survived, so these updates were skipped or the value is undefined in such rows.",
    )


def _log(first: int, last: int = ROWS) -> str:
    loss = ramp(2, 0.5, noise=0.03)
    loss[first:last] = np.nan
    return table(loss=loss, grad_norm=ramp(1, 1, noise=0.05))


RULE = Rule(
    id="LD202",
    name="loss-not-finite",
    title="A loss is NaN or infinite",
    severity="critical",
    detect=detect,
    min_points=1,
    thresholds=(
        threshold(
            "share",
            0.5,
            "of the values after the first",
            "the metric did not recover",
            "SageMaker ExplodingTensor: any",
        ),
        threshold(
            "count", 3.0, "rows", "isolated ones are skipped updates", "Megatron-LM: transient or persistent fault"
        ),
    ),
    tags=("numerics", "loss", "stability"),
    references=("https://github.com/deepspeedai/DeepSpeed/issues/931",),
    examples=(
        Example(title="NaN from row 40 to the end", log=lambda: _log(40), fires=True),
        Example(title="finite throughout", log=lambda: _log(ROWS), fires=False),
    ),
)
