# ruff: noqa: E501 - the lines are those of logs
"""What the lines around a value decide: which of two equal lines is a copy, which rank speaks, what was not read."""

from __future__ import annotations

import pytest


def test_a_metric_that_stands_still_is_printed_again_and_is_no_copy(read):
    text = "".join(
        f"Epoch {e} iter 100 loss {0.9 - e / 10:.3f} lr 0.001 acc 0.{40 + e}\n"
        "Test batch 10/10: loss 0.6931 acc 0.500 auc 0.500\n"
        for e in range(5)
    )
    run = read(text)
    assert run.series["val_loss"].value.tolist() == [0.6931] * 5
    assert run.series["val_loss"].line.tolist() == [2, 4, 6, 8, 10]
    assert not run.reading.issues


def test_a_copy_has_the_place_of_the_line_before_it(read):
    text = "".join(
        f"Epoch: [{e}] [{b}/30] loss: {1.5 - e / 10 - b / 100} acc: 0.5 lr: 0.01\n" * 2
        for e in range(3)
        for b in (10, 20, 30)
    )
    run = read(text)
    assert len(run.series["loss"]) == 9
    assert "9 records were printed again" in run.reading.issues[0].text


# --------------------------------------------------------------------------------------- what belongs to what


def test_a_sentence_above_the_first_epoch_is_no_header(read):
    text = "Training of the model begins now on digits\n" + "".join(
        f"EPOCH: {e}\nLR: {0.1 * e:.2f}\nLoss={2 / e:.3f} Batch_id=97 Accuracy={10 * e}.5: 100%|█████| 98/98 [00:08<00:00, 11.6it/s]\n"
        for e in (1, 2, 3)
    )
    run = read(text)
    assert set(run.series) == {"learning_rate", "loss", "accuracy"}
    assert run.series["learning_rate"].step.tolist() == [1, 2, 3]
    assert run.series["accuracy"].step.tolist() == [1, 2, 3]


def test_a_counter_that_is_glued_to_a_bar_counts(read):
    text = "".join(
        f"  0%|          | 0/782 [00:00<?, ?it/s]EPOCH: {e}\n"
        f"Loss={2 / e:.3f} Batch_id=781: 100%|██████| 782/782 [00:20<00:00, 38.5it/s]\n"
        for e in (1, 2, 3)
    )
    assert read(text).series["loss"].step.tolist() == [1, 2, 3]


def test_a_batch_that_is_always_the_last_one_is_no_clock(read):
    text = "".join(
        f"loss={2 / e:.3f} batch_id=468: 100%|█████| 469/469 [00:21<00:00, 22.06it/s]\n\n" for e in (1, 2, 3, 4)
    )
    run = read(text)
    assert [clock.unit for clock in run.reading.clocks] == ["lines"]
    assert run.series["loss"].value.tolist() == pytest.approx([2, 1, 0.667, 0.5])


def test_lines_below_a_word_for_validation_are_held_out_and_two_known_words_are_enough(read):
    text = "".join(
        f"Epoch {e}/3\nTraining...\nBatch 500,Net Loss:0.{e}1\nBatch 900,Net Loss:0.{e}2\n"
        f"Epoch, Net Loss: 0.{e}3,Net ACC: 9{e}.5%\nValidating...\nEpoch, Net Loss: 0.{e}4,Net ACC: 8{e}.5%\n"
        for e in (0, 1)
    )
    run = read(text)
    assert run.series["val_net_loss"].value.tolist() == [0.04, 0.14]
    assert run.series["net_acc"].value.tolist() == [90.5, 91.5]


def test_a_second_run_with_the_same_values_is_no_copy(read):
    run_of = "".join(f"[eval @ {s},000] reward= +{30 + s}.00± 1.50  done=0%  max_x=31{s}\n" for s in range(1, 9))
    run = read(f"[1/2] seed 4\n{run_of}[2/2] seed 5\n{run_of}")
    assert run.series["eval_return"].step.tolist() == [1000.0 * s for s in range(1, 9)] * 2
    assert run.series["eval_return"].value[-1] == 38
    assert len(run.reading.segments) == 2


def test_a_note_with_a_counter_does_not_count_the_rows_below_it(read):
    text = "".join(
        ("Update[3751]: Change learning rate to 1.00000e-03\n" if b == 60 else "")
        + f"Epoch[6] Batch [{b}]\tSpeed: 143.02 samples/sec\taccuracy=0.8{b}\n"
        for b in range(20, 99, 20)
    )
    run = read(text)
    assert run.series["accuracy"].step.tolist() == [20, 40, 60, 80]


def test_the_rate_of_the_first_epoch_is_a_value_like_those_of_the_others(read):
    text = "".join(
        f"lr:{1e-3 / e:.4e}\nbatch: 0 Loss: {1 / e:.4f}\nbatch: 50 Loss: {0.9 / e:.4f}\n" for e in range(1, 7)
    )
    assert len(read(text).series["learning_rate"]) == 6


