"""Diagnosis <-> the JSON object of the contract, without loss and always valid JSON.

A non-finite number becomes ``null`` with a flag beside it: ``"flag"`` for the key ``value``, ``"<key>_flag"`` for any
other key; its text is ``nan``, ``+inf`` or ``-inf``. Inside an array the flags stand in ``"<key>_flags"``, by index.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any

from logdoctor import model
from logdoctor.errors import InputError

SCHEMA = "logdoctor.diagnosis/1"
_RENAMED = {"from_": "from", "for_": "for"}
_FLAGS = {"nan": math.nan, "+inf": math.inf, "-inf": -math.inf}


def flag_of(value: object) -> str | None:
    """Return ``nan``, ``+inf`` or ``-inf`` for a non-finite float, else None."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("+inf" if value > 0 else "-inf")
    return None


def _flag_key(key: str) -> str:
    return "flag" if key == "value" else f"{key}_flag"


def _number(value: float) -> float | int:
    whole = float(value).is_integer() and abs(value) < 2**53
    return int(value) if whole and (value or math.copysign(1.0, value) > 0) else value  # -0.0 is printed by logs


def encode(value: Any) -> Any:
    """Turn records, mappings and sequences into JSON values (floats that are whole numbers become integers)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((_RENAMED.get(f.name, f.name), getattr(value, f.name)) for f in dataclasses.fields(value))
        return _encode_pairs(pairs)
    if isinstance(value, Mapping):
        return _encode_pairs((str(k), v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, (str, int)):
        return value
    number = float(value)
    return None if flag_of(number) else _number(number)


def _encode_pairs(pairs: typing.Iterable[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in pairs:
        out[key] = encode(value)
        flag = flag_of(value)
        if flag:
            out[_flag_key(key)] = flag
        elif isinstance(value, (list, tuple)) and any(flag_of(item) for item in value):
            out[f"{key}_flags"] = {str(i): flag_of(item) for i, item in enumerate(value) if flag_of(item)}
    return out


def decode(kind: Any, data: Any) -> Any:
    """Rebuild a value of the annotated type ``kind`` from :func:`encode`'s output."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        if data is None:
            return None
        inner = [a for a in typing.get_args(kind) if a is not type(None)]
        dataclass_kind = next((a for a in inner if dataclasses.is_dataclass(a)), None)
        if dataclass_kind is not None and isinstance(data, Mapping):
            return decode(dataclass_kind, data)
        return decode(inner[0], data) if len(inner) == 1 else data
    if origin is tuple:
        args = typing.get_args(kind)
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(decode(args[0], item) for item in data)
        return tuple(decode(arg, item) for arg, item in zip(args, data, strict=False))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _decode_record(kind, data)
    if isinstance(data, Mapping):
        plain = {k: v for k, v in data.items() if not _is_flag_key(k, data)}
        return {k: _FLAGS.get(data.get(_flag_key(k), ""), v) if v is None else v for k, v in plain.items()}
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    return data


def _is_flag_key(key: str, data: Mapping[str, Any]) -> bool:
    return (key == "flag" and "value" in data) or (key.endswith("_flag") and key[:-5] in data)


def _decode_record(kind: type[Any], data: Any) -> Any:
    if not isinstance(data, Mapping):
        raise InputError(f"a saved report holds {type(data).__name__} where {kind.__name__} was expected")
    hints = _hints(kind)
    arguments: dict[str, Any] = {}
    for item in dataclasses.fields(kind):
        key = _RENAMED.get(item.name, item.name)
        if key not in data:
            continue
        value = data[key]
        flags = data.get(f"{key}_flags")
        if value is None and data.get(_flag_key(key)) in _FLAGS:
            arguments[item.name] = _FLAGS[data[_flag_key(key)]]
        elif flags and isinstance(value, list):
            restored = [_FLAGS.get(flags.get(str(i), ""), v) for i, v in enumerate(value)]
            arguments[item.name] = decode(hints[item.name], restored)
        else:
            arguments[item.name] = decode(hints[item.name], value)
    try:
        return kind(**arguments)
    except TypeError as error:
        raise InputError(f"a saved report lacks a field of {kind.__name__}: {error}") from None


def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def diagnosis_to_dict(diagnosis: model.Diagnosis) -> dict[str, Any]:
    """Return the object of the contract; ``schema`` and ``tool`` come first."""
    from logdoctor import __version__

    return {"schema": SCHEMA, "tool": {"name": "logdoctor", "version": __version__}, **encode(diagnosis)}


def diagnosis_from_dict(data: Mapping[str, Any]) -> model.Diagnosis:
    """Rebuild a diagnosis.

    Raises:
        InputError: the schema is unknown, or a field is missing or of the wrong kind.
    """
    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        raise InputError(f"this is not a saved report of logdoctor (expected schema {SCHEMA})")
    try:
        diagnosis = _decode_record(model.Diagnosis, data)
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise InputError(f"the saved report is damaged: {error}") from None
    assert isinstance(diagnosis, model.Diagnosis)
    return diagnosis
