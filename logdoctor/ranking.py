"""Ranks root causes across findings: symptoms, hyperparameters, onset order, evidence for and against."""

from __future__ import annotations

import math
from collections.abc import Iterable

from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Cause, Finding
from logdoctor.registry import records
from logdoctor.view import RunView


def rank_causes(view: RunView, findings: Iterable[Finding]) -> tuple[Cause, ...]:
    """Return the causes that the findings support, most probable first."""
    present = {f.name: f for f in findings if not f.benign and f.severity != "info"}
    if not present:
        return ()
    scored: list[tuple[float, CauseRecord, list[Argument]]] = []
    for record in records("logdoctor.causes", "CAUSE").values():
        arguments = [Argument(weight=w, text=present[n].summary) for n, w in record.symptoms.items() if n in present]
        if record.weigh:
            arguments += list(record.weigh(view, present))
        if any(a.weight > 0 for a in arguments):
            scored.append((record.prior + sum(a.weight for a in arguments), record, arguments))
    scored.sort(key=lambda item: -item[0])
    causes = []
    for rank, (score, record, arguments) in enumerate(scored[:6], start=1):
        causes.append(
            Cause(
                id=record.id,
                rank=rank,
                title=record.title,
                confidence=1 / (1 + math.exp(-score)),
                for_=tuple(a.text for a in arguments if a.weight > 0),
                against=tuple(a.text for a in arguments if a.weight < 0),
                would_settle=record.would_settle,
                changes=tuple(record.changes(view, present)) if record.changes else (),
                mechanism=tuple(record.mechanism(view, present)) if record.mechanism else (),
                explains=tuple(present[n].id for n in record.symptoms if n in present),
                role="root" if rank == 1 else "contributing",
            )
        )
    return tuple(causes)
