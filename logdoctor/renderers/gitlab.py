"""GitLab code quality: an array of issues. The rule's id stands in the description, since the host hides check_name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from logdoctor.model import Diagnosis
from logdoctor.renderers._ci import Anchor, Entry, config_anchor, entries, failures, log_anchor, message, unjudged
from logdoctor.renderers._escape_ci import line, unlinked
from logdoctor.renderers._record import Renderer, RenderOptions
from logdoctor.renderers.json_report import dump

_SEVERITIES = {"critical": "critical", "warning": "major", "info": "info"}


def render(diagnoses: Sequence[Diagnosis], options: RenderOptions) -> str:
    """Return the array for all ``diagnoses``; what could not be read or judged is a blocker."""
    issues = [_issue(entry, options) for entry in entries(diagnoses) if not entry.finding.benign]
    for path, reason in (*failures(options), *unjudged(diagnoses, options)):
        issues.append(
            _record("not-judged", unlinked(reason, 500), "blocker", Anchor(path=path, line=1), f"not-judged {path}")
        )
    return dump(issues, indent=2) + "\n"


def _issue(entry: Entry, options: RenderOptions) -> dict[str, Any]:
    finding = entry.finding
    severity = "info" if finding.known else _SEVERITIES[finding.severity]
    anchor = config_anchor(entry, options) or log_anchor(entry)
    return _record(finding.name, f"{finding.id}: {message(entry)}", severity, anchor, entry.identity)


def _record(name: str, description: str, severity: str, anchor: Anchor, identity: str) -> dict[str, Any]:
    return {
        "description": description,
        "check_name": name,
        "fingerprint": hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest(),
        "severity": severity,
        "location": {"path": _path(anchor.path), "lines": {"begin": anchor.line}},
    }


def _path(path: str) -> str:
    """Return the path as the host wants it: relative, with slashes, without a leading ``./``."""
    path = line(path).replace("\\", "/").lstrip("/")
    while path.startswith("./"):
        path = path[2:]
    return path or "stdin"


RENDERER = Renderer(id="gitlab", title="GitLab code quality", suffixes=(".gitlab.json", ".json"), render=render)
