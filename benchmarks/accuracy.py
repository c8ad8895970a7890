"""Measure how right the diagnoses are on a labelled benchmark and write docs/accuracy.md.

    python benchmarks/accuracy.py [--benchmark DIR] [--tools DIR] [--out FILE]

One command makes the whole document: verdicts, rules, causes, onsets, confidences, the comparison with siblings, and
the published rules of peers on the same runs where their script is at hand. Labels are never shown to a diagnosis.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from _labelled import SHARED, judged, labels

from logdoctor import diagnose
from logdoctor.model import Diagnosis, severity_rank

ROOT = Path(__file__).resolve().parents[1]
CALIBRATION = ROOT / "logdoctor" / "data" / "calibration.json"
Row = tuple[dict[str, Any], Diagnosis]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", type=Path, default=SHARED / "benchmark")
    parser.add_argument("--tools", type=Path, default=SHARED / "tools")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "accuracy.md")
    options = parser.parse_args()
    alone = diagnoses(options.benchmark, siblings=False)
    beside = diagnoses(options.benchmark, siblings=True)
    options.out.write_text(document(options.benchmark, options.tools, alone, beside), encoding="utf-8")
    print(options.out)


def diagnoses(home: Path, siblings: bool) -> list[Row]:
    """Diagnose every run with its sidecar configuration, alone or beside its siblings."""
    named = json.loads((home / "siblings.json").read_text(encoding="utf-8")) if siblings else {}
    rows = []
    for label in labels(home):
        config = home / label["config"] if label["config"] else None
        others = [home / name for name in named.get(label["id"], [])] or None
        rows.append((label, diagnose(home / label["file"], hyperparameters=config, baseline=others)))
    return rows


# -------------------------------------------------------------------------------------------------------- counting
def failed(label: Mapping[str, Any]) -> bool:
    return bool(label["outcome"] == "failed")


def healthy(label: Mapping[str, Any]) -> bool:
    return not failed(label) and label["fault"] == "none"


def causal(label: Mapping[str, Any]) -> bool:
    return failed(label) and label["fault"] != "none"


def alarm(diagnosis: Diagnosis, least: str = "warning") -> bool:
    return diagnosis.verdict in {"warning", "critical"} and severity_rank(diagnosis.verdict) >= severity_rank(least)


def rates(rows: Sequence[Row], least: str = "warning") -> dict[str, float]:
    """Recall, false alarms per 100 healthy runs, balanced accuracy; runs whose fault did no harm are left out."""
    sick = [alarm(d, least) for label, d in rows if failed(label)]
    well = [alarm(d, least) for label, d in rows if healthy(label)]
    recall, false = _mean(sick), _mean(well)
    return {"recall": recall, "false": 100 * false, "balanced": (recall + 1 - false) / 2}


def hits(rows: Iterable[Row], among: int) -> list[bool]:
    """Whether a true cause is among the first ``among`` named, for each failed run with an injected cause."""
    return [bool({c.id for c in d.causes[:among]} & set(label["causes"])) for label, d in rows if causal(label)]


def onset_errors(rows: Iterable[Row]) -> list[float]:
    """Distance between the onset of the gravest finding and the labelled one, as a share of the run."""
    errors = []
    for label, d in rows:
        span = (label["last_step"] or 0) - (label["first_step"] or 0)
        placed = [f for f in d.findings if f.onset is not None and f.onset.step is not None and not f.benign]
        if not failed(label) or label["onset_step"] is None or span <= 0 or not placed or not alarm(d):
            continue
        first = min(placed, key=lambda f: (-severity_rank(f.severity), f.onset.step if f.onset else 0))
        if first.onset is not None and first.onset.step is not None:
            errors.append(abs(first.onset.step - label["onset_step"]) / span)
    return errors


def _mean(values: Sequence[bool] | Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


# -------------------------------------------------------------------------------------------------------- document
def document(home: Path, tools: Path, alone: list[Row], beside: list[Row]) -> str:
    """Return the markdown text."""
    parts = [
        _head(alone),
        _headline(alone, beside),
        _confusion(alone),
        _causes(home, alone),
        _missed(alone),
        _rules(alone),
        _onset(alone),
        _calibration(),
        _peers(tools, home, alone),
        _limits(alone),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _head(rows: list[Row]) -> str:
    kinds = Counter("failed" if failed(x) else "healthy" if healthy(x) else "unhurt" for x, _ in rows)
    tasks = len({x["task"] for x, _ in rows})
    formats = len({x["format"] for x, _ in rows})
    return f"""# How accurate it is

