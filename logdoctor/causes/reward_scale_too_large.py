"""Unscaled, unclipped rewards dominate the loss.

Evidence for: a reward scale above 10; losses of the size of the rewards squared from the first record on, before any
value has been learned; a value loss in the thousands that an explained variance of 0 says nothing of.
"""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change, high
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

FAMILIES = ("dqn", "sac", "td3", "ppo", "a2c", "pg", "rl")
LARGE_LOSS = 50.0  # targets of about ±10 give squared errors below 100, Huber errors below 10 (Jones 2021)
LARGE_VALUE_LOSS = 1e3  # same, for returns: beyond it the value loss drowns the policy loss in a shared network
LARGE_ADVANTAGE = 10.0


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    yield from high(view, "reward_scale")
    clip = view.setting("reward_clip")
    if clip is not None and clip.value not in (None, False):
        yield Argument(weight=-SIGN, text=f"Rewards are clipped to {clip.value}.")
    yield from _first_losses(view)
    yield from _value_loss(view)
    advantage = facts(view).level("advantage_mean")
    if advantage is not None and abs(advantage.start) > LARGE_ADVANTAGE:
        yield Argument(weight=STRONG, text=f"{advantage.text()}: advantages are hundreds instead of about 1.")


def _first_losses(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    q, loss = known.level("q_max", "q_value"), known.level("critic_loss", "d_loss", "loss")
    if q is None or loss is None or view.family not in FAMILIES:
        return
    if loss.first > LARGE_LOSS and abs(q.first) < 0.1 * loss.first**0.5 + 1:
        yield Argument(
            weight=STRONG,
            text=f"{loss.shown} is {say(loss.first)} at the first record (line {loss.first_line}), while {q.shown} "
            f"is still "
            f"{say(q.first)}: the error is the reward itself.",
        )
    elif loss.first < 10 and loss.start < 10:
        yield Argument(
            weight=-SIGN,
            text=f"{loss.shown} begins at {say(loss.first)} (line {loss.first_line}): rewards of that size are fine.",
        )


def _value_loss(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    value, ev = known.level("value_loss"), known.level("explained_variance")
    if value is None:
        return
    if value.start > LARGE_VALUE_LOSS and value.end > 0.3 * value.start:
        hopeless = ev is not None and abs(ev.end) < 0.05
        yield Argument(
            weight=STRONG if hopeless else SIGN,
            text=f"{value.text()}"
            + (
                f"; explained_variance ends at {say(ev.end)}: the critic never reaches targets of that size."
                if hopeless and ev
                else "."
            ),
        )
    elif value.start < 200:
        yield Argument(
            weight=-SIGN,
            text=f"value_loss begins at about {say(value.start)} (from line {value.first_line}), which is no scale "
            "problem.",
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "reward_scale",
        1.0 if (view.number("reward_scale") or 0) > 1 else "divide rewards by the running deviation of the return",
        "errors and gradients of about 1",
        tradeoff="Compare runs by unscaled return.",
        reference="Engstrom et al. 2020, Implementation Matters; Mnih et al. 2015 clip rewards to [-1, 1]",
    )


CAUSE = CauseRecord(
    id="reward-scale-too-large",
    title="Reward scale too large",
    prior=-3.0,
    symptoms={
        "gradient-explosion": HINT,
        "clip-saturation": HINT,
        "explained-variance-low": HINT,
        "value-scale-suspicious": HINT,
        "critic-loss-explosion": 0.3,
        "q-divergence": 0.3,
        "q-above-bound": 0.3,
    },
    leads_to=(
        "gradient-explosion",
        "clip-saturation",
        "explained-variance-low",
        "q-divergence",
        "never-learned",
        "q-above-bound",
    ),
    weigh=_weigh,
    changes=_changes,
    would_settle=(
        "The distribution of one-step rewards as they enter the loss.",
        "The same run with rewards divided by the deviation of the return.",
    ),
    references=("van Hasselt et al. 2016, Learning values across many orders of magnitude", "Engstrom et al. 2020"),
    families=FAMILIES,
)
