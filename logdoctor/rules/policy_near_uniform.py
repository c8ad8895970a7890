"""The policy stays near uniform.

What it finds: entropy that stays at its maximum through the run while performance does not improve.
Why it matters: a policy that is still random has learned nothing from all updates.
How it decides: the median of the last fifth is ``share`` of the maximum: log(actions) where the number is known, else
the first tenth of the run. Performance must not have improved; or the entropy stood still at ``held`` of the maximum
(``still``) from the first quarter on while the second half of the run brought less than ``slow`` of the gain.
When it is wrong: at the very beginning every policy is uniform; a short log shows only that.
What to do: lower the entropy coefficient, raise the learning rate, check that advantages are not zero.
References: Stable-Baselines3#2240: -1.33 against -1.386 after a million steps with ent_coef 0.15.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Floats
from logdoctor.rules._examples import learning, ramp, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._policy import action_count, entropy
from logdoctor.rules._progress import performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when entropy stays at its maximum without success."""
    known, hurt = entropy(view), outcome(view)
    if known is None or hurt.series is None or len(known[0]) < limits.rows:
        return
    series, value = known
    held = not hurt.bad and held_up(view, value, limits)
    if not hurt.bad and not held:
        return
    tenth, fifth = max(1, value.size // 10), max(1, value.size // 5)
    start, late = float(np.median(value[:tenth])), float(np.median(value[-fifth:]))
    count = action_count(view)
    top = float(np.log(count[0])) if count is not None else start
    least = limits.held if held else limits.share
    if start <= limits.least or late < least * top or start < limits.share * top:
        return
    became = hurt.text or _slow(view)
    last = len(series) - 1
    source = f"log({count[0]})" if count is not None else "its start"
    coef = view.number("ent_coef")
    note = f"; the entropy coefficient is {say(coef)}" if coef is not None else ""
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.8,
        metrics=[series.name],
        onset=view.place(series, 0),
        summary=(
            f"Policy entropy ({label(series)}) is {say(float(f'{late:.4g}'))} at the end, {100 * late / top:.0f} "
            f"% of its maximum {say(float(f'{top:.4g}'))}"
            f" ({source}): the policy is still almost random after {len(series):,} rows{note}; {became}."
        ),
        figures={
            "start_median": start,
            "late_median": late,
            "maximum": top,
            "share": late / top,
            "ent_coef": coef,
            "rows": len(series),
        },
        evidence=rows(series, [(0, "first"), *((i, "") for i in way(0, last, 2)), (last, "last")]),
        analysis="Either the entropy term outweighs the reward, or the updates are too small to change the policy.",
    )


def held_up(view: RunView, value: Floats, limits: Limits) -> bool:
    """Whether the entropy stands still near its maximum after the first quarter while the return hardly rises on.

    The policy learned a little at once and was then held: that is no policy that needs more time.
    """
    progress = performance(view)
    if progress is None or not 0.3 < float(value[0]) < 3.0 or progress.gain <= 0:
        return False
    quarter = value.size // 4
    early, late = float(np.median(value[quarter : 2 * quarter])), float(np.median(value[-quarter:]))
    actions = round(math.exp(float(np.median(value[:3]))))
    uniform = actions >= 2 and abs(float(np.max(value[:3])) - math.log(actions)) < 0.02 * math.log(actions)
    stands = early - late < limits.still * early
    half = progress.level(0.45, 0.55)
    return bool(uniform and stands and progress.final - half < limits.slow * progress.gain)


def _slow(view: RunView) -> str:
    progress = performance(view)
    if progress is None:
        return ""
    start, half, final = (
        say(progress.printed(x)) for x in (progress.start, progress.level(0.45, 0.55), progress.final)
    )
    return (
        f"{label(progress.series)} went from {start} to {half} in the first half of the run and only to {final} since"
    )


def _log(sick: bool) -> str:
    value = 1.09 + wobble(size=0.002) if sick else ramp(1.09, 0.3, noise=0.02)
    return table(entropy=value, episode_return=-500 + wobble(size=5.0) if sick else learning())


RULE = Rule(
    id="LD502",
    name="policy-near-uniform",
    title="The policy stays near uniform",
    severity="warning",
    detect=detect,
    needs=(("entropy", "entropy_loss"),),
    min_points=20,
    thresholds=(
        threshold(
            "share",
            0.95,
            "of the maximum",
            "less than a twentieth of the randomness is gone",
            "SB3#2240: -1.33 of -1.386 (96 %)",
        ),
        threshold(
            "held",
            0.9,
            "of the maximum",
            "where the entropy stands still there: two actions of 68 % and 32 % are hardly a choice",
            "log 2 x 0.9; SB3#2240: 96 %",
        ),
        threshold("still", 0.02, "of its level", "less is no fall of the entropy", "SB3#2240: 4 % in a million steps"),
        threshold("slow", 0.33, "of the gain", "half of the run that brings less is slow", "rldoctor: stagnation"),
        threshold("rows", 20.0, "rows", "every policy begins uniform", "rlwatch: after 20 warm-up steps"),
        threshold("least", 0.05, "nats", "an entropy this small is not uniform over anything", "P-1: 0.01 is collapse"),
    ),
    tags=("policy", "exploration"),
    references=("https://github.com/DLR-RM/stable-baselines3/issues/2240",),
    examples=(
        Example(title="1.09 nats throughout, return flat", log=lambda: _log(True), fires=True),
        Example(title="1.09 down to 0.3 with a rising return", log=lambda: _log(False), fires=False),
    ),
)
