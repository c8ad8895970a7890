"""Log text is hostile: one function for each language that a report is written in (those of CI hosts: ``_escape_ci``).

Every renderer passes each string that came from a log, a file name or a saved report through one of these. Names and
sentences of our own go through them as well: the cost is nothing, and a rule may quote a log.
"""

from __future__ import annotations

import html as _html
import re

# Escape sequences as terminals read them (CSI, OSC, two-character ones); removed before the single characters.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# C0 and C1 controls, marks that change the direction or the width of text, and line separators of Unicode.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BREAK = "\u200b"  # keeps a mention, an issue number or an address from becoming a link; has no width


def plain(text: str) -> str:
    """Return one line of printable text: no control characters, no escape sequences, no change of direction."""
    text = _SEQUENCE.sub("", str(text)).replace("\t", " ").replace("\r", " ").replace("\n", " ")
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))


def terminal(text: str) -> str:
    """Return text that a terminal prints as it stands (and is never read as markup by us)."""
    return plain(text)


# ------------------------------------------------------------------------------------------------------ markdown
_MARKDOWN_CHARACTERS = re.compile(r"[\\`*~|$]")
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # inside a word it is text
_LINK = re.compile(r"\](?=[(\[:])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_MENTION = re.compile(r"@(?=\w)")
_ISSUE = re.compile(r"(#|\bGH-)(?=\d)", re.IGNORECASE)
_ADDRESS = re.compile(r"\b(https?|ftp)(?=://)|\b(www)(?=\.)|\b(mailto|xmpp)(?=:)", re.IGNORECASE)
_LEADING = re.compile(r"^(\s*)(#{1,6}(?=\s|$)|>|[+-](?=\s|$)|-{2,}\s*$|=+\s*$|\d{1,9}(?=[.)](?:\s|$)))")
_OUR_ADDRESS = re.compile(r"https://[\w.-]+(?:/[\w./?=&%~:+#-]*)?")


def markdown(text: str) -> str:
    """Return text for the inside of a paragraph, a list item, a heading or a table cell of GitHub's Markdown."""
    text = _MARKDOWN_CHARACTERS.sub(r"\\\g<0>", plain(text))
    text = _LINK.sub(r"\\]", _UNDERSCORE.sub(r"\\_", text))
    text = _ENTITY.sub("&amp;", text).replace("<", "&lt;")
    text = _MENTION.sub("@" + _BREAK, text)
    text = _ISSUE.sub(rf"\1{_BREAK}", text)
    return _leading(_ADDRESS.sub(rf"\g<0>{_BREAK}", text))


def _leading(text: str) -> str:
    match = _LEADING.match(text)
    if not match:
        return text
    space, mark = match.groups()
    return f"{mark}\\{text[match.end() :]}" if mark.isdigit() else f"\\{text[len(space) :]}"


def markdown_reference(text: str) -> str:
    """Return a reference with its ``https`` addresses as links and all else escaped."""
    out, last = [], 0
    for match in _OUR_ADDRESS.finditer(plain(text)):
        address = match.group().rstrip(".,;:)")
        out += [markdown(plain(text)[last : match.start()]) if match.start() > last else "", f"<{address}>"]
        last = match.start() + len(address)
    rest = plain(text)[last:]
    # The first character of the rest stands after a link, so it cannot begin a list or a heading.
    return "".join([*out, markdown(rest) if rest else ""])


def code(text: str, table: bool = False) -> str:
    """Return an inline code span; ``table`` also keeps a pipe from ending the cell."""
    text = plain(text) or " "
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    if table:
        text = text.replace("|", "\\|")
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fence(lines: list[str] | tuple[str, ...], info: str = "text") -> str:
    """Return ``lines`` in a fenced block whose fence is longer than any run of backticks inside."""
    lines = [plain(line) for line in lines]
    longest = max((len(run) for line in lines for run in re.findall(r"`{3,}", line)), default=2)
    ticks = "`" * max(3, longest + 1)
    return "\n".join([ticks + info, *lines, ticks])


# ----------------------------------------------------------------------------------------------------------- HTML
def html(text: str) -> str:
    """Return text for an HTML element or a quoted attribute."""
    return _html.escape(plain(text), quote=True)


def json_in_html(text: str) -> str:
    """Return JSON text that may stand inside a script element."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
