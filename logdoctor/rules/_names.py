"""Metrics of language-model tuning, which every library prints under a name of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logdoctor.model import Series

if TYPE_CHECKING:
    from logdoctor.view import RunView

TRUNCATED = re.compile(r"clipped_ratio|clip_ratio$|truncat|overlong|max_length_ratio|length_clip")
ZERO_GROUPS = re.compile(r"zero_std|zero_var|degenerate_group|frac_.*zero")
LENGTH = re.compile(
    r"(completion|response|output|generat\w*)s?_(mean_)?(length|len|tokens)(_mean)?$|^(mean|avg)_(response|completion)_length$"
)
TUNED = frozenset({"grpo", "dpo", "ppo", "rl", "llm", "pg"})


def named(view: RunView, pattern: re.Pattern[str], least: int = 10) -> Series | None:
    """Return the finite series of the first metric whose name fits, or None."""
    for name in view.names:
        if pattern.search(name) and not name.startswith(("val_", "eval_")):
            series = view.finite(name)
            if series is not None and len(series) >= least:
                return series
    return None


def tunes_language(view: RunView) -> bool:
    """Whether the run tunes a language model with rewards: completions are printed, or the library says so."""
    return view.family in {"grpo", "dpo"} or any(LENGTH.search(name) or ZERO_GROUPS.search(name) for name in view.names)
