"""Hostile text stays text in every language that a report is written in."""

from __future__ import annotations

import pytest
from rich.text import Text

from logdoctor.renderers import _escape
from tests.hand_made import NASTY


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("a\u202eb\u2066c\u200bd", "abcd"),
        ("one\r\ntwo\tthree", "one  two three"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("ClipΔ → 🔴 1.0", "ClipΔ → 🔴 1.0"),
    ],
)
def test_plain_keeps_what_prints(given: str, wanted: str) -> None:
    assert _escape.plain(given) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("a | b", "a \\| b"),
        ("`code`", "\\`code\\`"),
        ("<script>", "&lt;script>"),
        ("&amp;", "&amp;amp;"),
        ("*bold* ~x~", "\\*bold\\* \\~x\\~"),
        ("grad_norm", "grad_norm"),
        ("_x_", "\\_x\\_"),
        ("[text](target)", "[text\\](target)"),
        ("[-12.91, 1779.30]", "[-12.91, 1779.30]"),
        ("# heading", "\\# heading"),
        ("- item", "\\- item"),
        ("-0.5 is below", "-0.5 is below"),
        ("1. item", "1\\. item"),
        ("1.5 is a number", "1.5 is a number"),
        ("> quote", "\\> quote"),
        ("ratio > 2", "ratio > 2"),
        ("---", "\\---"),
        ("$x$", "\\$x\\$"),
    ],
)
def test_markdown(given: str, wanted: str) -> None:
    assert _escape.markdown(given) == wanted


@pytest.mark.parametrize(
    "text", ["@someone", "mail@example.org", "fixes #12", "GH-12", "http://a.b", "www.a.b", "mailto:a"]
)
def test_markdown_makes_no_links_and_mentions_nobody(text: str) -> None:
    shown = _escape.markdown(text)
    for mark in ("@s", "@e", "#1", "GH-1", "http:", "www.", "mailto:"):
        assert mark not in shown


def test_reference_keeps_its_address_as_a_link() -> None:
    shown = _escape.markdown_reference("Ba et al. 2016 <b>, https://arxiv.org/abs/1607.06450.")
    assert shown == "Ba et al. 2016 &lt;b>, <https://arxiv.org/abs/1607.06450>."


@pytest.mark.parametrize("text", ["`", "``", "a`b``c", "`lead", NASTY])
def test_code_span_closes_only_at_its_end(text: str) -> None:
    span = _escape.code(text)
    ticks = span[: len(span) - len(span.lstrip("`"))]
    inside = span[len(ticks) : -len(ticks)]
    assert span.endswith(ticks)
    runs = [run for run in inside.replace("`", " ` ").split("  ") if run]
    assert ticks not in inside, runs


def test_fence_is_longer_than_what_it_holds() -> None:
    text = _escape.fence(["```", "`````", "x"])
    lines = text.splitlines()
    assert lines[0] == "``````text"
    assert lines[-1] == "``````"
    assert lines[1:-1] == ["```", "`````", "x"]


def test_html_is_inert() -> None:
    shown = _escape.html(NASTY + " \" ' &")
    assert "<" not in shown
    assert '"' not in shown
    assert "'" not in shown
    assert "\x1b" not in shown


def test_json_in_html_cannot_end_the_script() -> None:
    shown = _escape.json_in_html('{"a": "</script>\u2028"}')
    assert "<" not in shown
    assert "\u2028" not in shown


def test_terminal_text_is_not_markup() -> None:
    assert Text(_escape.terminal("[/bold] [red]x")).plain == "[/bold] [red]x"
    assert "\x1b" not in _escape.terminal(NASTY)
