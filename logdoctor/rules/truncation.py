"""Answers are cut off at the length limit.

What it finds: a large share of generated answers that end at the maximum length instead of by themselves.
Why it matters: a cut answer earns no proper reward; with most of them cut, the reward says nothing about quality.
How it decides: the median share of truncated answers over the last fifth of the run is at least ``some``; critical
from ``most`` on when the reward did not improve.
When it is wrong: a length curriculum starts with a short limit on purpose.
What to do: raise the completion limit, add a soft length penalty, or filter prompts that need long answers.
References: rldoctor (0.05 / 0.15); autocontext#1067 (a cap of 256 truncated every answer; 512 fixed it).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import learning, ramp, table
from logdoctor.rules._names import TRUNCATED, named, tunes_language
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when many answers are cut off."""
    series = named(view, TRUNCATED)
    if series is None or not tunes_language(view) or float(series.value.max()) > 1.0:
        return
    late = float(np.median(series.value[-max(3, len(series) // 5) :]))
    if late < limits.some:
        return
    outcome = performance(view)
    better = outcome is not None and outcome.gain > max(4 * outcome.error, outcome.material(0.1))
    last = len(series) - 1
    high = np.flatnonzero(series.value >= limits.some)
    yield finding(
        RULE,
        view,
        severity="critical" if late >= limits.most and not better else "warning",
        confidence=0.85,
        metrics=[series.name],
        onset=view.place(series, int(high[0])),
        summary=(
            f"{late:.0%} of the answers are cut off at the length limit over the last fifth of the run"
            f" ({label(series)}; {at(view, series, last)}: {say(float(series.value[last]))})."
        ),
        figures={"late_share": round(late, 4), "first_share": float(series.value[0]), "rows": len(series)},
        evidence=rows(series, [(0, "start"), *((i, "") for i in way(0, last, 2)), (last, "last row")]),
        analysis="A cut answer cannot earn a proper reward, whatever it says.",
    )


def _log(cut: float) -> str:
    return table(
        completion_length=ramp(200, 250, noise=5),
        completions_clipped_ratio=ramp(cut, cut, noise=0.004),
        reward=learning(best=1.0),
        kl=ramp(0.01, 0.02),
    )


RULE = Rule(
    id="LD902",
    name="truncation",
    title="Answers are cut off at the length limit",
    severity="critical",
    detect=detect,
    thresholds=(
        threshold("some", 0.15, "of the answers", "a visible part of the reward signal", "rldoctor: 0.05 / 0.15"),
        threshold("most", 0.6, "of the answers", "most rewards say nothing", "autocontext#1067: 1.0"),
    ),
    tags=("language-models", "reward"),
    references=("https://huggingface.co/docs/trl/grpo_trainer",),
    examples=(
        Example(title="80 % cut off", log=lambda: _log(0.8), fires=True),
        Example(title="2 % cut off", log=lambda: _log(0.02), fires=False),
    ),
)
