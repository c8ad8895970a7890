"""Agreement stagnates.

What it finds: a share of replayed actions that match the present greedy action which does not rise over the run, or
rises and falls back to where it began.
Why it matters: a learner that improves agrees more and more with the data it improves on; a flat line near the random
base means that it cannot tell actions apart.
How it decides: last and first tenth differ by less than ``gain`` points, the last tenth is below ``learned``, and
nothing in between stayed above it. A level above that which does not move by ``still`` points while the loss of its
head falls by ``falls`` is a remark. The random base is 100 / number of actions; where that number is not in the log,
it says so.
When it is wrong: against the data of a random or very different behaviour policy, agreement may stay low by design.
What to do: look at this head's initialisation and loss weight; compare with its sibling heads; more exploration.
References: seed report 000 (expected 50 to 60 % by half a million frames); sibling document D-18 for the bands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from logdoctor.detectors.smooth import rolling_median
from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ramp, table, wobble
from logdoctor.rules._outcome import label
from logdoctor.rules._policy import agreements, random_base
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.rules._switched_off import untrained
from logdoctor.rules.agreement_collapse import collapse_of
from logdoctor.view import RunView

LOSSES = {"agreement": "d_loss", "spin_agreement": "c_loss"}  # head -> the loss that trains it
STEADY = 0.9  # rank correlation with time: the loss falls all along
GAIN, LEARNED, LEAST_ROWS = 8.0, 60.0, 5


@dataclass(frozen=True, slots=True)
class Stagnation:
    """Levels of the first and the last tenth, and the smoothed peak with its index."""

    first: float
    last: float
    peak: float
    peak_index: int


def stagnation(series: Series, gain: float = GAIN, learned: float = LEARNED) -> Stagnation | None:
    """Return how an agreement series stagnates, or None when it rises or is high."""
    value = series.value
    if value.size < LEAST_ROWS:
        return None
    tenth = max(1, value.size // 10)
    first, last = float(np.median(value[:tenth])), float(np.median(value[-max(tenth, 2) :]))
    smooth = rolling_median(value, 3)
    peak_index = int(np.argmax(smooth))
    peak = float(smooth[peak_index])
    if collapse_of(series) is not None:
        return None  # that is another finding
    if last - first >= gain or last >= learned or peak >= learned or first - last >= 2 * gain or last <= 0.5:
        return None
    return Stagnation(first, last, peak, peak_index)


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for each agreement series that stagnates."""
    series_list = agreements(view)
    rising = [s for s in series_list if _rise(s) > 3]
    for series in series_list:
        found = stagnation(series, limits.gain, limits.learned)
        if untrained(view, series.name):
            continue
        if found is None:
            yield from _plateau(view, series, limits)
            continue
        base, why = random_base(view) if series.name == "agreement" else (None, "")
        twin = next((s for s in rising if s.name != series.name), None)
        yield _finding(view, series, found, base, why, twin)


