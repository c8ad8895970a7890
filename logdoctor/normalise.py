"""One normaliser for every format: terminal control taken off, prefixes taken off, bars and rulers recognised.

A physical line may hold many states of a progress bar; :func:`states` returns them in order, so that line numbers stay
those of the file as given.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor moves, clears
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles and links
    r"|\x1b[()][A-Z0-9]|\x1b[@-Z\\-_=>]"
)
_FORTRAN = re.compile(r"(?<=\d)(\.?\d*)D([-+]\d\d)(?!\w)")
_CONTROL = re.compile(r"[\x00-\x08\x0a\x0b\x0c\x0e-\x1f\x7f\x85]")
_SPACES = re.compile("[\u00a0\u2007\u2009\u202f\u3000]")
_DIRTY = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f\x85\u00a0\u2007\u2009\u202f\u3000\ufeff\u200b\u2212\u3010\u3011\uff05-\uff1d\u3001]"
)
# Full-width signs of Chinese and Japanese programs, as what they stand for; one character for one.
_WIDE = str.maketrans("：，；（）＝％【】＋－．／、−", ":,;()=%[]+-./,-")
_RULER = re.compile(r"^[\s|+│┃┼├┤╭╮╰╯┌┐└┘╔╗╚╝╠╣═━─\-=_*#~.·•]+$")

_DATE = r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}/\d{1,2}|[A-Z][a-z]{2} {1,2}\d{1,2})"
_CLOCK = r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?:\s?[AP]M)?(?:Z|\s?[+-]\d{2}:?\d{2})?"
_LEVEL = (
    r"(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL|TRACE|NOTICE|NOTSET|SUCCESS"
    r"|debug|info|warning|warn|error|Info|Debug|Warning|Error)"
)
_TIMESTAMP = re.compile(
    rf"\s*[\[(<]?(?:{_DATE}[T\s,|_-]{{1,2}}{_CLOCK}(?:\s[A-Za-z][\w.\-]*(?=\]))?|{_CLOCK}(?=\s*[\]|])|\d{{4}}-\d{{2}}-\d{{2}}-\d{{2}}:\d{{2}}:\d{{2}})[\])>]?\s*(?:[:|,]\s|[:|]?\s*-\s|-(?=[A-Za-z])|\s|$|(?=[\[(])|(?<=\])(?=[A-Za-z]))"
)
# ``Mon, 22 Aug 2016 08:58:58``
_DATED = re.compile(
    r"\s*\[?(?:[A-Z][a-z]{2},? )?(?:\d{1,2} [A-Z][a-z]{2}|[A-Z][a-z]{2} {1,2}\d{1,2}),? "
    r"(?:\d{4} \d{2}:\d{2}:\d{2}|\d{2}:\d{2}:\d{2} (?:[A-Z]{3,4} )?\d{4})"
    r"\]?\s*(?:[:|,-]\s+)?"
)
_BARE_TIME = re.compile(rf"\s*{_CLOCK}\s+(?=\[?{_LEVEL}\b|-\s|\||\[|[A-Za-z])")
_GLOG = re.compile(r"\s*[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ [^\s\]]+:\d+\] ?")
_PARTS = (
    re.compile(rf"\s*\[{_LEVEL} \d\d:\d\d:\d\d\]\s+(?:[a-z]\w*\s+)?"),  # [INFO 10:00:01] my_main
    re.compile(rf"\s*{_LEVEL}:[\w.\-/]+:(?=\s|\S)"),  # INFO:tensorflow:
    re.compile(rf"\s*\[[\w\-./]+\](?=\s*\[{_LEVEL}\])"),  # [train.py][INFO]
    re.compile(rf"\s*\[[\w\-.# ]+\]\s+{_LEVEL}\s+[\w.$]+\s+--?\s+"),  # [main] INFO org.example.Trainer -
    re.compile(  # [INFO] , INFO - , INFO: ; but not ``error rate: 0.5``
        r"\s*(?![Ee]rror(?:\s+\w+)?\s*[:=]\s*[-+]?\d|[Ee]rror\s+\w+\s*[:=])"
        rf"[\[(<]?{_LEVEL}[\])>]?(?:\s*[:|]+|\s*-\s|\s|(?=\[))\s*"
    ),
    re.compile(r"\s*\((?:[A-Za-z_][\w.]*)?\s?pid=\d+(?:,[^)]*)?\)\s?"),  # Ray
    re.compile(r"\s*\[(?:rank|Rank|RANK|gpu|GPU|node|worker|proc|default|titan)\s?\d*\](?::|\s|(?=\[))\s?"),
    re.compile(r"\s*\[[\w.\-]+:\d+/\d+\]\s?"),  # [gpu01:0/2]
    re.compile(r"\s*[|:-]?\s*[A-Za-z_<][\w.<>]*:[\w.<>]+:\d+\s+-\s"),  # __main__:main:41 - (loguru)
    re.compile(r"\s*(?:LOG|WARNING|VLOG\[\d+\]) \([^()]*(?:\(\)[^()]*)?:\d+\)\s?"),  # LOG (train[5.2]:Do():a.cc:29)
    re.compile(r"\s*\[\d{4} \d{2}:\d{2}:\d{2} @[\w.\-]+:\d+\]\s*"),  # [1119 10:00:01 @base.py:27]
    re.compile(r"\s*\[\w*Thread\w*(?:[-:]\d+)*\]\s?"),  # [MainThread:62]
    re.compile(r"\s*[\[(]?(?:[\w.\-/]+\.(?:py|cc|cpp|cu|c|h|rs|go|java|lua|jl)|trainer|logger)(?::|\s(?=\d+\))|[\[(]line:\s?(?=\d+[\])]))\d+(?::\w+)?[\])]?(?:\s*[:\-]\s+|\s+|(?=[\[(])|$)"),
    re.compile(r"\s*\d+:\s(?=\S)(?!\s*\d)"),  # srun --label: rank and colon
    re.compile(r"\s*\[(?:LightGBM|XGBoost|CatBoost|Horovod|DeepSpeed|Megatron)\]\s*"),
    # the output of documents with code (knitr, reprex): rows of numbers, and names well apart
    re.compile(r"\s*(?:#>|##)\s(?=\s*(?:[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?:\s|$)|[A-Za-z]\w*(?:\s{2,}[A-Za-z][\w.]*){2,}\s*$))"),
    re.compile(r"\s*#>\s"),
)  # fmt: skip
_DOTTED = re.compile(r"\s*[a-z_]\w*(?:\.\w+)+\s+-\s+")  # package.module -, behind a time or a level
_SRUN = next(part for part in _PARTS if part.pattern.startswith(r"\s*\d+:"))
_LOGGER = re.compile(rf"\s*(?:[-|:]\s+)?(?:[\w.\-/]+(?:[\s|:\-]+))??[\[(]?{_LEVEL}[\])]?(?:\s*[:|\]-]\s*|\s+|(?=\[))")
_NAMES = re.compile(rf"\s*(?:[-|:]\s+)?(?:[\w\-]+:\d+\t)?(?:[\w.]+:\d+\t)?(?:{_LEVEL}\t)?")
_DASH = re.compile(r"\s*[-–|:]\s+")


class Stripped(NamedTuple):
    """A line without its prefix. ``start`` is where the payload begins in the cleaned line; ``time`` as printed."""

    text: str
    start: int
    time: str | None
    rank: str = ""


def clean(text: str) -> str:
    """Return ``text`` without escapes and control characters; tabs stay, odd blanks become blanks."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "D+" in text or "D-" in text:
        text = _FORTRAN.sub(r"\1E\2", text)
    if not _DIRTY.search(text):
        return text
    text = _SPACES.sub(" ", text).replace("\ufeff", "").replace("\u200b", "").translate(_WIDE)
    return _CONTROL.sub("", text.replace("\r", ""))


