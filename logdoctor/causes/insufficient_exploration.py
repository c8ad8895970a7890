"""Epsilon or action noise (almost) zero from the start: the agent sees only what it already does."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SETTLES, SIGN, STRONG, Present, change, where
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

NONE = (
    0.02  # a tenth to a half of the 0.04 to 0.1 at which published schedules end; from the start it finds nothing new
)


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    known = facts(view)
    epsilon = known.epsilon
    if epsilon is not None:
        if epsilon.high < NONE:
            expert = known.level("expert_ratio")
            covered = expert is not None and expert.start > 20
            yield Argument(
                weight=HINT if covered else SETTLES,
                text=f"epsilon never exceeds {say(epsilon.high)} (line {epsilon.high_line})"
                + (f", though an expert acts in {say(expert.start)} % of the steps." if covered and expert else "."),
            )
        else:
            yield Argument(weight=-STRONG, text=f"{epsilon.text()}: there was exploration.")
    start = view.setting("epsilon_start")
    if start is not None and epsilon is None and isinstance(start.value, (int, float)) and start.value < NONE:
        yield Argument(weight=STRONG, text=f"epsilon_start = {start.value} ({where(start.line, start.source)}).")
    noise = view.setting("exploration_noise", "action_noise")
    if noise is not None and isinstance(noise.value, (int, float)) and not isinstance(noise.value, bool):
        if noise.value == 0:
            yield Argument(
                weight=STRONG,
                text=f"{noise.raw_name} = 0 ({where(noise.line, noise.source)}): the policy acts without noise.",
            )
        elif noise.value >= 0.03:
            yield Argument(weight=-SIGN, text=f"{noise.raw_name} = {noise.value} ({where(noise.line, noise.source)}).")
    reward = known.level("episode_return", "reward", "dqn_reward_1m")
    if (
        reward is not None
        and reward.noise < 1e-3 * max(abs(reward.end), 1e-12)
        and view.is_rl
        and abs(reward.change) <= reward.span
    ):
        yield Argument(weight=HINT, text=f"{reward.text()}: the episodes have become alike.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    if view.family in {"td3", "sac"}:
        yield change(
            view,
            "exploration_noise",
            0.1,
            "noise on the actions brings new transitions into the buffer",
            tradeoff="Training returns are lower than those of the noise-free policy.",
            reference="Fujimoto et al. 2018 (Gaussian noise 0.1)",
            aliases=("action_noise",),
        )
        return
    yield change(
        view,
        "epsilon_start",
        1.0,
        "act at random first, then less and less",
        tradeoff="Early returns are those of chance.",
        reference="Mnih et al. 2015 (1.0 to 0.1 over the first million frames)",
    )
    yield change(
        view, "epsilon_end", 0.05, "keep a remainder of random actions", reference="Mnih et al. 2015; Stable-Baselines3"
    )


CAUSE = CauseRecord(
    id="insufficient-exploration",
    title="Too little exploration",
    prior=-3.2,
    symptoms={
        "exploration-absent": STRONG,
        "reward-zero-variance": HINT,
        "evaluation-frozen": HINT,
        "performance-stagnation": HINT,
        "never-learned": HINT,
        "deterministic-policy": 0.3,
    },
    leads_to=("performance-stagnation", "never-learned", "reward-zero-variance", "policy-collapse"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The shares of the actions taken, and how many distinct states the buffer holds.",),
    references=("Mnih et al. 2015", "Fujimoto et al. 2018"),
    families=("dqn", "td3", "sac", "rl", "ppo", "a2c", "pg"),
)
