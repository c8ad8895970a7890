"""Lines -> records: which grammar claims a line, and which lines make one record.

The assembler is fed one line after the other and keeps only what the next lines may need: the counters last printed,
the header in force, the open block or box and the titles above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from logdoctor.model import Issue
from logdoctor.names import EPOCHS, PHASES, canonical, counter, identity, is_clock
from logdoctor.normalise import Stripped, is_ruler, states, strip_prefix
from logdoctor.parsers import _wide, boxed, columns, literal
from logdoctor.parsers._bare import Bare, is_bare, rows_of
from logdoctor.parsers._recall import Recall
from logdoctor.parsers._record import Cell, Count, Scan
from logdoctor.parsers._scan import scan as scan_pairs

MAX_LINE = 1 << 20
NEAR_HEADER = 8  # lines below which a header of plain words has its first row; further down it was a sentence
UNTIL_NEXT = -2  # the place of a heading that holds until the next counter
NEAR_GROUPS = 2  # lines below a line of groups in which the header of their columns stands


_SUMMARY = re.compile(r"[\W_]*best\s+(?:iter|epoch|step|round|result|model|at)\w*\b", re.IGNORECASE)
# What the head of a table with a metric a row begins with.
_WIDE = re.compile(
    r"\s*(?:[|│┃║]\s*(?:metrics?|name|key|item|stat(?:s|istic)?|measure|quantity)?|train(?:ing)?)\s*[|│┃║]",
    re.IGNORECASE,
)
# ``Epoch 2 end``, ``Finished epoch 2``
_ENDS = re.compile(r"^\W*(?:end|ended|end of|finished|completed?|done)\W*(?:(?:in|after|took)\b.*)?$", re.IGNORECASE)
# ``  |-  |- batch_size	128``: settings drawn as a tree
_TREE = re.compile(r"\s*(?:\|-\s+)+[\w.\-]+(?:\s*:?\s*$|\s+[^\s:=][^:=]*$)")
# ``Epoch 3 of 500 took 1.858s``
_LASTED = re.compile(r"(?:took|in|time|elapsed|lasted)\b\W*\d", re.IGNORECASE)
_WARNS = re.compile(r"\bwarn(?:ing)?\b", re.IGNORECASE)
_COUNTS = re.compile(r"\b(?:step|iter|epoch|episode|batch|update|loss)", re.IGNORECASE)
_BEST = ("est iteration:", "est iteration is:")
_BARS = str.maketrans("│┃║", "|||")


def _moved(found: Scan, by: int) -> Scan:
    """Return ``found`` with spans in the whole line, prefix included."""
    if not by:
        return found
    return found._replace(
        counters=tuple(count._replace(start=count.start + by, end=count.end + by) for count in found.counters),
        cells=tuple(cell._replace(start=cell.start + by, end=cell.end + by) for cell in found.cells),
    )


def _same_bar(before: Record, after: Record) -> bool:
    """Whether two bar lines are states of one bar."""
    if before.context is not after.context or before.cells.keys() - after.cells.keys():
        return False
    one, other = (
        {count.name: (count.value, count.total) for count in record.counters if count.name}
        for record in (before, after)
    )
    if one != other:
        return False
    first = next((count for count in before.counters if not count.name), None)
    second = next((count for count in after.counters if not count.name), None)
    if first is None or second is None:
        return first is second
    return first.total == second.total and second.value >= first.value


def _rank_of(stripped: Stripped, found: Scan) -> str:
    """Return the title of values that another process than the first one printed: ``rank 3``."""
    rank = stripped.rank
    if not rank and "ank" in stripped.text:
        named = next((cell.value for cell in found.cells if cell.name.lower() in _RANKS), 0.0)
        rank = f"{named:.0f}" if named > 0 and named.is_integer() else ""
    return f"{RANK}{rank}" if rank not in ("", "0") else ""


_RANKS = frozenset({"rank", "local rank", "local_rank", "global rank", "global_rank"})
RANK = "rank "


def _best(text: str) -> str:
    """Return the title of a line that tells what the best round was."""
    return "best" if _SUMMARY.match(text) else ""


def _titled(header: columns.Header, titles: list[str]) -> bool:
    """Whether few titles above a first row are those of a table: one counts, or they are names of metrics."""
    if header.width >= 4 and len(titles) >= 4:
        return True
    if any(counter(title) for title in titles):
        return True
    return header.width >= 4 and 2 * sum(1 for title in titles if canonical(title).known) >= len(titles)


def _prose(text: str) -> bool:
    """Whether what stands beside a counter is a sentence and not a title."""
    return len(re.findall(r"[^\W\d]{2,}", text)) > 4


def _rank(counters: Iterable[Count]) -> int:
    return min((found.rank for count in counters if (found := counter(count.name))), default=99)


class Key(NamedTuple):
    """What makes two cells the same series: the name as printed, the title above it, the phase of its line."""

    raw: str
    title: str = ""
    phase: str = ""


@dataclass(slots=True)
class Record:
    """One logical row. ``counters`` are its own, ``context`` those of the lines above it (name -> counter)."""

    line: int
    grammar: str
    counters: tuple[Count, ...] = ()
    context: dict[str, Count] = field(default_factory=dict)
    latest: tuple[Count, ...] = ()
    anchored: bool = False
    cells: dict[Key, tuple[Cell, int]] = field(default_factory=dict)
    time: str | None = None
    header: int = -1
    words: dict[str, str] = field(default_factory=dict)
    bar: str = ""


class Assembler:
    """Feed it lines, then call :meth:`finish`; ``records`` is what was read."""

    def __init__(self, grammars: Iterable[str] = ("literal", "boxed", "columns", "keyvalue", "blocks")) -> None:
        """Use only ``grammars``."""
        self.grammars = frozenset(grammars)
        self.records: list[Record] = []
        self.headers: list[columns.Header] = []
        self.issues: list[Issue] = []
        self.orphans: list[tuple[int, str, dict[str, Count], tuple[Count, ...]] | Bare] = []
        self._seen: dict[tuple[str, ...], columns.Header] = {}
        self._context: dict[str, Count] = {}
        self._latest: tuple[Count, ...] = ()
        self._anchored = False
        self._header: columns.Header | None = None
        self._candidate: columns.Header | None = None
        self._groups: tuple[str, ...] = ()
        self._grouped = 0  # lines for which they hold; no line number: what a line means must not depend on it
        self._block: Record | None = None
        self._box: Record | None = None
        self._group = ""
        self._parts: tuple[_wide.Part, ...] = ()
        self._bar: Record | None = None
        self._titles: list[tuple[int, str, str, str]] = []
        self._last = ""
        self._ruled = self._framed = self._under = False
        self._blank = 0
        self._read = False
        self._words = ""
        self._below: tuple[str, ...] = ()
        self._anchor_indent = 0
        self._member_indent = 0
        self._fresh = False  # the heading of a phase was the last title, and nothing was read below it
        self._trails: tuple[str, ...] = ()  # names printed above the line that ends their epoch
        self._recall = Recall()
        self.anchors: list[int] = []

    # ------------------------------------------------------------------------------------------------ feeding
    def feed(self, number: int, line: str) -> None:
        """Read one physical line."""
        if len(line) > MAX_LINE and "\r" not in line and "\x08" not in line and "{" not in line[:200]:
            self.issues.append(
                Issue(line=number, text=f"line of {len(line):,} characters: only the first {MAX_LINE:,} are read")
            )
            line = line[:MAX_LINE]
        for text in states(line):
            self._state(number, text)

    def finish(self) -> None:
        """Close what is open and find the headers of rows that stood under another one."""
        self._close()
        self._flush_bar()
        self._numbers()
        self._adopt()

    def _state(self, number: int, text: str) -> None:
        if self._grouped:
            self._grouped -= 1
            self._groups = self._groups if self._grouped else ()
        if not text or text.isspace():
            self._empty()
            return
        if is_ruler(text):
            self._ruler()
            return
        ruled, self._ruled = self._ruled, False
        under, self._under = self._under, False
        last, self._last = self._last, ""
        if last == "best" and text.lstrip()[:1] == "[":
            return  # the round printed again below ``Best iteration:``
        if "{" in text and "literal" in self.grammars and self._literal(number, text):
            return
        if text.lstrip()[:1] in "|│┃║" and "boxed" in self.grammars and self._boxed(number, text, under):
            return
        stripped = strip_prefix(text)
        if self._parts or (_WIDE.match(stripped.text) and "boxed" in self.grammars):
            shown = " " * stripped.start + stripped.text if stripped.start else text
            if self._table(number, shown.translate(_BARS)):
                return
        if "columns" in self.grammars and self._columns(number, text, stripped):
            return
        if "keyvalue" in self.grammars:
            if stripped.start and _WARNS.search(text, 0, stripped.start) and not _COUNTS.search(stripped.text):
                return  # a warning beside the metrics
            self._ruled = ruled
            self._pairs(number, stripped)
            self._ruled = False

    def _empty(self) -> None:
        self._close_box()
        self._ruled = self._framed = self._under = False
        self._blank += 1
        if self._header is not None and self._header.delimiter != " ":
            self._header = None if self._blank > 3 else self._header

    def _ruler(self) -> None:
        closing = self._box is not None and bool(self._box.cells)
        if closing:
            self._close_box()
        if self._framed:
            self._close_block()
            self._framed = False
        self._ruled = self._last != "anchor" and not closing
        self._under = not closing
        self._last = "ruler"

    # ------------------------------------------------------------------------------------------------ grammars
    def _literal(self, number: int, text: str) -> bool:
        found = literal.scan(text)
        if found is None:
            return False
        self._close()
        record = self._record(number, "literal", found, strip_prefix(text).time)
        record.words = dict(found.text)
        for cell in found.cells:
            record.cells.setdefault(Key(cell.name, "", found.phase), (cell, number))
        self._emit(record)
        return True

    def _table(self, number: int, text: str) -> bool:
        """Read a row of a table with a metric a row, or its head."""
        found = _wide.row(text, len(self._parts)) if self._parts else None
        if found is None:
            self._close_box()
            self._parts = _wide.parts(text)
            return bool(self._parts)
        name, cells = found
        keys = [Key(name, part.title, part.phase) for part in self._parts]
        if self._box is not None and any(key in self._box.cells for key in keys):
            parts = self._parts
            self._close_box()
            self._parts = parts
        if self._box is None:
            self._close_block()
            self._box = Record(number, "boxed", (), self._context, self._latest, self._anchored)
        for key, cell in zip(keys, cells, strict=True):
            if cell is not None:
                self._box.cells[key] = (cell, number)
        return True

    def _boxed(self, number: int, text: str, under: bool = False) -> bool:
        row = boxed.read(text)
        if row is None or (self._box is None and not row.group and row.cell is None and row.counter is None):
            return False
        if self._box is None:
            self._close()
            first = number - 1 if under else number  # a box begins at the ruler above its first row
            self._box = Record(first, "boxed", (), self._context, self._latest, self._anchored)
            self._group = ""
        if row.group and row.cell is None and row.counter is None:
            self._group = row.group
        name = f"{self._group}/{row.key}" if self._group else row.key
        if row.counter is not None:
            self._box.counters = (*self._box.counters, row.counter._replace(name=name))
        elif row.cell is not None:
            key = Key(name)
            if key in self._box.cells:
                self._close_box()
                return self._boxed(number, text)
            self._box.cells[key] = (row.cell, number)
        return True

    def _columns(self, number: int, text: str, stripped: Stripped) -> bool:
        header = self._header
        body = text if stripped.start == 0 else " " * stripped.start + stripped.text
        body = body.translate(_BARS)
        if self._candidate is not None and self._try_row(number, body, self._candidate, first=True):
            return True
        if header is not None and header is not self._candidate and self._try_row(number, body, header):
            return True
        if self._candidate is not None and columns.extended(self._candidate, body):
            return True
        found = columns.looks_like_header(body)
        if "rain" in body and (names := columns.groups(body)):
            self._groups, self._grouped = names, NEAR_GROUPS + 1
        if found is not None:
            found.line = number
            if found.repeats and self._groups:
                columns.grouped(found, self._groups)
            self._candidate = found
            if len(self._seen) < 200:
                self._seen.setdefault(tuple(found.titles), found)
            known = next((h for h in self.headers if h.titles == found.titles and h.delimiter == found.delimiter), None)
            if known is not None:
                self._close()
                self._header = self._candidate = known
                return True
            if "%|" in text:
                self._flush_bar()
                return True
            return False
        if header is not None or self.headers:
            return self._orphan(number, body)
        return False

    def _try_row(self, number: int, text: str, header: columns.Header, first: bool = False) -> bool:
        if first and not header.rows and header.delimiter == " " and number - header.line > NEAR_HEADER:
            return False
        fields = columns.row_fields(text, header)
        if len(fields) < 2 or not columns.is_row(fields, header):
            return False
        if header.delimiter != " " and not columns.keeps_kind(fields, header):
            return False
        titles = columns.titles_for(fields, header)
        if titles is None and header.rows >= 2 and len(fields) < header.width and header.delimiter == " ":
            titles = columns.by_position(fields, header)
        if titles is None:
            return False
        if first and header.rows == 0:
            if header.delimiter == " " and not _titled(header, titles):
                return False
            self._close()
            self.headers.append(header)
            self._titles.clear()
        self._header = self._candidate = header
        header.rows += 1
        at = self.headers.index(header) if header in self.headers else -1
        self._row(number, fields, titles, at, header.delimiter, "%|" in text or "% |" in text)
        return True

    def _row(
        self, number: int, fields: list[columns.Field], titles: list[str], header: int, delimiter: str, barred: bool
    ) -> None:
        found = columns.read_row(fields, titles)
        self._close()
        if not barred:
            self._flush_bar()
        record = self._record(number, "columns", found, None)
        record.header = header
        record.words = dict(found.text)
        record.bar = "running" if barred else ""
        only = next(iter(found.text.values()), "") if len(found.text) == 1 else ""
        phase = PHASES.get(only.lower(), "")  # ``| vali | 0.61 |`` below ``| train | 0.54 |``
        first = delimiter == " " or (delimiter == "|" and titles[0] in found.text)  # the column of labels
        label = only if first and not found.counters and not phase else ""
        for cell in found.cells:
            if cell.name in found.text:
                continue
            title = "" if label.lower() in ("", "all", "total", "mean", "average", "overall") else label
            record.cells[Key(cell.name, title, phase)] = (cell, number)
        if barred:
            self._running(record)
            return
        self._emit(record)

    def _bare(self, number: int, text: str) -> None:
        """Keep a line of numbers as long as nothing else was read, and the words above the first one."""
        if is_bare(text):
            self.orphans.append(Bare(number, text, self._context, self._latest, self._words))
        elif len(text) < 80 and re.search(r"[A-Za-z]{3}", text):
            self._words = text.strip(" \t#:=-*")

    def _numbers(self) -> None:
        """Read lines of numbers where there is nothing else."""
        bare = [item for item in self.orphans if isinstance(item, Bare)]
        self.orphans = [item for item in self.orphans if not isinstance(item, Bare)]
        for line, counters, cells in () if self._read else rows_of(bare):
            record = Record(line.number, "columns", counters, line.context, line.latest, bool(line.latest))
            record.cells = {Key(cell.name): (cell, line.number) for cell in cells}
            self.records.append(record)

    def _orphan(self, number: int, text: str) -> bool:
        """Keep a row that fits no header yet; its header may come later."""
        fields = columns.split(text, " ")
        if len(fields) < 6:
            return False
        numbers = sum(1 for item in fields if columns._NUMERIC.match(item.text))
        looks = sum(1 for item in fields if columns._LOOKS.match(item.text))
        if numbers * 3 < 2 * len(fields) or looks < len(fields) - 1:
            return False
        self._flush_bar()
        self.orphans.append((number, text, self._context, self._latest))
        return True

    def _adopt(self) -> None:
        """Give orphaned rows the nearest header with as many columns."""
        wrong: dict[int, list[int]] = {}
        unused = [header for header in self._seen.values() if not header.rows and header not in self.headers]
        for number, text, context, latest, *_ in self.orphans:
            fields = columns.split(text, " ")
            fitting = [
                h
                for h in (*self.headers, *unused)
                if h.delimiter == " " and (len(fields) == h.width or len(fields) in h.joins)
            ]
            if not fitting:
                self.issues.append(
                    Issue(line=number, text=f"{len(fields)} fields under no header with as many columns")
                )
                continue
            header = min(fitting, key=lambda h: (abs(h.line - number), h.line))
            titles = header.titles if len(fields) == header.width else header.joins[len(fields)]
            if header in unused:
                unused.remove(header)
                self.headers.append(header)
            found = columns.read_row(fields, titles)
            record = Record(number, "columns", found.counters, context, latest, header=self.headers.index(header))
            for cell in found.cells:
                if cell.name not in found.text:
                    record.cells[Key(cell.name)] = (cell, number)
            self.records.append(record)
            wrong.setdefault(header.line, []).append(number)
        for line, rows in wrong.items():
            which = f"{len(rows)} rows (lines {rows[0]}-{rows[-1]}) do not" if len(rows) > 1 else "the row does not"
            self.issues.append(
                Issue(line=rows[0], text=f"{which} fit the header above; read under the header of line {line}")
            )
        self.records.sort(key=lambda record: record.line)

    def _pairs(self, number: int, stripped: Stripped) -> None:
        if "|-" in stripped.text and _TREE.match(stripped.text):
            return
        indent = len(stripped.text) - len(stripped.text.lstrip())
        found = _moved(scan_pairs(stripped.text, self._recall), stripped.start)
        blank, self._blank = self._blank, 0
        if found.bar and not found.cells:
            found = found._replace(counters=tuple(count for count in found.counters if count.name not in ("", "bar")))
            if not found.counters:
                return
            indent = 0  # the blanks are those of the percentage
        if found.cells or found.shares:
            self._close_box()
            if found.counters or found.bar:
                self._own(number, indent, found, stripped)
            else:
                self._member(number, indent, found, stripped)
        elif found.counters:
            below = bool(blank) and bool(self._latest) and _rank(found.counters) > _rank(self._latest)
            self._anchor(number, indent, found, heading=below or stripped.text.rstrip().endswith(":"))
        else:
            if not self._read:
                self._bare(number, stripped.text)
            self._title(indent, stripped.text, found)

    def _own(self, number: int, indent: int, found: Scan, stripped: Stripped) -> None:
        """A line with counters and values is a record of its own."""
        self._close_block()
        again = self._again(found.counters)
        phase = found.phase or (self._phase_above() if again else "")
        if not phase and not self._latest and self._phase_above() != "":
            phase = self._phase_above()  # an evaluation before the training
        names = tuple(cell.name for cell in found.cells)
        if phase and not found.phase and names == self._below:
            phase = ""  # the heading was that of the same line before
        self._below = names if phase and not found.phase else ()
        self._titles = [(-1, "", phase, "")] if phase else []
        self._fresh = False
        self._anchor_indent = indent
        record = self._record(number, "keyvalue", found, stripped.time)
        record.bar = found.bar
        self._add(record, number, found, _best(stripped.text) or _rank_of(stripped, found), phase)
        if found.bar == "running":
            self._running(record)
            return
        self._flush_bar()
        self._emit(record)

    def _running(self, record: Record) -> None:
        """Keep only the last state of a bar whose values are running means."""
        before = self._bar
        if before is not None and not _same_bar(before, record):
            self._flush_bar()
        self._bar = record

    def _flush_bar(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            self._emit(bar)

    def _member(self, number: int, indent: int, found: Scan, stripped: Stripped) -> None:
        """A line with values but no counter belongs to the counter and the titles above it."""
        fresh, self._fresh = self._fresh, False
        if (
            fresh and self._titles and self._titles[-1][0] == indent and not self._titles[-1][3]
        ):  # what stands below ``Validation:`` without being indented
            self._titles = [*self._titles[:-1], (UNTIL_NEXT, "", self._titles[-1][2], "")]
        self._titles = [item for item in self._titles if item[0] < indent or item[0] < 0]
        title = next((item[1] for item in reversed(self._titles) if item[1]), "") or _best(stripped.text)
        phase = found.phase or self._phase_above()
        block = self._block
        if block is None or any(Key(cell.name, title, cell.phase or phase) in block.cells for cell in found.cells):
            self._close_block()
            block = self._block = Record(number, "blocks", (), self._context, self._latest, self._anchored)
            block.time = stripped.time
            self._member_indent = indent
            self._framed = self._ruled
        self._member_indent = min(indent, self._member_indent)
        self._add(block, number, found, title or _rank_of(stripped, found), phase)

    def _add(self, record: Record, number: int, found: Scan, title: str, phase: str) -> None:
        for cell in found.cells:
            record.cells.setdefault(Key(cell.name, title, cell.phase or phase), (cell, number))
        for name, counts in found.shares.items():
            total = sum(counts)
            for index, count in enumerate(counts):
                share = count / total if total else 0.0
                record.cells[Key(f"{name}_share_{index}", "", phase)] = (Cell(f"{name}_share_{index}", share), number)

    def _anchor(self, number: int, indent: int, found: Scan, *, heading: bool) -> None:
        if indent > self._anchor_indent and self._latest and _rank(found.counters) > _rank(self._latest):
            return  # a further counter inside the block of a better one
        if self._latest and _rank(found.counters) > _rank(self._latest) and _prose(found.title):
            return
        inside = self._block is not None and bool(self._block.cells) and indent >= self._member_indent
        if self._anchored and self._block is not None and inside and not heading and self._new(found.counters):
            # A block that prints several counters: this one came after values that it counts too.
            self._block.counters = (*self._block.counters, *found.counters)
            self._context = {**self._context, **{count.name.lower(): count for count in found.counters if count.name}}
            return
        if self._block is not None and self._within(self._block, indent, found.counters):
            # Below ``Result for trial 7:`` the counters stand among the values.
            self._block.counters = (*self._block.counters, *found.counters)
            self._remember(self._block.counters, anchored=False)
            return
        if self._framed and self._block is not None and self._block.cells and not self._counted(found.counters):
            # Between two rulers: the counter stands among the values of its own record.
            self._block.counters = (*self._block.counters, *found.counters)
            self._remember(self._block.counters, anchored=False)
            return
        if self._block is not None and _ENDS.search(found.title):
            self._end(self._block, found.counters)
        self._close()
        self._anchor_indent = indent
        self.anchors.append(number)
        self._last = "anchor"
        outer = self._moves_on(found.counters)
        self._flush_bar()
        self._remember(found.counters, anchored=True)
        names = {identity(count.name) for count in found.counters}
        self._titles = [
            item
            for item in self._titles
            if UNTIL_NEXT < item[0] < indent and not (item[3] and item[3] in names) and not (outer and item[0] < 0)
        ]
        words = found.title if re.search(r"[A-Za-z]{3}", found.title) and len(found.title) < 60 else ""
        if is_clock(words) or words.lower() == "time" or _LASTED.match(words):
            words = ""
        title = (indent if words else -1, words, found.phase, min(names, default=""))
        # One that says nothing, or the same again, is not kept: a long log has an anchor every few lines.
        if any(title[1:3]) and title not in self._titles[-1:]:
            self._titles.append(title)

    def _end(self, block: Record, counters: tuple[Count, ...]) -> None:
        """Give values the counter of the line that ends their epoch, where those of the epoch before stood above it.

        The first of them tell: they stand under no counter, or under the start of the epoch that is ended.
        """
        before = [block.context.get(count.name.lower()) for count in counters]
        values = [None if old is None else old.value for old in before]
        names = tuple(sorted({key.raw for key in block.cells}))
        if values == [count.value for count in counters]:
            self._trails = names
        elif not block.counters and (set(names) <= set(self._trails) or not (block.context or self._trails)):
            self._block = replace(block, counters=counters)  # another record than the one that was open
            self._trails = self._trails or names

    def _within(self, block: Record, indent: int, counters: Iterable[Count]) -> bool:
        """Whether a counter is indented among values below a title that counts nothing itself."""
        if not block.cells or not 0 < self._member_indent == indent:
            return False
        titled = any(item[1] and not item[3] and 0 <= item[0] < indent for item in self._titles)
        return titled and not self._counted(counters)

    def _again(self, counters: Iterable[Count]) -> bool:
        """Whether an epoch is named again, as below the heading of its validation."""
        named = [count for count in counters if count.name]
        known = [self._context.get(count.name.lower()) for count in named]
        same = [old is not None and old.value == new.value for old, new in zip(known, named, strict=True)]
        ranks = [found.rank if (found := counter(count.name)) else 0 for count in named]
        return bool(named) and all(same) and all(rank == EPOCHS for rank in ranks)

    def _moves_on(self, counters: Iterable[Count]) -> bool:
        """Whether an epoch or episode begins: headings of the one before it, or of the start, hold no longer."""
        first = all(name.endswith("s") for name in self._context)  # ``num_rounds``: how many, not which
        for count in counters:
            found, before = counter(count.name), self._context.get(count.name.lower())
            if found and found.rank >= EPOCHS and (first if before is None else before.value != count.value):
                return True
        return False

    def _counted(self, counters: Iterable[Count]) -> bool:
        """Whether one of ``counters`` stands in the open block already."""
        seen = {identity(count.name) for count in (self._block.counters if self._block else ())}
        return any(identity(count.name) in seen for count in counters)

    def _new(self, counters: Iterable[Count]) -> bool:
        """Whether none of ``counters`` was printed in the open block yet."""
        block = self._block
        seen = {identity(count.name) for count in (*self._latest, *(block.counters if block else ()))}
        return not any(identity(count.name) in seen for count in counters)

    def _title(self, indent: int, text: str, found: Scan) -> None:
        body = text.strip()
        if len(body) > 100 or not body:
            return
        if body.endswith(_BEST):
            self._last = "best"
        heading = found.phase and len(body) <= 40 and not any(ch.isdigit() for ch in body)
        if body.endswith(":") or re.match(r"^[*#=\-─━═\[]{1,}.*[*#=\-─━═\]]{1,}$", body) or heading:
            self._titles = [item for item in self._titles if item[0] < indent and item[0] >= 0]
            words = body.strip("*#=-─━═[]: ") if body.endswith(":") else ""
            self._titles.append((indent if body.endswith(":") else -1, words, found.phase, ""))
            self._fresh = bool(heading)

    # ------------------------------------------------------------------------------------------------ records
    def _phase_above(self) -> str:
        phase = next((item[2] for item in reversed(self._titles) if item[2]), "")
        return "" if phase == "train" else phase  # ``Training Results``: what every line is without a word

    def _record(self, number: int, grammar: str, found: Scan, time: str | None) -> Record:
        return Record(number, grammar, found.counters, self._context, self._latest, self._anchored, time=time)

    def _remember(self, counters: Iterable[Count], anchored: bool) -> None:
        named = tuple(count for count in counters if count.name and count.name != "bar")
        if named:
            self._context = {**self._context, **{count.name.lower(): count for count in named}}
            self._latest = named
            self._anchored = anchored

    def _emit(self, record: Record) -> None:
        self._remember(record.counters, anchored=False)
        if record.cells:
            self._read = True
            self.records.append(record)

    def _close(self) -> None:
        self._close_block()
        self._close_box()

    def _close_block(self) -> None:
        block, self._block = self._block, None
        if block is not None and block.cells:
            self._read = True
            self.records.append(block)

    def _close_box(self) -> None:
        box, self._box = self._box, None
        self._group = ""
        self._parts = ()
        if box is not None and (box.cells or box.counters):
            self._emit(box)