def test_what_a_checkpoint_is_named_after_is_no_metric_in_any_language(read):
    text = "".join(
        f"ÉPOCA {e}/5\n100%|██████████| 352/352 [37:30<00:00,  6.39s/it, loss=0.{60 - e}]\n"
        f"Train Loss: 0.{70 - e} | Train Accuracy: 0.7{e}\n  Mejor modelo guardado (val_loss=0.3{e})\n"
        for e in range(1, 6)
    )
    run = read(text)
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5]
    assert set(run.series) == {"loss", "train_loss", "accuracy"}


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("Época {i}: pérdida=0.5{i} exactitud=0.8", {"loss": 0.57, "accuracy": 0.8}),
        ("Эпоха {i}/9 | потери: 0.5{i} | точность: 0.8", {"loss": 0.57, "accuracy": 0.8}),
        ("INFO epoch: {{{i}/300}}, step: {{1/2}}, loss : {{2.{i}086}}, lr : {{0.0001}}", {"loss": 2.7086}),
        ("t=000{i}0 | eps=0.200 | loss=0.47{i}", {"epsilon": 0.2, "loss": 0.477}),
        ("Mon, 22 Aug 2016 08:58:5{i} ga.py[line:86] INFO epoch {i} loss 0.5{i}", {"loss": 0.57}),
        ("[2019-11-04 16:19:0{i}] INFO [MainThread:69] num steps {i}, FPS 234, reward -2{i}.0", {"reward": -27}),
        ("iter {i}: accept update with alpha=1.0, kl=2.5e-0{i}", {"kl": 2.5e-7}),
        ("Iter {i}: Loss 0.{i} Target: 2*x1 Time: 02/05/2018--11:4{i}", {"loss": 0.7}),
        ("Total reward in global step {i}: 1.3{i}", {"episode_return": 1.37}),
        ("loss after {i} iterations: 0.5{i}", {"loss": 0.57}),
        ("Joint training epoch {i}/9, Loss: 5.8{i}", {"loss": 5.87}),
        ("[pretrain] epoch {i}/40  train=5.1{i}  heldout=5.2{i}  lr=6.80e-05", {"loss": 5.17, "val_loss": 5.27}),
        ("Epoch:{i}, Loss(train): 6.5{i}, Loss(val): 6.4{i}", {"loss": 6.57, "val_loss": 6.47}),
        (
            "[A] Tot:6.{i} PDE:1.1e-0{i}/9.2e-04:  1%|  | {i}/900 [00:10<00:00, 3.2it/s]",
            {"pde": 1.1e-7, "pde_2": 9.2e-4},
        ),
        ("iteration:{i} step:{i}3/90, INTENT loss: 1.9{i}", {"intent_loss": 1.97}),
    ],
)
def test_lines_of_many_kinds(read, line, values):
    run = read("".join(line.format(i=i) + "\n" for i in range(1, 8)))
    for name, value in values.items():
        assert run.series[name].value[-1] == pytest.approx(value), name
        assert len(run.series[name]) == 7
    odd = {"info", "line", "main_thread", "time", "target", "step_time", "t", "episode_length", "aug"}
    assert not odd & set(run.series)
    assert run.series[name].step[-1] >= 7


def test_a_row_may_end_with_the_delimiter_and_the_best_round_is_printed_twice(read):
    rows = "".join(f"{4 / i:.4f}\t{0.4 / i:.4f}\t\n" for i in range(1, 6))
    run = read("total loss\tscore loss\t\n" + rows)
    assert run.series["score_loss"].value.tolist() == [0.4, 0.2, 0.1333, 0.1, 0.08]
    rounds = "".join(f"[{i}00]\ttrain's auc: 0.8{i}\tvalid's auc: 0.7{i}\n" for i in range(1, 6))
    run = read(
        f"{rounds}Did not meet early stopping. Best iteration is:\n[485]\ttrain's auc: 0.81\tvalid's auc: 0.72\n"
    )
    assert run.series["val_quality"].value[-1] == 0.75
    assert run.series["val_quality"].step[-1] == 500


def test_a_sentence_of_words_is_no_header_of_the_counts_below_it(read):
    text = "Part of each label in the set\n0   1760\n1    133\n" + "".join(
        f"Epoch {e}/30\nTrain Loss: 0.{9 - e} Train Recall: 0.5\n" for e in range(1, 5)
    )
    assert set(read(text).series) == {"loss", "recall"}


def test_a_result_that_is_printed_once_is_read(read):
    rows = "".join(
        f"| epoch   1 |   {b}/  900 batches | lr 20.00 | ms/batch 12.12 | loss  7.{b} | ppl  2079.{b} |\n"
        for b in (200, 400)
    )
    run = read(rows * 2 + "| end of epoch   1 | time: 36.93s | valid loss  5.53 | valid ppl   252.86 |\n")
    assert run.series["val_loss"].value.tolist() == [5.53]
    assert run.series["val_perplexity"].value.tolist() == [252.86]


def test_a_phase_named_in_the_first_pair_holds_for_the_line(read):
    text = "".join(
        f"Epoch {e}, Average Train Loss: [0.5{e} 0.2{e}] Average acc: 6{e}.5%\n"
        f"Epoch {e}, Average Validation Loss: [0.4{e} 0.1{e}] Average acc: 7{e}.5%\n"
        for e in range(3)
    )
    run = read(text)
    assert run.series["accuracy"].value.tolist() == [60.5, 61.5, 62.5]
    assert run.series["val_accuracy"].value.tolist() == [70.5, 71.5, 72.5]
    assert run.series["val_loss_1"].value.tolist() == pytest.approx([0.10, 0.11, 0.12])


