"""A layer that starts at exactly zero and cannot break the symmetry between its outputs.

Evidence for: the loss of a guess to three decimals from the very first record, and staying there; one head that does
not learn beside a twin that does; Q-values of all actions that drift together, as a bias does; Q-range [0, 0] at the
start.
"""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Watch
from logdoctor.view import RunView

EQUAL = 1e-3  # nats: to the printed digits, or as far as the last bias moves the mean of a first epoch
EXACT = 2e-3  # nats from ln k; a random output layer starts 0.01 to 0.1 away from it (He or Xavier initialisation)


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    yield from _guess_from_the_first_record(view)
    yield from _drifting_together(view, present)
    high = facts(view).level("q_max")
    if high is not None and high.end > 50 * max(abs(high.first), 1):
        yield Argument(weight=-SIGN, text=f"q_max reaches {say(high.end)}: the output layer has long left zero.")
    still = facts(view).settled_early("q_max")
    if still is not None and still[0] < 0.3:
        yield Argument(
            weight=-SIGN,
            text=f"q_max stands still from line {still[1]} on; values behind a layer of zeros drift on, as their "
            f"bias does.",
        )


def _guess_from_the_first_record(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    loss = known.level("loss", "train_loss")
    if loss is None or known.guess is None or view.is_rl:
        return
    if abs(loss.first - known.guess) < EXACT and abs(loss.end - known.guess) < 0.01:
        yield Argument(
            weight=STRONG + HINT
            if abs(loss.first - known.guess) < EQUAL and not _mean_of_epoch(view, loss.name)
            else SIGN,
            text=f"{loss.shown} is {say(loss.first)} at the first record (line {loss.first_line}), "
            f"ln({known.classes}) = "
            f"{known.guess:.4f} to within {abs(loss.first - known.guess):.4f}, and is still {say(loss.end)} at "
            f"the end: all "
            "outputs are equal, which random weights never give.",
        )
    elif abs(loss.first - known.guess) > 10 * EXACT:
        yield Argument(
            weight=-STRONG,
            text=f"{loss.shown} begins at {say(loss.first)}, not at ln({known.classes}) = {known.guess:.3f}.",
        )


def _mean_of_epoch(view: RunView, name: str) -> bool:
    """Whether the first record is the mean of an epoch, at whose end the last bias has come near the guess anyway."""
    loss, held = view.finite(name), view.finite("val_loss") or view.finite("val_accuracy")
    return loss is not None and held is not None and len(loss) <= 1.5 * len(held) and len(loss) < 100


def _drifting_together(view: RunView, present: Present) -> Iterator[Argument]:
    known = facts(view)
    low, high, agreement = known.level("q_min"), known.level("q_max"), known.level("agreement")
    if low is None or high is None or high.count < 20:
        return
    together = high.tau > 0.95 and low.tau > 0.9 and low.change > 0.7 * high.change > 0
    flat = agreement is not None and abs(agreement.change) < 10
    if together and flat:
        yield Argument(
            weight=STRONG,
            text=f"{low.text()} and {high.text()} rise together while agreement stays at "
            f"{say(agreement.end) if agreement else ''} %: "
            "all actions move alike, as a bias moves them, and none is told apart.",
        )
    elif not together:
        yield Argument(weight=-0.4, text=f"{low.text()}, {high.text()}: the actions do not move as one.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "output layer initialisation",
        "weights uniform(-0.003, 0.003), bias 0",
        "small random weights break the symmetry",
        tradeoff="The first values scatter by a few tenths instead of being equal.",
        reference="Lillicrap et al. 2016, section 7 (final layers uniform in ±0.003)",
    )


FAR = 0.5  # of its own lowest value: a loss that far above its sibling's has another scale
CONVERGED = 80.0  # percent of agreement from which a policy has settled


def _watch(view: RunView, present: Present) -> Iterator[Watch]:
    lame = present.get("head-not-learning")
    series = [view.finite(name) for name in lame.metrics[:2]] if lame is not None else []
    if len(series) == 2 and series[0] is not None and series[1] is not None and series[0].name.endswith("loss"):
        # Another loss on another scale is no target: what this one had at its best is the least to reach.
        level = max(float(series[1].value[-1]), FAR * float(series[0].lows.min()))
        weight = view.setting(f"{series[0].name}_weight", "discrete_loss_weight")
        stated = f" (now {weight.value})" if weight is not None else ""
        yield Watch(
            metric=series[0].name,
            condition="<=",
            value=float(f"{level:.2g}"),
            within_steps=None,
            sign="recovery",
            otherwise=f"check the weight of this loss{stated}: raise it while {series[0].raw_name} stays far above "
            f"{series[1].raw_name}, lower it when it falls far below",
            why=f"the level of its sibling {series[1].raw_name}"
            if level == float(series[1].value[-1])
            else f"half of its lowest value; its sibling {series[1].raw_name} lies far below",
            horizon="Long term",
        )
    q, zero = view.finite("q_max"), present.get("zero-initial-output")
    if zero is not None and q is not None and len(q) > 2:
        yield Watch(
            metric="q_max",
            condition=">",
            value=float(f"{float(q.value[1:].max()):.3g}"),
            within_steps=None,
            sign="recovery",
            otherwise="The actions are still not told apart: look at the output layer's gradient",
            why="wider than this run ever had, once the gradient flows",
            horizon="Long term",
        )
    stuck = present.get("agreement-stagnates")
    if stuck is not None and len(stuck.metrics) > 1:
        twin = view.finite(stuck.metrics[1])
        if twin is not None:
            yield Watch(
                metric=stuck.metrics[0],
                condition=">=",
                value=float(f"{min(float(twin.value[-1]), CONVERGED):.3g}"),
                within_steps=None,
                sign="recovery",
                otherwise="More exploration (a higher epsilon), if it stands still again",
                why=f"the level of {twin.raw_name}"
                if float(twin.value[-1]) <= CONVERGED
                else f"from there on a policy has converged; {twin.raw_name} is at {float(twin.value[-1]):.3g}",
                horizon="Long term",
            )


CAUSE = CauseRecord(
    id="zero-initialised-layer",
    title="Zero-initialised output layer",
    prior=-3.3,
    symptoms={
        "zero-initial-output": SIGN + HINT,
        "head-not-learning": SIGN,
        "agreement-stagnates": HINT,
        "loss-at-chance": HINT,
        "loss-not-learning": 0.3,
        "agreement-below-random": 0.3,
    },
    leads_to=("head-not-learning", "agreement-stagnates", "loss-at-chance", "loss-not-learning", "zero-initial-output"),
    weigh=_weigh,
    changes=_changes,
    watch=_watch,
    would_settle=("The output layer's weights at step 0.", "The spread of the outputs over actions for one input."),
    references=("Lillicrap et al. 2016", "Goodfellow et al. 2016, Deep Learning, section 8.4"),
)
