"""Walks a package and takes the one record of each module, so that adding a rule touches one file."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any


@cache
def records(package: str, attribute: str) -> dict[str, Any]:
    """Return ``id -> record`` for every public module of ``package``.

    Args:
        package: dotted name, for example ``logdoctor.rules``.
        attribute: the name each module binds its record to, for example ``RULE``.

    Raises:
        ValueError: two modules claim the same id, or a module has no record.
    """
    found: dict[str, Any] = {}
    home = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(home.__path__), key=lambda item: item.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        record = getattr(module, attribute, None)
        if record is None:
            raise ValueError(f"{package}.{info.name} does not define {attribute}")
        if record.id in found:
            raise ValueError(f"{record.id} is claimed by two modules of {package}")
        found[record.id] = record
    return found
