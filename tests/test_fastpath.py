"""Shapes read in bulk: bit-equal to float(), never a line that differs from its shape."""

from __future__ import annotations

import math
import re
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logdoctor.fastpath.driver import Driver
from logdoctor.fastpath.long import read_long
from logdoctor.fastpath.numbers import Slot, decimal_to_float, read_numbers
from logdoctor.fastpath.scan import Scanner
from logdoctor.fastpath.template import TOKEN, Digits, Literal, Sample, Spaces, Template, learn, same_floats, shape_of
from logdoctor.fastpath.window import PADDING, Window, window_of
from logdoctor.parsers._assembler import Assembler
from logdoctor.reader import assemble
from logdoctor.sources import open_source

# ---------------------------------------------------------------------------------------------------- numbers

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TOKENS = st.one_of(
    FINITE.map(repr),
    st.builds(lambda v, d: f"{v:.{d}f}", st.floats(-1e9, 1e9), st.integers(0, 17)),
    st.builds(lambda v, d: f"{v:.{d}e}", FINITE, st.integers(0, 17)),
    st.builds(lambda v, d: f"{v:.{d}E}", FINITE, st.integers(0, 17)),
    st.builds(lambda v: f"{v:+.3f}", st.floats(-1e6, 1e6)),
    st.integers(-(10**19), 10**19).map(str),
    st.builds(lambda a, b: f"{a}.{b}", st.integers(0, 10**9), st.from_regex(r"[0-9]{1,19}", fullmatch=True)),
    st.sampled_from(
        [
            "nan",
            "NaN",
            "-nan",
            "inf",
            "-inf",
            "+inf",
            "Infinity",
            "-Infinity",
            "0",
            "-0",
            "-0.0",
            "5.",
            ".5",
            "1e5",
            "1E+05",
            "1e-400",
            "1e999",
            "9007199254740993",
            "0.00029999973000134999",
            "17999999999999999999",
            "2.2250738585072011e-308",
        ]
    ),
)


def bits(value: float) -> bytes:
    return b"nan" if math.isnan(value) else struct.pack("<d", value)


def read(tokens: list[str], stop: str = ",", **options: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *(len(token) + 1 for token in tokens)]).astype(np.int64)
    window = window_of("".join(token + stop for token in tokens).encode())
    values, ends, good = read_numbers(window, starts[:-1], Slot(ord(stop), **options))
    return values, ends - starts[:-1], np.ones(len(tokens), bool) if good is None else good


@settings(max_examples=400, deadline=None)
@given(st.lists(TOKENS, min_size=1, max_size=40), st.booleans(), st.sampled_from(", |)]}\n\r"))
@example(["8.41", "12345678", "1.234567", "12345.678"], False, ",")
def test_what_is_read_is_what_float_reads(tokens, long, stop):
    values, lengths, good = read(tokens, stop, long=long)
    for token, value, length, ok in zip(tokens, values, lengths, good, strict=True):
        if ok:
            assert (bits(value), length) == (bits(float(token)), len(token)), token


@pytest.mark.parametrize("long", [False, True])
def test_ordinary_tokens_are_all_read(long):
    tokens = [
        "0.5",
        "-12.91",
        "1779.30",
        "+0.003",
        "5e-05",
        "1.083318E+01",
        "nan",
        "-inf",
        "65536.0",
        "7",
        "123456789012",
    ]
    tokens += ["0.455277322231562", "0.0002999973000134999", "1770000001.25", "2.4828972995927328"]
    values, _, good = read(tokens, long=long)
    assert good.all()
    assert [bits(v) for v in values] == [bits(float(t)) for t in tokens]


@pytest.mark.parametrize(
    "token", ["", "-", "+", ".", "e5", "nano", "--5", "+-5", "n", "in", "1.2.3", "0x1f", "1_000", "½", "１２"]
)
def test_what_is_no_number_is_not_read_to_its_end(token):
    for long in (False, True):
        starts = np.zeros(1, np.int64)
        _, ends, good = read_numbers(window_of((token + ",").encode()), starts, Slot(ord(","), long=long))
        assert (good is not None and not good[0]) or ends[0] != len(token.encode())


