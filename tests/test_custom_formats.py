"""Formats that a user defines: what they read, what is refused, and that no pattern can hang the tool."""

from __future__ import annotations

import math
import time

import pytest

from logdoctor.custom_formats import load, load_file, match
from logdoctor.errors import SettingsError
from logdoctor.parsers._assembler import Key
from logdoctor.reader import read_log
from logdoctor.settings import Settings

FORMAT = {
    "mine": {
        "pattern": r"^@(?P<n>[\d,]+) ~ (?P<a>\S+) ~ (?P<b>\S+)$",
        "step": "n",
        "fields": {"a": "train loss", "b": "grad norm"},
        "units": {"n": "frames"},
    }
}


def read(formats, text, seconds=5.0):
    return match(load(formats), list(enumerate(text.splitlines(), 1)), seconds)


def values(found):
    return [
        (r.line, r.counters[0].value if r.counters else None, {k.raw: c.value for k, (c, _) in r.cells.items()})
        for r in found.records
    ]


def test_a_format_reads_its_lines_and_leaves_the_others():
    found = read(FORMAT, "hello\n@1,000 ~ 0.5 ~ 1.5\nstep 3 loss 2\n@2,000 ~ nan ~ 12k\n")
    rows = values(found)
    assert rows[0] == (2, 1000.0, {"train loss": 0.5, "grad norm": 1.5})
    assert (rows[1][0], rows[1][1]) == (4, 2000.0)
    assert math.isnan(rows[1][2]["train loss"])
    assert rows[1][2]["grad norm"] == 12_000.0
    assert found.lines == {2, 4}
    assert found.records[0].counters[0].name == "frames"
    assert found.issues == []


def test_a_group_with_the_name_of_a_counter_is_the_step_without_being_told():
    found = read({"f": {"pattern": r"(?P<epoch>\d+)\|(?P<loss>\S+)"}}, "3|0.5\n4|0.4\n")
    assert values(found) == [(1, 3.0, {"loss": 0.5}), (2, 4.0, {"loss": 0.4})]


def test_the_first_format_that_fits_takes_the_line_and_phases_are_kept():
    formats = {
        "v": {"pattern": r"V (?P<loss>\S+)", "phase": "val"},
        "t": {"pattern": r". (?P<loss>\S+)"},
    }
    found = read(formats, "V 0.5\nT 0.4\n")
    assert [next(iter(r.cells)) for r in found.records] == [Key("loss", "", "val"), Key("loss", "", "")]


def test_colours_are_taken_off_before_the_pattern_sees_the_line():
    assert len(read(FORMAT, "\x1b[1m@1 ~ 0.5 ~ 1\x1b[0m\n").records) == 1


def test_many_lines():
    text = "".join(f"@{k} ~ {k / 2} ~ 1\n" for k in range(7001))
    found = read(FORMAT, text)
    assert [r.counters[0].value for r in found.records] == list(range(7001))


@pytest.mark.parametrize("pattern", [r"^(?P<x>(a+)+)$", r"(?P<x>(a|a)*)b$", r"(?P<x>(.*a){25})c$"])
def test_a_hostile_pattern_is_stopped_and_told(pattern):
    began = time.monotonic()
    found = match(load({"evil": {"pattern": pattern}}), [(1, "fine"), (2, "a" * 60 + "!")], seconds=0.5)
    assert time.monotonic() - began < 20
    assert found.records == []
    (issue,) = found.issues
    assert "evil" in issue.text
    assert "longer than 0.5 s" in issue.text


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "needs a pattern"),
        ({"pattern": "("}, "does not compile"),
        ({"pattern": r"\d+"}, "no named group"),
        ({"pattern": r"(?P<a>\d)", "step": "b"}, "no group 'b'"),
        ({"pattern": r"(?P<a>\d)", "fields": {"c": "loss"}}, "no group 'c'"),
        ({"pattern": r"(?P<a>\d)", "units": "ms"}, "table of names"),
        ({"pattern": r"(?P<a>\d)", "phase": "night"}, "not 'night'"),
        ({"pattern": r"(?P<a>\d)", "colour": "red"}, "unknown key 'colour'"),
    ],
)
def test_a_wrong_definition_is_one_sentence(table, words):
    with pytest.raises(SettingsError, match="the format 'f'") as caught:
        load({"f": table})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_formats(tmp_path):
    path = tmp_path / "formats.toml"
    path.write_text("[formats.mine]\npattern = '(?P<step>\\d+): (?P<loss>\\S+)'\n", encoding="utf-8")
    assert [one.id for one in load_file(path)] == ["mine"]
    path.write_text("[mine]\npattern = '(?P<step>\\d+): (?P<loss>\\S+)'\n", encoding="utf-8")
    assert [one.id for one in load_file(path)] == ["mine"]
    path.write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="no tables"):
        load_file(path)
    with pytest.raises(SettingsError, match="cannot read"):
        load_file(tmp_path / "none.toml")


def test_the_reader_uses_them(tmp_path):
    log = tmp_path / "run.log"
    rows = [f"@{k},000 ~ {1 / k:.3f} ~ 2\nEpoch {k}: accuracy 0.{k}\n" for k in range(1, 9)]
    log.write_text("".join(rows), encoding="utf-8")
    run = read_log(log, settings=Settings(formats=FORMAT))
    assert run.series["loss"].value.tolist() == [round(1 / k, 3) for k in range(1, 9)]
    assert run.series["loss"].step.tolist() == [1000.0 * k for k in range(1, 9)]
    assert run.series["accuracy"].value.size == 8
    assert "mine" in run.reading.formats
    path = tmp_path / "formats.toml"
    path.write_text(
        f"[mine]\npattern = '{FORMAT['mine']['pattern']}'\nfields = {{ a = 'train loss' }}\n", encoding="utf-8"
    )
    assert read_log(log, parser=str(path)).series["loss"].value.size == 8


def test_a_hostile_pattern_does_not_lose_the_log(tmp_path):
    log = tmp_path / "run.log"
    log.write_text("step 1: loss 0.5\nstep 2: loss 0.4\nstep 3: loss 0.3\n" + "a" * 60 + "!\n", encoding="utf-8")
    run = read_log(log, settings=Settings(formats={"evil": {"pattern": r"^(?P<x>(a+)+)$"}}))
    assert run.series["loss"].value.tolist() == [0.5, 0.4, 0.3]
    assert any("evil" in issue.text for issue in run.reading.issues)


def test_a_step_of_any_name_is_the_step(tmp_path):
    log, formats = tmp_path / "run.log", tmp_path / "formats.toml"
    log.write_text("".join(f"@{i} ~ {i / 7:.4f}\n" for i in range(5, 300, 5)))
    formats.write_text("""[formats.mine]
pattern = '^@(?P<n>\\d+) ~ (?P<a>\\S+)$'
step = "n"
fields = { a = "train loss" }
""")
    run = read_log(log, parser=str(formats))
    assert run.series["loss"].step[:3].tolist() == [5, 10, 15]
    assert run.reading.clocks[0].name == "step"
