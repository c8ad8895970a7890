"""The policy became deterministic too early: the entropy is near zero and with it the learning signal."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change, default_of
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Watch
from logdoctor.view import RunView

DEAD = 0.02  # nats; two actions with shares 0.998 and 0.002 (rlwatch and the seed documents warn below 0.01 to 0.1)


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    known = facts(view)
    entropy = known.level("entropy", "entropy_loss")
    if entropy is None or not view.is_rl:
        return
    if abs(entropy.end) > 0.2 * max(abs(entropy.high), abs(entropy.low)) and abs(entropy.end) > 0.1:
        yield Argument(weight=-STRONG, text=f"{entropy.text()}: the policy still explores.")
        return
    if abs(entropy.first) < 0.15 and abs(entropy.end) < 0.15:
        yield Argument(
            weight=-SIGN,
            text=f"It was so from the first record on ({entropy.name} {say(entropy.first)}, line "
            f"{entropy.first_line}): no "
            "missing bonus acts that fast.",
        )
    if abs(entropy.end) < DEAD:
        yield Argument(weight=SIGN, text=f"{entropy.text()}: the policy is deterministic.")
        spread = known.level("log_prob_std")
        if spread is not None and spread.end < 1e-3:
            yield Argument(
                weight=SIGN, text=f"{spread.text()}: log(1) = 0, so the policy gradient is zero whatever the advantage."
            )
    coefficient = view.number("ent_coef")
    if coefficient == 0:
        yield Argument(weight=HINT, text="ent_coef is 0: nothing keeps the policy from becoming deterministic.")
    kappa = view.number("kappa")
    if kappa is not None and kappa < 0:
        yield Argument(weight=HINT, text=f"kappa = {say(kappa)}: a risk-seeking objective amplifies early luck.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    default, reference = default_of(view, "ent_coef", 0.01)
    yield change(
        view,
        "ent_coef",
        max(default, 0.01),
        "a bonus on the entropy keeps log-probabilities, and so the gradients, above zero",
        tradeoff="Convergence is slower; halve it when learning stalls at a high entropy.",
        reference=reference or "Mnih et al. 2016",
        aliases=("entropy_coef",),
    )


def _watch(view: RunView, present: Present) -> Iterator[Watch]:
    yield Watch(
        metric="entropy",
        condition=">=",
        value=0.1,
        within_steps=None,
        sign="recovery",
        otherwise="Raise ent_coef to 0.05, then 0.1.",
        why="below it the gradients fade",
    )


CAUSE = CauseRecord(
    id="policy-collapse",
    title="Policy collapsed to one action",
    prior=-3.0,
    symptoms={
        "entropy-collapse": STRONG,
        "deterministic-policy": SIGN,
        "action-std-underflow": SIGN,
        "gradient-dead": HINT,
        "action-saturation": 0.3,
        "gradient-vanishing": 0.3,
        "performance-collapse": 0.3,
        "performance-stagnation": 0.3,
        "action-distribution-switch": 0.3,
    },
    leads_to=(
        "gradient-dead",
        "gradient-vanishing",
        "deterministic-policy",
        "performance-collapse",
        "performance-stagnation",
    ),
    weigh=_weigh,
    changes=_changes,
    watch=_watch,
    would_settle=("The action shares over one rollout.", "The same run with ent_coef 0.01."),
    references=(
        "Mnih et al. 2016, section 4 (entropy against premature convergence)",
        "Ahmed et al. 2019, Understanding the impact of entropy",
    ),
    families=("ppo", "a2c", "pg", "sac", "grpo", "rl"),
)
