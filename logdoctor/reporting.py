"""The main job as one call: logs in, reports out, exit code back. The command line only passes its options on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from logdoctor import outputs, progress
from logdoctor.analysing import Failure, analyze, load_reports
from logdoctor.engine import render
from logdoctor.errors import InputError, LogDoctorError, UsageError
from logdoctor.excerpt import excerpt
from logdoctor.folders import find_logs
from logdoctor.gate import OK, Ruling, mark_known, not_judged, rule, worst
from logdoctor.model import Diagnosis, RunLog
from logdoctor.outputs import STDOUT, Target
from logdoctor.reader import read_log
from logdoctor.renderers._document import Block, to_markdown, to_terminal
from logdoctor.renderers._record import RenderOptions
from logdoctor.renderers.json_report import dump
from logdoctor.settings import Settings, load_settings

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
STREAMED = ("terminal", "json")  # several reports one after another are one text in these formats


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The options of a reporting command, as given on the command line."""

    format: str | None = None
    output: Sequence[Path] = ()
    config: Path | None = None
    source: Path | None = None
    baseline: Sequence[Path] = ()
    known: Sequence[Path] = ()
    settings: Settings = field(default_factory=Settings)
    figures: Path | None = None
    mermaid: bool = False
    excerpt: bool = False
    color: str = "auto"
    quiet: bool = False
    verbose: int = 0

    def targets(self, known: Mapping[str, Sequence[str]] | None = None) -> tuple[Target, ...]:
        """Where the output goes; ``known`` are the formats to choose from when it is no diagnosis."""
        chosen = self.format or (None if self.output else self.settings.format)
        if known is not None and self.format is None and chosen not in known:
            chosen = None
        return outputs.plan(chosen, self.output, default=outputs.default_format(), known=known)

    def render_options(self, **extra: Any) -> RenderOptions:
        """What the renderers are told."""
        return RenderOptions(
            verbose=self.verbose,
            quiet=self.quiet,
            fail_on=self.settings.fail_on,
            config_path=self.config.as_posix() if self.config else None,
            extra=extra,
        )


def request(
    *,
    settings: Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fail_on: str | None = None,
    parser: str | None = None,
    allow_empty: bool = False,
    minimum_coverage: float | None = None,
    rename: Sequence[str] = (),
    **rest: Any,
) -> Request:
    """Build a request from the flags; settings come from flags, environment and files, in that order.

    Raises:
        SettingsError: a settings file or a value is wrong.
    """
    in_force = load_settings(
        settings, select=tuple(select), ignore=tuple(ignore), fail_on=fail_on, parser=parser,
        allow_empty=allow_empty, minimum_coverage=minimum_coverage, names=_pairs(rename),
    )  # fmt: skip
    return Request(settings=in_force, **rest)


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    """Read ``--name PRINTED=NAME``; the last ``=`` separates, since a printed name may hold one."""
    pairs = {}
    for text in texts:
        raw, mark, name = text.rpartition("=")
        if not (mark and raw.strip() and name.strip()):
            raise UsageError(f"--name needs PRINTED=NAME, not {text!r}")
        pairs[raw.strip()] = name.strip()
    return pairs


def report(logs: Sequence[str], request: Request) -> int:
    """Judge ``logs``, write the reports where they belong, and return the exit code.

    Raises:
        UsageError: a format is unknown.
        InputError: a saved report cannot be read, or an output cannot be written.
    """
    progress.enable(not request.quiet)
    targets = _excerpt_first(request) if request.excerpt else request.targets()
    paths = expand(logs)
    known = [item for path in request.known for item in load_reports(path)]
    results = analyze(
        paths, settings=request.settings, hyperparameters=request.config, source_dir=request.source,
        baseline=request.baseline, known=known, look=_print_excerpt if request.excerpt else None,
    )  # fmt: skip
    return deliver(results, targets, request, many=len(paths) > 1)


def _excerpt_first(request: Request) -> tuple[Target, ...]:
    """With ``--excerpt`` standard output holds the excerpt; the report goes to files alone."""
    if request.format is not None and not request.output:
        raise UsageError("--excerpt is printed instead of the report; give the report a file with --output")
    return tuple(target for target in request.targets() if target.file != STDOUT) if request.output else ()


def _print_excerpt(diagnosis: Diagnosis, run: RunLog) -> None:
    outputs.say(excerpt(diagnosis, run.fetch), sys.stdout)


def deliver(results: Iterable[Diagnosis | Failure], targets: Sequence[Target], request: Request, *, many: bool) -> int:
    """Write each result as soon as its format allows, and return the exit code of all of them."""
    early = [t for t in targets if t.file == STDOUT and t.format in STREAMED]
    late = [t for t in targets if t not in early]
    diagnoses: list[Diagnosis] = []
    failures: list[Failure] = []
    codes: list[int] = []
    for result in results:
        if isinstance(result, Failure):
            failures.append(result)
            codes.append(_code_of(result, request))
            outputs.talk(f"logdoctor: {result.message}")
            continue
        ruling = rule(result, request.settings)
        codes.append(ruling.code)
        if request.figures is not None:
            _write_figures(result, request.figures, many=many)
        for target in early:
            _emit([result], target, request, many=many)
        _explain(result, ruling, request, many=many)
        diagnoses += [result] if late else []
    for target in late:
        _emit(diagnoses, target, request, many=many, failures=failures)
    _total(codes, request)
    return worst(codes)


