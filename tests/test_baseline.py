"""``--baseline``: siblings are read from logs, directories and reports, and a run is compared with their spread."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from logdoctor import diagnose
from logdoctor.baseline import load_siblings
from logdoctor.errors import InputError
from logdoctor.model import Diagnosis
from logdoctor.reader import read_log
from logdoctor.rules._siblings import Sibling, Siblings, Track, aligned, differing_settings, standing
from tests.cause_runs import series, view

ROWS = 60


def write(path: Path, seed: int = 0, best: float = 100.0, rows: int = ROWS, **more: np.ndarray) -> Path:
    """A run of reinforcement learning that rises from 0 to ``best``."""
    draw = np.random.default_rng(seed)
    columns = {
        "episode_return": best * (1 - np.exp(-np.linspace(0, 5, ROWS)[:rows])) + 2 * draw.standard_normal(rows),
        "value_loss": 1 + 0.05 * draw.standard_normal(rows),
        "fps": 1000 + 20 * draw.standard_normal(rows),
        **more,
    }
    lines = ["step," + ",".join(columns)]
    lines += [f"{(i + 1) * 1000}," + ",".join(f"{c[i]:.5g}" for c in columns.values()) for i in range(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def family(tmp_path: Path) -> list[Path]:
    home = tmp_path / "siblings"
    home.mkdir()
    return [write(home / f"s{i}.csv", seed=i, best=best) for i, best in ((1, 95.0), (2, 100.0), (3, 105.0))]


def fired(diagnosis: Diagnosis) -> dict[str, str]:
    return {f.name: f.severity for f in diagnosis.findings if f.id in {"LD611", "LD612"}}


def test_a_run_within_the_spread_is_left_alone(tmp_path: Path, family: list[Path]) -> None:
    assert fired(diagnose(write(tmp_path / "run.csv", seed=9, best=93.0), baseline=family)) == {}


def test_a_constant_handicap_shows_only_beside_siblings(tmp_path: Path, family: list[Path]) -> None:
    run = write(tmp_path / "run.csv", seed=9, best=25.0)
    assert "performance-below-baseline" not in {f.name for f in diagnose(run).findings}
    beside = diagnose(run, baseline=family)
    (found,) = [f for f in beside.findings if f.name == "performance-below-baseline"]
    assert found.figures["siblings"] == 3
    assert found.figures["missing_share"] == pytest.approx(0.74, abs=0.06)
    assert beside.verdict in {"warning", "critical"}
    last = found.evidence[-1]
    assert f"{float(last.value):.5g}" in run.read_text(encoding="utf-8").splitlines()[last.line - 1]  # type: ignore[arg-type]


def test_one_sibling_is_enough_and_its_noise_is_no_spread(tmp_path: Path, family: list[Path]) -> None:
    assert fired(diagnose(write(tmp_path / "bad.csv", best=10.0), baseline=family[0])) != {}
    assert fired(diagnose(write(tmp_path / "good.csv", seed=5, best=97.0), baseline=family[0])) == {}


def test_a_directory_and_a_glob_leave_the_run_itself_out(family: list[Path]) -> None:
    run = read_log(family[0])
    for spec in (family[0].parent, f"{family[0].parent}/*.csv"):
        found = load_siblings(spec, run)
        assert found is not None
        assert sorted(s.name for s in found.runs) == ["s2.csv", "s3.csv"]


def test_a_saved_report_stands_for_its_run(tmp_path: Path, family: list[Path]) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps(diagnose(family[0]).to_dict()), encoding="utf-8")
    lines = tmp_path / "reports.json"
    lines.write_text("\n".join(json.dumps(diagnose(p).to_dict()) for p in family), encoding="utf-8")
    run = write(tmp_path / "run.csv", seed=9, best=20.0)
    assert "performance-below-baseline" in fired(diagnose(run, baseline=report))
    found = load_siblings(lines)
    assert found is not None
    assert len(found.runs) == 3
    assert "performance-below-baseline" in fired(diagnose(run, baseline=diagnose(family[0])))


def test_the_report_names_its_siblings(tmp_path: Path, family: list[Path]) -> None:
    data = diagnose(write(tmp_path / "run.csv", seed=9), baseline=family).to_dict()
    assert data["baseline"]["siblings"] == ["s1.csv", "s2.csv", "s3.csv"]


@pytest.mark.parametrize("text", ["", "nothing to see here\n"])
def test_a_baseline_without_a_run_is_an_input_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        load_siblings([path])


def test_a_missing_or_damaged_baseline_is_an_input_error(tmp_path: Path) -> None:
    damaged = tmp_path / "report.json"
    damaged.write_text('{"schema": "logdoctor.diagnosis/1", "findings": 3}', encoding="utf-8")
    for path in (tmp_path / "absent.log", damaged):
        with pytest.raises(InputError):
            load_siblings(path)


def test_a_shorter_run_is_compared_at_the_same_steps(tmp_path: Path, family: list[Path]) -> None:
    assert fired(diagnose(write(tmp_path / "early.csv", seed=9, best=100.0, rows=20), baseline=family)) == {}


def test_a_metric_that_only_this_run_does_not_record(tmp_path: Path) -> None:
    norm = np.abs(1 + 0.1 * np.random.default_rng(1).standard_normal(ROWS))
    others = [write(tmp_path / f"s{i}.csv", seed=i, grad_norm=norm) for i in (1, 2)]
    run = write(tmp_path / "run.csv", seed=3, grad_norm=np.zeros(ROWS))
    assert fired(diagnose(run, baseline=others)) == {"outside-siblings": "warning"}


def test_a_setting_that_is_constant_in_every_run_is_no_metric_of_its_own(tmp_path: Path) -> None:
    others = [write(tmp_path / f"s{i}.csv", seed=i, kappa=np.full(ROWS, 0.3)) for i in (1, 2)]
    assert fired(diagnose(write(tmp_path / "run.csv", seed=3, kappa=np.zeros(ROWS)), baseline=others)) == {}


def test_a_slowdown_that_the_siblings_do_not_have(tmp_path: Path, family: list[Path]) -> None:
    run = write(tmp_path / "run.csv", seed=9, fps=np.geomspace(1000, 120, ROWS))
    found = [f for f in diagnose(run, baseline=family).findings if f.name == "outside-siblings"]
    assert [f.metrics for f in found if f.severity == "warning"] == [("fps",)]
    same = [write(tmp_path / f"slow{i}.csv", seed=i, fps=np.geomspace(1000, 110, ROWS)) for i in (1, 2)]
    assert "outside-siblings" not in fired(diagnose(run, baseline=same))


def test_levels_far_from_the_siblings_are_a_remark(tmp_path: Path, family: list[Path]) -> None:
    run = write(tmp_path / "run.csv", seed=9, value_loss=np.full(ROWS, 5e4) + np.arange(ROWS))
    assert fired(diagnose(run, baseline=family)).get("outside-siblings") == "info"


# ------------------------------------------------------------------------------------------------------- alignment
def sibling(values: np.ndarray, step: np.ndarray, **settings: object) -> Siblings:
    return Siblings(runs=(Sibling("s", {"loss": Track(step, values)}, settings),))  # type: ignore[arg-type]


def test_curves_are_aligned_by_step_or_else_by_share() -> None:
    track = Track(np.arange(1, 101) * 1000.0, np.linspace(0, 1, 100))
    assert aligned(track, np.array([1000.0, 50_500.0]), 1.0)[1] == pytest.approx(0.5, abs=0.05)
    other_clock = aligned(track, np.linspace(1, 10, 100), 1.0)
    assert other_clock[-1] == pytest.approx(1.0, abs=0.05)
    assert np.isnan(aligned(track, np.array([1000.0, 90_000.0, 200_000.0]), 1.0)[-1])


def test_a_loss_is_compared_the_other_way_round() -> None:
    step = np.arange(1, 61) * 1000.0
    siblings = sibling(np.linspace(3, 0.5, 60), step)
    worse, better = (standing(series("loss", np.linspace(3, end, 60)), siblings, "min") for end in (2.0, 0.4))
    assert worse is not None
    assert better is not None
    assert worse.shortfall == pytest.approx(0.6, abs=0.08)
    assert better.shortfall < 0


def test_settings_that_differ_from_every_sibling_are_listed() -> None:
    run = view({"learning_rate": 1e-6, "gamma": 0.99, "seed": 4}, loss=np.linspace(3, 2, 60))
    others = Siblings(
        runs=tuple(Sibling(str(i), {}, {"learning_rate": 1e-3, "gamma": 0.99, "seed": i}) for i in (1, 2))
    )
    assert [name for name, _, _ in differing_settings(run, others)] == ["learning_rate"]
