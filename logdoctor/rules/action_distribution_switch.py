"""The greedy action switches.

What it finds: a printed distribution of greedy actions whose dominant action changes from one to another and stays
there.
Why it matters: it shows a policy that left what it had learned before the loss shows anything.
How it decides: one action holds ``dominant`` of the greedy choices for a stretch of ``rows`` prints, and from some
print on another one does; a batch in which two actions share the lead does not count. It is critical together with a
fall of agreement by ``points``, a remark alone: a learner that improves may change its mind once.
When it is wrong: a new level or task may need another action.
What to do: look at the rows between the two stretches: what broke there broke the policy.
References: seed report 002 (94 % action 2, then action 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from logdoctor.detectors.spike import runs
from logdoctor.model import Finding
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._policy import Distribution, distribution
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, threshold
from logdoctor.rules.agreement_collapse import collapse_of
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the last lasting switch of the greedy action."""
    greedy = distribution(view, "greedy")
    if greedy is None or len(greedy.line) < 2 * limits.rows:
        return
    change = _switch(greedy, limits.dominant, int(limits.rows))
    if change is None:
        return
    (a, a_first, a_stop), (b, b_first, b_stop) = change
    agreement = view.finite("agreement")
    fall = collapse_of(agreement) if agreement is not None else None
    old, new = greedy.series[a], greedy.series[b]
    share_a = 100 * float(np.median(greedy.share[a_first:a_stop, a]))
    best_a = 100 * float(greedy.share[a_first:a_stop, a].max())
    share_b = 100 * float(np.median(greedy.share[b_first:b_stop, b]))
    others = [k for k in range(greedy.share.shape[1]) if k not in (a, b)]
    between = _appears(greedy, a_first, b_first, [*others, b])
    yield finding(
        RULE,
        view,
        severity="critical" if fall is not None else "info",
        confidence=0.85 if fall is not None else 0.6,
        metrics=[old.name, new.name, *(["agreement"] if fall is not None else [])],
        onset=view.place(old, between),
        summary=(
            f"The greedy policy switched from action {a} ({share_a:.1f} % of choices, up to {best_a:.1f} %, from "
            f"{at(view, old, a_first)}) to action {b}"
            f" ({share_b:.1f} %) at {at(view, new, b_first)}; another action first appears at {at(view, old, between)}"
            f"{', and agreement fell with it' if fall is not None else ''}."
        ),
        figures={
            "old_action": a,
            "old_share_percent": share_a,
            "old_share_best_percent": best_a,
            "new_action": b,
            "new_share_percent": share_b,
            "switch_line": int(greedy.line[b_first]),
            "first_sign_line": int(greedy.line[between]),
        },
        evidence=[
            *rows(
                old,
                [
                    (a_first, f"{100 * greedy.share[a_first, a]:.1f} % action {a}"),
                    (between, f"{100 * greedy.share[between, a]:.1f} % action {a}"),
                    (b_first, f"{100 * greedy.share[b_first, a]:.1f} % action {a}"),
                ],
            ),
            *rows(
                new,
                [
                    (a_first, f"{100 * greedy.share[a_first, b]:.1f} % action {b}"),
                    (b_first, f"{100 * greedy.share[b_first, b]:.1f} % action {b}"),
                    (-1, f"{100 * greedy.share[-1, b]:.1f} % action {b}"),
                ],
            ),
        ],
        analysis="Shares are counts over the sum of their row. The policy no longer picks what it had learned to pick.",
    )


def _switch(
    greedy: Distribution, dominant: float, least: int
) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    """Return (action, first, stop) of the two stretches around the last switch, or None."""
    mode, top = greedy.mode, greedy.share.max(axis=1)
    stretches: list[tuple[int, int, int]] = []
    for action in range(greedy.share.shape[1]):
        held = (mode == action) & (top >= dominant)
        filled = _bridge(held)
        stretches += [(action, first, stop) for first, stop in runs(filled) if held[first:stop].sum() >= least]
    stretches.sort(key=lambda item: item[1])
    pairs = [(x, y) for x, y in pairwise(stretches) if x[0] != y[0] and y[1] >= x[2]]
    return pairs[-1] if pairs else None


def _bridge(mask: np.ndarray) -> np.ndarray:
    """Close single gaps: one odd print does not end a stretch."""
    out = mask.copy()
    out[1:-1] |= mask[:-2] & mask[2:]
    return out


def _appears(greedy: Distribution, first: int, switch: int, others: list[int]) -> int:
    """Return the first print after which another action keeps at least a fifth of the choices until the switch."""
    share = greedy.share[first : switch + 1][:, others].max(axis=1)
    low = np.flatnonzero(share < 0.2)
    return min(switch, first + (int(low[-1]) + 1 if low.size else 0))


def _log(sick: bool) -> str:
    old = np.array([950.0] * 30 + ([60.0] * 30 if sick else [940.0] * 30))
    agreement = np.concatenate([ramp(80, 90, 30), np.linspace(79, 10, 30)]) if sick else ramp(30, 90)
    return table(
        greedy_action_share_0=np.full(60, 5.0),
        greedy_action_share_1=np.full(60, 20.0),
        greedy_action_share_2=old,
        greedy_action_share_3=1000 - old,
        agreement=agreement,
    )


RULE = Rule(
    id="LD507",
    name="action-distribution-switch",
    title="The greedy action switches",
    severity="critical",
    detect=detect,
    min_points=4,
    thresholds=(
        threshold(
            "dominant",
            0.6,
            "share of the greedy choices",
            "clearly more than half",
            "RLExplorer: one action above 0.8 is stagnation; a margin below",
        ),
        threshold("rows", 2.0, "prints on each side", "one print is a batch, two are a state", "runs of two"),
        threshold("points", 20.0, "points of agreement", "as for agreement-collapse", "seed report 002"),
    ),
    tags=("policy",),
    examples=(
        Example(title="95 % action 2, then 94 % action 3, agreement falls", log=lambda: _log(True), fires=True),
        Example(title="95 % action 2 throughout", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: (
        None if distribution(view, "greedy") is not None else "no greedy action distribution in this log"
    ),
)
