"""What the next run should look like: expected bands by horizon, and the signs to watch, each with the next action.

Every number is one of the run's own (the values it had while it was well, the steps it took to get there) or comes
from the cause that is suspected. Where a run was never well there is nothing of its own to promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from logdoctor.aftermath import ENDED, FIT, FUTILE, LOGGING, SPEED, UNFINISHED, of_event
from logdoctor.decisions import Decision
from logdoctor.incidents import Incident
from logdoctor.model import Cause, Finding, Series, Watch
from logdoctor.registry import records
from logdoctor.rules._outcome import label
from logdoctor.stretches import Stretches, head, tail
from logdoctor.view import LEAST_ROWS, RunView
from logdoctor.wording import counted, lower_first, number, round_steps, rounded, unit_word

WATCHED = 4  # signs of each kind; a longer list is not looked at
OTHER_SEED = "repeat with another seed, to tell the fault from chance"
GAIN = 0.05  # relative gain below which half of it is noise and no sign of failure
BLOWN = 3.0  # times the largest value before the break: a metric that went beyond has exploded
SHRUNK = 0.5  # of its level before the break: a metric that went below has collapsed
HORIZONS = ("Immediate", "Medium term", "Long term")


def expectations(
    view: RunView, incidents: Sequence[Incident], parts: Stretches, watch: Sequence[Watch], decision: Decision
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Bands by horizon: from the run's own healthy values, and from what the causes promise.

    After a checkpoint the values before the break are due at once; after a fresh start first those of the beginning.
    """
    if not incidents or incidents[0].main.name in LOGGING | SPEED | ENDED | UNFINISHED:
        return ()
    spans = _spans(parts)
    lines: dict[str, list[str]] = {name: [] for name in HORIZONS}
    if parts.broke_late:
        resumed = _resumes(incidents, decision)
        lines[HORIZONS[0]] += _bands(view, incidents, parts) if resumed else _beginning(view, parts)
        lines[HORIZONS[1]] += [*_levels(view, parts), *(() if resumed else _bands(view, incidents, parts))]
        lines[HORIZONS[2]] += _beyond(view, parts)
    for item in watch:
        horizon = _horizon(item.horizon)
        if item.sign == "recovery" and horizon:
            lines[horizon].append(_promise(view, item))
    return tuple(
        (f"{name} ({spans[name]})" if spans.get(name) else name, tuple(dict.fromkeys(found))[:WATCHED])
        for name, found in lines.items()
        if found
    )


def _resumes(incidents: Sequence[Incident], decision: Decision) -> bool:
    """Whether the next run goes on from a checkpoint; after overfitting that one is kept and a new run begins."""
    return decision.restart_from is not None and incidents[0].main.name not in FIT


def _bands(view: RunView, incidents: Sequence[Incident], parts: Stretches) -> Iterator[str]:
    for name in _metrics(view, incidents):
        band, series = parts.band(name), parts.before(name)
        if band and band[0] < band[1] and series is not None:
            first = int(series.line[parts.band_start(series)])
            yield (
                f"{label(series)} between {rounded(band[0])} and {rounded(band[1])}, as in lines "
                f"{first}–{int(series.line[-1])} before the break"
            )


def _beginning(view: RunView, parts: Stretches) -> Iterator[str]:
    """What this run itself had reached after the first horizon."""
    performance = view.performance
    before = parts.before(performance.name) if performance else None
    if performance is None or before is None or before.clock is not None or len(before) < LEAST_ROWS:
        return
    until = parts.first_step + round_steps(parts.good_steps / 10)
    index = int((before.step <= until).sum()) - 1
    if index >= 0:
        value = number(float(before.value[index]))
        yield f"{label(before)} near {value}, as this run had then (line {int(before.line[index])})"


def _horizon(text: str) -> str | None:
    return next((name for name in HORIZONS if text and name.lower().startswith(text.lower().split(" ")[0])), None)


def _promise(view: RunView, item: Watch) -> str:
    series = view.get(item.metric)
    name = label(series) if series is not None else item.metric
    if item.condition == "between":
        return f"{name} between {_show(item.value)} and {_show(item.value2)}"
    signs = {">=": "at least", "<=": "at most", ">": "above", "<": "below"}
    if item.condition in signs:
        return f"{name} {signs[item.condition]} {_show(item.value)}"
    return f"{name} stays finite" if item.condition == "finite" else f"{name} {item.condition}"


def _show(value: object) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)


def _spans(parts: Stretches) -> dict[str, str]:
    """Name the horizons in steps: a tenth of the stretch that was well, that stretch, and beyond it."""
    whole = parts.good_steps
    if whole <= 0 or parts.clock is None or parts.clock.unit == "lines":
        return {}
    unit = unit_word(parts.clock)
    near = round_steps(whole / 10)
    return {
        HORIZONS[0]: f"first {counted(near, unit)}",
        HORIZONS[1]: f"to {counted(round_steps(whole / 2), unit)}",
        HORIZONS[2]: f"beyond {counted(round_steps(whole / 2), unit)}",
    }


