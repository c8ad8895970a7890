"""Every episode earns exactly the same.

What it finds: a standard deviation of the reward that is exactly zero, or a return printed identically row after row,
without the return being at the top of a bounded range.
Why it matters: without differences between episodes there is nothing to learn from; the policy is deterministic, or
the environment ends at once.
How it decides: the printed spread is exactly 0 in at least ``share`` of the last half of the rows, or the return
repeats one value over at least ``share`` of all rows up to the end, while it is below ``solved`` of the best value
seen or never rose. A few rows (``few``) are enough where the returns before never repeated (``repeats``) and the value
lies far below them (``fallen``): the agent does one and the same thing for ever.
When it is wrong: a solved task with a capped score (500 of 500) repeats its maximum; a rise before it, or a round
number reached from below, rules that out.
What to do: look at one episode: is the action always the same, does it end at the first step, is the reward constant?
References: ML-Agents#805 and #2059 (Std of Reward 0.000 while the mean is at its floor).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.constant import Constant, repeat_share, trailing_constant
from logdoctor.model import Finding, Series
from logdoctor.rules._course import solved
from logdoctor.rules._examples import ROWS, learning, ramp, table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import Progress, performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the spread of the return is zero and the task is not solved."""
    progress = performance(view)
    if progress is None or not view.is_rl or len(progress.series) < 20:
        return
    rose = (
        progress.gain > max(4 * progress.error, progress.material(0.5))
        and progress.final > progress.best - 0.1 * progress.gain
    )
    if rose or solved(view):
        return
    spread = view.finite("return_std")
    if spread is not None and len(spread) >= 20:
        late = spread.value[len(spread) // 2 :]
        if float((late == 0).mean()) >= limits.share:
            zero = np.flatnonzero(spread.value != 0)
            yield _finding(view, spread, int(zero[-1]) + 1 if zero.size and zero[-1] + 1 < len(spread) else 0, 0.0)
            return
    tail = trailing_constant(progress.series.value)
    if tail is not None and (tail.share >= limits.share or _stationary(progress, tail, limits)):
        yield _finding(view, progress.series, tail.first, tail.value)


def _stationary(progress: Progress, tail: Constant, limits: Limits) -> bool:
    """Whether returns that never repeated before end in one value, far below their level: one action for ever."""
    before = progress.series.value[: tail.first]
    if tail.length < int(limits.few) or before.size < 20 or tail.value == round(tail.value):
        return False  # whole numbers (lengths, points) repeat by themselves
    level, spread = float(np.median(progress.up[: tail.first][-20:])), progress.noise
    fallen = level - progress.sign * tail.value
    return repeat_share(before) <= limits.repeats and fallen > max(4 * spread, limits.fallen * abs(level))


def _finding(view: RunView, series: Series, start: int, value: float) -> Finding:
    last = len(series) - 1
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.8,
        metrics=[series.name],
        onset=view.place(series, start),
        summary=(
            f"{label(series)} is exactly {say(value)} from {at(view, series, start)} to the end"
            f" ({last - start + 1:,} rows):"
            " every episode earns the same, so there is nothing to learn from."
        ),
        figures={"value": value, "rows": last - start + 1},
        evidence=rows(
            series,
            [
                (max(0, start - 1), "before"),
                (start, "constant from here"),
                *((i, "") for i in way(start, last, 1)),
                (last, "last row"),
            ],
        ),
    )


def _floor() -> str:
    return table(episode_return=[*ramp(-0.5, -1.0, ROWS // 3, 0.05), *([-1.0] * (ROWS - ROWS // 3))])


def _stands() -> str:
    return table(episode_return=[*(-92 + wobble(ROWS - 8, 5.0)), *([-491.1] * 8)])


def _cap() -> str:
    return table(episode_return=np.minimum(learning(best=520.0), 500.0))


RULE = Rule(
    id="LD609",
    name="reward-zero-variance",
    title="Every episode earns exactly the same",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold("share", 0.5, "of the rows", "no accident of rounding", "SageMaker UnchangedTensor: 3 equal values"),
        threshold(
            "few", 5.0, "rows", "equal to the last digit, after returns that never were", "SageMaker: 3 equal values"
        ),
        threshold("repeats", 0.02, "of the rows before", "the returns did not repeat before", "continuous returns"),
        threshold(
            "fallen", 0.5, "of the level before", "a value far below what was earned", "zen-rl: half of its maximum"
        ),
        threshold("solved", 0.9, "of the best value", "a repeated maximum is success", "ML-Agents#2059: -1 after 0.9"),
    ),
    tags=("performance", "reinforcement-learning"),
    references=("https://github.com/Unity-Technologies/ml-agents/issues/805",),
    examples=(
        Example(title="return falls to its floor and stays", log=_floor, fires=True),
        Example(title="returns of about -92, then -491.1 again and again", log=_stands, fires=True),
        Example(title="return reaches its cap of 500", log=_cap, fires=False),
    ),
)