@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 450_000_000_000_000_000), st.integers(-60, 40)), min_size=1, max_size=30)
)
@settings(max_examples=400, deadline=None)
@example([(9007199254740993, -1), (9007199254740992, -22), (17999999999999999999, -19), (1, -45), (3, -46)])
def test_decimals_are_rounded_as_python_rounds_them(pairs):
    mantissa = np.array([min(m, 17_999_999_999_999_999_999) for m, _ in pairs], np.uint64)
    exponent = np.array([e for _, e in pairs], np.int64)
    values = decimal_to_float(mantissa, exponent)
    assert [bits(v) for v in values] == [bits(float(f"{m}e{e}")) for m, e in zip(mantissa, exponent, strict=True)]


def test_halfway_cases_are_decided_as_python_decides_them():
    # Decimals of 18 digits that lie as near as such decimals can to the middle between two doubles.
    rng = np.random.default_rng(1)
    tokens = []
    for _ in range(4000):
        value = float(rng.uniform(0.1, 1.0))
        middle = (int(value * 2**54) * 2 + 1) * 10**18 // 2**55
        tokens += [f"0.{middle + k:018d}" for k in (-1, 0, 1)]
    values, _, good = read(tokens, long=True)
    assert good.all()
    assert [bits(v) for v in values] == [bits(float(t)) for t in tokens]


@pytest.mark.parametrize(
    ("token", "value"),
    [("17.7M", 17.7e6), ("1.13M", 1.13e6), ("36k", 36e3), ("12.34B", 12.34e9), ("7", 7.0), ("2T", 2e12)],
)
def test_suffixes_are_applied(token, value):
    values, lengths, good = read([token], " ", suffix=True)
    assert good.all()
    assert (values[0], lengths[0]) == (value, len(token))


@pytest.mark.parametrize(
    ("token", "value", "length"),
    [
        ("1,234", 1234.0, 5),
        ("118,921,520", 118921520.0, 11),
        ("-12,345.5", -12345.5, 9),
        ("999", 999.0, 3),
        ("1234", 1234.0, 4),
        ("1,2345", 1.0, 1),
        ("1234,567", 1234.0, 4),
        ("1,23", 1.0, 1),
        ("0.5", 0.5, 3),
        ("nan", math.nan, 3),
    ],
)
def test_thousands_are_read_where_they_are_expected(token, value, length):
    values, lengths, good = read([token], " ", commas=True)
    assert good.all()
    assert (bits(values[0]), lengths[0]) == (bits(value), length)


# ---------------------------------------------------------------------------------------------------- templates

NUMBER = re.compile(rb"(?<![\w.])[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)(?![\w.])", re.IGNORECASE)


def sample(line: str, meaning: object = "m") -> Sample:
    text = line.encode() + b"\n"
    spans = tuple(match.span() for match in NUMBER.finditer(text, 24 if text.startswith(b" [20") else 0))
    return Sample(text, spans, meaning, tuple(float(text[a:b]) for a, b in spans))


def taught(*lines: str) -> Template:
    samples = [sample(line) for line in lines]
    assert len({shape_of(s) for s in samples}) == 1
    template = learn(samples)
    assert template is not None
    return template


def pattern(template: Template) -> re.Pattern[bytes]:
    """The same shape as a regular expression: an independent way to say what may match."""
    out = b""
    for step in template.steps:
        if isinstance(step, Literal):
            out += b"".join(
                b"[0-9]" if d else re.escape(bytes([c])) for c, d in zip(step.text, step.digit, strict=True)
            )
        elif isinstance(step, Slot):
            out += b"(" + TOKEN.pattern.replace(b"?P<number>", b"?:").replace(b"?P<suffix>", b"?:") + b")"
        else:
            out += b" +" if isinstance(step, Spaces) else b"[0-9]+"
    return re.compile(out)


