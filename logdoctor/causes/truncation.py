"""Answers are cut off by the length limit before they can earn a reward."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    limit = view.number("max_completion_length", "max_new_tokens", "max_response_length")
    yield change(
        view,
        "max_completion_length",
        limit * 2 if limit else "twice the present limit",
        "an answer that is cut off cannot be right",
        tradeoff="Memory and time per sample grow with the length.",
        reference="greyhaven-ai/autocontext issue 1067 (256 → 512)",
        aliases=("max_new_tokens", "max_response_length"),
    )


CAUSE = CauseRecord(
    id="truncation",
    title="Completions truncated",
    prior=-3.4,
    symptoms={"truncation": 5.0, "zero-variance-groups": 0.7},
    leads_to=("zero-variance-groups", "never-learned", "performance-stagnation"),
    changes=_changes,
    would_settle=("The share of completions that end with the stop token.",),
    families=("grpo", "llm", "ppo"),
)
