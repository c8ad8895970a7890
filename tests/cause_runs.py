"""Runs made of arrays, and findings made by name: what the tests of causes, norms and ranking judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from logdoctor.model import Event, Finding, Place, Reading, RunLog, Segment, Series, Setting, Severity, SourceInfo
from logdoctor.view import RunView


def series(name: str, values: Sequence[float]) -> Series:
    value = np.asarray(values, dtype=np.float64)
    count = value.size
    return Series(
        name=name,
        raw_name=name,
        value=value,
        step=np.arange(1, count + 1) * 1000.0,
        line=np.arange(11, 11 + count, dtype=np.int64),
        segment=np.zeros(count, np.int64),
        judged=np.ones(count, bool),
        count=count,
    )


def view(
    settings: Mapping[str, Any] | None = None, events: Sequence[Event] = (), **columns: Sequence[float]
) -> RunView:
    """A run with the given columns; ``settings`` come as from a configuration file."""
    made = {name: series(name, values) for name, values in columns.items()}
    rows = max((len(s) for s in made.values()), default=0)
    segment = Segment(index=0, first_line=1, last_line=10 + rows, first_step=1000.0, last_step=rows * 1000.0)
    reading = Reading(format="test", rows=rows, metric_lines=rows, unread_lines=0, coverage=1.0, segments=(segment,))
    run = RunLog(source=SourceInfo(path="test.log"), reading=reading, series=made, events=tuple(events))
    given = tuple(
        Setting(name=name, raw_name=name, value=value, line=i + 1, source="config.yaml")
        for i, (name, value) in enumerate((settings or {}).items())
    )
    return RunView(run, settings=given)


def finding(name: str, severity: Severity = "critical", line: int | None = None, **figures: Any) -> Finding:
    onset = None if line is None else Place(line=line, step=float(line))
    return Finding(
        id=f"LD-{name}",
        name=name,
        severity=severity,
        confidence=0.9,
        summary=f"{name} fired",
        onset=onset,
        figures=figures,
    )


def found(*names: str) -> dict[str, Finding]:
    return {name: finding(name) for name in names}


def noisy(values: Sequence[float] | np.ndarray, size: float, seed: int = 3) -> np.ndarray:
    return np.asarray(values, dtype=np.float64) + size * np.random.default_rng(seed).standard_normal(len(values))
