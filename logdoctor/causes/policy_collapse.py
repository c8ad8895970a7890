"""The policy became deterministic too early: the entropy is near zero and with it the learning signal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change, default_of
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Watch
from logdoctor.view import RunView

SMALL_INIT = 0.05  # standard deviation of output weights at which two logits differ by a few hundredths only
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
            text=f"It was so from the first record on ({entropy.shown} {say(entropy.first)}, line "
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
    kappa = _kappa(view, present)
    if kappa is not None and kappa < 0:
        yield Argument(weight=HINT, text=f"kappa = {say(kappa)}: a risk-seeking objective amplifies early luck.")


def _kappa(view: RunView, present: Present) -> float | None:
    """Return the risk sensitivity at the collapse: what the log prints beside its blocks, or the configured one."""
    dead = present.get("deterministic-policy") or present.get("entropy-collapse")
    for name in ("kappa", "κ"):
        series = view.finite(name)
        if series is not None and dead is not None and dead.onset is not None:
            before = np.flatnonzero(series.line <= dead.onset.line)
            return float(series.value[before[-1] if before.size else 0])
    return view.number("kappa")


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

    std = view.setting("init_std")
    if std is not None and isinstance(std.value, (int, float)) and 0 <= std.value <= SMALL_INIT:
        yield change(
            view,
            "init_std",
            0.1,
            "the output weights start large enough for a clear gradient (0 means the program's own small default)"
            if std.value == 0
            else "the output weights start large enough for a clear gradient",
            tradeoff="May need tuning: too large, and the policy starts one-sided.",
            reference="Andrychowicz et al. 2021 (initial policy scale)",
        )
    kappa = _kappa(view, present)
    if kappa is not None and kappa < 0:
        yield change(
            view,
            "kappa",
            "from 0 in small steps",
            "a policy that has learned something is not fixed by early luck",
            tradeoff="A longer schedule.",
            reference="Mihatsch and Neuneier 2002, Risk-Sensitive Reinforcement Learning",
        )


def _mechanism(view: RunView, present: Present) -> Iterator[str]:
    if "deterministic-policy" not in present and "entropy-collapse" not in present:
        return
    yield "log(1) = 0 and log(0.999) = -0.001: gradient = log-probability × advantage ≈ 0, whatever the advantage"
    limit = view.number("max_grad_norm")
    if limit:
        yield f"max_grad_norm = {say(limit)} limits large gradients; it cannot bring back one that is 0"
    kappa = _kappa(view, present)
    if kappa is not None and -1 < kappa < 0:
        yield f"kappa = {say(kappa)}: positive errors weigh {say(1 - kappa)} times, so early luck counts more"
    network = str(view.value("network_type") or "").lower()
    if network == "gru":
        yield "network_type gru: tanh units cannot die as ReLU units can; a deterministic policy stops it all the same"
    elif network in {"simple", "rnn", "simple_rnn"}:
        yield f"network_type {network}: units behind a ReLU can die as well, look at their activations"


def _watch(view: RunView, present: Present) -> Iterator[Watch]:
    yield Watch(
        metric="entropy",
        condition=">=",
        value=0.1,
        within_steps=None,
        sign="recovery",
        otherwise="Raise ent_coef to 0.05, then 0.1; if learning gets too slow, lower it to 0.005",
        why="below it the gradients fade",
    )
    dead = present.get("deterministic-policy")
    for name in dead.metrics if dead is not None else ():
        if "norm" in name or name.endswith("_std"):
            yield Watch(
                metric=name,
                condition=">=",
                value=0.1 if "norm" in name else 0.01,
                within_steps=None,
                sign="recovery",
                otherwise="Raise ent_coef to 0.05, then 0.1",
                why="a gradient that still moves the policy" if "norm" in name else "different actions are still taken",
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
    mechanism=_mechanism,
    watch=_watch,
    would_settle=("The action shares over one rollout.", "The same run with ent_coef 0.01."),
    references=(
        "Mnih et al. 2016, section 4 (entropy against premature convergence)",
        "Ahmed et al. 2019, Understanding the impact of entropy",
    ),
    families=("ppo", "a2c", "pg", "sac", "grpo", "rl"),
)
