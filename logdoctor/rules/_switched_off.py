"""Columns that are zero because the part of the program that they measure is switched off."""

from __future__ import annotations

from logdoctor.rules._outcome import label
from logdoctor.rules._rows import say
from logdoctor.view import RunView

EXPERT = ("expert_ratio_start", "expert_ratio_end")
# Loss -> the weights of which one at zero switches it off.
WEIGHTS = {
    "c_loss": ("continuous_loss_weight", "bc_loss_weight"),
    "bc_loss": ("bc_loss_weight",),
    "d_loss": ("discrete_loss_weight",),
    "value_loss": ("vf_coef",),
}
CLONED = frozenset({"c_loss", "bc_loss"})  # losses that imitate an expert's moves: none without an expert
HEADS = {"spin_agreement": "c_loss"}  # agreement of a head -> the loss that trains it


def switched_off(view: RunView, name: str) -> str:
    """Return why ``name`` is zero by configuration, as a clause, or an empty text where nothing says so."""
    for weight in WEIGHTS.get(name, ()):
        if view.number(weight) == 0:
            return f"{weight} is 0"
    if name not in CLONED:
        return ""
    share = view.raw("expert_ratio")
    if share is not None and len(share) and not share.value.any():
        return f"{label(share)} is 0 in all {len(share):,} rows, so there are no expert moves to learn from"
    given = [view.number(key) for key in EXPERT]
    if given[0] == 0 and not given[1]:
        return f"{EXPERT[0]} is {say(0.0)}, so there are no expert moves to learn from"
    return ""


def untrained(view: RunView, agreement: str) -> bool:
    """Whether the head behind ``agreement`` gets no training: its loss is zero throughout, by configuration."""
    loss = HEADS.get(agreement, "")
    series = view.get(loss) if loss else None
    return series is not None and not series.value.any() and bool(switched_off(view, loss))
