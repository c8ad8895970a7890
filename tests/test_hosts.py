"""The GitHub action and the pre-commit hook, as far as they can be tried without their hosts."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_logs"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
BASH = shutil.which("bash")


def test_the_action_is_composite_and_uses_no_foreign_action():
    assert ACTION["runs"]["using"] == "composite"
    for step in ACTION["runs"]["steps"]:
        assert "uses" not in step
        assert step["shell"] == "bash"
    for entry in ACTION["inputs"].values():
        assert entry["description"]
        assert entry.get("required") or isinstance(entry["default"], str)


def test_no_input_becomes_part_of_a_script():
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_every_input_is_used():
    used = set(re.findall(r"inputs\.([a-z-]+)", json.dumps(ACTION["runs"])))
    assert used == set(ACTION["inputs"])


def diagnose(tmp_path, **inputs):
    """Run the step as the host would: defaults filled in, variables set."""
    step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "diagnose")
    values = {name: entry.get("default", "") for name, entry in ACTION["inputs"].items()}
    values |= {name.replace("_", "-"): value for name, value in inputs.items()}
    env = {name: values[re.search(r"inputs\.([a-z-]+)", text)[1]] for name, text in step["env"].items()}
    files = {name: tmp_path / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    env |= {"LOGDOCTOR_PYTHON": sys.executable, "PYTHONPATH": str(ROOT), **{k: str(v) for k, v in files.items()}}
    done = subprocess.run(
        [BASH, "--noprofile", "--norc", "-c", step["run"]], env={**os.environ, **env}, capture_output=True,
        cwd=tmp_path, text=True, check=False,
    )  # fmt: skip
    read = {name: path.read_text(encoding="utf-8") if path.exists() else "" for name, path in files.items()}
    return done, read["GITHUB_OUTPUT"], read["GITHUB_STEP_SUMMARY"]


@pytest.mark.skipif(BASH is None, reason="needs bash")
class TestTheStep:
    def test_a_sick_run_fails_the_job_and_is_annotated(self, tmp_path):
        log, config = SAMPLES / "q_divergence.log", SAMPLES / "q_divergence_config.py"
        done, output, summary = diagnose(tmp_path, logs=f"\n  {log}  \n", config=str(config), sarif="x.sarif")
        assert done.returncode == 1, done.stderr
        assert done.stdout.startswith("::error file=")
        assert "exit-code=1" in output
        assert "report=logdoctor-report.json" in output
        assert "# " in summary
        assert json.loads((tmp_path / "logdoctor-report.json").read_text(encoding="utf-8"))["verdict"] == "critical"
        assert json.loads((tmp_path / "x.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"

    def test_a_known_fault_passes(self, tmp_path):
        log = str(SAMPLES / "q_divergence.log")
        diagnose(tmp_path, logs=log)
        done, output, _ = diagnose(tmp_path, logs=log, known="logdoctor-report.json", report="")
        assert done.returncode == 0, done.stderr
        assert "exit-code=0" in output

    def test_nothing_to_judge_is_not_green(self, tmp_path):
        (tmp_path / "x.log").write_text("hello\n", encoding="utf-8")
        done, output, _ = diagnose(tmp_path, logs="x.log")
        assert done.returncode == 3
        assert "exit-code=3" in output
        assert diagnose(tmp_path, logs="x.log", allow_empty="true")[0].returncode == 0

    def test_names_are_data(self, tmp_path):
        names = ["$(touch pwned).log", "`touch pwned`.log", "--help", "a;touch pwned.log", "a b.log"]
        for name in names:
            shutil.copy(SAMPLES / "healthy_arcade.log", tmp_path / name)
        done, output, _ = diagnose(tmp_path, logs="\n".join(names))
        assert done.returncode == 0, done.stderr
        assert "Usage" not in done.stdout
        assert not (tmp_path / "pwned").exists()
        assert "5 logs" in done.stderr
        assert "exit-code=0" in output


def test_the_hook_runs_the_command_line():
    (hook,) = HOOKS
    assert hook["language"] == "python"
    program, *arguments = shlex.split(hook["entry"])
    assert program == "logdoctor"
    files = [str(SAMPLES / "healthy_arcade.log"), str(SAMPLES / "healthy_sac.log")]
    assert all(re.search(hook["files"], name) for name in files)
    command = [sys.executable, "-m", "logdoctor", *arguments, *files]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 0, done.stderr
