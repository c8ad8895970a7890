"""Nothing is wrong with the settings: this seed failed by itself.

Named only for a collapse or a stagnation that no other evidence explains, and stronger when every stated setting lies
inside of its published range.
"""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor import norms
from logdoctor.causes._evidence import HINT, SIGN, Present, change
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change
from logdoctor.view import RunView

BROKEN = {
    "loss-not-finite",
    "loss-explosion",
    "gradient-explosion",
    "q-divergence",
    "metric-never-recorded",
    "metric-frozen",
    "updates-stopped",
    "throughput-degradation",
    "loader-stall",
    "step-goes-back",
    "kl-blow-up",
    "critic-loss-explosion",
    "overfitting",
    "loss-at-chance",
    "exploration-not-decaying",
    "exploration-absent",
    "learning-rate-changed",
    "learning-rate-decayed-early",
    "head-not-learning",
}


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    if not {"performance-collapse", "performance-stagnation", "reward-noise", "never-learned"} & set(present):
        yield Argument(weight=-3.0, text="The result itself is not weak.")
    if not view.is_rl:
        yield Argument(weight=-2.0, text="Supervised runs of one setting differ little between seeds.")
    other = sorted(BROKEN & set(present))
    if other:
        yield Argument(weight=-2.0, text=f"There is more than a weak result: {', '.join(other)}.")
    stated = list(norms.judge_all(view))
    outside = [j for j in stated if j.side != "inside"]
    if len(stated) >= 4 and not outside:
        yield Argument(
            weight=SIGN, text=f"All {len(stated)} stated settings that have a published range lie inside of it."
        )
    elif outside:
        yield Argument(
            weight=-SIGN, text=f"{', '.join(j.parameter for j in outside)} lies outside of its published range."
        )


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    yield change(
        view,
        "seed",
        "three to five seeds of the same settings",
        "one run says little about a setting",
        tradeoff="Three to five times the computation.",
        reference="Henderson et al. 2018; Agarwal et al. 2021, Statistical Precipice",
    )


CAUSE = CauseRecord(
    id="natural-variance",
    title="Variance between seeds",
    prior=-2.6,
    symptoms={
        "performance-below-baseline": 0.3,
        "performance-collapse": HINT,
        "performance-stagnation": 0.3,
        "reward-noise": 0.3,
        "never-learned": 0.0,
    },
    weigh=_weigh,
    changes=_changes,
    would_settle=("Two more seeds.",),
    references=("Henderson et al. 2018, Deep Reinforcement Learning that Matters",),
)