def test_two_numbers_are_a_range_only_under_the_name_of_one(read):
    run = read(
        "".join(f"step {i} Q: [-1.{i}, 3.{i}] recall=[0.4{i}, 0.2{i}] mu:(-3.0{i}, -3.1)\n" for i in range(1, 6))
    )
    assert run.series["q_min"].value[-1] == -1.5
    assert run.series["q_max"].value[-1] == 3.5
    assert run.series["recall_0"].value[-1] == 0.45
    assert run.series["mu_1"].value[-1] == -3.1


def test_losses_in_a_list_are_kept_apart(read):
    text = "".join(f"Losses: [2.{i}, 2.5, 5.9, 25.1, 1.3], step: {i}00, lr: 0.0002\n" for i in range(1, 6))
    run = read(text)
    assert run.series["losses_0"].value[-1] == 2.5
    assert run.series["losses_3"].value.tolist() == [25.1] * 5
    assert run.series["losses_0"].step[-1] == 500


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("epoch: {i},  loss is: 2.50{i}, acc is: 0.07", {"loss": 2.507, "accuracy": 0.07}),
        ("iter: {i} dev   accuracy: 81.1{i}%", {"val_accuracy": 81.17}),
        ("At iterate    {i}    f=  3.39711D+0{i}    |proj g|=  7.26D+01", {"f": 3.39711e7, "proj_g": 72.6}),
        ("更新: {i}/9, 步数: {i}000/9000, 策略损失: 0.{i}", {"policy_loss": 0.7}),
        (">    {i} train loss:  2.3{i} test acc: 68.08%", {"loss": 2.37, "val_accuracy": 68.08}),
        ("Epoch:  {i}, Loss: 1.0, Best Accuracy: 0.9{i}<br/>", {"best_accuracy": 0.97}),
        ("2026-06-09 14:00:5{i}.958 | INFO     | __main__:main:411 - epoch {i} loss 0.5", {"loss": 0.5}),
        ("Epoch Step:   10{i} | Accumulation Step: 9 | Loss: 1.4{i} | Tokens / Sec: 3000", {"loss": 1.47}),
        ("Epoch {i} 完成 | 训练损失: 4.3{i} | 验证损失: 5.9 | 时间: 385.5s", {"loss": 4.37, "val_loss": 5.9}),
        ("| {i} |       {i}0 |       00:00:0{i} |  Mini-batch Loss: 0.4{i}", {"loss": 0.47}),
    ],
)
def test_lines_of_further_kinds(read, line, values):
    run = read("".join(line.format(i=i) + "\n" for i in range(1, 8)))
    for name, value in values.items():
        assert run.series[name].value[-1] == pytest.approx(value), name
        assert run.series[name].step[-1] >= 7
    assert not {"main_main", "epoch_step", "id", "更新", "时间"} & set(run.series)


def test_a_test_set_beside_a_validation_set_has_its_own_names(read):
    text = "".join(
        f"Epoch {e}\nVal   Loss: 0.5{e}, ACC: 0.8{e}\nTest  Loss: 0.6{e}, ACC: 0.7{e}\n" for e in range(1, 5)
    )
    run = read(text)
    assert run.series["val_accuracy"].value[-1] == 0.84
    assert run.series["test_accuracy"].value[-1] == 0.74


def test_rows_may_end_with_their_duration_and_sentences_far_above_are_no_header(read):
    head = "running on device now\n" + "(sample of what was said)\n" * 12
    rows = "".join(f"{e}      0.11{e}      0.10{e}     0.9{e}     (00:5{e})\n" for e in range(1, 6))
    run = read(head + "epoch  train_loss  valid_loss  fbeta\n" + rows)
    assert run.series["val_loss"].value[-1] == 0.105
    run = read(head + "".join(f"iter {i}: loss 0.{i}\n8 2 4 1\n" for i in range(1, 6)))
    assert set(run.series) == {"loss"}


def test_the_average_objective_of_a_pass_is_read(read):
    text = "".join(
        f"LOG (nnet3-train[5.2.1~2-e8]:PrintStats():nnet-training.cc:295) Overall average objective function for 'output' "
        f"is -0.5{i} + -0.01 = -0.5{i + 1} over 5120 frames.\n"
        for i in range(5)
    )
    run = read(text)
    series = run.series["overall_average_objective_function_for_output"]
    assert series.value.tolist() == pytest.approx([-0.51, -0.52, -0.53, -0.54, -0.55])


def test_rows_that_close_an_epoch_are_a_series_of_their_own(read):
    text = "".join(
        "".join(f"epoch: {e}, batch_id: {b}, AUC:0.5{e}, loss:1.{b}{e}\n" for b in (0, 5))
        + f"epoch: {e} done, AUC: 0.6{e}, loss:0.7{e}\n"
        for e in range(1, 5)
    )
    run = read(text)
    assert run.series["loss"].value.tolist() == pytest.approx(
        [1 + b / 10 + e / 100 for e in range(1, 5) for b in (0, 5)]
    )
    assert run.series["loss_epoch"].value.tolist() == pytest.approx([0.71, 0.72, 0.73, 0.74])


