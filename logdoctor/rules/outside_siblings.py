"""A metric behaves as in none of the sibling runs.

What it finds: a metric that is a constant 0 here while every sibling records it; a throughput that falls off while
that of the siblings holds; a loss, gradient or value that ends orders of magnitude away from all of them.
Why it matters: a log alone cannot say what is normal for its program; the siblings can.
How it decides: for the constant, every record is 0 and each sibling has other values. For the throughput, late speed
over early speed is at least ``slower`` times worse than in the worst sibling, and below a half. For the size of a
metric, the level of the last quarter is ``orders`` orders of magnitude beyond the range of the siblings (a remark,
since settings that differ can do that to a healthy run).
When it is wrong: the siblings ran on another machine or printed the metric under another condition.
What to do: look at the settings that differ, at the code version and at the machine.
References: trainproof (healthy against healthy must pass); Mitchell et al. 2019 on reporting disaggregated results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from logdoctor.model import Finding, Floats, Series
from logdoctor.rules._examples import learning, table, wobble
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, times
from logdoctor.rules._siblings import Track, no_siblings, siblings_of
from logdoctor.view import RunView

SPEEDS = ("fps", "steps_per_second", "samples_per_second", "tokens_per_second")  # more is faster
TIMES = ("step_time", "time", "iteration_time", "epoch_time")  # less is faster
SIZES = ("loss", "value_loss", "critic_loss", "grad_norm", "q_max", "feature_l2_norm", "policy_loss")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return findings for constants, slowdowns and sizes that no sibling shows."""
    siblings = siblings_of(view)
    if siblings is None:
        return
    for name in view.names:
        series = view.finite(name)
        tracks = [run.tracks[name] for run in siblings.runs if name in run.tracks]
        if series is None or len(series) < 10 or len(tracks) < len(siblings.runs):
            continue
        yield from _constant(view, series, tracks)
        if name in SPEEDS or name in TIMES:
            yield from _slower(view, limits, series, tracks)
        elif name in SIZES:
            yield from _size(view, limits, series, tracks)


def _constant(view: RunView, series: Series, tracks: list[Track]) -> Iterator[Finding]:
    recorded = all(np.count_nonzero(t.value) > 0.5 * t.value.size and np.ptp(t.value) > 0 for t in tracks)
    if series.value.any() or not recorded:
        return
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.85,
        metrics=[series.name],
        onset=view.place(series, 0),
        summary=f"{series.name} is 0 in all {len(series)} records; each of the {len(tracks)} siblings records "
        f"other values.",
        figures={"records": len(series), "siblings": len(tracks)},
        evidence=rows(series, [(0, "first row"), (len(series) - 1, "last row")]),
    )


def _slower(view: RunView, limits: Limits, series: Series, tracks: list[Track]) -> Iterator[Finding]:
    inverse = series.name in TIMES
    own, others = _late_over_early(series.value, inverse), [_late_over_early(t.value, inverse) for t in tracks]
    if own <= 0 or own >= 0.5 or own * limits.slower >= min(others):
        return
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.8,
        metrics=[series.name],
        summary=(
            f"{series.name}: the end of the run is {times(1 / own)} times slower than its beginning; in the "
            f"siblings at most "
            f"{times(1 / max(min(others), 1e-12))} times."
        ),
        figures={"late_over_early": round(own, 4), "lowest_sibling": round(min(others), 4)},
        evidence=rows(series, [(0, "first row"), (len(series) - 1, "last row")]),
    )


def _late_over_early(value: Floats, inverse: bool) -> float:
    """Return late speed over early speed: medians of the last tenth and of the first fifth without its first record."""
    n = value.size
    early, late = float(np.median(value[1 : max(4, n // 5)])), float(np.median(value[-max(3, n // 10) :]))
    ratio = late / early if early > 0 else 0.0
    return (1 / ratio if ratio > 0 else 0.0) if inverse else ratio


def _size(view: RunView, limits: Limits, series: Series, tracks: list[Track]) -> Iterator[Finding]:
    own, others = _late(series.value), [_late(t.value) for t in tracks]
    if own <= 0 or min(others) <= 0:
        return
    factor = max(own / max(others), min(others) / own)
    if factor < 10**limits.orders:
        return
    yield finding(
        RULE,
        view,
        severity="info",
        confidence=0.6,
        metrics=[series.name],
        summary=(
            f"{series.name} ends at about {say(float(f'{own:.4g}'))}, {times(factor)} times "
            f"{'above' if own > max(others) else 'below'} "
            f"its siblings ({', '.join(say(float(f'{o:.4g}')) for o in others)})."
        ),
        figures={"level": float(f"{own:.6g}"), "factor": float(f"{factor:.4g}"), "siblings": len(others)},
        evidence=rows(series, [(len(series) - 1, "last row")]),
    )


def _late(value: Floats) -> float:
    return float(np.median(np.abs(value[-max(3, value.size // 4) :])))


def _log(recorded: bool, seed: int = 7) -> str:
    norm = np.abs(1 + wobble(size=0.1, seed=seed)) if recorded else np.zeros(60)
    return table(episode_return=learning(), grad_norm=norm)


RULE = Rule(
    id="LD612",
    name="outside-siblings",
    title="A metric as in no sibling",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold(
            "slower",
            3.0,
            "times",
            "a third of the speed is no load of another program",
            "R5 of throughput rules: a third",
        ),
        threshold(
            "orders",
            2.0,
            "orders of magnitude",
            "settings of healthy runs differ by up to ten times",
            "Tuning Playbook",
        ),
    ),
    tags=("baseline",),
    references=("https://pypi.org/project/trainproof/",),
    applies_to=no_siblings,
    examples=(
        Example(
            title="0 here, recorded in both siblings",
            log=lambda: _log(False),
            fires=True,
            siblings=(lambda: _log(True, 1), lambda: _log(True, 2)),
        ),
        Example(title="recorded in all", log=lambda: _log(True), fires=False, siblings=(lambda: _log(True, 1),)),
        Example(title="no siblings given", log=lambda: _log(False), fires=False),
    ),
)
