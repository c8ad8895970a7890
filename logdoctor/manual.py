"""The manual, made from the code: a page a rule, cause and format, and the tables that list them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from logdoctor.causes._record import CauseRecord
from logdoctor.documents._record import Document
from logdoctor.errors import UsageError
from logdoctor.parsers._record import Parser
from logdoctor.registry import records
from logdoctor.renderers._record import RulePage
from logdoctor.rules._record import Rule
from logdoctor.settings import near_miss

_BINDINGS = {"rules": "RULE", "causes": "CAUSE", "parsers": "PARSER"}
HEADINGS = (
    "What it finds", "Why it matters", "How it decides", "When it is wrong", "What to do", "References",
)  # fmt: skip


def rules() -> Mapping[str, Rule]:
    """Return every rule by id."""
    return records("logdoctor.rules", "RULE")


def causes() -> Mapping[str, CauseRecord]:
    """Return every cause by id."""
    return records("logdoctor.causes", "CAUSE")


def formats() -> Mapping[str, Parser | Document]:
    """Return every text structure and every machine format by id."""
    return {**records("logdoctor.parsers", "PARSER"), **records("logdoctor.documents", "DOCUMENT")}


@cache
def pages() -> Mapping[str, RulePage]:
    """Return the page of every rule, by id, for outputs that carry the manual with them."""
    found = {}
    for rule in rules().values():
        text = docstring(rule)
        found[rule.id] = RulePage(
            id=rule.id, name=rule.name, title=rule.title, severity=rule.severity, tags=rule.tags,
            summary=text.split("\n", 1)[0].strip() or rule.title, markdown=rule_page(rule),
        )  # fmt: skip
    return found


def docstring(record: Any) -> str:
    """Return the docstring of the module that binds ``record``; empty under ``python -OO``."""
    likely = str(getattr(record, "name", record.id)).replace("-", "_")
    modules = [sys.modules.get(f"logdoctor.{package}.{likely}") for package in _BINDINGS]
    for module in (*modules, *(m for name, m in list(sys.modules.items()) if name.startswith("logdoctor."))):
        if any(getattr(module, key, None) is record for key in _BINDINGS.values()):
            return inspect.cleandoc(getattr(module, "__doc__", None) or "")
    return ""


def explain(name: str) -> str:
    """Return the page of a rule (id or name), a cause, a format or an output, as Markdown.

    Raises:
        UsageError: nothing is called ``name``.
    """
    wanted = name.strip()
    by_rule = {key: rule for rule in rules().values() for key in (rule.id, rule.name)}
    rule = by_rule.get(wanted.upper()) or by_rule.get(wanted.lower())
    if rule is not None:
        return rule_page(rule)
    if wanted.lower() in causes():
        return cause_page(causes()[wanted.lower()])
    if wanted.lower() in formats():
        return format_page(formats()[wanted.lower()])
    known = [*by_rule, *causes(), *formats()]
    raise UsageError(f"nothing is called {name!r}{near_miss(wanted, known) or '; see rules, causes and formats'}")


def rule_page(rule: Rule) -> str:
    """Return the page of one rule: its docstring, what it needs, its thresholds and the settings that change them."""
    text = docstring(rule) or "(Python removed the text of this page: it runs with -OO.)"
    needs = [" or ".join(f"`{name}`" for name in group) for group in rule.needs]
    facts = [
        f"- severity: {rule.severity}{' (explains, never alarms)' if rule.benign else ''}",
        f"- needs: {', and '.join(needs) or 'any metric'}, at least {rule.min_points} values",
        *([f"- tags: {', '.join(rule.tags)}"] if rule.tags else []),
        f"- leave it out with `--ignore {rule.name}`",
    ]
    parts = [f"# {rule.id} {rule.name}", "", rule.title, "", *facts, "", _headed(text)]
    parts += ["", *_thresholds(rule)] if rule.thresholds else []
    if rule.references and "References" not in text:
        parts += ["", "## References", "", *(f"- {reference}" for reference in rule.references)]
    return "\n".join(parts).rstrip() + "\n"


def _headed(text: str) -> str:
    """Turn the fixed headings of a docstring (``What it finds: ...``) into Markdown headings."""
    out: list[str] = []
    for line in text.split("\n"):
        heading = next(
            (h for h in HEADINGS if line.startswith((f"{h}:", f"**{h}", f"## {h}")) or line.strip() == h), None
        )
        if heading is None:
            out.append(line)
            continue
        rest = line.split(heading, 1)[1].lstrip(":* ").strip()
        out += ["", f"## {heading}", "", *([rest] if rest else [])]
    return "\n".join(_squeezed(out)).strip()


def _squeezed(lines: Sequence[str]) -> list[str]:
    out: list[str] = []
    for line in lines:
        if line.strip() or (out and out[-1].strip()):
            out.append(line)
    return out


def _thresholds(rule: Rule) -> list[str]:
    lines = ["## Thresholds", "", "| name | value | unit | why | reference |", "|---|---|---|---|---|"]
    lines += [
        f"| `{t.name}` | {t.value:g} | {_cell(t.unit)} | {_cell(t.why)} | {_cell(t.reference)} |"
        for t in rule.thresholds
    ]
    first = rule.thresholds[0]
    example = ["", "```toml", f"[tool.logdoctor.rules.{rule.name}]", f"{first.name} = {first.value:g}", "```"]
    return [*lines, *example]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def cause_page(cause: CauseRecord) -> str:
    """Return the page of one cause: what points to it, what follows from it and what would settle it."""
    text = docstring(cause)
    probability = 1 / (1 + 2.718281828459045**-cause.prior)
    parts = [f"# {cause.id}", "", cause.title, ""]
    parts += [text, ""] if text else []
    parts += [f"- before any evidence: {probability:.1%}"]
    parts += [f"- seen in: {', '.join(cause.families)}"] if cause.families else []
    if cause.symptoms:
        parts += ["", "## What points to it", "", "| finding | weight (log-odds) |", "|---|---|"]
        parts += [f"| {name} | {weight:+g} |" for name, weight in sorted(cause.symptoms.items(), key=lambda i: -i[1])]
    for title, items in (
        ("What follows from it", cause.leads_to),
        ("What would settle it", cause.would_settle),
        ("References", cause.references),
    ):
        if items:
            parts += ["", f"## {title}", "", *(f"- {item}" for item in items)]
    return "\n".join(parts).rstrip() + "\n"


def format_page(parser: Parser | Document) -> str:
    """Return the page of one log format: the docstring of its module."""
    sample = getattr(parser, "sample", "")
    example = f"\n\n## Example\n\n```text\n{sample.strip(chr(10))}\n```" if sample else ""
    return f"# {parser.id}\n\n{parser.title}\n\n{parser.description or docstring(parser)}{example}".rstrip() + "\n"


def table(kind: str) -> list[dict[str, Any]]:
    """Return the list of ``rules``, ``causes`` or ``formats`` as plain records."""
    if kind == "rules":
        return [_rule_row(rule) for rule in rules().values()]
    if kind == "causes":
        return [{"id": c.id, "title": c.title, "symptoms": dict(c.symptoms)} for c in causes().values()]
    return [{"id": p.id, "title": p.title} for p in formats().values()]


def _rule_row(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity,
        "title": rule.title,
        "tags": list(rule.tags),
        "benign": rule.benign,
        "needs": [list(group) for group in rule.needs],
    }


def listing(kind: str) -> str:
    """Return :func:`table` as aligned text, one record a line."""
    rows = sorted(table(kind), key=lambda row: str(row["id"]))
    keys = [key for key in ("id", "severity", "name", "title") if any(row.get(key) for row in rows)]
    widths = [max((len(str(row.get(key, ""))) for row in rows), default=0) for key in keys]
    lines = [
        "  ".join(str(row.get(key, "")).ljust(width) for key, width in zip(keys, widths, strict=True)) for row in rows
    ]
    return "".join(line.rstrip() + "\n" for line in lines)
