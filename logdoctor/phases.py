"""The run told as a sequence of stretches: start-up, learning, plateau, drift, collapse, explosion, dead, stagnation.

The borders come from one guide series (agreement where it collapsed, else the performance metric, else the loss) and
from the onsets of the findings:

* *drift* begins where the guide leaves its best level for good by a small part (its noise, at least a 20th);
* *collapse* begins where a quarter of the later fall is gone: from there on nobody would call it noise;
* *explosion* begins at the onset of an exploding loss, gradient, value or feature, or non-finite value;
* *dead* begins where the gradient died; *stagnation* is a long flat rest after a collapse, or a run without progress.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from logdoctor.detectors.baseline import noise
from logdoctor.detectors.bins import binned
from logdoctor.detectors.smooth import rolling_median
from logdoctor.model import Bools, Evidence, Finding, Floats, Ints, Phase, Series
from logdoctor.rules._outcome import Outcome, label, outcome
from logdoctor.rules._policy import distribution
from logdoctor.rules._rows import rows, say
from logdoctor.rules._values import scale
from logdoctor.rules.agreement_collapse import collapse_of
from logdoctor.view import RunView

SMALL = 0.05  # of the level: what the guide may lose before it counts as leaving its level
QUARTER = 0.25  # of the whole fall: from here on the fall is no drift any more
SETTLED = 0.95  # of the gain: from here on learning is done
CURVE = 4096  # points that show every rise and fall of a run
LONG = 0.2  # of the rows: a flat stretch this long is a phase of its own
BASES = ("learning", "plateau", "stagnation", "decline")  # what a run does before anything breaks
ORDER = ("start-up", "learning", "decline", "stagnation", "plateau", "drift", "collapse", "explosion", "dead")
CLOSE = 0.01  # of the rows: an explosion and a collapse this close are one event
LEAST = 3  # rows: fewer are no phase
SHOWN = 4  # metrics named in the summary of a phase

EXPLODING = frozenset(
    {
        "loss-explosion", "loss-not-finite", "loss-divergence", "gradient-explosion", "gradient-not-finite",
        "q-divergence", "critic-loss-explosion", "actor-loss-explosion", "feature-norm-explosion",
        "temperature-runaway",
    }
)  # fmt: skip
COLLAPSING = frozenset(
    {"q-collapse", "performance-collapse", "agreement-collapse", "entropy-collapse", "deterministic-policy"}
)
STANDING = frozenset(
    {"never-learned", "performance-stagnation", "agreement-stagnates", "loss-not-learning", "policy-near-uniform"}
)
BESIDE = (
    "loss", "agreement", "spin_agreement", "grad_norm", "entropy", "episode_return", "dqn_slope", "expert_ratio",
    "d_loss", "critic_loss",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Mark:
    """A phase that begins at the row ``index`` of the axis."""

    index: int
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class _Guide:
    """The series that tells the story: ``up`` is larger when better; ``fall`` says whether it fell at all."""

    series: Series
    up: Floats
    fell: bool


def phases(view: RunView, findings: Iterable[Finding]) -> tuple[Phase, ...]:
    """Return the phases of a run in file order, without gaps; empty when it is too short to have any.

    Args:
        view: the run.
        findings: what the rules found in it.
    """
    axis = _axis(view)
    guide = _guide(view)
    if axis is None or guide is None or len(axis) < 5:
        return ()
    found = [f for f in findings if not f.benign and f.severity != "info"]
    marks = _marks(view, axis, guide, found)
    return _build(view, axis, guide, marks)


def _axis(view: RunView) -> Series | None:
    """The judged series with most rows on the primary clock: its lines and steps are the ruler of all phases."""
    best: Series | None = None
    for primary in (True, False):
        for name in view.names:
            series = view.get(name)
            if series is not None and (series.clock is None) is primary and (best is None or len(series) > len(best)):
                best = series
        if best is not None:
            break
    return best


def _guide(view: RunView) -> _Guide | None:
    """Return the series that tells the story, thinned to what a curve needs."""
    found = _choose(view)
    if found is None or len(found.up) <= CURVE:
        return found
    thin = binned(found.up, CURVE)
    keep = np.zeros(len(found.up), dtype=bool)
    keep[thin.first] = True
    return _Guide(found.series.where(keep), thin.value, found.fell)


def _choose(view: RunView) -> _Guide | None:
    agreement = view.finite("agreement")
    if agreement is not None and collapse_of(agreement) is not None:
        return _Guide(agreement, agreement.value, True)
    hurt = outcome(view)
    if hurt.series is not None and view.performance is not None:
        return _Guide(hurt.series, view.performance.upward, hurt.fell)
    loss = view.finite("loss")
    if loss is not None and len(loss) >= 5:
        return _Guide(loss, -loss.value, False)
    other = next((s for name in view.names if (s := view.finite(name)) is not None and len(s) >= 5), None)
    return _Guide(other, other.value, False) if other is not None else None


# ---------------------------------------------------------------------------------------------------- borders


def _marks(view: RunView, axis: Series, guide: _Guide, found: Sequence[Finding]) -> list[_Mark]:
    """Return where each phase begins, in file order, the first at row 0."""
    n = len(axis)
    rises = _progresses(guide, outcome(view)) and not any(f.name == "never-learned" for f in found)
    base = "learning" if rises else _standing(guide, found)
    warm = _start_up(view, axis)
    marks = [_Mark(0, "start-up"), _Mark(warm, base)] if warm else [_Mark(0, base)]
    explosion = _first(axis, [f for f in found if f.severity == "critical"], EXPLODING)
    drift, collapse = _breaks(axis, guide, found, rises)
    if collapse is not None and explosion is not None and abs(collapse - explosion) <= max(3, CLOSE * n):
        collapse = None  # one event; the explosion is what it is
    breaks = [i for i in (explosion, collapse) if i is not None]
    if drift is not None and breaks and drift < min(breaks):
        marks.append(_Mark(drift, "drift"))
    marks += [_Mark(explosion, "explosion")] if explosion is not None else []
    marks += [_Mark(collapse, "collapse")] if collapse is not None else []
    marks += _after(axis, guide, found, collapse)
    before = min([m.index for m in marks if m.name not in ("start-up", *BASES)], default=n)
    marks += _plateau(axis, guide, before) if rises else []
    return _tidy(marks, n)


def _breaks(axis: Series, guide: _Guide, found: Sequence[Finding], rises: bool) -> tuple[int | None, int | None]:
    """Return the rows at which the guide starts to drift and at which the run collapses, None where it does not."""
    collapse = _first(axis, found, COLLAPSING)
    if not guide.fell:
        return None, collapse
    if not rises:  # what never rose declines; only another series can collapse then
        return None, _first(axis, [f for f in found if guide.series.name not in f.metrics], COLLAPSING)
    drift, steep = _fall(guide, axis)
    if collapse is None or guide.series.name == "agreement":
        return drift, steep
    return drift, min(collapse, max(steep, drift or 0))


def _first(axis: Series, found: Sequence[Finding], names: frozenset[str]) -> int | None:
    places = [f.onset for f in found if f.name in names and f.onset is not None]
    if not places:
        return None
    place = min(places, key=lambda item: item.line)
    if place.step is not None and place.clock == axis.clock and bool((np.diff(axis.step) >= 0).all()):
        return min(int(np.searchsorted(axis.step, place.step)), len(axis) - 1)
    return _row(axis, place.line)


def _row(axis: Series, line: int) -> int:
    """Return the row of the axis that stands on ``line`` or after it."""
    return min(int(np.searchsorted(axis.line, line)), len(axis) - 1)


def _start_up(view: RunView, axis: Series) -> int:
    """Rows before the first loss or gradient: the buffer is filled, nothing is trained."""
    firsts = [
        int(s.line[0])
        for name in ("loss", "critic_loss", "grad_norm", "policy_loss", "d_loss")
        if (s := view.raw(name)) is not None and len(s)
    ]
    if not firsts:
        return 0
    row = _row(axis, min(firsts))
    return row if row >= 2 and row < len(axis) // 2 else 0


def _progresses(guide: _Guide, hurt: Outcome) -> bool:
    """Whether the guide rises at all before it breaks."""
    if len(guide.up) < 5:
        return True
    smooth = rolling_median(guide.up, max(3, len(guide.up) // 20))
    best = int(np.argmax(smooth))
    start = float(np.median(guide.up[: max(2, len(guide.up) // 20)]))
    rise = float(smooth[best]) - start
    if best > len(guide.up) // 10 and rise > max(3 * noise(guide.up) / np.sqrt(3), 0.05 * abs(start)):
        return True
    return hurt.series is not None and hurt.improved


def _standing(guide: _Guide, found: Sequence[Finding]) -> str:
    """Name a stretch without progress: decline where its end is lower, stagnation where a rule says so, or plateau."""
    part = max(2, guide.up.size // 10)
    start, last = float(np.median(guide.up[:part])), float(np.median(guide.up[-part:]))
    error = noise(guide.up) / np.sqrt(part)
    if start - last > max(3 * error, 2 * SMALL * abs(start)):
        return "decline"
    return "stagnation" if any(f.name in STANDING for f in found) else "plateau"


def _fall(guide: _Guide, axis: Series) -> tuple[int | None, int]:
    """Return the rows of the axis at which the guide leaves its level for good, and at which the fall becomes steep."""
    up = guide.up
    smooth = rolling_median(up, max(3, min(len(up) // 20, 25) | 1))
    best = int(np.argmax(smooth))
    level = float(smooth[best])
    lowest = best + int(np.argmin(smooth[best:]))
    depth = level - float(smooth[lowest])
    steep = _leaves(up, best, lowest, level - QUARTER * depth)
    tolerance = max(3 * noise(up), SMALL * abs(level))
    drift = _leaves(up, best, steep, level - min(tolerance, 0.9 * QUARTER * depth))
    return _row(axis, int(guide.series.line[drift])), _row(axis, int(guide.series.line[steep]))


def _leaves(up: Floats, first: int, stop: int, border: float) -> int:
    """Return the row after the last one between ``first`` and ``stop`` that is still above ``border``."""
    above = np.flatnonzero(up[first : stop + 1] >= border)
    return min(first + int(above[-1]) + 1, stop) if above.size else first


def _after(axis: Series, guide: _Guide, found: Sequence[Finding], broke: int | None) -> list[_Mark]:
    """Return the phase after the break: dead where the gradient died, else a long flat rest."""
    dead = _first(axis, found, frozenset({"gradient-dead"}))
    if dead is not None:
        return [_Mark(dead, "dead")]
    if broke is None or not guide.fell:
        return []
    up, start = guide.up, int(np.searchsorted(guide.series.line, axis.line[broke]))
    rest = up[start:]
    if rest.size < max(10, LONG * up.size):
        return []
    smooth = rolling_median(rest, max(3, rest.size // 10))
    low = float(np.median(rest[rest.size // 2 :]))
    span = float(smooth.max() - smooth.min())
    settled = np.flatnonzero(np.abs(smooth - low) > 0.25 * span)
    first = int(settled[-1]) + 1 if settled.size else 0
    if first < 2 or rest.size - first < max(10, LONG * up.size):
        return []
    third = max(1, (rest.size - first) // 3)
    moved = float(np.median(rest[first : first + third]) - np.median(rest[-third:]))
    if abs(moved) > 0.1 * abs(float(up.max()) - low):
        return []  # still on its way down (or up again): nothing stands here
    return [_Mark(_row(axis, int(guide.series.line[start + first])), "stagnation")]


def _plateau(axis: Series, guide: _Guide, before: int) -> list[_Mark]:
    """Return the plateau inside the learning phase: the guide has made its gain long before something else begins."""
    stop = int(np.searchsorted(guide.series.line, axis.line[before])) if before < len(axis) else len(guide.up)
    up = guide.up[:stop]
    if up.size < 20:
        return []
    smooth = rolling_median(up, max(3, up.size // 20))
    start, last = float(np.median(up[: max(2, up.size // 20)])), float(np.median(up[-max(2, up.size // 10) :]))
    top = float(smooth.max())
    if top - start <= 3 * noise(up) or last < start + 0.5 * (top - start):
        return []
    reached = np.flatnonzero(smooth >= start + SETTLED * (last - start))
    if not reached.size or up.size - reached[0] < max(10, int(2 * LONG * up.size)) or reached[0] < 3:
        return []
    return [_Mark(_row(axis, int(guide.series.line[int(reached[0])])), "plateau")]


def _tidy(marks: Sequence[_Mark], n: int) -> list[_Mark]:
    """Sort, let the later-named mark win on the same row, and drop what would be empty or repeat its neighbour."""
    order = {name: rank for rank, name in enumerate(ORDER)}
    kept: list[_Mark] = []
    for mark in sorted(marks, key=lambda m: (m.index, order[m.name])):
        if kept and kept[-1].index == mark.index:
            kept[-1] = mark
        elif not kept or kept[-1].name != mark.name:
            kept.append(mark)
    kept = [m for m in kept if m.index < n]
    if len(kept) > 1 and kept[1].index < LEAST:
        kept = [replace(kept[1], index=0), *kept[2:]]  # a row or two before the first border are no phase
    stops = [m.index for m in kept[1:]] + [n]
    quiet = (*BASES, "drift")
    return [m for i, m in enumerate(kept) if not (i and m.name in quiet and stops[i] - m.index < 2)]


# ---------------------------------------------------------------------------------------------------- telling


def _build(view: RunView, axis: Series, guide: _Guide, marks: Sequence[_Mark]) -> tuple[Phase, ...]:
    built = []
    for number, mark in enumerate(marks):
        stop = marks[number + 1].index if number + 1 < len(marks) else len(axis)
        first_line, last_line = int(axis.line[mark.index]), int(axis.line[stop - 1])
        text, evidence = _tell(view, guide, mark.name, first_line, last_line)
        built.append(
            Phase(
                name=mark.name,
                first_step=float(axis.step[mark.index]),
                last_step=float(axis.step[stop - 1]),
                first_line=first_line,
                last_line=last_line,
                summary=text,
                clock=axis.clock,
                evidence=evidence,
            )
        )
    return tuple(built)


def _tell(view: RunView, guide: _Guide, name: str, first: int, last: int) -> tuple[str, tuple[Evidence, ...]]:
    """Return the sentence and the evidence of one phase: what the guide did, then the metrics beside it."""
    inside = _inside(guide.series, first, last)
    parts: list[str] = []
    evidence: list[Evidence] = []
    if inside.any():
        part = guide.series.where(inside)
        parts.append(_course(part, guide.up[inside], name))
        evidence += _ends(part, guide.up[inside], name)
    for other in _others(view, guide):
        at = other.where(_inside(other, first, last))
        if not len(at) or len(parts) >= SHOWN:
            continue
        exploding = name == "explosion"
        parts.append(_course(at, -at.value if other.goal == "min" else at.value, name if exploding else "", other.goal))
        worst = int(np.argmax(np.abs(at.value)))
        if exploding and len(evidence) < 3 and np.abs(at.value[worst]) > 3 * np.median(np.abs(other.value)):
            evidence += rows(at, [(worst, "largest")])
    greedy = _greedy(view, first, last)
    if greedy:
        parts.append(greedy)
    text = "; ".join(parts) or "nothing was printed but the counter"
    return f"{text}.", tuple(sorted(evidence, key=lambda e: e.line)[:3])


def _inside(series: Series, first: int, last: int) -> Bools:
    return np.asarray((series.line >= first) & (series.line <= last))


def _others(view: RunView, guide: _Guide) -> list[Series]:
    names = [n for n in BESIDE if n != guide.series.name]
    found = [s for n in names if (s := view.finite(n)) is not None]
    q = scale(view)
    if q is not None and q.size.name != guide.series.name:
        found.insert(min(2, len(found)), q.size)
    return [s for s in found if np.ptp(s.value) > 0]


def _course(part: Series, up: Floats, name: str, goal: str = "max") -> str:
    """Say where a metric went: first to last, with the extreme between where it lies outside of both by far."""
    first, last = float(part.value[0]), float(part.value[-1])
    if len(part) == 1:
        return f"{label(part)} {say(first)}"
    if goal == "none" and name != "explosion":
        return f"{label(part)} {say(first)} to {say(last)}"
    worst = int(np.argmax(np.abs(part.value))) if name == "explosion" else int(np.argmin(up))
    best = int(np.argmax(up))
    pick = best if name in ("learning", "plateau") else worst
    value = float(part.value[pick])
    low, high = min(first, last), max(first, last)
    margin = 0.1 * max(abs(high - low), 0.05 * max(abs(low), abs(high)))
    via = f" ({'best' if name in ('learning', 'plateau') else 'extreme'} {say(value)}, line {int(part.line[pick])})"
    return f"{label(part)} {say(first)} to {say(last)}{via if value < low - margin or value > high + margin else ''}"


def _ends(part: Series, up: Floats, name: str) -> tuple[Evidence, ...]:
    pick = int(np.argmax(up)) if name in ("learning", "plateau", "start-up") else int(np.argmin(up))
    notes: list[tuple[int, str]] = [
        (0, "first"),
        (pick, "best" if name in ("learning", "plateau") else "lowest"),
        (len(part) - 1, "last"),
    ]
    return rows(part, notes)


def _greedy(view: RunView, first: int, last: int) -> str:
    """Name the dominant greedy action of the phase, where the log prints a distribution."""
    greedy = distribution(view, "greedy")
    if greedy is None:
        return ""
    inside: Ints = np.flatnonzero((greedy.line >= first) & (greedy.line <= last))
    if not inside.size:
        return ""
    share = np.median(greedy.share[inside], axis=0)
    top = int(np.argmax(share))
    most, middle = 100 * float(greedy.share[inside, top].max()), 100 * float(share[top])
    return f"greedy action {top} in {middle:.1f} % of choices (median, at most {most:.1f} %)"
