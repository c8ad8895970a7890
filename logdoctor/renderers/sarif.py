"""SARIF 2.1.0 for code scanning.

A host shows an alert only on lines that it knows, and training logs are seldom committed: with ``--config`` the
results stand at the configuration file and the log is a related location. A log that could not be read or judged is
a notification and ``executionSuccessful`` is false, so that an empty list is never mistaken for health.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from logdoctor.model import Diagnosis, Evidence
from logdoctor.renderers._ci import Anchor, Entry, config_anchor, entries, failures, log_anchor, message, unjudged
from logdoctor.renderers._escape_ci import line, unlinked, uri
from logdoctor.renderers._record import Renderer, RenderOptions, RulePage
from logdoctor.renderers.json_report import dump
from logdoctor.wording import number

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
RESULTS = 5000  # a host shows the 5,000 most severe and drops the rest
RELATED = 20
_LEVELS = {"critical": "error", "warning": "warning", "info": "note"}
_SECURITY_FREE_TAGS = 10  # a host shows ten tags


def render(diagnoses: Sequence[Diagnosis], options: RenderOptions) -> str:
    """Return one SARIF log with one run for all ``diagnoses``."""
    found = entries(diagnoses)[:RESULTS]
    pages: Mapping[str, RulePage] = options.extra.get("pages", {})
    ids = sorted({entry.finding.id for entry in found})
    index = {rule: position for position, rule in enumerate(ids)}
    run = {
        "tool": {"driver": _driver(found, ids, pages, options)},
        "invocations": [_invocation(diagnoses, options)],
        "artifacts": list({d.source.path: _artifact(d) for d in diagnoses}.values()),
        "columnKind": "unicodeCodePoints",
        "results": [_result(entry, index[entry.finding.id], options) for entry in found],
    }
    return dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _driver(
    found: Sequence[Entry], ids: Sequence[str], pages: Mapping[str, RulePage], options: RenderOptions
) -> dict[str, Any]:
    first = {entry.finding.id: entry for entry in reversed(found)}
    driver: dict[str, Any] = {
        "name": "logdoctor",
        "rules": [_rule(first[rule], pages.get(rule)) for rule in ids],
    }
    if options.extra.get("version"):
        driver["version"] = driver["semanticVersion"] = str(options.extra["version"])
    return driver


def _rule(entry: Entry, page: RulePage | None) -> dict[str, Any]:
    finding = entry.finding
    title = page.title if page else (finding.title or finding.name)
    rule: dict[str, Any] = {
        "id": finding.id,
        "name": _pascal(finding.name),
        "shortDescription": {"text": unlinked(title) or finding.id},
        "defaultConfiguration": {"level": _LEVELS[page.severity if page else finding.severity]},
        "properties": {"tags": list(page.tags if page else ())[:_SECURITY_FREE_TAGS]},
    }
    if page and page.markdown:
        rule["fullDescription"] = {"text": line(page.summary or page.title)}
        rule["help"] = {"text": page.markdown, "markdown": page.markdown}
    return rule


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-")) or "Finding"


def _result(entry: Entry, rule_index: int, options: RenderOptions) -> dict[str, Any]:
    finding = entry.finding
    log, config = log_anchor(entry), config_anchor(entry, options)
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": rule_index,
        "kind": "informational" if finding.benign else "fail",
        "level": "none" if finding.benign else _LEVELS[finding.severity],
        "message": {"text": message(entry) or finding.id},
        "locations": [{"physicalLocation": _physical(config or log)}],
        "partialFingerprints": {"logdoctor/v1": entry.identity},
        "properties": {"confidence": finding.confidence, "log": line(entry.diagnosis.source.path)},
    }
    related = _related(entry, log if config else None)
    if related:
        result["relatedLocations"] = related
    if finding.known:
        result["suppressions"] = [{"kind": "external", "justification": "known from an earlier report"}]
    return result


def _related(entry: Entry, log: Anchor | None) -> list[dict[str, Any]]:
    path = entry.diagnosis.source.path
    items = [(log, "the place in the log")] if log else []
    items += [(Anchor(path=path, line=max(1, e.line)), _evidence(e)) for e in entry.finding.evidence[:RELATED]]
    return [
        {"id": number, "physicalLocation": _physical(anchor), "message": {"text": text}}
        for number, (anchor, text) in enumerate(items)
    ]


def _evidence(evidence: Evidence) -> str:
    note = f" ({evidence.note})" if evidence.note else ""
    return unlinked(f"{evidence.metric} = {number(evidence.value)}{note}", 300)


def _physical(anchor: Anchor) -> dict[str, Any]:
    return {"artifactLocation": {"uri": uri(anchor.path)}, "region": {"startLine": anchor.line}}


def _artifact(diagnosis: Diagnosis) -> dict[str, Any]:
    source = diagnosis.source
    artifact: dict[str, Any] = {"location": {"uri": uri(source.path)}, "length": max(-1, source.bytes)}
    if source.sha256:
        artifact["hashes"] = {"sha-256": source.sha256}
    return artifact


def _invocation(diagnoses: Sequence[Diagnosis], options: RenderOptions) -> dict[str, Any]:
    lost, mute = failures(options), unjudged(diagnoses, options)
    notes = [_notification(path, reason, "error") for path, reason in (*lost, *mute)]
    for diagnosis in diagnoses:
        broken = [check for check in diagnosis.checks if check.state == "failed"]
        notes += [_notification(diagnosis.source.path, f"{c.id} failed: {c.why}", "warning") for c in broken]
    invocation: dict[str, Any] = {"executionSuccessful": not lost and not mute}
    if notes:
        invocation["toolExecutionNotifications"] = notes
    return invocation


def _notification(path: str, reason: str, level: str) -> dict[str, Any]:
    location = {"physicalLocation": {"artifactLocation": {"uri": uri(path)}}}
    return {"level": level, "message": {"text": unlinked(reason, 500) or "failed"}, "locations": [location]}


RENDERER = Renderer(
    id="sarif", title="SARIF 2.1.0 for code scanning", suffixes=(".sarif", ".sarif.json", ".json"), render=render
)
