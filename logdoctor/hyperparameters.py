"""The settings of a run as its log prints them: banners, argument dumps, parameter boxes, command lines.

A loose ``name: value`` line counts only in a quiet region (before the first metric row of a run) and only under a
known name, or inside a paragraph most of which is known. Dumps that say what they are (``Namespace(...)``, a
dictionary after the word "config", a command line with flags) count anywhere.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from logdoctor.configfiles import from_mapping, read_config
from logdoctor.hyperparameter_names import canonical, snake, value_of
from logdoctor.model import Setting
from logdoctor.setting_dumps import LONGEST, ModelDump, dump, options_of

__all__ = ["canonical", "from_mapping", "read_config", "scan"]

MOST_SETTINGS = 5_000
LONGEST_PAIR = 2_000

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PREFIX = re.compile(
    r"^(?:"
    r"\[?\d{2,4}[-/.]\d{1,2}[-/.]\d{1,4}[T |_]\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\]?(?:\s*[-|:]\s*|\s+)"
    r"|\[?\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\]?(?:\s*[-|:]\s*|\s+)"
    r"|[IWEF]\d{4} \d{2}:\d{2}:\d{2}\.\d+\s+\d+ [\w.]+:\d+\] "
    r"|\[?(?:INFO|DEBUG|WARNING|WARN|NOTICE|ERROR|MainThread|\w*[Rr]ank ?\d+)\]?(?::[\w.]+:|\s*[-|:]\s*|\s+)"
    r"|[\w.]+ - (?=\S+ - |INFO|DEBUG|WARNING)"
    r"|\([\w ]+ pid=\d+\) "
    r"|\[[A-Za-z][\w \-.]{0,30}\]\s+"
    r")"
)
_LEAD = re.compile(r"^[^\w\-({\[\"'|+.#/γετλ]+")
_NAME = r"[A-Za-zγετλα-ω_][\w γετλα-ω./()\-']{0,48}?"
_PAIR = re.compile(rf"^\s*[\"']?(?P<name>{_NAME})[\"']?\s*(?:\.{{3,}}|:(?!//)|=(?!=)|\s\|\s)\s*(?P<value>\S.*)$")
_WIDE = re.compile(r"^\s*(?P<name>[A-Za-z_][\w\-]{1,40})(?:\s{2,}|\t+)(?P<value>[^\s,]+)\s*$")
_INLINE = re.compile(
    r"(?P<name>[A-Za-zγετλ_][\w γετλα-ω.\-]{0,40}?)\s*[:=]\s*(?P<value>[^\s,;|]+(?:\s\([^()]*\))?)(?=[,;|]|\s*$|\s)"
)
_ARROW = re.compile(r"^(?P<a>[-+\d.,eE%]+)\s*(?:→|->|=>)\s*(?P<b>[-+\d.,eE%]+)")
_NESTED = re.compile(r"(?P<name>[A-Za-z]\w*)\s*=\s*(?P<value>[-+\d.eE]+)")
_INIT = re.compile(
    r"^(?P<words>[A-Za-z ]{3,40}?)\b(?:initiali[sz]ed|created|built|uses?|using)\b"
    r".*?\b(?P<name>\w+)\s*=\s*(?P<value>[-+\d.eE]+)"
)
_COUNTED = re.compile(r"(?<![\w.])(?P<value>\d[\d,]*)\s+(?:parallel\s+)?(?P<what>environments|envs)\b", re.IGNORECASE)
_COUNTS = {"environments": "n_envs", "envs": "n_envs"}
_MAY_DUMP = re.compile(r"Namespace\(|Arg\w*\(|[Cc]onfig|[Pp]arams|--\w|[Ss]ettings|[Oo]ptions")
_RULER = re.compile(r"^[\s\-=_*#~+|─═━]*$")
_NUMERIC = re.compile(r"^[-+]?[\d.,]+(?:[eE][-+]?\d+)?%?$")


def scan(lines: Iterable[tuple[int, str]], quiet: Sequence[tuple[int, int]] | None = None) -> tuple[Setting, ...]:
    """Return the settings that a log prints, in file order, each with its line.

    Args:
        lines: ``(number, text)``, rising: all lines of the quiet regions, and outside of them at least those that are
            no metric rows.
        quiet: first and last line of each region without metric rows (before the first row of a run); everything is
            quiet when None.
    """
    found: list[Setting] = []
    seen: set[tuple[str, int]] = set()
    paragraph, model = _Paragraph(), ModelDump()
    options = True
    regions = sorted(quiet or ())
    region = 0
    for number, text in lines:
        if len(text) > LONGEST or len(found) >= MOST_SETTINGS:
            continue
        while region < len(regions) and regions[region][1] < number:
            region += 1
        inside = quiet is None or (region < len(regions) and regions[region][0] <= number)
        if not inside and options and "{" in text[:200]:
            found += options_of(number, text)
            options = False
        if not inside and not _MAY_DUMP.search(text):
            continue
        items = list(_of_line(number, text, inside, paragraph))
        items += model.feed(number, text) if inside else model.close()
        for item in items:
            if (item.name, item.line or 0) not in seen:
                seen.add((item.name, item.line or 0))
                found.append(item)
    found += [item for item in (*paragraph.close(), *model.close()) if (item.name, item.line or 0) not in seen]
    return tuple(sorted(found, key=lambda item: item.line or 0))


def quiet_regions(rows: Sequence[int], firsts: Iterable[int], last_line: int) -> tuple[tuple[int, int], ...]:
    """Return the stretches without metric rows before the first row of each run.

    Args:
        rows: lines of all metric rows, rising.
        firsts: line of the first row of each segment.
        last_line: last line of the file.
    """
    if not rows:
        return ((1, last_line),)
    regions = []
    for first in sorted(set(firsts)):
        at = bisect_left(rows, first)
        regions.append((rows[at - 1] + 1 if at else 1, first - 1))
    return tuple(regions)


def _of_line(number: int, text: str, inside: bool, paragraph: _Paragraph) -> Iterator[Setting]:
    payload = _payload(text)
    if not inside:
        yield from paragraph.close()
        yield from dump(number, payload, inside=False)
        return
    dumped = list(dump(number, payload, inside=True))
    if dumped:
        yield from paragraph.close()
        yield from dumped
        return
    if _RULER.match(payload):
        if not payload.strip():
            yield from paragraph.close()
        return
    if len(payload) > LONGEST_PAIR:
        return
    told = list(_prose(number, payload))
    pairs = [] if told else _pairs(payload)
    if pairs:
        yield from paragraph.add(number, text, pairs)
        return
    yield from paragraph.title(payload)
    yield from told


class _Paragraph:
    """Consecutive ``name: value`` lines. Its unknown names count when known ones set the tone."""

    def __init__(self) -> None:
        self._unknown: list[Setting] = []
        self._known = 0
        self._title = ""
        self._indent = 0

    def add(self, number: int, text: str, pairs: Sequence[tuple[str, str]]) -> Iterator[Setting]:
        """Yield the settings of a line that are known by name; keep the others until the paragraph ends."""
        indent = len(text) - len(text.lstrip())
        for raw, value in pairs:
            under = f"{raw} {self._title}" if self._title and indent > self._indent else ""
            settings = _settings(number, raw, value, under)
            for item in settings:
                if canonical(item.raw_name) or item.name.endswith(("_start", "_end", "_loss_weight")) or under:
                    self._known += 1
                    yield item
                else:
                    self._unknown.append(item)

    def title(self, payload: str) -> Iterator[Setting]:
        """A line without a value may be the title of the lines below it (``Learning Rates:``)."""
        yield from self.close()
        words = payload.strip().rstrip(":").strip()
        name = canonical(words.removesuffix("s")) if payload.rstrip().endswith(":") else None
        if name:
            self._title, self._indent = name, len(payload) - len(payload.lstrip())

    def close(self) -> Iterator[Setting]:
        """Yield the unknown names of the paragraph when at least two, and two fifths, of its names are known."""
        if self._known >= 2 and self._known >= 0.4 * (self._known + len(self._unknown)):
            yield from self._unknown
        self._unknown, self._known, self._title, self._indent = [], 0, "", 0


def _payload(text: str) -> str:
    """Return the line without escapes, logging prefix and the marks that stand before a banner's words."""
    bare = _ANSI.sub("", text.rsplit("\r", 1)[-1]).rstrip()
    indent = len(bare) - len(bare.lstrip())
    rest = bare.lstrip()
    for _ in range(6):
        match = _PREFIX.match(rest)
        if not match or match.end() == len(rest):
            break
        rest = rest[match.end() :].lstrip()
    return " " * indent + _LEAD.sub("", rest)


