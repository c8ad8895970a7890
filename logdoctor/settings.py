"""Settings of the tool: flags > environment > ``logdoctor.toml`` > ``[tool.logdoctor]`` > defaults."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from logdoctor.errors import SettingsError
from logdoctor.registry import records
from logdoctor.rules._record import Rule

FAIL_ON = ("critical", "warning", "never")
ENVIRONMENT = "LOGDOCTOR_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force.

    Attributes:
        select: rule ids, id prefixes, names or tags that take part; all when empty.
        ignore: the same, for those that do not.
        fail_on: ``critical``, ``warning`` or ``never``: what makes the exit code 1.
        minimum_coverage: share of the metric lines that must have been read, from 0 to 1; below it the code is 3.
        allow_empty: a log in which nothing can be judged ends with 0 instead of 3.
        parser: id of the parser to use instead of the one that fits best.
        format: output format when no ``--format`` is given.
        thresholds: rule name -> threshold name -> value.
        formats: name -> definition of a log format of one's own.
        names: raw metric name -> canonical name, for metrics that were taken for something else.
        notify: addresses that ``watch`` alerts (apprise URLs).
        origin: the file the settings come from, None for defaults.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str = "critical"
    minimum_coverage: float = 0.5
    allow_empty: bool = False
    parser: str | None = None
    format: str | None = None
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    formats: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    notify: tuple[str, ...] = ()
    origin: str | None = None

    def selected(self, rule: Rule) -> bool:
        """Whether ``rule`` takes part: ids, id prefixes, names and tags are accepted."""
        return (not self.select or _matches(rule, self.select)) and not _matches(rule, self.ignore)


def _matches(rule: Rule, patterns: Iterable[str]) -> bool:
    keys = (rule.id, rule.name, *rule.tags)
    return any(p in keys or (p.startswith("LD") and rule.id.startswith(p)) for p in patterns)


def load_settings(
    file: str | Path | None = None,
    *,
    start: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    **flags: Any,
) -> Settings:
    """Return the settings in force.

    Args:
        file: a settings file; without it the nearest ``logdoctor.toml`` or ``[tool.logdoctor]`` upwards of ``start``.
        start: directory to search from; the working directory when None.
        environ: environment to read ``LOGDOCTOR_*`` from; the process's own when None.
        **flags: values from the command line; None and empty ones are not given.

    Raises:
        SettingsError: the file cannot be read, or a key or a value is not known.
    """
    environ = os.environ if environ is None else environ
    file = file or environ.get(f"{ENVIRONMENT}SETTINGS") or None
    origin, table = _read_file(Path(file)) if file else _find_file(Path(start) if start else Path.cwd())
    settings = _from_table(table, origin or "settings")
    settings = replace(settings, origin=origin, **_from_environment(environ))
    given = {
        k: _checked(k, v, f"--{k.replace('_', '-')}") for k, v in flags.items() if v not in (None, (), [], {}, False)
    }
    if "names" in given:
        given["names"] = {**settings.names, **given["names"]}
    settings = replace(settings, **given)
    _check_patterns(settings)
    return settings


# ------------------------------------------------------------------------------------------------- files
def _find_file(start: Path) -> tuple[str | None, Mapping[str, Any]]:
    for directory in (start.resolve(), *start.resolve().parents):
        own = directory / "logdoctor.toml"
        if own.is_file():
            return _read_file(own)
        project = directory / "pyproject.toml"
        if project.is_file():
            origin, table = _read_file(project)
            if table:
                return origin, table
    return None, {}


def _read_file(path: Path) -> tuple[str, Mapping[str, Any]]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(f"settings file {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    if path.name == "pyproject.toml":
        data = data.get("tool", {}).get("logdoctor", {})
    return str(path), data


# ------------------------------------------------------------------------------------------------- keys and values
def _from_table(table: Mapping[str, Any], where: str) -> Settings:
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name == "rules":
            values["thresholds"] = _thresholds(value, where)
        elif name in _KINDS:
            values[name] = _checked(name, value, f"{key} in {where}")
        else:
            known = [k.replace("_", "-") for k in _KINDS] + ["rules"]
            raise SettingsError(f"unknown key {key!r} in {where}{near_miss(key, known)}")
    return Settings(**values)


def near_miss(wrong: str, known: Iterable[str]) -> str:
    """Return `` - did you mean 'x'?``, or the names to choose from when nothing is close."""
    known = list(known)
    close = difflib.get_close_matches(wrong, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(known)}" if len(known) <= 20 else ""


def _thresholds(table: Any, where: str) -> dict[str, dict[str, float]]:
    """Read ``[rules.<name>]`` tables; the rule's id is accepted for its name."""
    rules: dict[str, Rule] = records("logdoctor.rules", "RULE")
    by_name = {rule.name: rule for rule in rules.values()} | dict(rules)
    found: dict[str, dict[str, float]] = {}
    for name, values in _table(table, f"rules in {where}").items():
        if name not in by_name:
            raise SettingsError(f"unknown rule {name!r} in {where}{near_miss(name, by_name)}")
        rule = by_name[name]
        known = [item.name for item in rule.thresholds]
        for key, value in _table(values, f"rules.{name} in {where}").items():
            threshold = key.replace("-", "_")
            if threshold not in known:
                raise SettingsError(f"unknown threshold {key!r} of {name} in {where}{near_miss(threshold, known)}")
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise SettingsError(f"threshold {key} of {name} in {where} must be a number, not {value!r}")
            found.setdefault(rule.name, {})[threshold] = float(value)
    return found


