"""The policy stays near uniform.

What it finds: entropy that stays at its maximum through the run while performance does not improve.
Why it matters: a policy that is still random has learned nothing from all updates.
How it decides: the median of the last fifth is ``share`` of the maximum: log(actions) where the number is known, else
the first tenth of the run. Performance must not have improved.
When it is wrong: at the very beginning every policy is uniform; a short log shows only that.
What to do: lower the entropy coefficient, raise the learning rate, check that advantages are not zero.
References: Stable-Baselines3#2240: -1.33 against -1.386 after a million steps with ent_coef 0.15.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import learning, ramp, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._policy import action_count, entropy
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when entropy stays at its maximum without success."""
    known, hurt = entropy(view), outcome(view)
    if known is None or hurt.series is None or not hurt.bad or len(known[0]) < limits.rows:
        return
    series, value = known
    tenth, fifth = max(1, value.size // 10), max(1, value.size // 5)
    start, late = float(np.median(value[:tenth])), float(np.median(value[-fifth:]))
    count = action_count(view)
    top = float(np.log(count[0])) if count is not None else start
    if start <= limits.least or late < limits.share * top or start < limits.share * top:
        return
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
            f" ({source}): the policy is still almost random after {len(series):,} rows{note}; {hurt.text}."
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
