"""A header of names and rows with as many fields: aligned columns, CSV and TSV text, ``a | b | c`` tables.

Cells overflow their width and values hold blanks (``[0.33, 0.45]``, ``21k/  8.2s``), so a row is split into fields
first; a header whose titles hold blanks (``Mean Reward``) is joined where the fields of its rows stand. Empty cells are
told by position when a row has fewer fields than its header and the columns are aligned.
"""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import NamedTuple

from logdoctor.names import PHASES, canonical, counter, squash
from logdoctor.parsers._named_values import named
from logdoctor.parsers._record import Cell, Count, Parser, Scan
from logdoctor.parsers._scan import is_range
from logdoctor.values import MISSING, NUMBER, UNREADABLE, Value, parse

_DURATION = r"\d+[dhm] (?:\d+[hm] )?\d+(?:\.\d+)?[ms](?=\s|$)"
_FIELD = re.compile(rf"[\[(][^\[\]()]*[\])][*!]?|\d+(?:\.\d+)?[kKM]?/\s+(?:\d\S*|n/a)|{_DURATION}|\S+")
_LOOKS = re.compile(
    rf"^(?:{NUMBER}(?:[%kKMBTGbm]|s|ms|/\S*)?[*!]*|{NUMBER}\s+(?:(?:±|\+/-|\+-)\s*{NUMBER}|\(\s*{NUMBER}\s*\))|[\[(][^\[\]()]*[\])][*!]?|n/?a|N/A|--?|OVR|OFF|ON|None|null|err|Error|\d+(?:\.\d+)?\S{{0,12}}|\d[\d.,]*[kKM]?/.*|{_DURATION})$",
    re.IGNORECASE,
)
_NUMERIC = re.compile(
    rf"^(?:{NUMBER}(?:[%kKMBTGbm]|s|ms)?[*!]*|{NUMBER}\s+(?:(?:±|\+/-|\+-)\s*{NUMBER}|\(\s*{NUMBER}\s*\))|[\[(]\s*{NUMBER}(?:\s*,\s*{NUMBER})*\s*[\])][*!]?|\d[\d.,]*[kKM]?/\S.*)$",
    re.IGNORECASE,
)
_VECTOR = re.compile(rf"^[\[(]\s*{NUMBER}(?:\s*,\s*{NUMBER})*\s*[\])]$", re.IGNORECASE)
_ITEM = re.compile(NUMBER, re.IGNORECASE)
_TITLE = re.compile(r"^[#%]?[^\W\d][^\s|=<>{}\"';]*$|^[#%][^\W\d]\S*$|^#$")
_WORDS_ONLY = re.compile(r"^[^\W\d]")
_RANGE = re.compile(
    rf"^[\[(]\s*(?P<low>{NUMBER})\s*[,;:]?\s+?(?P<high>{NUMBER})\s*[\])][*!]?$|^[\[(]\s*(?P<a>{NUMBER})\s*,\s*(?P<b>{NUMBER})\s*[\])][*!]?$",
    re.IGNORECASE,
)
_RANGE_TITLE = re.compile(r"(?<=\w)[\[(]\w+, \w+[\])]")  # "return[min, max]" over cells such as "[-1.5, 20.1]"
_RANGE_TAIL = re.compile(r"[\[(]\w+\.\.\w+[\])]$")
_COMPOUND = re.compile(r"^[^/\s]+(?:/\s*[^/\s]+)+$")
_SWITCH = frozenset({"on", "off", "ovr", "true", "false", "yes", "no"})
_BAR_TAIL = re.compile(r":\s*\d+(?:\.\d+)?%\s*\|.*$")
MAX_COLUMNS = 400


class Field(NamedTuple):
    """One field of a row and its span."""

    text: str
    start: int
    end: int


@dataclass(slots=True)
class Header:
    """The header in force: titles, their spans in the header line, and how rows are split."""

    line: int
    titles: list[str]
    spans: list[tuple[int, int]]
    delimiter: str
    rows: int = 0
    joins: dict[int, list[str]] = field(default_factory=dict)
    words: tuple[bool | None, ...] = ()  # which columns hold words; None where there was nothing yet
    barred: bool = False  # blanks part the columns, bars only group them
    comma: bool = False  # a comma stands before the decimals
    repeats: bool = False  # a title comes again: what tells the columns apart stands in the line below

    @property
    def width(self) -> int:
        """Number of titles."""
        return len(self.titles)