def test_a_mean_is_no_counter(read):
    text = "".join(
        f"Episodes:  {e}0 / 300\n\tTotal reward:  -48{e}.19 +/- 18.5\n\tNum. steps:  7{e}.{e} +/- 1.25\n{'-' * 26}\n"
        for e in range(1, 6)
    )
    run = read(text)
    assert run.series["episode_return"].step.tolist() == [10, 20, 30, 40, 50]
    text = "".join(f"iter {i}: accuracy: 9{i}.5%, reward:  0.95, steps:  5.8{i}\n" for i in range(1, 6))
    run = read(text)
    assert [clock.name for clock in run.reading.clocks] == ["iter"]
    assert any(series.value[-1] == 5.85 for series in run.series.values())


def test_ratios_summaries_and_warnings(read):
    text = "".join(
        f"iter {i}\nUAS:   37{i}/401 = 93.2{i}\nmean/median reward 12.{i}/11.5, min/max reward 0.5/24.{i}\n"
        "[LightGBM] [Warning] No further splits with positive gain, best gain: -inf\n"
        for i in range(1, 6)
    )
    run = read(text + "Best Iter=[2] recall=[0.9, 0.8]\n")
    assert run.series["uas"].value[-1] == 93.25
    assert run.series["episode_return"].value[-1] == 12.5
    assert run.series["median_reward"].value[-1] == 11.5
    assert run.series["max_return"].value[-1] == 24.5
    assert not [name for name in run.series if "gain" in name or "recall" in name]


def test_words_that_mean_something_else_without_episodes(read):
    run = read("".join(f"epoch {i} : loss 0.5{i} score 0.7{i} alpha 0.03 std 0.2\n" for i in range(1, 6)))
    assert set(run.series) == {"loss", "quality", "alpha", "std"}
    run = read("".join(f"episode {i} : loss 0.5{i} score 0.7{i} alpha 0.03 std 0.2\n" for i in range(1, 6)))
    assert set(run.series) == {"loss", "episode_return", "ent_coef", "action_std"}


def test_a_heading_of_a_validation_holds_for_one_line_of_a_kind(read):
    text = "testing in eval mode...\nepoch: 0,  loss is: 0.9\n" + "".join(
        f"epoch: {e},  loss is: 0.1{e}\ntesting in eval mode...\nepoch: {e},  loss is: 0.2{e}\n" for e in range(5)
    )
    run = read(text)
    assert run.series["val_loss"].value.tolist() == pytest.approx([0.9, 0.20, 0.21, 0.22, 0.23, 0.24])
    assert run.series["loss"].value.tolist() == pytest.approx([0.10, 0.11, 0.12, 0.13, 0.14])


def test_lines_of_one_metric_and_nothing_else_are_a_series(read):
    text = (
        "".join(f"INFO: Validation Dice Coeff: 0.5{i}\n" for i in range(6))
        + "Epochs:          100\nBatch size:      1\n"
    )
    assert read(text).series["val_quality"].value.tolist() == pytest.approx([0.5 + i / 100 for i in range(6)])


def test_printed_options_are_no_record(read):
    options = "{'dataset': 'C', 'batch_size': 25, 'epochs': 100, 'lr': 0.1, 'momentum': 0.9, 'num_workers': 4}"
    text = f"[INFO | config.py:57] 2021-01-23 23:09:29,251: {options}\n" * 3
    run = read(text + "".join(f"Epoch {e} Loss: 0.{e} Acc: {e}4.0%\n" for e in range(1, 5)))
    assert set(run.series) == {"loss", "accuracy"}


def test_the_phase_may_stand_behind_the_epoch_and_a_batch_may_be_a_span(read):
    text = (
        "".join(
            f"[12/25 15:43:1{e}] epoch:[ {e}/9 ] train step:{s}  loss: 0.1{e}{s} top1: 0.9\n"
            for e in (1, 2)
            for s in (0, 5)
        )
        + "[12/25 15:44:15] epoch:[ 2/9 ] val step:0    loss: 2.5 top1: 0.3\n"
    )
    run = read(text)
    assert len(run.series["loss"]) == 4
    assert run.series["val_loss"].value.tolist() == [2.5]
    run = read(
        "".join(f"Epoch[43] Batch [{b}-{b + 20}]\tSpeed: 25.02 samples/sec\tacc=0.9{b}\n" for b in range(0, 60, 20))
    )
    assert run.series["accuracy"].step.tolist() == [20, 40, 60]


def test_a_line_of_an_epoch_alone_may_open_it(read):
    text = "".join(
        f"Starting epoch {e} current lr is 0.000{e}\n"
        + "".join(f"Epoch {e}, Step {s}, avg loss so far is 0.0{s}\n" for s in (25, 50))
        + f"Epoch {e}, val loss is 0.02{e}\n"
        for e in (1, 2, 3)
    )
    run = read(text)
    assert run.series["learning_rate"].step.tolist() == [0, 50, 100]
    assert run.series["val_loss"].step.tolist() == [50, 100, 150]
    assert len(run.reading.segments) == 1


