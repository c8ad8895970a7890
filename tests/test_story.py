"""The story: what belongs together, what came first, what to do, what it cost, and the sentence that says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from logdoctor.model import Cause, Change, Check, Clock, Diagnosis, Event, Evidence, Finding, Place, Severity
from logdoctor.reader import read_log
from logdoctor.registry import records
from logdoctor.story import tell
from logdoctor.telling.headlines import clause
from logdoctor.telling.incidents import FOLLOWS, IMPACT, group, linked
from logdoctor.telling.stretches import Stretches
from logdoctor.view import RunView

ROWS = 100
BREAK = 60  # row of the break; its line is two further on: the heading, and rows count from 0


def line(row: int) -> int:
    return row + 2


def make(
    name: str, row: int | None, severity: Severity = "critical", metric: str = "loss", summary: str = "", rule: str = ""
) -> Finding:
    place = None if row is None else Place(line=line(row), step=1000.0 * (row + 1))
    shown = (Evidence(line=place.line, step=place.step, metric=metric, value=1.5),) if place else ()
    return Finding(
        id=rule or f"LD{sum(map(ord, name)) % 900 + 100}",
        name=name,
        severity=severity,
        confidence=0.9,
        metrics=(metric,),
        title=name.replace("-", " ").capitalize(),
        onset=place,
        evidence=shown,
        summary=summary or f"{metric} went wrong at step {1000 * ((row or 0) + 1):,} (line {line(row or 0)}).",
    )


@pytest.fixture
def view(tmp_path: Path) -> Callable[..., RunView]:
    """A run of 100 rows: the return rises to 100 and falls at row 60, the loss stays flat and rises there."""

    def build(recovers: bool = False, events: tuple[Event, ...] = ()) -> RunView:
        rng = np.random.default_rng(3)
        value = np.minimum(100.0, 5 + 2.2 * np.arange(ROWS)) + rng.normal(0, 1, ROWS)
        loss = 0.03 + rng.normal(0, 0.001, ROWS)
        loss[BREAK:] = 5.0
        value[BREAK:] = 101.0 if recovers else 8.0 + rng.normal(0, 1, ROWS - BREAK)
        rows = [f"{1000 * (i + 1)},{value[i]:.3f},{loss[i]:.5f},1000" for i in range(ROWS)]
        path = tmp_path / "run.csv"
        path.write_text("\n".join(["step,episode_return,loss,steps_per_second", *rows]) + "\n", encoding="utf-8")
        run = read_log(path)
        reading = replace(run.reading, clocks=(Clock(name="step", unit="env steps", primary=True),))
        return RunView(replace(run, events=events, reading=reading))

    return build


def told(
    view: RunView, *findings: Finding, causes: tuple[Cause, ...] = (), checks: tuple[Check, ...] = ()
) -> Diagnosis:
    worst = {f.severity for f in findings if not f.benign}
    verdict = "critical" if "critical" in worst else "warning" if "warning" in worst else "healthy"
    bare = Diagnosis(
        source=view.run.source,
        reading=view.run.reading,
        verdict=verdict,
        headline="",
        findings=findings,
        causes=causes,
        checks=checks,
        performance="episode_return",
    )
    return tell(view, bare)


# ----------------------------------------------------------------------------------------------------------- incidents
def test_what_follows_stands_under_what_broke_first() -> None:
    loss, dead = make("loss-explosion", 60), make("gradient-dead", 70, metric="grad_norm")
    fall = make("performance-collapse", 65, metric="episode_return")
    incidents = group([dead, fall, loss], (), (1, 100))
    assert [f.name for f in incidents[0].findings] == ["loss-explosion", "performance-collapse", "gradient-dead"]
    ordered = linked([dead, fall, loss], incidents)
    assert ordered[0].explained_by == ()
    assert all(f.explained_by[0] == loss.id for f in ordered[1:])


def test_what_came_before_does_not_follow() -> None:
    incidents = group([make("loss-explosion", 60), make("gradient-dead", 20, metric="grad_norm")], (), (1, 100))
    assert len(incidents) == 2


def test_unrelated_events_stay_apart_and_the_graver_comes_first() -> None:
    slow, loss = make("loader-stall", 5, "warning", "step_time"), make("loss-explosion", 60)
    assert [i.root.name for i in group([slow, loss], (), (1, 100))] == ["loss-explosion", "loader-stall"]


def test_one_cause_joins_what_it_explains_in_the_order_of_onsets() -> None:
    drift, loss = make("entropy-collapse", 40, metric="entropy"), make("loss-explosion", 60)
    cause = Cause(id="gradient-clipping-missing", rank=1, confidence=0.8, explains=(drift.id, loss.id))
    assert len(group([drift, loss], (), (1, 100))) == 2
    joined = group([drift, loss], (cause,), (1, 100))
    assert [f.name for f in joined[0].findings] == ["entropy-collapse", "loss-explosion"]
    assert joined[0].main.name == "loss-explosion"


def test_a_fall_of_performance_explains_no_mechanism() -> None:
    fall = make("performance-collapse", 20, metric="episode_return")
    features = make("feature-norm-explosion", 30, metric="feature_l2_norm")
    cause = Cause(id="x", rank=1, confidence=0.8, explains=(fall.id, features.id))
    assert group([fall, features], (cause,), (1, 100))[0].root.name == "feature-norm-explosion"


def test_grouping_does_not_depend_on_the_order_given() -> None:
    found = [
        make(n, r)
        for n, r in (("loss-explosion", 60), ("gradient-dead", 70), ("q-collapse", 75), ("performance-collapse", 61))
    ]
    first = group(found, (), (1, 100))
    assert group(found[::-1], (), (1, 100)) == first


def test_the_tables_name_rules_that_exist() -> None:
    known = {rule.name for rule in records("logdoctor.rules", "RULE").values()}
    named = set(FOLLOWS) | set(IMPACT) | {name for names in FOLLOWS.values() for name in names}
    assert sorted(named - known) == []


# -------------------------------------------------------------------------------------------------------------- telling
def test_chain_is_in_the_order_of_lines_with_the_value_at_the_onset(view: Callable[..., RunView]) -> None:
    diagnosis = told(view(), make("gradient-dead", 70), make("loss-explosion", BREAK))
    assert [link.place.line for link in diagnosis.story.chain] == [line(BREAK), line(70)]
    assert "(loss 1.5)" in diagnosis.story.chain[0].text


def test_a_setting_raised_shortly_before_is_where_it_began(view: Callable[..., RunView]) -> None:
    events = tuple(
        Event(line=line(row), step=1000.0 * row, kind="hyperparameter-change", name="learning_rate", value=value)
        for row, value in ((10, 0.0002), (55, 0.00025), (56, 0.0003))
    )
    diagnosis = told(view(events=events), make("loss-explosion", BREAK))
    first = diagnosis.story.chain[0]
    assert first.place.line == line(56)
    assert first.text == "the learning rate was raised from 0.0002 to 0.0003 in 2 steps"
    assert "after the learning rate was raised from 0.0002 to 0.0003" in diagnosis.headline
    assert any("until then loss had kept to 0.0" in text for text in diagnosis.story.why_now)


def test_a_setting_lowered_before_is_no_beginning(view: Callable[..., RunView]) -> None:
    events = (
        Event(line=line(10), step=1e4, kind="hyperparameter-change", name="learning_rate", value=0.0003),
        Event(line=line(56), step=5.6e4, kind="hyperparameter-change", name="learning_rate", value=0.0001),
    )
    assert told(view(events=events), make("loss-explosion", BREAK)).story.chain[0].place.line == line(BREAK)


def test_decision_restarts_before_the_break_and_counts_what_was_lost(view: Callable[..., RunView]) -> None:
    story = told(view(), make("loss-explosion", BREAK)).story
    assert story.decision.startswith("stop, and restart from the last checkpoint before")
    assert story.restart_from == Place(line=line(BREAK - 1), step=1000.0 * BREAK)
    assert story.go is False
    assert story.wasted_steps == 1000.0 * (ROWS - BREAK - 1)
    assert story.wasted_hours == pytest.approx(39_000 / 1000 / 3600)


def test_a_checkpoint_that_the_log_names_is_the_one_to_restart_from(view: Callable[..., RunView]) -> None:
    saved = Event(line=line(50), step=51_000.0, kind="checkpoint")
    later = Event(line=line(80), step=81_000.0, kind="checkpoint")
    story = told(view(events=(saved, later)), make("loss-explosion", BREAK)).story
    assert story.restart_from == Place(line=line(50), step=51_000.0)


def test_a_fault_from_the_start_needs_fresh_weights(view: Callable[..., RunView]) -> None:
    story = told(view(), make("never-learned", None, metric="episode_return")).story
    assert "fresh weights" in story.decision
    assert story.restart_from is None


def test_a_change_of_the_network_needs_fresh_weights(view: Callable[..., RunView]) -> None:
    found = make("feature-norm-explosion", BREAK)
    cause = Cause(id="feature-normalisation-missing", rank=1, confidence=0.9, explains=(found.id,))
    story = told(view(), found, causes=(cause,)).story
    assert "fresh weights" in story.decision
    assert "alters the network" in story.decision_why


def test_a_run_that_came_back_goes_on_and_has_lost_nothing(view: Callable[..., RunView]) -> None:
    found = make("gradient-explosion", BREAK, metric="grad_norm")
    story = told(view(recovers=True), found).story
    assert story.decision.startswith("continue")
    assert story.wasted_steps is None


def test_logging_faults_do_not_stop_a_run(view: Callable[..., RunView]) -> None:
    story = told(view(recovers=True), make("metric-never-recorded", None, "warning", "grad_norm")).story
    assert story.decision.startswith("continue")
    assert story.wasted_steps is None


def test_expectations_come_from_the_stretch_that_was_well(view: Callable[..., RunView]) -> None:
    story = told(view(), make("loss-explosion", BREAK)).story
    lines = [text for _, texts in story.expectations for text in texts]
    assert any(text.startswith("loss between 0.02") or text.startswith("loss between 0.03") for text in lines)
    assert any(text.startswith("episode_return at least") for text in lines)


def test_watch_list_has_both_signs_with_numbers_and_actions(view: Callable[..., RunView]) -> None:
    watch = told(view(), make("loss-explosion", BREAK)).watch
    recovery = next(w for w in watch if w.metric == "episode_return" and w.sign == "recovery")
    failure = next(w for w in watch if w.metric == "episode_return" and w.sign == "failure")
    assert recovery.condition == ">="
    assert 95 <= float(recovery.value or 0) <= 105
    assert failure.condition == "<"
    assert recovery.otherwise
    assert failure.otherwise
    assert recovery.within_steps


def test_a_healthy_run_says_what_rose_and_goes_on(view: Callable[..., RunView]) -> None:
    rising = view(recovers=True)
    rising = RunView(replace(rising.run, series={k: s.where(s.line < 50) for k, s in rising.run.series.items()}))
    diagnosis = told(rising)
    assert diagnosis.headline.startswith("Nothing is wrong: episode_return rose from ")
    assert diagnosis.story.decision == "continue"
    assert diagnosis.story.go is True
    assert diagnosis.story.go_why == "episode_return is still improving"
    assert diagnosis.healthy[0].metric == "episode_return"
    assert diagnosis.story.limits == ()


def test_a_level_run_is_not_cheered_on(view: Callable[..., RunView]) -> None:
    story = told(view(recovers=True)).story
    assert story.go is None
    assert "levelled off" in story.decision_why


def test_no_metric_of_an_alarm_is_called_healthy(view: Callable[..., RunView]) -> None:
    diagnosis = told(view(), make("loss-explosion", BREAK))
    assert {item.metric for item in diagnosis.healthy} <= {"steps_per_second"}


def test_a_benign_finding_explains_and_does_not_alarm(view: Callable[..., RunView]) -> None:
    calm = replace(
        make("delayed-update-zeros", None, "info", "actor_grad_norm", "Zeros come with the delay."), benign=True
    )
    diagnosis = told(view(recovers=True), calm)
    assert diagnosis.healthy[0].benign
    assert diagnosis.healthy[0].why == "Zeros come with the delay."
    assert diagnosis.headline.startswith("Nothing is wrong")


def test_inconclusive_says_why(view: Callable[..., RunView]) -> None:
    seen = view()
    short = RunView(replace(seen.run, series={k: s.where(s.line < 6) for k, s in seen.run.series.items()}))
    bare = Diagnosis(source=seen.run.source, reading=seen.run.reading, verdict="inconclusive", headline="")
    diagnosis = tell(short, bare)
    assert (
        diagnosis.headline
        == "No judgement: episode_return has 4 values; at least 10 are needed to tell a trend from noise."
    )
    assert diagnosis.story.decision == ""
    assert diagnosis.watch == ()


def test_checks_that_did_not_apply_are_grouped_and_failures_are_told(view: Callable[..., RunView]) -> None:
    checks = (
        Check(id="LD101", name="metric-never-recorded", state="not-applicable", why="no grad_norm in this log"),
        Check(id="LD301", name="gradient-explosion", state="not-applicable", why="no grad_norm in this log"),
        Check(id="LD901", name="loss-scale-falls", state="not-applicable", why="no loss_scale in this log"),
        Check(id="LD801", name="throughput-degradation", state="failed", why="ValueError: x"),
    )
    story = told(view(recovers=True), checks=checks).story
    assert story.not_checked == (
        "No grad_norm in this log: 2 checks that need them were not made.",
        "LD801 throughput-degradation failed with an error of its own: ValueError: x.",
    )


# ------------------------------------------------------------------------------------------------------------- headline
@pytest.mark.parametrize(
    ("summary", "wanted"),
    [
        (
            "Agree% fell from a level of 89.5 (best at frame 211,200 (line 160)) to 10 at frame 422,400 (line 316), "
            "below the random base 100/4 = 25 %; the fall begins at frame 278,400 (line 209).",
            "Agree% fell from a level of 89.5 to 10 at frame 422.4k, below the random base 100/4 = 25 %",
        ),
        ("L2 Norm is 7 at step 5,000, expected 10 to 100.", "L2 Norm is 7 at step 5,000, expected 10 to 100"),
        (
            "val_loss is lowest at epoch 15 (about 0.63) and rises.",
            "val_loss is lowest at epoch 15 (about 0.63) and rises",
        ),
        (
            "Loss rose to 1.5 at step 12,000 (line 3), 4 times its level.",
            "Loss rose to 1.5 at step 12k, 4 times its level",
        ),
        (
            "loss fell from 494 to 470, turned at step 1,200 (line 12) and ends at 3,073.6: all of it is lost.",
            "loss fell from 494 to 470, turned at step 1,200 and ends at 3,073.6: all of it is lost",
        ),
        ("It rose at step 9 (line 3), and ends at 3,073.6, far off.", "It rose at step 9, far off"),
    ],
)
def test_clause_keeps_figures_and_drops_asides(summary: str, wanted: str) -> None:
    assert clause(summary) == wanted


def test_headline_is_one_sentence_with_a_place(view: Callable[..., RunView]) -> None:
    found = make("loss-explosion", BREAK, summary="Loss rose to 5, 167 times its level; it stays there.")
    assert told(view(), found).headline == "Loss rose to 5, 167 times its level, from step 61k on; it stays there."


# ------------------------------------------------------------------------------------------------------------ stretches
def test_band_uses_only_what_lies_before_the_break(view: Callable[..., RunView]) -> None:
    low, high = Stretches(view(), line(BREAK)).band("loss") or (0, 0)
    assert 0.025 < low < high < 0.035


def test_no_band_when_the_run_was_never_well(view: Callable[..., RunView]) -> None:
    parts = Stretches(view(), line(2))
    assert not parts.broke_late
    assert parts.band("loss") is None


def test_a_run_that_never_learned_is_never_called_recovered(view: Callable[..., RunView]) -> None:
    story = told(view(recovers=True), make("updates-stopped", BREAK)).story
    assert story.decision.startswith("stop")
    assert story.decision_why == "no update is made any more"
    assert story.wasted_steps


def test_a_warning_with_a_sure_cause_is_worth_a_new_run(view: Callable[..., RunView]) -> None:
    found = make("loss-plateau", 20, "warning")
    change = Change(parameter="learning_rate", from_=0.1, to=0.001, why="w")
    sure = Cause(id="learning-rate-too-high", rank=1, confidence=0.9, explains=(found.id,), changes=(change,))
    assert told(view(recovers=True), found, causes=(sure,)).story.decision.startswith("finish this run only if")
    vague = replace(sure, confidence=0.3)
    assert told(view(recovers=True), found, causes=(vague,)).story.decision.startswith("continue")


def test_noisy_labels_are_looked_at_first(view: Callable[..., RunView]) -> None:
    found = make("validation-below-training", None, "warning")
    cause = Cause(id="label-noise", rank=1, confidence=0.9, explains=(found.id,))
    assert "labels" in told(view(recovers=True), found, causes=(cause,)).story.decision


def test_nothing_gained_without_a_clear_cause_is_no_reason_to_throw_a_run_away(view: Callable[..., RunView]) -> None:
    story = told(view(), make("loss-not-learning", None, "warning")).story
    assert story.decision == "pause, and find out first"
    assert "at the start and is" in story.decision_why
