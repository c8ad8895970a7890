"""The clip limit in force is not the one that was configured.

What it finds: gradient norm and clip column give the limit that was really applied; the banner or the configuration
states another one.
Why it matters: all conclusions about clipping rest on the configured number; here they would be wrong.
How it decides: the limit is the median of norm x ratio, or of norm - excess, over the clipped rows, and counts only
when its scatter is below 2 %. It must differ from the stated limit by more than ``tolerance``, in ``rows`` rows or
more.
When it is wrong: the norm and the clip column may belong to different parameter groups.
What to do: find the second clip call, or the configuration that is not applied.
References: PyTorch ``clip_grad_norm_`` returns the norm before clipping.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import table, wobble
from logdoctor.rules._gradients import clip_setting, clipping
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold, times
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when measured and stated limit disagree."""
    clip = clipping(view)
    stated, setting = clip_setting(view)
    if clip is None or clip.limit is None or clip.clipped.size < limits.rows or not stated:
        return
    if setting is not None and abs(clip.limit - setting) <= limits.tolerance * setting:
        return
    item = view.setting("max_grad_norm")
    where = f" (line {item.line})" if item is not None and item.line else ""
    sign = "times" if clip.meaning == "ratio" else "minus"
    wanted = say(setting) if setting is not None else "no clipping"
    picks = clip.clipped[np.linspace(0, clip.clipped.size - 1, min(4, clip.clipped.size)).astype(int)]
    factor = f", {times(setting / clip.limit)} times lower" if setting and setting > clip.limit else ""
    yield finding(
        RULE,
        view,
        severity="warning",
        confidence=0.9,
        metrics=[clip.norm.name, clip.delta.name],
        onset=view.place(clip.norm, int(clip.clipped[0])),
        summary=(
            f"The clip limit in force is {say(round(clip.limit, 3))} and not {wanted} as configured{where}{factor}:"
            f" {label(clip.norm)} {sign} {label(clip.delta)} gives it in {clip.clipped.size:,} clipped rows of "
            f"{len(clip.norm):,}."
        ),
        figures={
            "measured_limit": clip.limit,
            "stated_limit": setting,
            "meaning": clip.meaning,
            "clipped_rows": int(clip.clipped.size),
            "rows": len(clip.norm),
        },
        evidence=[
            *rows(clip.norm, [(int(i), "") for i in picks]),
            *rows(clip.delta, [(int(i), "same row") for i in picks]),
        ],
        analysis="Either a second clip call with its own limit is at work, or the configured value is not applied.",
    )


def _log(limit: float) -> str:
    norm = 8.0 + np.abs(wobble())
    return f"Gradient Clip: 10.0 (max norm)\nmax_grad_norm: 5.0\n{table(grad_norm=norm, clip_delta=norm - limit)}"


RULE = Rule(
    id="LD307",
    name="clip-limit-differs",
    title="The clip limit in force is not the configured one",
    severity="warning",
    detect=detect,
    needs=(("grad_norm",), ("clip_delta",)),
    min_points=3,
    thresholds=(
        threshold(
            "tolerance", 0.05, "of the stated limit", "printing rounds to three digits", "IEEE rounding of %.3f columns"
        ),
        threshold("rows", 3.0, "clipped rows", "fewer could be chance", "two rows define no constant"),
    ),
    tags=("gradients", "clipping", "configuration"),
    references=("https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html",),
    examples=(
        Example(
            title="excess over 1.0 under a stated limit of 5",
            log=lambda: _log(1.0),
            fires=True,
            hyperparameters={"max_grad_norm": 5.0},
        ),
        Example(
            title="excess over the stated limit of 5",
            log=lambda: _log(5.0),
            fires=False,
            hyperparameters={"max_grad_norm": 5.0},
        ),
    ),
)
