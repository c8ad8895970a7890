"""Every claim of the five seed reports that a log can carry stands in the report, whichever way the log was filled in."""

# ruff: noqa: E501 - a claim stands on one line

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from logdoctor import diagnose, render
from tests import reconstructions as made

Lines = list[str]
LOGS: dict[str, tuple[Callable[[], Lines], str, str]] = {
    "head, quoted rows": (lambda: made.lame_head(None, False), made.CONF0, ".yaml"),
    "head, 60 rows": (lambda: made.lame_head(60, True), "", ""),
    "head, 400 rows": (lambda: made.lame_head(400, False), made.CONF0, ".yaml"),
    "values, quoted rows": (lambda: made.diverging_values(None, "late"), made.CONF1, ".py"),
    "values, 60 rows": (lambda: made.diverging_values(60, "expert"), made.CONF1Y, ".yaml"),
    "values, 60 late rows": (lambda: made.diverging_values(60, "late", 17), made.CONF1, ".py"),
    "values, 400 rows": (lambda: made.diverging_values(400, "expert", 16), made.CONF1, ".py"),
    "loss, quoted rows": (lambda: made.exploding_loss(None, True, True), "", ""),
    "loss, 60 rows": (lambda: made.exploding_loss(60, True, True), "", ""),
    "loss, 400 rows": (lambda: made.exploding_loss(400, True, False), "", ""),
    "features, quoted rows": (lambda: made.exploding_features(None, "seed"), made.CONF3, ".yaml"),
    "features, 60 rows": (lambda: made.exploding_features(60, "seed"), made.CONF3, ".yaml"),
    "features, 400 rows": (lambda: made.exploding_features(400, "debug"), "", ""),
    "policy, quoted rows": (lambda: made.dead_policy(None, True), made.CONF4, ".py"),
    "policy, 60 rows": (lambda: made.dead_policy(60, False), made.CONF4, ".py"),
    "policy, 400 rows": (lambda: made.dead_policy(400, True), "", ""),
}

