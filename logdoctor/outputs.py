"""Where the output goes: which format, which file, and a standard output that may be ASCII, a terminal or closed."""

from __future__ import annotations

import codecs
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from logdoctor.errors import InputError, UsageError
from logdoctor.registry import records
from logdoctor.renderers._record import Renderer, RenderOptions
from logdoctor.settings import near_miss

STDOUT = "-"
_ASCII = {
    "→": "->", "←": "<-", "…": "...", "–": "-", "—": "-", "−": "-", "×": "x", "·": ".", "•": "*", "≥": ">=", "≤": "<=",
    "≈": "~", "±": "+-", "Δ": "Delta", "σ": "sigma", "γ": "gamma", "τ": "tau", "ε": "epsilon", "β": "beta", "‘": "'",
    "’": "'", "“": '"', "”": '"', "\u00a0": " ", "\u202f": " ", "✓": "+", "✗": "x", "│": "|", "─": "-", "▶": ">",
    "▁": "_", "▂": "_", "▃": ".", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "█": "#", "²": "^2", "⁻": "-",
    "▲": "^", "✅": "[ok]", "🔴": "[x]", "⚠": "[!]", "ℹ": "[i]", "❔": "[?]", "\ufe0f": "", "\u200b": "",
    "⁰": "^0", "¹": "^1", "³": "^3", "⁴": "^4", "⁵": "^5", "⁶": "^6", "⁷": "^7", "⁸": "^8", "⁹": "^9",
    "η": "eta", "κ": "kappa",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One output: a format and a file (``-`` is standard output)."""

    format: str
    file: str = STDOUT


def suffixes() -> dict[str, tuple[str, ...]]:
    """Return the file suffixes that each output format of a diagnosis claims, the most typical first."""
    renderers: dict[str, Renderer] = records("logdoctor.renderers", "RENDERER")
    return {renderer.id: renderer.suffixes for renderer in renderers.values()}


def plan(
    format: str | None,
    files: Sequence[str | Path],
    *,
    default: str,
    known: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Target, ...]:
    """Decide which format goes where.

    The suffix of a file implies its format, unless ``format`` is one that such a file can hold. Standard output gets
    ``format`` when it was asked for and no file took it, and ``default`` when there is nothing else.

    Args:
        format: the format that was asked for.
        files: where to write; ``-`` is standard output.
        default: the format of standard output when nothing was asked for.
        known: format -> suffixes; those of a diagnosis when None.

    Raises:
        UsageError: a format is unknown, or a file's suffix implies none.
    """
    known = suffixes() if known is None else known
    if format is not None and format not in known:
        raise UsageError(f"unknown format {format!r}{near_miss(format, known)}")
    targets = [Target(format=_format_of(str(file), format, default, known), file=str(file)) for file in files]
    if not targets or (format is not None and all(target.format != format for target in targets)):
        targets.insert(0, Target(format=format or default))
    return tuple(targets)


def _format_of(file: str, wanted: str | None, default: str, known: Mapping[str, Sequence[str]]) -> str:
    if file == STDOUT:
        return wanted or default
    name = Path(file).name.lower()

    def claim(id: str) -> tuple[int, int]:
        """Length of the longest suffix that fits, then how early the format names it."""
        fits = [(len(s), -i) for i, s in enumerate(known[id]) if name.endswith(s)]
        return max(fits, default=(0, 0))

    if wanted is not None and claim(wanted)[0]:
        return wanted
    best = max(known, key=claim)
    if claim(best)[0]:
        return best
    if wanted is None:
        listed = ", ".join(item[0] for item in known.values() if item)
        raise UsageError(f"{file}: the suffix implies no format ({listed}); name one with --format")
    return wanted


def default_format(stream: TextIO | None = None) -> str:
    """Return ``terminal`` for a terminal and ``markdown`` for a pipe or a file."""
    return "terminal" if is_terminal(stream or sys.stdout) else "markdown"


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody looks at ``stream``."""
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def wants_color(choice: str, stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Decide on colour: ``always`` and ``never`` win, then NO_COLOR, then FORCE_COLOR, then whether it is a terminal.

    Raises:
        UsageError: ``choice`` is none of ``auto``, ``always`` and ``never``.
    """
    environ = os.environ if environ is None else environ
    if choice not in {"auto", "always", "never"}:
        raise UsageError(f"--color must be auto, always or never, not {choice!r}")
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int:
    """Return the columns to write for: the terminal's, 80 elsewhere."""
    return max(40, shutil.get_terminal_size((80, 24)).columns) if is_terminal(stream) else 80


def carries_unicode(stream: TextIO) -> bool:
    """Whether ``stream`` can print what reports are written with."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        "→▁█×".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def write(text: str, target: Target) -> None:
    """Write ``text`` to the target; a reader who has closed the pipe is no error.

    Raises:
        InputError: the file cannot be written.
    """
    if target.file == STDOUT:
        say(text, sys.stdout)
        return
    try:
        Path(target.file).write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise InputError(f"{target.file} cannot be written: {error.strerror or error}") from None


def write_chunks(chunks: Iterable[str], target: Target) -> None:
    """Write pieces of text one after another; see :func:`write`."""
    if target.file == STDOUT:
        all(say(chunk, sys.stdout) for chunk in chunks)  # stops at the first that nobody reads
        return
    try:
        with Path(target.file).open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(chunks)
    except OSError as error:
        raise InputError(f"{target.file} cannot be written: {error.strerror or error}") from None


def say(text: str, stream: TextIO) -> bool:
    """Write ``text`` whatever the stream's encoding; return False when the reader has gone."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(text.encode(encoding, "logdoctor").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        _forget(stream)
        return False
    return True


def talk(text: str) -> None:
    """Write a line to standard error, with control characters made visible."""
    safe = "".join(c if c == "\n" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    say(safe + "\n", sys.stderr)


def _forget(stream: TextIO) -> None:
    """Point a closed pipe to nowhere, so that neither a later write nor the interpreter's last flush fails."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass


def _transliterate(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(_ASCII.get(c, "?") for c in bad), error.end


codecs.register_error("logdoctor", _transliterate)


def options_for(target: Target, base: RenderOptions, color: str = "auto") -> RenderOptions:
    """Return ``base`` fitted to the place the output goes to."""
    if target.file != STDOUT:
        return replace(base, width=80, color=color == "always")
    stream = sys.stdout
    extra = {**base.extra, "ascii": not carries_unicode(stream)}
    return replace(base, width=width_of(stream), color=wants_color(color, stream), extra=extra)