def states(line: str) -> list[str]:
    """Return what the line showed, one text per state: split at carriage returns, backspaces applied, cleaned."""
    line = line.rstrip("\r\n")
    if "\r" not in line and "\x08" not in line:
        return _unglued(clean(line))
    found = []
    for part in line.split("\r"):
        pieces = _backspaced(part) if "\x08" in part else [part]
        found += [state for piece in pieces if (text := clean(piece)).strip() for state in _unglued(text)]
    return found or [""]


_NEXT_BAR = re.compile(r"(?<=\])(?=[^\[\]|%]{0,80}?\d{1,3}%\|)")
_NEXT_KERAS = re.compile(r"(?P<n>\d+)/(?P<total>\d+) \[[=>.]{5,}\]")


def _unglued(text: str) -> list[str]:
    """Cut a line that lost the carriage returns between the states of its bar."""
    if text.count("%|") > 1:
        return [part for part in _NEXT_BAR.split(text) if part.strip()]
    if "/" not in text or text.count(" [") < 2:
        return [text]
    # The count is as wide as the total at most: digits before that are those of the value printed before.
    starts = [max(m.start("n"), m.end("n") - len(m["total"])) for m in _NEXT_KERAS.finditer(text)]
    if len(starts) < 2:
        return [text]
    cuts = [0, *starts[1:], len(text)]
    return [text[a:b] for a, b in pairwise(cuts) if text[a:b].strip()]


