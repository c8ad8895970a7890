"""What the overviews say in words, before any of them escapes it for its own language."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from logdoctor.fleet.row import Row
from logdoctor.fleet.statistics import Effect, Separation
from logdoctor.model import Curve
from logdoctor.renderers._figures import sparkline
from logdoctor.renderers._svg import number
from logdoctor.sweeping import Sweep

ORDER = {"critical": 0, "warning": 1, "inconclusive": 2, "healthy": 4}


def headline(sweep: Sweep) -> str:
    """Return the one sentence of a sweep."""
    parts = [f"{sweep.count(v)} {v}" for v in ("critical", "warning", "healthy", "inconclusive") if sweep.count(v)]
    unread = sweep.count(None)
    parts += [f"{unread} not read"] if unread else []
    return f"{len(sweep.rows)} run{'s' if len(sweep.rows) != 1 else ''}: {', '.join(parts)}."


def by_urgency(rows: Sequence[Row]) -> list[Row]:
    """Worst first; unread runs after the sick ones, healthy ones last."""
    return sorted(rows, key=lambda row: (ORDER.get(row.verdict or "", 3), row.path))


def short_paths(rows: Sequence[Row]) -> dict[str, str]:
    """Return each path without the folder that all runs share."""
    paths = [row.path for row in rows]
    common = os.path.commonpath(paths) if len(paths) > 1 and all("://" not in p for p in paths) else ""
    keep = common if common and all(p != common for p in paths) else ""
    return {p: os.path.relpath(p, keep) if keep else p for p in paths}


def onset(row: Row) -> str:
    """Return where it began, or an empty string."""
    if row.onset_line is None:
        return ""
    step = "" if row.onset_step is None else f"{number(row.onset_step)}, "
    return f"{step}line {row.onset_line}"


def figure(value: float | None) -> str:
    """Return a short number, or a dash."""
    if value is None:
        return "–"
    return number(value) if math.isfinite(value) else str(value)


def spark(row: Row, width: int = 16) -> str:
    """Return the performance over the run in ``width`` characters."""
    places = tuple(float(i) for i in range(len(row.spark)))
    return sparkline(Curve(metric=row.metric or "", step=places, value=row.spark, line=()), width)


def cause(row: Row) -> str:
    """Return the first cause with its confidence, or the reason why there is none."""
    if row.error:
        return row.error
    if row.failed and row.causes:
        return f"{row.causes[0].id} ({100 * row.causes[0].confidence:.0f} %)"
    return ", ".join(f.name for f in row.findings if f.severity != "info")[:60] if row.failed else ""


def effect_sentence(effect: Effect) -> str:
    """Return what an effect says, with the counts behind it."""
    text = (
        f"{effect.setting} {effect.bad}: {effect.bad_failed} of {effect.bad_runs} {effect.outcome}; otherwise "
        f"{effect.other_failed} of {effect.other_runs} (difference {100 * effect.difference:+.0f} points, "
        f"95 % interval {100 * effect.low:+.0f} to {100 * effect.high:+.0f}; p = {effect.p:.3g}, corrected for all "
        "settings tried)."
    )
    if effect.confounded_with:
        others = ", ".join(effect.confounded_with)
        text += f" Cannot tell it from {others}: they changed together, or too few runs differ in one alone."
    return text


def region_sentence(effect: Effect) -> str:
    """Return the edge of stability and the recommended region of an effect, or an empty string."""
    parts = []
    if effect.edge:
        parts.append(f"the edge lies {effect.edge}")
    if effect.recommended:
        parts.append(f"healthy runs on the good side used {effect.recommended}")
    return f"{effect.setting}: {'; '.join(parts)}." if parts else ""


def tried_sentence(separation: Separation) -> str:
    """Return how many settings were tried on how many runs."""
    if not separation.tried:
        return separation.note
    count = len(separation.tried)
    text = (
        f"{count} setting{'s' if count != 1 else ''} tried on {separation.runs} judged runs "
        f"({separation.failed} failed); runs of unlike programs are not compared with each other."
    )
    return f"{separation.note[:1].upper()}{separation.note[1:]}. {text}" if separation.note else text
