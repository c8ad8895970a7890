"""Lines that hold a record: ``step 10 | loss 0.5 | lr 1e-3``, ``loss = 0.5, step = 10``, progress bars."""

from __future__ import annotations

from logdoctor.parsers._record import Parser
from logdoctor.parsers._scan import scan

PARSER = Parser(
    id="keyvalue",
    title="Key-value lines",
    description="Counters and name-value pairs of one line; the separator is a colon, an equals sign, a bar or blanks."
    " A value in brackets after a value is its running average. Progress bars keep their last state.",
    sample="step 10/300 | loss 2.31 | lr 1.0e-03 | 12.5 ms\nstep 20/300 | loss 2.05 | lr 1.0e-03 | 12.4 ms\n"
    "step 30/300 | loss 1.87 | lr 1.0e-03 | 12.6 ms\n",
    expect={"loss": 1.87, "learning_rate": 1e-3},
)

__all__ = ["PARSER", "scan"]
