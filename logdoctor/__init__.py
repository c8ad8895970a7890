"""logdoctor reads a training log and says what went wrong, when, why, and what to change.

What the command line does, these functions do:

>>> from logdoctor import check, compare, diagnose, read_log, render
>>> from logdoctor.demo import sample
>>> log, config, _ = sample("q_divergence")

>>> diagnosis = diagnose(log, hyperparameters=config)
>>> diagnosis.verdict
'critical'
>>> finding = next(f for f in diagnosis.findings if f.name == "q-divergence")
>>> finding.onset.line
39
>>> render(diagnosis, "json").startswith('{')
True

>>> run = read_log(log)
>>> run.reading.rows, float(run.frame["q_max"].max())
(45, 2028.48)

>>> checked = check(log, against=diagnosis)
>>> checked.count("not met") > 0
True
>>> compare(log, log).outcome
'same'

The public names are bound lazily, so that ``logdoctor --help`` loads neither pandas nor scipy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from logdoctor.checking import check as check
    from logdoctor.comparison import compare as compare
    from logdoctor.engine import diagnose as diagnose
    from logdoctor.engine import render as render
    from logdoctor.model import Diagnosis as Diagnosis
    from logdoctor.model import RunLog as RunLog
    from logdoctor.reader import read_log as read_log
    from logdoctor.sweeping import sweep as sweep

_HOMES = {
    "read_log": "logdoctor.reader",
    "diagnose": "logdoctor.engine",
    "render": "logdoctor.engine",
    "compare": "logdoctor.comparison",
    "check": "logdoctor.checking",
    "sweep": "logdoctor.sweeping",
    "RunLog": "logdoctor.model",
    "Diagnosis": "logdoctor.model",
}

__all__ = ["Diagnosis", "RunLog", "__version__", "check", "compare", "diagnose", "read_log", "render", "sweep"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'logdoctor' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