Written by `python benchmarks/accuracy.py`; do not edit by hand.

Measured on {len(rows)} text logs of small training runs that were really trained ({tasks} tasks, {formats}
print layouts; deep Q-learning, PPO, A2C, SAC, TD3, policy gradient, classifiers, small language models).
{kinds["failed"]} of them failed, by an injected fault or by themselves, {kinds["healthy"]} are healthy, and in
{kinds["unhurt"]} the injected fault did no harm ("unhurt": left out of rates). Labels come from the injected
fault and the measured outcome, never from a detector. Half of the runs come with a configuration file, which
the diagnosis may read. The runs are not part of this repository.

The rules and the weights of the causes were written with these runs at hand, so that figures on other runs will
be lower; what is *fitted* (the confidences) is cross-validated by task, and the figures on thinned logs below
show how it degrades."""


def _headline(alone: list[Row], beside: list[Row]) -> str:
    rows = [("one log at a time", alone), ("with up to three healthy siblings (`--baseline`)", beside)]
    lines = [
        "## In short",
        "",
        "| | balanced accuracy | recall | false alarms per 100 healthy | critical per 100 healthy | true cause "
        "first | among three |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in rows:
        at, grave = rates(found), rates(found, "critical")
        lines.append(
            f"| {name} | {at['balanced']:.3f} | {at['recall']:.3f} | {at['false']:.1f} | {grave['false']:.1f} "
            f"| {_mean(hits(found, 1)):.3f} | {_mean(hits(found, 3)):.3f} |"
        )
    errors = onset_errors(alone)
    lines += [
        "",
        f"Onset: median error {statistics.median(errors):.3f} of the run's length over {len(errors)} runs."
        if errors
        else "",
    ]
    return "\n".join(lines)


def _confusion(rows: list[Row]) -> str:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for label, d in rows:
        table["failed" if failed(label) else "healthy" if healthy(label) else "unhurt"][d.verdict] += 1
    verdicts = ("critical", "warning", "inconclusive", "healthy")
    lines = ["## Verdicts", "", "| truth | " + " | ".join(verdicts) + " |", "|---|" + "---|" * len(verdicts)]
    lines += [
        f"| {kind} | " + " | ".join(str(table[kind][v]) for v in verdicts) + " |"
        for kind in ("failed", "unhurt", "healthy")
    ]
    return "\n".join(lines)


def _causes(home: Path, rows: list[Row]) -> str:
    lines = [
        "## Causes",
        "",
        "A cause counts as right when it is one of the injected ones (some runs have two). Failed runs with an "
        "injected cause.",
        "",
        "| runs | count | first | among three |",
        "|---|---|---|---|",
    ]
    with_config = [row for row in rows if row[0]["config"]]
    without = [row for row in rows if not row[0]["config"]]
    for name, part in (("all", rows), ("with a configuration file", with_config), ("log only", without)):
        lines.append(f"| {name} | {len(hits(part, 1))} | {_mean(hits(part, 1)):.3f} | {_mean(hits(part, 3)):.3f} |")
    for view, name in (
        ("alone", "all, configuration withheld"),
        ("thinned", "all, also a third of the metrics removed"),
    ):
        first, three = _ablated(home, view)
        lines.append(f"| {name} | {len(first)} | {_mean(first):.3f} | {_mean(three):.3f} |")
    lines += ["", "| fault | runs | first | among three |", "|---|---|---|---|"]
    for fault in sorted({x["fault"] for x, _ in rows if causal(x)}):
        part = [row for row in rows if row[0]["fault"] == fault]
        lines.append(
            f"| {fault.replace('_', ' ')} | {len(hits(part, 1))} | {_mean(hits(part, 1)):.2f} | "
            f"{_mean(hits(part, 3)):.2f} |"
        )
    return "\n".join(lines)


def _ablated(home: Path, view: str) -> tuple[list[bool], list[bool]]:
    runs = [run for run in judged(home, view) if causal(run.label)]
    first = [bool(run.scores) and run.scores[0][0] in run.true for run in runs]
    return first, [bool({name for name, _, _ in run.scores[:3]} & run.true) for run in runs]


def _missed(rows: list[Row]) -> str:
    lines = ["## Every run that was judged wrong", ""]
    for label, d in rows:
        said = ", ".join(f"{c.id} {c.confidence:.2f}" for c in d.causes[:3]) or "no cause"
        what = label["fault"].replace("_", " ")
        if failed(label) and not alarm(d):
            lines.append(f"- `{label['id']}` ({what}): missed, verdict {d.verdict}.")
        elif causal(label) and not ({c.id for c in d.causes[:1]} & set(label["causes"])):
            lines.append(f"- `{label['id']}` ({what}): true {', '.join(label['causes'])}; said {said}.")
        elif healthy(label) and alarm(d):
            names = ", ".join(f.name for f in d.findings if f.severity != "info" and not f.benign)
            lines.append(
                f"- `{label['id']}` (healthy, score {label['performance'].get('score') or 0:.2f}): false alarm, "
                f"{names}."
            )
    return "\n".join(lines) if len(lines) > 2 else "\n".join([*lines, "None."])


def _rules(rows: list[Row]) -> str:
    fired: dict[str, Counter[str]] = defaultdict(Counter)
    for label, d in rows:
        kind = "failed" if failed(label) else "healthy" if healthy(label) else "unhurt"
        for name in {f"{f.id} {f.name}" for f in d.findings if f.severity != "info" and not f.benign}:
            fired[name][kind] += 1
    sick = sum(failed(label) for label, _ in rows)
    lines = [
        "## Rules",
        "",
        "Alarms (warning or critical) by rule. Precision leaves the unhurt out; recall is over all failed runs, "
        "most of which "
        "another rule is there for.",
        "",
        "| rule | failed | unhurt | healthy | precision | recall |",
        "|---|---|---|---|---|---|",
    ]
    for name, count in sorted(fired.items()):
        right = count["failed"] / max(count["failed"] + count["healthy"], 1)
        lines.append(
            f"| {name} | {count['failed']} | {count['unhurt']} | {count['healthy']} | {right:.2f} | "
            f"{count['failed'] / sick:.2f} |"
        )
    return "\n".join(lines)


def _onset(rows: list[Row]) -> str:
    errors = sorted(onset_errors(rows))
    if not errors:
        return ""
    within = {limit: _mean([e <= limit for e in errors]) for limit in (0.02, 0.05, 0.1, 0.25)}
    shares = ", ".join(f"{share:.0%} within {limit:.0%}" for limit, share in within.items())
    return f"""## Onsets

