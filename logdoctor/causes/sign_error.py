"""A wrong sign of the loss, the advantage or the reward: the program optimises the opposite of what it should.

Evidence for: training that is plainly effective (loss, entropy or values move smoothly and far) while the performance
moves just as smoothly the wrong way, below where a random policy or a guess starts.
"""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    known = facts(view)
    performance = view.performance
    if performance is None:
        return
    level = known.level(performance.name)
    if level is None:
        return
    worse = level.change if performance.goal == "min" else -level.change
    loss = known.level("loss", "train_loss", "val_loss")
    rising = not view.is_rl and loss is not None and loss.end > 1.5 * loss.first and loss.low >= 0.9 * loss.first
    if not rising and (worse <= 0 or known.improvement > 6):
        yield Argument(weight=-STRONG, text=f"{level.text()}: it moved the right way.")
        return
    if view.is_rl:
        yield from _policy(view, worse, level.noise)
    else:
        yield from _classifier(view)


def _policy(view: RunView, worse: float, noise: float) -> Iterator[Argument]:
    known = facts(view)
    level = known.level(view.performance.name) if view.performance else None
    entropy, kl = known.level("entropy", "entropy_loss"), known.level("kl")
    if level is None or worse < 3 * noise:
        return
    committed = entropy is not None and abs(entropy.end) < 0.6 * abs(entropy.start) and abs(entropy.start) > 0.3
    gentle = kl is None or kl.high < 0.1
    if committed and gentle and entropy is not None:
        yield Argument(
            weight=STRONG + (HINT if abs(level.tau) > 0.7 else 0.0),
            text=f"{level.text()} while {entropy.text()}: the policy commits itself, to what is worse than chance.",
        )


def _classifier(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    loss = known.level("loss", "train_loss", "val_loss")
    if loss is None:
        return
    if loss.end < -0.5:
        yield Argument(weight=STRONG, text=f"{loss.text()}: a cross-entropy cannot be negative.")
    elif loss.end > 3 * max(loss.first, 1e-9) and loss.low >= 0.9 * loss.first:
        smooth = known.maximised is not None
        course = "rises steadily from the first record on"
        course = course if smooth else "grows, and never comes clearly below its first value"
        yield Argument(
            weight=STRONG + HINT + (SIGN if smooth else 0.0),
            text=f"{loss.text()}: it {course}, as if it were maximised.",
        )
    accuracy = known.level("val_accuracy", "accuracy")
    if accuracy is not None and known.classes and accuracy.end < 0.3 / known.classes:
        yield Argument(weight=SIGN, text=f"{accuracy.text()}: far below the {1 / known.classes:.1%} of a guess.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "sign of the objective",
        "minimise -J (returns, log-likelihood), minimise +loss",
        "the optimiser minimises",
        tradeoff="None.",
        reference="Jones 2021, Debugging RL, Without the Agonizing Pain",
    )


CAUSE = CauseRecord(
    id="sign-error",
    title="Wrong sign of loss, advantage or reward",
    prior=-4.0,
    symptoms={
        "loss-divergence": 0.5,
        "loss-explosion": HINT,
        "gradient-explosion": 0.2,
        "performance-collapse": 0.2,
        "agreement-below-random": HINT,
        "never-learned": 0.2,
        "loss-not-learning": 0.2,
    },
    leads_to=("loss-divergence", "never-learned", "agreement-below-random", "performance-collapse"),
    weigh=_weigh,
    changes=_changes,
    would_settle=(
        "One update by hand: does the log-probability of an action with positive advantage rise?",
        "The same run with the sign turned.",
    ),
    references=("Jones 2021, Debugging RL, Without the Agonizing Pain",),
)
