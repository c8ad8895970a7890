"""Performance improved early and has stood still since.

What it finds: a learned level that no longer rises although most of the budget came after it.
Why it matters: the second half of the run may have bought nothing; for a solved task that is the end, for an unsolved
one it is a plateau to break.
How it decides: the longest stretch up to the end whose trend changes the metric by less than ``material`` of the gain
covers at least ``share`` of the run. It informs and does not alarm: a log alone does not say whether the level is the
best one.
When it is wrong: a slow rise below the threshold is called still.
What to do: stop earlier next time, or change what limits the run (exploration, learning-rate schedule, capacity).
References: rldoctor (drift to noise below 1 and 25-30 % of the run since the best); RLExplorer: reward stagnation.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.plateau import trailing_plateau
from logdoctor.model import Finding
from logdoctor.rules._course import course
from logdoctor.rules._examples import learning, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.rules.still_improving import RULE as UNFINISHED
from logdoctor.rules.still_improving import steep
from logdoctor.view import LOSS_LIKE, RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return the plateau, when it is most of the run."""
    progress, went = performance(view), course(view)
    if progress is None or len(progress.series) < 20 or progress.series.name in LOSS_LIKE:
        return
    if went is None or went.series is not progress.series or not went.rose:
        return  # what never rose clearly has not stood still since
    if went.late or steep(progress, Limits(UNFINISHED.thresholds)):
        return  # what still moves does not stand
    learned = progress.gain > max(4 * progress.error, progress.material(0.2)) and progress.lost < 0.3
    plateau = trailing_plateau(progress.up, limits.material * progress.gain) if learned else None
    if plateau is None:
        return
    series, last = progress.series, len(progress.series) - 1
    # A robust trend overlooks a short steep start: the plateau begins where its level is reached.
    near = np.abs(progress.smooth[plateau.index :] - plateau.level) <= limits.material * progress.gain
    begin = plateau.index + int(np.argmax(near))
    share = (last + 1 - begin) / len(series)
    if share < limits.share:
        return
    level = progress.printed(plateau.level)
    yield finding(
        RULE,
        view,
        severity="info",
        confidence=0.7,
        metrics=[series.name],
        summary=(
            f"{label(series)} has stood at about {say(level)} since {at(view, series, begin)}: the last"
            f" {share:.0%} of the rows changed it by less than a tenth of what was gained before."
        ),
        figures={"level": level, "share_of_run": round(share, 3), "start": progress.printed(progress.start)},
        evidence=rows(
            series,
            [
                (0, "start"),
                (begin, "still from here"),
                *((i, "") for i in way(begin, last, 1)),
                (last, "last row"),
            ],
        ),
        analysis=(
            "If this is the best the task allows, the rest of the run was not needed; if not, it is what to break next."
        ),
    )


RULE = Rule(
    id="LD602",
    name="performance-stagnation",
    title="Performance has stood still for most of the run",
    severity="info",
    detect=detect,
    thresholds=(
        threshold("material", 0.1, "of the gain", "less is standing still", "runmedic: last 30 % gains < 2 %"),
        threshold("share", 0.5, "of the run", "most of the budget", "rldoctor: 25-30 % since the best"),
    ),
    tags=("performance",),
    references=("https://doi.org/10.1080/01621459.1968.10480934",),
    examples=(
        Example(title="flat from the first third on", log=lambda: table(episode_return=learning()), fires=True),
        Example(title="rises to the end", log=lambda: table(episode_return=ramp(0, 100, noise=2.0)), fires=False),
    ),
)
