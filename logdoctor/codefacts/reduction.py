"""A loss that is summed over the batch, so that its gradient grows with the batch size."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from logdoctor.codefacts._record import CodeFact, Module, Pattern, call_name

LOSSES = ("loss", "Loss", "cross_entropy", "mse", "huber", "nll")


def find(modules: tuple[Module, ...]) -> Iterator[CodeFact]:
    """Look for loss calls with ``reduction="sum"``."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and any(word in call_name(node) for word in LOSSES):
                sums = [k for k in node.keywords if k.arg == "reduction" and _is_sum(k.value)]
                if sums:
                    what = f"{call_name(node)} sums over the batch: gradients grow with the batch size"
                    supports = {"wrong-reduction": 2.0, "learning-rate-too-high": 0.5}
                    yield module.fact("loss-summed", node.lineno, what, supports)


def _is_sum(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == "sum"


PATTERN = Pattern(id="loss-summed", title="Loss summed over the batch", find=find)
