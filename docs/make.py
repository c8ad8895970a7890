"""Writes the pages of ``docs/reference`` and the generated blocks of the README and the tutorial from the code.

python docs/make.py          write them
python docs/make.py --check  end with 1 and name the stale ones, writing nothing
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import tutorial

from logdoctor import manual
from logdoctor.engine import diagnose, render

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
GROUPS = {
    "LD1": "Input and logging faults", "LD2": "Loss", "LD3": "Gradients", "LD4": "Values: Q, critic, features",
    "LD5": "Policy, exploration and hyperparameters", "LD6": "Performance", "LD7": "Generalisation",
    "LD8": "Throughput, memory and crashes", "LD9": "Language models",
}  # fmt: skip
EXCERPT = "loss_explosion.log"  # the sample whose report the README quotes
EXCERPT_LINES = 34


def pages() -> Iterator[tuple[Path, str]]:
    """Yield (file, text) for every generated page."""
    for rule in manual.rules().values():
        yield REFERENCE / "rules" / f"{rule.id}.md", manual.rule_page(rule)
    for cause in manual.causes().values():
        yield REFERENCE / "causes" / f"{cause.id}.md", manual.cause_page(cause)
    for parser in manual.formats().values():
        yield REFERENCE / "formats" / f"{parser.id}.md", manual.format_page(parser)
    yield REFERENCE / "README.md", index()
    yield ROOT / "README.md", readme()
    yield tutorial.PAGE, tutorial.renewed(tutorial.PAGE.read_text(encoding="utf-8"))


def index() -> str:
    """Return the list of all pages."""
    lines = ["# Reference", "", "Made from the code by `python docs/make.py`; `logdoctor explain ID` prints a page."]
    rules = sorted(manual.rules().values(), key=lambda rule: rule.id)
    for prefix, title in GROUPS.items():
        lines += ["", f"## {prefix}xx {title}", "", "| rule | severity | |", "|---|---|---|"]
        lines += [
            f"| [{r.id} {r.name}](rules/{r.id}.md) | {'explains' if r.benign else r.severity} | {r.title} |"
            for r in rules
            if r.id.startswith(prefix)
        ]
    lines += ["", "## Causes", "", "| cause | |", "|---|---|"]
    lines += [f"| [{c.id}](causes/{c.id}.md) | {c.title} |" for c in manual.causes().values()]
    lines += ["", "## Formats", "", "| structure | |", "|---|---|"]
    lines += [f"| [{p.id}](formats/{p.id}.md) | {p.title} |" for p in manual.formats().values()]
    return "\n".join(lines) + "\n"


def readme() -> str:
    """Return the README with its generated blocks renewed."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = {"excerpt": excerpt(), "counts": counts()}
    for name, block in blocks.items():
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.S)
        text = pattern.sub(lambda match, block=block: match.group(1) + block + match.group(2), text)
    return text


def excerpt() -> str:
    """Return the first screen of the report on a sample log."""
    diagnosis = diagnose(ROOT / "sample_logs" / EXCERPT)
    report = render(diagnosis, "markdown").replace(str(ROOT) + "/", "")
    lines = report.split("\n")[:EXCERPT_LINES]
    fences = sum(line.startswith("```") for line in lines)
    return "\n".join(["````markdown", *lines, *(["```"] if fences % 2 else []), "…", "````", ""])


def counts() -> str:
    """Return how much there is of everything, as one sentence."""
    return (
        f"{len(manual.rules())} rules, {len(manual.causes())} causes and {len(manual.formats())} text structures: "
        "[reference](docs/reference/README.md).\n"
    )


def main() -> int:
    """Write the pages, or check them."""
    check = "--check" in sys.argv[1:]
    wanted = dict(pages())
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    gone = [path for path in sorted(REFERENCE.rglob("*.md")) if path not in wanted]
    for path in [*stale, *gone]:
        print(path.relative_to(ROOT))
    if check:
        return 1 if stale or gone else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    for path in gone:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
