"""JUnit XML: one suite a log, one case a rule. A log that nobody could read is an error, never an empty suite."""

from __future__ import annotations

import datetime
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from logdoctor.model import Check, Diagnosis, Finding
from logdoctor.renderers._ci import Entry, fails, failures, log_anchor, message, unjudged
from logdoctor.renderers._escape_ci import line, unlinked, xml_text
from logdoctor.renderers._record import Renderer, RenderOptions
from logdoctor.wording import number

CASE_CHARS = 20_000  # a host refuses files above 30 MB


def render(diagnoses: Sequence[Diagnosis], options: RenderOptions) -> str:
    """Return one document for all ``diagnoses`` and for the logs that could not be read."""
    root = ET.Element("testsuites")
    mute = dict(unjudged(diagnoses, options))
    for diagnosis in diagnoses:
        _suite(root, diagnosis, mute.get(diagnosis.source.path), options)
    for path, reason in failures(options):
        suite = _open_suite(root, path, None, {})
        _error(_case(suite, path, "log can be read"), reason, "not-read")
        _close_suite(suite, "", reason)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(root: ET.Element, diagnosis: Diagnosis, mute: str | None, options: RenderOptions) -> None:
    path = diagnosis.source.path
    facts = {
        "verdict": diagnosis.verdict,
        "format": diagnosis.reading.format,
        "rows": str(diagnosis.reading.rows),
        "coverage": f"{diagnosis.reading.coverage:.4f}",
    }
    suite = _open_suite(root, path, diagnosis.source.modified, facts)
    judged = _case(suite, path, "log can be judged")
    if mute:
        _error(judged, mute, "not-judged")
    by_rule: dict[str, list[Finding]] = {}
    for finding in diagnosis.findings:
        by_rule.setdefault(finding.id, []).append(finding)
    names = {check.id: check for check in diagnosis.checks}
    for rule in dict.fromkeys([*names, *by_rule]):
        _rule_case(suite, diagnosis, rule, names.get(rule), by_rule.get(rule, []), options)
    quiet = [f for f in diagnosis.findings if not fails(f, options)]
    _close_suite(suite, "\n".join([unlinked(diagnosis.headline), *(_text(diagnosis, f) for f in quiet)]), "")


def _rule_case(
    suite: ET.Element,
    diagnosis: Diagnosis,
    rule: str,
    check: Check | None,
    found: list[Finding],
    options: RenderOptions,
) -> None:
    name = found[0].name if found else (check.name if check else "")
    case = _case(suite, diagnosis.source.path, f"{rule} {name}".strip())
    bad = [finding for finding in found if fails(finding, options)]
    if bad:
        failure = ET.SubElement(
            case, "failure", message=_attribute(bad[0].summary or bad[0].name), type=bad[0].severity
        )
        failure.text = xml_text("\n\n".join(_text(diagnosis, f) for f in bad))[:CASE_CHARS]
    elif check is not None and check.state == "failed":
        _error(case, check.why, "rule-failed")
    elif check is not None and check.state == "not-applicable":
        ET.SubElement(case, "skipped", message=_attribute(check.why))


def _text(diagnosis: Diagnosis, finding: Finding) -> str:
    entry = Entry(diagnosis=diagnosis, finding=finding)
    mark = "known " if finding.known else "benign " if finding.benign else ""
    head = f"{finding.id} {finding.name} [{mark}{finding.severity}] {message(entry)}"
    rows = ["  " + line(f"line {e.line}: {e.metric} = {number(e.value)} {e.note}", 300) for e in finding.evidence[:20]]
    return "\n".join([head, *rows, "  " + line(f"at {log_anchor(entry).path}:{log_anchor(entry).line}")])


def _open_suite(root: ET.Element, path: str, modified: float | None, facts: dict[str, str]) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", name=_token(path), timestamp=_time(modified), hostname="localhost")
    suite.set("package", "logdoctor")
    suite.set("id", str(len(root) - 1))
    suite.set("time", "0")
    properties = ET.SubElement(suite, "properties")
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=_attribute(value))
    return suite


def _close_suite(suite: ET.Element, out: str, err: str) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    ET.SubElement(suite, "system-out").text = xml_text(out)[:CASE_CHARS]
    ET.SubElement(suite, "system-err").text = xml_text(err)[:CASE_CHARS]


def _case(suite: ET.Element, path: str, name: str) -> ET.Element:
    """Add a case; the class name is the log, since hosts drop a second case of the same class and name."""
    return ET.SubElement(suite, "testcase", name=_token(name), classname=_token(path), time="0")


def _error(case: ET.Element, reason: str, kind: str) -> None:
    ET.SubElement(case, "error", message=_attribute(reason), type=kind).text = xml_text(reason)


def _token(text: str) -> str:
    return line(text) or "-"


def _attribute(text: str) -> str:
    return line(text, 1000)


def _time(modified: float | None) -> str:
    """When the log was last written; the output must not depend on when it is rendered."""
    moment = datetime.datetime.fromtimestamp(modified or 0, tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


RENDERER = Renderer(id="junit", title="JUnit XML", suffixes=(".xml", ".junit.xml"), render=render)
