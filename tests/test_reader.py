# ruff: noqa: E501 - the lines are those of logs
"""The run log as a whole: records, clocks, coverage, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor.errors import InputError, UsageError
from logdoctor.reader import read_log
from tests.surveyed_layouts import LAYOUTS


def reading(tmp_path, text, name="run.log", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_log(path, **options)


def rows(count, line):
    return "".join(line(i) for i in range(1, count + 1))


# ------------------------------------------------------------------------------------------------ cells and counts


def test_nan_infinity_missing_and_unreadable_are_told_apart(tmp_path):
    text = "  Frame   Loss  Norm  Score\n" + "".join(
        f"  {100 * i}   {loss}  {norm}  {score}\n"
        for i, (loss, norm, score) in enumerate(
            [
                ("0.5", "1.0", "3"),
                ("nan", "inf", "n/a"),
                ("0.4", "-inf", "--"),
                ("0.3", "1.2", "1.2.3"),
                ("0.2", "1.3", "5"),
            ],
            1,
        )
    )
    run = reading(tmp_path, text)
    loss, norm, score = run.series["loss"], run.series["grad_norm"], run.series["quality"]
    assert (len(loss), loss.nonfinite, loss.missing, loss.unreadable) == (5, 1, 0, 0)
    assert (len(norm), norm.nonfinite) == (5, 2)
    assert norm.value[1:3].tolist() == [math.inf, -math.inf]
    assert (score.value.tolist(), score.missing, score.unreadable) == ([3.0, 5.0], 2, 1)
    assert score.line.tolist() == [2, 6]
    assert run.frame["quality"].isna().tolist() == [False, True, True, True, False]


def test_ranges_compound_cells_marks_and_switches(tmp_path):
    header = "      Frame    FPS   Xprt   Rwrd  OVR    ISync F/T      Q-Range              Stats\n"
    text = (
        header
        + "-" * 80
        + "\n"
        + rows(
            4, lambda i: f"  {i},000,000  900.5  50%*  {i}.50!  OFF    {i}k/  8.2s  [-{i}.0, {i}.5] {i}k/10/2.5/0k\n"
        )
    )
    run = reading(tmp_path, text)
    assert run.series["reward"].value.tolist() == [1.5, 2.5, 3.5, 4.5]
    assert run.series["expert_ratio"].value[-1] == 50.0
    assert run.series["q_min"].value[-1] == -4.0
    assert run.series["q_max"].value[-1] == 4.5
    assert run.series["stats_1"].value[-1] == 4000.0
    assert run.series["i_sync_f_t_1"].value[-1] == 4000.0
    assert run.series["ovr"].value.tolist() == [0.0] * 4
    assert run.series["reward"].step[-1] == 4_000_000


def test_titles_of_two_words_are_joined_where_their_columns_stand(tmp_path):
    header = "   Frame    FPS  Mean Reward  DQN Reward       Loss\n"
    text = header + rows(5, lambda i: f"{i * 1000:8d}  100.0  {i * 1.5:11.2f}  {i * 2.5:10.2f} {1 / i:10.6f}\n")
    run = reading(tmp_path, text)
    assert run.series["episode_return"].raw_name == "Mean Reward"
    assert run.series["episode_return"].value[-1] == 7.5
    assert run.series["dqn_reward"].value[-1] == 12.5
    assert run.series["loss"].value[-1] == 0.2


def test_repeated_and_glued_headers_do_not_matter(tmp_path):
    header = "   Frame    FPS   Loss   Agree%\n"
    body = [f"{i * 1000:8d}  100.0  {1 / i:.4f}   {20 + i}.5%\n" for i in range(1, 9)]
    text = (
        header + "".join(body[:3]) + header + header + "".join(body[3:5]) + "\x1b[2J\x1b[H" + header + "".join(body[5:])
    )
    run = reading(tmp_path, text)
    assert run.series["loss"].step.tolist() == [i * 1000 for i in range(1, 9)]
    assert run.reading.coverage == 1.0
    assert len(run.reading.segments) == 1


def test_rows_without_a_header_of_their_width_are_reported_with_their_line(tmp_path):
    header = "   Frame    FPS   Loss   Agree%   GradNorm   Samp/s   Steps/s\n"
    text = (
        header + rows(4, lambda i: f"  {i}000  100.0  0.5  20.5%  1.0  500  20.5\n") + "  9000  1 2 3 4 5 6 7 8 9 10\n"
    )
    run = reading(tmp_path, text)
    assert len(run.series["loss"]) == 4
    assert run.reading.unread_lines == 1
    assert run.reading.coverage == pytest.approx(4 / 5)
    assert [issue.line for issue in run.reading.issues] == [6]


def test_distributions_become_shares(tmp_path):
    text = rows(
        3,
        lambda i: (
            f"[AGREE DEBUG] Step {i}00:\n  n_dqn=100, agree_pct=2{i}.0%\n  First 3 greedy: [2 2 1]\n  Greedy dist: [  0  60 40   0]\n"
        ),
    )
    run = reading(tmp_path, text)
    assert run.series["greedy_action_share_1"].value.tolist() == [0.6, 0.6, 0.6]
    assert run.series["agreement"].step.tolist() == [100, 200, 300]
    assert not any("first" in name for name in run.series)


def test_every_value_keeps_the_line_it_stands_on(tmp_path):
    text = rows(3, lambda i: f"Step {i}0:\nGradient Statistics:\n  Total norm: 0.{i}\n\nMean reward: {i}.5\n")
    run = reading(tmp_path, text)
    assert run.series["grad_norm"].line.tolist() == [3, 8, 13]
    assert run.series["episode_return"].line.tolist() == [5, 10, 15]
    assert run.reading.rows == 3
    assert run.fetch([8, 15]) == {8: "  Total norm: 0.2", 15: "Mean reward: 3.5"}


def test_records_of_several_ranks_are_read_once_and_episodes_of_one_step_are_kept(tmp_path):
    text = "".join(
        f"[rank{r}]: step: {i}  loss: 0.{i}  grad_norm: 1.{i}  mfu: 0.1\n" for i in range(1, 6) for r in range(4)
    )
    run = reading(tmp_path, text)
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5]
    assert any("15 records" in issue.text for issue in run.reading.issues)
    episodes = rows(6, lambda i: f"global_step={i // 2 * 100}, episodic_return=9.0\n")
    assert len(reading(tmp_path, episodes).series["episode_return"]) == 6


# ---------------------------------------------------------------------------------------------------------- clocks


def test_rows_and_blocks_may_have_clocks_of_their_own(tmp_path):
    text = "   Frame    FPS   Loss   Agree%\n"
    for i in range(1, 9):
        text += f"{i * 100_000:9,d}  100.0  {1 / i:.4f}   {20 + i}.5%\n"
        if i % 2 == 0:
            text += f"[AGREE DEBUG] Step {i * 13}:\n  td_error={1 / i:.4f}\n"
    run = reading(tmp_path, text)
    assert [(clock.name, clock.primary) for clock in run.reading.clocks] == [("Frame", True), ("Step", False)]
    assert run.series["loss"].clock is None
    assert run.series["td_error"].clock == "Step"
    assert run.series["td_error"].step.tolist() == [26, 52, 78, 104]


def test_an_inner_counter_is_joined_with_its_epoch(tmp_path):
    text = "".join(
        "".join(f"Epoch {e}, iter {i}: loss {3 - e + i / 1000:.4f}\n" for i in (50, 100, 150, 200))
        + f"Epoch {e}: val_acc = 0.{e}5\n"
        for e in (1, 2, 3)
    )
    run = reading(tmp_path, text)
    assert run.series["loss"].step.tolist() == [50 * i for i in range(1, 13)]
    assert run.series["val_accuracy"].step.tolist() == [200, 400, 600]
    assert len(run.reading.segments) == 1


def test_totals_ids_and_lengths_are_no_clocks(tmp_path):
    import json

    text = rows(6, lambda i: json.dumps({"current_steps": i * 10, "total_steps": 900, "loss": 1 / i}) + "\n")
    assert reading(tmp_path, text).series["loss"].step[-1] == 60
    lengths = rows(8, lambda i: f"Episode {i} | Steps: {100 + i * 37 % 60} | Reward: {i}.5\n")
    run = reading(tmp_path, lengths)
    assert run.reading.clocks[0].unit == "episodes"
    assert run.series["episode_length"].value[0] == 137.0


def test_evaluations_printed_ahead_of_their_counter_get_it(tmp_path):
    text = ""
    for step in range(5, 125, 5):
        if step % 30 == 0:
            text += f"val loss {9 - step / 100:.4f}\n"
        text += f"step {step}/200 | loss {9 - step / 90:.4f} | norm 1.{step}\n"
    run = reading(tmp_path, text)
    assert run.series["val_loss"].step.tolist() == [30, 60, 90, 120]


def test_a_log_without_any_counter_counts_lines(tmp_path):
    run = reading(tmp_path, rows(5, lambda i: f"value loss: 0.{i}, policy loss: -0.{i}\n"))
    assert run.reading.clocks[0].unit == "lines"
    assert run.series["value_loss"].step.tolist() == [1, 2, 3, 4, 5]


# --------------------------------------------------------------------------------------------- what is not a metric


def test_settings_before_the_first_step_are_no_metrics(tmp_path):
    text = "batch size: 32\nhidden size: 64\ndropout: 0.1\n" + rows(
        4, lambda i: f"step {i} loss {1 / i:.4f} acc 0.{i}\n"
    )
    run = reading(tmp_path, text)
    assert set(run.series) == {"loss", "accuracy"}
    assert {"batch_size", "dropout"} <= {setting.name for setting in run.hyperparameters}


def test_prose_with_numbers_is_no_metric(tmp_path):
    text = "At step 3 the reward was 5.\nWe saw 12 failures in 3 runs: see issue 17.\n" + rows(
        4, lambda i: f"iter {i}: loss {1 / i:.4f}, lr 1e-3\n"
    )
    run = reading(tmp_path, text)
    assert set(run.series) == {"loss", "learning_rate"}


def test_constants_of_a_record_are_settings_and_known_constants_stay(tmp_path):
    import json

    text = rows(
        5, lambda i: json.dumps({"epoch": i, "batchSize": 128, "depth": 28, "success_rate": 0.0, "loss": 1 / i}) + "\n"
    )
    run = reading(tmp_path, text)
    assert set(run.series) == {"loss", "success_rate"}


def test_no_metric_at_all_is_an_empty_run_log(tmp_path):
    run = reading(tmp_path, "hello\nworld\nnothing to see\n")
    assert (dict(run.series), run.reading.rows, run.reading.coverage, run.reading.format) == ({}, 0, 0.0, "none")
    assert len(run.frame) == 0


# ------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\n", b"\r\n\r\n", b" " * 100_000, b"1" * 100_000, b"a:" * 50_000, b"[" * 50_000, b"{" * 50_000, b"(" * 50_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000, b"\x1b[" * 50_000, b"=" * 100_000 + b"1", b"%|" * 20_000, b"1%|" * 20_000,
        b"\xff\xfe\xfd" * 1000, b"x" * 100_000 + b": 5\n", "α: ∞\n".encode() * 100, b"\t".join([b"7"] * 20_000),
        b"loss: 1e999\n" * 10, b"step 1 loss 0.5\x00\x00\n" * 10, b"nan " * 30_000, b"-" * 200_000, b"|" * 100_000,
        b"1:" * 50_000, b"1," * 50_000, b"1 " * 50_000, b"' " * 30_000, b"a=(" * 20_000,
    ],
    ids=range(28),
)  # fmt: skip
def test_strange_text_is_read_without_a_crash(tmp_path, text):
    run, said = None, ""
    try:
        run = reading(tmp_path, text)
    except InputError as error:
        said = str(error)
    assert "\n" not in said
    assert run is None or run.reading.metric_lines <= text.count(b"\n") + 1


def test_a_line_longer_than_the_limit_is_cut_with_an_issue(tmp_path):
    text = rows(4, lambda i: f"step {i} loss 0.{i}\n") + "x" * (2 << 20) + "\n" + "step 5 loss 0.5\n"
    run = reading(tmp_path, text)
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5]
    assert any(issue.line == 5 and "characters" in issue.text for issue in run.reading.issues)


def test_a_flood_of_names_is_bounded(tmp_path):
    text = "".join(f"step {s} " + " ".join(f"k{s // 3}_{i}={i}.5" for i in range(100)) + "\n" for s in range(90))
    run = reading(tmp_path, text)
    assert len(run.series) <= 2000
    assert any("different names" in issue.text for issue in run.reading.issues)


def test_an_unknown_parser_is_named(tmp_path):
    with pytest.raises(UsageError, match="keyvalue"):
        reading(tmp_path, "step 1 loss 0.5\n", parser="nonsense")


def test_a_forced_parser_reads_only_its_own(tmp_path):
    text = rows(4, lambda i: f"step {i} loss 0.{i}\n") + rows(4, lambda i: f"{{'loss': 0.{i}, 'epoch': {i}.0}}\n")
    assert reading(tmp_path, text, parser="literal").reading.formats == ("literal",)
    assert reading(tmp_path, text, parser="keyvalue").reading.formats == ("keyvalue",)


def test_a_counter_beyond_all_numbers_is_none(tmp_path):
    text = "".join(f"Epoch [{'9' * 400 if i in (3, 4) else i}][{i}/99] loss 0.{i + 10}\n" for i in range(9))
    run = reading(tmp_path, text)
    assert run.series["loss"].value.size == 9
    assert np.isfinite(run.series["loss"].step[[0, 1, 2, 5, 8]]).all()


@pytest.mark.parametrize("first", ["inf", "nan", "-inf", "9" * 400])
def test_a_first_number_that_is_not_finite_is_no_counter(tmp_path, first):
    text = f"{first} 0.5 0.4\n" + "".join(f"{i} 0.{i} 0.4\n" for i in range(2, 9))
    run = reading(tmp_path, text + f"a:{first} b:0\n" + f"Batch {first}/{first} loss 0.5\n" * 5)
    assert all(np.isfinite(series.step).all() for series in run.series.values())


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damaged_logs_are_read_as_far_as_they_go(tmp_path_factory, data):
    text = data.draw(st.sampled_from([layout.text for layout in LAYOUTS])).encode()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        junk = data.draw(
            st.sampled_from([b"", b"\x00", b"\xff", b"\r", b"\n", b"nan", b"{", b"]", b"\x1b[2J", b"9" * 400, b"|"])
        )
        text = text[:at] + junk + text[at + data.draw(st.integers(0, 30)) :]
    path = tmp_path_factory.mktemp("damaged") / "run.log"
    path.write_bytes(text)
    try:
        run = read_log(path)
    except InputError:
        return
    for series in run.series.values():
        assert len(series.value) == len(series.step) == len(series.line) == len(series.judged)
        assert series.nonfinite == int((~np.isfinite(series.value)).sum())
        assert (series.line >= 1).all()
        assert (series.line <= text.count(b"\n") + 1).all()
