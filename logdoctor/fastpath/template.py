"""The shape of a line: literal bytes, runs of spaces and digits, and the places of its numbers.

A template is learnt from lines that the parsers read and that agree in everything but their numbers. It never guesses:
what did not vary in the lines it was learnt from is a literal, and a line that differs there does not match.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from logdoctor.fastpath.numbers import Bools, Floats, Slot, read_numbers
from logdoctor.fastpath.window import Cursor, Window, Words, spread, u64

_SPACES = spread(0x20)
_ZEROS = spread(0x30)
_LOW7 = spread(0x7F)
_OVER_NINE = spread(0x76)
_HIGH = spread(0x80)
_ONE = u64(1)
_ALL = u64(-1)
_QUAD = 32

#: The tokens that :func:`~logdoctor.fastpath.numbers.read_numbers` reads, with an optional suffix.
TOKEN = re.compile(
    rb"(?P<number>[+-]?(?:(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?|(?i:nan|inf(?:inity)?)))(?P<suffix>[kKMBT]?)"
)
_PIECES = re.compile(rb"( +)|([0-9]+)|([^ 0-9]+)")
# Days and hours seldom change within the lines that a shape is learnt from: any digit will do there from the start.
_STAMP = re.compile(
    rb"(?<!\d)(?:\d{4}[-/.]\d\d[-/.]\d\d(?:[T _,-]+\d\d[:-]\d\d[:-]\d\d(?:[.,]\d+)?)?|\d\d:\d\d:\d\d(?:[.,]\d+)?)(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A line (with its line end) or several lines that one record was read from.

    Attributes:
        text: the bytes.
        spans: where each number stands in ``text``, in order.
        meaning: what the numbers mean (names, clock, phase ...): only samples of equal meaning share a template.
        values: what the parsers read at ``spans``.
    """

    text: bytes
    spans: tuple[tuple[int, int], ...]
    meaning: Hashable
    values: tuple[float, ...]


class Literal:
    """Bytes that must stand at the cursor; a position may instead ask for any digit."""

    __slots__ = ("digit", "parts", "size", "text")

    def __init__(self, text: bytes, digit: bytes) -> None:
        """Take the bytes and, for each, 1 where any digit will do."""
        self.text, self.digit, self.size = text, digit, len(text)
        self.parts = [_Part(i, text[i : i + _QUAD], digit[i : i + _QUAD]) for i in range(0, len(text), _QUAD)]

    def run(self, window: Window, at: Cursor) -> tuple[Cursor, Bools | None]:
        """Return the places behind the literal and where it stood (None: everywhere)."""
        good: Bools | None = None
        for part in self.parts:
            here = part.stands(window, at)
            if here is not None:
                good = here if good is None else good & here
        return at + self.size, good


