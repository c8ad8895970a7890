"""What to do with the run now: stop, continue or restart, from which row, and whether a longer run makes sense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logdoctor.model import Cause, Finding, Place
from logdoctor.rules._course import course
from logdoctor.rules._outcome import label
from logdoctor.telling.aftermath import (
    ENDED,
    FIT,
    FUTILE,
    LEVEL,
    LOGGING,
    SPEED,
    UNFINISHED,
    WORSE,
    name_of,
    no_recovery,
    of_event,
    place_text,
    recovered,
    trend,
)
from logdoctor.telling.incidents import Incident
from logdoctor.telling.stretches import Stretches, head, tail
from logdoctor.view import LEAST_ROWS, RunView
from logdoctor.wording import lower_first, rounded

# Causes whose change alters the network itself: an old checkpoint cannot be loaded, or carries the fault.
REBUILT = frozenset({
    "feature-normalisation-missing", "zero-initialised-layer", "dead-relu", "vanishing-gradients",
    "unnormalised-inputs",
})  # fmt: skip
ADAPTED = frozenset({"zero-initialised-layer"})  # the layers before it have learned to do its work
LOST = "performance-collapse"
BY_CHANCE = "natural-variance"
LABELS = frozenset({"label-noise"})
SPOILT = frozenset({"loss-explosion", "q-divergence", "critic-loss-explosion", "gradient-explosion"})
UNTAUGHT = frozenset({"agreement-collapse", "action-distribution-switch", "performance-collapse"})
SURE = 0.6  # probability from which a cause is acted upon although nothing is lost yet
UNSURE = 0.4  # probability below which a cause is a guess
EARLY = 0.2  # share of the rows before the break below which a fresh start is simpler than a checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do with the run."""

    text: str = ""
    why: str = ""
    restart_from: Place | None = None
    go: bool | None = None
    go_why: str = ""


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
        if names & SPEED == {"loader-stall"}:
            text = "continue if the time can be spared; repair the input pipeline before a longer run"
            return Decision(
                text=text, why="the run learns, only slowly", go=False, go_why="a longer run waits as often"
            )
        text = "continue if the time can be spared; repair the input pipeline or the leak before a longer run"
        return Decision(text=text, why="the run learns, only slowly", go=False, go_why="a longer run gets slower still")
    if names & ENDED and not grave_training(incidents):
        return _resume(view, incidents, parts)
    if main.name in FIT:
        return _early_stop(view, main.onset or parts.last_good())
    if causes and causes[0].id in LABELS and causes[0].confidence >= SURE:
        return Decision(
            text="stop, and check the labels before the next run",
            why="what the training set teaches is not what the held-out set asks",
            go=False, go_why="more steps learn the errors by heart",
        )  # fmt: skip
    if grave and causes and causes[0].id == BY_CHANCE and causes[0].confidence >= UNSURE:
        return Decision(
            text="stop, and repeat the run with two other seeds before any setting is changed",
            why="no setting stands out, and one run says little about a setting",
            go=False, go_why="as it is, the run does not do what it is for",
        )  # fmt: skip
    if not grave and not names & FUTILE:
        return _fallen(view, main, causes) if main.name == LOST else _go_on(incidents[0], causes)
    if not grave and not any(c.confidence >= SURE for c in causes):
        return _find_out(view)
    return _restart(view, incidents, parts, causes)


def _nothing_wrong(view: RunView) -> Decision:
    going = next(trend(view), "")
    if LEVEL in going or WORSE in going:
        text = "continue, or stop here if the level is enough" if LEVEL in going else "continue, and look again soon"
        return Decision(text=text, why=f"nothing is broken; {going.rstrip('.')}")
    go_why = f"{name_of(view)} is still improving" if going else "nothing speaks against it"
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


