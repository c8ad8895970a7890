"""What to watch in the next run: signs of recovery and of failure, each with its number, by when, and what to do then.

Every number is one of the run's own (the values it had while it was well, the steps it took to get there) or comes
from the cause that is suspected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from logdoctor.model import Cause, Change, Finding, Series, Watch
from logdoctor.registry import records
from logdoctor.rules._outcome import label
from logdoctor.telling.aftermath import BLOW_UPS, CLIP, ENDED, FUTILE, LOGGING, SPEED, named_in, of_event, resumes
from logdoctor.telling.decisions import Decision
from logdoctor.telling.incidents import Incident
from logdoctor.telling.stretches import Stretches, head, tail
from logdoctor.view import LEAST_ROWS, RunView
from logdoctor.wording import lower_first, number, percent, round_steps

WATCHED = 6  # signs of each kind; a longer list is not looked at
OTHER_SEED = "repeat with another seed, to tell the fault from chance"
TURNED = 0.1  # of the best value: held-out losses of single evaluations scatter by less
SCHEDULES = frozenset({"expert_ratio", "epsilon", "learning_rate"})  # set by the program: they are no sign of anything
GAIN = 0.05  # relative gain below which half of it is noise and no sign of failure
BLOWN = 3.0  # times the largest value before the break: a metric that went beyond has exploded
SHRUNK = 0.5  # of its level before the break: a metric that went below has collapsed
WORTH = 0.15  # probability from which a second cause is worth a try
ALIVE = 0.1  # of its first level: a spread or a gradient that keeps more is alive


def watch_list(
    view: RunView, incidents: Sequence[Incident], parts: Stretches, causes: Sequence[Cause], decision: Decision
) -> tuple[Watch, ...]:
    """What to look at in the next run: what the causes name, what the findings ask for, then the run's own levels."""
    present = {f.name: f for incident in incidents for f in incident.findings}
    found: list[Watch] = []
    told = {f.id for f in present.values()}
    causes = [cause for cause in causes if told & set(cause.explains)]
    for cause in causes:
        if cause.role != "alternative" and len(found) < 2 * WATCHED:
            found += _of_cause(view, cause, present)
    named = {(item.metric, item.sign) for item in found}
    found += _own(view, incidents, parts, causes, decision, named)
    said = {item.metric for item in found if item.condition != "finite"}
    out: list[Watch] = []
    for sign in ("recovery", "failure"):
        seen: set[tuple[str, str]] = set()
        for item in (item for item in found if item.sign == sign):
            key = (item.metric, item.condition.rstrip("="))  # "> 0.01" and ">= 0.02" are one sign
            implied = item.condition == "finite" and item.metric in said
            if key not in seen and len(seen) < WATCHED and not implied:
                seen.add(key)
                out.append(item)
    return tuple(out)


def _of_cause(view: RunView, cause: Cause, present: Mapping[str, Finding]) -> Iterable[Watch]:
    record = records("logdoctor.causes", "CAUSE").get(cause.id)
    return tuple(record.watch(view, present)) if record is not None and record.watch else ()


def _soon(parts: Stretches, before: Series | None, resumed: bool) -> float | None:
    """Return by when the old level should be back: soon after a checkpoint, else in the time the run took before."""
    if parts.good_steps <= 0:
        return None
    return round_steps(parts.good_steps / 10 if resumed or before is None else parts.good_steps)


def _own(
    view: RunView,
    incidents: Sequence[Incident],
    parts: Stretches,
    causes: Sequence[Cause],
    decision: Decision,
    named: Collection[tuple[str, str]],
) -> Iterator[Watch]:
    """Signs from the findings and from the run's own levels; ``named`` are (metric, sign) that a cause asked for."""
    if not incidents or incidents[0].main.name in SPEED | ENDED:
        return
    action = next_action(view, incidents, of_event(incidents, causes))
    yield from (w for w in _asked(view, incidents, parts, action) if (w.metric, w.sign) not in named)
    if view.performance is None or incidents[0].main.name in LOGGING:
        return
    resumed = resumes(incidents, decision.restart_from)
    soon = _soon(parts, parts.before(view.performance.name), resumed)
    yield from _performance(view, incidents, parts, action, soon)
    yield from _limits(view, incidents, parts, action, soon, resumed)
    if view.get("loss") is not None:
        yield Watch(
            metric="loss", condition="finite", value=None, within_steps=None, sign="recovery",
            otherwise="stop at once: later rows say nothing", why="",
        )  # fmt: skip


