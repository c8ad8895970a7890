"""``logdoctor demo``: a failing sample log, so that the tool can be tried without any data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logdoctor.errors import InputError, UsageError
from logdoctor.settings import near_miss

DEFAULT = "q_divergence"


def samples_directory() -> Path:
    """Return where the sample logs lie: in the package, or beside it in a checkout.

    Raises:
        InputError: they are not installed.
    """
    package = Path(__file__).resolve().parent
    for directory in (package / "sample_logs", package.parent / "sample_logs"):
        if (directory / "index.toml").is_file():
            return directory
    raise InputError("the sample logs are not part of this installation")


def samples() -> dict[str, Mapping[str, Any]]:
    """Return name -> entry of the index (``file``, ``title``, and ``config`` where there is one)."""
    directory = samples_directory()
    index = tomllib.loads((directory / "index.toml").read_text(encoding="utf-8"))
    return {Path(item["file"]).stem: item for item in index["log"]}


def sample(name: str = DEFAULT) -> tuple[Path, Path | None, str]:
    """Return the log called ``name``, its configuration file or None, and what it is about.

    Raises:
        UsageError: there is no such sample.
    """
    known = samples()
    if name not in known:
        raise UsageError(f"there is no sample {name!r}{near_miss(name, known)}")
    entry, directory = known[name], samples_directory()
    config = directory / str(entry["config"]) if entry.get("config") else None
    return directory / str(entry["file"]), config, str(entry.get("title", ""))
