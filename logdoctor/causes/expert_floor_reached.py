"""The help of an expert (or of exploration) ended, and the agent's own errors began to compound."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, Present, change, seen
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Watch
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    expert = facts(view).level("expert_ratio")
    if expert is None:
        return
    if (
        expert.start - expert.end > 20
        and expert.end <= 10
        and seen(present, "q-divergence", "performance-collapse", "slope-turns-negative")
    ):
        floor = seen(present, "schedule-floor-before-break") is not None
        yield Argument(
            weight=SIGN + (HINT if floor else 0.0),
            text=f"{expert.text()}: the agent now makes {100 - expert.end:.0f} % of the moves itself.",
        )
    elif expert.end > 20:
        yield Argument(weight=-SIGN, text=f"{expert.text()}: the expert still helps.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    expert = facts(view).level("expert_ratio")
    now = view.number("expert_ratio_end")
    scale = 100.0 if (now or 0) > 1 or (now is None and expert is not None and expert.end > 1) else 1.0
    yield change(
        view,
        "expert_ratio_end",
        0.2 * scale,
        "a larger share of expert moves keeps the data near good states until the values are stable",
        tradeoff="The agent learns less from its own states; lower it again once the slope is positive.",
        reference="Hester et al. 2018, Deep Q-learning from Demonstrations",
        arithmetic=f"{say(expert.end)} % → 20 %" if expert is not None else "",
    )


def _watch(view: RunView, present: Present) -> Iterator[Watch]:
    expert, name = facts(view).level("expert_ratio"), seen(present, "slope-turns-negative")
    if expert is None or name is None or not name.metrics:
        return
    twice = f"{say(expert.end)} % → {say(max(20.0, 2 * expert.end))} %"
    yield Watch(
        metric=name.metrics[0],
        condition="<",
        value=0.0,
        within_steps=None,
        sign="failure",
        otherwise=f"raise the expert ratio for a while ({twice}); lower it again once the slope is positive",
        why="still unlearning",
    )


CAUSE = CauseRecord(
    id="expert-floor-reached",
    title="Expert help ended before the values were stable",
    prior=-3.6,
    symptoms={"schedule-floor-before-break": SIGN + HINT, "slope-turns-negative": HINT, "performance-collapse": 0.3},
    leads_to=("q-divergence", "performance-collapse", "slope-turns-negative"),
    weigh=_weigh,
    changes=_changes,
    watch=_watch,
    would_settle=("The same run with the floor at 20 %.",),
    references=("Hester et al. 2018", "Ross et al. 2011, DAgger (errors compound without an expert)"),
    families=("dqn", "rl"),
)
