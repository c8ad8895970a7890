"""``--baseline``: logs, directories of logs or saved reports -> the sibling runs that rules compare with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from logdoctor.errors import InputError
from logdoctor.model import Diagnosis, RunLog
from logdoctor.rules._siblings import Sibling, Siblings, Track
from logdoctor.view import RunView, main_run, runs_of

MOST = 16  # siblings read; more add nothing to a comparison with the lowest of them
REPORT = ".json"


def load_siblings(baseline: Any, run: RunLog | None = None) -> Siblings | None:
    """Return the sibling runs that ``baseline`` names.

    Args:
        baseline: None, a path, several paths (logs, globs, directories, saved reports), logs already read, or
            :class:`Siblings`. The log of ``run`` itself is left out of a directory.
        run: the run that will be compared.

    Raises:
        InputError: a path is missing, a saved report is damaged, or nothing comparable is found.
    """
    if baseline is None or isinstance(baseline, Siblings):
        return baseline
    items = [baseline] if isinstance(baseline, (str, Path, RunLog, Diagnosis, Mapping)) else list(baseline)
    found: list[Sibling] = []
    for item in items:
        found += _siblings(item, run)
        if len(found) >= MOST:
            break
    if not found:
        raise InputError("the baseline holds no run to compare with")
    return Siblings(runs=tuple(found[:MOST]))


def _siblings(item: Any, run: RunLog | None) -> list[Sibling]:
    if isinstance(item, RunLog):
        return [of_run(item)]
    if isinstance(item, Diagnosis):
        return [of_report(item)]
    if isinstance(item, Mapping):
        return [of_report(Diagnosis.from_dict(item))]
    path = Path(item)
    if path.suffix.lower() == REPORT and path.is_file():
        report = _report(path)
        if report is not None:
            return report
    return _logs(item, run)


def _logs(item: str | Path, run: RunLog | None) -> list[Sibling]:
    from logdoctor.discovery import expand
    from logdoctor.reader import read_log

    found = []
    many = Path(item).is_dir()
    for source in expand([item])[: 4 * MOST]:
        try:
            other = read_log(source, stream=True)
        except InputError:
            if many:
                continue  # a directory may hold notes and reports beside the logs
            raise
        same = run is not None and bool(run.source.sha256) and other.source.sha256 == run.source.sha256
        if not same and any(len(series) >= 3 for series in other.series.values()):
            found.append(of_run(other))
        if len(found) >= MOST:
            break
    return found


def of_run(run: RunLog) -> Sibling:
    """Return the main run of a log as a sibling."""
    view = main_run([RunView(run, segments=group) for group in runs_of(run)])
    tracks = {n: Track(s.step, s.value) for n in view.names if (s := view.finite(n)) is not None and len(s) >= 3}
    settings = {name: setting.value for name, setting in view.settings.items()}
    return Sibling(name=Path(run.source.path).name, tracks=tracks, settings=settings)


def of_report(report: Diagnosis) -> Sibling:
    """Return a saved report as a sibling; its curves are thinned, with the extremes of each bin kept."""
    tracks = {}
    for curve in report.curves:
        step, value = np.asarray(curve.step, dtype=np.float64), np.asarray(curve.value, dtype=np.float64)
        keep = np.isfinite(step) & np.isfinite(value)
        if keep.sum() >= 3:
            tracks[curve.metric] = Track(step[keep], value[keep])
    settings = {item.name: item.value for item in report.hyperparameters}
    return Sibling(name=Path(report.source.path).name, tracks=tracks, settings=settings)


def _report(path: Path) -> list[Sibling] | None:
    """Return the runs of a saved report (one object, or JSON lines), or None when the file is a log in JSON."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if '"logdoctor.diagnosis/' not in text:
        return None
    try:
        objects = [json.loads(text)]
    except ValueError:
        try:
            objects = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise InputError(f"the saved report {path} is damaged: {error}") from None
    return [of_report(Diagnosis.from_dict(item)) for item in objects if isinstance(item, dict)]


def summary(siblings: Siblings | None) -> Mapping[str, Any] | None:
    """Return what a report says about its baseline: the names of the siblings."""
    names: Iterable[str] = () if siblings is None else (run.name for run in siblings.runs)
    return None if siblings is None else {"siblings": list(names)}
