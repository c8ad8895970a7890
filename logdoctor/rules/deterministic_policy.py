"""The policy is deterministic and gets no gradient.

What it finds: log-probabilities whose mean and spread are zero, a gradient that is zero with them, and advantages
that are not.
Why it matters: the policy gradient is the gradient of log-probability times advantage. With all probability on one
action log(1) = 0 and its gradient vanishes: the run is stuck for good, whatever the advantages say.
How it decides: mean and standard deviation of the log-probabilities are below ``zero`` in size, in one block that has
both a zero gradient and non-zero advantages, or in ``rows`` rows. It is critical where it reaches the end of the log.
Runs that improved to a level and then became certain are left in peace.
When it is wrong: a deterministic evaluation block printed between training blocks.
What to do: entropy bonus (0.01; if it persists 0.05 or 0.1); restart, since a stuck policy does not recover by
itself.
References: Williams 1992 (REINFORCE); Mnih et al. 2016 (arXiv:1602.01783), entropy regularisation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from logdoctor.model import Bools, Evidence, Finding, Scalar, Series
from logdoctor.rules._examples import ramp, table, wobble
from logdoctor.rules._gradients import norms
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold
from logdoctor.view import RunView, runs_of


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when the policy became deterministic and gets no gradient."""
    mean, std = view.finite("log_prob_mean"), view.finite("log_prob_std")
    if mean is None or (outcome(view).series is not None and not outcome(view).bad):
        return
    zero = np.abs(mean.value) < limits.zero
    if std is not None:
        zero &= np.isin(mean.line, _near(mean, std, limits.zero))
    gradient = next((s for s in norms(view) if "critic" not in s.name and "baseline" not in s.name), None)
    dead = zero & _dead(mean, gradient, limits.gradient)
    index = np.flatnonzero(dead if dead.any() else zero)
    advantage = view.finite("advantage_mean")
    proof = bool(dead.any()) and advantage is not None and bool((advantage.value != 0).any())
    if not index.size or (not proof and index.size < limits.rows) or index.size < limits.share * len(mean):
        return
    yield _finding(view, mean, std, gradient, advantage, index)


def _near(mean: Series, other: Series, zero: float) -> np.ndarray:
    """Return the lines of ``mean`` whose next value of ``other`` (same block: the same step) is zero."""
    return mean.line[np.isin(mean.step, other.step[np.abs(other.value) < zero])]


def _dead(mean: Series, gradient: Series | None, small: float) -> Bools:
    if gradient is None:
        return np.zeros(len(mean), dtype=bool)
    return np.isin(mean.step, gradient.step[np.abs(gradient.value) < small])


