"""One function for each language of a CI host: log text is data in every one of them."""

from __future__ import annotations

import re
from urllib.parse import quote

# C0 and C1 controls, bidirectional and zero-width characters, lone surrogates, non-characters, private-use tags.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def visible(text: str) -> str:
    """Replace every character that draws nothing, or moves or hides others, by U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", text)


def line(text: str, limit: int = 0) -> str:
    """Return ``text`` as one visible line, cut at ``limit`` characters when that is not 0."""
    flat = " ".join(visible(text).split())
    return flat if not limit or len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def unlinked(text: str, limit: int = 0) -> str:
    """Return one line in which no host finds a link, a mention or markup.

    Hosts turn addresses, ``[text](target)``, ``<tags>``, ``@names`` and backquotes in plain messages into more than
    text. A space or a look-alike stops them and leaves the words readable.
    """
    flat = line(text)
    flat = (
        flat.replace("](", "] (")
        .replace("://", ": //")
        .replace("<", "‹")
        .replace(">", "›")
        .replace("`", "'")
        .replace("##[", "## [")
    )
    flat = re.sub(r"(?<![\w])@(?=\w)", "@ ", flat)
    return line(flat, limit)


def github_message(text: str) -> str:
    """Escape the message of a GitHub workflow command."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def github_property(text: str) -> str:
    """Escape a property (``file=``, ``title=``) of a GitHub workflow command."""
    return github_message(line(text)).replace(":", "%3A").replace(",", "%2C")


def xml_text(text: str) -> str:
    """Drop what XML 1.0 cannot hold; the serialiser escapes the rest."""
    return visible(text.replace("\r\n", "\n").replace("\r", "\n"))


def csv_cell(text: str) -> str:
    """Keep a spreadsheet from taking a cell for a formula."""
    flat = line(text)
    return "'" + flat if flat.startswith(_FORMULA) else flat


def uri(path: str) -> str:
    """Return ``path`` as the relative (or file) URI reference that SARIF and the hosts expect."""
    path = path.replace("\\", "/")
    while path.startswith("./"):
        path = path[2:]
    if path in {"-", ""}:
        return "stdin"
    drive = re.match(r"^[A-Za-z]:/", path)
    encoded = quote(_file_bytes(path), safe="/~!$&'()*+,;=@" + (":" if drive else ""))
    if path.startswith("/"):
        return "file://" + encoded
    return "file:///" + encoded if drive else encoded


def _file_bytes(path: str) -> bytes:
    """Return the bytes of a file name; names that are no UTF-8 arrive as low surrogates."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "replace")