def test_an_epoch_below_a_blank_line_is_the_next_block(read):
    text = "".join(f"Epoch {e}/9\n-----\nbatch = 405\nLoss: 0.{9 - e} Acc: 0.5{e}\n\n" for e in range(1, 6))
    assert read(text).series["loss"].step.tolist() == [1, 2, 3, 4, 5]
    report = "Report\n\nTotal Episodes: 11\nBest: 7.5\n\nEpisode 1:\n" + "".join(
        f"  Reward: -2{e}.5\n  Loss: 0.0{e}\n-----\nEpisode {e + 1}:\n" for e in range(1, 6)
    )
    assert read(report).series["reward"].step.tolist() == [1, 2, 3, 4, 5]


# --------------------------------------------------------------------------------- numbers without names, coverage


def test_numbers_alone_are_read_where_there_is_nothing_else(read):
    run = read("".join(f"-15{i}8.03770329\n" for i in range(8)))
    assert run.series["value"].value[-1] == -1578.03770329
    run = read("".join(f"{40 + i} 0.09{i} 1.{i}\n" for i in range(8)))
    assert run.series["value_2"].step.tolist() == [40 + i for i in range(8)]
    assert run.series["value_3"].value[-1] == 1.7
    run = read("".join(f"Epoch: {e}\n" + "".join(f"10.{e}{b}, {b}00\n" for b in range(4)) for e in range(3)))
    assert run.series["value"].step[-1] > run.series["value"].step[-5]
    run = read("% mean class accuracy (train set)\t\n" + "".join(f" {i}.5000e+01\t\n" for i in range(1, 9)))
    assert run.series["accuracy"].value[-1] == 85


def test_numbers_beside_metrics_are_no_series(read):
    text = "".join(f"0.{i} 0.5 0.7\n" for i in range(9)) + "".join(
        f"iter {i}: loss 0.{i}\n0.5 0.6 0.7\n" for i in range(1, 9)
    )
    assert set(read(text).series) == {"loss"}


def test_lines_that_look_like_metrics_and_were_not_read_are_counted(read):
    rows = "".join(f"iter {i}: loss 0.{i}\n" for i in range(1, 9))
    assert read(rows).reading.unread_lines == 0
    run = read(rows + "the model of the second kind came to a reward of about  reward: 7.25 in all these many words\n")
    assert run.reading.unread_lines == 1
    assert run.reading.coverage == pytest.approx(8 / 9)
    assert "1 lines that look like metrics" in run.reading.issues[-1].text
    assert read("lr: 0.001\nloss weight 0.5\n" + rows + "best loss: 0.11 saved\n").reading.unread_lines == 0


def test_pairs_in_cells_of_a_table_are_parts_unless_their_title_is_that_of_a_range(read):
    head = "Step      Train loss              Q-Range                 Test metric\n"
    text = head + "".join(f"{i}000      [7.3{i}e-03, 2.40e-07]    [-1.9{i}, 2.40]    []\n" for i in range(1, 8))
    run = read(text)
    assert run.series["loss_0"].value[-1] == pytest.approx(7.37e-3)
    assert run.series["loss_1"].value[-1] == 2.4e-7
    assert run.series["q_max"].value[-1] == 2.4


def test_bars_that_ran_to_their_end_leave_the_epoch_to_count(read):
    text = "".join(
        f"Train Epoch {e}: 100%|███| 30/30 [00:10<00:00, 3.0it/s, Loss=0.{e}]\n"
        + (f"Validate: 100%|███| 8/8 [00:10<00:00, 3.0it/s, Loss=0.{e}5]\n" if e % 2 == 0 else "")
        for e in range(1, 8)
    )
    run = read(text)
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert run.series["val_loss"].step.tolist() == [2, 4, 6]


def test_a_first_number_that_rises_by_equal_steps_counts_where_nothing_else_does(read):
    run = read("".join(f"tally: {i * 50}, loss: 4.{i}\n" for i in range(1, 9)))
    assert run.series["loss"].step.tolist() == [50.0 * i for i in range(1, 9)]
    assert set(run.series) == {"loss"}
    run = read("".join(f"tally: {i * i}.5, loss: 4.{i}\n" for i in range(1, 9)))
    assert set(run.series) == {"loss", "tally"}


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("Epoch 3 step {i}00 eta 00:02:3{i}: loss 2.00{i}", {"loss": 2.007}),
        ("[2022-06-27 05:54:2{i},137]iter:002{i} loss_train: 0.231{i}", {"loss": 0.2317}),
        ("batch 12{i} of epoch 1, loss 0.5{i}", {"loss": 0.57}),
        ("-- text at {i}0000 its:\nab c\nSmooth loss: 54.{i}", {"smooth_loss": 54.7}),
        (
            "Saving dict for global step {i}00: accuracy = 0.93, global_step = {i}00, loss = 0.06{i}",
            {"val_loss": 0.067},
        ),
        ("Fine-Tune Epoch {i}\nloss: 0.5{i} acc: 0.8", {"loss": 0.57}),
        ("Test at Pass 0, step {i}, eval_result : {{'auc': 0.8{i}, 'loss': 0.4}}", {"val_quality": 0.87}),
    ],
)
def test_lines_of_still_more_kinds(read, line, values):
    run = read("".join(line.format(i=i) + "\n" for i in range(1, 8)))
    for name, value in values.items():
        assert run.series[name].value[-1] == pytest.approx(value), name
        assert run.series[name].step[-1] >= 7
    assert not [name for name in run.series if "eta" in name or "epoch" in name]


