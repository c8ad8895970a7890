"""The reward rises while what it stands for does not: the policy exploits the reward model."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, Present, change
from logdoctor.causes._facts import facts
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    kl, reward = facts(view).level("kl"), facts(view).level("reward", "episode_return")
    if (
        view.family == "grpo"
        and kl is not None
        and reward is not None
        and kl.tau > 0.8
        and kl.end > 0.5
        and reward.tau > 0.5
    ):
        yield Argument(
            weight=HINT, text=f"{reward.text()} while {kl.text()}: the policy leaves its reference to earn it."
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    beta = view.number("beta", "kl_coef")
    yield change(
        view,
        "beta",
        beta * 3 if beta else 0.04,
        "holds the policy nearer to its reference",
        tradeoff="The reward rises more slowly.",
        reference="Shao et al. 2024 (0.04); Gao et al. 2023, Scaling Laws for Reward Model Overoptimization",
        aliases=("kl_coef",),
    )


CAUSE = CauseRecord(
    id="reward-hacking",
    title="Reward hacking",
    prior=-3.6,
    symptoms={"reward-hacking-kl": 4.0, "length-hacking": 2.5},
    leads_to=("length-hacking", "truncation"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("Twenty samples of the highest reward, read by a person.",),
    references=("Gao et al. 2023", "Skalse et al. 2022, Defining and Characterizing Reward Hacking"),
    families=("grpo", "dpo", "ppo", "llm", "rl"),
)
