"""Every claim of the five reports that a log can carry, made by the rules with its figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from logdoctor.engine import judge
from logdoctor.model import Finding, Phase
from logdoctor.phases import phases
from logdoctor.reader import read_log
from logdoctor.settings import Settings
from logdoctor.view import RunView, main_run, runs_of
from tests import seed_logs


@cache
def seen(build: Callable[[], str]) -> tuple[tuple[Finding, ...], tuple[Phase, ...]]:
    """Findings and phases of a log text, which must be read without a failing rule."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.log"
        path.write_text(build(), encoding="utf-8")
        run = read_log(path)
        view = main_run([RunView(run, segments=group) for group in runs_of(run)])
        findings, checks = judge(view, Settings())
    assert [c for c in checks if c.state == "failed"] == []
    return findings, phases(view, findings)


def said(findings: Iterable[Finding], rule: str) -> str:
    """Everything that a rule's findings say: sentence, analysis, evidence values and notes."""
    parts: list[str] = []
    for found in findings:
        if found.id == rule:
            parts += [found.summary, found.analysis, *(f"{e.value} {e.note}" for e in found.evidence)]
    return " | ".join(parts)


CLAIMS: list[tuple[str, Callable[[], str], str, tuple[str, ...]]] = [
    (
        "S0-3 and S0-4: DLoss up 167 %, CLoss down 24 %",
        seed_logs.zero_init_head,
        "LD211",
        ("0.00722", "0.01926", "+167 %", "0.01889", "0.01443", "-24 %"),
    ),
    (
        "S0-5 and S0-9: the twin agreement rises",
        seed_logs.zero_init_head,
        "LD211",
        ("60.4", "65.8", "+5.4 points", "+1.5 points"),
    ),
    (
        "S0-8: agreement stagnates above the random base",
        seed_logs.zero_init_head,
        "LD508",
        ("38.7", "40.2", "+1.5 points", "100/4 = 25 %"),
    ),
    (
        "S0-6 and S0-7: the first Q range is zero and widens slowly",
        seed_logs.zero_init_head,
        "LD412",
        ("[0, 0]", "[0, 1.4]", "[-0.2, 2.3]"),
    ),
    ("S1-1: Q explodes", seed_logs.q_divergence, "LD401", ("1,999.62", "15.95")),
    (
        "S1-2: Q collapses by 125 times",
        seed_logs.q_divergence,
        "LD402",
        ("[-1.55, 1,999.62]", "[-3.37, 15.95]", "125 times lower"),
    ),
    ("S1-3: the slope changes its sign", seed_logs.q_divergence, "LD605", ("+1.131", "-0.35", "negative from")),
    ("S1-4: loss down, performance down", seed_logs.q_divergence, "LD210", ("0.465", "0.36", "+1.131")),
    ("S1-6: reward noise", seed_logs.q_divergence, "LD606", ("-49.168", "50.312")),
    ("S0-1: GradNorm never recorded", seed_logs.zero_init_head, "LD101", ("exactly 0 in all",)),
    ("S1-5: gradient swings and clipping", seed_logs.q_divergence, "LD311", ("4.764", "8.787", "0.569", "43 %")),
    ("S1-12: expert ratio at its floor before the break", seed_logs.q_divergence, "LD513", ("to its floor of 5",)),
    (
        "S2-3: agreement collapses while the loss is flat",
        seed_logs.loss_explosion,
        "LD509",
        ("to 10", "Loss stayed between", "swings between 42 and 78"),
    ),
    (
        "S2-3: the greedy action switches from 2 to 3",
        seed_logs.loss_explosion,
        "LD507",
        ("up to 93.6 %", "to action 3"),
    ),
    ("S2-4: the loss explodes to 5193.607", seed_logs.loss_explosion, "LD201", ("5,193.607",)),
    ("S2-9: Q explodes to 5193.607", seed_logs.loss_explosion, "LD401", ("5,193.607",)),
    (
        "S3-1 and S3-2: features explode",
        seed_logs.feature_explosion,
        "LD406",
        ("7,363,360,194,560", "14,314,894,336", "325,102,632,960", "expected 10 to 100", "11 orders"),
    ),
    ("S3-3: actor loss in the trillions", seed_logs.feature_explosion, "LD411", ("10¹²",)),
    ("S3-4: critic loss unstable", seed_logs.feature_explosion, "LD407", ("7,500", "standard deviation")),
    ("S3-5: TD error flat at 9.7", seed_logs.feature_explosion, "LD408", ("9.7", "does not converge")),
    (
        "S3-10: zeros of a delayed update are benign",
        seed_logs.feature_explosion,
        "LD309",
        ("50 of 50 rows", "every 2 critic steps"),
    ),
    (
        "S4-1: no gradient with log-probabilities at zero",
        seed_logs.policy_collapse,
        "LD506",
        ("are 0 on average at step 600", "standard deviation 0", "gradient norm is 0"),
    ),
    ("S4-2: advantages are still there", seed_logs.policy_collapse, "LD506", ("-0.00536", "36.6 % positive")),
    ("S4-3: healthy contrast", seed_logs.policy_collapse, "LD506", ("for comparison", "gradient norm 6.770147")),
    ("S4-4: entropy falls to zero", seed_logs.policy_collapse, "LD501", ("deterministic",)),
]


@pytest.mark.parametrize(("build", "rule", "figures"), [c[1:] for c in CLAIMS], ids=[c[0] for c in CLAIMS])
def test_claim_is_made_with_its_figures(build: Callable[[], str], rule: str, figures: tuple[str, ...]) -> None:
    text = said(seen(build)[0], rule)
    assert text, f"{rule} did not fire"
    missing = [figure for figure in figures if figure not in text]
    assert not missing, f"{missing} not in: {text}"


@pytest.mark.parametrize(
    ("build", "rule", "step"),
    [
        (seed_logs.q_divergence, "LD402", 20_500_000),
        (seed_logs.policy_collapse, "LD506", 600),
        (seed_logs.loss_explosion, "LD509", 2900),
    ],
)
def test_onset_is_the_first_departure_that_stays(build: Callable[[], str], rule: str, step: float) -> None:
    onsets = [f.onset.step for f in seen(build)[0] if f.id == rule and f.onset]
    assert onsets == [step]


def test_phases_of_the_collapse() -> None:
    found = seen(seed_logs.loss_explosion)[1]
    assert [(p.name, p.first_step) for p in found] == [
        ("learning", 100),
        ("plateau", 1800),
        ("drift", 2900),
        ("collapse", 3400),
        ("explosion", 5100),
    ]
    assert "Agree" in found[0].summary or "agree" in found[0].summary
    assert "greedy action 2" in found[1].summary
    assert "greedy action 3" in found[3].summary
    assert "5,193.607" in found[4].summary


def test_every_evidence_value_stands_on_its_line() -> None:
    for build in {claim[1] for claim in CLAIMS}:
        lines = build().splitlines()
        for found in seen(build)[0]:
            for item in found.evidence:
                if isinstance(item.value, float) and not item.metric.endswith(("_share_2", "_share_3")):
                    printed = (
                        lines[item.line - 1].replace(",", " ").replace("[", " ").replace("]", " ").replace("%", " ")
                    )
                    numbers = {float(t) for t in printed.replace("=", " ").replace("|", " ").split() if _number(t)}
                    joined = {
                        float(t) for t in lines[item.line - 1].replace(",", "").replace("%", "").split() if _number(t)
                    }
                    assert item.value in numbers | joined, (found.id, item, lines[item.line - 1])


def _number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True
