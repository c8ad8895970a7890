"""Policy entropy collapses before the task is learned.

What it finds: entropy that falls to a small part of its start while performance does not improve, or falls.
Why it matters: a policy without entropy explores nothing; with log-probabilities near zero its gradient vanishes too,
so it cannot leave what it has settled on.
How it decides: the median of the last fifth is at most ``share`` of the first tenth (or of log(actions), where the
log gives the number), and performance fell or did not improve (where none is printed: the gradient is zero too).
Falling entropy in a run that does well is convergence, and nothing is said. An entropy that is near zero from the
first row on counts as collapsed before the first print.
When it is wrong: tasks whose best policy is deterministic and already known from the start.
What to do: raise the entropy coefficient (0.01 is a common start), lower the learning rate, raise epsilon-high
clipping.
References: rldoctor: entropy at most 10 % of the initial and reward not improving; Mnih et al. 2016
(arXiv:1602.01783).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Floats
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._gradients import norms
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._policy import action_count, entropy
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import change, finding, rows, say, threshold, way
from logdoctor.view import RunView

NEAR = 0.01  # of ln(k): a first entropy that close to it is that of a uniform choice
GRADIENT = 1e-3  # as in the rule deterministic-policy: two orders below the healthy band


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when entropy collapsed in a run that does not do well."""
    known = entropy(view)
    hurt = outcome(view)
    if known is None or (hurt.series is not None and not (hurt.bad or hurt.declined)):
        return
    series, value = known
    if hurt.series is None and not _without_gradient(view, value, limits.dead):
        return
    if value.size < 5 or float(np.median(value)) < 0 or float(value.min()) < -1e-6:
        return  # differential entropy of a Gaussian: its zero means nothing
    tenth, fifth = max(1, value.size // 10), max(1, value.size // 5)
    start, late = float(np.median(value[:tenth])), float(np.median(value[-fifth:]))
    count = action_count(view)
    full = float(np.log(count[0])) if count is not None else None
    begin = max(start, float(np.median(value[:3])))  # a fall within the first tenth is told from the first rows
    reference = max(begin, full or 0.0)
    from_start = begin < limits.dead
    if not from_start and (reference <= 0 or late > limits.share * reference):
        return
    border = limits.dead if from_start else limits.share * reference
    above = np.flatnonzero(value > border)
    onset = min(int(above[-1]) + 1 if above.size else 0, value.size - 1)
    steep = np.flatnonzero(value >= 2 * border)
    first = int(steep[-1]) + 1 if steep.size and not from_start else 0
    tail = f"; {hurt.text}" if hurt.text else " and gets no gradient"
    last = value.size - 1
    shown = float(value[0]) if value[0] >= begin else begin
    actions = count[0] if count is not None else round(float(np.exp(min(float(value[0]), 10.0))))
    uniform = count is not None or (actions >= 2 and abs(float(value[0]) - np.log(actions)) < NEAR * np.log(actions))
    most = (
        f" (a uniform choice among {actions:g} actions has ln({actions:g}) = {np.log(actions):.3f})" if uniform else ""
    )
    how = (
        f"is {say(float(f'{start:.3g}'))} from the first rows on"
        if from_start
        else f"fell from {say(float(f'{shown:.4g}'))}{most} to {say(float(f'{late:.3g}'))} ({change(late, shown)})"
    )
    yield finding(
        RULE,
        view,
        severity="critical" if hurt.fell or from_start or late < limits.dead else "warning",
        confidence=0.85,
        metrics=[series.name],
        onset=view.place(series, min(first, onset) if not from_start else 0),
        summary=f"Policy entropy ({label(series)}) {how}: the policy has become deterministic{tail}.",
        figures={
            "start_median": start,
            "late_median": late,
            "share_of_start": late / start if start else None,
            "maximum": full,
            "below_from_line": int(series.line[onset]),
        },
        evidence=rows(
            series,
            [(0, "first"), *((i, "") for i in way(0, last, 2)), (onset, "stays below from here"), (last, "last")],
        ),
        analysis=(
            "log(1) = 0: where one action has all the probability, its log-probability and with it the gradient is "
            "zero."
        ),
    )


def _without_gradient(view: RunView, value: Floats, dead: float) -> bool:
    """Whether entropy ends dead and the gradient with it: that needs no printed performance."""
    series = next((s for s in norms(view) if "critic" not in s.name and "baseline" not in s.name), None)
    if series is None or float(np.median(value[-max(1, value.size // 5) :])) >= dead:
        return False
    return float(np.median(np.abs(series.value[-max(1, len(series) // 5) :]))) < GRADIENT


def _log(sick: bool) -> str:
    return table(
        entropy=np.geomspace(1.1, 0.002, 60) * (1 + wobble(size=0.02)), episode_return=failing() if sick else learning()
    )


RULE = Rule(
    id="LD501",
    name="entropy-collapse",
    title="Policy entropy collapses before the task is learned",
    severity="critical",
    detect=detect,
    needs=(("entropy", "entropy_loss"),),
    min_points=5,
    thresholds=(
        threshold(
            "share",
            0.1,
            "of the start",
            "a tenth of the exploration is left",
            "rldoctor: <= 10 % of initial and reward not improving",
        ),
        threshold(
            "dead", 0.01, "nats", "99.9 % on one action", "sibling document P-1: entropy < 0.01 is policy collapse"
        ),
    ),
    tags=("policy", "exploration"),
    references=("https://arxiv.org/abs/1602.01783",),
    examples=(
        Example(title="1.1 to 0.002 nats while the return falls", log=lambda: _log(True), fires=True),
        Example(title="the same entropy while the return rises", log=lambda: _log(False), fires=False),
    ),
)
