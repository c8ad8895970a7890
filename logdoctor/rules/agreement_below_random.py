"""Agreement below the random base.

What it finds: agreement that stays below 100 / number of actions, or greedy actions that are the opposite of the
actions in the replay data.
Why it matters: a policy that knows nothing agrees by chance; less than that is an inverted policy or a wrong metric.
How it decides: the number of actions must be in the log (configuration, or entries of a printed distribution). The
median of the last half lies ``margin`` points below the base, in ``rows`` rows or more; or greedy and replay
distribution each put ``dominant`` of their mass on different actions while agreement is below the base.
When it is wrong: replay data of a policy that avoids the greedy action on purpose.
What to do: check the metric on a batch by hand; check the sign of rewards and targets.
References: sibling documents D-1 (7 to 23 % with 4 actions) and D-2 (89 % against 88 % on another action).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Evidence, Finding, Scalar
from logdoctor.rules._examples import ramp, table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._policy import agreements, distribution, random_base
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when agreement is below chance."""
    base, why = random_base(view)
    series = next((s for s in agreements(view) if s.name == "agreement"), None)
    if base is None or series is None:
        return
    late = series.value[len(series) // 2 :]
    median = float(np.median(late))
    inverted = _inversion(view, limits.dominant)
    if late.size < limits.rows or median >= base - (0.0 if inverted else limits.margin) or median <= 0:
        return
    below, last, low = np.flatnonzero(series.value < base), len(series) - 1, int(np.argmin(series.value))
    text, figures, evidence = inverted or ("", {}, ())
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.75,
        metrics=[series.name],
        onset=view.place(series, int(below[0])),
        summary=(
            f"{label(series)} is below chance: median {say(round(median, 2))} in the second half, lowest "
            f"{say(float(series.value[low]))};"
            f" {why}; {below.size:,} of {len(series):,} rows lie below it{text}."
        ),
        figures={
            "late_median": median,
            "lowest": float(series.value[low]),
            "random_base": base,
            "rows_below": int(below.size),
            "rows": len(series),
        }
        | figures,
        evidence=[
            *rows(series, [(0, "first"), *((i, "") for i in way(0, last, 2)), (low, "lowest"), (last, "last")]),
            *evidence,
        ],
        analysis=(
            "Chance alone would agree more often: the policy is inverted, or the metric compares the wrong things."
        ),
    )


def _inversion(view: RunView, dominant: float) -> tuple[str, dict[str, Scalar], tuple[Evidence, ...]] | None:
    greedy, replay = distribution(view, "greedy"), distribution(view, "replay")
    if greedy is None or replay is None:
        return None
    a, b = np.median(greedy.share, axis=0), np.median(replay.share, axis=0)
    i, j = int(np.argmax(a)), int(np.argmax(b))
    if i == j or a[i] < dominant or b[j] < dominant:
        return None
    text = f"; greedy picks action {i} in {100 * a[i]:.0f} %, the replay data action {j} in {100 * b[j]:.0f} %"
    figures: dict[str, Scalar] = {
        "greedy_mode": i,
        "greedy_share": float(100 * a[i]),
        "replay_mode": j,
        "replay_share": float(100 * b[j]),
    }
    return (
        text,
        figures,
        (
            *rows(greedy.series[i], [(-1, f"greedy, action {i}")]),
            *rows(replay.series[j], [(-1, f"replay, action {j}")]),
        ),
    )


def _log(level: float) -> str:
    return "n_actions: 4\n" + table(
        agreement=np.clip(level + wobble(size=2.0), 1, 99), loss=ramp(0.2, 0.1, noise=0.005)
    )


RULE = Rule(
    id="LD510",
    name="agreement-below-random",
    title="Agreement below the random base",
    severity="warning",
    detect=detect,
    min_points=5,
    thresholds=(
        threshold(
            "margin",
            2.0,
            "points below the base",
            "sampling error of a batch of a few hundred",
            "binomial error of 25 % with n = 500: 1.9 points",
        ),
        threshold("rows", 5.0, "rows in the second half", "a level needs several rows", "rldoctor: 5 rows"),
        threshold(
            "dominant",
            0.6,
            "share of one action",
            "clearly more than half of the choices",
            "sibling document D-2: 89 and 88 %",
        ),
    ),
    tags=("policy",),
    examples=(
        Example(title="12 % with four actions", log=lambda: _log(12.0), fires=True, hyperparameters={"n_actions": 4}),
        Example(title="60 % with four actions", log=lambda: _log(60.0), fires=False, hyperparameters={"n_actions": 4}),
    ),
    applies_to=lambda view: None if random_base(view)[0] is not None else random_base(view)[1],
)
