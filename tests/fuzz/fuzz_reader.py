"""Coverage-guided fuzzing of everything that reads: ``python tests/fuzz/fuzz_reader.py [corpus] [-max_total_time=60]``.

Needs ``python -m pip install atheris``. Whatever the bytes are, reading them ends with a result or with one of
logdoctor's own errors; everything else is a finding.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["logdoctor"]):
    from logdoctor import configfiles, events, hyperparameters
    from logdoctor.documents import _json, _record, tensorboard
    from logdoctor.errors import LogDoctorError
    from logdoctor.reader import read_log
    from logdoctor.sources import open_source

FOLDER = Path(tempfile.mkdtemp(prefix="logdoctor-fuzz-"))
SUFFIXES = (".py", ".json", ".yaml", ".toml")


def _log(data: bytes) -> None:
    path = FOLDER / "run.log"
    path.write_bytes(data)
    run = read_log(path)
    assert len(run.frame) == run.reading.rows
    run.fetch([1, 2, 3])


def _source(data: bytes) -> None:
    path = FOLDER / "packed"
    path.write_bytes(data)
    source = open_source(path)
    numbered = list(source.lines())
    assert source.info.lines == len(numbered)


def _text(data: bytes) -> None:
    numbered = list(enumerate(data.decode("utf-8", "replace").split("\n"), 1))
    events.scan(numbered)
    hyperparameters.scan(numbered)


def _config(data: bytes) -> None:
    path = FOLDER / f"config{SUFFIXES[data[0] % len(SUFFIXES)] if data else '.yaml'}"
    path.write_bytes(data[1:])
    configfiles.read_config(path)


def _json_text(data: bytes) -> None:
    try:
        _json.plain(_json.parse(data.decode("utf-8", "replace")))
    except _json.JsonError:
        return


def _event_file(data: bytes) -> None:
    path = FOLDER / "events.out.tfevents.1"
    path.write_bytes(data)
    tensorboard.read(_record.Probe(path=path, head=data[:64]))


TARGETS = (_log, _log, _log, _source, _text, _config, _json_text, _event_file)


def test_one_input(data: bytes) -> None:
    """Give the bytes to the target that the first one names."""
    if not data:
        return
    try:
        TARGETS[data[0] % len(TARGETS)](data[1:])
    except LogDoctorError as error:
        sentence = str(error)
    else:
        return
    assert "\n" not in sentence, sentence


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
