"""A run against what was expected of it, as a document; what is not met comes first, with its next action."""

from __future__ import annotations

from logdoctor.renderers._document import Block, Bullets, Heading, Paragraph, Table
from logdoctor.results import STATES, Checked, Expectation, Judgement
from logdoctor.wording import number, steps

_STYLES = {"met": "good", "not met": "bad", "not yet": "", "cannot tell": "warn"}


def blocks(checked: Checked) -> list[Block]:
    """Return the document: verdict, what to do next, one row an expectation, and the reasons."""
    bad = [j for j in checked.judgements if j.state == "not met"]
    found: list[Block] = [
        Heading(text="Verdict: " + ("not met" if bad else _mildest(checked)), level=1, style="bad" if bad else "head"),
        Paragraph(text=f"{checked.source.path} against {', '.join(checked.against)}. {checked.headline}"),
    ]
    actions = list(dict.fromkeys(j.next_action for j in bad if j.next_action))
    if actions:
        found += [Heading(text="Next, as the report said"), Bullets(items=actions)]
    ordered = sorted(checked.judgements, key=lambda j: STATES.index(j.state))
    found += [
        Heading(text="Expectations"),
        Table(
            head=("state", "expected", "by step", "seen", "line"), rows=[_row(j) for j in ordered], numbers=(2, 3, 4),
            styles=[_STYLES[j.state] for j in ordered],
        ),
        Bullets(items=[f"{what(j.expectation)}: {j.state}. {_sentence(j.text)}" for j in ordered]),
    ]  # fmt: skip
    return found


def _mildest(checked: Checked) -> str:
    if checked.count("met") == len(checked.judgements):
        return "met"
    return "not yet decided" if checked.count("not yet") else "cannot tell"


def _row(judgement: Judgement) -> tuple[str, str, str, str, str]:
    place = judgement.place
    seen = "" if judgement.value is None else number(judgement.value, 4)
    deadline = "the end" if judgement.deadline is None else steps(judgement.deadline)
    return (judgement.state, what(judgement.expectation), deadline, seen, str(place.line) if place else "")


def what(expectation: Expectation) -> str:
    """Return the expectation in words."""
    value = number(expectation.value, 4) if expectation.value is not None else ""
    if expectation.condition == "absent":
        return f"{expectation.metric} {expectation.value} does not return"
    if expectation.condition == "between":
        text = f"{expectation.metric} between {value} and {number(expectation.value2, 4)}"
    else:
        text = f"{expectation.metric} {expectation.condition} {value}".rstrip()
    return f"never: {text}" if expectation.sign == "failure" else text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
