"""SARIF, JUnit, GitHub and GitLab: the official schemas, the hosts' limits, and what a hostile log may not do."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import xmlschema

from logdoctor.engine import render
from logdoctor.fingerprints import stamp
from logdoctor.model import Cause, Change, Diagnosis, Finding, Place, Setting
from logdoctor.renderers import github
from logdoctor.renderers._escape_ci import csv_cell, github_message, github_property, unlinked, uri, xml_text
from logdoctor.renderers._record import RenderOptions
from tests.hand_made import NASTY, hostile, sick, unclear, well

SCHEMAS = Path(__file__).parent / "schemas"
RUNS = {"sick": sick, "well": well, "unclear": unclear, "hostile": hostile}
FAILED = RenderOptions(extra={"failures": (("gone\x07.log", f"cannot be read: {NASTY}"),)})


@pytest.fixture(scope="module")
def sarif_schema():
    return jsonschema.Draft4Validator(json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def junit_schema():
    return xmlschema.XMLSchema(str(SCHEMAS / "JUnit.xsd"))


def many(count: int, severity: str = "critical") -> Diagnosis:
    findings = [
        Finding(
            id="LD201", name="loss-explosion", severity=severity, confidence=0.9, summary=f"finding {i}",
            metrics=("loss",), onset=Place(line=i + 1, step=100.0),
        )
        for i in range(count)
    ]  # fmt: skip
    return replace(sick(), findings=stamp(findings))


# ------------------------------------------------------------------------------------------------------- SARIF
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("options", [RenderOptions(), FAILED, RenderOptions(config_path="configs/a b.yaml")])
def test_sarif_follows_the_schema(name, options, sarif_schema):
    log = json.loads(render([RUNS[name](), well()], "sarif", options))
    sarif_schema.validate(log)
    assert len(log["runs"]) == 1


def test_sarif_carries_the_rule_page_and_a_fingerprint():
    log = json.loads(render(sick(), "sarif"))
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]["logdoctor/v1"]
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
    assert run["tool"]["driver"]["version"]


def test_sarif_stands_at_the_configuration_where_the_cause_wants_a_change():
    diagnosis = replace(
        many(1),
        hyperparameters=(Setting(name="learning_rate", raw_name="lr", value=0.1, line=7, source="conf.yaml"),),
        causes=(
            Cause(
                id="learning-rate-too-high", rank=1, confidence=0.9, explains=("LD201",),
                changes=(Change(parameter="learning_rate", from_=0.1, to=0.01, why="it diverges"),),
            ),
        ),
    )  # fmt: skip
    result = json.loads(render(diagnosis, "sarif", RenderOptions(config_path="conf.yaml")))["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "conf.yaml"
    assert place["region"]["startLine"] == 7
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri(diagnosis.source.path)


def test_sarif_suppresses_what_is_known(sarif_schema):
    known = replace(sick(), findings=tuple(replace(f, known=True) for f in sick().findings))
    log = json.loads(render(known, "sarif"))
    sarif_schema.validate(log)
    assert all(result["suppressions"][0]["kind"] == "external" for result in log["runs"][0]["results"])


def test_sarif_is_never_an_empty_green_file(sarif_schema):
    log = json.loads(render([], "sarif", FAILED))
    sarif_schema.validate(log)
    invocation = log["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["level"] == "error"
    unjudged = json.loads(render(replace(well(), judgeable=False), "sarif"))["runs"][0]["invocations"][0]
    assert unjudged["executionSuccessful"] is False


def test_sarif_shows_at_most_what_hosts_take():
    assert len(json.loads(render(many(5200), "sarif"))["runs"][0]["results"]) == 5000


# ------------------------------------------------------------------------------------------------------- JUnit
@pytest.mark.parametrize("name", RUNS)
def test_junit_follows_the_schema(name, junit_schema):
    text = render([RUNS[name](), well()], "junit", FAILED)
    junit_schema.validate(ET.ElementTree(ET.fromstring(text.split("\n", 1)[1])))


def test_junit_cases_are_unique_and_fail_with_the_gate():
    root = ET.fromstring(render(sick(), "junit").split("\n", 1)[1])
    cases = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(cases) == len(set(cases))
    assert root.findall(".//failure")
    lenient = ET.fromstring(render(sick(), "junit", RenderOptions(fail_on="never")).split("\n", 1)[1])
    assert not lenient.findall(".//failure")


def test_junit_reports_a_log_that_nobody_could_read_as_an_error():
    root = ET.fromstring(render([], "junit", FAILED).split("\n", 1)[1])
    assert root.find("testsuite").get("errors") == "1"
    unjudged = ET.fromstring(render(replace(well(), judgeable=False), "junit").split("\n", 1)[1])
    assert unjudged.find("testsuite").get("errors") == "1"


# ------------------------------------------------------------------------------------------------------ GitHub
def test_github_says_how_many_more_there_are():
    lines = render(many(25), "github").splitlines()
    assert len(lines) == github.ANNOTATIONS
    assert "16 more" in lines[-1]


def test_github_commands_are_whole_lines():
    for run in RUNS.values():
        for line in render(run(), "github", FAILED).splitlines():
            assert re.match(r"::(error|warning|notice) (file=[^,:]*,line=\d+,)?title=[^,:]*::", line), line


def test_github_one_incident_is_one_annotation():
    first, second = many(2).findings
    second = replace(second, id="LD301", name="gradient-explosion", explained_by=("LD201",))
    run = replace(sick(), findings=(first, second), judgeable=True)
    lines = render(run, "github").splitlines()
    assert len(lines) == 1
    assert "What followed: gradient-explosion." in lines[0]
    milder = replace(run, findings=(replace(first, severity="warning"), second))
    assert len(render(milder, "github").splitlines()) == 2
    known = replace(run, findings=(replace(first, known=True), second))
    assert "::error" in render(known, "github")


def test_github_known_findings_do_not_raise_errors():
    diagnosis = many(1)
    known = replace(diagnosis, findings=tuple(replace(f, known=True) for f in diagnosis.findings))
    assert "::error" in render(diagnosis, "github")
    assert "::error" not in render(known, "github")


def test_step_summary_stays_within_its_budget():
    def markdown(diagnoses, options):
        return "".join("x" * (5_000 if options.quiet else 60_000) + "\n" for _ in diagnoses)

    runs = [sick() for _ in range(20)]
    assert github.summary(runs[:3], RenderOptions(), markdown) == markdown(runs[:3], RenderOptions())
    fitting = github.summary(runs, RenderOptions(), markdown)
    assert fitting.count("xxx\n") == 20
    assert "The details were left out" in fitting
    short = github.summary(runs, RenderOptions(), markdown, budget=60_000)
    assert len(short.encode()) <= 60_000
    assert "left out" in short


# ------------------------------------------------------------------------------------------------------ GitLab
def test_gitlab_has_the_fields_that_the_host_wants():
    for run in RUNS.values():
        issues = json.loads(render([run(), run()], "gitlab", FAILED))
        assert len({issue["fingerprint"] for issue in issues}) == len(issues)
        for issue in issues:
            assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
            assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
            assert issue["location"]["lines"]["begin"] >= 1
            assert not issue["location"]["path"].startswith(("/", "./"))


def test_gitlab_repeats_the_rule_in_the_description():
    issue = json.loads(render(many(1), "gitlab"))[0]
    assert issue["description"].startswith("LD201: ")


# --------------------------------------------------------------------------------------------------- escaping
def test_unlinked_leaves_nothing_that_a_host_turns_into_more_than_text():
    text = unlinked(NASTY + "\n##[error]x [a](b) <c>")
    assert not re.search(r"://\S|\]\(|[<>`\x00-\x1f\u202e]|(?<!\w)@\w|##\[", text)
    assert "someone" in text


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "100%", "a%0Ab"])
def test_github_data_is_one_line_and_reversible(text):
    escaped = github_message(text)
    assert "\n" not in escaped
    assert "\r" not in escaped
    assert escaped.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%") == text


def test_github_properties_escape_their_separators():
    assert github_property("a,b:c\nd") == "a%2Cb%3Ac d"


def test_xml_text_drops_what_xml_cannot_hold():
    text = xml_text("a\x00b\x0bc\ufffe\ud800d\re")
    ET.fromstring(f"<a>{text}</a>")
    assert text.replace("\ufffd", "") == "abcd\ne"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "=cmd|' /C calc'!A0"])
def test_csv_cells_are_no_formulas(cell):
    assert csv_cell(cell) == "'" + cell


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("runs/a.log", "runs/a.log"),
        ("./runs/a b.log", "runs/a%20b.log"),
        ("/tmp/x.log", "file:///tmp/x.log"),
        ("C:\\x\\y.log", "file:///C:/x/y.log"),
        ("runs\\y.log", "runs/y.log"),
        ("-", "stdin"),
        ("a%b#c?.log", "a%25b%23c%3F.log"),
    ],
)
def test_uri(path, wanted):
    assert uri(path) == wanted
