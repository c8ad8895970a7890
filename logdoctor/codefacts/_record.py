"""The records that every pattern file uses, and small helpers to look at syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from logdoctor.model import CodeFact


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One parsed file. ``comments`` maps a line number to the comment that stands there (without ``#``)."""

    path: str
    tree: ast.Module
    lines: tuple[str, ...]
    comments: Mapping[int, str]

    def fact(self, pattern: str, line: int, what: str, supports: Mapping[str, float]) -> CodeFact:
        """Return a fact at ``line`` of this file."""
        text = self.lines[line - 1].strip()[:200] if 0 < line <= len(self.lines) else ""
        return CodeFact(id=pattern, file=self.path, line=line, text=text, what=what, supports=supports)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One thing to look for; ``find`` sees all modules, because base classes may live in another file."""

    id: str
    title: str
    find: Callable[[tuple[Module, ...]], Iterable[CodeFact]]


def call_name(node: ast.AST) -> str:
    """Return the dotted name of a call or attribute (``torch.nn.init.zeros_``), or an empty string."""
    if isinstance(node, ast.Call):
        return call_name(node.func)
    if isinstance(node, ast.Attribute):
        head = call_name(node.value)
        return f"{head}.{node.attr}" if head else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def calls(tree: ast.AST, *endings: str) -> Iterator[ast.Call]:
    """Yield the calls below ``tree`` whose last name is one of ``endings``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and call_name(node).rpartition(".")[2] in endings:
            yield node


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function below ``tree``."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    """Yield every class below ``tree``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node


def is_number(node: ast.AST | None, value: float) -> bool:
    """Whether ``node`` is the literal ``value``."""
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and float(node.value) == value


def argument(call: ast.Call, position: int, name: str) -> ast.AST | None:
    """Return an argument given by position or by name, or None."""
    if len(call.args) > position:
        return call.args[position]
    return next((k.value for k in call.keywords if k.arg == name), None)


__all__ = ["CodeFact", "Module", "Pattern", "argument", "call_name", "calls", "classes", "functions", "is_number"]