# claim of the catalogue, logs that carry it (a common beginning of their names, or the full name), what must be said
CLAIMS: list[tuple[str, str, tuple[str, ...]]] = [
    ("S0-1 never recorded", "head", ("GradNorm is exactly 0 in all",)),
    ("S0-2 bands of the gradient", "head", ("GradNorm between 0.1 and 10", "raise the learning rate", "clip harder")),
    ("S0-3 DLoss rises", "head", ("0.01926", "DLoss rose from")),
    ("S0-3 in percent", "head, quoted rows", ("0.00722", "+167 %", "+118 %", "-24 %", "0.01889", "0.01443")),
    ("S0-4 CLoss falls", "head", ("CLoss fell from", "0.01443")),
    ("S0-5 one head only", "head", ("it is specific to the head behind DLoss",)),
    ("S0-6 starts at zero", "head", ("[0, 0]", "Zero-initialised output layer", "uniform(-0.003, 0.003)")),
    ("S0-7 range widens slowly", "head", ("[-0.2, 2.3]",)),
    ("S0-7 from the first range", "head, quoted rows", ("[0, 1.4]",)),
    ("S0-8 agreement", "head", ("40.2", "100/4 = 25 %", "above random")),
    ("S0-9 the twin rises", "head", ("SpinAgr%", "65.8")),
    ("S0-9 in points", "head, quoted rows", ("+5.4 points", "+1.5 points", "45.1")),
    ("S0-10 weight of the loss", "head", ("check the weight of this loss (now 10.0)",)),
    ("S0-11 range is healthy", "head, 60 rows", ("bounded: never above 2.5", "no run-away growth")),
    ("S0-12 weight is healthy", "head", ("already gives DLoss a strong signal",)),
    ("S0-13 speed is healthy", "head, 60 rows", ("steps/s × batch 2,048", "samples/s")),
    ("S0-15 what is expected", "head", ("Agree% at least 65.8", "DLoss at most 0.014")),
    ("S0-14 restart or continue", "head, 60 rows", ("start again from fresh weights", "going on would work as well")),
    ("S1-1 Q explodes", "values", ("1,999.62", "Q values diverge")),
    ("S1-1 from 324.56", "values, quoted rows", ("324.56", "1,024.1", "6.16 times")),
    ("S1-2 and collapses", "values", ("15.95", "Q values collapse")),
    ("S1-2 by 125 times", "values, quoted rows", ("125 times lower",)),
    ("S1-3 the slope turns", "values", ("-0.19", "the agent was learning and now unlearns")),
    ("S1-3 from 1.131", "values, quoted rows", ("+1.131",)),
    ("S1-4 the loss misleads", "values", ("0.367", "the smaller loss is no success")),
    ("S1-5 the gradient swings", "values", ("4.764 and 8.787", "0.569", "43 % cut off")),
    ("S1-6 reward noise", "values, 60 rows", ("RwdSlope changes its sign", "50.312")),
    ("S1-7 learning rate", "values", ("Most likely cause: Learning rate too high", "| `lr` | 0.003", "| 0.001 |")),
    ("S1-8 tau", "values", ("1 - (1 - 0.012)^100 = 0.701", "0.299 is old", "2.1 s at", "| `tau` | 0.012")),
    ("S1-9 n-step", "values", ("0.995^8 = 0.961", "0.995^5 = 0.975", "| `n_step` | 8")),
    ("S1-10 accumulation", "values", ("65,536", "| `gradient_accumulation_steps` | 1")),
    ("S1-11 speed and updates", "values", ("steps/s × batch 16,384", "| `training_steps_per_sample` | 8")),
    ("S1-12 the expert", "values, 60 rows", ("to its floor of 5", "stable with it, unstable without it", "expert_ratio_min")),
    ("S1-13 swings go on", "values", ("NaN or infinite values in the batches",)),
    ("S1-14 emergency brake", "values, 60 rows", ("| `clamp_targets` | False", "emergency brake")),
    ("S1-17 later on", "values", ("it can go back towards 8",)),
    ("S1-16 signs of recovery", "values", ("ClipΔ ≥ 0.8", "DQNSlope")),
    ("S1-7 still exploding", "values", ("> 1,000", "lower lr once more")),
    ("S1-19 table", "values", ("| Parameter | Old | New | Reason |",)),
    ("S2-1 healthy phase", "loss, 60 rows", ("plateau", "greedy action 2 in 94.")),
    ("S2-2 drift", "loss, 60 rows", ("drift", "another action first appears")),
    ("S2-3 collapse", "loss", ("to 10 at step 4,500", "to action 3")),
    ("S2-3 the loss does not show it", "loss, 60 rows", ("Loss stayed between",)),
    ("S2-4 explosion", "loss", ("5,193.607", "after swings between")),
    ("S2-5 clipping", "loss", ("No gradient clipping", "the clip column never left its neutral value")),
    ("S2-6 the loop", "loss, 60 rows", ("small error → large Q → huge gradient",)),
    ("S2-9 Q band", "loss", ("5,193.61",)),
    ("S2-10 signs of success", "loss, 60 rows", ("ClipΔ", "something else is wrong", "agree_pct")),
    ("S2-12 other measures", "loss, 60 rows", ("TD targets clipped at 50", "every 200 steps", "a Huber loss")),
    ("S2-14 spoilt weights", "loss, 60 rows", ("its last weights are spoilt",)),
    ("S3-1 features", "features", ("7,363,360,194,560", "expected 10 to 100", "orders of magnitude")),
    ("S3-2 mean and spread", "features", ("14,314,894,336", "325,102,632,960", "expected 0 to 10", "expected 5 to 50")),
    ("S3-3 actor loss", "features", ("10¹²",)),
    ("S3-4 critic loss", "features, 60 rows", ("7,500", "standard deviation", "mean 1,01")),
    ("S3-5 TD error", "features", ("stays at 9.", "does not converge")),
    ("S3-6 reward", "features, 60 rows", ("The first 10 values of Reward average", "a change of -888.89")),
    ("S3-7 the chain", "features, 60 rows", ("features from", "critic loss up to 7,500", "the reward falls")),
    ("S3-9 clipping works", "features", ("finite and bounded, so clipping", "Actor CNN grad norm at most")),
    ("S3-10 zeros of a delayed update", "features", ("because the policy is updated only every 2 critic steps",)),
    ("S3-11 separate rates", "features, 60 rows", ("learning rate of the feature layers", "0.0001")),
    ("S3-13 no-go", "features", ("no-go", "gates")),
    ("S3-14 what to watch", "features, 60 rows", ("L2 Norm between 10 and 100", "Critic loss", "TD error Q1", "Actor loss between")),
    ("S4-1 no gradient", "policy", ("Log-probabilities are 0 on average at step 600", "standard deviation 0", "gradient norm is 0")),
    ("S4-2 advantages", "policy", ("-0.00536", "36.6 % positive")),
    ("S4-3 contrast", "policy, quoted rows", ("-0.005719", "0.117366", "7.770147")),
    ("S4-3 contrast with another run", "policy, 400 rows", ("of another run in this file", "7.770147")),
    ("S4-4 entropy", "policy, 60 rows", ("fell from 0.69", "ln(2) = 0.693")),
    ("S4-5 kappa", "policy", ("kappa = -0.2", "1.2 times")),
    ("S4-6 output weights", "policy, 60 rows", ("Wout", "| 0.1 |")),
    ("S4-9 entropy bonus", "policy", ("ent_coef", "0.05, then 0.1", "0.005")),
    ("S4-11 clipping cannot help", "policy, 60 rows", ("max_grad_norm = 5", "cannot bring back one that is 0")),
    ("S4-13 which network", "policy, 60 rows", ("network_type gru",)),
    ("S4-14 what to watch", "policy", ("≥ 0.1", "≥ 0.01")),
]  # fmt: skip


@cache
def report(name: str) -> str:
    """Return the report on a log, its line breaks in the arithmetic taken out."""
    build, config, suffix = LOGS[name]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.log"
        path.write_text("\n".join(build()) + "\n", encoding="utf-8")
        beside = Path(folder) / f"config{suffix}"
        if config:
            beside.write_text(config, encoding="utf-8")
        diagnosis = diagnose(path, hyperparameters=str(beside) if config else None)
        assert [c for c in diagnosis.checks if c.state == "failed"] == []
        text = render(diagnosis, "markdown") + render(diagnosis, "json").replace('\\"', '"')
    return text.replace("\n    ", " ")


CASES = [(claim, log, said) for claim, logs, said in CLAIMS for log in LOGS if log.startswith(logs)]


@pytest.mark.parametrize(("log", "said"), [c[1:] for c in CASES], ids=[f"{c[0]} ({c[1]})" for c in CASES])
def test_the_claim_is_made(log: str, said: tuple[str, ...]) -> None:
    text = report(log)
    missing = [part for part in said if part not in text]
    assert not missing, f"{missing} not said about {log}"


def test_the_emergency_brake_stands_after_every_lever() -> None:
    table = report("values, 60 rows").split("## What to change")[1].split("## ")[0]
    rows = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    order = [name for name in rows if name in {"lr", "tau", "n_step", "clamp_targets"}]
    assert order == ["lr", "tau", "n_step", "clamp_targets"]
    assert rows[-1] == "clamp_targets"
