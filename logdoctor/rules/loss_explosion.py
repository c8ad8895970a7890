"""The loss leaves its level by an order of magnitude and stays there.

What it finds: a loss that rises to ``factor`` times the level before it, stays far above it and does not return.
Why it matters: the weights were thrown out of the region that was learned; later rows repair it at best.
How it decides: the loss exceeds ``factor`` times the median before it and eight robust deviations of its logarithm,
more than half of the next rows stay above half of that (on a log scale), and the end is still ``stays`` times the old
level. In reinforcement learning, where losses grow with the values they predict, performance must have fallen or
never improved as well.
When it is wrong: a loss whose definition changes in mid-run (a new term, another weighting) jumps without harm.
What to do: look at the rows before the onset: gradient norm, learning rate, a batch; resume before it with a smaller
step.
References: TheDeepChecker (diverging: loss over its minimum of 2 in a window of 5); llm-foundry (twice the mean of
the last 100, more than 4 times on end); Megatron-LM (spiky: ten times the largest seen).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.departure import Departure, departures
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ROWS, failing, learning, ramp, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, big, finding, journey, say, threshold, times
from logdoctor.view import RunView

LOSSES = ("loss", "d_loss", "c_loss", "bc_loss", "train_loss", "policy_loss", "td_error")
SUPERVISED = ("loss", "train_loss", "val_loss", "lm_loss", "total_loss")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for the first loss that exploded."""
    found = []
    for name in LOSSES if view.is_rl else SUPERVISED:
        series = view.finite(name)
        jump = lasting_jump(series, limits.factor, limits.stays) if series is not None else None
        if series is not None and jump is not None:
            found.append((series, jump))
    if not found or (view.is_rl and not outcome(view).bad):
        return
    series, jump = min(found, key=lambda pair: int(pair[0].line[pair[1].start]))
    yield _finding(view, series, jump, [item.name for item, _ in found])


def lasting_jump(series: Series, factor: float, stays: float) -> Departure | None:
    """Return the first sustained departure after which the series never came back to ``stays`` times its level."""
    value = np.abs(series.value)
    for jump in departures(value, factor):
        late = float(np.median(value[-max(3, value.size // 20) :]))
        if jump.sustained and late > stays * jump.level and jump.stop - jump.crossing >= 3:
            return jump
    return None


def _finding(view: RunView, series: Series, jump: Departure, names: list[str]) -> Finding:
    last = len(series) - 1
    final = float(series.value[last])
    hurt = outcome(view).text
    return finding(
        RULE,
        view,
        severity="critical",
        confidence=0.95,
        metrics=names,
        onset=view.place(series, jump.start),
        summary=(
            f"{label(series)} exploded to {big(float(series.value[jump.peak]))} at"
            f" {at(view, series, jump.peak)}, {times(jump.ratio)} times its"
            f" level of {say(float(f'{jump.level:.4g}'))} before {at(view, series, jump.start)}, and ends at"
            f" {say(final)}"
            f"{'; ' + hurt if hurt else ''}."
        ),
        figures={
            "level_before": float(f"{jump.level:.5g}"),
            "peak": float(series.value[jump.peak]),
            "ratio": float(f"{jump.ratio:.4g}"),
            "final": final,
            "level_first_line": int(series.line[jump.level_first]),
            "level_last_line": int(series.line[jump.level_last]),
        },
        evidence=journey(series, jump.start, jump.peak, last, calm=_calm(series, jump)),
        analysis="The level before is the median of the rows named in the figures; the loss does not come back to it.",
    )


def _calm(series: Series, jump: Departure) -> int:
    """Return the last of the rows of the calm stretch that stand closest to its level."""
    gap = np.abs(np.abs(series.value[jump.level_first : jump.level_last + 1]) - jump.level)
    return jump.level_first + int(np.flatnonzero(gap <= gap.min() * 1.0001)[-1])


def _log(exploded: bool, recovers: bool = False) -> str:
    loss = ramp(0.5, 0.3) + np.abs(wobble(size=0.02))
    if exploded:
        loss[35 : 40 if recovers else ROWS] = 40.0
    return table(loss=loss, episode_return=failing() if exploded and not recovers else learning())


RULE = Rule(
    id="LD201",
    name="loss-explosion",
    title="The loss exploded and stays far above its level",
    severity="critical",
    detect=detect,
    min_points=20,
    thresholds=(
        threshold(
            "factor", 8.0, "times the level before", "an order of magnitude", "losslint: 10 times the local median"
        ),
        threshold("stays", 2.0, "times the level before", "the end is not back", "TheDeepChecker: 2; llm-foundry: 2"),
    ),
    tags=("loss", "stability"),
    references=("https://arxiv.org/abs/2204.00694",),
    examples=(
        Example(title="loss 0.3, then 40, return falls", log=lambda: _log(True), fires=True),
        Example(title="loss stays at its level", log=lambda: _log(False), fires=False),
        Example(title="spike of five rows that recovers", log=lambda: _log(True, recovers=True), fires=False),
    ),
)
