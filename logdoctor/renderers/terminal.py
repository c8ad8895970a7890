"""The report for a terminal: 80 columns, colour only where it is allowed, log text never read as markup."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from logdoctor.model import Cause, Diagnosis, Finding
from logdoctor.renderers import _outline as outline
from logdoctor.renderers import _sentences as sentences
from logdoctor.renderers._escape import terminal as safe
from logdoctor.renderers._figures import percent
from logdoctor.renderers._record import Renderer, RenderOptions
from logdoctor.renderers._tables import curve_rows, evidence_rows

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

COLORS = {"critical": "bold red", "warning": "yellow", "info": "cyan", "healthy": "green", "inconclusive": "magenta"}
ITEMS = 4  # list entries shown without --verbose


def render(diagnoses: Sequence[Diagnosis], options: RenderOptions) -> str:
    """Return the view of each diagnosis, one after another."""
    page = _Page(options)
    for index, diagnosis in enumerate(diagnoses):
        if index:
            page.line("")
        _report(page, diagnosis)
    return page.text()


class _Page:
    """A rich console that writes into a string; every string given to it is printed as it stands."""

    def __init__(self, options: RenderOptions) -> None:
        from rich.console import Console

        self.options = options
        self.width = max(40, options.width)
        self.console: Console = Console(
            file=io.StringIO(), width=self.width, color_system="standard" if options.color else None,
            force_terminal=options.color, no_color=not options.color, markup=False, emoji=False, highlight=False,
            legacy_windows=False,
        )  # fmt: skip

    def line(self, text: str, style: str = "") -> None:
        """Print a paragraph, wrapped at the width."""
        from rich.text import Text

        self.put(Text(safe(text), style=style))

    def put(self, item: RenderableType) -> None:
        """Print anything that rich knows."""
        self.console.print(item)

    def title(self, text: str) -> None:
        """Print the title of a section after an empty line."""
        self.line("")
        self.line(text, "bold")

    def item(self, text: str, mark: str = "•", style: str = "", indent: int = 2) -> None:
        """Print a list entry; further lines stand under the first."""
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(ratio=1)
        grid.add_row(Text(safe(mark), style=style), Text(safe(text)))
        self.put(Padding(grid, (0, 0, 0, indent)))

    def rows(self, rows: Sequence[str], indent: int = 2, style: str = "") -> None:
        """Print aligned lines as they are; one that is too wide is cut."""
        from rich.text import Text

        for row in rows:
            text = Text(" " * indent + safe(row), style=style, no_wrap=True)
            text.truncate(self.width, overflow="ellipsis")
            self.put(text)

    def text(self) -> str:
        """Return what was printed, without blanks at the ends of lines."""
        file = self.console.file
        assert isinstance(file, io.StringIO)
        return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _report(page: _Page, diagnosis: Diagnosis) -> None:
    _top(page, diagnosis)
    if page.options.quiet:
        return
    page.line("")
    page.rows(curve_rows(diagnosis, page.width - 2))
    _symptoms(page, diagnosis)
    _order(page, diagnosis)
    _causes(page, diagnosis)
    _changes(page, diagnosis)
    _watch(page, diagnosis)
    _rest(page, diagnosis)


def _top(page: _Page, diagnosis: Diagnosis) -> None:
    style = COLORS[diagnosis.verdict]
    page.line(f"{diagnosis.verdict}: {sentences.title(diagnosis)}", style)
    page.line(diagnosis.headline, "bold")
    page.line("")
    for name, text in sentences.facts(diagnosis):
        page.item(text, mark=f"{name:<17}", indent=0)
    size = f"{diagnosis.reading.rows:,} rows of {diagnosis.source.lines:,} lines"
    page.item(f"{diagnosis.source.path}, {size}", mark=f"{'Log':<17}", indent=0)


def _symptoms(page: _Page, diagnosis: Diagnosis) -> None:
    told = outline.incidents(diagnosis)
    if not told:
        return
    page.title("What went wrong")
    for index, item in enumerate(told, start=1):
        if index > 1:
            page.line("")
        _finding(page, diagnosis, item.root, f"{index}.")
        for finding in item.derived:
            mark = "←" if finding in item.before else "→"
            page.item(f"{finding.summary} ({finding.id})", mark=mark, style=COLORS[finding.severity], indent=3)
            if page.options.verbose or finding is outline.main(diagnosis, item):
                page.rows(evidence_rows(diagnosis, finding, page.width - 6), indent=5)


def _finding(page: _Page, diagnosis: Diagnosis, finding: Finding, mark: str) -> None:
    known = ", already known" if finding.known else ""
    page.item(f"{outline.heading(finding)} ({finding.id}, {finding.severity}{known})", mark=mark,
              style=COLORS[finding.severity], indent=0)  # fmt: skip
    page.item(finding.summary, mark="", indent=2)
    page.rows(evidence_rows(diagnosis, finding, page.width - 4), indent=3)
    if finding.analysis:
        page.item(finding.analysis, mark="", indent=2)


def _order(page: _Page, diagnosis: Diagnosis) -> None:
    chain = diagnosis.story.chain
    if len(chain) > 1:
        page.title("What broke first, and what followed")
        for number, link in enumerate(chain, start=1):
            page.item(f"{outline.place(diagnosis, link.place)}: {link.text}", mark=f"{number}.")
    if diagnosis.phases and page.options.verbose:
        page.title("Phases")
        for name, where, text in sentences.phase_rows(diagnosis):
            page.item(f"{name}, {where}: {text}")
    if diagnosis.story.why_now:
        page.title("Why now")
        for text in diagnosis.story.why_now:
            page.item(text)


def _causes(page: _Page, diagnosis: Diagnosis) -> None:
    told, others = sentences.causes_in_order(diagnosis)
    if not told:
        return
    page.title("Why")
    for number, (role, cause) in enumerate(told, start=1):
        _cause(page, diagnosis, cause, role.lower(), number)
    if others:
        names = [f"{c.title or c.id} ({percent(c.confidence)})" for c in others]
        page.item("Considered as well: " + ", ".join(names))


def _cause(page: _Page, diagnosis: Diagnosis, cause: Cause, role: str, number: int) -> None:
    page.item(f"{cause.title or cause.id} ({percent(cause.confidence)}, {role})", mark=f"{number}.", style="bold")
    few = None if page.options.verbose else ITEMS
    for_ = sentences.arguments(diagnosis, cause.for_)
    for mark, texts in (("+", for_[:few]), ("-", cause.against[:few]), ("?", cause.would_settle[:few])):
        for text in texts:
            page.item(sentences.argument(diagnosis, text), mark=mark, indent=5)
    for text in cause.mechanism:
        page.item(text, mark="=", indent=5)


def _changes(page: _Page, diagnosis: Diagnosis) -> None:
    rows = sentences.change_rows(diagnosis)
    if not rows:
        return
    page.title(sentences.changes_heading(diagnosis))
    if note := sentences.changes_note(diagnosis):
        page.item(note, mark="", indent=0)
    for item in rows:
        what = f"{item.parameter}: {sentences.old_text(item)} → {sentences.new_text(item)}"
        if sentences.is_action(item):
            what = sentences.action_sentence(item)
        page.item(f"{what}: {item.why}" if item.why else what, style="bold")
        if item.tradeoff:
            page.item(f"cost: {item.tradeoff}", mark="", indent=3)
        if page.options.verbose:
            for text in (item.arithmetic, item.reference):
                if text:
                    page.item(text, mark="", indent=3)


def _watch(page: _Page, diagnosis: Diagnosis) -> None:
    if diagnosis.story.expectations and page.options.verbose:
        page.title("What to expect after the change")
        for horizon, lines in diagnosis.story.expectations:
            page.item(f"{horizon}: {'; '.join(lines)}")
    if not diagnosis.watch:
        return
    page.title("What to watch in the next run")
    for item in diagnosis.watch:
        good = item.sign == "recovery"
        shared = item.otherwise == sentences.shared_action(diagnosis, item.sign)
        action = "" if shared else sentences.action_text(item)
        text = sentences.watch_text(diagnosis, item) + (f" → {action}" if action else "")
        page.item(text, mark="good:" if good else "bad: ", style="green" if good else "yellow")
    for sign, word in (("recovery", "If a good sign fails to come"), ("failure", "If a bad one shows")):
        if shared_one := sentences.shared_sentence(diagnosis, sign):
            page.item(f"{word}: {shared_one}.", mark="→")


def _rest(page: _Page, diagnosis: Diagnosis) -> None:
    story, few = diagnosis.story, None if page.options.verbose else ITEMS
    checkpoint = [f"Next checkpoint: {story.next_checkpoint}"] if story.next_checkpoint else []
    ahead = [] if diagnosis.verdict == "healthy" else story.prognosis[:few]  # where it goes stands under "Now"
    pairs = [sentences.healthy_text(diagnosis, item) for item in diagnosis.healthy]
    healthy = [f"{name}: {why}" if name else why for name, why in pairs]
    sections: list[tuple[str, Sequence[str]]] = [
        ("In the code", [sentences.code_text(item) for item in diagnosis.code[:few]]),
        ("Healthy", healthy[:few]),
        ("Remarks", [f"{f.summary} ({f.id})" for f in outline.remarks(diagnosis)[:few]]),
        ("Prognosis", [*ahead, *checkpoint]),
        ("Not checked", (*story.not_checked[:few], *story.limits)),
        ("How it was read", sentences.reading_text(diagnosis)[: few or None]),
    ]  # fmt: skip
    for name, lines in sections:
        if lines:
            page.title(name)
            for text in lines:
                page.item(text)
    if page.options.verbose:
        page.title("Checks")
        for check in diagnosis.checks:
            page.item(f"{check.id} {check.name}: {check.state}{f', {check.why}' if check.why else ''}")


RENDERER = Renderer(id="terminal", title="View for a terminal", suffixes=(), render=render)
