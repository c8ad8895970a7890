"""What a rule or a cause sees of a run: judged series, settings, events, the performance metric and the family.

A view covers one run of a file (one or more segments that continue each other). It is built once per run and memoises
what several rules ask for. It knows canonical metric names; it knows no pandas and no output.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from logdoctor.model import Event, Evidence, Goal, Place, RunLog, Scalar, Segment, Series, Setting

# Best first: what the run is for. The first of these that moves and has enough points is the performance metric.
# An average over one million frames comes before the one over five million, which lags by a third of many runs.
PERFORMANCE: tuple[tuple[str, Goal], ...] = (
    ("eval_return", "max"),
    ("eval_success_rate", "max"),
    ("episode_return", "max"),
    ("dqn_reward_1m", "max"),
    ("dqn_reward_5m", "max"),
    ("dqn_reward", "max"),
    ("reward", "max"),
    ("success_rate", "max"),
    ("val_accuracy", "max"),
    ("val_quality", "max"),
    ("val_loss", "min"),
    ("val_perplexity", "min"),
    ("val_error", "min"),
    ("accuracy", "max"),
    ("train_accuracy", "max"),
    ("quality", "max"),
    ("fid", "min"),
    ("loss", "min"),
    ("perplexity", "min"),
    ("error", "min"),
    ("train_loss", "min"),
    ("loss_epoch", "min"),
    ("loss_step", "min"),
)
# Losses say nothing of how well a policy acts: a reinforcement-learning run is judged by its returns or not at all.
RETURNS = frozenset({"eval_return", "episode_return", "reward"})
LOSS_LIKE = frozenset(
    {"train_loss", "loss_epoch", "loss_step", "val_loss", "val_perplexity", "val_error", "loss", "perplexity", "error"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """The metric that says whether the run does what it is for."""

    series: Series
    goal: Goal

    @property
    def name(self) -> str:
        """Canonical name of the metric."""
        return self.series.name

    @property
    def upward(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The values with the sign turned so that larger is better."""
        return self.series.value if self.goal == "max" else -self.series.value


class RunView:
    """One run of a log, as rules and causes see it."""

    def __init__(
        self,
        run: RunLog,
        segments: Iterable[int] | None = None,
        settings: Iterable[Setting] = (),
        baseline: object | None = None,
        source_facts: Iterable[object] = (),
    ) -> None:
        """Look at ``segments`` of ``run`` (all of them when None); ``settings`` come from a configuration file."""
        self.run = run
        everything = tuple(segment.index for segment in run.reading.segments) or (0,)
        self.segments = tuple(everything if segments is None else segments)
        self.given = tuple(settings)
        self.baseline = baseline
        self.source_facts = tuple(source_facts)
        self._judged: dict[str, Series | None] = {}

    # ---------------------------------------------------------------------------------------------- series
    @property
    def names(self) -> tuple[str, ...]:
        """Canonical names of all metrics of the log."""
        return tuple(self.run.series)

    def raw(self, name: str) -> Series | None:
        """Return every printed value of ``name`` in this run, judged or not."""
        series = self.run.series.get(name)
        if series is None:
            return None
        inside = np.isin(series.segment, np.asarray(self.segments, dtype=np.int64))
        return series.where(inside) if not bool(inside.all()) else series

    def get(self, name: str) -> Series | None:
        """Return the judged values of ``name`` (non-finite values included), or None when there are none."""
        if name not in self._judged:
            series = self.raw(name)
            if series is not None:
                series = series.where(series.judged)
            self._judged[name] = series if series is not None and len(series) else None
        return self._judged[name]

    def finite(self, name: str) -> Series | None:
        """Return the judged finite values of ``name``, or None when there are none."""
        series = self.get(name)
        if series is None:
            return None
        series = series.where(np.isfinite(series.value))
        return series if len(series) else None

    def first(self, *names: str) -> Series | None:
        """Return the judged series of the first of ``names`` that has values."""
        return next((series for name in names if (series := self.get(name)) is not None), None)

    @cached_property
    def rows(self) -> int:
        """Points of the longest judged series."""
        return max((len(series) for name in self.names if (series := self.get(name)) is not None), default=0)

    @cached_property
    def span(self) -> tuple[float, float]:
        """First and last step on the primary clock."""
        firsts = [
            (s.step[0], s.step[-1]) for name in self.names if (s := self.get(name)) is not None and s.clock is None
        ]
        if not firsts:
            firsts = [(s.step[0], s.step[-1]) for name in self.names if (s := self.get(name)) is not None]
        if not firsts:
            return (0.0, 0.0)
        return (float(min(a for a, _ in firsts)), float(max(b for _, b in firsts)))

    # ---------------------------------------------------------------------------------------------- places
    @staticmethod
    def place(series: Series, index: int, at: str = "value") -> Place:
        """Return the position of a point; ``at`` may be ``low`` or ``high`` for a streamed extreme."""
        lines = {"value": series.line, "low": series.low_lines, "high": series.high_lines}[at]
        return Place(line=int(lines[index]), step=float(series.step[index]), clock=series.clock)

    @staticmethod
    def evidence(series: Series, index: int, note: str = "", at: str = "value") -> Evidence:
        """Return one observed value with its line and step."""
        values = {"value": series.value, "low": series.lows, "high": series.highs}[at]
        place = RunView.place(series, index, at)
        return Evidence(
            line=place.line,
            step=place.step,
            metric=series.name,
            value=float(values[index]),
            note=note,
            clock=series.clock,
        )

    # ---------------------------------------------------------------------------------------------- facts
    @cached_property
    def settings(self) -> Mapping[str, Setting]:
        """Hyperparameters by canonical name: a configuration file's value wins over the log's first value."""
        found: dict[str, Setting] = {}
        for item in self.run.hyperparameters:
            if item.segment is None or item.segment in self.segments:
                found.setdefault(item.name, item)
        for item in self.given:
            found[item.name] = item
        return found

    def setting(self, *names: str) -> Setting | None:
        """Return the first of ``names`` that the log or the configuration gives."""
        return next((self.settings[name] for name in names if name in self.settings), None)

    def number(self, *names: str) -> float | None:
        """Return a hyperparameter as a number, or None when it is absent or no number."""
        item = self.setting(*names)
        if item is None or isinstance(item.value, bool) or not isinstance(item.value, (int, float)):
            return None
        return float(item.value)

    def value(self, *names: str) -> Scalar:
        """Return a hyperparameter's value, or None."""
        item = self.setting(*names)
        return None if item is None else item.value

    def events(self, *kinds: str) -> tuple[Event, ...]:
        """Return the events of this run of the given kinds (all kinds when none is given)."""
        return tuple(e for e in self.run.events if (not kinds or e.kind in kinds) and e.segment in self.segments)

    @cached_property
    def performance(self) -> Performance | None:
        """The metric that says whether the run does what it is for, or None."""
        other = LOSS_LIKE if self.is_rl else RETURNS if self.family in {"llm", "supervised", "dpo"} else frozenset()
        wanted = [pair for pair in PERFORMANCE if pair[0] not in other]
        held = [(self.finite(name), goal) for name, goal in wanted]
        long = [(series, goal) for series, goal in held if series is not None and len(series) >= 3]
        moving = [(series, goal) for series, goal in long if float(np.ptp(series.value)) > 0 and not _empty(series)]
        most = max((len(series) for series, _ in moving or long), default=0)
        for series, goal in moving or long:
            if len(series) >= min(LONG_ROWS, most):  # a dozen evaluations do not displace a curve of hundreds of points
                return Performance(series=series, goal=goal)
        return None

    @cached_property
    def family(self) -> str | None:
        """Algorithm family, None if unknown.

        One of ``dqn``, ``ppo``, ``a2c``, ``sac``, ``td3``, ``pg``, ``rl``, ``grpo``, ``dpo``, ``supervised``, ``llm``.
        """
        from logdoctor.families import family_of

        return family_of(self)

    @cached_property
    def is_rl(self) -> bool:
        """Whether the run is reinforcement learning."""
        from logdoctor.families import RL

        return self.family in RL


