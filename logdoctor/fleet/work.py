"""Runs the diagnoses: in this process, in a pool of processes, on Dask, or on any executor.

There is no scheduler here. Runs are grouped into batches, so that the cost of a task stays small beside its work; a
batch whose worker dies is tried again run by run, and only the run that kills its worker twice is given up, as a row
with its reason.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from logdoctor.errors import LogDoctorError, MissingExtraError
from logdoctor.fleet.row import Row, row_of
from logdoctor.fleet.runs import RunSpec
from logdoctor.settings import Settings

# A task costs a pool about 1 ms and Dask about 10 ms; 2 MB of log are about 0.2 s of work, so overhead stays below 5 %.
BATCH_BYTES = 2_000_000
BATCH_RUNS = 64

Batch = tuple[RunSpec, ...]


def judge_run(spec: RunSpec, settings: Settings) -> Row:
    """Read and judge one run; whatever goes wrong becomes a row with its reason, never an exception."""
    from logdoctor.engine import diagnose

    try:
        diagnosis = diagnose(spec.log, hyperparameters=spec.config, settings=settings)
    except LogDoctorError as error:
        return Row(path=spec.log, config=spec.config, error=str(error))
    except Exception as error:  # noqa: BLE001 - one run must not end a sweep of thousands; the row names the reason
        return Row(path=spec.log, config=spec.config, error=f"{type(error).__name__}: {error}")
    if not diagnosis.judgeable:
        return Row(path=spec.log, config=spec.config, error="no metric with at least 3 values was found")
    return row_of(diagnosis, spec.log, spec.config)


def judge_batch(batch: Batch, settings: Settings) -> list[Row]:
    """Judge several runs one after another (the unit of work that is sent to a worker)."""
    return [judge_run(spec, settings) for spec in batch]


def batches(specs: Iterable[RunSpec]) -> Iterator[Batch]:
    """Group runs by the size of their logs."""
    batch: list[RunSpec] = []
    size = 0
    for spec in specs:
        batch.append(spec)
        size += _bytes(spec.log)
        if size >= BATCH_BYTES or len(batch) >= BATCH_RUNS:
            yield tuple(batch)
            batch, size = [], 0
    if batch:
        yield tuple(batch)


def _bytes(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return BATCH_BYTES // 16  # a URL: fetching it costs more than a small local file


def run_all(
    specs: Sequence[RunSpec],
    settings: Settings,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
) -> Iterator[Row]:
    """Yield a row a run, in the order of completion.

    Args:
        specs: the runs.
        settings: settings of the tool.
        workers: processes of the default pool; 1 works in this process; None takes one a core.
        executor: any executor to use instead of the pool.
    """
    if executor is not None:
        yield from _on_executor(specs, settings, executor)
        return
    workers = workers or len(os.sched_getaffinity(0))
    if workers == 1 or len(specs) <= 1:
        for spec in specs:
            yield judge_run(spec, settings)
        return
    yield from _on_pool(specs, settings, workers)


def _pool(workers: int) -> ProcessPoolExecutor:
    # "spawn": a worker starts clean, whatever threads the caller runs.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _on_pool(specs: Sequence[RunSpec], settings: Settings, workers: int) -> Iterator[Row]:
    lost: list[Batch] = []
    todo = list(batches(specs))
    while todo:
        done: set[Batch] = set()
        with _pool(workers) as pool:
            for batch, rows in _collect(pool, todo, settings):
                done.add(batch)
                yield from rows
        unfinished = [batch for batch in todo if batch not in done]
        todo = []
        if unfinished and done:
            todo = unfinished  # the pool broke under one of them: go on with a new pool
        elif unfinished:
            lost = unfinished
    for batch in lost:
        for spec in batch:
            yield _alone(spec, settings)


def _collect(pool: Executor, todo: Sequence[Batch], settings: Settings) -> Iterator[tuple[Batch, list[Row]]]:
    """Yield finished batches; a broken pool ends the loop, and what it held stays unfinished."""
    futures: dict[Future[list[Row]], Batch] = {}
    try:
        for batch in todo:
            futures[pool.submit(judge_batch, batch, settings)] = batch
    except BrokenProcessPool:
        pass
    for future in as_completed(futures):
        try:
            yield futures[future], future.result()
        except BrokenProcessPool:
            continue


def _alone(spec: RunSpec, settings: Settings) -> Row:
    """Judge one run in a process of its own, so that it can take down nothing but itself."""
    try:
        with _pool(1) as pool:
            return pool.submit(judge_batch, (spec,), settings).result()[0]
    except BrokenProcessPool:
        return Row(path=spec.log, config=spec.config, error="the process that read it was killed (out of memory?)")


def _on_executor(specs: Sequence[RunSpec], settings: Settings, executor: Executor) -> Iterator[Row]:
    """Use a foreign executor; a batch that fails there is tried again run by run, then becomes rows with reasons."""
    futures = {executor.submit(judge_batch, batch, settings): batch for batch in batches(specs)}
    for future in as_completed(futures):
        try:
            yield from future.result()
        except Exception:  # noqa: BLE001 - a lost worker shows as one of many exceptions, according to the engine
            for spec in futures[future]:
                yield _again(executor, spec, settings)


def _again(executor: Executor, spec: RunSpec, settings: Settings) -> Row:
    try:
        return executor.submit(judge_batch, (spec,), settings).result()[0]
    except Exception as error:  # noqa: BLE001 - see above
        return Row(path=spec.log, config=spec.config, error=f"the worker was lost: {type(error).__name__}")


def dask_executor(scheduler: str | None, workers: int | None) -> tuple[Executor, Callable[[], None]]:
    """Return an executor on an existing Dask cluster, or on one that Dask starts here, and how to close it.

    Raises:
        MissingExtraError: Dask is not installed.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise MissingExtraError("the Dask engine", "dask") from None
    cluster = None
    if scheduler is None:
        cluster = LocalCluster(n_workers=workers or 2, threads_per_worker=1, processes=True, dashboard_address=None)
    client = Client(scheduler or cluster)

    def close() -> None:
        client.close()
        if cluster is not None:
            cluster.close()

    executor: Executor = client.get_executor(retries=2, pure=False)
    return executor, close
