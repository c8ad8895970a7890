"""An optimiser that is stepped in code that never clears the gradients."""

from __future__ import annotations

from collections.abc import Iterator

from logdoctor.codefacts._record import CodeFact, Module, Pattern, call_name, calls


def find(modules: tuple[Module, ...]) -> Iterator[CodeFact]:
    """Look for files that call ``backward`` and an optimiser's ``step`` while no file read calls ``zero_grad``."""
    if any(any(calls(module.tree, "zero_grad")) for module in modules):
        return
    for module in modules:
        steps = [call for call in calls(module.tree, "step") if "optim" in call_name(call).lower()]
        if steps and any(calls(module.tree, "backward")):
            what = "the optimiser is stepped and zero_grad() is called nowhere: gradients pile up from step to step"
            supports = {"gradients-not-cleared": 2.5, "learning-rate-too-high": 0.3}
            yield module.fact("zero-grad-missing", steps[0].lineno, what, supports)


PATTERN = Pattern(id="zero-grad-missing", title="Gradients never cleared", find=find)
