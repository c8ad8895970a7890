"""A hostile log from end to end: whatever it says stays text in every output."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from logdoctor import check, compare, diagnose, read_log, render
from logdoctor.excerpt import excerpt
from logdoctor.registry import records
from logdoctor.renderers import _checked, _comparison
from logdoctor.renderers._document import to_markdown, to_terminal
from logdoctor.renderers._record import RenderOptions
from logdoctor.watching import Watch

NAMES = (
    "loss",
    "<script>alert(1)</script>",
    "=cmd|x",
    "::error::pwn",
    "@someone",
    "[a](http://evil.example)",
    "${{secrets.X}}",
)
LINES = (
    "::error file=x::pwned",
    "##[error]pwned",
    "\x1b]0;title\x07\x1b[2J\x1b[31mred",
    "learning_rate: <img src=x onerror=alert(1)>",
    "batch_size: 64\u202e46 :ezis_hctab",
    "![pic](http://evil.example/x.png) `rm -rf` | cell | @someone #12",
    "</script><script>alert(1)</script> ]]> <!-- %0A::warning::x",
    "ERROR: CUDA out of memory <b>bold</b> [link](http://evil.example)",
    "Traceback (most recent call last):",
    '  File "<img src=x>", line 1, in <module>',
    "RuntimeError: ::error::<b>pwned</b> [x](http://evil.example) \u2028::warning::y",
)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    rng = np.random.default_rng(0)
    rows = list(LINES)
    for i in range(120):
        loss = 1 / (i + 1) + 0.1 if i < 60 else 50.0 * (i - 59)
        values = [loss, *(1 + rng.standard_normal(len(NAMES) - 1) + (i > 60) * 1e4)]
        rows.append(" | ".join([f"step {i * 10}", *(f"{n}: {v:.4f}" for n, v in zip(NAMES, values, strict=True))]))
        if i % 30 == 0:
            rows += LINES
    path = tmp_path_factory.mktemp("hostile") / "a ` | <b> [x](http://evil.example).log".replace("/", "_")
    path.write_text("\n".join([*rows, *LINES]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def diagnosis(log):
    return diagnose(log)


def test_it_is_read_and_found_sick(diagnosis):
    assert diagnosis.verdict == "critical"
    assert diagnosis.reading.rows >= 120
    assert not [c for c in diagnosis.checks if c.state == "failed"]


def markdown_is_inert(text):
    outside = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert not re.search(r"<(script|img|b)\b", outside)
    assert not re.search(r"(?<!\\)\]\(http://evil", outside)
    assert not re.search(r"(?<![\w\\])@someone", outside)
    assert not re.search(r"(?<!\u200b)http://evil", outside.replace("http\u200b", ""))


@pytest.mark.parametrize("name", records("logdoctor.renderers", "RENDERER"))
@pytest.mark.parametrize(
    "options", [RenderOptions(), RenderOptions(verbose=2), RenderOptions(config_path="a,b:c.yaml")]
)
def test_every_output(diagnosis, name, options):
    text = render(diagnosis, name, options)
    assert not CONTROL.search(text)
    if name != "github":
        assert not re.search(r"^\s*::", text, re.MULTILINE)
    else:
        assert all(re.match(r"::(error|warning|notice) ", line) for line in text.splitlines())
    if name in ("markdown", "html"):
        assert "##[error]" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL) or name == "html"
    if name == "markdown":
        markdown_is_inert(text)
    if name == "html":
        body = re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)
        assert "alert(1)</script>" not in text
        assert not re.search(r"<img|onerror=alert\(1\)>|<b>pwned", body)
        assert not re.search(r"""(src|href)=["']?http""", body)
    if name in ("json", "sarif", "gitlab"):
        json.loads(text)


def test_documents_and_excerpt(log, diagnosis):
    comparison = _comparison.blocks(compare(diagnosis, diagnosis))
    checked = _checked.blocks(check(log, diagnosis))
    run = read_log(log)
    texts = [to_markdown(comparison), to_markdown(checked), excerpt(diagnosis, run.fetch)]
    for text in texts:
        assert not CONTROL.search(text)
        markdown_is_inert(text)
    for text in (to_terminal(comparison), to_terminal(checked)):
        assert not CONTROL.search(text)
        assert not re.search(r"^\s*::", text, re.MULTILINE)


def test_events_of_a_watch(log):
    watched = Watch([str(log)], once=True)
    for event in watched.events():
        assert not CONTROL.search(event.to_line())
        assert len(event.to_json().splitlines()) == 1
    watched.close()
