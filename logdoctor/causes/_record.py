"""The record that every cause file defines: one root cause a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logdoctor.model import Change, Finding, Watch

if TYPE_CHECKING:
    from logdoctor.view import RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One piece of evidence for (positive ``weight``) or against (negative) a cause.

    ``weight`` is in natural log-odds; ``text`` is the sentence shown, built from figures.
    """

    weight: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseRecord:
    """One root cause a file.

    Attributes:
        id: from the cause vocabulary, for example ``learning-rate-too-high``.
        prior: log-odds before any evidence.
        symptoms: rule name -> weight in log-odds when that finding is present.
        leads_to: cause ids and rule names that follow from this cause (the edges of the causal graph).
        weigh: further evidence from hyperparameters, onset order and figures.
        changes: parameter changes with numbers taken from the run.
        mechanism: written-out arithmetic, one string a line.
        watch: what to look at in the next run.
        group: causes of one group compete for the same findings; ``training`` explains what the network learns,
            ``recording`` what the log shows of it, ``operations`` what the program and the machine do.
        would_settle: the metric or the test that would confirm or refute it.
    """

    id: str
    title: str
    prior: float
    symptoms: Mapping[str, float] = field(default_factory=dict)
    leads_to: tuple[str, ...] = ()
    weigh: Callable[[RunView, Mapping[str, Finding]], Iterable[Argument]] | None = None
    changes: Callable[[RunView, Mapping[str, Finding]], Iterable[Change]] | None = None
    mechanism: Callable[[RunView, Mapping[str, Finding]], Iterable[str]] | None = None
    watch: Callable[[RunView, Mapping[str, Finding]], Iterable[Watch]] | None = None
    would_settle: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    group: str = "training"
