"""A progress bar on standard error: for the command line, on a terminal only, and only where work takes a while."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T")

PATIENCE = 0.8
"""Seconds of work before a bar appears: about the time after which people begin to wonder."""


_on = False


def enable(on: bool = True) -> None:
    """Let bars appear; the command line does so, a program that uses the library may."""
    global _on
    _on = on


def wanted(quiet: bool = False) -> bool:
    """Whether a bar may be shown: bars are on, standard error is a terminal and nobody asked for silence."""
    return _on and not quiet and sys.stderr is not None and sys.stderr.isatty()


class Bar:
    """Shows nothing until ``PATIENCE`` seconds have passed; nothing at all where no bar is wanted.

    Use it as a context manager and call :meth:`advance`.
    """

    def __init__(self, label: str, total: float | None = None, *, unit: str = "bytes", quiet: bool = False) -> None:
        """Prepare a bar over ``total`` units (unknown when None)."""
        self._label, self._total, self._unit = label, total, unit
        self._wanted = wanted(quiet)
        self._began = time.monotonic()
        self._done = 0.0
        self._bar: Progress | None = None
        self._task: Any = None

    def __enter__(self) -> Bar:
        """Start to wait."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def advance(self, amount: float = 1.0) -> None:
        """Note that ``amount`` further units are done."""
        self._done += amount
        if not self._wanted:
            return
        if self._bar is None:
            if time.monotonic() - self._began < PATIENCE:
                return
            self._show()
        if self._bar is not None:
            self._bar.update(self._task, completed=int(self._done))

    def _show(self) -> None:
        from rich import progress
        from rich.console import Console
        from rich.markup import escape

        amount: progress.ProgressColumn = (
            progress.DownloadColumn() if self._unit == "bytes" else progress.MofNCompleteColumn()
        )
        self._bar = progress.Progress(
            progress.TextColumn(escape(self._label), markup=True),
            progress.BarColumn(),
            amount,
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(self._label, total=self._total, completed=int(self._done))
        self._bar.start()


def over(items: Iterable[T], label: str, total: int | None = None, *, quiet: bool = False) -> Iterator[T]:
    """Yield ``items`` with a bar that counts them."""
    with Bar(label, total, unit="items", quiet=quiet) as bar:
        for item in items:
            yield item
            bar.advance()


def blocks(pieces: Iterable[bytes], label: str, total: int | None = None, *, quiet: bool = False) -> Iterator[bytes]:
    """Yield blocks of bytes with a bar that counts the bytes."""
    with Bar(label, total, quiet=quiet) as bar:
        for piece in pieces:
            yield piece
            bar.advance(len(piece))
