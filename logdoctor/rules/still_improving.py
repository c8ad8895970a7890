"""The run ended while it was improving as fast as ever.

What it finds: a curve whose last part holds an outsized share of everything that was gained.
Why it matters: nothing is broken, but the result is not the one that this run could have reached; judging it now, or
comparing it with finished runs, misleads.
How it decides: the last ``tail`` of the rows hold at least ``share`` of the whole gain, the slope there is no smaller
than in the stretch before it, the rise exceeds ``signal`` standard errors, and (for a loss) the end is still above
``high`` of the start. A training loss from scratch that is still above ``far`` of its first value counts as well when
it goes on falling at half its average ``pace``. A metric that averages over many episodes is judged only when its
window is short against the run.
When it is wrong: a metric that averages over an unknown window goes on rising after the policy stopped.
What to do: train longer, or shorten the learning-rate schedule's tail only after the curve has flattened.
References: rldoctor (silent below half of the planned steps); runmedic: resume at the best step.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, learning, ramp, table
from logdoctor.rules._losses import fine_tuning, first_level, main_loss
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import Progress, lag, performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.rules.loss_not_learning import spoken_for
from logdoctor.view import LOSS_LIKE, RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the steepest part of the curve is its end."""
    progress = performance(view)
    if progress is None or len(progress.series) < int(limits.points):
        return
    if slow(view, limits):
        yield _finding(view, main_loss(view) or progress, limits, slowly=True)
        return
    if lag(view, progress.series) > limits.window or not steep(progress, limits):
        return
    if progress.series.name in LOSS_LIKE and progress.final < 0 and -progress.final < limits.high * -progress.start:
        return
    yield _finding(view, progress, limits)


def slow(view: RunView, limits: Limits) -> bool:
    """Whether a training loss, from scratch, has made little way and goes on falling at its average pace."""
    loss = main_loss(view)
    if loss is None or fine_tuning(view, loss) or view.performance is None:
        return False
    if view.performance.name not in LOSS_LIKE or first_level(loss) <= 0 or spoken_for(loss):
        return False
    end, middle = loss.level(0.95, 1.0), loss.level(0.95 - limits.tail, 1.05 - limits.tail)
    gain = end + first_level(loss)
    little = limits.moved * first_level(loss) < gain < (1 - limits.far) * first_level(loss)
    return bool(little and end - middle > limits.pace * gain and end - middle > 2 * loss.error)


def steep(progress: Progress, limits: Limits) -> bool:
    """Whether the last part gained an outsized share, by noise and by size, and no slower than the part before."""
    total = progress.final - min(progress.floor, progress.start)
    if progress.improvement <= progress.material(limits.material):
        return False
    before = progress.level(1 - 2 * limits.tail - 0.05, 1 - 2 * limits.tail + 0.05)
    middle = progress.level(1 - limits.tail - 0.05, 1 - limits.tail + 0.05)
    end = progress.level(0.95, 1.0)
    rise = end - middle
    if end - progress.level(0.85, 0.92) < limits.goes_on * rise:
        return False  # it flattened out, or stands at a cap
    real = total > max(limits.signal * progress.error, progress.material(limits.material))
    return bool(
        real and rise >= limits.share * total and rise >= middle - before and rise > limits.signal * progress.error
    )


def _finding(view: RunView, progress: Progress, limits: Limits, *, slowly: bool = False) -> Finding:
    series, last = progress.series, len(progress.series) - 1
    turn = int((1 - limits.tail) * last)
    start, middle, end = (
        progress.printed(x)
        for x in (progress.start, progress.level(0.95 - limits.tail, 1.05 - limits.tail), progress.level(0.95, 1.0))
    )
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[series.name],
        onset=None,
        summary=(
            f"{label(series)} was still improving{' slowly, far from done,' if slowly else ' fast'} when the"
            f" log ended: {say(start)} at the start, {say(middle)} at"
            f" {at(view, series, turn)}, {say(end)} at the end. The run is unfinished rather than broken."
        ),
        figures={"start": start, "before_last_part": middle, "end": end, "last_part_share_of_rows": limits.tail},
        evidence=rows(
            series,
            [(0, "start"), (turn, "the last part begins"), *((i, "") for i in way(turn, last, 2)), (last, "last row")],
        ),
        analysis=(
            "No plateau is in sight, so the level at the end says where the log stops and not what this run can reach."
        ),
    )


def _late() -> str:
    return table(val_accuracy=np.concatenate([ramp(0.1, 0.15, ROWS - 15, 0.004), ramp(0.15, 0.6, 15, 0.004)]))


RULE = Rule(
    id="LD604",
    name="still-improving",
    title="The run ended while it was still improving fast",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold("tail", 0.2, "of the rows", "the end of the run", "rldoctor: 25-30 % of the run since the best"),
        threshold(
            "share",
            0.33,
            "of the whole gain",
            "a fifth of the run holds a third of the gain",
            "a straight line gains 0.2",
        ),
        threshold("goes_on", 0.25, "of that gain", "the last rows go on rising", "half of a straight line"),
        threshold("signal", 4.0, "standard errors", "the rise must exceed noise", "two-sided p < 0.001"),
        threshold(
            "material",
            0.2,
            "of the start, or of the room above it",
            "less is no learning",
            "SageMaker: 10 % for losses",
        ),
        threshold(
            "high", 0.35, "of the start", "a loss below a third of its start has done most of its way", "trainspotter"
        ),
        threshold(
            "far", 0.6, "of the first value", "a training loss above this has most of its way to go", "trainspotter"
        ),
        threshold("moved", 0.05, "of the first value", "below this it does not learn at all", "trainproof: 5 %"),
        threshold("pace", 0.1, "of the whole gain", "half of the pace of a straight line", "a straight line gains 0.2"),
        threshold("window", 0.15, "of the run", "a longer average rises after the policy stopped", "SB3: 100 episodes"),
        threshold("points", 20.0, "rows", "fewer show no shape", "rldoctor: at least 12 points"),
    ),
    tags=("performance",),
    references=("https://github.com/Unity-Technologies/ml-agents/issues/182",),
    examples=(
        Example(title="accuracy takes off in the last quarter", log=_late, fires=True),
        Example(title="return flattens out", log=lambda: table(episode_return=learning()), fires=False),
    ),
)
