"""What the break has cost, what happens next, and when to look again.

Every number is one of the run's own: its levels before and after the break, the steps it took, the clock it prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from logdoctor.rules._outcome import label
from logdoctor.telling.aftermath import ENDED, FIT, FUTILE, LOGGING, SPEED, UNFINISHED, no_recovery, recovered, trend
from logdoctor.telling.decisions import Decision
from logdoctor.telling.incidents import Incident
from logdoctor.telling.stretches import SECONDS_AN_HOUR, Stretches
from logdoctor.view import RunView
from logdoctor.wording import counted, percent, round_steps, rounded, steps, unit_word


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What the run has cost since it broke."""

    steps: float | None = None
    hours: float | None = None
    why: str = ""


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


def prognosis(view: RunView, incidents: Sequence[Incident], parts: Stretches) -> Iterator[str]:
    """What happens if nothing is done, and what can be expected if the change is made."""
    performance = view.performance
    grave = bool(incidents) and (incidents[0].severity == 2 or {f.name for f in incidents[0].findings} & FUTILE)
    if not incidents:
        if performance is not None:
            yield from trend(view)
        return
    if grave and not recovered(view, parts):
        sentence = no_recovery(view, parts)
        yield (f"Left as it is: {sentence}; nothing in the log speaks for a recovery." if sentence else
               "Left as it is: nothing in the log speaks for an improvement.")  # fmt: skip
        if performance is not None and parts.broke_late:
            yield from _way_back(view, parts)


def gates(parts: Stretches, decision: Decision) -> Iterator[str]:
    """Three lengths after which to look before the next run is let go: it starts, it passes the break, it ends."""
    span = parts.last_step - parts.first_step
    if decision.go is not False or parts.break_line is None or parts.clock is None or parts.clock.unit == "lines":
        return
    unit, first = unit_word(parts.clock), round_steps(span / 50)
    place = parts.step_at(parts.break_line)
    broke = (parts.first_step if place is None else place) - parts.first_step
    resumed = decision.restart_from is not None and decision.restart_from.step is not None
    if resumed:  # the place where it broke comes soon; then what this run has lost
        past, whole, name = round_steps(parts.good_steps / 5), span - broke, "as far as this run went"
    else:
        past, whole, name = round_steps(max(2 * broke, span / 5)), span, "the length of this run"
    if not 1 <= first < past < whole:
        return
    where = "past the place where this one broke, " if broke > 0 else ""
    yield (
        f"Let the next run pass three gates: {counted(first, unit)} (nothing is NaN or infinite), "
        f"{counted(past, unit)} ({where}no sign of failure), {counted(whole, unit)} ({name}, every sign of recovery)."
    )


def _way_back(view: RunView, parts: Stretches) -> Iterator[str]:
    performance = view.performance
    before = parts.before(performance.name) if performance else None
    if performance is None or before is None or len(before) < 20:
        return
    sign, then = -1.0 if performance.goal == "min" else 1.0, parts.level(performance.name)
    if then is None:
        return
    level = sign * then
    reached = np.flatnonzero(sign * before.value >= level)
    if not reached.size:
        return
    index = int(reached[0])
    took = float(before.step[index] - before.step[0])
    if took > 0 and before.clock is None:
        yield (
            f"From fresh weights this run took {counted(took, unit_word(parts.clock))} to reach the level before "
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
