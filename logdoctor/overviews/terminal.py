"""Terminal: one line a run, worst first, within the width of the screen."""

from __future__ import annotations

import textwrap

from logdoctor.overviews import _words
from logdoctor.overviews._record import Overview
from logdoctor.renderers._escape import terminal as esc
from logdoctor.renderers._record import RenderOptions
from logdoctor.sweeping import Sweep

COLORS = {"critical": "31;1", "warning": "33", "healthy": "32", "inconclusive": "2"}
MAX_ROWS = 100


def render(sweep: Sweep, options: RenderOptions) -> str:
    """Return the overview; colours only where the options allow them."""
    width = max(options.width, 40)
    lines = [_words.headline(sweep), ""]
    for effect in sweep.separation.effects:
        lines += _wrapped(f"* {_words.effect_sentence(effect)} {_words.region_sentence(effect)}", width)
    lines += [*_wrapped(_words.tried_sentence(sweep.separation), width), ""]
    for group in sweep.groups[:10]:
        lines += _wrapped(f"{len(group.paths):>4} failed with {', '.join(group.signature) or 'no cause found'}", width)
    lines += [""] if sweep.groups else []
    lines += _runs(sweep, width, options)
    stop = len(sweep.to_stop)
    lines += ["", f"{stop} run{'s' if stop != 1 else ''} to stop now, if still running."] if stop else []
    return "\n".join(lines) + "\n"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(esc(text), width, subsequent_indent="  ")


def _runs(sweep: Sweep, width: int, options: RenderOptions) -> list[str]:
    names = _words.short_paths(sweep.rows)
    rows = _words.by_urgency(sweep.rows)
    limit = len(rows) if options.verbose else MAX_ROWS
    room = max(12, min(max((len(n) for n in names.values()), default=12), width // 3))
    lines = []
    for row in rows[:limit]:
        verdict = row.verdict or "not read"
        name = esc(names[row.path])
        name = name if len(name) <= room else "…" + name[-(room - 1) :]
        rest = f"{_words.spark(row, 10):<10} {_words.figure(row.final):>8}  {_words.cause(row)}"
        head = f"{name:<{room}} {verdict:<12} "
        line = (head + esc(rest))[:width]
        if options.color and verdict in COLORS:
            line = line.replace(verdict, f"\x1b[{COLORS[verdict]}m{verdict}\x1b[0m", 1)
        lines.append(line.rstrip())
    more = len(rows) - limit
    return [*lines, *([f"... {more} more; -v shows all"] if more > 0 else [])]


OVERVIEW = Overview(id="terminal", title="Terminal", suffixes=(), render=render)
