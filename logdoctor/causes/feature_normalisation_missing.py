"""A convolution stack without normalisation: feature norms grow without bound and the values with them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Watch
from logdoctor.rules._values import largest_return
from logdoctor.view import RunView

USUAL = 100.0  # L2 norm of a feature layer; 10 to 100 in published image-based agents


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    setting = view.setting("layer_norm", "batch_norm", "normalization")
    flag = setting.value if setting is not None else None
    if setting is not None and (flag is False or str(flag).lower() == "none"):
        yield Argument(weight=HINT, text="The network has no normalisation layer.")
    elif flag not in (None, False):
        yield Argument(weight=-STRONG, text=f"The network is normalised ({flag}).")
    level = facts(view).level("feature_l2_norm")
    if level is None:
        return
    if level.high > 10 * USUAL and level.high > 10 * max(level.first, 1e-9):
        yield Argument(
            weight=SIGN + HINT,
            text=f"{level.text()}, up to {say(level.high)} (line {level.high_line}); 10 to 100 is usual: the "
            f"features grew.",
        )
    elif level.high > 1e6:
        yield Argument(
            weight=STRONG,
            text=f"feature_l2_norm reaches {say(level.high)} (line {level.high_line}); 10 to 100 is usual.",
        )
    elif level.high < 2 * USUAL:
        yield Argument(weight=-SIGN, text=f"feature_l2_norm never exceeds {say(level.high)}.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "layer_norm",
        "LayerNorm after every convolution and the first dense layer",
        "bounds the norm of the features whatever the weights do",
        tradeoff="A few per cent of the step time.",
        reference="Ba et al. 2016, Layer Normalization",
    )
    rate = view.number("actor_learning_rate", "critic_learning_rate", "learning_rate")
    if rate is not None and "feature-norm-explosion" in present and view.is_rl:
        yield Change(
            parameter="learning rate of the feature layers",
            from_=rate,
            to=float(f"{rate / 3:.1g}"),
            why="features that many losses share move more slowly than the heads behind them",
            tradeoff="The features learn more slowly.",
            reference="Fujimoto et al. 2018 (TD3, 3e-4 for the heads); a third of it for the features",
            where="one rate for all layers",
        )


def _watch(view: RunView, present: Present) -> Iterator[Watch]:
    yield Watch(
        metric="feature_l2_norm",
        condition="between",
        value=10.0,
        value2=100.0,
        within_steps=None,
        sign="recovery",
        otherwise="Look at the scale of the input images",
        why="the healthy band of a feature layer",
    )
    if "critic-loss-explosion" in present and (critic := view.finite("critic_loss")) is not None:
        yield Watch(
            metric="critic_loss",
            condition="<",
            value=float(f"{float(np.mean(critic.value)) / 10:.1g}"),
            within_steps=None,
            sign="recovery",
            otherwise="Lower the learning rate of the critic",
            why=f"a tenth of its mean of {say(float(f'{float(np.mean(critic.value)):.4g}'))} in this run",
        )
    top = largest_return(view)
    if "actor-loss-explosion" in present and view.get("actor_loss") is not None and top is not None:
        limit = float(f"{10 * top[0]:.1g}")
        yield Watch(
            metric="actor_loss",
            condition="between",
            value=-limit,
            value2=limit,
            within_steps=None,
            sign="recovery",
            otherwise="Look for overestimation: the values exceed what can be earned",
            why=f"ten times the largest return of {say(float(f'{top[0]:.4g}'))}: a value cannot be much more",
        )
    if "td-error-flat" in present and (error := view.finite("td_error")) is not None:
        middle = float(np.median(error.value))
        yield Watch(
            metric="td_error",
            condition="<",
            value=float(f"{middle / 2:.2g}"),
            within_steps=None,
            sign="recovery",
            otherwise="The critic still does not converge: slow the target network",
            why=f"half of the {say(float(f'{middle:.3g}'))} at which it stood",
        )


def _mechanism(view: RunView, present: Present) -> Iterator[str]:
    """The chain from the features to the reward, as far as this log shows its links."""
    known = facts(view)
    level = known.level("feature_l2_norm")
    if level is None or "feature-norm-explosion" not in present:
        return
    links = [f"features from {say(level.first)} to {say(level.high)}"]
    actor, critic = known.level("actor_loss"), known.level("critic_loss")
    if actor is not None and "actor-loss-explosion" in present:
        links.append(f"values scaled with them (actor loss {say(max(abs(actor.low), abs(actor.high)))} in size)")
    if critic is not None and "critic-loss-explosion" in present:
        links.append(f"critic loss up to {say(critic.high)}")
    if "td-error-flat" in present:
        links.append("TD error does not fall")
    if "performance-collapse" in present or "never-learned" in present:
        links.append("policy updates point the wrong way → the reward falls")
    if len(links) > 1:
        yield " → ".join(links)


CAUSE = CauseRecord(
    id="feature-normalisation-missing",
    title="Features not normalised",
    prior=-3.5,
    symptoms={
        "feature-norm-explosion": 3.0,
        "actor-loss-explosion": HINT,
        "critic-loss-explosion": 0.3,
        "overestimation": 0.3,
    },
    leads_to=(
        "feature-norm-explosion",
        "overestimation",
        "actor-loss-explosion",
        "critic-loss-explosion",
        "performance-collapse",
    ),
    weigh=_weigh,
    changes=_changes,
    mechanism=_mechanism,
    watch=_watch,
    would_settle=("The feature norm layer by layer.", "The same run with LayerNorm."),
    references=("Ba et al. 2016", "Lyle et al. 2023, Understanding Plasticity in Neural Networks"),
)
