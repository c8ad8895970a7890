"""``logdoctor sweep``: many runs in, one overview out.

The result does not depend on the order in which runs finish, on the number of workers, or on the engine: rows are
sorted by path and everything else is computed from the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from logdoctor.errors import UsageError
from logdoctor.fleet.groups import FailureGroup, Outlier, failures, outliers
from logdoctor.fleet.resume import Ledger
from logdoctor.fleet.row import Row
from logdoctor.fleet.runs import find_runs
from logdoctor.fleet.statistics import Separation, separate
from logdoctor.fleet.work import dask_executor, run_all
from logdoctor.settings import Settings

ENGINES = ("pool", "dask")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What is known about many runs."""

    rows: tuple[Row, ...]
    groups: tuple[FailureGroup, ...] = ()
    outliers: tuple[Outlier, ...] = ()
    separation: Separation = field(default_factory=Separation)

    def count(self, verdict: str | None) -> int:
        """Return how many runs have ``verdict`` (None: could not be read or judged)."""
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def to_stop(self) -> tuple[Row, ...]:
        """Runs that are lost: their diagnosis is critical and tells to stop or restart."""
        return tuple(row for row in self.rows if row.verdict == "critical" and not row.decision.startswith("continue"))


def sweep(
    paths: Iterable[str | Path] | str | Path,
    *,
    workers: int | None = None,
    engine: str = "pool",
    scheduler: str | None = None,
    executor: Executor | None = None,
    resume: str | Path | None = None,
    settings: Settings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Diagnose every run below ``paths`` and compare them.

    Args:
        paths: logs, directories, globs, or ``@file`` with one path a line.
        workers: processes (default: one a core).
        engine: ``pool`` (processes of this machine) or ``dask``.
        scheduler: address of a Dask scheduler; without it Dask starts workers here.
        executor: any :class:`concurrent.futures.Executor` instead of an engine.
        resume: file of finished rows; a run unchanged since is not read again.
        settings: settings of the tool.
        progress: called with (done, total) after each run.

    Raises:
        UsageError: no run was found, or the engine is unknown.
    """
    if engine not in ENGINES:
        raise UsageError(f"unknown engine {engine!r}; choose one of {', '.join(ENGINES)}")
    settings = settings or Settings()
    specs = find_runs([paths] if isinstance(paths, (str, Path)) else paths)
    if not specs:
        raise UsageError("no log was found below the given paths")
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger(resume))
        rows, todo = ledger.split(specs, settings)
        if engine == "dask" and executor is None and todo:
            executor, close = dask_executor(scheduler, workers)
            stack.callback(close)
        for row in ledger.keep(run_all(todo, settings, workers=workers, executor=executor), settings):
            rows.append(row)
            if progress is not None:
                progress(len(rows), len(specs))
    return overview(rows)


def overview(rows: Iterable[Row]) -> Sweep:
    """Sort the rows by path and compare them."""
    ordered = tuple(sorted(rows, key=lambda row: row.path))
    return Sweep(rows=ordered, groups=failures(ordered), outliers=outliers(ordered), separation=separate(ordered))
