"""A value that cannot be zero is printed as zero from the first row to the last.

What it finds: a gradient norm, loss, entropy, speed or Q value that is exactly 0 in every row although the run
trains.
Why it matters: the column looks like a measurement and is none; every alarm that would have rested on it stays
silent.
How it decides: at least ``points`` values, all exactly zero, of a metric whose zero would mean that nothing happens,
while other metrics of the same log move. When performance did not improve either, the zero may be real (a dead
gradient); then the finding says so and is less sure. An agreement counts as zero when it never exceeds ``chance`` in
``long`` rows. Zeros of the speed of updates together with those of a loss or a norm say that nothing was updated: one
finding from ``long`` rows on, and none before, because a buffer fills first. A loss whose weight is 0, or that imitates
an expert who never acts, is zero by configuration: then the finding only explains.
When it is wrong: a value below the printed precision reads as zero (0.0000 with four decimals).
What to do: record the value where it is computed (before clipping, after backward, before zero_grad), or drop the
column.
References: trainproof TP-ZERO-GRAD (all exactly 0, at least 5 points); rldoctor (exactly-zero updates).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ROWS, learning, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import Progress, performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, way
from logdoctor.rules._switched_off import switched_off
from logdoctor.rules.delayed_update_zeros import delayed
from logdoctor.view import RunView

# A zero in these means that nothing was computed; a zero clip fraction, KL, epsilon or learning rate is ordinary.
NEVER_ZERO = re.compile(
    r"(^|_)grad_norm$|^(actor|critic|policy|value|model|global)_norm$|^(value|critic|d|c|q|td|val)_loss$|^td_error$|^entropy$|^q_(value|max|std)$|^target_q$"
    r"|^(fps|steps_per_second|samples_per_second|tokens_per_second|step_time)$|^feature_(l2_norm|std)$|^log_prob_std$"
    r"|^(val_)?perplexity$|^action_std$"
)


UPDATES = frozenset({"steps_per_second", "samples_per_second"})  # of the optimiser, where fps counts the environment
AGREEMENTS = ("agreement", "spin_agreement")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for each metric that is zero throughout."""
    zero = [
        series for name in view.names if NEVER_ZERO.search(name) and (series := _zero(view, name, limits)) is not None
    ]
    zero += [series for name in AGREEMENTS if (series := _hardly_ever(view, name, limits)) is not None]
    moving = [name for name in view.names if _moves(view, name)]
    if not zero or len(moving) < int(limits.moving):
        return
    if _no_update(zero):
        if len(zero[0]) >= int(limits.long):
            yield _idle(view, zero, moving)
        return
    trains = _trains(view)
    explained = delayed(view)
    for series in zero:
        if series.name in explained:
            continue
        if not trains and _dead_policy(view):
            continue
        why = switched_off(view, series.name)
        if why:
            yield _off(view, series, why)
            continue
        yield _finding(view, series, moving, trains)


def _no_update(zero: list[Series]) -> bool:
    """Whether the speed of updates is among the zeros, with a loss or a norm: then nothing was updated."""
    names = {series.name for series in zero}
    return bool(names & UPDATES and any(name.endswith(("loss", "grad_norm")) for name in names))


def _idle(view: RunView, zero: list[Series], moving: list[str]) -> Finding:
    """Tell zeros that belong together once: no update was made."""
    speed = next(series for series in zero if series.name in UPDATES)
    names, last = ", ".join(label(series) for series in zero), len(speed) - 1
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.8,
        metrics=[series.name for series in zero],
        onset=view.place(speed, 0),
        summary=(
            f"No update was made: {names} are exactly 0 in all {len(speed):,} rows while {', '.join(moving[:3])} move."
        ),
        figures={"rows": len(speed), "metrics": len(zero)},
        evidence=rows(speed, [(0, "first row"), *((i, "") for i in way(0, last, 2)), (last, "last row")]),
        analysis="A buffer that is still filling looks like this for a while; here it lasts for the whole log.",
    )


def _zero(view: RunView, name: str, limits: Limits) -> Series | None:
    series = view.get(name)
    return series if series is not None and len(series) >= int(limits.points) and not series.value.any() else None


def _hardly_ever(view: RunView, name: str, limits: Limits) -> Series | None:
    """An agreement in percent that never reaches ``chance``: guessing among a thousand actions would agree as often."""
    series = view.finite(name)
    if series is None or len(series) < int(limits.long) or float(series.highs.max()) > limits.chance:
        return None
    actions = view.number("n_actions")
    return None if actions is not None and 100.0 / actions < 10 * limits.chance else series


