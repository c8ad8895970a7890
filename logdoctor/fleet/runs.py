"""Finds the runs below the given paths and the configuration file that belongs to each."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from logdoctor.discovery import files_below

LOG_SUFFIXES = {".log", ".txt", ".out", ".err", ".csv", ".tsv", ".jsonl", ".ndjson", ".gz", ".bz2", ".xz", ".zst"}
CONFIG_SUFFIXES = (".yaml", ".yml", ".json", ".toml", ".py")
# What trainers call the file beside the log that holds the settings of the run.
CONFIG_NAMES = ("config", "params", "args", "hparams", "hyperparameters", "arguments", "training_args")
DOCUMENTS = {"trainer_state.json", "result.json", "results.json", "progress.csv"}  # logs in spite of their suffix
MAX_RUNS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RunSpec:
    """One run to read: its log and, where there is one, its configuration file. Both as paths to open."""

    log: str
    config: str | None = None


def find_runs(paths: Iterable[str | Path], configs: bool = True) -> list[RunSpec]:
    """Return the runs meant by files, directories, globs and ``@list`` files, each once, sorted by path.

    A path that does not exist is kept: reading it then gives a row with its reason instead of silence.
    """
    logs: dict[str, None] = {}
    for path in paths:
        for log in _logs(str(path)):
            logs.setdefault(log)
            if len(logs) >= MAX_RUNS:
                break
    named = [str(path) for path in paths]
    return sorted(RunSpec(log=log, config=_config_of(log, named) if configs else None) for log in logs)


def _logs(path: str) -> Iterator[str]:
    if path == "-" or "://" in path:
        yield path
    elif path.startswith("@"):
        lines = Path(path[1:]).read_text(encoding="utf-8").splitlines()
        yield from (line.strip() for line in lines if line.strip() and not line.startswith("#"))
    elif Path(path).is_dir():
        yield from (file for file in files_below(path) if _is_log(Path(file).name))
    elif glob.has_magic(path) and not Path(path).exists():
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - the pattern may be absolute
        yield from matches or [path]
    else:
        yield path


def _is_log(name: str) -> bool:
    path = Path(name.lower())
    return path.name in DOCUMENTS or path.suffix in LOG_SUFFIXES


def _config_of(log: str, named: list[str]) -> str | None:
    """Return the configuration of a run: the log's own name first, then a ``configs`` folder, then a known name."""
    path = Path(log)
    if "://" in log or log == "-":
        return None
    stems = dict.fromkeys((path.stem, path.name.split(".")[0]))
    homes = [path.parent, path.parent / "configs", path.parent.parent / "configs", path.parent.parent / "config"]
    for home in homes:
        for stem in stems:
            for suffix in CONFIG_SUFFIXES:
                candidate = home / f"{stem}{suffix}"
                if candidate != path and candidate.is_file() and str(candidate) not in named:
                    return str(candidate)
    return _lonely_config(path)


def _lonely_config(path: Path) -> str | None:
    """A ``config.yaml`` beside the log counts only when it is the only log there; else it may be another's."""
    found = [path.parent / f"{n}{s}" for n in CONFIG_NAMES for s in CONFIG_SUFFIXES if s != ".py"]
    found = [candidate for candidate in found if candidate.is_file()]
    if not found:
        return None
    others = [p for p in path.parent.iterdir() if p != path and _is_log(p.name) and p.suffix not in (".csv", ".jsonl")]
    return None if others else str(found[0])
