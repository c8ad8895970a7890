"""Rewards so small that the losses and gradients they make are lost beside everything else."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, Present, change, low
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    yield from low(view, "reward_scale", against=-SIGN)
    known = facts(view)
    loss, gradient = known.level("loss", "d_loss", "critic_loss"), known.level("grad_norm")
    reward = known.level("dqn_reward_1m", "episode_return", "reward")
    if loss is None or gradient is None or reward is None or not view.is_rl:
        return
    if 0 < gradient.end < 0.01 and 0 < loss.end < 0.01 and abs(reward.end) > 100 and gradient.high < 0.1:
        yield Argument(
            weight=SIGN + HINT,
            text=f"{loss.text()} and {gradient.text()}, with returns of {say(reward.end)}: the errors are far too "
            f"small to steer by.",
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    now = view.number("reward_scale")
    yield change(
        view,
        "reward_scale",
        now * 100 if now else "so that one-step rewards are about 1",
        "errors of about 1",
        tradeoff="Check the values against r_max / (1 - gamma).",
    )


CAUSE = CauseRecord(
    id="reward-scale-too-small",
    title="Reward scale too small",
    prior=-4.0,
    symptoms={"gradient-vanishing": HINT, "performance-stagnation": 0.3, "agreement-stagnates": 0.3},
    leads_to=("gradient-vanishing", "performance-stagnation"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The distribution of one-step rewards as they enter the loss.",),
    families=("dqn", "sac", "td3", "rl"),
)