SHAPES = (
    ("iter 100: loss 3.2114, time 123.4ms, mfu 20.10%", "iter 7: loss nan, time 9.1ms, mfu 9.00%"),
    ("   2.0    -115.54  [-150.32, 1194.59]  +0.250 ", "  10.0      -5.54      [-1.32, 94.59]  -0.250 "),
    ("{'loss': 3.2, 'lr': 5e-05}", "{'loss': 2.71828182845904, 'lr': 4.999995e-05}"),
    ("|    ep_len_mean          | 213           |", "|    ep_len_mean          | 1.2e+03       |"),
    (" [2026-03-01 00:00:09.1] step 5 of 100 | a_1: 2.5 |", " [2026-03-01 10:00:10.2] step 15 of 100 | a_1: 12.5 |"),
)


@pytest.mark.parametrize("lines", SHAPES)
def test_a_shape_reads_its_samples_and_their_like(lines):
    template = taught(*lines)
    scanner = Scanner()
    scanner.templates = [template]
    found = scanner.scan("".join(line + "\n" for line in lines * 50).encode())
    assert found.rest.size == 0
    assert found.rows[0].line.tolist() == list(range(len(lines) * 50))
    for i, line in enumerate(lines):
        for slot, expected in enumerate(sample(line).values):
            assert bits(found.rows[0].values[slot][i]) == bits(expected)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(SHAPES), st.data())
def test_a_changed_line_matches_only_where_the_shape_allows_it(lines, data):
    template = taught(*lines)
    text = bytearray(data.draw(st.sampled_from(lines)).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        byte = data.draw(st.one_of(st.sampled_from(b"0123456789.eE+-naif ,|x\r\x00\xb2"), st.integers(0, 255)))
        kind = data.draw(st.sampled_from(["set", "insert", "delete"]))
        if kind == "set":
            text[at] = byte
        elif kind == "insert":
            text.insert(at, byte)
        elif len(text) > 1:
            del text[at]
    line = bytes(text) + b"\n"
    if b"\n" in text:
        return
    rows, values, ends = template.match(window_of(line + b"x" * 40), np.zeros(1, np.int64))
    if rows.size:
        match = pattern(template).match(line)
        assert match is not None
        assert ends[0] == len(line) == match.end()
        assert [bits(v[0]) for v in values] == [bits(float(t.replace(b",", b""))) for t in match.groups()]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0, 1), st.integers(0, 10**6)), min_size=3, max_size=60))
def test_aligned_cells_may_overflow(rows):
    lines = [f"{c:8d} {a:9.2f} {b:8.3g}" for a, b, c in rows]
    first = taught("       1      1.00      0.5", "  100000  -9999.25    1e-05")
    scanner = Scanner()
    scanner.templates = [first]
    found = scanner.scan("".join(line + "\n" for line in lines).encode())
    read_lines = set() if not found.rows else set(found.rows[0].line.tolist())
    for i, line in enumerate(lines):
        if line.startswith(" "):
            assert i in read_lines
        else:
            assert i in found.rest.tolist()  # the shape begins with a blank: it is for the parsers to decide


def test_digits_in_names_are_not_wildcards():
    a = Sample(b"layer1 norm: 0.5\n", ((13, 16),), "layer1", (0.5,))
    b = Sample(b"layer2 norm: 0.7\n", ((13, 16),), "layer2", (0.7,))
    assert shape_of(a) != shape_of(b)
    template = learn([a])
    assert template is not None
    rows, _, _ = template.match(window_of(b.text), np.zeros(1, np.int64))
    assert rows.size == 0


def test_a_shape_that_contradicts_the_parsers_is_refused():
    good = sample("loss 3.5 end")
    scaled = Sample(good.text, good.spans, good.meaning, (350.0,))
    assert learn([good]) is not None
    assert learn([scaled]) is None


def test_a_number_followed_by_what_could_belong_to_it_is_no_slot():
    assert learn([Sample(b"rate 5-10\n", ((5, 6),), "m", (5.0,))]) is None


def test_blocks_of_lines_are_one_record_and_do_not_overlap():
    box = "-----\n| a | 1.5   |\n| b | 2     |\n-----\n"
    text = box.encode()
    spans = tuple(m.span() for m in re.finditer(rb"(?<=\| )\d[.\d]*", text))
    template = learn([Sample(text, spans, "box", (1.5, 2.0))])
    assert template is not None
    assert template.lines == 4
    scanner = Scanner()
    scanner.templates = [template]
    found = scanner.scan((box * 3 + "chatter\n" + box + box[:20]).encode())
    assert found.rows[0].line.tolist() == [0, 4, 8, 13]
    assert found.rest.tolist() == [12, 17, 18]