def _table(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{what} must be a table, not {value!r}")
    return value


def _words(value: Any, what: str) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise SettingsError(f"{what} must be a list of names, not {value!r}")
    return tuple(word.strip() for item in items for word in item.split(",") if word.strip())


def _urls(value: Any, what: str) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if isinstance(items, Mapping) and set(items) == {"urls"}:
        items = items["urls"]
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise SettingsError(f"{what} must be a list of addresses")
    return tuple(items)


def _share(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise SettingsError(f"{what} must be a number from 0 to 1, not {value!r}") from None
    if isinstance(value, bool) or not 0 <= number <= 1:
        raise SettingsError(f"{what} must be a number from 0 to 1, not {value!r}")
    return number


def _gate(value: Any, what: str) -> str:
    if value not in FAIL_ON:
        raise SettingsError(f"{what} must be one of {', '.join(FAIL_ON)}, not {value!r}")
    return str(value)


def _flag(value: Any, what: str) -> bool:
    if isinstance(value, str) and value.lower() in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        return value.lower() in {"1", "true", "yes", "on"}
    if not isinstance(value, bool):
        raise SettingsError(f"{what} must be true or false, not {value!r}")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise SettingsError(f"{what} must be a name, not {value!r}")
    return value


def _named_tables(value: Any, what: str) -> dict[str, Mapping[str, object]]:
    return {name: _table(item, f"{what}: {name}") for name, item in _table(value, what).items()}


def _named_texts(value: Any, what: str) -> dict[str, str]:
    return {name: _text(item, f"{what}: {name}") for name, item in _table(value, what).items()}


_KINDS: Mapping[str, Callable[[Any, str], Any]] = {
    "select": _words,
    "ignore": _words,
    "fail_on": _gate,
    "minimum_coverage": _share,
    "allow_empty": _flag,
    "parser": _text,
    "format": _text,
    "formats": _named_tables,
    "names": _named_texts,
    "notify": _urls,
}
_PLAIN = ("select", "ignore", "fail_on", "minimum_coverage", "allow_empty", "parser", "format")


def _checked(name: str, value: Any, what: str) -> Any:
    return _KINDS[name](value, what)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _PLAIN:
        variable = f"{ENVIRONMENT}{name.upper()}"
        if environ.get(variable):
            found[name] = _checked(name, environ[variable], f"environment variable {variable}")
    if environ.get(f"{ENVIRONMENT}NOTIFY"):
        found["notify"] = tuple(environ[f"{ENVIRONMENT}NOTIFY"].split())
    return found


def _check_patterns(settings: Settings) -> None:
    """A pattern that names no rule is an error: with a typing mistake every check would silently be left out."""
    patterns = (*settings.select, *settings.ignore)
    if not patterns:
        return
    rules: list[Rule] = list(records("logdoctor.rules", "RULE").values())
    known = {word for rule in rules for word in (rule.id, rule.name, *rule.tags)}
    for pattern in patterns:
        if not any(_matches(rule, (pattern,)) for rule in rules):
            raise SettingsError(f"{pattern!r} names no rule, id prefix or tag{near_miss(pattern, sorted(known))}")


assert {f.name for f in fields(Settings)} == {*_KINDS, "thresholds", "origin"}
