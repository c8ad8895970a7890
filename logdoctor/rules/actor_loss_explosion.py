"""Actor loss explodes.

What it finds: an actor loss whose magnitude is orders above any return of the run, or that grows by orders of
magnitude.
Why it matters: the actor loss of DDPG, TD3 and SAC is minus the critic's value of the policy; a loss in the billions
is a critic that overestimates by that much.
How it decides: magnitude above ``returns`` times the largest printed return and above ``least``, or steady growth by
``growth`` from the first fifth to the largest value that leaves it above ``least``; critical from ``huge`` on.
When it is wrong: unscaled rewards of a large environment (thousands a step) give large losses legitimately.
What to do: look at features and Q values first: the actor only follows them.
References: Fujimoto et al. 2018 (arXiv:1802.09477); seed report 003: 10^12, expected 10^3 to 10^6.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import failing, learning, table
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, big, change, finding, power, rows, say, threshold, times, way
from logdoctor.rules._values import largest_return
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when the actor loss explodes."""
    series = view.finite("actor_loss")
    if series is None:
        return
    size = np.abs(series.value)
    worst = int(np.argmax(size))
    peak = float(series.value[worst])
    fifth = max(1, len(series) // 5)
    early = float(np.median(size[:fifth]))
    top = largest_return(view)
    over = abs(peak) / top[0] if top is not None else 0.0
    grown = abs(peak) / early if early > 0 else 0.0
    big_enough = abs(peak) >= limits.least
    if not (big_enough and (over >= limits.returns or grown >= limits.growth or abs(peak) >= limits.huge)):
        return
    hurt, last = outcome(view), len(series) - 1
    severe = abs(peak) >= limits.huge or (hurt.bad and over >= limits.returns)
    passed = np.flatnonzero(size > max(limits.least, 10 * early if grown >= limits.growth else 0.0))
    parts = [f"{label(series)} reaches {big(peak)} at {at(view, series, worst)}"]
    if over >= limits.returns and top is not None:
        parts.append(f"{times(over)} times the largest return of {say(top[0])}")
    if grown >= limits.growth:
        parts.append(f"{times(grown)} times its median {say(float(f'{early:.4g}'))} of the first fifth")
    if hurt.bad and hurt.text:
        parts.append(hurt.text)
    yield finding(
        RULE,
        view,
        severity="critical" if severe else "warning",
        confidence=0.9 if severe else 0.7,
        metrics=[series.name],
        onset=view.place(series, int(passed[0]) if passed.size else worst),
        summary="; ".join(parts) + ".",
        figures={
            "peak": peak,
            "peak_line": int(series.line[worst]),
            "early_median": early,
            "growth": grown,
            "largest_return": top[0] if top else None,
            "over_return": over or None,
            "power": power(peak),
        },
        evidence=rows(
            series,
            [
                (0, "first"),
                *((i, change(float(series.value[i]), float(series.value[0]))) for i in way(0, worst, 2)),
                (worst, f"largest, {power(peak)}"),
                (last, "last"),
            ],
        ),
        analysis="It is minus the critic's value of the policy: a critic that overestimates by orders of magnitude.",
    )


def _log(sick: bool) -> str:
    loss = -np.geomspace(2, 4e9, 60) if sick else -np.linspace(2, 90, 60)
    return table(actor_loss=loss, episode_return=failing() if sick else learning())


RULE = Rule(
    id="LD411",
    name="actor-loss-explosion",
    title="Actor loss explodes",
    severity="critical",
    detect=detect,
    needs=(("actor_loss",),),
    min_points=1,
    thresholds=(
        threshold(
            "returns",
            100.0,
            "times the largest return",
            "two orders above what any policy earned",
            "sibling document T-4: loss -2.4M at rewards of 200",
        ),
        threshold(
            "growth",
            1000.0,
            "times the first fifth",
            "three orders of magnitude",
            "sibling document T-2: -2.85 to -7,607,850",
        ),
        threshold(
            "least",
            1000.0,
            "loss",
            "below the expected band nothing explodes",
            "seed report 003: expected 10^3 to 10^6",
        ),
        threshold("huge", 1e7, "loss", "above the expected band by an order", "seed report 003: expected 10^3 to 10^6"),
    ),
    tags=("values", "policy", "stability"),
    references=("https://arxiv.org/abs/1802.09477",),
    examples=(
        Example(title="loss grows to -4 billion", log=lambda: _log(True), fires=True),
        Example(title="loss follows the return to -90", log=lambda: _log(False), fires=False),
    ),
)
