"""The run ends below every run that was given for comparison.

What it finds: a performance metric that ends worse than that of all siblings at the same step, by more than they
differ among themselves.
Why it matters: shuffled labels, a constant handicap or a wrong input show in no single log, because the curve has a
healthy shape; beside its siblings it does not.
How it decides: curves are smoothed and compared at the same steps. What the run lacks to its *lowest* sibling must
exceed ``share_rl`` (reinforcement learning) or ``share`` (everything else) of that sibling's own gain, and ``spread``
times the distance between the siblings. It is critical when three quarters of the gain are missing.
When it is wrong: the siblings are another task, another data set or another unit; one sibling says little about the
spread.
What to do: compare the settings that differ (they are listed), the data and the code version.
References: Henderson et al. 2018 (seeds of one setting differ by half of the return in reinforcement learning);
trainproof (comparison with a baseline finds wrong labels that no single log shows).
"""

from __future__ import annotations

from collections.abc import Iterable

from logdoctor.model import Finding
from logdoctor.rules._examples import learning, table
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, rows, say, threshold
from logdoctor.rules._siblings import Siblings, Standing, differing_settings, no_siblings, siblings_of, standing
from logdoctor.view import Performance, RunView

HELD_OUT = ("val_accuracy", "val_loss", "val_perplexity", "val_error")


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return a finding when the performance metric ends below all siblings."""
    siblings, performance = siblings_of(view), view.performance
    if siblings is None or performance is None:
        return
    for candidate in _candidates(view, performance):
        found = standing(candidate.series, siblings, candidate.goal)
        if found is not None and _below(view, found, limits):
            yield _finding(view, candidate, siblings, found)
            return


def _candidates(view: RunView, performance: Performance) -> list[Performance]:
    """Return the performance metric, then the other held-out metrics of a supervised run."""
    goals = {"val_accuracy": "max"}
    more = [] if view.is_rl else [n for n in HELD_OUT if n != performance.name and view.finite(n) is not None]
    others = [Performance(series=s, goal=goals.get(n, "min")) for n in more if (s := view.finite(n)) is not None]  # type: ignore[arg-type]
    return [performance, *others]


def _below(view: RunView, found: Standing, limits: Limits) -> bool:
    share = limits.share_rl if view.is_rl else limits.share
    return found.shortfall > share and found.worst - found.end > limits.spread * found.spread


def _finding(view: RunView, performance: Performance, siblings: Siblings, found: Standing) -> Finding:
    sign = -1.0 if performance.goal == "min" else 1.0
    series, last = performance.series, len(performance.series) - 1
    ends = ", ".join(say(float(f"{sign * end:.5g}")) for end in found.ends)
    differing = differing_settings(view, siblings)
    listed = "; ".join(
        f"{name} = {own} here, {', '.join(dict.fromkeys(map(str, theirs)))} there"
        for name, own, theirs in differing[:5]
    )
    begin = found.outside_from if found.outside_from is not None else last
    return finding(
        RULE,
        view,
        severity="critical" if found.shortfall > 0.75 else "warning",
        confidence=0.85,
        metrics=[series.name],
        onset=view.place(series, begin) if begin else None,
        summary=(
            f"{series.name} ends at {say(float(f'{sign * found.end:.5g}'))}, below all of its {len(found.ends)} "
            f"sibling{'s' * (len(found.ends) > 1)} "
            f"({ends}): {found.shortfall:.0%} of what the lowest of them gained is missing."
        ),
        figures={
            "end": float(f"{sign * found.end:.6g}"),
            "lowest_sibling": float(f"{sign * found.worst:.6g}"),
            "siblings": len(found.ends),
            "spread": float(f"{found.spread:.6g}"),
            "missing_share": round(found.shortfall, 3),
        },
        evidence=rows(series, [(begin, "below every sibling from here"), (last, "last row")]),
        analysis=f"Settings that differ: {listed}."
        if listed
        else "No stated setting differs from all siblings: look at data, code and seed.",
    )


def _log(best: float, seed: int = 11) -> str:
    return table(episode_return=learning(best=best, seed=seed))


RULE = Rule(
    id="LD611",
    name="performance-below-baseline",
    title="Below every sibling run",
    severity="critical",
    detect=detect,
    thresholds=(
        threshold(
            "share_rl",
            0.6,
            "of the lowest sibling's gain",
            "seeds alone differ by half of the return; a margin beside",
            "Henderson et al. 2018",
        ),
        threshold(
            "share",
            0.2,
            "of the lowest sibling's gain",
            "seeds differ by a few per cent, tuned settings by ten",
            "Picard 2021, arXiv:2109.08203",
        ),
        threshold(
            "spread",
            1.0,
            "times the siblings' spread",
            "beyond what they differ among themselves",
            "range rule for three values",
        ),
    ),
    tags=("baseline", "performance"),
    references=("https://arxiv.org/abs/1709.06560",),
    applies_to=no_siblings,
    examples=(
        Example(
            title="20 beside 95 and 100",
            log=lambda: _log(20),
            fires=True,
            siblings=(lambda: _log(95, 3), lambda: _log(100, 4)),
        ),
        Example(
            title="90 beside 95 and 100",
            log=lambda: _log(90),
            fires=False,
            siblings=(lambda: _log(95, 3), lambda: _log(100, 4)),
        ),
        Example(title="no siblings given", log=lambda: _log(20), fires=False),
    ),
)
