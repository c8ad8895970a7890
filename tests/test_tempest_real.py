"""The real logs of the first reports' programs: the counted figures of the research note, found by the rules."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from logdoctor.engine import judge
from logdoctor.phases import phases
from logdoctor.reader import read_log
from logdoctor.settings import Settings
from logdoctor.view import RunView, main_run, runs_of
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared
FOLDER = SHARED / "real_logs" / "tempest"


@cache
def judged(name, line=None):
    """Return the view of a log's main run (or of the run that holds ``line``), its findings by name, and its phases."""
    run = read_log(FOLDER / name)
    views = [RunView(run, segments=group) for group in runs_of(run)]
    view = main_run(views)
    if line is not None:
        index = next(s.index for s in run.reading.segments if s.first_line <= line <= s.last_line)
        view = next(v for v in views if index in v.segments)
    findings, checks = judge(view, Settings())
    assert [check for check in checks if check.state == "failed"] == []
    return view, {finding.name: finding for finding in findings}, phases(view, findings)


def value(view, name, line):
    series = view.raw(name)
    return float(series.value[np.flatnonzero(series.line == line)[0]])


# ---------------------------------------------------------------------------------------------------- 2025-11-06
EXPLOSION = "log_2025-11-06_aa7c70d6.txt"


def test_the_loss_explosion_is_dated_to_its_first_row():
    view, found, _ = judged(EXPLOSION)
    loss = found["loss-explosion"]
    assert (loss.severity, loss.onset.line) == ("critical", 1297)
    assert any((e.line, e.value) == (1300, 11.324914) for e in loss.evidence)
    before = view.finite("loss")
    healthy = before.value[(before.line >= 909) & (before.line <= 1211)]
    assert 11.324914 / np.median(healthy) == pytest.approx(378.8, abs=0.1)


def test_the_learning_rate_was_raised_by_key_before_it():
    view, _, _ = judged(EXPLOSION)
    raised = [(e.line, e.value) for e in view.events("hyperparameter-change") if e.name == "learning_rate"]
    assert {(1212, 0.00025), (1215, 0.0003)} <= set(raised)


def test_the_gradient_exploded_and_died():
    _, found, _ = judged(EXPLOSION)
    peak, dead = found["gradient-explosion"], found["gradient-dead"]
    assert (peak.figures["peak"], peak.figures["peak_line"]) == (533.458, 1303)
    # The note counts the rows after line 1360: 1875 of 1876 below 0.01. The first of them is the onset.
    assert (dead.onset.line, dead.figures["rows_below"], dead.figures["rows_after"]) == (1361, 1875, 1876)


def test_the_policy_collapsed_with_it():
    view, found, _ = judged(EXPLOSION)
    agreement = found["agreement-collapse"]
    assert 1290 <= agreement.onset.line <= 1300
    assert (value(view, "agreement", 1025), value(view, "agreement", 1360)) == (83.4, 14.1)
    assert value(view, "dqn_reward_5m", 987) == 1798


def test_q_sat_on_its_clip_and_came_back_from_it():
    view, found, _ = judged(EXPLOSION)
    pinned = found["value-pinned-at-clip"]
    assert (pinned.figures["value"], pinned.figures["rows_pinned"], pinned.onset.line) == (-500.0, 1331, 64)
    assert (pinned.figures["rows"], pinned.figures["limit_line"]) == (3058, 33)
    # The note writes "from line 1411"; single rows are back from 1390 on, most of them from 1407.
    assert found["q-collapse"].onset.line == 1407
    low = view.finite("q_min")
    assert np.median(low.value[low.line > 1411]) == pytest.approx(-5.6, abs=0.3)


def test_its_phases_are_learning_drift_explosion_and_death():
    view, _, told = judged(EXPLOSION)
    assert [(p.name, p.first_line) for p in told] == [
        ("learning", 62),
        ("drift", 1216),
        ("explosion", 1297),
        ("dead", 1361),
    ]
    assert told[-1].last_line == int(view.raw("loss").line[-1])
    assert [p.last_line < q.first_line for p, q in pairwise(told)] == [True, True, True]
    assert "11.324914" in told[2].summary


# ---------------------------------------------------------------------------------------------------- healthy ones
@pytest.mark.parametrize("name", ["log_2025-11-16_00a522a2.txt", "log_2025-11-13_73d7725b.txt"])
def test_the_improving_runs_are_not_critical(name):
    _, found, told = judged(name)
    assert [f.name for f in found.values() if f.severity == "critical"] == []
    assert told[0].name == "learning"
    assert not {p.name for p in told} & {"collapse", "explosion", "dead", "stagnation", "decline"}


