"""Actions sit at their limits.

What it finds: printed actions of a continuous policy at plus or minus one in most rows, without spread, in a run that
does not do well.
Why it matters: a tanh output at its limit has no gradient: the policy cannot move away, whatever the critic says.
How it decides: the values of an action column (or the mean of one, with a standard deviation below ``still``) are
within ``edge`` of plus or minus one in ``share`` of the last half, and performance fell or did not improve.
When it is wrong: bang-bang control is optimal for some tasks; such runs improve.
What to do: normalise observations and rewards, lower the actor's learning rate, penalise the pre-tanh activation.
References: sibling documents T-10 and T-11 (steering -0.943 with a spread of 0.006); RLExplorer E3.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, way
from logdoctor.view import RunView

NOT_ACTIONS = ("std", "loss", "norm", "share", "count", "ratio", "noise", "entropy", "rate", "loss_avg")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding naming every saturated action column."""
    hurt = outcome(view)
    if not hurt.bad:
        return
    pinned = [(s, share) for s in _columns(view) if (share := _share(view, s, limits)) >= limits.share]
    if not pinned:
        return
    series, share = max(pinned, key=lambda item: item[1])
    last = len(series) - 1
    onset = int(np.argmax(np.abs(series.value) >= 1 - limits.edge))
    names = ", ".join(label(s) for s, _ in pinned)
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.75,
        metrics=[s.name for s, _ in pinned],
        onset=view.place(series, onset),
        summary=(
            f"{names}: within {say(limits.edge)} of the limit in {100 * share:.0f} % of the rows of the second "
            f"half (last {say(float(series.value[-1]))}):"
            f" the policy is saturated; {hurt.text}."
        ),
        figures={
            "share_late": share,
            "columns": len(pinned),
            "last": float(series.value[-1]),
            "late_median": float(np.median(series.value[len(series) // 2 :])),
        },
        evidence=rows(
            series, [(0, "first"), (onset, "first at the limit"), *((i, "") for i in way(0, last, 2)), (last, "last")]
        ),
        analysis="The slope of tanh at its limit is zero, so the critic's signal does not reach the actor.",
    )


def _columns(view: RunView) -> list[Series]:
    found = []
    for name in view.names:
        if (
            not {"action", "actions", "steering", "throttle"} & set(name.split("_"))
            or name.endswith(NOT_ACTIONS)
            or "share" in name
        ):
            continue
        series = view.finite(name)
        if series is not None and len(series) >= 10 and float(np.abs(series.value).max()) <= 1.0 + 1e-6:
            found.append(series)
    return found


def _share(view: RunView, series: Series, limits: Limits) -> float:
    late = series.value[len(series) // 2 :]
    if series.name.endswith("mean"):
        spread = view.finite(series.name.removesuffix("mean") + "std")
        if spread is None or float(np.median(spread.value[len(spread) // 2 :])) > limits.still:
            return 0.0
        return float(np.mean(np.abs(late) >= 1 - 2 * limits.edge))
    return float(np.mean(np.abs(late) >= 1 - limits.edge))


def _log(sick: bool) -> str:
    value = np.tanh(np.linspace(0.2, 6, 60)) if sick else 0.3 * np.tanh(wobble())
    return table(
        action_steering=value,
        critic_loss=1 + np.abs(wobble(size=0.1)),
        episode_return=failing() if sick else learning(),
    )


RULE = Rule(
    id="LD514",
    name="action-saturation",
    title="Actions sit at their limits",
    severity="warning",
    detect=detect,
    min_points=10,
    thresholds=(
        threshold("edge", 0.05, "action units", "tanh'(x) is below 0.1 there", "derivative of tanh at 0.95: 0.0975"),
        threshold(
            "share",
            0.8,
            "of the rows of the second half",
            "one action nearly always",
            "RLExplorer: one action above 0.8",
        ),
        threshold(
            "still",
            0.05,
            "standard deviation",
            "a mean at the limit without spread",
            "sibling document T-11: std 0.006",
        ),
    ),
    tags=("policy",),
    examples=(
        Example(title="steering creeps to 1.000 while the return falls", log=lambda: _log(True), fires=True),
        Example(title="steering around zero", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if _columns(view) else "no continuous actions in this log",
)