def _performance(
    view: RunView, incidents: Sequence[Incident], parts: Stretches, action: str, soon: float | None
) -> Iterator[Watch]:
    performance = view.performance
    assert performance is not None
    before, level = parts.before(performance.name), parts.level(performance.name)
    down = performance.goal == "min"
    start = head(before) if before is not None else 0.0
    gained = level is not None and (level <= start if down else level >= start)
    fit = named_in(incidents[:1], "overfitting")
    if fit is not None:
        yield from _held_out(view, fit, parts, action)
    elif parts.broke_late and before is not None and level is not None and gained and len(before) >= 10:
        yield Watch(
            metric=performance.name, condition="<=" if down else ">=", value=_printed(level), within_steps=soon,
            sign="recovery", otherwise=action, why="its level before the break", clock=before.clock,
        )  # fmt: skip
        if abs(level - start) > GAIN * max(abs(level), abs(start)):
            yield Watch(
                metric=performance.name, condition=">" if down else "<", value=_printed((level + start) / 2),
                within_steps=soon, sign="failure", otherwise=f"stop; {action}", clock=before.clock,
                why="half of what it had gained before the break",
            )  # fmt: skip
    elif {f.name for f in incidents[0].findings} & FUTILE:
        yield Watch(
            metric=performance.name, condition="falls" if down else "rises", value=None,
            within_steps=_share(parts, 5), sign="recovery", otherwise=action, why="this run never improved",
            clock=performance.series.clock,
        )  # fmt: skip
    elif (expert := _expert_level(incidents)) is not None and not down:
        yield Watch(
            metric=performance.name, condition=">=", value=_printed(expert / 2), sign="recovery",
            within_steps=round_steps((parts.last_step - parts.first_step) / 2) if parts.good_steps > 0 else None,
            otherwise=action, why=f"half of the {number(expert)} that the expert earned",
            clock=performance.series.clock,
        )  # fmt: skip
    else:
        yield _start_or_end(view, incidents, action, soon)


def _held_out(view: RunView, fit: Finding, parts: Stretches, action: str) -> Iterator[Watch]:
    """The held-out metric must go beyond its turning point, and not turn again: the training loss says nothing here."""
    lowest = fit.figures.get("lowest")
    name = fit.metrics[0]
    series = view.get(name)
    if series is None or isinstance(lowest, bool) or not isinstance(lowest, (int, float)):
        return
    up = series.goal == "max"
    yield Watch(
        metric=name, condition=">" if up else "<", value=_printed(lowest), within_steps=_share(parts, 1),
        sign="recovery", otherwise=action, why="the best that this run reached before it turned", clock=series.clock,
    )  # fmt: skip
    worse = lowest - TURNED * abs(lowest) if up else lowest + TURNED * abs(lowest)
    yield Watch(
        metric=name, condition="<" if up else ">", value=_printed(worse), within_steps=None, sign="failure",
        otherwise=f"stop and keep the best checkpoint; {action}", why="a tenth past the best: it has turned again",
        clock=series.clock,
    )  # fmt: skip


def _expert_level(incidents: Sequence[Incident]) -> float | None:
    below = named_in(incidents[:1], "performance-below-expert")
    level = below.figures.get("expert_level") if below is not None else None
    known = isinstance(level, (int, float)) and not isinstance(level, bool) and level > 0
    return float(level) if known and isinstance(level, (int, float)) else None


def _start_or_end(view: RunView, incidents: Sequence[Incident], action: str, soon: float | None) -> Watch:
    """The level to reach where nothing was well for long: the best one, that of the start, or that of the end."""
    performance = view.performance
    assert performance is not None
    down = performance.goal == "min"
    first, last = head(performance.series), tail(performance.series)
    lost = named_in(incidents, "performance-collapse")
    told = lost.figures if lost is not None and lost.metrics[:1] == (performance.name,) else {}
    begin, best = told.get("start"), told.get("best")
    if isinstance(begin, (int, float)) and isinstance(best, (int, float)):
        first = float(max(begin, best, key=lambda level: -level if down else level))
    fell = (first < last) if down else (first > last)
    why = "its level at the end of this run"
    if fell:
        why = "the best level of this run" if first == best and first != begin else "its level at the start of this run"
    return Watch(
        metric=performance.name, condition="<=" if down else ">=", value=_printed(first if fell else last),
        within_steps=soon, sign="recovery", otherwise=action, clock=performance.series.clock, why=why,
    )  # fmt: skip


def _share(parts: Stretches, part: int) -> float | None:
    return round_steps(parts.good_steps / part) if parts.good_steps > 0 else None