def _moves(view: RunView, name: str) -> bool:
    series = view.finite(name)
    return series is not None and len(series) >= 5 and float(np.ptp(series.value)) > 0


def _trains(view: RunView) -> bool:
    """Whether something improved, so that gradients must have flowed."""
    outcome = performance(view)
    if outcome is not None and outcome.gain > max(4 * outcome.error, outcome.material(0.1)):
        return True
    loss = view.finite("loss")
    return loss is not None and len(loss) >= 10 and Progress(loss, "min").improvement > 0.05 * abs(float(loss.value[0]))


def _dead_policy(view: RunView) -> bool:
    """A deterministic policy has zero entropy and, truly, no gradient: that is another finding."""
    entropy = view.finite("entropy")
    return entropy is not None and len(entropy) >= 5 and abs(float(np.median(entropy.value))) < 1e-3


def _off(view: RunView, series: Series, why: str) -> Finding:
    """Tell a zero that the configuration explains: it looks like a lost measurement and is none."""
    last = len(series) - 1
    return finding(
        RULE,
        view,
        severity="info",
        confidence=0.8,
        metrics=[series.name],
        benign=True,
        onset=view.place(series, 0),
        summary=f"{label(series)} is exactly 0 in all {len(series):,} rows because {why}: its part is switched off.",
        figures={"rows": len(series), "value": 0.0},
        evidence=rows(series, [(0, "first row"), (last, "last row")]),
    )


def _finding(view: RunView, series: Series, moving: list[str], trains: bool) -> Finding:
    last = len(series) - 1
    others = ", ".join(moving[:3])
    top = float(series.highs.max())
    if top > 0 or series.name in AGREEMENTS:
        return _agreement(view, series, top, others)
    tail = (
        "so the value was never recorded"
        if trains
        else "so the value was never recorded, or nothing was computed at all"
    )
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.95 if trains else 0.75,
        metrics=[series.name],
        onset=view.place(series, 0),
        summary=f"{label(series)} is exactly 0 in all {len(series):,} rows while {others} move: {tail}.",
        figures={"rows": len(series), "value": 0.0, "moving_metrics": len(moving)},
        evidence=rows(series, [(0, "first row"), *((i, "") for i in way(0, last, 2)), (last, "last row")]),
        analysis=(
            f"A {label(series)} of exactly {say(0.0)} would mean that no update took place; what moves"
            f" beside it contradicts that."
        ),
    )


def _agreement(view: RunView, series: Series, top: float, others: str) -> Finding:
    """Tell an agreement that is far below what guessing gives."""
    last = len(series) - 1
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.85,
        metrics=[series.name],
        onset=view.place(series, 0),
        summary=(
            f"{label(series)} never exceeds {say(top)} % in {len(series):,} rows while {others} move: even a guess"
            " agrees more often, so the metric does not compare what it should."
        ),
        figures={"rows": len(series), "largest": top},
        evidence=rows(series, [(0, "first row"), *((i, "") for i in way(0, last, 2)), (last, "last row")]),
        analysis="A guess among k actions agrees in 100/k per cent of the cases; this would need a thousand actions.",
    )


RULE = Rule(
    id="LD101",
    name="metric-never-recorded",
    title="A metric is zero from the first row to the last",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold("points", 5.0, "rows", "no chance zeros", "trainproof TP-ZERO-GRAD: 5 points"),
        threshold(
            "chance", 0.1, "percent", "a guess among a thousand actions", "sibling document D-17: 0.0 to 0.1 always"
        ),
        threshold("long", 20.0, "rows", "no start-up of a slow metric", "rldoctor: at least 12 points"),
        threshold("moving", 2.0, "other metrics", "the run itself is alive", "SageMaker AllZero: 100 % zeros"),
    ),
    tags=("logging",),
    references=("https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html",),
    examples=(
        Example(
            title="gradient norm 0 in every row",
            log=lambda: table(grad_norm=np.zeros(ROWS), loss=ramp(2, 0.5, noise=0.02), episode_return=learning()),
            fires=True,
        ),
        Example(
            title="gradient norm alive",
            log=lambda: table(
                grad_norm=ramp(1, 0.8, noise=0.05), loss=ramp(2, 0.5, noise=0.02), episode_return=learning()
            ),
            fires=False,
        ),
    ),
)