# ------------------------------------------------------------------------------------- tables, processes, settings


def test_a_table_with_a_metric_a_row_and_a_column_a_part(read):
    rule = "+---------+---------+---------+\n"
    text = "".join(
        f"---- [Epoch 0/9, Batch {b}/90] ----\n{rule}| Metrics | Head 0  | Head 1  |\n{rule}"
        f"| size    | 14      | 28      |\n| loss    | 32.5{b}   | 46.1{b}   |\n{rule}Total loss 78.{b}\n"
        for b in range(4)
    )
    run = read(text)
    assert run.series["head_0_loss"].value[-1] == 32.53
    assert run.series["head_1_loss"].step.tolist() == [0, 1, 2, 3]
    assert run.series["loss"].value.tolist() == pytest.approx([78.0, 78.1, 78.2, 78.3])
    assert run.series["loss"].step.tolist() == [0, 1, 2, 3]


def test_a_table_with_a_column_for_training_and_one_for_validation(read):
    head = "2021-05-11 13:36:10,220 - INFO - pack.training.writer - "
    text = "".join(
        f"{head}Epoch {e}/9\n{head}                       Training |  Validation\n"
        f"{head}accuracy           |     0.5{e}2  |     0.6{e}1\n{head}memory_MB          |  1500.000  |       N/A\n"
        for e in range(4)
    )
    run = read(text)
    assert run.series["accuracy"].value[-1] == 0.532
    assert run.series["val_accuracy"].value[-1] == 0.631
    assert run.series["val_accuracy"].step.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "line", ["[rank{r}]: step: {i}  loss: 0.{i}{r}  mfu: 0.1", "Rank {r}, step {i}, loss 0.{i}{r}, acc 0.5{i}"]
)
def test_of_several_processes_with_values_of_their_own_the_first_is_read(read, line):
    run = read("".join(line.format(r=r, i=i) + "\n" for i in range(1, 6) for r in range(3)))
    assert run.series["loss"].value.tolist() == pytest.approx([i / 10 for i in range(1, 6)])
    assert any("10 records of other processes" in issue.text for issue in run.reading.issues)
    assert run.reading.unread_lines == 0
    run = read("".join(line.format(r=7, i=i) + "\n" for i in range(1, 6)))  # the last stage of a pipeline
    assert run.series["loss"].value.tolist() == pytest.approx([i / 10 + 0.07 for i in range(1, 6)])


def test_how_full_a_buffer_is_is_no_setting(read):
    text = "Gamma: 0.99\nReplay buffer size: 500\n" + "".join(
        f"Episode {i}: reward {i}.5\nReplay buffer size: {i}500\n" for i in range(1, 8)
    )
    run = read(text)
    assert [setting.name for setting in run.hyperparameters] == ["gamma"]
    assert run.series["buffer_size"].value[-1] == 7500


def test_a_log_of_two_rows_is_read(read):
    text = "Number of routes: 51\nGeneration 0: Best length = 922\nGeneration 10: Best length = 630\n"
    assert read(text).series["best_length"].value.tolist() == [922, 630]
    text = "Read 0M words\nProgress: 100.0% words/sec/thread:  771 lr:  0.000000 avg.loss:  3.93 ETA:   0h 0m 0s\n"
    assert read(text).series["loss"].value.tolist() == [3.93]
    assert not read("epochs: 10\nlearning_rate: 0.1\nbatch_size: 64\n").series


def test_a_score_without_a_loss_has_no_good_direction(read):
    run = read("".join(f"Score at iteration {i}0 is 2.{9 - i}\n" for i in range(6)))
    assert run.series["score"].goal == "none"


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("[Environment Loop] Episode Return = -90{i} | Environment Steps = {i}00", {"episode_return": -907}),
        ("{i}00 [D loss: 0.{i}21, acc.: 5{i}.00%] [G loss: 1.{i}]", {"d_loss": 0.721, "g_loss": 1.7}),
        ("{i}00 ELBO: -12.{i}", {"elbo": -12.7}),
        ("eta: 1:02:03  epoch/iter: {i}/{i}99  total_loss: 7.{i}  lr: 3.5e-04", {"loss": 7.7}),
        (
            "[B] Batch [{i}0]\tSpeed: 900.12 samples/sec 2000{i}.1 tokens/sec\tloss=3.{i}",
            {"tokens_per_second": 20007.1},
        ),
        ("epoch: {i} - valid CER: 1.01, valid WER: 2.5{i}", {"val_error": 1.01, "val_wer": 2.57}),
        (
            "[1119 10:00:0{i} @base.py:275] Start Epoch {i} ...\n[1119 10:00:0{i} @monitor.py:467] cost: 0.{i}",
            {"loss": 0.7},
        ),
    ],
)
def test_lines_of_other_programs(read, line, values):
    run = read("".join(line.format(i=i) + "\n" for i in range(1, 8)))
    for name, value in values.items():
        assert run.series[name].value[-1] == pytest.approx(value), name
        assert run.series[name].step[-1] >= 7
    assert not [name for name in run.series if "base" in name]


