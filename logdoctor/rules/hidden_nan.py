"""The loss reads 0.0 where it is NaN.

What it finds: a loss that drops to exactly 0 in the row in which the gradient norm becomes NaN (or zero and NaN
beside it).
Why it matters: some trainers filter non-finite losses before they print them; the table looks like perfect
convergence.
How it decides: the loss is exactly 0 in at least ``rows`` rows at or after the first non-finite gradient norm (or
held-out loss), and was not 0 before. A drop to exactly 0 together with a gradient norm that is NaN is no coincidence.
When it is wrong: hardly; a loss that is truly 0 has a gradient norm of 0, not NaN.
What to do: turn the filter off (``logging_nan_inf_filter=False`` in Hugging Face trainers), then treat it as any NaN:
resume before the first NaN gradient, in bf16 or with a lower learning rate.
References: transformers TrainingArguments.logging_nan_inf_filter; Time-MoE#31; ModernBERT#233.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import ROWS, ramp, table
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, threshold
from logdoctor.view import RunView

WITNESS = ("grad_norm", "val_loss", "val_perplexity")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when a zero loss hides a NaN."""
    loss, witness = view.get("loss"), None
    for name in WITNESS:
        series = view.get(name)
        if series is not None and not np.isfinite(series.value).all():
            witness = series
            break
    if loss is None or witness is None:
        return
    first = int(np.flatnonzero(~np.isfinite(witness.value))[0])
    zero = np.flatnonzero((loss.value == 0.0) & (loss.line >= witness.line[first]))
    if zero.size < limits.rows or (loss.value[: int(zero[0])] == 0).any():
        return
    yield _finding(view, loss, witness, first, zero)


def _finding(view: RunView, loss: Series, witness: Series, first: int, zero: np.ndarray) -> Finding:
    start = int(zero[0])
    proof = rows(loss, [(max(0, start - 1), "last real value"), (start, "exactly 0"), (int(zero[-1]), "exactly 0")])
    proof += rows(witness, [(first, "not finite")])
    return finding(
        RULE,
        view,
        severity="critical",
        confidence=0.97,
        metrics=["loss", witness.name],
        onset=view.place(witness, first),
        summary=(
            f"{label(loss)} reads exactly 0 in {zero.size:,} rows from {at(view, loss, start)} on, while"
            f" {label(witness)} is not finite from"
            f" {at(view, witness, first)}: the zero hides a NaN."
        ),
        figures={
            "zero_rows": int(zero.size),
            "last_real_loss": float(loss.value[max(0, start - 1)]),
            "first_nonfinite_line": int(witness.line[first]),
        },
        evidence=proof,
        analysis="A loss of 0 has a gradient of 0. The trainer prints the filtered value; the weights are lost.",
    )


def _log(broken: bool) -> str:
    loss, norm = ramp(2, 1, noise=0.03), ramp(1, 1, noise=0.05)
    if broken:
        loss[ROWS // 2 :], norm[ROWS // 2 :] = 0.0, np.nan
    return table(loss=loss, grad_norm=norm)


RULE = Rule(
    id="LD105",
    name="hidden-nan",
    title="A loss of 0.0 hides a NaN",
    severity="critical",
    detect=detect,
    needs=(("loss",), WITNESS),
    thresholds=(
        threshold("rows", 2.0, "rows", "one zero may be a rounding", "Time-MoE#31: every row after the first"),
    ),
    tags=("logging", "numerics", "language-models"),
    references=("https://huggingface.co/docs/transformers/main_classes/trainer",),
    examples=(
        Example(title="loss 0 and norm NaN from row 30 on", log=lambda: _log(True), fires=True),
        Example(title="both finite", log=lambda: _log(False), fires=False),
    ),
)
