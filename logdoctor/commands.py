"""What the smaller commands do beyond their one library call: print, and turn the result into an exit code."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logdoctor import discovery, manual, outputs
from logdoctor.checking import check, exit_code
from logdoctor.comparison import compare
from logdoctor.engine import render
from logdoctor.errors import UsageError
from logdoctor.gate import NOT_JUDGED, OK
from logdoctor.renderers import _checked, _comparison
from logdoctor.renderers.json_report import dump
from logdoctor.reporting import Request, report, show

if TYPE_CHECKING:
    from logdoctor.watching import Watch
    from logdoctor.watching.happening import Happening

_FAILING = {"critical": ("worse", "other fault"), "warning": ("worse", "other fault", "same"), "never": ()}


def run_compare(
    before: str, after: str, request: Request, *, configs: Sequence[Path | None], fail_on: str | None
) -> int:
    """Compare two runs and print it.

    Returns:
        0; with ``fail_on`` 1 when the later run is worse or has another fault (``warning``: also when it is the same).
    """
    result = compare(
        before, after, config_before=configs[0], config_after=configs[1], baseline=request.baseline,
        settings=request.settings,
    )  # fmt: skip
    show(result, _comparison.blocks(result), request)
    return int(result.outcome in _FAILING[fail_on or "never"])


def run_check(log: str, against: Sequence[Path], request: Request, *, strict: bool) -> int:
    """Judge a run against the last report and print it; see :func:`logdoctor.checking.exit_code`."""
    result = check(log, against, config=request.config, settings=request.settings)
    show(result, _checked.blocks(result), request)
    return exit_code(result, strict=strict, allow_empty=request.settings.allow_empty)


def print_page(name: str) -> None:
    """Print the manual page of a rule, a cause or a format: formatted on a terminal, as Markdown elsewhere."""
    text = manual.explain(name)
    if not outputs.is_terminal(sys.stdout):
        outputs.say(text, sys.stdout)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(width=min(100, outputs.width_of(sys.stdout)))
    console.print(Markdown(text))


def print_list(kind: str, format: str) -> None:
    """Print the list of ``rules``, ``causes`` or ``formats`` as text or JSON.

    Raises:
        UsageError: the format is neither ``text`` nor ``json``.
    """
    if format not in ("text", "json"):
        raise UsageError(f"--format must be text or json, not {format!r}")
    text = manual.listing(kind) if format == "text" else dump(manual.table(kind), indent=2) + "\n"
    outputs.say(text, sys.stdout)


def run_export(log: str, request: Request) -> int:
    """Write the dataframe of a log; see :mod:`logdoctor.exporting`."""
    from logdoctor.exporting import FORMATS, text_chunks, write_parquet
    from logdoctor.reader import read_log

    targets = outputs.plan(request.format, request.output, default="csv", known=FORMATS)
    if any(target.format == "parquet" and target.file == outputs.STDOUT for target in targets):
        raise UsageError("Parquet is not text: name a file with --output")
    frame = read_log(log, settings=request.settings).frame
    if frame.empty:
        outputs.talk(f"logdoctor: no metric was read from {log}")
        return OK if request.settings.allow_empty else NOT_JUDGED
    for target in targets:
        if target.format == "parquet":
            write_parquet(frame, target.file)
        else:
            outputs.write_chunks(text_chunks(frame, target.format), target)
    return OK


def run_demo(name: str | None, request: Request) -> int:
    """Analyse a sample log and say what to try next; without fail the exit code is 0."""
    from logdoctor.demo import DEFAULT, sample, samples

    path, config, title = sample(name or DEFAULT)
    quiet = replace(request, config=config or request.config, settings=replace(request.settings, fail_on="never"))
    outputs.talk(f"logdoctor: a sample log that comes with the program: {title}")
    code = report([str(path)], quiet)
    others = ", ".join(item for item in samples() if item != path.stem)
    given = f" --config {_quoted(config)}" if config else ""
    outputs.talk(
        f"\nTry next:\n"
        f"  logdoctor analyze {_quoted(path)}{given} -o report.html -o report.json\n"
        f"  logdoctor check your-next-run.log --against report.json\n"
        f"  logdoctor demo NAME    ({others})"
    )
    return code


def _quoted(path: Path) -> str:
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def run_watch(
    logs: Sequence[str], request: Request, *, until: str | None, on_change: str | None, options: Mapping[str, Any]
) -> int:
    """Follow logs and print what happens; see :class:`logdoctor.watching.Watch`.

    Raises:
        UsageError: ``until``, the format or the command is wrong.
    """
    from logdoctor.watching import Watch, watch
    from logdoctor.watching.alerts import Command, Notifier

    if until not in (None, "warning", "critical"):
        raise UsageError(f"--until must be warning or critical, not {until!r}")
    if request.format not in (None, "text", "json"):
        raise UsageError(f"watch prints text or json, not {request.format!r}")
    tell: list[Callable[[Happening], None]] = [_printer(request, several=len(logs) > 1)]
    if on_change:
        tell.append(Command(on_change, outputs.talk))
    if request.settings.notify:
        tell.append(Notifier(request.settings.notify, outputs.talk))
    watched = Watch(_followed(logs), settings=request.settings, until=until, config=request.config, **options)
    if request.output:
        tell.append(_reporter(watched, request))
    return watch(watched, tell)


def _followed(logs: Sequence[str]) -> list[str]:
    """Expand directories and patterns; a plain path may not exist yet."""
    found: list[str] = []
    for log in logs:
        pattern = not Path(log).exists() and any(c in log for c in "*?[")
        found += discovery.expand([log]) if pattern or Path(log).is_dir() else [log]
    return list(dict.fromkeys(found))


def _printer(request: Request, *, several: bool) -> Callable[[Happening], None]:
    color = outputs.wants_color(request.color, sys.stdout)
    ascii_only = not outputs.carries_unicode(sys.stdout)

    def show_event(event: Happening) -> None:
        if request.format == "json":
            text = event.to_json(ascii_only=ascii_only)
        elif request.quiet and event.kind in ("heartbeat", "waiting", "appeared"):
            return
        else:
            text = event.to_line(color=color, name=event.path if several else "")
        if not outputs.say(text + "\n", sys.stdout):
            raise KeyboardInterrupt  # nobody reads any more: end as if told to

    return show_event


def _reporter(watched: Watch, request: Request) -> Callable[[Happening], None]:
    """Write the report anew whenever the verdict changes, and at the end."""
    targets = outputs.plan(None, request.output, default="markdown")

    def write_report(event: Happening) -> None:
        if event.kind not in ("started", "verdict", "recovered", "ended") or not watched.diagnoses:
            return
        for target in targets:
            options = outputs.options_for(target, request.render_options(lines=len(watched.watchers) > 1))
            outputs.write(render(watched.diagnoses, target.format, options), target)

    return write_report
