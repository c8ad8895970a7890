"""Directories -> runs: which files are logs, which of them belong together, and several files read as one run.

Files of one directory are one run when their steps agree and their metrics differ (a training log beside an evaluation
log). With the same metrics they are several runs. A twin (``log.txt`` beside ``progress.csv``) is read once.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from logdoctor import discovery
from logdoctor.documents import _record
from logdoctor.errors import InputError, LogDoctorError
from logdoctor.model import Event, Issue, Reading, RunLog, Series, Setting, SourceInfo
from logdoctor.sources import open_source

if TYPE_CHECKING:
    import pandas as pd

_SUFFIXES = """
.py .pyc .md .rst .yaml .yml .toml .ini .cfg .sh .html .css .js .ipynb .lock .tex .png .svg .bib .sbatch .slurm .patch
.diff .c .cpp .h .cu .rs .go .java .xml
"""
#: Suffixes of what lies beside logs.
_BESIDE = frozenset(_SUFFIXES.split())
_NAMES = frozenset({"readme", "license", "licence", "requirements", "changelog", "makefile", "dockerfile", "authors"})
HEAD_BYTES = 64 << 10
LEAST_VALUES = 3
MOST_TOGETHER = 8
"""More logs than this in one directory are a collection of runs, not the files of one."""
SAME_SPAN = 0.7
"""Share of the joint range of steps that two files of one run have in common."""
SAME_METRICS = 0.5
"""Share of common metric names from which on two files are two runs of one program."""

Reader = Callable[[str], RunLog]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup:
    """One run: the path to read it by, and the files that it consists of."""

    path: str
    files: tuple[str, ...]


def find_logs(paths: Iterable[str | Path], read: Reader | None = None) -> list[LogGroup]:
    """Return the runs that files, globs and directories name, in order.

    Args:
        paths: files, globs, directories, ``-`` or URLs.
        read: reads a log; with it the files of a directory are compared, without it each is a run of its own.

    Raises:
        InputError: a path is missing, or a directory holds no log.
    """
    groups: list[LogGroup] = []
    for path in paths:
        folder = Path(path).expanduser()
        if str(path) != "-" and "://" not in str(path) and folder.is_dir():
            groups += _in_directory(folder, str(path), read)
        else:
            groups += [LogGroup(path=item, files=(item,)) for item in discovery.expand([path])]
    seen: dict[str, LogGroup] = {}
    for group in groups:
        seen.setdefault(group.path, group)
    return list(seen.values())


def is_log(path: str | Path) -> bool:
    """Whether the first 64 KiB of a file hold at least three values of one metric."""
    file = Path(path)
    if file.suffix.lower() in _BESIDE or file.stem.lower() in _NAMES:
        return False
    from logdoctor.reader import read_log

    try:
        source = open_source(file)
        if next(_record.find(_record.Probe(path=file, head=source.head)), None) is not None:
            run = read_log(file)
        else:
            run = read_log(io.BytesIO(source.head[:HEAD_BYTES]))  # type: ignore[arg-type]
    except LogDoctorError:
        return False
    return any(len(series) >= LEAST_VALUES for series in run.series.values())


def read_together(files: Sequence[str], name: str, read: Reader) -> RunLog:
    """Read several files as one run.

    Lines are counted through the files in the order given; a quoted line says of which file it is.

    Raises:
        InputError: a file cannot be read.
    """
    return joined([read(file) for file in files], files, name)


def read_directory(folder: str | Path, read: Reader) -> RunLog:
    """Read a directory that is one run.

    Raises:
        InputError: it holds no log, or several runs.
    """
    groups = find_logs([folder], read)
    if len(groups) > 1:
        shown = ", ".join(Path(group.path).name for group in groups[:3])
        raise InputError(f"the directory {folder} holds {len(groups)} runs ({shown} ...), not one")
    files = groups[0].files
    return read_together(files, str(folder), read) if len(files) > 1 else read(files[0])


def joined(runs: Sequence[RunLog], files: Sequence[str], name: str) -> RunLog:
    """Join logs that were read into one; the first of the longest gives the segments."""
    order = sorted(range(len(runs)), key=lambda at: -runs[at].reading.rows)
    main = runs[order[0]]
    starts, total = [], 0
    for run in runs:
        starts.append(total)
        total += max(run.source.lines, 1)
    series: dict[str, Series] = {}
    for at in order:
        for label, item in runs[at].series.items():
            own = label if label not in series else f"{Path(files[at]).name.split('.')[0]}_{label}"
            series.setdefault(own, _shifted(item, own, starts[at], main, runs[at] is main))
    return RunLog(
        source=_source(runs, name, total),
        reading=_reading(runs, files, starts, main, order[0]),
        series=series,
        hyperparameters=tuple(_moved_settings(runs, starts)),
        events=tuple(sorted(_moved_events(runs, starts), key=lambda event: event.line)),
        raw_names={label: item.raw_name for label, item in series.items()},
        fetch=_fetcher(runs, files, starts),
        build_frame=lambda: _frame(series),
    )


# ------------------------------------------------------------------------------------------------------- directories


def _in_directory(folder: Path, shown: str, read: Reader | None) -> list[LogGroup]:
    if _is_document(folder):
        return [LogGroup(path=shown, files=(shown,))]
    texts = [Path(item) for item in discovery.walk(folder)]
    inside: dict[Path, list[Path]] = {}
    documents: dict[Path, None] = {}
    for file in [*texts, *_event_files(folder)]:
        home = next((parent for parent in reversed(_parents(file, folder)) if _is_document(parent)), None)
        if home is not None:
            documents.setdefault(home)
        elif file in texts or "tfevents" in file.name:
            inside.setdefault(file.parent, []).append(file)
    groups = [LogGroup(path=str(home), files=(str(home),)) for home in documents]
    for home, files in inside.items():
        groups += _of_files(home, [file for file in files if is_log(file)], read)
    if not groups and texts:
        groups = [LogGroup(path=str(file), files=(str(file),)) for file in texts if file.suffix.lower() not in _BESIDE]
    if not groups:
        raise InputError(f"there is no log in the directory {shown}")
    return sorted(groups, key=lambda group: group.path)


def _is_document(folder: Path) -> bool:
    return next(_record.find(_record.Probe(path=folder)), None) is not None


def _parents(file: Path, top: Path) -> list[Path]:
    return [parent for parent in file.parents if parent == top or top in parent.parents]


def _event_files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*tfevents*")) if file.is_file()]


def _of_files(home: Path, files: list[Path], read: Reader | None) -> list[LogGroup]:
    alone = [LogGroup(path=str(file), files=(str(file),)) for file in files]
    if read is None or not 2 <= len(files) <= MOST_TOGETHER:
        return alone
    try:
        runs = {file: read(str(file)) for file in files}
    except LogDoctorError:
        return alone
    kept = [
        file
        for at, file in enumerate(files)
        if not any(_twins(runs[file], runs[other], file, other) for other in files[:at])
    ]
    together = len(kept) >= 2 and all(_one_run(runs[a], runs[b]) for at, a in enumerate(kept) for b in kept[:at])
    if together:
        return [LogGroup(path=str(home), files=tuple(str(file) for file in kept))]
    return [group for group in alone if Path(group.path) in kept]


def _span(run: RunLog) -> tuple[str, float, float] | None:
    steps = [s.step for s in run.series.values() if s.clock is None and len(s) and np.isfinite(s.step).any()]
    primary = next((clock for clock in run.reading.clocks if clock.primary), None)
    if not steps or primary is None or primary.unit == "lines":
        return None
    return primary.unit, min(float(np.nanmin(s)) for s in steps), max(float(np.nanmax(s)) for s in steps)


def _one_run(one: RunLog, other: RunLog) -> bool:
    """Whether two files count the same steps over the same range and measure different things."""
    a, b = _span(one), _span(other)
    if a is None or b is None or a[0] != b[0]:
        return False
    common = min(a[2], b[2]) - max(a[1], b[1])
    whole = max(a[2], b[2]) - min(a[1], b[1])
    names, others = set(one.series), set(other.series)
    shared = len(names & others) / max(1, min(len(names), len(others)))
    return whole > 0 and common >= SAME_SPAN * whole and shared < SAME_METRICS


def _twins(one: RunLog, other: RunLog, file: Path, of: Path) -> bool:
    """Whether two files of different suffix hold the same values of the same metrics."""
    if file.suffix == of.suffix:
        return False
    names = set(one.series) & set(other.series)
    if not names or len(names) < SAME_METRICS * min(len(one.series), len(other.series)):
        return False
    ends = [(one.series[n].value, other.series[n].value) for n in names]
    same = sum(
        a.size == b.size and bool(np.allclose(a[[0, -1]], b[[0, -1]], rtol=1e-2, equal_nan=True)) for a, b in ends
    )
    return same >= 0.8 * len(ends)


# ------------------------------------------------------------------------------------------------------------ joining


def _shifted(item: Series, name: str, start: int, main: RunLog, own: bool) -> Series:
    """Return a series with lines counted through all files, in the segments of the main one."""
    return replace(
        item,
        name=name,
        segment=item.segment if own else _segment_by_step(item, main),
        line=item.line + start,
        low_line=None if item.low_line is None else item.low_line + start,
        high_line=None if item.high_line is None else item.high_line + start,
    )


def _segment_by_step(item: Series, main: RunLog) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    out = np.zeros(item.step.size, np.int64)
    for segment in main.reading.segments:
        if segment.first_step is not None and segment.last_step is not None:
            out[(item.step >= segment.first_step) & (item.step <= segment.last_step)] = segment.index
    return out


def _source(runs: Sequence[RunLog], name: str, lines: int) -> SourceInfo:
    import hashlib

    digest = hashlib.sha256("".join(run.source.sha256 for run in runs).encode(), usedforsecurity=False)
    newest = max((run.source.modified or 0.0 for run in runs), default=0.0)
    return SourceInfo(
        path=name,
        bytes=sum(run.source.bytes for run in runs),
        lines=lines,
        sha256=digest.hexdigest(),
        modified=newest or None,
    )


def _reading(runs: Sequence[RunLog], files: Sequence[str], starts: Sequence[int], main: RunLog, at: int) -> Reading:
    shift = starts[at]
    segments = tuple(
        replace(s, first_line=s.first_line + shift, last_line=s.last_line + shift) for s in main.reading.segments
    )
    issues = [
        Issue(line=start + 1, text=f"{Path(file).name} begins here; lines are counted through {len(files)} files")
        for file, start in zip(files, starts, strict=True)
    ]
    issues += [
        replace(issue, line=None if issue.line is None else issue.line + start)
        for run, start in zip(runs, starts, strict=True)
        for issue in run.reading.issues
    ]
    metric, unread = sum(r.reading.metric_lines for r in runs), sum(r.reading.unread_lines for r in runs)
    masked = [
        replace(m, first_line=m.first_line + start, last_line=m.last_line + start)
        for run, start in zip(runs, starts, strict=True)
        for m in run.reading.masked
    ]
    return replace(
        main.reading,
        rows=sum(run.reading.rows for run in runs),
        metric_lines=metric,
        unread_lines=unread,
        coverage=metric / (metric + unread) if metric + unread else 0.0,
        segments=segments,
        issues=tuple(issues),
        masked=tuple(masked),
        formats=tuple(dict.fromkeys(name for run in runs for name in run.reading.formats)),
    )


def _moved_settings(runs: Sequence[RunLog], starts: Sequence[int]) -> Iterable[Setting]:
    for run, start in zip(runs, starts, strict=True):
        for item in run.hyperparameters:
            inside = item.line is not None and item.source == "log"
            yield replace(item, line=(item.line or 0) + start) if inside else item


def _moved_events(runs: Sequence[RunLog], starts: Sequence[int]) -> Iterable[Event]:
    for run, start in zip(runs, starts, strict=True):
        yield from (replace(event, line=event.line + start) for event in run.events)


def _fetcher(
    runs: Sequence[RunLog], files: Sequence[str], starts: Sequence[int]
) -> Callable[[Iterable[int]], dict[int, str]]:
    def fetch(wanted: Iterable[int]) -> dict[int, str]:
        by_file: dict[int, list[int]] = {}
        for line in wanted:
            by_file.setdefault(max(0, bisect_right(starts, line - 1) - 1), []).append(line)
        found: dict[int, str] = {}
        for at, lines in by_file.items():
            texts = runs[at].fetch([line - starts[at] for line in lines])
            found |= {n + starts[at]: f"{Path(files[at]).name}:{n}: {text}" for n, text in texts.items()}
        return found

    return fetch


def _frame(series: Mapping[str, Series]) -> pd.DataFrame:
    import pandas as pd

    parts = [
        pd.DataFrame({"line": s.line, "segment": s.segment, "step": s.step, name: s.value})
        for name, s in series.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    rows: pd.DataFrame = frame.groupby(["line", "segment", "step"], dropna=False, sort=True).first().reset_index()
    return rows
