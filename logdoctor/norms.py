"""Published hyperparameters per algorithm family, and how far a run's own settings lie from them.

A norm is a default and the range of values that published, working configurations use. It accuses nobody: a setting
outside of the range is named only together with a symptom, or when it is far outside. Each number has its source in
``REFERENCES``; the ranges are the smallest and the largest value found in those sources for the family, rounded
outwards to one digit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from logdoctor.model import Scalar

if TYPE_CHECKING:
    from logdoctor.view import RunView

REFERENCES = {
    "mnih2015": "Mnih et al. 2015, Human-level control through deep reinforcement learning, Extended Data Table 1",
    "wang2016": "Wang et al. 2016, Dueling Network Architectures (gradient norm clipped to 10)",
    "sb3": "Stable-Baselines3 documentation, default arguments of the algorithm",
    "zoo": "RL Baselines3 Zoo, tuned hyperparameters",
    "cleanrl": "CleanRL documentation, default arguments",
    "spinup": "OpenAI Spinning Up, default arguments of the algorithm",
    "schulman2017": "Schulman et al. 2017, Proximal Policy Optimization Algorithms, tables 3 to 5",
    "huang2022": "Huang et al. 2022, The 37 Implementation Details of PPO",
    "mnih2016": "Mnih et al. 2016, Asynchronous Methods for Deep Reinforcement Learning",
    "fujimoto2018": "Fujimoto et al. 2018, Addressing Function Approximation Error (TD3), table 3",
    "haarnoja2018": "Haarnoja et al. 2018, Soft Actor-Critic Algorithms and Applications, table 1",
    "lillicrap2016": "Lillicrap et al. 2016, Continuous control with deep reinforcement learning, section 7",
    "andrychowicz2021": "Andrychowicz et al. 2021, What Matters In On-Policy Reinforcement Learning?",
    "hessel2018": "Hessel et al. 2018, Rainbow, table 1",
    "shao2024": "Shao et al. 2024, DeepSeekMath (GRPO), section 4.2",
    "trl": "Hugging Face TRL documentation, default arguments of the trainer",
    "rafailov2023": "Rafailov et al. 2023, Direct Preference Optimization, appendix B",
    "kingma2015": "Kingma and Ba 2015, Adam",
    "he2016": "He et al. 2016, Deep Residual Learning, section 3.4 (SGD, rate 0.1)",
    "goyal2017": "Goyal et al. 2017, Accurate, Large Minibatch SGD",
    "loshchilov2019": "Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization",
    "brown2020": "Brown et al. 2020, Language Models are Few-Shot Learners, table 2.1",
    "hoffmann2022": "Hoffmann et al. 2022, Training Compute-Optimal Large Language Models",
    "zhang2022": "Zhang et al. 2022, OPT, section 2.2 and the training logbook",
    "nanogpt": "nanoGPT, train.py and config/train_shakespeare_char.py",
    "biderman2023": "Biderman et al. 2023, Pythia, table 6",
    "zaremba2014": "Zaremba et al. 2014, Recurrent Neural Network Regularization (SGD, rate 1, norm 5 and 10)",
    "merity2018": "Merity et al. 2018, Regularizing and Optimizing LSTM Language Models (SGD, rate 30, norm 0.25)",
    "hf": "Hugging Face Transformers documentation, TrainingArguments",
    "pascanu2013": "Pascanu et al. 2013, On the difficulty of training recurrent neural networks",
    "song2016": "Song et al. 2017, Reward-based training of recurrent neural networks (policy gradient, rate 0.004)",
    "playbook": "Godbole et al. 2023, Deep Learning Tuning Playbook",
    "srivastava2014": "Srivastava et al. 2014, Dropout",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """What is usual for one setting of one family.

    Attributes:
        default: the value one would begin with.
        low: smallest value of the published range.
        high: largest value of the published range.
        scale: ``log`` (a factor matters), ``linear``, or ``horizon`` (1/(1-x) matters, for discounts).
        optimizer: holds only for this optimiser (part of its name in lower case); empty for any.
        off_is_usual: whether leaving the setting off is what the family does.
        sources: keys of :data:`REFERENCES`.
    """

    parameter: str
    default: float
    low: float
    high: float
    sources: tuple[str, ...]
    scale: str = "log"
    optimizer: str = ""
    off_is_usual: bool = False

    @property
    def reference(self) -> str:
        """The first source, in words."""
        return REFERENCES[self.sources[0]]


def _n(parameter: str, default: float, low: float, high: float, *sources: str, **more: str | bool) -> Norm:
    return Norm(parameter=parameter, default=default, low=low, high=high, sources=sources, **more)  # type: ignore[arg-type]


_GAMMA = _n("gamma", 0.99, 0.9, 0.999, "mnih2015", "zoo", scale="horizon")
_VALUE = (
    _n("target_update", 10_000, 10, 50_000, "mnih2015", "hessel2018", "zoo"),
    _n("tau", 0.005, 0.001, 0.05, "haarnoja2018", "lillicrap2016", "zoo"),
    _n("n_step", 3, 1, 10, "hessel2018", "mnih2016"),
    _n("buffer_size", 1_000_000, 10_000, 10_000_000, "mnih2015", "zoo"),
    _n("reward_scale", 1.0, 0.01, 10.0, "mnih2015", "haarnoja2018"),
)
_ON_POLICY = (
    _n("gae_lambda", 0.95, 0.8, 1.0, "schulman2017", "andrychowicz2021", scale="linear"),
    _n("vf_coef", 0.5, 0.1, 1.0, "sb3", "huang2022"),
    _n("max_grad_norm", 0.5, 0.3, 5.0, "huang2022", "andrychowicz2021"),
    _n("reward_scale", 1.0, 0.01, 10.0, "andrychowicz2021"),
)

NORMS: dict[str, tuple[Norm, ...]] = {
    "dqn": (
        _n("learning_rate", 2.5e-4, 1e-5, 5e-3, "mnih2015", "sb3", "zoo"),
        _GAMMA,
        *_VALUE,
        _n("max_grad_norm", 10.0, 0.5, 40.0, "wang2016", "sb3"),
        _n("epsilon_start", 1.0, 0.1, 1.0, "mnih2015", scale="linear"),
        _n("epsilon_end", 0.05, 0.001, 0.15, "mnih2015", "zoo"),
        _n("updates_per_sample", 0.25, 0.03, 2.0, "mnih2015", "sb3"),
    ),
    "ppo": (
        _n("learning_rate", 3e-4, 2e-5, 3e-3, "schulman2017", "zoo"),
        _GAMMA,
        *_ON_POLICY,
        _n("n_epochs", 10, 3, 30, "schulman2017", "zoo"),
        _n("clip_range", 0.2, 0.1, 0.4, "schulman2017", "andrychowicz2021"),
        _n("ent_coef", 0.005, 1e-8, 0.05, "schulman2017", "zoo", off_is_usual=True),
        _n("target_kl", 0.01, 0.003, 0.05, "spinup", off_is_usual=True),
        _n("batch_size", 64, 32, 65_536, "schulman2017", "zoo"),
    ),
    "a2c": (
        _n("learning_rate", 7e-4, 2e-5, 5e-3, "mnih2016", "sb3", "zoo"),
        _GAMMA,
        *_ON_POLICY,
        _n("ent_coef", 0.01, 1e-8, 0.1, "mnih2016", "zoo", off_is_usual=True),
    ),
    "sac": (
        _n("learning_rate", 3e-4, 3e-5, 3e-3, "haarnoja2018", "zoo"),
        _GAMMA,
        *_VALUE,
        _n("max_grad_norm", 10.0, 0.5, 40.0, "wang2016", off_is_usual=True),
        _n("gradient_steps", 1, 1, 64, "haarnoja2018", "zoo"),
    ),
    "td3": (
        _n("learning_rate", 1e-3, 3e-5, 3e-3, "fujimoto2018", "sb3", "zoo"),
        _n("actor_learning_rate", 1e-3, 3e-5, 3e-3, "fujimoto2018", "lillicrap2016"),
        _n("critic_learning_rate", 1e-3, 3e-5, 3e-3, "fujimoto2018", "lillicrap2016"),
        _GAMMA,
        *_VALUE,
        _n("exploration_noise", 0.1, 0.05, 0.5, "fujimoto2018", "zoo"),
        _n("max_grad_norm", 10.0, 0.5, 40.0, "wang2016", off_is_usual=True),
        _n("policy_delay", 2, 1, 4, "fujimoto2018"),
    ),
    "pg": (
        _n("learning_rate", 3e-4, 1e-5, 1e-2, "spinup", "song2016"),
        _GAMMA,
        _n("max_grad_norm", 1.0, 0.3, 10.0, "pascanu2013", "huang2022"),
        _n("ent_coef", 0.01, 1e-8, 0.1, "mnih2016", "zoo", off_is_usual=True),
        _n("reward_scale", 1.0, 0.01, 10.0, "andrychowicz2021"),
    ),
    "grpo": (
        _n("learning_rate", 1e-6, 1e-7, 5e-5, "shao2024", "trl"),
        _n("max_grad_norm", 1.0, 0.1, 1.0, "trl"),
        _n("clip_range", 0.2, 0.1, 0.4, "shao2024", "trl"),
    ),
    "dpo": (
        _n("learning_rate", 1e-6, 1e-8, 5e-5, "rafailov2023", "trl"),
        _n("max_grad_norm", 1.0, 0.1, 10.0, "trl"),
    ),
    "supervised": (
        _n("learning_rate", 1e-3, 1e-5, 1e-2, "kingma2015", "playbook", optimizer="adam"),
        _n("learning_rate", 0.1, 1e-3, 0.5, "he2016", "goyal2017", optimizer="sgd"),
        _n("learning_rate", 1e-3, 1e-5, 0.5, "kingma2015", "he2016"),
        _n("weight_decay", 1e-4, 1e-6, 0.1, "he2016", "loshchilov2019", off_is_usual=True),
        _n("dropout", 0.1, 0.0, 0.6, "srivastava2014", scale="linear", off_is_usual=True),
        _n("momentum", 0.9, 0.0, 0.99, "he2016", scale="linear", off_is_usual=True),
        _n("max_grad_norm", 1.0, 0.1, 10.0, "pascanu2013", off_is_usual=True),
        _n("n_layers", 3, 1, 200, "he2016"),
    ),
    "llm": (
        _n("learning_rate", 0.05, 1e-3, 0.5, "he2016", optimizer="sgd"),
        _n("learning_rate", 6e-4, 1e-6, 3e-3, "brown2020", "nanogpt", "biderman2023", "hf"),
        _n("max_grad_norm", 1.0, 0.3, 2.0, "brown2020", "nanogpt"),
        _n("weight_decay", 0.1, 1e-3, 0.2, "brown2020", "loshchilov2019", off_is_usual=True),
        _n("beta2", 0.95, 0.9, 0.999, "brown2020", "zhang2022", scale="linear"),
        _n("dropout", 0.0, 0.0, 0.3, "nanogpt", scale="linear", off_is_usual=True),
    ),
}
NORMS["rl"] = (
    _n("learning_rate", 3e-4, 1e-5, 5e-3, "sb3", "zoo"),
    _GAMMA,
    *_VALUE,
    _n("max_grad_norm", 0.5, 0.3, 40.0, "huang2022", "wang2016", off_is_usual=True),
    _n("ent_coef", 0.005, 1e-8, 0.1, "zoo", off_is_usual=True),
)

NORMS["pretraining"] = (
    _n("learning_rate", 0.05, 1e-3, 0.5, "he2016", optimizer="sgd"),
    _n("learning_rate", 6e-4, 3e-5, 3e-3, "brown2020", "nanogpt", "biderman2023"),
    *(n for n in NORMS["llm"] if n.parameter != "learning_rate"),
)

NORMS["recurrent"] = (  # word-level recurrent language models, plain SGD on truncated backpropagation
    _n("learning_rate", 20.0, 0.1, 40.0, "merity2018", "zaremba2014"),
    _n("max_grad_norm", 0.25, 0.1, 10.0, "merity2018", "zaremba2014"),
    _n("dropout", 0.4, 0.0, 0.8, "merity2018", "zaremba2014", scale="linear", off_is_usual=True),
)
RECURRENT = re.compile(r"(^|[^a-z])(lstm|gru|qrnn|rnn)", re.IGNORECASE)

SGD_RATE = 0.1  # a hundred times the usual rate of Adam, at which no model of that optimiser learns
FROM_SCRATCH = 3.0  # nats; a fine-tuned model begins below it, a new one at ln(vocabulary), 4.2 for 65 characters
OFF_ABOVE = 100.0  # a gradient norm limit above this never acts: 10 is the largest default in use (wang2016)


@cache
def norm_of(family: str | None, parameter: str, optimizer: str = "") -> Norm | None:
    """Return the norm of ``parameter`` for ``family``, that of the optimiser where there is one."""
    found = [n for n in NORMS.get(family or "", ()) if n.parameter == parameter]
    name = optimizer.lower()
    fitting = [n for n in found if n.optimizer and n.optimizer in name]
    return next(iter(fitting), None) or next((n for n in found if not n.optimizer), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One setting beside its norm. ``factor`` > 1: that many times beyond the range (1 inside of it)."""

    parameter: str
    value: float
    norm: Norm
    side: str
    factor: float
    line: int | None = None
    source: str = "log"
    given: Scalar = None

    @property
    def range_text(self) -> str:
        """The published range, in words."""
        return f"{number(self.norm.low)} to {number(self.norm.high)}"


