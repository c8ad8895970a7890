"""The learning rate was raised in the middle of the run.

What it finds: a key event that sets a higher learning rate, or a jump of the printed rate by half or more that is no
warm-up; several small raises that follow each other count as one, from the first value to the last.
Why it matters: a run that was stable at one step size need not be at a larger one; values and policies then break
within a few per cent of the run, and the cause stands in the log.
How it decides: the rate rises to ``factor`` times its former value or more. It is a warning when performance ends
clearly below its level before the change, or the loss later exceeds ten times its former size; otherwise a remark.
When it is wrong: cosine restarts raise the rate on purpose, again and again to the same peak; these stay remarks.
What to do: go back to the checkpoint before the change and to the former rate; on a plateau change one thing at a
time.
References: trainspotter (a change of more than 20 % of the range that is no ramp); the project's seed reports (rate
raised on a plateau, divergence after it).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.model import Evidence, Finding, Place
from logdoctor.rules._examples import ROWS, failing, learning, table
from logdoctor.rules._outcome import label
from logdoctor.rules._rates import EXACT, Step, are_restarts, raises, rate_changes, worse_after
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import finding, say, threshold, times
from logdoctor.view import RunView

TOLD = 3  # later changes that are told one by one


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding: the raise after which something got worse, else the largest; it tells the others as well."""
    steps = [step for step in raises(view) if step.factor >= (1 - EXACT) * limits.factor]
    if not steps:
        return
    restarts = are_restarts(steps)
    ends = [step.line for step in steps[1:]] + [None]
    victims = ["" if restarts else worse_after(view, s.line, end) for s, end in zip(steps, ends, strict=True)]
    worst, victim = max(zip(steps, victims, strict=True), key=lambda pair: (bool(pair[1]), pair[0].factor))
    yield _finding(view, worst, steps, victim, restarts)


def _finding(view: RunView, worst: Step, steps: list[Step], victim: str, restarts: bool) -> Finding:
    later = [] if restarts else _later(view, worst, steps)
    what = (
        f"The learning rate was raised from {say(worst.before)} to {say(worst.after)} ({times(worst.factor)} times) "
        f"at {worst.where}{_onward(worst, later)}"
    )
    series = view.finite(victim) if victim else None
    shown = label(series) if series is not None else victim
    after = f"; {shown} got worse after it." if victim else "; nothing got worse after it."
    earlier = [s for s in steps if s.line < worst.line] if victim else []
    if earlier:
        after += f" An earlier raise, to {say(earlier[-1].after)} at {earlier[-1].where}, had done no harm."
    return finding(
        RULE,
        view,
        severity="warning" if victim else "info",
        confidence=0.85 if victim else 0.6,
        metrics=["learning_rate", *([victim] if victim else [])],
        onset=Place(line=worst.line, step=worst.step),
        summary=f"{what}, and {len(steps) - 1} times more to the same peak: restarts." if restarts else what + after,
        figures={
            "before": worst.before,
            "after": worst.after,
            "factor": round(worst.factor, 4),
            "raises": len(steps),
            "in_force": (later or [worst])[-1].after,
        },
        evidence=[
            Evidence(
                line=s.stated[0], step=s.stated[1], metric="learning_rate", value=s.after, note=f"from {say(s.before)}"
            )
            for s in sorted({s.line: s for s in (*steps, *later)}.values(), key=lambda s: s.line)[:6]
        ],
        benign=restarts,
    )


def _later(view: RunView, worst: Step, steps: list[Step]) -> list[Step]:
    """The changes after the raise that is told, small ones and cuts as well: they say which rate was in force."""
    stated = rate_changes(view) or steps
    return [step for step in stated if step.line > worst.stated[0]]


def _onward(worst: Step, later: list[Step]) -> str:
    """Tell where the rate went after the raise, in the order of the log."""
    told = [f"{'on' if s.after > s.before else 'down'} to {say(s.after)} at {s.where}" for s in later[:TOLD]]
    more = f" and {len(later) - TOLD} times more, to {say(later[-1].after)}" if len(later) > TOLD else ""
    top = max((s.after for s in later), default=0.0) / worst.before
    whole = f" ({times(top)} times in all)" if top > worst.factor * (1 + EXACT) else ""
    return (", then " + ", ".join(told) + more + whole) if told else ""


def _log(raised: bool) -> str:
    rate = np.full(ROWS, 0.0003)
    rate[ROWS // 2 :] = 0.003 if raised else 0.0003
    return table(learning_rate=rate, episode_return=failing() if raised else learning())


RULE = Rule(
    id="LD551",
    name="learning-rate-changed",
    title="The learning rate was raised during the run",
    severity="warning",
    detect=detect,
    thresholds=(
        threshold(
            "factor",
            1.5,
            "times the former rate",
            "smaller steps are schedules and rounding",
            "trainspotter: 20 % of the range",
        ),
    ),
    tags=("learning-rate", "schedule"),
    references=("https://github.com/google-research/tuning_playbook",),
    examples=(
        Example(title="raised ten times in the middle, then a fall", log=lambda: _log(True), fires=True),
        Example(title="constant", log=lambda: _log(False), fires=False),
    ),
)
