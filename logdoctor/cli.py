"""The command line: it names the options and calls one function; everything it does, the library can do.

Nothing here imports numpy, pandas or scipy, so that ``--help`` is instant.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from logdoctor import __version__
from logdoctor.errors import LogDoctorError

app = typer.Typer(
    name="logdoctor",
    help="Reads a training log and says what went wrong, when, why, and what to change.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 judged and passed, 1 a finding at or above --fail-on, 2 usage or input error, "
    "3 nothing could be judged.",
)

Logs = Annotated[list[str], typer.Argument(help="Log file, glob, directory, compressed file or - for standard input.")]
Log = Annotated[str, typer.Argument(help="Log file, or - for standard input.")]
Format = Annotated[
    str | None,
    typer.Option(
        "-f", "--format", help="markdown, terminal, json, html, sarif, junit, github or gitlab. A terminal gets "
        "the rich view, a pipe markdown.",
    ),
]  # fmt: skip
OverviewFormat = Annotated[
    str | None,
    typer.Option(
        "-f", "--format", help="markdown, terminal, json (one line a run) or html; -o FILE.parquet writes a table."
    ),
]
Output = Annotated[
    list[Path] | None, typer.Option("-o", "--output", help="Write here; the suffix implies the format. Repeatable.")
]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="Hyperparameters of the run: YAML, JSON, TOML or Python, read, never executed."),
]
Source = Annotated[Path | None, typer.Option("--source", help="Training code to look at, read only.")]
Baseline = Annotated[
    list[Path] | None,
    typer.Option("--baseline", help="Sibling logs, a directory of them, or a saved report. Repeatable."),
]
Known = Annotated[
    list[Path] | None,
    typer.Option("--known", help="A saved JSON report: its findings are shown but do not fail the gate. Repeatable."),
]
Select = Annotated[
    list[str] | None, typer.Option("--select", help="Rules to use: ids, id prefixes, names or tags, comma-separated.")
]
Ignore = Annotated[list[str] | None, typer.Option("--ignore", help="Rules to leave out, in the same words.")]
FailOn = Annotated[
    str | None, typer.Option("--fail-on", help="critical, warning or never: what makes the exit code 1.")
]
SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", help="Settings of the tool; else logdoctor.toml, else [tool.logdoctor]."),
]
Parser = Annotated[str | None, typer.Option("--parser", help="Use this parser (see 'formats') instead of the best.")]
Rename = Annotated[
    list[str] | None,
    typer.Option("--name", help="PRINTED=NAME: what a printed metric is, e.g. 'my score=episode_return'. Repeatable."),
]
Figures = Annotated[Path | None, typer.Option("--figures", help="Write curves as SVG into this directory.")]
Mermaid = Annotated[bool, typer.Option("--mermaid", help="Put up to three Mermaid charts into a Markdown report.")]
Excerpt = Annotated[
    bool, typer.Option("--excerpt", help="Print the few lines that carry the evidence, private details masked.")
]
Color = Annotated[str, typer.Option("--color", help="auto, always or never.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only the verdict and the findings.")]
Verbose = Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more; repeatable.")]
AllowEmpty = Annotated[bool, typer.Option("--allow-empty", help="End with 0 when nothing could be judged.")]
MinimumCoverage = Annotated[
    float | None,
    typer.Option("--minimum-coverage", help="Share of metric lines that must be read (0 to 1); below it exit code 3."),
]

Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes to use (default: one a core).")]
Engine = Annotated[str, typer.Option("--engine", help="pool (processes of this machine) or dask.")]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", help="Address of a Dask scheduler (tcp://...); else Dask starts here.")
]
Resume = Annotated[
    Path | None, typer.Option("--resume", help="File of finished runs: a run unchanged since is not read again.")
]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"logdoctor {__version__}")
        raise typer.Exit(0)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Reads a training log and says what went wrong, when, why, and what to change."""


