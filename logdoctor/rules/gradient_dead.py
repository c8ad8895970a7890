"""The gradient dies and stays dead.

What it finds: a gradient norm that was alive, drops to (almost) nothing within a few rows and stays there to the end,
while the loss is not at zero and the run does not do better.
Why it matters: from here on nothing is learned; every further step is wasted. It usually follows an explosion (units
pushed out of their range) or a policy that became deterministic.
How it decides: from some row to the end at least ``quiet`` of the rows lie below ``shrunk`` of the median before it
and below ``small``, for at least ``rows`` rows and ``share`` of the log; and performance fell, did not improve, or
has no gain after that row.
When it is wrong: a run that is finished (loss at its floor) has a small norm too; such runs are left in peace.
What to do: stop; go back to a checkpoint before the drop; restart with the cause of the break removed.
References: rldoctor (exactly-zero updates in 20 / 40 / 70 % of steps); Lu et al. 2019, "Dying ReLU"
(arXiv:1903.06733).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Series
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._gradients import Death, alive, death_of, norms
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for each gradient norm that died."""
    hurt = outcome(view)
    if not hurt.bad:
        return
    for series in map(alive, norms(view)):
        death = death_of(series, limits.small, limits.shrunk, limits.quiet, int(limits.rows), limits.share)
        if death is None or _solved(view, series, death):
            continue
        yield _finding(view, series, death)


def _solved(view: RunView, series: Series, death: Death) -> bool:
    """Whether the loss is at (almost) zero where the gradient is: nothing left to learn."""
    loss = view.finite("loss")
    if loss is None or len(loss) < 10 or outcome(view).fell:
        return False
    late = loss.value[loss.line >= series.line[death.index]]
    return bool(late.size and abs(np.median(late)) < 0.05 * abs(np.median(loss.value[: max(3, len(loss) // 10)])))


def _finding(view: RunView, series: Series, death: Death) -> Finding:
    last = len(series) - 1
    first = death.index
    picks = [(max(0, first - 2), "alive"), (max(0, first - 1), "last row before"), (first, "dead from here")]
    picks += [(i, "") for i in way(first, last, 2)] + [(last, "last row")]
    return finding(
        RULE,
        view,
        severity="critical",
        confidence=0.9,
        metrics=[series.name],
        onset=view.place(series, first),
        summary=(
            f"{label(series)} died at {at(view, series, first)}: below {say(float(f'{death.border:.3g}'))} in "
            f"{death.below:,} of the"
            f" {death.count:,} rows from there to the end (median before: {say(float(f'{death.level:.4g}'))}); "
            f"{outcome(view).text}."
        ),
        figures={
            "median_before": death.level,
            "border": death.border,
            "rows_below": death.below,
            "rows_after": death.count,
            "before_last_line": int(series.line[max(0, first - 1)]),
            "largest_after": float(series.value[first:].max()),
        },
        evidence=rows(series, picks),
        analysis="The norm was recorded and alive before, so this is the training that stopped and not the logging.",
    )


def _dead(tail: float) -> str:
    norm = 1.0 + np.abs(wobble(size=0.1))
    norm[35:] = tail
    return table(
        grad_norm=norm, loss=np.where(np.arange(60) < 35, 0.5, 2.0) + wobble(size=0.05), episode_return=failing()
    )


def _alive() -> str:
    return table(grad_norm=1.0 + np.abs(wobble(size=0.1)), loss=np.geomspace(1, 0.3, 60), episode_return=learning())


RULE = Rule(
    id="LD304",
    name="gradient-dead",
    title="The gradient died and stays dead",
    severity="critical",
    detect=detect,
    min_points=20,
    thresholds=(
        threshold(
            "small",
            0.01,
            "gradient norm",
            "nothing that an optimiser could use",
            "training-doctor: vanishing below 0.01",
        ),
        threshold(
            "shrunk", 0.05, "of the level before", "a twentieth of the signal", "gradsnitch: late < 5 % of early"
        ),
        threshold(
            "quiet",
            0.7,
            "share of the rows after",
            "isolated rows may still move",
            "rldoctor: critical at 70 % zero updates",
        ),
        threshold("rows", 10.0, "rows", "shorter pauses happen at restarts", "rldoctor: windows of 10"),
        threshold("share", 0.05, "of the log", "a dead stretch must matter for the run", "rldoctor"),
    ),
    tags=("gradients", "stability"),
    references=("https://arxiv.org/abs/1903.06733",),
    examples=(
        Example(title="norm 1.0 until row 35, then 0.001, return falls", log=lambda: _dead(0.001), fires=True),
        Example(title="norm 1.0 to the end", log=_alive, fires=False),
    ),
    applies_to=lambda view: None if norms(view) else "no gradient norm in this log",
)
