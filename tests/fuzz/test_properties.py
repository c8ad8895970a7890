"""Properties that hold for every input: nothing but our own errors, line numbers of the file, numbers untouched."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logdoctor import events, hyperparameters
from logdoctor.configfiles import flatten
from logdoctor.documents._json import JsonError, parse, plain
from logdoctor.errors import LogDoctorError
from logdoctor.rawtext.decompression import kind_of
from logdoctor.reader import read_log
from logdoctor.segments import Mark, divide, judge
from logdoctor.sources import open_source
from tests.fuzz.strategies import ANY_LOG, LINES

EXAMPLES = int(os.environ.get("LOGDOCTOR_FUZZ_EXAMPLES", "100"))
MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
PACKERS = (gzip.compress, bz2.compress, lzma.compress)


def lines_of(data: bytes) -> list[tuple[int, str]] | None:
    try:
        source = open_source(io.BytesIO(data))
        numbered = list(source.lines())
    except LogDoctorError:
        return None
    assert source.info.bytes == len(data)
    assert source.info.sha256 == hashlib.sha256(data).hexdigest()
    assert source.info.lines == len(numbered)
    return numbered


def read_or_refused(read):
    """Return what ``read`` gives, or None when it refuses in one sentence; any other error fails the test."""
    try:
        return read()
    except LogDoctorError as error:
        sentence = str(error)
    assert sentence
    assert "\n" not in sentence
    return None


@MANY
@given(ANY_LOG)
def test_lines_are_counted_by_newlines_alone(data):
    numbered = lines_of(data)
    if numbered is None:
        return
    source = open_source(io.BytesIO(data))
    if source.encoding != "utf-8" or source.compression:
        return
    assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1))
    printed = data.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"")
    expected = printed.count(b"\n") + (bool(printed) and not printed.endswith(b"\n"))
    assert len(numbered) == expected


@MANY
@given(ANY_LOG)
def test_numbers_are_untouched_whatever_the_encoding_was(data):
    """Every ASCII character of the file arrives, in order; only NUL and the return of a line end are taken off."""
    try:
        source = open_source(io.BytesIO(data))
        clean = b"".join(source.blocks())
    except LogDoctorError:
        return
    if source.encoding != "utf-8" or source.compression:
        return
    ascii_only = bytes(b for b in data.removeprefix(b"\xef\xbb\xbf") if 0 < b < 128)
    assert bytes(b for b in clean if b < 128) == ascii_only
    clean.decode("utf-8")


@MANY
@given(data=ANY_LOG, wanted=st.lists(st.integers(-2, 60), max_size=8))
def test_fetch_returns_the_lines_that_were_read(tmp_path, data, wanted):
    path = tmp_path / "run.log"
    path.write_bytes(data)
    try:
        source = open_source(path)
        numbered = dict(source.lines())
    except LogDoctorError:
        return
    assert source.fetch(wanted) == {n: numbered[n] for n in set(wanted) if n in numbered}


@MANY
@given(data=ANY_LOG, packer=st.sampled_from(PACKERS), cut=st.floats(0, 1), flip=st.integers(0, 10**6))
def test_packed_logs_that_are_whole_cut_or_changed(data, packer, cut, flip):
    if kind_of(data):
        return
    packed = packer(data)
    whole = open_source(io.BytesIO(packed))
    if whole.binary is None:
        assert [t for _, t in whole.lines()] == [t for _, t in lines_of(data) or []]
    changed = bytearray(packed[: int(cut * len(packed))])
    if changed:
        changed[flip % len(changed)] ^= 0x55
    try:
        source = open_source(io.BytesIO(bytes(changed)))
        list(source.lines())
    except LogDoctorError:
        return


@MANY
@given(ANY_LOG)
def test_a_log_is_read_or_refused_in_one_sentence(tmp_path, data):
    path = tmp_path / "run.log"
    path.write_bytes(data)
    run = read_or_refused(lambda: read_log(path))
    if run is None:
        return
    last = data.count(b"\n") + 1
    assert 0.0 <= run.reading.coverage <= 1.0
    segments = {segment.index for segment in run.reading.segments}
    for series in run.series.values():
        assert series.value.shape == series.step.shape == series.line.shape == series.judged.shape
        assert len(series) > 0
        assert series.line.min() >= 1
        assert series.line.max() <= last
        assert set(series.segment.tolist()) <= segments
    frame = run.frame
    assert len(frame) == run.reading.rows
    for event in run.events:
        assert 1 <= event.line <= last


@MANY
@given(st.lists(LINES, max_size=40))
def test_events_and_settings_of_any_text(parts):
    numbered = list(enumerate("\n".join(parts).split("\n"), 1))
    found = events.scan(numbered)
    assert [event.line for event in found] == sorted(event.line for event in found)
    for item in hyperparameters.scan(numbered):
        assert 1 <= item.line <= len(numbered)
        assert item.name
        assert item.value is None or isinstance(item.value, (bool, int, float, str))


@MANY
@given(
    text=st.one_of(st.text(max_size=200), st.lists(LINES, max_size=10).map("\n".join)),
    suffix=st.sampled_from([".py", ".json", ".yaml", ".toml", ".conf"]),
)
def test_a_configuration_is_read_or_refused_in_one_sentence(tmp_path, text, suffix):
    path = tmp_path / f"config{suffix}"
    path.write_text(text, encoding="utf-8", errors="replace")
    found = read_or_refused(lambda: hyperparameters.read_config(path))
    if found is None:
        return
    assert len({item.name for item in found}) == len(found)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)


@MANY
@given(value=JSON_VALUES, indent=st.sampled_from([None, 1, 4]))
def test_json_is_what_the_standard_library_reads(value, indent):
    text = json.dumps(value, indent=indent)
    assert plain(parse(text)) == json.loads(text)
    if isinstance(value, dict):
        assert dict(flatten(value)) is not None


@MANY
@given(st.text(max_size=60))
def test_anything_else_is_refused_as_json(text):
    try:
        parse(text)
    except JsonError:
        return
    # what is taken beyond the standard: bare nan and inf
    json.loads(
        text.replace("nan", "NaN")
        .replace("inf", "Infinity")
        .replace("Infinityinity", "Infinity")
        .replace("NaNinity", "NaN")
    )


STEPS = st.lists(st.one_of(st.integers(0, 200).map(float), st.just(np.nan)), max_size=120)


@MANY
@given(STEPS, st.lists(st.integers(0, 130), max_size=4), st.booleans())
def test_every_row_has_one_segment(steps, starts, with_streams):
    step = np.array(steps, dtype=np.float64)
    line = np.arange(5, 5 + step.size)
    stream = np.arange(step.size) % 2 if with_streams else None
    marks = [Mark(line=at, kind="banner") for at in sorted(starts)]
    division = divide(line, step, marks=marks, stream=stream)
    assert division.index.shape == step.shape
    assert sum(segment.rows for segment in division.segments) == step.size
    for segment in division.segments:
        rows = np.flatnonzero(division.index == segment.index)
        assert rows.size == segment.rows
        assert segment.first_line == line[rows[0]]
        assert segment.last_line >= line[rows[-1]]
    columns = {"loss": np.nan_to_num(step), "dqn_reward_5m": step * 0, "clients": step}
    judgement = judge(step, division.index, columns, line, stream)
    assert judgement.rows.shape == step.shape
    assert all(judgement.of(name).shape == step.shape for name in columns)


def test_a_million_distinct_names_stay_bounded(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "names.log"
    path.write_text(
        "\n".join(f"step {k} k{n}: {k}" for k, n in enumerate(rng.integers(0, 10**6, 20_000))), encoding="utf-8"
    )
    run = read_log(path)
    assert len(run.series) <= 2000