def split(text: str, delimiter: str) -> list[Field]:
    """Return the fields of a row; for blanks, brackets and ``21k/  8.2s`` stay together."""
    if delimiter == " ":
        return [Field(m.group(), m.start(), m.end()) for m in _FIELD.finditer(text)]
    fields: list[Field] = []
    start = 0
    for piece in _quoted_split(text, delimiter):
        end = start + len(piece)
        bare = piece.strip()
        offset = start + (len(piece) - len(piece.lstrip()))
        fields.append(Field(bare.strip('"'), offset, offset + len(bare)))
        start = end + len(delimiter)
    if delimiter == "|" and fields and not fields[0].text and not fields[-1].text:
        fields = fields[1:-1]
    return fields


def _quoted_split(text: str, delimiter: str) -> list[str]:
    if '"' not in text:
        return text.split(delimiter)
    return re.split(rf'{re.escape(delimiter)}(?=(?:[^"]*"[^"]*")*[^"]*$)', text)


_STANDALONE = re.compile(
    r"(?<![\w@.:/(\[-])[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?(?![\w@%])"
)  # a value: this is no header


def looks_like_header(text: str) -> Header | None:
    """Return a header when every field of ``text`` reads like a title."""
    if len(text) > 8000:
        return None
    body = _BAR_TAIL.sub("", text.rstrip()) if "%|" in text else text.rstrip()
    if _STANDALONE.search(body):
        return None
    body = _RANGE_TITLE.sub(lambda match: match.group().replace(", ", ".."), body)
    stripped = body.strip()
    if stripped.startswith("# "):
        cut = body.index("# ") + 2
        body = " " * cut + body[cut:]
    delimiter = _sniff(body)
    barred = delimiter == "|" and any(len(_GAP.findall(item.text)) > 1 for item in split(body, "|"))
    if barred:
        body, delimiter = body.replace("|", " "), " "
    fields = split(body, delimiter)
    if not 2 <= len(fields) <= MAX_COLUMNS or sum(1 for item in fields if squash(item.text) in _OF_MODELS) > 1:
        return None
    titles = [_balanced(item.text) for item in fields]
    if delimiter == " ":
        if (
            len(fields) < 3
            or not all(_TITLE.match(title) for title in titles)
            or (not barred and re.search(r"[:.,]\s|[.!?:]$", stripped))
        ):
            return None
    elif not _delimited_titles(titles):
        return None
    repeats = len(set(titles)) < len(titles)
    return Header(0, titles, [(item.start, item.end) for item in fields], delimiter, barred=barred, repeats=repeats)


# Titles of the tables that print a model or its parameters.
_OF_MODELS = frozenset(
    {
        "params",
        "param#",
        "parameters",
        "type",
        "outputshape",
        "layer(type)",
        "layer",
        "kernelshape",
        "multadds",
        "shape",
    }
)


def _balanced(title: str) -> str:
    """Take off a bracket around several titles: ``Box(P  R  mAP50)``."""
    if title.count("(") == title.count(")"):
        return title
    return title.rpartition("(")[2] if "(" in title else title.rstrip(")")


_GAP = re.compile(r"\S\s{2,}(?=\S)")


def extended(header: Header, text: str) -> bool:
    """Join the second line of a header: ``| Mini-batch |`` above ``| Loss |``, ``example`` above ``counter``."""
    if header.rows or (header.delimiter == " " and not header.repeats):
        return False
    if header.delimiter not in "| " or (header.delimiter == "|" and text.count("|") < 3) or _DIGIT.search(text):
        return False
    fields = split(text, header.delimiter)
    if len(fields) != header.width:
        return False
    if header.delimiter == "|" and all(item.text for item in fields):
        return False
    if header.delimiter == " " and not _below(header, fields):
        return False
    header.titles = [f"{title} {item.text}".strip() for title, item in zip(header.titles, fields, strict=True)]
    header.repeats = False
    return True


_GROUPED = re.compile(
    r"^[\s|]*(?P<first>train(?:ing)?)[\s|]{2,}(?P<second>val(?:id(?:ation)?)?|test|dev|eval)(?:[\s|]{2,}(?P<third>test))?[\s|]*$",
    re.IGNORECASE,
)


def groups(text: str) -> tuple[str, ...]:
    """Return the phases that a line above a header puts over groups of its columns."""
    match = _GROUPED.match(text)
    return tuple(filter(None, match.groups())) if match else ()


