"""The frame of an HTML page: its own content-security policy, one style sheet and one script, nothing from outside."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from logdoctor.renderers._escape import html as esc


@cache
def asset(name: str) -> str:
    """Return a style sheet or script that ships with the package."""
    return files("logdoctor.renderers").joinpath("assets", name).read_text(encoding="utf-8")


def page(title: str, body: str, css: str, script: str) -> str:
    """Return a whole page. ``body`` is HTML, already escaped where it came from a log.

    The policy allows the page's own style sheet and script by their hashes and forbids everything else.
    """
    policy = (
        f"default-src 'none'; style-src '{_digest(css)}'; script-src '{_digest(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{esc(title)}</title><style>{css}</style></head><body><main>{body}</main>"
        f"<script>{script}</script></body></html>\n"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