def _fallen(view: RunView, main: Finding, causes: Sequence[Cause]) -> Decision:
    """A fall that is too young or too small to throw the run away: its best checkpoint is what must not be lost."""
    young = "too few to tell a collapse" in main.summary
    line = main.figures.get("best_line")
    series = view.get(main.metrics[0]) if main.metrics else None
    at = np.flatnonzero(series.line == line) if series is not None and isinstance(line, int) else np.empty(0, int)
    best = place_text(view, view.place(series, int(at[0]))) if series is not None and at.size else "the best level"
    sure = [c for c in causes if c.confidence >= SURE and c.changes]
    text = f"keep the checkpoint nearest to {best}, and look again at the next one"
    if sure:
        text += "; make the change below in the next run"
    why = "a fall this young may come back" if young else "part of what was learned is lost, not all of it"
    return Decision(text=text, why=why, go=None)


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


def _resume(view: RunView, incidents: Sequence[Incident], parts: Stretches) -> Decision:
    if any("after the end of the training" in f.summary for incident in incidents for f in incident.findings):
        return Decision(
            text="keep the trained model; repair what ran after the training and run that alone",
            why="the training was over when the program failed", go=None,
        )  # fmt: skip
    went = course(view)
    sound = went is not None and len(went.series) >= LEAST_ROWS and went.good
    why = "what it had learned until then shows no fault" if sound else "too little was read to say how it had gone"
    return Decision(
        text="restart from the last checkpoint, with the cause of the stop removed",
        why=f"the program ended; {why}", restart_from=parts.last_good(), go=None,
    )  # fmt: skip


def _early_stop(view: RunView, place: Place | None) -> Decision:
    return Decision(
        text=f"stop, and keep the checkpoint nearest to {place_text(view, place)}" if place else "stop",
        why="from there on the model only gets better on data it has seen", restart_from=place, go=False,
        go_why="more steps widen the gap",
    )  # fmt: skip


def _restart(view: RunView, incidents: Sequence[Incident], parts: Stretches, causes: Sequence[Cause]) -> Decision:
    names = {f.name for incident in incidents for f in incident.findings}
    if recovered(view, parts) and not names & FUTILE and not incidents[0].main.name.startswith("performance-"):
        return Decision(
            text="continue, and make the change below at the next occasion",
            why=f"{name_of(view)} is back at the level it had before", go=None,
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
    why = next((text for name, text in broken.items() if name in names), no_recovery(view, parts))
    go_why = f"{lower_first(main.title or main.name)}, and nothing in the log ends it"
    place = parts.last_good() if parts.broke_late else None
    rebuilt = bool(causes) and causes[0].id in REBUILT
    if not rebuilt and names & SPOILT and names & UNTAUGHT:
        why = f"{why}; " if why else ""
        why += "its last weights are spoilt: they hold a wrong policy and values that blew up"
    if place is None or rebuilt or _early(parts):
        text = f"stop, and start again from fresh weights {_after(causes)}"
        if rebuilt:
            why = "the change alters the network, so old weights do not fit it"
            if causes[0].id in ADAPTED:
                why += "; going on would work as well, more slowly, because they have adapted to the faulty layer"
        elif not why and (place or _begins_later(parts)):
            why = "the fault is there almost from the start, so hardly anything is lost"
        elif not why:
            why = "the fault is there from the first rows, so no checkpoint of this run is free of it"
        return Decision(text=text, why=why, go=False, go_why=go_why)
    named = any(event.line == place.line for event in view.events("checkpoint"))
    which = "the checkpoint of" if named else "the last checkpoint before"
    text = f"stop, and restart from {which} {place_text(view, place)}, {_after(causes)}"
    return Decision(text=text, why=why, restart_from=place, go=False, go_why=go_why)


def _after(causes: Sequence[Cause]) -> str:
    """Say what has to be done first, as firmly as the cause is known."""
    changed = [cause for cause in causes if cause.changes]
    if not changed:
        return "once the cause is found; this log does not name it"
    if changed[0].confidence < UNSURE:
        return "with the first change below; the cause is not clear, so one change at a time"
    return "after the change below"


def _begins_later(parts: Stretches) -> bool:
    """Whether rows without the fault stand before it."""
    series = parts.timeline
    return series is not None and parts.break_line is not None and bool((series.line < parts.break_line).any())


def _early(parts: Stretches) -> bool:
    """Whether the run broke so early that a fresh start costs little."""
    series = parts.timeline
    if series is None or parts.break_line is None:
        return True
    return float((series.line < parts.break_line).mean()) < EARLY
