"""A short name for a finding that is the same from run to run, so that reports can be compared.

It is made of the rule, its metrics and the order of magnitude of the place; never of a line number, a value or a
word of the summary, since those move with the seed. A second finding of the same kind at the same place is counted.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from logdoctor.model import Finding, Place

_PER_DECADE = 2  # two places a decade: 1-3.2, 3.2-10, ...: an onset moves by less than this between seeds


def stamp(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with their fingerprints filled in."""
    seen: Counter[str] = Counter()
    stamped = []
    for finding in findings:
        key = _key(finding, _bucket(finding.onset))
        seen[key] += 1
        stamped.append(replace(finding, fingerprint=_digest(key, seen[key])))
    return tuple(stamped)


def candidates(finding: Finding) -> tuple[str, ...]:
    """Return the fingerprint of ``finding`` and those it would have had in the neighbouring places.

    An onset that sits on the border between two places must not turn a known finding into a new one.
    """
    bucket = _bucket(finding.onset)
    near = [bucket] if bucket is None else [bucket, bucket - 1, bucket + 1]
    names = [_digest(_key(finding, place), 1) for place in near]
    return tuple(dict.fromkeys([finding.fingerprint or names[0], *names]))


def _bucket(place: Place | None) -> int | None:
    if place is None:
        return None
    step = place.line if place.step is None else place.step
    return -1 if step < 1 else math.floor(_PER_DECADE * math.log10(step))


def _key(finding: Finding, bucket: int | None) -> str:
    return "\x1f".join((finding.id, *sorted(finding.metrics), "" if bucket is None else str(bucket)))


def _digest(key: str, count: int) -> str:
    text = key if count == 1 else f"{key}\x1f#{count}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
