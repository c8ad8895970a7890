"""Many logs in, one diagnosis or one clear failure each; a bad file never loses the others."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logdoctor.engine import diagnose
from logdoctor.errors import InputError, LogDoctorError
from logdoctor.gate import mark_known
from logdoctor.model import Diagnosis, RunLog
from logdoctor.reader import read_log
from logdoctor.settings import Settings

_DIAGNOSIS_BYTES = 200_000_000  # a saved report is a few MB at most; a larger file is not one


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A log of which nothing can be said, the sentence that says why, and the exit code that it deserves."""

    path: str
    message: str
    exit_code: int


def analyze(
    logs: Iterable[str | Path | Failure],
    *,
    settings: Settings | None = None,
    hyperparameters: Mapping[str, Any] | str | Path | None = None,
    source_dir: str | Path | None = None,
    baseline: Sequence[str | Path] | None = None,
    known: Iterable[Diagnosis] = (),
    look: Callable[[Diagnosis, RunLog], None] | None = None,
) -> Iterator[Diagnosis | Failure]:
    """Judge each log in turn.

    Args:
        logs: paths of logs, ``-`` for standard input; a failure is passed on.
        settings: settings of the tool.
        hyperparameters: name -> value, or a configuration file of the run.
        source_dir: directory of training code, read only.
        baseline: sibling logs or a saved report.
        known: saved reports; what they found already is marked as known.
        look: called with each diagnosis and the log it is of, while the lines of the log can still be fetched.

    Yields:
        One :class:`Diagnosis` or one :class:`Failure` a log, in the order given.
    """
    known = tuple(known)
    for log in logs:
        if isinstance(log, Failure):
            yield log
            continue
        try:
            run = read_log(log, stream=True, settings=settings)
            diagnosis = diagnose(run, hyperparameters, source_dir, baseline or None, settings)
            if known:
                diagnosis = mark_known(diagnosis, known)
            if look is not None:
                look(diagnosis, run)
        except LogDoctorError as error:
            yield Failure(path=str(log), message=str(error), exit_code=error.exit_code)
        except (OSError, MemoryError, RecursionError) as error:
            yield Failure(path=str(log), message=f"{log}: {_reason(error)}", exit_code=2)
        except Exception as error:  # noqa: BLE001 - a fault of ours on one log must not lose the others
            if os.environ.get("LOGDOCTOR_DEBUG"):
                traceback.print_exc()
            message = f"{log}: internal error, please report it: {type(error).__name__}: {error}"
            yield Failure(path=str(log), message=message, exit_code=2)
        else:
            yield diagnosis


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"


def load_report(path: str | Path) -> Diagnosis:
    """Return the one diagnosis of a saved report.

    Raises:
        InputError: the file cannot be read, is no report, or holds several.
    """
    reports = load_reports(path)
    if len(reports) != 1:
        raise InputError(f"{path} holds {len(reports)} diagnoses where one was expected")
    return reports[0]


def load_reports(path: str | Path) -> tuple[Diagnosis, ...]:
    """Return the diagnoses of a saved report (``--format json``: an object, or JSON lines)."""
    text = _read_text(Path(path))
    try:
        objects = [json.loads(text)]
    except json.JSONDecodeError:
        try:
            objects = [json.loads(line) for line in text.split("\n") if line.strip()]
        except (json.JSONDecodeError, RecursionError):
            raise InputError(f"{path} is not a saved report: it is not JSON") from None
    except RecursionError:
        raise InputError(f"{path} is not a saved report: it is nested too deeply") from None
    if not objects:
        raise InputError(f"{path} is not a saved report: it is empty")
    try:
        return tuple(Diagnosis.from_dict(item) for item in objects)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > _DIAGNOSIS_BYTES:
            raise InputError(f"{path} is too large for a saved report")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {_reason(error)}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a saved report: it is not UTF-8 text") from None


def looks_like_report(path: str | Path) -> bool:
    """Whether a file begins like a saved report; a log is never taken for one."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(200)
    except OSError:
        return False
    return head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"{") and b'"logdoctor.diagnosis/' in head
