"""What is known of the shapes of lines, and what was read of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from logdoctor.fastpath.effects import Effect
from logdoctor.fastpath.held import Held
from logdoctor.fastpath.numbers import Floats
from logdoctor.fastpath.template import Sample, Template
from logdoctor.model import Ints
from logdoctor.parsers._assembler import Record

NOWHERE = -1
"""The state inside a record: it has no number."""


class Distrust(Exception):  # noqa: N818 - a decision, not a fault of the input
    """A line read in bulk differs from what the assembler makes of it: ``effect`` must be read line by line."""

    def __init__(self, text: str, effect: Effect | None) -> None:
        """Take what is told, and whose record it is."""
        super().__init__(text)
        self.effect = effect


class CountedBlocks(Exception):  # noqa: N818 - a decision, not a fault of the input
    """A counter stands among the values of a block: its lines must be read together, not piece by piece."""


@dataclass(slots=True)
class Known:
    """A shape and what it does: state -> (state behind it, effect), and the samples that taught it.

    ``moves`` holds None for a state in which the shape does not decide what happens; ``spoilt`` what it was taken to do
    there before.
    """

    samples: list[Sample] = field(default_factory=list)
    template: Template | None = None
    moves: dict[int, tuple[int, Effect] | None] = field(default_factory=dict)
    spoilt: dict[int, Effect] = field(default_factory=dict)
    models: dict[Effect, Record | None] = field(default_factory=dict)
    taught: int = 0
    told: int = 0
    telling: int = 0
    shown: int = 0


@dataclass(frozen=True, slots=True)
class Bulk:
    """Records of one effect, in file order.

    ``line`` is the first line of each record, shape ``(n,)``; ``row`` is the same but for pieces of a block, which
    belong to the record that begins at line ``row``.
    """

    effect: Effect
    model: Record
    line: Ints
    row: Ints
    counters: list[Floats]
    cells: list[Floats]
    context: dict[str, Held]


def settings_of(effect: Effect, values: list[Floats]) -> Iterator[tuple[str, Floats]]:
    """Yield the counters that an effect sets, with their values."""
    own = {name.lower(): i for i, (name, _) in enumerate(effect.counters)}
    place = {slot: i for i, slot in enumerate(effect.slots)}
    for i, (key, _, _) in enumerate(effect.sets):
        slot = place.get(("sets", i))
        if slot is None and key in own:
            slot = place.get(("counter", own[key]))
        if slot is not None:
            yield key, values[slot]


def move_of(known: Known, state: int) -> tuple[int, Effect]:
    """Return what a shape does in a state in which records of it were read in bulk.

    Raises:
        Distrust: it turned out meanwhile that the shape does not decide it.
    """
    move = known.moves[state]
    if move is None:
        raise Distrust("lines of one shape do different things", known.spoilt.get(state))
    return move
