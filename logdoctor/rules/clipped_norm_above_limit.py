"""A gradient norm that is printed after clipping lies above the limit.

What it finds: a norm whose name says that it was measured after clipping, above the configured limit in (nearly) all
rows.
Why it matters: after clipping no norm can exceed its limit. Either clipping is not applied to these parameters, or the
printed number is another one, such as the norms of several groups added up; conclusions from it are wrong.
How it decides: the name says that it is the norm after clipping; a limit is configured; in at least ``share`` of the
rows, and ``rows`` of them, the norm exceeds it by ``tolerance``.
When it is wrong: the name may stand for a group of parameters with a limit of its own that the log does not state.
What to do: print the return value of the clip call (the norm before) and the norm of the same parameters after it.
References: PyTorch ``clip_grad_norm_`` (returns the norm before clipping, over all parameters together).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import table, wobble
from logdoctor.rules._gradients import alive, clip_setting, norms
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times, way
from logdoctor.view import RunView

AFTER = re.compile(
    r"(after|post)[\s_\-]*(grad(ient)?[\s_\-]*)?clip|(?<![a-z])clipped[\s_\-]*(grad|norm)", re.IGNORECASE
)


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for each norm after clipping that lies above the limit."""
    _, limit = clip_setting(view)
    if limit is None:
        return
    item = view.setting("max_grad_norm")
    where = f" (line {item.line})" if item is not None and item.line else ""
    for series in map(alive, norms(view)):
        above = series.value > (1 + limits.tolerance) * limit
        if not AFTER.search(series.raw_name) or len(series) < int(limits.rows) or above.mean() < limits.share:
            continue
        last, worst = len(series) - 1, int(np.argmax(series.value))
        middle = float(np.median(series.value))
        yield finding(
            RULE,
            view,
            severity="warning",
            confidence=0.85,
            metrics=[series.name],
            onset=view.place(series, int(np.argmax(above))),
            summary=(
                f"{label(series)} is above the clip limit of {say(limit)}{where} in {int(above.sum()):,} of"
                f" {len(series):,} rows: median {say(float(f'{middle:.4g}'))}, {times(middle / limit)} times the limit,"
                f" largest {say(float(series.value[worst]))} at {at(view, series, worst)}. A norm after clipping cannot"
                " be."
            ),
            figures={
                "limit": limit,
                "median": middle,
                "largest": float(series.value[worst]),
                "rows_above": int(above.sum()),
                "rows": len(series),
            },
            evidence=rows(
                series, [(0, "first"), *((i, "") for i in way(0, last, 2)), (worst, "largest"), (last, "last")]
            ),
            analysis=(
                "Either these parameters are not clipped, or the number printed is not what was clipped (norms of"
                " several groups added up, say). The rows alone do not tell which."
            ),
        )


def _log(level: float) -> str:
    return f"max_grad_norm: 1.0\n{table(loss=2 + wobble(size=0.1), grad_norm_after_clip=level + wobble(size=0.005))}"


RULE = Rule(
    id="LD312",
    name="clipped-norm-above-limit",
    title="A norm printed after clipping lies above the limit",
    severity="warning",
    detect=detect,
    min_points=5,
    thresholds=(
        threshold("tolerance", 0.05, "of the limit", "clipping divides by the norm plus 1e-6", "torch clip_grad_norm_"),
        threshold("share", 0.9, "of the rows", "a rule and no exception", "sign test p < 0.01 from 7 rows on"),
        threshold("rows", 5.0, "rows", "fewer could be start-up", "sibling document T-7: all steps"),
    ),
    tags=("gradients", "clipping", "logging"),
    references=("https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html",),
    examples=(
        Example(title="1.93 after clipping to 1", log=lambda: _log(1.93), fires=True),
        Example(title="0.98 after clipping to 1", log=lambda: _log(0.98), fires=False),
    ),
    applies_to=lambda view: (
        None if any(AFTER.search(s.raw_name) for s in norms(view)) else "not a log with norms after clipping"
    ),
)
