"""The record that every overview file defines: one output of a sweep a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from logdoctor.renderers._record import RenderOptions
from logdoctor.sweeping import Sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One output of a sweep; ``render`` is pure."""

    id: str
    title: str
    suffixes: tuple[str, ...]
    render: Callable[[Sweep, RenderOptions], str]
