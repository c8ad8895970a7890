"""Q values and the loss rise together while performance stands still.

What it finds: Q values that double or more, with a loss that grows as well, in a run whose performance neither
rises nor falls.
Why it matters: values are worth what they predict. Where they rise and nothing is earned for it, the maximum over
noisy estimates feeds itself; the loss, which should fall once the targets settle, rises with it.
How it decides: the Q magnitude of the last fifth is ``factor`` times that of the first and rises steadily
(``steady``); the loss of the last fifth is ``loss`` times that of the first, again steadily; performance, printed
``rows`` times or more, changed by less than ``signal`` standard errors or by less than ``flat`` of its level. A
divergence that another rule reports is not told twice.
When it is wrong: a longer horizon or larger rewards in a curriculum raise values and loss together.
What to do: compare with double Q-learning; print the value of the first state beside the return that followed it.
References: van Hasselt et al. 2016 (arXiv:1509.06461); sibling document D-5 (Q 3.88 to 13.07, loss +42 %, reward flat).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Finding, Floats
from logdoctor.rules._examples import ROWS, learning, ramp, table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import performance
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, times
from logdoctor.rules._values import scale
from logdoctor.rules.q_divergence import diverged
from logdoctor.view import LOSS_LIKE, RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when values and loss rise and performance does not move."""
    q, progress = scale(view), performance(view)
    loss = view.first("loss", "critic_loss", "td_loss", "qf1_loss")
    if q is None or progress is None or loss is None or progress.series.name in LOSS_LIKE:
        return
    if min(len(q.size), len(loss), len(progress.series)) < int(limits.rows) or diverged(view) is not None:
        return
    grown, risen = _growth(q.magnitude, limits.steady), _growth(loss.value, limits.steady)
    if grown is None or risen is None or grown[2] < limits.factor or risen[2] < limits.loss:
        return
    first, last = progress.level(0.0, 0.2), progress.level(0.8, 1.0)
    if abs(last - first) > limits.signal * progress.error and abs(last - first) > limits.flat * abs(first):
        return
    if progress.gain > max(limits.signal * progress.error, limits.flat * abs(first)):
        return
    end = len(q.size) - 1
    level = (progress.printed(first), progress.printed(last))
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.6,
        metrics=[q.size.name, loss.name],
        onset=view.place(q.size, 0),
        summary=(
            f"Q grew from {say(grown[0])} to {say(grown[1])} ({times(grown[2])} times) and {label(loss)} from"
            f" {say(risen[0])} to {say(risen[1])} ({times(risen[2])} times), medians of the first and the last fifth,"
            f" while {label(progress.series)} stood still ({say(level[0])} to {say(level[1])}): nothing is earned for"
            " the rising values."
        ),
        figures={
            "q_first": grown[0],
            "q_last": grown[1],
            "loss_first": risen[0],
            "loss_last": risen[1],
            "performance_first": level[0],
            "performance_last": level[1],
        },
        evidence=[
            *q.rows([(0, "first"), (end // 2, ""), (end, "last")]),
            *rows(loss, [(0, "first"), (len(loss) - 1, "last")]),
            *rows(progress.series, [(0, "first"), (len(progress.series) - 1, "last")]),
        ],
        analysis="Each target holds the largest of several noisy estimates, so their errors are learned as value.",
    )


def _growth(value: Floats, steady: float) -> tuple[float, float, float] | None:
    """Return the medians of the first and the last fifth and their ratio, when the rise between them is steady."""
    value = value[np.isfinite(value)]
    fifth = max(3, value.size // 5)
    first, last = float(np.median(value[:fifth])), float(np.median(value[-fifth:]))
    if first <= 0 or rank_correlation(np.arange(value.size, dtype=np.float64), value) < steady:
        return None
    return float(f"{first:.4g}"), float(f"{last:.4g}"), last / first


def _log(flat: bool) -> str:
    return table(
        q_max=ramp(3.9, 13.1, noise=0.3),
        loss=ramp(0.135, 0.192, noise=0.004),
        episode_return=53 + wobble(ROWS, 3.0) if flat else learning(),
    )


RULE = Rule(
    id="LD414",
    name="values-rise-alone",
    title="Q and loss rise while performance stands still",
    severity="warning",
    detect=detect,
    min_points=20,
    thresholds=(
        threshold("factor", 2.0, "times the first fifth", "the values double between medians", "AUTOTRAINER: ratio 2"),
        threshold("loss", 1.25, "times the first fifth", "clearly more than scatter", "sibling document D-5: 1.42"),
        threshold("steady", 0.8, "rank correlation with time", "a rise all along the run", "Kendall 1975"),
        threshold("signal", 4.0, "standard errors", "performance does not move beyond noise", "two-sided p < 0.001"),
        threshold("flat", 0.1, "of its level", "less is no change that matters", "SageMaker Debugger: 10 %"),
        threshold("rows", 20.0, "rows", "fewer cannot show that nothing moves", "rldoctor: at least 12 points"),
    ),
    tags=("values", "reinforcement-learning"),
    references=("https://arxiv.org/abs/1509.06461",),
    examples=(
        Example(title="Q 3.9 to 13.1, loss up by two fifths, return flat", log=lambda: _log(True), fires=True),
        Example(title="the same with a return that rises", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if scale(view) is not None else "no Q values in this log",
)