def _pairs(payload: str) -> list[tuple[str, str]]:
    """Return the name-value pairs of one line of a banner."""
    cells = [cell.strip() for cell in payload.strip().strip("|").split("|")]
    if payload.lstrip().startswith("|") and len(cells) == 2 and all(cells):
        return [(cells[0], cells[1])]
    inline = [(m["name"].strip(), m["value"]) for m in _INLINE.finditer(payload)]
    if len(inline) >= 2 and all(canonical(name) or _NUMERIC.match(value) for name, value in inline):
        nested = _PAIR.match(payload)
        if not (nested and _NESTED.match(nested["value"])):
            return inline
    match = _PAIR.match(payload) or _WIDE.match(payload)
    return [(match["name"].strip(), match["value"])] if match else []


def _settings(number: int, raw: str, value: str, under: str = "") -> list[Setting]:
    """Return the settings of one pair: usually one; two for ``0.5 → 0.05``; one each for ``Discrete=1.0, ...``."""
    if raw.strip().lower() == "batch":
        return []  # the batch that the lines below are of; a size says so
    name = canonical(raw)
    arrow = _ARROW.match(value)
    if arrow:
        if name is None:
            return []
        base = name.removesuffix("_start")
        ends = ((f"{base}_start", arrow["a"]), (f"{base}_end", arrow["b"]))
        return [_setting(number, full, raw, value_of(part, full)) for full, part in ends]
    inner = list(_NESTED.finditer(value)) if name is None else []
    if inner and value.startswith(inner[0].group()):
        tail = snake(raw).removesuffix("s")
        return [_setting(number, f"{snake(m['name'])}_{tail}", raw, value_of(m["value"])) for m in inner]
    qualified = canonical(under) if under else None
    if under and qualified is None:
        return []
    chosen = qualified or name
    parsed = value_of(value, chosen)
    full = chosen or snake(raw)
    if not full or not _fits(parsed, chosen):
        return []
    return [_setting(number, full, raw, parsed)]


