"""The table of a long log: rows of several kinds of records put together, columns in place, one memory for all."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor.custom_formats import TooSlow, load
from logdoctor.fastpath import collect
from logdoctor.fastpath.collect import SLACK, Buffer, Collector
from logdoctor.fastpath.driver import Driver
from logdoctor.fastpath.effects import Effect
from logdoctor.fastpath.expanded import DUPLICATES, filled
from logdoctor.fastpath.held import Held, held, joined
from logdoctor.fastpath.known import Distrust
from logdoctor.fastpath.long import read_long
from logdoctor.fastpath.merging import Group
from logdoctor.fastpath.numbers import Slot, read_numbers
from logdoctor.fastpath.places import Place, place, spread
from logdoctor.fastpath.window import window_of
from logdoctor.model import Issue
from logdoctor.parsers._assembler import Assembler
from logdoctor.reader import assemble
from logdoctor.sources import open_source

# ------------------------------------------------------------------------------------------------ values held


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.sampled_from([1.0, 2.0, float("nan")]), min_size=1, max_size=9), min_size=1, max_size=5))
def test_values_that_hold_are_those_of_every_record(parts):
    several = [held(np.array(part), np.arange(len(part)), len(part)) for part in parts]
    several[0] = Held(np.array(parts[0]), None, len(parts[0]))  # a value for each record
    flat = np.array([value for part in parts for value in part])
    whole = joined(several)
    np.testing.assert_array_equal(whole.array(), flat)
    np.testing.assert_array_equal([whole.at(i) for i in range(flat.size)], flat)


def test_values_that_hold_for_nothing_are_left_out():
    kept = held(np.array([1.0, 2.0, 2.0, 3.0]), np.array([0, 5, 5, 8]), 8)
    assert (kept.value.tolist(), kept.start.tolist()) == ([1.0, 2.0], [0, 5])


# ------------------------------------------------------------------------------------------------------ places


def group(lines, moved=(), to=()):
    lines = np.array(lines, np.int64)
    zeros = np.zeros(lines.size)
    return Group(lines, zeros, zeros.astype(np.int64), [], None, np.array(moved, np.int64), np.array(to, np.int64))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_rows_of_all_kinds_stand_in_the_order_of_the_file(data):
    # Lines 1.. belong to one of three kinds or are read alone; some records are pieces of the one printed before them.
    kinds = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=40))
    pieces = [False, *(data.draw(st.booleans()) and a != b for a, b in itertools.pairwise(kinds))]
    head, heads = 0, []
    for line, (kind, piece) in enumerate(zip(kinds, pieces, strict=True), 1):
        head = head if piece and kind != 3 and heads and kinds[head - 1] != kind else line
        heads.append(head)
    lines = np.arange(1, len(kinds) + 1)
    groups = []
    for kind in range(3):
        own = lines[np.array(kinds) == kind]
        to = np.array(heads)[own - 1]
        moved = np.flatnonzero(to != own)
        groups.append(group(own, moved, to[moved]))
    singles = np.array([line * DUPLICATES for line in lines if kinds[line - 1] == 3], np.int64)
    found = place(groups, singles)
    expected = {line: row for row, line in enumerate(sorted(set(heads)))}
    assert found.size == len(expected)
    for one, where in zip(groups, found.groups, strict=True):
        rows = where.at(np.arange(one.head.size)) if one.head.size else np.zeros(0)
        assert rows.tolist() == [expected[int(line)] for line in one.heads()]
    assert found.singles.tolist() == [expected[int(key) // DUPLICATES] for key in singles]


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(0, 200), max_size=40), st.booleans(), st.integers(1, 150))
def test_values_are_spread_to_their_rows_in_place_or_not(gaps, buffered, count):
    size = count + len(gaps)
    but = np.array(sorted(gap for gap in gaps if gap < size), np.int64)
    count = size - but.size
    values = np.arange(count) + 0.5
    source = values.copy()
    if buffered:
        source = Buffer(count, np.float64)
        source.append(values)
    where = Place(None, but)
    out = spread(source, where, size, float("nan"))
    np.testing.assert_array_equal(np.delete(out, but), values)
    assert np.isnan(out[but]).all()
    rows = where.at(np.arange(count))
    np.testing.assert_array_equal(out[rows], values)
    assert [where.index(row) for row in rows.tolist()] == list(range(count))
    assert all(where.index(row) is None for row in but.tolist())
    marked = np.zeros(size)
    where.put(marked, values)
    np.testing.assert_array_equal(np.delete(marked, but), values)
    assert not marked[but].any()


def test_more_other_rows_than_there_is_room_for_are_given_a_second_array():
    count = SLACK + 5
    source = Buffer(count, np.int64)
    source.append(np.arange(count // 2))
    source.append(np.arange(count // 2, 3 * count))  # it has to grow
    but = np.arange(0, 2 * count, 2)
    out = spread(source, Place(None, but), 3 * count + but.size, 0)
    np.testing.assert_array_equal(np.delete(out, but), np.arange(3 * count))


@given(st.lists(st.sampled_from([1.0, 2.0, float("nan")]), min_size=1, max_size=12))
def test_rows_without_a_step_get_that_of_the_row_behind_them(steps):
    known = [i for i, step in enumerate(steps) if step == step]
    expected = [
        steps[i] if i in known or not known else steps[min((k for k in known if k > i), default=known[-1])]
        for i in range(len(steps))
    ]
    np.testing.assert_array_equal(filled(np.array(steps)), expected)


# ----------------------------------------------------------------------------------------------------- numbers

SUFFIXED = st.tuples(
    st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,4})?", fullmatch=True), st.sampled_from(["", "k", "K", "M", "B", "T"])
)
POWER = {"": 0, "k": 3, "K": 3, "M": 6, "B": 9, "T": 12}


@settings(max_examples=300, deadline=None)
@given(st.lists(SUFFIXED, min_size=1, max_size=30), st.sampled_from(" ,|"))
def test_numbers_with_a_suffix_are_rounded_once(tokens, stop):
    texts = [number + letter for number, letter in tokens]
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)]).astype(np.int64)
    window = window_of("".join(text + stop for text in texts).encode())
    values, ends, good = read_numbers(window, starts[:-1], Slot(ord(stop), suffix=True))
    assert good is None
    assert ends.tolist() == (starts[1:] - 1).tolist()
    assert values.tolist() == [float(f"{number}e{POWER[letter]}") for number, letter in tokens]


# -------------------------------------------------------------------------------------------------- whole logs


def rows(count):
    rng = np.random.default_rng(0)
    for step in range(count):
        if step % 50 == 0:
            yield f"step {step}: val loss {rng.lognormal():.4f}"
        yield f"iter {step}: loss {rng.lognormal():.4f}, lr {rng.uniform(0, 1e-4):.3e}"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "run.log"
    path.write_text("\n".join(rows(4000)) + "\n")
    return path


def test_who_writes_to_the_frame_changes_neither_the_series_nor_the_next_frame(log):
    run = read_long(open_source(log), None, stream=False)
    first = run.frame
    before = run.series["loss"].value.copy()
    first.loc[0, "loss"] = -1.0
    first["line"] += 1
    assert run.series["loss"].value.tolist() == before.tolist()
    assert run.frame["line"].tolist() == (first["line"] - 1).tolist()
    assert run.frame["loss"].dropna().tolist() == before.tolist()


def test_the_line_of_a_cell_is_told_without_making_the_column(log):
    opened = open_source(log)
    for run in (read_long(opened, None, stream=False), assemble(opened, list(opened.lines()))):
        frame, loss = run.frame, run.series["loss"]
        columns = run.series._table.columns
        told = [columns["loss"].line_at(row) for row in range(len(frame))]
        assert [line for line in told if line is not None] == loss.line.tolist()
        assert [line is None for line in told] == frame["loss"].isna().tolist()


def test_series_are_made_when_they_are_asked_for(log):
    run = read_long(open_source(log), None, stream=False)
    assert set(run.series) == {"loss", "val_loss", "learning_rate"}
    assert run.series["loss"] is run.series["loss"]
    assert run.raw_names["learning_rate"] == "lr"


class Unsure(Driver):
    """A driver that cannot read one kind of record in bulk."""

    refused: tuple[Effect, ...] = ()

    def read(self, blocks):
        super().read(blocks)
        for effect in self.checked - set(self.alone):
            if [cell.name for cell in effect.cells] == ["val loss"]:
                type(self).refused += (effect,)
                raise Distrust("line 1", effect)


@pytest.mark.parametrize("stream", [False, True])
def test_records_that_cannot_be_trusted_are_read_one_by_one_and_the_others_in_bulk(log, monkeypatch, stream):
    monkeypatch.setattr("logdoctor.fastpath.long.Driver", Unsure)
    monkeypatch.setattr("logdoctor.fastpath.long.STREAM_BYTES", 1000)
    Unsure.refused = ()
    run = read_long(open_source(log), None, stream=stream)
    assert 0 < len(Unsure.refused) < 4
    opened = open_source(log)
    slow = assemble(opened, list(opened.lines()))
    assert stream or run.reading.rows == slow.reading.rows
    assert run.series["val_loss"].value.tolist() == slow.series["val_loss"].value.tolist()
    assert run.series["loss"].count == slow.series["loss"].count


def test_a_streamed_log_is_never_kept_whole(log, monkeypatch):
    def refuse(self, known, bulk, rows, mask):
        raise Distrust("line 1", None)

    monkeypatch.setattr("logdoctor.fastpath.walk.Walk._check", refuse)
    monkeypatch.setattr("logdoctor.fastpath.long.STREAM_BYTES", 1000)
    monkeypatch.setattr(collect, "MOST_SINGLES", 1000)
    run = read_long(open_source(log), None, stream=True)
    assert run.reading.streamed
    assert len(run.series["loss"]) <= 1000
    assert any("is kept" in issue.text for issue in run.reading.issues)
    assert read_long(open_source(log), None, stream=False) is None


def test_of_lines_without_a_record_the_first_and_the_last_are_kept(monkeypatch):
    monkeypatch.setattr(collect, "MOST_OTHERS", 20 * (collect.LINE_COST + 10))
    collector = Collector(stream=True)
    for number in range(1, 101):
        collector.other(number, f"{number:010d}")
    kept = [number for number, _ in collector.told()]
    assert kept == [*range(1, 11), *range(91, 101)]
    assert collector.untold == 80


def test_rare_shapes_make_room_for_others(monkeypatch):
    monkeypatch.setattr("logdoctor.fastpath.driver.MOST_GROUPS", 20)
    lines = [f"step {i} {'abcdefghij'[i % 10] * (i // 10 + 1)}loss {i / 7:.3f}" for i in range(100)]
    lines += [f"step {i} loss {i / 7:.3f}" for i in range(100, 600)]
    driver = Driver(Assembler(), lambda record: None, lambda bulk: None, lambda number, text: None, lambda text: 0)
    driver.read([("\n".join(lines) + "\n").encode()])
    assert len(driver.groups) <= 20
    assert driver.fast_lines > 300


def test_a_long_log_with_a_format_of_its_own_is_streamed(tmp_path, monkeypatch):
    path = tmp_path / "run.log"
    path.write_text("".join(f"@{i} ~ {i / 7:.4f}\nlr {i}: value 0.1\n" for i in range(3000)))
    own = load({"mine": {"pattern": r"^@(?P<n>\d+) ~ (?P<a>\S+)$", "step": "n", "fields": {"a": "train loss"}}})
    monkeypatch.setattr("logdoctor.fastpath.long.STREAM_BYTES", 1000)
    monkeypatch.setattr(collect, "MOST_SINGLES", 1000)
    assert read_long(open_source(path), None, stream=False, own=own) is None
    run = read_long(open_source(path), None, stream=True, own=own)
    loss = run.series["loss"]
    assert 375 <= len(loss) <= 1000
    np.testing.assert_allclose(loss.value, [float(f"{step / 7:.4f}") for step in loss.step])
    assert run.reading.streamed
    assert any("of a format of your own: one in 4 is kept" in issue.text for issue in run.reading.issues)


def test_a_long_log_is_read_without_a_format_that_takes_too_long(log, monkeypatch):
    def slow(self, batch):
        raise TooSlow(Issue(line=1, text="matching the format mine took longer than 2 s from this line on"))

    own = load({"mine": {"pattern": r"(?P<a>x+)"}})
    monkeypatch.setattr("logdoctor.custom_formats.Matcher.take", slow)
    monkeypatch.setattr("logdoctor.fastpath.long.STREAM_BYTES", 1000)
    run = read_long(open_source(log), None, stream=True, own=own)
    assert "took longer" in run.reading.issues[0].text
    assert run.series["loss"].count == 4000
