"""One head learns, its sibling does not.

What it finds: two losses (or two agreement shares) that belong to sibling heads of one network: one improves, the
other gets worse or stands still.
Why it matters: a general fault (data, learning rate, features) would hit both; this one sits in the head: its output
layer, its loss weight, its targets.
How it decides: losses are paired by their common last word (``d_loss`` and ``c_loss``); pairs that play different
parts (policy and value, actor and critic, train and validation, totals) are left out. One rises by ``rise`` and the
other falls by ``fall`` between first and last tenth, both steadily. Where agreement shares are printed they must
agree: none of them may rise clearly on the losing side. Without them, performance must be bad. Two agreement shares
alone are enough when one falls steadily by ``points`` while the other rises by as much.
When it is wrong: a value loss grows with the values it predicts; then its agreement rises too and nothing is said.
What to do: initialisation and loss weight of that head first; then its targets.
References: seed report 000.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Evidence, Finding, Scalar, Series
from logdoctor.rules._examples import ramp, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._policy import agreements
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import change, finding, rows, say, started, threshold, way
from logdoctor.rules.agreement_collapse import collapse_of
from logdoctor.view import RunView

PARTS = frozenset(
    [
        "policy",
        "pi",
        "actor",
        "critic",
        "value",
        "vf",
        "v",
        "q",
        "qf",
        "qf1",
        "qf2",
        "entropy",
        "ent",
        "coef",
        "alpha",
        "kl",
        "val",
        "valid",
        "validation",
        "train",
        "eval",
        "test",
        "total",
        "mean",
        "bc",
        "aux",
        "baseline",
        "reg",
        "regularization",
        "aux",
        "l1",
        "l2",
        "td",
        "gen",
        "disc",
        "generator",
        "discriminator",
        "g",
        "temperature",
    ]
)
LEAST_ROWS = 5  # by chance, five points rise with a rank correlation of 0.9 in one of twenty-five cases
FEW = 8  # rows that are shown without leaving any out
STEADY = 0.5  # rank correlation with time: most of the rows take part in the change


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for the pair of sibling losses that diverges most."""
    losses = [
        started(s) for n in view.names if _is_head(n) and (s := view.finite(n)) is not None and len(s) >= LEAST_ROWS
    ]
    best: tuple[float, Series, Series] | None = None
    for a, b in combinations(losses, 2):
        for bad, good in ((a, b), (b, a)):
            up, down = _move(bad), _move(good)
            if up is None or down is None or up < limits.rise or down > -limits.fall:
                continue
            if best is None or up - down > best[0]:
                best = (up - down, bad, good)
    if best is not None and _confirmed(view):
        yield _finding(view, best[1], best[2])
        return
    yield from _forgotten(view, limits)


