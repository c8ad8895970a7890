"""Settings of the tool: flags > environment > ``logdoctor.toml`` > ``[tool.logdoctor]`` > defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from logdoctor.rules._record import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force. ``thresholds``: rule name -> threshold name -> value."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str = "critical"
    minimum_coverage: float = 0.5
    parser: str | None = None
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    formats: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def selected(self, rule: Rule) -> bool:
        """Whether ``rule`` takes part: ids, id prefixes, names and tags are accepted."""
        keys = (rule.id, rule.name, *rule.tags)

        def named(patterns: tuple[str, ...]) -> bool:
            return any(p in keys or (p.startswith("LD") and rule.id.startswith(p)) for p in patterns)

        return (not self.select or named(self.select)) and not named(self.ignore)
