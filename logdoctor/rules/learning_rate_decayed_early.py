"""The learning rate was used up long before the end of the run.

What it finds: a printed rate that falls below 3 % of its peak for good while much of the run is still to come.
Why it matters: from there on the weights hardly move; the remaining steps buy nothing.
How it decides: the rate stays below ``spent`` of its peak from before ``early`` of the run to the end, and the rate
had been higher before.
When it is wrong: a deliberate long evaluation phase at rate zero looks the same.
What to do: let the schedule end where the run ends; most cosine schedules keep a floor of a tenth of the peak.
References: Hoffmann et al. 2022, appendix B (a cosine length that does not match the number of steps costs loss).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, learning, ramp, table
from logdoctor.rules._rates import rate_of
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding where the rate is spent early."""
    rate = rate_of(view)
    if rate is None or rate.spent_at is None or rate.spent_index is None or rate.peak <= 0:
        return
    share, _ = rate.spent_at
    if share >= limits.early or rate.lowest_late > limits.spent * rate.peak:
        return
    series, index = rate.series, rate.spent_index
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.85,
        metrics=["learning_rate"],
        onset=view.place(series, index),
        summary=(
            f"The learning rate falls below {limits.spent:.0%} of its peak of {say(rate.peak)} at "
            f"{at(view, series, index)} and stays there: "
            f"{1 - share:.0%} of the run is trained with hardly any step size."
        ),
        figures={"peak": rate.peak, "share_of_run": round(share, 3), "last": float(series.value[-1])},
        evidence=rows(series, [(rate.peak_index, "peak"), (index, "spent from here"), (len(series) - 1, "last row")]),
    )


def _log(early: bool) -> str:
    rate = np.zeros(ROWS)
    end = ROWS // 4 if early else ROWS
    rate[:end] = np.linspace(0.001, 0.0 if early else 0.0001, end)
    return table(learning_rate=rate, loss=ramp(2.3, 2.2) if early else 3 - learning(best=2.5))


RULE = Rule(
    id="LD552",
    name="learning-rate-decayed-early",
    title="The learning rate was used up early",
    severity="warning",
    detect=detect,
    needs=(("learning_rate",),),
    min_points=10,
    thresholds=(
        threshold(
            "early", 0.6, "of the run", "schedules reach their floor at the end", "Hoffmann et al. 2022, appendix B"
        ),
        threshold(
            "spent",
            0.03,
            "of the peak",
            "cosine schedules end at 0.1 of the peak",
            "nanoGPT: min_lr = learning_rate / 10",
        ),
    ),
    tags=("learning-rate", "schedule"),
    references=("https://arxiv.org/abs/2203.15556",),
    examples=(
        Example(title="zero after a quarter", log=lambda: _log(True), fires=True),
        Example(title="linear decay over the whole run", log=lambda: _log(False), fires=False),
    ),
)
