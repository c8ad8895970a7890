"""Curves as plain SVG: phases as bands, onsets and events as marked lines, non-finite values as crosses.

The same picture serves the files of ``--figures`` (stand-alone, light background, no filters, fonts of the viewer) and
the HTML page (coloured by its style sheet). Only presentation attributes are used, so that a strict
content-security policy does not strip anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from logdoctor.model import Curve, Diagnosis, Finding
from logdoctor.renderers._escape import html as escape
from logdoctor.renderers._outline import unit
from logdoctor.renderers._scales import Scale, nice, scale_for, ticks
from logdoctor.wording import steps

WIDTH, HEIGHT = 720, 196
LEFT, RIGHT, TOP, BOTTOM = 66, 10, 14, 34
MAX_CHARTS = 6  # more than six pictures are looked at by nobody; the rest is folded
BANDS = {
    "learning": "#2e7d32", "healthy": "#2e7d32", "plateau": "#8d6e63", "stagnation": "#8d6e63", "drift": "#f9a825",
    "collapse": "#e65100", "explosion": "#c62828", "dead": "#616161", "start-up": "#90a4ae",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A vertical line: an onset (``kind`` is the severity) or an event."""

    x: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A phase as a shaded stretch."""

    first: float
    last: float
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One curve with what is drawn over it; ``x`` is the step, or the line where steps go back."""

    metric: str
    raw_name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    line: tuple[int, ...]
    x_label: str
    scale: Scale
    marks: tuple[Mark, ...] = ()
    bands: tuple[Band, ...] = ()
    findings: tuple[str, ...] = field(default=())

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest x, never equal."""
        low, high = self.x[0], self.x[-1]
        return (low, high) if high > low else (low - 0.5, low + 0.5)


def number(value: float) -> str:
    """Return a short number for an axis: a counter as everywhere, ``50.6M``; a small one as ``0.03`` or ``1e-07``."""
    size = abs(value)
    if 1e4 <= size < 1e15:
        return steps(value)
    return f"{value:.3g}" if size and (size < 1e-3 or size >= 1e15) else f"{value:.4g}"


def pick(diagnosis: Diagnosis) -> list[str]:
    """Return the metrics worth a picture, best first: those of the worst findings, then the performance."""
    names: list[str] = []
    ordered = sorted(diagnosis.findings, key=lambda f: ({"critical": 0, "warning": 1}.get(f.severity, 2), _line(f)))
    for finding in ordered:
        if finding.severity != "info":
            names += finding.metrics[:2]
    names = [diagnosis.performance or "", *names[:MAX_CHARTS], "loss", "grad_norm", "learning_rate", "entropy"]
    have = {curve.metric for curve in diagnosis.curves if len(curve.value) >= 2}
    kept = list(dict.fromkeys(name for name in names if name in have))[:MAX_CHARTS]
    return kept or [curve.metric for curve in diagnosis.curves if curve.metric in have][:MAX_CHARTS]


def charts(diagnosis: Diagnosis) -> dict[str, Chart]:
    """Return a chart a metric, in the order of the log."""
    raw = {metric.name: metric.raw_name for metric in diagnosis.metrics}
    return {c.metric: _chart(diagnosis, c, raw.get(c.metric, c.metric)) for c in diagnosis.curves if len(c.value) >= 2}


def _line(finding: Finding) -> int:
    return finding.onset.line if finding.onset else 0


def _chart(diagnosis: Diagnosis, curve: Curve, raw_name: str) -> Chart:
    ordered = all(b >= a for a, b in zip(curve.step, curve.step[1:], strict=False)) and curve.step[-1] > curve.step[0]
    x = curve.step if ordered else tuple(float(n) for n in curve.line)
    return Chart(
        metric=curve.metric,
        raw_name=raw_name,
        x=x,
        y=curve.value,
        line=curve.line,
        x_label=unit(diagnosis, curve.clock) if ordered else "line",
        scale=scale_for(curve.value),
        marks=_marks(diagnosis, curve, by_step=ordered),
        bands=_bands(diagnosis, curve, by_step=ordered),
        findings=tuple(f.id for f in diagnosis.findings if curve.metric in f.metrics),
    )


def _marks(diagnosis: Diagnosis, curve: Curve, *, by_step: bool) -> tuple[Mark, ...]:
    marks = []
    for finding in diagnosis.findings:
        place = finding.onset
        if place is None or finding.benign or finding.severity == "info" or curve.metric not in finding.metrics:
            continue
        x = place.step if by_step and place.clock == curve.clock else (None if by_step else float(place.line))
        if x is not None and math.isfinite(x):
            marks.append(Mark(x=x, kind=finding.severity, text=f"{finding.title or finding.name}, line {place.line}"))
    for event in diagnosis.events:
        if event.kind == "hyperparameter-change":
            x = event.step if by_step and event.clock == curve.clock else (None if by_step else float(event.line))
            if x is not None and math.isfinite(x):
                marks.append(Mark(x=x, kind="event", text=f"line {event.line}: {event.text}"[:120]))
    return tuple(marks[:40])


def _bands(diagnosis: Diagnosis, curve: Curve, *, by_step: bool) -> tuple[Band, ...]:
    bands = []
    for phase in diagnosis.phases:
        first, last = (phase.first_step, phase.last_step) if by_step else (phase.first_line, phase.last_line)
        if first is None or last is None or (by_step and phase.clock != curve.clock):
            continue
        bands.append(Band(first=float(first), last=float(last), name=phase.name))
    return tuple(bands)


def runs(y: Sequence[float]) -> list[tuple[int, int]]:
    """Return the stretches ``(start, stop)`` of finite values."""
    found: list[tuple[int, int]] = []
    start: int | None = None
    for i, value in enumerate([*y, math.nan]):
        if math.isfinite(value) and start is None:
            start = i
        elif not math.isfinite(value) and start is not None:
            found.append((start, i))
            start = None
    return found


class _Plane:
    """Places of a chart in pixels."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.low, self.high = chart.bounds

    def x(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return TOP + (1 - min(max(self.chart.scale(value), 0.0), 1.0)) * (HEIGHT - TOP - BOTTOM)


def draw(chart: Chart, *, standalone: bool = False, identity: str = "") -> str:
    """Return one ``<svg>`` element; ``standalone`` adds the name space, a background and fixed colours."""
    plane = _Plane(chart)
    finite = [v for v in chart.y if math.isfinite(v)]
    spread = f"from {number(min(finite))} to {number(max(finite))}" if finite else "never finite"
    title = escape(f"{chart.raw_name}: {spread}, first {number(chart.y[0])}, last {number(chart.y[-1])}")
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
    head += f' id="{escape(identity)}"' if identity else ""
    head += f' xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"' if standalone else ' class="chart"'
    back = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>' if standalone else ""
    name = ""
    if standalone:
        name = (
            f'<text x="{LEFT}" y="10" font-family="sans-serif" font-size="10" fill="#333333">'
            f"{escape(chart.raw_name)}</text>"
        )
    return "".join(
        (f"{head}><title>{title}</title>", back, name, _draw_bands(plane), _draw_axes(plane), _draw_curve(plane),
         _draw_marks(plane), "</svg>")
    )  # fmt: skip


def _draw_bands(plane: _Plane) -> str:
    out = []
    for band in plane.chart.bands:
        a, b = plane.x(band.first), plane.x(band.last)
        out.append(
            f'<rect class="band" x="{a:.1f}" y="{TOP}" width="{max(b - a, 1):.1f}" height="{HEIGHT - TOP - BOTTOM}"'
            f' fill="{_color(band.name)}" fill-opacity="0.1"><title>{escape(band.name)}</title></rect>'
        )
    return "".join(out)


def swatch(phase: str) -> str:
    """Return the colour of a phase as a small square for a legend."""
    return f'<rect width="10" height="10" fill="{_color(phase)}" fill-opacity="0.35"/>'


def _color(phase: str) -> str:
    return BANDS.get(phase.split()[0].lower() if phase.split() else "", "#78909c")


def _draw_axes(plane: _Plane) -> str:
    chart = plane.chart
    out = []
    for tick in ticks(chart.scale):
        y = plane.y(tick)
        out.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#9e9e9e"'
            f' stroke-opacity="0.3"/>{_text(LEFT - 5, y + 3.5, number(tick), "end")}'
        )
    out += [_text(plane.x(tick), HEIGHT - 20, number(tick), "middle", "xtick") for tick in nice(*chart.bounds, 6)]
    kind = "" if chart.scale.kind == "linear" else f", {chart.scale.kind} scale"
    out.append(_text(WIDTH - RIGHT, HEIGHT - 5, f"{chart.x_label}{kind}", "end"))
    return "".join(out)


