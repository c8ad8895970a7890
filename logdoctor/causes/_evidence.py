"""Sentences with figures that several causes need: settings against their norms, changes with their numbers.

Weights are natural log-odds. As a scale: 0.7 doubles the odds (a hint), 1.5 is a usual sign, 3 is a sign that few other
causes show, 4.5 all but settles it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from logdoctor import norms
from logdoctor.causes._facts import say
from logdoctor.causes._record import Argument
from logdoctor.model import Change, Finding, Scalar, Setting
from logdoctor.norms import Judgement
from logdoctor.view import RunView

HINT, SIGN, STRONG, SETTLES = 0.7, 1.5, 3.0, 4.5
Present = Mapping[str, Finding]


CLIMBED = 0.05  # of the first value: the change below which a loss is said not to have moved (loss-not-learning)


def climbed(present: Present) -> Finding | None:
    """Return the finding of a training loss that rose instead of falling, or None."""
    found = present.get("loss-not-learning")
    ends = [found.figures.get(name) for name in ("first", "final")] if found is not None else []
    first, final = ends if ends else (None, None)
    if not isinstance(first, (int, float)) or not isinstance(final, (int, float)):
        return None
    return found if final - first > CLIMBED * abs(first) else None


def where(line: int | None, source: str = "log") -> str:
    """Return the place of a setting: its line in the log, or the configuration file."""
    if source != "log":
        name = source.replace("\\", "/").rsplit("/", 1)[-1]
        return f"{name} line {line}" if line else name
    return f"line {line}" if line else "log"


def above(judgement: Judgement) -> Argument:
    """A setting above its published range speaks the louder the farther it is."""
    factor = min(judgement.factor, 1e3)
    return Argument(
        weight=min(SETTLES, SIGN + SIGN * math.log10(max(factor, 1.0)) * 1.3), text=_outside(judgement, "largest")
    )


def below(judgement: Judgement) -> Argument:
    """A setting below its published range speaks the louder the farther it is."""
    factor = min(judgement.factor, 1e3)
    return Argument(
        weight=min(SETTLES, SIGN + SIGN * math.log10(max(factor, 1.0)) * 1.3), text=_outside(judgement, "smallest")
    )


def inside(judgement: Judgement, weight: float = -SIGN, side: str = "high") -> Argument:
    """A setting inside of its published range speaks against the cause, the less the nearer it is to the suspected end.

    At the default (or beyond it on the other side) it has the full ``weight``; at the end of the range it is a hint
    for it.
    """
    norm, value = judgement.norm, judgement.value
    end = norm.high if side == "high" else norm.low
    way = 0.0
    if norm.scale == "log" and value > 0 and end > 0 and norm.default > 0 and norm.default != end:
        way = min(max(math.log(value / norm.default) / math.log(end / norm.default), 0.0), 1.0)
    place = where(judgement.line, judgement.source)
    usual = ""
    ratio = value / norm.default if norm.default > 0 else 1.0
    if way > 0.5:
        factor = say(float(f"{max(ratio, 1 / ratio):.3g}"))
        usual = f", {factor} times {'above' if ratio > 1 else 'below'} the usual {norms.number(norm.default)}"
    return Argument(
        weight=weight + (HINT - weight) * way,
        text=f"{judgement.parameter} = {_value(judgement)} ({place}) is within the range in use, "
        f"{judgement.range_text}{usual}.",
    )


def _value(judgement: Judgement) -> str:
    return norms.number(judgement.value)


def _outside(judgement: Judgement, end: str) -> str:
    place = where(judgement.line, judgement.source)
    times = (
        f"{say(judgement.factor)} times beyond"
        if math.isfinite(judgement.factor) and judgement.factor >= 1.05
        else "beyond"
    )
    return (
        f"{judgement.parameter} = {_value(judgement)} ({place}) is {times} the {end} value in use "
        f"({judgement.range_text}; {judgement.norm.reference})."
    )


def high(view: RunView, *parameters: str, against: float = -SIGN) -> Iterator[Argument]:
    """Weigh settings that are suspected to be too high: above the norm for, within or below it against."""
    for parameter in parameters:
        found = norms.judge(view, parameter)
        if found is not None:
            if found.side == "inside":
                yield inside(found, against)
            else:
                yield above(found) if found.side == "above" else _wrong(found)


def low(view: RunView, *parameters: str, against: float = -SIGN) -> Iterator[Argument]:
    """Weigh settings that are suspected to be too low: below the norm for, within or above it against."""
    for parameter in parameters:
        found = norms.judge(view, parameter)
        if found is not None:
            if found.side == "inside":
                yield inside(found, against, "low")
            else:
                yield below(found) if found.side == "below" else _wrong(found)


def _wrong(judgement: Judgement) -> Argument:
    return Argument(weight=-STRONG, text=_outside(judgement, "largest" if judgement.side == "above" else "smallest"))


def seen(present: Present, *names: str) -> Finding | None:
    """Return the first of the findings called ``names`` that is present."""
    return next((present[name] for name in names if name in present), None)


def first_line(finding: Finding | None) -> int | None:
    """Return the line at which a finding begins."""
    return finding.onset.line if finding is not None and finding.onset is not None else None


# ------------------------------------------------------------------------------------------------------- changes
def given(view: RunView, *parameters: str) -> Setting | None:
    """Return the first of ``parameters`` that the log or the configuration states."""
    return view.setting(*parameters)


def change(
    view: RunView,
    parameter: str,
    to: Scalar,
    why: str,
    *,
    tradeoff: str = "",
    reference: str = "",
    arithmetic: str = "",
    aliases: Iterable[str] = (),
) -> Change:
    """Return one change, with the present value taken from the log or the configuration where it is stated there."""
    setting = given(view, parameter, *aliases)
    name = setting.raw_name if setting is not None and setting.raw_name else parameter
    return Change(
        parameter=name,
        from_=setting.value if setting is not None else None,
        to=to,
        why=why,
        tradeoff=tradeoff,
        reference=reference,
        arithmetic=arithmetic,
        where=where(setting.line, setting.source)
        if setting is not None
        else "not stated in the log or the configuration",
    )


def round_down(value: float) -> float:
    """Round to one significant digit, the way one types a learning rate."""
    if value <= 0 or not math.isfinite(value):
        return value
    return float(f"{value:.0e}")


def default_of(view: RunView, parameter: str, fallback: float) -> tuple[float, str]:
    """Return the family's default of ``parameter`` and its source."""
    found = norms.norm_of(view.family, parameter, str(view.value("optimizer") or ""))
    return (found.default, found.reference) if found is not None else (fallback, "")


