"""gamma so close to 1 that bootstrapped values grow without bound within the run."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, Present, change, high
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.norms import number
from logdoctor.view import RunView

FAMILIES = ("dqn", "sac", "td3", "ppo", "a2c", "rl")


def _horizon(gamma: float) -> float:
    return 1 / (1 - gamma) if gamma < 1 else float("inf")


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    gamma = view.number("gamma")
    yield from high(view, "gamma")
    known = facts(view)
    length = known.level("episode_length")
    if gamma is not None and length is not None and _horizon(gamma) > 10 * length.high:
        yield Argument(
            weight=SIGN,
            text=f"gamma = {number(gamma)} looks {say(_horizon(gamma))} steps ahead, episodes last "
            f"{say(length.high)} at most.",
        )
    q, reward = known.level("q_max", "q_value"), known.level("episode_return", "dqn_reward_1m", "reward")
    loss = known.level("loss", "critic_loss")
    if q is None or reward is None:
        return
    size = max(abs(reward.high), abs(reward.low), 1e-12)
    if q.tau > 0.9 and q.high > 3 * size and loss is not None and loss.start < 0.3 * loss.high and loss.high < q.high:
        yield Argument(
            weight=SIGN + HINT,
            text=f"{q.shown} climbs steadily to {say(q.high)} (line {q.high_line}), {say(q.high / size)} times the "
            f"largest "
            f"return of {say(size)}, while {loss.shown} stays below {say(loss.high)}: values pile up instead of "
            f"jumping.",
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    gamma = view.number("gamma")
    before = f"1 / (1 - {number(gamma)}) = {say(_horizon(gamma))} steps; " if gamma is not None and gamma < 1 else ""
    yield change(
        view,
        "gamma",
        0.99,
        "values stay within r_max / (1 - gamma)",
        tradeoff="Rewards more than a few hundred steps away count less.",
        arithmetic=f"{before}with 0.99: 1 / (1 - 0.99) = 100 steps",
        reference="Mnih et al. 2015 (gamma 0.99)",
    )


CAUSE = CauseRecord(
    id="discount-too-high",
    title="Discount too close to 1",
    prior=-3.3,
    symptoms={
        "q-above-bound": HINT,
        "q-divergence": HINT,
        "value-scale-suspicious": HINT,
        "overestimation": HINT,
        "performance-collapse": 0.3,
    },
    leads_to=("q-divergence", "q-above-bound", "overestimation", "performance-collapse"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The same run with gamma 0.99.", "max |Q| against r_max / (1 - gamma)."),
    references=(
        "van Hasselt et al. 2018",
        "Jiang et al. 2015, The Dependence of Effective Planning Horizon on Model Accuracy",
    ),
    families=FAMILIES,
)
