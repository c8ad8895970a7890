"""Zeros of a delayed update are no dead gradient.

What it finds: the gradient norm of an actor (or policy) that is exactly zero in a regular pattern, or in every row,
while the actor is only updated in every n-th step and the critic goes on.
Why it matters: it looks like a dead network and is a question of when the value is printed.
How it decides: zeros in at least ``share`` of the rows of a norm named after actor or policy; either they come at a
regular distance, or the run states a policy delay of 2 or more; the critic's norm or a loss moves meanwhile, and the
printed actions are not pinned at their limits.
When it is wrong: an actor whose output is saturated has a true zero gradient; if the actor loss moves only because
the critic moves, check one step that does update the actor.
What to do: print the actor's norm only in steps that update the actor.
References: Fujimoto et al. 2018 (arXiv:1802.09477), delayed policy updates.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.periodicity import period
from logdoctor.model import Finding, Series
from logdoctor.rules._examples import table, wobble
from logdoctor.rules._gradients import alive, norms
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold
from logdoctor.view import RunView

DELAYED = ("actor", "policy", "pi_")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a benign finding for each actor norm whose zeros a delayed update explains."""
    for series, gap in _explained(view, limits.share, limits.regular):
        yield _finding(view, series, int((series.value == 0).sum()), _delay(view), gap)


def delayed(view: RunView) -> frozenset[str]:
    """Return the names of the norms whose zeros a delayed update explains: other rules need not report them."""
    limits = Limits(RULE.thresholds)
    return frozenset(series.name for series, _ in _explained(view, limits.share, limits.regular))


def _delay(view: RunView) -> float | None:
    return view.number("policy_delay", "policy_freq", "policy_frequency")


def _explained(view: RunView, share: float, regular: float) -> Iterable[tuple[Series, float | None]]:
    """Yield each norm with such zeros and the distance of its non-zero rows, None where all rows are zero."""
    delay = _delay(view)
    for series in map(alive, norms(view)):
        zero = series.value == 0
        if not any(word in series.name for word in DELAYED) or len(series) < 3 or zero.mean() < share:
            continue
        grid = period(np.flatnonzero(~zero))
        on_grid = grid is not None and grid.share >= regular and grid.length >= 2
        if not (on_grid or (delay is not None and delay >= 2)) or not _critic_moves(view, series) or _pinned(view):
            continue
        yield series, grid.length if grid is not None and on_grid else None


def _critic_moves(view: RunView, series: Series) -> bool:
    for name in view.names:
        other = view.finite(name)
        if (
            other is None
            or name == series.name
            or not (name.endswith("loss") or "critic" in name or name == "grad_norm")
        ):
            continue
        if len(other) >= 3 and float(np.ptp(other.value)) > 0:
            return True
    return False


def _pinned(view: RunView) -> bool:
    """Whether printed actions sit at plus or minus one: then a zero gradient is real."""
    for name in view.names:
        if not name.startswith("action_") or name.endswith(("std", "loss")):
            continue
        series = view.finite(name)
        if series is not None and len(series) >= 3 and float(np.mean(np.abs(series.value) >= 0.99)) > 0.5:
            return True
    return False


def _finding(view: RunView, series: Series, zeros: int, delay: float | None, gap: float | None) -> Finding:
    why = (
        f"the policy is updated only every {say(delay)} critic steps"
        if delay
        else f"it is non-zero in every {say(gap)}. row"
    )
    last = len(series) - 1
    return finding(
        RULE,
        view,
        severity="info",
        confidence=0.8,
        metrics=[series.name],
        benign=True,
        onset=view.place(series, int(np.flatnonzero(series.value == 0)[0])),
        summary=(
            f"{label(series)} is exactly 0 in {zeros:,} of {len(series):,} rows because {why}; the critic moves "
            "meanwhile,"
            " so this is a question of when the value is printed."
        ),
        figures={"zeros": zeros, "rows": len(series), "policy_delay": delay, "row_distance": gap},
        evidence=rows(series, [(0, ""), (last // 2, ""), (last, "")]),
        analysis="Print the norm only in steps that update the actor, and it says something.",
    )


def _log(delayed: bool) -> str:
    actor = np.where(np.arange(60) % 2 == 0, 0.5, 0.0) if delayed else 0.5 + np.abs(wobble(size=0.1))
    return table(actor_grad_norm=actor, critic_loss=1 + np.abs(wobble(size=0.2)), actor_loss=wobble(size=0.1) - 3)


RULE = Rule(
    id="LD309",
    name="delayed-update-zeros",
    title="Zeros of a delayed update",
    severity="info",
    detect=detect,
    min_points=3,
    benign=True,
    thresholds=(
        threshold(
            "share",
            0.3,
            "of the rows",
            "a delay of 2 gives a half; some rows may be averages",
            "Fujimoto et al. 2018: delay 2",
        ),
        threshold(
            "regular",
            0.8,
            "of the gaps on one grid",
            "chance zeros have no period",
            "runmedic: periodic at 70 % on a grid",
        ),
    ),
    tags=("gradients",),
    references=("https://arxiv.org/abs/1802.09477",),
    examples=(
        Example(title="every second row is zero", log=lambda: _log(True), fires=True),
        Example(title="no row is zero", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: None if norms(view) else "no gradient norm in this log",
)
