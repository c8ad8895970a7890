"""The loss spikes and recovers.

What it finds: isolated rows in which a supervised or language-model loss is far above the rows before it, and comes
back.
Why it matters: one spike is a bad batch; several say that the step size is near its edge, and each costs the rows of
recovery.
How it decides: a value exceeds ``z`` robust deviations and ``ratio`` times the median of the 41 rows before it, gives
back at least ``back`` of the progress made so far, and the loss is back within a few rows; from ``many`` spikes on a
warning, before that a word of information.
When it is wrong: small batches with mixed lengths are noisy by nature; the ratio keeps ordinary noise out.
What to do: log the batch ids of such rows; clip the gradient at about twice its median; lengthen warm-up.
References: runmedic (robust z > 8 and 1.5 times the trend, at least 3 spikes); OLMo-core (mean + 6 sigma of 128);
PaLM (restart 100 steps earlier and skip 200-500 batches).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.spike import Spikes, spikes
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ROWS, ramp, table, wobble
from logdoctor.rules._losses import main_loss
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the spikes of the training loss."""
    progress = main_loss(view, least=30)
    if progress is None or float(progress.series.value.min()) <= 0:
        return
    series = progress.series
    found = spikes(series.value, limits.z, limits.ratio)
    progress_made = float(np.max(series.value[: max(3, len(series) // 50)])) - found.level
    high = series.value[found.index] - found.level >= limits.back * np.maximum(progress_made, 0.0)
    tops = enumerate(found.index.tolist())
    recovered = [i for i, top in tops if high[i] and _recovers(series, top, float(found.level[i]))]
    if recovered:
        yield _finding(view, series, found, recovered, len(recovered) >= limits.many)


def _recovers(series: Series, top: int, level: float) -> bool:
    after = series.value[top + 1 : top + 1 + max(5, len(series) // 20)]
    return bool(after.size and float(after.min()) < 1.3 * level)


def _finding(view: RunView, series: Series, found: Spikes, picked: list[int], many: bool) -> Finding:
    tops = found.index[picked]
    worst = picked[int(np.argmax(found.ratio[picked]))]
    top, ratio, level = int(found.index[worst]), float(found.ratio[worst]), float(found.level[worst])
    last = len(series) - 1
    picks = [(max(0, top - 1), "before"), (top, "the highest"), (min(last, top + 1), "after")] + [
        (int(i), "spike") for i in tops[:4]
    ]
    return finding(
        RULE,
        view,
        severity="warning" if many else "info",
        confidence=0.8,
        metrics=[series.name],
        onset=view.place(series, int(tops[0])),
        summary=(
            f"{label(series)} spikes {'once' if len(picked) == 1 else f'{len(picked)} times'} and recovers; highest"
            f" {say(float(series.value[top]))} at {at(view, series, top)}, {times(ratio)} times the"
            f" {say(float(f'{level:.4g}'))} before it."
        ),
        figures={
            "spikes": len(picked),
            "highest": float(series.value[top]),
            "level_before": float(f"{level:.5g}"),
            "ratio": float(f"{ratio:.4g}"),
        },
        evidence=rows(series, picks),
        analysis="The loss is back at its level within a few rows, so the weights survived."
        if not many
        else "Each recovery costs rows; several of them say that the step size is near its edge.",
    )


def _log(count: int) -> str:
    loss = ramp(0.6, 0.4) + np.abs(wobble(size=0.01))
    loss[[20, 35, 50, 55][:count]] = 4.0
    return table(loss=loss)


RULE = Rule(
    id="LD209",
    name="loss-spikes",
    title="The loss spikes and recovers",
    severity="warning",
    detect=detect,
    min_points=30,
    thresholds=(
        threshold("z", 8.0, "robust deviations", "chance does not reach this", "runmedic: 8"),
        threshold(
            "ratio",
            2.0,
            "times the level before",
            "a jump that a reader of the curve would notice",
            "runmedic: 1.5; runwise: 2",
        ),
        threshold(
            "back",
            0.2,
            "of the progress so far",
            "the noise of single batches is smaller",
            "runmedic: 50 % for a divergence",
        ),
        threshold("many", 3.0, "spikes", "one is a bad batch", "runmedic: 3; training-doctor: 3 in 100"),
    ),
    tags=("loss", "stability", "language-models"),
    references=("https://arxiv.org/abs/2204.02311",),
    examples=(
        Example(title="three spikes", log=lambda: _log(3), fires=True),
        Example(title="one spike is told", log=lambda: _log(1), fires=True),
        Example(title="no spike", log=lambda: _log(0), fires=False),
    ),
)
assert ROWS > 55  # the last spike of the example
