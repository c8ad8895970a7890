"""Most updates are clipped.

What it finds: a gradient norm above the clip limit in most rows, so that the limit and not the gradient sets the
step.
Why it matters: with clipping in nearly every update the optimiser moves by the same length whatever the loss says; a
change of the learning rate is then a change of the step itself.
How it decides: the limit is measured from the clip column (product or difference with the norm), else read from the
configuration, else seen as a ceiling at which the printed norm stays. More than ``share`` of the rows of the second
half must be clipped. A remark, and a warning only where performance fell.
When it is wrong: many recipes (PPO with 0.5, transformers with 1.0) clip often by design and learn well.
What to do: put the limit near the 90th percentile of the norms, or lower the learning rate.
References: Google tuning playbook: if more than half of the updates are clipped, lower the learning rate.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._gradients import Clipping, alive, clip_setting, clipping, norms
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times, way
from logdoctor.view import RunView

CEILING = 0.005  # printed norms within half a percent of their maximum are one value (trainspotter)


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when most rows of the second half are clipped."""
    known = _limit(view, limits)
    if known is None:
        return
    series, limit, source = known
    clip = clipping(view)
    above = series.value > limit * (1 - CEILING if source == "ceiling" else 1 + CEILING)
    if clip is not None and source == "measured":
        above = np.isin(np.arange(len(series)), clip.clipped)
    late = above[len(series) // 2 :]
    if late.mean() <= limits.share:
        return
    hurt = outcome(view)
    worst = int(np.argmax(series.value))
    median = float(np.median(series.value))
    where = {"measured": "measured from the log", "stated": "as configured", "ceiling": "where the printed norm stays"}
    yield finding(
        RULE,
        view,
        severity="warning" if hurt.fell else "info",
        confidence=0.6,
        metrics=[series.name],
        onset=view.place(series, int(np.flatnonzero(above)[0])),
        summary=(
            f"{label(series)} was clipped in {int(above.sum()):,} of {len(series):,} rows (limit {say(limit)}, "
            f"{where[source]});"
            f" its median {say(median)} is {times(median / limit)} times the limit{_strongest(view, clip)}."
        ),
        figures={
            "limit": limit,
            "limit_source": source,
            "clipped_rows": int(above.sum()),
            "rows": len(series),
            "median": median,
            "largest": float(series.value[worst]),
            "late_share": float(late.mean()),
        },
        evidence=[
            *rows(
                series,
                [
                    (0, "first"),
                    *((i, "") for i in way(0, len(series) - 1, 2)),
                    (worst, "largest"),
                    (len(series) - 1, "last"),
                ],
            ),
            *(rows(clip.delta, [(clip.strongest[1], "strongest clipping")]) if clip is not None else ()),
        ],
        analysis="The limit sets the length of nearly every update.",
    )


def _strongest(view: RunView, clip: Clipping | None) -> str:
    if clip is None or not clip.clipped.size:
        return ""
    row = clip.strongest[1]
    norm, delta = float(clip.norm.value[row]), float(clip.delta.value[row])
    return f"; strongest at {at(view, clip.norm, row)}: norm {say(norm)}, {label(clip.delta)} {say(delta)}"


def _limit(view: RunView, limits: Limits) -> tuple[Series, float, str] | None:
    clip = clipping(view)
    if clip is not None and clip.limit is not None:
        return clip.norm, clip.limit, "measured"
    series = next(iter(map(alive, norms(view))), None)
    if series is None or len(series) < 10:
        return None
    if clip is not None and not clip.clipped.size:
        return None  # the column says that nothing was clipped, whatever limit is stated
    _, stated = clip_setting(view)
    if stated is not None:
        return series, stated, "stated"
    top = float(series.value.max())
    pinned = series.value > top * (1 - CEILING)
    return (series, top, "ceiling") if top > 0 and pinned.mean() >= limits.pinned and np.ptp(series.value) > 0 else None


def _clipped(factor: float) -> str:
    norm = factor * (1.0 + 0.2 * np.abs(wobble()))
    return table(
        grad_norm=norm, clip_delta=np.minimum(1.0, 5.0 / norm), episode_return=failing() if factor > 5 else learning()
    )


RULE = Rule(
    id="LD305",
    name="clip-saturation",
    title="Most updates are clipped",
    severity="warning",
    detect=detect,
    min_points=10,
    thresholds=(
        threshold(
            "share",
            0.5,
            "of the rows of the second half",
            "the limit then sets the step size",
            "Google tuning playbook: > 50 %",
        ),
        threshold(
            "pinned",
            0.8,
            "of the rows at the ceiling",
            "a ceiling nobody configured must be unmistakable",
            "trainspotter: >= 80 % within 0.5 % of the maximum",
        ),
    ),
    tags=("gradients", "clipping"),
    examples=(
        Example(title="norm near 8 with a limit of 5", log=lambda: _clipped(8.0), fires=True),
        Example(title="norm near 2 with a limit of 5", log=lambda: _clipped(2.0), fires=False),
    ),
    applies_to=lambda view: None if norms(view) else "no gradient norm in this log",
)
