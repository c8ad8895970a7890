"""The excerpt for a bug report: enough to see the fault, nothing private."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from logdoctor import diagnose, read_log
from logdoctor.excerpt import LINES, excerpt
from logdoctor.masking import mask
from tests.hand_made import hostile, sick, well

SAMPLES = Path(__file__).resolve().parent.parent / "sample_logs"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Saved to /home/anna/exp/run_1/model_100.pt", "Saved to <path>/model_100.pt"),
        ('File "/home/anna/My Project/train.py", line 33', 'File "<path>/train.py", line 33'),
        ("C:\\Users\\anna\\runs\\ckpt.pt saved", "<path>/ckpt.pt saved"),
        ("saved runs/exp/anna/model.ckpt", "saved <path>/model.ckpt"),
        ("cd ~/secret/things", "cd <path>"),
        ("run: https://wandb.example/anna/proj/runs/abc123", "run: <url>"),
        ("s3://bucket/key/secret.txt", "<url>"),
        ("mail anna.smith@example.com now", "mail <address> now"),
        ("anna@gpu01:~/x$ python", "<address> python"),
        ("api_key=sk-abcdefghij1234567890XYZ", "api_key=<secret>"),
        ("Authorization: Bearer abc.def.ghi12345", "Authorization: <secret>"),
        ("token: ghp_abcdefghijklmnopqrstuvwxyz012345", "token: <secret>"),
        ("Password: hunter2", "Password: <secret>"),
        ("key AKIAIOSFODNN7EXAMPLE", "key <secret>"),
        ("commit 4ed236a7c0ffee4ed236a7c0ffee4ed236a7c0ff", "commit <secret>"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id <id>"),
        ("host=gpu-node-17 rank=0", "host=<host> rank=0"),
        ("Nov 20 10:00:01 mybox python[123]: loss 0.3", "Nov 20 10:00:01 <host> python[123]: loss 0.3"),
        ("gpu-3:1234:1240 [0] NCCL INFO x", "<host>:1234:1240 [0] NCCL INFO x"),
        ("connect 10.1.2.3:8080", "connect <host>"),
        ("node12.cluster.internal up", "<host> up"),
        ("user: anna", "user: <name>"),
    ],
)
def test_private_details_are_masked(text, wanted):
    assert mask(text) == wanted
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "step=100 loss=0.123456789012345678 lr 3.0e-04",
        "train/loss: 0.3 eval/acc@5 0.7 prec@1 66.2",
        "36,500  0.67  68k/19279/10%/2%  21k/  8.2s [-12.91, 1779.30] 0008 12:34:56",
        "tokens: 1234 tokens/s=5.2e3 token_accuracy: 0.93 num_tokens=300",
        "torch.nn.functional.relu v1.2.3.4 2025-11-06 12:00:01,234 INFO",
        "policy_gradient_loss_for_actor_mlp_grad_norm 0.3 and/or true/false/none",
        "learning_rate_schedule=cosine_with_restarts_and_warmup1",
        "| rollout/ep_rew_mean | 123 | -1.2e+05 |",
    ],
)
def test_figures_and_names_of_metrics_are_left_alone(text):
    assert mask(text) == text


def test_the_lines_around_the_onset_with_their_header_and_the_configuration():
    run = read_log(SAMPLES / "q_divergence.log")
    diagnosis = diagnose(run)
    text = excerpt(diagnosis, run.fetch)
    onset = next(f for f in diagnosis.findings if f.severity == "critical").onset
    numbers = [
        int(line.split("|")[0]) for line in text.split("```")[1].splitlines() if line.split("|")[0].strip().isdigit()
    ]
    assert onset.line in numbers
    assert numbers == sorted(numbers)
    assert len(numbers) <= LINES
    lines = (SAMPLES / "q_divergence.log").read_text(encoding="utf-8").split("\n")
    for line in text.split("```")[1].splitlines():
        number, _, printed = line.partition(" | ")
        if number.strip().isdigit():
            assert printed.rstrip("…") in mask(lines[int(number) - 1]).rstrip() or printed.rstrip() == ""
    assert "Loss" in text.split("```")[1]
    assert diagnosis.hyperparameters[0].name in text


def test_a_healthy_run_and_a_saved_report_have_an_excerpt_too():
    assert excerpt(well()).startswith("**logdoctor: healthy.**")
    assert "| " in excerpt(sick())


def test_hostile_lines_stay_inside_the_fence():
    text = excerpt(hostile(), lambda lines: dict.fromkeys(lines, "```\n<b>z</b> @someone \x1b[31m"))
    outside = text.split("```")
    assert "\x1b" not in text
    assert "<b>" not in outside[0]
    assert "http://evil" not in text


def test_one_endless_line_is_cut():
    long = replace(sick())
    text = excerpt(long, lambda lines: dict.fromkeys(lines, "x " * 1_000_000))
    assert len(text) < 20_000