def _empty(series: Series) -> bool:
    """Whether a loss is zero in most rows: where anything else is printed, that says more."""
    return series.name in LOSS_LIKE and float(np.median(series.value)) == 0


LEAST_ROWS = 10  # points that a run needs to carry a judgement: a tenth of it is then still one value
LONG_ROWS = 20  # rows from which a flat curve is a result; a shorter one may just not have moved yet
REWIND = 0.05  # of what was run so far: a step that falls to less than this begins anew and rewinds nothing


def runs_of(run: RunLog) -> list[tuple[int, ...]]:
    """Group the segments of a file into runs: a resumed or rewound part continues the run before it.

    Returns:
        segment indices of each run, in file order; ``[(0,)]`` for a file of one segment.
    """
    groups: list[list[Segment]] = []
    for segment in run.reading.segments:
        if groups and _continues(groups[-1], segment):
            groups[-1].append(segment)
        else:
            groups.append([segment])
    return [tuple(segment.index for segment in group) for group in groups] or [(0,)]


def _continues(group: list[Segment], after: Segment) -> bool:
    """Whether ``after`` goes on with the run of ``group``: onward, from a checkpoint, or from an older checkpoint."""
    first = after.first_step
    if after.begins in {"second-process", "start"}:
        return False
    if first is None:  # rows without a counter belong to what stands before them
        return True
    starts = [segment.first_step for segment in group if segment.first_step is not None]
    stops = [segment.last_step for segment in group if segment.last_step is not None]
    if not starts or not stops:
        return False
    start, stop = starts[0], max(stops)
    if after.begins == "resume":
        return first >= start
    if after.begins == "step-falls":
        rows = sum(segment.rows for segment in group)
        near = max(REWIND * (stop - start), (stop - start) / max(rows - 1, 1))  # the first row or two of a run
        return first > start + near and rows >= 3
    return first >= stop > 0


def main_run(views: Sequence[RunView]) -> RunView:
    """Return the run a report is about: the last one with enough rows to judge, else the longest."""
    long = [view for view in views if view.rows >= LEAST_ROWS]
    return long[-1] if long else max(views, key=lambda view: view.rows)
