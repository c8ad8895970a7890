"""A configuration file of the run -> settings. Python is read with ``ast`` and never run."""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from logdoctor import pytext
from logdoctor.errors import InputError
from logdoctor.hyperparameter_names import canonical, snake, value_of
from logdoctor.model import Scalar, Setting

MOST_BYTES = 4 << 20
MOST_SETTINGS = 5_000
MOST_DEPTH = 12
MOST_TEXT = 200

Found = tuple[str, Any, int | None]  # dotted name, value, line


def read_config(path: str | Path) -> tuple[Setting, ...]:
    """Return the settings of a YAML, JSON, TOML or Python file, flattened, under their canonical names.

    Raises:
        InputError: the file cannot be read, is larger than 4 MiB, or does not parse.
    """
    name = str(path)
    text = _text(Path(path).expanduser(), name)
    reader = _READERS.get(Path(name).suffix.lower(), _any)
    try:
        found = list(islice(reader(text), MOST_SETTINGS))
    except InputError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"the configuration {name} does not parse: {str(error).splitlines()[0]}") from None
    return settings_from(found, source=name)


def from_mapping(mapping: Mapping[str, Any], source: str = "given") -> tuple[Setting, ...]:
    """Return the settings of a (nested) mapping, under their canonical names."""
    return settings_from(
        [(name, value, None) for name, value in islice(flatten(mapping), MOST_SETTINGS)], source=source
    )


def settings_from(found: list[Found], source: str) -> tuple[Setting, ...]:
    """Name each value; of two that mean the same the shallower one gets the canonical name, the other its own."""
    settings: dict[str, Setting] = {}
    for raw, value, line in sorted(found[:MOST_SETTINGS], key=lambda item: item[0].count(".")):
        for name, one in _parts(raw, value):
            own = name if name not in settings else snake(raw)
            if own not in settings:
                settings[own] = Setting(name=own, raw_name=raw, value=one, line=line, source=source)
    order = {raw: at for at, (raw, _, _) in enumerate(found)}
    return tuple(sorted(settings.values(), key=lambda s: order[s.raw_name]))


def _parts(raw: str, value: Any) -> Iterator[tuple[str, Scalar]]:
    """Yield name and value; a pair of Adam's betas is two settings."""
    name = canonical(raw) or snake(raw.rsplit(".", 1)[-1]) or snake(raw)
    if name.endswith("betas") and isinstance(value, (list, tuple)) and len(value) == 2:
        yield "beta1", scalar(value[0], "beta1")
        yield "beta2", scalar(value[1], "beta2")
        return
    yield name, scalar(value, name)


def scalar(value: Any, name: str | None = None) -> Scalar:
    """Return a value as a number, text, truth value or None; a list becomes its text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        parsed = value_of(value, name) if len(value) < 64 else value
        return parsed if isinstance(parsed, (int, float)) or parsed is None else value
    if isinstance(value, (list, tuple)):
        return _listed(list(value), name)
    return str(value)[:MOST_TEXT] if not isinstance(value, Mapping) else None


def _listed(value: list[Any], name: str | None) -> Scalar:
    """Return a list as its text; a list of lists (aliases of YAML can nest them without end) only as their number."""
    if len(value) == 1 and isinstance(value[0], (str, int, float)):
        return value_of(str(value[0])[:MOST_TEXT], name)
    if len(value) <= 64 and all(item is None or isinstance(item, (str, int, float)) for item in value):
        return json.dumps([item[:MOST_TEXT] if isinstance(item, str) else item for item in value])
    return f"[{len(value)} items]"


def flatten(value: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield ``(dotted name, value)`` of a nested mapping; lists of plain values stay together."""
    if isinstance(value, Mapping) and depth < MOST_DEPTH:
        if prefix and set(value) <= {"value", "desc"} and "value" in value:  # W&B wraps every value
            yield from flatten(value["value"], prefix, depth + 1)
            return
        for key, inner in value.items():
            if str(key) in {"_wandb", "wandb_version"}:
                continue
            yield from flatten(inner, f"{prefix}.{key}" if prefix else str(key), depth + 1)
    elif isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value) and depth < MOST_DEPTH:
        for at, item in enumerate(value[:100]):
            yield from flatten(item, f"{prefix}.{at}", depth + 1)
    elif prefix:
        yield prefix, value


def _text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read the configuration {name}: {error.strerror or error}") from None
    if len(data) > MOST_BYTES:
        raise InputError(f"the configuration {name} is larger than {MOST_BYTES >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


# ------------------------------------------------------------------------------------------------ JSON, TOML, YAML


def _json(text: str) -> Iterator[Found]:
    data = json.loads(text)
    if not isinstance(data, Mapping):
        raise ValueError("a configuration is an object of names and values")
    yield from _with_lines(data, text)


def _toml(text: str) -> Iterator[Found]:
    import tomllib

    yield from _with_lines(tomllib.loads(text), text)


def _yaml(text: str) -> Iterator[Found]:
    import yaml

    class Loader(yaml.SafeLoader):
        """Builds plain values only; an unknown tag (Stable-Baselines3 zoo writes some) is read as what it holds."""

    def plain(loader: Any, suffix: str, node: Any) -> Any:  # noqa: ARG001
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            items = loader.construct_sequence(node, deep=True)
            pairs = items[0] if len(items) == 1 and isinstance(items[0], list) else items
            paired = all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) for p in pairs)
            return dict(pairs) if pairs and paired else items
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("", plain)
    try:
        data = yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if not isinstance(data, Mapping):
        raise ValueError("a configuration is a mapping of names to values")
    yield from _with_lines(data, text)


