"""Too many epochs or too wide a clip range per batch of on-policy data."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change, high
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.norms import judge, number
from logdoctor.view import RunView

OFF_POLICY = frozenset({"dqn", "sac", "td3"})


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    if view.family in OFF_POLICY:
        yield Argument(
            weight=-STRONG, text=f"{view.family} learns from a replay buffer, not from batches of its policy."
        )
        return
    yield from high(view, "n_epochs", "clip_range", against=-HINT)
    known = facts(view)
    kl, clipped = known.level("kl"), known.level("clip_fraction")
    if kl is not None and kl.high > 0.05:
        yield Argument(
            weight=SIGN if kl.high > 0.5 else HINT,
            text=f"kl reaches {say(kl.high)} (line {kl.high_line}); 0.02 is the usual ceiling.",
        )
        if clipped is not None and clipped.high < 0.05:
            yield Argument(
                weight=SIGN,
                text=f"clip_fraction never exceeds {say(clipped.high)} although kl reaches {say(kl.high)}: the "
                f"clip range is too wide to act.",
            )
    elif kl is not None:
        yield Argument(weight=-SIGN, text=f"kl never exceeds {say(kl.high)}: the updates are small.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    epochs, clip = view.number("n_epochs"), judge(view, "clip_range")
    if epochs is not None and epochs > 4:
        target = 10.0 if epochs > 20 else float(round(epochs / 2))
        yield change(
            view,
            "n_epochs",
            target,
            "fewer passes over the same rollout keep the policy near the one that collected it",
            tradeoff="Each rollout teaches less.",
            reference="Schulman et al. 2017 (3 to 10 epochs)",
            arithmetic=f"{number(epochs)} / {number(target)} = {epochs / target:.3g} times fewer updates per rollout",
        )
    if clip is not None and clip.side == "above":
        yield change(
            view, "clip_range", 0.2, "the ratio is then held within 0.8 and 1.2", reference="Schulman et al. 2017"
        )
    yield change(
        view,
        "target_kl",
        0.015,
        "stop the epochs of an update once the policy has moved this far",
        tradeoff="Some rollouts are used for fewer epochs.",
        reference="Spinning Up (stops at 1.5 × 0.01)",
    )


CAUSE = CauseRecord(
    id="policy-update-too-large",
    title="Policy update too large",
    prior=-3.0,
    symptoms={
        "kl-blow-up": SIGN + HINT,
        "clip-fraction-high": SIGN,
        "entropy-collapse": 0.3,
        "performance-collapse": 0.3,
        "explained-variance-low": 0.1,
    },
    leads_to=("kl-blow-up", "clip-fraction-high", "policy-collapse", "performance-collapse", "entropy-collapse"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("kl after each epoch of one update.", "The same run with target_kl 0.015."),
    references=("Schulman et al. 2017", "Huang et al. 2022, The 37 Implementation Details of PPO"),
    families=("ppo", "grpo", "rl"),
)
