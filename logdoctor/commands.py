"""What the smaller commands do beyond their one library call: print, and turn the result into an exit code."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from logdoctor import manual, outputs
from logdoctor.checking import check, exit_code
from logdoctor.comparison import compare
from logdoctor.errors import UsageError
from logdoctor.gate import NOT_JUDGED, OK
from logdoctor.renderers import _checked, _comparison
from logdoctor.renderers.json_report import dump
from logdoctor.reporting import Request, report, show

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
    return shlex.quote(str(path))
