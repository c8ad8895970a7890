"""What was not checked and why, in a few lines; and what a log can never show."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from logdoctor.model import Check, Diagnosis
from logdoctor.view import RunView
from logdoctor.wording import upper_first

GROUPS = 4  # reasons told one by one
NAMES = 6  # metrics or checks named in one line
IMITATION = ("agreement", "expert", "action-distribution")  # what only agents print that learn beside an expert
ACTING = ("episode", "return", "reward", "dqn", "expert", "clip_delta", "action", "Q values")
FITTING = ("accuracy", "val_", "perplexity")
IRRELEVANT = ("the run is ", "no expert", "not ")  # reasons that say that there is nothing to check
_MISSING = re.compile(r"^no (.+) in this log$")


def not_checked(view: RunView, checks: Sequence[Check]) -> Iterator[str]:
    """Group the checks that did not apply by their reason; those of other fields of machine learning are left out."""
    missing: list[str] = []
    reasons: dict[str, list[str]] = defaultdict(list)
    for check in checks:
        if check.state != "not-applicable" or not _concerns(view, check) or check.why.startswith(IRRELEVANT):
            continue
        absent = _MISSING.match(check.why)
        foreign = FITTING if view.is_rl else ACTING
        if absent and any(word in absent[1] for word in foreign):
            continue
        if absent:
            missing.append(_few(absent[1]))
        elif check.why.lower().startswith("fewer than "):
            reasons["too few values"].append(check.name or check.id)
        else:
            reasons[check.why].append(check.name or check.id)
    if missing:
        names = sorted(set(missing), key=lambda name: (-missing.count(name), name))
        count = "1 check that needs it was" if len(missing) == 1 else f"{len(missing)} checks that need them were"
        yield f"No {_listed(names)} in this log: {count} not made."
    for why, names in sorted(reasons.items(), key=lambda item: -len(item[1]))[:GROUPS]:
        yield f"{upper_first(why)}: {_listed(names)}."
    for check in checks:
        if check.state == "failed":
            yield f"{check.id} {check.name} failed with an error of its own: {check.why}."


def _few(names: str) -> str:
    """Shorten a list of alternatives to the first; say which of two things called the same is meant."""
    name = names.split(" or ")[0]
    return "learning rate in the rows" if name == "learning_rate" else name


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more


def _concerns(view: RunView, check: Check) -> bool:
    """Whether a check belongs to the field of this run: no one wants to read that a classifier has no Q values."""
    kind = check.id[2:3]
    if any(word in check.name for word in IMITATION):
        return view.family == "dqn"
    if kind in {"4", "5"}:
        return view.is_rl
    if kind == "9":
        return view.family in {"llm", "grpo", "dpo"}
    return kind != "7" or not view.is_rl


def limits(diagnosis: Diagnosis) -> Iterator[str]:
    """Say what this log cannot show at all."""
    if diagnosis.verdict == "healthy":
        return
    if not diagnosis.code:
        yield "The code was not looked at (--source): faults of initialisation or sign show by their symptoms only."
    if not diagnosis.hyperparameters:
        yield "The log names no hyperparameters; give them with --config to have the causes weighed against them."