Distance from the onset of the gravest finding to the labelled one, as a share of the run: median
{statistics.median(errors):.3f}; {shares} ({len(errors)} flagged runs whose onset is known)."""


def _calibration() -> str:
    data = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    checked = data["cross_validation"]
    lines = [
        "## Confidences",
        "",
        "Fitted by `benchmarks/calibrate.py`, each task judged by numbers fitted to the others. *Said* is the "
        "mean confidence of a "
        "bin, *true* the share that was right.",
        "",
    ]
    names = {
        "plain": "causes, as given",
        "alone": "causes, log alone",
        "thinned": "causes, a third of the metrics removed",
    }
    tables = [(text, checked["causes"][view]) for view, text in names.items()] + [
        ("findings (is the run truly sick?)", checked["findings"])
    ]
    for text, figures in tables:
        if not figures.get("count"):
            continue
        lines += [
            f"**{text}**: {figures['count']} judgements, Brier score {figures['brier']:.3f}, calibration error "
            f"{figures['calibration_error']:.3f}.",
            "",
            "| confidence | count | said | true |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {r['from']:.1f} to {r['to']:.1f} | {r['count']} | {r['said']:.2f} | {r['true']:.2f} |"
            for r in figures["curve"]
        ]
        lines.append("")
    return "\n".join(lines)


def _peers(tools: Path, home: Path, rows: list[Row]) -> str:
    script = tools / "baseline_rules.py"
    if not script.is_file() or not (home / "truth").is_dir():
        return ""
    rules = _load(script)
    lines = [
        "## Published rules of peers on the same runs",
        "",
        "They are given the exact series that the programs printed, without having to read a log; logdoctor "
        "reads the text.",
        "",
        "| rules | balanced accuracy | recall | false alarms per 100 healthy | true cause first | among three |",
        "|---|---|---|---|---|---|",
    ]
    at = rates(rows)
    lines.append(
        f"| logdoctor | {at['balanced']:.3f} | {at['recall']:.3f} | {at['false']:.1f} | "
        f"{_mean(hits(rows, 1)):.3f} | {_mean(hits(rows, 3)):.3f} |"
    )
    for name, function in rules.items():
        lines.append(_peer(name, function, home, rows))
    return "\n".join(lines)


def _load(script: Path) -> dict[str, Callable[[str, str], Any]]:
    """Return name -> function(truth folder, run id) of the peers' rule sets."""
    sys.path.insert(0, str(script.parent))
    spec = importlib.util.spec_from_file_location("peer_rules", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sets: dict[str, Callable[[Any], Any]] = {
        "AUTOTRAINER": module.autotrainer,
        "SageMaker Debugger": module.smdebug,
        "SageMaker Debugger, quiet subset": lambda run: module.smdebug(run, lite=True),
        "NaN or rising loss": module.naive,
        "NaN, rising loss or flat reward": module.naive_reward,
    }

    def bound(function: Callable[[Any], Any]) -> Callable[[str, str], Any]:
        return lambda truth, run: module.diagnose(module.Run(truth, run), function)

    return {name: bound(function) for name, function in sets.items()}


def _peer(name: str, function: Callable[[str, str], Any], home: Path, rows: list[Row]) -> str:
    sick, well, first, three = [], [], [], []
    for label, _ in rows:
        found = function(str(home / "truth"), label["id"])
        said = found.get("verdict") in {"warning", "critical"}
        if failed(label):
            sick.append(said)
        elif healthy(label):
            well.append(said)
        if causal(label):
            names = [str(c["id"]).replace("_", "-") for c in found.get("causes", [])]
            first.append(bool(set(names[:1]) & set(label["causes"])))
            three.append(bool(set(names[:3]) & set(label["causes"])))
    recall, false = _mean(sick), _mean(well)
    return (
        f"| {name} | {(recall + 1 - false) / 2:.3f} | {recall:.3f} | {100 * false:.1f} | {_mean(first):.3f} | "
        f"{_mean(three):.3f} |"
    )


def _limits(rows: list[Row]) -> str:
    unhurt = [(label, d) for label, d in rows if not failed(label) and label["fault"] != "none"]
    flagged = sum(alarm(d) for _, d in unhurt)
    return f"""## What a log cannot show

- **A constant handicap.** Wrong labels in training and validation alike, a wrong input, a weaker data set: the
  curve has a healthy shape at a worse level. Only siblings (`--baseline`) show it.
- **A bad setting that does no harm.** In {len(unhurt)} runs a fault was injected and the run did well all the
  same; {flagged} of them are flagged.
- **What was not printed.** Layer-wise gradients, dead units, the age of the target network, the content of a
  batch: causes that differ only there get near confidences, and `would_settle` names the metric to print.
- **The code.** A clip call whose result is dropped and a missing `zero_grad` look like other faults; `--source`
  confirms or weakens them.
- **A drift no larger than what is usual.** A reinforcement-learning loss that creeps up by a fifth beside a flat
  reward, a feature norm that grows within its band, an agreement that stands still at a fair level while its loss
  falls: healthy learners show the same, so this is silence or a remark.
- **Why a quantity is wrong.** Sampling weights that drown most samples, actions credited to the wrong actor, a mask
  of the wrong type, a reward filter with the wrong sign, a floor that another schedule overrides: the log shows the
  plateau, the value below chance or the floor that does not hold; which line does it, only the code shows.
- **How a young run goes on.** A fall in the last fifth of a log may be a dip that comes back, so it is at most a
  warning; a run that was cut off early, before it had learned, looks like one that does not learn.
- **Seeds.** One run of reinforcement learning says little about its settings: half of the return can be the
  seed (Henderson et al. 2018).
- **Behaviour.** An agent may score well and play badly; no metric of the log says so.
- **Size.** These are small models and short runs; nothing here was measured on a run of weeks."""


if __name__ == "__main__":
    main()
