"""The loss fell, turned, and gave back what it had gained.

What it finds: a supervised or language-model loss whose end is far above its best level.
Why it matters: the best weights are behind; the run does not come back by itself.
How it decides: the end lost at least ``lost`` of the fall from start to best, lies ``above`` of the best level
higher, and the difference exceeds ``signal`` standard errors. Critical when (nearly) all of the progress is lost.
Reinforcement-learning losses are not judged here: they rise while the agent learns.
When it is wrong: harder data later in the run (a curriculum, longer sequences) raises the loss without a fault.
What to do: resume from the checkpoint at the best level with a lower learning rate; look at what changed at the turn.
References: runmedic (loses more than 50 % of the progress made; critical when all of it); trainspotter (end at least
1.5 times the minimum with a significant rise); gradsnitch (30 % above the best for 20 points).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._losses import main_loss
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import Progress
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, journey, say, threshold
from logdoctor.rules.loss_explosion import lasting_jump
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the loss gave back its progress."""
    progress = main_loss(view)
    if progress is None or lasting_jump(progress.series, 8.0, 2.0) is not None or not diverged(progress, limits):
        return
    yield _finding(view, progress, limits)


def diverged(progress: Progress, limits: Limits) -> bool:
    """Whether the end is far above the best level, by noise and by size."""
    best, final = -progress.best, -progress.final
    noise = limits.signal * progress.error
    fell = progress.gain > max(noise, 0.05 * abs(progress.start))
    return bool(fell and progress.lost >= limits.lost and final - best > max(noise, limits.above * abs(best)))


def turn(progress: Progress) -> int:
    """Return the first row of the rise: the last one near the best level, and the next row that leaves it for good."""
    border = progress.best - 0.25 * (progress.best - progress.final)
    outside = progress.up < border
    share = np.cumsum(outside[::-1])[::-1] / np.arange(len(outside), 0, -1)
    left = np.flatnonzero(outside & (share > 0.8) & (np.arange(len(outside)) > progress.best_index // 2))
    return int(left[0]) if left.size else progress.last_near_best()


def _share(lost: float) -> str:
    return f"{lost:.0%} of the progress" if lost <= 1.005 else "all of the progress, and more,"


def _finding(view: RunView, progress: Progress, limits: Limits) -> Finding:
    series, last, start = progress.series, len(progress.series) - 1, turn(progress)
    worst = start + int(np.argmax(series.value[start:]))
    best, final = progress.printed(progress.best), progress.printed(progress.final)
    everything = progress.lost >= limits.everything
    return finding(
        RULE,
        view,
        severity="critical" if everything else "warning",
        confidence=0.93 if everything else 0.8,
        metrics=[series.name],
        onset=view.place(series, start),
        summary=(
            f"{label(series)} fell from {say(progress.printed(progress.start))} to {say(best)}, turned at"
            f" {at(view, series, start)} and ends at"
            f" {say(final)}: {_share(progress.lost)} is lost."
        ),
        figures={
            "start": progress.printed(progress.start),
            "best": best,
            "final": final,
            "lost_share": round(progress.lost, 3),
            "highest_after": float(series.value[worst]),
        },
        evidence=journey(series, max(0, start - 1), worst, last, "highest value"),
        analysis="Best and end are means over a twelfth and a tenth of the rows.",
    )


def _log(end: float) -> str:
    return table(loss=[*ramp(3, 1, 35, 0.03), *ramp(1 if end < 1.2 else 1.6, end, ROWS - 35, 0.03)])


RULE = Rule(
    id="LD203",
    name="loss-divergence",
    title="The loss turned and gave back its progress",
    severity="critical",
    detect=detect,
    thresholds=(
        threshold(
            "lost", 0.35, "of the progress", "well beyond any wiggle", "runmedic: 50 %; gradsnitch: 30 % above the best"
        ),
        threshold("everything", 0.7, "of the progress", "nearly all of it", "runmedic: all of it is critical"),
        threshold(
            "above",
            0.3,
            "of the best level",
            "a rise that a reader of the curve would notice",
            "gradsnitch: 30 % above the best",
        ),
        threshold("signal", 4.0, "standard errors", "chance does not reach this", "two-sided p < 0.001"),
    ),
    tags=("loss", "stability"),
    references=("https://github.com/mosaicml/llm-foundry/issues/232",),
    examples=(
        Example(title="3 to 1, then up to 2.5", log=lambda: _log(2.5), fires=True),
        Example(title="3 to 1 and stays", log=lambda: _log(0.95), fires=False),
    ),
)
