"""Ranks root causes across findings: symptoms, settings, curves, onset order and code, for and against.

Each cause collects arguments in natural log-odds: its prior, one per symptom found (weaker for a mere remark), those
of its own ``weigh`` and those of the code. The causal graph (``leads_to``) then orders causes that explain each
other, so that the root stands before what follows from it. The sum is a score, not a probability:
:mod:`logdoctor.calibration` turns the scores of one run into probabilities that were measured on labelled runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from logdoctor import calibration
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Cause, Finding, severity_rank
from logdoctor.registry import records
from logdoctor.view import RunView
from logdoctor.wording import lower_first, percent

MOST = 6  # causes shown; the seeds name one root and up to four contributing factors
LEAST = 0.05  # probability below which a cause is not worth a line
REMARK = 0.4  # share of a symptom's weight when the finding is only a remark
FIRST = 0.5  # log-odds for explaining what broke first
OWN = 1.5  # log-odds of arguments beyond the symptoms from which a cause has support of its own
PROBABLE = 0.6  # confidence from which a cause in the training is told before a fault of its record
NEAR = 1.0  # log-odds within which the causal graph, and not the score, decides the order


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One cause with its arguments; ``score`` is their sum with the prior, in log-odds."""

    record: CauseRecord
    arguments: tuple[Argument, ...]
    symptoms: tuple[str, ...]

    @property
    def score(self) -> float:
        """Prior plus all arguments."""
        return self.record.prior + sum(a.weight for a in self.arguments)

    @property
    def supported(self) -> float:
        """Sum of the arguments in favour."""
        return sum(a.weight for a in self.arguments if a.weight > 0)


def rank_causes(view: RunView, findings: Iterable[Finding]) -> tuple[Cause, ...]:
    """Return the causes that the findings support, most probable first; none when nothing is worth a warning."""
    present = present_findings(findings)
    if not any(severity_rank(f.severity) > 0 for f in present.values()):
        return ()
    scored = order(score_causes(view, present))
    confidences = by_group([(s.record.group, s.score) for s in scored])
    scored, confidences = _training_first(scored, confidences)
    pairs = list(zip(scored, confidences, strict=True))
    shown = [pair for pair in pairs if pair[1] >= LEAST][:MOST] or pairs[:1]
    causes = [_cause(view, present, s, c, rank, scored) for rank, (s, c) in enumerate(shown, start=1)]
    why = _before_a_surer_one(shown)
    return (replace(causes[0], for_=(*causes[0].for_, why)), *causes[1:]) if why else tuple(causes)


def _before_a_surer_one(shown: Sequence[tuple[Scored, float]]) -> str:
    """Say why the first cause is told before one with a higher confidence: it leads to it."""
    if not shown:
        return ""
    first, sure = shown[0]
    surer = [(s, c) for s, c in shown[1:] if s.record.group == first.record.group and round(c, 2) > round(sure, 2)]
    named = ", ".join(f"{lower_first(s.record.title)} ({percent(c)})" for s, c in surer)
    return f"It is told before what it brings about, which shows more clearly: {named}." if surer else ""


def by_group(scores: Sequence[tuple[str, float]], fitted: calibration.Calibration | None = None) -> list[float]:
    """Return the confidence of each (group, score); only causes of one group compete with each other.

    A metric that is never recorded and a layer that cannot learn do not exclude each other.
    """
    out = [0.0] * len(scores)
    for group in dict.fromkeys(name for name, _ in scores):
        index = [i for i, (name, _) in enumerate(scores) if name == group]
        for i, confidence in zip(
            index, calibration.cause_confidences([scores[i][1] for i in index], fitted), strict=True
        ):
            out[i] = confidence
    return out


def _training_first(scored: list[Scored], confidences: list[float]) -> tuple[list[Scored], list[float]]:
    """Merge the groups by confidence; what ails the training stands before what ails its record, once it is probable.

    The first of a group is that of the causal graph; the others stand by their confidence.
    """
    queues: dict[str, list[tuple[Scored, float]]] = {}
    for pair in zip(scored, confidences, strict=True):
        queues.setdefault(pair[0].record.group, []).append(pair)
    for queue in queues.values():
        queue[1:] = sorted(queue[1:], key=lambda pair: -pair[1])
    merged: list[tuple[Scored, float]] = []
    while queues:
        name = max(queues, key=lambda g: _urgency(*queues[g][0]))
        merged.append(queues[name].pop(0))
        if not queues[name]:
            del queues[name]
    return [s for s, _ in merged], [c for _, c in merged]


def _urgency(scored: Scored, confidence: float) -> float:
    return confidence + (1.0 if scored.record.group == "training" and confidence >= PROBABLE else 0.0)


