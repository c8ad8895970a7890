"""The terminal view fits its width, colours only on request and never reads log text as markup."""

from __future__ import annotations

from dataclasses import replace

import pytest

from logdoctor.renderers._record import RenderOptions
from logdoctor.renderers.terminal import render
from tests import hand_made

OPTIONS = RenderOptions(width=80, color=False)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("make", [hand_made.sick, hand_made.well, hand_made.unclear, hand_made.hostile])
def test_no_line_is_wider_than_the_terminal(width: int, make: object) -> None:
    shown = render([make()], replace(OPTIONS, width=width, verbose=1))  # type: ignore[operator]
    assert max(len(line) for line in shown.splitlines()) <= width


def test_no_escape_codes_without_colour_even_from_the_log() -> None:
    assert "\x1b" not in render([hand_made.sick(), hand_made.hostile()], OPTIONS)


def test_colour_on_request() -> None:
    shown = render([hand_made.sick()], replace(OPTIONS, color=True))
    assert "\x1b[1;31m" in shown
    assert "Loss explodes" in shown


def test_markup_of_the_log_is_printed_as_it_stands() -> None:
    assert "[/bold]" in render([hand_made.hostile()], replace(OPTIONS, width=120))


def test_first_screen() -> None:
    first = render([hand_made.sick()], OPTIONS).splitlines()[:20]
    page = "\n".join(first)
    assert first[0] == "critical: Loss explodes – frame 118.9M"
    for wanted in ("Since", "Now", "Most likely cause", "Longer run", "Lost", "▲ frame 50.6M"):
        assert wanted in page


def test_quiet_is_the_first_screen_alone() -> None:
    assert "What went wrong" not in render([hand_made.sick()], replace(OPTIONS, quiet=True))


def test_verbose_adds_phases_expectations_and_checks() -> None:
    short = render([hand_made.sick()], OPTIONS)
    full = render([hand_made.sick()], replace(OPTIONS, verbose=1))
    for wanted in ("Phases", "What to expect after the change", "LD701 overfitting: not-applicable"):
        assert wanted not in short
        assert wanted in full


def test_several_diagnoses_follow_each_other() -> None:
    shown = render([hand_made.sick(), hand_made.well()], OPTIONS)
    assert shown.index("critical: ") < shown.index("healthy: Healthy run")
