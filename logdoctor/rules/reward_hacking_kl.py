"""The tuned model runs away from its reference while the reward climbs.

What it finds: a divergence from the reference model that becomes large and grows faster and faster, in a run that
tunes a language model on rewards.
Why it matters: beyond a moderate distance the reward model is asked about texts it never saw; the reward rises and
the answers get worse (Goodhart).
How it decides: the median KL over the last tenth is at least ``high``, at least ``grew`` times its level in the
middle of the run, and the reward does not fall with it. An estimator that prints small negative values is not judged.
When it is wrong: runs without a KL term on verifiable rewards wander far without harm; look at the held-out score.
What to do: raise the KL coefficient (two to three times), lower the learning rate, stop at the best held-out score.
References: rldoctor (KL above 0.5 high, above 2 extreme; late slope 1.5 times the early one); Gao et al. 2023
(arXiv:2210.10760).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._names import tunes_language
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, times, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the KL to the reference runs away."""
    series = view.finite("kl")
    if series is None or len(series) < 20 or not tunes_language(view):
        return
    n = len(series)
    middle = float(np.median(series.value[int(0.4 * n) : int(0.6 * n)]))
    end = float(np.median(series.value[-max(3, n // 10) :]))
    if end < limits.high or middle <= 0 or end < limits.grew * middle:
        return
    over = np.flatnonzero(series.value >= limits.high)
    last = n - 1
    yield finding(
        RULE,
        view,
        severity="critical" if end >= limits.extreme else "warning",
        confidence=0.75,
        metrics=["kl"],
        onset=view.place(series, int(over[0])),
        summary=(
            f"{label(series)} to the reference reaches {say(float(f'{end:.3g}'))} over the last tenth,"
            f" {times(end / middle)} times its level in the middle of"
            f" the run; it first exceeds {say(limits.high)} at {at(view, series, int(over[0]))}."
        ),
        figures={"middle": float(f"{middle:.4g}"), "end": float(f"{end:.4g}"), "ratio": float(f"{end / middle:.3g}")},
        evidence=rows(
            series, [(0, "start"), (n // 2, "middle"), *((i, "") for i in way(n // 2, last, 2)), (last, "last row")]
        ),
        analysis="The farther from the reference, the less the reward says about the answers.",
    )


def _log(away: bool) -> str:
    kl = np.geomspace(0.01, 6.0, 60) if away else ramp(0.01, 0.08)
    return table(completion_length=ramp(200, 230, noise=5), kl=kl, reward=ramp(0.2, 0.9, noise=0.01))


RULE = Rule(
    id="LD905",
    name="reward-hacking-kl",
    title="The model runs away from its reference",
    severity="critical",
    detect=detect,
    needs=(("kl",),),
    min_points=20,
    thresholds=(
        threshold("high", 0.5, "KL (nats)", "far from the reference", "rldoctor: 0.5"),
        threshold("extreme", 2.0, "KL (nats)", "very far from it", "rldoctor: 2"),
        threshold(
            "grew",
            2.0,
            "times the middle",
            "the distance grows faster and faster",
            "rldoctor: late slope 1.5 times the early one",
        ),
    ),
    tags=("language-models", "reward", "policy"),
    references=("https://arxiv.org/abs/2210.10760",),
    examples=(
        Example(title="KL 0.01 to 6", log=lambda: _log(True), fires=True),
        Example(title="KL 0.01 to 0.08", log=lambda: _log(False), fires=False),
    ),
)
