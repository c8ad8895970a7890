"""Blocks of several lines: an anchor with a counter or a title, then pairs; the metric is *title + key*."""

from __future__ import annotations

from logdoctor.parsers._record import Parser

PARSER = Parser(
    id="blocks",
    title="Titled and anchored blocks",
    description="Lines with pairs but no counter belong to the counter above them; indented pairs under a title are"
    " named by title and key, printed distributions become shares.",
    sample="Step 100:\nGradient Statistics:\n  Total norm: 0.51\nPolicy Entropy:\n  Mean entropy: 1.05\n"
    "Step 200:\nGradient Statistics:\n  Total norm: 0.44\nPolicy Entropy:\n  Mean entropy: 0.98\n"
    "Step 300:\nGradient Statistics:\n  Total norm: 0.40\nPolicy Entropy:\n  Mean entropy: 0.91\n",
    expect={"grad_norm": 0.40, "entropy": 0.91},
)
