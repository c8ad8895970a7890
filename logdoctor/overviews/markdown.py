"""Markdown: what is sick, with what, and which setting separates it from the healthy."""

from __future__ import annotations

from logdoctor.overviews import _words
from logdoctor.overviews._record import Overview
from logdoctor.renderers._escape import code
from logdoctor.renderers._escape import markdown as esc
from logdoctor.renderers._record import RenderOptions
from logdoctor.sweeping import Sweep

MAX_ROWS = 200  # a table of more rows is for the JSON lines or the HTML page


def render(sweep: Sweep, options: RenderOptions) -> str:
    """Return the overview."""
    parts = [f"# {_words.headline(sweep)}\n"]
    parts += _separating(sweep)
    parts += _stop(sweep)
    parts += _groups(sweep)
    parts += _outliers(sweep)
    parts += _table(sweep, 10**9 if options.verbose else MAX_ROWS)
    return "\n".join(parts).rstrip() + "\n"


def _separating(sweep: Sweep) -> list[str]:
    lines = ["## Which setting separates failed from healthy", ""]
    for effect in sweep.separation.effects:
        lines.append(f"- {esc(_words.effect_sentence(effect))}")
        region = _words.region_sentence(effect)
        lines += [f"  {esc(region[:1].upper() + region[1:])}"] if region else []
    return [*lines, "", esc(_words.tried_sentence(sweep.separation)), ""]


def _stop(sweep: Sweep) -> list[str]:
    names = _words.short_paths(sweep.rows)
    if not sweep.to_stop:
        return []
    lines = ["## Stop now, if they still run", ""]
    lines += [f"- {code(names[row.path], table=True)}: {esc(row.headline)}" for row in sweep.to_stop[:20]]
    more = len(sweep.to_stop) - 20
    return [*lines, *([f"- and {more} more"] if more > 0 else []), ""]


def _groups(sweep: Sweep) -> list[str]:
    if not sweep.groups:
        return []
    names = _words.short_paths(sweep.rows)
    lines = ["## Failed in the same way", ""]
    for group in sweep.groups:
        shown = ", ".join(f"{code(names[p], table=True)}" for p in group.paths[:6])
        more = f" and {len(group.paths) - 6} more" if len(group.paths) > 6 else ""
        lines.append(f"- **{esc(', '.join(group.signature) or 'no cause found')}** ({len(group.paths)}): {shown}{more}")
    return [*lines, ""]


def _outliers(sweep: Sweep) -> list[str]:
    if not sweep.outliers:
        return []
    names = _words.short_paths(sweep.rows)
    lines = ["## Unlike their siblings", ""]
    lines += [
        f"- {code(names[o.path], table=True)} ends at {esc(o.metric)} {_words.figure(o.final)}; the median of its "
        f"{o.siblings} siblings is {_words.figure(o.median)} (spread {_words.figure(o.spread)}, z = {o.z:+.1f}): "
        f"{'better' if o.better else 'worse'}."
        for o in sweep.outliers[:20]
    ]
    return [*lines, ""]


def _table(sweep: Sweep, limit: int) -> list[str]:
    names = _words.short_paths(sweep.rows)
    rows = _words.by_urgency(sweep.rows)
    lines = [
        "## Runs",
        "",
        "| run | verdict | since | metric | best | last | curve | first cause |",
        "|---|---|---|---|---:|---:|---|---|",
    ]
    lines += [
        f"| {code(names[row.path], table=True)} | {row.verdict or 'not read'} | {_words.onset(row)} "
        f"| {esc(row.metric or '')} | {_words.figure(row.best)} | {_words.figure(row.final)} "
        f"| {_words.spark(row)} | {esc(_words.cause(row))} |"
        for row in rows[:limit]
    ]
    more = len(rows) - limit
    return [*lines, *([f"\n{more} more rows: use `-f json`, `-f html` or `-v`."] if more > 0 else [])]


OVERVIEW = Overview(id="markdown", title="Markdown", suffixes=(".md", ".markdown"), render=render)