def test_the_summary_of_a_detection_is_the_value_behind_its_thresholds(read):
    head = "Average Precision  (AP) @[ IoU=0.50{}| area=   all | maxDets=100 ] = 0.{}21\n"
    text = "".join(
        f"Epoch: [{e}]  [  0/90]  loss: 4.{e} (4.{e})\n "
        + head.format(":0.95 ", e)
        + " "
        + head.format("      ", e + 1)
        for e in range(1, 5)
    )
    run = read(text)
    assert run.series["val_quality"].value.tolist() == pytest.approx([0.121, 0.221, 0.321, 0.421])
    assert run.series["val_ap50"].value[-1] == 0.521
    assert not [name for name in run.series if "iou" in name]


def test_rows_of_a_table_that_name_their_split_are_kept_apart(read):
    text = "".join(
        f"Epoch {e}\n│ label   │   loss │   accuracy │\n├─────────┼────────┼────────────┤\n"
        f"│ train   │ 0.{9 - e}54 │     0.5{e} │\n│ vali    │ 0.{9 - e}64 │     0.4{e} │\n"
        for e in range(1, 6)
    )
    run = read(text)
    assert run.series["loss"].value[-1] == 0.454
    assert run.series["val_loss"].value[-1] == 0.464


def test_counters_among_the_indented_values_of_a_titled_block_are_its_own(read):
    text = "".join(
        f"Result for trial_a:\n  episode_reward_mean: 2{i}.5\n  info:\n    entropy: 0.6{i}\n  timesteps_total: {i}000\n"
        f"  training_iteration: {i}\n\n"
        for i in range(1, 6)
    )
    run = read(text)
    assert run.series["episode_return"].step.tolist() == [1000, 2000, 3000, 4000, 5000]
    assert run.series["entropy"].step.tolist() == [1000, 2000, 3000, 4000, 5000]


def test_a_title_says_more_than_a_word_that_means_many_things(read):
    text = "".join(f"Step {i}00:\nFeature Stats:\n  Mean: 0.{i}\n  Std: 1.{i}\nLoss: 0.5{i}\n" for i in range(1, 6))
    assert read(text).series["feature_std"].value[-1] == 1.5


def test_shapes_and_exceptions_are_no_counters_and_no_metrics(read):
    text = "".join(
        f"DEBUG Step {i}:\n   Speed: 0.4{i} km/h\n   Non-zero frames: 4/4\nBrokenPipeError: [Errno 32] Broken pipe\n"
        for i in range(1, 6)
    )
    run = read("Evaluation every 2,000 steps\n" + text)
    assert [clock.name for clock in run.reading.clocks] == ["Step"]
    assert set(run.series) == {"speed"}


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("Episode * {i} * Avg Reward is ==> -89{i}.1", {"episode_return": -897.1}),
        ("epoch {i}: val_acc -> 0.8{i}", {"val_accuracy": 0.87}),
        ("{i}00/10000 loss=8.1{i} ppl=30.1 lr=1.0e-04", {"loss": 8.17, "perplexity": 30.1}),
        ("[step {i}] loss 8.12 | 45.{i}k tok/s | 1.1B tokens", {"tokens_per_second": 45700}),
        (
            "Epoch {i}\nPseudo dice [np.float32(0.81{i}), np.float32(0.7{i})]",
            {"pseudo_dice_0": 0.817, "pseudo_dice_1": 0.77},
        ),
        ("[INFO 10:00:0{i}] my_main t_env: {i}00 / 2050\nloss:     0.9{i}   return_mean:    {i}.2", {"loss": 0.97}),
        ("[{i}/100] Loss_D: 0.{i} Loss_G: 0.4", {"loss_d": 0.7}),
        ("Train loss {i}0 0.1{i} Grad Norm 1.5\nValidation loss {i}0:  0.8{i}  ", {"loss": 0.17, "val_loss": 0.87}),
        ("train        E: {i}        I: {i}00         R: {i}.1       T: 0:00:1{i}", {"episode_return": 7.1}),
    ],
)
def test_lines_of_yet_other_programs(read, line, values):
    run = read("".join(line.format(i=i) + "\n" for i in range(1, 8)))
    for name, value in values.items():
        assert run.series[name].value[-1] == pytest.approx(value), name
        assert run.series[name].step[-1] >= 7


def test_a_time_that_only_grows_is_the_time_of_the_rows(read):
    run = read(
        "\n".join(f'{{"step": {i}, "loss": {1 / (i + 1):.4f}, "time": {1770000000 + 1.25 * i}}}' for i in range(9))
    )
    assert run.frame["time"].tolist() == [1770000000 + 1.25 * i for i in range(9)]
    assert "time" not in run.series


