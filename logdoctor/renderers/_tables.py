"""Figures as aligned lines of text for a fenced block: the observed values of a finding, and sparklines."""

from __future__ import annotations

import math
import re
from itertools import pairwise

from logdoctor.model import Curve, Diagnosis, Evidence, Finding
from logdoctor.renderers._figures import change, is_logarithmic, number, rounded, sparkline, steps
from logdoctor.renderers._outline import incidents, label, metric_of, unit

TABLE_ROWS = 8  # a table that is longer is not read
TABLE_METRICS = 3  # columns of figures that fit into 80 characters
CURVES = 6
NOTE = 12  # characters that a judgement keeps at least
LABEL = 18  # characters of a metric's name
IDLE = frozenset({"frozen", "no-clients"})  # reasons that concern every metric of the rows
WIDTH = 78  # a fence of this width fits a terminal of 80 columns
_PURE_CHANGE = re.compile(r"^[+\-−]?[\d.,]+ ?%$|^x [\d.,]+$|^/ [\d.,]+$")
_RANGE = re.compile(r"range \[(-?[\d.,]+?), (-?[\d.,]+)\]")
Key = tuple[int, float | None]  # line, step
Cells = dict[str, Evidence]


def evidence_rows(diagnosis: Diagnosis, finding: Finding, width: int = WIDTH) -> list[str]:
    """Return the observed values of a finding as aligned lines: place, values, change from the first, judgement.

    As many metrics are shown beside each other as fit.
    """
    shown = [e for e in finding.evidence if e.value is not None or e.note]
    names = list(dict.fromkeys(e.metric for e in shown))[:TABLE_METRICS]
    for count in range(len(names), 0, -1):
        table = _table(diagnosis, shown, names[:count])
        if count == 1 or _least(table) <= width:
            return _aligned(table, width)
    return []


def _table(diagnosis: Diagnosis, shown: list[Evidence], names: list[str]) -> list[list[str]]:
    by_line: dict[Key, Cells] = {}
    for item in shown:
        if item.metric in names:
            by_line.setdefault((item.line, item.step), {})[item.metric] = item
    keys = _thinned(sorted(by_line, key=lambda key: key[0]), by_line)
    first = _first_value([by_line[key] for key in keys], names[0])
    clock = next((e.clock for e in shown if e.metric == names[0]), None)
    word = unit(diagnosis, clock)
    title = ["" if word == "line" else word, *(label(diagnosis, n, LABEL) for n in names), "change" if first else ""]
    return [[*title, "", ""], *(_row(by_line[key], key, names, first, word) for key in keys)]


def _least(table: list[list[str]]) -> int:
    """Width of a table whose judgements are cut to their least."""
    sizes = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    sizes[-2] = min(sizes[-2], NOTE)
    return sum(sizes) + 2 * (len(sizes) - 1)


def _thinned(keys: list[Key], by_line: dict[Key, Cells]) -> list[Key]:
    """Keep the first, the last and the rows that carry a judgement; fill up evenly with the others."""
    if len(keys) <= TABLE_ROWS:
        return keys
    noted = [k for k in keys if any(not _PURE_CHANGE.match(e.note) for e in by_line[k].values() if e.note)]
    kept = {keys[0], keys[-1], *_even(noted, TABLE_ROWS - 2)}
    kept |= set(_even([k for k in keys if k not in kept], TABLE_ROWS - len(kept)))
    return [k for k in keys if k in kept]


def _even(keys: list[Key], count: int) -> list[Key]:
    if count <= 0 or len(keys) <= count:
        return keys if count > 0 else []
    return [keys[round(i * (len(keys) - 1) / max(1, count - 1))] for i in range(count)]


def _numeric(item: Evidence | None) -> float | None:
    if item is None or isinstance(item.value, (bool, str)) or item.value is None:
        return None
    return float(item.value)


def _first_value(rows: list[Cells], name: str) -> float:
    """Return the value that changes are counted from, or 0 where a change has no sense."""
    values = [v for cells in rows if (v := _numeric(cells.get(name))) is not None]
    return values[0] if values and any(change(values[0], v) for v in values) else 0.0


def _row(cells: Cells, key: Key, names: list[str], first: float, word: str) -> list[str]:
    line, step = key
    main = _numeric(cells.get(names[0]))
    moved = change(first, main) if first and main is not None else ""
    notes = [part.strip() for e in cells.values() for part in _other_end(e).split(", ")]
    note = ", ".join(dict.fromkeys(part for part in notes if part and not _PURE_CHANGE.match(part)))
    if "times" in note:  # the rule counted from its own level, which is not always the first row
        moved = ""
    values = [number(cells[n].value) if n in cells else "" for n in names]
    return ["" if word == "line" else steps(step, exact=True), *values, moved, note, f"line {line}"]


def _other_end(item: Evidence) -> str:
    """Return the judgement; of a printed range whose one end is the value shown only the other end is told."""
    match, value = _RANGE.search(item.note), _numeric(item)
    if match is None or value is None:
        return item.note
    low, high = (end.strip() for end in match.groups())
    shown = number(value)
    other = f"min {low}" if shown == high else f"max {high}" if shown == low else match[0]
    return item.note[: match.start()] + other + item.note[match.end() :]


