"""Observations, pixels or features orders of magnitude too large.

Evidence for: a scale of the inputs in the settings; a loss, a gradient norm or a feature norm that is enormous at the
very first record, before any update can have caused it; permanent clipping from the first record on.
"""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor import norms
from logdoctor.causes._evidence import HINT, SETTLES, SIGN, STRONG, Present, change, where
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Setting
from logdoctor.view import RunView

LARGE = 10.0  # inputs of a network should have a deviation of about 1 (LeCun et al. 1998); ten times is far
FEATURES = 50.0  # L2 norm of a layer's features at the first record; 10 to 100 is the healthy band of a trained network
_WORDS = ("obs", "pixel", "input", "image", "feature", "state")

FIRST_LOSS = 5.0  # times ln k: fresh weights on inputs of deviation 1 begin within a half of ln k (He et al. 2015)


def _before_learning(view: RunView, name: str) -> bool:
    """Whether the first record of a loss is one of its first batches and not the mean of an epoch of updates."""
    loss, held = view.finite(name), view.finite("val_loss") or view.finite("val_accuracy")
    if loss is None:
        return False
    if held is not None and len(held):
        return int((loss.line < held.line[0]).sum()) >= 3
    return len(loss) >= 100


def _scale(view: RunView) -> Setting | None:
    """Return the setting that scales the inputs, if one is stated."""
    for name, setting in view.settings.items():
        if "scale" in name and any(word in name for word in _WORDS):
            return setting
    return None


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    setting = _scale(view)
    value = None if setting is None else norms.as_number(setting.value)
    if setting is not None and value is not None:
        if value > LARGE:
            yield Argument(
                weight=SETTLES if value >= 100 else STRONG,
                text=f"{setting.raw_name} = {say(value)} ({where(setting.line, setting.source)}): inputs are that "
                f"many times too large.",
            )
        else:
            yield Argument(
                weight=-STRONG, text=f"{setting.raw_name} = {say(value)} ({where(setting.line, setting.source)})."
            )
    flag = view.setting("normalize_obs", "norm_obs", "normalize_observations", "normalize_inputs", "normalize")
    if flag is not None and flag.value in (True, False):
        yield Argument(
            weight=HINT if flag.value is False else -STRONG,
            text=f"{flag.raw_name} is {flag.value} ({where(flag.line, flag.source)}).",
        )
    yield from _first_record(view)


def _first_record(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    loss = known.level("loss", "train_loss")
    huge = loss is not None and loss.first > 100 and loss.end < 0.01 * loss.first
    if loss is not None and not view.is_rl and not huge and _before_learning(view, loss.name):
        guess = known.guess
        if guess is not None and loss.first > FIRST_LOSS * guess:
            yield Argument(
                weight=STRONG + HINT,
                text=f"{loss.shown} is {say(loss.first)} at the first record (line {loss.first_line}), "
                f"{say(loss.first / guess)} times the {say(guess)} of a guess among {known.classes} classes, before "
                "any update could have made it so.",
            )
    if loss is not None and not view.is_rl and huge:
        yield Argument(
            weight=STRONG,
            text=f"{loss.shown} is {say(loss.first)} at the first record (line {loss.first_line}) and "
            f"{say(loss.end)} at the end; "
            "a cross-entropy of that size needs outputs in the hundreds before anything was learned.",
        )
    features = known.level("feature_l2_norm")
    if features is not None and features.first > FEATURES:
        yield Argument(
            weight=SIGN + HINT,
            text=f"feature_l2_norm is {say(features.first)} at its first record (line {features.first_line}); 10 "
            f"to 100 is usual "
            "after training, about 1 before.",
        )
    critic = known.level("critic_loss", "td_error")
    if features is not None and features.first > FEATURES and critic is not None:
        if critic.first > 5 * max(critic.end, 1e-9):
            yield Argument(weight=SIGN, text=f"{critic.text()}: the first values are as large as the inputs make them.")
        else:
            yield Argument(weight=-SIGN, text=f"{critic.text()}: inputs too large would have made it large at once.")
    for name in known.gradients():
        level, delta = known.level(name), known.level("clip_delta")
        if level is None:
            continue
        if level.first > 50 and level.first > 5 * level.end and view.is_rl:
            yield Argument(
                weight=HINT if delta is None else SIGN,
                text=f"{name} is {say(level.first)} at the first record (line {level.first_line}), "
                f"{say(level.first / max(level.end, 1e-12))} times its end: the inputs, not the training, made it.",
            )
            break


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    setting = _scale(view)
    parameter = setting.name if setting is not None else "input normalisation"
    yield change(
        view,
        parameter,
        1.0 if setting is not None else "subtract the mean, divide by the deviation (pixels: divide by 255)",
        "inputs of a deviation of about 1 keep the first layers in their working range",
        tradeoff="A trained model must be used with the same normalisation.",
        reference="LeCun et al. 1998, Efficient BackProp",
    )


CAUSE = CauseRecord(
    id="unnormalised-inputs",
    title="Inputs not normalised",
    prior=-3.2,
    symptoms={
        "feature-norm-explosion": SIGN,
        "clip-saturation": HINT,
        "gradient-explosion": 0.3,
        "action-saturation": HINT,
        "loss-at-chance": 0.3,
        "never-learned": 0.3,
    },
    leads_to=(
        "feature-norm-explosion",
        "gradient-explosion",
        "clip-saturation",
        "action-saturation",
        "never-learned",
        "dead-relu",
    ),
    weigh=_weigh,
    changes=_changes,
    would_settle=("Mean and deviation of the inputs as they enter the network.",),
    references=(
        "LeCun et al. 1998, Efficient BackProp",
        "Andrychowicz et al. 2021 (observation normalisation matters)",
    ),
)