def grouped(header: Header, names: Sequence[str]) -> None:
    """Name titles that come once under every group by their group."""
    times = Tally(header.titles)
    if all(count in (1, len(names)) for count in times.values()):
        seen: Tally[str] = Tally()
        for index, title in enumerate(header.titles):
            if times[title] > 1:
                header.titles[index] = f"{names[seen[title]]} {title}"
                seen[title] += 1
        header.repeats = False


_DIGIT = re.compile(r"\d")


def _below(header: Header, fields: Sequence[Field]) -> bool:
    """Whether each field is a title that stands below the one above it."""
    return all(
        item.start < end and start < item.end and _TITLE.match(item.text)
        for item, (start, end) in zip(fields, header.spans, strict=True)
    )


def _delimited_titles(titles: Sequence[str]) -> bool:
    named = [title for title in titles if title]
    if len(named) < len(titles) - 1 or len(named) < 2:
        return False
    if len(named) - len(set(named)) > len(named) // 3 and not (counter(named[0]) and _even(named[1:])):
        return False
    return all(_NAMED.match(title) and len(title) < 80 for title in named)


def _even(titles: Sequence[str]) -> bool:
    """Whether titles come equally often: once under every group."""
    return len(set(titles)) > 1 and len(set(Tally(titles).values())) == 1


_NAMED = re.compile(r"^(?:[^\W\d]|[#%_(@$](?=.*[^\W\d]))[^=:{}]*(?::[^=:{}\s]+)*$")


def _sniff(text: str) -> str:
    for mark in ("\t", "|", ";", ","):
        if text.count(mark) >= (2 if mark in "|;" else 1) and (mark != "\t" or text.strip().count("\t") >= 1):
            if mark == "," and text.count(", ") == text.count(",") and text.count(",") < 2:
                continue
            return mark
    return " "


def row_fields(text: str, header: Header) -> list[Field]:
    """Split a row as its header was split, a progress bar at its end cut off."""
    if header.barred:
        text = text.replace("|", " ")
    if "%|" in text or "% |" in text:
        text = _BAR_TAIL.sub("", text)
    fields = split(text, header.delimiter)
    if header.delimiter != " " and len(fields) == header.width + 1 and not fields[-1].text:
        del fields[-1]  # a delimiter at the end of every row
    if header.delimiter == ";" and "," in text:
        fields = _with_points(fields, header)
    if len(fields) == header.width + 1 and _TOOK.match(fields[-1].text):
        del fields[-1]  # ``(00:52)``: how long it took, under no title
    if header.delimiter == " " and len(fields) != header.width and fields and not fields[-1].text[-1].isdigit():
        fields = _unmarked(fields, header)
    if header.delimiter == " " and len(fields) > header.width and _SECOND.search(text):
        fields = _with_seconds(fields)
    if header.delimiter == " " and 1 < len(fields) < header.width and any(item.text.count(".") > 1 for item in fields):
        apart = [part for item in fields for part in _apart(item)]
        return apart if len(apart) == header.width else fields
    return fields


_MARK = re.compile(
    r"^(?:[*✓✔★☆]+|<[-=]+|←|\(?(?:new|best|saved?|saving|improved|checkpoint|model)\)?[!.]*)$", re.IGNORECASE
)
_OF_MARKS = frozenset(
    {"best", "saved", "save", "improved", "new", "status", "note", "notes", "flag", "ckpt", "checkpoint"}
)


def _unmarked(fields: list[Field], header: Header) -> list[Field]:
    """Take off what only marks a row, under no title: ``*``, ``<-- best``."""
    last = len(fields)
    while last > 1 and _MARK.match(fields[last - 1].text):
        last -= 1
    return fields[:last] if last <= header.width and squash(header.titles[-1]) not in _OF_MARKS else fields


_SECOND = re.compile(
    rf"(?<=\d)\s+(?:(?P<sign>±|\+/-|\+-)\s*(?P<std>{NUMBER})|\(\s*(?P<avg>{NUMBER})\s*\))", re.IGNORECASE
)
_SIGN = re.compile(rf"^(?:±|\+/-|\+-)(?:{NUMBER})?$", re.IGNORECASE)
_BRACKETED = re.compile(rf"^\(\s*{NUMBER}\s*\)$", re.IGNORECASE)