def _aligned(table: list[list[str]], width: int) -> list[str]:
    keep = [i for i in range(len(table[0])) if any(row[i] for row in table)]
    table = [[row[i] for i in keep] for row in table]
    sizes = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    note = len(sizes) - 2  # the judgement is the one column that is text, and the one that gives way
    over = sum(sizes) + 2 * (len(sizes) - 1) - width
    if over > 0:
        sizes[note] = max(NOTE, sizes[note] - over)
    out = []
    for row in table:
        cells = [
            _cut(cell, sizes[i]).ljust(sizes[i]) if i in {note, len(sizes) - 1} else cell.rjust(sizes[i])
            for i, cell in enumerate(row)
        ]
        out.append("  ".join(cells).rstrip())
    return out


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1].rstrip() + "…"


def curve_rows(diagnosis: Diagnosis, width: int = WIDTH) -> list[str]:
    """Return a sparkline for each series that matters, with its first and last value, over one mark of the onset."""
    chosen = chosen_curves(diagnosis)
    if not chosen:
        return []
    names = [label(diagnosis, curve.metric, LABEL) for curve in chosen]
    left = max(map(len, names))
    size = max(8, min(40, width - left - 24))
    out = []
    for name, curve in zip(names, chosen, strict=True):
        first, last = _ends(diagnosis, curve)
        text = f"{name:<{left}}  {sparkline(curve, size):<{size}}  {rounded(first)} → {rounded(last)}"
        note = " (log)" if is_logarithmic(curve.value) and len(text) + 6 <= width else ""
        out.append(_cut(text + note, width))
    mark = _onset_mark(diagnosis, chosen[0], size)
    return [*out, " " * (left + 2) + mark] if mark else out


def _ends(diagnosis: Diagnosis, curve: Curve) -> tuple[float, float]:
    """Return the first and the last printed value that the curve covers; a thinned curve holds extremes instead."""
    first, last = curve.value[0], curve.value[-1]
    metric = metric_of(diagnosis, curve.metric)
    whole = next((c for c in diagnosis.curves if c.metric == curve.metric), curve)
    if metric is None or diagnosis.story.lines is None:
        return first, last
    if metric.first is not None and metric.first_line is not None and whole.line[0] == curve.line[0]:
        first = metric.first
    if metric.last is not None and metric.last_line is not None and whole.line[-1] == curve.line[-1]:
        last = metric.last
    return first, last


def chosen_curves(diagnosis: Diagnosis) -> list[Curve]:
    """Return the curves that matter, the performance first, without rows that were not judged."""
    names: list[str] = [diagnosis.performance] if diagnosis.performance else []
    told = incidents(diagnosis)
    names += [metric for item in told for metric in item.root.metrics[:2]]
    names += [metric for item in told for finding in item.derived for metric in finding.metrics[:1]]
    if not told:
        names += ["val_loss", "loss", *(item.metric for item in diagnosis.healthy)]
    by_name = {curve.metric: curve for curve in diagnosis.curves}
    shown = [_judged(diagnosis, by_name[name]) for name in dict.fromkeys(names) if name in by_name]
    return [curve for curve in shown if curve.value][:CURVES]


def _judged(diagnosis: Diagnosis, curve: Curve) -> Curve:
    """Keep the points of the run that was judged: a start-up average of zero would squash the rest of the curve."""
    lines = diagnosis.story.lines or (0, math.inf)
    hidden = [
        (masked.first_line, masked.last_line)
        for masked in diagnosis.reading.masked
        if masked.rows <= masked.last_line - masked.first_line + 1
        and "scattered" not in masked.text
        and (masked.reason in IDLE or re.split(r"[: ]", masked.text)[0] == curve.metric)
    ]
    keep = [
        i
        for i, line in enumerate(curve.line)
        if lines[0] <= line <= lines[1] and not any(first <= line <= last for first, last in hidden)
    ]
    if len(keep) == len(curve.line):
        return curve
    return Curve(
        metric=curve.metric, clock=curve.clock, step=tuple(curve.step[i] for i in keep),
        value=tuple(curve.value[i] for i in keep), line=tuple(curve.line[i] for i in keep),
    )  # fmt: skip


def _onset_mark(diagnosis: Diagnosis, curve: Curve, size: int) -> str:
    told = incidents(diagnosis)
    onset = told[0].root.onset if told else None
    if onset is None or onset.step is None or onset.clock != curve.clock or len(curve.step) <= size:
        return ""
    first, last = curve.step[0], curve.step[-1]
    if not first <= onset.step <= last or last <= first or any(a > b for a, b in pairwise(curve.step)):
        return ""
    column = min(int((onset.step - first) / (last - first) * size), size - 1)
    return " " * column + f"▲ {unit(diagnosis, onset.clock)} {steps(onset.step)}"
