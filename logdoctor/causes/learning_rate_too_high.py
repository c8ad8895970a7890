"""The step size makes updates overshoot: from the start, or after it was raised.

Evidence for: a rate above what the family uses; a rate raised before the break; a policy or a classifier that is worse
than a guess from the first records on; a Kullback-Leibler divergence far above 0.02. Evidence against: a rate inside of
the range in use, a single break out of a calm stretch (one bad batch looks like that), metrics that hardly move.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from logdoctor import norms
from logdoctor.causes._evidence import (
    HINT,
    SETTLES,
    SIGN,
    STRONG,
    Present,
    above,
    below,
    climbed,
    first_line,
    inside,
    lower_rate,
    raised,
    seen,
    where,
)
from logdoctor.causes._facts import SETTLED, facts, say
from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import Change, Finding, Watch
from logdoctor.view import RunView

FAR = 5.0  # times the usual rate: more than the factor of 3 by which rates are varied in a search
KL_LARGE = 0.1  # five times the 0.02 above which an update counts as too large (37 details; Spinning Up stops at 0.015)


def _weigh(view: RunView, present: Present) -> Iterator[Argument]:
    yield from _settings(view)
    yield from _raised(view, present)
    yield from _from_the_start(view)
    yield from _policy(view)
    yield from _overshot(view, present)
    yield from _driven_away(present)
    yield from _against(view)


def _driven_away(present: Present) -> Iterator[Argument]:
    """A loss above that of any guess: no lack of signal does that, only updates that are too large."""
    finding = present.get("loss-not-learning")
    final = finding.figures.get("final") if finding is not None and "largest_guess" in finding.figures else None
    if isinstance(final, float):
        yield Argument(
            weight=STRONG,
            text=f"A loss of {say(final)} is worse than a guess: only updates that are too large drive a model there.",
        )
    elif climbed(present) is not None:
        yield Argument(
            weight=HINT, text="The training loss rose: steps that are too large overshoot, small ones do not."
        )


def _settings(view: RunView) -> Iterator[Argument]:
    for found in norms.learning_rates(view):
        if found.side == "above":
            yield above(found)
        elif found.side == "below":
            yield raised(below(found), -SETTLES)
        elif _high_for_adam(view, found):
            yield Argument(
                weight=HINT,
                text=f"{found.parameter} = {norms.number(found.value)} ({where(found.line, found.source)}) is "
                f"usual for plain SGD and far "
                "too high for Adam; the optimiser is not stated.",
            )
        else:
            yield inside(found)


def _high_for_adam(view: RunView, found: norms.Judgement) -> bool:
    adam = norms.norm_of(view.family, found.parameter, "adam")
    return view.setting("optimizer") is None and adam is not None and found.value > 2 * adam.high


def _raised(view: RunView, present: Present) -> Iterator[Argument]:
    change = seen(present, "learning-rate-changed")
    step = facts(view).raised
    if change is not None and float(change.figures.get("factor") or 0.0) > 1:
        yield Argument(weight=SETTLES if change.severity != "info" else HINT, text=change.summary)
    elif step is not None:
        yield Argument(
            weight=SETTLES,
            text=f"The learning rate was raised from {say(step.before)} to {say(step.after)} ({say(step.factor)} "
            f"times) "
            f"at line {step.line}.",
        )


def _from_the_start(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    loss = known.level("val_loss", "loss", "train_loss")
    if loss is None or view.is_rl:
        return
    train = known.level("loss", "train_loss")
    fits = train is not None and known.guess is not None and train.end < 0.9 * known.guess
    # A start above a guess that is worked off slowly is the opposite fault; a loss that fits is no overshooting.
    falling = loss.tau < -0.8 or fits or known.no_signal
    climbs, answer = known.maximised, known.one_answer
    settled = known.settled_at_guess() if answer is not None else None
    if settled is not None and answer is not None:
        yield Argument(
            weight=-SIGN,
            text=f"{settled.text()} and {answer.shown} only takes a few values: it rests at a guess; steps that are "
            "too large keep a loss above it.",
        )
    if climbs is not None:
        yield Argument(
            weight=-STRONG,
            text=f"{climbs.text()}: it climbs without a swing from the first record on; steps that are too large jump.",
        )
        return
    moves = loss.name != "val_loss" or abs(loss.end - loss.start) > 1e-3 * abs(loss.end) or loss.noise > 0
    if known.at_chance and known.guess is not None and loss.end > known.guess * 1.01 and not falling and moves:
        # Without an accuracy the first loss alone tells how many classes there are.
        told = "" if known.level("val_accuracy", "accuracy") else " (if its first value is one)"
        yield Argument(
            weight=SIGN + (HINT if loss.end > 1.03 * known.guess else 0.0),
            text=f"{loss.shown} ends at about {say(loss.end)} (to line {loss.last_line}), above the "
            f"{say(known.guess)} of a guess among "
            f"{known.classes:,} classes{told}: the weights still move, past the minimum.",
        )
    if (
        train is not None
        and known.guess is not None
        and train.high > 1.3 * known.guess
        and train.high_line > train.first_line
        and train.end > 0.6 * known.guess
        and not falling
    ):
        yield Argument(
            weight=HINT,
            text=f"{train.shown} rose to {say(train.high)} (line {train.high_line}), above the {say(known.guess)} "
            f"of a guess.",
        )
    yield from _wandering(view)


def _wandering(view: RunView) -> Iterator[Argument]:
    """A loss that climbs again early in the run, and one that does not come back after a break."""
    known = facts(view)
    for name in ("loss", "train_loss"):
        climb = known.climb(name)
        if climb is not None and climb.position < 0.6:
            yield Argument(
                weight=SIGN,
                text=f"{name} falls to {say(climb.low)} by line {climb.low_line} and then climbs to {say(climb.high)} "
                f"(line {climb.high_line}) and stays up for {climb.length:.0%} of the run.",
            )
            break
    yield from _freed_by_decay(view)
    for name in ("loss", "train_loss"):
        stuck = known.relearning(name)
        if stuck is not None:
            yield Argument(
                weight=STRONG,
                text=f"After the break at line {stuck.line} {name} does not come back: {stuck.records} records at "
                f"{say(stuck.level)} or above, a level that it passed in its first {stuck.passed} records. Steps "
                f"of the same "
                "size as before would have learned it again.",
            )
            break


def _freed_by_decay(view: RunView) -> Iterator[Argument]:
    """A loss that stands still at the full rate and falls again as the rate decays."""
    rate, loss = facts(view).rate, view.finite("loss")
    if rate is None or loss is None or len(loss) < 40 or rate.last > 0.5 * rate.peak:
        return
    tenth = len(loss) // 10
    early, middle, end = (float(np.median(loss.value[i * tenth : (i + 1) * tenth])) for i in (1, 4, 9))
    if middle > 0.95 * early and end < 0.9 * middle:
        yield Argument(
            weight=SIGN + HINT,
            text=f"loss stands at {say(early)} to {say(middle)} while the rate is near its peak of "
            f"{say(rate.peak)} (line "
            f"{rate.peak_line}) and falls to {say(end)} as the rate decays to {say(rate.last)}.",
        )


def _policy(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    entropy = known.level("entropy", "entropy_loss")
    if entropy is not None and view.is_rl:
        first = abs(entropy.first)
        if first < 0.15 and abs(entropy.end) < 0.15:
            yield Argument(
                weight=STRONG,
                text=f"The policy is already (almost) deterministic at the first record: {entropy.shown} = "
                f"{say(entropy.first)} "
                f"(line {entropy.first_line}); a few updates of a fitting size cannot do that.",
            )
    kl = known.level("kl")
    if kl is not None and kl.high > KL_LARGE:
        weight = STRONG if kl.start > KL_LARGE else SIGN
        yield Argument(
            weight=weight, text=f"kl reaches {say(kl.high)} (line {kl.high_line}); an update beyond 0.02 is large."
        )
    features, critic = known.level("feature_l2_norm"), known.level("critic_loss", "td_error")
    if features is not None and features.first > 50 and critic is not None and critic.first < 3 * max(critic.end, 1e-9):
        yield Argument(
            weight=SIGN + HINT,
            text=f"feature_l2_norm is {say(features.first)} at its first record (line {features.first_line}) while "
            f"{critic.shown} is an ordinary {say(critic.first)}: the first layers were moved far by the first updates.",
        )


def _overshot(view: RunView, present: Present) -> Iterator[Argument]:
    """Values that run away and fall back, at a rate many times the usual one: what steps past the minimum look like."""
    grown, rate = seen(present, "q-divergence"), next(iter(norms.learning_rates(view)), None)
    if grown is None or rate is None or rate.norm.default <= 0 or rate.value < FAR * rate.norm.default:
        return
    fallen, swings = seen(present, "q-collapse"), seen(present, "gradient-swings")
    signs = ["the values ran away"]
    signs += ["then fell back"] if fallen is not None else []
    signs += ["the gradient norm swings"] if swings is not None else []
    speed = view.finite("steps_per_second")
    pace = f", {np.median(speed.value):.3g} times a second" if speed is not None else ""
    yield Argument(
        weight=SIGN if len(signs) > 1 else HINT,
        text=f"{', '.join(signs)}: so do steps that go past the minimum, {say(rate.value / rate.norm.default)} times "
        f"the usual size{pace}.",
    )


def _against(view: RunView) -> Iterator[Argument]:
    known = facts(view)
    for name in ("loss", "val_loss", "q_max", "entropy", "entropy_loss"):
        level = known.creeps(name)
        if level is not None:
            yield Argument(
                weight=-STRONG, text=f"{level.text()}: it moves steadily, but hardly; the steps are not too large."
            )
            return
    kl = known.level("kl")
    if kl is not None and kl.high < 0.01:
        yield Argument(
            weight=-STRONG, text=f"kl never exceeds {say(kl.high)} (line {kl.high_line}): the updates are small."
        )
    for name in ("loss", "val_loss"):
        jump = known.jump(name)
        calm = jump is not None and jump.position > SETTLED and known.raised is None
        if jump is not None and calm and known.relearning(name) is None:
            shape = (
                "is not finite"
                if math.isinf(jump.ratio) or math.isnan(jump.ratio)
                else f"jumps {say(jump.ratio)} times"
            )
            yield Argument(
                weight=-HINT,
                text=f"{name} {shape} at line {jump.line} out of a calm stretch, with no change of the rate before it.",
            )
            return


def _changes(view: RunView, present: Present) -> Iterator[Change]:
    event = seen(present, "learning-rate-changed")
    line = first_line(event)
    why = "smaller steps stop the overshooting"
    if event is not None and line is not None and float(event.figures.get("factor") or 0.0) > 1:
        yield Change(
            parameter="learning_rate",
            from_=event.figures.get("after"),
            to=event.figures.get("before"),
            why="go back to the rate that the run was stable at",
            tradeoff="Progress per step is slower again.",
            reference="the run itself, before the change",
            where=f"line {line}",
        )
        return
    step = facts(view).raised
    if step is not None:
        yield Change(
            parameter="learning_rate",
            from_=step.after,
            to=step.before,
            why="go back to the rate that the run was stable at",
            tradeoff="Progress per step is slower again.",
            reference="the run itself, before the change",
            where=f"line {step.line}",
        )
        return
    yield from lower_rate(view, why)


def _watch(view: RunView, present: Present) -> Iterator[Watch]:
    yield from _once_more(view, present)
    name = next((n for n in ("q_max", "kl", "grad_norm", "loss") if view.get(n) is not None), None)
    if name is not None:
        yield Watch(
            metric=name,
            condition="finite",
            value=None,
            within_steps=None,
            sign="recovery",
            otherwise="Lower the learning rate once more, by three.",
            why="steps that are too large end in numbers that are not finite",
        )


def _too_much(view: RunView, grown: Finding, peak: float) -> tuple[float, str]:
    """Return the value of Q that says that it runs away again: above all that it was worth while the run was well."""
    q, line = view.finite("q_max"), first_line(grown)
    before = q.highs[q.line < line] if q is not None and line is not None else np.empty(0)
    well = float(before.max()) if before.size else 0.0
    if well < peak / 2:
        return peak / 2, f"half of the {norms.number(peak)} that it reached"
    return (well + peak) / 2, f"midway between its largest value before, {norms.number(well)}, and {norms.number(peak)}"


def _once_more(view: RunView, present: Present) -> Iterator[Watch]:
    """What a rate that is still too high would show, and the next smaller one."""
    grown, swings = seen(present, "q-divergence"), seen(present, "gradient-swings")
    new = next(((c.parameter, c.to) for c in lower_rate(view, "") if isinstance(c.to, float)), None)
    lower = f"lower {new[0]} once more, to {norms.number(float(f'{new[1] / 2:.1g}'))}" if new else ""
    peak = abs(float(grown.figures.get("peak") or 0.0)) if grown is not None else 0.0
    if peak > 0 and lower and grown is not None and view.get("q_max") is not None:
        limit, why = _too_much(view, grown, peak)
        yield Watch(
            metric="q_max",
            condition=">",
            value=float(f"{limit:.2g}"),
            within_steps=None,
            sign="failure",
            otherwise=lower,
            why=why,
        )
    norm = view.finite("grad_norm")
    if swings is not None and norm is not None and lower:
        middle = float(np.median(norm.value))
        yield Watch(
            metric="grad_norm",
            condition=">",
            value=float(f"{2 * middle:.3g}"),
            within_steps=None,
            sign="failure",
            otherwise=f"look for NaN or infinite values in the batches; {lower}",
            why=f"twice its median of {norms.number(float(f'{middle:.3g}'))}",
        )
    clip = view.finite("clip_delta")
    if clip is not None and norm is not None and norm_limit(clip.value) and swings is not None:
        yield Watch(
            metric="clip_delta",
            condition=">=",
            value=0.8,
            within_steps=None,
            sign="recovery",
            otherwise="a larger max_grad_norm may be needed; always 1 means only that nothing is cut off",
            why="close to 1: few updates are cut off",
        )


def norm_limit(ratio: np.ndarray) -> bool:
    """Whether a clip column is the share of the norm that is left, and some of it was cut off."""
    return bool(ratio.max() <= 1.0 and 0.0 < ratio.min() < 1.0)


CAUSE = CauseRecord(
    id="learning-rate-too-high",
    title="Learning rate too high",
    prior=-2.0,
    symptoms={
        "performance-below-baseline": 0.2,
        "loss-explosion": SIGN,
        "loss-divergence": SIGN,
        "loss-not-finite": HINT,
        "loss-oscillation": HINT,
        "loss-not-learning": HINT,
        "loss-at-chance": HINT,
        "loss-plateau": HINT,
        "gradient-explosion": HINT,
        "gradient-swings": HINT,
        "q-divergence": HINT,
        "critic-loss-explosion": HINT,
        "actor-loss-explosion": HINT,
        "feature-norm-explosion": HINT,
        "kl-blow-up": SIGN,
        "clip-fraction-high": HINT,
        "entropy-collapse": HINT,
        "deterministic-policy": HINT,
        "action-std-underflow": HINT,
        "action-saturation": HINT,
        "performance-collapse": 0.3,
        "never-learned": 0.3,
    },
    leads_to=(
        "gradient-explosion",
        "loss-explosion",
        "loss-divergence",
        "q-divergence",
        "kl-blow-up",
        "policy-collapse",
        "loss-not-finite",
        "feature-norm-explosion",
        "performance-collapse",
        "gradient-dead",
        "dead-relu",
    ),
    weigh=_weigh,
    changes=_changes,
    watch=_watch,
    would_settle=(
        "The same run with a third of the learning rate: the break comes later or not at all.",
        "The gradient norm and the size of the update relative to the weights (healthy: about 1e-3) before the break.",
    ),
    references=("Godbole et al. 2023, Deep Learning Tuning Playbook", "Henderson et al. 2018, Deep RL That Matters"),
)
