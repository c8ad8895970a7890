"""Performance rose, then fell, and did not come back.

What it finds: a return (or accuracy) that was learned and of which at least half is gone at the end.
Why it matters: the weights at the end are worse than the ones hours before; only an older checkpoint saves them.
How it decides: the highest smoothed level lies above the start by ``signal`` standard errors and by ``material`` of
the start's size; at the end at least ``lost`` of that gain is gone (or ``falling`` of it, when it still falls without
a pause over the last ``tail`` of the rows; a fall under way since the best level counts by its last rows), again by
``signal`` standard errors, in an order of rows that scatter does not make (``order``); and the fall began at least
``after`` of the run before the end, so that it is no momentary dip. Critical from ``gone`` on, unless the last tenth
is on its way back or less than ``settled`` of the run lies behind the break, else a warning. While an expert that acts
beside the agent is being withdrawn, its level is no peak of the agent.
When it is wrong: a curriculum that became harder, or an evaluation on other levels, looks the same.
What to do: stop, go back to the checkpoint of the peak, and look at what moved in the rows before the fall.
References: zen-rl (below 50 % of its own maximum); hill-a/stable-baselines#837 (ordinary forgetting: keep the best
model).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from logdoctor.detectors.trend import order_p, trend
from logdoctor.model import Finding, Floats, Scalar, Series
from logdoctor.rules._examples import failing, learning, table
from logdoctor.rules._progress import Progress, performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, journey, say, threshold
from logdoctor.rules.never_learned import fell_below_start
from logdoctor.rules.performance_below_expert import expert_share
from logdoctor.view import LOSS_LIKE, RunView

TEN = 10  # episodes, as one quotes the two ends of a run


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when performance was lost."""
    progress = performance(view)
    if progress is None or len(progress.series) < int(limits.points) or progress.series.name in LOSS_LIKE:
        return
    if progress.series.name.endswith("quality") and progress.series.raw_name.strip().lower() == "score":
        return  # some libraries call their loss a score: by name alone a fall may be the learning
    progress = _alone(view, progress)
    if progress is None or not fell(progress, limits):
        return
    if order_p(progress.up) > limits.order:
        return  # what looks like a rise and a fall is one draw of the scatter of single episodes
    start = fall_start(progress)
    if start > (1.0 - limits.after) * len(progress.series):
        return
    yield _finding(view, progress, start, limits)


def fell(progress: Progress, limits: Limits) -> bool:
    """Whether a learned level, or one that was there from the start, was lost by noise and by size."""
    noise = limits.signal * progress.error
    drop = progress.best - progress.final
    if fell_below_start(progress) and drop > noise:
        return True
    below = progress.lost if learned(progress, limits) else 0.0
    if drop <= noise:
        return False
    if below >= limits.lost or (below >= limits.falling and falling(progress, limits.tail)):
        return True
    return bool(below >= limits.falling and still_sinking(progress, limits.lost))


def learned(progress: Progress, limits: Limits) -> bool:
    """Whether the best level lies above the start by noise and by size."""
    return progress.gain > max(limits.signal * progress.error, progress.material(limits.material))


def falling(progress: Progress, tail: float) -> bool:
    """Whether the curve falls without a pause up to the last row: a windowed mean shows a collapse only in part."""
    end = progress.smooth[-max(6, int(tail * len(progress.smooth))) :]
    line = trend(end)
    return bool(line is not None and line.tau < -0.8 and -line.change > 0.5 * (progress.best - progress.final))


def still_sinking(progress: Progress, lost: float) -> bool:
    """Whether the curve sinks from its best level without a pause and the last rows alone have lost that share.

    The mean of the last tenth hides a fall that is still under way.
    """
    end = progress.smooth[progress.best_index :]
    if end.size < max(6, 0.1 * len(progress.smooth)) or progress.gain <= 0:
        return False
    line, now = trend(end), float(np.median(progress.up[-3:]))
    return bool(line is not None and line.tau < -0.8 and progress.best - now >= lost * progress.gain)