def _with_seconds(fields: list[Field]) -> list[Field]:
    """Join ``0.51 ± 0.02`` and ``0.51 (0.49)``, which are one cell."""
    out: list[Field] = []
    for item in fields:
        joins = out and (_SIGN.match(item.text) or _BRACKETED.match(item.text) or out[-1].text.endswith(("±", "-")))
        if joins and out[-1].text[0] not in "([":
            gap = " " * (item.start - out[-1].end)
            out[-1] = Field(f"{out[-1].text}{gap}{item.text}", out[-1].start, item.end)
        else:
            out.append(item)
    return out


# ``0,512`` and ``12,5``; groups of three digits may be thousands
_DECIMAL_COMMA = re.compile(r"^[-+]?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))(?:[eE][-+]?\d+)?$")
_COMMA = re.compile(r"^[-+]?\d+,\d+(?:[eE][-+]?\d+)?$")


def _with_points(fields: list[Field], header: Header) -> list[Field]:
    """Write a point for the comma of decimals, once a value has told that it is one."""
    header.comma = header.comma or any(_DECIMAL_COMMA.match(item.text) for item in fields)
    if not header.comma:
        return fields
    return [item._replace(text=item.text.replace(",", ".")) if _COMMA.match(item.text) else item for item in fields]


_TOOK = re.compile(r"^\(?\d{1,3}:\d{2}(?::\d{2})?\)?$")


def _apart(item: Field) -> list[Field]:
    """Part numbers of one count of decimals that have overflowed their columns and stand without a blank."""
    decimals = len(item.text) - item.text.rfind(".") - 1
    if item.text.count(".") < 2 or not re.fullmatch(rf"(?:-?\d+\.\d{{{decimals}}})+", item.text):
        return [item]
    found = re.finditer(rf"-?\d+\.\d{{{decimals}}}", item.text)
    return [Field(m.group(), item.start + m.start(), item.start + m.end()) for m in found]


