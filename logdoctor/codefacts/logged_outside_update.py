"""A metric of a delayed update that is logged on every step, also where that update did not run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from logdoctor.codefacts._record import CodeFact, Module, Pattern, call_name, functions


def find(modules: tuple[Module, ...]) -> Iterator[CodeFact]:
    """Look for ``if step % freq == 0: actor_optimizer.step()`` with ``metrics["actor..."] = ...`` outside of it."""
    for module in modules:
        for function in functions(module.tree):
            gates = [node for node in ast.walk(function) if isinstance(node, ast.If) and _is_modulo(node.test)]
            for gate in gates:
                inside = {id(node) for node in ast.walk(gate)}
                for part in _updated_parts(gate):
                    for line, key in _logged(function, part, inside):
                        when = ast.unparse(gate.test)
                        what = f"{key!r} is logged on every step, while the {part} is updated only when {when}"
                        yield module.fact("logged-outside-update", line, what, {"metric-not-recorded": 1.0})


def _is_modulo(test: ast.expr) -> bool:
    return any(isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) for node in ast.walk(test))


def _updated_parts(gate: ast.If) -> set[str]:
    """Return the stems (``actor``, ``policy``) of the optimisers stepped inside the gate."""
    parts: set[str] = set()
    for statement in gate.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and call_name(node).endswith(".step"):
                owner = call_name(node).rpartition(".")[0].rpartition(".")[2].lower()
                parts |= {stem for stem in ("actor", "policy", "generator", "alpha") if stem in owner}
    return parts


def _logged(function: ast.AST, part: str, inside: set[int]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(function):
        if id(node) in inside or not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            key = target.slice if isinstance(target, ast.Subscript) else None
            if isinstance(key, ast.Constant) and part in str(key.value).lower() and "grad" in str(key.value).lower():
                yield node.lineno, str(key.value)


PATTERN = Pattern(id="logged-outside-update", title="Metric logged outside its update", find=find)
