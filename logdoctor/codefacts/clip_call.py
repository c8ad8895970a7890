"""The gradient-clipping call: commented out, its result discarded, or present and effective."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from logdoctor.codefacts._record import CodeFact, Module, Pattern, call_name, calls

CLIPPERS = ("clip_grad_norm_", "clip_grad_norm", "clip_grad_value_", "clip_by_global_norm")


def find(modules: tuple[Module, ...]) -> Iterator[CodeFact]:
    """Look for clip calls in code and in comments."""
    live = False
    for module in modules:
        for node in ast.walk(module.tree):
            for call in _clip_statements(node):
                live = True
                yield from _judge_call(module, node, call)
    for module in modules:
        for line, comment in sorted(module.comments.items()):
            if any(f"{name}(" in comment for name in CLIPPERS):
                weight = 1.0 if live else 2.5
                what = "the gradient-clipping call is commented out" + (" here, another one is live" if live else "")
                yield module.fact("clip-commented-out", line, what, {"gradient-clipping-missing": weight})
    if not live:
        yield from _no_clip(modules)


def _clip_statements(node: ast.AST) -> list[ast.Call]:
    if not isinstance(node, (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return, ast.AugAssign)) or node.value is None:
        return []
    return list(calls(node.value, *CLIPPERS))


def _judge_call(module: Module, statement: ast.AST, call: ast.Call) -> Iterator[CodeFact]:
    name = call_name(call)
    if isinstance(statement, ast.Expr) and statement.value is call and name.endswith("clip_grad_norm"):
        # The function without the underscore is deprecated and old versions returned the clipped copy.
        what = f"{name} is called and its result is not used"
        yield module.fact("clip-result-discarded", call.lineno, what, {"metric-not-recorded": 1.0})
    elif isinstance(statement, ast.Expr) and statement.value is call:
        what = f"{name} clips, and the norm it returns is discarded, so nothing records it here"
        supports = {"metric-not-recorded": 2.0, "gradient-clipping-missing": -1.5}
        yield module.fact("clip-result-discarded", call.lineno, what, supports)
    elif "clip_by_global_norm" not in name:
        yield module.fact("clip-call", call.lineno, f"{name} is called", {"gradient-clipping-missing": -1.5})


def _no_clip(modules: tuple[Module, ...]) -> Iterator[CodeFact]:
    for module in modules:
        for call in calls(module.tree, "backward"):
            what = "backward() is called and no clip call stands anywhere in the code read"
            yield module.fact("clip-absent", call.lineno, what, {"gradient-clipping-missing": 1.0})
            return


PATTERN = Pattern(id="clip-call", title="Gradient clipping: commented out, discarded or absent", find=find)
