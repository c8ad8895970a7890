"""Python text of strangers: read, never executed, and nothing of it on standard error."""

from __future__ import annotations

import warnings

import pytest

from logdoctor import pytext
from logdoctor.reader import read_log


def test_what_the_compiler_finds_strange_is_not_told(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="malformed"):
            pytext.literal("{'loss': 9or 1}")
        assert pytext.literal("{'loss': 0.5}") == {"loss": 0.5}
        assert len(pytext.tree(r"x = '\d'").body) == 1
    assert capfd.readouterr().err == ""


def test_a_damaged_literal_leaves_no_warning(tmp_path):
    path = tmp_path / "run.log"
    path.write_text(
        "".join(f"{{'loss': {i}.5, 'epoch': {i}.0}}\n" for i in range(5)) + "{'loss': 9or 'x', 'epoch': 9}\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_log(path).series["loss"].count == 5
