"""What the next run should look like: expected bands by horizon.

Every number is one of the run's own (the values it had while it was well, the steps it took to get there) or comes
from the cause that is suspected. Where a run was never well there is nothing of its own to promise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Series, Watch
from logdoctor.rules._outcome import label
from logdoctor.telling.aftermath import ENDED, LOGGING, SPEED, UNFINISHED, resumes
from logdoctor.telling.decisions import Decision
from logdoctor.telling.incidents import Incident
from logdoctor.telling.stretches import Stretches, head
from logdoctor.telling.watchlist import BLOWN, SHRUNK, ill_before, metrics_of
from logdoctor.view import LEAST_ROWS, RunView
from logdoctor.wording import counted, number, round_steps, rounded, unit_word

SHOWN = 4  # lines of a horizon
AROUND = 5  # rows of a running median
FEW = 5  # rows before an early break from which a range can be given
MOVED, STEADY = 0.15, 0.9  # of its size, and rank correlation with time, from which a stretch is a way and no level
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
        resumed = resumes(incidents, decision.restart_from)
        lines[HORIZONS[0]] += _bands(view, incidents, parts) if resumed else _beginning(view, parts)
        lines[HORIZONS[1]] += [*_levels(view, parts), *(() if resumed else _bands(view, incidents, parts))]
        lines[HORIZONS[2]] += _beyond(view, parts)
    else:
        lines[HORIZONS[0]] += _first_rows(view, incidents, parts)
    for item in watch:
        horizon = _horizon(item.horizon)
        if item.sign == "recovery" and horizon:
            lines[horizon].append(_promise(view, item))
    return tuple(
        (f"{name} ({spans[name]})" if spans.get(name) else name, tuple(dict.fromkeys(found))[:SHOWN])
        for name, found in lines.items()
        if found
    )


def _bands(view: RunView, incidents: Sequence[Incident], parts: Stretches) -> Iterator[str]:
    names = metrics_of(view, incidents)
    pair = "q_min" in names and "q_max" in names
    if pair:
        yield from _range(parts)
    for name in names:
        band, series = parts.band(name), parts.before(name)
        told = (
            (pair and name in {"q_min", "q_max"}) or "_share_" in name or (name.endswith("_loss") and "loss" in names)
        )
        if band is None or series is None or told or ill_before(incidents, parts, series) or _on_its_way(parts, series):
            continue
        if band[0] < band[1]:
            yield (
                f"{label(series)} between {rounded(band[0])} and {rounded(band[1])}, as in {_lines(parts, series)} "
                "before the break"
            )


def _on_its_way(parts: Stretches, series: Series) -> bool:
    """Whether a metric ran in one direction all along the rows of its band: such a stretch is no level to keep."""
    value = series.value[parts.band_start(series) :]
    value = value[np.isfinite(value)]
    if value.size < LEAST_ROWS:
        return False
    far = abs(float(value[-1] - value[0])) > MOVED * float(np.abs(value).max())
    return far and abs(rank_correlation(np.arange(value.size, dtype=np.float64), value)) > STEADY


def _range(parts: Stretches) -> Iterator[str]:
    """The ends of a printed range belong together."""
    low, high = parts.before("q_min"), parts.before("q_max")
    if low is None or high is None or parts.band("q_max") is None:
        return
    bottom = float(low.value[parts.band_start(low) :].min())
    top = float(high.value[parts.band_start(high) :].max())
    name = label(high).removesuffix("_max")
    yield f"{name} within [{number(bottom)}, {number(top)}], as in {_lines(parts, high)} before the break"


def _lines(parts: Stretches, series: Series) -> str:
    return f"lines {int(series.line[parts.band_start(series)])}–{int(series.line[-1])}"


def _first_rows(view: RunView, incidents: Sequence[Incident], parts: Stretches) -> Iterator[str]:
    """Where the run broke too early for a band: what exploded or collapsed as it was in the rows before."""
    broken_at = parts.step_at(parts.break_line) if parts.break_line else None
    for name in metrics_of(view, incidents):
        before, after = parts.before(name), parts.after(name)
        if before is None or after is None or "_share_" in name or name.startswith("advantage"):
            continue
        if broken_at is not None and before.clock is None:  # one step may be printed on several lines
            before = before.where(before.step < broken_at)
        if len(before) < FEW:
            continue
        low, high = float(before.lows.min()), float(before.highs.max())
        blown = high > 0 and float(after.highs.max()) > BLOWN * high
        gone = low > 0 and float(np.abs(after.value).min()) < SHRUNK * low
        if low < high and (blown or gone):
            where = f"lines {int(before.line[0])}–{int(before.line[-1])}"
            yield (
                f"{label(before)} between {rounded(low)} and {rounded(high)}, as in its first {len(before)} rows "
                f"({where})"
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


def _levels(view: RunView, parts: Stretches) -> Iterator[str]:
    performance = view.performance
    before = parts.before(performance.name) if performance else None
    level = parts.level(performance.name) if performance else None
    if performance is None or before is None or level is None or len(before) < LEAST_ROWS:
        return
    down, start = performance.goal == "min", head(before)
    word, what = "at most" if down else "at least", "its level before the break"
    if level > start if down else level < start:  # it was on its way down already
        level, what = start, "its level at the start"
    yield f"{label(before)} {word} {rounded(level)}, {what}"


def _beyond(view: RunView, parts: Stretches) -> Iterator[str]:
    """The best level that the run had, by a running median: a single value may have been luck."""
    performance = view.performance
    before = parts.before(performance.name) if performance else None
    if performance is None or before is None or len(before) < LEAST_ROWS:
        return
    down = performance.goal == "min"
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(before.value, AROUND), axis=1)
    index = int(smooth.argmin() if down else smooth.argmax())
    start = head(before)
    if (smooth[index] >= start) if down else (smooth[index] <= start):
        return  # it never was better than at its start
    lines = before.line[index : index + AROUND]
    yield (
        f"{label(before)} {'below' if down else 'above'} {rounded(float(smooth[index]))}, its best level before the "
        f"break (median of lines {int(lines[0])}–{int(lines[-1])})"
    )
