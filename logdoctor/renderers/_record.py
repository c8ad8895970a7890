"""The record that every renderer file defines: one output a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from logdoctor.model import Diagnosis, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """What a renderer may be told. ``width`` is the terminal's; ``extra`` holds the options of one format alone."""

    width: int = 80
    color: bool = False
    verbose: int = 0
    quiet: bool = False
    figures: str | None = None
    fail_on: str = "critical"
    config_path: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePage:
    """The manual page of a rule, for outputs that carry it: ``extra["pages"]`` holds them by rule id."""

    id: str
    name: str
    title: str
    severity: Severity
    summary: str
    markdown: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """One output a file; ``render`` is pure: several diagnoses in, one text out.

    Attributes:
        id: the name given to ``--format``.
        suffixes: file endings that imply the format for ``--output``.
    """

    id: str
    title: str
    suffixes: tuple[str, ...]
    render: Callable[[Sequence[Diagnosis], RenderOptions], str]
