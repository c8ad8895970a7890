"""Runs made from arrays, so that rules can be tested without a file."""

from __future__ import annotations

import numpy as np

from logdoctor.engine import judge
from logdoctor.model import Clock, Event, Reading, RunLog, Segment, Series, SourceInfo
from logdoctor.settings import Settings
from logdoctor.view import RunView


def series_of(name, values, *, step=None, raw_name=None, line=None, segment=None):
    value = np.asarray(values, dtype=np.float64)
    n = value.size
    return Series(
        name=name,
        raw_name=raw_name or name,
        value=value,
        step=np.arange(1, n + 1, dtype=np.float64) * 100 if step is None else np.asarray(step, dtype=np.float64),
        line=np.arange(1, n + 1, dtype=np.int64) if line is None else np.asarray(line, dtype=np.int64),
        segment=np.zeros(n, dtype=np.int64) if segment is None else np.asarray(segment, dtype=np.int64),
        judged=np.ones(n, dtype=np.bool_),
        count=n,
        nonfinite=int((~np.isfinite(value)).sum()),
    )


def run_of(*series, events=(), segments=None, format="columns", unit="steps"):
    rows = max(len(s) for s in series)
    last = max(int(s.line[-1]) for s in series)
    whole = Segment(index=0, first_line=1, last_line=last, first_step=100.0, last_step=100.0 * rows, rows=rows)
    reading = Reading(
        format=format, rows=rows, metric_lines=rows, unread_lines=0, coverage=1.0,
        segments=tuple(segments) if segments else (whole,), clocks=(Clock(name="step", unit=unit, primary=True),),
    )  # fmt: skip
    return RunLog(
        source=SourceInfo(path="made.log", lines=last), reading=reading, events=tuple(events),
        series={s.name: s for s in series},
    )  # fmt: skip


def view_of(*series, settings=(), **more):
    return RunView(run_of(*series, **more), settings=settings)


def found(view, *select):
    """Return name -> finding for the rules selected; a rule that fails is an error of the test."""
    findings, checks = judge(view, Settings(select=select))
    broken = [check for check in checks if check.state == "failed"]
    assert not broken, broken
    return {finding.name: finding for finding in findings}


def event(kind, line, text=""):
    return Event(line=line, step=None, kind=kind, text=text)


def noise(count, size=1.0, seed=0):
    return size * np.random.default_rng(seed).standard_normal(count)


def learns(count=120, low=0.0, high=100.0, size=2.0, seed=1):
    """A return that rises in an S and stays."""
    return low + (high - low) / (1 + np.exp(-np.linspace(-6, 6, count))) + noise(count, size, seed)