def coming_back(progress: Progress) -> bool:
    """Whether the last tenth rises without a pause and has won back a quarter of what was lost."""
    end = progress.up[-max(6, len(progress.up) // 10) :]
    line, lowest = trend(end), float(progress.smooth[progress.best_index :].min())
    back = float(np.median(progress.up[-3:])) - lowest
    return bool(line is not None and line.tau > 0.8 and back > 0.25 * (progress.best - lowest))


def fall_start(progress: Progress) -> int:
    """Return the point at which the last fall begins: the last one close to the best level before the descent."""
    near = progress.last_near_best(0.15)
    window = max(1, len(progress.series) // 24)
    after = progress.up[max(0, near - window) : min(len(progress.up), near + 2 * window)]
    border = progress.best - 0.25 * (progress.best - progress.final)
    low = np.flatnonzero(after < border)
    first = max(0, near - window)
    return int(first + low[0]) if low.size else near


def _alone(view: RunView, progress: Progress) -> Progress | None:
    """Leave out the rows in which an expert acts for the agent, when the metric counts both."""
    share = expert_share(view)
    if share is None or progress.series.name != "reward" or float(share.value.max()) < 0.2:
        return progress
    floor = float(share.value.min())
    alone = share.line[np.abs(share.value - floor) <= 0.02]
    kept = progress.series.where(progress.series.line >= int(alone[0])) if alone.size else progress.series
    return Progress(kept, progress.goal) if len(kept) >= 20 else None


def _at_best(progress: Progress, start: int) -> int:
    """Return the row near the best smoothed level, before the fall, whose own value is closest to it.

    One noisy row is no baseline; and a smoothed curve may be highest where the fall has already begun.
    """
    window = max(1, len(progress.series) // 24)
    first = max(0, min(progress.best_index, start) - window)
    last = max(first + 1, min(progress.best_index + window + 1, start))
    return first + int(np.argmin(np.abs(progress.up[first:last] - progress.best)))


def _finding(view: RunView, progress: Progress, start: int, limits: Limits) -> Finding:
    series, last = progress.series, len(progress.series) - 1
    worst = start + int(np.argmin(progress.smooth[start:]))
    best, final = progress.printed(progress.best), progress.printed(progress.final)
    name = series.raw_name or series.name
    large = progress.gain >= 2.5 * progress.material(limits.material)
    since = len(series) - start
    young = since < limits.settled * len(series)
    gone = ((progress.lost >= limits.gone and large) or fell_below_start(progress)) and not coming_back(progress)
    gone, caution = gone and not young, _unsettled(since, series) if young else ""
    lost = progress.lost if progress.gain > 0 else math.inf
    rest = f"{lost:.0%} of what was gained is lost" if lost <= 1.005 else "all that was gained is lost, and more"
    ends, numbers = _first_and_last(view, series)
    top = _at_best(progress, start)
    begin, peak = say(progress.printed(progress.start)), at(view, series, top)
    sank = fell_below_start(progress) and not learned(progress, limits)
    story = (
        f"{name} stood at {begin} at the start and ended at {say(final)}, less than half of it."
        if sank
        else f"{name} rose from {begin} to {say(best)} (around {peak}) and ended at {say(final)}: {rest}."
    )
    found = finding(
        RULE,
        view,
        severity="critical" if gone else "warning",
        confidence=0.93 if gone else 0.8,
        metrics=[series.name],
        onset=view.place(series, start),
        summary=f"{story} The fall begins at {at(view, series, start)}.{caution}{ends}",
        figures={
            "start": progress.printed(progress.start),
            "best": best,
            "final": final,
            "lost_share": round(progress.lost, 3),
            "noise": float(f"{progress.noise:.4g}"),
            "best_line": int(series.line[top]),
            "rows_since": since,
        }
        | numbers,
        evidence=journey(series, top, worst, last, "lowest level"),
        analysis=(
            "Levels are means of the first twentieth, of the best twelfth and of the last tenth of the rows."
            f" The drop is {(progress.best - progress.final) / max(progress.error, 1e-300):,.0f} times the"
            f" standard error of such a mean."
        ),
    )
    return replace(found, title="Performance fell far below its start") if sank else found


def _unsettled(since: int, series: Series) -> str:
    """Say that the fall is too young to be called a collapse."""
    share = since / len(series)
    return (
        f" Only {since:,} of {len(series):,} rows ({share:.0%}) lie behind it: too few to tell a collapse from a dip"
        " that comes back."
    )


def _first_and_last(view: RunView, series: Series) -> tuple[str, dict[str, Scalar]]:
    """Compare the first and the last ten printed values, of the single episodes where a running mean hides them."""
    plain = next(
        (
            s
            for name in ("episode_return", "reward", "episode_reward")
            if name != series.name and (s := view.finite(name)) is not None and np.array_equal(s.line, series.line)
        ),
        series,
    )
    if len(plain) < 2 * TEN:
        return "", {}
    first, last = float(plain.value[:TEN].mean()), float(plain.value[-TEN:].mean())
    text = (
        f" The first {TEN} values of {plain.raw_name or plain.name} average {say(float(f'{first:.5g}'))},"
        f" the last {TEN} {say(float(f'{last:.5g}'))}, a change of {'+' if last > first else ''}"
        f"{say(float(f'{last - first:.5g}'))}."
    )
    return text, {"first_ten_mean": first, "last_ten_mean": last, "change": last - first}


def _late_dip() -> Floats:
    curve = learning()
    curve[-2:] = 10.0
    return curve


RULE = Rule(
    id="LD601",
    name="performance-collapse",
    title="Performance was learned and lost again",
    severity="critical",
    detect=detect,
    thresholds=(
        threshold(
            "lost", 0.5, "share of the gain", "half of what was learned is gone", "zen-rl: below half of its maximum"
        ),
        threshold("gone", 0.6, "share of the gain", "most of it is gone and the run must go back", "zen-rl"),
        threshold(
            "falling", 0.25, "share of the gain", "a fall that still goes on at the end", "rldoctor: decline to the end"
        ),
        threshold("tail", 0.25, "of the rows", "the end of the run", "rldoctor: 25-30 % of the run"),
        threshold("signal", 4.0, "standard errors", "chance alone moves a level by two", "two-sided p < 0.001"),
        threshold(
            "order", 0.01, "p-value", "the order of the rows is no chance", "Bartels 1982: rank von Neumann ratio"
        ),
        threshold(
            "material", 0.2, "of the start", "less is no learning worth losing", "SageMaker Debugger: 10 % for losses"
        ),
        threshold(
            "after", 0.05, "of the run", "a dip in the last rows may still recover", "rldoctor: 25 % since the best"
        ),
        threshold(
            "settled",
            0.2,
            "of the run",
            "a younger fall may be a dip of the policy that comes back, so it is no more than a warning",
            "rldoctor: 25 % since the best; Henderson et al. 2018: dips of on-policy learners",
        ),
        threshold("points", 15.0, "rows", "fewer show no rise and fall", "rldoctor: at least 12 points"),
    ),
    tags=("performance", "reinforcement-learning"),
    references=("https://github.com/hill-a/stable-baselines/issues/837",),
    examples=(
        Example(title="return rises to 100, falls to 10", log=lambda: table(episode_return=failing()), fires=True),
        Example(title="return rises and stays", log=lambda: table(episode_return=learning()), fires=False),
        Example(title="two low rows at the very end", log=lambda: table(episode_return=_late_dip()), fires=False),
    ),
)
