"""The verdicts on the labelled runs: what the project promises, measured on every run of the tests that have them.

Each log is judged alone, with its sidecar configuration where it has one. The counting is that of the benchmark: an
alarm is a verdict of warning or critical; runs whose fault did no harm count for neither rate; the onset of a diagnosis
is that of its most severe finding that has one, the earliest of them.
"""

from __future__ import annotations

import json
import statistics

import pytest

from logdoctor.engine import diagnose
from logdoctor.model import severity_rank
from tests.shared import SHARED, needs_shared

HOME = SHARED / "benchmark"
pytestmark = [pytest.mark.shared, pytest.mark.slow, needs_shared]


def kind(label):
    if label["outcome"] == "failed":
        return "failed"
    return "healthy" if label["fault"] == "none" else "unhurt"


@pytest.fixture(scope="module")
def judged():
    labels = [json.loads(line) for line in (HOME / "runs.jsonl").read_text(encoding="utf-8").splitlines() if line]
    found = []
    for label in labels:
        config = HOME / label["config"] if label["config"] else None
        found.append((label, diagnose(HOME / label["file"], hyperparameters=config)))
    return found


def alarms(judged, wanted, verdicts=("warning", "critical")):
    inside = [(label, d) for label, d in judged if kind(label) == wanted]
    hit = [label["id"] for label, d in inside if d.verdict in verdicts]
    return len(hit) / len(inside), hit, [label["id"] for label, d in inside if d.verdict not in verdicts]


def test_balanced_accuracy(judged):
    recall, _, missed = alarms(judged, "failed")
    false, wrong, _ = alarms(judged, "healthy")
    assert (recall + 1 - false) / 2 >= 0.93, f"missed {missed}, accused {wrong}"


def test_healthy_runs_are_left_in_peace(judged):
    false, wrong, _ = alarms(judged, "healthy")
    assert false <= 0.04, wrong
    critical, lost, _ = alarms(judged, "healthy", ("critical",))
    assert critical <= 0.01, lost


def test_every_log_was_read_and_judged(judged):
    assert all(d.reading.coverage >= 0.95 for _, d in judged)
    assert not [label["id"] for label, d in judged if d.verdict == "inconclusive"]
    assert not [(label["id"], c.name, c.why) for label, d in judged for c in d.checks if c.state == "failed"]


def test_onsets_are_near_the_truth(judged):
    errors = []
    for label, d in judged:
        if kind(label) != "failed" or d.verdict not in ("warning", "critical") or label["onset_step"] is None:
            continue
        places = [
            (-severity_rank(f.severity), f.onset.step) for f in d.findings if f.onset and f.onset.step is not None
        ]
        if places:
            errors.append(abs(min(places)[1] - label["onset_step"]) / (label["last_step"] - label["first_step"]))
    assert len(errors) >= 25
    assert statistics.median(errors) <= 0.05
