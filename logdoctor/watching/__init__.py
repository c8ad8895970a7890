"""Follows growing logs and speaks when the verdict changes.

What a new line costs does not depend on how much was written before: each byte is read once
(:mod:`~logdoctor.watching.tail`), older rows are held in bins (:mod:`~logdoctor.watching.growing`), and the rules see
at most a few thousand points a metric.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from logdoctor.errors import InputError
from logdoctor.gate import FAILED, NOT_JUDGED, OK, rule, worst
from logdoctor.model import Diagnosis
from logdoctor.settings import Settings
from logdoctor.watching.happening import Happening
from logdoctor.watching.tail import FileTail, PipeTail
from logdoctor.watching.watcher import Watcher

__all__ = ["Happening", "Watch", "watch"]

_RANK = {None: -1, "inconclusive": 0, "healthy": 0, "warning": 1, "critical": 2}
HEARTBEAT = 600.0


class Watch:
    """Several logs under one clock.

    Args:
        paths: files (which may not exist yet) or ``-`` for standard input.
        settings: settings of the tool.
        until: ``warning`` or ``critical``: end when a verdict reaches it.
        interval: seconds between polls.
        heartbeat: seconds between signs of life; 0: none.
        silent_for: seconds without a line that are told; None: judged by what is usual, 0: never.
        config: hyperparameters of the run.
        state: file that keeps the verdicts, so that a watch that is started again does not repeat itself.
        once: look once and end.
        now: returns the time in seconds since the epoch.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        settings: Settings | None = None,
        until: str | None = None,
        interval: float = 2.0,
        heartbeat: float = HEARTBEAT,
        silent_for: float | None = None,
        config: str | Path | None = None,
        state: str | Path | None = None,
        once: bool = False,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """See the class."""
        self.settings = settings or Settings()
        self.until, self.interval, self.heartbeat, self.once = until, interval, heartbeat, once
        self.now, self.sleep = now, sleep
        self.state = Path(state) if state else None
        self.watchers = [
            Watcher(
                PipeTail(sys.stdin.buffer) if path == "-" else FileTail(path), self.settings, config=config,
                silent_for=silent_for,
            )
            for path in paths
        ]  # fmt: skip
        self._recalled = self._load()
        self._reached = False

    @property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """The diagnoses at this moment."""
        return tuple(w.diagnosis for w in self.watchers if w.diagnosis is not None)

    def events(self) -> Iterator[Happening]:
        """Yield what happens until nothing more can come, or ``until`` is reached."""
        elapsed = dict.fromkeys(range(len(self.watchers)), 0.0)
        beat = self.now()
        while True:
            for number, watcher in enumerate(self.watchers):
                started = self.now()
                for event in watcher.look(started, elapsed[number]):
                    yield from self._told(watcher, event)
                elapsed[number] = self.now() - started
                if self._reached:
                    yield watcher.ended(self.now())
                    return
            if self.once or all(watcher.done for watcher in self.watchers):
                yield from (watcher.ended(self.now()) for watcher in self.watchers)
                return
            if self.heartbeat and self.now() - beat >= self.heartbeat:
                beat = self.now()
                yield from (watcher.heartbeat(beat) for watcher in self.watchers)
            self.sleep(self.interval)

    def _told(self, watcher: Watcher, event: Happening) -> Iterator[Happening]:
        """Pass an event on; the first verdict is compared with the one of the last watch."""
        if event.kind == "started":
            event = _against(event, self._recalled.pop(watcher.name, None))
        yield event
        if event.kind in ("started", "verdict", "recovered"):
            self._save()
            self._reached = self.until is not None and _RANK[event.verdict] >= _RANK[self.until]

    def exit_code(self) -> int:
        """Return 1 when ``until`` was reached, else what the gate says of the verdicts now."""
        if self._reached:
            return FAILED
        codes = [rule(diagnosis, self.settings).code for diagnosis in self.diagnoses]
        codes += [2 for watcher in self.watchers if watcher.dead]
        missing = len(self.watchers) - len(codes)
        codes += [OK if self.settings.allow_empty else NOT_JUDGED] * missing
        return worst(codes)

    def close(self) -> None:
        """Close the files."""
        for watcher in self.watchers:
            watcher.tail.close()

    # ------------------------------------------------------------------------------------------------- state
    def _load(self) -> dict[str, str]:
        if self.state is None or not self.state.exists():
            return {}
        try:
            data = json.loads(self.state.read_text(encoding="utf-8"))
            return {path: verdict for path, verdict in data["verdicts"].items() if verdict in _RANK and verdict}
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            raise InputError(
                f"{self.state} is not a state of logdoctor watch; remove it or name another file"
            ) from None

    def _save(self) -> None:
        if self.state is None:
            return
        verdicts = {w.name: w.verdict for w in self.watchers if w.verdict} | self._recalled
        fresh = self.state.with_name(self.state.name + ".new")
        try:
            fresh.write_text(json.dumps({"schema": "logdoctor.watch-state/1", "verdicts": verdicts}), encoding="utf-8")
            os.replace(fresh, self.state)  # noqa: PTH105 - the same call, atomic
        except OSError as error:
            raise InputError(f"{self.state} cannot be written: {error.strerror or error}") from None


def _against(event: Happening, recalled: str | None) -> Happening:
    """Compare the first verdict with the one of the last watch; a run that is sick from the start is told as well."""
    if recalled is None:
        return replace(event, kind="verdict") if _RANK[event.verdict] > 0 else event
    if recalled == event.verdict:
        return event
    kind = "verdict" if _RANK[event.verdict] > _RANK[recalled] else "recovered"
    return replace(event, kind=kind, before=recalled, text=f"since the last watch: {event.text}")


def watch(watched: Watch, tell: Sequence[Callable[[Happening], None]]) -> int:
    """Hand each event to every function of ``tell``, and return the exit code.

    Ctrl-C ends it with the exit code of the verdicts at that moment.
    """
    try:
        for event in watched.events():
            for listener in tell:
                listener(event)
    except KeyboardInterrupt:
        with contextlib.suppress(KeyboardInterrupt):
            for watcher in watched.watchers:
                for listener in tell:
                    listener(watcher.ended(watched.now()))
    finally:
        watched.close()
    return watched.exit_code()
