"""Units that never activate: the output depends on the last bias alone and hardly any gradient flows."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

TINY = (
    1e-3  # a gradient norm of a network that does not learn; live ones are 0.01 to 10 (seed documents, Keras lessons)
)


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    known = facts(view)
    activation = str(view.value("activation") or "").lower()
    if activation and "relu" not in activation:
        yield Argument(weight=-STRONG, text=f"The activation is {activation}, whose units cannot die.")
    elif activation == "relu":
        yield Argument(weight=0.3, text="The activation is relu, whose units can die.")
    for name in known.gradients():
        level = known.level(name)
        if level is not None and 0 < level.end < TINY and level.start < 0.05:
            yield Argument(weight=HINT, text=f"{level.text()}: hardly any gradient from the start.")
            break
    feature = known.level("feature_l2_norm", "feature_std")
    if feature is not None and feature.end == 0:
        yield Argument(weight=STRONG, text=f"{feature.text()}: every unit of the layer is off.")
    yield from _one_answer(view)
    low, high = known.level("q_min"), known.level("q_max")
    if (
        low is not None
        and high is not None
        and high.count > 10
        and abs(high.end - low.end) < 0.01 * max(abs(high.end), 1e-6)
    ):
        yield Argument(
            weight=STRONG, text=f"q_min and q_max are both {say(high.end)}: the output no longer depends on the input."
        )


def _one_answer(view: RunView) -> Iterator[Argument]:
    """A classifier that gives the same answer to every input from the first record on."""
    known = facts(view)
    accuracy, loss = known.level("val_accuracy"), known.level("loss", "train_loss")
    if not known.at_chance or loss is None or known.guess is None or view.is_rl:
        return
    answer, held = known.one_answer, known.level("val_loss")
    if answer is not None and known.settled_at_guess() is not None:
        yield Argument(
            weight=SIGN,
            text=f"{answer.shown} only takes a few values ({say(answer.low)} to {say(answer.high)}) and {loss.shown}"
            f" settles at the {say(known.guess)} of a guess: one answer for every input.",
        )
        calm = known.bias_alone
        if held is not None and calm is not None:
            yield Argument(
                weight=SIGN if calm else -SIGN,
                text=f"val_loss moves by {say(float(f'{held.noise:.2g}'))} from one evaluation to the next: "
                + (
                    "so little moves it when the last bias learns alone."
                    if calm
                    else "more than the last bias can do alone; units that do not die but saturate add to it."
                ),
            )
        return
    close = abs(loss.first - known.guess) < 0.02 and abs(loss.end - known.guess) < 0.01
    constant = accuracy is not None and accuracy.span == 0
    if close and constant and accuracy is not None:
        yield Argument(
            weight=STRONG,
            text=f"val_accuracy is {say(accuracy.first)} in all {accuracy.count} records and the loss is that of "
            f"a guess: "
            "the same answer for every input.",
        )
    elif close or constant:
        yield Argument(weight=SIGN, text=f"{loss.text()}: outputs that hardly depend on the input, from the start.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "activation",
        "leaky_relu (slope 0.01), biases at 0",
        "every unit keeps a gradient",
        tradeoff="None worth naming.",
        reference="Maas et al. 2013; He et al. 2015 for the initialisation",
    )


CAUSE = CauseRecord(
    id="dead-relu",
    title="Dead ReLU units",
    prior=-3.8,
    symptoms={"gradient-dead": SIGN, "gradient-vanishing": HINT, "loss-at-chance": HINT, "loss-not-learning": HINT},
    leads_to=("gradient-dead", "gradient-vanishing", "loss-at-chance", "never-learned"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The share of units that are zero for a whole batch, layer by layer.",),
    references=("Maas et al. 2013, Rectifier Nonlinearities", "Lu et al. 2019, Dying ReLU and Initialization"),
)
