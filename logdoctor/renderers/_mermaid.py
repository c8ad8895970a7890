"""Curves as Mermaid charts, which GitHub and GitLab draw where no file can be attached; only on request.

A chart holds at most 60 points. Each stands for an equal part of the steps and shows the value that is farthest from
the median of the series, so that a single peak is seen; a part without a finite value repeats the one before.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from logdoctor.model import Curve, Diagnosis
from logdoctor.renderers._figures import is_logarithmic, parts
from logdoctor.renderers._outline import label, unit
from logdoctor.renderers._tables import chosen_curves

CHARTS = 3  # more are not looked at
POINTS = 60
DIGITS = 5  # significant ones; the picture is not the place to read a figure from
NAME = 30  # characters of a metric's name
_UNSAFE = re.compile(r"[^\w %/().+-]")  # everything else could end a string or open another language


def charts(diagnosis: Diagnosis) -> str:
    """Return fenced ``xychart-beta`` charts of the curves that matter; empty where there is none."""
    shown = [text for curve in chosen_curves(diagnosis) if (text := _chart(diagnosis, curve))]
    return "\n\n".join(shown[:CHARTS])


def _chart(diagnosis: Diagnosis, curve: Curve) -> str:
    points = _points(curve)
    if len(points) < 2 or min(points) == max(points):
        return ""
    name = _safe(label(diagnosis, curve.metric, NAME))
    lost = sum(not math.isfinite(value) for value in curve.value)
    title = f"log10 of {name}" if is_logarithmic(curve.value) else name
    if lost:
        title += f" ({lost} of {len(curve.value)} values not finite)"
    return "\n".join(
        [
            "```mermaid",
            "xychart-beta",
            f'    title "{title}"',
            f"    {_axis(diagnosis, curve)}",
            f"    y-axis {_number(min(points))} --> {_number(max(points))}",
            f"    line [{', '.join(map(_number, points))}]",
            "```",
        ]
    )


def _axis(diagnosis: Diagnosis, curve: Curve) -> str:
    """Steps where they rise, else rows."""
    word = _safe(unit(diagnosis, curve.clock))
    first, last = curve.step[0], curve.step[-1]
    rising = math.isfinite(first) and math.isfinite(last) and last > first
    if not rising or word == "line":
        first, last, word = float(curve.line[0]), float(curve.line[-1]), "line"
    return f'x-axis "{word}" {_number(first)} --> {_number(last)}'


def _points(curve: Curve) -> list[float]:
    finite = [value for value in curve.value if math.isfinite(value)]
    if not finite:
        return []
    scale = math.log10 if is_logarithmic(curve.value) else float
    middle = sorted(finite)[len(finite) // 2]
    out: list[float] = []
    for part in parts(curve.step, list(curve.value), POINTS):
        here = [value for value in part if math.isfinite(value)]
        if here:
            out.append(scale(max(here, key=lambda value: abs(value - middle))))
        elif out:
            out.append(out[-1])
    return out


def _number(value: float) -> str:
    """Return a number without an exponent: the grammar of the chart knows none."""
    return format(Decimal(f"{value:.{DIGITS}g}"), "f")


def _safe(text: str) -> str:
    return _UNSAFE.sub("", text).strip() or "value"
