"""Nothing is wrong but the length: the run ended while it was still improving."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import Present, change
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    worse = sorted(n for n, f in present.items() if f.severity == "critical")
    if worse:
        yield Argument(weight=-2.0, text=f"It is not the only finding: {', '.join(worse)}.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    names = ("max_steps", "max_iters", "total_timesteps", "epochs", "iters")
    setting = view.setting(*names)
    now = view.number(*names)
    yield change(
        view,
        setting.name if setting is not None else "max_steps",
        now * 2 if now else "twice the present budget",
        "the curve was still rising when it ended",
        tradeoff="Twice the time.",
        aliases=names,
    )


CAUSE = CauseRecord(
    id="training-budget-too-short",
    title="Budget too short",
    prior=-3.0,
    symptoms={"still-improving": 2.5, "run-cut-off": 0.7},
    weigh=_weigh,
    changes=_changes,
    would_settle=("The same run, continued.",),
)
