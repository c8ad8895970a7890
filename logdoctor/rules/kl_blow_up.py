"""Policy updates are too large (KL divergence).

What it finds: an approximate KL divergence between old and new policy far above what one update may change.
Why it matters: the surrogate objective is only valid near the old policy; beyond, an update can destroy it.
How it decides: the KL exceeds ``high`` in ``rows`` rows or more and performance suffered, or it reaches ``extreme``.
It is critical when performance fell, a remark where the run does well in spite of it.
When it is wrong: KL to a reference model (RLHF) grows by design; this rule reads the KL of an update.
What to do: lower the learning rate, fewer epochs a batch, set target_kl 0.01 to 0.02.
References: Schulman et al. 2017 (arXiv:1707.06347); Spinning Up: target 0.01; "37 implementation details": below
0.02.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding, Severity
from logdoctor.rules._examples import failing, learning, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times, way
from logdoctor.view import RunView

TARGET = 0.02  # what "37 implementation details" calls healthy


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when updates moved the policy too far."""
    series = view.finite("kl")
    if series is None or len(series) < 5 or view.family in {"grpo", "dpo"}:
        return
    above = np.flatnonzero(series.highs > limits.high)
    worst = int(np.argmax(series.highs))
    peak = float(series.highs[worst])
    hurt = outcome(view)
    if not above.size or (peak < limits.extreme and (above.size < limits.rows or not (hurt.bad or hurt.declined))):
        return
    severity: Severity = "critical" if hurt.fell or hurt.declined else "warning" if hurt.bad else "info"
    last = len(series) - 1
    tail = f"; {hurt.text}" if (hurt.bad or hurt.declined) and hurt.text else "; performance did not suffer so far"
    yield finding(
        RULE,
        view,
        severity=severity,
        confidence=0.85 if hurt.fell or hurt.declined else 0.6,
        metrics=[series.name],
        onset=view.place(series, int(above[0]), "high"),
        summary=(
            f"{label(series)} exceeds {say(limits.high)} in {above.size:,} of {len(series):,} rows, first at "
            f"{at(view, series, int(above[0]), 'high')},"
            f" largest {say(peak)} at {at(view, series, worst, 'high')}, {times(peak / TARGET)} times the usual "
            f"{say(TARGET)}{tail}."
        ),
        figures={
            "peak": peak,
            "peak_line": int(series.high_lines[worst]),
            "rows_above": int(above.size),
            "rows": len(series),
            "usual": TARGET,
            "median": float(np.median(series.value)),
        },
        evidence=rows(
            series,
            [
                (0, "first"),
                (int(above[0]), "first above"),
                *((int(i), "") for i in way(int(above[0]), worst, 1)),
                (worst, "largest"),
                (last, "last"),
            ],
            "high",
        ),
        analysis="Each such update replaces the policy instead of improving it.",
    )


def _log(sick: bool) -> str:
    kl = 0.008 + np.abs(wobble(size=0.003))
    if sick:
        kl[28:] += np.geomspace(0.2, 6, 32)
    return table(
        kl=kl,
        policy_loss=wobble(size=0.01),
        value_loss=1 + np.abs(wobble(size=0.1)),
        episode_return=failing() if sick else learning(),
    )


RULE = Rule(
    id="LD503",
    name="kl-blow-up",
    title="Policy updates are too large",
    severity="critical",
    detect=detect,
    needs=(("kl",),),
    min_points=5,
    thresholds=(
        threshold("high", 0.1, "nats", "five times the healthy maximum", "RLExplorer: > 0.1; 37 details: < 0.02"),
        threshold("rows", 3.0, "rows", "one large update may be survived", "rldoctor: recurring at 3"),
        threshold(
            "extreme",
            1.0,
            "nats",
            "the new policy has little to do with the old one",
            "zen-rl: > 5; SB3#1593: 33 just before NaN",
        ),
    ),
    tags=("policy", "stability"),
    references=("https://arxiv.org/abs/1707.06347",),
    examples=(
        Example(title="0.008 rises to 6 while the return falls", log=lambda: _log(True), fires=True),
        Example(title="0.008 throughout", log=lambda: _log(False), fires=False),
    ),
)