def _backspaced(text: str) -> list[str]:
    """Apply runs of backspaces; a run that erases the whole text begins a new state."""
    out: list[str] = []
    current = ""
    for piece in re.split(r"(\x08+)", _ANSI.sub("", text)):
        if not piece.startswith("\x08"):
            current += piece
        elif len(piece) >= len(current):
            out.append(current)
            current = ""
        else:
            out.append(current)
            current = current[: -len(piece)]
    return [*out, current]


def is_ruler(text: str) -> bool:
    """Whether a cleaned line only draws: ``-----``, ``+---+``, ``═══``."""
    body = text.strip()
    return len(body) >= 3 and _RULER.match(body) is not None


def strip_prefix(text: str) -> Stripped:
    """Take timestamp, level, logger, host, rank, process and file:line off the front of a cleaned line."""
    position, time = 0, None
    for _ in range(6):
        moved, stamp = _one_prefix(text, position, time is not None)
        if moved == position:
            break
        position, time = moved, time or stamp
    if position:
        dash = _DASH.match(text, position)
        position = dash.end() if dash else position
    rank = _RANK.search(text, 0, position) if position else None
    return Stripped(text[position:], position, time, rank["n"] if rank else "")


_RANK = re.compile(r"[\[(](?:rank|Rank|RANK|default|proc)\s?(?P<n>\d+)[\])]")


def _one_prefix(text: str, at: int, timed: bool) -> tuple[int, str | None]:
    if not timed:
        for pattern in (_TIMESTAMP, _GLOG, _BARE_TIME, _DATED):
            match = pattern.match(text, at)
            if match and match.end() > at:
                end = match.end()
                if pattern is not _GLOG:
                    end = _after_stamp(text, end)
                return end, match.group().strip(" []()|,:-")
    if at:
        named = _DOTTED.match(text, at)
        if named:
            return named.end(), None
    for pattern in _PARTS:
        if pattern is _SRUN and at:
            continue
        match = pattern.match(text, at)
        if match and match.end() > at and pattern is not _SRUN:
            return match.end(), None
    return at, None


def _after_stamp(text: str, at: int) -> int:
    """Skip host, logger and level between a timestamp and the payload."""
    match = _NAMES.match(text, at)
    if match and "\t" in match.group():
        return match.end()
    match = _LOGGER.match(text, at)
    return match.end() if match else at
