"""The diagnosis as JSON: one object for one log, JSON lines for several; lossless and always valid."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from logdoctor.model import Diagnosis
from logdoctor.renderers._record import Renderer, RenderOptions

_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def render(diagnoses: Sequence[Diagnosis], options: RenderOptions) -> str:
    """Return one indented object, or one line an object when there are several (or ``extra["lines"]`` asks for it)."""
    ascii_only = bool(options.extra.get("ascii", False))
    if len(diagnoses) == 1 and not options.extra.get("lines", False):
        return dump(diagnoses[0].to_dict(), ascii_only=ascii_only, indent=2) + "\n"
    return "".join(dump(item.to_dict(), ascii_only=ascii_only) + "\n" for item in diagnoses)


def dump(data: Any, *, ascii_only: bool = False, indent: int | None = None) -> str:
    """Return ``data`` as JSON that no terminal and no line splitter takes for anything else.

    Control characters above ASCII, Unicode's own line ends, bidirectional controls and lone surrogates are escaped.
    """
    text = json.dumps(data, ensure_ascii=ascii_only, indent=indent, allow_nan=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


RENDERER = Renderer(id="json", title="JSON of the contract, lossless", suffixes=(".json", ".jsonl"), render=render)
