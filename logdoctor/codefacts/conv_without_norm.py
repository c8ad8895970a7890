"""A stack of convolutions in which no layer normalises."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.codefacts._record import CodeFact, Module, Pattern, calls, classes

CONVOLUTIONS = ("Conv1d", "Conv2d", "Conv3d", "LazyConv2d", "Conv2D", "Conv1D")
NORMALISERS = (
    "LayerNorm", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm2d", "RMSNorm",
    "LayerNormalization", "BatchNormalization", "GroupNormalization", "weight_norm", "spectral_norm", "layer_norm",
)  # fmt: skip


def find(modules: tuple[Module, ...]) -> Iterator[CodeFact]:
    """Look for classes with two or more convolutions and no normaliser."""
    for module in modules:
        for owner in classes(module.tree):
            convolutions = list(calls(owner, *CONVOLUTIONS))
            if len(convolutions) >= 2 and not any(calls(owner, *NORMALISERS)):
                what = f"{owner.name} stacks {len(convolutions)} convolutions and normalises nowhere"
                supports = {"feature-normalisation-missing": 2.0, "unnormalised-inputs": 0.5}
                yield module.fact("conv-without-norm", convolutions[0].lineno, what, supports)


PATTERN = Pattern(id="conv-without-norm", title="Convolutions without normalisation", find=find)
