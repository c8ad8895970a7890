"""Which cells are metrics: those that come again with the counters; what is printed once is prose or configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from logdoctor.names import canonical, is_clock, split_phase
from logdoctor.parsers._assembler import RANK, Key, Record
from logdoctor.parsers._record import Cell

AGAIN = 3  # a line must come again twice before its shape is trusted (research: quirk 13)
AGAIN_KNOWN = 2  # for a name with a meaning of its own
HELD_OUT = frozenset({"val", "eval", "test"})
_EVERYWHERE = frozenset({"columns"})


@lru_cache(maxsize=16384)
def known(key: Key) -> bool:
    """Whether a key has a canonical name."""
    return canonical(key.raw, key.title, key.phase).known


@lru_cache(maxsize=16384)
def _judged(key: Key) -> bool:
    """Whether a name says that it is a metric: one of ours, or one with a word such as loss or accuracy in it."""
    if _EXCEPTION.search(key.raw):
        return False
    name = canonical(key.raw, key.title, key.phase)
    return name.known or (name.goal != "none" and not _OF_SETTINGS.search(name.name))


_EXCEPTION = re.compile(r"[a-z]Error\b|[a-z]Exception\b|Errno")
_OF_SETTINGS = re.compile(r"coef|weight|scale|factor|lambda|thresh|smooth|_fn|function|type|target|clip|gamma|limit")


def trusted(
    records: Sequence[Record], claimed: frozenset[int] = frozenset(), chosen: frozenset[int] = frozenset()
) -> list[Record]:
    """Return the records with the cells that are metrics.

    Args:
        records: what the grammars read.
        claimed: lines that tell of an event; a value without a counter on such a line is no metric.
        chosen: lines that print a setting; the same, unless what they print comes again elsewhere.
    """
    counted = any(record.counters or record.context for record in records)
    _rephase(records)
    told = claimed
    claimed |= _settings_alone(records, chosen)
    printed = {id(record): record.cells for record in records[-SHORTEST:]}
    kept = _chosen(records, claimed, counted)
    if kept:
        return [*kept, *_at_the_end(records[-SHORTEST:], kept, told, printed)]
    # All stand in one place, and nothing else is there to be read: what says that it is a metric is believed.
    again = _chosen(records, claimed, False) if counted else []
    kept = [record for record in again if any(map(_judged, record.cells))]
    return kept or _shortest(records, told, claimed)


def _at_the_end(
    records: Sequence[Record],
    kept: Sequence[Record],
    told: frozenset[int],
    printed: Mapping[int, dict[Key, tuple[Cell, int]]],
) -> list[Record]:
    """Return the results below the last row: metrics of a known direction that no row has under any spelling.

    ``printed`` holds the cells of the last records as they were read; those kept already are added to.
    """
    rows = [record.line for record in kept if record.counters]
    if len(rows) < AGAIN:
        return []
    rest = [record for record in records if record.line > rows[-1] and record.grammar == "blocks"]
    taken = {canonical(*key).name for record in kept for key in record.cells} if rest else set()
    read = {id(record) for record in kept}
    out = []
    for record in rest:
        begins: dict[int, int] = {}
        for cell, line in printed[id(record)].values():
            begins[line] = min(cell.start, begins.get(line, cell.start))
        cells = {
            key: (cell, line)
            for key, (cell, line) in printed[id(record)].items()
            if line not in told and begins[line] <= FRONT
            if _is_result(key, cell) and canonical(*key).name not in taken
        }
        if id(record) in read:
            record.cells = record.cells | cells
        elif cells and not record.counters:
            record.cells = cells
            out.append(record)
    return out


FRONT = 50  # characters, a prefix among them, within which the first result of a line stands; further back is prose


def _is_result(key: Key, cell: Cell) -> bool:
    """Whether a value printed once says by its name and its decimals that it is how well the run did."""
    name = canonical(*key)
    measured = _judged(key) and name.goal != "none" and not _shared(key) and "best" not in f"{key.title} {name.name}"
    return measured and not cell.flag and not cell.value.is_integer()


def _shortest(records: Sequence[Record], told: frozenset[int], claimed: frozenset[int]) -> list[Record]:
    """Return the rows of a log too short for anything to come again: they count, or say that they are metrics."""
    if len(records) > SHORTEST or any(record.line > EXCERPT for record in records):
        return []
    kept = []
    for record in records:
        if record.line not in claimed and record.grammar == "keyvalue" and _counts_rows(record):
            kept.append(record)
        elif record.line not in told and any(canonical(*key).goal != "none" and _judged(key) for key in record.cells):
            record.cells = {key: item for key, item in record.cells.items() if _judged(key)}
            kept.append(record)
    return kept


def _counts_rows(record: Record) -> bool:
    """Whether a line has a counter of its own: ``epoch``, and not ``epochs``, which is how many."""
    return any(not count.name.endswith("s") for count in record.counters)


SHORTEST = 6  # records of such a log


def _settings_alone(records: Sequence[Record], chosen: frozenset[int]) -> frozenset[int]:
    """Return the lines of settings without those that begin a series (the learning rate of each epoch)."""
    first: dict[int, list[Key]] = {}
    for record in records if chosen else ():
        for key, (_, line) in record.cells.items():
            if line in chosen:
                first.setdefault(line, []).append(key)
    keys = {key for found in first.values() for key in found}
    again: dict[Key, int] = dict.fromkeys(keys, 0)
    for record in records if keys else ():
        for key in keys & record.cells.keys():
            again[key] += record.cells[key][1] not in chosen
    return chosen - {line for line, found in first.items() if all(again[key] >= AGAIN for key in found)}


def _chosen(records: Sequence[Record], claimed: frozenset[int], counted: bool) -> list[Record]:
    where = _situations(records, counted)
    constant = _constant(records) | (_outside(records) if counted else frozenset())
    excerpt = _excerpt(records)
    tabled = _tabled(records)
    kept: list[tuple[Record, dict[Key, tuple[Cell, int]]]] = []
    for record in records:
        if tabled and record.grammar == "blocks" and not record.counters and not _belongs(record):
            continue  # a report between the rows of a table (how full a buffer is) is no row
        cells = record.cells
        if record.grammar not in _EVERYWHERE and not (excerpt and _says(record)):
            cells = _kept(record, where, constant, claimed)
        if cells:
            kept.append((record, cells))
    for record, cells in kept:
        record.cells = cells
    return [record for record, _ in kept]


EXCERPT = 60  # lines up to which one block is taken for an excerpt of a log and not for a part of something else
FEWEST = 3  # values that a block must hold when it is all that there is
ROWS = 10
_CHOSEN = frozenset(
    {"learning_rate", "buffer_size", "epsilon", "ent_coef", "memory", "loss_scale", "expert_ratio", "lr_multiplier"}
)


def _excerpt(records: Sequence[Record]) -> bool:
    """Whether the file is so short that nothing in it can come again."""
    return 0 < len(records) <= 2 and records[-1].line <= EXCERPT


def _says(record: Record) -> bool:
    """Whether a block says by its names that it holds metrics and no settings."""
    telling = [key for key in record.cells if known(key) and canonical(key.raw, key.title).name not in _CHOSEN]
    return len(record.cells) >= FEWEST and 2 * len(telling) >= len(record.cells)


def _belongs(record: Record) -> bool:
    """Whether a block between the rows of a table holds metrics for the most part."""
    return 2 * sum(1 for key in record.cells if known(key) or _held(key)) >= len(record.cells)


def _tabled(records: Sequence[Record]) -> bool:
    """Whether the log is a table first of all."""
    rows = sum(1 for record in records if record.grammar == "columns" and record.counters)
    # Of a long log the lines of a block are records of their own: they count as one.
    parts = sum(
        1 for one, two in pairwise(records) if one.grammar == two.grammar == "blocks" and two.line - one.line == 1
    )
    return rows >= ROWS and 2 * rows > len(records) - parts


NEAR = 64  # records between which two processes print the same one
TURNS = 4  # changes of the counter between copies: ranks keep step with each other, a second run does not
LEAST = 3  # values that must agree: fewer may agree by chance (episodes of one length)


def without_copies(records: Sequence[Record]) -> tuple[list[Record], int]:
    """Leave out records that another rank or a redrawn bar printed before; also return how many were left out.

    A copy has the values *and* the place of the record before it: a metric that stands still is printed again at
    another step, be it that of the lines above.
    """
    kept: list[Record] = []
    recent: dict[object, tuple[int, int, Record]] = {}
    turn = 0
    last: tuple[tuple[str, float], ...] = ()
    for record in records:
        if record.grammar == "keyvalue" and record.counters and (len(record.cells) >= LEAST or record.bar == "live"):
            own = tuple((count.name, count.value) for count in record.counters if count.name)
            turn += own != last
            last = own
            keys = (key._replace(title="") if _rank(key) else key for key in record.cells)
            values = (repr(cell.value) for cell, _ in record.cells.values())
            same = (own, tuple(zip(keys, values, strict=True)))
            at, then, before = recent.get(same, (-NEAR, 0, record))
            if len(kept) - at < NEAR and turn - then <= TURNS and _same_place(before, record):
                continue
            recent[same] = (len(kept), turn, record)
            if len(recent) > 8 * NEAR:
                recent = {key: at for key, at in recent.items() if len(kept) - at[0] < NEAR}
        kept.append(record)
    return kept, len(records) - len(kept)


def of_one_rank(records: Sequence[Record]) -> tuple[list[Record], int]:
    """Keep of names that several processes print those of the first one; also return how many were left out.

    Where only another one prints a name (the last stage of a pipeline prints the loss), it speaks for all.
    """
    first: dict[str, int] = {}
    places: dict[str, set[tuple[float, ...]]] = {}
    ranked = False
    for record in records:
        if record.grammar in ("keyvalue", "blocks"):
            for key in record.cells:
                rank = _rank(key)
                ranked = ranked or rank > 0
                first[key.raw] = min(rank, first.get(key.raw, rank))
    if not ranked:
        return list(records), 0
    for record in records:
        for key in record.cells:
            if _rank(key) == first.get(key.raw):
                places.setdefault(key.raw, set()).add(tuple(count.value for count in record.counters))
    kept: list[Record] = []
    for record in records:
        if any(map(_rank, record.cells)):
            # At a step that the first process does not print, another one is the only witness.
            at = tuple(count.value for count in record.counters)
            own = {
                key: item
                for key, item in record.cells.items()
                if _rank(key) == first[key.raw] or at not in places[key.raw]
            }
            record.cells = {key._replace(title="") if _rank(key) else key: item for key, item in own.items()}
        if record.cells:
            kept.append(record)
    return kept, len(records) - len(kept)


def _rank(key: Key) -> int:
    """Return which process printed a value, 0 for the first one and where it is not said."""
    number = key.title.removeprefix(RANK) if key.title.startswith(RANK) else ""
    return int(number) if number.isdigit() else 0


def _same_place(one: Record, other: Record) -> bool:
    """Whether two records of the same own counters stand under the same counters of the lines above."""
    if one.context is other.context:
        return True
    own = {count.name.lower() for count in one.counters}
    first, second = (
        {name: count.value for name, count in record.context.items() if name not in own} for record in (one, other)
    )
    return first == second


def _situations(records: Sequence[Record], counted: bool) -> dict[Key, int]:
    """Count for every key the different counter values under which it was printed."""
    seen: dict[Key, set[object]] = {}
    context: object = None
    around: tuple[float, ...] = ()
    rows = 0
    for index, record in enumerate(records):
        own = tuple((count.name, count.value) for count in record.counters)
        above = tuple((count.name, count.value) for count in record.latest)
        if record.context is not context:
            context, around = record.context, tuple(count.value for count in record.context.values())
        rows += bool(record.counters)
        place: object = (own, above, around) if own or above else (rows if counted else index)
        for key in record.cells:
            places = seen.setdefault(key, set())
            if len(places) < AGAIN:
                places.add(place)
    return {key: len(places) for key, places in seen.items()}


def _rephase(records: Sequence[Record]) -> None:
    """Name the phase of a value that stands among held-out ones: ``eval_acc=1, eval_auc=1, eval_loss=1, loss=1``."""
    plain: set[Key] = set()
    mixed: list[tuple[Record, list[Key]]] = []
    for record in records:
        if record.grammar not in ("keyvalue", "blocks", "literal") or len(record.cells) > 40:
            continue
        held = [key for key in record.cells if _held(key)]
        rest = [key for key in record.cells if key not in held]
        if held and rest and len(held) >= 2 * len(rest):
            mixed.append((record, rest))
        elif not held:
            plain.update(rest)
    for record, rest in mixed:
        there = {canonical(*key).name for key in record.cells}
        for key in rest:
            other = key._replace(phase="val")
            if canonical(*other).name in there:
                continue  # it is that of the training
            if key in plain and not key.phase and known(key) and not _shared(key):
                record.cells[other] = record.cells.pop(key)


def _shared(key: Key) -> bool:
    """Whether a name belongs to no phase: speed, memory, learning rate."""
    name = canonical(key.raw, key.title).name
    return (
        not name.endswith(("loss", "accuracy", "error", "quality", "perplexity", "return", "reward", "length", "rate"))
        or name == "learning_rate"
    )


def _outside(records: Sequence[Record]) -> frozenset[Key]:
    """Return the keys that occur only before the first counter: configuration."""
    inside: set[Key] = set()
    for record in records:
        if record.counters or record.context:
            inside.update(record.cells)
    return frozenset(key for record in records for key in record.cells if key not in inside)


def _constant(records: Sequence[Record]) -> frozenset[Key]:
    """Return the keys of literals and of lines without a counter whose value never changes."""
    first: dict[Key, float] = {}
    count: dict[Key, int] = {}
    moving: set[Key] = set()
    for record in records:
        if record.grammar in ("columns", "keyvalue", "boxed"):
            continue
        for key, (cell, _) in record.cells.items():
            count[key] = count.get(key, 0) + 1
            before = first.setdefault(key, cell.value)
            if before != cell.value or cell.flag:
                moving.add(key)
    still = (key for key in first if key not in moving and count[key] >= AGAIN)
    return frozenset(key for key in still if not _judged(key) and not _norm(key))


def _norm(key: Key) -> bool:
    """Whether a key is the gradient norm of some part: zero in every block is then a finding, not a setting."""
    return canonical(key.raw, key.title, key.phase).name.endswith("norm")


def _kept(
    record: Record, where: dict[Key, int], constant: frozenset[Key], claimed: frozenset[int]
) -> dict[Key, tuple[Cell, int]]:
    by_line: dict[int, list[Key]] = {}
    for key, (_, line) in record.cells.items():
        by_line.setdefault(line if record.grammar == "blocks" else record.line, []).append(key)
    out: dict[Key, tuple[Cell, int]] = {}
    for line, keys in by_line.items():
        if not _believed(record, line, keys, where, claimed):
            continue
        for key in keys:
            if key not in constant:
                out[key] = record.cells[key]
    return out


# ``number of examples: 1774``: how much there is, said again whenever it is loaded
_INVENTORY = re.compile(
    r"^(?:total )?(?:number|num|no\.?|#) of (?:\w+ )?"
    r"(?:examples|samples|images|sentences|files|batches|param(?:eter)?s|classes|workers|gpus|devices|clients|nodes)\b",
    re.IGNORECASE,
)


def _believed(record: Record, line: int, keys: Sequence[Key], where: dict[Key, int], claimed: frozenset[int]) -> bool:
    if line in claimed and record.grammar in ("blocks", "keyvalue") and sum(1 for key in keys if known(key)) < 2:
        return False
    metrics = [key for key in keys if not is_clock(key.raw)]
    if not metrics or (not record.counters and all(_INVENTORY.match(key.raw) for key in metrics)):
        return False
    again = sum(1 for key in metrics if where[key] >= AGAIN)
    if again * 2 >= len(metrics):
        return True
    if record.grammar == "literal" and not record.counters:
        return False
    counts = record.grammar == "keyvalue" and _counts_rows(record)
    if any(where[key] >= AGAIN_KNOWN and (_judged(key) or (counts and _says_held(key))) for key in metrics):
        return True
    # A result at the end of a run is printed once: its name must say what it is and that it is held out.
    return bool(record.counters or record.context) and _results(metrics, record.grammar if record.counters else "")


def _results(metrics: Sequence[Key], grammar: str) -> bool:
    """Whether a line printed once holds results: held-out ones, or beside a counter of its own those of any phase."""
    of_phase = _phase if grammar == "keyvalue" else _held  # objects repeat at the end what they trained with
    held = [key for key in metrics if of_phase(key) and _judged(key) and not _shared(key)]
    if grammar in ("keyvalue", "literal") and held and 2 * len(held) >= sum(1 for key in metrics if not _shared(key)):
        return True
    own = [key for key in metrics if not _shared(key)] or metrics  # beside how long it took
    return all(map(_held, metrics)) and all(map(known, own))


@lru_cache(maxsize=16384)
def _says_held(key: Key) -> bool:
    """Whether the name itself, and not its line, says that a value is held out: ``val_dsc``."""
    return split_phase(key.raw)[1] in HELD_OUT


def _phase(key: Key) -> str:
    return canonical(key.raw, key.title, key.phase).phase


def _held(key: Key) -> bool:
    return _phase(key) in HELD_OUT
