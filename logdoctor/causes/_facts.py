"""What several causes want to know about the curves of a run, computed once per view.

Facts are figures with their lines, not verdicts: a cause turns them into arguments. Every series is read through
robust summaries (medians of the first and the last twentieth), so that one odd record changes nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from logdoctor.detectors.baseline import noise
from logdoctor.detectors.smooth import rolling_median
from logdoctor.detectors.trend import rank_correlation
from logdoctor.model import Floats, Series
from logdoctor.norms import number
from logdoctor.rules._rates import Rate, Step, are_restarts, raises, rate_of

if TYPE_CHECKING:
    from logdoctor.view import RunView

HELD_OUT = re.compile(r"val|test|eval|dev|held", re.IGNORECASE)
EDGE = 0.05  # share of a series that counts as its beginning or its end
USUAL_CLASSES = (2, 3, 4, 5, 10, 20, 50, 100, 200, 1000)  # counts of classes that data sets have
SETTLED = 0.25  # share after which start-up transients are over (first quarter of the run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Where a series began, ended and went. ``start`` and ``end`` are medians of its first and last twentieth."""

    name: str
    count: int
    first: float
    first_line: int
    start: float
    end: float
    last_line: int
    low: float
    high: float
    high_line: int
    noise: float
    tau: float
    shown: str = ""

    @property
    def change(self) -> float:
        """End minus start."""
        return self.end - self.start

    @property
    def span(self) -> float:
        """Largest minus smallest value."""
        return self.high - self.low

    def text(self) -> str:
        """The series in one clause; a level is a median, so it stands on no single line."""
        lines = f"medians at its ends, lines {self.first_line} to {self.last_line}"
        return f"{self.shown} {say(self.start)} → {say(self.end)} ({lines})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """One record at which a calm series jumps.

    Attributes:
        ratio: value over the median of the calm stretch before it (infinite when it is not finite).
        after: median of the later values over that median (NaN when none is finite).
        late: median of the last quarter of the later values over the first quarter of them.
    """

    name: str
    index: int
    line: int
    before: float
    value: float
    ratio: float
    after: float
    late: float
    position: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """A stretch in which a smoothed loss lies clearly above what it had reached before; shares are of the run."""

    low: float
    low_line: int
    high: float
    high_line: int
    position: float
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """A training loss that falls ``ratio`` times within a tenth of the run while the held-out loss rises."""

    name: str
    ratio: float
    line: int
    last_line: int
    held_before: float
    held_after: float
    quieter: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A loss that does not come back after a break: ``records`` after it, above a level once passed in ``passed``."""

    line: int
    records: int
    level: float
    passed: int


