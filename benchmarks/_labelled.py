"""The labelled runs of a benchmark split, read and judged in this process: shared by calibration and accuracy."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from logdoctor.engine import judge
from logdoctor.hyperparameters import read_config
from logdoctor.model import Finding, RunLog
from logdoctor.ranking import order, present_findings, score_causes
from logdoctor.reader import read_log
from logdoctor.settings import Settings
from logdoctor.view import RunView, main_run, runs_of

SHARED = Path(os.environ.get("LOGDOCTOR_SHARED", Path(__file__).resolve().parents[2] / "shared"))
DROPPED = 1 / 3  # share of the metrics that a thinned log lacks


@dataclass(frozen=True, slots=True)
class Judged:
    """One run as it was judged: what fired, and its causes with group and score, highest score first."""

    label: Mapping[str, Any]
    view: str
    findings: tuple[Finding, ...]
    scores: tuple[tuple[str, str, float], ...] = field(default_factory=tuple)

    @property
    def task(self) -> str:
        """The learning task, by which cross-validation leaves out."""
        return str(self.label["task"])

    @property
    def true(self) -> frozenset[str]:
        """The injected causes; none for a run without a fault."""
        return frozenset(self.label["causes"]) if self.label["fault"] != "none" else frozenset()

    @property
    def failed(self) -> bool:
        """Whether the run is labelled as failed."""
        return bool(self.label["outcome"] == "failed")

    @property
    def alarmed(self) -> bool:
        """Whether anything at or above a warning fired."""
        return any(f.severity != "info" and not f.benign for f in self.findings)


def labels(home: Path) -> list[dict[str, Any]]:
    """Return the labels of a split."""
    return [json.loads(line) for line in (home / "runs.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]


def judged(home: Path, *views: str) -> Iterator[Judged]:
    """Judge every run once per view.

    Args: home: folder of the split. views: ``plain`` (with the sidecar configuration where there is one), ``alone``
    (the log alone), ``thinned`` (the log alone, without a third of its metrics; which ones is drawn from the run's
    id).
    """
    for label in labels(home):
        run = read_log(home / label["file"])
        config = home / label["config"] if label["config"] else None
        for view in views:
            yield _judge(
                label,
                view,
                _thinned(run, label["id"]) if view == "thinned" else run,
                config if view == "plain" else None,
            )


def _judge(label: Mapping[str, Any], name: str, run: RunLog, config: Path | None) -> Judged:
    given = read_config(config) if config is not None else ()
    view = main_run([RunView(run, segments=group, settings=given) for group in runs_of(run)])
    findings, _ = judge(view, Settings())
    present = present_findings(findings)
    alarmed = any(f.severity != "info" for f in present.values())
    scored = order(score_causes(view, present)) if alarmed else []
    return Judged(label, name, findings, tuple((s.record.id, s.record.group, s.score) for s in scored))


def _thinned(run: RunLog, key: str) -> RunLog:
    draw = np.random.default_rng(zlib.crc32(key.encode()))
    names = [name for name in run.series if draw.random() >= DROPPED]
    kept = {name: run.series[name] for name in run.series if name in names or len(run.series) <= 2}
    return replace(run, series=kept)
