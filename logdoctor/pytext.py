"""Python text that is read and never executed.

The compiler warns of what it finds strange (``9or``, an unknown escape) on standard error: of somebody's log or
configuration that is noise, and text of a stranger's on a terminal.
"""

from __future__ import annotations

import ast
import warnings


def literal(text: str) -> object:
    """Return the value of a literal.

    Raises:
        ValueError, SyntaxError, TypeError, MemoryError, RecursionError: it is none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.literal_eval(text)


def tree(text: str) -> ast.Module:
    """Return the syntax tree of a source text.

    Raises:
        SyntaxError, ValueError, MemoryError, RecursionError: it is no Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)
