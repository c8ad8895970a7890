"""The optimiser no longer updates anything, although the loop goes on.

What it finds: everything that an update computes (losses, gradient norms, Q values, agreement) repeats to the last
digit from one row to the end, while the environment or the clock goes on.
Why it matters: the rest of the run is wasted, and nothing in the log says so: no error, no odd number.
How it decides: at least ``together`` update metrics moved at nearly every row, and all of them (``all`` of those
printed) stand still from within ``apart`` of the rows of one another to the end, over at least 8 rows and 8 % of the
run; metrics of one or two digits count when they stand still from there on as well. A speed of updates that falls to
exactly zero at the same place confirms it. Where the loss is one of a batch and scatters on, the held-out metrics tell:
all of them repeat to the last digit over at least 8 evaluations after a stop in mid-flight, and the training loss goes
nowhere meanwhile.
When it is wrong: a program that prints the last known values while it evaluates or waits for clients; masked rows are
left out for that reason.
What to do: look for a thread that died, a queue that ran empty, or a condition that is never true again; resume from
the last checkpoint before the stop.
References: SageMaker UnchangedTensor (3 equal values, rtol 1e-5); TrainCheck (OSDI'25): silent errors.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from logdoctor.detectors.constant import trailing_constant
from logdoctor.model import Finding
from logdoctor.rules._examples import ROWS, learning, ramp, table, wobble
from logdoctor.rules._frozen import HELD, LEAST, OPTIMISED, Frozen, frozen, held_still
from logdoctor.rules._outcome import label
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, finding, rows, say, threshold, way
from logdoctor.view import RunView


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding when all that updates compute stands still."""
    stopped = stopped_metrics(view, int(limits.together), limits.all, limits.apart)
    if stopped:
        yield _finding(view, stopped)


def stopped_metrics(view: RunView, together: int = 2, share: float = 0.99, apart: float = 0.05) -> list[Frozen]:
    """Return the update metrics when (nearly) all of them froze together, else an empty list.

    Where the loss is one of a batch and scatters on, the held-out metrics stand for them.
    """
    return _frozen_updates(view, together, share, apart) or held_still(view)


def _frozen_updates(view: RunView, together: int, share: float, apart: float) -> list[Frozen]:
    still = [item for item in frozen(view) if OPTIMISED.search(item.series.name)]
    moving = [name for name in view.names if OPTIMISED.search(name) and _was_moving(view, name)]
    if len(still) < together:
        return []
    coarse = _also_still(view, set(moving) - {item.series.name for item in still}, still, apart)
    if len(still) + coarse < share * len(moving):
        return []
    lines = np.array([item.series.line[item.first] for item in still])
    spread = max(len(item.series) for item in still) * apart
    where = np.array([item.first for item in still])
    if np.ptp(where) > max(2.0, spread) and np.ptp(lines) > spread * max(
        1.0, float(np.median(np.diff(still[0].series.line)))
    ):
        return []
    return still


def _also_still(view: RunView, names: set[str], still: list[Frozen], apart: float) -> int:
    """Count the metrics that stand still from the same place on, printed too coarsely to prove it by themselves."""
    place = float(np.median([item.series.line[item.first] for item in still]))
    count = 0
    for name in names:
        series = view.get(name)
        tail = trailing_constant(series.value) if series is not None else None
        if series is None or tail is None or tail.length < LEAST:
            continue
        span = float(series.line[-1] - series.line[0])
        count += abs(float(series.line[tail.first]) - place) <= max(apart * span, 2 * span / len(series))
    return count


def _was_moving(view: RunView, name: str) -> bool:
    series = view.finite(name)
    if series is None or len(series) < 16:
        return False
    head = series.value[: len(series) // 2]
    return float(np.ptp(head)) > 0 and float((np.diff(head) != 0).mean()) > 0.5


def _finding(view: RunView, stopped: list[Frozen]) -> Finding:
    first = min(stopped, key=lambda item: int(item.series.line[item.first]))
    series, start, last = first.series, first.first, len(first.series) - 1
    names = [label(item.series) for item in stopped]
    speed = view.finite("steps_per_second")
    confirm = ""
    if speed is not None and len(speed) > 10 and float(speed.value[-5:].max()) == 0 and float(speed.value.max()) > 0:
        confirm = f" {label(speed)} reads 0 at the end, which confirms it."
    proof = rows(
        series,
        [
            (max(0, start - 1), "still moving"),
            (start, "last update"),
            (min(last, start + 1), "repeated"),
            *((i, "") for i in way(start + 1, last, 1)),
            (last, "repeated to the end"),
        ],
    )
    return finding(
        RULE,
        view,
        severity="critical",
        confidence=0.95,
        metrics=[item.series.name for item in stopped],
        onset=view.place(series, start),
        summary=(
            f"Updates stopped at {at(view, series, start)}:"
            f" {', '.join(names[:4])}{' and others' if len(names) > 4 else ''} repeat"
            f" to the last digit ({label(series)} = {say(float(series.value[-1]))}) in the {last - start:,}"
            f" rows after it, while the run goes on."
        ),
        figures={"repeated_rows": last - start, "metrics": len(names), "value": float(series.value[-1])},
        evidence=proof,
        analysis=f"{_why(view, first)}{confirm}",
    )


def _why(view: RunView, first: Frozen) -> str:
    train = view.finite("loss") or view.finite("train_loss")
    if not first.series.name.startswith(HELD) or train is None:
        return "Values that are computed anew at every update cannot repeat to the last digit."
    later = train.value[train.line > first.series.line[first.first]]
    third = max(1, later.size // 3)
    early, late = (float(f"{np.mean(part):.4g}") for part in (later[:third], later[-third:]))
    return (
        f"Weights that move give other held-out results each time; {label(train)} only scatters meanwhile, about"
        f" {say(early)} in the first third of these rows and {say(late)} in the last."
    )


def _log(stop: int) -> str:
    loss, norm = ramp(2, 0.5) + wobble(size=0.05), 1 + wobble(size=0.1, seed=3)
    loss[stop:], norm[stop:] = loss[stop - 1], norm[stop - 1]
    return table(loss=loss, grad_norm=norm, episode_return=learning())


RULE = Rule(
    id="LD807",
    name="updates-stopped",
    title="The optimiser stopped updating",
    severity="critical",
    detect=detect,
    thresholds=(
        threshold("together", 2.0, "metrics", "one frozen metric is a logging fault", "SageMaker UnchangedTensor"),
        threshold(
            "all", 0.99, "of the update metrics", "if one still moves, updates go on", "SageMaker UnchangedTensor"
        ),
        threshold(
            "apart", 0.05, "of the rows", "metrics of one program stop together", "one logging interval in twenty"
        ),
    ),
    tags=("operations", "stability"),
    references=("https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html",),
    examples=(
        Example(title="loss and norm repeat from row 30 on", log=lambda: _log(30), fires=True),
        Example(title="loss and norm move to the end", log=lambda: _log(ROWS), fires=False),
    ),
)
