"""What the next run should do: taken from the watch list of a saved report, or written by hand in TOML.

A file of one's own::

    [[expect]]
    metric = "agreement"      # canonical or raw name
    condition = ">="          # >= <= > < == between rises falls finite
    value = 50
    within = 200_000          # steps from the start of the run; or by = 5_000_000, an absolute step
    sign = "recovery"         # or "failure": then it must not come true
    otherwise = "halve the learning rate and restart"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logdoctor.analysing import load_reports
from logdoctor.errors import InputError
from logdoctor.model import Diagnosis
from logdoctor.results import Expectation
from logdoctor.settings import near_miss

NUMERIC = (">=", "<=", ">", "<", "==", "between")
CONDITIONS = (*NUMERIC, "rises", "falls", "finite")
_KEYS = ("metric", "condition", "value", "value2", "within", "by", "sign", "otherwise", "why", "clock")
_SPELLINGS = {"is finite": "finite", "at least": ">=", "at most": "<=", "above": ">", "below": "<", "=": "=="}


def load_expectations(path: str | Path) -> tuple[Expectation, ...]:
    """Read a saved report (JSON) or a file of expectations (TOML).

    Raises:
        InputError: the file cannot be read, or holds a key or a condition that is not known.
    """
    path = Path(path)
    if path.suffix.lower() == ".toml":
        return _from_toml(path)
    reports = load_reports(path)
    if len(reports) != 1:
        raise InputError(f"{path} holds {len(reports)} diagnoses; check needs the report of one run")
    return from_report(reports[0], path.name)


def from_report(report: Diagnosis, origin: str = "report") -> tuple[Expectation, ...]:
    """Return the watch list of a report, and that its alarms do not come back."""
    watched = [
        Expectation(
            metric=item.metric, condition=_SPELLINGS.get(item.condition, item.condition), value=item.value,
            value2=item.value2, within=item.within_steps, sign=item.sign, otherwise=item.otherwise, why=item.why,
            clock=item.clock, origin=origin,
        )
        for item in report.watch
    ]  # fmt: skip
    return (*watched, *_absences(report, origin))


def _absences(report: Diagnosis, origin: str) -> list[Expectation]:
    """One expectation a kind of alarm: it does not return before the step at which it began."""
    alarms = [f for f in report.findings if not f.benign and f.severity != "info"]
    change = next((c for cause in report.causes for c in cause.changes), None)
    advice = f"the report's first change was {change.parameter}: {change.from_} → {change.to}" if change else ""
    found: dict[str, Expectation] = {}
    for finding in alarms:
        onset = finding.onset
        found.setdefault(
            finding.id,
            Expectation(
                metric=finding.id, condition="absent", value=finding.name, sign="recovery", otherwise=advice,
                by=onset.step if onset else None, clock=onset.clock if onset else None, origin=origin,
                why=f"the last report found it: {finding.summary}",
            ),
        )  # fmt: skip
    return list(found.values())


def _from_toml(path: Path) -> tuple[Expectation, ...]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from None
    unknown = [key for key in data if key != "expect"]
    if unknown:
        raise InputError(f"{path}: unknown key {unknown[0]!r}{near_miss(unknown[0], ['expect'])}")
    tables = data.get("expect", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(item, Mapping) for item in tables):
        raise InputError(f"{path} holds no [[expect]] table")
    return tuple(_expectation(item, f"{path}, [[expect]] number {i}") for i, item in enumerate(tables, 1))


def _expectation(table: Mapping[str, Any], where: str) -> Expectation:
    for key in table:
        if key not in _KEYS:
            raise InputError(f"{where}: unknown key {key!r}{near_miss(key, _KEYS)}")
    condition = str(table.get("condition", "finite"))
    condition = _SPELLINGS.get(condition, condition)
    if not table.get("metric") or not isinstance(table["metric"], str):
        raise InputError(f"{where}: metric is missing")
    if condition not in CONDITIONS:
        raise InputError(f"{where}: unknown condition {condition!r}{near_miss(condition, CONDITIONS)}")
    if table.get("sign", "recovery") not in ("recovery", "failure"):
        raise InputError(f"{where}: sign must be recovery or failure, not {table['sign']!r}")
    needed = ["value", "value2"] if condition == "between" else ["value"] if condition in NUMERIC else []
    for key in (*needed, "within", "by"):
        value = table.get(key)
        if (key in needed or value is not None) and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise InputError(f"{where}: {key} must be a number, not {value!r}")
    return Expectation(**{**table, "condition": condition, "origin": where})
