"""Fixtures that several test files use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from logdoctor.model import RunLog
from logdoctor.reader import read_log


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], RunLog]:
    """Return what reads a text as a log."""

    def reader(text: str) -> RunLog:
        path = tmp_path / "run.log"
        path.write_text(text, encoding="utf-8")
        return read_log(path)

    return reader
