"""Sweeps: nothing is lost, the order does not matter, settings are named only when they separate beyond chance."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from logdoctor.errors import UsageError
from logdoctor.fleet import work
from logdoctor.fleet.groups import failures, outliers
from logdoctor.fleet.resume import Ledger
from logdoctor.fleet.row import Row, RowCause, RowFinding, row_of
from logdoctor.fleet.runs import RunSpec, find_runs
from logdoctor.fleet.statistics import newcombe, separate, wilson
from logdoctor.overviews import html_page, json_lines, markdown, terminal
from logdoctor.renderers._record import RenderOptions
from logdoctor.settings import Settings
from logdoctor.sweeping import Sweep, overview, sweep
from tests.hand_made import sick

EXPLODED = (RowFinding(id="LD201", name="loss-explosion", severity="critical", line=3, step=5.0),)


def row(i: int, failed: bool, **settings: Any) -> Row:
    cause = (RowCause(id="learning-rate-too-high", rank=1, confidence=0.8),) if failed else ()
    return Row(
        path=f"runs/{i:03d}.log", verdict="critical" if failed else "healthy", family="dqn",
        metric="loss", goal="min", final=1.0 + 0.01 * i, best=1.0, spark=(1.0, 2.0, float("nan"), 4.0),
        causes=cause, settings=settings, headline="it broke" if failed else "fine", decision="stop" if failed else "",
        findings=EXPLODED if failed else (),
    )  # fmt: skip


def design(n: int, seed: int, effect: bool) -> list[Row]:
    """Runs with settings drawn at random; with ``effect``, a learning rate of 0.01 or more fails in 90 %."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        lr = float(rng.choice([1e-4, 3e-4, 1e-3, 1e-2, 3e-2]))
        rate = (0.9 if lr >= 0.01 else 0.05) if effect else 0.4
        rows.append(
            row(
                i,
                bool(rng.random() < rate),
                learning_rate=lr,
                gamma=float(rng.choice([0.9, 0.99])),
                batch_size=int(rng.choice([32, 64, 128])),
                optimizer=str(rng.choice(["adam", "sgd"])),
                dropout=float(rng.uniform(0, 0.5)),
                seed=i,
            )
        )
    return rows


def test_the_setting_that_separates_is_named_with_its_counts_and_edge() -> None:
    found = separate(design(60, 1, effect=True))
    assert [e.setting for e in found.effects] == ["learning_rate"]
    effect = found.effects[0]
    assert effect.bad == ">= 0.01"
    assert effect.edge == "between 0.001 and 0.01"
    assert effect.bad_failed > 0.7 * effect.bad_runs
    assert effect.low > 0.4
    assert "seed" not in found.tried


def test_shuffled_labels_give_no_claim_above_the_stated_rate() -> None:
    claims = sum(bool(separate(design(40, seed, effect=False), seed=seed).effects) for seed in range(60))
    # at most 5 % of sweeps without an effect may show one; 8 of 60 or more has a chance of 1 % under that rate
    assert claims < 8


def test_settings_that_changed_together_are_reported_as_confounded() -> None:
    rows = [row(i, i < 10, learning_rate=0.1 if i < 10 else 0.001, batch_size=8 if i < 10 else 64) for i in range(20)]
    found = {e.setting: e for e in separate(rows).effects}
    assert found["learning_rate"].confounded_with == ("batch_size",)
    assert found["batch_size"].confounded_with == ("learning_rate",)


def test_a_setting_explained_by_another_is_dropped() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for i in range(80):
        lr = 0.1 if i % 2 else 0.001
        # the tag follows the learning rate in four of five runs and has no effect of its own
        tag = ("hot" if lr == 0.1 else "cold") if rng.random() < 0.8 else ("cold" if lr == 0.1 else "hot")
        rows.append(row(i, lr == 0.1, learning_rate=lr, tag=tag))
    assert [e.setting for e in separate(rows).effects] == ["learning_rate"]


def test_unlike_programs_are_not_compared() -> None:
    """Every DQN run failed and every supervised one is healthy: their settings differ, but nothing follows from it."""
    rows = [row(i, True, learning_rate=0.1) for i in range(10)]
    rows += [replace(row(20 + i, False, learning_rate=0.001), family="supervised") for i in range(10)]
    assert separate(rows).effects == ()


@pytest.mark.parametrize("n_failed", [0, 1, 7])
def test_too_few_runs_say_that_nothing_can_be_told(n_failed: int) -> None:
    found = separate([row(i, i < n_failed, learning_rate=float(i)) for i in range(7)])
    assert found.effects == ()
    assert "cannot tell" in found.note