def _metrics(view: RunView, incidents: Sequence[Incident], most: int = WATCHED) -> list[str]:
    """Return the metrics of the gravest event, the naming finding's first, without the performance itself."""
    found = sorted(incidents[0].findings, key=lambda f: f is not incidents[0].main)
    names = [metric for finding in found for metric in finding.metrics]
    skip = view.performance.name if view.performance else ""
    return [name for name in dict.fromkeys(names) if name != skip][:most]


def _levels(view: RunView, parts: Stretches) -> Iterator[str]:
    performance = view.performance
    before = parts.before(performance.name) if performance else None
    if performance is not None and before is not None and len(before) >= 10:
        word = "at most" if performance.goal == "min" else "at least"
        yield f"{label(before)} {word} {rounded(tail(before))}, its level before the break"


def _beyond(view: RunView, parts: Stretches) -> Iterator[str]:
    performance = view.performance
    before = parts.before(performance.name) if performance else None
    if performance is None or before is None or len(before) < 10:
        return
    index = int(before.value.argmin() if performance.goal == "min" else before.value.argmax())
    word = "below" if performance.goal == "min" else "above"
    best = number(float(before.value[index]))
    yield f"{label(before)} {word} {best}, its best value before the break (line {int(before.line[index])})"


# ------------------------------------------------------------------------------------------------------- watch list
def watch_list(
    view: RunView, incidents: Sequence[Incident], parts: Stretches, causes: Sequence[Cause], decision: Decision
) -> tuple[Watch, ...]:
    """What to look at in the next run: what the causes name, then the run's own levels."""
    present = {f.name: f for incident in incidents for f in incident.findings}
    found: list[Watch] = []
    for cause in causes:
        if cause.role != "alternative" and len(found) < 2 * WATCHED:
            found += _of_cause(view, cause, present)
    found += _own(view, incidents, parts, causes, decision)
    out: list[Watch] = []
    for sign in ("recovery", "failure"):
        seen: set[tuple[str, str]] = set()
        for item in (item for item in found if item.sign == sign):
            key = (item.metric, item.condition)
            if key not in seen and len(seen) < WATCHED:
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
    view: RunView, incidents: Sequence[Incident], parts: Stretches, causes: Sequence[Cause], decision: Decision
) -> Iterator[Watch]:
    performance = view.performance
    if performance is None or not incidents or incidents[0].main.name in LOGGING | SPEED | ENDED:
        return
    before = parts.before(performance.name)
    soon = _soon(parts, before, _resumes(incidents, decision))
    action = _next_action(of_event(incidents, causes))
    down = performance.goal == "min"
    if parts.broke_late and before is not None and len(before) >= 10:
        good, start = tail(before), head(before)
        yield Watch(
            metric=performance.name, condition="<=" if down else ">=", value=_printed(good), within_steps=soon,
            sign="recovery", otherwise=action, why="its level before the break", clock=before.clock,
        )  # fmt: skip
        if abs(good - start) > GAIN * max(abs(good), abs(start)):
            yield Watch(
                metric=performance.name, condition=">" if down else "<", value=_printed((good + start) / 2),
                within_steps=soon, sign="failure", otherwise=f"stop; {action}", clock=before.clock,
                why="half of what it had gained before the break",
            )  # fmt: skip
    elif {f.name for f in incidents[0].findings} & FUTILE:
        yield Watch(
            metric=performance.name, condition="falls" if down else "rises", value=None,
            within_steps=round_steps(parts.good_steps / 5) if parts.good_steps > 0 else None,
            sign="recovery", otherwise=action, why="this run never improved", clock=performance.series.clock,
        )  # fmt: skip
    else:
        first, last = head(performance.series), tail(performance.series)
        fell = (first < last) if down else (first > last)
        yield Watch(
            metric=performance.name, condition="<=" if down else ">=", value=_printed(first if fell else last),
            within_steps=soon, sign="recovery", otherwise=action, clock=performance.series.clock,
            why="its level at the start of this run" if fell else "its level at the end of this run",
        )  # fmt: skip
    yield from _limits(view, incidents, parts, action, soon)
    if view.get("loss") is not None:
        yield Watch(
            metric="loss", condition="finite", value=None, within_steps=None, sign="recovery",
            otherwise="stop at once: later rows say nothing", why="",
        )  # fmt: skip


def _limits(
    view: RunView, incidents: Sequence[Incident], parts: Stretches, action: str, soon: float | None
) -> Iterator[Watch]:
    """Limits for the metrics of the event: what exploded must stay low, what collapsed must stay high."""
    for name in _metrics(view, incidents, most=2 * WATCHED):
        before, after, band = parts.before(name), parts.after(name), parts.band(name)
        if before is None or after is None or band is None or len(before) < LEAST_ROWS or "_share_" in name:
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


def _next_action(causes: Sequence[Cause]) -> str:
    """The next thing to try: the second change of the first cause, else the next cause."""
    changes = [c for cause in causes[:1] for c in cause.changes if not isinstance(c.to, str) or " " not in c.to]
    if len(changes) > 1:
        return f"change {changes[1].parameter} to {_show(changes[1].to)} as well"
    others = causes[1:]
    return f"suspect the next cause: {lower_first(others[0].title or others[0].id)}" if others else OTHER_SEED


def _printed(value: float) -> float:
    return float(f"{value:.3g}")
