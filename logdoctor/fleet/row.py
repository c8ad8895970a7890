"""One run of a sweep as one row: what the table, the statistics and the JSON lines need, and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from logdoctor.codec import decode, encode
from logdoctor.model import Diagnosis, Goal, Scalar
from logdoctor.names import goal_of

SCHEMA = "logdoctor.run/1"
# Settings that name a run and do not steer it: they differ between runs that are alike.
NAMING = frozenset({"seed", "run_name", "output_dir", "log_dir", "name", "device", "logdir", "save_dir"})
TASK = ("env", "env_id", "environment", "task", "dataset", "game")  # settings that name what is learned
SPARK = 32  # points of the small curve in a table cell


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFinding:
    """A finding, reduced to what groups and tables need."""

    id: str
    name: str
    severity: str
    line: int | None
    step: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCause:
    """A ranked cause."""

    id: str
    rank: int
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run. ``error`` says why it could not be read or judged; then there is no verdict."""

    path: str
    config: str | None = None
    error: str | None = None
    verdict: str | None = None
    headline: str = ""
    family: str | None = None
    format: str = ""
    rows: int = 0
    coverage: float = 0.0
    metric: str | None = None
    goal: Goal = "none"
    first: float | None = None
    best: float | None = None
    final: float | None = None
    last_step: float | None = None
    onset_line: int | None = None
    onset_step: float | None = None
    decision: str = ""
    findings: tuple[RowFinding, ...] = ()
    causes: tuple[RowCause, ...] = ()
    settings: dict[str, Scalar] = field(default_factory=dict)
    spark: tuple[float, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether the run has a verdict that says healthy or sick."""
        return self.verdict in {"healthy", "warning", "critical"}

    @property
    def failed(self) -> bool:
        """Whether the run is sick (warning or critical)."""
        return self.verdict in {"warning", "critical"}

    @property
    def signature(self) -> tuple[str, ...]:
        """In which way it failed: the first cause, or the worst findings' names where no cause was found."""
        if self.causes and self.failed:
            return (self.causes[0].id,)
        return tuple(sorted({f.name for f in self.findings if f.severity == "critical"}))

    @property
    def stratum(self) -> tuple[str, ...]:
        """Unlike tasks are not compared: family, format, performance metric, and environment or data if known."""
        task = [str(self.settings.get(name, "")) for name in TASK]
        return (self.family or "", self.format, self.metric or "", *task)

    def to_dict(self) -> dict[str, Any]:
        """Return one JSON object; it has the keys of a diagnosis where they mean the same."""
        data: dict[str, Any] = encode(self)
        data["findings"] = [
            {"id": f.id, "name": f.name, "severity": f.severity,
             "onset": None if f.line is None else encode({"line": f.line, "step": f.step})}
            for f in self.findings
        ]  # fmt: skip
        return {"schema": SCHEMA, "source": {"path": self.path}, **data}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Row:
        """Rebuild a row from :meth:`to_dict`."""
        plain = dict(data)
        plain["findings"] = [
            {**f, "line": (f.get("onset") or {}).get("line"), "step": (f.get("onset") or {}).get("step")}
            for f in data.get("findings", [])
        ]
        row = decode(Row, plain)
        assert isinstance(row, Row)
        return row


def row_of(diagnosis: Diagnosis, path: str, config: str | None) -> Row:
    """Reduce a diagnosis to its row."""
    metric = next((m for m in diagnosis.metrics if m.name == diagnosis.performance), None)
    curve = next((c for c in diagnosis.curves if c.metric == diagnosis.performance), None)
    goal: Goal = "min" if metric and goal_of(metric.name) == "min" else "max"
    worst = next((f for f in diagnosis.findings if not f.benign and f.severity != "info" and f.onset), None)
    onset = worst.onset if worst else None
    last = [s.last_step for s in diagnosis.reading.segments if s.last_step is not None]
    return Row(
        path=path,
        config=config,
        verdict=diagnosis.verdict,
        headline=diagnosis.headline,
        family=diagnosis.family,
        format=diagnosis.reading.format,
        rows=diagnosis.reading.rows,
        coverage=diagnosis.reading.coverage,
        metric=metric.name if metric else None,
        goal=goal if metric else "none",
        first=metric.first if metric else None,
        best=None if metric is None else (metric.min if goal == "min" else metric.max),
        final=None if curve is None else _final(curve.value),
        last_step=last[-1] if last else None,
        onset_line=onset.line if onset else None,
        onset_step=onset.step if onset else None,
        decision=diagnosis.story.decision,
        findings=tuple(
            RowFinding(
                id=f.id, name=f.name, severity=f.severity,
                line=f.onset.line if f.onset else None, step=f.onset.step if f.onset else None,
            )
            for f in diagnosis.findings
            if not f.benign
        ),
        causes=tuple(RowCause(id=c.id, rank=c.rank, confidence=round(c.confidence, 6)) for c in diagnosis.causes[:3]),
        settings={s.name: s.value for s in diagnosis.hyperparameters},
        spark=_thin(curve.value) if curve else (),
    )  # fmt: skip


def _final(values: tuple[float, ...]) -> float | None:
    """Median of the last tenth: one lucky last row is not where a run ended."""
    tail = sorted(v for v in values[-max(1, len(values) // 10) :] if math.isfinite(v))
    return tail[len(tail) // 2] if tail else None


def _thin(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(values) <= SPARK:
        return tuple(float(f"{v:.5g}") for v in values)
    step = len(values) / SPARK
    return tuple(float(f"{values[int(i * step)]:.5g}") for i in range(SPARK))
