"""Gradient norm vanishes while there is still something to learn.

What it finds: a recorded gradient norm that shrinks to a small part of its start, or is tiny in the whole run,
although the loss or the performance did not get better.
Why it matters: without a gradient the optimiser changes nothing; more steps will not help.
How it decides: the median of the last fifth is below ``shrunk`` of the median of the first fifth, or below ``tiny``
in absolute terms, and the run did not improve. A norm that is exactly zero in every row was never recorded (another
rule); zeros that come and go with a delayed update are benign (LD309); a sudden end of the gradient is LD304.
When it is wrong: losses with tiny units (rewards scaled by 1e-4) have tiny gradients; Adam does not mind, but the
finding then points at the scale.
What to do: check initialisation, activation and the learning rate of the part; check that the loss is scaled
sensibly.
References: AUTOTRAINER (ICSE 2021): vanishing below 1e-3 of the first layer; gradsnitch: late below 5 % of early
while the loss fell less than 20 %.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ramp, table, wobble
from logdoctor.rules._gradients import alive, death_of, norms
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import change, finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for each norm that vanished and did not die at one point."""
    if not stuck(view, limits):
        return
    for series in map(alive, norms(view)):
        if len(series) < 10 or not (series.value > 0).any() or zero_share(series) > limits.zeros:
            continue
        fifth = len(series) // 5
        early, late = float(np.median(series.value[:fifth])), float(np.median(series.value[-fifth:]))
        small, shrunk = late < limits.tiny and early < limits.tiny, late < limits.weak and late < limits.shrunk * early
        if not (small or shrunk) or death_of(series) is not None:
            continue
        yield _finding(view, series, early, late, shrunk)


def stuck(view: RunView, limits: Limits) -> bool:
    """Whether the run has no progress to explain a small gradient: neither performance nor loss became better."""
    hurt = outcome(view)
    loss = view.finite("loss")
    if loss is None or len(loss) < 10:
        return hurt.bad
    fifth = len(loss) // 5
    early, late = float(np.median(loss.value[:fifth])), float(np.median(loss.value[-fifth:]))
    return hurt.bad and not (early > 0 and late < (1 - limits.progress) * early and not hurt.fell)


def zero_share(series: Series) -> float:
    """Share of rows whose norm is printed as exactly zero."""
    return float((series.value == 0).mean())


def _finding(view: RunView, series: Series, early: float, late: float, shrunk: bool) -> Finding:
    last = len(series) - 1
    value = series.value
    how = f"shrank from {say(early)} to {say(late)} ({change(late, early)})" if shrunk else f"stays near {say(late)}"
    below = np.flatnonzero(value > 0.2 * early) if shrunk else np.empty(0)
    onset = int(below[-1]) + 1 if below.size and below[-1] < last else 0
    picks = [(0, "first")] + [(i, change(float(value[i]), float(value[0]))) for i in (*way(0, last, 3), last)]
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[series.name],
        onset=view.place(series, onset),
        summary=f"{label(series)} {how} (medians of the first and the last fifth); {outcome(view).text}.",
        figures={"early_median": early, "late_median": late, "rows": len(series), "zeros": int((value == 0).sum())},
        evidence=rows(series, picks),
        analysis="The norm is recorded (it is not constant), so the signal itself is weak.",
    )


def _sick() -> str:
    fading = np.geomspace(1.0, 0.005, 60) * (1 + wobble(size=0.05))
    return table(grad_norm=fading, loss=ramp(2.3, 2.25, noise=0.02), episode_return=wobble(size=2.0))


def _converged() -> str:
    fading = np.geomspace(1.0, 0.005, 60) * (1 + wobble(size=0.05))
    return table(grad_norm=fading, loss=np.geomspace(2.3, 0.01, 60))


RULE = Rule(
    id="LD303",
    name="gradient-vanishing",
    title="Gradient norm vanishes",
    severity="warning",
    detect=detect,
    min_points=10,
    thresholds=(
        threshold(
            "shrunk",
            0.05,
            "of the first fifth",
            "a twentieth of the early signal",
            "gradsnitch: late < 5 % of early and loss fell < 20 %",
        ),
        threshold(
            "weak", 0.1, "gradient norm", "a norm above this is no weak signal", "seed report 000: below 0.1 is weak"
        ),
        threshold(
            "tiny", 0.01, "gradient norm", "below this in the whole run", "training-doctor: vanishing below 0.01"
        ),
        threshold("progress", 0.2, "share of the first loss", "a fall by a fifth is learning", "gradsnitch"),
        threshold(
            "zeros",
            0.2,
            "share of exactly zero rows",
            "more zeros are another fault",
            "rldoctor: 20 / 40 / 70 % zero updates",
        ),
    ),
    tags=("gradients",),
    examples=(
        Example(title="norm fades to a two-hundredth, loss stays", log=_sick, fires=True),
        Example(title="norm fades because the loss is solved", log=_converged, fires=False),
    ),
    applies_to=lambda view: None if norms(view) else "no gradient norm in this log",
)
