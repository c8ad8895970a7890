"""Which findings are one event: what broke first, and what is known to follow from it.

A finding follows from another when the mechanism allows it (the table below) and the order of onsets does not speak
against it. Onsets are compared by line: it is the one clock that all counters of a file share.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from logdoctor.model import Cause, Finding, severity_rank

TOLERANCE = 0.02  # of the lines of the run: detectors place the onset of one event in different series this far apart

LATE = 12.5  # tolerances that a soft onset may be off: a quarter of the run

_PERFORMANCE = {
    "performance-collapse", "performance-stagnation", "slope-turns-negative", "episodes-shorten", "never-learned",
    "performance-below-baseline", "performance-below-expert", "evaluation-frozen", "agreement-stagnates",
    "loss-falls-while-performance-falls", "reward-zero-variance", "still-improving", "reward-noise",
}  # fmt: skip
_LOSSES = {
    "loss-explosion", "loss-not-finite", "loss-divergence", "loss-plateau", "loss-not-learning", "loss-oscillation",
    "loss-at-chance", "loss-spikes", "critic-loss-explosion", "actor-loss-explosion", "loss-exactly-zero",
}  # fmt: skip
_VALUES = {
    "q-divergence", "q-collapse", "q-above-bound", "value-pinned-at-clip", "overestimation", "td-error-flat",
    "explained-variance-low", "temperature-runaway", "value-scale-suspicious",
}  # fmt: skip
_GRADIENTS = {
    "gradient-explosion", "gradient-spikes", "gradient-swings", "gradient-not-finite", "clip-saturation",
    "norm-leads-loss", "loss-scale-falls",
}  # fmt: skip
_POLICY = {
    "entropy-collapse", "deterministic-policy", "kl-blow-up", "clip-fraction-high", "action-std-underflow",
    "action-distribution-switch", "agreement-collapse", "agreement-below-random", "action-saturation",
    "policy-near-uniform",
}  # fmt: skip
_DEAD = {"gradient-dead", "gradient-vanishing", "updates-stopped", "head-not-learning"}
# A policy that leaves what it had learned is often the first sign of these: the loss shows them later.
_BLOW_UPS = {
    "loss-explosion", "loss-divergence", "gradient-explosion", "q-divergence", "q-collapse", "critic-loss-explosion",
    "gradient-dead", "loss-not-finite",
}  # fmt: skip
_ALL = _PERFORMANCE | _LOSSES | _VALUES | _GRADIENTS | _POLICY | _DEAD
_BREAKS = _LOSSES | _VALUES | _GRADIENTS | _POLICY | _DEAD | _PERFORMANCE

# Averages over many episodes and curves that do not move: where these begin is the least certain of all.
_SOFT = _PERFORMANCE | {
    "td-error-flat", "loss-plateau", "loss-not-learning", "loss-at-chance", "explained-variance-low",
    "value-scale-suspicious", "policy-near-uniform",
}  # fmt: skip

# Rule name -> what is known to follow from it.
FOLLOWS: dict[str, set[str]] = {
    "nothing-was-trained": _ALL | {"metric-never-recorded", "metric-frozen", "learning-rate-zero"},
    "learning-rate-changed": _BREAKS,
    "learning-rate-zero": _PERFORMANCE | _LOSSES | _DEAD,
    "learning-rate-decayed-early": _PERFORMANCE | {"loss-plateau", "loss-not-learning", "gradient-vanishing"},
    "schedule-floor-before-break": _ALL,
    "exploration-absent": _PERFORMANCE | _POLICY,
    "exploration-not-decaying": _PERFORMANCE,
    "zero-initial-output": _PERFORMANCE | _DEAD | {"loss-not-learning", "loss-divergence"},
    "head-not-learning": _PERFORMANCE | {"loss-divergence", "loss-oscillation"},
    "feature-norm-explosion": _ALL,
    "step-goes-back": _PERFORMANCE | _LOSSES | _POLICY,
    "loss-spikes": _LOSSES | _GRADIENTS,
    "gradient-explosion": _ALL,
    "gradient-spikes": _LOSSES | _POLICY | _VALUES | _PERFORMANCE | {"gradient-explosion", "gradient-not-finite"},
    "gradient-swings": {"loss-oscillation", "gradient-spikes"},
    "gradient-not-finite": _ALL | {"hidden-nan"},
    "hidden-nan": _ALL,
    "loss-scale-falls": _LOSSES | _GRADIENTS | _PERFORMANCE,
    "q-divergence": _ALL,
    "q-above-bound": _ALL,
    "overestimation": _ALL,
    "critic-loss-explosion": _ALL,
    "value-pinned-at-clip": _PERFORMANCE | {"loss-not-learning", "loss-plateau", "td-error-flat", "clip-saturation"},
    "temperature-runaway": _PERFORMANCE | _POLICY | _VALUES | _LOSSES,
    "actor-loss-explosion": _PERFORMANCE | _POLICY | _DEAD | _VALUES | {"critic-loss-explosion"},
    "loss-explosion": _ALL,
    "loss-divergence": _ALL,
    "loss-not-finite": _ALL | {"hidden-nan", "metric-frozen"},
    "kl-blow-up": _POLICY | _PERFORMANCE | _LOSSES | _DEAD | {"explained-variance-low"},
    "clip-fraction-high": _POLICY | _PERFORMANCE | _DEAD,
    "entropy-collapse": _PERFORMANCE | _DEAD | _POLICY | {"loss-exactly-zero", "loss-plateau"},
    "deterministic-policy": _PERFORMANCE | _DEAD | _POLICY | {"loss-exactly-zero", "loss-plateau"},
    "action-std-underflow": _PERFORMANCE | _DEAD | _POLICY,
    "action-saturation": _PERFORMANCE | _DEAD | {"td-error-flat"},
    "policy-near-uniform": _PERFORMANCE,
    "action-distribution-switch": _PERFORMANCE | {"agreement-collapse"},
    "agreement-collapse": _PERFORMANCE | _POLICY | _BLOW_UPS,
    "clipping-inactive": _BLOW_UPS | _PERFORMANCE | _POLICY | {"gradient-spikes"},
    "reward-zero-variance": _PERFORMANCE | _DEAD,
    "zero-variance-groups": _PERFORMANCE | _DEAD | {"loss-exactly-zero"},
    "updates-stopped": _PERFORMANCE | _LOSSES | _DEAD | {"metric-frozen"},
    "gradient-dead": _PERFORMANCE | {"loss-plateau", "loss-not-learning", "loss-at-chance", "agreement-stagnates"},
    "gradient-vanishing": _PERFORMANCE | {"loss-plateau", "loss-not-learning", "loss-at-chance", "agreement-stagnates"},
    "loss-at-chance": {"never-learned", "loss-not-learning", "loss-plateau", "performance-stagnation"},
    "loss-not-learning": _PERFORMANCE | {"loss-plateau", "loss-at-chance"},
    "loss-oscillation": _PERFORMANCE | {"loss-not-learning", "loss-plateau", "loss-at-chance"},
    "never-learned": _PERFORMANCE,
    "performance-collapse": _PERFORMANCE | {"q-collapse", "value-scale-suspicious", "gradient-vanishing"},
    "q-collapse": _PERFORMANCE,
    "agreement-stagnates": _PERFORMANCE,
    "loss-plateau": {"performance-stagnation"},
    "overfitting": {"performance-collapse", "performance-stagnation", "loss-divergence", "slope-turns-negative"},
    "memory-growth": {"out-of-memory", "throughput-degradation", "killed", "crash", "run-cut-off"},
    "out-of-memory": {"crash", "killed", "run-cut-off"},
    "killed": {"run-cut-off", "crash"},
    "crash": {"run-cut-off"},
    "loader-stall": {"throughput-degradation"},
}  # fmt: skip

# How telling a finding is as the name of an event, best first; the others come before matters of speed and logging.
IMPACT: tuple[str, ...] = (
    "nothing-was-trained", "loss-not-finite", "feature-norm-explosion", "loss-explosion", "q-divergence",
    "deterministic-policy", "entropy-collapse", "gradient-explosion", "critic-loss-explosion", "loss-divergence",
    "agreement-collapse", "q-above-bound", "overfitting", "updates-stopped", "exploration-absent",
    "performance-collapse", "head-not-learning", "gradient-not-finite", "actor-loss-explosion", "gradient-dead",
    "learning-rate-decayed-early", "out-of-memory", "crash", "never-learned", "loss-at-chance", "loss-not-learning",
    "performance-stagnation", "loader-stall", "throughput-degradation", "metric-never-recorded", "metric-frozen",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One event: its findings in the order of their onsets; the first is what the others follow from."""

    findings: tuple[Finding, ...]

    @property
    def root(self) -> Finding:
        """What broke first."""
        return self.findings[0]

    @property
    def main(self) -> Finding:
        """The finding that names the event: the worst, and among those the most telling."""
        return min(self.findings, key=lambda f: (-severity_rank(f.severity), impact(f)))

    @property
    def severity(self) -> int:
        """Rank of the worst severity."""
        return max(severity_rank(f.severity) for f in self.findings)


