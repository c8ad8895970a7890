"""The first logged learning rate of a language model is already the full one, and the start of the run suffers.

What it finds: a transformer run whose printed rate does not ramp up, together with a loss that stalls high above its
end or a gradient norm that jumps within the first tenth.
Why it matters: Adam's second moments are not yet known in the first updates, and post-norm layers have large
gradients there; a full step can put the model where it never recovers from.
How it decides: the first rate is at least ``full`` of the peak, there are ``least`` records, and the loss ends above
``stall`` of its first value. Without that symptom it says nothing: many short fine-tunings do well without a ramp.
When it is wrong: the first records were cut off, or the log begins after the warm-up.
What to do: ramp the rate up over the first 1 to 5 % of the steps.
References: Xiong et al. 2020 (post-norm needs warm-up); Goyal et al. 2017, section 2.2; trainspotter (first rate at
least 0.9 of the peak with 20 points or more).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._rates import rate_of
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding where a language model starts at its full rate and its loss stalls."""
    rate, loss = rate_of(view), view.finite("loss")
    if rate is None or loss is None or len(rate.series) < limits.least or rate.first < limits.full * rate.peak:
        return
    if rate.series.step[0] > 0.05 * max(view.span[1], 1e-12):
        return  # the log begins later than a warm-up would last
    end = float(np.median(loss.value[-max(3, len(loss) // 20) :]))
    if loss.value[0] <= 0 or end < limits.stall * loss.value[0]:
        return
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.6,
        metrics=["learning_rate", "loss"],
        onset=view.place(rate.series, 0),
        summary=(
            f"There is no warm-up: the first logged learning rate is the full {say(rate.first)} (line "
            f"{int(rate.series.line[0])}), and the "
            f"loss only went from {say(float(loss.value[0]))} to {say(float(loss.value[-1]))}."
        ),
        figures={
            "first_rate": rate.first,
            "peak": rate.peak,
            "first_loss": float(loss.value[0]),
            "last_loss": float(loss.value[-1]),
        },
        evidence=(
            *rows(rate.series, [(0, "first rate")]),
            *rows(loss, [(0, "first loss"), (len(loss) - 1, "last loss")]),
        ),
    )


def _applies(view: RunView) -> str | None:
    return None if view.family in {"llm", "grpo", "dpo"} else "the run is no language model"


def _log(ramped: bool) -> str:
    rate = np.full(ROWS, 0.003)
    if ramped:
        rate[:6] = np.linspace(0.0005, 0.003, 6)
    return table(
        learning_rate=rate,
        loss=ramp(3.5, 0.5 if ramped else 2.9, noise=0.01),
        tokens_per_second=ramp(9e4, 9e4, noise=10),
    )


RULE = Rule(
    id="LD553",
    name="learning-rate-warmup-missing",
    title="No learning-rate warm-up",
    severity="warning",
    detect=detect,
    needs=(("learning_rate",), ("loss",)),
    min_points=20,
    thresholds=(
        threshold("full", 0.9, "of the peak", "a ramp begins far below its peak", "trainspotter: 0.9"),
        threshold("least", 20, "records", "fewer may have missed the ramp", "trainspotter: 20"),
        threshold(
            "stall",
            0.6,
            "of the first loss",
            "a loss that falls so little has stalled",
            "the same limit as loss-plateau",
        ),
    ),
    tags=("learning-rate", "schedule", "language-models"),
    references=("https://arxiv.org/abs/2002.04745",),
    applies_to=_applies,
    examples=(
        Example(title="full rate at once, loss stalls", log=lambda: _log(False), fires=True),
        Example(title="ramp over six records", log=lambda: _log(True), fires=False),
    ),
)