def test_every_line_is_either_read_or_left_and_keeps_its_number():
    template = taught("loss 3.5 at 2", "loss 13.5 at 20")
    rng = np.random.default_rng(0)
    lines, expected = [], []
    for i in range(5000):
        if rng.random() < 0.3:
            lines.append(f"saved ckpt_{i}.pt")
        else:
            lines.append(f"loss {rng.normal():.4f} at {i}")
            expected.append(i)
    scanner = Scanner()
    scanner.templates = [template]
    for end in ("\n", ""):
        found = scanner.scan(("\n".join(lines) + end).encode())
        taken = found.rows[0].line.tolist()
        whole = expected if end or expected[-1] < len(lines) - 1 else expected[:-1]
        assert taken == whole
        assert sorted([*taken, *found.rest.tolist()]) == list(range(len(lines)))
        assert found.rows[0].values[1].tolist() == [float(i) for i in whole]


def test_a_buffer_without_padding_is_refused():
    with pytest.raises(ValueError, match="padding"):
        Window(np.zeros(100, np.uint8), 100 - PADDING + 1)


def test_same_floats_tells_signed_zeros_apart_and_nans_not():
    assert same_floats(np.array([np.nan, 1.0]), np.array([-np.nan, 1.0]))
    assert not same_floats(np.array([0.0]), np.array([-0.0]))


def test_digit_runs_longer_than_a_word():
    template = taught("id 123456789012345678 loss 0.5", "id 7 loss 0.25")
    assert any(isinstance(step, (Digits, Slot)) for step in template.steps)
    long = b"id 12345678901234567890123456 loss 0.5\n"
    rows, values, _ = template.match(window_of(long), np.zeros(1, np.int64))
    assert rows.size == 0 or values[0][0] == 12345678901234567890123456.0
    unnamed = learn(
        [Sample(b"run %d: 0.5\n" % n, ((len(b"run %d: " % n), len(b"run %d: 0.5" % n)),), "m", (0.5,)) for n in (1, 22)]
    )
    assert unnamed is not None
    rows, values, _ = unnamed.match(window_of(b"run 12345678901234567890: 1.5\n"), np.zeros(1, np.int64))
    assert (rows.size, values[0][0]) == (1, 1.5)


# ---------------------------------------------------------------------------------------------------- whole logs


def columns_log(rng: np.random.Generator, count: int) -> list[str]:
    out = []
    for i in range(count):
        if i % 40 == 0:
            out.append("   Frame    FPS   Loss   Return[min, max]   Agree%")
        cell = f"[{rng.normal(0, 50):.1f}, {rng.normal(90, 50):.1f}]"
        loss = "nan" if rng.random() < 0.1 else f"{rng.lognormal():.3f}"
        out.append(f"{(i + 1) * 128:8,d} {rng.normal(900, 90):6.1f} {loss:>6} {cell:>18} {rng.uniform(0, 100):7.1f}%")
    return out


def keyvalue_log(rng: np.random.Generator, count: int) -> list[str]:
    out = []
    for i in range(count):
        if i % 100 == 0:
            out.append(f"step {i}: train loss {rng.lognormal():.4f}, val loss {rng.lognormal():.4f}")
        out.append(
            f"iter {i}: loss {rng.lognormal():.4f}, time {rng.normal(120, 3):.2f}ms, mfu {rng.normal(40, 1):.2f}%"
        )
    return out


def epochs_log(rng: np.random.Generator, count: int) -> list[str]:
    return [
        f"Epoch: [{i // 50}][{i % 50 * 10}/500]  Time {rng.normal(0.3, 0.01):.3f}  Loss {rng.lognormal():.4e}"
        f"  Acc@1 {rng.uniform(0, 99):.2f}"
        for i in range(count)
    ]


