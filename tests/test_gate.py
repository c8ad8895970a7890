"""Exit codes, known findings and fingerprints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from logdoctor.fingerprints import candidates, stamp
from logdoctor.gate import failing, mark_known, rule, worst
from logdoctor.model import Diagnosis, Finding, Place, Reading, SourceInfo
from logdoctor.settings import Settings


def finding(severity="critical", step=1000.0, line=10, metric="loss", rule="LD201", **more):
    return Finding(
        id=rule, name="loss-explosion", severity=severity, confidence=0.9, summary=f"{severity} at {line}",
        metrics=(metric,), onset=Place(line=line, step=step), **more,
    )  # fmt: skip


def diagnosis(*findings, verdict="critical", judgeable=True, read=100, unread=0):
    reading = Reading(
        format="columns", rows=read, metric_lines=read, unread_lines=unread,
        coverage=read / (read + unread) if read + unread else 0.0,
    )  # fmt: skip
    return Diagnosis(
        source=SourceInfo(path="a.log"), reading=reading, verdict=verdict, headline="", findings=stamp(findings),
        judgeable=judgeable,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("findings", "settings", "code"),
    [
        ([], {}, 0),
        (["info"], {"fail_on": "warning"}, 0),
        (["warning"], {}, 0),
        (["warning"], {"fail_on": "warning"}, 1),
        (["critical"], {}, 1),
        (["critical"], {"fail_on": "never"}, 0),
    ],
)
def test_fail_on(findings, settings, code):
    assert rule(diagnosis(*map(finding, findings)), Settings(**settings)).code == code


def test_benign_findings_never_fail():
    assert not failing(diagnosis(finding(benign=True)), "warning")


def test_nothing_judged_is_3_and_says_why():
    ruling = rule(diagnosis(judgeable=False, verdict="inconclusive"), Settings())
    assert ruling.code == 3
    assert "3 values" in ruling.why
    assert rule(diagnosis(judgeable=False, verdict="inconclusive"), Settings(allow_empty=True)).code == 0


def test_poor_coverage_is_3_with_its_figures():
    ruling = rule(diagnosis(verdict="healthy", read=10, unread=90), Settings())
    assert ruling.code == 3
    assert "10 of 100" in ruling.why
    assert rule(diagnosis(verdict="healthy", read=10, unread=90), Settings(minimum_coverage=0.05)).code == 0


def test_a_failing_finding_wins_over_poor_coverage_even_with_allow_empty():
    bad = diagnosis(finding(), read=10, unread=90)
    assert rule(bad, Settings(allow_empty=True)).code == 1


def test_inconclusive_with_rows_is_0():
    assert rule(diagnosis(verdict="inconclusive"), Settings()).code == 0


@pytest.mark.parametrize(
    ("codes", "code"), [([], 0), ([0, 0], 0), ([0, 3], 3), ([0, 3, 1], 1), ([1, 2, 3], 2), ([3, 0, 2], 2)]
)
def test_several_logs_end_with_the_worst_code(codes, code):
    assert worst(codes) == code


def test_known_findings_are_shown_and_do_not_fail():
    known = mark_known(diagnosis(finding(line=11, step=1010.0)), [diagnosis(finding())])
    assert known.findings[0].known
    assert rule(known, Settings()).code == 0


def test_another_metric_or_another_place_is_new():
    earlier = [diagnosis(finding())]
    assert not mark_known(diagnosis(finding(metric="critic_loss")), earlier).findings[0].known
    assert not mark_known(diagnosis(finding(step=900_000.0)), earlier).findings[0].known
    assert not mark_known(diagnosis(finding(rule="LD202")), earlier).findings[0].known


def test_a_finding_that_got_worse_is_new():
    assert not mark_known(diagnosis(finding("critical")), [diagnosis(finding("warning"))]).findings[0].known
    assert mark_known(diagnosis(finding("warning")), [diagnosis(finding("critical"))]).findings[0].known


def test_fingerprints_do_not_depend_on_line_value_or_words():
    one, two = stamp([finding(line=5)])[0], stamp([replace(finding(line=900), summary="other")])[0]
    assert one.fingerprint == two.fingerprint


def test_duplicates_are_counted():
    prints = [f.fingerprint for f in stamp([finding(), finding(line=11), finding(line=12)])]
    assert len(set(prints)) == 3
    assert prints == [f.fingerprint for f in stamp([finding(), finding(line=11), finding(line=12)])]


def test_a_place_on_a_border_is_still_recognised():
    below, above = finding(step=999.0), finding(step=1001.0)
    assert stamp([below])[0].fingerprint != stamp([above])[0].fingerprint
    assert stamp([below])[0].fingerprint in candidates(stamp([above])[0])
