"""The entropy term dominates and the policy stays uniform.

A learning rate that is too low also leaves the policy uniform. What tells them apart is whether the policy is *held*
at the maximum (updates are of ordinary size, the entropy returns to its maximum) or has not moved (updates change
nothing).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from logdoctor import norms
from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, above, change, default_of, inside
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

UNIFORM = 0.98  # of the entropy of equal shares; Stable-Baselines3 issue 2240 reports 1.33 of 1.386 with ent_coef 0.15


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    found = norms.judge(view, "ent_coef")
    if found is not None:
        if found.side == "above":
            yield above(found)
        else:
            yield inside(found, -STRONG)
    known = facts(view)
    entropy = known.level("entropy", "entropy_loss")
    if entropy is None or not view.is_rl or view.family == "sac":
        return
    size, end = max(abs(entropy.high), abs(entropy.low)), abs(entropy.end)
    if size > 20.0:  # summed over a batch, or of continuous actions: no number of actions follows from it
        return
    actions = round(math.exp(size))
    if end < 0.9 * size:
        yield Argument(weight=-STRONG, text=f"{entropy.text()}: the policy did commit itself.")
        return
    if actions >= 2 and end > UNIFORM * math.log(actions):
        yield Argument(
            weight=HINT,
            text=f"{entropy.shown} is {say(entropy.end)} at the end, {end / math.log(actions):.1%} of ln({actions}).",
        )
        yield from _held(view, end / math.log(actions))


def _held(view: RunView, share: float) -> Iterator[Argument]:
    """Tell a policy that is held at the maximum from one that has not moved."""
    known = facts(view)
    kl = known.level("kl")
    if kl is not None:
        if kl.high < 1e-5:
            yield Argument(weight=-SIGN, text=f"kl never exceeds {say(kl.high)}: the policy does not move at all.")
        elif kl.end > 1e-4:
            yield Argument(
                weight=SIGN,
                text=f"kl is {say(kl.end)} at the end: updates of ordinary size that keep the policy uniform.",
            )
        return
    spread = view.finite("log_prob_std")
    entropy = view.finite("entropy") or view.finite("entropy_loss")
    if spread is not None and entropy is not None and len(spread) >= 20:
        rough = known.level("log_prob_std")
        steps = abs(entropy.value[1:] - entropy.value[:-1])
        travel = float(steps.sum()) / max(float(entropy.value.max() - entropy.value.min()), 1e-12)
        if rough is not None and rough.noise > 0.08 * rough.end and travel > 8:
            yield Argument(
                weight=SIGN,
                text=f"log_prob_std goes up and down ({say(rough.low)} to {say(rough.high)}) while the entropy "
                f"returns to its maximum: the "
                "policy is pulled back, it does not stand still.",
            )
        elif rough is not None:
            yield Argument(weight=-HINT, text=f"{rough.text()}: the policy stands still rather than being pulled back.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    default, reference = default_of(view, "ent_coef", 0.01)
    yield change(
        view,
        "ent_coef",
        default,
        "the reward must outweigh the bonus for uniform actions",
        tradeoff="Too small a bonus lets the policy collapse: keep the entropy above a tenth of its maximum.",
        reference=reference,
        aliases=("entropy_coef",),
    )


CAUSE = CauseRecord(
    id="entropy-bonus-too-large",
    title="Entropy bonus too large",
    prior=-3.2,
    symptoms={"policy-near-uniform": SIGN, "never-learned": 0.3, "explained-variance-low": 0.3},
    leads_to=("policy-near-uniform", "never-learned", "performance-stagnation"),
    weigh=_weigh,
    changes=_changes,
    would_settle=(
        "The size of ent_coef × entropy beside that of the policy loss.",
        "The same run with a tenth of the coefficient.",
    ),
    references=("Mnih et al. 2016", "Stable-Baselines3 issue 2240"),
    families=("ppo", "a2c", "pg", "rl"),
)
