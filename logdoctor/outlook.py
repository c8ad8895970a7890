"""What to do with the run now: decision, what it has cost, prognosis and next checkpoint.

Every number is one of the run's own: its levels before and after the break, the steps it took, the clock it prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from logdoctor.incidents import Incident
from logdoctor.model import Cause, Place
from logdoctor.rules._outcome import label, outcome
from logdoctor.stretches import SECONDS_AN_HOUR, Stretches, head, tail
from logdoctor.view import RunView
from logdoctor.wording import counted, lower_first, percent, round_steps, rounded, steps, unit_word

LOGGING = frozenset({"metric-never-recorded", "metric-frozen", "evaluation-frozen", "frozen-rows"})
SPEED = frozenset({"throughput-degradation", "loader-stall", "memory-growth"})
ENDED = frozenset({"out-of-memory", "crash", "killed", "run-cut-off"})
FIT = frozenset({"overfitting"})
UNFINISHED = frozenset({"still-improving"})
FUTILE = frozenset({
    "never-learned", "nothing-was-trained", "loss-at-chance", "loss-not-learning", "updates-stopped",
    "learning-rate-decayed-early", "learning-rate-zero",
})  # fmt: skip
# Causes whose change alters the network itself: an old checkpoint cannot be loaded, or carries the fault.
REBUILT = frozenset({
    "feature-normalisation-missing", "zero-initialised-layer", "dead-relu", "vanishing-gradients",
    "unnormalised-inputs",
})  # fmt: skip
LABELS = frozenset({"label-noise"})
SURE = 0.6  # probability from which a cause is acted upon although nothing is lost yet
CLIP = frozenset({"clip-limit-differs"})
LIKELY = 0.5  # probability from which the cause of one event is taken to matter for another
UNSURE = 0.4  # probability below which a cause is a guess
EARLY = 0.2  # share of the rows before the break below which a fresh start is simpler than a checkpoint
LEVEL, WORSE = "has levelled off", "got worse towards the end"
SLOW = 0.1  # share of the whole gain below which the last third counts as level
BACK = 0.9  # share of what was lost that must have come back for a run to count as recovered


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do with the run."""

    text: str = ""
    why: str = ""
    restart_from: Place | None = None
    go: bool | None = None
    go_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What the run has cost since it broke."""

    steps: float | None = None
    hours: float | None = None
    why: str = ""


# ------------------------------------------------------------------------------------------------------- decision
def decide(view: RunView, incidents: Sequence[Incident], parts: Stretches, causes: Sequence[Cause] = ()) -> Decision:
    """Stop, continue or restart, from where, and whether a longer run makes sense."""
    if not incidents:
        return _nothing_wrong(view)
    causes = of_event(incidents, causes)
    names = {f.name for incident in incidents for f in incident.findings}
    grave = any(incident.severity == 2 for incident in incidents)
    main = incidents[0].main
    if names <= LOGGING | UNFINISHED and not names <= UNFINISHED:
        text = "continue the run, but repair the logging before the next one"
        return Decision(text=text, why="what is not recorded cannot be judged", go=None)
    if names <= UNFINISHED:
        return Decision(text="continue", why="no plateau is in sight", go=True, go_why="the curve is still rising")
    if names <= SPEED | LOGGING | UNFINISHED:
        text = "continue if the time can be spared; repair the input pipeline or the leak before a longer run"
        return Decision(text=text, why="the run learns, only slowly", go=False, go_why="a longer run gets slower still")
    if names & ENDED and not grave_training(incidents):
        return _resume(view, parts)
    if main.name in FIT:
        return _early_stop(view, main.onset or parts.last_good())
    if causes and causes[0].id in LABELS and causes[0].confidence >= SURE:
        return Decision(
            text="stop, and check the labels before the next run",
            why="what the training set teaches is not what the held-out set asks",
            go=False, go_why="more steps learn the errors by heart",
        )  # fmt: skip
    if not grave and not names & FUTILE:
        return _go_on(incidents[0], causes)
    if not grave and not any(c.confidence >= SURE for c in causes):
        return _find_out(view)
    return _restart(view, incidents, parts, causes)


def of_event(incidents: Sequence[Incident], causes: Sequence[Cause]) -> list[Cause]:
    """Return the causes of the gravest event.

    Those that explain something of it or nothing of any other; and a likely one of another event, unless that is a
    matter of logging, of speed, or of how the program ended.
    """
    own = {finding.id for finding in incidents[0].findings}
    others = [finding for incident in incidents[1:] for finding in incident.findings if finding.id not in own]
    foreign = {finding.id for finding in others}
    training = {finding.id for finding in others if finding.name not in LOGGING | SPEED | ENDED | CLIP}
    return [
        cause
        for cause in causes
        if own & set(cause.explains)
        or not foreign & set(cause.explains)
        or (cause.confidence >= LIKELY and training & set(cause.explains))
    ]


def _nothing_wrong(view: RunView) -> Decision:
    trend = next(_trend(view), "")
    if LEVEL in trend or WORSE in trend:
        text = "continue, or stop here if the level is enough" if LEVEL in trend else "continue, and look again soon"
        return Decision(text=text, why=f"nothing is broken; {lower_first(trend).rstrip('.')}")
    go_why = f"{_label(view)} is still improving" if trend else "nothing speaks against it"
    return Decision(text="continue", why="nothing at or above a warning was found", go=True, go_why=go_why)


def _find_out(view: RunView) -> Decision:
    """Nothing was gained, and neither the severity nor the cause is clear enough to throw the run away."""
    why = "the log does not settle why nothing was gained"
    if view.performance is not None:
        series = view.performance.series
        why = (
            f"{label(series)} was {rounded(head(series))} at the start and is {rounded(tail(series))} at the end; "
            "if the run began from a trained model, that may be all there is"
        )
    return Decision(text="pause, and find out first", why=why, go=False, go_why="nothing was gained in this log")


def _go_on(incident: Incident, causes: Sequence[Cause]) -> Decision:
    """A warning in a run that still works: with a sure cause the next run is worth more than the rest of this one."""
    sure = [c for c in causes if c.confidence >= SURE and c.changes]
    if sure and incident.main.name not in LOGGING:
        return Decision(
            text="finish this run only if its result is needed; make the change below in the next one", go=False,
            why="nothing is lost, but the fault does not go away by itself", go_why="a longer run keeps the fault",
        )  # fmt: skip
    text = "continue, and look again at the next checkpoint"
    return Decision(text=text, why="the run still does what it is for; see what to watch", go=None)


def grave_training(incidents: Sequence[Incident]) -> bool:
    """Whether something other than the end of the program is critical."""
    return any(
        f.severity == "critical" and f.name not in ENDED | SPEED for incident in incidents for f in incident.findings
    )


def _resume(view: RunView, parts: Stretches) -> Decision:
    del view
    place = parts.last_good()
    return Decision(
        text="restart from the last checkpoint, with the cause of the stop removed",
        why="the program ended; what it had learned until then shows no fault", restart_from=place, go=None,
    )  # fmt: skip


def _early_stop(view: RunView, place: Place | None) -> Decision:
    return Decision(
        text=f"stop, and keep the checkpoint nearest to {_at(view, place)}" if place else "stop",
        why="from there on the model only gets better on data it has seen", restart_from=place, go=False,
        go_why="more steps widen the gap",
    )  # fmt: skip


def _restart(view: RunView, incidents: Sequence[Incident], parts: Stretches, causes: Sequence[Cause]) -> Decision:
    names = {f.name for incident in incidents for f in incident.findings}
    if recovered(view, parts) and not names & FUTILE and not incidents[0].main.name.startswith("performance-"):
        return Decision(
            text="continue, and make the change below at the next occasion",
            why=f"{_label(view)} is back at the level it had before", go=None,
        )  # fmt: skip
    main = incidents[0].main
    broken = {
        "loss-not-finite": "weights that are NaN or infinite cannot be repaired",
        "deterministic-policy": "a deterministic policy gives no gradient, so it cannot leave this state",
        "updates-stopped": "no update is made any more",
        "learning-rate-decayed-early": "with hardly any learning rate left, further steps change nothing",
        "learning-rate-zero": "with a learning rate of zero nothing is learned",
        "gradient-dead": "without a gradient nothing changes any more",
    }
    why = next((text for name, text in broken.items() if name in names), _no_recovery(view, parts))
    go_why = f"{lower_first(main.title or main.name)}, and nothing in the log ends it"
    place = parts.last_good() if parts.broke_late else None
    rebuilt = bool(causes) and causes[0].id in REBUILT
    if place is None or rebuilt or _early(parts):
        text = f"stop, and start again from fresh weights {_after(causes)}"
        if rebuilt:
            why = "the change alters the network, so old weights do not fit it"
        elif not why and place:
            why = "the fault is there almost from the start, so hardly anything is lost"
        elif not why:
            why = "the fault is there from the first rows, so no checkpoint of this run is free of it"
        return Decision(text=text, why=why, go=False, go_why=go_why)
    text = f"stop, and restart from the last checkpoint before {_at(view, place)}, {_after(causes)}"
    return Decision(text=text, why=why, restart_from=place, go=False, go_why=go_why)


def _after(causes: Sequence[Cause]) -> str:
    """Say what has to be done first, as firmly as the cause is known."""
    changed = [cause for cause in causes if cause.changes]
    if not changed:
        return "once the cause is found; this log does not name it"
    if changed[0].confidence < UNSURE:
        return "with the first change below; the cause is not clear, so one change at a time"
    return "after the change below"


def _early(parts: Stretches) -> bool:
    """Whether the run broke so early that a fresh start costs little."""
    series = parts.timeline
    if series is None or parts.break_line is None:
        return True
    return float((series.line < parts.break_line).mean()) < EARLY


def recovered(view: RunView, parts: Stretches) -> bool:
    """Whether performance has come back to the level before the break, and the loss is finite."""
    performance = view.performance
    loss = view.get("loss")
    if outcome(view).bad:
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


def _no_recovery(view: RunView, parts: Stretches) -> str:
    performance = view.performance
    if performance is None or parts.break_line is None or not parts.broke_late:
        return ""
    before, after = parts.before(performance.name), parts.after(performance.name)
    if before is None or after is None or len(after) < 3:
        return ""
    sign = -1.0 if performance.goal == "min" else 1.0
    worse = sign * tail(after) < sign * tail(before)
    verb = "has not come back" if worse else "has not improved"
    return f"{_label(view)} {verb} in the {len(after):,} rows since (last tenth: {rounded(tail(after))})"


# ------------------------------------------------------------------------------------------------------ what it cost
def loss_since(view: RunView, incidents: Sequence[Incident], parts: Stretches, onset: int) -> Loss:
    """Steps and hours from the onset to the end, for runs that did not come back."""
    names = {f.name for incident in incidents for f in incident.findings}
    kept = recovered(view, parts) and not names & (FIT | FUTILE)
    if not incidents or names <= LOGGING | SPEED | UNFINISHED | ENDED or kept:
        return Loss()
    if incidents[0].severity < 2 and not names & (FUTILE | FIT):
        return Loss()
    start = parts.step_at(onset) if onset > 0 else parts.first_step
    if start is None or parts.clock is None or parts.clock.unit == "lines":
        return Loss()
    lost, whole = parts.last_step - start, parts.last_step - parts.first_step
    if lost <= 0 or whole <= 0:
        return Loss()
    seconds = parts.seconds(onset)
    return Loss(
        steps=lost, hours=seconds / SECONDS_AN_HOUR if seconds else None, why=f"{percent(lost / whole)} of the run"
    )


# -------------------------------------------------------------------------------------------------------- prognosis
def prognosis(view: RunView, incidents: Sequence[Incident], parts: Stretches, causes: Sequence[Cause]) -> Iterator[str]:
    """What happens if nothing is done, and what can be expected if the change is made."""
    performance = view.performance
    grave = bool(incidents) and (incidents[0].severity == 2 or {f.name for f in incidents[0].findings} & FUTILE)
    if not incidents:
        if performance is not None:
            yield from _trend(view)
        return
    if grave and not recovered(view, parts):
        sentence = _no_recovery(view, parts)
        yield (f"Left as it is: {sentence}; nothing in the log speaks for a recovery." if sentence else
               "Left as it is: nothing in the log speaks for an improvement.")  # fmt: skip
        if performance is not None and parts.broke_late:
            yield from _way_back(view, parts)
    changed = [c for cause in causes[:1] for c in cause.changes]
    if changed and causes[0].confidence < 0.5 and isinstance(changed[0].to, (int, float)):
        yield (
            f"The first cause is only {percent(causes[0].confidence)} sure: change {changed[0].parameter} alone, "
            "so that the next log tells whether it was the one."
        )


def _trend(view: RunView) -> Iterator[str]:
    """Say in one sentence where the curve is going, by the medians of its second and its last third."""
    performance = view.performance
    if performance is None or len(performance.series) < 20:
        return
    series = performance.series
    third = len(series) // 3
    middle, last = float(np.median(series.value[-2 * third : -third])), float(np.median(series.value[-third:]))
    low, high = np.percentile(series.value, [10, 90])
    moved = (middle - last) if performance.goal == "min" else (last - middle)
    ends = f"median {rounded(middle)} in the second third of the log, {rounded(last)} in the last"
    if abs(moved) <= SLOW * max(abs(tail(series) - head(series)), float(high - low)):
        yield f"{label(series)} {LEVEL}: {ends}."
    else:
        yield f"{label(series)} {'is still improving' if moved > 0 else WORSE}: {ends}."


def _way_back(view: RunView, parts: Stretches) -> Iterator[str]:
    performance = view.performance
    before = parts.before(performance.name) if performance else None
    if performance is None or before is None or len(before) < 20:
        return
    sign = -1.0 if performance.goal == "min" else 1.0
    level = sign * tail(before)
    reached = np.flatnonzero(sign * before.value >= level)
    if not reached.size:
        return
    index = int(reached[0])
    took = float(before.step[index] - before.step[0])
    if took > 0 and before.clock is None:
        yield (
            f"From fresh weights this run took {counted(took, _unit(parts))} to reach the level before "
            f"the break, {label(before)} {rounded(sign * level)} (first at line {int(before.line[index])})."
        )


def next_checkpoint(view: RunView, incidents: Sequence[Incident], parts: Stretches, decision: Decision) -> str:
    """When to look again."""
    clock = parts.clock
    if clock is None or clock.unit == "lines" or parts.last_step <= parts.first_step:
        return ""
    unit = unit_word(clock)
    span = parts.last_step - parts.first_step
    if incidents and incidents[0].main.name in ENDED:
        return ""
    if not incidents:
        ahead = parts.last_step + round_steps(span / 4)
        return f"{unit} {steps(ahead)}, {steps(round_steps(span / 4))} from here"
    ahead = round_steps(parts.good_steps / 10)
    if decision.restart_from is not None and decision.restart_from.step is not None:
        if decision.restart_from.clock is None and incidents[0].main.name not in FIT:
            return f"{unit} {steps(decision.restart_from.step + ahead)}, {counted(ahead, unit)} after the restart"
        return ""
    if decision.text.startswith("continue"):
        return f"{unit} {steps(parts.last_step + ahead)}, {counted(ahead, unit)} from here"
    del view
    if parts.broke_late:  # a fresh run has passed nothing before it has passed the place where this one broke
        ahead = round_steps(max(2 * parts.good_steps, span / 20))
        return f"{unit} {steps(ahead)} of the next run, past the place where this one broke"
    return f"{unit} {steps(ahead)} of the next run"


# ---------------------------------------------------------------------------------------------------------- helpers
def _unit(parts: Stretches) -> str:
    return unit_word(parts.clock)


def _label(view: RunView) -> str:
    return label(view.performance.series) if view.performance else "performance"


def _at(view: RunView, place: Place | None) -> str:
    if place is None:
        return ""
    clocks = view.run.reading.clocks
    clock = next((c for c in clocks if (c.primary if place.clock is None else c.name == place.clock)), None)
    word = unit_word(clock)
    if place.step is None or word == "line":
        return f"line {place.line}"
    return f"{word} {steps(place.step, exact=True)} (line {place.line})"
