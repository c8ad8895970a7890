"""What the policy rules share: entropy with its sign, agreement with its random base, printed action distributions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from logdoctor.model import Floats, Ints, Series
from logdoctor.rules._rows import started

if TYPE_CHECKING:
    from logdoctor.view import RunView

_SHARE = re.compile(r"^(.*)_action_share_(\d+)$")


def entropy(view: RunView) -> tuple[Series, Floats] | None:
    """Return the entropy series as printed and its values as positive entropies (``entropy_loss`` is minus it)."""
    series = view.finite("entropy")
    if series is not None:
        return series, series.value
    series = view.finite("entropy_loss")
    if series is None:
        return None
    return series, (-series.value if np.median(series.value) <= 0 else series.value)


def action_count(view: RunView) -> tuple[int, str] | None:
    """Return the number of discrete actions and where it is known from, or None."""
    number = view.number("n_actions", "discrete_actions")
    if number is not None and number >= 2:
        item = view.setting("n_actions", "discrete_actions")
        return int(number), f"line {item.line}" if item is not None and item.line else "configuration"
    for group in ("greedy", "replay"):
        shares = distribution(view, group)
        if shares is not None and shares.share.shape[1] >= 2:
            return shares.share.shape[1], f"{shares.share.shape[1]} entries of the printed {group} distribution"
    return None


LONG, UNTRAINED = 20, 0.25  # rows of a log, and share of the early level, below which a first row shows no level


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Printed action shares: ``share`` has a row a print and a column an action; each row sums to one."""

    series: tuple[Series, ...]
    share: NDArray[np.float64]
    line: Ints

    @property
    def mode(self) -> Ints:
        """The most frequent action of each row."""
        return np.asarray(np.argmax(self.share, axis=1), dtype=np.int64)


def distribution(view: RunView, group: str) -> Distribution | None:
    """Return the printed distribution called ``group`` (``greedy``, ``replay``), normalised to shares, or None."""
    found = sorted(
        (int(m.group(2)), name) for name in view.names if (m := _SHARE.match(name)) and m.group(1).endswith(group)
    )
    columns = [series for _, name in found if (series := view.finite(name)) is not None]
    if len(columns) < 2:
        return None
    lines = columns[0].line
    for column in columns[1:]:
        lines = np.intersect1d(lines, column.line)
    if not lines.size:
        return None
    columns = [column.where(np.isin(column.line, lines)) for column in columns]
    share = np.stack([column.value for column in columns], axis=1)
    total = share.sum(axis=1, keepdims=True)
    return Distribution(
        tuple(columns), np.divide(share, total, out=np.zeros_like(share), where=total > 0), columns[0].line
    )


def random_base(view: RunView) -> tuple[float | None, str]:
    """Return the agreement of a random policy in percent (100 / actions) and how it is known."""
    count = action_count(view)
    if count is None:
        return None, "the number of actions is neither in the log nor given (--config), so the random base is unknown"
    return 100.0 / count[0], f"random base 100/{count[0]} = {100.0 / count[0]:.3g} %"


def agreements(view: RunView) -> list[Series]:
    """Return the agreement series of the run, the main one first."""
    names = [n for n in view.names if n == "agreement" or n.endswith("_agreement")]
    found = [s for n in sorted(names, key=lambda n: n != "agreement") if (s := view.finite(n)) is not None]
    return [_trained(started(s)) for s in found if len(s) >= 3]


def _trained(series: Series) -> Series:
    """Leave out a first row or two that was printed before any training: far below all that follows at once."""
    if len(series) < LONG:
        return series
    level = float(np.median(series.value[: max(5, len(series) // 10)]))
    untrained = int(np.argmax(series.value >= UNTRAINED * level))
    return series.where(np.arange(len(series)) >= untrained) if 0 < untrained <= 2 else series
