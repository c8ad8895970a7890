"""Performance never rose above where it began.

What it finds: a return, success rate or accuracy whose best level over the whole run is no material improvement.
Why it matters: the whole budget bought nothing; more of the same will not help.
How it decides: even with ``signal`` standard errors added, the best smoothed level stays within ``material`` of the
start's size (or of the room above it, for a metric bounded by 1), over at least ``points`` rows. Critical when the
end lies below the start by as much, or when a second witness says the same (loss at its start, entropy at its
maximum, a critic that explains nothing, no success at all); a flat curve alone is a warning, because a slow task may
need more budget. A held-out loss without a training loss beside it counts when it only rises, as a warning.
When it is wrong: a run that continues good weights starts high and stays there (a resumed run is only told, not
accused); a very slow task may need more budget than this run had; an offset in the reward hides a rise.
What to do: overfit something trivial first (one batch, one easy level); check learning rate, reward and exploration.
References: ML-Agents#182 (50k of 3-5M steps); AUTOTRAINER: accuracy below 0.6 after 30 % of the epochs; RLExplorer:
reward stagnation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from logdoctor.model import Finding
from logdoctor.rules._course import course, solved
from logdoctor.rules._examples import learning, ramp, table
from logdoctor.rules._losses import main_loss
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import Progress, performance, starts_midway
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import LOSS_LIKE, RunView

FEW = 8  # rows of a training loss that show where it goes


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when performance never improved."""
    progress = performance(view)
    if progress is None or len(progress.series) < int(limits.points):
        return
    went, like_a_loss = course(view), progress.series.name in LOSS_LIKE
    sank = went is not None and went.series is progress.series and went.sank
    if like_a_loss and not (sank and _held_out_alone(view, progress)):
        return
    if starts_midway(view, progress.series) or (_solved(progress) and not sank) or fell_below_start(progress):
        return
    if not flat(progress, limits) or solved(view):
        return
    witness = witnesses(view)
    worse = progress.improvement < -max(limits.signal * progress.error, progress.material(limits.material))
    if not witness and progress.gain > 0 and policy_settles(view):
        return
    if np.isfinite(progress.top) and not witness and _training_fits(view, progress):
        return
    yield _finding(view, progress, witness, critical=bool(witness or worse) and not like_a_loss)


def _held_out_alone(view: RunView, progress: Progress) -> bool:
    """Whether a held-out loss is all there is: beside a training loss its rise is a matter of fit, and told as such."""
    return progress.series.name.startswith("val_") and main_loss(view, FEW) is None


def fell_below_start(progress: Progress) -> bool:
    """A positive level of which half is lost was there from the start and is another finding: a collapse."""
    return progress.goal == "max" and progress.start > 0 and progress.final < 0.5 * progress.start


