"""A recurrent step and a read-out of the same network that use different activations."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from logdoctor.codefacts._record import CodeFact, Module, Pattern, call_name, classes

ACTIVATIONS = {"relu", "tanh", "sigmoid", "softplus", "elu", "gelu", "leaky_relu"}
STEP = re.compile(r"recurrent|cell|step", re.I)
READOUT = re.compile(r"firing_rate|readout|read_out|output|rate", re.I)
Use = tuple[str, str, Module, int]  # class, activation, module, line


def find(modules: tuple[Module, ...]) -> Iterator[CodeFact]:
    """Compare a class's recurrent step with its read-out, own or inherited."""
    owners = {owner.name: (module, owner) for module in modules for owner in classes(module.tree)}
    for name, (module, owner) in owners.items():
        line_of_classes = _ancestry(name, owners)
        steps = _uses(module, owner, STEP)
        readouts = [use for ancestor in line_of_classes for use in _uses(*owners[ancestor], READOUT)]
        if steps and readouts and {s[1] for s in steps}.isdisjoint(r[1] for r in readouts):
            step, readout = steps[0], readouts[0]
            where = f"{readout[2].path}:{readout[3]}"
            what = f"{name} uses {step[1]} in its step and {readout[1]} in {readout[0]}'s read-out ({where})"
            yield module.fact("activation-mismatch", step[3], what, {"dead-relu": 0.8, "activation-mismatch": 2.0})


def _ancestry(name: str, owners: dict[str, tuple[Module, ast.ClassDef]]) -> list[str]:
    """Return ``name`` and the base classes that were read, nearest first."""
    seen: list[str] = []
    todo = [name]
    while todo:
        current = todo.pop(0)
        if current in owners and current not in seen:
            seen.append(current)
            todo += [call_name(base).rpartition(".")[2] for base in owners[current][1].bases]
    return seen


def _uses(module: Module, owner: ast.ClassDef, method: re.Pattern[str]) -> list[Use]:
    found = []
    for item in owner.body:
        if isinstance(item, ast.FunctionDef) and method.search(item.name) and not item.name.startswith("__"):
            for node in ast.walk(item):
                activation = call_name(node).rpartition(".")[2] if isinstance(node, ast.Call) else ""
                if activation in ACTIVATIONS:
                    found.append((owner.name, activation, module, node.lineno))  # type: ignore[attr-defined]
    return found


PATTERN = Pattern(id="activation-mismatch", title="Different activations in step and read-out", find=find)
