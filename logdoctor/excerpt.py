"""The few lines to paste into a bug report: the evidence with its surroundings, the configuration and the verdict.

All that comes from the log goes through :mod:`logdoctor.masking`; the reader is told to look it over all the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence

from logdoctor.masking import mask
from logdoctor.model import Diagnosis, Evidence, Finding, Setting, severity_rank
from logdoctor.renderers._escape import code, fence, markdown

AROUND = 2  # lines before and after the onset: enough to see the level that was left
FINDINGS = 3
LINES = 24
WIDTH = 300
SETTINGS = 24
_HEADER_ABOVE = 60  # a table header is repeated at least this often by the programs that print long tables
_READ = 4000  # characters of a line that are looked at; one line can be megabytes long

Fetch = Callable[[Iterable[int]], dict[int, str]]


def excerpt(diagnosis: Diagnosis, fetch: Fetch | None = None) -> str:
    """Return the excerpt as Markdown.

    Args:
        diagnosis: what was found.
        fetch: returns the printed text of the lines asked for (``RunLog.fetch``); without it, as for a saved report,
            only the quoted evidence is shown.
    """
    chosen = _chosen(diagnosis)
    parts = [
        f"**logdoctor: {diagnosis.verdict}.** {markdown(mask(diagnosis.headline))}",
        *_findings(chosen),
        _configuration(diagnosis),
        _lines(chosen, fetch, table=diagnosis.reading.format == "columns"),
        _footer(diagnosis),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _chosen(diagnosis: Diagnosis) -> list[Finding]:
    findings = [f for f in diagnosis.findings if not f.benign]
    alarms = [f for f in findings if f.severity != "info"] or findings
    alarms.sort(key=_order)
    return alarms[:FINDINGS]


def _order(finding: Finding) -> tuple[int, bool, float]:
    """The most severe first; among equals what follows from something else comes last, then by place."""
    line = finding.onset.line if finding.onset else math.inf
    return (-severity_rank(finding.severity), bool(finding.explained_by), line)


def _findings(chosen: Sequence[Finding]) -> list[str]:
    if not chosen:
        return []
    return ["\n".join(f"- {f.id} {markdown(f.name)} ({f.severity}): {markdown(mask(f.summary))}" for f in chosen)]


def _configuration(diagnosis: Diagnosis) -> str:
    settings = diagnosis.hyperparameters[:SETTINGS]
    if not settings:
        return "Configuration: none in the log."
    more = len(diagnosis.hyperparameters) - len(settings)
    text = ", ".join(code(mask(_setting(item))) for item in settings)
    return f"Configuration: {text}" + (f" and {more} more" if more else "")


def _setting(item: Setting) -> str:
    return f"{item.name}={item.value}"


def _lines(chosen: Sequence[Finding], fetch: Fetch | None, *, table: bool) -> str:
    evidence = [e for f in chosen for e in f.evidence]
    texts = _fetched(chosen, evidence, fetch, table=table) if fetch else {}
    for item in evidence:
        if item.text:
            texts.setdefault(item.line, item.text)
    if not texts:
        return ""
    keep = sorted(texts)
    if len(keep) > LINES:
        first = sorted(keep, key=lambda n: (_distance(n, chosen), n))[:LINES]
        keep = sorted(first)
    width = len(str(keep[-1]))
    out: list[str] = []
    for number, before in zip(keep, [None, *keep[:-1]], strict=True):
        if before is not None and number > before + 1:
            out.append(" " * width + " | ...")
        out.append(f"{number:>{width}} | {_shown(texts[number])}")
    return fence(out)


def _fetched(chosen: Sequence[Finding], evidence: Sequence[Evidence], fetch: Fetch, *, table: bool) -> dict[int, str]:
    wanted = {e.line for e in evidence}
    above: set[int] = set()
    for finding in chosen:
        if finding.onset:
            line = finding.onset.line
            wanted |= set(range(max(1, line - AROUND), line + AROUND + 1))
    if wanted and table:
        first = min(wanted)
        above = set(range(max(1, first - _HEADER_ABOVE), first)) - wanted
    texts = fetch(sorted(wanted | above))
    header = next((n for n in sorted(above, reverse=True) if _is_header(texts.get(n, ""))), None)
    return {n: text for n, text in texts.items() if n in wanted or n == header}


def _is_header(text: str) -> bool:
    """Whether a line names columns: several words, and no number standing alone."""
    words = re.split(r"[\s|,;│]+", text[:_READ].strip(" |│"))
    named = [word for word in words if re.search(r"[^\W\d]", word)]
    return len(named) >= 4 and not any(re.fullmatch(r"[-+]?[\d.,]+(e[-+]?\d+)?[%kKM]?", word) for word in words)


def _distance(line: int, chosen: Sequence[Finding]) -> int:
    return min((abs(line - f.onset.line) for f in chosen if f.onset), default=0)


def _shown(text: str) -> str:
    masked = mask(text[:_READ].rstrip("\r\n"))
    return masked if len(masked) <= WIDTH else masked[: WIDTH - 1] + "…"


def _footer(diagnosis: Diagnosis) -> str:
    from logdoctor import __version__

    reading = diagnosis.reading
    facts = (
        f"logdoctor {__version__}; read as {reading.format}, {reading.rows:,} rows, coverage {reading.coverage:.0%}."
    )
    return f"{markdown(facts)} Paths, hosts, addresses and secrets were masked by pattern: read it before you post it."
