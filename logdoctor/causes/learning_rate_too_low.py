"""Updates too small to learn within the budget.

Evidence for: a rate below what the family uses; metrics that move steadily in the right direction and hardly get
anywhere; outputs still at their initial values. Evidence against: a rate inside of the range in use.
"""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor import norms
from logdoctor.causes._evidence import (
    HINT,
    SETTLES,
    SIGN,
    STRONG,
    Present,
    above,
    below,
    climbed,
    inside,
    raise_rate,
    raised,
    seen,
)
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Watch
from logdoctor.view import RunView

KL_NOTHING = 1e-4  # a hundredth of the 0.01 that an update usually makes (Spinning Up's target)


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    for found in norms.learning_rates(view):
        if found.side == "below":
            yield below(found)
        elif found.side == "above":
            yield raised(above(found), -SETTLES)
        else:
            yield inside(found, side="low")
    yield from _creeping(view)
    yield from _outputs(view)
    if climbed(present) is not None:
        yield Argument(weight=-STRONG, text="The training loss rose: small steps lower it, however slowly.")


def _creeping(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    settled = None if view.is_rl else known.settled_at_guess()
    if settled is not None:
        yield Argument(
            weight=-SIGN if known.one_answer is None else -STRONG,
            text=f"{settled.text()}: it went to the loss of a guess and stopped there; small steps would go on.",
        )
        return
    for name in ("val_loss", "loss", "train_loss", "q_max", "q_value"):
        level = known.creeps(name)
        # A loss that is not the task's own (a TD error) may creep for other reasons.
        right = level is not None and (name.startswith("q_") if view.is_rl else level.change < 0)
        if level is not None and right:
            yield Argument(
                weight=STRONG,
                text=f"{level.text()}: it moves steadily one way (rank correlation with time {level.tau:+.2f}) "
                f"but only by "
                f"{abs(level.change) / max(abs(level.start), 1e-12):.1%}.",
            )
            return
    train = known.level("loss", "train_loss")
    if train is not None and not view.is_rl and known.at_chance and train.tau > -0.5:
        yield Argument(weight=-SIGN, text=f"{train.text()}: it does not move the right way, however slowly.")
    steady = known.level("val_loss")
    unfinished = steady is not None and (steady.end > 0.85 * steady.start or known.at_chance)
    if steady is not None and steady.tau < -0.95 and unfinished:
        yield Argument(weight=SIGN, text=f"{steady.text()}: it still falls steadily at the end and has hardly fallen.")


def _outputs(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    value = known.level("value_loss")
    if value is not None and value.start > 1e3 and value.end > 0.3 * value.start:
        yield Argument(
            weight=-SIGN,
            text=f"{value.text()}: a value loss of that size takes the whole clipped gradient, so small updates of the "
            "policy follow from it.",
        )
    kl = known.level("kl")
    if kl is not None and kl.high < KL_NOTHING:
        yield Argument(
            weight=SIGN if kl.high < 0.01 * KL_NOTHING else HINT,
            text=f"kl never exceeds {say(kl.high)} (line {kl.high_line}): an update changes nothing.",
        )
    performance = view.performance
    # With epsilon the return also changes as actions become greedy; on-policy it changes only when the policy does.
    on_policy = view.is_rl and known.level("entropy", "entropy_loss") is not None
    moved = known.level(performance.name) if performance is not None and on_policy else None
    if moved is not None and moved.count >= 20 and abs(moved.change) > max(8 * moved.noise, 0.3 * abs(moved.start)):
        yield Argument(weight=-STRONG, text=f"{moved.text()}: the policy did change, and far.")
    entropy = known.level("entropy", "entropy_loss")
    if entropy is not None and view.is_rl and abs(entropy.change) < 0.01 * abs(entropy.start) and entropy.noise < 1e-3:
        weight = SIGN if abs(entropy.span) < 0.01 * abs(entropy.start) else HINT
        yield Argument(weight=weight, text=f"{entropy.text()}: the policy is still the initial one.")
    top = known.level("q_max", "q_value")
    if top is not None and max(abs(top.high), abs(top.low)) < 0.1:
        yield Argument(
            weight=STRONG,
            text=f"{top.shown} stays between {say(top.low)} and {say(top.high)} over the whole run: the values "
            f"have not left "
            "their initialisation.",
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    still = seen(present, "never-learned", "loss-not-learning", "policy-near-uniform") is not None
    why = (
        "its updates hardly move it away from where it began"
        if still
        else ("the run moves the right way, but needs many times its budget")
    )
    yield from raise_rate(view, why)


def _watch(view: RunView, present: Present) -> Iterator[Watch]:
    performance = view.performance
    if performance is not None:
        yield Watch(
            metric=performance.name,
            condition="rises" if performance.goal == "max" else "falls",
            value=None,
            within_steps=None,
            sign="recovery",
            otherwise="Raise the rate once more, or look at exploration and data.",
        )


CAUSE = CauseRecord(
    id="learning-rate-too-low",
    title="Learning rate too low",
    prior=-2.3,
    symptoms={
        "performance-below-baseline": 0.2,
        "loss-not-learning": SIGN,
        "loss-at-chance": HINT,
        "loss-plateau": 0.3,
        "never-learned": HINT,
        "performance-stagnation": 0.3,
        "policy-near-uniform": HINT,
        "still-improving": HINT,
        "explained-variance-low": 0.3,
        "agreement-stagnates": 0.3,
        "setting-out-of-norm": 0.0,
    },
    leads_to=("never-learned", "loss-not-learning", "policy-near-uniform", "agreement-stagnates", "loss-at-chance"),
    weigh=_weigh,
    changes=_changes,
    watch=_watch,
    would_settle=(
        "The same run with three and with ten times the rate: the curve gets there sooner.",
        "The size of the update relative to the weights; about 1e-3 is usual, 1e-6 changes nothing.",
    ),
    references=("Godbole et al. 2023, Deep Learning Tuning Playbook",),
)
