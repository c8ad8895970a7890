"""One way to look at the metrics of a run, whether it was just read or comes from a saved report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from logdoctor.analysing import load_report, looks_like_report
from logdoctor.engine import diagnose
from logdoctor.errors import InputError
from logdoctor.model import Bools, Diagnosis, Floats, Goal, Ints, RunLog
from logdoctor.settings import Settings
from logdoctor.view import LEAST_ROWS, RunView, main_run, runs_of

WINDOW = 0.1  # share of the run whose median is its level; the last tenth is what most tools call "final"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """The judged values of one metric, in file order. Arrays have one shape, ``(n,)``."""

    name: str
    goal: Goal
    clock: str | None
    step: Floats
    value: Floats
    line: Ints

    def where(self, keep: Bools) -> Track:
        """Return the points at which ``keep`` is true."""
        return Track(
            name=self.name, goal=self.goal, clock=self.clock,
            step=self.step[keep], value=self.value[keep], line=self.line[keep],
        )  # fmt: skip

    @property
    def finite(self) -> Track:
        """The points with a finite value and step."""
        return self.where(np.isfinite(self.value) & np.isfinite(self.step))

    def __len__(self) -> int:
        """Return the number of points."""
        return int(self.value.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """A run as ``compare`` and ``check`` see it; ``saved`` when only its report is at hand."""

    diagnosis: Diagnosis
    tracks: Mapping[str, Track]
    saved: bool

    def last_step(self, clock: str | None = None) -> float | None:
        """Return the last step on a clock (None: the primary one), or None when it has none."""
        ends = [
            float(np.nanmax(t.step)) for t in self.tracks.values() if t.clock == clock and np.isfinite(t.step).any()
        ]
        return max(ends, default=None)

    def first_step(self, clock: str | None = None) -> float | None:
        """Return the first step on a clock."""
        starts = [
            float(np.nanmin(t.step)) for t in self.tracks.values() if t.clock == clock and np.isfinite(t.step).any()
        ]
        return min(starts, default=None)


def subject(
    source: Diagnosis | RunLog | str | Path, *, config: str | Path | None = None, settings: Settings | None = None
) -> Subject:
    """Return the run behind a log, a log that was read, a diagnosis or a saved report.

    Raises:
        InputError: it cannot be read.
    """
    if isinstance(source, Diagnosis):
        return Subject(diagnosis=source, tracks=_from_curves(source), saved=True)
    if not isinstance(source, RunLog):
        if str(source) != "-" and looks_like_report(source):
            return subject(load_report(source))
        from logdoctor.reader import read_log

        run: RunLog = read_log(source, stream=True, settings=settings)
    else:
        run = source
    diagnosis = diagnose(run, hyperparameters=config, settings=settings)
    return Subject(diagnosis=diagnosis, tracks=_from_run(run), saved=False)


def _from_run(run: RunLog) -> dict[str, Track]:
    view = main_run([RunView(run, segments=group) for group in runs_of(run)])
    found = {}
    for name in view.names:
        series = view.get(name)
        if series is not None:
            found[name] = Track(
                name=name, goal=series.goal, clock=series.clock, step=series.step, value=series.value, line=series.line
            )
    return found


def _from_curves(diagnosis: Diagnosis) -> dict[str, Track]:
    """Take the thinned curves of a report, without the earlier runs of the same file."""
    goals = {metric.name: metric.goal for metric in diagnosis.metrics}
    first, last = _main_lines(diagnosis)
    found = {}
    for curve in diagnosis.curves:
        track = Track(
            name=curve.metric, goal=goals.get(curve.metric, "none"), clock=curve.clock,
            step=np.asarray(curve.step, dtype=np.float64), value=np.asarray(curve.value, dtype=np.float64),
            line=np.asarray(curve.line, dtype=np.int64),
        )  # fmt: skip
        track = track.where((track.line >= first) & (track.line <= last))
        if len(track):
            found[track.name] = track
    return found


def _main_lines(diagnosis: Diagnosis) -> tuple[float, float]:
    """First and last line of the run that the report is about: the last one with enough rows, else the longest."""
    reading = diagnosis.reading
    by_index = {segment.index: segment for segment in reading.segments}
    if not by_index:
        return 0, np.inf
    groups = [[by_index[i] for i in g] for g in runs_of(RunLog(source=diagnosis.source, reading=reading, series={}))]
    rows = [sum(segment.rows for segment in group) for group in groups]
    long = [number for number, count in enumerate(rows) if count >= LEAST_ROWS]
    group = groups[long[-1] if long else rows.index(max(rows))]
    return group[0].first_line, group[-1].last_line


def need(subject: Subject, what: str) -> None:
    """Refuse a run without any metric.

    Raises:
        InputError: nothing was read.
    """
    if not subject.tracks:
        raise InputError(f"{what} holds no metric that could be read")
