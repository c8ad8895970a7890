"""GitHub workflow commands (annotations), and the Markdown for the step summary, both within the host's limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from logdoctor.model import Diagnosis, severity_rank
from logdoctor.renderers._ci import Entry, config_anchor, entries, fails, failures, log_anchor, message, unjudged
from logdoctor.renderers._escape_ci import github_message, github_property, unlinked
from logdoctor.renderers._record import Renderer, RenderOptions

ANNOTATIONS = 10  # of each level a step; the host drops the rest in silence
SUMMARY_BYTES = 900_000  # above 1 MiB the host refuses the whole summary

RenderText = Callable[[Sequence[Diagnosis], RenderOptions], str]


def render(diagnoses: Sequence[Diagnosis], options: RenderOptions) -> str:
    """Return one workflow command a line; the last of a level says how many more there are."""
    alarms = [e for e in entries(diagnoses) if not e.finding.benign and severity_rank(e.finding.severity) > 0]
    shown = [e for e in alarms if not _told_by_another(e, alarms)]
    lost = (*failures(options), *unjudged(diagnoses, options))
    errors = [_command("error", path, 1, "logdoctor: not judged", reason) for path, reason in lost]
    errors += [_annotation("error", e, options) for e in shown if fails(e.finding, options)]
    warnings = [_annotation("warning", e, options) for e in shown if not fails(e.finding, options)]
    lines = [*_bounded("error", errors), *_bounded("warning", warnings)]
    return "".join(line + "\n" for line in lines or [_all_well(diagnoses)])


def _all_well(diagnoses: Sequence[Diagnosis]) -> str:
    verdicts = ", ".join(dict.fromkeys(d.verdict for d in diagnoses)) or "no log"
    return f"::notice title=logdoctor::{github_message(f'{len(diagnoses)} judged: {verdicts}')}"


def _bounded(level: str, commands: list[str]) -> list[str]:
    if len(commands) <= ANNOTATIONS:
        return commands
    more = len(commands) - ANNOTATIONS + 1
    return [*commands[: ANNOTATIONS - 1], f"::{level} title=logdoctor::{more} more are in the summary"]


def _annotation(level: str, entry: Entry, options: RenderOptions) -> str:
    anchor = config_anchor(entry, options) or log_anchor(entry)
    title = f"{entry.finding.id} {entry.finding.name}" + (" (known)" if entry.finding.known else "")
    return _command(level, anchor.path, anchor.line, title, message(entry) + _followers(entry))


def _told_by_another(entry: Entry, alarms: Sequence[Entry]) -> bool:
    """Whether the finding follows from another one that is shown, and is neither worse nor newer than it."""
    own = entry.finding
    return any(
        head.finding.id in own.explained_by
        and head.diagnosis is entry.diagnosis
        and severity_rank(head.finding.severity) >= severity_rank(own.severity)
        and (own.known or not head.finding.known)
        and not head.finding.explained_by
        for head in alarms
    )


def _followers(entry: Entry) -> str:
    """Name what followed, so that one incident is one annotation."""
    head = entry.finding.id
    names = [f.name for f in entry.diagnosis.findings if head in f.explained_by and not f.benign]
    return f" What followed: {', '.join(dict.fromkeys(names))}." if names else ""


def _command(level: str, path: str, line: int, title: str, text: str) -> str:
    where = f"file={github_property(path)},line={line},title={github_property(title)}"
    return f"::{level} {where}::{github_message(unlinked(text))}"


def summary(
    diagnoses: Sequence[Diagnosis], options: RenderOptions, markdown: RenderText, budget: int = SUMMARY_BYTES
) -> str:
    """Return the Markdown for ``$GITHUB_STEP_SUMMARY``, within ``budget`` bytes of UTF-8.

    Details are dropped first, then whole reports; what was dropped is said.

    Args:
        diagnoses: what to show.
        options: as for any renderer.
        markdown: the Markdown renderer.
        budget: the host's limit, less what other steps may have written.
    """
    full = markdown(diagnoses, options)
    if _size(full) <= budget:
        return full
    plain = replace(options, verbose=0, quiet=True, figures=None)
    parts: list[str] = []
    left = budget - 200
    for diagnosis in sorted(diagnoses, key=_importance, reverse=True):
        part = markdown([diagnosis], plain)
        if _size(part) > left:
            continue
        parts.append(part)
        left -= _size(part)
    missing = len(diagnoses) - len(parts)
    dropped = f"{missing} of {len(diagnoses)} reports and the details of the others" if missing else "The details"
    return "\n".join([*parts, f"\n{dropped} were left out: the host shows at most 1 MiB.\n"])


def _importance(diagnosis: Diagnosis) -> int:
    return max((severity_rank(f.severity) for f in diagnosis.findings if not f.benign), default=-1)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


RENDERER = Renderer(id="github", title="GitHub annotations", suffixes=(".github",), render=render)