def present_findings(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Return the findings that count, by name: no benign ones, of each name the most severe, then the earliest."""
    present: dict[str, Finding] = {}
    for finding in findings:
        held = present.get(finding.name)
        if finding.benign or (held is not None and severity_rank(held.severity) >= severity_rank(finding.severity)):
            continue
        present[finding.name] = finding
    return present


def score_causes(view: RunView, present: Mapping[str, Finding]) -> list[Scored]:
    """Return every cause that has an argument in its favour, with all its arguments."""
    earliest = _earliest(present)
    scored = []
    for record in records("logdoctor.causes", "CAUSE").values():
        symptoms = tuple(n for n in record.symptoms if n in present)
        with np.errstate(all="ignore"):
            arguments = tuple(_arguments(view, present, record, symptoms, earliest))
        found = Scored(record=record, arguments=arguments, symptoms=symptoms)
        if found.supported > 0 and _fits(view, record) and _alarming(found, present):
            scored.append(found)
    return scored


def _alarming(scored: Scored, present: Mapping[str, Finding]) -> bool:
    """Whether more than a remark speaks for a fault of the record or of the machine."""
    return scored.record.group == "training" or any(present[n].severity != "info" for n in scored.symptoms)


def _fits(view: RunView, record: CauseRecord) -> bool:
    """Whether a cause can occur in this family; where the family is unknown every cause can."""
    return (
        not record.families
        or view.family is None
        or view.family in record.families
        or (view.is_rl and "rl" in record.families)
    )


def _arguments(
    view: RunView,
    present: Mapping[str, Finding],
    record: CauseRecord,
    symptoms: tuple[str, ...],
    earliest: Finding | None,
) -> Iterator[Argument]:
    for name in symptoms:
        finding = present[name]
        weight = record.symptoms[name] * (REMARK if finding.severity == "info" else 1.0)
        if weight:
            yield Argument(weight=weight, text=finding.summary)
    if earliest is not None and record.symptoms.get(earliest.name, 0) > 0 and len(present) > 1:
        place = f" at line {earliest.onset.line}" if earliest.onset else ""
        yield Argument(weight=FIRST, text=f"It explains what broke first: {earliest.name}{place}.")
    if record.weigh is not None:
        yield from record.weigh(view, present)
    for fact in view.source_facts:
        weight = getattr(fact, "supports", {}).get(record.id, 0.0)
        if weight:
            yield Argument(
                weight=weight,
                text=f"{getattr(fact, 'file', '')}:{getattr(fact, 'line', '')}: {getattr(fact, 'what', '')}",
            )


def _earliest(present: Mapping[str, Finding]) -> Finding | None:
    """Return the alarm with the earliest onset, when it clearly is the first."""
    placed = sorted(
        (f for f in present.values() if f.severity != "info" and f.onset), key=lambda f: f.onset.line if f.onset else 0
    )
    if (
        len(placed) < 2
        or placed[0].onset is None
        or placed[1].onset is None
        or placed[0].onset.line == placed[1].onset.line
    ):
        return None
    return placed[0]


def order(scored: list[Scored]) -> list[Scored]:
    """Sort by score; of two near scores the cause that leads to the other stands first."""
    ranked = sorted(scored, key=lambda s: (-s.score, s.record.id))
    for index in range(1, len(ranked)):
        here = index
        while here and _precedes(ranked[here], ranked[here - 1]):
            ranked[here - 1], ranked[here] = ranked[here], ranked[here - 1]
            here -= 1
    return ranked


def _precedes(later: Scored, earlier: Scored) -> bool:
    near = earlier.score - later.score <= NEAR
    return near and earlier.record.id in later.record.leads_to and later.record.id not in earlier.record.leads_to


def _cause(
    view: RunView,
    present: Mapping[str, Finding],
    scored: Scored,
    confidence: float,
    rank: int,
    everything: list[Scored],
) -> Cause:
    record = scored.record
    role = _role(scored, rank, everything)
    changes = record.changes(view, present) if record.changes and role != "alternative" else ()
    return Cause(
        id=record.id,
        rank=rank,
        title=record.title,
        confidence=confidence,
        for_=_texts(scored, +1),
        against=_texts(scored, -1),
        would_settle=record.would_settle,
        changes=tuple(c for c in changes if c.from_ is None or c.from_ != c.to),
        mechanism=tuple(record.mechanism(view, present)) if record.mechanism else (),
        explains=tuple(dict.fromkeys(present[n].id for n in (*scored.symptoms, *record.leads_to) if n in present)),
        role=role,
    )


def _texts(scored: Scored, sign: int) -> tuple[str, ...]:
    """Return the sentences of one side, the weightiest first, each once."""
    side = sorted((a for a in scored.arguments if a.weight * sign > 0), key=lambda a: -abs(a.weight))
    return tuple(dict.fromkeys(a.text for a in side))


def _role(scored: Scored, rank: int, everything: list[Scored]) -> str:
    """Return ``root`` for the first, ``contributing`` for one with support of its own, else ``alternative``.

    Support of its own is an argument beyond the symptoms that the root explains as well: a setting, a figure.
    """
    if rank == 1:
        return "root"
    first = everything[0].record
    linked = (
        scored.record.id in first.leads_to or first.id in scored.record.leads_to or scored.record.group != first.group
    )
    own = scored.supported - sum(scored.record.symptoms[n] for n in scored.symptoms) >= OWN
    return "contributing" if scored.score > 0 or (scored.score > -1.5 and (own or linked)) else "alternative"


def with_confidence(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with the confidence that was measured for their rule on labelled runs."""
    return tuple(
        replace(f, confidence=calibration.finding_confidence(f.name, f.severity, f.confidence)) for f in findings
    )
