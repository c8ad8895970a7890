"""NaN or Inf enters the update: half precision, a logarithm of zero, a division by zero.

Evidence for: the first non-finite value comes out of a calm stretch, with no growth before it; half precision; a
falling loss scale. Evidence against: losses or gradients that grew by orders of magnitude first, which is a
divergence that only ends in NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Change, Floats, Series
from logdoctor.view import RunView

RISEN = 1.25  # times its first values: a loss that rose that far was no longer learning
HALF_MAX = 65504.0  # largest float16
WATCHED = (
    "loss",
    "train_loss",
    "d_loss",
    "critic_loss",
    "policy_loss",
    "value_loss",
    "actor_loss",
    "entropy",
    "td_error",
    "q_value",
)


def _first(view: RunView) -> tuple[Series, int] | None:
    """Return the earliest non-finite value among losses and gradients."""
    best: tuple[Series, int] | None = None
    for name in (*WATCHED, *facts(view).gradients()):
        series = view.get(name)
        if series is None or len(series) < 5:
            continue
        bad = np.flatnonzero(~np.isfinite(series.value))
        if bad.size and bad[0] > 0 and (best is None or series.line[bad[0]] < best[0].line[best[1]]):
            best = (series, int(bad[0]))
    return best


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    dtype = str(view.value("dtype", "precision", "fp16") or "").lower()
    if dtype in {"float16", "fp16", "16", "half", "true", "16-mixed"}:
        yield Argument(weight=SIGN, text=f"Half precision ({dtype}): the largest number is {say(HALF_MAX)}.")
    elif dtype in {"float32", "fp32", "32", "bfloat16", "bf16", "false"}:
        yield Argument(weight=-HINT, text=f"The precision is {dtype}, which does not overflow at {say(HALF_MAX)}.")
    found = _first(view)
    if found is None:
        return
    series, index = found
    later = series.value[index + 1 :]
    if later.size >= 3 and float(np.isfinite(later).mean()) > 0.9:
        yield Argument(
            weight=-SIGN,
            text=f"{series.name} is finite again after line {int(series.line[index])}: it was one update, and it "
            f"did not "
            "stay in the weights.",
        )
        return
    before = series.value[max(0, index - 20) : index]
    lead = float(np.median(np.abs(before[-3:]))) / max(float(np.median(np.abs(before))), 1e-12)
    risen = _risen(before)
    kind = "NaN" if math.isnan(float(series.value[index])) else "inf"
    if risen is not None and lead < 3:
        yield Argument(
            weight=-HINT,
            text=f"{series.name} had been rising ({say(risen[0])} to {say(risen[1])}) before it became {kind} at line "
            f"{int(series.line[index])}: steps that are too large end like this as well.",
        )
    elif index >= 5 and lead < 3 and float(np.abs(before).max()) < 1e4:
        yield Argument(
            weight=STRONG + HINT,
            text=f"{series.name} becomes {kind} at line {int(series.line[index])} straight out of a calm stretch "
            f"(last values about "
            f"{say(float(np.median(before)))}): nothing grew before it.",
        )
    elif lead >= 3 or float(np.abs(before).max()) >= 1e4:
        yield Argument(
            weight=-SIGN,
            text=f"{series.name} had already grown to {say(float(np.abs(before).max()))} before it became {kind}: "
            f"the overflow is the end "
            "of a divergence.",
        )


def _risen(before: Floats) -> tuple[float, float] | None:
    """Return the ends of a stretch that rose by a quarter or more without coming back, or None."""
    if before.size < 6:
        return None
    first, last = float(np.median(before[:3])), float(np.median(before[-3:]))
    steady = rank_correlation(np.arange(before.size, dtype=np.float64), before)
    return (first, last) if first > 0 and last > RISEN * first and steady > 0.5 else None


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "dtype",
        "bfloat16 (or float32)",
        "bfloat16 has the range of float32",
        tradeoff="Three digits of precision instead of ten bits.",
        reference="Zhang et al. 2022, OPT logbook; Kalamkar et al. 2019",
        aliases=("precision", "fp16"),
    )
    yield change(
        view,
        "guard",
        "skip an update whose gradient norm is not finite",
        "one bad value then costs one update and not the run",
        tradeoff="Skipped updates must be counted and shown.",
        reference="Micikevicius et al. 2018, Mixed Precision Training",
    )


CAUSE = CauseRecord(
    id="numeric-overflow",
    title="Numeric overflow",
    prior=-3.0,
    symptoms={
        "loss-not-finite": SIGN,
        "gradient-not-finite": SIGN,
        "loss-scale-falls": STRONG,
        "hidden-nan": SIGN,
        "loss-explosion": 0.0,
    },
    leads_to=("loss-not-finite", "gradient-not-finite", "performance-collapse", "hidden-nan"),
    weigh=_weigh,
    changes=_changes,
    would_settle=("The same step in float32.", "torch.autograd.set_detect_anomaly for the step before the first NaN."),
    references=("Micikevicius et al. 2018", "Zhang et al. 2022, OPT"),
)