@app.command()
def analyze(
    logs: Logs, format: Format = None, output: Output = None, config: Config = None,
    source: Source = None, baseline: Baseline = None, known: Known = None, select: Select = None,
    ignore: Ignore = None, fail_on: FailOn = None, settings: SettingsFile = None, parser: Parser = None,
    rename: Rename = None, figures: Figures = None, mermaid: Mermaid = False, excerpt: Excerpt = False,
    color: Color = "auto", quiet: Quiet = False, verbose: Verbose = 0, allow_empty: AllowEmpty = False,
    minimum_coverage: MinimumCoverage = None,
) -> None:  # fmt: skip
    """Read logs, diagnose them and write the report."""
    from logdoctor.reporting import report

    raise typer.Exit(report(logs, _request(locals())))


@app.command()
def sweep(
    paths: Logs, format: OverviewFormat = None, output: Output = None, select: Select = None, ignore: Ignore = None,
    fail_on: FailOn = None, settings: SettingsFile = None, parser: Parser = None, color: Color = "auto",
    quiet: Quiet = False, verbose: Verbose = 0, workers: Workers = None, engine: Engine = "pool",
    scheduler: Scheduler = None, resume: Resume = None,
) -> None:  # fmt: skip
    """Diagnose many runs and compare them.

    A table, shared failures, and the settings that separate the failed from the healthy.
    """
    from logdoctor.sweep_reporting import report_sweep

    where: dict[str, Any] = {"workers": workers, "engine": engine, "scheduler": scheduler, "resume": resume}
    raise typer.Exit(report_sweep(paths, _request(locals()), fail_on=fail_on or "never", **where))


@app.command()
def compare(
    before: Annotated[str, typer.Argument(help="Log or saved JSON report of the run before the change.")],
    after: Annotated[str, typer.Argument(help="Log or saved JSON report of the run after it.")],
    format: Format = None, output: Output = None, baseline: Baseline = None,
    config_before: Annotated[Path | None, typer.Option(help="Hyperparameters of the run before.")] = None,
    config_after: Annotated[Path | None, typer.Option(help="Hyperparameters of the run after.")] = None,
    select: Select = None, ignore: Ignore = None, fail_on: FailOn = None, settings: SettingsFile = None,
    parser: Parser = None, rename: Rename = None, color: Color = "auto", quiet: Quiet = False, verbose: Verbose = 0,
) -> None:  # fmt: skip
    """Compare a run before and after a change.

    What went, stayed and came, figures at the same step, and which difference explains the outcome.
    """
    from logdoctor.commands import run_compare

    configs = (config_before, config_after)
    raise typer.Exit(run_compare(before, after, _request(locals()), configs=configs, fail_on=fail_on))


