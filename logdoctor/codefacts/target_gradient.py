"""A bootstrap target that keeps its gradient: neither ``no_grad`` nor ``detach``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from logdoctor.codefacts._record import CodeFact, Module, Pattern, call_name, functions


def find(modules: tuple[Module, ...]) -> Iterator[CodeFact]:
    """Look for ``target = reward + gamma * network(next)`` outside ``no_grad`` and without ``detach``."""
    for module in modules:
        for function in functions(module.tree):
            if any("no_grad" in call_name(d) or "inference_mode" in call_name(d) for d in function.decorator_list):
                continue
            protected = _protected(function)
            detached = {call_name(c.func).split(".")[0] for c in ast.walk(function) if _is_detach(c)}  # type: ignore[attr-defined]
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and id(node) not in protected and _is_target(node):
                    name = call_name(node.targets[0])
                    if name not in detached and not any(_is_detach(inner) for inner in ast.walk(node.value)):
                        what = f"{name} bootstraps without no_grad() or detach(): the target gets gradients too"
                        supports = {"target-not-detached": 2.0, "target-network-unstable": 0.7}
                        yield module.fact("target-keeps-gradient", node.lineno, what, supports)


def _protected(function: ast.AST) -> set[int]:
    inside: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.With) and any(
            "no_grad" in call_name(item.context_expr) or "inference_mode" in call_name(item.context_expr)
            for item in node.items
        ):
            inside |= {id(child) for child in ast.walk(node)}
    return inside


def _is_detach(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and call_name(node).endswith(("detach", "stop_gradient"))


def _is_target(node: ast.Assign) -> bool:
    """Whether the assignment is a Bellman target: name says target, value multiplies a gamma with something."""
    name = call_name(node.targets[0]).lower()
    if "target" not in name:
        return False
    names = {call_name(n).lower() for n in ast.walk(node.value) if isinstance(n, (ast.Name, ast.Attribute))}
    return any("gamma" in n or "discount" in n for n in names)


PATTERN = Pattern(id="target-keeps-gradient", title="Bootstrap target keeps its gradient", find=find)
