"""JSON or a Python literal inside a line: ``{"loss": 0.5}``, ``{'loss': 0.5}``, ``json_stats: {...}``."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from logdoctor.names import canonical, counter, words
from logdoctor.parsers._named_values import named
from logdoctor.parsers._record import EMPTY, Cell, Count, Parser, Scan
from logdoctor.pytext import literal
from logdoctor.values import FINITE, IS_INF, IS_NAN, MISSING, parse

_STRING_NUMBER = re.compile(rf"^\s*(?:{FINITE}|[-+]?(?:nan|inf(?:inity)?))\s*%?\s*$", re.IGNORECASE)
_NONFINITE = re.compile(r"(?<![\w'\".])([-+]?)(nan|NaN|inf|Infinity|Inf)(?![\w'\"])")
_CALL = re.compile(r"(?:np\.|numpy\.|torch\.)?(?:float\d*|int\d*|tensor|array)\(\s*([^(),\[\]]+)\s*(?:,[^()]*)?\)")
_RATIO = re.compile(r"^\s*(\d+)\s*/\s*(\d+)\s*$")
MAX_KEYS = 4000  # of one record: more is a dump of weights or tokens, and only the first are kept
MAX_DEPTH = 12
_DUMPS = words("config hparams args options cfg params")
_PHASE_KEYS = ("mode", "phase", "split", "stage", "type", "kind", "subset", "partition")


def scan(text: str) -> Scan | None:
    """Return the record of a line that holds one object, or None when it holds none."""
    found = _decode(text)
    if found is None:
        return None
    record, before = found
    if _is_dump(record):
        return EMPTY
    if _OF_TRIAL.search(before):
        front = _in_front(before, [], [])
        return front if front.cells else EMPTY
    cells: list[Cell] = []
    counters: list[Count] = []
    words: dict[str, str] = {}
    _flatten(record, "", cells, counters, words, 0)
    if not cells and not counters:
        return None
    if not counters and not any(ch.isalpha() for cell in cells for ch in cell.name):
        return EMPTY  # how many there are of each class
    front = _in_front(before, counters, cells)
    counters += front.counters
    cells += front.cells
    phase = next((told for key in _PHASE_KEYS if (told := _phase(words.get(key, "")))), "")
    phase = phase or _phase_before(before) or front.phase
    return Scan(tuple(counters), tuple(named(cells, words)), phase, before.strip(" :-"), "", {}, words)


# ``Trial 3 finished with value: 0.51 and parameters: {...}``
_OF_TRIAL = re.compile(r"\d\s*,?\s+(?:and|with|for|using|at)\s+(?:hyper-?)?param(?:eter)?s\s*[:=]?\s*$", re.IGNORECASE)
_OPTIONS = words(
    "batch_size batchsize epochs num_epochs lr learning_rate momentum weight_decay wd num_workers workers seed "
    "optimizer opt dataset arch model gpu gpus device dropout hidden_size img_size image_size save_dir log_dir "
    "output_dir data_dir resume scheduler num_classes lr_scheduler warmup warmup_epochs random_seed fp16 max_length "
    "gradient_accumulation_steps dataset_name dataset_path model_name model_path model_name_or_path"
)
LEAST_OPTIONS = 4  # that make an object the printed options, when no key of it is a metric


def _is_dump(record: dict[str, Any]) -> bool:
    """Whether an object holds the options of the run."""
    if len(_OPTIONS & record.keys()) < LEAST_OPTIONS:
        return False
    return not any(isinstance(value, float) and canonical(str(key)).goal != "none" for key, value in record.items())


_NAMED = re.compile(
    r"(?<![\w/])(?P<name>(?:global[ _]?|train(?:ing)?[ _]?)?"
    r"(?:step|iter(?:ation)?|epoch|update|rollout|round|episode)s?)"
    r"\s*[:=#]?\s*(?P<n>\d+)(?=[\s:,/|\])-]*$|\s*/\s*\d|[\s:,|\])-]+\D)(?!\.\d)",
    re.IGNORECASE,
)


_VALUE = re.compile(r"[A-Za-z][\w)\]]*\s*[:=]?\s*[-+]?\d+\.\d")
_VALUES_IN_FRONT = re.compile(r"(?:,|param(?:eter)?s\s*[:=]?)\s*$", re.IGNORECASE)
_PASS = re.compile(
    r"\bPass (?=\d+,\s*(?:Batch\b|$))"
)  # through the data; elsewhere a pass is a test. As long as what stands for it
_HELD_OUT = frozenset({"val", "eval", "test"})


def _in_front(before: str, known: list[Count], cells: list[Cell]) -> Scan:
    """Return what stands before the object: ``step 3: {...}``, ``Epoch 0, Batch 100, Cost 0.54, {...}``."""
    if "%|" in before or not any(ch.isdigit() for ch in before):
        return EMPTY
    from logdoctor.normalise import strip_prefix
    from logdoctor.parsers._scan import _phase_of, scan

    stripped = strip_prefix(_PASS.sub("Epoch", before))
    at = stripped.start
    phase = _phase_of(stripped.text)
    phase = phase if phase in _HELD_OUT else ""
    if _VALUES_IN_FRONT.search(stripped.text) and _VALUE.search(stripped.text):
        pairs = scan(stripped.text)
        names = {cell.name for cell in cells} | {count.name.lower() for count in known}
        return Scan(
            tuple(
                c._replace(start=at + c.start, end=at + c.end) for c in pairs.counters if c.name.lower() not in names
            ),
            tuple(c._replace(start=at + c.start, end=at + c.end) for c in pairs.cells if c.name not in names),
            phase,
        )
    counters = tuple(
        Count(m["name"], float(m["n"]), None, at + m.start("n"), at + m.end("n"))
        for m in _NAMED.finditer(stripped.text)
        if counter(m["name"]) and all(count.name.lower() != m["name"].lower() for count in known)
    )
    return Scan(counters, (), phase)


_PHASE_BEFORE = re.compile(
    r"(?:^|[\s\]|])(?P<word>train|valid|val|eval|test)(?:_\w+|\s+\w+)?\s*[:=]\s*$", re.IGNORECASE
)


def _phase_before(before: str) -> str:
    """Return the phase that the words in front of an object name: ``eval_result : {...}``."""
    match = _PHASE_BEFORE.search(before)
    return _phase(match["word"]) if match else ""


def _phase(word: str) -> str:
    from logdoctor.names import PHASES

    return PHASES.get(word.lower(), "")


def _decode(text: str) -> tuple[dict[str, Any], str] | None:
    """Find the object of a line: the first brace whose rest, up to the last brace, parses."""
    start = text.find("{")
    stop = text.rfind("}")
    if start < 0 or stop < start + 4 or ":" not in text[start:stop]:
        return None
    body = text[start : stop + 1]
    value = _parse(body)
    if value is None and body.count("{") > 1:
        labelled = _labelled(text)
        if labelled is not None:
            return labelled
        start = text.rfind("{")
        closing = text.find("}", start)
        value = _parse(text[start : closing + 1])
    return (value, text[:start]) if isinstance(value, dict) and value else None


_OBJECT = re.compile(r"(?:^|(?<=[\s,;|\]}]))(?P<label>[A-Za-z]\w*)\s*[:=]?\s*(?P<object>\{[^{}]*\})")
_BARE_KEY = re.compile(r"(?<=[{,])(\s*)([A-Za-z_][\w/.\-]*)(\s*:)")


def _labelled(text: str) -> tuple[dict[str, Any], str] | None:
    """Find several objects, each behind a word of its own: ``train {...} val {...}``."""
    found = list(_OBJECT.finditer(text))
    if len(found) < 2 or len(found) != text.count("{") or len({match["label"] for match in found}) < len(found):
        return None
    bodies = (match["object"] for match in found)
    values = [_parse(body if "'" in body or '"' in body else _BARE_KEY.sub(r"\1'\2'\3", body)) for body in bodies]
    if not all(values):
        return None
    named = {match["label"]: value for match, value in zip(found, values, strict=True)}
    return named, text[: found[0].start()]


def _parse(body: str) -> dict[str, Any] | None:
    if '"' in body:
        try:
            return _as_dict(json.loads(body))
        except (ValueError, RecursionError):
            pass
    if "(" in body:
        body = _CALL.sub(r"\1", body)
    body = _NONFINITE.sub(_spelled, body) if re.search("nan|inf", body, re.IGNORECASE) else body
    try:
        return _as_dict(literal(body))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _spelled(match: re.Match[str]) -> str:
    """Write a non-finite number so that a literal may hold it: infinity overflows, NaN becomes a string."""
    return "'nan'" if match.group(2).lower() == "nan" else f"{match.group(1)}1e9999"


def _as_dict(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _flatten(
    value: Any, path: str, cells: list[Cell], counters: list[Count], words: dict[str, str], depth: int
) -> None:
    if len(cells) > MAX_KEYS or depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            name = f"{path}/{key}" if path else str(key)
            if str(key).lower() in _DUMPS and isinstance(inner, dict):
                continue
            _flatten(inner, name, cells, counters, words, depth + 1)
    elif isinstance(value, bool):
        words[path] = str(value)
    elif value is None:
        cells.append(Cell(path, math.nan, MISSING))
    elif isinstance(value, (int, float)):
        _number(path, value, cells, counters)
    elif isinstance(value, str):
        _string(path, value, cells, counters, words)
    elif isinstance(value, (list, tuple)) and len(value) == 1:
        _flatten(value[0], path, cells, counters, words, depth + 1)


def _number(path: str, value: float, cells: list[Cell], counters: list[Count]) -> None:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if counter(path) and math.isfinite(number):
        counters.append(Count(path, number))
        return
    flag = IS_NAN if math.isnan(number) else IS_INF if math.isinf(number) else ""
    cells.append(Cell(path, number, flag))


def _string(path: str, value: str, cells: list[Cell], counters: list[Count], words: dict[str, str]) -> None:
    ratio = _RATIO.match(value)
    if ratio and counter(path):
        counters.append(Count(path, float(ratio.group(1)), float(ratio.group(2))))
    elif len(value) < 40 and _STRING_NUMBER.match(value):
        number = parse(value)
        if counter(path) and not number.flag:
            counters.append(Count(path, number.value))
        else:
            cells.append(Cell(path, number.value, number.flag, number.unit))
    elif len(value) < 200:
        words[path] = value


PARSER = Parser(
    id="literal",
    title="JSON or Python literal, one record a line",
    description="One object a line, alone or after a word; nested names are joined with a slash, strings that hold"
    " numbers are numbers, and NaN is taken in every spelling.",
    sample="{'loss': 0.9, 'grad_norm': 1.2, 'epoch': 0.1}\n{'loss': 0.7, 'grad_norm': 1.1, 'epoch': 0.2}\n"
    "{'loss': 0.6, 'grad_norm': nan, 'epoch': 0.3}\n",
    expect={"loss": 0.6},
)
