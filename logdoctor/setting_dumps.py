"""Lines that hold many settings at once: ``Namespace(...)``, a dictionary, a command line, a printed model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from logdoctor import pytext
from logdoctor.configfiles import MOST_SETTINGS, flatten, scalar
from logdoctor.hyperparameter_names import canonical, snake, value_of
from logdoctor.model import Setting

LONGEST = 65_536
LEAST_KNOWN = 3
"""Known settings (other than learning rates) in the first record of a JSON log that make it a copy of the options."""

_NAMESPACE = re.compile(
    r"\b(?:\w*Namespace|\w*Arguments|\w*Args|\w*Config|\w*Params|\w*Hyperparameters|\w*Settings)\s*\("
)
_DUMP_WORD = re.compile(
    r"\b(?:config\w*|hyper-?param\w*|options?|args?|arguments|params|parameters|settings)\b", re.IGNORECASE
)
_COMMAND = re.compile(
    r"(?:^|\s)(?:python[\d.]*|torchrun|deepspeed|accelerate|srun|mpirun|bash|\S+\.py|Command|cmd|argv|args)\b"
)
_FLAG = re.compile(r"(?:^|[\s'\"\[,])--?(?P<name>[A-Za-z][\w.\-]+)(?:=|\s+|['\"],\s*['\"])(?P<value>[^\s,'\"\]]+)")
_DUMP_KEYS = frozenset({"config", "hparams", "args", "options", "cfg", "params", "hyperparameters", "settings"})
_LAYER = re.compile(r"^\s*\([\w.\-]+\):\s*(?P<kind>[A-Z]\w*)\((?P<rest>.*)\)\s*$")
_ACTIVATIONS = frozenset(
    {"relu", "leakyrelu", "tanh", "sigmoid", "gelu", "elu", "selu", "silu", "prelu", "mish", "softplus"}
)


def dump(number: int, payload: str, *, inside: bool) -> Iterator[Setting]:
    """Yield the settings of a line that is a dump by itself."""
    if "(" in payload and (match := _NAMESPACE.search(payload)):
        yield from _keywords(number, payload[match.end() :])
        return
    brace = payload.find("{")
    if brace >= 0 and (inside or _DUMP_WORD.search(payload[:brace])):
        data = literal(payload[brace : payload.rfind("}") + 1])
        if isinstance(data, dict):
            yield from named(number, list(flatten(data)))
            return
    if "--" in payload and _COMMAND.search(payload):
        flags = [(m["name"].replace("-", "_"), m["value"]) for m in _FLAG.finditer(payload)]
        yield from named(number, flags, known_only=True)
        return
    head, colon, tail = payload.partition(":")
    if colon and tail.count("=") >= 3 and len(head) < 40 and _DUMP_WORD.search(head):
        yield from _keywords(number, tail)


def named(number: int, pairs: Iterable[tuple[str, Any]], *, known_only: bool = False) -> Iterator[Setting]:
    """Yield the settings of name-value pairs, each canonical name once."""
    taken: set[str] = set()
    for raw, value in pairs:
        name = canonical(raw)
        if known_only and name is None:
            continue
        full = name or snake(raw)
        if full in taken or not full:
            continue
        taken.add(full)
        one = scalar(value, name) if not isinstance(value, str) else value_of(value, name)
        if not isinstance(one, str) or len(one) <= 80:
            yield Setting(name=full, raw_name=raw.strip(), value=one, line=number)


def _keywords(number: int, text: str) -> Iterator[Setting]:
    """Yield ``name=value`` pairs of a dump; commas inside brackets and quotes do not separate."""
    pairs = []
    for part in _split_commas(text):
        name, equals, value = part.partition("=")
        if equals and re.fullmatch(r"\s*[A-Za-z_][\w.]*\s*", name):
            read = literal(value.strip())
            pairs.append((name.strip(), value.strip() if read is None and value.strip() != "None" else read))
    yield from named(number, pairs)


def _split_commas(text: str) -> Iterator[str]:
    depth, start, quote = 0, 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                yield text[start:at]
                return
        elif char == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def literal(text: str) -> Any:
    """Return the JSON or Python literal that ``text`` is, or None."""
    if not text or len(text) > LONGEST:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return pytext.literal(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def options_of(number: int, text: str) -> tuple[Setting, ...]:
    """Return the settings that the first record of a log of JSON objects repeats, if it does.

    Many programs write all options into every record (RLlib under ``config``, Torch scripts flat beside the metrics).
    """
    start = text.find("{")
    data = literal(text[start : text.rfind("}") + 1]) if start >= 0 else None
    if not isinstance(data, dict):
        return ()
    found: list[tuple[str, Any]] = []
    for key, value in data.items():
        if str(key).lower() in _DUMP_KEYS and isinstance(value, Mapping):
            pairs = islice(flatten(value), MOST_SETTINGS)
            found += [pair for pair in pairs if canonical(pair[0]) != "epsilon"]  # that of an optimiser or a filter
    flat = [(str(key), value) for key, value in data.items() if _is_option(str(key), value)]
    if len([name for name, _ in flat if "learning_rate" not in str(canonical(name))]) >= LEAST_KNOWN:
        found += flat
    return tuple(named(number, found, known_only=True))


def _is_option(name: str, value: Any) -> bool:
    return canonical(name) not in {None, "loss_function", "epsilon"} and not isinstance(value, (dict, list))


class ModelDump:
    """Collects the layers of a printed PyTorch module: its depth, activation and dropout are settings of the run."""

    def __init__(self) -> None:
        """Start outside of a module."""
        self._layers: list[int] = []
        self._activations: dict[str, int] = {}
        self._dropout: tuple[int, float] | None = None

    def feed(self, number: int, payload: str) -> Iterator[Setting]:
        """Look at one line; yield the settings when the module has ended."""
        match = _LAYER.match(payload)
        if match is None:
            if payload.strip() in {")", "(", ""} or payload.rstrip().endswith("("):
                return
            yield from self.close()
            return
        kind = match["kind"]
        if kind in {"Linear", "Conv1d", "Conv2d", "Conv3d"}:
            self._layers.append(number)
        elif kind.lower() in _ACTIVATIONS:
            self._activations.setdefault(kind.lower(), number)
        elif kind.startswith("Dropout") and self._dropout is None:
            found = re.search(r"p=([\d.]+)", match["rest"])
            self._dropout = (number, float(found.group(1))) if found else None

    def close(self) -> Iterator[Setting]:
        """Yield what was collected."""
        if len(self._layers) >= 2:
            first = self._layers[0]
            yield Setting(
                name="n_layers", raw_name="hidden layers of the printed model", value=len(self._layers) - 1, line=first
            )
            if len(self._activations) == 1:
                kind, line = next(iter(self._activations.items()))
                yield Setting(name="activation", raw_name="activation of the printed model", value=kind, line=line)
            if self._dropout is not None:
                line, share = self._dropout
                yield Setting(name="dropout", raw_name="Dropout", value=share, line=line)
        self._layers, self._activations, self._dropout = [], {}, None
