"""Drives the assembler and the scanner over a log: known shapes in bulk, everything else line by line, in order.

State of the assembler (which header is in force, which titles stand above ...) decides what a line means, so a shape is
used only in a state in which the assembler was seen to read it, and what the shape leads to is part of what was learnt.
Whether a stretch of matched lines is a path through known states is decided for all of them at once; the first line off
that path goes to the assembler.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from logdoctor.fastpath.effects import (
    Busy,
    Effect,
    Seen,
    observe,
    snapshot,
    state_of,
    without_stand_ins,
)
from logdoctor.fastpath.known import NOWHERE, Bulk, CountedBlocks, Known
from logdoctor.fastpath.scan import Scanner
from logdoctor.fastpath.template import Sample, learn, shape_of
from logdoctor.fastpath.walk import Walk
from logdoctor.parsers._assembler import Assembler, Record
from logdoctor.parsers._record import Count

BLOCK = 4 << 20
"""Bytes matched in one go: enough that the cost of a call is small beside its work, few enough for the caches."""
LEAST_SAMPLES = 4
MOST_SAMPLES = 64
MOST_GROUPS = 1000
"""Shapes that are remembered (about 30 kB each); the rare ones make room for others when there are more."""
MOST_TEMPLATES = 256
MOST_STATES = 500
LONGEST_RECORD = 64
TOLD = 16
"""Samples of a shape that are asked whether they tell of an event."""

WATCHED = 1024
"""Observations made before they must have paid."""


@dataclass(slots=True)
class _Open:
    """What was seen since the last known state."""

    line: int
    state: int
    counters: dict[str, Count]
    texts: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    pieces: list[tuple[str, Record]] = field(default_factory=list)
    quiet: bool = True


class Driver:
    """Reads blocks of a log. ``single`` and ``bulk`` are called with what was read, in file order within each."""

    def __init__(
        self,
        assembler: Assembler,
        single: Callable[[Record], None],
        bulk: Callable[[Bulk], None],
        other: Callable[[int, str], None],
        tells: Callable[[str], int],
        begins: Callable[[int, int, int], None] | None = None,
        alone: Set[Effect] = frozenset(),
        own: Callable[[Sequence[tuple[int, str]]], Set[int]] | None = None,
        *,
        pieces: bool = True,
    ) -> None:
        """Take the assembler, who wants records and lines without one, and how many lines like one are of interest.

        Records of the effects ``alone`` are never read in bulk; ``own`` takes lines and says which it has read.
        The lines of a block are read one by one where ``pieces`` are allowed, else together.

        Raises:
            CountedBlocks: while reading, when pieces must not be allowed.
        """
        self.assembler, self.single, self.bulk, self.other, self.tells = assembler, single, bulk, other, tells
        self.begins = begins or _ignore
        self.alone = alone
        self.own = own
        self.pieces = pieces
        self.scanner = Scanner()
        self.groups: dict[Hashable, Known] = {}
        self.known: dict[int, Known] = {}
        self.states: dict[Hashable, int] = {}
        self.saved: list[dict[str, Any]] = []
        self.counters: dict[str, Count] = {}
        self.line = 1
        self.fast_lines = 0
        self._random = random.Random(0)  # the same rows are checked in every run
        self.checked: set[Effect] = set()
        self.state = self._number()
        self._open: _Open | None = None
        self.block_line = 0
        self._fed = 0
        self._watched = 0
        self._fresh = False

    # ------------------------------------------------------------------------------------------------ states
    def _number(self) -> int:
        """Return the number of the assembler's state, :data:`NOWHERE` inside a record."""
        if not self.pieces and self.assembler._block is not None:
            return NOWHERE
        try:
            state = state_of(self.assembler)
        except Busy:
            return NOWHERE
        number = self.states.get(state)
        if number is None:
            if len(self.states) >= MOST_STATES:
                return NOWHERE
            number = self.states[state] = len(self.states)
            self.saved.append(snapshot(self.assembler))
        return number

    # ------------------------------------------------------------------------------------------------ blocks
    def read(self, blocks: Iterable[bytes]) -> None:
        """Read all blocks (each ends at a line end, the last one may not) and close the assembler."""
        # The first pieces are small: shapes are learnt from few lines.
        size, wanted = 0, BLOCK >> 2
        for block in blocks:
            if size >= wanted:
                size, wanted = self._walk(last=False), min(BLOCK, 2 * wanted)
            size = self.scanner.add(block)
        self._walk(last=True)
        self.assembler.finish()
        self._drain()

    def _walk(self, *, last: bool) -> int:
        """Read what was added to the work buffer; return how many bytes are left in it for the next time."""
        walk = Walk(self, self.scanner.window(), last)
        walk.run()
        return self.scanner.add(walk.raw(walk.count, walk.starts.size - 1))

    def _drain(self, block: Record | None = None) -> list[Record]:
        """Hand over the records that came out; return them without ``block``, which was read before."""
        records = self.assembler.records
        out = list(records)
        records.clear()
        for record in out:
            whole = without_stand_ins(record)
            if whole is not None:
                self.single(whole)
        return [record for record in out if record is not block]

    def chance(self, share: float) -> bool:
        """Whether one of many is picked."""
        return self._random.random() < share

    def pick(self, count: int) -> int:
        """Return one of ``count`` records, the same in every run."""
        return self._random.randrange(count)

    def flush(self) -> None:
        """Hand over what an open block holds: its next cells are read in bulk."""
        block, self.assembler._block = self.assembler._block, None
        if block is not None:
            self.assembler.records.append(block)
            self._drain()

    def slow(self, first: int, lines: list[str], raw: bytes) -> None:
        """Read lines with the assembler, from line number ``first`` on, and learn from what it does."""
        start = 0
        read = self.own(list(enumerate(lines, first))) if self.own else frozenset()
        for number, text in enumerate(lines, first):
            stop = raw.index(b"\n", start) + 1 if raw.find(b"\n", start) >= 0 else len(raw)
            if number not in read:
                self._slow(number, text, raw[start:stop])
            start = stop

    def _slow(self, number: int, text: str, raw: bytes) -> None:
        assembler = self.assembler
        before, state, block = assembler._context, self.state, assembler._block
        held = 0 if block is None else len(block.cells)
        noted = (len(assembler.issues), len(assembler.orphans))
        assembler.feed(number, text)
        records = self._drain(block if self.pieces else None)
        if self.pieces and _counted([*records, assembler._block]):
            raise CountedBlocks
        self.state = self._number()
        quiet = (len(assembler.issues), len(assembler.orphans)) == noted
        self.other(number, text)
        if self._open is None:
            if state == NOWHERE or not self._worth_watching():
                return
            self._open = _Open(number, state, before)
        watched = self._open
        watched.texts.append(text)
        watched.raw.append(raw)
        watched.records += records
        watched.quiet &= quiet
        piece = self._piece(number, block, held)
        if piece is not None:
            watched.pieces.append(piece)
        if self.state != NOWHERE:
            self._learn(watched)
            self._open = None
        elif len(watched.texts) > LONGEST_RECORD:
            self._open = None

    def _worth_watching(self) -> bool:
        """Watch the first lines, then one in sixteen as long as few lines are read in bulk."""
        self._fed += 1
        return self._watched < WATCHED + self.fast_lines // 8 or self._fed % 16 == 0

    def _piece(self, number: int, before: Record | None, held: int) -> tuple[str, Record] | None:
        """Return what a line added to a block."""
        block = self.assembler._block
        if not self.pieces or block is None or (block is before and len(block.cells) == held):
            return None
        cells = list(block.cells.items())[held if block is before else 0 :]
        return ("joins" if block is before else "opens"), replace(block, line=number, cells=dict(cells))

    # ------------------------------------------------------------------------------------------------ learning
    def _learn(self, watched: _Open) -> None:
        """Take the lines since the last known state as one observation."""
        self._watched += 1
        raw = b"".join(watched.raw)
        after = self.assembler._context
        self.counters.update(after)
        made = len(watched.records) + len(watched.pieces)
        if not watched.quiet or made > 1 or len(raw) > 1 << 16 or not raw.endswith(b"\n"):
            return
        if watched.pieces and len(watched.texts) > 1:
            return
        texts = watched.texts
        if any(piece.rstrip(b"\r\n") != text.encode() for piece, text in zip(watched.raw, texts, strict=True)):
            return
        kind, record = watched.pieces[0] if watched.pieces else ("", watched.records[0] if watched.records else None)
        seen = observe(texts, raw, watched.line, record, kind, watched.counters, after)
        if seen is not None:
            self._take(seen, watched.state, texts)

    def _take(self, seen: Seen, state: int, texts: list[str]) -> None:
        sample = Sample(seen.text, seen.spans, seen.effect.names, seen.values)
        shape = shape_of(sample)
        if shape is None:
            return
        group = self.groups.get(shape)
        if group is None:
            if len(self.groups) >= MOST_GROUPS:
                self.groups = {
                    shape: known for shape, known in self.groups.items() if known.told >= LEAST_SAMPLES or known.spoilt
                }
            if len(self.groups) >= MOST_GROUPS:
                return
            group = self.groups[shape] = Known()
        if not self._moves(group, state, seen.effect):
            return
        group.models.setdefault(seen.effect, seen.record)
        if group.told < TOLD:
            group.telling = max([group.telling, *(self.tells(text) for text in texts)])
        group.told += 1
        if len(group.samples) < MOST_SAMPLES:
            group.samples.append(sample)
        else:
            group.samples[group.told % MOST_SAMPLES] = sample
        self._fresh = True
        if group.told >= LEAST_SAMPLES and group.told >= 2 * group.taught:
            self._teach(group)

    def _moves(self, group: Known, state: int, effect: Effect) -> bool:
        """Note what a shape does in a state; return whether its lines may be read in bulk there."""
        move = (self.state, effect)
        known = group.moves.setdefault(state, move)
        if known == move and effect not in self.alone:
            return True
        if known is not None:
            group.spoilt[state] = known[1]
        group.moves[state] = None  # the shape does not decide what happens here
        return False

    def _teach(self, group: Known) -> None:
        group.taught = group.told
        template = learn(group.samples)
        if template is None or (group.template is None and len(self.known) >= MOST_TEMPLATES):
            return
        if group.template is not None:
            template.hits = group.template.hits
            self.scanner.templates.remove(group.template)
            del self.known[id(group.template)]
        group.template = template
        self.known[id(template)] = group
        self.scanner.templates.append(template)
        self._fresh = True

    def taught_anew(self) -> bool:
        """Whether something was learnt since the last call."""
        fresh, self._fresh = self._fresh, False
        return fresh


def _counted(records: Iterable[Record | None]) -> bool:
    """Whether a block has a counter of its own; it got that from one of its lines, after the first."""
    return any(record is not None and record.grammar == "blocks" and bool(record.counters) for record in records)


def _ignore(first: int, count: int, size: int) -> None:
    del first, count, size
