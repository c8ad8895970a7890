"""The model memorises a small training set; validation gets worse."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

SMALL = 1000  # training examples below which a network of ordinary size can store the set


def _named(present: Present) -> tuple[str, ...]:
    """The held-out and the training metric of the finding."""
    finding = present.get("overfitting")
    return finding.metrics if finding is not None else ()


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    if view.is_rl:
        return
    known = facts(view)
    named = _named(present)
    train, held = known.level("train_loss", "loss"), known.level("val_loss", *named[:1])
    if train is None or held is None:
        return
    if held.end > 2 * train.end and train.end < 0.3 * train.start and held.end - train.end > 0.1:
        gain = STRONG if held.end > 1.1 * held.low else SIGN
        yield Argument(
            weight=gain,
            text=f"{train.shown} ends at {say(train.end)}, {held.shown} at about {say(held.end)} (to line "
            f"{held.last_line}; its best was {say(held.low)}): the gap is memory.",
        )
    elif train.end > 0.6 * train.start:
        yield Argument(weight=-STRONG, text=f"{train.text()}: it has not fitted its training data.")
    elif held.end <= 1.1 * train.end:
        yield Argument(
            weight=-SIGN,
            text=f"{held.shown} ends at {say(held.end)}, beside {say(train.end)} in training: there is no gap.",
        )
    if known.no_signal:
        yield Argument(weight=-STRONG, text="Validation never was better than a guess: there was no knowledge to lose.")
    fall = known.abrupt_fall
    if fall is not None:
        yield Argument(
            weight=-STRONG,
            text=f"It set in at once: {fall.name} falls {say(fall.ratio)} times from line {fall.line} to line "
            f"{fall.last_line}; "
            "memorising a data set takes epochs.",
        )
    size = view.number("n_train", "train_size", "num_train_samples", "train_chars")
    if size is not None and size < (SMALL if view.setting("train_chars") is None else 10 * SMALL):
        yield Argument(weight=HINT, text=f"The training set has {say(size)} items.")


def _shown(view: RunView, present: Present) -> str:
    """The name that the log gives the held-out metric."""
    series = next((s for name in (*_named(present)[:1], "val_loss") if (s := view.get(name)) is not None), None)
    return series.raw_name or series.name if series is not None else "val_loss"


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "dropout",
        0.2,
        "units that are missing at random cannot store single examples",
        tradeoff="Training converges more slowly.",
        reference="Srivastava et al. 2014",
    )
    yield change(
        view,
        "weight_decay",
        0.1 if view.family == "llm" else 1e-4,
        "smaller weights, smoother functions",
        reference="Loshchilov and Hutter 2019",
    )
    yield change(
        view,
        "early stopping",
        f"keep the checkpoint of the best {_shown(view, present)}",
        "everything after it is memory",
        reference="Prechelt 1998, Early Stopping",
    )


CAUSE = CauseRecord(
    id="overfitting",
    title="Overfitting",
    prior=-2.8,
    symptoms={"overfitting": STRONG, "evaluation-noise": 0.0},
    leads_to=("performance-collapse",),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The same run with more data or augmentation: the gap closes.",),
    references=("Goodfellow et al. 2016, section 5.2", "Prechelt 1998"),
    families=("supervised", "llm", "dpo"),
)
