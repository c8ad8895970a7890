"""The loss stood still for a large part of the run, far from done.

What it finds: a supervised or language-model loss that stays at one level, high above where such losses end, for a
long stretch, whether it reaches to the end or breaks later.
Why it matters: the steps of that stretch bought nothing; the step size was too large to settle, too small to move, or
the model could only learn the frequencies of its outputs.
How it decides: the longest stretch whose trend changes the loss by less than ``still`` of its level covers ``share``
of the run and ``points`` rows, and that level is still above ``high`` of the first value. Runs that adapt a trained
model start low and are left out.
When it is wrong: tasks with a long known plateau (grokking, sparse signals) leave it by themselves.
What to do: compare the learning rate in the stretch with the one after it; try a third and three times of it; check
warm-up.
References: trainspotter (p >= 0.2 and change below 2 % in a tenth of the run); runmedic (last 30 % gain less than 2
%); gradsnitch (flat first 20 %).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.trend import trend
from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._losses import fine_tuning, first_level, learning_rate_at, main_loss
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import Progress
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.rules.loss_explosion import lasting_jump
from logdoctor.view import RunView

ANSWERS = 0.2  # of its level: a rise of an accuracy over a stretch in which something was learned
PARTS = 20  # the stretch is looked for in twentieths of the run


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for the longest flat stretch at a high level."""
    progress = main_loss(view)
    if progress is None or fine_tuning(view, progress) or first_level(progress) <= 0:
        return
    stretch = flat_stretch(progress, limits)
    if stretch is None:
        return
    level = -progress.level(stretch[0] / len(progress.series), stretch[1] / len(progress.series))
    if (
        stretch[1] - stretch[0] < int(limits.points)
        or _thrown(progress, stretch)
        or _answers_improve(view, progress, stretch)
    ):
        return
    if level >= limits.high * first_level(progress) and level < 0.98 * first_level(progress):
        yield _finding(view, progress, stretch, level)


def _answers_improve(view: RunView, progress: Progress, stretch: tuple[int, int]) -> bool:
    """Whether an accuracy rose clearly over the stretch: then the run learned, whatever the loss in its noise shows."""
    first, last = (int(progress.series.line[i]) for i in (stretch[0], stretch[1] - 1))
    for name in ("accuracy", "train_accuracy", "val_accuracy"):
        series = view.finite(name)
        inside = series.value[(series.line >= first) & (series.line <= last)] if series is not None else np.empty(0)
        if inside.size < 8:
            continue
        line = trend(inside, 128)
        if line is not None and line.p < 0.001 and line.change > ANSWERS * abs(line.start):
            return True
    return False


def _thrown(progress: Progress, stretch: tuple[int, int]) -> bool:
    """Whether the loss exploded inside the stretch: what it was thrown back to is no plateau of its descent."""
    jump = lasting_jump(progress.series, 8.0, 2.0)
    return jump is not None and stretch[0] <= jump.start < stretch[1]


def flat_stretch(progress: Progress, limits: Limits) -> tuple[int, int] | None:
    """Return (first, stop) of the longest stretch without a material trend, or None when it is short."""
    n = len(progress.series)
    value = progress.series.value
    for length in range(PARTS, int(limits.share * PARTS) - 1, -1):
        for part in range(PARTS - length + 1):
            first, stop = part * n // PARTS, (part + length) * n // PARTS
            line = trend(value[first:stop], 128)
            if line is not None and abs(line.change) < limits.still * abs(line.start):
                return first, stop
    return None


def _finding(view: RunView, progress: Progress, stretch: tuple[int, int], level: float) -> Finding:
    series, (first, stop) = progress.series, stretch
    last, n = len(series) - 1, len(series)
    begin = first_level(progress)
    rate = learning_rate_at(view, int(series.line[(first + stop - 1) // 2]))
    lr = f" The learning rate in its middle is {say(rate)}." if rate is not None else ""
    to_end = stop >= n - max(2, n // PARTS)
    end = "to the end" if to_end else f"until {at(view, series, stop - 1)}"
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.8,
        metrics=[series.name],
        onset=view.place(series, first) if first else None,
        summary=(
            f"{label(series)} stood still at about {say(float(f'{level:.4g}'))} from {at(view, series, first)}"
            f" {end}: {(stop - first) / n:.0%} of"
            f" the run at {level / begin:.0%} of its first value ({say(begin)})."
        ),
        figures={
            "level": float(f"{level:.5g}"),
            "first_value": begin,
            "share_of_run": round((stop - first) / n, 3),
            "learning_rate": rate,
        },
        evidence=rows(
            series,
            [
                (0, "first value"),
                (first, "still from here"),
                *((i, "") for i in way(first, stop - 1, 2)),
                (stop - 1, "still to here"),
                (last, "last row"),
            ],
        ),
        analysis=f"Over the stretch the trend changes the loss by less than a thirtieth.{lr}",
    )


def _log(flat: bool) -> str:
    return table(loss=[*ramp(3.6, 2.9, 8, 0.02), *ramp(2.9, 2.89 if flat else 0.5, ROWS - 8, 0.02)])


RULE = Rule(
    id="LD204",
    name="loss-plateau",
    title="The loss stood still for much of the run",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold("points", 10.0, "rows", "a few rows stand still by chance", "UMLAUT, rldoctor: about a dozen"),
        threshold("still", 0.035, "of the level", "less is standing still", "trainspotter: 2 %; runmedic: 2 %"),
        threshold("share", 0.3, "of the run", "a large part of the budget", "runmedic: last 30 %"),
        threshold(
            "high",
            0.6,
            "of the first value",
            "such losses end well below",
            "trainspotter: silent from 80 % of the drop on",
        ),
    ),
    tags=("loss", "supervised", "language-models"),
    references=("https://arxiv.org/abs/2010.14701",),
    examples=(
        Example(title="3.6 to 2.9, then flat", log=lambda: _log(True), fires=True),
        Example(title="falls to 0.5", log=lambda: _log(False), fires=False),
    ),
)
