"""Tells others: a command of the user's, or the services that apprise knows.

The command is split into words and started without a shell; the event arrives as JSON on its standard input and, word
by word, in environment variables. Nothing that a log says becomes part of a command line.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Sequence

from logdoctor.errors import MissingExtraError, UsageError
from logdoctor.masking import mask
from logdoctor.renderers._escape_ci import line, unlinked
from logdoctor.watching.happening import ALERTS, Happening

TIMEOUT = 60.0  # seconds; a command that hangs must not stop the watch
VALUE_CHARS = 2000

Say = Callable[[str], None]


class Command:
    """``--on-change COMMAND``."""

    def __init__(self, command: str, say: Say, timeout: float = TIMEOUT) -> None:
        """Check the command; ``say`` receives what goes wrong later.

        Raises:
            UsageError: the command is empty or its quotes do not match.
        """
        try:
            self.words = shlex.split(command, posix=os.name != "nt")
        except ValueError as error:
            raise UsageError(f"--on-change {command!r}: {error}") from None
        if not self.words:
            raise UsageError("--on-change needs a command")
        self.say, self.timeout = say, timeout

    def __call__(self, event: Happening) -> None:
        """Run the command for an alert; anything else is passed over."""
        if event.kind not in ALERTS:
            return
        try:
            done = subprocess.run(
                self.words, input=event.to_json() + "\n", env={**os.environ, **environment(event)},
                encoding="utf-8", errors="backslashreplace", timeout=self.timeout, check=False,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired, ValueError) as error:
            self.say(f"logdoctor: --on-change failed: {error}")
            return
        if done.returncode:
            self.say(f"logdoctor: --on-change ended with {done.returncode}")


def environment(event: Happening) -> dict[str, str]:
    """Return the event as environment variables; each value is one printable line."""
    values = {
        "EVENT": event.kind, "PATH": event.path, "VERDICT": event.verdict or "", "BEFORE": event.before or "",
        "TEXT": event.text, "FINDINGS": " ".join(dict.fromkeys(f.id for f in event.findings)),
        "LINE": str(event.place.line) if event.place else "",
    }  # fmt: skip
    return {f"LOGDOCTOR_{name}": line(value, VALUE_CHARS) for name, value in values.items()}


class Notifier:
    """``[notify]``: one short message an alert to each address. Private details are masked."""

    def __init__(self, urls: Sequence[str], say: Say) -> None:
        """Take the addresses.

        Raises:
            MissingExtraError: apprise is not installed.
            UsageError: an address is not understood.
        """
        try:
            import apprise
        except ImportError:
            raise MissingExtraError("Alerting by [notify]", "notify") from None
        self.say = say
        self._service = apprise.Apprise()
        for number, url in enumerate(urls, start=1):
            if not self._service.add(url):  # the address is not repeated: it may hold a secret
                raise UsageError(f"address number {number} of [notify] is not understood")

    def __call__(self, event: Happening) -> None:
        """Send an alert; anything else is passed over."""
        if event.kind not in ALERTS:
            return
        name = event.path.replace("\\", "/").rsplit("/", 1)[-1]
        verdict = f"{event.before} → {event.verdict}" if event.before else event.kind
        if not self._service.notify(title=unlinked(f"logdoctor: {name}: {verdict}"), body=message(event)):
            self.say("logdoctor: [notify] could not deliver an alert")


def message(event: Happening) -> str:
    """Return the text of an alert."""
    return unlinked(mask(event.text), 1000)
