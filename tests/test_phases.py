"""Phases: names, borders and gaps on runs made from arrays."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from logdoctor.engine import judge
from logdoctor.phases import phases
from logdoctor.settings import Settings
from tests.runs import learns, noise, series_of, view_of
from tests.test_rules_gradients import N, lost, norm


def told(*series):
    view = view_of(*series)
    return phases(view, judge(view, Settings())[0])


def test_a_healthy_run_learns_and_then_stands_on_its_plateau():
    ret = np.concatenate([learns(60), np.full(60, 100.0) + noise(60, 2.0)])
    found = told(series_of("episode_return", ret), series_of("loss", np.geomspace(2, 0.1, N)))
    assert [p.name for p in found] == ["learning", "plateau"]
    assert 40 <= found[1].first_line <= 56


def test_phases_leave_no_gap_and_cover_the_run():
    agreement = np.concatenate(
        [np.linspace(25, 88, 50), np.linspace(88, 70, 20), np.linspace(60, 10, 10), np.full(40, 11.0)]
    )
    g = norm()
    g[80:] = 0.001
    found = told(series_of("agreement", agreement), series_of("grad_norm", g), series_of("episode_return", lost()))
    assert [p.name for p in found] == ["learning", "drift", "collapse", "dead"]
    assert (found[0].first_line, found[-1].last_line) == (1, N)
    assert [(b.first_line - a.last_line) for a, b in pairwise(found)] == [1, 1, 1]
    assert (found[2].first_line, found[3].first_line) == pytest.approx((70, 81), abs=3)


def test_an_explosion_after_a_collapse_is_a_phase_of_its_own():
    agreement = np.concatenate([np.linspace(25, 88, 60), np.linspace(80, 10, 20), np.full(40, 12.0)]) + noise(N, 0.2)
    loss = 0.1 + np.abs(noise(N, 0.003))
    loss[105:] = 5000.0
    found = told(series_of("agreement", agreement), series_of("loss", loss))
    names = [p.name for p in found]
    assert "collapse" in names[:-1]
    assert names[-1] == "explosion"
    assert found[-1].first_line == 106


def test_rows_before_the_first_update_are_the_start_up():
    ret = series_of("episode_return", learns())
    loss = series_of("loss", np.geomspace(2, 0.1, N - 20), line=np.arange(21, N + 1), step=np.arange(21, N + 1) * 100.0)
    found = told(ret, loss)
    assert (found[0].name, found[0].last_line, found[1].name) == ("start-up", 20, "learning")


def test_a_run_that_never_moves_stagnates():
    found = told(series_of("agreement", 40 + noise(N, 0.5)), series_of("episode_return", 20 + noise(N, 0.5)))
    assert [p.name for p in found] == ["stagnation"]


def test_a_collapsed_run_that_stays_down_ends_in_stagnation():
    ret = np.concatenate([learns(60), np.linspace(100, 8, 12), np.full(N - 72, 8.0)]) + noise(N, 1.0)
    found = told(series_of("episode_return", ret))
    assert [p.name for p in found][-2:] == ["collapse", "stagnation"]
    assert found[-1].last_line == N


def test_evidence_is_short_and_in_order():
    for phase in told(series_of("episode_return", lost()), series_of("loss", np.geomspace(2, 0.1, N))):
        lines = [e.line for e in phase.evidence]
        assert 1 <= len(lines) <= 3
        assert lines == sorted(lines)
        assert all(phase.first_line <= line <= phase.last_line for line in lines)


def test_too_short_for_phases():
    assert told(series_of("loss", [1.0, 0.9, 0.8])) == ()
