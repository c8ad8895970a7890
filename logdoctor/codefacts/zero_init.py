"""A layer whose weights start at exactly zero."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from logdoctor.codefacts._record import CodeFact, Module, Pattern, argument, call_name, is_number

SUPPORTS = {"zero-initialised-layer": 2.5}


def find(modules: tuple[Module, ...]) -> Iterator[CodeFact]:
    """Look for weight initialisers that write zero."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                target = _zeroed(node)
                if target and "bias" not in target:
                    what = f"{target} is initialised to exactly zero: all its outputs start equal"
                    yield module.fact("zero-init", node.lineno, what, SUPPORTS)


def _zeroed(call: ast.Call) -> str:
    """Return the name of the tensor that ``call`` sets to zero, or an empty string."""
    name = call_name(call)
    last = name.rpartition(".")[2]
    first = call.args[0] if call.args else None
    if last == "zeros_" and first is not None:
        return _weight(call_name(first))
    if last == "constant_" and first is not None and is_number(argument(call, 1, "val"), 0.0):
        return _weight(call_name(first))
    if last == "zero_" or (last == "fill_" and is_number(first, 0.0)):
        return _weight(name.rpartition(".")[0])
    keyword = next((k for k in call.keywords if k.arg == "kernel_initializer"), None)
    if keyword is not None and _is_zeros(keyword.value):
        return f"the kernel of {name}"
    return ""


def _weight(target: str) -> str:
    return target if "weight" in target or "kernel" in target or target.endswith(".W") else ""


def _is_zeros(node: ast.AST) -> bool:
    literal = isinstance(node, ast.Constant) and str(node.value).lower() == "zeros"
    return literal or call_name(node).rpartition(".")[2] in {
        "zeros",
        "Zeros",
        "zeros_init",
        "zeros_initializer",
    }


PATTERN = Pattern(id="zero-init", title="Weights initialised to zero", find=find)