def policy_settles(view: RunView) -> bool:
    """Whether the policy's entropy falls in good order, neither stuck at its maximum nor gone.

    Then the policy does learn something; a return that is flat from the first row on was learned before that row.
    """
    entropy = view.first("entropy", "entropy_loss")
    if entropy is None or len(entropy) < 20:
        return False
    size = np.abs(entropy.value[np.isfinite(entropy.value)])
    if size.size < 20:
        return False
    early, late = float(np.median(size[: max(3, size.size // 10)])), float(np.median(size[-size.size // 4 :]))
    return late > 0.03 and 0.1 * early < late < 0.8 * early


def _training_fits(view: RunView, progress: Progress) -> bool:
    """Whether the training set is learned while a held-out metric stands still: that is a matter of generalisation."""
    if not progress.series.name.startswith("val_"):
        return False
    loss = view.finite("loss") or view.finite("train_loss")
    if loss is None or len(loss) < 10:
        return False
    early = float(np.median(loss.value[1 : max(4, len(loss) // 10)]))  # the first row of a diverging run is no level
    return float(np.median(loss.value[-5:])) < 0.5 * early


def flat(progress: Progress, limits: Limits) -> bool:
    """Whether the best level is no material improvement over the start, noise included."""
    gain = max(progress.best, progress.final) - _start(progress)
    noise = limits.signal * progress.error
    return bool(gain + noise < max(progress.material(limits.material), 1e-12) or gain <= noise)


def _start(progress: Progress) -> float:
    """The start, or the very first value where it is lower by more than noise: some tasks are learned in three rows."""
    first = float(progress.up[0])
    return first if progress.start - first > 3 * progress.noise else progress.start


def _solved(progress: Progress) -> bool:
    """A bounded metric that starts near its top has nothing left to learn."""
    return np.isfinite(progress.top) and progress.start > 0.8 * progress.top


def witnesses(view: RunView) -> list[str]:
    """Return what else in the log says that nothing was learned."""
    found = []
    entropy = view.first("entropy", "entropy_loss")
    if entropy is not None and len(entropy) >= 10:
        size = np.abs(entropy.value[np.isfinite(entropy.value)])
        if size.size and size[0] > 0.3 and float(size.min()) > 0.97 * float(size.max()):
            found.append(
                f"{label(entropy)} stays at its start value of {say(float(size[0]))}: the policy acts as at random"
            )
    explained = view.finite("explained_variance")
    if explained is not None and len(explained) >= 10 and float(np.quantile(np.abs(explained.value), 0.75)) < 0.05:
        found.append(f"{label(explained)} stays near 0: the critic predicts nothing")
    success = view.finite("success_rate") or view.finite("val_success_rate") or view.finite("eval_success_rate")
    if success is not None and len(success) >= 10 and not success.value.any():
        found.append(f"{label(success)} is 0 in all {len(success)} rows")
    loss = view.finite("loss") or view.finite("train_loss")
    if not view.is_rl and loss is not None and len(loss) >= 10:
        change = 1 - Progress(loss, "min").printed(Progress(loss, "min").final) / max(abs(float(loss.value[0])), 1e-12)
        if change < 0.05:
            found.append(f"{label(loss)} moved by {change:.1%} over the whole run")
    return found


def _finding(view: RunView, progress: Progress, witness: list[str], *, critical: bool) -> Finding:
    series, last = progress.series, len(progress.series) - 1
    best = int(np.argmax(progress.up))
    start, final, top = (progress.printed(x) for x in (progress.start, progress.final, progress.best))
    went = course(view)
    same = went is not None and went.series.name == series.name and progress.improvement > 0
    verb = "hardly" if same and went is not None and went.rose else "never"  # clear, but not worth the run
    picks = [(0, "start"), *((i, "") for i in way(0, last, 3)), (best, "best single value"), (last, "last row")]
    found = finding(
        RULE,
        view,
        severity="critical" if critical else "warning",
        confidence=0.92 if critical else 0.75,
        metrics=[series.name],
        summary=(
            f"{label(series)} {verb} improved: {say(start)} at the start, {say(top)} at its best smoothed level,"
            f" {say(final)} at the end"
            f" ({at(view, series, last)}), over {len(series):,} rows."
        ),
        figures={
            "start": start,
            "best": top,
            "final": final,
            "rows": len(series),
            "noise": float(f"{progress.noise:.4g}"),
            "material_improvement": float(f"{progress.material(0.2):.4g}"),
        },
        evidence=rows(series, picks),
        analysis=". ".join(
            [*witness, "Start, best and end are means of the first twentieth, the best twelfth and the last tenth"]
        )
        + ".",
    )
    return replace(found, title="Performance hardly rose above its start") if verb == "hardly" else found


RULE = Rule(
    id="LD603",
    name="never-learned",
    title="Performance never rose above its start",
    severity="critical",
    detect=detect,
    thresholds=(
        threshold(
            "material",
            0.2,
            "of the start, or of the room above it",
            "less is no learning",
            "SageMaker: 10 % for losses",
        ),
        threshold("signal", 2.0, "standard errors", "the level is known to about two", "95 % interval of a mean"),
        threshold("points", 20.0, "rows", "a shorter run is inconclusive", "trainproof: 10 points; runmedic: 30"),
    ),
    tags=("performance", "reinforcement-learning", "supervised"),
    references=("https://github.com/Unity-Technologies/ml-agents/issues/182",),
    examples=(
        Example(title="return stays at 22", log=lambda: table(episode_return=ramp(22, 22, noise=1.0)), fires=True),
        Example(title="return rises from 0 to 100", log=lambda: table(episode_return=learning()), fires=False),
    ),
)
