"""The loss never fell.

What it finds: a supervised or language-model loss that is, at the end, (almost) where it began.
Why it matters: the optimiser changes nothing that matters: a learning rate near zero or far too large, frozen or
unconnected parameters, labels without relation to the inputs.
How it decides: even the best level is less than ``small`` below the first one, noise included, over at least 20 rows;
critical below ``none``, or when the end is ``away`` times the first value, or where the perplexity beside it proves a
loss above that of any guess; or the end lies ``rose`` above the start, or ``above`` of the later rows above the first
value. Runs that adapt a trained model may start near their best and get a word of information only, unless the loss
does not move at all: over ``still`` rows that repeat at least three digits, or ``exact`` rows that repeat six, it is a
warning, critical at the loss or the accuracy of a guess, and a mere remark where another result improves beside it.
When it is wrong: a run of few updates, or a loss with a large constant part.
What to do: overfit one batch; print which parameters the optimiser holds; check the learning rate that is really
used.
References: trainproof (dead run: the last five improved less than 5 % on the first five); runmedic (improvement below
2 %); AUTOTRAINER.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from logdoctor.model import Finding, Severity
from logdoctor.rules._beside import improving
from logdoctor.rules._examples import ramp, table
from logdoctor.rules._frozen import digits
from logdoctor.rules._losses import fine_tuning, first_level, learning_rate_at, main_loss
from logdoctor.rules._outcome import label
from logdoctor.rules._progress import Progress, starts_midway
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, power, rows, say, threshold, way
from logdoctor.rules.loss_at_chance import USUAL
from logdoctor.rules.loss_divergence import RULE as DIVERGENCE
from logdoctor.rules.loss_divergence import diverged
from logdoctor.rules.loss_explosion import lasting_jump
from logdoctor.view import RETURNS, RunView

FEW = 8  # rows that show that it is no start-up
DIGITS, EXACT = 3, 6  # significant digits below which a repetition is rounding, and from which few rows are enough
SAME = 1e-6  # of the value: the last bits of a double differ from machine to machine
AT, GUESSED = 2e-3, 0.03  # relative distance of a loss from ln k, and of an accuracy from 1/k
SHOWN = 5e-4  # of the first value: less reads 0.0 %
TWICE = 2.0  # times its first level: such a rise is no scatter of the first rows
LARGEST_GUESS = 13.8  # nats, ln(10^6): vocabularies in use have up to a quarter of a million tokens


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the loss did not fall."""
    special = _beyond_guessing(view) or _unmoved(view, limits)
    if special is not None:
        yield special
        return
    progress = main_loss(view)
    if progress is None or view.raw(progress.series.name) is None:
        return
    begin = first_level(progress)
    best = min(-progress.best, -progress.final)
    fall = (begin - best) / abs(begin) if begin else 0.0
    rose = -progress.final - max(begin, float(np.median(progress.series.value[: max(5, len(progress.series) // 10)])))
    worse = rose > max(limits.rose * abs(begin), 4 * progress.error)
    value = progress.series.value
    later = bool((value[value.size // 2 :] > value[0]).mean() >= limits.above)
    worse = worse or (later and rose_at_all(progress, limits.rose))
    if begin == 0 or (fall >= limits.small and not worse) or _good(view) or spoken_for(progress):
        return
    away = bool(worse and 0 < limits.away * value[0] < -progress.final)
    if away or (worse and 0 < TWICE * begin < -progress.final):  # the first rows belong to the rise already
        begin = float(value[0])
        fall = max(0.0, 1 - best / begin)
    critical = away or (fall < limits.none and not fine_tuning(view, progress))
    yield _finding(view, progress, begin, fall, critical=critical, worse=worse)


def _beyond_guessing(view: RunView) -> Finding | None:
    """A loss a token, proven by the perplexity beside it, that is worse than a guess over any vocabulary in use."""
    progress, perplexity = main_loss(view, FEW), view.finite("perplexity")
    if progress is None or perplexity is None or len(perplexity) < FEW:
        return None
    series, last = progress.series, len(progress.series) - 1
    _, i, j = np.intersect1d(series.line, perplexity.line, return_indices=True)
    if i.size < FEW or not np.allclose(np.log(perplexity.value[j]), series.value[i], rtol=0.01):
        return None
    if float(series.value[-max(FEW, last // 4) :].min()) <= LARGEST_GUESS or starts_midway(view, series):
        return None
    return finding(
        RULE,
        view,
        severity="critical",
        confidence=0.95,
        metrics=[series.name],
        onset=view.place(series, int(np.argmax(series.value > LARGEST_GUESS))),
        summary=(
            f"{label(series)} is {say(float(series.value[-1]))} at {at(view, series, last)}, a perplexity of"
            f" {power(float(np.exp(series.value[-1])))}: a uniform guess over a million tokens would have ln(10⁶) ="
            f" {LARGEST_GUESS}. The model is worse than one that knows nothing."
        ),
        figures={"first": float(series.value[0]), "final": float(series.value[-1]), "largest_guess": LARGEST_GUESS},
        evidence=rows(series, [(0, "first value"), *((k, "") for k in way(0, last, 3)), (last, "last row")]),
        analysis="A loss like this is made by the updates themselves: the weights have been driven far away.",
    )


def _unmoved(view: RunView, limits: Limits) -> Finding | None:
    """A loss that is printed with enough digits and repeats them in every row: no fine-tuning looks like that."""
    progress = main_loss(view, int(limits.exact))
    if progress is None or any(view.finite(name) is not None for name in RETURNS):
        return None
    series = progress.series
    level, count = float(np.median(series.value)), len(series)
    printed = max(digits(value) for value in np.unique(series.value)[:3].tolist())
    least = limits.exact if printed >= EXACT else limits.still
    still = float(np.ptp(series.value)) <= SAME * abs(level) and len(progress.series) >= least
    if not still or level == 0 or printed < DIGITS or not np.ptp(series.step):
        return None
    others = improving(view, series, 0)
    if not others and _good(view):
        return None
    guess = "" if others else _chance(view, level)
    severity: Severity = "info" if others else ("critical" if guess else "warning")
    first, last = at(view, series, 0), at(view, series, count - 1)
    summary = f"{label(series)} does not move at all: {say(level)} in all {count:,} rows, from {first} to {last}"
    if others:
        begin, end = say(float(others[0].value[0])), say(float(others[0].value[-1]))
        summary += f", while {label(others[0])} goes from {begin} to {end}: this column is not what is trained"
    found = finding(
        RULE,
        view,
        severity=severity,
        confidence=0.9 if guess or others else 0.8,
        metrics=[series.name],
        summary=f"{summary}{f'; {guess}' if guess else ''}.",
        figures={"value": level, "rows": count, "digits": printed},
        evidence=rows(series, [(0, "first value"), *((i, "") for i in way(0, count - 1, 2)), (count - 1, "last row")]),
        analysis=(
            "The run learns; judge it by its other columns."
            if others
            else "Batches differ, so a loss that repeats to the last digit belongs to weights that no update reaches:"
            " a gradient of zero (all weights equal or zero), a learning rate of zero, or a graph that is cut."
        ),
    )
    return replace(found, title="The loss does not move at all")


def _chance(view: RunView, level: float) -> str:
    """Say that a loss is that of a guess, or that the accuracy beside it is; empty where neither is so."""
    known = view.number("n_classes", "num_classes", "classes")
    for k in (*((round(known),) if known and known >= 2 else ()), *USUAL):
        if abs(level - np.log(k)) <= AT * np.log(k):
            return f"ln {k:,} is {np.log(k):.4f}, the loss of a guess among {k:,}"
    for name in ("accuracy", "train_accuracy", "val_accuracy"):
        series = view.finite(name)
        if series is None or len(series) < FEW:
            continue
        share = float(np.median(series.value)) / (1.0 if float(series.value.max()) <= 1.0 else 100.0)
        k = next((k for k in USUAL if abs(share * k - 1) < GUESSED), 0)
        if k:
            value = say(float(np.median(series.value)))
            return f"{label(series)} is {value}, that of a guess among {k:,}"
    return ""


def rose_at_all(progress: Progress, least: float) -> bool:
    """Whether the last fifth lies above the first value by a part of ``least``: an adapted model scatters around it."""
    return -progress.level(0.8, 1.0) - float(progress.series.value[0]) > 0.5 * least * abs(
        float(progress.series.value[0])
    )


def spoken_for(progress: Progress) -> bool:
    """Whether the loss exploded or turned, which other rules tell."""
    limits = Limits(DIVERGENCE.thresholds)
    return lasting_jump(progress.series, 8.0, 2.0) is not None or diverged(progress, limits)


def _good(view: RunView) -> bool:
    """An accuracy that is high from the start says that there was little to learn."""
    accuracy = view.finite("accuracy") or view.finite("train_accuracy") or view.finite("val_accuracy")
    if accuracy is None:
        return False
    top = 1.0 if float(accuracy.value.max()) <= 1.0 else 100.0
    return float(np.median(accuracy.value[-5:])) > 0.8 * top


def _finding(view: RunView, progress: Progress, begin: float, fall: float, *, critical: bool, worse: bool) -> Finding:
    series, last = progress.series, len(progress.series) - 1
    rate = learning_rate_at(view, int(series.line[last // 2]))
    classes = round(float(np.exp(begin))) if 0.5 < begin < 12 else 0
    ln_k = (
        f" {say(begin)} is ln {classes:,} to within {abs(begin - np.log(classes)) / begin:.1%}: uniform guessing."
        if classes >= 2 and abs(begin - np.log(classes)) < 0.02 * begin
        else ""
    )
    lr = f" The learning rate in the middle of the run is {say(rate)}." if rate is not None else ""
    higher = worse and -progress.final > begin
    early = "at the start" if begin == float(series.value[0]) else "over its first rows"
    best = f"{fall:.1%} better at its best" if fall > 0 else f"{-fall:.1%} above its start at its best"
    best = best if abs(fall) >= SHOWN else "no lower than that at its best"
    severity: Severity = "critical" if critical else ("warning" if worse or not fine_tuning(view, progress) else "info")
    return finding(
        RULE,
        view,
        severity=severity,
        confidence=0.9 if critical else 0.75,
        metrics=[series.name],
        summary=(
            f"{label(series)} {'rose instead of falling' if higher else 'did not fall'}: {say(begin)} {early},"
            f" {say(progress.printed(progress.final))} over its last rows"
            f" (to {at(view, series, last)}), {best} over {len(series):,} rows."
        ),
        figures={
            "first": begin,
            "best": progress.printed(progress.best),
            "final": progress.printed(progress.final),
            "fall": round(fall, 4),
            "learning_rate": rate,
        },
        evidence=rows(series, [(0, "first value"), *((i, "") for i in way(0, last, 3)), (last, "last row")]),
        analysis=(ln_k + lr).strip(),
    )


RULE = Rule(
    id="LD205",
    name="loss-not-learning",
    title="The loss never fell",
    severity="critical",
    detect=detect,
    thresholds=(
        threshold("small", 0.05, "of the first value", "less is no learning at all", "trainproof: 5 %"),
        threshold(
            "rose",
            0.15,
            "of the first value",
            "a loss that ends higher than it began",
            "gradsnitch: 30 % above the best",
        ),
        threshold(
            "above",
            0.8,
            "of the rows of the second half",
            "above the very first value, by a sign test no chance",
            "sign test",
        ),
        threshold("away", 8.0, "times the first value", "an order of magnitude, as an explosion", "losslint: 10 times"),
        threshold("still", 20.0, "rows", "a loss that repeats three digits so often does not move", "runmedic: 30"),
        threshold("exact", 10.0, "rows", "the same for six digits and more", "trainproof: 10 points"),
        threshold("none", 0.02, "of the first value", "no movement beyond noise", "runmedic: 2 %"),
    ),
    tags=("loss", "supervised", "language-models"),
    references=("https://karpathy.github.io/2019/04/25/recipe/",),
    examples=(
        Example(title="2.31 to 2.30", log=lambda: table(loss=ramp(2.31, 2.30, noise=0.005)), fires=True),
        Example(title="0.693147 in every row", log=lambda: table(loss=np.full(30, 0.693147)), fires=True),
        Example(title="0.5 in every row, a coarse print", log=lambda: table(loss=np.full(15, 0.5)), fires=False),
        Example(title="2.31 to 0.5", log=lambda: table(loss=ramp(2.31, 0.5, noise=0.005)), fires=False),
    ),
)
