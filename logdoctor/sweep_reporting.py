"""``logdoctor sweep`` as one call: runs in, overviews out, exit code back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from logdoctor import outputs
from logdoctor.exporting import write_parquet
from logdoctor.fleet.table import columns
from logdoctor.model import severity_rank
from logdoctor.overviews._record import Overview
from logdoctor.registry import records
from logdoctor.reporting import Request
from logdoctor.sweeping import Sweep, sweep


def report_sweep(
    paths: Sequence[str],
    request: Request,
    *,
    workers: int | None = None,
    engine: str = "pool",
    scheduler: str | None = None,
    resume: Path | None = None,
    fail_on: str = "never",
) -> int:
    """Diagnose the runs below ``paths`` and write the overviews.

    The exit code is 0 unless ``fail_on`` is given; then a run at or above it makes it 1, and 3 when no run at all
    could be judged.
    """
    tables = [file for file in request.output if str(file).endswith((".parquet", ".pq"))]
    texts = [file for file in request.output if file not in tables]
    overviews: dict[str, Overview] = records("logdoctor.overviews", "OVERVIEW")
    known = {overview.id: overview.suffixes for overview in overviews.values()}
    targets = outputs.plan(request.format, texts, default=outputs.default_format(), known=known)
    if tables and not texts and request.format is None:
        targets = ()
    with _progress(quiet=request.quiet) as step:
        result = sweep(
            paths, workers=workers, engine=engine, scheduler=scheduler, resume=resume, settings=request.settings,
            progress=step,
        )  # fmt: skip
    for target in targets:
        options = outputs.options_for(target, request.render_options(), request.color)
        outputs.write(overviews[target.format].render(result, options), target)
    for table in tables:
        write_parquet(columns(result.rows), table)
    return exit_code(result, fail_on)


def exit_code(result: Sweep, fail_on: str) -> int:
    """Return 0, or 1 / 3 according to ``fail_on``."""
    if fail_on == "never":
        return 0
    if not any(row.verdict for row in result.rows):
        return 3
    limit = severity_rank(fail_on)
    worst = max((severity_rank(row.verdict) for row in result.rows if row.failed and row.verdict), default=0)
    return 1 if worst >= limit else 0


class _progress:  # noqa: N801 - used as a function
    """A bar with rate and remaining time on standard error, on a terminal only."""

    def __init__(self, *, quiet: bool) -> None:
        self._bar = None
        if not quiet and outputs.is_terminal(sys.stderr):
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

            columns = ("reading runs", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)

    def __enter__(self) -> Callable[[int, int], None]:
        if self._bar is None:
            return lambda _done, _total: None
        bar = self._bar
        bar.start()
        task = bar.add_task("runs")
        return lambda done, total: bar.update(task, completed=done, total=total)

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()
