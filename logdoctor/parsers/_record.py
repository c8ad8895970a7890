"""The record that every parser file defines, and what a grammar returns for one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Cell(NamedTuple):
    """One value printed on one line. ``start`` and ``end`` are its span in the text that was scanned."""

    name: str
    value: float
    flag: str = ""
    unit: str | None = None
    start: int = -1
    end: int = -1
    phase: str = ""
    title: str = ""


class Count(NamedTuple):
    """One counter printed on one line, with the total it runs to where that is printed."""

    name: str
    value: float
    total: float | None = None
    start: int = -1
    end: int = -1


class Scan(NamedTuple):
    """What a grammar read from one line.

    Attributes:
        counters: the counters, in the order printed.
        cells: the values, in the order printed.
        phase: the phase that the line as a whole names (``""``, ``train``, ``val``, ``eval``, ``test``).
        title: the words that are neither counter nor value, when the line may be the title of a block.
        bar: ``""``, ``running`` (a bar whose values are running means of the epoch) or ``live`` (values of this step).
        shares: printed distributions, name -> counts.
    """

    counters: tuple[Count, ...] = ()
    cells: tuple[Cell, ...] = ()
    phase: str = ""
    title: str = ""
    bar: str = ""
    shares: Mapping[str, tuple[float, ...]] = {}
    text: Mapping[str, str] = {}


EMPTY = Scan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parser:
    """One text structure a file.

    Attributes:
        id: the name given to ``--parser``.
        sample: a few lines in this structure (invented, not copied).
        expect: metric name -> value on the last line of the sample.
    """

    id: str
    title: str
    description: str
    sample: str
    expect: Mapping[str, float] = field(default_factory=dict)
