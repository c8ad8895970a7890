"""What somebody or a schedule did shortly before the run broke: settings changed by hand, floors that were reached."""

from __future__ import annotations

from collections.abc import Sequence

from logdoctor.model import Event, Finding
from logdoctor.telling.incidents import Incident, line_of
from logdoctor.view import RunView
from logdoctor.wording import number

NEAR = 0.1  # of the lines of the run: a setting changed this shortly before the onset belongs to the story
BURST = 0.01  # of the lines: changes of one setting this close together are one change in several steps
KINDS = ("hyperparameter-change", "override")
UNRELATED = frozenset({
    "out-of-memory", "crash", "killed", "run-cut-off", "metric-never-recorded", "metric-frozen", "evaluation-frozen",
    "nothing-was-trained", "throughput-degradation", "loader-stall", "memory-growth", "overfitting",
    "clip-limit-differs", "still-improving",
})  # fmt: skip
BORN = frozenset({"zero-initial-output"})  # is there in the first row or never
# Remark -> how far before the onset it still belongs to the story, as a share of the lines of the run. A schedule acts
# slowly: the values drift for a while after its floor.
CONTEXT = {"schedule-floor-before-break": 0.5, "learning-rate-changed": NEAR}


def turning_point(view: RunView, incidents: Sequence[Incident], span: tuple[int, int]) -> Event | None:
    """Return the change of a setting that came shortly before the onset of the gravest event, if it could matter.

    A learning rate that was lowered breaks nothing and is left out.
    """
    if not incidents or incidents[0].main.name in UNRELATED:
        return None
    main = incidents[0].main
    onset = main.onset.line if main.onset else first_line(view, incidents[0])
    if not onset:
        return None
    near = [e for e in view.events(*KINDS) if onset - max(20.0, NEAR * (span[1] - span[0])) <= e.line <= onset]
    event = near[-1] if near else None
    if event is None or event.value == _start(view, event, span)[0]:
        return None
    return event if not event.name.endswith("learning_rate") or _raised(view, event, span) else None


def first_line(view: RunView, incident: Incident) -> int:
    """Return the first line on which the event shows, 0 when it concerns the whole run."""
    return min((line_of(f) for f in beginning(view, incident)), default=0)


def harm_line(view: RunView, incident: Incident) -> int:
    """Return the first line on which harm shows: a setting that was changed is the beginning, but not yet harm."""
    lines = [line_of(f) for f in beginning(view, incident) if f.name not in CONTEXT]
    return min(lines, default=first_line(view, incident))


def beginning(view: RunView, incident: Incident) -> list[Finding]:
    """Return the findings that begin somewhere.

    At the start of the log only three kinds count: what names the event, a critical first link of its chain, and what
    is there from the first row or never.
    """
    root = incident.root if incident.root.severity == "critical" else incident.main
    return [
        f
        for f in incident.findings
        if begins(view, f) or (f.onset is not None and (f is incident.main or f is root or f.name in BORN))
    ]


def begins(view: RunView, finding: Finding) -> bool:
    """Whether a finding begins somewhere: an onset on the first value of its metric is the start of the log."""
    if finding.onset is None:
        return False
    series = view.get(finding.metrics[0]) if finding.metrics else None
    return series is None or finding.onset.line > int(series.line[0])


def context(findings: Sequence[Finding], onset: int, span: tuple[int, int], event: Event | None) -> list[Finding]:
    """Return the remarks that say what had just changed when the run broke; a change told as an event is left out."""
    reach = {name: share * max(200.0, span[1] - span[0]) for name, share in CONTEXT.items()}
    return [
        f
        for f in findings
        if f.name in reach
        and f.onset
        and (not onset or onset - reach[f.name] <= f.onset.line <= onset)
        and not (event is not None and f.name == "learning-rate-changed")
    ]


def event_text(view: RunView, event: Event, span: tuple[int, int]) -> str:
    """Return ``the learning rate was raised from 0.0002 to 0.0003 in 2 steps``."""
    name = event.name.replace("_", " ") or "setting"
    old, count = _start(view, event, span)
    if old is None or isinstance(event.value, bool) or not isinstance(event.value, (int, float)):
        return f"the {name} was set to {number(event.value)}" if event.value is not None else f"the {name} was changed"
    verb = "raised" if float(event.value) > old else "lowered"
    times = f" in {count} steps" if count > 1 else ""
    return f"the {name} was {verb} from {number(old)} to {number(event.value)}{times}"


def _start(view: RunView, event: Event, span: tuple[int, int]) -> tuple[float | None, int]:
    """Return the value before the burst of changes that ``event`` ends, and how many changes the burst had."""
    changes = [e for e in view.events(*KINDS) if e.name == event.name and e.line <= event.line]
    close = max(5.0, BURST * (span[1] - span[0]))
    count = 1
    while count < len(changes) and changes[-count].line - changes[-count - 1].line <= close:
        count += 1
    before = changes[: len(changes) - count]
    value = before[-1].value if before else view.value(event.name)
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return (float(value) if known and isinstance(value, (int, float)) else None), count


def _raised(view: RunView, event: Event, span: tuple[int, int]) -> bool:
    old, _ = _start(view, event, span)
    return old is None or not isinstance(event.value, (int, float)) or float(event.value) > old