def lower_rate(view: RunView, why: str) -> Iterator[Change]:
    """Lower every stated learning rate to a third, or to the family's default where it is far out of range."""
    yield from _rates(
        view,
        why,
        lambda j: round_down(j.value / 3) if j.factor < 3 else j.norm.default,
        "Learning is slower; compare runs by step, not by hour.",
        "largest",
    )


def raise_rate(view: RunView, why: str) -> Iterator[Change]:
    """Raise every stated learning rate: three times, or to the family's default where it is far below of its range."""
    yield from _rates(
        view,
        why,
        lambda j: round_down(j.value * 3) if j.factor < 3 else j.norm.default,
        "Larger steps are less stable: watch the gradient norm over the first tenth of the run.",
        "smallest",
    )


def _rates(view: RunView, why: str, to: object, tradeoff: str, end: str) -> Iterator[Change]:
    assert callable(to)
    found = list(norms.learning_rates(view))
    column = [j for j in found if j.line is not None and view.setting(j.parameter) is None]
    for judgement in found:
        target = float(to(judgement))
        arithmetic = (
            f"{norms.number(judgement.value)} / {norms.number(target)} = {say(judgement.value / target)}"
            if target
            else ""
        )
        setting = view.setting(judgement.parameter)
        yield Change(
            parameter=setting.raw_name if setting else judgement.parameter,
            from_=judgement.given if judgement not in column else judgement.value,
            to=target,
            why=why,
            tradeoff=tradeoff,
            reference=judgement.norm.reference,
            where=where(judgement.line, judgement.source),
            arithmetic=arithmetic,
        )
    if not found:
        default, reference = default_of(view, "learning_rate", 3e-4)
        word = "a third of the present value" if end == "largest" else "three times the present value"
        yield Change(
            parameter="learning_rate",
            from_=view.value("learning_rate"),
            to=word,
            why=why,
            tradeoff=tradeoff,
            reference=f"usual for this family: {norms.number(default)} ({reference})" if reference else "",
            where="not stated in the log or the configuration",
        )


def raised(argument: Argument, weight: float) -> Argument:
    """Return ``argument`` with another weight."""
    return replace(argument, weight=weight)
