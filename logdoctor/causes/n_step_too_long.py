"""Long n-step returns carry the error of a diverging value estimate many steps further."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, Present, change, seen
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.norms import number
from logdoctor.view import RunView

LONG = 5.0  # Rainbow uses 3 and A3C 5; beyond it off-policy returns are biased by the old policies that made them
DIVERGED = ("q-divergence", "q-above-bound", "overestimation", "critic-loss-explosion")


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    n, gamma = view.number("n_step"), view.number("gamma")
    if n is None:
        return
    if n > LONG and seen(present, *DIVERGED) is not None:
        factor = (
            f"; gamma^n = {number(gamma)}^{n:g} = {gamma**n:.3f} of Q({n:g} steps ahead) enters each target"
            if gamma
            else ""
        )
        yield Argument(weight=SIGN + HINT, text=f"n_step = {n:g}{factor}.")
    elif n <= LONG:
        yield Argument(weight=-SIGN, text=f"n_step = {n:g} is usual.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    n, gamma = view.number("n_step"), view.number("gamma")
    arithmetic = f"{number(gamma)}^{n:g} = {gamma**n:.3f}; {number(gamma)}^5 = {gamma**5:.3f}" if n and gamma else ""
    yield change(
        view,
        "n_step",
        5,
        "fewer steps of old, off-policy rewards and a nearer bootstrap",
        tradeoff="Credit travels backwards more slowly"
        + (f"; once the values stay stable it can go back towards {n:g}." if n and n > LONG else "."),
        arithmetic=arithmetic,
        reference="Hessel et al. 2018 (3); Mnih et al. 2016 (5)",
    )


def _mechanism(view: RunView, present: Present) -> Iterator[str]:
    n, gamma = view.number("n_step"), view.number("gamma")
    if n and gamma:
        yield f"target = r_1 + ... + gamma^{n:g} Q: {number(gamma)}^{n:g} = {gamma**n:.3f}"


CAUSE = CauseRecord(
    id="n-step-too-long",
    title="n-step return too long",
    prior=-3.6,
    symptoms={"q-divergence": HINT, "q-above-bound": 0.3, "overestimation": 0.3},
    leads_to=("q-divergence", "overestimation"),
    weigh=_weigh,
    changes=_changes,
    mechanism=_mechanism,
    would_settle=("The same run with n_step 1.",),
    references=("Hessel et al. 2018, Rainbow", "Fedus et al. 2020"),
    families=("dqn", "td3", "sac", "rl"),
)
