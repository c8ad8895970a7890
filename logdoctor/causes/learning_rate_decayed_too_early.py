"""The schedule reaches (almost) zero before learning has happened.

Evidence for: the printed rate falls below 3 % of its peak in the first two thirds of the run; or, without such a
column, the outputs of the network move fast at first and then not at all while the data-dependent losses go on
moving.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from logdoctor.causes._evidence import SETTLES, SIGN, STRONG, Present, change
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.detectors.baseline import noise
from logdoctor.model import Change
from logdoctor.view import RunView

EARLY = 0.67  # a usual schedule reaches its floor at the end of the run (cosine, linear); two thirds is early
OUTPUTS = ("q_max", "q_min", "q_value", "val_loss", "eval_return", "entropy")


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    rate = facts(view).rate
    if rate is not None:
        if rate.spent_at is not None and rate.spent_at[0] < EARLY:
            share, line = rate.spent_at
            yield Argument(
                weight=SETTLES,
                text=f"The learning rate falls below 3 % of its peak of {say(rate.peak)} (line {rate.peak_line}) "
                f"at line {line}, "
                f"{share:.0%} into the run.",
            )
        else:
            yield Argument(
                weight=-SETTLES,
                text=f"The learning rate is still {say(rate.lowest_late)} or more in the second half of the run "
                f"(peak {say(rate.peak)}, line {rate.peak_line}).",
            )
        return
    if "updates-stopped" in present:  # from one record to the next; a schedule takes some records for it
        return
    still = facts(view).weights_still
    if still is not None and still[0] < EARLY:
        yield Argument(
            weight=STRONG,
            text=f"From line {still[1]} ({still[0]:.0%} of the run) on val_loss repeats to the last digit and the "
            f"training loss "
            "goes nowhere: the weights no longer change.",
        )
        return
    yield from _frozen_outputs(view)
    yield from _settings(view)


def _frozen_outputs(view: RunView) -> Iterator[Argument]:
    """Outputs that stop while the losses on fresh data go on: the weights stand still, the program does not."""
    known = facts(view)
    stopped = [(n, s) for n in OUTPUTS if (s := known.settled_early(n)) is not None and 0.05 <= s[0] < 0.3]
    alive = [
        n
        for n in ("loss", "d_loss", "c_loss", "grad_norm")
        if (lv := known.level(n)) is not None and lv.noise > 1e-4 * abs(lv.end)
    ]
    if stopped and not view.is_rl and _improves(view, max(line for _, (_, line) in stopped)):
        return  # training goes on: it is the record of the held-out results that stands still
    if stopped and alive and len(stopped) == sum(known.level(n) is not None for n in OUTPUTS):
        name, (share, line) = max(stopped, key=lambda item: item[1][0])
        yield Argument(
            weight=STRONG,
            text=f"{', '.join(n for n, _ in stopped)} stop moving at line {line} ({share:.0%} of the run; {name} "
            f"last) while "
            f"{', '.join(alive)} go on: the weights hardly change any more.",
        )


def _improves(view: RunView, line: int) -> bool:
    """Whether the training loss still falls by more than its noise after ``line``."""
    loss = view.finite("loss")
    later = loss.value[loss.line >= line] if loss is not None else np.empty(0)
    if later.size < 6:
        return False
    third = later.size // 3
    fall = float(np.median(later[:third]) - np.median(later[-third:]))
    return fall > max(2 * noise(later), 0.05 * abs(float(np.median(later))))


def _settings(view: RunView) -> Iterator[Argument]:
    horizon, budget = (
        view.number("lr_decay_iters", "lr_decay_steps", "decay_steps"),
        view.number("max_steps", "max_iters"),
    )
    if horizon is not None and budget is not None and budget > 0:
        if horizon < EARLY * budget:
            yield Argument(weight=STRONG, text=f"The schedule ends after {say(horizon)} of {say(budget)} steps.")
        else:
            yield Argument(weight=-SIGN, text=f"The schedule ends at step {say(horizon)} of {say(budget)}.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    budget = view.number("max_steps", "max_iters", "epochs", "total_timesteps") or view.span[1]
    names = ("lr_decay_iters", "lr_decay_steps", "decay_steps", "lr_decay_end")
    setting = view.setting(*names)
    yield change(
        view,
        setting.name if setting is not None else "lr_decay_steps",
        budget,
        "let the schedule end where the run ends",
        tradeoff="The rate stays high longer: keep the gradient norm in view.",
        reference="Hoffmann et al. 2022: the cosine length should match the number of steps",
        aliases=names,
    )


CAUSE = CauseRecord(
    id="learning-rate-decayed-too-early",
    title="Learning rate decayed too early",
    prior=-3.0,
    symptoms={
        "learning-rate-decayed-early": STRONG,
        "learning-rate-zero": SIGN,
        "loss-plateau": 0.4,
        "loss-not-learning": 0.3,
        "performance-stagnation": 0.5,
        "agreement-stagnates": 0.3,
    },
    leads_to=("learning-rate-too-low", "loss-plateau", "performance-stagnation", "loss-not-learning", "never-learned"),
    weigh=_weigh,
    changes=_changes,
    would_settle=(
        "The learning rate at each logged step.",
        "The size of the update relative to the weights after the plateau begins.",
    ),
    references=("Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, appendix B",),
)