class _Part:
    """Up to 32 bytes of a literal, compared word by word over all lines at once."""

    __slots__ = ("offset", "wide", "words")

    def __init__(self, offset: int, text: bytes, digit: bytes) -> None:
        self.offset = offset
        self.wide = 1 if len(text) <= 8 else 4
        # For each word that is looked at: where, its bytes, which of them must be these, which may be any digit.
        self.words: list[tuple[int, np.uint64, np.uint64, np.uint64]] = []
        for k in range(0, len(text), 8):
            free = digit[k : k + 8]
            exact, classes = (bytes(a if d else b for d in free) for a, b in ((0, 255), (128, 0)))
            mask = _word(exact)
            self.words.append((k // 8, _word(text[k : k + 8]) & mask, mask, _word(classes)))

    def stands(self, window: Window, at: Cursor) -> Bools | None:
        place = at + self.offset if self.offset else at
        found = window.words(place) if self.wide == 1 else window.quads(place)
        table = found.reshape(-1, self.wide)
        good: Bools | None = None
        for k, word, mask, classes in self.words:
            column = table[:, k]
            equal = (column if mask == _ALL else column & mask) == word
            if classes:
                digits = column ^ _ZEROS
                equal &= (((digits & _LOW7) + _OVER_NINE) | digits) & classes == 0
            if not equal.all():
                good = equal if good is None else good & equal
        return good


def _word(text: bytes) -> np.uint64:
    return u64(int.from_bytes(text, "little"))


class Spaces:
    """One or more spaces."""

    __slots__ = ()

    def run(self, window: Window, at: Cursor) -> tuple[Cursor, Bools | None]:
        """Return the places behind the spaces, and where there was at least one (None: everywhere)."""
        return _run_of(window, at, spaces=True)


class Digits:
    """One or more digits whose number does not matter."""

    __slots__ = ()

    def run(self, window: Window, at: Cursor) -> tuple[Cursor, Bools | None]:
        """Return the places behind the digits, and where there was at least one (None: everywhere)."""
        return _run_of(window, at, spaces=False)


def _run_of(window: Window, at: Cursor, *, spaces: bool) -> tuple[Cursor, Bools | None]:
    count = _run_in_word(window.words(at), spaces)
    end = at + count
    good = count > 0
    more = np.flatnonzero(count == 8)
    while more.size:
        count = _run_in_word(window.words(end[more]), spaces)
        end[more] += count
        more = more[count == 8]
    return end, None if good.all() else good


def _run_in_word(word: Words, spaces: bool) -> Cursor:
    if spaces:
        marks = word ^ _SPACES
    else:
        digits = word ^ _ZEROS
        marks = ((digits + _OVER_NINE) | digits) & _HIGH
    below = (marks & np.negative(marks)) - _ONE
    # Bits of a byte that differ may lie above its lowest one: whole bytes are counted.
    return np.asarray(np.bitwise_count(below) >> np.uint8(3), np.int64)


Step = Literal | Spaces | Digits | Slot


@dataclass(slots=True, eq=False)
class Template:
    """One shape. ``meaning`` is handed back with every row; ``lines`` counts the lines of one record."""

    steps: tuple[Step, ...]
    meaning: Hashable
    lines: int
    head: tuple[np.uint64, np.uint64]
    hits: int = 0
    shape: Hashable = field(default=None)

    @property
    def slots(self) -> int:
        """How many numbers a record has."""
        return sum(isinstance(step, Slot) for step in self.steps)

    def match(self, window: Window, starts: Cursor) -> tuple[Cursor, list[Floats], Cursor]:
        """Return which of ``starts`` match (indices), the numbers of these, and where each record ends."""
        rows = np.arange(starts.size)
        at = starts
        values: list[Floats] = []
        for step in self.steps:
            if isinstance(step, Slot):
                value, at, good = read_numbers(window, at, step)
                values.append(value)
            else:
                at, good = step.run(window, at)
            if good is not None:
                keep = np.flatnonzero(good)
                rows, at = rows[keep], at[keep]
                values = [value[keep] for value in values]
                if not keep.size:
                    return rows, [np.zeros(0)] * self.slots, at
        return rows, values, at


def shape_of(sample: Sample) -> Hashable | None:
    """Return a key that is equal for samples that could share a template, None when a number cannot be a slot."""
    key: list[object] = [sample.meaning]
    for gap, token in _gaps(sample):
        if token is not None and TOKEN.fullmatch(token) is None:
            return None
        for space, digits, other in _PIECES.findall(gap):
            key.append(1 if space else 2 if digits else other)
        key.append(0)
    return tuple(key)


def _gaps(sample: Sample) -> Iterable[tuple[bytes, bytes | None]]:
    """Yield each literal stretch with the number behind it (None at the end); a suffix belongs to the number."""
    last = 0
    for start, end in sample.spans:
        if sample.text[end : end + 1] in _SUFFIX_LETTERS and not sample.text[end + 1 : end + 2].isalnum():
            end += 1
        yield sample.text[last:start], sample.text[start:end]
        last = end
    yield sample.text[last:], None


_SUFFIX_LETTERS = frozenset({b"k", b"K", b"M", b"B", b"T"})


def learn(samples: Sequence[Sample]) -> Template | None:
    """Return the template of samples with one :func:`shape_of`, or None when it does not read all of them as given."""
    gaps = [list(_gaps(sample)) for sample in samples]
    steps: list[Step] = []
    literal, classes = bytearray(), bytearray()

    def flush() -> None:
        if literal:
            steps.append(Literal(bytes(literal), bytes(classes)))
            literal.clear()
            classes.clear()

    for number in range(len(gaps[0])):
        pieces = [_PIECES.findall(row[number][0]) for row in gaps]
        stamps = _stamps(gaps[0][number][0])
        at = 0
        for place in range(len(pieces[0])):
            texts = [b"".join(row[place]) for row in pieces]
            inner = 0 < place < len(pieces[0]) - 1
            step = _piece(texts, inner)
            stamped, at = at in stamps and texts[0].isdigit(), at + len(texts[0])
            if step is None:
                varies = stamped or len(set(texts)) > 1
                literal += texts[0]
                classes += bytes([varies]) * len(texts[0])
            else:
                flush()
                steps.append(step)
        tokens = [row[number][1] for row in gaps]
        if tokens[0] is None:
            continue
        flush()
        suffix = any(bool(m and m["suffix"]) for m in (TOKEN.fullmatch(t or b"") for t in tokens))
        steps.append(Slot(stop=0, suffix=suffix, commas=any(b"," in (token or b"") for token in tokens)))
    flush()
    if not _set_stops(steps):
        return None
    template = Template(
        steps=tuple(steps), meaning=samples[0].meaning, lines=samples[0].text.count(b"\n"), head=_head(steps)
    )
    return template if _reads(template, samples) else None


def _stamps(text: bytes) -> set[int]:
    """Return the positions inside dates and times of day."""
    return {place for match in _STAMP.finditer(text) for place in range(match.start(), match.end())}


def _piece(texts: list[bytes], inner: bool) -> Step | None:
    """Return the step for a run of spaces or digits, None when it is a literal (or digits of one width)."""
    first = texts[0]
    widths = {len(text) for text in texts}
    if first.startswith(b" "):
        # Beside a number, two or more spaces are the padding of a cell: its width changes with the number.
        return Spaces() if len(widths) > 1 or (widths != {1} and not inner) else None
    if first[:1].isdigit():
        return Digits() if len(widths) > 1 else None
    return None


def _set_stops(steps: list[Step]) -> bool:
    """Tell every slot which byte follows it; False when that byte could belong to the number."""
    for here, behind in zip(steps, [*steps[1:], None], strict=True):
        if not isinstance(here, Slot):
            continue
        if isinstance(behind, Spaces):
            here.stop = 0x20
        elif isinstance(behind, Literal) and not behind.digit[0]:
            here.stop = behind.text[0]
        else:
            return False
        if chr(here.stop) in "0123456789.+-" or (here.suffix and bytes([here.stop]) in _SUFFIX_LETTERS):
            return False
    return True


def _head(steps: list[Step]) -> tuple[np.uint64, np.uint64]:
    """Return the first word of the shape and a mask of its exact bytes (a cheap test before the first step)."""
    first = steps[0]
    if not isinstance(first, Literal):
        return u64(0), u64(0)
    text = first.text[:8]
    mask = bytes(0 if d else 255 for d in first.digit[:8])
    word = int.from_bytes(text, "little") & int.from_bytes(mask, "little")
    return u64(word), u64(int.from_bytes(mask, "little"))


def _reads(template: Template, samples: Sequence[Sample]) -> bool:
    """Whether the template reads every sample to its end and to the very numbers that the parsers read."""
    from logdoctor.fastpath.window import window_of

    starts = np.cumsum([0, *(len(sample.text) for sample in samples)])
    window = window_of(b"".join(sample.text for sample in samples))
    rows, values, ends = template.match(window, starts[:-1].astype(np.int64))
    if rows.size != len(samples) or not np.array_equal(ends, starts[1:]):
        return False
    expected = np.array([sample.values for sample in samples], np.float64).reshape(len(samples), -1)
    return len(values) == expected.shape[1] and all(
        same_floats(value, expected[:, i]) for i, value in enumerate(values)
    )


def same_floats(a: Floats, b: Floats) -> bool:
    """Whether two arrays hold the same bits, any NaN being equal to any other."""
    return bool(np.all((a.view(np.int64) == np.ascontiguousarray(b).view(np.int64)) | (np.isnan(a) & np.isnan(b))))
