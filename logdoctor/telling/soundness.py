"""What is healthy, and why one may believe so: each statement rests on figures of the log.

A metric is called healthy only where no finding concerns it and its own figures say so; what cannot be shown is left
out. Benign findings (something that looks worrying and is not) come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from logdoctor.model import Cause, Finding, Healthy, Series
from logdoctor.norms import Judgement, judge_all, judge_value
from logdoctor.norms import number as setting_number
from logdoctor.rules._course import improves
from logdoctor.rules._outcome import label
from logdoctor.rules._rates import in_force
from logdoctor.telling.stretches import head, tail
from logdoctor.view import RunView
from logdoctor.wording import change, number, percent, rounded

MOST = 8
FEW = 5
BOUNDED = 3.0  # times its median: the largest norm of a group that nothing blows up
SETTINGS = 2  # settings within their ranges that are worth a line
NAMED = 6  # of them named
OUTLIER = 5.0  # times the width of the middle four fifths beyond which a single value is a stray one
POINTS = 10
FAR_BELOW = 10.0  # times: two losses of one optimiser that lie an order of magnitude apart are out of balance
STEADY = 0.1  # relative difference of the first and the last part of a speed that is still called steady
EMPTY = frozenset({"loss-exactly-zero", "loss-not-learning"})  # remarks that a column says nothing of the run
GAIN = 3.0  # percentage points of agreement below which a rise is no learning
SPARE = 0.1  # share of the first entropy that must be left: below, a policy is close to being deterministic
FEATURES = 100.0  # norm of a feature layer up to which it is usual (the rule feature-norm-explosion expects 10 to 100)
FITS = 0.5  # explained variance from which a value function is of use (1 = perfect, 0 = as good as a constant)
KL_LIMIT = 0.05  # approximate KL an update of on-policy methods stays below (target_kl of 0.01 to 0.03, times 1.5)
CLIPPED = 0.3  # clip fraction above which updates are cut off rather than limited

Judge = Callable[[RunView, Series], Healthy | None]


def healthy_items(
    view: RunView, findings: Iterable[Finding], causes: Sequence[Cause] = (), judged: bool = True
) -> tuple[Healthy, ...]:
    """Return the healthy metrics with their reasons, the most telling first, and the settings to leave alone.

    Where the run as a whole could not be ``judged``, its performance is not called good either.
    """
    findings = list(findings)
    told = (f for f in findings if not f.benign and (f.severity != "info" or f.name in EMPTY))
    alarmed = {m for f in told for m in _accused(f)}
    ill = any(f.severity == "critical" and not f.benign for f in findings)
    out = [_benign(f) for f in findings if f.benign]
    said = {item.metric for item in out}
    out += [item for item in _judged(view, alarmed, ill or not judged) if item.metric not in said]
    changed = {change.parameter for cause in causes for change in cause.changes}
    if any(f.name == "clipping-inactive" for f in findings):
        changed.add("max_grad_norm")  # within its range, but not in force
    weights = (*_loss_weights(view, findings, changed), *_safeguards(view, findings))
    return (*out[: MOST - 1 - len(weights)], *weights, *_settings(view, changed))


def _accused(finding: Finding) -> tuple[str, ...]:
    """The metrics that a finding speaks against; some findings name the healthy twin or only the first row as well."""
    if finding.name == "head-not-learning":
        return finding.metrics[:1]
    return () if finding.name == "zero-initial-output" else finding.metrics


def _settings(view: RunView, changed: set[str]) -> Iterator[Healthy]:
    """The settings that lie within their published ranges and that no cause wants changed."""
    raw = {name: item.raw_name or name for name, item in view.settings.items()}
    judged = [_now(view, j) for j in judge_all(view) if j.side == "inside" and j.parameter not in changed]
    kept = [(j, was) for j, was in judged if j.side == "inside" and raw.get(j.parameter, j.parameter) not in changed]
    if len(kept) >= SETTINGS:
        named = ", ".join(f"{j.parameter} {setting_number(j.value)}{was}" for j, was in kept[:NAMED])
        more = f" and {len(kept) - NAMED} more" if len(kept) > NAMED else ""
        yield Healthy(metric="settings", why=f"within the ranges in use, so leave them alone: {named}{more}")


def _now(view: RunView, stated: Judgement) -> tuple[Judgement, str]:
    """The value in force at the end of the run and, where it was changed on the way, what it was before."""
    changed = in_force(view, stated.parameter)
    now = judge_value(view, stated.parameter, changed[0]) if changed is not None else None
    begin = view.number(stated.parameter)
    if changed is None or now is None or begin is None or now.value == begin:
        return now or stated, ""
    return now, f" (since line {changed[1]}; stated at the start: {setting_number(begin)})"


def _safeguards(view: RunView, findings: Sequence[Finding]) -> Iterator[Healthy]:
    """What is stated to keep values from blowing up, where they did: it was not enough, and is no reason to drop it."""
    if not any(f.name in {"loss-explosion", "q-divergence"} and not f.benign for f in findings):
        return
    told = []
    for name, words in (("td_target_clip", "TD targets clipped at"), ("max_q_value", "Q clipped at")):
        value = view.number(name)
        if value:
            told.append(f"{words} {number(value)}")
    interval = view.number("target_update")
    if interval and interval > 1:
        told.append(f"a target network updated every {number(interval)} steps")
    if any("huber" in str(item.value).lower() for item in view.settings.values()):
        told.append("a Huber loss")
    if told:
        yield Healthy(metric="other safeguards", why=f"in place as stated, keep them: {', '.join(told)}")


def _loss_weights(view: RunView, findings: Sequence[Finding], changed: set[str]) -> Iterator[Healthy]:
    """The weight of a head that does not learn, where it already is the larger one: raising it is not the answer."""
    lame = next((f for f in findings if f.name == "head-not-learning" and len(f.metrics) > 1), None)
    weight = view.setting("discrete_loss_weight") if lame is not None and lame.metrics[0] == "d_loss" else None
    if lame is None or weight is None or not isinstance(weight.value, (int, float)) or weight.name in changed:
        return
    bad, good = view.finite(lame.metrics[0]), view.finite(lame.metrics[1])
    other = view.number("continuous_loss_weight") or 1.0
    if bad is None or good is None or weight.value < other or tail(bad) < tail(good) / FAR_BELOW:
        return
    yield Healthy(
        metric=weight.name,
        why=f"{number(weight.value)} against {number(other)} already gives {label(bad)} a strong signal; leave it "
        f"unless {label(bad)} ({rounded(tail(bad))}) falls far below {label(good)} ({rounded(tail(good))})",
    )


def _benign(finding: Finding) -> Healthy:
    metric = finding.metrics[0] if finding.metrics else finding.name
    return Healthy(metric=metric, why=finding.summary, evidence=finding.evidence[:2], benign=True)


def _judged(view: RunView, alarmed: set[str], ill: bool) -> Iterator[Healthy]:
    performance = view.performance
    if performance is not None and performance.name not in alarmed and not ill:
        item = _improves(performance.series, performance.goal == "min")
        if item:
            yield item
    spoken = False  # several speeds say the same thing
    yield from _clipped_norms(view, alarmed)
    for name in view.names:
        judge = _judge_of(name)
        series = view.get(name)
        if judge is None or name in alarmed or series is None or len(series) < POINTS:
            continue
        if performance is not None and name == performance.name:
            continue
        if (
            name in {"fps", "samples_per_second"}
            and view.number("batch_size")
            and view.finite("steps_per_second") is not None
        ):
            continue  # the one of which the samples per second follow says more
        item = judge(view, series)
        if item is not None and not (judge is _speed and spoken):
            spoken = spoken or judge is _speed
            yield item


def _judge_of(name: str) -> Judge | None:
    if name in _JUDGES:
        return _JUDGES[name]
    if name.endswith("_loss") or name == "loss":
        return _falls
    return None


def _ends(series: Series) -> tuple[float, float]:
    return head(series), tail(series)


def _item(series: Series, why: str) -> Healthy:
    picks = (0, len(series) - 1)
    return Healthy(metric=series.name, why=why, evidence=tuple(RunView.evidence(series, i) for i in picks))


def _between(first: float, last: float) -> str:
    moved = change(first, last)
    return f"from {rounded(first)} to {rounded(last)}" + (f" ({moved})" if moved else "") + ", medians of its ends"


def _improves(series: Series, down: bool) -> Healthy | None:
    if len(series) < POINTS:
        return None
    first, last = _ends(series)
    if first == last or (last < first) != down or not improves(series, "min" if down else "max"):
        return None
    verb = "fell" if down else "rose"
    best = float(series.value.min() if down else series.value.max())
    where = int(series.value.argmin() if down else series.value.argmax())
    low, high = np.percentile(series.value, [10, 90])
    text = f"{verb} {_between(first, last)}"
    if low - OUTLIER * (high - low) <= best <= high + OUTLIER * (high - low):  # a stray value is nobody's best
        text += f"; best value {number(best)} at line {int(series.line[where])}"
    return _item(series, text)


def _falls(view: RunView, series: Series) -> Healthy | None:
    """A loss that is finite and lower at the end; losses of actors and critics carry no such promise in RL."""
    if not np.isfinite(series.value).all() or series.name in {"policy_loss", "actor_loss", "critic_loss", "value_loss"}:
        return None
    first, last = _ends(series)
    if not 0 <= last < first * 0.95 or not improves(series, "min"):
        return None
    del view
    return _item(series, f"finite in all {len(series):,} rows and fell {_between(first, last)}")


def _gradient(view: RunView, series: Series) -> Healthy | None:
    value = series.value
    if not np.isfinite(value).all() or float(np.median(value)) <= 0:
        return None
    middle, top = float(np.median(value)), float(series.highs.max())
    if top > 30 * middle or (value == 0).mean() > 0.05:
        return None
    text = (
        f"finite and above zero; median {rounded(middle)}, largest {number(top)} ({rounded(top / middle)} times that)"
    )
    limit = view.number("max_grad_norm")
    if limit:
        text += f"; below the clip limit of {number(limit)} in {percent(float((value <= limit).mean()))} of the rows"
    return _item(series, text)


def _clipped_norms(view: RunView, alarmed: set[str]) -> Iterator[Healthy]:
    """Norms printed after clipping that stay at or below one limit: clipping works, whatever else fails."""
    told: list[str] = []
    items: list[Series] = []
    for name in view.names:
        series = view.get(name)
        if "grad_norm" not in name or series is None or name in alarmed or len(series) < FEW:
            continue
        value = series.value
        if not np.isfinite(value).all() or value.max() <= 0 or name == "grad_norm":
            continue
        top, middle = float(series.highs.max()), float(np.median(value))
        if middle > 0 and top <= BOUNDED * middle:
            told.append(f"{label(series)} at most {number(top)} in {len(series):,} rows")
            items.append(series)
    if items:
        ends = tuple(RunView.evidence(s, int(s.value.argmax())) for s in items[:2])
        why = f"finite and bounded, so clipping (or nothing to clip) holds: {'; '.join(told)}"
        yield Healthy(metric=items[0].name if len(items) == 1 else "gradient norms", why=why, evidence=ends)


def _q_max(view: RunView, series: Series) -> Healthy | None:
    value = series.value[np.isfinite(series.value)]
    if value.size < len(series):
        return None
    quarters = [float(np.median(part)) for part in np.array_split(value, 4)]
    size = max(abs(q) for q in quarters)
    steps = [abs(b - a) for a, b in pairwise(quarters)]
    if size == 0 or float(value.max()) > 5 * max(size, 1e-12) or steps[-1] > 2 * max(steps[0], 0.1 * size):
        return None
    low = view.finite("q_min")
    other = f", {label(low)} not below {number(float(low.lows.min()))}" if low is not None else ""
    return _item(
        series,
        f"bounded: never above {number(float(series.highs.max()))}{other}; medians of its quarters "
        f"{', '.join(rounded(q) for q in quarters)}, no run-away growth",
    )


def _entropy(view: RunView, series: Series) -> Healthy | None:
    first, last = (abs(x) for x in _ends(series))
    if first == 0 or last < SPARE * first:
        return None
    del view
    what = "the policy sharpens and can still explore" if last < first * (1 - STEADY) else "the policy still explores"
    return _item(series, f"went {_between(first, last)} in size: {what}")


def _explained(view: RunView, series: Series) -> Healthy | None:
    last = tail(series)
    if last < FITS:
        return None
    del view
    return _item(series, f"{rounded(last)} over the last tenth (1 is perfect): the value function predicts the returns")


def _kl(view: RunView, series: Series) -> Healthy | None:
    top = float(np.percentile(series.value[np.isfinite(series.value)], 95)) if np.isfinite(series.value).any() else 1.0
    if top > KL_LIMIT:
        return None
    del view
    return _item(series, f"95 % of the updates below {rounded(top)} (limit in use: {KL_LIMIT}): small policy steps")


def _clip_fraction(view: RunView, series: Series) -> Healthy | None:
    last = tail(series)
    if last > CLIPPED:
        return None
    del view
    return _item(series, f"{rounded(last)} over the last tenth: few samples are clipped")


def _speed(view: RunView, series: Series) -> Healthy | None:
    value = series.value[np.isfinite(series.value)]
    value = value[value > 0]
    if value.size < POINTS:
        return None
    part = max(3, value.size // 5)
    first, last = float(np.median(value[:part])), float(np.median(value[-part:]))
    if abs(last - first) > STEADY * first:
        return None
    text = f"steady: median {rounded(first)} in the first fifth, {rounded(last)} in the last"
    batch = view.number("batch_size")
    if series.name == "steps_per_second" and batch:
        middle = float(np.median(value))
        text += f"; {rounded(middle)} steps/s × batch {number(batch)} = {rounded(middle * batch)} samples/s"
    return _item(series, text)


def _agreement(view: RunView, series: Series) -> Healthy | None:
    first, last = _ends(series)
    actions = view.number("n_actions")
    guess = 100.0 / actions if actions and actions > 1 else None
    if last < first + GAIN or (guess is not None and last < guess):
        return None
    base = f"; chance is {rounded(guess)} %" if guess is not None and series.name == "agreement" else ""
    return _item(series, f"rose from {rounded(first)} % to {rounded(last)} %, medians of its ends{base}")


def _accuracy(view: RunView, series: Series) -> Healthy | None:
    del view
    return _improves(series, down=False)


def _features(view: RunView, series: Series) -> Healthy | None:
    low, high = float(series.lows.min()), float(series.highs.max())
    if not np.isfinite([low, high]).all() or low <= 0 or high > 5 * low or high > FEATURES:
        return None
    del view
    return _item(series, f"stays between {number(low)} and {number(high)} over {len(series):,} rows")


_JUDGES: dict[str, Judge] = {
    "grad_norm": _gradient,
    "q_max": _q_max,
    "entropy": _entropy,
    "entropy_loss": _entropy,
    "explained_variance": _explained,
    "kl": _kl,
    "clip_fraction": _clip_fraction,
    "agreement": _agreement,
    "spin_agreement": _agreement,
    "accuracy": _accuracy,
    "val_accuracy": _accuracy,
    "feature_l2_norm": _features,
    "fps": _speed,
    "steps_per_second": _speed,
    "tokens_per_second": _speed,
    "samples_per_second": _speed,
}
