"""Layouts of many programs, long enough to be read in bulk: what is read is what the parsers read line by line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

KNOWN = {
    "graph": "the last evaluation stands at the row before it, for no counter follows",
    "allennlp": "the training column beside a bar of the same name is called accuracy_2 instead of train_accuracy",
}
CODE = """
import sys
from pathlib import Path

import numpy as np

import logdoctor.fastpath.walk as walk
import logdoctor.reader as reader
from tests import further_layouts, unlisted_layouts

walk.FIRST_LINES = 12  # shapes are used as soon as they are learnt
path = Path(sys.argv[1])
layouts = [*unlisted_layouts.LAYOUTS, *further_layouts.FURTHER]
for layout in layouts:
    path.write_text(layout.text)
    read = []
    for least in (1 << 60, 0):
        reader.LONG = least
        read.append(dict(reader.read_log(path).series))
    slow, fast = read
    wrong = sorted(set(slow) ^ set(fast))
    for name in set(slow) & set(fast):
        for array in ("value", "step", "line"):
            if not np.array_equal(getattr(slow[name], array), getattr(fast[name], array), equal_nan=True):
                wrong.append(f"{name}.{array}")
    if wrong:
        print(layout.name, *wrong[:4])
print(len(layouts), "layouts")
"""


def test_layouts_read_in_bulk_are_those_read_line_by_line(tmp_path):
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / "run.log")],
        env={**os.environ, "LOGDOCTOR_LAYOUT_ROWS": "59", "PYTHONPATH": str(root)},  # times of day go up to 59
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *different, last = done.stdout.splitlines()
    assert int(last.split()[0]) > 200
    assert {line.split(" ")[0] for line in different} <= KNOWN.keys()
