"""What ``compare`` and ``check`` return: frozen records, for the code that fills and the code that prints them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from logdoctor.model import Finding, Goal, Place, Scalar, SourceInfo, Verdict

Outcome = Literal["fixed", "better", "same", "worse", "other fault", "cannot tell"]
State = Literal["met", "not met", "not yet", "cannot tell"]
STATES: tuple[State, ...] = ("not met", "cannot tell", "not yet", "met")
COMPARISON_SCHEMA = "logdoctor.comparison/1"
CHECK_SCHEMA = "logdoctor.check/1"


def _encoded(schema: str, record: Any) -> dict[str, Any]:
    from logdoctor import __version__
    from logdoctor.codec import encode

    return {"schema": schema, "tool": {"name": "logdoctor", "version": __version__}, **encode(record)}


# ------------------------------------------------------------------------------------------------------- compare


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two runs of a comparison."""

    source: SourceInfo
    verdict: Verdict
    headline: str
    last_step: float | None
    performance: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingChange:
    """What became of one kind of finding.

    Attributes:
        state: ``gone``, ``stayed``, ``new``, or ``not reached`` when the later run is too short to show it.
    """

    state: Literal["gone", "stayed", "new", "not reached"]
    before: Finding | None
    after: Finding | None

    @property
    def finding(self) -> Finding:
        """The finding as it was seen last."""
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The level of a metric at the compared step: the median of the printed values of a stretch, and where it lies."""

    value: float
    spread: float
    count: int
    first_line: int
    last_line: int
    last_step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricChange:
    """One metric before and after, at the same step.

    Attributes:
        change: after minus before, in the unit of the metric.
        percent: the change relative to the size of ``before``; None where the sign changes or ``before`` is 0.
        reading: ``better``, ``worse``, ``different`` (no good direction is known) or ``within noise``.
    """

    metric: str
    goal: Goal
    before: Level
    after: Level
    change: float
    percent: float | None
    noise: float
    reading: Literal["better", "worse", "different", "within noise"]
    step: float
    clock: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """One hyperparameter that differs; a side that does not print it is None and ``known`` says which do."""

    name: str
    before: Scalar
    after: Scalar
    known: Literal["both", "before", "after"]
    before_line: int | None = None
    after_line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A difference that may explain the outcome, the reason to think so, and how sure one may be."""

    setting: str
    text: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The same run before and after a change."""

    before: Side
    after: Side
    outcome: Outcome
    headline: str
    findings: tuple[FindingChange, ...] = ()
    metrics: tuple[MetricChange, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values, under the schema ``logdoctor.comparison/1``."""
        return _encoded(COMPARISON_SCHEMA, self)


# --------------------------------------------------------------------------------------------------------- check


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the next run should do: ``metric`` ``condition`` ``value``, within so many steps of its start.

    Attributes:
        condition: ``>=``, ``<=``, ``>``, ``<``, ``==``, ``between`` (with ``value2``), ``rises``, ``falls``,
            ``finite``, or ``absent`` for a finding that must not return (``metric`` is then the rule's id).
        within: steps from the first step of the run; None: by its end.
        by: the same as an absolute step; used when ``within`` is None.
        sign: ``recovery``: the condition should come true; ``failure``: it should not.
        otherwise: what the report told to do when it is not met.
        origin: where it was written down.
    """

    metric: str
    condition: str
    value: Scalar = None
    value2: Scalar = None
    within: float | None = None
    by: float | None = None
    sign: str = "recovery"
    otherwise: str = ""
    why: str = ""
    clock: str | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One expectation and what became of it, with the figure and the line that decide."""

    expectation: Expectation
    state: State
    text: str
    value: Scalar = None
    place: Place | None = None
    deadline: float | None = None
    next_action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A run against what was expected of it."""

    source: SourceInfo
    verdict: Verdict
    against: tuple[str, ...]
    judgements: tuple[Judgement, ...]
    last_step: float | None
    headline: str
    judgeable: bool = True

    def count(self, state: State) -> int:
        """Return how many expectations ended in ``state``."""
        return sum(item.state == state for item in self.judgements)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many expectations ended in each state."""
        return {state: self.count(state) for state in STATES}

    def to_dict(self) -> dict[str, Any]:
        """Return the check as JSON values, under the schema ``logdoctor.check/1``."""
        return {**_encoded(CHECK_SCHEMA, self), "counts": dict(self.counts)}
