"""What else in the log shows that the run learns: a column that stands still beside it is not filled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logdoctor.model import Series
from logdoctor.rules._course import improves

if TYPE_CHECKING:
    from logdoctor.view import RunView

# Results of learning. Running means (``_avg``) are left out: they go on falling over zeros.
RESULTS = re.compile(r"(loss|error|perplexity|accuracy|quality|return|reward|success_rate)$")


def improving(view: RunView, series: Series, first: int) -> list[Series]:
    """Return the other results that clearly improve from point ``first`` of ``series`` on."""
    line, found = int(series.line[first]), []
    for name in view.names:
        other = view.finite(name) if name != series.name and RESULTS.search(name) else None
        if other is None or other.goal == "none":
            continue
        late = other.where(other.line >= line)
        if improves(late, other.goal):
            found.append(late)
    return found
