"""The progress bar appears on a terminal only, and only after a while."""

from __future__ import annotations

import io
import os
import subprocess
import sys

from logdoctor import progress

CODE = """
from logdoctor import progress
progress.enable({on})
progress.PATIENCE = {patience}
for item in progress.over(range(50), "reading [/bold] run.log", 50):
    pass
print("done")
"""


def run_on_a_terminal(patience: float, on: bool = True) -> str:
    """Run with standard error on a pseudo terminal and return what it showed."""
    master, slave = os.openpty()
    code = CODE.format(patience=patience, on=on)
    env = {**os.environ, "TERM": "xterm"}
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=slave, check=True, env=env)
    os.close(slave)
    assert done.stdout == b"done\n"
    os.set_blocking(master, False)
    try:
        shown = os.read(master, 1 << 16)
    except OSError:  # nothing was shown
        shown = b""
    os.close(master)
    return shown.decode()


def test_long_work_shows_a_bar_on_a_terminal():
    shown = run_on_a_terminal(0.0)
    assert "run.log" in shown
    assert "[/bold]" in shown


def test_a_library_shows_nothing_of_itself():
    assert run_on_a_terminal(0.0, on=False) == ""


def test_short_work_shows_nothing():
    assert run_on_a_terminal(60.0) == ""


def test_a_pipe_gets_nothing(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_on", True)
    assert list(progress.over(range(5), "reading")) == [0, 1, 2, 3, 4]
    assert b"".join(progress.blocks([b"a", b"b"], "reading")) == b"ab"
    assert stream.getvalue() == ""


def test_quiet_is_quiet(monkeypatch):
    monkeypatch.setattr(sys, "stderr", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    monkeypatch.setattr(progress, "_on", False)  # another test may have run the command line, which turns it on
    assert not progress.wanted()
    monkeypatch.setattr(progress, "_on", True)
    assert progress.wanted()
    assert not progress.wanted(quiet=True)


def test_rich_is_not_loaded_for_short_work():
    code = CODE.format(patience=60, on=True) + "\nimport sys; assert 'rich' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