def _fits(value: Any, name: str | None) -> bool:
    """Whether a printed value can be that of a setting: text only for names that hold words, and then a short word."""
    words = name in {"optimizer", "activation", "algorithm", "environment", "dtype", "lr_schedule", "loss_function"}
    if isinstance(value, str):
        if name == "hidden_size" and value.startswith("["):
            return True
        short = len(value) <= 40 and not _NUMERIC.match(value) and len(value.split()) <= 3
        return short and (
            words or (name is not None and value.lower().startswith(("lin_", "linear", "cosine", "const")))
        )
    return not words or value is None


def _setting(number: int, name: str, raw: str, value: Any) -> Setting:
    return Setting(name=name, raw_name=raw.strip(), value=value, line=number)


def _prose(number: int, payload: str) -> Iterator[Setting]:
    """Yield a setting named in a sentence (``Actor CNN optimizer initialized with lr=0.0001``)."""
    match = _INIT.match(payload.strip())
    name = canonical(match["name"]) if match else None
    if match and name:
        words = [
            w for w in match["words"].lower().split() if w in {"actor", "critic", "cnn", "baseline", "policy", "value"}
        ]
        full = "_".join([*words, name])
        yield _setting(number, full, match["name"], value_of(match["value"], name))
        return
    counted = _COUNTED.search(payload)
    if counted:
        yield _setting(number, _COUNTS[counted["what"].lower()], counted["what"], value_of(counted["value"]))