def _forgotten(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Find an agreement share that falls steadily while its sibling rises: one head pays for the other."""
    shares = [s for s in agreements(view) if len(s) >= 5]
    for bad in shares:
        for good in shares:
            down, up = _points(bad), _points(good)
            if good is bad or down > -limits.points or up < limits.points or collapse_of(bad) is not None:
                continue  # a collapse is told by the rule of that name
            last, top = len(bad) - 1, _height(bad)
            first_value, last_value = float(bad.value[top]), float(bad.value[last])
            twin_first, twin_last = float(good.value[0]), float(good.value[-1])
            yield finding(
                RULE,
                view,
                severity="warning",
                confidence=0.6,
                metrics=[bad.name, good.name],
                onset=view.place(bad, _falls(bad)),
                summary=(
                    f"{label(bad)} fell from {say(first_value)} to {say(last_value)}"
                    f" ({last_value - first_value:+.1f} points) while {label(good)} rose from {say(twin_first)} "
                    f"to {say(twin_last)}"
                    f" ({twin_last - twin_first:+.1f} points): one head forgets while the other learns."
                ),
                figures={
                    "worse_first": first_value,
                    "worse_last": last_value,
                    "better_first": twin_first,
                    "better_last": twin_last,
                },
                evidence=[
                    *rows(
                        bad,
                        [
                            (top, "first" if not top else "at its level"),
                            *((i, "") for i in way(top, last, 2)),
                            (last, "last"),
                        ],
                    ),
                    *rows(good, [(0, "first"), (len(good) - 1, "last")]),
                ],
                analysis=(
                    f"The head behind {label(bad)} no longer gets what it learned from, or learns from its own choices."
                ),
            )
            return


def _height(series: Series) -> int:
    """Return the row from which the fall is counted: the first, or the first at the early level it had yet to reach."""
    tenth = max(1, len(series) // 10)
    level = float(np.median(series.value[:tenth]))
    if series.value[0] >= 0.8 * level:
        return 0
    return int(np.argmax(series.value >= level))


def _points(series: Series) -> float:
    """Return the change from the first to the last tenth in points, zero when it is not steady."""
    tenth = max(1, len(series) // 10)
    moved = float(np.median(series.value[-tenth:]) - np.median(series.value[:tenth]))
    tau = rank_correlation(np.arange(len(series), dtype=np.float64), series.value)
    return moved if tau * np.sign(moved) >= STEADY else 0.0


def _falls(series: Series) -> int:
    """Return the first row after which the series stays below its first tenth."""
    level = float(np.median(series.value[: max(1, len(series) // 10)]))
    high = np.flatnonzero(series.value >= level)
    return min(int(high[-1]) + 1 if high.size else 0, len(series) - 1)


def _is_head(name: str) -> bool:
    """Whether a metric is the loss of one head among several, by its name."""
    stem = _stem(name)
    return bool(stem) and not set(stem.split("_")) & PARTS


def _stem(name: str) -> str:
    return name.removesuffix("_loss") if name.endswith("_loss") else ""


def _move(series: Series) -> float | None:
    """Return the steady relative change from the first to the last tenth, None when it is not steady."""
    value = series.value
    tenth = max(1, value.size // 10)
    first, last = float(np.median(value[:tenth])), float(np.median(value[-tenth:]))
    if first <= 0:
        return None
    moved = last / first - 1
    tau = rank_correlation(np.arange(value.size, dtype=np.float64), value)
    return moved if tau * np.sign(moved) >= STEADY else None


def _confirmed(view: RunView) -> bool:
    """Agreement shares, where printed, must show one that does not rise; without them performance must be bad."""
    shares = agreements(view)
    if not shares:
        return outcome(view).bad
    main = shares[0]
    tenth = max(1, len(main) // 10)
    return bool(
        np.median(main.value[-tenth:]) - np.median(main.value[:tenth]) < 8.0 and np.median(main.value[-tenth:]) < 60.0
    )


def _finding(view: RunView, bad: Series, good: Series) -> Finding:
    a0, a1, b0, b1 = float(bad.value[0]), float(bad.value[-1]), float(good.value[0]), float(good.value[-1])
    text = (
        f"{label(bad)} rose from {say(a0)} to {say(a1)} ({change(a1, a0)}) while {label(good)} fell from {say(b0)} to "
        f"{say(b1)} ({change(b1, b0)})"
    )
    figures: dict[str, Scalar] = {
        "worse_first": a0,
        "worse_last": a1,
        "worse_change_percent": 100 * (a1 / a0 - 1) if a0 else None,
        "better_first": b0,
        "better_last": b1,
        "better_change_percent": 100 * (b1 / b0 - 1) if b0 else None,
    }
    evidence: list[Evidence] = list(_table(bad)) + list(rows(good, [(0, "baseline"), (len(good) - 1, change(b1, b0))]))
    metrics = [bad.name, good.name]
    for share in agreements(view)[:2]:
        first, last = float(share.value[0]), float(share.value[-1])
        text += f"; {label(share)} {say(first)} to {say(last)} ({last - first:+.1f} points)"
        figures |= {f"{share.name}_first": first, f"{share.name}_last": last, f"{share.name}_change": last - first}
        evidence += rows(share, [(0, ""), (len(share) - 1, f"{last - first:+.1f} points")])
        metrics.append(share.name)
    return finding(
        RULE,
        view,
        severity="warning",
        confidence=0.8,
        metrics=metrics,
        onset=view.place(bad, _leaves(bad)),
        summary=text + ".",
        figures=figures,
        evidence=evidence,
        analysis=(
            f"The head behind {label(good)} learns, so data, features and learning rate are not the fault: it is "
            f"specific to the head behind {label(bad)}."
        ),
    )


def _table(series: Series) -> tuple[Evidence, ...]:
    base, last = float(series.value[0]), len(series) - 1
    top = int(np.argmax(series.value))
    shown = {*way(0, last, 3), top, last} if last > FEW else set(range(1, last + 1))
    picks = [(0, "baseline"), *((i, change(float(series.value[i]), base)) for i in shown if i)]
    return rows(series, picks)


def _leaves(series: Series) -> int:
    """Return the first row after which the series stays above its first tenth."""
    tenth = max(1, len(series) // 10)
    level = float(np.median(series.value[:tenth]))
    low = np.flatnonzero(series.value <= level)
    return min(int(low[-1]) + 1 if low.size else 0, len(series) - 1)


def _log(sick: bool) -> str:
    return table(
        d_loss=ramp(0.007, 0.019, noise=0.0005),
        c_loss=ramp(0.019, 0.014, noise=0.0003),
        agreement=40 + wobble(size=1.0) if sick else ramp(25, 85, noise=1.0),
        spin_agreement=ramp(60, 66, noise=0.2),
    )


RULE = Rule(
    id="LD211",
    name="head-not-learning",
    title="One head learns, its sibling does not",
    severity="warning",
    detect=detect,
    min_points=5,
    thresholds=(
        threshold("rise", 0.2, "of the first tenth", "a fifth above the start is no drift", "seed report 000: +167 %"),
        threshold(
            "points",
            7.0,
            "points of agreement",
            "medians of the ends move less than they",
            "sibling D-12: 72.2 to 63.5",
        ),
        threshold("fall", 0.1, "of the first tenth", "the sibling must clearly improve", "seed report 000: -24 %"),
    ),
    tags=("loss", "heads"),
    examples=(
        Example(title="d_loss up, c_loss down, agreement flat", log=lambda: _log(True), fires=True),
        Example(title="the same losses while agreement rises to 85 %", log=lambda: _log(False), fires=False),
    ),
    applies_to=lambda view: (
        None
        if sum(map(_is_head, view.names)) >= 2 or len(agreements(view)) >= 2
        else "no two losses or agreement shares of sibling heads in this log"
    ),
)