# ------------------------------------------------------------------------------------- what certain findings ask for
def _asked(view: RunView, incidents: Sequence[Incident], parts: Stretches, action: str) -> Iterator[Watch]:
    """Signs that belong to one finding: the value is recorded, the head learns, the slope is positive again."""
    unrecorded = named_in(incidents, "metric-never-recorded")
    if unrecorded is not None and len(unrecorded.metrics) == 1:
        name = unrecorded.metrics[0]
        yield Watch(
            metric=name, condition=">", value=0.0, within_steps=_share(parts, 10), sign="recovery",
            otherwise="look at the line of code that assigns it", why="shows that it is recorded",
            clock=_clock(view, name), horizon="Immediate",
        )  # fmt: skip
    turned = named_in(incidents, "slope-turns-negative")
    if turned is not None and turned.metrics and parts.broke_late:
        name = turned.metrics[0]
        yield Watch(
            metric=name, condition=">", value=0.0, within_steps=_slope_due(view, parts, name), sign="recovery",
            otherwise=action, why=_ended(view, name), clock=_clock(view, name), horizon="Medium term",
        )  # fmt: skip
        series = view.finite(name)
        last = float(series.value[-1]) if series is not None else 0.0
        if last < 0:
            yield Watch(
                metric=name, condition="<", value=_printed(last / 2), within_steps=None, sign="failure",
                otherwise=f"stop; {action}", why=f"half of the {number(last)} that it ended at",
                clock=_clock(view, name),
            )  # fmt: skip
    yield from _head(view, incidents, parts, action)
    yield from _alive(incidents, parts, action)


def _slope_due(view: RunView, parts: Stretches, name: str) -> float | None:
    """When a slope must be positive: its window has to fill first, and took as long in this run."""
    due, series = _share(parts, 2), view.get(name)
    if due is None or series is None or series.clock is not None or not len(series):
        return due
    return float(f"{due + max(0.0, float(series.step[0]) - parts.first_step):.2g}")


def _head(view: RunView, incidents: Sequence[Incident], parts: Stretches, action: str) -> Iterator[Watch]:
    """The head that did not learn must do what its sibling does."""
    lame = named_in(incidents, "head-not-learning")
    if lame is not None and len(lame.metrics) > 1:
        name, twin = lame.metrics[0], view.get(lame.metrics[1])
        up = "agreement" in name  # of a share of agreement more is better, of a loss less
        moved = "rose" if up else "fell"
        why = f"its sibling {label(twin)} {moved} to {number(float(twin.value[-1]))}" if twin is not None else ""
        yield Watch(
            metric=name, condition="rises" if up else "falls", value=None, within_steps=_share(parts, 2),
            sign="recovery", otherwise=action, why=why, clock=_clock(view, name), horizon="Medium term",
        )  # fmt: skip
    stuck = named_in(incidents, "agreement-stagnates")
    peak = stuck.figures.get("peak") if stuck is not None else None
    if stuck is not None and stuck.metrics and isinstance(peak, (int, float)):
        name, twin = stuck.metrics[0], view.get(stuck.metrics[1]) if len(stuck.metrics) > 1 else None
        why = "the best that this run reached"
        if twin is not None:
            why += f"; {label(twin)} ended at {number(float(twin.value[-1]))}"
        yield Watch(
            metric=name, condition=">", value=_printed(float(peak)), within_steps=_share(parts, 5), sign="recovery",
            otherwise=action, why=why, clock=_clock(view, name), horizon="Medium term",
        )  # fmt: skip


def _alive(incidents: Sequence[Incident], parts: Stretches, action: str) -> Iterator[Watch]:
    """A policy that died must keep a tenth of the spread and of the gradient that it began with."""
    dead = named_in(incidents, "deterministic-policy")
    for name in dead.metrics if dead is not None else ():
        before = parts.before(name)
        if before is None or not ("norm" in name or name.endswith("_std")) or len(before) < 2:
            continue
        first = float(np.median(before.value[:LEAST_ROWS]))
        if first > 0:
            yield Watch(
                metric=name, condition=">=", value=_printed(ALIVE * first), within_steps=None, sign="recovery",
                otherwise=action, why=f"a tenth of its first level, {number(_printed(first))}", clock=before.clock,
            )  # fmt: skip


def _ended(view: RunView, name: str) -> str:
    series = view.finite(name)
    if series is None:
        return ""
    last, lowest = float(series.value[-1]), float(series.value.min())
    fell = f"it fell to {number(lowest)} and " if last >= 0 > lowest else ""
    return f"{fell}ended at {number(last)}" if fell else f"it ended at {number(last)}"


def _clock(view: RunView, name: str) -> str | None:
    series = view.get(name)
    return series.clock if series is not None else None