def _plateau(view: RunView, series: Series, limits: Limits) -> Iterable[Finding]:
    """A remark on an agreement that stands still at a fair level while the loss of its head goes on falling."""
    loss = view.finite(LOSSES.get(series.name, ""))
    if loss is None or min(len(series), len(loss)) < LEAST_ROWS or collapse_of(series) is not None:
        return
    fifth = max(1, len(series) // 5)
    first, last = float(np.median(series.value[:fifth])), float(np.median(series.value[-fifth:]))
    part = max(1, len(loss) // 5)
    before, after = float(np.median(loss.value[:part])), float(np.median(loss.value[-part:]))
    still = float(np.ptp(series.value)) <= limits.still and limits.learned <= last <= 100.0 - limits.gain
    if not still or before <= 0 or after > (1 - limits.falls) * before:
        return
    if rank_correlation(np.arange(len(loss), dtype=np.float64), loss.value) > -STEADY:
        return
    end = len(series) - 1
    yield finding(
        RULE,
        view,
        severity="info",
        confidence=0.6,
        metrics=[series.name, loss.name],
        onset=view.place(series, 0),
        summary=(
            f"{label(series)} stands still ({say(float(series.value.min()))} to {say(float(series.value.max()))} over"
            f" {len(series):,} rows) while {label(loss)} falls from {say(before)} to {say(after)}"
            f" ({100 * (after / before - 1):+.0f} %): the loss that falls is not what lifts the agreement."
        ),
        figures={"first": first, "last": last, "loss_first": before, "loss_last": after},
        evidence=[
            *rows(series, [(0, "first"), *((i, "") for i in way(0, end, 1)), (end, "last")]),
            *rows(loss, [(0, "first"), (len(loss) - 1, "last")]),
        ],
    )


def _rise(series: Series) -> float:
    """Return the change from the first to the last rows, medians of three where there are that many apart."""
    ends = 3 if len(series) >= 3 * LEAST_ROWS else 1
    return float(np.median(series.value[-ends:]) - np.median(series.value[:ends]))


def _finding(
    view: RunView, series: Series, found: Stagnation, base: float | None, why: str, twin: Series | None
) -> Finding:
    last = len(series) - 1
    first_value, last_value, peak = float(series.value[0]), float(series.value[last]), float(series.value.max())
    top = int(np.argmax(series.value))
    regressed = peak - last_value
    text = (
        f"{label(series)} went from {say(first_value)} to {say(last_value)} ({_points(last_value - first_value)}) "
        f"over {len(series):,} rows"
    )
    if regressed > 2 and top not in (0, last):
        text += (
            f"; it had reached {say(peak)} at {at(view, series, top)} and lost {say(round(regressed, 2))} points again"
        )
    figures: dict[str, float | int | None] = {
        "first": first_value,
        "last": last_value,
        "change": last_value - first_value,
        "peak": peak,
        "peak_line": int(series.line[top]),
        "regression": regressed,
        "first_tenth_median": found.first,
        "last_tenth_median": found.last,
        "random_base": base,
    }
    if base is not None:
        text += f"; {why}, so {_points(last_value - base)} above random at the end"
    elif why:
        text += f"; {why}"
    evidence = list(
        rows(
            series,
            [
                (0, "first"),
                *((i, _points(float(series.value[i]) - first_value)) for i in way(0, last, 2)),
                (top, "peak"),
                (last, f"{_points(last_value - first_value)} since the start"),
            ],
        )
    )
    if twin is not None:
        a, b = float(twin.value[0]), float(twin.value[-1])
        text += f", while {label(twin)} rose from {say(a)} to {say(b)} ({_points(b - a)})"
        figures |= {"twin_first": a, "twin_last": b, "twin_change": b - a}
        evidence += rows(twin, [(0, "first"), (len(twin) - 1, _points(b - a))])
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.75 if twin is not None else 0.65,
        metrics=[series.name, *([twin.name] if twin else [])],
        onset=view.place(series, found.peak_index if regressed > 2 else 0),
        summary=text + ".",
        figures=figures,
        evidence=evidence,
        analysis=(
            "The policy does not move towards the actions that paid; what was gained in between was forgotten again."
        )
        if regressed > 2
        else "The policy does not move towards the actions that paid.",
    )


def _points(value: float) -> str:
    return f"{value:+.1f} points"


RULE = Rule(
    id="LD508",
    name="agreement-stagnates",
    title="Agreement stagnates",
    severity="warning",
    detect=detect,
    min_points=LEAST_ROWS,
    thresholds=(
        threshold(
            "gain",
            GAIN,
            "points",
            "less than a tenth of the way from random to full agreement",
            "seed report 000: +1.5 points is poor, +13.7 healthy",
        ),
        threshold(
            "learned",
            LEARNED,
            "percent",
            "above this band the policy has learned to agree",
            "sibling document D-18: 50-65 mid, 65-80 late",
        ),
        threshold("still", 2.0, "points", "all rows lie that close together", "sibling document D-13: 63.8 to 64.6"),
        threshold(
            "falls", 0.1, "of the loss", "while its loss falls by more than this", "sibling document D-13: -14 %"
        ),
    ),
    tags=("policy",),
    examples=(
        Example(
            title="40 % from start to end",
            log=lambda: table(agreement=40 + wobble(size=1.0), spin_agreement=ramp(60, 66, noise=0.2)),
            fires=True,
        ),
        Example(title="25 to 85 %", log=lambda: table(agreement=ramp(25, 85, noise=1.0)), fires=False),
    ),
    applies_to=lambda view: None if agreements(view) else "no agreement metric in this log",
)