def test_intervals_agree_with_the_published_figures() -> None:
    # Newcombe 1998, table II, example (a): 56/70 against 48/80, method 10
    low, high = newcombe(56, 70, 48, 80)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    # Wilson for 0 of 10
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=5e-5)


def test_failures_are_grouped_and_siblings_compared() -> None:
    rows = [row(i, i < 3, learning_rate=0.1) for i in range(12)]
    assert [(g.signature, len(g.paths)) for g in failures(rows)] == [(("learning-rate-too-high",), 3)]
    rows[5] = replace(rows[5], final=50.0)
    found = outliers(rows)
    assert [(o.path, o.better) for o in found] == [("runs/005.log", False)]


# ---------------------------------------------------------------------------------------------------------- running
LOG = "".join(f"step {i}: loss {5.0 / (i + 1) + 0.5:.4f}, lr 0.001\n" for i in range(0, 400, 10))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for i in range(6):
        (tmp_path / f"run{i}.log").write_text(LOG.replace("5.0", str(5 + i)), encoding="utf-8")
        (tmp_path / f"run{i}.json").write_text(json.dumps({"lr": 0.001 * (i + 1), "seed": i}), encoding="utf-8")
    (tmp_path / "broken.log").write_bytes(b"\x00\x01\x02" * 1000)
    (tmp_path / "empty.log").write_text("", encoding="utf-8")
    return tmp_path


def test_runs_are_found_with_their_configurations(logs: Path) -> None:
    specs = find_runs([logs])
    assert [Path(s.log).name for s in specs] == ["broken.log", "empty.log", *(f"run{i}.log" for i in range(6))]
    assert [Path(s.config).name for s in specs if s.config] == [f"run{i}.json" for i in range(6)]
    assert find_runs([logs / "run*.log"]) == specs[2:]
    listed = logs / "list.txt"
    listed.write_text("\n".join(s.log for s in specs[2:4]), encoding="utf-8")
    assert find_runs([f"@{listed}"]) == specs[2:4]


def test_same_bytes_with_one_and_two_workers_and_a_foreign_executor(logs: Path) -> None:
    texts = set()
    with ThreadPoolExecutor(2) as threads:
        for options in ({"workers": 1}, {"workers": 2}, {"executor": threads}):
            texts.add(json_lines.render(sweep(logs, **options), RenderOptions()))  # type: ignore[arg-type]
    assert len(texts) == 1
    lines = [json.loads(line) for line in texts.pop().splitlines()]
    assert len(lines) == 8
    assert [bool(line["error"]) for line in lines] == [True, True, *[False] * 6]
    assert [line["settings"]["learning_rate"] for line in lines[2:]] == pytest.approx(
        [0.001 * (i + 1) for i in range(6)]
    )


