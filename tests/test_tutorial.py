"""The tutorial shows what its commands print: they are run, in their order, and the first lines are compared."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
FIRST = 2  # lines compared; the rest may be reworded before the page is renewed (python docs/tutorial.py)


@pytest.fixture(scope="module")
def tutorial() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tutorial", ROOT / "docs" / "tutorial.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["tutorial"] = module
    spec.loader.exec_module(module)
    return module


def head(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip() and line != "..."][:FIRST]


def test_every_command_prints_what_the_page_quotes(tutorial: ModuleType) -> None:
    text = tutorial.PAGE.read_text(encoding="utf-8")
    shown = tutorial.blocks(text)
    assert len(shown) >= 8
    assert len(shown) == text.count("```console")  # no block escapes the test
    for block, output in zip(shown, tutorial.outputs(text), strict=True):
        assert head(output), block.command
        assert head(block.quoted) == head(output), f"{block.command}: renew the page with python docs/tutorial.py"


def test_the_story_of_the_page_is_the_one_that_the_commands_tell(tutorial: ModuleType) -> None:
    text = tutorial.PAGE.read_text(encoding="utf-8")
    checks = [output for block, output in zip(tutorial.blocks(text), tutorial.outputs(text), strict=True)
              if block.command.startswith("logdoctor check")]  # fmt: skip
    assert [output.split("\n")[0] for output in checks] == ["Verdict: met", "Verdict: not met"]


def test_links_of_the_page_lead_somewhere(tutorial: ModuleType) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", tutorial.PAGE.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).resolve().exists()] == []


def test_quoting_says_where_something_is_left_out(tutorial: ModuleType) -> None:
    output = "a\nb\n\nWhy\n1\n2\n\nEnd\n"
    assert tutorial.quote(output, "1-2") == "a\nb\n...\n"
    assert tutorial.quote(output, "2-8") == "...\nb\n\nWhy\n1\n2\n\nEnd\n"
    assert tutorial.quote(output, "section Why") == "...\nWhy\n1\n2\n...\n"
