"""What a report advises: where to restart, what to change together, what to watch, and what it does not advise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from logdoctor.model import Cause, Change, Evidence, Finding, Place, Series, Watch
from logdoctor.renderers import _sentences as sentences
from logdoctor.renderers._record import RenderOptions
from logdoctor.renderers._tables import evidence_rows
from logdoctor.renderers.markdown import render
from logdoctor.telling.headlines import clause
from logdoctor.telling.incidents import impact
from logdoctor.telling.outlook import gates
from logdoctor.telling.stretches import Stretches, left_trend
from logdoctor.view import RunView
from logdoctor.wording import action_name
from tests import hand_made
from tests.test_story import BREAK, line, make, told, view  # noqa: F401  (a fixture)


def series(values: np.ndarray) -> Series:
    index = np.arange(len(values))
    return Series(
        name="q_max", raw_name="Q", step=index * 10.0, value=values.astype(float), line=index + 1,
        segment=np.zeros(len(values), dtype=np.int64), judged=np.ones(len(values), dtype=bool),
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------- where it really began
def grown(start: int, factor: float = 1.08) -> Series:
    """A level with a slight slope, from ``start`` on growing by ``factor`` a row."""
    rng = np.random.default_rng(1)
    values = 300.0 + np.arange(60) + rng.normal(0, 4, 60)
    values[start:] = values[start] * factor ** np.arange(60 - start)
    return series(values)


def test_growth_before_the_onset_belongs_to_the_event() -> None:
    found = left_trend(grown(40), 50)
    assert 41 <= found <= 44  # line 41 is the first row of growth; the margin costs two or three rows


@pytest.mark.parametrize("start", [49, 55])
def test_a_sudden_onset_stays_where_it_is(start: int) -> None:
    assert left_trend(grown(start), 50) == 50


def test_a_steady_rise_is_a_trend_and_no_departure() -> None:
    assert left_trend(series(np.linspace(0, 100, 60)), 60) == 60


def test_too_few_rows_say_nothing() -> None:
    assert left_trend(series(np.arange(10) ** 3), 10) == 10


# ------------------------------------------------------------------------------------------------------- the next run
def test_gates_lead_past_the_place_where_it_broke(view: Callable[..., RunView]) -> None:  # noqa: F811
    diagnosis = told(view(), make("loss-explosion", BREAK))
    text = next(item for item in diagnosis.story.prognosis if "three gates" in item)
    assert "2,000 steps (nothing is NaN" in text
    assert "10k steps (past the place where this one broke" in text  # a fifth of the 60k steps that went well
    assert "39k steps (as far as this run went" in text


def test_no_gates_for_a_run_that_goes_on(view: Callable[..., RunView]) -> None:  # noqa: F811
    from logdoctor.telling.decisions import Decision

    assert list(gates(Stretches(view(), line(BREAK)), Decision(go=None))) == []


def test_watch_list_asks_once_for_each_direction_and_never_only_for_finite_numbers(
    view: Callable[..., RunView],  # noqa: F811
) -> None:
    diagnosis = told(view(), make("loss-explosion", BREAK))
    keys = [(item.metric, item.sign, item.condition.rstrip("=")) for item in diagnosis.watch]
    assert len(keys) == len(set(keys))
    assert ("loss", "failure", ">") in keys
    assert ("loss", "recovery", "finite") not in keys  # the limit says more


def test_a_cause_without_a_symptom_is_no_advice() -> None:
    base = hand_made.sick()
    suspect = Cause(
        id="discount-too-high", title="Discount too close to 1", rank=2, confidence=0.4, role="contributing",
        changes=(Change(parameter="gamma", from_=0.999, to=0.99, why="shorter horizon"),),
    )  # fmt: skip
    shown = replace(base, causes=(base.causes[0], suspect))
    assert [item.parameter for item in sentences.change_rows(shown)] == ["learning_rate"]
    assert "Discount" not in render([shown], RenderOptions())
    useful = replace(shown, causes=(base.causes[0], replace(suspect, explains=("LD304",))))
    assert [item.parameter for item in sentences.change_rows(useful)] == ["learning_rate", "gamma"]


def test_unsure_causes_are_changed_one_at_a_time() -> None:
    base = hand_made.sick()
    more = Change(parameter="tau", from_=0.05, to=0.005, why="slower targets")
    unsure = replace(base.causes[0], confidence=0.43, changes=(*base.causes[0].changes, more))
    note = sentences.changes_note(replace(base, causes=(unsure,)))
    assert "43 %" in note
    assert "first change alone" in note
    assert sentences.changes_note(replace(base, causes=(replace(unsure, confidence=0.9),))) == ""


def test_a_run_that_goes_on_with_an_unclear_cause_is_not_told_to_change() -> None:
    base = hand_made.sick()
    mild = replace(
        base, causes=(replace(base.causes[0], confidence=0.2),),
        story=replace(base.story, decision="continue, and look"),
    )  # fmt: skip
    assert sentences.changes_heading(mild) == "What to try if it stays like this"
    assert sentences.changes_heading(base) == "What to change"


@pytest.mark.parametrize(
    ("change", "action", "text"),
    [
        (Change(parameter="lr", from_=0.1, to=0.01, why=""), False, "lr 0.1 → 0.01"),
        (Change(parameter="learning_rate", from_=None, to="a third of the present value", why=""), False,
         "learning_rate: a third of the present value"),
        (Change(parameter="skip", from_=None, to="skip an update", why=""), True, "skip an update"),
        (Change(parameter="target", from_=None, to="compute it under no_grad", why=""), True,
         "target: compute it under no_grad"),
    ],
)  # fmt: skip
def test_an_action_is_told_apart_from_a_parameter(change: Change, action: bool, text: str) -> None:
    assert sentences.is_action(change) is action
    assert sentences.change_text(change) == text


def test_actions_stand_outside_of_the_table() -> None:
    base = hand_made.sick()
    skip = Change(parameter="skip", from_=None, to="skip a batch that is not finite", why="one batch and not the run")
    text = render([replace(base, causes=(replace(base.causes[0], changes=(skip,)),))], RenderOptions())
    assert "- **skip a batch that is not finite**: one batch and not the run" in text
    assert "| `skip` |" not in text


def test_an_action_that_most_signs_share_is_told_once() -> None:
    base = hand_made.sick()
    watch = tuple(
        Watch(metric=name, condition=">", value=1.0, within_steps=None, sign="failure", otherwise="Stop and clip at 1.")
        for name in ("loss", "grad_norm")
    )  # fmt: skip
    text = render([replace(base, watch=watch)], RenderOptions())
    assert text.count("top and clip at 1") == 1
    assert "If one of them shows: stop and clip at 1." in text


# ------------------------------------------------------------------------------------------------------------- words
def test_an_inconclusive_run_is_neither_praised_nor_cut_into_phases(view: Callable[..., RunView]) -> None:  # noqa: F811
    from logdoctor.story import tell

    healthy = told(view(recovers=True))
    assert any(item.metric == "episode_return" for item in healthy.healthy)
    open_ = tell(view(recovers=True), replace(healthy, verdict="inconclusive", healthy=(), phases=()))
    assert open_.phases == ()
    assert not any(item.metric == "episode_return" for item in open_.healthy)


def test_one_place_is_not_told_twice() -> None:
    summary = (
        "Loss exploded to 5 at frame 489,600 (line 365), 40 times its level of 0.1 before frame 489,600 (line 365)."
    )
    assert clause(summary) == "Loss exploded to 5 at frame 489.6k, 40 times its level of 0.1 before"


def test_a_number_of_trillions_is_repeated_as_a_power_of_ten() -> None:
    summary = "L2 is 7,363,360,194,560 (7.36 × 10¹²) at step 5,000 (line 866), expected 10 to 100 (line 3)."
    assert clause(summary) == "L2 is 7.36 × 10¹² at step 5,000, expected 10 to 100"


def test_two_places_stay_two() -> None:
    summary = (
        "Loss exploded to 11 at frame 50,731,928 (line 1300), 310 times its level before frame 50,595,696 (line 1297)."
    )
    assert clause(summary) == "Loss exploded to 11 at frame 50.7M, 310 times its level before frame 50.6M"


@pytest.mark.parametrize(("last", "wanted"), [(50, True), (70, False)])
def test_what_was_over_before_the_event_is_told_in_the_headline(
    view: Callable[..., RunView], last: int, wanted: bool,  # noqa: F811
) -> None:  # fmt: skip
    fall = make(
        "agreement-collapse", 40, metric="agreement", summary=f"Agree% fell from 90 to 10 at step 5,000 (line {last})."
    )
    diagnosis = told(view(), fall, make("loss-explosion", BREAK))
    assert ("earlier, Agree% fell from 90 to 10" in diagnosis.headline) is wanted


def test_share_of_an_action_has_a_readable_name() -> None:
    assert action_name("greedy_action_share_2") == "greedy action 2"
    assert action_name("share_2") == ""


def test_a_training_fault_names_the_event_before_one_of_logging_or_speed() -> None:
    assert impact(make("exploration-absent", 3)) < impact(make("metric-never-recorded", 1))
    assert impact(make("exploration-absent", 3)) < impact(make("throughput-degradation", 1))


def test_only_the_other_end_of_a_printed_range_is_repeated() -> None:
    base = hand_made.sick()
    note = "range [-5.06, 2,028.48], peak"
    finding = Finding(
        id="LD401", name="q-divergence", severity="critical", confidence=0.9, summary="", metrics=("q_max",),
        onset=Place(line=1, step=1.0),
        evidence=(Evidence(line=58, step=1.0, metric="q_max", value=2028.48, note=note),
                  Evidence(line=59, step=2.0, metric="q_max", value=7.0, note="range [1, 2], odd")),
    )  # fmt: skip
    rows = evidence_rows(base, finding)
    assert "min -5.06, peak" in rows[1]
    assert "range [1, 2], odd" in rows[2]
