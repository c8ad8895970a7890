"""Gradient norm spikes.

What it finds: single rows whose gradient norm is far above the rows around them.
Why it matters: each one is a batch that moved the weights much more than the others; many of them mean that the step
size leaves no margin.
How it decides: at least ``count`` rows above ``sigmas`` robust deviations and ``factor`` times the running median. A
remark while the run does well; a warning when performance fell and no clip limit caught the spikes.
When it is wrong: norms printed for single batches scatter by nature more than averages over many.
What to do: clip near the 90th percentile; find the batches.
References: Google tuning playbook (clip at the 90th percentile of norms); OLMo spike score.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.spike import spikes
from logdoctor.model import Finding
from logdoctor.rules import gradient_explosion
from logdoctor.rules._examples import learning, table, wobble
from logdoctor.rules._gradients import alive, clipping, norms
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times
from logdoctor.view import RunView

SHOWN = 5
EXPLOSION = Limits(gradient_explosion.RULE.thresholds)


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the gradient norm that spikes most."""
    exploded = {name for item in gradient_explosion.detect(view, EXPLOSION) for name in item.metrics}
    for series in map(alive, norms(view)):
        if series.name in exploded:
            continue  # the same rows, told as an explosion
        found = spikes(series.highs, limits.sigmas, limits.factor)
        if len(found) < limits.count or series.highs[found.index].max() < limits.least:
            continue
        worst = int(found.index[np.argmax(series.highs[found.index])])
        level = float(found.level[np.argmax(series.highs[found.index])])
        clip = clipping(view)
        caught = clip is not None and clip.limit is not None
        hurt = outcome(view)
        top = found.index[np.argsort(-series.highs[found.index])[:SHOWN]]
        peak = float(series.highs[worst])
        limit = "clipping was in force" if caught else "no clipping is visible in the log"
        yield finding(
            RULE,
            view,
            severity="warning" if hurt.fell and not caught else "info",
            confidence=0.6,
            metrics=[series.name],
            onset=view.place(series, int(found.index[0]), "high"),
            summary=(
                f"{label(series)} spiked in {len(found):,} of {len(series):,} rows, highest {say(peak)} at"
                f" {at(view, series, worst, 'high')}, {times(peak / level)} times the median before it; {limit}."
            ),
            figures={
                "spikes": len(found),
                "rows": len(series),
                "peak": peak,
                "level_before_peak": level,
                "ratio": peak / level,
            },
            evidence=rows(series, [(int(i), f"{times(float(series.highs[i]) / level)} times") for i in top], "high"),
            analysis="The largest updates come from single batches, not from a general rise.",
        )
        return


def _spiky(rows_with: int) -> str:
    norm = 1.0 + np.abs(wobble(size=0.1))
    norm[20 : 20 + 6 * rows_with : 6] = 25.0
    return table(grad_norm=norm, episode_return=learning())


RULE = Rule(
    id="LD302",
    name="gradient-spikes",
    title="Gradient norm spikes",
    severity="warning",
    detect=detect,
    min_points=20,
    thresholds=(
        threshold(
            "sigmas", 8.0, "robust deviations", "norms are heavy-tailed", "rldoctor: > 8 robust sigma and > 3 x median"
        ),
        threshold(
            "factor",
            8.0,
            "times the running median",
            "a norm must be of another order",
            "gradsnitch: > 8 x rolling median",
        ),
        threshold(
            "least",
            1.0,
            "gradient norm",
            "below the usual clip limit a spike is harmless",
            "common max_grad_norm of 0.5 to 1",
        ),
        threshold("count", 3.0, "rows", "one or two bad batches happen in every run", "rldoctor: recurring at 3"),
    ),
    tags=("gradients",),
    examples=(
        Example(title="five rows at 25 times the norm of the others", log=lambda: _spiky(5), fires=True),
        Example(title="one such row", log=lambda: _spiky(1), fires=False),
    ),
    applies_to=lambda view: None if norms(view) else "no gradient norm in this log",
)
