"""Episodes became short, and the return fell with them.

What it finds: an episode length that falls together with a falling return.
Why it matters: a return that falls because episodes end early is another fault (a termination rule, falling over,
dying early) than a return that falls at full length.
How it decides: the episode length at the end is below ``short`` of its best level, the return lost at least ``lost``
of its gain, and the two move together (rank correlation of at least ``together``).
When it is wrong: where short episodes are the goal (reach a target quickly), return and length move against each
other and the rule stays silent.
What to do: look at what ends the episodes: a termination condition, a time limit, or an agent that gave up.
References: unitree_rl_gym#8 (mean reward rises, then falls: the termination rule); IsaacLab#1999.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import failing, learning, table
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import correlation, performance, progress
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, journey, say, threshold
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when shorter episodes carry the fall of the return."""
    outcome, length = performance(view), progress(view, "episode_length")
    if outcome is None or length is None or outcome.lost < limits.lost or outcome.gain <= 4 * outcome.error:
        return
    short = length.best > 0 and length.final < limits.short * length.best
    if len(outcome.series) == len(length.series) and np.allclose(outcome.series.value, length.series.value, rtol=0.02):
        return  # the return is the length: one curve, told by the rule on collapse
    together = correlation(outcome.series, length.series)
    if not short or together < limits.together:
        return
    series, last = length.series, len(length.series) - 1
    start = length.last_near_best(0.15)
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[series.name, outcome.series.name],
        onset=view.place(series, start),
        summary=(
            f"Episodes shorten from {say(length.printed(length.best))} to {say(length.printed(length.final))}"
            f" from {at(view, series, start)} on,"
            f" and {label(outcome.series)} falls with them (rank correlation {together:.2f})."
        ),
        figures={
            "longest": length.printed(length.best),
            "final": length.printed(length.final),
            "rank_correlation": round(together, 3),
        },
        evidence=journey(series, length.best_index, last, last, "last row"),
        analysis="The loss of return is a loss of length: look at what ends an episode.",
        explained_by=("LD601",),
    )


RULE = Rule(
    id="LD607",
    name="episodes-shorten",
    title="Episodes became short",
    severity="warning",
    detect=detect,
    needs=(("episode_length",),),
    min_points=20,
    thresholds=(
        threshold("short", 0.6, "of the longest level", "clearly shorter", "unitree_rl_gym#8"),
        threshold("lost", 0.4, "of the gain", "the return fell as well", "zen-rl: below half of its maximum"),
        threshold(
            "together", 0.7, "rank correlation", "the two curves are one story", "rldoctor: 0.6 for length hacking"
        ),
    ),
    tags=("performance", "reinforcement-learning"),
    references=("https://github.com/unitreerobotics/unitree_rl_gym/issues/8",),
    examples=(
        Example(
            title="length and return rise and fall",
            log=lambda: table(episode_return=failing(), episode_length=failing(best=500.0)),
            fires=True,
        ),
        Example(
            title="length and return rise",
            log=lambda: table(episode_return=learning(), episode_length=learning(best=500.0)),
            fires=False,
        ),
    ),
)
