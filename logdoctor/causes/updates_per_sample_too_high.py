"""Many optimiser steps per new sample: an error of the values is learned again before new data corrects it."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.causes._evidence import HINT, SIGN, Present, change, seen
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Watch
from logdoctor.norms import number
from logdoctor.view import RunView

NAMES = ("updates_per_sample", "training_steps_per_sample", "train_steps_per_sample", "replay_ratio", "utd_ratio")
HIGH = 4.0  # updates per environment step; DQN makes 0.25, SAC 1, and REDQ needs an ensemble for 20
UNSTABLE = (
    "q-divergence",
    "gradient-swings",
    "gradient-explosion",
    "overestimation",
    "performance-collapse",
    "critic-loss-explosion",
    "q-above-bound",
)


def _ratio(view: RunView) -> tuple[float, str] | None:
    setting = view.setting(*NAMES)
    direct = view.number(*NAMES)
    if direct is not None and setting is not None:
        return direct, f"{setting.raw_name} = {number(direct)}"
    steps, every = view.number("gradient_steps"), view.number("train_freq")
    if steps is not None and every:
        return (
            steps / every,
            f"gradient_steps / train_freq = {number(steps)} / {number(every)} = {number(steps / every)}",
        )
    return None


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    found = _ratio(view)
    if found is None:
        return
    if found[0] > HIGH and seen(present, *UNSTABLE) is not None:
        yield Argument(weight=SIGN, text=f"{found[1]} updates per sample; 0.25 (DQN) to 1 (SAC) is usual.")
    elif found[0] <= 2:
        yield Argument(weight=-SIGN, text=f"{found[1]} is usual.")
    accumulation = view.number("accumulation_steps", "grad_accumulation", "gradient_accumulation_steps")
    if accumulation == 1 and found[0] > HIGH:
        yield Argument(weight=HINT, text="Each of them is applied by itself: gradients are not accumulated.")


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    found = _ratio(view)
    setting = view.setting(*NAMES, "gradient_steps")
    if found is not None and setting is not None and found[0] > 1:
        yield change(
            view,
            setting.name,
            float(max(1, round((view.number(setting.name) or 2) / 2))),
            "half as many updates on the same data",
            tradeoff="Each sample teaches less: progress per sample is slower.",
            reference="D'Oro et al. 2023, Breaking the Replay Ratio Barrier",
        )
    batch, accumulation = view.number("batch_size"), view.number("accumulation_steps", "grad_accumulation")
    if accumulation == 1 and batch:
        yield change(
            view,
            "accumulation_steps",
            4,
            "one smooth update instead of four noisy ones",
            tradeoff="Four times fewer optimiser steps per second.",
            arithmetic=f"effective batch: {batch:,.0f} × 4 = {batch * 4:,.0f}",
            aliases=("grad_accumulation", "gradient_accumulation_steps"),
        )


def _watch(view: RunView, present: Present) -> Iterator[Watch]:
    steps = view.number("accumulation_steps", "grad_accumulation")
    if steps is not None and view.finite("loss") is not None:
        yield Watch(
            metric="loss",
            condition="falls",
            value=None,
            within_steps=None,
            sign="recovery",
            otherwise=f"if it oscillates, raise the gradient accumulation to {number(8 * steps)} batches",
            why="smoothly, more slowly than before",
        )


def _mechanism(view: RunView, present: Present) -> Iterator[str]:
    rate, batch = view.finite("steps_per_second"), view.number("batch_size")
    if rate is not None and batch:
        middle = float(sorted(rate.value)[len(rate) // 2])
        yield f"{middle:.4g} steps/s × batch {batch:,.0f} = {middle * batch:,.0f} samples/s"


CAUSE = CauseRecord(
    id="updates-per-sample-too-high",
    title="Too many updates per sample",
    prior=-3.7,
    symptoms={"gradient-swings": 0.3, "q-divergence": 0.3, "overestimation": 0.3},
    leads_to=("q-divergence", "overestimation", "gradient-swings"),
    weigh=_weigh,
    changes=_changes,
    mechanism=_mechanism,
    watch=_watch,
    would_settle=("The same run with half the updates per sample.",),
    references=("D'Oro et al. 2023", "Nikishin et al. 2022, The Primacy Bias"),
    families=("dqn", "sac", "td3", "rl"),
)
