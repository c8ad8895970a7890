"""The loop goes on but no optimiser step is made any more."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    still = facts(view).weights_still
    if still is not None:
        yield Argument(weight=STRONG, text=f"Held-out results repeat to the last digit from line {still[1]} on.")
    frozen = present.get("metric-frozen")
    names = set(frozen.metrics) if frozen is not None else set()
    values = {n for n in names if n.startswith(("q_", "td_error", "actor_loss", "entropy", "kl", "val_loss"))}
    losses = {n for n in names if "loss" in n or n.endswith("grad_norm")}
    if values and len(losses - values) >= 1 and len(names) >= 3:
        yield Argument(
            weight=5.5,
            text=f"{', '.join(sorted(names))} stop together: not a metric is frozen, but what they measure.",
        )
    if "updates-stopped" in present and "performance-stagnation" in present:
        yield Argument(weight=SIGN, text=present["performance-stagnation"].summary)


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "watchdog",
        "stop the run when n_updates has not grown for one logging interval",
        "a loop without updates costs the rest of the budget",
        tradeoff="None.",
    )


CAUSE = CauseRecord(
    id="training-stopped-silently",
    title="Training stopped silently",
    prior=-3.2,
    group="recording",
    symptoms={"updates-stopped": 6.0, "nothing-was-trained": 3.0, "metric-frozen": 0.7},
    leads_to=("metric-frozen", "performance-stagnation", "agreement-stagnates", "loss-plateau"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("A count of optimiser steps in the log.", "The thread or process that trains: is it alive?"),
)
