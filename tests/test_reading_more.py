# ruff: noqa: E501 - the lines are those of logs
"""Layouts of programs that few people wrote: counters that begin again, blocks closed by their counter, pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from logdoctor.reader import LONG, read_log

# --------------------------------------------------------------------------------------- counters that begin again


def test_an_epoch_that_begins_again_every_few_rows_is_the_clock(read):
    text = "".join(
        f"Repetition {run} of 6\n"
        + "".join(
            f"Epoch: {e}/400 | Fit loss: {2 / e + run / 100:.4f} | Val acc: {0.4 + e / 1000:.4f}\n" for e in (1, 350)
        )
        for run in range(1, 7)
    )
    run = read(text)
    assert "epoch" not in run.series
    assert run.series["val_accuracy"].step.tolist() == [1, 350] * 6
    assert run.reading.clocks[0].unit == "epochs"


def test_epochs_of_clients_in_rounds_are_the_clock_of_their_rows(read):
    text = "".join(
        f"=== Round {r} ===\n"
        + "".join(
            f"Site {c} Epoch {e}: loss={1 / (r + e):.4f}, acc={0.5 + r / 50:.4f}\n" for c in range(3) for e in (1, 2)
        )
        for r in range(1, 5)
    )
    run = read(text)
    assert "epoch" not in run.series
    assert run.series["loss"].step.tolist() == [1, 2] * 12


def test_epochs_in_no_order_are_neither_clock_nor_metric(read):
    text = "".join(
        f"worker epoch {e} loss {1 + i / 10:.2f} acc 0.5{i}\n"
        for i, e in enumerate((7, 3, 9, 1, 8, 2, 6, 4, 11, 5, 10, 0))
    )
    run = read(text)
    assert "epoch" not in run.series


# --------------------------------------------------------------------------------------- output behind a comment sign


@pytest.mark.parametrize("sign", ["##", "#>"])
def test_a_table_behind_comment_signs_is_a_table(read, sign):
    rows = [(i, 9000.5 - 70 * i, 0.05, 70.0 - i) for i in range(1, 9)]
    text = f"    {sign} Iter   TrainError   ValidError   Shrink   Gain\n" + "".join(
        f"    {sign} {i:6d} {v:12.4f}          nan     {s:.4f} {g:9.4f}\n" for i, v, s, g in rows
    )
    run = read(text)
    assert run.series["gain"].value.tolist() == [70.0 - i for i in range(1, 9)]
    assert run.series["gain"].step.tolist() == list(range(1, 9))


def test_a_counter_and_its_value_below_behind_comment_signs(read):
    run = read("".join(f"#> iter  {i} value \n#> {500.25 - 3 * i:.4f}\n" for i in range(5, 15)))
    assert run.series["value"].value[-1] == 458.25
    assert run.series["value"].step.tolist() == list(range(5, 15))


def test_headings_with_two_signs_stay_headings(read):
    text = "".join(
        f"## Epoch {e}\ntrain loss: {1 / e:.3f}\n## Validation ##\nloss: {1.5 / e:.3f}\n" for e in range(1, 6)
    )
    run = read(text)
    assert run.series["val_loss"].value.tolist() == [round(1.5 / e, 3) for e in range(1, 6)]
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5]


# --------------------------------------------------------------------------------------- one name for two things


def test_the_mean_of_the_epoch_is_apart_from_its_batches(read):
    text = "".join(
        "".join(
            f"epoch: {e}/4 batch {b}/3 Train loss: {1 / e + b / 100:.5f}, Acc: {0.5 + e / 20 + b / 100:.5f}\n"
            for b in (1, 2, 3)
        )
        + f"Train loss: {1.2 / e:.5f}, Acc: {0.4 + e / 20:.5f}\n"
        for e in range(1, 5)
    )
    run = read(text)
    assert len(run.series["accuracy"]) == 12
    assert run.series["accuracy"].value[-1] == 0.73
    assert run.series["accuracy_epoch"].value.tolist() == [0.45, 0.5, 0.55, 0.6]


def test_an_evaluation_with_names_of_its_own_is_apart_from_the_rows_above_it(read):
    text = "".join(
        f"Epoch {e}: Loss = {1 / e:.4f}, Accuracy = {0.5 + e / 40:.4f}\n"
        f"Accuracy: {0.45 + e / 40:.4f}, F1 Score: {0.4 + e / 40:.4f}, Specificity: {0.6 + e / 40:.4f}\n"
        for e in range(1, 7)
    )
    run = read(text)
    assert run.series["accuracy"].value[-1] == 0.65
    assert run.series["accuracy_2"].value[-1] == 0.6


def test_values_of_the_row_said_again_below_it_stay_one_metric(read):
    text = "".join(
        f"Finished epoch {e}: Train score: {2 / e:.4f}, Dev score: {1.5 / e:.4f}, Accuracy: {0.5 + e / 40:.4f}\n"
        f"Dev score: {1.2 / e:.4f}, Accuracy: {0.45 + e / 40:.4f}\n"
        for e in range(1, 5)
    )
    assert set(read(text).series) >= {"val_accuracy"}
    assert "val_accuracy_epoch" not in read(text).series


# --------------------------------------------------------------------------------------- what a counter ends


def test_values_above_the_end_of_their_epoch_are_of_that_epoch(read):
    text = "***** Epoch=1 start *****\n" + "".join(
        f"[Metrics] AUC: {0.7 + e / 100:.4f} - logloss: {0.45 - e / 100:.4f}\nSave model: monitor(max): {0.7 + e / 100:.4f}\n"
        f"Fit loss: {0.5 - e / 50:.4f}\n***** Epoch={e} end *****\n"
        for e in range(1, 5)
    )
    run = read(text)
    assert run.series["quality"].step.tolist() == [1, 2, 3, 4]
    assert run.series["quality"].value[-1] == 0.74


def test_values_below_the_end_of_their_epoch_stay_with_it(read):
    text = "".join(f"Epoch {e} finished\nloss: {1 / e:.4f}\nval loss: {1.3 / e:.4f}\n" for e in range(1, 6))
    run = read(text)
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5]
    assert run.series["val_loss"].step.tolist() == [1, 2, 3, 4, 5]


def test_values_on_both_sides_of_the_end_of_an_epoch_stay_where_they_are(read):
    text = "".join(
        f"Epoch={e} start\nFit loss: {1 / e:.4f}\nEpoch={e} end\nval loss: {1.3 / e:.4f}\n" for e in range(1, 6)
    )
    run = read(text)
    assert run.series["fit_loss" if "fit_loss" in run.series else "loss"].step.tolist() == [1, 2, 3, 4, 5]
    assert run.series["val_loss"].step.tolist() == [1, 2, 3, 4, 5]


def test_an_evaluation_told_of_before_the_first_round_is_not_that_of_the_round(read):
    text = (
        "INFO :      Starting server, config: num_rounds=6, no timeout\nINFO :      Evaluating first global weights\n"
        + "".join(
            f"INFO :      \nINFO :      [ROUND {r}]\nINFO :      fit: {20} clients sampled\n"
            f"After {r} Round: loss = {1 / r:.4f}, accuracy: {0.5 + r / 20:.4f}\n"
            for r in range(1, 7)
        )
    )
    run = read(text)
    assert len(run.series["loss"]) == 6
    assert len(run.series["accuracy"]) == 6
    assert "val_loss" not in run.series


def test_epochs_of_one_trial_do_not_go_on_in_the_next(read):
    text = "".join(
        f"[I 2025-01-0{t} 10:00:00,000] Trial {t} finished with value: 0.{60 + t}.\n"
        f"Current Epoch:   0%|          | 0/10 [00:00<?, ?it/s]\nEpoch 5 - Fit Loss: {2 / t:.4f}\nEpoch 10 - Fit Loss: {1 / t:.4f}\n"
        for t in range(1, 5)
    )
    run = read(text)
    assert run.series["loss" if "loss" in run.series else "fit_loss"].step.tolist() == [5, 10] * 4


def test_every_line_of_a_short_evaluation_is_read_and_stands_at_its_epoch(read):
    text = "".join(
        f"epoch {e}, phase train, total step {(e - 1) * 30}\n"
        + "".join(
            f"epoch {e}, phase train, step {(e - 1) * 30 + s}, loss_train, 0.{90 - 5 * e - s}\n" for s in (10, 20, 30)
        )
        + f"epoch {e}, phase valid, total step {e * 30}\n"
        f"epoch {e} | val_accuracy: 0.0{e}\nepoch {e} | val_loss: 0.6{e}\nepoch {e} | val_hsd: 0.7{e}\n\n"
        for e in (1, 2)
    )
    run = read(text)
    assert [run.series[name].value[-1] for name in ("val_accuracy", "val_loss", "val_hsd")] == [0.02, 0.62, 0.72]
    assert {run.series[name].step[-1] for name in ("val_accuracy", "val_loss", "val_hsd")} == {2.0}


# --------------------------------------------------------------------------------------- pairs


def test_both_values_of_a_pair_with_blanks_around_its_bar_are_read(read):
    text = "".join(
        f"[0/5][{i}/900]\tLoss_D: {1 + i / 1e3:.4f}\tLoss_G: {2 - i / 1e3:.4f}\tD(x): 0.5{i // 100}\tD(G(z)): 0.4{i // 100} / 0.3{i // 100}\n"
        for i in range(0, 600, 100)
    )
    series = read(text).series
    assert [series[name].value[-1] for name in ("d_g", "d_g_2")] == [0.45, 0.35]


def test_a_name_in_brackets_is_that_of_the_value_in_brackets(read):
    text = "".join(
        f"Global Step: {10 * i}, loss = {2 / i:.2f}\nCritic Accuracy (Loss): 0.{50 + i} ({1.4 / i:.4f})\n"
        for i in range(1, 7)
    )
    series = read(text).series
    assert series["critic_accuracy"].value[-1] == 0.56
    assert series["critic_loss"].value[-1] == round(1.4 / 6, 4)


def test_a_value_in_another_unit_is_a_metric_of_that_unit(read):
    text = "".join(
        f"Epoch {e}/90 | train: {1000 - e:.2f} ({2 - e / 50:.4f} bpd) | val: {1005 - e:.2f} ({2.1 - e / 50:.4f} bpd)\n"
        for e in range(1, 7)
    )
    series = read(text).series
    assert series["val_loss"].value[-1] == 999
    assert series["val_bpd"].value[-1] == 1.98


# --------------------------------------------------------------------------------------- headings of a phase


def test_a_heading_with_a_colon_holds_for_lines_that_are_not_indented(read):
    text = "".join(
        f"Epoch {e}\nTraining:\nloss: {1 / e:.4f}\nValidation:\nloss: {1.3 / e:.4f}\nacc: 0.5{e}\n" for e in range(1, 7)
    )
    run = read(text)
    assert run.series["loss"].value[-1] == round(1 / 6, 4)
    assert run.series["val_loss"].value[-1] == round(1.3 / 6, 4)
    assert run.series["val_accuracy"].value[-1] == 0.56


def test_a_heading_with_a_colon_ends_with_the_indented_lines_below_it(read):
    text = "".join(
        f"Epoch {e}\nValidation:\n  loss: {1.3 / e:.4f}\nloss: {1 / e:.4f}\ngrad norm: 0.{e}\n" for e in range(1, 7)
    )
    run = read(text)
    assert run.series["val_loss"].value[-1] == round(1.3 / 6, 4)
    assert run.series["loss"].value[-1] == round(1 / 6, 4)
    assert run.series["grad_norm"].value[-1] == 0.6


def test_results_on_the_test_set_at_the_end_are_read(read):
    text = "".join(f"Cost after iteration {i}: {1 / (i + 1):.6f}\n" for i in range(0, 800, 100))
    text += "\nOn the train set:\nAccuracy: 0.91\nOn the test set:\nAccuracy: 0.85\n"
    assert read(text).series["val_accuracy"].value.tolist() == [0.85]


# --------------------------------------------------------------------------------------- what is no metric


def test_sizes_of_the_parts_of_a_data_set_are_no_metric(read):
    rows = "".join(f"epoch {e}/9  train 0.{9 - e}5  val 0.{9 - e}9  lr 1e-3\n" for e in range(1, 7))
    run = read(
        "train: 1200  val: 150  test (held-out): 150\n" + rows + "train: 1200  val: 150  test (held-out): 150\n" + rows
    )
    assert set(run.series) == {"loss", "val_loss", "learning_rate"}


def test_how_many_examples_were_loaded_is_no_metric_nor_is_what_improved(read):
    text = "".join(
        f"[2024-05-08 04:06:13,638 INFO] number of examples: {1500 - e % 2}\n"
        f"[2024-05-08 04:06:17,722 INFO] Step {50 * e}/9000; acc: {10 + e}.00; ppl: {30 - e}.5; xent: 3.{e}\n"
        f"[2024-05-08 04:06:18,722 INFO] Model is improving ppl: {31 - e}.5 --> {30 - e}.5.\n"
        for e in range(1, 7)
    )
    assert set(read(text).series) == {"accuracy", "perplexity", "loss"}


def test_an_object_of_settings_is_no_row(read):
    text = "{'dataset_path': 'some/set', 'model': 't9-tiny', 'fp16': False, 'batch': 8, 'epoch': 15, 'max_length': 512, 'lr': 0.0001, 'random_seed': 1, 'gradient_accumulation_steps': 16}\n"
    assert not read("start\n" + text + "lr: 0.0001\n").series


# --------------------------------------------------------------------------------------- names


def test_chinese_names_of_whole_test_sets_and_present_rates(read):
    text = "".join(
        f"epoch {e}\n当前学习率:0.00{e}\n整体测试集上的Loss:{1 / e:.4f}\n整体测试集上的正确率:0.8{e}\n"
        for e in range(1, 7)
    )
    series = read(text).series
    assert series["learning_rate"].value[-1] == 0.006
    assert series["val_accuracy"].value[-1] == 0.86
    assert series["val_loss"].value[-1] == round(1 / 6, 4)


def test_a_name_on_a_test_set_is_held_out(read):
    text = "".join(
        f"Step {s} loss 0.{9 - s}\nAccuracy on Test-Set: {60 + s}.5% ({600 + s} / 1000)\n" for s in range(1, 7)
    )
    assert read(text).series["val_accuracy"].value[-1] == 66.5


def test_settings_drawn_as_a_tree_are_no_metrics(read):
    text = "full:\n  |- batch_size\t64\n  |- beta:\n  |-   |- end:\n  |-   |-   |- iter\t90000\n  |-   |-   |- val\t2.0\n  |-   |- start:\n  |-   |-   |- iter\t80000\n  |-   |-   |- val\t1.0\n"
    text += "".join(
        f"ITER {i} TRAINING. loss_ae: {3 - i / 1000:.4f}; loss_rec: {2 - i / 1000:.4f}\n" for i in range(0, 1000, 200)
    )
    run = read(text)
    assert set(run.series) == {"loss_ae", "loss_rec"}
    assert run.series["loss_ae"].step.tolist() == [0, 200, 400, 600, 800]


def test_percent_correct_is_an_accuracy(read):
    text = "".join(f"Epoch {e}: nll = {1 / e:.4f}, correct = {50 + e}.25%\n" for e in range(1, 7))
    assert read(text).series["accuracy"].value[-1] == 56.25


# --------------------------------------------------------------------------------------- results printed once


ROWS = "".join(f"Epoch {e}/6, step {s}/90, loss = {1 / (e * 9 + s):.5f}\n" for e in (1, 2, 3) for s in (30, 60, 90))


def test_results_below_the_last_row_are_read(read):
    series = read(ROWS + "RMSE 12.9601, MAPE 0.3924\n").series
    assert series["error"].value.tolist() == [12.9601]
    assert series["mape"].value.tolist() == [0.3924]


def test_a_result_that_the_rows_have_too_does_not_change_their_last_value(read):
    rows = "".join(f"Epoch {e}, loss {1 / e:.4f}, acc 0.8{e}\n" for e in range(1, 7))
    series = read(rows + "done\nAccuracy: 0.7912\n").series
    assert series["accuracy"].value[-1] == 0.86


def test_what_was_best_and_whole_numbers_are_no_results(read):
    assert set(read(ROWS + "Best reward: 12.5\nErrors: 3\nlearning rate: 0.01\n").series) == {"loss"}


def test_a_time_beside_the_test_results_does_not_hide_them(read):
    series = read(ROWS + "All done!\nTest set results: cost= 0.71234 accuracy= 0.81500 time= 0.00903\n").series
    assert series["val_accuracy"].value.tolist() == [0.815]
    assert series["val_loss"].value.tolist() == [0.71234]


# --------------------------------------------------------------------------------------- headings that count


def test_an_epoch_with_its_duration_counts(read):
    text = "".join(f"Epoch {e}/6 - 12s\nTrain: loss={1 / e:.4f}\nValid: loss={1.1 / e:.4f}\n" for e in range(1, 7))
    run = read(text)
    assert run.series["val_loss"].step.tolist() == [1, 2, 3, 4, 5, 6]


def test_a_place_alone_on_its_line_counts(read):
    text = "".join(f"[{e}/6]\n  train: loss={1 / e:.4f}\n  valid: loss={1.2 / e:.4f}\n" for e in range(1, 7))
    assert read(text).series["val_loss"].step.tolist() == [1, 2, 3, 4, 5, 6]


def test_a_heading_below_a_step_ends_at_the_next_step(read):
    text = "".join(f"Step {s}00:\n- loss: {1 / s:.4f}\nEvaluation:\n- loss: {1.1 / s:.4f}\n" for s in range(1, 7))
    run = read(text)
    assert len(run.series["loss"]) == len(run.series["val_loss"]) == 6
    assert run.series["loss"].value[-1] == round(1 / 6, 4)


@pytest.mark.parametrize(
    "row",
    [
        "{e}. epoch: loss = {a:.4f}, val = {b:.4f}\n",
        "Epoch-{e} loss={a:.4f} val={b:.4f}\n",
        "({e}/6) | loss: {a:.4f} | val: {b:.4f}\n",
        "The loss of epoch {e} is {a:.4f}\nThe val loss of epoch {e} is {b:.4f}\n",
    ],
)
def test_rows_that_count_in_other_ways(read, row):
    run = read("".join(row.format(e=e, a=1 / e, b=1.1 / e) for e in range(1, 7)))
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5, 6]
    assert run.series["val_loss"].value[-1] == round(1.1 / 6, 4)
    assert set(run.series) == {"loss", "val_loss"}


def test_values_above_a_line_that_says_that_the_epoch_was_completed(read):
    text = "".join(f"loss: {1 / e:.4f}\nacc: 0.6{e}\nEpoch {e} completed in 12.3s\n" for e in range(1, 7))
    assert read(text).series["loss"].step.tolist() == [1, 2, 3, 4, 5, 6]


def test_a_result_said_once_below_the_rows_that_have_its_name_is_apart_from_them(read):
    rows = "".join(f"Epoch {e} - loss: {1 / e:.4f}\nEpoch {e} - Score: 0.{50 + e}\n" for e in range(1, 7))
    series = read(rows + "===== ALL FOLDS =====\nScore: 0.5661\n").series
    assert series["quality"].value[-1] == 0.56
    assert series["score"].value.tolist() == [0.5661]


def test_the_accuracy_of_the_network_on_so_many_images_is_held_out(read):
    series = read(ROWS + "Accuracy of the network on the 10000 test images: 54 %\n").series
    assert series["val_accuracy"].value.tolist() == [54]


def test_one_name_for_training_and_validation_in_brackets(read):
    text = "".join(
        f"Epoch {e}, Loss(train/val) {1 / e:.4f}/{1.1 / e:.4f}, Acc (train/val): {60 + e}.1 / {50 + e}.2\n"
        for e in range(1, 7)
    )
    series = read(text).series
    assert [series[name].value[-1] for name in ("accuracy", "val_accuracy")] == [66.1, 56.2]
    assert series["val_loss"].value[-1] == round(1.1 / 6, 4)


def test_the_score_of_a_game_and_its_record_are_two_metrics(read):
    series = read("".join(f"Game {g} Score {g % 4} Record: {min(g, 3)}\n" for g in range(1, 8))).series
    assert series["episode_return"].value.tolist() == [1, 2, 3, 0, 1, 2, 3]
    assert series["record"].value[-1] == 3


def test_how_long_an_epoch_took_is_no_part_of_a_name(read):
    text = "".join(
        f"Epoch {e} of 6 took 12.345s\n  training loss:\t\t{1 / e:.6f}\n  validation loss:\t\t{1.1 / e:.6f}\n"
        for e in range(1, 7)
    )
    series = read(text + "Final results:\n  test loss:\t\t\t0.312345\n  test accuracy:\t\t86.12 %\n").series
    assert set(series) == {"loss", "val_loss", "test_loss", "val_accuracy"}
    assert series["test_loss"].value.tolist() == [0.312345]


@pytest.mark.parametrize(
    "row",
    [
        "E{e:02d}: loss={a:.4f} val={b:.4f}\n",
        "Ep.{e} | loss={a:.4f} | val={b:.4f}\n",
        "epoch {e} | valid loss | {b:.4f}\nepoch {e} | train loss | {a:.4f}\n",
    ],
)
def test_rows_that_count_in_short(read, row):
    run = read("".join(row.format(e=e, a=1 / e, b=1.1 / e) for e in range(1, 7)))
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5, 6]
    assert run.series["val_loss"].value[-1] == round(1.1 / 6, 4)


def test_a_result_without_a_meaning_of_its_own_says_by_its_last_word_that_it_is_one(read):
    assert read(ROWS + "Relative L2 error: 1.23e-02\n").series["relative_l2_error"].value.tolist() == [0.0123]


def test_training_and_testing_results_at_the_end_are_both_read(read):
    series = read(ROWS + "Training accuracy: 91.12\nTesting accuracy: 90.12\n").series
    assert series["accuracy"].value.tolist() == [91.12]
    assert series["val_accuracy"].value.tolist() == [90.12]


def test_results_behind_bars_and_dashes_are_read(read):
    series = read(ROWS + " Results after 3 epochs:\n|---- Test Accuracy: 55.31%\n").series
    assert series["val_accuracy"].value.tolist() == [55.31]


def test_a_long_name_that_ends_with_the_test_images_is_held_out(read):
    text = "".join(
        f"Epoch [{e}/6], Loss: {1 / e:.4f}\nTest Accuracy of the model on the 10000 test images: {50 + e}.12 %\n"
        for e in range(1, 7)
    )
    assert read(text).series["val_accuracy"].value[-1] == 56.12


def test_a_place_and_a_dash_are_no_bar(read):
    text = "".join(f"{e}/6 - train_loss: {1 / e:.4f} - val_loss: {1.1 / e:.4f}\n" for e in range(1, 7))
    assert read(text).series["val_loss"].step.tolist() == [1, 2, 3, 4, 5, 6]


def test_values_above_the_end_of_their_epoch_are_read_in_bulk_as_line_by_line(tmp_path: Path):
    path = tmp_path / "run.log"
    path.write_text(
        "".join(
            f"loss: {1 / e:.6f}\nacc: {0.5 + e / 1e5:.6f}\nEpoch {e} completed in 12.3s\n" for e in range(1, 17_000)
        )
    )
    assert path.stat().st_size > LONG
    series = read_log(path).series
    assert series["loss"].step.tolist() == list(range(1, 17_000))
    assert series["accuracy"].value[-1] == 0.66999


def test_a_training_loss_beside_the_values_held_out_stays_one(read):
    text = "Step 100:\nloss: 0.9\n" + "".join(
        f"Step {s}00:\nloss: {1 / s:.4f}\nEvaluation:\nloss: {1.1 / s:.4f}\nem: {s / 10}\n" for s in range(2, 8)
    )
    series = read(text).series
    assert (len(series["loss"]), len(series["val_loss"])) == (7, 6)
