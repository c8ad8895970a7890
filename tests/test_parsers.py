"""Each grammar reads its own sample; what a line holds comes with its span; shapes that were learnt change nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdoctor.normalise import clean, strip_prefix
from logdoctor.parsers import boxed, columns, literal
from logdoctor.parsers._assembler import Assembler
from logdoctor.parsers._recall import Recall
from logdoctor.parsers._scan import scan
from logdoctor.reader import read_log
from logdoctor.registry import records
from logdoctor.values import parse
from tests.surveyed_layouts import LAYOUTS

PARSERS = records("logdoctor.parsers", "PARSER")


@pytest.mark.parametrize("name", PARSERS)
def test_a_grammar_reads_its_sample(name, tmp_path):
    parser = PARSERS[name]
    path = tmp_path / "run.log"
    path.write_text(parser.sample, encoding="utf-8")
    for options in ({}, {"parser": name}):
        run = read_log(path, **options)
        assert parser.expect
        for metric, value in parser.expect.items():
            assert run.series[metric].value[-1] == pytest.approx(value)


def _cells(text):
    found = scan(text)
    return {cell.name: cell.value for cell in found.cells}


@pytest.mark.parametrize(
    ("line", "counters", "cells"),
    [
        ("step 5/10 | loss 0.5 | norm 1.2", {"step": 5}, {"loss": 0.5, "norm": 1.2}),
        ("Epoch: [2][ 40/500]\tLoss 6.5 (6.9)", {"Epoch": 2, "batch": 40}, {"Loss": 6.5, "Loss_avg": 6.9}),
        ("[7]\ttrain-rmse:4.9\tvalidation-rmse:5.7", {"round": 7}, {"train-rmse": 4.9, "validation-rmse": 5.7}),
        ("iter 20: loss 3.3, time 91.5ms", {"iter": 20}, {"loss": 3.3, "time": 91.5}),
        ("fps step: 11 fps total: 7 epoch: 1/9", {"epoch": 1}, {"fps step": 11, "fps total": 7}),
        ("loss=1.8 (p=1.6 v=0.2)  val=1.9", {}, {"loss": 1.8, "loss_p": 1.6, "loss_v": 0.2, "val": 1.9}),
        ("reward: 200.0 ± 3.5", {}, {"reward": 200.0, "reward_std": 3.5}),
        ("mean reward: 1.0 [0.5, 1.5]", {}, {"mean reward": 1.0, "mean reward_min": 0.5, "mean reward_max": 1.5}),
        ("Accuracy: 9842/10000 (98%)", {}, {"Accuracy": 98.0}),
        ("memory: 11811M  tps: 36k", {}, {"memory": 11811, "tps": 36000}),
        ("lr=[5e-05], mom=[[0.9, 0.99]]", {}, {"lr": 5e-5, "mom_0": 0.9, "mom_1": 0.99}),
        ("145654 tok/s, 3604.3 ms", {}, {"tok/s": 145654, "step time": 3604.3}),
        ("step 5 done in 0:01:25", {"step": 5}, {}),
        ("Linear(in_features=64, out_features=10)", {}, {}),
        ("saved to /tmp/run_12/model_5.pt", {}, {}),
    ],
)
def test_one_line(line, counters, cells):
    found = scan(line)
    assert {count.name: count.value for count in found.counters} == counters
    assert _cells(line) == pytest.approx(cells)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
def test_spans_point_at_the_printed_value(layout):
    for line in layout.text.splitlines():
        text = strip_prefix(clean(line)).text
        found = scan(text)
        for item in (*found.cells, *found.counters):
            printed = text[item.start : item.end]
            bare = parse(printed.rstrip("kKMBGTm")).value  # the suffix of a memory size is a unit
            counted = parse(printed, count=True).value
            assert any(
                item.value == pytest.approx(shown, nan_ok=True) for shown in (counted, parse(printed).value, bare)
            )


def _same(one, other):
    return len(one) == len(other) and all(
        a.line == b.line
        and a.counters == b.counters
        and a.cells.keys() == b.cells.keys()
        and all(
            x[0]._replace(value=0.0) == b.cells[key][0]._replace(value=0.0)
            and (x[0].value == b.cells[key][0].value or (math.isnan(x[0].value) and math.isnan(b.cells[key][0].value)))
            for key, x in a.cells.items()
        )
        for a, b in zip(one, other, strict=True)
    )


class Forgetful(Recall):
    """Learns nothing."""

    def learn(self, *args):
        pass


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
def test_learnt_shapes_do_not_change_what_is_read(layout):
    results = []
    for recall in (Recall(), Forgetful()):
        assembler = Assembler()
        assembler._recall = recall
        for number, line in enumerate((layout.text * 3).split("\n"), 1):
            assembler.feed(number, line)
        assembler.finish()
        results.append(assembler.records)
    assert _same(*results)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**7), st.floats(-1e6, 1e6), st.sampled_from(["0.5", "nan", "-inf", "1e-05", "12", "1,234"])
        ),
        min_size=8,
        max_size=30,
    )
)
def test_any_numbers_in_a_learnt_shape_are_read_as_without_it(rows):
    recall = Recall()
    for step, loss, other in rows:
        line = f"step {step}/99 | loss {loss:8.4f} (+1.2z) | norm {other} | time 0:{step % 60:02d}:10 | 37.5% MFU"
        one, two = scan(line, recall), scan(line)
        assert repr(one) == repr(two)


def test_header_rows_and_fields():
    header = columns.looks_like_header("  Frame    FPS  Mean Reward    Q-Range   Stats")
    assert header.titles == ["Frame", "FPS", "Mean", "Reward", "Q-Range", "Stats"]
    fields = columns.row_fields("  1,000  100.5        -1.25  [0.1, 0.2] 1k/5/2%", header)
    assert [item.text for item in fields] == ["1,000", "100.5", "-1.25", "[0.1, 0.2]", "1k/5/2%"]
    assert columns.is_row(fields, header)
    assert columns.titles_for(fields, header) == ["Frame", "FPS", "Mean Reward", "Q-Range", "Stats"]
    assert columns.looks_like_header("Loading the training set now.") is None
    assert columns.looks_like_header("step 5 loss 0.5") is None


def test_box_rows():
    assert boxed.read("| rollout/    |        |").group == "rollout"
    assert boxed.read("|    ep_rew_mean | -1.5e+02 |").cell.value == -150.0
    assert boxed.read("| time/total_timesteps | 2048 |").counter.value == 2048
    assert boxed.read("| epoch 1 | 20/100 | loss 0.5 |") is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{'loss': 0.5, 'epoch': 1.0}", {"loss": 0.5}),
        ('json_stats: {"loss": 0.5, "opts": {"a": true}, "lr": "1e-3"}', {"loss": 0.5, "lr": 1e-3}),
        ("{'loss': np.float64(0.25), 'x': [3.0]}", {"loss": 0.25, "x": 3.0}),
        ('{"a": {"b": 1, "c": NaN}, "config": {"lr": 1}}', {"a/b": 1.0, "a/c": math.nan}),
        ("{'loss': nan, 'norm': inf}", {"loss": math.nan, "norm": math.inf}),
    ],
)
def test_literals(line, expected):
    found = {cell.name: cell.value for cell in literal.scan(line).cells}
    assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("line", ["{not a dict}", "{}", "x = {1, 2}", "{'a': __import__('os')}", "{'a': (1,"])
def test_what_is_no_literal(line):
    assert literal.scan(line) is None
