"""A log that grows, held in bounded memory: what a new line costs does not depend on how many came before it.

The newest lines are kept as text and read anew at each look. When there are too many, the older part is retired: its
values go into the bins of :mod:`logdoctor.streaming` (observed values with their extremes, at most a few thousand a
metric), its settings and events into short lists. The first lines of the current run stay, since a header or a banner
may be printed only once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from logdoctor import custom_formats
from logdoctor.model import Event, Ints, Issue, Masked, Reading, RunLog, Segment, Series, Setting, SourceInfo
from logdoctor.reader import assemble
from logdoctor.renaming import renamed
from logdoctor.settings import Settings
from logdoctor.streaming import Reducer

Line = tuple[int, str]

WINDOW = 3000  # lines of text at most, read anew at each look
KEEP = 1000  # lines that stay when older ones are retired, so that clocks and headers are known from context
OVERLAP = 200  # lines kept before the border: a record may spread over many lines (a progress bar, a boxed table)
PREAMBLE = 200  # lines kept from the beginning of the current run
EVENTS = 2000
SETTINGS = 1000


@dataclass(slots=True)
class _Origin:
    """Stands for the source where the reader asks for one."""

    info: SourceInfo
    issues: tuple[Issue, ...] = ()
    texts: dict[int, str] = field(default_factory=dict)

    def fetch(self, lines: Iterable[int]) -> dict[int, str]:
        return {number: self.texts[number] for number in lines if number in self.texts}


class Growing:
    """Feed it lines; :meth:`run_log` is the log so far."""

    def __init__(self, path: str, settings: Settings | None = None) -> None:
        """Start with nothing."""
        self.path = path
        self.settings = settings or Settings()
        self.lines_read = 0
        self.bytes_read = 0
        self._window: list[Line] = []
        self._preamble: list[Line] = []
        self._retired = 0  # the last line whose values are in the bins
        self._bins: dict[str, Reducer] = {}
        self._last: dict[str, Series] = {}
        self._segments: list[Segment] = []
        self._rows = 0
        self._metric_lines = 0
        self._unread_lines = 0
        self._settings: dict[tuple[int | None, str], Setting] = {}
        self._events: dict[int, Event] = {}
        self._masked: dict[int, Masked] = {}

    @property
    def runs(self) -> int:
        """Segments that have been seen; it grows when the program was started again."""
        return len(self._segments)

    def feed(self, lines: list[Line]) -> None:
        """Append numbered lines."""
        if not lines:
            return
        self.lines_read = lines[-1][0]
        if len(self._preamble) < PREAMBLE and not self._retired:
            self._preamble += lines[: PREAMBLE - len(self._preamble)]
        self._window += lines
        while len(self._window) > WINDOW:
            self._retire()

    def seed(self, run: RunLog, lines: int, first: list[Line], last: list[Line]) -> None:
        """Begin with a log that was read as a whole.

        Args:
            run: the log; what lies after line ``lines`` is left out, since it will be fed.
            lines: how many lines have been taken.
            first: the first of these lines, for the preamble.
            last: the last of these lines, for the window.
        """
        self.lines_read = lines
        self._rows, self._unread_lines = run.reading.rows, run.reading.unread_lines
        self._metric_lines = run.reading.metric_lines
        starts = [s.first_line for s in run.reading.segments if s.first_line <= lines]
        for name, series in run.series.items():
            self._last[name] = series
            self._store(name, _spread_out(series.where(series.line <= lines)), starts[1:])
        self._segments = self._merged_segments(run, lines)
        self._remember(run, lines)
        begin = starts[-1] if starts else 1
        self._preamble = (
            [line for line in last if line[0] >= begin][:PREAMBLE] if begin > len(first) else first[:PREAMBLE]
        )
        self._retired, self._window = lines, list(last[-OVERLAP:])

    def run_log(self) -> RunLog:
        """Return the log so far."""
        return self._joined(self._read(self._window))

    # ------------------------------------------------------------------------------------------------ reading
    def _read(self, lines: list[Line]) -> RunLog:
        first = lines[0][0] if lines else 1
        numbered = [line for line in self._preamble if line[0] < first] + lines
        info = SourceInfo(path=self.path, bytes=self.bytes_read, lines=self.lines_read)
        own, parser = custom_formats.chosen(self.settings.parser, self.settings.formats)
        matched = custom_formats.match(own, numbered) if own else None
        run = assemble(_Origin(info=info, texts=dict(numbered)), numbered, parser, matched)
        return renamed(run, self.settings.names)

    def _retire(self) -> None:
        """Move the values of the oldest lines into the bins."""
        part, later = self._window[:WINDOW], self._window[WINDOW:]
        run = self._read(part)
        border = part[-KEEP][0] - 1
        self._count(run, border)
        starts = [s.first_line for s in self._renumbered(run, border) if s.first_line > self._retired]
        for name, series in run.series.items():
            self._last[name] = series
            self._store(name, series.where(_between(series, self._retired, border)), starts)
        self._segments = self._merged_segments(run, border)
        self._remember(run, border)
        if starts:
            first = starts[-1]
            self._preamble = [line for line in part if line[0] >= first][:PREAMBLE]
        self._retired = border
        self._window = [line for line in part if line[0] > border - OVERLAP] + later

    def _count(self, run: RunLog, border: int) -> None:
        lines = [s.line[_between(s, self._retired, border)] for s in run.series.values()]
        printed = int(np.unique(np.concatenate(lines)).size) if lines else 0
        self._metric_lines += printed
        coverage = run.reading.coverage
        self._unread_lines += round(printed * (1 / coverage - 1)) if coverage else 0
        self._rows += max((part.size for part in lines), default=0)

    def _store(self, name: str, series: Series, starts: list[int]) -> None:
        """Put judged values into the bins of a metric; no bin crosses the start of a run."""
        bins = self._bins.setdefault(name, Reducer(beside=2))
        series = series.where(series.judged)
        edges = np.searchsorted(series.line, starts)
        for first, last in zip([0, *edges], [*edges, len(series)], strict=True):
            if first:
                bins.cut()
            time = np.full(last - first, np.nan) if series.time is None else series.time[first:last]
            bins.add(series.value[first:last], series.line[first:last], series.step[first:last], time)

    def _remember(self, run: RunLog, border: int) -> None:
        for item in run.hyperparameters:
            if (item.line or 0) <= border and len(self._settings) < SETTINGS:
                self._settings.setdefault((item.line, item.name), item)
        for event in run.events:
            if event.line <= border:
                self._events.setdefault(event.line, event)
        while len(self._events) > EVENTS:  # the first say how the run began; of the others the latest matter
            self._events.pop(sorted(self._events)[EVENTS // 2])
        self._masked |= {m.first_line: m for m in run.reading.masked if m.last_line <= border}

    # ----------------------------------------------------------------------------------------------- segments
    def _renumbered(self, run: RunLog, border: float = np.inf) -> list[Segment]:
        """Segments of the lines after the retired ones; the first goes on with the last retired one."""
        return [s for s in run.reading.segments if s.last_line > self._retired and s.first_line <= border]

    def _merged_segments(self, run: RunLog, border: float = np.inf) -> list[Segment]:
        """Retired segments and those of ``run`` up to ``border``, numbered through."""
        merged = list(self._segments)
        for segment in self._renumbered(run, border):
            if merged and segment.first_line <= self._retired:
                last = merged[-1]
                merged[-1] = replace(last, last_line=segment.last_line, last_step=segment.last_step)
            else:
                merged.append(replace(segment, index=len(merged)))
        return merged

    # ------------------------------------------------------------------------------------------------ joining
    def _joined(self, run: RunLog) -> RunLog:
        if not self._retired:
            return run
        segments = self._merged_segments(run)
        firsts = np.array([s.first_line for s in segments], dtype=np.int64)
        series = {}
        for name in dict.fromkeys([*self._bins, *run.series]):
            joined = self._series(name, run.series.get(name), firsts)
            if joined is not None:
                series[name] = joined
        settings = self._settings | {(item.line, item.name): item for item in run.hyperparameters}
        events = self._events | {event.line: event for event in run.events}
        return replace(
            run,
            reading=self._reading(run, tuple(_counted(segments, series))),
            series=series,
            hyperparameters=tuple(replace(s, segment=_owner(s, segments)) for s in settings.values()),
            events=tuple(replace(events[n], segment=_at(n, firsts)) for n in sorted(events)),
            raw_names={name: item.raw_name for name, item in series.items()},
            build_frame=None,
        )

    def _series(self, name: str, now: Series | None, firsts: Ints) -> Series | None:
        known = now if now is not None else self._last[name]
        parts = []
        if name in self._bins:
            points = self._bins[name].points()
            step, time = points.beside
            parts.append(
                {
                    "value": points.value, "step": step, "line": points.line, "time": time,
                    "low": points.low, "high": points.high, "low_line": points.low_line, "high_line": points.high_line,
                    "weight": points.weight, "judged": np.ones(len(points), dtype=np.bool_),
                }
            )  # fmt: skip
        if now is not None:
            new = now.where(now.line > self._retired)
            time = np.full(len(new), np.nan) if new.time is None else new.time
            parts.append(
                {
                    "value": new.value, "step": new.step, "line": new.line, "time": time,
                    "low": new.lows, "high": new.highs, "low_line": new.low_lines, "high_line": new.high_lines,
                    "judged": new.judged,
                    "weight": np.ones(len(new), dtype=np.int64),
                }
            )  # fmt: skip
        arrays = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        if not arrays["value"].size:
            return None
        if np.isnan(arrays["time"]).all():
            del arrays["time"]
        return Series(
            name=name, raw_name=known.raw_name, clock=known.clock, unit=known.unit, phase=known.phase, goal=known.goal,
            segment=np.maximum(np.searchsorted(firsts, arrays["line"], side="right") - 1, 0),
            missing=known.missing, unreadable=known.unreadable,
            nonfinite=int((~np.isfinite(arrays["value"])).sum()), count=int(arrays["weight"].sum()), **arrays,
        )  # fmt: skip

    def _reading(self, run: RunLog, segments: tuple[Segment, ...]) -> Reading:
        lines = [s.line[s.line > self._retired] for s in run.series.values()]
        printed = int(np.unique(np.concatenate(lines)).size) if lines else 0
        coverage = run.reading.coverage
        unread = self._unread_lines + (round(printed * (1 / coverage - 1)) if coverage else 0)
        read = self._metric_lines + printed
        masked = self._masked | {m.first_line: m for m in run.reading.masked}
        return replace(
            run.reading, segments=segments, streamed=True, metric_lines=read, unread_lines=unread,
            rows=self._rows + max((part.size for part in lines), default=0),
            coverage=read / (read + unread) if read + unread else 0.0,
            masked=tuple(masked[n] for n in sorted(masked)),
        )  # fmt: skip


def _spread_out(series: Series) -> Series:
    """Return the bins of a reduced series as the values they hold: middle, lowest and highest, each on its line."""
    if series.low is None or series.high is None:
        return series
    value = np.concatenate([series.value, series.lows, series.highs])
    line = np.concatenate([series.line, series.low_lines, series.high_lines])
    _, keep = np.unique(line, return_index=True)
    return replace(
        series, value=value[keep], line=line[keep], step=np.tile(series.step, 3)[keep],
        segment=np.tile(series.segment, 3)[keep], judged=np.tile(series.judged, 3)[keep],
        time=None if series.time is None else np.tile(series.time, 3)[keep],
        low=None, high=None, low_line=None, high_line=None, weight=None,
    )  # fmt: skip


def _between(series: Series, after: int, last: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return (series.line > after) & (series.line <= last)


def _at(line: int, firsts: Ints) -> int:
    return max(0, int(np.searchsorted(firsts, line, side="right")) - 1)


def _owner(setting: Setting, segments: list[Segment]) -> int | None:
    """A banner belongs to the run that begins below it."""
    if len(segments) < 2:
        return None
    line = setting.line or 0
    return next((s.index for s in segments if s.last_line >= line), segments[-1].index)


def _counted(segments: list[Segment], series: dict[str, Series]) -> Iterable[Segment]:
    """Fill in the rows of each segment: those of its longest metric."""
    for segment in segments:
        rows = [
            int((s.weight if s.weight is not None else np.ones(len(s)))[s.segment == segment.index].sum())
            for s in series.values()
        ]
        yield replace(segment, rows=max(rows, default=0))
