"""No target network, or one that follows the online network too closely (tau near 1, update interval near 1)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from logdoctor.causes._evidence import HINT, SIGN, Present, change, high, low
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.norms import number
from logdoctor.view import RunView

HORIZON = 100  # updates after which the age of the target is stated, as one says it aloud
LARGE_FIRST_LOSS = 50.0  # squared errors of targets within ±10 stay near or below it at the first record (Jones 2021)
RUNAWAY = 100.0  # times: rewards are bounded, so an error that grows by two orders of magnitude grows with its targets
FAMILIES = ("dqn", "sac", "td3", "rl")


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    tau = view.number("tau")
    if (
        (tau is not None and tau < 1)
        or view.setting("target_update") is None
        or (tau is not None and (view.number("target_update") or 0) <= 1)
    ):
        yield from high(view, "tau")
    if not (tau is not None and tau < 1):
        yield from low(view, "target_update")
    if tau is not None and 0.008 <= tau <= 0.05 and ("q-divergence" in present or "q-above-bound" in present):
        yield Argument(
            weight=SIGN + HINT,
            text=f"tau = {number(tau)}: after {HORIZON} updates the target is 1 - (1 - {number(tau)})^{HORIZON} = "
            f"{1 - (1 - tau) ** HORIZON:.0%} new, so it follows the network that diverges.",
        )
    known = facts(view)
    loss = known.level("critic_loss", "d_loss", "loss")
    if (
        loss is not None
        and view.family in FAMILIES
        and loss.tau > 0.8
        and loss.start > 0
        and loss.end > RUNAWAY * loss.start
    ):
        yield Argument(
            weight=SIGN + HINT,
            text=f"{loss.text()}: an error of the values that grows all through the run, {say(loss.end / loss.start)} "
            "times, is fed by targets that follow it.",
        )
    q = known.level("q_max", "q_value", "actor_loss")
    if loss is not None and q is not None and loss.start > 100 and abs(q.start) > 10 and view.family in FAMILIES:
        yield Argument(
            weight=SIGN,
            text=f"{q.shown} is {say(q.start)} and {loss.shown} {say(loss.start)} from the first records on: the "
            f"bootstrap feeds "
            "itself at once.",
        )
    returns = known.level("episode_return", "dqn_reward_1m", "reward")
    # A loss that is large before any value was learned is the reward's own scale, not a target that runs away.
    scaled = loss is not None and loss.first > LARGE_FIRST_LOSS
    if q is not None and returns is not None and view.family in FAMILIES and not scaled:
        yield from _out_of_proportion(view, q.name, max(abs(returns.high), abs(returns.low)))
    if q is not None and max(abs(q.high), abs(q.low)) > 1e5:
        yield Argument(
            weight=SIGN, text=f"{q.shown} reaches {say(max(abs(q.high), abs(q.low)))}: nothing holds the target back."
        )


def _out_of_proportion(view: RunView, name: str, largest: float) -> Iterator[Argument]:
    """Values several times the largest return of a whole episode, early and not by a slow climb."""
    series = view.finite(name)
    if series is None or len(series) < 10 or largest <= 0:
        return
    early = series.value[: max(3, len(series) // 5)]
    index = int(np.argmax(np.abs(early)))
    ratio = abs(float(early[index])) / largest
    fresh = float(series.step[0]) <= 0.1 * float(series.step[-1]) and abs(float(series.value[0])) < largest
    if ratio > 3 and fresh:
        yield Argument(
            weight=SIGN + HINT,
            text=f"{name} is {say(float(early[index]))} by line {int(series.line[index])}, {say(ratio)} times the "
            f"largest "
            f"return of an episode ({say(largest)}), in the first fifth of the run: the target runs away with its "
            f"network.",
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    tau, interval = view.number("tau"), view.number("target_update")
    if tau is not None and (tau < 1 or interval is None):
        yield change(
            view,
            "tau",
            0.005,
            "a target that moves slowly gives steady bootstrap values",
            tradeoff="New knowledge reaches the targets more slowly.",
            arithmetic=f"after {HORIZON} updates: 1 - (1 - {number(tau)})^{HORIZON} = "
            f"{1 - (1 - tau) ** HORIZON:.1%} new; with 0.005: "
            f"{1 - 0.995**HORIZON:.1%} new",
            reference="Haarnoja et al. 2018; Lillicrap et al. 2016 (tau 0.005 and 0.001)",
        )
        yield from _brake(view, present)
    elif interval is not None:
        yield change(
            view,
            "target_update",
            1000.0 if interval < 1000 else 10_000.0,
            "hold the target still between copies",
            tradeoff="Values travel backwards more slowly.",
            reference="Mnih et al. 2015 (a copy every 10,000 steps)",
        )
    else:
        yield change(
            view,
            "tau",
            0.005,
            "a target that moves slowly gives steady bootstrap values",
            reference="Haarnoja et al. 2018",
        )


def _brake(view: RunView, present: Present) -> Iterator[Change]:
    """Clipping the targets, where the program can and does not: the last resort, because it puts a ceiling on Q."""
    switch = view.setting("clamp_targets", "clip_targets")
    if switch is None or switch.value not in (False, 0, "off", "none", "false") or "q-divergence" not in present:
        return
    limit = view.number("target_clamp_value", "td_target_clip")
    yield change(
        view,
        switch.name,
        True,
        "emergency brake, only if Q still explodes after the other changes"
        + (f" (target_clamp_value {number(limit)})" if limit else ""),
        tradeoff="An artificial ceiling on Q, which may limit what can be learned.",
        reference="Mnih et al. 2015 (clipping of the error)",
    )


def _mechanism(view: RunView, present: Present) -> Iterator[str]:
    tau = view.number("tau")
    if tau is not None and 0 < tau < 1:
        speed = view.finite("steps_per_second")
        pace = float(np.median(speed.value)) if speed is not None else 0.0
        seconds = f" ({HORIZON / pace:.2g} s at {pace:.3g} steps/s)" if pace > 0 else ""
        share = 1 - (1 - tau) ** HORIZON
        yield (
            f"1 - (1 - {number(tau)})^{HORIZON} = {share:.3f}: share of new weights after {HORIZON} updates{seconds}; "
            f"{1 - share:.3f} is old"
        )
        if tau > 0.005:
            yield f"1 - (1 - 0.005)^{HORIZON} = {1 - 0.995**HORIZON:.3f}: the same with tau = 0.005"


CAUSE = CauseRecord(
    id="target-network-unstable",
    title="Target network follows too closely",
    prior=-3.0,
    symptoms={
        "q-divergence": SIGN,
        "q-above-bound": HINT,
        "critic-loss-explosion": HINT,
        "loss-divergence": HINT,
        "overestimation": HINT,
        "value-scale-suspicious": HINT,
        "actor-loss-explosion": HINT,
    },
    leads_to=(
        "q-divergence",
        "q-above-bound",
        "overestimation",
        "critic-loss-explosion",
        "performance-collapse",
        "loss-divergence",
    ),
    weigh=_weigh,
    changes=_changes,
    mechanism=_mechanism,
    would_settle=(
        "The same run with tau 0.005 (or a copy every 1,000 updates).",
        "The age of the target network in the log.",
    ),
    references=("Mnih et al. 2015", "van Hasselt et al. 2018, Deep Reinforcement Learning and the Deadly Triad"),
    families=FAMILIES,
)
