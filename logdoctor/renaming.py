"""Metrics that were taken for something else: ``[names]`` in the settings, or ``--name``, says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from logdoctor.model import RunLog, Series
from logdoctor.names import goal_of, squash

if TYPE_CHECKING:
    import pandas as pd


def renamed(run: RunLog, names: Mapping[str, str]) -> RunLog:
    """Return ``run`` with its metrics called as the user says.

    Args:
        run: a log.
        names: name as printed (or as it was understood) -> the name that it should have; blanks, case and punctuation
            of the printed name do not matter. A metric that had that name already gets ``_2`` behind its own.
    """
    wanted = {squash(raw): name for raw, name in names.items()}
    chosen = {
        old: wanted[key]
        for old, series in run.series.items()
        if (key := next((k for k in (squash(series.raw_name), squash(old)) if k in wanted), None)) is not None
        and wanted[key] != old
    }
    if not chosen:
        return run
    taken = set(chosen.values())
    moved = {old: f"{old}_2" for old in run.series if old in taken and old not in chosen}
    new = chosen | moved
    series = {new.get(old, old): _called(item, new.get(old, old)) for old, item in run.series.items()}
    build = run.build_frame

    def frame() -> pd.DataFrame:
        assert build is not None
        return build().rename(columns=new)

    return replace(
        run,
        series=series,
        raw_names={new.get(old, old): raw for old, raw in run.raw_names.items()},
        build_frame=frame if build is not None else None,
    )


def _called(series: Series, name: str) -> Series:
    return series if series.name == name else replace(series, name=name, goal=goal_of(name))
