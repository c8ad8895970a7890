"""What became of the run after it broke: did it come back, where is its curve going, which causes concern the event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from logdoctor.model import Cause, Finding, Place
from logdoctor.rules._course import course
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._values import collapse, scale, slope_turn
from logdoctor.telling.incidents import Incident
from logdoctor.telling.stretches import Stretches, head, tail
from logdoctor.view import RunView
from logdoctor.wording import rounded, steps, unit_word

# Kinds of findings by what one does about them.
LOGGING = frozenset({"metric-never-recorded", "metric-frozen", "evaluation-frozen", "frozen-rows"})
SPEED = frozenset({"throughput-degradation", "loader-stall", "memory-growth"})
ENDED = frozenset({"out-of-memory", "crash", "killed", "run-cut-off"})
FIT = frozenset({"overfitting"})
UNFINISHED = frozenset({"still-improving"})
FUTILE = frozenset({
    "never-learned", "nothing-was-trained", "loss-at-chance", "loss-not-learning", "updates-stopped",
    "learning-rate-decayed-early", "learning-rate-zero",
})  # fmt: skip
BLOW_UPS = frozenset({
    "q-divergence", "loss-explosion", "loss-divergence", "gradient-explosion", "critic-loss-explosion",
    "actor-loss-explosion", "loss-not-finite", "feature-norm-explosion",
})  # fmt: skip
CLIP = frozenset({"clip-limit-differs"})
LIKELY = 0.5  # probability from which the cause of one event is taken to matter for another
LEVEL, STILL, WORSE = "has levelled off", "is still improving", "got worse towards the end"
MAGNITUDE = 10.0  # times lower: values that fell that far no longer mean what the policy learned
BACK = 0.9  # share of what was lost that must have come back for a run to count as recovered


def of_event(incidents: Sequence[Incident], causes: Sequence[Cause]) -> list[Cause]:
    """Return the causes of the gravest event.

    Those that explain something of it or nothing of any other; and a likely one of another event, unless that is a
    matter of logging, of speed, or of how the program ended.
    """
    own = {finding.id for finding in incidents[0].findings}
    others = [finding for incident in incidents[1:] for finding in incident.findings if finding.id not in own]
    foreign = {finding.id for finding in others}
    training = {finding.id for finding in others if finding.name not in LOGGING | SPEED | ENDED | CLIP}
    if incidents[0].main.name in ENDED:  # a program that was ended says nothing of how it had learned
        return [cause for cause in causes if own & set(cause.explains)]
    return [
        cause
        for cause in causes
        if own & set(cause.explains)
        or not foreign & set(cause.explains)
        or (cause.confidence >= LIKELY and training & set(cause.explains))
    ]


def resumes(incidents: Sequence[Incident], restart_from: Place | None) -> bool:
    """Whether the next run goes on from a checkpoint; after overfitting that one is kept and a new run begins."""
    return restart_from is not None and incidents[0].main.name not in FIT


def named_in(incidents: Sequence[Incident], name: str) -> Finding | None:
    """Return the finding called ``name``, whichever event it belongs to."""
    return next((f for incident in incidents for f in incident.findings if f.name == name), None)


def recovered(view: RunView, parts: Stretches) -> bool:
    """Whether performance has come back to the level before the break, and the loss is finite."""
    performance = view.performance
    loss = view.get("loss")
    if outcome(view).bad or slope_turn(view) is not None or _values_lost(view):
        return False
    if loss is not None and not np.isfinite(loss.value[-3:]).all():
        return False
    if performance is None or not parts.broke_late:
        return False
    before, after = parts.before(performance.name), parts.after(performance.name)
    if before is None or after is None or len(after) < 3:
        return False
    sign = -1.0 if performance.goal == "min" else 1.0
    start, good, now = sign * head(before), sign * tail(before), sign * tail(after)
    return now >= good - (1 - BACK) * max(abs(good - start), 0.0)


def _values_lost(view: RunView) -> bool:
    """Whether the values fell by an order of magnitude and stayed there: averages of returns show it much later."""
    values = scale(view)
    return values is not None and collapse(values, MAGNITUDE) is not None


def no_recovery(view: RunView, parts: Stretches) -> str:
    """Return the clause that says that performance did not come back; empty when nothing is known."""
    performance = view.performance
    if performance is None or parts.break_line is None or not parts.broke_late:
        return ""
    before, after = parts.before(performance.name), parts.after(performance.name)
    if before is None or after is None or len(after) < 3:
        return ""
    sign = -1.0 if performance.goal == "min" else 1.0
    worse = sign * tail(after) < sign * tail(before)
    verb = "has not come back" if worse else "has not improved"
    return f"{name_of(view)} {verb} in the {len(after):,} rows since (last tenth: {rounded(tail(after))})"


def trend(view: RunView) -> Iterator[str]:
    """Say in one sentence where the curve is going, by its second and its last third."""
    went = course(view)
    if went is None or len(went.series) < 20:
        return
    series = went.series
    third = len(series) // 3
    middle, last = float(np.median(series.value[-2 * third : -third])), float(np.median(series.value[-third:]))
    ends = f"median {rounded(middle)} in the second third of the log, {rounded(last)} in the last"
    yield f"{label(series)} {(LEVEL, STILL, WORSE)[went.late]}: {ends}."


def name_of(view: RunView) -> str:
    """Return what the log calls its performance."""
    return label(view.performance.series) if view.performance else "performance"


def place_text(view: RunView, place: Place | None) -> str:
    """Return ``frame 47,212,888 (line 1213)``."""
    if place is None:
        return ""
    clocks = view.run.reading.clocks
    clock = next((c for c in clocks if (c.primary if place.clock is None else c.name == place.clock)), None)
    word = unit_word(clock)
    if place.step is None or word == "line":
        return f"line {place.line}"
    return f"{word} {steps(place.step, exact=True)} (line {place.line})"
