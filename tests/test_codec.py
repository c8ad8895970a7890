"""The JSON of a diagnosis is valid JSON always, and lossless."""

from __future__ import annotations

import json
import math

import pytest

from logdoctor.codec import diagnosis_from_dict
from logdoctor.errors import InputError
from logdoctor.model import (
    Cause,
    Change,
    Curve,
    Diagnosis,
    Evidence,
    Finding,
    Place,
    Reading,
    SourceInfo,
    Story,
    Watch,
)


def example() -> Diagnosis:
    evidence = (Evidence(line=7, step=17_700_000.0, metric="loss", value=math.nan, note="first NaN"),)
    finding = Finding(
        id="LD202", name="loss-not-finite", severity="critical", confidence=0.9, summary="NaN at line 7",
        onset=Place(line=7, step=17_700_000.0), figures={"peak": math.inf, "median": 0.03}, evidence=evidence,
    )  # fmt: skip
    change = Change(parameter="learning_rate", from_=0.003, to=0.001, why="it diverges")
    cause = Cause(id="learning-rate-too-high", rank=1, confidence=0.5, for_=("a",), changes=(change,))
    return Diagnosis(
        source=SourceInfo(path="a.log", bytes=3, lines=9, sha256="00"),
        reading=Reading(format="columns", rows=3, metric_lines=3, unread_lines=0, coverage=1.0),
        verdict="critical", headline="It broke.", findings=(finding,), causes=(cause,),
        watch=(Watch(metric="loss", condition="between", value=0.1, value2=0.2, within_steps=1e5, sign="recovery",
                     otherwise="stop"),),
        curves=(Curve(metric="loss", step=(1.0, 2.0), value=(0.5, -math.inf), line=(1, 2)),),
        story=Story(expectations=(("immediate", ("x", "y")),), go=False),
    )  # fmt: skip


def test_json_is_strict_and_lossless() -> None:
    data = example().to_dict()
    text = json.dumps(data, allow_nan=False)
    again = Diagnosis.from_dict(json.loads(text))
    assert again.to_dict() == data
    assert math.isnan(again.findings[0].evidence[0].value)  # type: ignore[arg-type]
    assert again.findings[0].figures["peak"] == math.inf
    assert again.curves[0].value == (0.5, -math.inf)
    assert again.causes[0].changes[0].from_ == 0.003
    assert again.story.expectations == (("immediate", ("x", "y")),)


def test_contract_keys_are_those_of_the_contract() -> None:
    data = example().to_dict()
    assert data["schema"] == "logdoctor.diagnosis/1"
    assert {"source", "reading", "hyperparameters", "events", "metrics", "verdict", "headline", "findings", "causes",
            "phases", "watch", "healthy", "checks"} <= set(data)  # fmt: skip
    assert data["findings"][0]["evidence"][0]["value"] is None
    assert data["findings"][0]["evidence"][0]["flag"] == "nan"
    assert data["causes"][0]["for"] == ["a"]
    assert data["causes"][0]["changes"][0]["from"] == 0.003
    assert data["findings"][0]["onset"]["step"] == 17_700_000


@pytest.mark.parametrize("damaged", [{}, {"schema": "other/1"}, [], "text", {"schema": "logdoctor.diagnosis/1"}])
def test_a_damaged_report_is_one_clear_error(damaged: object) -> None:
    with pytest.raises(InputError):
        diagnosis_from_dict(damaged)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "value"), [("source", "x"), ("findings", "x"), ("findings", [3]), ("curves", [{"metric": "a"}])]
)
def test_a_field_of_the_wrong_kind_is_one_clear_error(key: str, value: object) -> None:
    with pytest.raises(InputError):
        diagnosis_from_dict({**example().to_dict(), key: value})


def test_the_sign_of_zero_is_kept() -> None:
    from logdoctor.codec import encode

    assert [str(value) for value in encode((0.0, -0.0, 2.0))] == ["0", "-0.0", "2"]
