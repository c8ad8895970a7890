"""Which hyperparameters differ, and which difference the reports themselves speak for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logdoctor.model import Cause, Diagnosis, Scalar, Setting
from logdoctor.results import Attribution, Outcome, SettingChange

INCIDENTAL = (
    "seed",
    "run_name",
    "name",
    "log_dir",
    "output_dir",
    "save_path",
    "checkpoint",
    "date",
    "time",
    "pid",
    "port",
)


def setting_changes(one: Diagnosis, two: Diagnosis) -> tuple[SettingChange, ...]:
    """Return the hyperparameters that differ, those that both runs print first."""
    before, after = first_values(one), first_values(two)
    changes = []
    for name in dict.fromkeys([*before, *after]):
        a, b = before.get(name), after.get(name)
        if name in INCIDENTAL and name != "seed":
            continue
        if a is None or b is None:
            if before and after:  # a side that prints no settings at all says nothing about any of them
                changes.append(_setting_change(name, a, b))
        elif not same_value(a.value, b.value):
            changes.append(_setting_change(name, a, b))
    return tuple(sorted(changes, key=lambda c: c.known != "both"))


def first_values(diagnosis: Diagnosis) -> dict[str, Setting]:
    """Return each hyperparameter as it was first given: what changes during the run is an event."""
    found: dict[str, Setting] = {}
    for item in diagnosis.hyperparameters:
        found.setdefault(item.name, item)
    return found


def _setting_change(name: str, a: Setting | None, b: Setting | None) -> SettingChange:
    return SettingChange(
        name=name, before=a.value if a else None, after=b.value if b else None,
        known="both" if a and b else "before" if a else "after",
        before_line=a.line if a else None, after_line=b.line if b else None,
    )  # fmt: skip


def same_value(a: Scalar, b: Scalar) -> bool:
    """Whether two settings mean the same: numbers up to rounding, words without regard to case."""
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return bool(np.isclose(a, b, rtol=1e-9, atol=0.0))
    return str(a).strip().lower() == str(b).strip().lower()


def attributions(
    outcome: Outcome, one: Diagnosis, two: Diagnosis, differences: Sequence[SettingChange]
) -> tuple[Attribution, ...]:
    """Say which difference most likely explains the outcome; the cause lists of both reports are the witnesses."""
    tuned = [d for d in differences if d.known == "both" and d.name not in INCIDENTAL]
    improved = outcome in ("fixed", "better", "other fault")
    # What was not set before is often not printed either; it counts where the advice was to set it.
    candidates = [d for d in differences if d.known == "after" and d.name not in INCIDENTAL] if improved else []
    found = []
    for difference in (*tuned, *candidates):
        witness = _witness(difference, one.causes if improved else two.causes, undo=not improved)
        if witness is not None:
            found.append(witness)
    found.sort(key=lambda item: -item.confidence)
    if found or outcome in ("same", "cannot tell"):
        return tuple(found)
    if len(tuned) == 1:
        text = f"{tuned[0].name} is the only setting that differs in what the logs print."
        return (Attribution(setting=tuned[0].name, text=text, confidence=0.5),)
    return ()


def _witness(difference: SettingChange, causes: Sequence[Cause], *, undo: bool) -> Attribution | None:
    """Find a cause whose advice goes the way that ``difference`` went (or, for a run that got worse, back again)."""
    for cause in causes:
        for change in cause.changes:
            if change.parameter != difference.name or (difference.known == "after" and change.from_ is not None):
                continue
            wanted = _sign(difference.before, change.to) if not undo else _sign(change.to, difference.after)
            went = _sign(difference.before, difference.after)
            if wanted is None or went is None or wanted != went:
                continue
            where = "The report on AFTER names" if undo else "The report on BEFORE named"
            advice = "asks for a change back" if undo else "asked for a change in this direction"
            text = (
                f"{difference.name} went from {_shown(difference.before)} to {_shown(difference.after)}. {where} "
                f"{cause.title or cause.id} (rank {cause.rank}, {cause.confidence:.0%}) and {advice} "
                f"(to {_shown(change.to)})."
            )
            return Attribution(setting=difference.name, text=text, confidence=cause.confidence)
    return None


def _shown(value: Scalar) -> str:
    return "not set" if value is None else str(value)


def _sign(a: Scalar, b: Scalar) -> object:
    """Direction from ``a`` to ``b``: -1 or 1 for numbers, ``set`` or ``unset``, else the target; None: no move."""
    if same_value(a, b):
        return None
    if a is None or b is None:
        return "set" if a is None else "unset"
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        return 1 if b > a else -1
    return str(b)
