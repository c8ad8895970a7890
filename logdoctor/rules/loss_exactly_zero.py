"""The loss is exactly zero.

What it finds: a loss that is printed as exactly 0 in every row, or from some row to the end, without a NaN beside it.
Why it matters: a loss of exactly 0 trains nothing. Mostly every label is masked (ignored), the answers are cut off
before the first counted token, or the loss is computed on an empty batch.
How it decides: at least ``rows`` rows of exactly 0 at the end (or throughout), in a run that is no reinforcement
learning; the last value before them was not close to 0, so that it is no rounding of a tiny loss. Where another error
or score of the same rows goes on improving, the run learns and the column is not filled: then the rule only informs.
Where an accuracy stands at its top, there is nothing to learn (one class, or a solved task): a warning.
When it is wrong: a loss that truly falls below the printed precision reads 0.0000; the values before it say so.
What to do: print one batch of labels: are all of them the ignore index? Check truncation and the collator.
References: trainproof (zero loss: every loss exactly 0.0, at least 5 points; all labels masked); Chinese-LLaMA-
Alpaca-3#29.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from logdoctor.detectors.constant import trailing_constant
from logdoctor.model import Finding, Series
from logdoctor.rules._beside import improving
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView

ALL_RIGHT = 0.99  # of the upper bound of an accuracy


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the loss is exactly zero to the end."""
    series = view.get("loss")
    if series is None or view.is_rl or len(series) < limits.rows:
        return
    norm = view.get("grad_norm")
    if norm is not None and not np.isfinite(norm.value).all():
        return
    tail = trailing_constant(series.value)
    if tail is None or tail.value != 0.0 or tail.length < limits.rows:
        return
    before = series.value[: tail.first]
    before = before[np.isfinite(before)]
    if before.size and abs(float(before[-1])) < limits.small * float(np.abs(before).max()):
        return
    others = improving(view, series, tail.first)
    if others:
        yield _not_filled(view, series, tail.first, others)
    elif (best := _at_top(view)) is not None:
        yield _nothing_to_learn(_finding(view, series, tail.first), series, best)
    else:
        yield _finding(view, series, tail.first)


def _at_top(view: RunView) -> Series | None:
    """Return an accuracy whose last value says that every sample is answered rightly, or None."""
    for name in ("accuracy", "train_accuracy", "val_accuracy"):
        series = view.finite(name)
        if series is not None and series.value[-1] >= ALL_RIGHT * (1.0 if series.value.max() <= 1.0 else 100.0):
            return series
    return None


def _nothing_to_learn(found: Finding, series: Series, best: Series) -> Finding:
    return replace(
        found,
        severity="warning",
        confidence=0.8,
        metrics=(series.name, best.name),
        summary=(
            f"{found.summary.removesuffix(': nothing is being learned.')}, and {label(best)} is"
            f" {say(float(best.value[-1]))}: there is nothing to learn."
        ),
        evidence=(*found.evidence, *rows(best, [(len(best) - 1, "every answer is right")])),
        analysis="Either the task is solved from there on, or all labels are of one class; count the labels.",
    )


def _not_filled(view: RunView, series: Series, first: int, others: list[Series]) -> Finding:
    """Tell a column of zeros beside which the run learns."""
    other, last = others[0], len(series) - 1
    begin, end = float(other.value[0]), float(other.value[-1])
    found = finding(
        RULE,
        view,
        severity="info",
        confidence=0.9,
        metrics=[series.name],
        onset=view.place(series, first),
        summary=(
            f"{label(series)} is exactly 0 from {at(view, series, first)} to the end, {last - first + 1:,} rows, while"
            f" {label(other)} goes from {say(begin)} to {say(end)}: the run learns, and this column is not filled."
        ),
        figures={"rows": last - first + 1, "improving_metrics": len(others)},
        evidence=(
            *rows(series, [(first, "exactly 0"), (last, "last row")]),
            *rows(other, [(0, "beside it"), (len(other) - 1, "last row")]),
        ),
        analysis="The printed loss is not the one that is trained; judge the run by the other columns.",
    )
    return replace(found, title="The printed loss is not filled")


def _finding(view: RunView, series: Series, first: int) -> Finding:
    last = len(series) - 1
    before = f" (the value before is {say(float(series.value[first - 1]))})" if first else ""
    return finding(
        RULE,
        view,
        severity="critical",
        confidence=0.9,
        metrics=["loss"],
        onset=view.place(series, first),
        summary=(
            f"{label(series)} is exactly 0 from {at(view, series, first)} to the end, {last - first + 1:,}"
            f" rows{before}: nothing is being learned."
        ),
        figures={"rows": last - first + 1, "last_before": float(series.value[first - 1]) if first else None},
        evidence=rows(
            series,
            [
                (max(0, first - 1), "before"),
                (first, "exactly 0"),
                *((i, "") for i in way(first, last, 1)),
                (last, "last row"),
            ],
        ),
        analysis=(
            "A loss does not fall from there to exactly 0 in one row by learning; most often no label is"
            " counted any more."
        ),
    )


def _log(zero: bool) -> str:
    loss = ramp(2, 1, noise=0.03)
    if zero:
        loss[ROWS // 2 :] = 0.0
    return table(loss=loss, grad_norm=ramp(1, 1, noise=0.05))


def _unfilled() -> str:
    return table(loss=np.zeros(ROWS), mean_squared_error=np.geomspace(0.5, 0.001, ROWS))


RULE = Rule(
    id="LD208",
    name="loss-exactly-zero",
    title="The loss is exactly zero",
    severity="critical",
    detect=detect,
    needs=(("loss",),),
    min_points=5,
    thresholds=(
        threshold("rows", 5.0, "rows", "no chance rounding", "trainproof: at least 5 points"),
        threshold(
            "small",
            0.01,
            "of the largest value",
            "a curve that falls to 0 by itself is rounding",
            "float printed with 4 decimals",
        ),
    ),
    tags=("loss", "language-models", "data"),
    references=("https://github.com/ymcui/Chinese-LLaMA-Alpaca-3/issues/29",),
    examples=(
        Example(title="loss 1.5, then exactly 0", log=lambda: _log(True), fires=True),
        Example(title="loss falls to 1", log=lambda: _log(False), fires=False),
        Example(title="0 throughout while the error falls: only told", log=lambda: _unfilled(), fires=True),
    ),
)
