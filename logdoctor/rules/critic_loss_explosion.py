"""Critic loss explodes or stays unstable.

What it finds: a critic, value or TD loss that leaves its level by orders of magnitude, or whose standard deviation is
larger than its mean, in a run that suffers.
Why it matters: the actor follows the critic; a critic whose error jumps gives it no direction.
How it decides: exploded: a departure by ``factor`` and ``sigmas`` robust deviations that stays, or steady growth by
``growth`` from the first to the last fifth. Unstable: standard deviation above ``spread`` times the mean and a
maximum of ``peak`` times the mean. Both count only when performance fell, did not improve, or ended non-finite. In a
run that does well a loss that grows with the returns is normal, and what peaked before the best level did no harm.
When it is wrong: a reward scale that changes during the run changes the loss with its square.
What to do: look for the cause in features, rewards and targets first; clip targets, lower the critic's learning rate.
References: IsaacLab#1999 (value loss 10^4 times, then infinite); tensorflow/agents#294 (benign growth).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.departure import departures
from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Finding, Place, Series
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._outcome import best_came_later, label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, big, finding, rows, say, threshold, times, way
from logdoctor.view import RunView

NAMES = ("critic_loss", "value_loss", "qf1_loss", "qf2_loss", "td_loss", "d_loss")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the first critic loss that exploded or is unstable."""
    hurt = outcome(view)
    series = next((s for n in NAMES if (s := view.finite(n)) is not None and len(s) >= 5), None)
    if series is None or not (hurt.bad or falling(view)):
        return
    value = series.highs
    found = [d for d in departures(value, limits.factor, limits.sigmas) if d.sustained or d.ratio >= limits.growth]
    found = [d for d in found if not best_came_later(view, int(series.line[d.peak]))]
    if found:
        worst = max(found, key=lambda d: d.ratio)
        what = (
            f"rose to {big(float(value[worst.peak]))} at {at(view, series, worst.peak, 'high')},"
            f" {times(worst.ratio)} times its median of {say(float(f'{worst.level:.4g}'))} before"
        )
        yield _finding(
            view,
            series,
            what,
            view.place(series, found[0].start),
            {
                "baseline_median": worst.level,
                "baseline_first_line": int(series.line[worst.level_first]),
                "baseline_last_line": int(series.line[worst.level_last]),
                "ratio": worst.ratio,
            },
            "critical",
        )
        return
    fifth = max(1, len(series) // 5)
    early, late = float(np.median(series.value[:fifth])), float(np.median(series.value[-fifth:]))
    if (
        early > 0
        and late / early >= limits.growth
        and rank_correlation(np.arange(len(series), dtype=float), series.value) > 0.6
    ):
        what = (
            f"grew from {big(early)} to {big(late)} (medians of the first and the last fifth, {times(late / early)} "
            "times)"
        )
        yield _finding(
            view,
            series,
            what,
            view.place(series, 0),
            {"early_median": early, "late_median": late, "ratio": late / early},
            "critical",
        )
        return
    mean, std = float(series.value.mean()), float(series.value.std())
    if mean > 0 and std > limits.spread * mean and value.max() >= limits.peak * mean and mean > limits.least:
        what = f"is unstable: mean {big(mean)}, standard deviation {big(std)}, largest {big(float(value.max()))}"
        onset = int(np.argmax(value > mean + std))
        yield _finding(view, series, what, view.place(series, onset), {}, "warning")


def falling(view: RunView) -> bool:
    """Whether the mean of the last ten printed returns is clearly below the mean of the first ten."""
    perf = view.performance
    if perf is None or perf.goal != "max" or len(perf.series) < 20:
        return False
    value = perf.series.value
    first, last = value[:10], value[-10:]
    error = float(np.hypot(first.std(), last.std())) / np.sqrt(10)
    return bool(first.mean() - last.mean() > 3 * error and first.mean() - last.mean() > 0.2 * abs(first.mean()))


def _finding(
    view: RunView, series: Series, what: str, onset: Place, figures: dict[str, float | int], severity: str
) -> Finding:
    worst, last = int(np.argmax(series.highs)), len(series) - 1
    hurt = outcome(view)
    mean, std = float(series.value.mean()), float(series.value.std())
    picks = [(0, "first"), *((i, "") for i in way(0, worst, 2)), (worst, "largest"), (last, "last")]
    tail = hurt.text or "performance declines"
    return finding(
        RULE,
        view,
        severity="critical" if severity == "critical" and not hurt.young else "warning",
        confidence=0.8,
        metrics=[series.name],
        onset=onset,
        summary=f"{label(series)} {what}; {tail}.",
        figures={
            "mean": mean,
            "standard_deviation": std,
            "largest": float(series.highs[worst]),
            "largest_line": int(series.high_lines[worst]),
            "first": float(series.value[0]),
            "last": float(series.value[-1]),
        }
        | figures,
        evidence=rows(series, picks, "high"),
        analysis="A critic this unsettled gives the policy no direction to follow.",
    )


def _log(sick: bool) -> str:
    loss = 1.0 + np.abs(wobble(size=0.1))
    if sick:
        loss[35:] *= np.geomspace(20, 5000, 25)
    return table(critic_loss=loss, actor_loss=wobble(size=0.1), episode_return=failing() if sick else learning())


RULE = Rule(
    id="LD407",
    name="critic-loss-explosion",
    title="Critic loss explodes or stays unstable",
    severity="critical",
    detect=detect,
    needs=(NAMES,),
    min_points=5,
    thresholds=(
        threshold("factor", 10.0, "times the level before", "an order of magnitude", "losslint: > 10 x local median"),
        threshold("sigmas", 8.0, "robust deviations", "TD losses are heavy-tailed", "rldoctor: > 8 robust sigma"),
        threshold("growth", 100.0, "times, last fifth over first fifth", "two orders of magnitude", "ReAgent#189"),
        threshold(
            "spread",
            1.0,
            "times the mean",
            "a standard deviation above the mean",
            "seed report 003: mean 987, std 1644",
        ),
        threshold(
            "peak",
            5.0,
            "times the mean",
            "and single losses far above it",
            "seed report 003: expected mean 10-100, max 100-500",
        ),
        threshold(
            "least",
            10.0,
            "loss",
            "below this band the loss is small whatever its scatter",
            "seed report 003: expected mean 10 to 100",
        ),
    ),
    tags=("values", "critic", "stability"),
    references=("https://github.com/tensorflow/agents/issues/294",),
    examples=(
        Example(title="loss climbs 5,000-fold while the return falls", log=lambda: _log(True), fires=True),
        Example(title="loss stays at one", log=lambda: _log(False), fires=False),
    ),
)
