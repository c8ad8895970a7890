# ruff: noqa: E501 - a table of patterns, one kind of line after the other
"""What the lines look like that say that something happened: one table, the first pattern that fits wins."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from logdoctor.hyperparameter_names import canonical, snake, value_of
from logdoctor.model import Scalar

_N = r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_WORD = re.compile(r"[A-Za-z]{4}|[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of line; it holds one of ``hints`` in lower case. ``name`` and ``value`` are taken from the match where they are functions."""

    kind: str
    hints: tuple[str, ...]
    regex: re.Pattern[str]
    name: str | Callable[[re.Match[str]], str] = ""
    value: Callable[[re.Match[str]], Scalar] | None = None


def _setting_name(match: re.Match[str]) -> str:
    return canonical(match["name"]) or snake(match["name"])


def _setting_value(match: re.Match[str]) -> Scalar:
    return value_of(match["value"].rstrip("."))


def _number(match: re.Match[str]) -> Scalar:
    found = match["value"] if "value" in match.re.groupindex else None
    return value_of(found) if found else None


def _switch(match: re.Match[str]) -> Scalar:
    return match["value"].lower() in {"on", "true", "enabled"}


def _words(match: re.Match[str]) -> str:
    return snake(re.sub(r"\d+", "", match["name"]))


_CHANGE = r"(?:adjusted|changed|set|reduced|increased|decreased|lowered|raised|reset|decayed|updated|dropped|annealed|switched)"
_TO = rf"(?:from\s+{_N}\s*)?(?:to|->|→|=>)\s*(?:config value:?\s*)?(?P<value>{_N}%?)"


def _p(
    kind: str,
    hints: str,
    pattern: str,
    name: str | Callable[[re.Match[str]], str] = "",
    value: Callable[[re.Match[str]], Scalar] | None = None,
    flags: int = 0,
) -> Pattern:
    return Pattern(kind, tuple(hints.split("|")), re.compile(pattern, flags), name, value)


