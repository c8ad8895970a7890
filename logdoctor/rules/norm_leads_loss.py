"""The gradient norm jumped before the loss did.

What it finds: a supervised or language-model run whose gradient norm multiplies within a few rows, one or a few rows
before its loss jumps.
Why it matters: the order says what to guard: a limit on the norm, or skipping such steps, would have kept the loss.
How it decides: the loss spikes (``ratio`` times its level, eight robust deviations) and the norm exceeds ``norm``
times its level at most ``rows`` rows earlier or in the same row, at least ``times`` times or in a loss that does not
recover.
When it is wrong: where the norm is printed after clipping it cannot jump; then the rule is silent.
What to do: clip at about twice the median norm, skip steps beyond six sigma, lengthen warm-up, lower beta2.
References: bigscience tr8-104B (norm times 20 one iteration before the loss went from 3.11 to 7.71); OLMo-core skip-
step optimiser.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.spike import spikes
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ROWS, ramp, table, wobble
from logdoctor.rules._losses import main_loss
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when norm spikes come before loss spikes."""
    progress, norm = main_loss(view, least=30), view.finite("grad_norm")
    if progress is None or norm is None or len(norm) < 30 or float(progress.series.value.min()) <= 0:
        return
    loss = progress.series
    tops = spikes(loss.value, 8.0, limits.ratio)
    lead = spikes(norm.value, 8.0, limits.norm)
    pairs = [
        (int(n), int(t)) for t in tops.index for n in lead.index if _before(norm, int(n), loss, int(t), limits.rows)
    ]
    lasting = bool(pairs) and float(np.median(loss.value[-5:])) > 1.5 * float(
        np.median(loss.value[: pairs[0][1]][-20:])
    )
    if len(pairs) >= limits.times or lasting:
        yield _finding(view, loss, norm, pairs, lasting)


def _before(norm: Series, n: int, loss: Series, t: int, most: float) -> bool:
    gap = int(np.searchsorted(loss.line, norm.line[n]))
    return 0 <= t - gap <= most


def _finding(view: RunView, loss: Series, norm: Series, pairs: list[tuple[int, int]], lasting: bool) -> Finding:
    n, t = pairs[0]
    level = float(np.median(norm.value[max(0, n - 20) : n])) if n else float(norm.value[0])
    base = float(np.median(loss.value[max(0, t - 20) : t])) if t else float(loss.value[0])
    proof = rows(norm, [(max(0, n - 1), "norm before"), (n, "norm jumps")])
    proof += rows(loss, [(max(0, t - 1), "loss before"), (t, "loss jumps"), (min(len(loss) - 1, t + 1), "loss after")])
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.75,
        metrics=[norm.name, loss.name],
        onset=view.place(norm, n),
        summary=(
            f"{label(norm)} jumps to {say(float(norm.value[n]))} ({times(float(norm.value[n]) / level)} times"
            f" its level) at {at(view, norm, n)}, before"
            f" {label(loss)} goes from {say(float(f'{base:.4g}'))} to {say(float(loss.value[t]))} at"
            f" {at(view, loss, t)}"
            f"{'; it does not come back' if lasting else ''}."
        ),
        figures={
            "norm": float(norm.value[n]),
            "norm_level": float(f"{level:.4g}"),
            "loss": float(loss.value[t]),
            "loss_level": float(f"{base:.4g}"),
            "pairs": len(pairs),
        },
        evidence=proof,
        analysis="The norm led: a limit on it, or a skipped step, would have spared the loss.",
    )


def _log(jumps: bool) -> str:
    loss, norm = ramp(3.2, 3.0) + np.abs(wobble(size=0.01)), 1.0 + np.abs(wobble(size=0.05, seed=3))
    if jumps:
        for i in (25, 45):
            norm[i], loss[i + 1] = 20.0, 7.7
    return table(loss=loss, grad_norm=norm)


RULE = Rule(
    id="LD906",
    name="norm-leads-loss",
    title="The gradient norm jumped before the loss",
    severity="warning",
    detect=detect,
    needs=(("grad_norm",), ("loss", "train_loss")),
    min_points=30,
    thresholds=(
        threshold(
            "ratio",
            1.5,
            "times the loss level",
            "a jump that a reader of the curve would notice",
            "runmedic: 1.5 times the trend",
        ),
        threshold(
            "norm",
            5.0,
            "times the norm level",
            "a jump and no wave of the norm",
            "bigscience tr8-104B: 20; runmedic: norm over 5 times",
        ),
        threshold("rows", 3.0, "rows", "close enough to be one event", "bigscience tr8-104B: one iteration"),
        threshold("times", 2.0, "pairs", "once may be chance", "runmedic: recurring at 3"),
    ),
    tags=("language-models", "gradients", "loss"),
    references=("https://github.com/bigscience-workshop/bigscience/blob/master/train/tr8-104B-wide/chronicles.md",),
    examples=(
        Example(title="norm times 20, loss one row later, twice", log=lambda: _log(True), fires=True),
        Example(title="no jump", log=lambda: _log(False), fires=False),
    ),
)
assert ROWS > 46  # the second pair of the example
