"""One HTML page: sortable table of runs with small curves, settings that separate, groups. Works without script."""

from __future__ import annotations

import math
from collections.abc import Sequence

from logdoctor.fleet.row import Row
from logdoctor.overviews import _words
from logdoctor.overviews._record import Overview
from logdoctor.renderers._escape import html as esc
from logdoctor.renderers._page import asset, page
from logdoctor.renderers._record import RenderOptions
from logdoctor.renderers._scales import scale_for
from logdoctor.sweeping import Sweep

W, H = 120, 26


def render(sweep: Sweep, options: RenderOptions) -> str:
    """Return the page."""
    del options
    body = [f"<header><h1>{esc(_words.headline(sweep))}</h1></header>", _effects(sweep), _groups(sweep), _table(sweep)]
    return page(_words.headline(sweep), "".join(body), asset("page.css"), asset("table.js"))


def _effects(sweep: Sweep) -> str:
    items = "".join(
        f"<li>{esc(_words.effect_sentence(e))} {esc(_words.region_sentence(e))}"
        f"<div class='wide'><table><tr><th>{esc(e.setting)}</th><th class='n'>failed</th><th class='n'>runs</th></tr>"
        + "".join(
            f"<tr><td>{esc(v.label)}</td><td class='n'>{v.failed}</td><td class='n'>{v.runs}</td></tr>"
            for v in e.levels
        )
        + "</table></div></li>"
        for e in sweep.separation.effects
    )
    tried = f"<p class='soft small'>{esc(_words.tried_sentence(sweep.separation))}</p>"
    return f"<h2>Which setting separates failed from healthy</h2>{'<ul>' + items + '</ul>' if items else ''}{tried}"


def _groups(sweep: Sweep) -> str:
    names = _words.short_paths(sweep.rows)
    items = "".join(
        f"<li><strong>{esc(', '.join(g.signature) or 'no cause found')}</strong> ({len(g.paths)}): "
        f"<span class='soft small'>{esc(', '.join(names[p] for p in g.paths[:8]))}</span></li>"
        for g in sweep.groups
    )
    outliers = "".join(
        f"<li>{esc(names[o.path])} ends at {esc(o.metric)} {_words.figure(o.final)}, its {o.siblings} siblings at "
        f"{_words.figure(o.median)} (z = {o.z:+.1f})</li>"
        for o in sweep.outliers[:40]
    )
    out = f"<h2>Failed in the same way</h2><ul>{items}</ul>" if items else ""
    return out + (f"<h2>Unlike their siblings</h2><ul>{outliers}</ul>" if outliers else "")


def _table(sweep: Sweep) -> str:
    names = _words.short_paths(sweep.rows)
    head = "".join(
        f"<th{' class=n' if right else ''}>{name}</th>"
        for name, right in (
            ("run", False), ("verdict", False), ("since", True), ("metric", False), ("best", True), ("last", True),
            ("curve", False), ("first cause", False),
        )
    )  # fmt: skip
    rows = "".join(_row(row, names[row.path]) for row in _words.by_urgency(sweep.rows))
    return (
        "<h2>Runs</h2><p class='soft small hint'>A click on a heading sorts.</p><div class='wide'>"
        f"<table class='sortable'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(row: Row, name: str) -> str:
    verdict = row.verdict or "not read"
    rank = _words.ORDER.get(verdict, 3)
    return (
        f"<tr><td>{esc(name)}</td><td data-v='{rank}' class='{verdict if row.verdict else 'info'}'>{verdict}</td>"
        f"<td class='n' data-v='{_key(row.onset_step)}'>{esc(_words.onset(row))}</td><td>{esc(row.metric or '')}</td>"
        f"<td class='n' data-v='{_key(row.best)}'>{_words.figure(row.best)}</td>"
        f"<td class='n' data-v='{_key(row.final)}'>{_words.figure(row.final)}</td>"
        f"<td>{_spark(row.spark)}</td><td>{esc(_words.cause(row))}</td></tr>"
    )


def _key(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.12g}"


def _spark(values: Sequence[float]) -> str:
    finite = [v for v in values if math.isfinite(v)]
    if len(finite) < 2:
        return ""
    scale = scale_for(finite)
    step = (W - 4) / max(len(values) - 1, 1)
    points = " ".join(
        f"{2 + i * step:.1f},{2 + (1 - min(max(scale(v), 0), 1)) * (H - 4):.1f}"
        for i, v in enumerate(values)
        if math.isfinite(v)
    )
    label = f"from {_words.figure(finite[0])} to {_words.figure(finite[-1])}"
    return (
        f"<svg viewBox='0 0 {W} {H}' width='{W}' height='{H}' role='img'><title>{label}</title>"
        f"<polyline class='curve' points='{points}' fill='none' stroke='#1565c0' stroke-width='1.4'/></svg>"
    )


OVERVIEW = Overview(id="html", title="One HTML page", suffixes=(".html", ".htm"), render=render)
