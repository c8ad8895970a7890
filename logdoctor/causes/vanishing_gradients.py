"""Saturating activations or too much depth: almost no gradient reaches the early layers.

Evidence for: a saturating activation in a deep network; a loss that sits near a guess and leaves it late and
suddenly; a loss that falls to the loss of a guess at once and stays there; gradients that shrink towards the input.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Floats
from logdoctor.view import RunView

DEEP = 5  # layers from which sigmoid networks without normalisation fail to train (Glorot and Bengio 2010, figure 3)

PACE = 1 / 3  # of the pace after it: a slower stretch is a level, as where a loss is said to have stopped


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    yield from _architecture(view)
    yield from _curve(view)


def _architecture(view: RunView) -> Iterator[Argument]:
    activation = str(view.value("activation") or "").lower()
    depth = view.number("n_layers", "num_layers", "depth", "T")
    if activation in {"sigmoid", "tanh", "logistic"} and depth is not None and depth >= DEEP:
        yield Argument(
            weight=STRONG + HINT,
            text=f"{say(depth)} layers with {activation}, whose derivative is at most "
            f"{'0.25' if activation != 'tanh' else '1'}: {0.25 ** min(depth, 99):.1e} of the gradient is "
            f"left at the input at best."
            if activation != "tanh"
            else f"{say(depth)} layers with tanh, which saturates.",
        )
    elif activation in {"relu", "gelu", "silu", "leaky_relu"}:
        yield Argument(weight=-SIGN, text=f"The activation is {activation}, which does not saturate.")
    elif activation and depth is not None and depth < DEEP:
        yield Argument(weight=-HINT, text=f"{say(depth)} layers are not deep.")


def _curve(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    if view.is_rl or known.guess is None:
        return
    loss = view.finite("val_loss") or view.finite("loss")
    level = known.level("loss", "train_loss")
    if loss is None or level is None or len(loss) < 15:
        return
    near = np.abs(loss.value - known.guess) < 0.03 * known.guess
    stay = int(np.argmin(near)) if not near.all() else near.size
    if 0.08 * near.size < stay < near.size and loss.value[-1] < 0.97 * known.guess and _sudden(loss.value, stay):
        yield Argument(
            weight=STRONG + HINT,
            text=f"{loss.name} sits at the {say(known.guess)} of a guess for {stay} of {near.size} records (to "
            f"line {int(loss.line[stay - 1])}) and only "
            "then begins to fall: the first layers get almost no signal.",
        )
    elif (
        known.at_chance
        and near[near.size // 2 :].all()
        and (known.settled_at_guess() is not None or 1e-4 < level.end - known.guess < 0.03)
        and level.first < 1.2 * known.guess
        and known.level("val_loss") is not None
        and abs(level.first - known.guess) > 2e-3
    ):
        alone = known.bias_alone
        yield Argument(
            weight=SIGN + (0.0 if alone is None else -SIGN + 0.1 if alone else HINT),
            text=f"{level.text()}: it settles at the {say(known.guess)} of a guess at once; only the last bias has "
            "learned the class shares.",
        )


def _sudden(value: Floats, stay: int) -> bool:
    """Whether a loss stood still for ``stay`` records before it fell: one that falls at one pace passes every level."""
    before = float(value[0] - value[stay - 1]) / max(stay - 1, 1)
    after = float(value[stay - 1] - value[-1]) / (value.size - stay)
    return before < PACE * after


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "activation",
        "relu",
        "its derivative is 1 where it is active, so depth does not shrink the gradient",
        tradeoff="Units can die: start with He initialisation.",
        reference="Glorot et al. 2011; He et al. 2015",
    )


def _mechanism(view: RunView, present: Present) -> Iterator[str]:
    depth = view.number("n_layers", "num_layers", "depth")
    if depth is not None and str(view.value("activation") or "").lower() == "sigmoid":
        yield f"0.25^{depth:g} = {0.25**depth:.1e}: largest share of the gradient that passes {depth:g} sigmoid layers"


CAUSE = CauseRecord(
    id="vanishing-gradients",
    title="Vanishing gradients",
    prior=-3.3,
    symptoms={
        "gradient-vanishing": STRONG,
        "gradient-dead": HINT,
        "loss-at-chance": HINT,
        "loss-not-learning": HINT,
        "loss-plateau": 0.3,
    },
    leads_to=("gradient-vanishing", "loss-at-chance", "loss-not-learning", "never-learned"),
    weigh=_weigh,
    changes=_changes,
    mechanism=_mechanism,
    would_settle=("The gradient norm layer by layer: it shrinks by a constant factor towards the input.",),
    references=(
        "Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks",
        "Pascanu et al. 2013",
    ),
)