def impact(finding: Finding) -> int:
    """Return the place of a finding in :data:`IMPACT`; one that is not named there comes before speed and logging."""
    if finding.name in IMPACT:
        return 2 * IMPACT.index(finding.name)
    return 2 * IMPACT.index("loader-stall") - 1


def line_of(finding: Finding) -> int:
    """Return the line of the onset; a finding without one concerns the run from its first line."""
    return finding.onset.line if finding.onset else 0


def group(findings: Iterable[Finding], causes: Sequence[Cause], span: tuple[int, int]) -> tuple[Incident, ...]:
    """Group the alarms among ``findings`` into events, the gravest first.

    Args:
        findings: of one run; benign ones and remarks are left out.
        causes: most probable first; what the first explains belongs together.
        span: first and last line of the run.
    """
    told = [f for f in findings if not f.benign and f.severity != "info"]
    slack = TOLERANCE * max(1, span[1] - span[0])
    parents = {id(f): _parent(f, told, causes, slack) for f in told}
    members: dict[int, list[Finding]] = {}
    for finding in told:
        members.setdefault(id(_top(finding, parents)), []).append(finding)
    incidents = [Incident(findings=_ordered(items, parents)) for items in members.values()]
    return tuple(sorted(incidents, key=lambda i: (-i.severity, impact(i.main), line_of(i.root))))


