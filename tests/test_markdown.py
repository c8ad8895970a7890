"""The Markdown report says what a reader needs, in the order of need, and stays text whatever a log holds."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from logdoctor.codec import diagnosis_from_dict
from logdoctor.model import CodeFact, Diagnosis, Healthy, Place
from logdoctor.renderers._record import RenderOptions
from logdoctor.renderers.markdown import render
from tests import hand_made

OPTIONS = RenderOptions()


def text(diagnosis: Diagnosis, **options: object) -> str:
    return render([diagnosis], replace(OPTIONS, **options))


def split(markdown: str) -> tuple[list[list[str]], str]:
    """Return the lines inside each fenced block, and the text outside of them."""
    blocks: list[list[str]] = []
    outside: list[str] = []
    ticks = ""
    for line in markdown.splitlines():
        opening = re.match(r"\s*(`{3,})(?:text)?$", line)
        if ticks and line.strip() == ticks:
            ticks = ""
        elif ticks:
            blocks[-1].append(line)
        elif opening:
            ticks = opening[1]
            blocks.append([])
        else:
            outside.append(line)
    assert not ticks, "a fence is not closed"
    return blocks, "\n".join(outside)


def fences(markdown: str) -> list[list[str]]:
    return split(markdown)[0]


def test_first_screen_says_what_since_when_and_what_to_do() -> None:
    first = text(hand_made.sick()).split("## What went wrong")[0]
    for wanted in (
        "# 🔴 Loss explodes – frame 118.9M",
        "**Critical.** Loss exploded to 378 times its median at frame 50.6M",
        "**Since:** frame 47,175,232 (line 1215), the learning rate was raised to 0.0003",
        "plain to see from frame 50,595,696 (line 1297)",
        "**Now:** stop, and restart",
        "learning_rate 0.0003 → 0.0001",
        "**Longer run:** no-go",
        "68.3M frames, about 12.0 h: 57 % of the run",
    ):
        assert wanted in first
    assert len(first.splitlines()) <= 20


def test_derived_finding_is_told_once_and_under_its_root() -> None:
    report = text(hand_made.sick())
    assert report.count("The gradient died and stays dead") == 1
    assert report.index("What follows from it") < report.index("The gradient died and stays dead")
    assert "### 2." not in report


def test_figures_stand_with_their_lines_and_changes() -> None:
    rows = [line for block in fences(text(hand_made.sick())) for line in block]
    peak = next(line for line in rows if "line 1300" in line)
    assert "50,731,928" in peak
    assert "11.324914" in peak
    assert "x 377" in peak


def test_every_section_of_a_sick_run_is_there_in_order() -> None:
    report = text(hand_made.sick())
    names = [
        "## What went wrong", "## How it unfolded", "## Why", "## Why now", "## What to change",
        "## What to expect after the change", "## What to watch in the next run", "## What is healthy", "## Remarks",
        "## Prognosis", "## What was not checked", "**How it was read.**",
    ]  # fmt: skip
    places = [report.index(name) for name in names]
    assert places == sorted(places)


def test_change_table_gives_old_new_reason_cost_and_source() -> None:
    report = text(hand_made.sick())
    assert "| `learning_rate` | 0.0003 (line 1215) | 0.0001 |" in report
    assert "cost: Learning is slower" in report
    assert "<https://www.nature.com/articles/nature14236>" in report


def test_healthy_report_is_short_and_says_why() -> None:
    report = text(hand_made.well())
    assert len(report.splitlines()) <= 40
    assert "# ✅ Healthy run" in report
    assert "## Why it is healthy" in report
    assert "What went wrong" not in report


def test_inconclusive_report_says_so_in_its_first_line() -> None:
    report = text(hand_made.unclear())
    assert report.splitlines()[0].startswith("# ❔ No judgement possible")
    assert "healthy" not in report.lower()


def test_quiet_is_the_first_screen_and_verbose_lists_the_checks() -> None:
    assert "## Why" not in text(hand_made.sick(), quiet=True)
    assert "| LD701 | overfitting | not-applicable | no val_loss in this log |" in text(hand_made.sick(), verbose=1)


def test_several_reports_stand_under_one_overview() -> None:
    report = render([hand_made.sick(), hand_made.well()], OPTIONS)
    assert report.startswith("| | Log | In one sentence |")
    assert report.count("\n# ") == 2


def test_fences_fit_a_terminal() -> None:
    for diagnosis in (hand_made.sick(), hand_made.well(), hand_made.hostile()):
        assert all(len(line) <= 80 for block in fences(text(diagnosis)) for line in block)


@pytest.mark.parametrize("mark", ["<script", "</script", "<b>", "\x1b", "\u202e", "](", "@someone", "http://evil"])
def test_hostile_text_is_inert(mark: str) -> None:
    report = text(hand_made.hostile(), verbose=1)
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", split(report)[1])
    assert mark not in outside
    assert "\x1b" not in report


def test_tables_keep_their_columns_under_hostile_text() -> None:
    report = text(hand_made.hostile())
    for line in report.splitlines():
        if line.startswith("| ") and "---" not in line:
            cells = re.split(r"(?<!\\)\|", line)
            assert len(cells) in {5, 6}, line  # three or four columns, and the outer bars


def test_report_of_a_saved_diagnosis_is_the_same() -> None:
    for diagnosis in (hand_made.sick(), hand_made.well(), hand_made.unclear(), hand_made.hostile()):
        assert text(diagnosis_from_dict(diagnosis.to_dict())) == text(diagnosis)


def test_step_is_named_after_its_counter_and_a_log_without_one_uses_lines() -> None:
    base = hand_made.sick()
    bare = replace(base, reading=replace(base.reading, clocks=()), story=replace(base.story, chain=()))
    assert "step 50,595,696 (line 1297)" in text(bare)
    lineless = replace(bare.findings[0], onset=Place(line=1297, step=None))
    assert "**Since:** line 1297" in text(replace(bare, findings=(lineless,)))


def test_code_facts_stand_with_file_and_line() -> None:
    fact = CodeFact(
        id="clip-call", file="train.py", line=12, text="# clip_grad_norm_(p, 1)", what="the clip call is commented out"
    )
    report = text(replace(hand_made.sick(), code=(fact,)))
    assert "## In the code" in report
    assert "train.py, line 12: the clip call is commented out\n  `# clip_grad_norm_(p, 1)`" in report


def test_two_metrics_of_one_name_are_told_apart() -> None:
    base = hand_made.well()
    metrics = tuple(replace(m, raw_name="Loss") for m in base.metrics)
    items = (Healthy(metric="loss", why="fell"), Healthy(metric="grad_norm", why="small"))
    report = text(replace(base, metrics=metrics, healthy=items))
    assert "**Loss (loss)**: fell" in report
    assert "**Loss (grad_norm)**: small" in report


def test_siblings_are_named() -> None:
    report = text(replace(hand_made.sick(), baseline={"siblings": ["seed1.log", "seed2.log"]}))
    assert "Compared with 2 sibling runs: seed1.log, seed2.log." in report


def rendered(diagnosis: Diagnosis) -> str:
    """Return the report as HTML, read by a CommonMark parser with tables and raw HTML allowed."""
    return (
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text(diagnosis, verbose=1))
    )


def test_hostile_text_becomes_no_markup_of_any_kind() -> None:
    page = rendered(hand_made.hostile())
    own = {
        "details",
        "summary",
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "ol",
        "li",
        "pre",
        "code",
        "strong",
        "table",
        "thead",
        "tbody",
    }
    tags = {tag.lower() for tag in re.findall(r"<([a-zA-Z][a-zA-Z0-9]*)", page)}
    assert tags <= own | {"tr", "th", "td", "a"}
    assert re.findall(r'<a href="([^"]*)"', page) == []


def test_report_renders_as_intended() -> None:
    page = rendered(hand_made.sick())
    assert page.count("<h1>") == 1
    assert page.count("<table>") == 4  # phases, changes, parameters, checks
    assert page.count("<details>") == page.count("</details>") >= 1
    assert '<a href="https://www.nature.com/articles/nature14236">' in page
    assert "| " not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)


def test_two_findings_of_one_rule_are_one_event_when_the_story_says_so() -> None:
    base = hand_made.sick()
    twin = replace(base.findings[0], metrics=("grad_norm",), explained_by=("LD201",), summary="The other loss as well.")
    report = text(replace(base, findings=(*base.findings, twin)))
    assert "### 2." not in report
    assert report.index("What follows from it") < report.index("The other loss as well")