def _with_lines(data: Mapping[str, Any], text: str) -> Iterator[Found]:
    """Add the line of each key, where the key stands only once in the text."""
    where: dict[str, list[int]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        for match in re.finditer(r"(?:^|[\s{,\[\"'.-])([A-Za-z_][\w-]*)[\"']?\s*[:=]", line):
            where.setdefault(match.group(1), []).append(number)
    for name, value in flatten(data):
        parts = [p for p in name.split(".") if p != "value"]
        lines = where.get(parts[-1], [])
        yield name, value, lines[0] if len(lines) == 1 else None


def _any(text: str) -> Iterator[Found]:
    """Read a file whose suffix says nothing: JSON, else TOML, else YAML."""
    for reader in (_json, _toml, _yaml):
        try:
            return iter(list(islice(reader(text), MOST_SETTINGS)))
        except ValueError:
            continue
    raise InputError("the configuration is neither YAML, JSON, TOML nor Python")


# --------------------------------------------------------------------------------------------------------- Python


class _NoValueError(Exception):
    """An expression whose value cannot be told without running it."""


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"int": int, "float": float, "str": str, "bool": bool}


def _python(text: str) -> Iterator[Found]:
    tree = pytext.tree(text)
    known: dict[str, Any] = {}
    found: dict[str, tuple[Any, int]] = {}
    for name, node, line in _assignments(tree.body):
        try:
            value = _value(node, known)
        except _NoValueError:
            continue
        known[name.rsplit(".", 1)[-1]] = value
        found[name] = (value, line)
    for name, (value, line) in found.items():
        if isinstance(value, Mapping):
            for key, inner in flatten(value):
                yield f"{name}.{key}", inner, line
        else:
            yield name, value, line


def _assignments(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr, int]]:
    """Yield ``(name, expression, line)`` of what a module, a class or a function that builds a configuration sets."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _targets(target, node.value, node.lineno)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from _targets(node.target, node.value, node.lineno)
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.If, ast.With, ast.Try)):
            yield from _assignments(node.body)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield from _argument(node.value)


def _targets(target: ast.expr, value: ast.expr, line: int) -> Iterator[tuple[str, ast.expr, int]]:
    if isinstance(target, ast.Name):
        yield target.id, value, line
    elif isinstance(target, ast.Attribute):
        yield target.attr, value, line
    elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        yield str(target.slice.value), value, line
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from _targets(one, other, line)


def _argument(call: ast.Call) -> Iterator[tuple[str, ast.expr, int]]:
    """Yield the default of ``parser.add_argument("--lr", default=3e-4)``."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in {"add_argument", "set_defaults"}):
        return
    if call.func.attr == "set_defaults":
        yield from ((k.arg, k.value, call.lineno) for k in call.keywords if k.arg)
        return
    flags = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    name = next((f for f in flags if f.startswith("--")), flags[0] if flags else "")
    default = next((k.value for k in call.keywords if k.arg == "default"), None)
    if name and default is not None:
        yield name.lstrip("-").replace("-", "_"), default, call.lineno


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """Return the value of a literal, of simple arithmetic, or of a name set before."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(item, known) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {
            str(_value(key, known)): inner
            for key, value in zip(node.keys, node.values, strict=True)
            if key is not None and (inner := _tried(value, known)) is not _MISSING
        }
    if isinstance(node, ast.Name):
        if node.id in known:
            return known[node.id]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd, ast.Not)):
        inner = _value(node.operand, known)
        if isinstance(node.op, ast.Not):
            return not inner
        if isinstance(inner, (int, float)):
            return -inner if isinstance(node.op, ast.USub) else inner
    elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _arithmetic(node, known)
    elif isinstance(node, ast.Call):
        return _call(node, known)
    elif isinstance(node, ast.Attribute):
        return node.attr  # nn.ReLU, torch.float16
    raise _NoValueError


_MISSING = object()


def _tried(node: ast.expr, known: Mapping[str, Any]) -> Any:
    try:
        return _value(node, known)
    except _NoValueError:
        return _MISSING


def _arithmetic(node: ast.BinOp, known: Mapping[str, Any]) -> Any:
    left, right = _value(node.left, known), _value(node.right, known)
    if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
        raise _NoValueError
    if isinstance(node.op, ast.Pow) and (abs(right) > 64 or abs(left) > 1e6):
        raise _NoValueError
    if max(abs(left), abs(right)) > 1e300:
        raise _NoValueError
    try:
        result = _BINARY[type(node.op)](left, right)
    except (ArithmeticError, ValueError):
        raise _NoValueError from None
    if isinstance(result, complex):
        raise _NoValueError
    return result


def _call(node: ast.Call, known: Mapping[str, Any]) -> Any:
    """Return what a call builds, for the few calls that only hold values."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    named = {k.arg: k.value for k in node.keywords if k.arg}
    if name == "field":
        if "default" in named:
            return _value(named["default"], known)
        factory = named.get("default_factory")
        if isinstance(factory, ast.Lambda):
            return _value(factory.body, known)
        raise _NoValueError
    if name in _CONVERSIONS and len(node.args) == 1 and not named:
        try:
            return _CONVERSIONS[name](_value(node.args[0], known))
        except (ValueError, TypeError, OverflowError):
            raise _NoValueError from None
    if named and not node.args:  # dict(...), SimpleNamespace(...), Config(...)
        return {key: value for key, one in named.items() if (value := _tried(one, known)) is not _MISSING}
    raise _NoValueError


_READERS: dict[str, Callable[[str], Iterator[Found]]] = {
    ".json": _json,
    ".toml": _toml,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".py": _python,
}