def number(value: float) -> str:
    """Write a setting the way one types it: at most four significant digits, no trailing zeros."""
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e6):
        mantissa, exponent = f"{value:.3e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def excess(norm: Norm, value: float) -> tuple[str, float]:
    """Return the side (``above``, ``below``, ``inside``) and the factor by which ``value`` leaves the range.

    On a log scale the factor is the ratio to the nearer bound; for a discount the ratio of the horizons 1/(1-gamma);
    on a linear scale one plus the distance in widths of the range.
    """
    if norm.low <= value <= norm.high:
        return "inside", 1.0
    above = value > norm.high
    side, bound = ("above", norm.high) if above else ("below", norm.low)
    if norm.scale == "horizon":
        if value >= 1.0:
            return side, math.inf
        ratio = (1 - bound) / (1 - value)
        return side, ratio if above else 1 / ratio
    if norm.scale == "linear":
        return side, 1 + abs(value - bound) / max(norm.high - norm.low, 1e-12)
    if value <= 0:
        return side, math.inf
    return side, value / bound if above else bound / value


def judge_value(view: RunView, parameter: str, value: float) -> Judgement | None:
    """Return how ``value`` compares with the norm of ``parameter`` in this run's family, or None without a norm."""
    norm = norm_of(_key(view), parameter, str(view.value("optimizer") or ""))
    if norm is None or not math.isfinite(value):
        return None
    side, factor = excess(norm, value)
    if norm.off_is_usual and value == 0:
        side, factor = "inside", 1.0
    return Judgement(parameter=parameter, value=value, norm=norm, side=side, factor=factor, given=value)