# --------------------------------------------------------------------------------------------- limits of the event
def _limits(
    view: RunView, incidents: Sequence[Incident], parts: Stretches, action: str, soon: float | None, resumed: bool
) -> Iterator[Watch]:
    """Limits for the metrics of the event: what exploded must stay low, what collapsed must stay high."""
    names = metrics_of(view, incidents, most=3 * WATCHED)
    for name in names:
        before, after, band = parts.before(name), parts.after(name), parts.band(name)
        if before is None or after is None or band is None or len(before) < LEAST_ROWS or _told_by_another(name, names):
            continue
        if ill_before(incidents, parts, before):
            continue
        top, peak = float(before.highs.max()), float(after.highs.max())
        middle, low = (band[0] + band[1]) / 2, float(after.lows.min())
        if top > 0 and peak > BLOWN * top:
            line = int(before.line[int(before.highs.argmax())])
            why = f"twice the largest value before the break ({number(top)}, line {line})"
            yield Watch(
                metric=name, condition=">", value=_printed(2 * top), within_steps=None, sign="failure",
                otherwise=f"stop; {action}", why=why, clock=before.clock,
            )  # fmt: skip
        elif band[0] > 0 and low < SHRUNK * middle and not name.endswith("loss"):
            yield Watch(
                metric=name, condition=">=", value=_printed(band[0]), sign="recovery", otherwise=action,
                within_steps=soon if before.clock is None else None, clock=before.clock,
                why="the lower end of its range before the break",
            )  # fmt: skip
            if resumed:  # a fresh run passes low values on its way up
                yield Watch(
                    metric=name, condition="<", value=_printed((middle + low) / 2), within_steps=None, sign="failure",
                    otherwise=f"stop; {action}", clock=before.clock,
                    why=f"half-way to the {number(low)} that this run fell to",
                )  # fmt: skip


def _told_by_another(name: str, names: Sequence[str]) -> bool:
    """Whether a limit on another metric says the same: parts of a loss, the lower end of a range."""
    part = name.endswith("_loss") and "loss" in names
    return "_share_" in name or "slope" in name or name in {"q_min", "kl"} or part


def ill_before(incidents: Sequence[Incident], parts: Stretches, before: Series) -> bool:
    """Whether a metric was accused already where its range would be taken from: then that range is no standard."""
    start = int(before.line[parts.band_start(before)])
    return any(
        before.name in finding.metrics and finding.onset is not None and finding.onset.line <= start
        for incident in incidents
        for finding in incident.findings
    )


def metrics_of(view: RunView, incidents: Sequence[Incident], most: int = WATCHED) -> list[str]:
    """Return the metrics of the gravest event, the naming finding's first, without the performance itself."""
    found = sorted(incidents[0].findings, key=lambda f: f is not incidents[0].main)
    names = [metric for finding in found for metric in finding.metrics]
    skip = view.performance.name if view.performance else ""
    return [name for name in dict.fromkeys(names) if name != skip and name not in SCHEDULES][:most]


def next_action(view: RunView, incidents: Sequence[Incident], causes: Sequence[Cause]) -> str:
    """The next thing to try: the second change of the first cause, the next cause, smaller steps, another seed."""
    first = [c for cause in causes[:1] for c in cause.changes if _is_value(c)]
    if len(first) > 1:
        return f"change {_change(first[1])} as well"
    done = {c.parameter for c in first}
    for cause in causes[1:]:
        if cause.confidence < WORTH or {f.name for i in incidents for f in i.findings} <= LOGGING | CLIP:
            continue
        value = next((c for c in cause.changes if _is_value(c) and c.parameter not in done), None)
        name = f"{lower_first(cause.title or cause.id)}, {percent(cause.confidence)}"
        rate = next((c for c in cause.changes if c.parameter == "learning_rate" and c.parameter not in done), None)
        if value is None and rate is not None:
            return f"change {rate.parameter} to {rate.to} as well ({name})"
        return f"change {_change(value)} as well ({name})" if value else f"suspect the next cause: {name}"
    return _smaller_steps(view, incidents, causes) or OTHER_SEED


def _smaller_steps(view: RunView, incidents: Sequence[Incident], causes: Sequence[Cause]) -> str:
    """After a blow-up a lower learning rate is the next thing to try, unless that is the change already."""
    setting = view.setting("learning_rate")
    names = {f.name for f in incidents[0].findings} if incidents else set()
    changed = {c.parameter for cause in causes[:1] for c in cause.changes}
    if setting is None or not names & BLOW_UPS or changed & {"learning_rate", setting.raw_name}:
        return ""
    value = setting.value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return ""
    name = setting.raw_name or setting.name
    return f"lower the {lower_first(name)} {number(value)} → {number(float(f'{value / 3:.0e}'))} as well"


def _is_value(item: Change) -> bool:
    return not isinstance(item.to, str) or " " not in item.to


def _change(item: Change) -> str:
    old = "" if item.from_ is None else f" {_show(item.from_)}"
    return f"{item.parameter}{old} → {_show(item.to)}"


def _show(value: object) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)


def _printed(value: float) -> float:
    return float(f"{value:.3g}")