def test_an_interrupted_sweep_resumes_and_reads_only_what_changed(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = logs / "done.ledger"
    first = sweep(logs, workers=1, resume=ledger)
    read: list[str] = []
    real = work.judge_run

    def counted(spec: RunSpec, settings: Settings) -> Row:
        read.append(Path(spec.log).name)
        return real(spec, settings)

    monkeypatch.setattr(work, "judge_run", counted)
    with ledger.open("a", encoding="utf-8") as file:
        file.write('{"key": "cut off')  # a crash in the middle of a line
    (logs / "run3.log").write_text(LOG.replace("5.0", "50"), encoding="utf-8")
    again = sweep(logs, workers=1, resume=ledger)
    assert read == ["broken.log", "empty.log", "run3.log"]
    assert [r.path for r in again.rows] == [r.path for r in first.rows]
    unchanged = [i for i, r in enumerate(first.rows) if not r.path.endswith("run3.log")]
    assert [again.rows[i] for i in unchanged] == [first.rows[i] for i in unchanged]
    with Ledger(ledger) as file_again:
        done, _ = file_again.split(find_runs([logs]), Settings())
    assert len(done) == 6


def kill_on_run3(batch: work.Batch, settings: Settings) -> list[Row]:
    """Stands in for a worker that the system kills whenever it reads run3."""
    if any(spec.log.endswith("run3.log") for spec in batch):
        os.kill(os.getpid(), signal.SIGKILL)
    return REAL_BATCH(batch, settings)


REAL_BATCH = work.judge_batch


def test_a_killed_worker_loses_no_run(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "judge_batch", kill_on_run3)
    monkeypatch.setattr(work, "BATCH_RUNS", 2)
    rows = sweep(logs, workers=2).rows
    assert len(rows) == 8
    by_name = {Path(r.path).name: r for r in rows}
    assert "killed" in (by_name["run3.log"].error or "")
    assert all(by_name[f"run{i}.log"].error is None for i in (0, 1, 2, 4, 5))


class Failing(Executor):
    """An engine whose first task is lost with its worker."""

    def __init__(self) -> None:
        self.calls = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls += 1
        future: Future[Any] = Future()
        if self.calls == 1:
            future.set_exception(ConnectionError("worker gone"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_a_batch_lost_by_a_foreign_engine_is_tried_again(logs: Path) -> None:
    rows = sweep(logs, executor=Failing()).rows
    assert [r.error is None for r in rows] == [False, False, *[True] * 6]


def test_no_run_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no log"):
        sweep(tmp_path)
    with pytest.raises(UsageError, match="engine"):
        sweep(tmp_path, engine="spark")


# --------------------------------------------------------------------------------------------------------- overviews
NASTY = "runs/<script>alert(1)</script>|`\x1b[31m@you #1.log"


@pytest.fixture
def hostile() -> Sweep:
    rows = design(40, 1, effect=True)
    rows[0] = replace(rows[0], path=NASTY, headline=NASTY, settings={**rows[0].settings, NASTY: "x"})
    rows[1] = Row(path="runs/zzz.log", error=f"cannot be read: {NASTY}")
    return overview(rows)


def every_text(data: Sweep) -> Iterator[str]:
    for renderer in (markdown, terminal, html_page):
        yield renderer.render(data, RenderOptions())


def test_log_text_stays_text_in_every_overview(hostile: Sweep) -> None:
    for text in every_text(hostile):
        assert "\x1b" not in text
    assert "<script>alert" not in html_page.render(hostile, RenderOptions())
    assert json_lines.render(hostile, RenderOptions()).count("\n") == len(hostile.rows)


def test_every_overview_names_the_setting_and_every_run(hostile: Sweep) -> None:
    for text in every_text(hostile):
        assert "learning_rate" in text
        assert "not read" in text
        assert "039.log" in text


def test_a_row_survives_json(hostile: Sweep) -> None:
    for item in hostile.rows:
        again = Row.from_dict(json.loads(json.dumps(item.to_dict(), allow_nan=False)))
        assert again.to_dict() == item.to_dict()


def test_terminal_fits_the_width(hostile: Sweep) -> None:
    lines = terminal.render(hostile, RenderOptions(width=80)).splitlines()
    assert max(len(line) for line in lines) <= 80


# -------------------------------------------------------------------------------------------------------------- Dask
@pytest.mark.slow
def test_dask_gives_the_same_bytes_and_survives_a_killed_worker(logs: Path) -> None:
    distributed = pytest.importorskip("distributed")
    expected = json_lines.render(sweep(logs, workers=1), RenderOptions())
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        executor = client.get_executor(retries=2, pure=False)
        assert json_lines.render(sweep(logs, executor=executor), RenderOptions()) == expected
        victim = next(iter(client.run(os.getpid).values()))
        many = [logs / f"run{i % 6}.log" for i in range(6)]
        futures = [executor.submit(slow_batch, (RunSpec(log=str(log)),), Settings()) for log in many]
        os.kill(victim, signal.SIGKILL)
        rows = [future.result(timeout=60)[0] for future in futures]
        assert [Path(r.path).name for r in rows] == [log.name for log in many]
        assert all(r.error is None for r in rows)
        assert json_lines.render(sweep(logs, executor=executor), RenderOptions()) == expected


def slow_batch(batch: work.Batch, settings: Settings) -> list[Row]:
    """A batch that lasts long enough for its worker to be killed under it."""
    time.sleep(0.5)
    return REAL_BATCH(batch, settings)


@pytest.mark.parametrize(("metric", "goal"), [("fid", "min"), ("val_loss", "min"), ("episode_return", "max")])
def test_the_best_value_of_a_row_follows_the_goal_of_its_metric(metric: str, goal: str) -> None:
    diagnosis = sick()
    renamed = replace(diagnosis.metrics[0], name=metric)
    made = row_of(replace(diagnosis, metrics=(renamed,), performance=metric), "a.log", None)
    assert made.goal == goal
    assert made.best == (renamed.min if goal == "min" else renamed.max)
