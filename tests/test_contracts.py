"""What every rule, cause, parser and renderer has to keep to; a new one gets these tests by being there."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from logdoctor import manual
from logdoctor.engine import diagnose, judge, render
from logdoctor.model import Clock, Diagnosis, Reading, RunLog, Segment, Series, SourceInfo
from logdoctor.reader import read_log
from logdoctor.registry import records
from logdoctor.renderers._record import RenderOptions
from logdoctor.rules._record import Limits
from logdoctor.settings import Settings
from logdoctor.view import RunView
from tests.hand_made import hostile, sick, unclear, well

RULES = records("logdoctor.rules", "RULE")
CAUSES = records("logdoctor.causes", "CAUSE")
PARSERS = records("logdoctor.parsers", "PARSER")
RENDERERS = records("logdoctor.renderers", "RENDERER")
HEADINGS = ("What it finds", "Why it matters", "How it decides", "When it is wrong", "What to do", "References")
by_id = {"argvalues": list(RULES.values()), "ids": list(RULES)}


# --------------------------------------------------------------------------------------------------------- rules
@pytest.mark.parametrize("rule", **by_id)
def test_the_page_of_a_rule_is_complete(rule):
    text = manual.docstring(rule)
    places = [text.find(heading + ":") for heading in HEADINGS]
    assert -1 not in places, [h for h, place in zip(HEADINGS, places, strict=True) if place < 0]
    assert places == sorted(places)
    for heading, start, end in zip(HEADINGS, places, [*places[1:], len(text)], strict=True):
        assert len(text[start + len(heading) + 1 : end].strip()) >= 10, heading
    page = manual.rule_page(rule)
    assert all(f"## {heading}" in page for heading in HEADINGS)


@pytest.mark.parametrize("rule", **by_id)
def test_the_record_of_a_rule(rule):
    assert re.fullmatch(r"LD\d{3}", rule.id)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.severity in ("critical", "warning", "info")
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.min_points >= 1
    assert any(example.fires for example in rule.examples), "no example on which it must fire"
    assert any(not example.fires for example in rule.examples), "no example on which it must not"


@pytest.mark.parametrize("rule", **by_id)
def test_a_threshold_says_why(rule):
    names = [threshold.name for threshold in rule.thresholds]
    assert len(names) == len(set(names))
    for threshold in rule.thresholds:
        assert threshold.name.isidentifier()
        assert math.isfinite(threshold.value)
        assert threshold.unit, threshold.name
        assert len(threshold.why) >= 15, threshold.name
        assert threshold.reference or rule.references or "References:" in manual.docstring(rule), threshold.name


def test_names_of_rules_are_unique():
    names = [rule.name for rule in RULES.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("rule", "example"),
    [(rule, example) for rule in RULES.values() for example in rule.examples],
    ids=[f"{rule.id}-{example.title}" for rule in RULES.values() for example in rule.examples],
)
def test_the_examples_of_a_rule(rule, example, tmp_path):
    log = tmp_path / "example.log"
    log.write_text(example.log(), encoding="utf-8")
    siblings = [tmp_path / f"sibling{i}.log" for i in range(len(example.siblings))]
    for path, text in zip(siblings, example.siblings, strict=True):
        path.write_text(text(), encoding="utf-8")
    diagnosis = diagnose(
        log, example.hyperparameters or None, baseline=siblings or None, settings=Settings(select=(rule.id,))
    )
    check = next(check for check in diagnosis.checks if check.id == rule.id)
    assert check.state != "failed", check.why
    fired = bool([finding for finding in diagnosis.findings if finding.id == rule.id])
    assert fired == example.fires, f"{check.state} {check.why}"


# ------------------------------------------------------------------------------- rules on runs that make no sense
def names_of(rule):
    wanted = [name for group in rule.needs for name in group]
    return list(dict.fromkeys([*wanted, "loss", "reward", "grad_norm"]))


def series(name, values, step=None):
    values = np.asarray(values, dtype=np.float64)
    n = values.size
    return Series(
        name=name, raw_name=name, value=values, line=np.arange(1, n + 1, dtype=np.int64),
        step=np.arange(n, dtype=np.float64) * 100 if step is None else np.asarray(step, dtype=np.float64),
        segment=np.zeros(n, dtype=np.int64), judged=np.ones(n, dtype=np.bool_), count=n,
        nonfinite=int((~np.isfinite(values)).sum()),
    )  # fmt: skip


def run_of(metrics):
    rows = max((len(s) for s in metrics.values()), default=0)
    segment = Segment(index=0, first_line=1, last_line=max(rows, 1), first_step=0.0, last_step=100.0 * rows, rows=rows)
    reading = Reading(
        format="columns", rows=rows, metric_lines=rows, unread_lines=0, coverage=1.0, segments=(segment,),
        clocks=(Clock(name="step", unit="steps", primary=True),),
    )  # fmt: skip
    return RunLog(source=SourceInfo(path="made.log", lines=rows), reading=reading, series=metrics)


def noise(seed=0):
    return np.random.default_rng(seed)


STRANGE = {
    "one point": lambda i: [1.0],
    "two points": lambda i: [1.0, 2.0],
    "constant": lambda i: np.full(60, 3.0),
    "zero": lambda i: np.zeros(60),
    "all NaN": lambda i: np.full(60, np.nan),
    "all infinite": lambda i: np.full(60, np.inf),
    "NaN but one": lambda i: np.where(np.arange(60) == 7, 1.0, np.nan),
    "huge": lambda i: np.linspace(1e300, 1.7e308, 60) * (-1) ** i,
    "tiny": lambda i: np.linspace(1e-320, 1e-300, 60),
    "negative": lambda i: -np.abs(noise(i).standard_normal(60)) * 100,
    "alternating": lambda i: np.where(np.arange(60) % 2, 1e6, -1e6),
    "shuffled": lambda i: noise(i).permutation(np.linspace(0, 100, 200)),
    "heavy tails": lambda i: noise(i).standard_cauchy(200),
    "truncated": lambda i: np.exp(-np.linspace(0, 5, 40))[: 3 + i],
    "explosion": lambda i: np.concatenate([np.full(50, 0.1 * (i + 1)), np.geomspace(1, 1e30, 10), [np.inf, np.nan]]),
}


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("rule", **by_id)
@pytest.mark.filterwarnings("ignore")
def test_a_rule_survives_strange_runs(rule, kind):
    metrics = {name: series(name, STRANGE[kind](i)) for i, name in enumerate(names_of(rule))}
    view = RunView(run_of(metrics))
    with np.errstate(all="ignore"):
        findings = list(rule.detect(view, Limits(rule.thresholds)))
    last = view.run.source.lines
    for finding in findings:
        assert finding.id == rule.id
        assert 0 <= finding.confidence <= 1
        assert finding.summary
        assert finding.onset is None or 1 <= finding.onset.line <= last
        assert all(1 <= item.line <= last for item in finding.evidence)
        assert set(finding.metrics) <= set(metrics)


@pytest.mark.parametrize("backwards", [False, True])
def test_all_rules_survive_steps_without_sense(backwards):
    n = 80
    step = np.linspace(1000, 0, n) if backwards else np.full(n, np.nan)
    names = list(dict.fromkeys(name for rule in RULES.values() for name in names_of(rule)))
    metrics = {name: series(name, noise(i).standard_normal(n), step) for i, name in enumerate(names)}
    _, checks = judge(RunView(run_of(metrics)), Settings())
    assert not [check for check in checks if check.state == "failed"]


def healthy(i, n=300):
    return np.exp(-np.linspace(0, 4, n)) + 0.5 + 0.02 * noise(i).standard_normal(n)


@pytest.mark.parametrize(
    "rule", [r for r in RULES.values() if not r.benign], ids=[r.id for r in RULES.values() if not r.benign]
)
def test_a_rule_leaves_a_plain_healthy_run_alone(rule):
    t = np.linspace(0, 1, 300)
    metrics = {
        "loss": series("loss", healthy(1)),
        "val_loss": series("val_loss", healthy(2) + 0.05),
        "accuracy": series("accuracy", 1 - 0.8 * np.exp(-5 * t) - 0.02 * np.abs(noise(3).standard_normal(300))),
        "grad_norm": series("grad_norm", 1 + 0.2 * noise(4).standard_normal(300)),
        "learning_rate": series("learning_rate", 1e-3 * (0.5 + 0.5 * np.cos(np.pi * t)) + 1e-6),
        "steps_per_second": series("steps_per_second", 100 + noise(5).standard_normal(300)),
    }
    view = RunView(run_of(metrics))
    if any(all(view.get(name) is None for name in group) for group in rule.needs):
        pytest.skip("needs other metrics")
    found = list(rule.detect(view, Limits(rule.thresholds)))
    assert not [f.summary for f in found if f.severity != "info" and not f.benign]


# -------------------------------------------------------------------------------------------------------- causes
@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
def test_the_record_of_a_cause(cause):
    names = {rule.name for rule in RULES.values()}
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", cause.id)
    assert cause.title
    assert math.isfinite(cause.prior)
    assert cause.symptoms, "nothing points to it"
    assert not set(cause.symptoms) - names, "it names rules that do not exist"
    assert not set(cause.leads_to) - names - set(CAUSES), "it leads to what does not exist"
    assert cause.would_settle, "nothing would settle it"
    assert manual.cause_page(cause).startswith(f"# {cause.id}")


# ------------------------------------------------------------------------------------------------------- parsers
@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
def test_a_parser_reads_its_own_sample(parser, tmp_path):
    assert parser.expect
    log = tmp_path / "sample.log"
    log.write_text(parser.sample, encoding="utf-8")
    run = read_log(log)
    for name, value in parser.expect.items():
        assert name in run.series, (name, list(run.series))
        assert run.series[name].value[-1] == pytest.approx(value), name
    assert parser.id in manual.format_page(parser)


# ----------------------------------------------------------------------------------------------------- renderers
RUNS = {"sick": sick, "well": well, "unclear": unclear, "hostile": hostile}
TEXT = [name for name in RENDERERS if name != "json"]


@pytest.mark.parametrize("name", RENDERERS)
@pytest.mark.parametrize("run", RUNS)
def test_a_renderer_is_deterministic_and_takes_none_one_or_many(name, run):
    many = [RUNS[run](), well()]
    assert render(many, name) == render([RUNS[run](), well()], name)
    assert isinstance(render([], name), str)
    assert render(RUNS[run](), name).endswith("\n")


@pytest.mark.parametrize("name", RENDERERS)
@pytest.mark.parametrize(
    "options", [RenderOptions(), RenderOptions(verbose=2, color=True, width=40), RenderOptions(quiet=True)]
)
def test_hostile_text_stays_text(name, options):
    text = render([hostile(), sick()], name, options)
    own = re.sub(r"\x1b\[[\d;]*m", "", text) if options.color and name == "terminal" else text
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", own), "control characters"
    if name != "github":
        assert not re.search(r"^\s*(::|##\[)", own, re.MULTILINE), "a workflow command"
    if name == "html":
        assert "<b>z</b>" not in text
        assert not re.search(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", text), "a remote load"
    if name == "markdown":
        outside = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
        outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
        assert "<b>" not in outside
        assert not re.search(r"(?<![\w\\])@someone", outside)
        assert not re.search(r"http://evil", outside)


@pytest.mark.parametrize("run", RUNS)
def test_json_is_lossless_and_strict(run):
    def refuse(token):
        raise AssertionError(f"{token} is no JSON")

    text = render(RUNS[run](), "json")
    data = json.loads(text, parse_constant=refuse)
    assert render(Diagnosis.from_dict(data), "json") == text


def test_several_diagnoses_are_json_lines():
    lines = render([sick(), well(), hostile()], "json").splitlines()
    assert [json.loads(line)["schema"] for line in lines] == ["logdoctor.diagnosis/1"] * 3


@pytest.mark.parametrize("name", RENDERERS)
def test_a_renderer_takes_what_json_kept(name):
    saved = Diagnosis.from_dict(json.loads(render(sick(), "json")))
    assert render(saved, name) == render(sick(), name)


@pytest.mark.parametrize("name", TEXT)
def test_nothing_found_is_not_called_healthy_when_nothing_was_judged(name):
    empty = replace(unclear(), judgeable=False)
    assert "looks healthy" not in render(empty, name).lower()