_I = re.IGNORECASE
PATTERNS: tuple[Pattern, ...] = (
    _p("oom", "memory|oom|exhausted|bad_alloc|alloc", r"out of memory|OutOfMemory|oom[-_ ]?kill|RESOURCE_EXHAUSTED|std::bad_alloc|^MemoryError|can(?:no|')t allocate memory"
       r"|CUBLAS_STATUS_ALLOC_FAILED|OOM when allocating", "out_of_memory", None, _I),
    _p("killed", "cancelled", r"CANCELLED AT .*DUE TO (?P<name>[A-Z ]+)", lambda m: snake(m["name"])),
    _p("killed", "kill|signal 9|exit", r"^Killed\b|\bSIGKILL\b|signal 9\b|exit ?code:? ?(?:-9|137)\b|exited with (?:code|status) 137", "sigkill"),
    _p("killed", "sigterm|signal|terminated|exit", r"\bSIGTERM\b|SignalException|^Terminated\b|exit ?code:? ?(?:-15|143)\b|[Rr]eceived (?:signal 15|15 death signal)", "sigterm"),
    _p("killed", "interrupt", r"^KeyboardInterrupt\b|[Tt]raining (?:was )?interrupted|[Ii]nterrupted by user", "keyboard_interrupt"),
    _p("error", "fault|bus error|core dumped|aborted|fatal", r"[Ss]egmentation fault|\bBus error\b|core dumped|^Aborted\b|Fatal Python error", "crash"),
    _p("error", "nccl|watchdog", r"NCCL (?:error|WARN|timeout)|ncclInternalError|ncclSystemError|Watchdog caught collective", "nccl"),
    _p("error", "cuda|device-side|cudnn|illegal", r"CUDA error|device-side assert|CUDNN_STATUS|cuDNN error|illegal memory access", "cuda"),
    _p("overflow", "overflow", rf"[Gg]radient overflow.*?(?:scale to:?\s*(?P<value>{_N}))|OVERFLOW!.*reducing to (?P<other>{_N})",
       "loss_scale", lambda m: value_of(m["value"] or m["other"])),
    _p("overflow", "overflow|skipping", r"[Gg]radient overflow|OVERFLOW!|[Ss]kipping step.*(?:overflow|scale)|overflow.*[Ss]kipping", "gradient_overflow"),
    _p("error", "nan|inf|non|loss became|loss diverged|loss went", r"[Ll]oss is (?:nan|inf|NaN|not finite)|[Nn]on-?finite loss|(?:NaN|Inf)s? (?:or \w+ )?(?:found|detected|encountered)"
       r"|[Ll]oss (?:became|diverged|went) ", "non_finite"),
    _p("hyperparameter-change", "adjusted|changed| set |reduced|increased|decreased|lowered|raised|reset|decayed|updated|dropped|annealed|switched", rf"^[\W_]*(?:Epoch\s*\d+:?\s*)?(?P<name>[A-Za-z][A-Za-z _\-]{{1,30}}?)\s+(?:was |is |has been )?{_CHANGE}\s+{_TO}",
       _setting_name, _setting_value, _I),
    _p("hyperparameter-change", "ing learning|ing the |ing lr|ing entropy|ing epsilon|ing beta|ing clip|ing batch|ing tau|ing gamma", rf"(?:reducing|adjusting|lowering|raising|increasing|decreasing|setting|changing|updating)\s+(?:the\s+)?"
       rf"(?P<name>learning rate|lr|entropy coef\w*|epsilon|beta|clip range|batch size|tau|gamma)(?:\s+of group \d+)?\s+{_TO}",
       _setting_name, _setting_value, _I),
    _p("hyperparameter-change", "override", rf"^[\W_]*(?P<name>[A-Za-z][\w ]{{1,24}}?):\s*(?P<value>{_N}%?)\s*\((?:manual )?override\)",
       lambda m: (canonical(m["name"]) or snake(m["name"])).removesuffix("_start"), _setting_value),
    _p("override", "mode|override", r"^[\W_]*(?P<name>(?:[A-Z]\w*\s){0,2}(?:[Mm]ode|[Oo]verride)):\s*(?P<value>ON|OFF|[Tt]rue|[Ff]alse|[Ee]nabled|[Dd]isabled)\b",
       _words, _switch),
    _p("start", "no existing|no saved|starting from", r"[Nn]o (?:existing|saved) (?:model|checkpoint).*|[Ss]tarting from scratch", "fresh"),
    _p("start", "configuration", r"^[\W_]*(?:[A-Z][A-Z0-9 ]*[-–:]\s*)?(?:[A-Z]+ )*CONFIGURATION\s*$", "banner"),
    _p("start", "script start", r"^[\W_]*Script Start\b", "script"),
    _p("start", "training", r"^[\W_]*(?:\[\w+\]\s*)?(?:[Tt]raining started|[Ss]tart(?:ed|ing) training(?: loop| from scratch)?\W*$|Running training\W*$)", "training"),
    _p("note", "resuming", rf"[Rr]esuming (?P<name>epsilon|[a-z]+_[a-z_]+):\s*(?P<value>{_N}%?)\s*$", _words, _number),
    _p("resume", "resum", rf"[Rr]esum(?:ing|ed)\b[^:]{{0,40}}?\b(?:frame|step|iter(?:ation)?|epoch|timestep|update|episode)s?:?\s*(?P<value>{_N})", "step", _number),
    _p("resume", "load|restored|resum|continu", rf"(?:[Ll]oaded|[Rr]estored|[Rr]esum\w+|[Cc]ontinu\w+)\b.*\(?(?:epoch|step|iteration|iter)[:=\s]+(?P<value>{_N})\)?", "step", _number),
    _p("resume", "resum|continuing", r"^[\W_]*(?:\[\w+\]\s*)?(?:[Rr]esum(?:ing|ed)|[Cc]ontinuing) (?:training|from|run|at)\b", "checkpoint"),
    _p("model-load", "load|restor", r"^[\W_]*(?:[Ll]oaded|[Ll]oading|[Rr]estor(?:ed|ing))\b(?!.*(?:%\||it/s|dataset|data |image|sample|token|train|librar|shards))"
       r".*\b(?:model|checkpoint|weights|optimi[sz]er|state|\.pth?|\.ckpt|\.zip)\b", "model"),
    _p("model-load", "load|restor", r"^[\W_]*(?:[Mm]odel|[Oo]ptimi[sz]er)\b[\w ]{0,20}\b(?:loaded|restored)\b", "model"),
    _p("checkpoint", "sav|writ|wrote", r"^[\W_]*(?:\[?\w+\]?:?\s){0,3}?(?:[Ss]aving|[Ss]aved|[Ww]riting|[Ww]rote)\b.*(?:\b|_)(?:model|checkpoints?|weights|state|snapshot|ckpt"
       r"|\.pth?|\.zip|best)\b", "saved"),
    _p("checkpoint", "saved|new best|saving", r"\b(?:[Mm]odel|[Cc]heckpoint|state)\b[\w .'/\\-]{0,60}\bsaved\b|[Nn]ew best (?:model|checkpoint|score|mean)|saving next best", "saved"),
    _p("checkpoint", "guardad|guardando|salvo |salvando|salvat|sauvegard|gespeichert|сохран|保存|저장", r"\b(?:[Mm]odel\w*|[Mm]od[eè]l\w*|[Cc]heckpoint|модель|best|mejor|melhor|meilleur)"
       r"|[Мм]одел|лучш|模型|最优|最佳|最好|モデル|모델", "saved"),
    _p("shutdown", "stopp", r"(?<!for )(?<!use )[Ee]arly[ -]?[Ss]topp(?:ing|ed)\b(?=\W*$|[\s:,]*(?:at|after|triggered|because|condition|epoch|training|\())|EarlyStopping:|[Ss]topping early|^Stopping\. Best", "early_stopping"),
    _p("shutdown", "quit|shut", r"[Qq]uit command received|[Ss]hutting down|[Ss]hutdown complete", "quit"),
    _p("shutdown", "train|tuning|run|optimi", r"^[\W_]*(?:\[\w+\]\s*)?(?:[Tt]raining|[Ff]inetuning|[Pp]retraining|[Rr]un|[Oo]ptimization)(?: is| was| has)? ?"
       r"(?:complete[d]?|finished|done|ended|successful)\b|^[\W_]*(?:[Dd]one|[Ff]inished) training\b|Optimization Done|[Tt]raining completed", "completed"),
    _p("shutdown", "训练|訓練|学習|학습|обучение|entrenamiento|treinamento|entra|training", r"^[\W_]*(?:(?:模型)?(?:训练|訓練)(?:已|已经)?(?:完成|结束|完毕)|学習が?(?:完了|終了)|학습\s?(?:완료|종료)"
       r"|обучение завершено|entrenamiento (?:completado|finalizado|terminado)|treinamento (?:conclu[ií]do|finalizado)|entra[iî]nement termin[ée]|training (?:beendet|abgeschlossen))\W*$", "completed", None, _I),
    _p("shutdown", "process finished", r"^Process finished with exit code 0\b", "completed"),
    _p("alert", "🔴|🚨|💥|❌|alert", r"[🔴🚨💥❌]\s*(?P<name>[\w ]{3,60})|CRITICAL ALERT|\bALERT\b", lambda m: snake(m["name"] or "alert")),
    _p("alert", "detected", rf"(?P<name>(?:[A-Z]{{3,}} ){{0,3}}[A-Z]{{3,}}) DETECTED\b(?:.*?[=:]\s*(?P<value>{_N}))?", _words, _number),
    _p("error", "error|exception|exit", r"^(?:[\w.]+\.)?(?P<name>[A-Z]\w*(?:Error|Exception|Exit))(?::|$)", lambda m: snake(m["name"])),
    _p("error", "error", r"^[\W_]*(?P<name>(?:[A-Za-z]+ ){0,3}[Ee]rror(?: [a-z]+){0,3}(?: \d+)?):\s+(?:[A-Za-z]+ \S+|\[Errno|'|\")", _words),
    _p("alert", "⚠", r"^[\W_]*⚠\ufe0f?\s*(?:WARNING:?\s*)?(?P<name>[A-Za-z][\w ]{2,50})", _words),
    _p("alert", "warning", rf"^(?:WARNING|Warning)(?::\s+|\s*!+\s*)(?P<name>[A-Za-z][\w ]{{2,50}})(?:.*?[=:]\s*(?P<value>{_N}))?", _words, _number),
)  # fmt: skip

# Plain searches for these are 15 times faster than one expression on the rows that are no events.
_ALL = dict.fromkeys([*(hint for pattern in PATTERNS for hint in pattern.hints), "traceback", "fatal", "critical"])
_HINTS = tuple(hint for hint in _ALL if hint.isascii())
_WIDE_HINTS = tuple(hint for hint in _ALL if not hint.isascii())


def may_tell(text: str) -> bool:
    """Whether a line can be an event at all; cheap, above all on rows of numbers."""
    if not _WORD.search(text):
        return False
    low = text.lower()
    return any(hint in low for hint in _HINTS) or (not low.isascii() and any(hint in low for hint in _WIDE_HINTS))
