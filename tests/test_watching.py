"""Watching: a run that breaks, recovers, is restarted, rotated or falls silent; alerts; bounded cost."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from logdoctor.engine import diagnose
from logdoctor.errors import InputError, MissingExtraError, UsageError
from logdoctor.model import Diagnosis, Finding, Place, Reading, SourceInfo
from logdoctor.reader import read_log
from logdoctor.settings import Settings
from logdoctor.watching import Watch, growing, watch, watcher
from logdoctor.watching.alerts import Command, Notifier, environment, message
from logdoctor.watching.growing import Growing
from logdoctor.watching.happening import Happening
from logdoctor.watching.tail import FileTail, News, PipeTail
from tests.hand_made import NASTY

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_logs" / "q_divergence.log"


def numbered(lines, first=1):
    return list(enumerate(lines, start=first))


def rows(count, start=0, level=None, noise=0.01):
    rng = np.random.default_rng(start)
    return [
        f"step {i * 100} | loss {(level or 0.2 + np.exp(-i / 400)) + noise * rng.standard_normal():.5f} "
        f"| reward {min(i, 500) * 0.1 + rng.standard_normal():.3f}"
        for i in range(start, start + count)
    ]


# -------------------------------------------------------------------------------------------------------- tailing
class TestFileTail:
    def collect(self, tail):
        items = list(tail.poll())
        lines = [text for item in items if not isinstance(item, News) for _, text in item]
        return lines, [item.kind for item in items if isinstance(item, News)]

    def test_only_whole_lines_and_each_once(self, tmp_path):
        path = tmp_path / "a.log"
        path.write_bytes(b"one\ntwo\nthr")
        tail = FileTail(str(path))
        assert self.collect(tail) == (["one", "two"], [])
        assert self.collect(tail) == ([], [])
        with path.open("ab") as file:
            file.write(b"ee\nfour\n")
        assert list(tail.poll()) == [[(3, "three"), (4, "four")]]
        tail.close()

    def test_it_waits_for_a_file_that_does_not_exist_yet(self, tmp_path):
        path = tmp_path / "a.log"
        tail = FileTail(str(path))
        assert self.collect(tail) == ([], ["waiting"])
        assert self.collect(tail) == ([], [])
        path.write_text("one\n", encoding="utf-8")
        assert self.collect(tail) == (["one"], ["appeared"])
        tail.close()

    def test_rotation_loses_no_line(self, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("one\n", encoding="utf-8")
        tail = FileTail(str(path))
        self.collect(tail)
        with path.open("a", encoding="utf-8") as file:
            file.write("two\nlast without end")
        path.rename(tmp_path / "a.log.1")
        path.write_text("new one\n", encoding="utf-8")
        assert self.collect(tail) == (["two", "last without end", "new one"], ["replaced"])
        assert self.collect(tail) == ([], [])
        tail.close()

    def test_truncation_and_rewriting(self, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("one\ntwo\nthree\n", encoding="utf-8")
        tail = FileTail(str(path))
        self.collect(tail)
        path.write_text("1\n", encoding="utf-8")
        assert self.collect(tail) == (["1"], ["truncated"])
        path.write_text("A longer beginning than before\nand more\n", encoding="utf-8")
        assert self.collect(tail)[1] == ["rewritten"]
        tail.close()

    def test_a_file_that_goes_and_comes_back(self, tmp_path):
        path = tmp_path / "a.log"
        path.write_text("one\n", encoding="utf-8")
        tail = FileTail(str(path))
        self.collect(tail)
        path.unlink()
        assert self.collect(tail) == ([], ["gone"])
        path.write_text("two\n", encoding="utf-8")
        assert self.collect(tail) == (["two"], ["appeared"])
        tail.close()

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
    def test_encodings_in_small_pieces(self, encoding, tmp_path):
        path = tmp_path / "a.log"
        data = "ClipΔ 1\nnächste 2\n".encode(encoding)
        path.write_bytes(b"")
        tail = FileTail(str(path))
        got = []
        for i in range(0, len(data), 5):
            with path.open("ab") as file:
                file.write(data[i : i + 5])
            got += self.collect(tail)[0]
        assert got == ["ClipΔ 1", "nächste 2"]
        tail.close()

    def test_binary_is_an_input_error(self, tmp_path):
        path = tmp_path / "a.log"
        path.write_bytes(bytes(range(256)) * 20)
        with pytest.raises(InputError, match="not a text log"):
            list(FileTail(str(path)).poll())


def test_a_pipe_is_read_to_its_end():
    tail = PipeTail(io.BytesIO(b"one\ntwo"))
    got, end = [], time.monotonic() + 10
    while not tail.ended and time.monotonic() < end:
        got += [line for batch in tail.poll() for line in batch]
        time.sleep(0.01)
    assert got == [(1, "one"), (2, "two")]


# ----------------------------------------------------------------------------------------------- bounded memory
def test_a_growing_log_says_what_the_whole_log_says(tmp_path):
    lines = ["learning rate: 0.001", *rows(7000), *rows(400, start=7000, level=40.0)]
    log = tmp_path / "a.log"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    whole = read_log(log)
    grown = Growing("a.log")
    for start in range(0, len(lines), 700):
        grown.feed(numbered(lines[start : start + 700], start + 1))
    run = grown.run_log()
    assert run.reading.rows == whole.reading.rows
    assert [s.value for s in run.hyperparameters] == [s.value for s in whole.hyperparameters]
    assert len(run.reading.segments) == len(whole.reading.segments)
    for name, series in whole.series.items():
        mine = run.series[name]
        assert mine.count == len(series)
        assert mine.highs.max() == series.value.max()
        assert mine.lows.min() == series.value.min()
        assert mine.high_lines[mine.highs.argmax()] == series.line[series.value.argmax()]
        assert (mine.line == np.sort(mine.line)).all()
    assert {f.id for f in diagnose(run).findings if f.severity != "info"} == {
        f.id for f in diagnose(whole).findings if f.severity != "info"
    }


def test_it_keeps_a_bounded_number_of_lines_and_points():
    grown = Growing("a.log")
    sizes = []
    for start in range(0, 16_000, 2000):
        grown.feed(numbered(rows(2000, start), start + 1))
        sizes.append(len(grown._window))
    assert max(sizes) <= growing.WINDOW
    assert len(grown._preamble) <= growing.PREAMBLE
    run = grown.run_log()
    assert all(len(series) <= 4096 + growing.WINDOW for series in run.series.values())
    assert run.series["loss"].count == 16_000


def test_a_look_reads_no_more_lines_late_than_early(monkeypatch):
    """The cost of a new line does not depend on how many came before it."""
    read = []
    plain = growing.assemble
    monkeypatch.setattr(growing, "assemble", lambda o, lines, *a: read.append(len(lines)) or plain(o, lines, *a))
    grown = Growing("a.log")
    totals = []
    for start in range(0, 12_000, 500):
        read.clear()
        grown.feed(numbered(rows(500, start), start + 1))
        grown.run_log()
        totals.append(sum(read))
    assert max(totals) <= 2 * (growing.WINDOW + growing.PREAMBLE)
    assert max(totals[-8:]) <= max(totals[8:16])


def test_two_runs_in_one_file_stay_apart_when_they_are_retired():
    lines = [*rows(4000), "Using device: cuda:0", *rows(4000)]
    grown = Growing("a.log")
    grown.feed(numbered(lines))
    segments = grown.run_log().reading.segments
    assert len(segments) == 2
    assert segments[1].first_line in (4001, 4002)
    assert [s.rows for s in segments] == [4000, 4000]


def test_a_seeded_log_goes_on_where_the_file_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(watcher, "SEED_BYTES", 1)
    log = tmp_path / "a.log"
    lines = rows(3500)
    log.write_text("\n".join(lines[:3000]) + "\n", encoding="utf-8")
    follower = watcher.Watcher(FileTail(str(log)), Settings())
    list(follower.look(0.0))
    with log.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines[3000:]) + "\n")
    list(follower.look(100.0))
    follower.tail.close()
    series = follower._growing.run_log().series["loss"]
    assert series.count == 3500
    assert series.line[0] == 1
    assert series.line[-1] == 3500
    assert len(np.unique(series.line)) == len(series)


# ---------------------------------------------------------------------------------------------- what is told
class Script:
    """A clock that runs when somebody sleeps, and does the next thing of a list each time."""

    def __init__(self, *steps, pause=10.0):
        self.time, self.steps, self.pause = 1_000_000.0, list(steps), pause

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += self.pause
        if not self.steps:
            raise KeyboardInterrupt
        self.steps.pop(0)()


def follow(path, *steps, **options):
    script = Script(*steps, pause=options.pop("pause", 10.0))
    events = []
    watched = Watch([str(path)], now=script.now, sleep=script.sleep, heartbeat=options.pop("heartbeat", 0), **options)
    code = watch(watched, [events.append])
    return events, code


def append(path, lines):
    def step():
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    return step


def kinds(events):
    return [event.kind for event in events]


def test_a_run_that_breaks_is_told_once_with_what_triggered_it(tmp_path):
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    log = tmp_path / "run.log"
    append(log, lines[:35])()
    steps = [append(log, [line]) for line in lines[35:]] + [lambda: None] * 3
    events, code = follow(log, *steps)
    assert kinds(events)[0] == "started"
    assert events[0].verdict == "healthy"
    changes = [e for e in events if e.kind == "verdict"]
    assert changes[-1].verdict == "critical"
    assert any(f.severity == "critical" for f in changes[-1].findings)
    assert changes[-1].place is not None
    assert len(changes) <= 2
    assert kinds(events)[-1] == "ended"
    assert code == 1


def test_until_ends_with_1_as_soon_as_it_is_reached(tmp_path):
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    log = tmp_path / "run.log"
    append(log, lines[:40])()
    never = [append(log, ["x"])] * 50
    events, code = follow(log, append(log, lines[40:]), *never, until="critical")
    assert code == 1
    assert events[-1].verdict == "critical"
    assert "x" not in log.read_text(encoding="utf-8").splitlines()


def fake(monkeypatch, verdicts):
    """Let the rules say what the list says, one item a look."""
    seen = []

    def diagnose_as_told(run, **_):
        verdict = verdicts[min(len(seen), len(verdicts) - 1)]
        seen.append(run)
        alarm = Finding(
            id="LD201", name="loss-explosion", severity=verdict if verdict in ("warning", "critical") else "info",
            confidence=0.9, summary="loss exploded", metrics=("loss",), onset=Place(line=3, step=200.0),
        )  # fmt: skip
        reading = Reading(format="x", rows=9, metric_lines=9, unread_lines=0, coverage=1.0)
        return Diagnosis(
            source=SourceInfo(path="x"), reading=reading, verdict=verdict, headline=verdict, findings=(alarm,)
        )

    monkeypatch.setattr(watcher, "diagnose", diagnose_as_told)


def grow(path, times):
    return [append(path, rows(1, start=i)) for i in range(5, 5 + times)]


def test_better_is_told_when_it_has_been_seen_twice(tmp_path, monkeypatch):
    fake(monkeypatch, ["healthy", "critical", "healthy", "critical", "healthy", "healthy"])
    log = tmp_path / "a.log"
    append(log, rows(5))()
    events, code = follow(log, *grow(log, 6))
    assert [(e.kind, e.before, e.verdict) for e in events[:-1]] == [
        ("started", None, "healthy"),
        ("verdict", "healthy", "critical"),
        ("recovered", "critical", "healthy"),
    ]
    assert code == 0


def test_nothing_is_said_while_nothing_changes(tmp_path, monkeypatch):
    fake(monkeypatch, ["critical"])
    log = tmp_path / "a.log"
    append(log, rows(5))()
    events, _ = follow(log, *grow(log, 30))
    assert kinds(events) == ["verdict", "ended"]


def test_silence_is_told_against_what_is_usual_and_so_is_the_end_of_it(tmp_path, monkeypatch):
    fake(monkeypatch, ["healthy"])
    log = tmp_path / "a.log"
    append(log, rows(5))()
    quiet = [lambda: None] * 30
    events, _ = follow(log, *grow(log, 6), *quiet, append(log, rows(1, start=50)))
    assert kinds(events) == ["started", "silent", "resumed", "ended"]
    assert "usual: 10 s" in events[1].text
    events, _ = follow(log, *quiet, silent_for=0)
    assert "silent" not in kinds(events)
    events, _ = follow(log, *[lambda: None] * 4, silent_for=25.0)
    assert kinds(events).count("silent") == 1


def test_replaced_truncated_and_started_again(tmp_path, monkeypatch):
    log = tmp_path / "a.log"
    append(log, rows(60))()

    def rotate():
        log.rename(tmp_path / "old.log")
        append(log, rows(40))()

    def truncate():
        log.write_text("\n".join(rows(20)) + "\n", encoding="utf-8")

    again = append(log, ["Using device: cuda:0", "Learning rate: 0.01", "Batch size: 64", *rows(30)])
    events, _ = follow(log, rotate, truncate, again)
    assert [kind for kind in kinds(events) if kind in ("replaced", "truncated", "restarted")] == [
        "replaced",
        "truncated",
        "restarted",
    ]
    assert kinds(events).count("started") + kinds(events).count("verdict") >= 3


def test_a_fault_of_ours_at_one_look_does_not_end_the_watch(tmp_path, monkeypatch):
    fake(monkeypatch, ["healthy", "critical"])
    plain, calls = watcher.diagnose, []

    def sometimes(run, **more):
        calls.append(run)
        if len(calls) in (2, 3):
            raise ZeroDivisionError("x")
        return plain(run, **more)

    monkeypatch.setattr(watcher, "diagnose", sometimes)
    log = tmp_path / "a.log"
    append(log, rows(5))()
    events, code = follow(log, *grow(log, 6))
    assert kinds(events) == ["started", "error", "verdict", "ended"]
    assert "ZeroDivisionError" in events[1].text
    assert code == 1


def test_heartbeat(tmp_path, monkeypatch):
    fake(monkeypatch, ["healthy"])
    log = tmp_path / "a.log"
    append(log, rows(5))()
    events, _ = follow(log, *grow(log, 12), heartbeat=60)
    assert kinds(events).count("heartbeat") == 2
    assert "lines" in events[1].text


def test_a_watch_that_is_started_again_does_not_repeat_itself(tmp_path, monkeypatch):
    log, state = tmp_path / "a.log", tmp_path / "state.json"
    append(log, rows(5))()
    for verdicts, kind in ((["critical"], "verdict"), (["critical"], "started"), (["healthy"], "recovered")):
        fake(monkeypatch, verdicts)
        events, _ = follow(log, state=state)
        assert events[0].kind == kind, verdicts
    state.write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="not a state"):
        follow(log, state=state)


def test_several_logs_and_one_that_cannot_be_read(tmp_path, monkeypatch):
    fake(monkeypatch, ["healthy"])
    append(tmp_path / "a.log", rows(5))()
    (tmp_path / "b.log").write_bytes(bytes(range(256)) * 20)
    events = []
    watched = Watch([str(tmp_path / "b.log"), str(tmp_path / "a.log")], once=True)
    code = watch(watched, [events.append])
    assert (events[0].kind, events[1].kind) == ("error", "started")
    assert code == 2


def test_nothing_that_could_be_judged_is_3(tmp_path):
    (tmp_path / "a.log").write_text("hello\n", encoding="utf-8")
    assert follow(tmp_path / "a.log", once=True)[1] == 3
    assert follow(tmp_path / "a.log", once=True, settings=Settings(allow_empty=True))[1] == 0


# ------------------------------------------------------------------------------------------------------- alerts
def event(kind="verdict", text=NASTY, path="run $(touch pwned).log"):
    finding = Finding(id="LD201", name="x", severity="critical", confidence=1.0, summary=text, onset=Place(line=7))
    return Happening(
        kind=kind, moment=0.0, path=path, text=text, verdict="critical", before="healthy", findings=(finding,),
        place=finding.onset,
    )  # fmt: skip


def test_the_command_gets_the_event_as_data_and_never_through_a_shell(tmp_path):
    script = tmp_path / "take.py"
    script.write_text(
        "import json, os, sys\n"
        "data = json.load(sys.stdin)\n"
        "json.dump([data, {k: v for k, v in os.environ.items() if k.startswith('LOGDOCTOR_')}, sys.argv[1:]],"
        " open(sys.argv[1], 'w'))\n",
        encoding="utf-8",
    )
    out, said = tmp_path / "got.json", []
    nasty = f"{NASTY}; touch pwned\n`touch pwned`\x00"
    command = Command(f"'{sys.executable}' '{script}' '{out}' '$(touch pwned)' '; touch pwned'", said.append)
    command(event(text=nasty))
    data, environ, words = json.loads(out.read_text(encoding="utf-8"))
    assert data["text"] == nasty
    assert data["event"] == "verdict"
    assert environ["LOGDOCTOR_VERDICT"] == "critical"
    assert "\n" not in environ["LOGDOCTOR_TEXT"]
    assert words[1:] == ["$(touch pwned)", "; touch pwned"]
    assert not (Path.cwd() / "pwned").exists()
    assert not said


def test_only_alerts_start_the_command(tmp_path):
    out = tmp_path / "x"
    command = Command(f"{sys.executable} -c \"open(r'{out}', 'w')\"", lambda text: None)
    for kind in ("heartbeat", "started", "finding", "waiting", "ended"):
        command(event(kind))
    assert not out.exists()
    command(event("silent"))
    assert out.exists()


def test_a_command_that_fails_does_not_stop_the_watch():
    said = []
    Command("no-such-program-anywhere", said.append)(event())
    Command(f"{sys.executable} -c 'raise SystemExit(5)'", said.append)(event())
    Command(f"{sys.executable} -c 'import time; time.sleep(30)'", said.append, timeout=0.2)(event())
    assert len(said) == 3
    assert "ended with 5" in said[1]


@pytest.mark.parametrize("command", ["", "   ", "echo 'open"])
def test_a_command_that_cannot_be_split_is_an_error_at_once(command):
    with pytest.raises(UsageError):
        Command(command, print)


def test_environment_values_are_printable_lines():
    for value in environment(event()).values():
        assert value.isprintable()


def test_alerts_by_message_are_masked():
    text = message(event(text="loss exploded, see /home/anna/run/x.log, token=hunter22"))
    assert "anna" not in text
    assert "hunter22" not in text


def test_notify_without_the_extra_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(MissingExtraError, match=r"logdoctor\[notify\]"):
        Notifier(["json://localhost"], print)


def test_notify_hands_alerts_to_apprise(monkeypatch):
    class Service:
        def __init__(self):
            self.sent = []

        def add(self, url):
            return url != "bad"

        def notify(self, title, body):
            self.sent.append((title, body))
            return False

    class Module:
        Apprise = Service

    monkeypatch.setitem(sys.modules, "apprise", Module())
    said = []
    notifier = Notifier(["json://localhost"], said.append)
    notifier(event())
    notifier(event("heartbeat"))
    assert len(notifier._service.sent) == 1
    assert "healthy → critical" in notifier._service.sent[0][0]
    assert "could not deliver" in said[0]
    with pytest.raises(UsageError, match="number 1") as caught:
        Notifier(["bad"], print)
    assert "bad" not in str(caught.value).replace("number", "")


def test_events_are_one_safe_line():
    line = event().to_line(color=True, name="a\x1b[31m.log")
    assert "\n" not in line
    assert "\x1b]" not in line
    assert "\u202e" not in line
    assert len(event().to_json().splitlines()) == 1
    assert json.loads(event().to_json())["text"] == NASTY


# ------------------------------------------------------------------------------------------------ the real program
@pytest.mark.slow
def test_the_program_follows_a_run_and_stops_it(tmp_path):
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    log = tmp_path / "run.log"
    append(log, lines[:40])()
    command = [
        sys.executable,
        "-m",
        "logdoctor",
        "watch",
        str(log),
        "--interval",
        "0.1",
        "--until",
        "critical",
        "-f",
        "json",
    ]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, cwd=tmp_path, text=True) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        append(log, lines[40:])()
        rest = [json.loads(line) for line in process.stdout]
        code = process.wait(timeout=60)
    assert first["event"] == "started"
    assert rest[-1]["verdict"] == "critical"
    assert code == 1
