"""The records that every part of logdoctor shares.

Frozen dataclasses without behaviour beyond small look-ups: readers fill a :class:`RunLog`, rules turn it into
:class:`Finding` records, causes rank them into :class:`Cause` records, and a :class:`Diagnosis` holds everything a
renderer may show. Nothing here reads a file or knows a metric by name.

Conventions
    * ``line`` is 1-based in the file as given; ``step`` is in the log's own unit as a full number (``17.7M`` is
      ``17700000.0``) and ``None`` where the log has no counter.
    * Arrays are one-dimensional, equally long and in file order.
    * A number may be NaN or infinite in memory; only :mod:`logdoctor.codec` decides how that is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Scalar = float | int | str | bool | None
Severity = Literal["critical", "warning", "info"]
Verdict = Literal["healthy", "warning", "critical", "inconclusive"]
Goal = Literal["max", "min", "none"]
CheckState = Literal["fired", "clear", "not-applicable", "failed"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


def severity_rank(severity: str) -> int:
    """Return 0 for info, 1 for warning, 2 for critical."""
    return SEVERITIES.index(severity)


# --------------------------------------------------------------------------------------------------------------
# What was read


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """Where a log came from. ``path`` is shown as the user gave it."""

    path: str
    bytes: int = 0
    lines: int = 0
    sha256: str = ""
    encoding: str = "utf-8"
    compression: str | None = None
    modified: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A counter that the log prints; ``unit`` is ``frames``, ``env steps``, ``updates``, ``epochs``, ``lines`` ..."""

    name: str
    unit: str
    primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One run (or resumed part of a run) inside a file.

    ``begins`` says why it starts here: ``start``, ``banner``, ``step-falls``, ``resume``, ``header`` or
    ``second-process``.
    """

    index: int
    first_line: int
    last_line: int
    first_step: float | None
    last_step: float | None
    begins: str = "start"
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Something the reader could not read, or read with a reservation."""

    line: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One hyperparameter of the run. ``source`` is ``log`` or the path of a configuration file."""

    name: str
    raw_name: str
    value: Scalar
    line: int | None
    source: str = "log"
    segment: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A line that says that something happened. ``step`` is that of the record before it.

    ``kind``: ``hyperparameter-change``, ``override``, ``resume``, ``model-load``, ``error``, ``traceback``, ``oom``,
    ``killed``, ``shutdown``, ``checkpoint``, ``overflow``, ``alert``, ``start``, ``note``.
    """

    line: int
    step: float | None
    kind: str
    name: str = ""
    value: Scalar = None
    text: str = ""
    clock: str | None = None
    segment: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One metric over the run: the cells that were printed, in file order.

    Below the streaming threshold each point is one printed value and ``low``/``high`` are the same array as
    ``value``. Above it a point stands for a bin of ``weight`` printed values: ``value`` is an observed middle,
    ``low``/``high`` the observed extremes, each with its own line, so that every figure quoted is still one that
    stands in the file.

    Attributes:
        step: the log's own counter, float64; the line number where there is none.
        judged: False for frozen rows, start-up averages and other rows that no rule may judge.
        missing: cells of the same record shape that were empty or said "not available".
        unreadable: cells that should have been numbers and were not.
    """

    name: str
    raw_name: str
    value: Floats
    step: Floats
    line: Ints
    segment: Ints
    judged: Bools
    clock: str | None = None
    unit: str | None = None
    phase: str = ""
    goal: Goal = "none"
    time: Floats | None = None
    low: Floats | None = None
    high: Floats | None = None
    low_line: Ints | None = None
    high_line: Ints | None = None
    weight: Ints | None = None
    missing: int = 0
    unreadable: int = 0
    nonfinite: int = 0
    count: int = 0

    def __len__(self) -> int:
        """Return the number of points (bins, when streamed)."""
        return int(self.value.size)

    @property
    def lows(self) -> Floats:
        """Smallest observed value of each point."""
        return self.value if self.low is None else self.low

    @property
    def highs(self) -> Floats:
        """Largest observed value of each point."""
        return self.value if self.high is None else self.high

    @property
    def low_lines(self) -> Ints:
        """Line of the smallest observed value of each point."""
        return self.line if self.low_line is None else self.low_line

    @property
    def high_lines(self) -> Ints:
        """Line of the largest observed value of each point."""
        return self.line if self.high_line is None else self.high_line

    def where(self, keep: Bools) -> Series:
        """Return the points at which ``keep`` (shape ``(len(self),)``) is true."""
        arrays: dict[str, Any] = {}
        for name in _SERIES_ARRAYS:
            array = getattr(self, name)
            arrays[name] = None if array is None else array[keep]
        return Series(
            name=self.name,
            raw_name=self.raw_name,
            clock=self.clock,
            unit=self.unit,
            phase=self.phase,
            goal=self.goal,
            missing=self.missing,
            unreadable=self.unreadable,
            nonfinite=self.nonfinite,
            count=self.count,
            **arrays,
        )


_SERIES_ARRAYS = (
    "value",
    "step",
    "line",
    "segment",
    "judged",
    "time",
    "low",
    "high",
    "low_line",
    "high_line",
    "weight",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """Rows that are read but not judged, and why (``frozen``, ``start-up``, ``restart``, ``no-clients``)."""

    reason: str
    first_line: int
    last_line: int
    rows: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How well the log was read; ``coverage`` = metric_lines / (metric_lines + unread_lines)."""

    format: str
    rows: int
    metric_lines: int
    unread_lines: int
    coverage: float
    clocks: tuple[Clock, ...] = ()
    segments: tuple[Segment, ...] = ()
    issues: tuple[Issue, ...] = ()
    masked: tuple[Masked, ...] = ()
    formats: tuple[str, ...] = ()
    streamed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunLog:
    """One log, read. ``series`` maps the canonical metric name to its values; ``frame`` is the table of the contract.

    ``shares`` keeps printed distributions (``Greedy dist: [0 66 948 0]``): name -> (lines, steps, matrix of shares).
    ``fetch`` returns the printed text of the lines asked for (used once, when evidence is quoted).
    """

    source: SourceInfo
    reading: Reading
    series: Mapping[str, Series]
    hyperparameters: tuple[Setting, ...] = ()
    events: tuple[Event, ...] = ()
    raw_names: Mapping[str, str] = field(default_factory=dict)
    fetch: Callable[[Iterable[int]], dict[int, str]] = field(default=lambda _lines: {}, repr=False)
    build_frame: Callable[[], pd.DataFrame] | None = field(default=None, repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """The dataframe: ``line``, ``segment``, ``step``, ``time`` where the log has one, then a column a metric."""
        if self.build_frame is None:
            raise ValueError("this log was streamed: read it with read_log() to keep every row")
        return self.build_frame().copy(deep=False)  # pandas copies a column when one of the two is written to


# --------------------------------------------------------------------------------------------------------------
# What was found


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in the log. ``clock`` is None where it is the primary one."""

    line: int
    step: float | None = None
    clock: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One value observed on one line. ``note`` is a short judgement beside it ("baseline", "+117 %", "the peak").

    ``text`` is the line as printed; the engine fills it in.
    """

    line: int
    step: float | None
    metric: str
    value: Scalar
    text: str = ""
    note: str = ""
    clock: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule saw. ``figures`` holds every number of ``summary``; derived ones beside their inputs.

    ``benign`` findings explain something that looks worrying and is not; they never count for the verdict.
    ``explained_by`` names the findings (rule ids) or cause ids from which this one follows.
    """

    id: str
    name: str
    severity: Severity
    confidence: float
    summary: str
    title: str = ""
    metrics: tuple[str, ...] = ()
    segment: int = 0
    onset: Place | None = None
    end: Place | None = None
    figures: Mapping[str, Scalar] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    analysis: str = ""
    explained_by: tuple[str, ...] = ()
    fingerprint: str = ""
    benign: bool = False
    strength: float = 1.0
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one parameter, with its price. ``where`` is the line or file that holds the present value."""

    parameter: str
    from_: Scalar
    to: Scalar
    why: str
    tradeoff: str = ""
    reference: str = ""
    where: str = ""
    arithmetic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One root cause. ``role`` is ``root``, ``contributing`` or ``alternative``; ``mechanism`` is its arithmetic."""

    id: str
    rank: int
    confidence: float
    title: str = ""
    for_: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    would_settle: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    explains: tuple[str, ...] = ()
    mechanism: tuple[str, ...] = ()
    role: str = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of the run: ``start-up``, ``learning``, ``plateau``, ``drift``, ``collapse``, ``explosion``, ..."""

    name: str
    first_step: float | None
    last_step: float | None
    first_line: int
    last_line: int
    summary: str
    clock: str | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What to look at in the next run. ``sign`` is ``recovery`` or ``failure``; ``otherwise`` is the next action.

    ``condition`` is one of ``>=``, ``<=``, ``>``, ``<``, ``between`` (with ``value2``), ``rises``, ``falls`` or
    ``finite``.
    """

    metric: str
    condition: str
    value: Scalar
    within_steps: float | None
    sign: str
    otherwise: str
    value2: Scalar = None
    why: str = ""
    clock: str | None = None
    horizon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthy:
    """A metric that is fine, or looks odd and is benign, and why one may believe so."""

    metric: str
    why: str
    evidence: tuple[Evidence, ...] = ()
    benign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What became of one rule: fired, clear, not-applicable (with the reason) or failed."""

    id: str
    state: CheckState
    why: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFact:
    """One thing seen in the code. It confirms or weakens causes; by itself it accuses nobody.

    Attributes:
        supports: cause id -> weight in log-odds (negative: speaks against the cause).
        text: the source line as written, stripped.
        what: one sentence that says what stands there.
    """

    id: str
    file: str
    line: int
    text: str
    what: str
    supports: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One step of the chain of onsets: what broke, where, and what it followed from."""

    finding: str
    place: Place
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The parts of the report that tie findings together; each is empty when there is nothing true to say.

    ``main`` is the id of the finding that names the gravest event, ``cause`` the id of its most probable cause (empty
    when the causes found explain only other events); ``lines`` are the first and last line of the run
    that the report is about (a file may hold several).
    """

    main: str = ""
    cause: str = ""
    lines: tuple[int, int] | None = None
    chain: tuple[Link, ...] = ()
    why_now: tuple[str, ...] = ()
    decision: str = ""
    decision_why: str = ""
    restart_from: Place | None = None
    go: bool | None = None
    go_why: str = ""
    prognosis: tuple[str, ...] = ()
    next_checkpoint: str = ""
    wasted_steps: float | None = None
    wasted_hours: float | None = None
    wasted_why: str = ""
    expectations: tuple[tuple[str, tuple[str, ...]], ...] = ()
    not_checked: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One line of the metric table."""

    name: str
    raw_name: str
    unit: str | None
    count: int
    missing: int
    nonfinite: int
    first: float | None
    last: float | None
    min: float | None
    max: float | None
    min_line: int | None = None
    max_line: int | None = None
    first_line: int | None = None
    last_line: int | None = None
    goal: Goal = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A thinned series for pictures (at most a few hundred points, extremes kept)."""

    metric: str
    step: tuple[float, ...]
    value: tuple[float, ...]
    line: tuple[int, ...]
    clock: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that is known about one run; the JSON of it is lossless."""

    source: SourceInfo
    reading: Reading
    verdict: Verdict
    headline: str
    hyperparameters: tuple[Setting, ...] = ()
    events: tuple[Event, ...] = ()
    metrics: tuple[Metric, ...] = ()
    findings: tuple[Finding, ...] = ()
    causes: tuple[Cause, ...] = ()
    phases: tuple[Phase, ...] = ()
    watch: tuple[Watch, ...] = ()
    healthy: tuple[Healthy, ...] = ()
    checks: tuple[Check, ...] = ()
    story: Story = field(default_factory=Story)
    curves: tuple[Curve, ...] = ()
    performance: str | None = None
    family: str | None = None
    judgeable: bool = True
    baseline: Mapping[str, Any] | None = None
    code: tuple[CodeFact, ...] = ()
    code_skipped: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract (``logdoctor.diagnosis/1``); every value is valid JSON."""
        from logdoctor.codec import diagnosis_to_dict

        return diagnosis_to_dict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Diagnosis:
        """Rebuild a diagnosis from :meth:`to_dict`'s object.

        Raises:
            InputError: ``data`` is not a diagnosis of a schema that this version knows.
        """
        from logdoctor.codec import diagnosis_from_dict

        return diagnosis_from_dict(data)
