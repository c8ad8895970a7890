"""JSON lines: one object a run, sorted by path."""

from __future__ import annotations

import json

from logdoctor.overviews._record import Overview
from logdoctor.renderers._record import RenderOptions
from logdoctor.sweeping import Sweep


def render(sweep: Sweep, options: RenderOptions) -> str:
    """Return one line a run; pandas and DuckDB read it as it is."""
    del options
    return "".join(json.dumps(row.to_dict(), allow_nan=False, ensure_ascii=False) + "\n" for row in sweep.rows)


OVERVIEW = Overview(id="json", title="JSON lines, one a run", suffixes=(".jsonl", ".ndjson", ".json"), render=render)