def test_a_time_that_rises_and_falls_is_that_of_each_step(read):
    run = read("\n".join(f"step {i} loss {1 / (i + 1):.4f} time {0.5 + i % 3}" for i in range(9)))
    assert "time" not in run.frame
    assert run.series["step_time"].value[:3].tolist() == [0.5, 1.5, 2.5]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (
            "Epoch {i} (train): loss 0.1{i}, acc 0.5\nEpoch {i} (val): loss 0.2{i}, acc 0.4",
            {"loss": 0.17, "val_loss": 0.27},
        ),
        ("epoch={i} split=train loss=0.1{i}\nepoch={i} split=valid loss=0.2{i}", {"loss": 0.17, "val_loss": 0.27}),
        ("**Epoch {i}** — *loss*: `0.81{i}`, *accuracy*: `0.1`", {"loss": 0.817, "accuracy": 0.1}),
        ("Epoch {i}\nTraining loss ........ 0.1{i}\nValidation loss ...... 0.2{i}", {"loss": 0.17, "val_loss": 0.27}),
        ("Metrics(step={i}, loss=0.1{i}, accuracy=0.5)", {"loss": 0.17, "accuracy": 0.5}),
        ("Iteration #{i}\nLoss: 9.{i}\nError norm: 2.{i}", {"loss": 9.7, "error_norm": 2.7}),
    ],
)
def test_lines_of_home_made_programs(read, line, values):
    run = read("".join(line.format(i=i) + "\n" for i in range(1, 8)))
    for name, value in values.items():
        assert run.series[name].value[-1] == pytest.approx(value), name
        assert len(run.series[name]) == 7
        assert run.series[name].step[-1] == 7


def test_how_far_a_phase_is_is_no_metric(read):
    lines = []
    for i in range(1, 40):
        lines += [f"iter {i} loss {1 / i:.4f}", f"eval {i % 7:02d}/10: episode {i * 37} done, video written"]
    assert set(read("\n".join(lines)).series) == {"loss"}
    held = read("\n".join(f"val {i}/20 loss {1 / i:.4f} acc {i / 20}" for i in range(1, 21)))
    assert set(held.series) == {"val_loss", "val_accuracy"}
    assert held.series["val_loss"].step[-1] == 20


def test_lines_that_count_under_two_names_are_two_records(read):
    lines = []
    for i in range(0, 500, 10):
        lines += [f"step {i}: train loss {1 / (i + 1):.4f}, val loss 0.5"] if i % 100 == 0 else []
        lines.append(f"iter {i}: loss {1 / (i + 2):.4f}, time 12.5ms")
    run = read("\n".join(lines))
    assert run.reading.rows == len(lines)
    assert len(run.reading.clocks) == 1


def test_another_process_speaks_for_steps_that_the_first_does_not_print(read):
    line = "[default{r}]: iteration  {i}/ 500 | lm loss: {i}.5E+00 | grad norm: 1.0 |\n"
    run = read("".join(line.format(r=r, i=i) for r, i in ((0, 1), (7, 1), (0, 2), (7, 2), (7, 3), (7, 4))))
    assert run.series["loss"].value.tolist() == [1.5, 2.5, 3.5, 4.5]


def test_formulas_and_changes_are_no_values(read):
    text = "".join(
        f"iter {i}: loss 0.{i}\n  target: x2**2 + 2*x1\nThe best score is updated -800.{i} -> -700.{i}\n"
        for i in range(1, 8)
    )
    assert set(read(text).series) == {"loss"}


def test_a_long_log_is_read_as_a_short_one_where_lines_of_an_epoch_alone_open_it(read, monkeypatch):
    from logdoctor import reader

    text = "".join(
        f"Starting epoch {e} current lr is 0.000{e % 9}\n"
        + "".join(f"Epoch {e}, Step {s}, avg loss so far is 0.{e}{s}\n" for s in range(25, 500, 25))
        + f"Epoch {e}, val loss is 0.02{e % 9}\n"
        for e in range(1, 90)
    )
    monkeypatch.setattr(reader, "LONG", 1)
    bulk = read(text)
    monkeypatch.setattr(reader, "LONG", 1 << 40)
    single = read(text)
    assert set(bulk.series) == set(single.series)
    for name, series in single.series.items():
        assert bulk.series[name].step.tolist() == series.step.tolist(), name
        assert bulk.series[name].value.tolist() == series.value.tolist(), name


def test_ordinals_count_and_places_in_the_source_do_not(read):
    run = read("".join(f"current step: {i}00th step\nbatch loss:3.{i}\n" for i in range(1, 8)))
    assert run.series["loss"].step[-1] == 700
    run = read("".join(f"2024-01-01 10:00:0{i} train.py(line: 103) INFO epoch {i} loss 0.{i}\n" for i in range(1, 8)))
    assert set(run.series) == {"loss"}


def test_the_last_evaluation_stands_behind_its_epoch_like_the_others(read):
    lines = []
    for epoch in range(1, 9):
        lines += [f"Train Epoch: {epoch} [{b * 64}/6000 ({b}%)]\tLoss: {1 / (epoch + b):.6f}" for b in range(0, 93, 10)]
        lines += [
            "",
            f"Test set: Average loss: {1 / epoch:.4f}, Accuracy: {900 + epoch}/1000 ({90 + epoch / 10:.0f}%)",
            "",
        ]
    run = read("\n".join(lines))
    assert run.series["val_loss"].step.tolist() == [6000.0 * epoch for epoch in range(1, 9)]
