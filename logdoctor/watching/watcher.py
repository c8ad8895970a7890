"""One watched log: reads what is new, judges it, and says what has changed since it last spoke.

A change for the worse is told at once; one for the better after it has been seen twice, so that a value that hovers at
a threshold does not chatter. Each kind of finding is told once until it is gone.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from logdoctor.engine import diagnose
from logdoctor.errors import LogDoctorError
from logdoctor.model import Diagnosis, Finding, severity_rank
from logdoctor.settings import Settings
from logdoctor.watching.growing import KEEP, PREAMBLE, Growing
from logdoctor.watching.happening import Happening
from logdoctor.watching.tail import FileTail, Line, News, Tail
from logdoctor.wording import hours, steps

SEED_BYTES = 1 << 20  # an existing log above this size is read as a whole first, which is faster than line by line
CONFIRM = 2  # looks that must agree before something is called better
GAPS = 20  # waits between rows that tell what is usual
SILENT_TIMES = 20  # times the usual wait: with exponential waits this happens once in e^20 rows by chance
SILENT_LEAST = 60.0  # seconds: below this nobody would get up
DUTY = 4.0  # seconds of rest for each second that a look took: at most a fifth of one core

_RANK = {None: -1, "inconclusive": 0, "healthy": 0, "warning": 1, "critical": 2}
_NEWS = {
    "waiting": "the file is not there yet",
    "appeared": "the file is there",
    "replaced": "another file has taken its place: starting again",
    "truncated": "the file was truncated: starting again",
    "rewritten": "the file was written anew: starting again",
    "gone": "the file is gone: waiting for it",
}

Alarms = dict[tuple[str, str], Finding]


class Watcher:
    """Follows one log. Times are seconds since the epoch, given by the caller."""

    def __init__(
        self, tail: Tail, settings: Settings, *, config: str | Path | None = None, silent_for: float | None = None
    ) -> None:
        """Follow ``tail``; ``silent_for`` seconds without a line are told (None: judged by what is usual, 0: never)."""
        self.tail = tail
        self.settings = settings
        self.config = config
        self.silent_for = silent_for
        self.diagnosis: Diagnosis | None = None
        self.verdict: str | None = None
        self.alarms: Alarms = {}
        self.dead = False
        self._growing = self._begin()
        self._seen_runs = 0
        self._new = False
        self._better = 0
        self._gone: dict[tuple[str, str], int] = {}
        self._gaps: deque[float] = deque(maxlen=GAPS)
        self._last_line: float | None = None
        self._silent = False
        self._not_before = 0.0
        self._first = True
        self._fault = ""

    @property
    def name(self) -> str:
        """The path, as given."""
        return self.tail.name

    @property
    def lines(self) -> int:
        """Lines read of the present file."""
        return self._growing.lines_read

    @property
    def done(self) -> bool:
        """Whether nothing more can come."""
        return self.dead or self.tail.ended

    # ---------------------------------------------------------------------------------------------- looking
    def look(self, now: float, elapsed: float = 0.0) -> Iterator[Happening]:
        """Read and judge what is new.

        Args:
            now: the time.
            elapsed: how long the look before this one took; looks are spaced by it.
        """
        if self.dead:
            return
        try:
            yield from self._poll(now)
            if self._new and (now >= self._not_before + DUTY * elapsed or self.tail.ended):
                self._new = False
                self._not_before = now
                yield from self._judge(now)
        except LogDoctorError as error:
            self.dead = True
            yield self._say("error", now, str(error))
            return
        yield from self._silence(now)

    def _poll(self, now: float) -> Iterator[Happening]:
        if self._first and isinstance(self.tail, FileTail):
            self._seed(self.tail)
        for item in self.tail.poll():
            if isinstance(item, News):
                yield self._say(item.kind, now, _NEWS[item.kind])
                if item.kind in ("replaced", "truncated", "rewritten"):
                    self._restart()
                continue
            yield from self._lines(item, now)
        self._first = False

    def _seed(self, tail: FileTail) -> None:
        """Read a long log as a whole, and go on from its end."""
        try:
            if Path(tail.name).stat().st_size < SEED_BYTES:
                return
        except OSError:
            return
        from logdoctor.reader import read_log

        taken = tail.skip(PREAMBLE, KEEP)
        if taken is None:
            return
        lines, first, last = taken
        self._growing.seed(read_log(tail.name, stream=True, settings=self.settings), lines, first, last)
        self._seen_runs = self._growing.runs
        self._new = True

    def _lines(self, batch: list[Line], now: float) -> Iterator[Happening]:
        if self._last_line is not None and not self._first:
            self._gaps.append(now - self._last_line)
        if self._silent:
            self._silent = False
            yield self._say("resumed", now, f"writing again after {_duration(now - (self._last_line or now))}")
        self._last_line = now
        self._growing.bytes_read = self.tail.offset
        self._growing.feed(batch)
        self._new = True

    def _begin(self) -> Growing:
        return Growing(self.tail.name, self.settings)

    def _restart(self) -> None:
        """Forget the run: what comes now is another one."""
        self._growing = self._begin()
        self._seen_runs = 0
        self._better = 0
        self._gone.clear()
        self.verdict, self.alarms, self.diagnosis = None, {}, None

    # ---------------------------------------------------------------------------------------------- judging
    def _judge(self, now: float) -> Iterator[Happening]:
        try:
            run = self._growing.run_log()
            diagnosis = diagnose(run, hyperparameters=self.config, settings=self.settings)
        except LogDoctorError:
            raise
        except Exception as error:  # noqa: BLE001 - a watch of days must survive a fault of ours at one look
            text = f"internal error at this look, please report it: {type(error).__name__}: {error}"
            if text != self._fault:
                self._fault = text
                yield self._say("error", now, text)
            return
        runs = len(run.reading.segments)
        if self._seen_runs and runs > self._seen_runs:
            segment = run.reading.segments[-1]
            text = f"the program was started again at line {segment.first_line} ({segment.begins})"
            yield self._say("restarted", now, text)
        self._seen_runs = max(runs, self._seen_runs)
        self.diagnosis, self._fault = diagnosis, ""
        verdict = self.diagnosis.verdict if self.diagnosis.judgeable else None
        alarms = _alarms(self.diagnosis)
        if self.verdict is None:
            yield from self._first_verdict(verdict, alarms, now)
        elif _RANK[verdict] > _RANK[self.verdict]:
            yield from self._worse(verdict, alarms, now)
        elif _RANK[verdict] < _RANK[self.verdict]:
            yield from self._maybe_better(verdict, alarms, now)
        else:
            self._better = 0
            yield from self._findings(alarms, now)

    def _first_verdict(self, verdict: str | None, alarms: Alarms, now: float) -> Iterator[Happening]:
        if verdict is None or self.diagnosis is None:
            return
        self.verdict, self.alarms = verdict, alarms
        yield self._say("started", now, self.diagnosis.headline, findings=tuple(alarms.values()))

    def _worse(self, verdict: str | None, alarms: Alarms, now: float) -> Iterator[Happening]:
        before, self.verdict = self.verdict, verdict
        new = tuple(f for key, f in alarms.items() if key not in self.alarms or _worsened(self.alarms[key], f))
        self.alarms, self._better = alarms, 0
        assert self.diagnosis is not None
        findings = new or tuple(alarms.values())
        yield self._say("verdict", now, self.diagnosis.headline, before=before, findings=findings)

    def _maybe_better(self, verdict: str | None, alarms: Alarms, now: float) -> Iterator[Happening]:
        self._better += 1
        if self._better < CONFIRM:
            return
        gone = tuple(f for key, f in self.alarms.items() if key not in alarms)
        before, self.verdict, self.alarms, self._better = self.verdict, verdict, alarms, 0
        names = ", ".join(dict.fromkeys(f.name for f in gone))
        assert self.diagnosis is not None
        text = f"no longer: {names}. {self.diagnosis.headline}" if names else self.diagnosis.headline
        yield self._say("recovered", now, text, before=before, findings=gone)

    def _findings(self, alarms: Alarms, now: float) -> Iterator[Happening]:
        """Tell kinds of findings that came or went while the verdict stayed."""
        for key, finding in alarms.items():
            self._gone.pop(key, None)
            if key not in self.alarms:
                self.alarms[key] = finding
                yield self._say("finding", now, f"{finding.id} {finding.name}: {finding.summary}", findings=(finding,))
        for key in [key for key in self.alarms if key not in alarms]:
            self._gone[key] = self._gone.get(key, 0) + 1
            if self._gone[key] >= CONFIRM:
                finding = self.alarms.pop(key)
                del self._gone[key]
                yield self._say("cleared", now, f"{finding.id} {finding.name} is gone", findings=(finding,))

    # ---------------------------------------------------------------------------------------------- silence
    def _silence(self, now: float) -> Iterator[Happening]:
        if self._silent or self._last_line is None or self.silent_for == 0 or self.done:
            return
        usual = statistics.median(self._gaps) if len(self._gaps) >= 3 else None
        limit = self.silent_for
        if limit is None:
            if usual is None:
                return
            limit = max(SILENT_LEAST, SILENT_TIMES * usual)
        quiet = now - self._last_line
        if quiet >= limit:
            self._silent = True
            known = "" if usual is None else f" (usual: {_duration(usual)})"
            yield self._say("silent", now, f"silent for {_duration(quiet)}{known}")

    # ----------------------------------------------------------------------------------------------- saying
    def heartbeat(self, now: float) -> Happening:
        """Return where the run is."""
        return self._say("heartbeat", now, self._progress())

    def ended(self, now: float) -> Happening:
        """Return the last word."""
        headline = self.diagnosis.headline if self.diagnosis else "nothing could be judged"
        return self._say("ended", now, f"{self._progress()}. {headline}", findings=tuple(self.alarms.values()))

    def _progress(self) -> str:
        step = self._step()
        at = "" if step is None else f", at step {steps(step)}"
        return f"{self.lines:,} lines{at}"

    def _step(self) -> float | None:
        segments = self.diagnosis.reading.segments if self.diagnosis else ()
        return segments[-1].last_step if segments else None

    def _say(
        self, kind: str, now: float, text: str, *, before: str | None = None, findings: tuple[Finding, ...] = ()
    ) -> Happening:
        worst = max(findings, key=lambda f: severity_rank(f.severity), default=None)
        return Happening(
            kind=kind, moment=now, path=self.name, text=text, verdict=self.verdict, before=before,
            place=worst.onset if worst else None, findings=findings, lines=self.lines, step=self._step(),
        )  # fmt: skip


def _alarms(diagnosis: Diagnosis) -> Alarms:
    found: Alarms = {}
    for finding in diagnosis.findings:
        if not finding.benign and finding.severity != "info":
            found.setdefault((finding.id, finding.metrics[0] if finding.metrics else ""), finding)
    return found


def _worsened(before: Finding, after: Finding) -> bool:
    return severity_rank(after.severity) > severity_rank(before.severity)


def _duration(seconds: float) -> str:
    return hours(seconds / 3600)