def _ordered(items: list[Finding], parents: dict[int, Finding | None]) -> tuple[Finding, ...]:
    root = next(f for f in items if parents[id(f)] is None)
    rest = sorted((f for f in items if f is not root), key=lambda f: (line_of(f), impact(f)))
    return (root, *rest)


def _top(finding: Finding, parents: dict[int, Finding | None]) -> Finding:
    while (parent := parents[id(finding)]) is not None:
        finding = parent
    return finding


def _parent(finding: Finding, told: Sequence[Finding], causes: Sequence[Cause], slack: float) -> Finding | None:
    """Return the last finding before this one that it follows from; a strict order keeps the relation free of circles.

    One as grave as the finding itself is preferred: a warning from the first rows does not explain a break far later.
    """
    key = _key(finding, slack)
    allowed = [
        other
        for other in told
        if other is not finding and _key(other, slack) < key and _follows(finding, other, causes, slack)
    ]
    grave = [other for other in allowed if severity_rank(other.severity) >= severity_rank(finding.severity)]
    return max(grave or allowed, key=lambda other: _key(other, slack), default=None)


def _key(finding: Finding, slack: float) -> tuple[float, str, tuple[str, ...]]:
    """Order by onset; within ``slack`` lines what leads to more counts as earlier, for detectors are not that exact."""
    reach = len(FOLLOWS.get(finding.name, set()) & _ALL) / len(_ALL)
    if finding.name in _SOFT:
        reach = -LATE if finding.onset else -math.inf
    return (line_of(finding) - max(slack, 1.0) * reach, finding.id, finding.metrics)


def _follows(finding: Finding, other: Finding, causes: Sequence[Cause], slack: float) -> bool:
    if other.id in finding.explained_by or finding.name in FOLLOWS.get(other.name, set()):
        return True
    if finding.name == other.name:  # the same event in another series
        return abs(line_of(finding) - line_of(other)) <= slack
    if other.name in _PERFORMANCE:  # the end of the mechanism explains nothing but itself
        return False
    first = causes[0] if causes and causes[0].role == "root" else None
    return first is not None and finding.id in first.explains and other.id in first.explains


def linked(findings: Sequence[Finding], incidents: Sequence[Incident]) -> tuple[Finding, ...]:
    """Return all findings, gravest event first; each derived one names the first finding of its event."""
    out: list[Finding] = []
    for incident in incidents:
        # A warning that came first does not head a critical event; the chain of onsets tells the order.
        root = incident.root if severity_rank(incident.root.severity) == incident.severity else incident.main
        out.append(replace(root, explained_by=tuple(i for i in root.explained_by if not i.startswith("LD"))))
        for finding in (f for f in incident.findings if f is not root):
            rest = tuple(i for i in finding.explained_by if i != root.id)
            out.append(replace(finding, explained_by=(root.id, *rest)))
    told = {id(f) for incident in incidents for f in incident.findings}
    return (*out, *(f for f in findings if id(f) not in told))