def json_log(rng: np.random.Generator, count: int) -> list[str]:
    return [
        f'{{"step": {i}, "loss": {rng.lognormal()!r}, "lr": {rng.uniform(0, 1e-4)!r}, "note": null}}'
        for i in range(count)
    ]


def box_log(rng: np.random.Generator, count: int) -> list[str]:
    out = []
    for i in range(count // 6):
        rule = "-" * 40
        rows = {"ep_rew_mean": rng.normal(), "loss": rng.lognormal(), "approx_kl": rng.gamma(2, 0.004)}
        out += [rule, "| rollout/            |              |", f"|    total_timesteps  | {i * 2048:<12d} |"]
        out += [f"|    {name:<16s} | {value:<12.4g} |" for name, value in rows.items()]
        out.append(rule)
    return out


def block_log(rng: np.random.Generator, count: int) -> list[str]:
    out = []
    for i in range(count // 4):
        out += [
            f"Learning iteration {i}/9999",
            "",
            f"    Mean reward: {rng.normal():.2f}",
            f"    Value loss: {rng.lognormal():.4f}",
        ]
    return out


def update_log(rng: np.random.Generator, count: int) -> list[str]:
    """Blocks below a line of their own: one record."""
    out = []
    for i in range(count // 12):
        out += [
            "=" * 60,
            f"UPDATE - Step {15 * (i + 1)}, k={i / 1000:.3f}",
            "=" * 60,
            "Advantage:",
            f"  Mean: {rng.normal():.6f}",
            f"  Std: {rng.lognormal():.6f}",
            "",
            "Log-probabilities:",
            f"  Mean: {rng.normal():.6f}",
            f"  Std: {rng.lognormal():.6f}",
            "",
            f"Total norm: {rng.lognormal():.4f}",
            "",
        ]
    return out


def features_log(rng: np.random.Generator, count: int) -> list[str]:
    """Blocks, a line of values and a line of further values: one record."""
    out = []
    for i in range(count // 6):
        step = 384 * (i + 1)
        out += [
            f"[DEBUG][Step {step}] Feature Stats:",
            f"  L2 Norm: {rng.lognormal(4):.3f}",
            f"  Mean: {rng.normal(13, 1):.3f}, Std: {rng.normal(16, 1):.3f}",
            f"[LEARNING] Step {step} | critic_loss={rng.lognormal():.4f} q1={rng.normal(-4, 1):.3f}",
            f"[GRADIENT] critic_norm={rng.lognormal():.4f} actor_norm={rng.random():.4f}",
            f"[EPISODE] count={17 * i} mean_reward={rng.normal(-13, 1):.2f}",
            "",
        ]
    return out


def counted_log(rng: np.random.Generator, count: int) -> list[str]:
    """Counters stand among the values of a block."""
    out = []
    for i in range(count // 9):
        rows = {"Evaluation/AverageReturn": 20 + i / 10 + rng.random(), "Evaluation/Iteration": i}
        rows |= {"TotalEnvSteps": 4000 * (i + 1), "policy/Entropy": 0.7 - i / 2000, "policy/KL": rng.random() / 100}
        rule = "-" * 34 + "  " + "-" * 11
        out += [f"2020-06-29 20:{i // 60 % 60:02d}:{i % 60:02d} | [trpo] epoch #{i} | Saved", rule]
        out += [
            f"{name:<34}  {value if isinstance(value, int) else f'{value:.4f}':>11}" for name, value in rows.items()
        ]
        out.append(rule)
    return out


def talk(rng: np.random.Generator, lines: list[str]) -> list[str]:
    """Put lines between that are no rows: chatter, blank lines, and rows that are torn."""
    out = []
    for line in lines:
        out.append(line)
        pick = rng.random()
        if pick < 0.01:
            out.append(
                f"[2026-03-01 12:{rng.integers(60):02d}:00] saved checkpoint to runs/ckpt_{rng.integers(9999)}.pt"
            )
        elif pick < 0.013:
            out.append(line[: len(line) // 2])
        elif pick < 0.016:
            out.append("")
    return out


LOGS = (columns_log, keyvalue_log, epochs_log, json_log, box_log, block_log, update_log, features_log, counted_log)


@pytest.mark.parametrize("make", LOGS)
@pytest.mark.parametrize("noisy", [False, True])
def test_a_log_read_in_bulk_is_the_log_read_line_by_line(make, noisy, tmp_path):
    rng = np.random.default_rng(len(make.__name__))
    lines = make(rng, 3000)
    path = tmp_path / "run.log"
    path.write_text("\n".join(talk(rng, lines) if noisy else lines) + "\n")
    slow = line_by_line(path)
    fast = in_bulk(path)
    if noisy and fast is None:
        return  # it may refuse, and then the log is read line by line
    assert fast is not None
    assert list(fast.series) == list(slow.series)
    for name, series in slow.series.items():
        for array in ("value", "step", "line", "segment", "judged"):
            np.testing.assert_array_equal(getattr(fast.series[name], array), getattr(series, array), f"{name}.{array}")
        assert (fast.series[name].missing, fast.series[name].clock) == (series.missing, series.clock)
    assert fast.reading.metric_lines == slow.reading.metric_lines
    if not noisy:
        assert fast.reading.rows == slow.reading.rows
        assert fast.frame.equals(slow.frame)


def test_a_box_begins_at_the_ruler_above_it(tmp_path):
    lines = box_log(np.random.default_rng(0), 3000)
    for at in range(len(lines) - 14, 0, -35):
        lines.insert(at - at % 7, f"eval 03/10: episode {at} done")
    path = tmp_path / "run.log"
    path.write_text("\n".join(lines) + "\n")
    for run in (line_by_line(path), in_bulk(path)):
        begins = run.frame["line"].tolist()
        assert all(lines[line - 1].startswith("---") and lines[line].startswith("|") for line in begins)


@pytest.mark.parametrize("make", LOGS)
def test_most_lines_of_a_plain_log_are_read_in_bulk(make, tmp_path):
    path = tmp_path / "run.log"
    path.write_text("\n".join(make(np.random.default_rng(0), 3000)) + "\n")
    pieces = make is not counted_log  # its blocks must be read as a whole
    driver = Driver(
        Assembler(), lambda record: None, lambda bulk: None, lambda number, text: None, lambda text: 0, pieces=pieces
    )
    driver.read([path.read_bytes()])
    assert driver.fast_lines > 0.8 * (driver.line - 1)


@pytest.mark.parametrize("make", [columns_log, keyvalue_log, json_log, box_log])
def test_a_streamed_log_has_the_same_extremes_steps_and_counts(make, tmp_path, monkeypatch):
    path = tmp_path / "run.log"
    path.write_text("\n".join(make(np.random.default_rng(0), 30_000)) + "\n")
    monkeypatch.setattr("logdoctor.fastpath.long.STREAM_BYTES", 1000)
    kept, streamed = in_bulk(path), in_bulk(path, stream=True)
    assert streamed.reading.streamed
    assert list(streamed.series) == list(kept.series)
    steps = {}
    for name, series in kept.series.items():
        bins = streamed.series[name]
        good = np.isfinite(series.value)
        assert len(bins) <= 4096
        assert (bins.count, bins.nonfinite) == (series.count, series.nonfinite)
        assert np.nanmin(bins.lows) == series.value[good].min()
        assert np.nanmax(bins.highs) == series.value[good].max()
        assert (bins.step[0], bins.line[0]) == (series.step[0], series.line[0])
        steps = dict(zip(series.line.tolist(), series.step.tolist(), strict=True))
        values = dict(zip(series.line.tolist(), series.value.tolist(), strict=True))
        assert bins.step.tolist() == [steps[line] for line in bins.line.tolist()]
        np.testing.assert_array_equal(bins.value, [values[line] for line in bins.line.tolist()])
    assert streamed.reading.segments[0].first_step == kept.reading.segments[0].first_step
    with pytest.raises(ValueError, match="streamed"):
        _ = streamed.frame


def line_by_line(path):
    source = open_source(path)
    return assemble(source, list(source.lines()))


def in_bulk(path, *, stream=False):
    return read_long(open_source(path), None, stream=stream)