def judge(view: RunView, parameter: str) -> Judgement | None:
    """Return how a setting of this run compares with its norm, or None when it is not given or has no norm."""
    setting = view.setting(parameter)
    value = None if setting is None else as_number(setting.value)
    if parameter == "ent_coef" and value is not None:
        value = abs(value)  # some programs add the entropy term to the loss, with a negative sign
    found = None if value is None else judge_value(view, parameter, value)
    if found is None or setting is None:
        return None
    return replace(found, line=setting.line, source=setting.source, given=setting.value)


def judge_all(view: RunView) -> Iterator[Judgement]:
    """Yield the judgement of every setting that has a norm in this run's family; the learning rate first."""
    yield from learning_rates(view)
    for parameter in dict.fromkeys(n.parameter for n in NORMS.get(_key(view) or "", ())):
        found = judge(view, parameter) if parameter not in LEARNING_RATES else None
        if found is not None:
            yield found


FEWEST = 3  # printed rates of which the largest is a peak; one alone may be the end of a schedule
LEARNING_RATES = ("learning_rate", "actor_learning_rate", "critic_learning_rate")


def learning_rates(view: RunView) -> Iterator[Judgement]:
    """Yield every learning rate of the run beside its norm: the settings, or else the peak of the printed column.

    The peak is what counts: a schedule may begin and end anywhere below it.
    """
    given = [_in_force(view, found) for name in LEARNING_RATES if (found := judge(view, name)) is not None]
    column = view.finite("learning_rate")
    if (
        column is not None and len(column) >= FEWEST and column.value.any() and "(1e" not in column.raw_name
    ):  # ``lr (1e-4)`` prints its own unit
        top = int(column.value.argmax())
        found = judge_value(view, "learning_rate", float(column.value[top]))
        if found is not None and (not given or found.value > 1.5 * max(g.value for g in given)):
            given.append(replace(found, line=int(column.line[top]), source="log"))
    yield from given


