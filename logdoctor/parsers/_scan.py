"""Left to right over one line: counters, ``name sep value unit (second)`` pairs, values before their name, phases.

What has been understood is masked (same length), so every span is a span in the line as given to :func:`scan`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from logdoctor.names import PHASES, canonical, counter, fold, squash, words
from logdoctor.parsers._recall import Recall
from logdoctor.parsers._record import EMPTY, Cell, Count, Scan
from logdoctor.values import FINITE, MISSING, NUMBER, OK, Value, parse

_MASK = "\x00"
_INT = r"\d{1,3}(?:,\d{3})+|\d+"
_WORDS = (
    r"global[ _]?steps?|env[ _]?steps?|total[ _]?(?:env[ _]?)?(?:time)?steps?|time[ _]?steps?|steps?"
    r"|iterations?|iters?|itr|it|epochs?|episodes?"
    r"|updates?|mini[ _-]?batch(?:es)?|batch(?:es)?|rounds?|ticks?|kimg|frames?|games?|trials?|generation"
    r"|ep\.?|up\.|sen\.|iterates?|更新"
    # Spanish, Portuguese, French, Italian, German, Polish, Turkish, Russian
    r"|[ée]po(?:ca|que)s?|epoche[n]?|epoka|d[öo]nem|pasos?|passos?|[ée]tape|schritt|krok|ad[ıi]m"
    r"|iteraci[óo]n(?:es)?|itera[çc](?:[ãa]o|[õo]es)|it[ée]rations?|iterazione|iteracja|epis[óo]dios?|[ée]pisodes?|epizod"
    r"|эпоха|эпохи|шаг|итерация|итерации|эпизод"
    r"|エポック|ステップ|エピソード|轮次|轮|迭代次数|迭代|步数|周期|回合|에폭"
)
_BEFORE = (
    r"(?:(?:start|end|of|val|epoch|accumulation|optimizer|learning|global|total|num|completed|training|train|current|env|environment|optimizer|gradient|outer"
    r"|processing|finished|end of|agent|valid|validation|eval|test|after|at|update|policy|the|online|starting|start of"
    r"|begin|beginning|running|evaluating)[ _]){0,3}"
)
_COUNTER = re.compile(
    rf"(?<![\w/@.])(?P<name>{_BEFORE}(?:{_WORDS}))(?P<sep>\s*[:=#*]\s*#?\s*\[?\s*|\s+#?|\s*(?:\((?:train|val|test)\)\s*)?\[\s*)"
    rf"(?P<n>{_INT})(?:(?P<scale>[kKMB])(?![\w]))?(?![\d.]*\.\d|[eE][-+]?\d|[\w%])"
    rf"(?:\s*(?:/|of(?=\s))\s*(?P<total>{_INT}|\?|inf))?\s*\]?(?:\s*\(\s*\d+(?:\.\d+)?\s*%\s*\))?",
    re.IGNORECASE,
)
_INNER = re.compile(rf"[:,]?\s*\[\s*(?P<n>{_INT})\s*/\s*(?P<total>{_INT})\s*(?:\(\s*\d+(?:\.\d+)?%\s*\))?\s*\]")
_LEADING = re.compile(
    rf"\s*(?:\[#?(?P<round>\d+)\](?=[\s:])|(?P<n>{_INT})\s*/\s*(?P<total>{_INT})(?=\s*:|\s{{2,}}|\s*\(|\s=\s|,\s|\s-\s+[A-Za-z]|\s+[A-Za-z_]\w*=|\s+(?:examples|samples|images|words|sentences)\b)\s*:?|(?P<only>\d+):(?=\s)"
    r"|>?\s*(?P<first>\d{1,9})[\s:]+(?=\[?(?P<named>[A-Za-z]\w*(?: [A-Za-z]\w*)?)\s*[:=]\s*[-+]?\d)"
    r"|(?P<bare>\d{1,9})(?=\s*\|\s*[A-Za-z]|\s+-?\d+\.\d+\s*(?:ms|s)\b))"
)
_PAIR_LEADING = re.compile(
    rf"\s*\[\s*(?:epoch\s*)?(?P<a>{_INT})(?:\s*/\s*(?P<b>{_INT}))?\s*(?:\]\s*\[|,\s*)\s*(?P<c>{_INT})(?:\s*/\s*(?P<d>{_INT}))?\s*\]",
    re.IGNORECASE,
)
_ESPNET = re.compile(r"(?P<epoch>\d+)epoch(?::(?P<phase>\w+))?(?::(?P<first>\d+)-(?P<last>\d+)batch)?[:\s]")
_WORD_RATIO = re.compile(
    rf"(?P<word>train(?:ing)?|val(?:id(?:ation)?)?|test|eval(?:uation)?)\s*(?::\s*(?P<open>\[)?\s*|(?P<round>\())(?P<n>{_INT})(?(round)\s*/\s*(?P<of>{_INT})\)|(?:\s*/\s*(?P<total>{_INT})(?(open)\s*\](?=\s*\[))|(?(open)\](?=\s*\[)|(?=\s*\[))))\s*(?:\(\s*\d+(?:\.\d+)?%\s*\))?",
    re.IGNORECASE,
)
_TWO_LEADING = re.compile(r"^\s*(?P<a>\d{1,7})\s+(?P<b>\d{1,9})\s+(?=[A-Za-z_]\w*\s*[=:]\s*[-+\dn])")
# ``[3/100] Loss_D: 0.5``
_PLACE = re.compile(
    rf"^\s*[\[(]\s*(?P<n>{_INT})\s*/\s*(?P<total>{_INT})\s*[\])]"
    r"(?=(?:\s*[|:-])?\s+[A-Za-z]\w*(?:[ _]\w+)?\s*[:=]\s*[-+]?\d|\s*:?\s*$)"
)
# ``3. epoch: loss=0.5``, ``3rd epoch``
_ORDINAL_FRONT = re.compile(
    rf"^\s*(?P<n>{_INT})(?:\.|st|nd|rd|th)?\s+(?P<word>epoch|iteration|episode|round|step)(?=\s*[:,|]|\s+-\s|\s*$)",
    re.IGNORECASE,
)
# ``Epoch-3 loss=0.5``
_HYPHENED = re.compile(
    r"^\s*[\[(]?(?P<word>epoch|iteration|iter|episode|round|step|ep(?=\.))[-.](?P<n>\d+)(?:/(?P<total>\d+))?(?=[\s:,|\])]|$)",
    re.IGNORECASE,
)
# ``E03: train=0.5``, ``e03 | loss 0.5``
_SHORT_EPOCH = re.compile(
    r"^\s*\[?(?P<letter>[eE](?P<n>\d{1,4}))\]?(?=\s*[:|]\s*[A-Za-z]\w*\s*[=:\s]\s*[-+]?\d)",
)
# ``t=00050 | eps=0.2``: the letter of a loop in front of the pairs
_LETTER = re.compile(r"^\s*[tikn]\s*[=:]\s*(?P<n>\d{1,12})(?=\s*[|,;]?\s+[A-Za-z_]\w*\s*[=:])")
_CELL_EPOCH = re.compile(
    rf"(?<=\|)\s*(?:train|val|test)\s*:\s*\[(?P<a>{_INT})\]\s*\[\s*(?P<c>{_INT})\s*/\s*(?P<d>{_INT})\s*\]",
    re.IGNORECASE,
)
# ``Epoch1/5|Iter123(4/200)|``
_GLUED_COUNTER = re.compile(
    rf"(?<![\w./\-])(?P<word>epoch|iter|step)(?P<n>\d+)(?:/(?P<total>{_INT}))?(?=[\s|:,\](]|$)(?:\(\d+/\d+\))?",
    re.IGNORECASE,
)
_EPOCH_PHASE = re.compile(
    rf"^\s*(?P<n>{_INT})\s*/\s*(?P<total>{_INT})\s*\*\s*Epoch\s*(?:\d+\s*)?\((?=\w)", re.IGNORECASE
)
# ``Score at iteration 300 is 0.5``, ``Training average loss at step 100: 0.5``
_AT = re.compile(
    rf"^\W*(?:The\s+)?(?P<name>[A-Za-z][\w '\-/]*?)\s+(?:at|after|on|for|in|of(?=\s+[A-Za-z]))\s+"
    rf"(?:(?P<counter>{_WORDS})\s+(?P<n>{_INT})(?:-(?P<last>{_INT}))?|(?P<m>{_INT})\s+(?P<counted>{_WORDS}))\s*(?:is|was|:|=)\s*"
    rf"(?P<value>{NUMBER})(?![\w:/])",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"^\s*(?P<name>(?:train(?:ing)?|val(?:id(?:ation)?)?|test|eval(?:uation)?) (?:loss|error|acc(?:uracy)?)) "
    rf"(?P<n>{_INT}):\s+"
    rf"(?P<value>{NUMBER})(?![\w:/])",
    re.IGNORECASE,
)
# `` Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.321``
_COCO = re.compile(
    r"^\s*Average (?:Precision|Recall)\s+\((?P<what>AP|AR)\) @\[ ?IoU=(?P<iou>[\d.:]+)\s*\| area=\s*(?P<size>\w+)\s*\|"
    rf" maxDets=\s*(?P<most>\d+) ?\] = (?P<value>{NUMBER})"
)
_THRESHOLDS = {"0.50": "50", "0.75": "75"}
_SIZES = {"small": "_small", "medium": "_medium", "large": "_large"}
# ``Overall average objective function for 'output' is -0.5 + -0.01 = -0.51 over 5120 frames.``
_OVER = re.compile(
    rf"^\W*(?P<name>[A-Za-z][A-Za-z ]+?)(?: for '?(?P<of>[\w\-]+)'?)? is (?P<value>{NUMBER})"
    rf"(?: \+ {NUMBER} = (?P<sum>{NUMBER}))? over {NUMBER} \w+\b",
    re.IGNORECASE,
)
_SPAN = re.compile(
    rf"(?<!\w)(?P<word>batch|iter|step)\w*\s*\[(?:{_INT})-(?P<n>{_INT})\]", re.IGNORECASE
)  # ``Batch [0-180]``
# ``[eval @ 5,000]``, ``step @ 500``: behind what is no metric at a cut-off (``recall @ 10``)
_AT_SIGN = re.compile(
    rf"(?:(?<![\w@])(?:(?P<word>{_WORDS})|eval(?:uation)?|val(?:id(?:ation)?)?|test|train(?:ing)?)\s*|[\[(|]\s*|^\s*)"
    rf"@\s*(?:(?P<name>{_WORDS})\s*[=:]?\s*)?(?P<n>{_INT})(?P<scale>[kKM])?(?![\w.%])",
    re.IGNORECASE,
)
# ``第 3 轮``: the counted thing stands behind its number
_NTH = re.compile(
    rf"第\s*(?P<n>{_INT})\s*(?:/\s*(?P<total>{_INT})\s*)?(?P<word>轮次|轮|步|次迭代|回合|周期|エポック|epoch)(?:训练|驗證|验证)?",
    re.IGNORECASE,
)
_TUPLE = re.compile(rf"\(\s*['\"](?P<name>[^'\"]+)['\"]\s*,\s*(?P<value>{NUMBER})\s*\)", re.IGNORECASE)
_GLUED = re.compile(r"(?<![\w.])(?P<name>(?:[A-Za-z]+_)?(?:loss|acc|auc))(?P<value>\d+\.\d+)(?![\w.])")
_SUMMED = re.compile(rf"(?P<name>[A-Za-z_]\w*)==?\[(?P<value>{NUMBER})\s*=[^\[\]]*\]", re.IGNORECASE)
_BEHIND_BAR = re.compile(
    rf"(?:^|\x00)[\s:|]*(?P<name>[A-Za-z][\w \-/]*?)\s+\|\s+(?P<value>{NUMBER})\s*$", re.IGNORECASE
)
_IN_LIST = re.compile(
    rf"(?<=,)\s*(?P<name>[A-Za-z][\w/]*(?: \w+)?)\s*,\s*(?P<value>{NUMBER})(?=\s*(?:,|$))", re.IGNORECASE
)
_ONLY_VALUE = re.compile(rf"^[\s\x00:]*(?P<value>{NUMBER})\s*$", re.IGNORECASE)
_GROUP = re.compile(r"(?P<name>[A-Za-z_]\w*)\[(?P<inside>[^\[\]]*=[^\[\]]*)\]")
_AFTER = re.compile(
    rf"^\W*(?:after|at)\s+(?P<n>{_INT})\s+(?:training\s+)?(?P<word>updates|iterations|steps?(?=\(s\)|s?\b)|episodes|epochs|timesteps|frames)(?:\(s\))?(?!\w)",
    re.I,
)
# ``-- text at 10000 its:``, above what belongs to it
_AT_ITS = re.compile(
    rf"\bat\s+(?P<n>{_INT})\s+(?P<word>its|iters|iterations|steps|updates|epochs)\s*:?\s*$", re.IGNORECASE
)
_CELL_COUNT = re.compile(
    rf"(?<=[|\x00])\s*(?P<n>{_INT})\s*/\s*(?P<total>{_INT})(?:\s+(?P<word>batches|steps|iters|iterations))?\s*(?=[|\x00]|$|\s\s|\s\w+=)"
)
_TQDM = re.compile(
    r"(?P<pct>\d+(?:\.\d+)?)%\s*\|(?P<bar>[^|]*)\|\s*(?P<n>[\d.,]+[kMG]?)/(?P<total>[\d.,]+[kMG]?)(?:\s*\w+)?\s*(?:\[(?P<inside>.*)\])?"
)
_TQDM_OPEN = re.compile(r"(?<![\w.])(?P<n>\d+)it\s*\[(?P<inside>.*)\]")
_RATE = re.compile(
    r"\s*(?:[\d:]+|\?)(?:<(?:[\d:]+(?: day[^,]*)?|\?))?\s*,?\s*(?:(?:\?|[\d.]+)\s*(?:\w+/s|s/\w+|\w+/\w+))?\s*,?"
)
_KERAS = re.compile(
    rf"^\s*(?P<n>{_INT})/(?P<total>{_INT}|Unknown|\?)\s*(?:\[[=>.\-]*\]|[━╸╺─╍-]{{2,}}|[━╸╺─╍]|-(?=\s+(?:ETA|\d)))\s*(?:-\s+)?"
    r"(?:(?:ETA|\d+s?)[:\s]*[\d:]*\s*\d*[smh]*\s*)?(?P<time>\d+(?:\.\d+)?(?:[smhuµμn]|ms|us)*(?:\s+\d+(?:\.\d+)?[a-zµμ]+/(?:step|epoch|sample))?)?"
)
# The time of a step after a Keras bar, in whatever unit suits the moment; a column needs one unit, so all become ms.
_STEP_TIME = re.compile(r"(?P<value>\d+(?:\.\d+)?)(?P<unit>us|μs|µs|ms|s)/(?:step|sample)")
_IN_MS = {"us": 1e-3, "μs": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}
# ``Linear(in_features=64, bias=True)``: code, not values; wrapped numbers are no calls.
_CALL = re.compile(r"\b(?!(?:tensor|array|Array)\()[A-Za-z_][\w.]*\((?:[^()]|\([^()]*\))*=(?:[^()]|\([^()]*\))*\)?")
_TIME = re.compile(
    r"(?<![\w.:])(?:\d+ days?, )?\d{1,3}:\d{2}(?::\d{2})?(?:\.\d+)?(?!\w|:\d)"
    r"|(?<![\w.])(?:\d+d\s?)?(?:\d{1,3}h\s?)?\d{1,3}m(?:in)?\s?\d{1,2}(?:\.\d+)?s\b"
    r"|(?<![\w./])\d{1,2}[/.]\d{1,2}[/.]\d{4}(?![\w./])(?:[-T_ ,]{1,3}\d{1,2}:\d{2}(?::\d{2})?)?"
    r"|(?<![\w.])\d{1,3}h\s\d{1,2}m\b|\d{4}-\d{2}-\d{2}[T_ ]\d{2}[:-]\d{2}[:-]\d{2}\S*"
)
_PATH = re.compile(
    r"(?<![\w.\])/])(?:[A-Za-z]:\\|\.{1,2}/|~/|/(?=[A-Za-z_.~]))[\w.\-/\\=@+:%#&?~]*[\w/]|\w+://\S+"
    r"|\b[\w\-]+(?:/[\w.\-]+){2,}\.[A-Za-z]\w*\b|0x[0-9a-fA-F]+"
)

_UNITS = (
    r"%|ms/step|us/step|s/step|ms/batch|km/h|it/s|s/it|iters?/s(?:ec)?|(?:samples?|tokens?|tok|steps?|imgs?|images?|frames?|words?|pos|examples?|seqs?|batch(?:es)?|ex|sents?)/s(?:ec(?:onds?)?)?"
    r"|sec(?:onds?|s)?/\w+|seconds?|secs?|minutes?|mins?|hours?|hrs?|ms|us|µs|μs|ns|GiB|MiB|KiB|GB|MB|kB|KB|TB|dB|Hz|GHz|MHz|fps|FPS|TFLOPS?|GFLOPS?|points?|pts|steps?|frames?"
    r"|[kKMBTGbgsmh]|px|deg|rad|m/s|x"
)
_END = r"(?=$|[\s,;|)\]}>·•(!'\"\x00/]|\*(?![\w(])|\.(?:\s|$)|-\s|±|\+/?-|\+\d|/\d|:\s|\[)"
_WORDY = r"(?:fps|FPS|points?|pts|steps?|frames?|x|[kKMBTGbgh])"
_HARD_END = r"(?=$|[,;|)\]\x00]|\s\s|\.(?:\s|$))"
_PLAIN = rf"{NUMBER}(?:(?:{_UNITS}){_END}|\s(?:(?!{_WORDY}\b)(?:{_UNITS}){_END}|(?:{_UNITS}){_HARD_END})|{_END})"
_VALUE = (
    r"(?P<wrapped>(?:np\.|numpy\.|torch\.|jnp\.)?(?:float(?:16|32|64)?|int(?:32|64)?|tensor|array|Array)\([^()]*\))"
    r"|(?P<list>\[+[^\[\]]*\](?:[^\[\]]*\])*|\([^()=:]*,[^()=:]*\))"
    rf"|(?P<quoted>['\"]{NUMBER}%?['\"])"
    rf"|(?P<plain>{_PLAIN})"
    r"|(?P<missing>(?:None|null|N/A|n/a|NA|--+|nil)(?=$|[\s,;|)\]}]))"
)
_PAIR = re.compile(
    rf"(?:(?<![:=<>!])\s*[:=](?![:=])|(?<=[\w)\]%])\s*(?:={{1,3}}>|-{{1,2}}>|→|\.{{3,}}:?))[ \t]*(?:{_VALUE})",
    re.IGNORECASE,
)
_SECOND = re.compile(
    rf"\s*(?:\(\s*(?P<avg>{NUMBER})(?P<unit>%?)\s*\)|(?:±|\+/-|\+-|\+/−|\+(?=\d))\s*(?P<std>{NUMBER}))", re.IGNORECASE
)
_SPREAD = re.compile(rf"\s*\[\s*(?P<low>{NUMBER})\s*,\s*(?P<high>{NUMBER})\s*\]", re.IGNORECASE)
_ZSCORE = re.compile(r"\s*\(\s*[-+]?(?:[\d.]+|nan|inf)\s*z?(?:\s*)\)", re.IGNORECASE)
_SHARE = re.compile(rf"\s*\(\s*(?P<share>{NUMBER})\s*%\s*\)", re.IGNORECASE)
_OUTCOME = re.compile(rf"\s*(?:==?|->|→)\s*(?P<value>{NUMBER})(?P<pct>%?)(?![\w.])", re.IGNORECASE)
WHOLE = 4  # ranks below: steps, iterations and updates, which are whole numbers
_COUNTED = re.compile(r"acc|success|win|correct|solved", re.IGNORECASE)
_RATIO = re.compile(rf"\s*/\s*(?:{_INT})(?:\.\d+)?(?![\w.])")
_BLANK = re.compile(
    rf"(?<![\w./@=:])(?P<name>(?:[#%](?=\w))?[A-Za-zα-ωΑ-Ω][\w@/%.\-+Δδ#'\x01]*(?:\([\w\-]+\))?"
    rf"(?: [A-Za-zα-ω@(][\w@/.\-()']*){{0,4}}?)[ \t]+(?P<value>{_PLAIN})",
    re.IGNORECASE,
)
_REVERSED = re.compile(
    rf"^\s*\(?(?P<value>{NUMBER}[kM]?)\s*(?P<pct>%?)\s*(?P<name>[A-Za-zµμ][\w/ .]*?)\s*\)?\s*$", re.IGNORECASE
)
_DELIMITERS = re.compile(r"[,;|\t\x00\[{}\]>·•│┃║]|\s[-–—]\s|\s{2,}|[.!?:]\s+|=>\s")
_CHUNKS = re.compile(r"\s:\s|[,;|\t\x00(){}│┃║]+|\s[-–—]\s|\s{3,}")
_PHASE_TAG = re.compile(
    r"^\W*(?:end of |epoch\s*\(|on (?:the )?)?"
    r"(train(?:ing)?|val(?:id(?:at(?:e|ion|ing))?)?|eval(?:uat(?:e|ion|ing))?|test(?:ing)?|dev)\b",
    re.IGNORECASE,
)
_SPECIAL_TOTAL = frozenset({"?", "inf"})
# Names that belong to no phase, whatever stands before them on the line.
_PHASELESS = words(
    "lr learningrate time datatime fps epsilon memory eta maxmem mem gradnorm gnorm wd weightdecay "
    "momentum data itertime"
)
LONGEST_CHUNK = 80  # a value and its unit; a longer stretch is prose
MAX_SCAN = 20_000  # characters of one line that are looked at; longer lines are literals or damage


class _Pair(NamedTuple):
    name: str
    start: int
    at: int
    end: int
    match: re.Match[str]


def scan(text: str, recall: Recall | None = None) -> Scan:
    """Return the counters and values of one line (prefix already taken off); ``recall`` keeps the shapes of one log."""
    if len(text) > MAX_SCAN:
        text = text[:MAX_SCAN]
    if not _MAY_HOLD.search(text):
        return Scan(phase=_phase_of(text), title=text.strip()) if text.strip() else EMPTY
    if recall is None:
        return _scan(text)[0]
    key = recall.key(text)
    known = recall.get(key, text)
    if known is not None:
        return known
    found, free = _scan(text)
    recall.learn(key, text, found, free)
    return found


# ``Current Q1: mean=1.2, std=0.3``: the statistics are those of what stands before them.
_STATISTICS = frozenset({"mean", "std", "min", "max", "avg", "median"})
_COUNTED_LABEL = re.compile(r"^\w+ \d+ (?=\w)")  # ``Episode 30 reward stats``
_LABELLED = re.compile(r"^\s*(?P<label>[A-Za-z][\w ]{0,30}?)\s*:\s+(?:mean|std|min|max|avg|median)\s*=", re.IGNORECASE)
# ``Val. Loss``: the full stop ends no sentence.
_ABBREVIATED = re.compile(r"\b(val|valid|avg|ave|acc|max|min|std|train)\.\s(?=[A-Za-z])", re.IGNORECASE)
# ``dev   accuracy: 0.8``: aligned below ``train accuracy``
_APART = re.compile(
    r"(?P<phase>(?:^|[|,;:\]\d%])\s*(?:train|valid|val|dev|test|eval))(?P<blanks> {2,4})(?=[A-Za-z][\w@]*\s*[:=])",
    re.IGNORECASE,
)
_BETWEEN_BARS = re.compile(r"\|([A-Za-z]\w*(?: \w+)?)\|(?=\s*=)")  # ``|proj g|=``
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")  # ``current step: 102th step``
_MARKED_UP = re.compile(r"`|(?<!\w)\*\*|\*\*(?!\w)|(?<![\w)*])\*(?=\w)|(?<=\w)\*(?![\w*])")


def _together(match: re.Match[str]) -> str:
    return match["phase"] + "\x01" * len(match["blanks"])


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match.group())


_MAY_HOLD = re.compile(r"\d|nan|inf", re.IGNORECASE)


def _prepared(text: str) -> tuple[str, str]:
    """Return the line with numbers taken out of tensors and braces, and the same with names of several parts joined.

    Both are as long as the line.
    """
    if "tensor(" in text or "float" in text:
        text = _TENSOR.sub(_unwrapped, text)
    if "{" in text:
        text = _BRACED.sub(_opened, text)
    plain = _ABBREVIATED.sub("\\1.\x01", text)
    if "  " in plain:
        plain = _APART.sub(_together, plain)
    if "|" in plain:
        plain = _BETWEEN_BARS.sub("\x01\\1\x01", plain)
    if "<br" in plain:
        plain = _BREAK.sub(_spaces, plain)
    if _ORDINAL.search(plain):
        plain = _ORDINAL.sub(_spaces, plain)
    if "`" in plain or "**" in plain:
        plain = _MARKED_UP.sub(_spaces, plain)
    return text, plain


def _scan(text: str) -> tuple[Scan, list[tuple[int, int]]]:
    """Scan a line; also return the spans whose numbers mean nothing to the scan (clock times, bars)."""
    counters: list[Count] = []
    text, plain = _prepared(text)
    masked, bar = _bars(plain, counters)
    free = _masked_spans(masked)
    masked = _PATH.sub(_blank_out, masked) if "/" in masked or "\\" in masked else masked
    if "(" in masked and "=" in masked:
        masked = _CALL.sub(_called, masked)
    free += [match.span() for match in _TIME.finditer(masked)]
    masked = _TIME.sub(_blank_out, masked)
    cells: list[Cell] = []
    masked = _sentence(masked, counters, cells)
    masked = _count(masked, counters)
    phase = _phase_of(text) or _phase_counted(text)
    masked = _marked(masked, cells)
    shares: dict[str, tuple[float, ...]] = {}
    masked = _pairs(masked, counters, cells, shares)
    if "/s" in masked:
        masked = _rates(masked, cells)
    if " [" in masked:
        masked = _beside_lists(masked, cells, shares)
    masked = _blanks(masked, counters, cells)
    _reversed(masked, cells)
    if counters and not cells and ", " in masked:
        _listed_pairs(masked, cells)
    only = _ONLY_VALUE.match(masked) if not cells and counters and counters[0].name == "iteration" else None
    if only:
        value = parse(only["value"])
        cells.append(Cell("value", value.value, value.flag, None, only.start("value"), only.end("value")))
    _bar_time(text, cells)
    if not counters and len(cells) > 2:
        cells = _lettered(cells, counters)
    label = _LABELLED.match(text)
    if label is not None and cells:
        of = _COUNTED_LABEL.sub("", label["label"]) if counters else label["label"]
        cells = [
            cell._replace(name=f"{of} {cell.name}") if cell.name.lower() in _STATISTICS else cell for cell in cells
        ]
    cells.sort(key=lambda cell: cell.start)
    if len(cells) > 1 and not counters and _sizes(text, cells):
        cells.clear()
    if not cells and counters and counters[0].name == "round":
        counters.clear()  # a numbered item of a list
    title = "" if cells else _title(masked)
    return Scan(tuple(counters), tuple(_phased(cells, _phase_marks(text))), phase, title, bar, shares), free


def _sizes(text: str, cells: list[Cell]) -> bool:
    """Whether a line gives the sizes of the parts of a data set: ``train: 1400  val: 180  test (held-out): 180``."""
    parts = all(fold(re.split(r"[\s(]", cell.name, maxsplit=1)[0].lower()) in PHASES for cell in cells)
    whole = parts and all(cell.start >= 0 and text[cell.start : cell.end].replace(",", "").isdigit() for cell in cells)
    plain = whole and all(
        re.fullmatch(r"\w+(?:\s*\([\w\- ]+\)|[ _](?:set|size|samples|images|examples|data))?", cell.name)
        for cell in cells
    )
    return plain and max(cell.value for cell in cells) > 100  # no percentage


def _sentence(text: str, counters: list[Count], cells: list[Cell]) -> str:
    """Read ``Score at iteration 300 is 0.5``."""
    measured = _COCO.match(text) if "maxDets" in text else None
    if measured:
        value = parse(measured["value"])
        name = "".join(filter(None, (measured["what"], _THRESHOLDS.get(measured["iou"]), _SIZES.get(measured["size"]))))
        name += f"@{measured['most']}" if measured["what"] == "AR" and measured["size"] == "all" else ""
        cells.append(Cell(name, value.value, value.flag, None, *measured.span("value"), "val"))
        return _mask(text, 0, len(text))
    numbered = _NUMBERED.match(text) if ":" in text else None
    if numbered:  # ``Validation loss 100:  0.85``
        counters.append(Count("step", _integer(numbered["n"]), None, *numbered.span("n")))
        value = parse(numbered["value"])
        cells.append(Cell(numbered["name"], value.value, value.flag, None, *numbered.span("value")))
        return _mask(text, 0, numbered.end())
    match = _AT.match(text) if " " in text else None
    if match is None:
        over = _OVER.match(text) if " is " in text and " over " in text else None
        if over:
            group = "sum" if over["sum"] else "value"
            value = parse(over[group])
            name = f"{over['name']} for {over['of']}" if over["of"] else over["name"]
            cells.append(Cell(name, value.value, value.flag, None, over.start(group), over.end(group)))
            return _mask(text, 0, len(text))
        return text
    group = "last" if match["last"] else "n" if match["n"] else "m"
    name = match["counter"] or match["counted"]
    counters.append(Count(name, _integer(match[group]), None, match.start(group), match.end(group)))
    value = parse(match["value"])
    cells.append(
        Cell(match["name"].strip(), value.value, value.flag, value.unit, match.start("value"), match.end("value"))
    )
    return _mask(text, match.start(), match.end())


def _marked(text: str, cells: list[Cell]) -> str:
    """Read values that no sign separates from their name, and values in pairs of a list."""
    patterns = [_GLUED]
    if "/" in text and "(" in text:
        text = _of_two_phases(text, cells)
    if "('" in text or '("' in text:
        patterns.append(_TUPLE)
    if "=[" in text:
        patterns.append(_SUMMED)
    if " | " in text and not cells:
        patterns.append(_BEHIND_BAR)
    for pattern in patterns:
        for match in pattern.finditer(text):
            value = parse(match["value"])
            cells.append(
                Cell(match["name"].strip(), value.value, value.flag, None, match.start("value"), match.end("value"))
            )
            text = _mask(text, match.start("name"), match.end())
    return text


# ``Loss (train/val): 0.51/0.62``
_TWO_PHASES = re.compile(
    rf"(?<![\w.])(?P<what>[A-Za-z][\w@]*(?: [A-Za-z]\w*)?)\s*"
    rf"\((?P<one>train\w*)\s*/\s*(?P<two>val\w*|test|dev|eval\w*)\)\s*[:=]?\s*"
    rf"(?P<a>{NUMBER})%?\s*/\s*(?P<b>{NUMBER})(?![\w.])",
    re.IGNORECASE,
)


def _of_two_phases(text: str, cells: list[Cell]) -> str:
    for match in _TWO_PHASES.finditer(text):
        for phase, group in (("one", "a"), ("two", "b")):
            value = parse(match[group])
            cells.append(Cell(f"{match[phase]} {match['what']}", value.value, value.flag, None, *match.span(group)))
        text = _mask(text, match.start(), match.end())
    return text


_LETTERS = {"F": "frames", "S": "steps", "I": "iterations", "E": "episodes"}


def _lettered(cells: list[Cell], counters: list[Count]) -> list[Cell]:
    """Take ``F: 1000 | S: 500 | E: 1`` beside a return ``R`` for frames, steps and episodes."""
    names = {cell.name for cell in cells}
    if "R" not in names or "E" not in names:
        return cells
    counting = [cell for cell in cells if cell.name in _LETTERS and cell.value.is_integer()]
    counters += [Count(_LETTERS[cell.name], cell.value, None, cell.start, cell.end) for cell in counting]
    return [
        cell._replace(
            name={"R": "episode return", "L": "episode length", "BS": "buffer size"}.get(cell.name, cell.name)
        )
        for cell in cells
        if cell not in counting
    ]


def _listed_pairs(text: str, cells: list[Cell]) -> None:
    """Read ``step 10, loss_train, 0.838``: names and values as members of one list."""
    for match in _IN_LIST.finditer(text):
        value = parse(match["value"])
        cells.append(Cell(match["name"], value.value, value.flag, None, match.start("value"), match.end("value")))


# ``loss tensor(0.51, device='cuda:0')``
_TENSOR = re.compile(
    rf"(?<![\w.])(?:(?:torch\.)?tensor|np\.float\d+)\(\s*\[?\s*(?P<value>{NUMBER})\s*\]?(?:,[^()]*(?:\([^()]*\)[^()]*)*)?\)",
    re.IGNORECASE,
)


def _unwrapped(match: re.Match[str]) -> str:
    """Leave the number of a printed tensor alone, where it stands."""
    start, end = match.start("value") - match.start(), match.end("value") - match.start()
    whole = match.group()
    return " " * start + whole[start:end] + " " * (len(whole) - end)


# ``epoch: {1/300}, loss: {2.01}``
_BRACED = re.compile(rf"\{{(?P<value>\s*{NUMBER}\s*(?:/\s*(?:{_INT})\s*)?)\}}", re.IGNORECASE)


def _opened(match: re.Match[str]) -> str:
    return f" {match['value']} "


def _masked_spans(masked: str) -> list[tuple[int, int]]:
    return [match.span() for match in _MASKED.finditer(masked)] if _MASK in masked else []


_MASKED = re.compile("\x00+")


def _blank_out(match: re.Match[str]) -> str:
    return _MASK * (match.end() - match.start())


_RECORD = re.compile(r"\b(?:step|epoch|iter\w*)\s*=\s*\d.*\b\w*(?:loss|acc\w*|reward|return)\s*=", re.IGNORECASE)


def _called(match: re.Match[str]) -> str:
    """Blank a call out: code, unless it is a record (``Metrics(step=10, loss=0.5)``)."""
    whole = match.group()
    if not _RECORD.search(whole):
        return _MASK * len(whole)
    opened = whole.index("(") + 1
    return _MASK * opened + whole[opened:]


def _mask(text: str, start: int, end: int) -> str:
    return text[:start] + _MASK * (end - start) + text[end:]


def _bar_time(text: str, cells: list[Cell]) -> None:
    """Read the time per step that stands between a Keras bar and its values, beside values only."""
    keras = _KERAS.match(text) if cells and "/step" in text else None
    match = _STEP_TIME.search(text, keras.start("n"), keras.end() + 16) if keras else None
    if match:
        value = float(match["value"]) * _IN_MS[match["unit"]]
        cells.append(Cell("ms/step", value, "", "ms", match.start("value"), match.end("value")))


def _integer(text: str) -> float:
    return float(text.replace(",", ""))


def _total(text: str | None) -> float | None:
    return None if not text or not text[0].isdigit() else _integer(text)


def _bars(text: str, counters: list[Count]) -> tuple[str, str]:
    """Mask a progress bar, keep its counter, and say whether its values are running means of the epoch."""
    keras = _KERAS.match(text)
    if keras:
        counters.append(Count("", _integer(keras["n"]), _total(keras["total"]), keras.start("n"), keras.end("n")))
        return _mask(text, 0, keras.end()), "running"
    tqdm = (_TQDM.search(text) if "%|" in text or "% |" in text else None) or (
        _TQDM_OPEN.search(text) if "it [" in text else None
    )
    if tqdm is None:
        return text, ""
    groups = tqdm.groupdict()
    n = parse(groups["n"], count=True).value
    total = parse(groups["total"], count=True).value if groups.get("total") else None
    counters.append(Count("bar", n, total, tqdm.start("n"), tqdm.end("n")))
    inside = tqdm.start("inside")
    if inside < 0:
        return _mask(text, tqdm.start(), tqdm.end()), "live"
    rate = _RATE.match(text, inside)
    keep = rate.end() if rate else inside
    masked = _mask(text, tqdm.start(), keep)
    return _mask(masked, tqdm.end() - 1, tqdm.end()), "live"


_SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9}


def _count(text: str, counters: list[Count]) -> str:
    """Mask the counters of a line: named ones, ``[e][i/N]``, ``n/N:`` and ``[n]`` at its start."""
    espnet = _ESPNET.match(text)
    if espnet:
        counters.append(Count("epoch", _integer(espnet["epoch"]), None, espnet.start("epoch"), espnet.end("epoch")))
        if espnet["last"]:
            counters.append(Count("batch", _integer(espnet["last"]), None, espnet.start("last"), espnet.end("last")))
        return _mask(text, 0, espnet.end())
    text = _in_front(text, counters)
    for nth in _NTH.finditer(text):
        text = _put(text, nth, counters, (nth["word"], "n", "total"))
    for cell in _CELL_EPOCH.finditer(text):
        text = _put(text, cell, counters, ("epoch", "a", ""), ("batch", "c", "d"))
    at = _AT_SIGN.search(text) if "@" in text else None
    if at:
        value = _integer(at["n"]) * _SCALES.get(at["scale"] or "", 1.0)
        counters.append(Count(at["name"] or at["word"] or "step", value, None, at.start("n"), at.end("n")))
        text = _mask(text, at.start("word") if at["word"] else at.start("n") - 1, at.end())
    for span in _SPAN.finditer(text) if "-" in text else ():
        text = _put(text, span, counters, (span["word"], "n", ""))
    for glued in _GLUED_COUNTER.finditer(text):
        text = _put(text, glued, counters, (glued["word"], "n", "total"))
    position = 0
    while match := _COUNTER.search(text, position):
        position = match.end()
        if not _plausible(text, match):
            continue
        name = re.sub(r"\s+", " ", match["name"]).strip()
        value = _integer(match["n"]) * _SCALES.get(match["scale"] or "", 1.0)
        counters.append(Count(_bare(name), value, _total(match["total"]), match.start("n"), match.end("n")))
        end = match.end()
        text = _mask(text, match.start(), end)
        if "epoch" in name.lower() or name.lower().startswith("ep"):
            text = _inner(text, end, counters)
    return _unnamed(text, counters)


def _put(text: str, match: re.Match[str], counters: list[Count], *named: tuple[str, str, str]) -> str:
    """Add the counters of a match, each given as its name and the groups of its value and total; mask them."""
    for name, group, of in named:
        total = _total(match[of]) if of else None
        counters.append(Count(name, _integer(match[group]), total, match.start(group), match.end(group)))
    return _mask(text, match.start(named[0][1]), match.end())


def _in_front(text: str, counters: list[Count]) -> str:
    """Mask the counters at the beginning of a line."""
    both = _PAIR_LEADING.match(text)
    if both and re.search(r"[A-Za-z]\w*[\s:=]+[-+\d.n]", text[both.end() :]):
        text = _put(text, both, counters, ("epoch", "a", "b"), ("batch", "c", "d"))
    ratio = _WORD_RATIO.match(text)
    if ratio:
        text = _put(text, ratio, counters, ("epoch", "n", "of" if ratio["of"] else "total"))
        text = _inner(text, ratio.end(), counters)
    two = _TWO_LEADING.match(text)
    if two:
        text = _put(text, two, counters, ("epoch", "a", ""), ("batch", "b", ""))
    place = _PLACE.match(text)
    if place:
        text = _put(text, place, counters, ("iteration", "n", "total"))
    for pattern in (_ORDINAL_FRONT, _HYPHENED):
        front = pattern.match(text)
        if front:
            text = _put(text, front, counters, (front["word"], "n", "total" if "total" in front.groupdict() else ""))
    short = _SHORT_EPOCH.match(text)
    if short:
        text = _mask(_put(text, short, counters, ("epoch", "n", "")), short.start("letter"), short.end())
    letter = _LETTER.match(text)
    if letter:
        text = _put(text, letter, counters, ("step", "n", ""))
    phased = _EPOCH_PHASE.match(text)
    if phased:
        text = _put(text, phased, counters, ("epoch", "n", "total"))
    leading = _LEADING.match(text)
    if leading:
        text = _leading(text, leading, counters)
    above = _AT_ITS.search(text) if " at " in text else None
    if above:
        return _put(text, above, counters, (above["word"], "n", ""))
    after = _AFTER.match(text)
    return _put(text, after, counters, (after["word"], "n", "")) if after else text


def _unnamed(text: str, counters: list[Count]) -> str:
    """Mask counters without a name: ``200/ 2983 batches`` as a cell, ``[  32/ 1347]`` anywhere."""
    counters += [
        Count(cell["word"] or "", _integer(cell["n"]), _total(cell["total"]), cell.start("n"), cell.end("n"))
        for cell in _CELL_COUNT.finditer(text)
    ]
    text = _CELL_COUNT.sub(_blank_out, text)
    counters += [
        Count("", _integer(inner["n"]), _total(inner["total"]), inner.start("n"), inner.end("n"))
        for inner in _INNER.finditer(text)
    ]
    return _INNER.sub(_blank_out, text)


_BARE_PREFIX = re.compile(rf"^{_BEFORE}(?=(?:{_WORDS})$)", re.IGNORECASE)
_MEANINGFUL = frozenset(
    {"global", "total", "env", "environment", "agent", "learning", "completed", "gradient", "training"}
)


def _bare(name: str) -> str:
    """Drop words such as *processing* that say nothing about what is counted."""
    if counter(name):
        return name
    words = name.split()
    while len(words) > 1 and words[0].lower() not in _MEANINGFUL:
        words = words[1:]
    joined = " ".join(words)
    return joined if counter(joined) else words[-1]


def _plausible(text: str, match: re.Match[str]) -> bool:
    """Whether a counter stands where counters stand: not after another word of the same phrase, not a range."""
    before = text[: match.start()].rstrip(" ")
    if _PAIR_BEFORE.search(before):
        return True
    if (
        before
        and ((before[-1].isascii() and before[-1].isalpha()) or before[-1] in "_'")
        and len(before) + 2 > match.start()
        and not (_PASSES.search(match["name"]) and _NAMED_PART.fullmatch(before) and _ends(text, match))
    ):
        return False
    if _HOW_MANY.match(match["name"]):
        return False
    after = text[match.end() : match.end() + 12]
    if re.match(r"\s*[-–]\s?\d", after) and not re.match(r"\s+-\s", after):
        return bool(match["total"] or _TOOK.match(after))  # ``Epoch 1/6 - 12s``; ``epochs 1-6`` is a range
    return not re.match(r"/s|/sec", after) and match["name"].lower() not in ("the it",)


_TOOK = re.compile(r"\s*-\s?\d+(?:\.\d+)?\s?(?:ms|s|sec|min)\b")
_PAIR_BEFORE = re.compile(r"(?:^|\s)[A-Za-z_]\w*[:=]\S*[A-Za-z]\S*$")


def _ends(text: str, match: re.Match[str]) -> bool:
    """Whether a counter has a total, or a sign or the end of the line behind it."""
    return bool(match["total"] or _ALONE.match(text, match.end()))


_PASSES = re.compile(r"(?:epoch|episode|iteration|round)$", re.IGNORECASE)
_ALONE = re.compile(r"\s*(?:$|[:|,]|-\s)")
# ``Joint training epoch 5/10``: the part of the program whose epoch it is
_NAMED_PART = re.compile(
    r"\s*(?!(?:best|last|from|since|resum\w*|load\w*|sav\w*|stop\w*)\b)[A-Z][A-Za-z\-]*(?: [A-Za-z\-]+){0,2}"
)
_HOW_MANY = re.compile(r"(?:test|eval\w*|valid\w*)[ _](?:episodes|games|trials|steps)$", re.IGNORECASE)


def _leading(text: str, match: re.Match[str], counters: list[Count]) -> str:
    if match["round"] is not None:
        counters.append(Count("round", float(match["round"]), None, match.start("round"), match.end("round")))
    elif match["n"] is not None:
        counters.append(Count("step", _integer(match["n"]), _total(match["total"]), match.start("n"), match.end("n")))
    elif match["first"] is not None:
        if canonical(match["named"]).goal == "none":
            return text
        counters.append(Count("iteration", float(match["first"]), None, match.start("first"), match.end("first")))
    elif match["bare"] is not None:
        if len(re.findall(r"[A-Za-z]", text)) < 3:
            return text
        counters.append(Count("iteration", float(match["bare"]), None, match.start("bare"), match.end("bare")))
    elif "\t" in text or "avg" in text or re.search(r"[:=]", text[match.end() :]):
        counters.append(Count("iteration", float(match["only"]), None, match.start("only"), match.end("only")))
    else:
        return text
    return _mask(text, match.start(), match.end())


def _inner(text: str, at: int, counters: list[Count]) -> str:
    """Read ``[ 400/5005]``, ``: 100 / 1000`` or ``[50]`` right after an epoch as the batch within it."""
    match = re.compile(
        rf"\s*[:,]?\s*(?:\[\s*(?P<a>{_INT})(?:\s*/\s*(?P<b>{_INT}))?\s*(?:\(\s*\d+(?:\.\d+)?%\s*\))?\s*\]|(?P<c>{_INT})\s*/\s*(?P<d>{_INT})(?![\w.]))"
    ).match(text, at)
    if match is None:
        return text
    group = "a" if match["a"] else "c"
    counters.append(
        Count("batch", _integer(match[group]), _total(match["b"] or match["d"]), match.start(group), match.end(group))
    )
    return _mask(text, match.start(), match.end())


def _pairs(text: str, counters: list[Count], cells: list[Cell], shares: dict[str, tuple[float, ...]]) -> str:
    previous, parent, closes = 0, "", -1
    groups = [(m["name"], m.start("inside"), m.end("inside")) for m in _GROUP.finditer(text)] if "[" in text else []
    spans: list[tuple[int, int]] = []
    for match in _PAIR.finditer(text):
        if match.start() < previous:
            continue
        name, start = _name_before(text, previous, match.start())
        if not name or (name[-1].isdigit() and ">" in match.group()):  # ``0.5 -> 0.4`` is a change
            previous = match.end()
            continue
        between = text[previous:start]
        if cells and between.strip() == "(" and previous:
            parent, closes = cells[-1].name, _closing(text, previous)
        full = f"{parent}_{name}" if start < closes and parent else name
        game = _OF_GAME.match(name)
        if game:  # ``Game 3 Score 12 Record: 20``
            at = text.find(game["value"], start)
            cells.append(Cell(game["one"], float(game["value"]), "", None, at, at + len(game["value"])))
            full = game["two"]
        group = next((word for word, first, last in groups if first <= start < last), "")
        if group and group.endswith(name):
            full = group
        elif group and any(cell.name == name for cell in cells):
            full = f"{group}/{name}"
        end = _take(full, match, text, counters, cells, shares)
        spans.append((start, end))
        previous = end
    for start, end in spans:
        text = _mask(text, start, end)
    return text


def _closing(text: str, at: int) -> int:
    found = text.find(")", at)
    return len(text) if found < 0 else found


_OF_GAME = re.compile(
    r"^(?P<one>score|points|reward|return|length|steps) (?P<value>\d+) (?P<two>record|best|high(?:est|score)?|max)$",
    re.IGNORECASE,
)
_VALUED = re.compile(r"\s[-+]?(?:\d+\.\d+\w*|\d+(?:s|ms|%))$")  # ``Time 33.5s``: a pair of its own, not a name


def _name_before(text: str, start: int, end: int) -> tuple[str, int]:
    """Return the name that ends at ``end`` and where it starts, looking no further back than ``start``."""
    chunk = text[start:end]
    tail, search = "", chunk
    if chunk.rstrip().endswith(")"):
        opening = _opening(chunk.rstrip())
        if opening > 0 and chunk[opening - 1] != _MASK:
            tail, search = chunk[opening:], chunk[:opening].rstrip()
    last = 0
    for delimiter in _DELIMITERS.finditer(search):
        if delimiter.end() < len(search.rstrip()) + (1 if tail else 0) or not tail:
            last = delimiter.end()
    body = search[last:]
    opened = body.rfind("(")
    if opened >= 0 and ")" not in body[opened:]:
        last += opened + 1
        body = search[last:]
    stripped = _LEADING_VALUES.sub("", _DECORATION.sub("", body))
    last += len(body) - len(stripped)
    name = (stripped.rstrip() + (" " + tail.strip() if tail and stripped.rstrip() else tail.strip())).strip(" '\"`*")
    name = _PROSE_BEFORE.sub("", name.replace("\x01", " "))
    quoted = _QUOTED_NAME.match(name)
    if quoted:
        last += stripped.rfind(quoted["name"])
        name = quoted["name"]
    head, colon, rest = name.rpartition(":")
    if colon and rest and " " not in name and text[end : end + 1] == "=" and head.lower() not in PHASES:
        name = rest
    if (
        not name
        or not any(ch.isalpha() for ch in name)
        or name[0].isdigit()
        or _VALUED.search(name)
        or len(name) > 80
        or name.count(" ") > 9
    ):
        return "", start
    return name, start + last


# ``3.12s loss``, ``outdir:results step``: a value, or a pair whose value is a word, before the name
_LEADING_VALUES = re.compile(
    r"^(?:\(\d+\)\s*|\d+(?:\.\d+)?(?:ms|s|m|h|%)?\s+(?=[^\W\d])|[A-Za-z_]\w*[:=][^\s:=]*[A-Za-z][^\s:=]*\s+(?=[^\W\d]))+"
)
# ``Accept update with alpha``, ``INFO loss``
_PROSE_BEFORE = re.compile(r"^(?:.*\swith\s(?=\S)|(?:INFO|DEBUG|WARNING|ERROR)\s+)")
_QUOTED_NAME = re.compile(r"^.*\s'(?P<name>[\w/.\-]+)$")
_DECORATION = re.compile(r"^[^\w%(#@$]+|^#\s+")


def _opening(chunk: str) -> int:
    depth = 0
    for index in range(len(chunk) - 1, -1, -1):
        if chunk[index] == ")":
            depth += 1
        elif chunk[index] == "(":
            depth -= 1
            if depth == 0:
                return index
    return -1


def _take(
    name: str,
    match: re.Match[str],
    text: str,
    counters: list[Count],
    cells: list[Cell],
    shares: dict[str, tuple[float, ...]],
) -> int:
    """Add the value of one pair (and what follows it) to the cells; return where it ends."""
    kind = match.lastgroup or "plain"
    token = match[kind]
    start, end = match.span(kind)
    if kind == "list":
        return _listed(name, token, start, end, cells, shares)
    counts = counter(name)
    value = reading(name, token, counts is not None) if kind != "missing" else Value(float("nan"), MISSING)
    if counts is not None and counts.rank < WHOLE and not value.value.is_integer() and value.unit is None:
        counts = None  # ``steps: 5.81``: a mean
    if counts is not None and value.flag == OK:
        ratio = re.compile(rf"\s*(?:/|of\s)\s*({_INT})").match(text, end)
        outer, slash, inner = name.partition("/")
        if ratio and slash and counter(outer) and counter(inner):  # ``epoch/iter: 1/199``
            counters.append(Count(outer, value.value, None, start, end))
            counters.append(Count(inner, _integer(ratio.group(1)), None, ratio.start(1), ratio.end(1)))
            return ratio.end()
        counters.append(Count(name, value.value, _total(ratio.group(1)) if ratio else None, start, end))
        return ratio.end() if ratio else end
    change = _CHANGED.match(text, end) if "->" in text else None
    if change and _SAID_AGAIN.search(name):  # ``improving ppl: 5.4 --> 5.1``: said of a value printed elsewhere
        return change.end()
    cells.append(Cell(name, value.value, value.flag, value.unit, start, end))
    return _seconds(name, text, end, cells)


_CHANGED = re.compile(rf"\s*-{{1,2}}>\s*{NUMBER}%?(?!\w|\.\d)", re.IGNORECASE)
_SAID_AGAIN = re.compile(r"improv|best|chang|increas|decreas|reduc|lower|rais", re.IGNORECASE)


def _parts(name: str, text: str, end: int, cells: list[Cell]) -> int:
    """Read ``PDE:1.1e-03/9.2e-04``, ``mean/median reward 12.0/11.5``; return where they end, 0 when there are none."""
    slash = text.startswith(("/", " / "), end) and "." in text[max(0, end - 12) : end]
    parts = _COMPOUND.match(text, end) if slash else None
    if parts is None or _BYTES.search(name):
        return 0
    two = _TWO_NAMES.match(name)
    several = list(_FLOAT.finditer(text, end, parts.end()))
    if two and len(several) == 1:
        cells[-1] = cells[-1]._replace(name=f"{two['one']} {two['what']}")
    for index, part in enumerate(several, 2):
        value = parse(part.group())
        label = f"{two['other']} {two['what']}" if two and len(several) == 1 else f"{name}_{index}"
        label = f"{name} value {index}" if name.lower() in PHASES else label
        cells.append(Cell(label, value.value, value.flag, value.unit, *part.span()))
    return parts.end()


def _seconds(name: str, text: str, end: int, cells: list[Cell]) -> int:
    """Read what may follow a value: ``(average)``, ``± spread``, ``[min, max]``, ``/total``, a z-score."""
    stop = _parts(name, text, end, cells)
    if stop:
        return stop
    ratio = _RATIO.match(text, end)
    if ratio:
        end = ratio.end()
        outcome = _OUTCOME.match(text, end)
        if outcome:  # ``UAS: 3742/4011 = 93.29``: what it comes to is the metric
            value = parse(outcome["value"])
            span = outcome.span("value")
            cells[-1] = Cell(name, value.value, value.flag, "%" if outcome["pct"] else None, *span)
            return outcome.end()
        share = _SHARE.match(text, end) if _COUNTED.search(name) else None
        if share:  # ``Accuracy: 9842/10000 (98%)``: the percent is the metric
            value = parse(share["share"])
            cells[-1] = Cell(name, value.value, value.flag, "%", share.start("share"), share.end("share"))
            return share.end()
    second = _SECOND.match(text, end)
    if second:
        group = "avg" if second["avg"] else "std"
        if group == "avg" and second["avg"].isdigit() and "." in text[max(0, end - 12) : end]:
            return second.end()  # an index, no average
        if second["unit"] and cells[-1].unit != "%":
            return second.end()  # a share, no average
        if group == "avg" and second["avg"].startswith("+"):
            return second.end()  # the change since the last time
        value = parse(second[group])
        label = (_of_bracket(name) if group == "avg" else "") or f"{name}_{group}"
        cells.append(Cell(label, value.value, value.flag, None, second.start(group), second.end(group)))
        return second.end()
    other = _OTHER_UNIT.match(text, end)
    if other:
        value = parse(other["value"])
        phase = PHASES.get(name.lower(), "")  # ``val: 1078.7 (1.98 bpd)``
        label = other["unit"] if phase else f"{name} {other['unit']}"
        cells.append(Cell(label, value.value, value.flag, None, *other.span("value"), phase))
        return other.end()
    spread = _SPREAD.match(text, end)
    if spread:
        for group, suffix in (("low", "min"), ("high", "max")):
            value = parse(spread[group])
            cells.append(
                Cell(f"{name}_{suffix}", value.value, value.flag, None, spread.start(group), spread.end(group))
            )
        return spread.end()
    score = _ZSCORE.match(text, end)
    return score.end() if score else end


# ``Accuracy (Loss): 0.9 (0.3)``
_BRACKETED = re.compile(r"^(?P<head>(?:.*\s)?)\S+\s*\((?P<second>[A-Za-z][\w ]*)\)$")
# ``nll: 1078.7 (1.98 bpd)``: the same in another unit
_OTHER_UNIT = re.compile(
    rf"\s*\(\s*(?P<value>{NUMBER})\s*(?P<unit>bpd|bpc|bpb|bits/dim|bits|nats|ppl)\s*\)", re.IGNORECASE
)


def _of_bracket(name: str) -> str:
    """Return the name of a value in brackets where the name has brackets too, ``""`` where they hold no metric."""
    match = _BRACKETED.match(name)
    if match is None or canonical(match["second"]).goal == "none":
        return ""
    return f"{match['head']}{match['second']}"


_TWO_NAMES = re.compile(r"^(?P<one>[A-Za-z]+)/(?P<other>[A-Za-z]+) (?P<what>\w[\w ]*)$")
_FLOAT = re.compile(r"[-+]?(?:\d+\.\d*(?:e[-+]?\d+)?|nan|inf)", re.IGNORECASE)
_COMPOUND = re.compile(rf"(?:(?:/| / ){_FLOAT.pattern})+(?=[\s,;|)\]:\x00]|$)", re.IGNORECASE)
_BYTES = re.compile(r"mem|(?<![a-z])v?ram(?![a-z])|alloc|reserved|cache", re.IGNORECASE)
_SIZED = re.compile(r"^(.*\d)([kKMGTB])$")


def reading(name: str, token: str, count: bool) -> Value:
    """Return the value of a token; the suffix of a memory size is a unit (``11811M``), elsewhere a factor (``36k``)."""
    sized = _SIZED.match(token) if _BYTES.search(name) else None
    if sized:
        return parse(sized.group(1))._replace(unit=sized.group(2))
    return parse(token, count=count)


_ITEM = re.compile(NUMBER, re.IGNORECASE)
_DISTRIBUTION = re.compile(r"dist|hist|count|share|freq|prob", re.IGNORECASE)


def _listed(
    name: str, token: str, start: int, end: int, cells: list[Cell], shares: dict[str, tuple[float, ...]]
) -> int:
    """A range becomes two cells, a list of one a number, a distribution shares; longer lists are samples."""
    items = [
        (float(parse(m.group()).value), parse(m.group()).flag, start + m.start(), start + m.end())
        for m in _ITEM.finditer(token)
    ]
    named = re.search(r"[A-Za-z]\w*\s*[:=]", token)
    if named or not items:
        return start + 1 if named else end
    if len(items) == 1:
        cells.append(Cell(name, items[0][0], items[0][1], None, items[0][2], items[0][3]))
    elif _DISTRIBUTION.search(name) and len(items) >= 2:
        shares[name] = tuple(item[0] for item in items)
    elif squash(name) in ("lr", "learningrate"):
        cells.append(Cell(name, items[0][0], items[0][1], None, items[0][2], items[0][3]))
    elif len(items) == 2 and is_range(name):
        for item, suffix in zip(items, ("min", "max"), strict=True):
            cells.append(Cell(f"{name}_{suffix}", item[0], item[1], None, item[2], item[3]))
    elif (len(items) == 2 and "," in token) or (len(items) <= MOST_PARTS and canonical(name).goal != "none"):
        for index, item in enumerate(items):
            cells.append(Cell(f"{name}_{index}", item[0], item[1], None, item[2], item[3]))
    return end


MOST_PARTS = 16  # parts of a printed loss, classes of a printed recall; longer lists are samples
_RANGE_NAME = re.compile(
    r"range|interval|bound|limit|min\W*max|(?:^|[^a-z])(?:q|ci|extent|lim|span)(?:$|[^a-z])", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def is_range(name: str) -> bool:
    """Whether two numbers under this name are the ends of a range, and not two parts."""
    return bool(_RANGE_NAME.search(name)) or canonical(name).name in ("q", "q_value", "range")


_BESIDE_LIST = re.compile(r"(?<![\w:=])(?P<name>[A-Za-z]\w*(?: [A-Za-z]\w*){0,3}) (?P<list>\[[^\[\]A-Za-z]*\])")


def _beside_lists(text: str, cells: list[Cell], shares: dict[str, tuple[float, ...]]) -> str:
    """Read ``Pseudo dice [0.81, 0.72]``: a metric with a number a class, and no sign between."""
    for match in _BESIDE_LIST.finditer(text):
        if canonical(match["name"]).goal != "none":
            _listed(match["name"], match["list"], *match.span("list"), cells, shares)
            text = _mask(text, match.start(), match.end())
    return text


_RATED = re.compile(
    rf"(?<![\w.:=\x00])(?P<value>{FINITE})\s+(?P<name>(?:samples|tokens|tok|words|images|imgs|updates|steps|batches|frames"
    r"|examples|sents|pos)/s(?:ec)?)(?=[\s,;|)\]\x00]|$)"
)


def _rates(text: str, cells: list[Cell]) -> str:
    """Read ``20000.1 tokens/sec 10.1 updates/sec``: the name stands behind its value."""
    for match in _RATED.finditer(text):
        value = parse(match["value"])
        cells.append(Cell(match["name"], value.value, value.flag, None, *match.span("value")))
        text = _mask(text, match.start(), match.end())
    return text


def _blanks(text: str, counters: list[Count], cells: list[Cell]) -> str:
    """Read ``name value`` pairs with nothing but blanks between them."""
    found = []
    for match in _BLANK.finditer(text):
        name = re.sub(r"\s+(?:is|of|was|=|at)$", "", match["name"].replace("\x01", " ").strip(), flags=re.IGNORECASE)
        name = re.split(r"(?:^|\s)(?:with|and|after)\s|[.!?]\s", name)[-1]
        if name.lower() in _STOP or name in _LEVELS or name.count(" ") > 3 or name.rsplit(" ", 1)[-1].lower() in _STOP:
            continue
        found.append((name, match))
    if not found or (len(found) < 2 and not counters and not cells and not _alone(text, found[0][1])):
        return text
    for name, match in found:
        place = _RATIO.match(text, match.end("value")) if fold(name.lower()) in PHASES else None
        if place:  # ``eval 3/10``: how far it is; a number of a phase is no metric
            if len(found) > 1:
                total = parse(place.group().strip(" /"), count=True).value
                counters.append(Count("", float(match["value"]), total, match.start("value"), match.end("value")))
            text = _mask(text, match.start(), place.end())
            continue
        counts = counter(name)
        value = reading(name, match["value"], counts is not None)
        behind = _BEHIND_STEP.match(text, match.end("value")) if match["value"].isdigit() and not counters else None
        if behind:  # ``Train loss 100 0.512``: the step stands between the name and its value
            counters.append(Count("step", value.value, None, match.start("value"), match.end("value")))
            value, end = parse(behind["value"]), behind.end()
            cells.append(Cell(name, value.value, value.flag, None, behind.start("value"), behind.end("value")))
        elif counts is not None and value.flag == OK:
            counters.append(Count(name, value.value, None, match.start("value"), match.end("value")))
            end = match.end()
        else:
            cells.append(Cell(name, value.value, value.flag, value.unit, match.start("value"), match.end("value")))
            end = _seconds(name, text, match.end("value"), cells)
        text = _mask(text, match.start(), end)
    return text


_BEHIND_STEP = re.compile(r"[ ]+(?P<value>[-+]?\d+\.\d+(?:[eE][-+]?\d+)?)(?=\s|$)")
_LEVELS = words("INFO DEBUG WARNING ERROR CRITICAL")
_STOP = words(
    "in on at to for from of with and or the a an by after took is are than last first over under top using only ran "
    "every"
)


def _alone(text: str, match: re.Match[str]) -> bool:
    """Whether a single ``name value`` is all that the line says."""
    return (
        len(re.sub(r"[\s\x00|*:#>\-.]+", "", text[: match.start()] + text[match.end() :])) <= 2
        and match["name"].count(" ") <= 3
    )


def _reversed(text: str, cells: list[Cell]) -> None:
    """Read values that stand before their name: ``145654 tok/s``, ``3604.30 ms``, ``37.5% bf16 MFU``."""
    if _MAY_HOLD.search(text) is None:  # as on most lines: all was read
        return
    from logdoctor.names import ALIASES

    position = 0
    for piece in [*_CHUNKS.finditer(text), None]:
        end = len(text) if piece is None else piece.start()
        chunk = text[position:end]
        match = _REVERSED.match(chunk) if len(chunk) <= LONGEST_CHUNK else None
        if match:
            name = match["name"].strip()
            low = squash(name)
            if low in ALIASES or low in ("ms", "ms/step", "msstep"):
                value = parse(match["value"])
                unit = "%" if match["pct"] else ("ms" if low.startswith("ms") else None)
                label = "step time" if low.startswith("ms") else name
                cells.append(
                    Cell(
                        label,
                        value.value,
                        value.flag,
                        unit,
                        position + match.start("value"),
                        position + match.end("value"),
                    )
                )
        position = len(text) if piece is None else piece.end()


def _phase_of(text: str) -> str:
    """Return the phase that the beginning of a line or title names."""
    head = text.lstrip(" [(*#=>|-")
    match = _PHASE_TAG.match(head)
    if match is None:
        return ""
    rest = head[match.end() : match.end() + 1].strip(")")
    if rest and rest in ("/", "_", "-", "@", "("):
        return ""
    return PHASES.get(match.group(1).lower(), "")


# ``epoch:[ 24/25 ] val step:0``
_PHASE_COUNT = re.compile(
    r"(?<![\w/])(?P<phase>val(?:id(?:ation)?)?|eval|test|dev)[ _](?:step|iter(?:ation)?|batch)\s*[:=\[#]", re.IGNORECASE
)


# ``Epoch 3 (val): loss``, ``split=valid loss``
_PHASE_NAMED = re.compile(
    r"(?:\d\s*\(\s*|(?<!\w)(?:split|phase|mode|stage|subset)\s*[:=]\s*['\"]?)"
    r"(?P<phase>train(?:ing)?|val(?:id(?:ation)?)?|eval|test|dev)(?:['\"]?(?=[\s,;|]|$)|\s*\))",
    re.IGNORECASE,
)


def _phase_counted(text: str) -> str:
    """Return the phase whose steps a line counts."""
    match = _PHASE_COUNT.search(text)
    if match is None and text.startswith("Saving dict for"):
        return "eval"  # an evaluation of a TensorFlow estimator
    match = match or _PHASE_NAMED.search(text)
    return PHASES.get(match["phase"].lower(), "") if match else ""


_PHASE_MARK = re.compile(
    r"(?:^|[\s\[|,;(])(?P<word>train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|test(?:ing)?|dev)\s*(?:\]|:\s+(?=[A-Za-z])|\]:)",
    re.IGNORECASE,
)


def _phase_marks(text: str) -> list[tuple[int, str]]:
    """Return where a phase word stands alone: ``validation: err=0.5``, ``[valid] loss=0.5``."""
    return [(match.end(), PHASES.get(match["word"].lower(), "")) for match in _PHASE_MARK.finditer(text)]


def _phased(cells: list[Cell], marks: list[tuple[int, str]]) -> list[Cell]:
    """Let a phase word set the phase of what follows on the line (``val loss 0.4 acc 0.7``)."""
    sticky = ""
    out = []
    for cell in cells:
        while marks and marks[0][0] <= cell.start:
            sticky = marks.pop(0)[1]
        words = cell.name.replace(":", " ").split()
        if len(words) > 2 and words[0].lower() in ("average", "avg", "mean"):
            words = words[1:]
        own = PHASES.get(fold(words[0].lower()).strip("[]()")) if len(words) > 1 else None
        if own:
            sticky = own
        if sticky and not own and squash(cell.name).removesuffix("avg") not in _PHASELESS and "/" not in cell.name:
            cell = cell._replace(phase=sticky)
        out.append(cell)
    return out


def _title(text: str) -> str:
    words = text.replace(_MASK, " ").strip(" \t=*#-─━═|[]{}<>:")
    return re.sub(r"\s+", " ", words).strip()
