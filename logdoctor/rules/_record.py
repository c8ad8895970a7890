"""The record that every rule file defines: one finding a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logdoctor.model import Finding, RunLog, Severity

if TYPE_CHECKING:
    from logdoctor.view import RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One number a rule decides by. It becomes a settings key, a line of the manual and a figure of the finding."""

    name: str
    value: float
    unit: str
    why: str
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A log (made by ``log``, a function that returns its text) on which the rule must fire, or must not.

    ``siblings`` make the logs of runs to compare with (``--baseline``).
    """

    title: str
    log: Callable[[], str]
    fires: bool
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    siblings: tuple[Callable[[], str], ...] = ()


class Limits:
    """The thresholds in force for one rule, as attributes; settings may override a default."""

    def __init__(self, thresholds: Iterable[Threshold], overrides: Mapping[str, float] | None = None) -> None:
        """Take the rule's own thresholds and the user's ``overrides`` (name -> value)."""
        values = {item.name: item.value for item in thresholds}
        values.update(overrides or {})
        self._values = values

    def __getattr__(self, name: str) -> float:
        """Return the threshold called ``name``."""
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One finding a file.

    The module docstring is the manual page, under the fixed headings *What it finds*, *Why it matters*, *How it
    decides*, *When it is wrong*, *What to do*, *References*.

    Attributes:
        id: ``LD`` and three digits, never reused. LD1xx input and logging faults, LD2xx loss, LD3xx gradients,
            LD4xx values (Q, critic), LD5xx policy and hyperparameters, LD6xx performance, LD7xx generalisation,
            LD8xx throughput, memory and crashes, LD9xx language models.
        name: the fault in lower case with hyphens; must read well after "ignore".
        severity: the most severe level at which it fires.
        needs: groups of metric names; each group is satisfied by any one of its names. When a group has none, the
            check is "not-applicable" and says which metric is missing.
        min_points: judged points that the metrics need.
        benign: the rule only explains ("benign, and why") and never alarms.
        detect: ``(view, limits) -> findings``; pure, no clock, no randomness, no I/O.
    """

    id: str
    name: str
    title: str
    severity: Severity
    detect: Callable[[RunView, Limits], Iterable[Finding]]
    needs: tuple[tuple[str, ...], ...] = ()
    min_points: int = 3
    thresholds: tuple[Threshold, ...] = ()
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    benign: bool = False
    since: str = "0.1.0"
    applies_to: Callable[[RunView], str | None] | None = None


__all__ = ["Example", "Limits", "Rule", "RunLog", "Threshold"]
