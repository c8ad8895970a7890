"""The files of ``--figures``: where each picture lies, and how Markdown shows it."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import quote

from logdoctor.model import Diagnosis
from logdoctor.renderers import _svg
from logdoctor.renderers._escape import markdown
from logdoctor.renderers._record import RenderOptions


def folder(diagnosis: Diagnosis, *, many: bool) -> str:
    """Return the folder of a diagnosis inside the directory of figures: one a log when there are several."""
    if not many:
        return ""
    stem = PurePath(diagnosis.source.path.replace("\\", "/")).stem
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in stem).strip(".")[:60]
    return f"{safe or 'log'}-{diagnosis.source.sha256[:8] or 'x'}"


def pictures(diagnosis: Diagnosis, *, many: bool) -> dict[str, str]:
    """Return path inside the directory of figures -> SVG."""
    inside = folder(diagnosis, many=many)
    return {f"{inside}/{name}" if inside else name: svg for name, svg in _svg.figures(diagnosis).items()}


def links(diagnosis: Diagnosis, options: RenderOptions) -> str:
    """Return the pictures as Markdown images, relative to the report; empty without ``options.figures``."""
    if options.figures is None:
        return ""
    base = options.figures.rstrip("/")
    paths = pictures(diagnosis, many=bool(options.extra.get("lines", False)))
    return "\n\n".join(
        f"![{markdown(PurePath(path).stem)}]({quote(f'{base}/{path}' if base else path, safe='/._-~')})"
        for path in paths
    )
