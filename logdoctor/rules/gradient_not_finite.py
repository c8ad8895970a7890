"""Gradient norm is NaN or infinite.

What it finds: rows whose gradient norm is not finite.
Why it matters: an update with such a gradient destroys the weights unless it is skipped.
How it decides: a single row that recovers at once while the loss stays finite is a remark (the update was skipped, or
the printed mean overflowed). Some such rows are a warning. It is critical when the norm stays non-finite to the end,
when ``run`` rows in a row are non-finite, or when a loss is non-finite in the same rows.
When it is wrong: with dynamic loss scaling a few infinite norms at the start are how the scale is found.
What to do: print the loss and the scale of the same steps; lower the learning rate; bf16 instead of fp16; skip the
step.
References: NVIDIA mixed-precision guide (loss scaling); gradsnitch: infinite only, NaN may mean "not logged".
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.nonfinite import NonFinite, nonfinite
from logdoctor.detectors.spike import runs
from logdoctor.model import Finding, Series, Severity
from logdoctor.rules._examples import ramp, table, wobble
from logdoctor.rules._gradients import norms
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for each norm with non-finite values."""
    for series in norms(view):
        found = nonfinite(series.value)
        if found is None or len(series) < 3 or found.count == len(series):
            continue
        yield _finding(view, series, found, _longest(series), limits)


def _longest(series: Series) -> int:
    return max(b - a for a, b in runs(~np.isfinite(series.value)))


def _finding(view: RunView, series: Series, found: NonFinite, longest: int, limits: Limits) -> Finding:
    loss = _bad_loss(view, series)
    first = found.first
    stays = found.stays and longest >= 2
    severity: Severity = "critical" if stays or loss or longest >= limits.run else "warning"
    if severity == "warning" and (found.count <= limits.isolated or _scaling(view, series, found)):
        severity = "info"
    what = "NaN" if np.isnan(series.value[first]) else "infinite"
    if severity == "info" and found.count == 1:
        after = min(first + 1, len(series) - 1)
        tail = (
            f"; the next row is {say(float(series.value[after]))} again and no loss was hit, so one update at most "
            "was affected"
        )
    elif stays:
        tail = f", and from {at(view, series, found.last_run or first)} to the end"
    else:
        tail = f" ({found.runs} separate stretches, longest {longest} rows)"
    picks = [(max(0, first - 1), "last finite before"), (first, what), (min(first + longest, len(series) - 1), "")]
    return finding(
        RULE,
        view,
        severity=severity,
        confidence=0.95,
        metrics=[series.name],
        onset=view.place(series, (found.last_run if stays and found.last_run is not None else first)),
        summary=(
            f"{label(series)} was {what} at {at(view, series, first)}, {found.count:,} of {len(series):,} rows in "
            f"all{tail}"
            f"{f'; {loss} was not finite in the same rows' if loss else ''}."
        ),
        figures={
            "nonfinite_rows": found.count,
            "rows": len(series),
            "stretches": found.runs,
            "longest": longest,
            "first_line": int(series.line[first]),
        },
        evidence=rows(series, picks),
        analysis="" if severity == "info" else "Weights that took such an update do not come back by themselves.",
    )


def _bad_loss(view: RunView, series: Series) -> str:
    """Return the name of a loss that is non-finite on a line where the norm is."""
    lines = series.line[~np.isfinite(series.value)]
    for name in view.names:
        loss = view.get(name) if name.endswith("loss") else None
        if loss is not None and np.isin(lines, loss.line[~np.isfinite(loss.value)]).any():
            return label(loss)
    return ""


def _scaling(view: RunView, series: Series, found: NonFinite) -> bool:
    """Whether all of it lies in the first rows of a run with dynamic loss scaling."""
    scaled = view.get("loss_scale") is not None or bool(view.events("overflow"))
    last = int(np.flatnonzero(~np.isfinite(series.value))[-1])
    return scaled and last < 0.05 * len(series) and not found.stays


def _log(bad: int) -> str:
    norm = 1.0 + np.abs(wobble(size=0.1))
    norm[60 - bad :] = np.inf
    return table(grad_norm=norm, loss=ramp(2.0, 1.0, noise=0.02))


RULE = Rule(
    id="LD310",
    name="gradient-not-finite",
    title="Gradient norm is NaN or infinite",
    severity="critical",
    detect=detect,
    min_points=3,
    thresholds=(
        threshold(
            "isolated",
            1.0,
            "rows",
            "one row that recovers at once changed one update at most",
            "skip-step practice (OLMo)",
        ),
        threshold(
            "run",
            3.0,
            "rows in a row",
            "three in a row are no accident of one batch",
            "llm-foundry: stop after more than 4 consecutive",
        ),
    ),
    tags=("gradients", "numerics"),
    references=("https://docs.nvidia.com/deeplearning/performance/mixed-precision-training/",),
    examples=(
        Example(title="infinite from the fiftieth row to the end", log=lambda: _log(10), fires=True),
        Example(title="all finite", log=lambda: _log(0), fires=False),
    ),
    applies_to=lambda view: None if norms(view) else "no gradient norm in this log",
)
