"""Carries what was decided on the sample over to all records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from logdoctor.fastpath.binned import binned
from logdoctor.fastpath.collect import Collector, Sampled
from logdoctor.fastpath.decide import Decider, Shape
from logdoctor.fastpath.expanded import Expanded, Singles
from logdoctor.fastpath.whole import whole
from logdoctor.frames import Table
from logdoctor.parsers._assembler import Record


def expand(
    table: Table,
    trusted: Sequence[Record],
    sampled: Sequence[Sampled],
    collector: Collector,
    shapes: Mapping[int, Shape],
) -> Expanded:
    """Return the table of all records from that of the sample.

    Args:
        table: the table of the sample.
        trusted: the records that it was made of.
        sampled: the records of the sample that stand for others.
        collector: all records.
        shapes: the shape of each record that was read alone (by identity), before cells were taken from it.

    Raises:
        Undecided: see there.
    """
    sample = Decider(table, sampled, [*collector.singles, *collector.owned])
    decided = [(store, found) for store in collector.stores.values() if (found := sample.decide(store)) is not None]
    singles = Singles(sample, trusted)
    if collector.stream:
        return binned(sample, decided, singles)
    return whole(sample, decided, singles, sample.pairs(sampled, shapes), shapes)
