"""A corrupt batch (outliers) entered training.

Evidence for: one record at which a calm loss jumps by orders of magnitude to a finite value, and falls again after it
as training goes on. Evidence against: the loss stays where it jumped to (the step size is wrong from then on), or it
had grown step by step before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change, seen
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

OUTLIER = 100.0  # a batch whose loss is a hundred times the usual one is not drawn from the same data


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    known = facts(view)
    change_ = seen(present, "learning-rate-changed")
    if change_ is not None or known.raised is not None:
        yield Argument(weight=-STRONG, text="The learning rate was changed before it.")
    for name in ("loss", "train_loss", "d_loss", "critic_loss"):
        jump = known.jump(name)
        if jump is None:
            continue
        if math.isinf(jump.ratio) or math.isnan(jump.ratio):
            yield Argument(
                weight=-SIGN, text=f"{name} becomes non-finite at line {jump.line} without a finite jump before it."
            )
        elif jump.ratio >= OUTLIER:
            gone = math.isnan(jump.after)
            recovers = not gone and (jump.after < 3 or jump.late < 0.5)
            yield Argument(
                weight=STRONG + HINT if jump.ratio > 1e3 else STRONG if recovers or gone else SIGN,
                text=f"{name} jumps from {say(jump.before)} to {say(jump.value)} ({say(jump.ratio)} times) in one "
                f"record, line {jump.line}" + (", and falls again after it." if recovers else "."),
            )
            if not gone and not recovers and jump.after > 5:
                yield Argument(
                    weight=-SIGN,
                    text=f"{name} stays at {say(jump.after)} times its former value afterwards and does not fall.",
                )
        elif jump.after < 1.5:
            yield Argument(
                weight=SIGN, text=f"{name} jumps {say(jump.ratio)} times at line {jump.line} and is back at once."
            )
        return


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "skip",
        "skip batches whose gradient norm exceeds ten times its running median",
        "an outlier then costs one update",
        tradeoff="Rare but real events are skipped too: count them.",
        reference="Chowdhery et al. 2022, PaLM, section 5.1 (restart and skip batches)",
    )


CAUSE = CauseRecord(
    id="bad-batch",
    title="Corrupt batch",
    prior=-3.6,
    symptoms={
        "loss-explosion": HINT,
        "loss-spikes": HINT,
        "gradient-spikes": HINT,
        "gradient-explosion": 0.3,
        "critic-loss-explosion": 0.3,
    },
    leads_to=(
        "gradient-spikes",
        "loss-explosion",
        "loss-spikes",
        "gradient-explosion",
        "performance-collapse",
        "q-divergence",
        "loss-not-finite",
    ),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The batch of that step: ranges of its inputs and targets.", "The same step with the batch skipped."),
    references=("Chowdhery et al. 2022, PaLM, section 5.1",),
)
