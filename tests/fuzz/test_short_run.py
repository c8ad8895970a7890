# ruff: noqa: E501 - seed texts
"""A short run of the coverage-guided target, where atheris is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

TARGET = Path(__file__).with_name("fuzz_reader.py")
SEEDS = {
    "columns": b"\x00     Frame     FPS      Loss\n-------------------------\n  1,024   364.6  0.383567\n  2,048   300.1  nan\n",
    "pairs": b"\x01step 1: loss 0.5, lr 1e-4\nstep 2: loss 0.4, lr 1e-4\nstep 3: loss 0.3, lr 1e-4\n",
    "box": b"\x02-------\n| rollout/ | |\n|  ep_rew_mean | 12 |\n| total_timesteps | 64 |\n-------\n",
    "literal": b"\x00{'loss': 0.5, 'epoch': 0.1}\n{'loss': nan, 'epoch': 0.2}\n",
    "config": b"\x05\x02lr: 1e-4\ngamma: 0.99\n",
    "json": b'\x06{"log_history": [{"step": 1, "loss": 0.5}, {"step": 2, "loss": NaN}]}',
}


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not installed: python -m pip install atheris"
)
def test_a_short_run_finds_nothing(tmp_path):
    for name, data in SEEDS.items():
        (tmp_path / name).write_bytes(data)
    seconds = os.environ.get("LOGDOCTOR_FUZZ_SECONDS", "15")
    root = TARGET.parents[2]
    done = subprocess.run(
        [
            sys.executable,
            str(TARGET),
            str(tmp_path),
            f"-max_total_time={seconds}",
            "-max_len=2000",
            "-seed=1",
            f"-artifact_prefix={tmp_path}/",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "Done" in done.stderr
