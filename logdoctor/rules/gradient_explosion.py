"""Gradient norm explodes.

What it finds: a gradient norm that leaves its earlier level by a factor of ten and more, and a run that suffers from
it.
Why it matters: one unclipped update of a hundred times the usual size can destroy weights that took hours to learn.
How it decides: the running median before the departure is the level; the norm must exceed it by ``factor`` and by
``sigmas`` robust deviations of its logarithm, and stay there, or exceed it by ``violent``; or it must grow steadily
by ``growth`` from the first to the last fifth. It is an alarm only when performance fell, never improved, or a loss
ended non-finite: in reinforcement learning the norm of a healthy run grows with the rewards.
When it is wrong: a schedule or a curriculum that changes the loss scale changes the norm with it.
What to do: clip the norm near its 90th percentile, lower the learning rate, look at the batch of the first row.
References: Pascanu et al. 2013 (arXiv:1211.5063); Google tuning playbook, "identify training instability".
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.departure import Departure, departures
from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import failing, learning, ramp, table, wobble
from logdoctor.rules._gradients import alive, norms
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, change, finding, rows, say, threshold, times, way
from logdoctor.view import RunView

UNKNOWN = "no performance is printed that would justify it"


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for each gradient norm that exploded."""
    hurt = outcome(view)
    if not hurt.bad and hurt.series is not None:
        return
    for series in map(alive, norms(view)):
        if len(series) < 4:
            continue
        if not hurt.bad:  # no performance is printed: only unmistakable growth counts
            yield from _grew(view, series, limits, limits.growth * limits.factor)
            continue
        found = departures(series.highs, limits.factor, limits.sigmas)
        strong = [d for d in found if (d.sustained and d.stop - d.start >= 3) or d.ratio >= limits.violent]
        strong = [d for d in strong if series.highs[d.peak] >= limits.least]
        if strong:
            yield _exploded(view, series, max(strong, key=lambda d: d.ratio), strong[0])
        else:
            yield from _grew(view, series, limits, limits.growth)


def _exploded(view: RunView, series: Series, worst: Departure, first: Departure) -> Finding:
    hurt = outcome(view)
    peak = float(series.highs[worst.peak])
    summary = (
        f"{label(series)} rose to {say(peak)} at {at(view, series, worst.peak, 'high')}, "
        f"{times(peak / first.level)} times"
        f" its earlier median {say(_round(first.level))}"
    )
    picks = [(first.level_first, "level before"), (max(first.start - 1, 0), "last row before"), (first.start, "onset")]
    picks += [(i, "") for i in way(first.start, worst.peak, 2)]
    picks += [(worst.peak, f"peak, {times(peak / first.level)} times"), (len(series) - 1, "last row")]
    return finding(
        RULE,
        view,
        severity="critical" if hurt.fell or hurt.nonfinite else "warning",
        confidence=0.9 if hurt.fell or hurt.nonfinite else 0.7,
        summary=f"{summary}; {hurt.text}.",
        metrics=[series.name],
        onset=view.place(series, first.start),
        figures={
            "baseline_median": first.level,
            "baseline_first_line": int(series.line[first.level_first]),
            "baseline_last_line": int(series.line[first.level_last]),
            "peak": peak,
            "peak_line": int(series.high_lines[worst.peak]),
            "ratio": peak / first.level,
            "onset_value": float(series.value[first.start]),
        },
        evidence=rows(series, picks),
        analysis="Updates of this size move the weights further than the loss surface they were computed on is valid.",
    )


def _grew(view: RunView, series: Series, limits: Limits, growth: float) -> Iterable[Finding]:
    fifth = max(1, len(series) // 5)
    value = series.value
    early, late = float(np.median(value[:fifth])), float(np.median(value[-fifth:]))
    tau = rank_correlation(np.arange(value.size, dtype=np.float64), value)
    if early <= 0 or late < limits.least or late / early < growth or tau < limits.monotone:
        return
    rate = (late / early) ** (1 / max(1, len(series) - fifth))
    last = len(series) - 1
    picks = [(0, "first")] + [(i, change(float(value[i]), float(value[0]))) for i in (*way(0, last, 3), last)]
    yield finding(
        RULE,
        view,
        severity="critical",
        confidence=0.85,
        metrics=[series.name],
        onset=view.place(series, 0),
        summary=(
            f"{label(series)} grew steadily from {say(float(value[0]))} to {say(float(value[-1]))},"
            f" {times(late / early)} times by medians and about {times(rate)} times a row;"
            f" {outcome(view).text or UNKNOWN}."
        ),
        figures={
            "first": float(value[0]),
            "last": float(value[-1]),
            "early_median": early,
            "late_median": late,
            "ratio": late / early,
            "growth_per_row": rate,
            "rank_correlation": tau,
        },
        evidence=rows(series, picks),
        analysis="Growth by a constant factor a row is a feedback loop: each update enlarges the next gradient.",
    )


def _round(value: float) -> float:
    return float(f"{value:.4g}")


def _sick() -> str:
    norm = 0.5 + np.abs(wobble(size=0.1))
    norm[30:] *= np.geomspace(20, 400, 30)
    return table(grad_norm=norm, loss=ramp(1.0, 3.0, noise=0.05), episode_return=failing())


def _well() -> str:
    norm = 0.5 + np.abs(wobble(size=0.1))
    norm[30] = 40.0
    return table(grad_norm=norm, loss=ramp(1.0, 0.2, noise=0.02), episode_return=learning())


RULE = Rule(
    id="LD301",
    name="gradient-explosion",
    title="Gradient norm explodes",
    severity="critical",
    detect=detect,
    min_points=4,
    thresholds=(
        threshold(
            "factor",
            10.0,
            "times the level before",
            "a tenfold norm is no ordinary batch",
            "runmedic, trainproof: > 10 x median",
        ),
        threshold(
            "sigmas", 8.0, "robust deviations", "norms are heavy-tailed", "rldoctor: > 8 robust sigma and > 3 x median"
        ),
        threshold(
            "violent",
            100.0,
            "times the level before",
            "a single update this large needs no second one",
            "seed reports: gradients 100 times normal",
        ),
        threshold(
            "least",
            1.0,
            "gradient norm",
            "below the usual clip limit nothing explodes",
            "common max_grad_norm of 0.5 to 1",
        ),
        threshold(
            "growth", 100.0, "times, last fifth over first fifth", "two orders of magnitude", "Pascanu et al. 2013"
        ),
        threshold(
            "monotone", 0.8, "rank correlation with time", "growth must be steady, not a few rows", "Kendall 1975"
        ),
    ),
    tags=("gradients", "stability"),
    references=("https://arxiv.org/abs/1211.5063",),
    examples=(
        Example(title="norm climbs to 200 times its level and the return falls", log=_sick, fires=True),
        Example(title="one large norm in a run that keeps improving", log=_well, fires=False),
    ),
    applies_to=lambda view: None if norms(view) else "no gradient norm in this log",
)