def is_row(fields: Sequence[Field], header: Header) -> bool:
    """Whether the fields read like values: most are numbers, and all could be cells."""
    filled = [item.text for item in fields if item.text]
    if not filled:
        return False
    numbers = sum(1 for text in filled if _NUMERIC.match(text) or re.match(r"^\d+/\d+$", text))
    if header.delimiter == " ":
        if filled[0][0].isalpha() and len(fields) == header.width and counter(header.titles[0]) and _is_word(filled[0]):
            return False  # a row of another table
        if filled[0][-1] == ":" and not _LOOKS.match(filled[0]):
            return False  # a name and its value
        looks = sum(1 for text in filled if _LOOKS.match(text))
        words = len(filled) - looks
        return words <= max(1, len(filled) // 8) and numbers * 2 >= len(filled)
    if header.delimiter in ",;" and any(": " in text for text in filled):
        return False
    if header.width < 4:
        others = len(filled) - numbers
        return not others or (
            others == 1 and (filled[0].lower() in PHASES or (_measured(header) and _one_word(filled)))
        )
    return numbers * 2 >= len(filled) or numbers >= 2


_STAMP = re.compile(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$")


def _one_word(filled: Sequence[str]) -> bool:
    """Whether what is no number in a row is a word or a time."""
    other = next(text for text in filled if not _NUMERIC.match(text) and not re.match(r"^\d+/\d+$", text))
    return other.isidentifier() or bool(_STAMP.match(other))


def _measured(header: Header) -> bool:
    """Whether a title is that of a metric whose direction is known."""
    return any(name.known and name.goal != "none" for name in map(canonical, header.titles))


def keeps_kind(fields: Sequence[Field], header: Header) -> bool:
    """Whether words stand only in the columns in which the first row that had something there had words."""
    if not header.words or len(header.words) != len(fields):
        header.words = header.words or tuple(_kind(item.text) for item in fields)
        return True
    if None in header.words:
        pairs = zip(header.words, fields, strict=True)
        header.words = tuple(_kind(item.text) if first is None else first for first, item in pairs)
    new = sum(1 for item, first in zip(fields, header.words, strict=True) if not first and _is_word(item.text))
    return new <= len(fields) // 8


def _kind(text: str) -> bool | None:
    return None if parse(text).flag == MISSING else _is_word(text)


def _is_word(text: str) -> bool:
    return (
        bool(text) and parse(text).flag == UNREADABLE and text.lower() not in _SWITCH and bool(_WORDS_ONLY.match(text))
    )


def titles_for(fields: Sequence[Field], header: Header) -> list[str] | None:
    """Return one title a field, joining titles of several words where the row has fewer fields than the header."""
    count, width = len(fields), header.width
    if count == width:
        return header.titles
    if count == width + 1 and header.delimiter == " ":
        return _behind_index(fields, header)
    if header.delimiter != " " and count == width - 1 > 2 and counter(header.titles[0]):
        return header.titles[:-1]
    if header.delimiter != " " or count > width or count < 2:
        return None
    if count == width - 1 and squash(header.titles[-1]) in _OF_MARKS:
        return header.titles[:-1]
    if count in header.joins:
        return header.joins[count]
    if header.rows:
        return None  # its rows are known to have another number of fields: this row belongs to another header
    best = _join(fields, header, width - count)
    if best is not None:
        header.joins[count] = best
    return best


def _behind_index(fields: Sequence[Field], header: Header) -> list[str] | None:
    """Return the titles of a row of a printed data frame: its index stands in front, left of the first title.

    Data frames also show data and models: only one of metrics, without words, is read.
    """
    first, rest = fields[0], fields[1:]
    if not first.text.isdigit() or first.end > header.spans[0][0]:
        return None
    if any(abs(item.end - end) > ALIGNED for item, (_, end) in zip(rest, header.spans, strict=True)):
        return None
    if any(_is_word(item.text) for item in rest) or "support" in header.titles:  # by class
        return None
    names = [canonical(title) for title in header.titles]
    if not any(name.goal != "none" and (name.known or name.phase) for name in names):
        return None
    return ["" if any(counter(title) for title in header.titles) else "#", *header.titles]


def _join(fields: Sequence[Field], header: Header, missing: int) -> list[str] | None:
    """Join the ``missing`` pairs of neighbours that make titles and fields end (or start) at the same places."""
    single = [i for i in range(header.width - 1) if header.spans[i + 1][0] - header.spans[i][1] == 1]
    apart = {i for i in single if _both_known(header.titles[i], header.titles[i + 1])}
    single = [i for i in single if i not in apart] if len(single) - len(apart) >= missing else single
    if missing > len(single) or missing > 6:
        return None
    best, least = None, 0.0
    named = {i for i in single if i not in apart and canonical(f"{header.titles[i]} {header.titles[i + 1]}").known}
    if len(named) == missing and _overflows(fields):
        single = sorted(named)  # what the names say, where the places of the fields say little
    for chosen in combinations(single, missing):
        groups = _grouped(header, set(chosen))
        cost = sum(
            min(abs(item.end - end), abs(item.start - start)) for item, (start, end) in zip(fields, groups, strict=True)
        )
        if best is None or cost < least:
            best, least = chosen, float(cost)
        if len(single) > 20 and missing > 3:
            break
    if best is None or least > 6.0 * len(fields):
        return None
    return [" ".join(part) for part in _joined_titles(header, set(best))]


def _overflows(fields: Sequence[Field]) -> bool:
    """Whether three fields in a row stand one blank apart, as where values are wider than their columns."""
    close = [b.start - a.end == 1 for a, b in pairwise(fields)]
    return any(a and b for a, b in pairwise(close))


def _both_known(left: str, right: str) -> bool:
    """Whether two neighbours are metrics by themselves and nothing together: no title of two words."""
    return canonical(left).known and canonical(right).known and not canonical(f"{left} {right}").known


def _grouped(header: Header, joined: set[int]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for index, (start, end) in enumerate(header.spans):
        if index and index - 1 in joined:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out


def _joined_titles(header: Header, joined: set[int]) -> list[list[str]]:
    out: list[list[str]] = []
    for index, title in enumerate(header.titles):
        if index and index - 1 in joined:
            out[-1].append(title)
        else:
            out.append([title])
    return out


ALIGNED = 1  # characters by which a field may miss the edge of its column


def by_position(fields: Sequence[Field], header: Header) -> list[str] | None:
    """Return one title a field of a row with empty cells: every field must end or start where its column does."""
    titles: list[str] = []
    at = 0
    for item in fields:
        found = None
        for index in range(at, header.width):
            start, end = header.spans[index]
            if abs(end - item.end) <= ALIGNED or abs(start - item.start) <= ALIGNED:
                found = index
                break
        if found is None or (not titles and found != 0):
            return None
        titles.append(header.titles[found])
        at = found + 1
    return titles if _NUMERIC.match(fields[0].text) else None


def read_row(fields: Sequence[Field], titles: Sequence[str]) -> Scan:
    """Return the counters and cells of one row."""
    counters: list[Count] = []
    cells: list[Cell] = []
    words: dict[str, str] = {}
    seen: set[str] = set()
    if not titles[0] and any(counter(title) for title in titles):
        fields, titles = fields[1:], titles[1:]  # the index of a data frame
    for item, raw in zip(fields, titles, strict=True):
        title = raw.lstrip("#").strip() or raw or "index"
        if title in seen:
            title = f"{title}_2"
        seen.add(title)
        _cell(item, title, counters, cells, words)
    return Scan(tuple(counters), tuple(named(cells, words)), "", "", "", {}, words)


def _cell(item: Field, title: str, counters: list[Count], cells: list[Cell], words: dict[str, str]) -> None:
    text = item.text
    if counter(title):
        ratio = re.match(r"^(\d+)/(\d+)$", text)
        value = parse(ratio.group(1) if ratio else text, count=True)
        if not value.flag:
            counters.append(Count(title, value.value, float(ratio.group(2)) if ratio else None, item.start, item.end))
        return
    found = _RANGE.match(text) if text[:1] in "[(" else None
    if found:
        groups = ("low", "high") if found["low"] else ("a", "b")
        ends = is_range(title) or bool(_RANGE_TAIL.search(title))
        title = _RANGE_TAIL.sub("", title)
        for group, suffix in zip(groups, ("min", "max") if ends else ("0", "1"), strict=True):
            value = parse(found[group])
            at = item.start + found.start(group)
            cells.append(Cell(f"{title}_{suffix}", value.value, value.flag, None, at, at + len(found[group])))
        return
    if text[:1] in "[(" and _VECTOR.match(text):
        items = list(_ITEM.finditer(text))
        for index, part in enumerate(items):
            value = parse(part.group())
            name = f"{title}_{index}" if len(items) > 1 else title
            cells.append(Cell(name, value.value, value.flag, None, item.start + part.start(), item.start + part.end()))
        return
    second = _SECOND.search(text) if " " in text else None
    if second:
        value = parse(text[: second.start()])
        cells.append(Cell(title, value.value, value.flag, value.unit, item.start, item.start + second.start()))
        group = "std" if second["std"] else "avg"
        value = parse(second[group])
        at = item.start + second.start(group)
        cells.append(Cell(f"{title}_{group}", value.value, value.flag, None, at, at + len(second[group])))
        return
    if "/" in text and text[:1].isdigit() and _COMPOUND.match(text):
        _compound(item, title, cells)
        return
    value = parse(text)
    if value.flag == UNREADABLE:
        value = _odd(text, title, words)
    cells.append(Cell(title, value.value, value.flag, value.unit, item.start, item.end))


def _odd(text: str, title: str, words: dict[str, str]) -> Value:
    """A switch is a number, ``OVR`` and words are no cell of this metric but no damage either."""
    low = text.lower()
    if low in ("on", "true", "yes"):
        return Value(1.0)
    if low in ("off", "false", "no"):
        return Value(0.0)
    if low in _SWITCH or _WORDS_ONLY.match(text):
        words[title] = text
        return Value(float("nan"), MISSING)
    return Value(float("nan"), UNREADABLE)


def _compound(item: Field, title: str, cells: list[Cell]) -> None:
    at = item.start
    for index, part in enumerate(item.text.split("/"), 1):
        value = parse(part)
        if value.flag == UNREADABLE and squash(part) == "na":
            value = Value(float("nan"), MISSING)
        start = at + (len(part) - len(part.lstrip()))
        cells.append(Cell(f"{title}_{index}", value.value, value.flag, value.unit, start, start + len(part.strip())))
        at += len(part) + 1


PARSER = Parser(
    id="columns",
    title="Columns under a header",
    description="A header of names, then rows with as many fields, between blanks, tabs, commas, semicolons or bars."
    " The header may come again, cells may overflow or be empty, titles and values may hold blanks.",
    sample="   Frame   Loss    Q-Range  Agree%\n-----------------------------------\n"
    "   1,000  0.512  [-0.1,0.4]  25.0%\n   2,000  0.455  [-0.1,0.6]  31.0%\n   3,000  0.401  [-0.2,0.9]  38.5%\n",
    expect={"loss": 0.401, "agreement": 38.5, "q_max": 0.9},
)
