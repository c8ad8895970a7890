"""A setting lies outside of the range that published configurations of the same algorithm use.

What it finds: learning rates, discounts, target updates, clip ranges, epochs, entropy and reward scales beyond the
smallest or the largest value that papers and reference implementations use for the family.
Why it matters: such a setting is the first thing a colleague would ask about.
How it decides: a setting beyond the range is a remark. It is a warning only when it is ``far`` times beyond it and
the run did not learn: the range accuses nobody by itself.
When it is wrong: unusual tasks need unusual settings; units may differ (a reward scale in points, a tau per epoch).
What to do: try the family's default, and say why when it is not used.
References: the sources listed in `logdoctor.norms` (Mnih et al. 2015, Schulman et al. 2017, Haarnoja et al. 2018,
Fujimoto et al. 2018, RL Baselines3 Zoo, Brown et al. 2020, Kingma and Ba 2015 and others).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from logdoctor.model import Evidence, Finding, Place
from logdoctor.norms import Judgement, judge_all, number
from logdoctor.rules._examples import learning, ramp, table
from logdoctor.rules._rates import learned
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, threshold, times
from logdoctor.view import RunView

# Settings whose distance from the range is a matter of stability; buffers, epsilon and clipping have their own causes.
DECISIVE = {
    "learning_rate",
    "actor_learning_rate",
    "critic_learning_rate",
    "tau",
    "target_update",
    "gamma",
    "clip_range",
    "reward_scale",
    "ent_coef",
    "n_epochs",
}


FEW = 8  # rows that can show a rise (as in the rule's own test of learning)


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding for each setting outside of its range."""
    outside = [j for j in judge_all(view) if j.side != "inside" and j.factor > limits.beyond]
    fine = learned(view) or _too_short(view) if outside else True
    for judgement in outside:
        far = not fine and judgement.factor >= limits.far and judgement.parameter in DECISIVE
        yield _finding(view, judgement, far)


def _too_short(view: RunView) -> bool:
    """Whether there are too few rows to say that the run did not learn: then a setting accuses nobody."""
    return view.rows < FEW


def _finding(view: RunView, judgement: Judgement, far: bool) -> Finding:
    in_log = judgement.source == "log" and judgement.line is not None
    distance = f"{times(judgement.factor)} times beyond" if math.isfinite(judgement.factor) else "beyond"
    end = "largest" if judgement.side == "above" else "smallest"
    place = f"line {judgement.line}" if in_log else judgement.source.replace("\\", "/").rsplit("/", 1)[-1]
    return finding(
        RULE,
        view,
        severity="warning" if far else "info",
        confidence=0.7 if far else 0.4,
        metrics=[judgement.parameter],
        onset=Place(line=judgement.line) if in_log and judgement.line is not None else None,
        summary=(
            f"{judgement.parameter} = {number(judgement.value)} ({place}) is {distance} the {end} value that "
            f"published {view.family} "
            f"configurations use ({judgement.range_text}; usual: {number(judgement.norm.default)})."
        ),
        figures={
            "value": judgement.value,
            "low": judgement.norm.low,
            "high": judgement.norm.high,
            "default": judgement.norm.default,
            "factor": round(judgement.factor, 3) if math.isfinite(judgement.factor) else None,
        },
        evidence=[Evidence(line=judgement.line, step=None, metric=judgement.parameter, value=judgement.value)]
        if in_log and judgement.line is not None
        else [],
        analysis=f"Source of the range: {judgement.norm.reference}.",
    )


def _log(fine: bool) -> str:
    return table(
        episode_return=learning() if fine else ramp(20, 20, noise=1.0), q_max=ramp(0, 10), epsilon=ramp(1.0, 0.05)
    )


RULE = Rule(
    id="LD554",
    name="setting-out-of-norm",
    title="A setting outside of the published range",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold("beyond", 1.2, "times the range", "ranges are rounded to one digit", "rounding of the norms"),
        threshold(
            "far",
            10.0,
            "times the range",
            "one order of magnitude is no tuning any more",
            "Tuning Playbook: search 2, 5, 10 times",
        ),
    ),
    tags=("settings",),
    references=("https://github.com/google-research/tuning_playbook",),
    examples=(
        Example(
            title="DQN at 0.2, nothing learned",
            log=lambda: _log(False),
            fires=True,
            hyperparameters={"learning_rate": 0.2},
        ),
        Example(title="DQN at 0.001", log=lambda: _log(True), fires=False, hyperparameters={"learning_rate": 0.001}),
    ),
)