def say(value: float) -> str:
    """Write a figure for a sentence: four significant digits, thousands with commas."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if 1000 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    return number(value)


def facts(view: RunView) -> Facts:
    """Return the facts of ``view``; computed once, and kept with it."""
    held = vars(view)
    if "_facts" not in held:
        held["_facts"] = Facts(view)
    found = held["_facts"]
    assert isinstance(found, Facts)
    return found


class Facts:
    """Lazy figures about one run."""

    def __init__(self, view: RunView) -> None:
        """Look at ``view``; nothing is computed before it is asked for."""
        self.view = view
        self._levels: dict[str, Level | None] = {}
        self._jumps: dict[str, Jump | None] = {}

    def level(self, *names: str) -> Level | None:
        """Return the level of the first of ``names`` that has at least four finite values."""
        for name in names:
            if name not in self._levels:
                self._levels[name] = _level(self.view.finite(name))
            if self._levels[name] is not None:
                return self._levels[name]
        return None

    def jump(self, name: str) -> Jump | None:
        """Return the first jump of ``name`` out of a calm stretch, or None."""
        if name not in self._jumps:
            self._jumps[name] = _jump(self.view.get(name))
        return self._jumps[name]

    def named(self, *endings: str) -> list[str]:
        """Return the metrics whose name is, or ends with, one of ``endings``."""
        return [n for n in self.view.names if any(n == e or n.endswith("_" + e) for e in endings)]

    @cached_property
    def epsilon(self) -> Level | None:
        """The exploration rate as a share; a column that exceeds 1 is printed in per cent."""
        level = self.level("epsilon", "exploration_rate")
        if level is None or level.high <= 1.0:
            return level
        scaled = {k: getattr(level, k) / 100.0 for k in ("first", "start", "end", "low", "high", "noise")}
        return replace(level, **scaled)

    def gradients(self) -> list[str]:
        """Return the metrics that are norms of gradients."""
        other = ("feature", "weight", "param", "l2")
        return [n for n in self.view.names if n.endswith("norm") and not any(word in n for word in other)]

    # ------------------------------------------------------------------------------------------ learning rate
    @cached_property
    def rate(self) -> Rate | None:
        """The printed learning rate, or None where the log has no such column."""
        return rate_of(self.view)

    @cached_property
    def raised(self) -> Step | None:
        """The largest raise of the learning rate during the run, or None."""
        steps = raises(self.view)
        return None if are_restarts(steps) else max(steps, key=lambda step: step.factor, default=None)

    # ------------------------------------------------------------------------------------------ supervised
    @cached_property
    def classes(self) -> int | None:
        """Number of classes, from the accuracy of a guess or from the loss of a guess at the first record.

        A model that guesses has accuracy 1/k and cross-entropy ln k; both must agree within a tenth where both are
        there.
        """
        loss, accuracy = self.level("loss", "train_loss"), self.level("val_accuracy", "accuracy")
        if self.view.family in {"llm", "dpo"}:  # any first loss is the logarithm of some vocabulary
            size = self.view.number("vocab_size")
            return int(size) if size is not None and size >= 2 else None
        if accuracy is not None:
            top = 100.0 if accuracy.high > 1.5 else 1.0
            guesses = {accuracy.start / top, accuracy.end / top}
            options = [k for k in range(2, 1001) if any(abs(guess - 1 / k) <= 0.45 / k for guess in guesses)]
            if not options:
                return None
            if loss is None:
                return options[len(options) // 2]
            held = self.level("val_loss")
            ends = (loss.first, loss.end, *((held.first, held.low) if held is not None else ()))
            usual = [k for k in options if k in USUAL_CLASSES]
            near = [k for k in usual if min(abs(v - math.log(k)) for v in ends) < 0.3] or options
            best = min(near, key=lambda k: min(abs(v - math.log(k)) for v in ends))
            return best if min(abs(v - math.log(best)) for v in ends) < 0.3 else None
        if loss is not None and 0.6 < loss.first < 13:
            k = round(math.exp(loss.first))
            return k if k >= 2 and abs(loss.first - math.log(k)) < 0.05 * loss.first else None
        return None

    @cached_property
    def guess(self) -> float | None:
        """Cross-entropy of a guess, ln k."""
        return math.log(self.classes) if self.classes else None

    @cached_property
    def at_chance(self) -> bool:
        """Whether a classifier ends where guessing does: accuracy below 1.5/k, or else loss within 2 % of ln k."""
        if self.classes is None or self.view.is_rl:
            return False
        accuracy, loss = self.level("val_accuracy", "accuracy"), self.level("val_loss", "loss")
        if accuracy is not None:
            return accuracy.end / (100.0 if accuracy.high > 1.5 else 1.0) < 1.5 / self.classes
        return loss is not None and self.guess is not None and loss.end > 0.98 * self.guess

    # ------------------------------------------------------------------------------------------ movement
    def creeps(self, name: str) -> Level | None:
        """Return the level of ``name`` when it moves steadily one way but has hardly moved by the end.

        Steady: rank correlation with time of at least 0.9 in size; hardly: less than 5 % of its own size. A step size
        that fits shows a change of the order of the metric itself over a run.
        """
        level = self.level(name)
        if level is None or level.count < 10:
            return None
        size = max(abs(level.start), abs(level.end), 1e-12)
        return level if abs(level.tau) >= 0.9 and abs(level.change) < 0.05 * size else None

    def settled_at_guess(self) -> Level | None:
        """Return the training loss when it went to the loss of a guess and stopped there, or None.

        A step size that is too small moves a loss at an even pace, through the loss of a guess and beyond it; a network
        of which only the last bias learns goes to that loss, the class shares being all that it can learn, and stays.
        """
        loss = self.level("train_loss", "loss")
        series = self.view.finite(loss.name) if loss is not None else None
        if loss is None or series is None or self.guess is None or not self.at_chance or len(series) < 20:
            return None
        if self._even_pace("val_loss"):
            return None
        value = series.value
        tenth = max(3, value.size // 10)
        first, middle, last = (
            float(np.mean(part)) for part in (value[:tenth], value[(value.size - tenth) // 2 :][:tenth], value[-tenth:])
        )
        error = noise(value) * math.sqrt(2 / tenth)
        near = abs(last - self.guess) < 0.005 * self.guess and abs(middle - self.guess) < 0.005 * self.guess
        stopped = middle - last <= max((first - middle) / 3, 2 * error)
        return loss if near and stopped else None

    def _even_pace(self, name: str) -> bool:
        """Whether a loss falls record by record, and in its second half at least a third as much as in its first."""
        level, series = self.level(name), self.view.finite(name)
        if level is None or series is None or level.tau > -0.95 or len(series) < 10:
            return False
        first, middle, last = (float(series.value[at]) for at in (0, len(series) // 2, -1))
        return middle - last > (first - middle) / 3 > 0

    @cached_property
    def maximised(self) -> Level | None:
        """Return the loss when it climbs from its first record on without a swing and far, or None.

        A loss that overshoots jumps within a record or two and swings; one that is maximised climbs record by record.
        """
        loss = self.level("loss", "train_loss") or self.level("val_loss")
        series = self.view.finite(loss.name) if loss is not None else None
        if loss is None or series is None or self.view.is_rl or loss.first <= 0:
            return None
        top = int(np.argmax(series.value >= 0.5 * loss.high)) + 1
        rise = series.value[:top]
        far = float(np.median(series.value[-3:])) > 3 * loss.first and loss.low >= 0.9 * loss.first
        steady = rank_correlation(np.arange(rise.size, dtype=np.float64), rise)
        return loss if far and rise.size >= 6 and steady > STEADY else None

    @cached_property
    def bias_alone(self) -> bool | None:
        """Whether the held-out loss wanders by no more than the last bias can make it; None where that is not known.

        k biases that take steps of 1e-3 change a cross-entropy by the square of it; larger steps hide the difference.
        """
        held, rate, stated = self.level("val_loss"), self.rate, self.view.number("learning_rate")
        size = rate.peak if rate is not None else stated
        if held is None or held.count < 10 or size is None or size > SMALL_STEP or self.guess is None:
            return None
        return held.noise < ALONE * self.guess

    @cached_property
    def one_answer(self) -> Level | None:
        """The held-out accuracy when it only takes a few values around chance, as one answer to every input does.

        Weights that change give another accuracy at nearly every evaluation; one answer gives the share of a class.
        """
        level = self.level("val_accuracy", "accuracy")
        series = self.view.finite(level.name) if level is not None else None
        if level is None or series is None or not self.at_chance or len(series) < 10:
            return None
        few = np.unique(series.value).size <= min(self.classes or 2, len(series) // 3)
        return level if few else None

    def still(self, name: str) -> Level | None:
        """Return the level of ``name`` when its whole range stays within 2 % of its size: it never moved."""
        level = self.level(name)
        if level is None or level.count < 10:
            return None
        return level if level.span <= 0.02 * max(abs(level.start), abs(level.end), 1e-12) else None

    def climb(self, name: str) -> Climb | None:
        """Return where the smoothed ``name`` (a loss) climbs and stays up, or None."""
        series = self.view.finite(name)
        return _climb(series) if series is not None and len(series) >= 20 else None

    def relearning(self, name: str) -> Stuck | None:
        """Return a break of ``name`` (a loss) after which it does not come back although it could have, or None."""
        jump, series = self.jump(name), self.view.finite(name)
        return _stuck(series, jump) if series is not None and jump is not None else None

    @cached_property
    def abrupt_fall(self) -> Fall | None:
        """A training loss that falls off in the middle of a smooth curve while the held-out loss turns up, or None."""
        train = self.view.finite("loss") or self.view.finite("train_loss")
        held = self.view.finite("val_loss")
        if self.view.is_rl or train is None or held is None or len(train) < 20 or len(held) < 6:
            return None
        return _fall(train, held)

    @cached_property
    def no_signal(self) -> bool:
        """Whether training fits its labels while held-out data is never predicted better than by a guess."""
        train, held = self.level("train_loss", "loss"), self.level("val_loss")
        if self.view.is_rl or train is None or held is None:
            return False
        clear = train.end <= 0.75 * train.start
        steady = train.tau < -0.9 and train.end < (1 - MEMORISED) * train.start and held.end > held.first
        if not (clear or steady) or held.low < 0.9 * held.first:
            return False  # held-out data did gain from what was learned
        accuracy = self.level("val_accuracy") or self.level("accuracy")
        if accuracy is not None and self.classes is not None:
            return accuracy.high / (100.0 if accuracy.high > 1.5 else 1.0) < 1.8 / self.classes
        return accuracy is None and held.low > 0.97 * held.first

    @cached_property
    def weights_still(self) -> tuple[float, int] | None:
        """(share, line) from which held-out results repeat to the last digit and training goes nowhere, or None.

        A frozen *metric* stands still while the training goes on to improve; still *weights* stop both.
        """
        held, train = self.view.finite("val_loss") or self.view.finite("eval_return"), self.view.finite("loss")
        if held is None or train is None or len(held) < 10 or len(train) < 10:
            return None
        same = np.flatnonzero(held.value != held.value[-1])
        index = int(same[-1]) + 1 if same.size else 0
        if index == 0 or index > 0.7 * len(held) or (held.name == "val_loss" and held.value[-1] > 1.05 * held.value[0]):
            return None
        later = train.value[train.line >= held.line[index]]
        third = max(3, later.size // 3)
        move = abs(float(np.median(later[-third:])) - float(np.median(later[:third])))
        if move > max(2 * noise(later), 0.01 * abs(float(np.median(later)))):
            return None
        return index / len(held), int(held.line[index])

    def settled_early(self, name: str) -> tuple[float, int] | None:
        """Return (share of the run, line) after which ``name`` stays within 3 % of the way it went before, or None."""
        series = self.view.finite(name)
        if series is None or len(series) < 20:
            return None
        return _settled(series)

    @cached_property
    def improvement(self) -> float:
        """Gain of the performance metric from its start to its best smoothed value, in units of its own noise.

        Below about 3 the metric never left its noise.
        """
        performance = self.view.performance
        if performance is None or len(performance.series) < 8:
            return math.nan
        value = performance.upward
        smooth = rolling_median(value, max(3, value.size // 20))
        edge = _edge(value.size)
        gain = float(smooth[edge:].max() - np.median(value[:edge]))
        spread = max(noise(value), 1e-3 * float(np.abs(value).max()), 1e-12)
        return gain / spread


# ------------------------------------------------------------------------------------------------------- figures
def _edge(count: int) -> int:
    return max(min(3, count), round(EDGE * count))


def _level(series: Series | None) -> Level | None:
    if series is None or len(series) < 4:
        return None
    value, edge = series.value, _edge(len(series))
    top = int(value.argmax())
    return Level(
        name=series.name,
        count=len(series),
        first=float(value[0]),
        first_line=int(series.line[0]),
        start=float(np.median(value[:edge])),
        end=float(np.median(value[-edge:])),
        last_line=int(series.line[-1]),
        low=float(value.min()),
        high=float(value[top]),
        high_line=int(series.line[top]),
        noise=noise(value),
        tau=rank_correlation(np.arange(value.size, dtype=np.float64), value),
        shown=shown(series),
    )


def shown(series: Series) -> str:
    """Return the name that the log printed, or the canonical one where the printed one hides that it is held-out."""
    raw = series.raw_name or series.name
    if series.name.startswith("val_") and not HELD_OUT.search(raw):
        return series.name
    if series.name in {"q_min", "q_max"} and series.name[2:] not in raw.lower():
        return series.name  # one of the two ends of a printed range
    return raw


CALM = 8  # records that must precede a jump, so that "calm" means something
JUMP_RATIO = 5.0  # times the median of the calm stretch
JUMP_NOISE = 8.0  # and this many of its own standard deviations (as for spikes, see the detectors)


def _jump(series: Series | None) -> Jump | None:
    if series is None or len(series) <= CALM:
        return None
    value = np.abs(series.value)
    for index in range(CALM, value.size):
        calm = value[max(0, index - 40) : index]
        if not np.isfinite(calm).all():
            return None
        middle, spread = float(np.median(calm)), max(noise(calm), 1e-12)
        here = float(value[index])
        if math.isfinite(here) and not (here > JUMP_RATIO * middle and here - middle > JUMP_NOISE * spread):
            continue
        if float(np.median(calm[-3:])) > 2 * middle and middle > 0:
            return None  # it had been growing already: no jump out of calm
        later = value[index + 1 :]
        later = later[np.isfinite(later)]
        quarter = max(1, later.size // 4)
        after = float(np.median(later)) / max(middle, 1e-12) if later.size else math.nan
        late = (
            float(np.median(later[-quarter:]) / max(float(np.median(later[:quarter])), 1e-12))
            if later.size
            else math.nan
        )
        return Jump(
            name=series.name,
            index=index,
            line=int(series.line[index]),
            before=middle,
            value=float(series.value[index]),
            ratio=here / max(middle, 1e-12) if math.isfinite(here) else math.inf,
            after=after,
            late=late,
            position=index / value.size,
        )
    return None


MEMORISED = 0.05  # of its start: a training loss that fell by more was learned from (the rule loss-not-learning)
TURNS = 1.2  # times the held-out loss before: twice the rise that the rule overfitting asks for (SageMaker: 0.1)
TURNS_QUIET = 1.1  # the same where the scatter of the training loss tells as well
QUIETER = 5.0  # times: a lower loss scatters about as much in proportion; ten samples of one batch do not at all
FALL = 5.0  # factor by which a loss falls within a tenth of the run; healthy runs take most of the run for it


def _fall(train: Series, held: Series) -> Fall | None:
    least = float(train.value[train.value > 0].min(initial=1.0))  # a printed zero is less than the last digit
    value = rolling_median(np.maximum(train.value, least), max(3, len(train) // 30))  # single batches scatter
    window, start = max(2, value.size // 10), value.size // 10
    ratio = value[:-window] / value[window:]
    index = start + int(np.argmax(ratio[start:]))
    spiked = value[index] > 1.5 * float(value[: index + 1].min())  # only the way back from a spike
    if ratio[index] < FALL or spiked or value[index] < 0.02 * value[0]:
        return None
    step = float(train.step[index])
    before, after = held.value[held.step <= step], held.value[held.step > step]
    if not before.size or not after.size or float(before[-1]) > 0.9 * float(held.value[0]):
        return None  # nothing had been learned that a repeated batch could undo
    batches = len(train) >= 3 * len(held)  # the mean of an epoch scatters little, and less as it nears zero
    quieter = _quieter(train.value, index, index + window) if batches else 1.0
    if float(np.median(after)) <= (TURNS if quieter < QUIETER else TURNS_QUIET) * float(before[-1]):
        return None
    return Fall(
        name=shown(train),
        ratio=float(ratio[index]),
        line=int(train.line[index]),
        last_line=int(train.line[index + window]),
        held_before=float(before[-1]),
        held_after=float(np.median(after)),
        quieter=quieter,
    )


def _quieter(value: Floats, before: int, after: int) -> float:
    """Return how many times smaller the scatter from record to record is after a point, as a ratio of logarithms.

    Batches differ, and a loss per batch scatters by as much; one batch seen again and again does not.
    """
    size = np.log(np.maximum(value, 1e-12))
    if before < 8 or value.size - after < 8:
        return 1.0
    return noise(size[:before]) / max(noise(size[after:]), 1e-12)


CLIMB = 0.03  # of the level reached: below it a climb is what ordinary noise of a plateau makes


def _climb(series: Series) -> Climb | None:
    smooth = rolling_median(series.value, max(3, series.value.size // 15))
    lowest = np.minimum.accumulate(smooth)
    up = (smooth > (1 + CLIMB) * lowest) & (smooth - lowest > 3 * noise(series.value)) & (lowest > 0)
    if not up.any():
        return None
    edges = np.flatnonzero(np.diff(np.concatenate(([0], up.astype(np.int8), [0]))))
    first, stop = max(zip(edges[::2], edges[1::2], strict=True), key=lambda pair: pair[1] - pair[0])
    low, high = int(np.argmin(smooth[: first + 1])), int(first + np.argmax(smooth[first:stop]))
    length = float(stop - first) / smooth.size
    if length < 0.1 or smooth[low] > 0.97 * smooth[0]:
        return None  # a loss that never fell does not climb again: it only rises
    return Climb(
        low=float(smooth[low]),
        low_line=int(series.line[low]),
        high=float(smooth[high]),
        high_line=int(series.line[high]),
        position=float(first) / smooth.size,
        length=length,
    )


STEADY = 0.9  # rank correlation with time
SMALL_STEP = 2e-3  # a learning rate for Adam, which moves every weight by about as much at each update
ALONE = 1e-4  # of the loss of a guess
LEARNED = 0.7  # of the first loss: a fall to less is learning, whatever the noise


def _stuck(series: Series, jump: Jump) -> Stuck | None:
    after = series.value[series.line > jump.line]
    before = series.value[series.line < jump.line]
    if after.size < 8 or before.size < 8 or not math.isfinite(jump.ratio):
        return None
    if float(before.min()) > LEARNED * float(before[0]):
        return None  # nothing had been learned before the break that could be learned again
    level = float(np.quantile(after[2:], 0.1))
    passed = np.flatnonzero(before < level)
    count = int(passed[0]) + 1 if passed.size else before.size
    if level < 2 * float(np.median(before[-5:])) or count > after.size / 3:
        return None
    return Stuck(line=jump.line, records=int(after.size), level=level, passed=count)


def _settled(series: Series) -> tuple[float, int] | None:
    value = series.value
    end = float(np.median(value[-_edge(value.size) :]))
    way = float(np.ptp(value))
    if way <= 0:
        return None
    steps = np.abs(np.diff(value))
    digit = float(steps[steps > 0].min()) if steps.any() else 0.0  # the last printed digit, where the print is coarse
    outside = np.flatnonzero(np.abs(value - end) > max(0.03 * way, 1.01 * min(digit, 0.1 * way)))
    index = int(outside[-1]) + 1 if outside.size else 0
    return index / value.size, int(series.line[min(index, value.size - 1)])
