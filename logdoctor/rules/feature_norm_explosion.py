"""Feature norms explode.

What it finds: the norm, mean or spread of a feature vector orders of magnitude above what layers with sane weights
give.
Why it matters: everything behind the features (Q values, losses, gradients) scales with them; a clipped gradient does
not repair that, because the forward pass is already wrong.
How it decides: the largest value is compared with the expected band (L2 norm 10 to 100, mean 0 to 10, standard
deviation 5 to 50 for a few hundred features). One order of magnitude above the band is a warning, three are critical;
inside of one order it fires only as growth by ``growth`` from the first tenth, above the band, in a run that suffers.
When it is wrong: very wide layers have larger norms (the norm grows with the square root of the width).
What to do: normalise (LayerNorm after each layer), check that pixels are scaled to 0..1, lower the learning rate.
References: Ba et al. 2016 (arXiv:1607.06450), layer normalisation; seed report 003 for the band.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from logdoctor.model import Evidence, Finding, Scalar, Series
from logdoctor.rules._examples import learning, table, wobble
from logdoctor.rules._outcome import label, outcome
from logdoctor.rules._record import Example, Limits, Rule
from logdoctor.rules._rows import at, big, change, finding, rows, say, threshold, times, way
from logdoctor.view import RunView

BANDS = {"feature_l2_norm": (10.0, 100.0), "feature_mean": (0.0, 10.0), "feature_std": (5.0, 50.0)}


def detect(view: RunView, limits: Limits) -> Iterable[Finding]:
    """Return one finding for all feature statistics of the run; the norm leads."""
    present = [(s, _band(s.name)) for name in view.names if _band(name) and (s := view.finite(name)) is not None]
    if not present:
        return
    series, band = max(present, key=lambda item: (item[0].name.endswith("norm"), float(np.abs(item[0].value).max())))
    assert band is not None
    size = np.abs(series.value)
    worst = int(np.argmax(size))
    over = size[worst] / band[1]
    if over < limits.warning and not _grew(view, series, band[1], limits):
        return
    yield _finding(view, series, band, worst, float(over), [item[0] for item in present], limits)


def _band(name: str) -> tuple[float, float] | None:
    for key, band in BANDS.items():
        if key in name:
            return band
    return None


def _grew(view: RunView, series: Series, top: float, limits: Limits) -> bool:
    tenth = max(1, len(series) // 10)
    early, late = float(np.median(series.value[:tenth])), float(np.median(series.value[-tenth:]))
    return len(series) >= 10 and early > 0 and late > top and late / early >= limits.growth and outcome(view).bad


def _finding(
    view: RunView,
    series: Series,
    band: tuple[float, float],
    worst: int,
    over: float,
    everything: list[Series],
    limits: Limits,
) -> Finding:
    size = np.abs(series.value)
    outside = np.flatnonzero(size > band[1])
    peak, last = float(series.value[worst]), len(series) - 1
    others: list[str] = []
    figures: dict[str, Scalar] = {}
    evidence: list[Evidence] = []
    for other in everything:
        if other.name == series.name:
            continue
        limit = BANDS[next(k for k in BANDS if k in other.name)]
        top = int(np.argmax(np.abs(other.value)))
        value = float(other.value[top])
        others.append(f"{label(other)} {big(value)}, expected {say(limit[0])} to {say(limit[1])}")
        figures |= _numbers(other, value, limit)
        evidence += rows(other, [(top, f"{times(abs(value) / limit[1])} times the expected {say(limit[1])}")])
    orders = math.log10(over) if over > 0 else 0.0
    picks = [(0, "first")] + [(i, change(float(series.value[i]), float(series.value[0]))) for i in way(0, worst, 2)]
    picks += [
        (int(outside[0]), "first above the band"),
        (worst, f"{times(over)} times the expected {say(band[1])}"),
        (last, "last"),
    ]
    return finding(
        RULE,
        view,
        severity="critical" if over >= limits.critical else "warning",
        confidence=0.95 if over >= limits.critical else 0.75,
        metrics=[s.name for s in everything],
        onset=view.place(series, int(outside[0])),
        summary=(
            f"{label(series)} is {big(peak)} at {at(view, series, worst)}, expected {say(band[0])} to {say(band[1])}:"
            f" {times(over)} times the upper end ({orders:.0f} orders of magnitude)"
            f"{'; ' + '; '.join(others) if others else ''}."
        ),
        figures=_numbers(series, peak, band)
        | {"orders_of_magnitude": orders, "rows_above": int(outside.size), "rows": len(series)}
        | figures,
        evidence=[*rows(series, picks), *evidence],
        analysis="Values, losses and gradients behind these features are scaled by the same factor.",
    )


def _numbers(series: Series, value: float, band: tuple[float, float]) -> dict[str, Scalar]:
    return {
        series.name: value,
        f"{series.name}_expected_low": band[0],
        f"{series.name}_expected_high": band[1],
        f"{series.name}_over_expected": abs(value) / band[1],
    }


def _log(top: float) -> str:
    return table(
        feature_l2_norm=np.geomspace(15, top, 60) * (1 + wobble(size=0.02)),
        feature_mean=np.geomspace(0.4, top / 40, 60),
        episode_return=learning(),
    )


RULE = Rule(
    id="LD406",
    name="feature-norm-explosion",
    title="Feature norms explode",
    severity="critical",
    detect=detect,
    min_points=1,
    thresholds=(
        threshold(
            "warning",
            10.0,
            "times the upper end of the band",
            "one order of magnitude; wide layers stay below",
            "seed report 003: expected 10 to 100",
        ),
        threshold(
            "critical",
            1000.0,
            "times the upper end of the band",
            "three orders of magnitude fit no width",
            "seed report 003: 10^10 times",
        ),
        threshold(
            "growth",
            4.0,
            "times the first tenth",
            "fourfold growth was called a fault in practice",
            "sibling document T-10: 15.8 to 65.3",
        ),
    ),
    tags=("values", "features", "stability"),
    references=("https://arxiv.org/abs/1607.06450",),
    examples=(
        Example(title="L2 norm grows to 10^9", log=lambda: _log(1e9), fires=True),
        Example(title="L2 norm grows from 15 to 30", log=lambda: _log(30.0), fires=False),
    ),
    applies_to=lambda view: None if any(_band(name) for name in view.names) else "no feature statistics in this log",
)