def _code_of(failure: Failure, request: Request) -> int:
    return OK if failure.exit_code == 3 and request.settings.allow_empty else failure.exit_code


def _emit(
    diagnoses: Sequence[Diagnosis], target: Target, request: Request, *, many: bool, failures: Sequence[Failure] = ()
) -> None:
    limit = request.settings.minimum_coverage
    mute = {d.source.path: why for d in diagnoses if (why := not_judged(d, limit)) is not None}
    extra = {"lines": many, "failures": tuple((f.path, f.message) for f in failures), "unjudged": mute}
    extra |= {"mermaid": True} if request.mermaid else {}
    options = outputs.options_for(target, request.render_options(**extra), request.color)
    if request.figures is not None:
        options = replace(options, figures=_relative(request.figures, target))
    outputs.write(render(list(diagnoses), target.format, options), target)
    if target.format == "github" and os.environ.get(SUMMARY_VARIABLE):
        _write_summary(diagnoses, options, Path(os.environ[SUMMARY_VARIABLE]))


def _relative(directory: Path, target: Target) -> str:
    """Return the directory as a report in ``target`` has to name it."""
    start = Path.cwd() if target.file == STDOUT else Path(target.file).resolve().parent
    try:
        return os.path.relpath(directory.resolve(), start).replace(os.sep, "/")
    except ValueError:  # another drive
        return directory.resolve().as_posix()


def _write_figures(diagnosis: Diagnosis, directory: Path, *, many: bool) -> None:
    from logdoctor.renderers._pictures import pictures

    for name, svg in pictures(diagnosis, many=many).items():
        file = directory / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{file.parent} cannot be made: {error.strerror or error}") from None
        outputs.write(svg, Target(format="svg", file=str(file)))


def _write_summary(diagnoses: Sequence[Diagnosis], options: RenderOptions, file: Path) -> None:
    """Append the report to the step summary of a GitHub job, as far as the host's limit leaves room."""
    from logdoctor.renderers import github, markdown

    try:
        taken = file.stat().st_size if file.exists() else 0
        text = github.summary(diagnoses, options, markdown.render, max(0, github.SUMMARY_BYTES - taken))
        with file.open("a", encoding="utf-8", errors="backslashreplace") as out:
            out.write(text + "\n")
    except OSError as error:
        outputs.talk(f"logdoctor: the step summary {file} cannot be written: {error.strerror or error}")


def _explain(diagnosis: Diagnosis, ruling: Ruling, request: Request, *, many: bool) -> None:
    """Say on standard error why the exit code is not 0; ``-v`` says it always."""
    if request.quiet or (ruling.code == OK and not request.verbose):
        return
    where = f"{diagnosis.source.path}: " if many else ""
    outputs.talk(f"logdoctor: {where}{ruling.why}" + ("" if many else f" (exit code {ruling.code})"))


def _total(codes: Sequence[int], request: Request) -> None:
    if len(codes) < 2 or request.quiet:
        return
    words = {0: "passed", 1: "failed the gate", 2: "could not be read", 3: "could not be judged"}
    parts = [f"{codes.count(code)} {text}" for code, text in words.items() if code in codes]
    outputs.talk(f"logdoctor: {len(codes)} logs: {', '.join(parts)} (exit code {worst(codes)})")


def expand(logs: Sequence[str]) -> list[str | Failure]:
    """Return the logs meant by paths, globs, directories and ``-``, each once; what cannot be found is a failure."""
    found: list[str | Failure] = []
    for log in logs:
        try:
            found += [group.path for group in find_logs([log], read_log)]
        except LogDoctorError as error:
            found.append(Failure(path=log, message=str(error), exit_code=error.exit_code))
    return list(dict.fromkeys(found))


# ------------------------------------------------------------------------------------------- other documents
DOCUMENTS: Mapping[str, Sequence[str]] = {"markdown": (".md",), "terminal": (".txt",), "json": (".json",)}


def show(record: Any, blocks: Sequence[Block], request: Request) -> None:
    """Write a comparison or a check: ``record`` as JSON, ``blocks`` as Markdown or for a terminal."""
    for target in request.targets(DOCUMENTS):
        options = outputs.options_for(target, request.render_options(), request.color)
        if target.format == "json":
            text = dump(record.to_dict(), ascii_only=bool(options.extra.get("ascii")), indent=2) + "\n"
        elif target.format == "markdown":
            text = to_markdown(blocks)
        else:
            text = to_terminal(blocks, width=min(options.width, 100), color=options.color)
        outputs.write(text, target)


def saved(paths: Sequence[Path], request: Request) -> int:
    """Show saved reports in another format; the exit code is that of the settings in force now.

    Raises:
        InputError: a report cannot be read.
    """
    known = [item for path in request.known for item in load_reports(path)]
    found = [item for path in paths for item in load_reports(path)]
    results: Iterable[Diagnosis] = (mark_known(item, known) if known else item for item in found)
    if request.excerpt:
        for item in found:
            outputs.say(excerpt(item), sys.stdout)
    targets = _excerpt_first(request) if request.excerpt else request.targets()
    return deliver(results, targets, request, many=len(found) > 1)