def _in_force(view: RunView, stated: Judgement) -> Judgement:
    """Return the judgement of the largest value that an event of the run gave the setting, where it is larger."""
    for event in view.events("hyperparameter-change", "override"):
        value = as_number(event.value) if event.name == stated.parameter else None
        if value is not None and value > stated.value and (found := judge_value(view, stated.parameter, value)):
            stated = replace(found, line=event.line, source="log")
    return stated


def as_number(value: Scalar) -> float | None:
    """Return a setting as a number; ``lin_0.001`` (a schedule of the RL Zoo) counts as its starting value."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    found = re.fullmatch(r"(?:lin_|linear_|const_)?([-+]?\d*\.?\d+(?:e[-+]?\d+)?)", value.strip().lower())
    return float(found.group(1)) if found else None


def _key(view: RunView) -> str | None:
    """Return the family, language models split into recurrent ones, those from scratch and fine-tuned ones."""
    family = view.family
    if family == "llm" and _plain_sgd(view):
        return "recurrent"
    loss = view.finite("loss") if family == "llm" else None
    return "pretraining" if loss is not None and float(loss.value[0]) >= FROM_SCRATCH else family


def _plain_sgd(view: RunView) -> bool:
    """Whether a language model is trained as recurrent ones are: it says so, or learns at a rate no other bears."""
    optimizer = str(view.value("optimizer") or "").lower()
    if "adam" in optimizer:
        return False
    if view.setting("bptt") or RECURRENT.search(str(view.value("model", "rnn_type") or "")):
        return True
    if view.setting("model") or optimizer:
        return False
    rate = max((r for r in (view.number("learning_rate"), _peak(view)) if r is not None), default=0.0)
    held = view.first("val_perplexity", "perplexity", "val_loss", "loss")
    return rate >= SGD_RATE and held is not None and float(held.value[-1]) < 0.9 * float(held.value[0])


def _peak(view: RunView) -> float | None:
    column = view.finite("learning_rate")
    return float(column.value.max()) if column is not None and len(column) else None


def clipping_off(view: RunView) -> bool | None:
    """Return whether gradient clipping is off (None where the settings do not say)."""
    setting = view.setting("max_grad_norm")
    if setting is None:
        return None
    if setting.value is None or setting.value is False:
        return True
    value = as_number(setting.value)
    if value is None:
        return str(setting.value).strip().lower() in {"none", "null", "off", "inf", "false", "disabled"}
    return not 0 < value <= OFF_ABOVE