@pytest.mark.parametrize(
    "name", ["log_2025-11-16_00a522a2.txt", "log_2025-11-13_73d7725b.txt", "log_2025-11-12_32e266ba.txt"]
)
def test_the_limit_in_force_is_not_the_one_of_the_banner(name):
    _, found, _ = judged(name)
    figures = found["clip-limit-differs"].figures
    assert figures["measured_limit"] == pytest.approx(1.0, abs=0.001)
    assert figures["stated_limit"] == 10.0


def test_one_infinite_norm_is_a_remark():
    _, found, _ = judged("log_2025-11-16_00a522a2.txt")
    norm = found["gradient-not-finite"]
    assert (norm.severity, norm.onset.line, norm.figures["nonfinite_rows"]) == ("info", 558, 1)


def test_the_excursions_of_q_are_a_warning_and_no_collapse():
    view, found, _ = judged("log_2025-11-16_00a522a2.txt")
    q = found["value-scale-suspicious"]
    assert (q.severity, q.figures["extreme"], q.figures["extreme_line"]) == ("warning", -8808.3, 2676)
    assert not {"q-divergence", "q-collapse", "performance-collapse"} & set(found)
    agreement = view.finite("agreement")
    assert (agreement.value[0], agreement.value[-1]) == (41.9, 70.1)


# ---------------------------------------------------------------------------------------------------- other runs
def test_loss_falls_while_the_reward_falls():
    view, found, _ = judged("log_2025-11-12_32e266ba.txt")
    assert (value(view, "loss", 79), value(view, "loss", 92)) == (2.780634, 0.039413)
    assert (value(view, "dqn_reward", 82), value(view, "dqn_reward", 92)) == (1137, -738)
    assert "loss-falls-while-performance-falls" in found
    assert found["agreement-stagnates"].figures["peak"] == 34.4
    clip = found["value-pinned-at-clip"]
    assert [(e.line, e.value) for e in clip.evidence] == [(126, 500.0), (128, 500.0), (131, 500.0)]
    shrunk = found["q-collapse"]
    assert (shrunk.figures["largest"], shrunk.figures["largest_line"]) == (167.2, 80)


def test_the_clip_limit_of_the_older_log_is_measured_as_a_ratio():
    view, found, _ = judged("TrainingLog_2025-09-28_ef7e93cc.txt", 400)
    clip = found["clip-saturation"].figures
    assert clip["limit"] == pytest.approx(5.0, abs=0.001)
    # The note's 559 clipped rows are those of the whole file; 552 of them lie in lines 160 to 820.
    norm, delta = view.raw("grad_norm"), view.raw("clip_delta")
    inside = (delta.line >= 160) & (delta.line <= 820) & (delta.value < 1) & np.isin(delta.line, norm.line)
    assert int(inside.sum()) == 552
    assert clip["largest"] == 27.169
    assert "line 690" in found["clip-saturation"].summary
    assert "0.184" in found["clip-saturation"].summary


def test_raising_the_rate_on_a_plateau_broke_nothing():
    view, found, _ = judged("log_2025-10-21_d184e782.txt")
    assert len([e for e in view.events("hyperparameter-change") if e.name == "learning_rate"]) == 7
    assert [f.name for f in found.values() if f.severity == "critical"] == []


def test_a_run_without_training_has_no_phases_of_learning():
    _, found, told = judged("log_2025-10-28_9616ae4b.txt")
    assert "nothing-was-trained" in found
    assert "learning" not in {p.name for p in told}


def test_every_observed_figure_stands_on_its_line():
    for name in (EXPLOSION, "log_2025-11-16_00a522a2.txt", "log_2025-11-12_32e266ba.txt"):
        view, found, told = judged(name)
        own = [f for f in found.values() if f.id == "LD211" or f.id[:3] in ("LD3", "LD4") or "LD501" <= f.id <= "LD514"]
        cited = [e for f in own for e in f.evidence] + [e for p in told for e in p.evidence]
        texts = view.run.fetch(sorted({e.line for e in cited}))
        for item in cited:
            if not isinstance(item.value, float) or not np.isfinite(item.value):
                continue
            cells = texts[item.line].replace(",", "").replace("%", "")
            numbers = texts[item.line].replace("[", " ").replace("]", " ").replace(",", " ").split()
            printed = {_number(t) for t in [*cells.split(), *numbers]}
            assert item.value in printed, (item, texts[item.line])


def _number(token):
    try:
        return float(token.strip("%"))
    except ValueError:
        return None