def _text(x: float, y: float, text: str, anchor: str, css: str = "tick") -> str:
    return (
        f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-family="sans-serif" font-size="9.5"'
        f' fill="#757575">{escape(text)}</text>'
    )


def _draw_curve(plane: _Plane) -> str:
    chart = plane.chart
    out = []
    for start, stop in runs(chart.y):
        points = " ".join(f"{plane.x(chart.x[i]):.1f},{plane.y(chart.y[i]):.1f}" for i in range(start, stop))
        if stop - start == 1:
            points = f"{points} {points}"
        out.append(
            f'<polyline class="curve" points="{points}" fill="none" stroke="#1565c0" stroke-width="1.4"'
            ' stroke-linejoin="round" stroke-linecap="round"/>'
        )
    for i, value in enumerate(chart.y):
        if not math.isfinite(value):
            x, y = plane.x(chart.x[i]), TOP + 5
            out.append(
                f'<path class="nan" d="M{x - 3:.1f},{y - 3}l6,6m0,-6l-6,6" stroke="#c62828" stroke-width="1.3">'
                f"<title>{'NaN' if math.isnan(value) else 'infinite'} at line {chart.line[i]}</title></path>"
            )
    return "".join(out)


def _draw_marks(plane: _Plane) -> str:
    color = {"critical": "#c62828", "warning": "#ef6c00", "event": "#6a1b9a"}
    out = []
    for mark in plane.chart.marks:
        x = plane.x(mark.x)
        dash = ' stroke-dasharray="2,3"' if mark.kind == "event" else ' stroke-dasharray="5,3"'
        out.append(
            f'<line class="mark {mark.kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"'
            f' stroke="{color.get(mark.kind, "#757575")}" stroke-width="1.3"{dash}>'
            f"<title>{escape(mark.text)}</title></line>"
        )
    return "".join(out)


def figures(diagnosis: Diagnosis) -> dict[str, str]:
    """Return file name -> SVG for the metrics worth a picture (the files of ``--figures``)."""
    drawn = charts(diagnosis)
    return {
        f"{_slug(name)}.svg": draw(drawn[name], standalone=True) + "\n" for name in pick(diagnosis) if name in drawn
    }


def _slug(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)[:80] or "metric"
