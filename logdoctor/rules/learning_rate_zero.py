"""The learning rate is zero.

What it finds: a printed learning rate of exactly zero in all records, or in a long stretch from the start.
Why it matters: no update changes anything; the run only costs time.
How it decides: the rate is zero in ``all`` of the records (critical), or in the first ``start`` of them with 10 or
more records (warning). A rate that *decays* to zero is another finding.
When it is wrong: a print with too few digits: 1e-5 printed as 0.000. It is therefore only said where the performance
stands still too.
What to do: look at the scheduler (stepped per batch instead of per epoch, wrong total), and at which parameters the
optimiser holds.
References: trainproof (zero in 99 % of the steps fails, in more than 10 % warns).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, learning, ramp, table
from logdoctor.rules._rates import learned
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, threshold
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for a rate of zero throughout, or from the start on."""
    series = view.finite("learning_rate")
    if series is None:
        return
    zero = series.value == 0
    everywhere = float(zero.mean()) >= limits.all
    first = int(np.argmin(zero)) if not zero.all() else zero.size
    if not everywhere and (first < 10 or first < limits.start * zero.size):
        return
    if learned(view):
        return  # something did train: the column prints too few digits
    stop = zero.size - 1 if everywhere else first - 1
    yield finding(
        RULE,
        view,
        severity="critical" if everywhere else "warning",
        confidence=0.9 if everywhere else 0.75,
        metrics=["learning_rate"],
        onset=view.place(series, 0),
        end=None if everywhere else view.place(series, stop),
        summary=(
            f"The learning rate is 0 in {'all' if zero.all() else f'{zero.mean():.0%} of the'} {zero.size} "
            f"records: no update changes anything."
            if everywhere
            else (
                f"The learning rate is 0 in the first {first} of {zero.size} records (to line "
                f"{int(series.line[stop])})."
            )
        ),
        figures={"zero_share": round(float(zero.mean()), 4), "records": int(zero.size)},
        evidence=rows(series, [(0, "first"), (stop, "still 0")]),
    )


def _log(zero: bool) -> str:
    return table(
        learning_rate=np.zeros(ROWS) if zero else np.full(ROWS, 1e-3),
        loss=ramp(2.3, 2.3, noise=0.01) if zero else 3 - learning(best=2.5),
    )


RULE = Rule(
    id="LD555",
    name="learning-rate-zero",
    title="The learning rate is zero",
    severity="critical",
    detect=detect,
    needs=(("learning_rate",),),
    min_points=5,
    thresholds=(
        threshold(
            "all",
            0.99,
            "of the records",
            "a single other value may be a print before the first step",
            "trainproof: 99 %",
        ),
        threshold("start", 0.1, "of the records", "longer than any warm-up that begins at zero", "trainproof: 10 %"),
    ),
    tags=("learning-rate",),
    references=("https://pypi.org/project/trainproof/",),
    examples=(
        Example(title="zero in every record", log=lambda: _log(True), fires=True),
        Example(title="0.001 in every record", log=lambda: _log(False), fires=False),
    ),
)
