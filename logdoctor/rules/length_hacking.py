"""The reward rises because the answers get longer.

What it finds: answers that grow and a reward that follows their length, while a held-out score does not.
Why it matters: the reward pays for length; the model learns to talk, not to answer.
How it decides: the mean length grows by at least ``grew``, its rank correlation with the reward is at least
``together``, and a held-out score, where one is printed, gained less than a quarter as much as the length.
When it is wrong: tasks that need longer reasoning reward it rightly; then the held-out score rises too and the rule
is silent.
What to do: a length-neutral loss (constant denominator), a length penalty, and a look at twenty answers.
References: rldoctor (growth of 50 %, rank correlation of 0.6, evaluation gain below 25 % of the growth); trl#3138
(length bias, Dr. GRPO denominator).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._names import LENGTH, named
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import Progress, correlation
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView

HELD_OUT = ("eval_return", "val_accuracy", "eval_success_rate", "val_reward")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when length explains the reward."""
    length = named(view, LENGTH, least=20)
    reward = view.finite("reward") or view.finite("episode_return")
    if length is None or reward is None or len(reward) < 20:
        return
    size = Progress(length, "max")
    if size.start <= 0 or size.final < (1 + limits.grew) * size.start:
        return
    together = correlation(reward, length)
    if together < limits.together or _held_out_gains(view, size):
        return
    last = len(length) - 1
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.7,
        metrics=[length.name, reward.name],
        onset=view.place(length, 0),
        summary=(
            f"The reward follows the length of the answers: {label(length)} grows from"
            f" {say(size.printed(size.start))} to"
            f" {say(size.printed(size.final))} ({size.final / size.start - 1:+.0%}) by"
            f" {at(view, length, last)}, rank correlation with {label(reward)} {together:.2f}."
        ),
        figures={
            "length_start": size.printed(size.start),
            "length_end": size.printed(size.final),
            "rank_correlation": round(together, 3),
        },
        evidence=rows(length, [(0, "start"), *((i, "") for i in way(0, last, 2)), (last, "last row")]),
        analysis="No held-out score in the log rises with it."
        if not any(view.finite(n) for n in HELD_OUT)
        else "The held-out score does not rise with it.",
    )


def _held_out_gains(view: RunView, size: Progress) -> bool:
    for name in HELD_OUT:
        series = view.finite(name)
        if series is not None and len(series) >= 4:
            gain = float(np.median(series.value[-2:]) - np.median(series.value[:2])) / max(
                abs(float(np.median(series.value[:2]))), 1e-9
            )
            return gain >= 0.25 * (size.final / size.start - 1)
    return False


def _log(grows: bool) -> str:
    return table(
        completion_length=ramp(200, 600 if grows else 210, noise=8),
        reward=ramp(0.2, 0.7, noise=0.01),
        kl=ramp(0.01, 0.05),
        val_accuracy=ramp(0.4, 0.41, noise=0.004),
    )


RULE = Rule(
    id="LD904",
    name="length-hacking",
    title="The reward follows the length of the answers",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold("grew", 0.5, "of the first length", "well beyond the scatter of lengths", "rldoctor: 50 %"),
        threshold("together", 0.6, "rank correlation", "the two curves are one story", "rldoctor: 0.6"),
    ),
    tags=("language-models", "reward"),
    references=("https://github.com/huggingface/trl/issues/3138",),
    examples=(
        Example(title="answers three times as long, evaluation flat", log=lambda: _log(True), fires=True),
        Example(title="answers keep their length", log=lambda: _log(False), fires=False),
    ),
)