def _finding(
    view: RunView,
    mean: Series,
    std: Series | None,
    gradient: Series | None,
    advantage: Series | None,
    index: np.ndarray,
) -> Finding:
    first, last = int(index[0]), int(index[-1])
    exact = index[mean.value[index] == 0]
    block = int(exact[0]) if exact.size else first  # the clearest block stands for all
    reaches_end = last == len(mean) - 1
    step = mean.step[block]
    parts = [f"Log-probabilities are {say(float(mean.value[block]))} on average at {at(view, mean, block)}"]
    figures: dict[str, Scalar] = {
        "log_prob_mean": float(mean.value[block]),
        "rows_deterministic": int(index.size),
        "rows": len(mean),
    }
    evidence: list[Evidence] = list(rows(mean, [(first, "first"), (block, "log(1) = 0")]))
    metrics = [mean.name]
    for series, words in ((std, "standard deviation"), (gradient, "the gradient norm is")):
        here = np.flatnonzero(series.step == step) if series is not None else np.empty(0, dtype=int)
        if series is not None and here.size:
            value = float(series.value[here[0]])
            parts.append(f"{words} {say(value)}")
            figures[series.name] = value
            evidence += rows(series, [(int(here[0]), "collapsed")])
            metrics.append(series.name)
    if advantage is not None:
        here = np.flatnonzero(advantage.step == step)
        if here.size:
            value = float(advantage.value[here[0]])
            figures["advantage_mean"] = value
            share = view.finite("advantage_positive")
            also = np.flatnonzero(share.step == step) if share is not None else np.empty(0, dtype=int)
            extra = f", {say(float(share.value[also[0]]))} % positive" if share is not None and also.size else ""
            if share is not None and also.size:
                figures["advantage_positive"] = float(share.value[also[0]])
                evidence += rows(share, [(int(also[0]), "advantages are there")])
            parts.append(f"while advantages are not zero (mean {say(value)}{extra})")
            evidence += rows(advantage, [(int(here[0]), "advantages are there")])
            metrics.append("advantage_mean")
    count = f"; so in {index.size:,} of {len(mean):,} blocks, the first at {at(view, mean, first)}" + (
        ", to the end" if reaches_end else ""
    )
    text, more = _contrast(view, mean, std, gradient, index)
    return finding(
        RULE,
        view,
        severity="critical",
        confidence=0.9 if gradient is not None else 0.7,
        metrics=metrics,
        onset=view.place(mean, first),
        summary=", ".join(parts) + count + text + ".",
        figures=figures | more,
        evidence=evidence,
        analysis=(
            "The advantages are there, so it is the policy: with all probability on one action, gradient = "
            "log-probability x advantage = 0."
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """One block of a policy that still learns."""

    norm: float
    mean: float
    spread: float
    line: int
    place: str


def _contrast(
    view: RunView, mean: Series, std: Series | None, gradient: Series | None, index: np.ndarray
) -> tuple[str, dict[str, Scalar]]:
    """Return the healthiest block of the same log for comparison, if there is one, in this run or another."""
    if gradient is None or std is None:
        return "", {}
    healthy = np.setdiff1d(np.arange(len(mean)), index)
    blocks = [_strongest(view, mean.where(np.isin(np.arange(len(mean)), healthy)), std, gradient, "")]
    for group in runs_of(view.run):
        if set(group) & set(view.segments):
            continue
        twin = RunView(view.run, segments=group)
        other = twin.finite(mean.name), twin.finite(std.name), twin.finite(gradient.name)
        if other[0] is not None and other[1] is not None and other[2] is not None:
            blocks.append(_strongest(twin, other[0], other[1], other[2], " of another run in this file"))
    best = max((block for block in blocks if block is not None), key=lambda block: block.norm, default=None)
    if best is None:
        return "", {}
    text = (
        f"; for comparison, at {best.place}: mean {say(best.mean)}, standard deviation {say(best.spread)},"
        f" gradient norm {say(best.norm)}"
    )
    return text, {
        "healthy_log_prob_mean": best.mean,
        "healthy_log_prob_std": best.spread,
        "healthy_grad_norm": best.norm,
        "healthy_line": best.line,
    }


def _risk(view: RunView, mean: Series, index: int) -> str:
    """Return the risk sensitivity printed with a block, where the log prints one."""
    for name in ("kappa", "κ"):
        series = view.finite(name)
        if series is not None:
            here = np.flatnonzero((series.step == mean.step[index]) & (series.line <= mean.line[index]))
            return f" with {label(series)} = {say(float(series.value[here[-1]]))}" if here.size else ""
    return ""


def _strongest(view: RunView, mean: Series, std: Series, gradient: Series, where: str) -> _Block | None:
    """Return the block with the largest gradient norm among the rows of ``mean``."""
    best: _Block | None = None
    for i in range(len(mean)):
        j, k = np.flatnonzero(gradient.step == mean.step[i]), np.flatnonzero(std.step == mean.step[i])
        if not j.size or not k.size or gradient.value[j[0]] <= (best.norm if best is not None else 0.0):
            continue
        best = _Block(
            norm=float(gradient.value[j[0]]),
            mean=float(mean.value[i]),
            spread=float(std.value[k[0]]),
            line=int(mean.line[i]),
            place=at(view, mean, i) + where + _risk(view, mean, i),
        )
    return best


def _log(sick: bool) -> str:
    size = np.zeros(30) if sick else np.full(30, 0.2)
    return table(
        log_prob_mean=-size,
        log_prob_std=size,
        grad_norm=size * 10,
        advantage_mean=-0.005 + wobble(30, 0.001),
        advantage_positive=ramp(36, 38, 30),
        reward=0.5 + wobble(30, 0.02),
    )


RULE = Rule(
    id="LD506",
    name="deterministic-policy",
    title="The policy is deterministic and gets no gradient",
    severity="critical",
    detect=detect,
    needs=(("log_prob_mean",),),
    min_points=1,
    thresholds=(
        threshold(
            "zero",
            1e-3,
            "nats",
            "99.9 % of the probability on the actions taken",
            "seed report 004: 0.000000; healthy above 0.01",
        ),
        threshold(
            "gradient", 1e-3, "gradient norm", "two orders below the healthy band", "seed report 004: healthy above 0.1"
        ),
        threshold(
            "rows", 3.0, "blocks", "without a gradient beside it, one block could be chance", "rldoctor: recurring at 3"
        ),
        threshold(
            "share", 0.02, "of the blocks", "single certain batches happen late in training", "rldoctor: at least 2 %"
        ),
    ),
    tags=("policy", "gradients", "exploration"),
    references=("https://arxiv.org/abs/1602.01783",),
    examples=(
        Example(title="all log-probabilities and gradients zero, advantages not", log=lambda: _log(True), fires=True),
        Example(title="log-probabilities of -0.2", log=lambda: _log(False), fires=False),
    ),
)
