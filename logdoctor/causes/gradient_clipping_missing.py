"""No limit on the gradient norm, so one large gradient can wreck the weights."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor import norms
from logdoctor.causes._evidence import HINT, SIGN, STRONG, Present, change, default_of, seen, where
from logdoctor.causes._facts import facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Watch
from logdoctor.view import RunView

HUGE = 100.0  # ten times the largest limit in use (10): no clipped training moves by gradients of that norm
EXPLOSIONS = (
    "gradient-explosion",
    "loss-explosion",
    "gradient-not-finite",
    "loss-not-finite",
    "critic-loss-explosion",
    "gradient-spikes",
    "actor-loss-explosion",
    "q-divergence",
    "loss-divergence",
)


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    off = norms.clipping_off(view)
    setting = view.setting("max_grad_norm")
    broken = seen(present, *EXPLOSIONS)
    if off and setting is not None:
        weight = SIGN + (SIGN if broken is not None else 0.0)
        yield Argument(
            weight=weight,
            text=f"max_grad_norm = {setting.value} ({where(setting.line, setting.source)}): no limit acts.",
        )
    elif off is False and setting is not None and "clipping-inactive" in present:
        yield Argument(
            weight=0.0,
            text=f"max_grad_norm = {setting.value} ({where(setting.line, setting.source)}) is stated, but the clip "
            f"column shows that it does not act.",
        )
    elif off is False and setting is not None:
        yield Argument(
            weight=-STRONG, text=f"max_grad_norm = {setting.value} ({where(setting.line, setting.source)}) is in force."
        )
    yield from _measured(view)


def _measured(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    delta = known.level("clip_delta")
    for name in known.gradients():
        level = known.level(name)
        if level is None or level.high <= HUGE:
            continue
        if delta is not None and delta.low >= 0.999:
            yield Argument(
                weight=STRONG,
                text=f"{name} reaches {say(level.high)} (line {level.high_line}) and clip_delta stays "
                f"{say(delta.low)}: nothing is clipped.",
            )
        elif delta is not None:
            yield Argument(weight=-SIGN, text=f"clip_delta falls to {say(delta.low)}: clipping acts.")
        else:
            yield Argument(
                weight=HINT,
                text=f"{name} reaches {say(level.high)} (line {level.high_line}) before clipping, if there is any.",
            )
        return


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    default, reference = default_of(view, "max_grad_norm", 1.0)
    stated = view.number("max_grad_norm")
    if stated and norms.clipping_off(view) is False and "clipping-inactive" in present:
        yield change(
            view,
            "the clip call itself",
            f"clip_grad_norm_(parameters, max_norm={norms.number(stated)}) between backward and step",
            "the stated limit never acts: the call is missing, commented out, or comes after the step",
            tradeoff="If more than a third of the updates are clipped, the limit acts as a smaller learning rate.",
            reference="Pascanu et al. 2013",
        )
        return
    yield change(
        view,
        "max_grad_norm",
        default,
        "one outlier can then move the weights no farther than an ordinary batch",
        tradeoff="If more than a third of the updates are clipped, the limit acts as a smaller learning rate.",
        reference=reference or "Pascanu et al. 2013",
        aliases=("grad_clip", "clip_grad_norm"),
    )


def _mechanism(view: RunView, present: Present) -> Iterator[str]:
    known = facts(view)
    level = next((found for name in known.gradients() if (found := known.level(name)) is not None), None)
    if level is None or level.start <= 0 or level.high <= HUGE:
        return
    limit = view.number("max_grad_norm") or default_of(view, "max_grad_norm", 1.0)[0]
    yield (
        f"{level.shown} {say(level.start)} → {say(level.high)}: one update of {say(level.high / level.start)} times "
        f"the usual length"
    )
    yield f"clipped to {say(limit)}, that update would have been {say(level.high / limit)} times shorter"
    if view.is_rl:
        yield "small error → large Q → huge gradient → larger error; the clip cuts this loop"


def _watch(view: RunView, present: Present) -> Iterator[Watch]:
    if "clipping-inactive" in present and view.get("clip_delta") is not None:
        yield Watch(
            metric="clip_delta",
            condition="<",
            value=1.0,
            within_steps=None,
            sign="recovery",
            otherwise="The clip still does not act: if the column stays at 1, something else is wrong",
            why="gradients above the limit are cut off",
        )


CAUSE = CauseRecord(
    id="gradient-clipping-missing",
    title="No gradient clipping",
    prior=-3.2,
    symptoms={
        "gradient-explosion": SIGN,
        "clipping-inactive": STRONG,
        "gradient-spikes": HINT,
        "gradient-not-finite": HINT,
        "loss-explosion": HINT,
        "loss-not-finite": 0.3,
        "critic-loss-explosion": HINT,
        "actor-loss-explosion": HINT,
    },
    leads_to=("gradient-explosion", "loss-explosion", "loss-not-finite", "gradient-dead", "gradient-not-finite"),
    weigh=_weigh,
    changes=_changes,
    mechanism=_mechanism,
    watch=_watch,
    would_settle=(
        "The gradient norm before and after clipping in the log.",
        "The call that clips, and whether its result is used.",
    ),
    references=("Pascanu et al. 2013", "Zhang et al. 2020, Why gradient clipping accelerates training"),
)
