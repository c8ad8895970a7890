"""Full step size from the first update where the model needs a ramp (deep or post-norm transformers, Adam)."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    known = facts(view)
    rate, warmup = known.rate, view.number("warmup_steps")
    loss = known.level("loss", "train_loss")
    stuck = loss is not None and loss.end > 0.6 * loss.first
    if rate is not None:
        if rate.warm:
            yield Argument(
                weight=-STRONG,
                text=f"The learning rate ramps up: {say(rate.first)} at the first record, {say(rate.peak)} at "
                f"line {rate.peak_line}.",
            )
        elif view.family in {"llm", "grpo", "dpo"} and stuck and rate.peak > 1e-3:
            yield Argument(
                weight=STRONG,
                text=f"The first logged learning rate is already the full {say(rate.first)}: there is no warm-up, "
                f"and the loss "
                "stalls at once.",
            )
        elif view.family == "llm":
            yield Argument(weight=0.7, text=f"The first logged learning rate is already the full {say(rate.first)}.")
    if warmup is not None:
        if warmup > 0:
            yield Argument(weight=-STRONG, text=f"warmup_steps is {say(warmup)}.")
        elif stuck:
            yield Argument(weight=SIGN, text="warmup_steps is 0.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    budget = view.number("max_steps", "max_iters") or view.span[1]
    target = float(max(10, round(0.05 * budget))) if budget else 100.0
    yield change(
        view,
        "warmup_steps",
        target,
        "ramp the rate up over the first 5 % of the run",
        tradeoff="The first steps learn less.",
        arithmetic=f"0.05 × {say(budget)} = {say(target)}",
        reference="Xiong et al. 2020, On Layer Normalization in the Transformer Architecture",
        aliases=("warmup_iters",),
    )


CAUSE = CauseRecord(
    id="learning-rate-warmup-missing",
    title="No learning-rate warm-up",
    prior=-3.7,
    symptoms={
        "learning-rate-warmup-missing": STRONG,
        "loss-explosion": 0.3,
        "loss-not-learning": 0.5,
        "loss-plateau": 0.3,
    },
    leads_to=("gradient-explosion", "loss-explosion", "loss-not-learning", "learning-rate-too-high", "loss-plateau"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The same run with a linear warm-up over the first 5 % of its steps.",),
    references=("Xiong et al. 2020", "Goyal et al. 2017, section 2.2"),
    families=("llm", "supervised", "grpo", "dpo"),
)