@app.command()
def check(
    log: Log,
    against: Annotated[
        list[Path], typer.Option("--against", help="The last report (JSON) or expectations (TOML). Repeatable.")
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Fail on 'not yet' and 'cannot tell' too.")] = False,
    format: Format = None, output: Output = None, config: Config = None, select: Select = None,
    ignore: Ignore = None, settings: SettingsFile = None, parser: Parser = None, rename: Rename = None,
    color: Color = "auto", quiet: Quiet = False, verbose: Verbose = 0, allow_empty: AllowEmpty = False,
) -> None:  # fmt: skip
    """Judge the next run by the last report.

    Its watch list, and that its alarms stay away: met, not met, not yet or cannot tell, each with its figure.
    """
    from logdoctor.commands import run_check

    raise typer.Exit(run_check(log, against, _request(locals()), strict=strict))


@app.command()
def watch(
    logs: Logs,
    until: Annotated[str | None, typer.Option(help="warning or critical: end with 1 when it is reached.")] = None,
    on_change: Annotated[
        str | None, typer.Option(help="Run this when the verdict changes; JSON on its standard input.")
    ] = None,
    interval: Annotated[float, typer.Option(help="Seconds between looks.", min=0.05)] = 2.0,
    heartbeat: Annotated[float, typer.Option(help="Seconds between signs of life; 0: none.", min=0)] = 600.0,
    silent_for: Annotated[
        float | None, typer.Option(help="Tell when no line came for so many seconds; 0: never.", min=0)
    ] = None,
    state: Annotated[Path | None, typer.Option(help="Keep the verdicts here, for the next watch.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    format: Annotated[str | None, typer.Option("-f", "--format", help="text or json (JSON lines).")] = None,
    output: Output = None, config: Config = None, select: Select = None, ignore: Ignore = None, fail_on: FailOn = None,
    settings: SettingsFile = None, parser: Parser = None, rename: Rename = None, color: Color = "auto",
    quiet: Quiet = False, allow_empty: AllowEmpty = False,
) -> None:  # fmt: skip
    """Follow growing logs and tell what changes.

    Files that may not exist yet, or a pipe. It speaks when the verdict changes and says what triggered it.
    """
    from logdoctor.commands import run_watch

    options: dict[str, Any] = {"interval": interval, "heartbeat": heartbeat, "silent_for": silent_for}
    options |= {"state": state, "once": once}
    raise typer.Exit(run_watch(logs, _request(locals()), until=until, on_change=on_change, options=options))


@app.command()
def render(
    reports: Annotated[list[Path], typer.Argument(help="Saved JSON reports.")],
    format: Format = None, output: Output = None, known: Known = None, fail_on: FailOn = None,
    settings: SettingsFile = None, config: Config = None, figures: Figures = None, mermaid: Mermaid = False,
    excerpt: Excerpt = False, color: Color = "auto", quiet: Quiet = False, verbose: Verbose = 0,
    allow_empty: AllowEmpty = False,
) -> None:  # fmt: skip
    """Show a saved report in another format; the JSON is lossless."""
    from logdoctor.reporting import saved

    raise typer.Exit(saved(reports, _request(locals())))


@app.command()
def export(
    log: Log,
    format: Annotated[str | None, typer.Option("-f", "--format", help="csv, jsonl or parquet.")] = None,
    output: Output = None, settings: SettingsFile = None, parser: Parser = None,
    rename: Rename = None, allow_empty: AllowEmpty = False,
) -> None:  # fmt: skip
    """Write what was read as a table.

    CSV, JSON lines or Parquet.
    """
    from logdoctor.commands import run_export

    raise typer.Exit(run_export(log, _request(locals())))


@app.command()
def demo(
    name: Annotated[str | None, typer.Argument(help="Which sample; a failing one when left out.")] = None,
    format: Format = None, output: Output = None, color: Color = "auto", quiet: Quiet = False, verbose: Verbose = 0,
) -> None:  # fmt: skip
    """Analyse a sample log; no data needed.

    The samples come with the program. It ends with the next command to try.
    """
    from logdoctor.commands import run_demo

    raise typer.Exit(run_demo(name, _request(locals())))


@app.command()
def explain(name: Annotated[str, typer.Argument(help="A rule's id or name, a cause or a format.")]) -> None:
    """Print the manual page of a rule, a cause or a format."""
    from logdoctor.commands import print_page

    print_page(name)


ListFormat = Annotated[str, typer.Option("-f", "--format", help="text or json.")]


@app.command()
def rules(format: ListFormat = "text") -> None:
    """List the rules: what logdoctor looks for."""
    from logdoctor.commands import print_list

    print_list("rules", format)


@app.command()
def causes(format: ListFormat = "text") -> None:
    """List the causes that findings are traced back to."""
    from logdoctor.commands import print_list

    print_list("causes", format)


@app.command()
def formats(format: ListFormat = "text") -> None:
    """List the text structures that are read."""
    from logdoctor.commands import print_list

    print_list("formats", format)


def _request(options: dict[str, Any]) -> Any:
    """Turn a command's options into a request; options that were not given are left out."""
    from logdoctor.reporting import Request, request

    names = {
        *Request.__dataclass_fields__,
        "select",
        "ignore",
        "fail_on",
        "parser",
        "allow_empty",
        "minimum_coverage",
        "rename",
    }
    return request(**{k: v for k, v in options.items() if k in names and v is not None})


def main() -> NoReturn:
    """Run the command line; an error of our own ends with 2, never with 1."""
    _prepare_streams()
    try:
        app(prog_name="logdoctor")
    except LogDoctorError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - whatever it is, CI must not take it for a finding
        _complain(f"internal error, please report it: {type(error).__name__}: {error}")
        if os.environ.get("LOGDOCTOR_DEBUG"):
            traceback.print_exc()
        sys.exit(2)
    sys.exit(0)


def _complain(message: str) -> None:
    from logdoctor.outputs import talk

    talk(f"logdoctor: {message}")


def _prepare_streams() -> None:
    """Let nothing that is printed fail for want of an encoding."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
