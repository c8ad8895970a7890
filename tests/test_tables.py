# ruff: noqa: E501 - the lines are those of logs
"""Tables: which line is their header, which column counts, and which of them are no series."""

from __future__ import annotations

import pytest

# ------------------------------------------------------------------------------------------- headers of two lines
TWO_LINES = (
    "average  since         example        example  current  current  current\n"
    "loss     last          counter         weight    label  predict features\n"
)


def test_a_header_of_two_lines_names_its_columns_with_both(read):
    rows = "".join(
        f"{0.7 - i / 20:.6f} {0.6 - i / 20:.6f} {2**i:14d} {2.0**i:14.1f} {1.0:8.4f} {0.1 * i:8.4f} {50 + i:8d}\n"
        for i in range(8)
    )
    run = read(f"num sources = 1\n{TWO_LINES}{rows}\nfinished run\n")
    assert run.series["loss"].raw_name == "average loss"
    assert run.series["loss"].step.tolist() == [2**i for i in range(8)]
    assert "since_last" in run.series
    assert run.reading.clocks[0].name == "example counter"


def test_a_line_of_words_above_a_header_does_not_belong_to_it(read):
    text = "losses  and  scores  below\nstep   loss  reward   lr\n" + "".join(
        f"{i:4d}  {2 / i:6.3f} {10 * i:6.1f}  0.001\n" for i in range(1, 6)
    )
    run = read(text)
    assert set(run.series) == {"loss", "reward", "learning_rate"}
    assert run.series["loss"].step.tolist() == [1, 2, 3, 4, 5]


# ------------------------------------------------------------------------------------------- lists that are no series
def epochs(count: int) -> str:
    return "".join(
        f"epoch {e:3d}  train_loss {1 / e:.4f}  val_loss {1.1 / e:.4f}  F1 {1 - 1 / e:.3f}\n"
        for e in range(1, count + 1)
    )


def test_thresholds_tried_after_the_training_are_no_series(read):
    sweep = "Threshold sweep on val:\n  thr | count MAE | timing P/R/F1      | tp/fp/fn\n" + "".join(
        f"  {k / 10:.2f} | {200 / k:8.3f}  | 0.{10 + k}/0.{90 - k}/0.{17 + k} | {230 - k}/{2000 // k}/{15 + k}\n"
        for k in range(1, 9)
    )
    run = read(f"{epochs(12)}\nbest val F1: 0.91\n\n{sweep}\nbest F1=0.93 @ thr=0.70\n")
    assert set(run.series) == {"loss", "val_loss", "quality"}
    assert run.series["quality"].value[-1] == pytest.approx(0.917)
    assert any("'thr'" in issue.text for issue in run.reading.issues)


def test_a_table_of_errors_by_data_set_at_the_end_is_no_series(read):
    rule = "+---------------+-----------------+------------------+\n"
    table = (
        f"{rule}|  config_type  | RMSE E / meV    | RMSE F / meV / A |\n{rule}"
        f"| train_Default |       41.8      |       115.2      |\n| valid_Default |       33.5      |       129.1      |\n{rule}"
    )
    run = read(f"{epochs(9)}Training complete\nError table:\n{table}")
    assert set(run.series) == {"loss", "val_loss", "quality"}


def test_one_row_for_each_target_is_no_series(read):
    rows = (("pH", 0.2, 0.175), ("EC", 0.53, 0.167), ("OC", 0.1, 0.574), ("N", 39.4, 0.299))
    table = "  Param       RMSE      R2    Coverage\n" + "".join(
        f"  {p:8s} {a:8.4f}   {b:.3f}     90.{i}1%\n" for i, (p, a, b) in enumerate(rows)
    )
    assert not read(f"Training Summary\n{table}").series


def test_the_row_of_all_classes_stays(read):
    table = "   Class   Images  Labels      P      R    mAP50\n" + "".join(
        f"{name:>8s}    128    {n:4d}   0.{n}1  0.{n}2  0.{n}3\n"
        for name, n in (("all", 92), ("person", 81), ("car", 71))
    )
    run = read(f"{epochs(5)}{table}")
    assert any(series.value.tolist() == [0.921] for series in run.series.values())
    assert not any(0.811 in series.value for series in run.series.values())


def test_rows_of_labels_that_come_again_stay(read):
    def table(e: int) -> str:
        return f"split    loss    acc    f1\ntrain  {1 / e:.4f}  0.8{e}  0.6{e}\nvalid  {1.2 / e:.4f}  0.7{e}  0.5{e}\n"

    run = read("".join(f"Epoch {e}\n{table(e)}" for e in range(1, 6)))
    assert sorted(series.value[-1] for series in run.series.values()) == pytest.approx(
        [0.2, 0.24, 0.55, 0.65, 0.75, 0.85]
    )


def test_a_population_listed_in_every_generation_is_no_series(read):
    def generation(g: int) -> str:
        rows = "".join(f"  {i:4d}   {g}    {20 + i}     {40 + g}.4    0.{i}3    {g}\n" for i in range(42, 47 - g % 3))
        return (
            f" ****** Running generation {g} ****** \n\nPopulation's average fitness: {46 + g / 10:.5f} stdev: 7.{g}1\n"
            f"Average adjusted fitness: 0.7{g}\n   ID   age  size  fitness  adj fit  stag\n"
            f"  ====  ===  ====  =======  =======  ====\n{rows}Total extinctions: 0\nGeneration time: 2.1{g} sec (2.2 average)\n"
        )

    run = read("".join(map(generation, range(1, 7))))
    assert not {"age", "size", "fitness", "stag"} & set(run.series)
    assert run.series["population_average_fitness"].step.tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "text",
    [
        "loss,reward,entropy\n" + "".join(f"{2 / i:.4f},{10 * i},{1 / i:.3f}\n" for i in range(1, 9)),
        "reward   loss   entropy   kl\n"
        + "".join(f"{10 * i + i % 3:5.1f}  {2 / i:.4f}  {1 / i:.3f}   0.0{i}\n" for i in range(1, 9)),
        "checkpoint,loss,reward,kl\n"
        + "".join(f"model-{i}00,{2 / i:.4f},{10 * i + i % 3},0.0{i}\n" for i in range(1, 9)),
        "Epoch 1\nreward   loss   entropy   kl\n"
        + "".join(f"{10 * i + i % 3:5.1f}  {2 / i:.4f}  {1 / i:.3f}   0.0{i}\n" for i in range(1, 9)),
        "".join(f"warmup step {i} loss {3 / i:.3f}\n" for i in range(1, 6))
        + "reward   loss   entropy   kl\n"
        + "".join(f"{10 * i + i % 3:5.1f}  {2 / i:.4f}  {1 / i:.3f}   0.0{i}\n" for i in range(1, 9)),
    ],
    ids=["csv", "blanks", "named", "below an epoch", "behind another table"],
)
def test_a_table_that_counts_nothing_is_a_series_all_the_same(read, text):
    run = read(text)
    assert 0.25 in run.series["loss"].value
    assert len(run.series["reward"]) == 8


def test_what_a_table_comes_to_is_not_another_row_of_it(read):
    rows = "".join(f"{i:5d}  {2 / i:.5f}  {10 * i:7.2f}  0.0010\n" for i in range(1, 13))
    run = read(
        f" step     loss   reward      lr\n{rows}\nfinished run\nnumber of rows = 12\nloss = 0.6000\nreward = 31.2\n"
    )
    assert run.series["loss"].value[-1] == pytest.approx(2 / 12, rel=1e-4)
    assert len(run.series["loss"]) == 12


# ------------------------------------------------------------------------------------------- objects behind pairs
@pytest.mark.parametrize("word", ["Pass", "Epoch"])
def test_pairs_in_front_of_an_object_belong_to_its_record(read, word):
    text = "".join(
        "".join(
            f"{word} {e}, Batch {b}, Cost {1 / (1 + e + b / 300):.4f}, {{'auc': 0.{7 + e}{b // 100}, 'err': 0.{3 - e}{b // 100}}}\n"
            for b in (0, 100, 200)
        )
        + f"Test at {word} {e}, {{'auc': 0.{6 + e}5, 'err': 0.{4 - e}}}\n"
        for e in range(3)
    )
    run = read(text)
    assert len(run.series["loss"]) == 9
    assert run.series["loss"].step.tolist() == [0, 100, 200, 300, 400, 500, 600, 700, 800]
    assert run.series["quality"].value.tolist() == [0.7, 0.71, 0.72, 0.8, 0.81, 0.82, 0.9, 0.91, 0.92]
    assert run.series["val_quality"].value.tolist() == [0.65, 0.75, 0.85]
    assert run.series["val_error"].value.tolist() == [0.4, 0.3, 0.2]


def test_numbers_of_a_prefix_are_no_pairs_of_the_object_behind_it(read):
    text = "".join(
        f"2024-05-01 10:0{i}:00,123 worker 3.5 [metrics] step {i}: {{'loss': {1 / i:.3f}}}\n" for i in range(1, 6)
    )
    assert set(read(text).series) == {"loss"}


# ------------------------------------------------------------------------------------------- rows and their cells
def test_a_printed_data_frame_has_its_index_in_front(read):
    text = "    train-auc-mean  train-auc-std  test-auc-mean  test-auc-std\n" + "".join(
        f"{i:<3d} {0.7 + i / 50:15.6f}  {0.001 * i:13.6f}  {0.65 + i / 60:13.6f}  {0.002:12.6f}\n" for i in range(12)
    )
    run = read(f"cross-validation of 5 folds\n{text}")
    assert {series.raw_name for series in run.series.values()} == set(text.split("\n")[0].split())
    assert next(s for s in run.series.values() if s.raw_name == "test-auc-mean").step.tolist() == list(range(12))


def test_a_data_frame_of_data_or_of_models_is_no_series(read):
    data = "   age   income  label\n" + "".join(f"{i}   {20 + i}   {100.5 + i:7.1f}      {i % 2}\n" for i in range(5))
    models = "      model   accuracy   loss    f1\n" + "".join(
        f"{i}   model{c}     0.{70 + i}   0.{30 - i}   0.{60 + i}\n" for i, c in enumerate("abcd")
    )
    classes = "              precision    recall  f1-score   support\n\n" + "".join(
        f"           {k}       0.{50 + k}      0.6{k}      0.5{k}        {100 + k}\n" for k in range(4)
    )
    run = read(f"{data}\n{epochs(8)}\n{models}\n{classes}")
    assert set(run.series) == {"loss", "val_loss", "quality"}
    assert all(len(series) == 8 for series in run.series.values())


def test_a_dash_in_the_first_row_is_a_cell_that_is_filled_later(read):
    text = (
        "n_gen  |  n_eval  |     gap      |  indicator  \n"
        + "=" * 50
        + "\n"
        + "".join(
            f"{i:6d} | {100 * i:8d} | {'-' if i == 1 else f'{0.5 / i:.6f}':>12} | {'-' if i == 1 else 'ideal':>11}\n"
            for i in range(1, 9)
        )
    )
    run = read(text)
    assert len(run.series["gap"]) == 7


def test_a_decimal_comma_between_semicolons(read):
    text = "epoch;train loss;val loss;lr\n" + "".join(
        f"{i};{2 / i:.3f};{2.2 / i:.4f};0.001\n".replace(".", ",") for i in range(1, 9)
    )
    run = read(text)
    assert run.series["loss"].value.tolist() == [2, 1, 0.667, 0.5, 0.4, 0.333, 0.286, 0.25]
    assert run.series["val_loss"].value[-1] == 0.275
    assert run.series["learning_rate"].value[0] == 0.001


def test_thousands_between_semicolons_stay_thousands(read):
    text = "step;tokens per second;loss\n" + "".join(f"{1000 * i:,};{12_500 + i:,};{2 / i:.3f}\n" for i in range(1, 9))
    run = read(text)
    assert run.series["loss"].step.tolist() == [1000 * i for i in range(1, 9)]
    assert run.series["tokens_per_second"].value[0] == 12501


def test_a_duration_of_two_words_is_one_cell(read):
    text = (
        "Epoch     Train Loss     Val Loss     Val Acc     Time\n"
        + "-" * 56
        + "\n"
        + "".join(
            f"{i:>3}/12     {2 / i:.4f}       {2.2 / i:.4f}       {80 - 40 / i:.2f}%      {i}m {3 * i}s\n"
            for i in range(1, 13)
        )
    )
    run = read(text)
    assert run.series["val_accuracy"].value[0] == 40
    assert run.series["val_loss"].value[-1] == 0.1833
    assert len(run.series["loss"]) == 12


@pytest.mark.parametrize("mark", ["*", "<-- best", "(best)", "✓", "saved"])
def test_a_mark_behind_a_row_is_no_cell(read, mark):
    text = "Epoch  Loss      Val\n" + "".join(
        f"{i:>4d}  {2 / i:.6f}  {2.2 / i:.6f}{'  ' + mark if i % 3 else ''}\n" for i in range(1, 13)
    )
    assert len(read(text).series["loss"]) == 12


def test_a_column_of_marks_may_be_empty(read):
    text = "epoch   train_loss   val_loss   best\n" + "".join(
        f"{i:>4d}  {2 / i:.6f}  {2.2 / i:.6f}  {'*' if i % 3 == 0 else ''}\n" for i in range(1, 13)
    )
    run = read(text)
    assert len(run.series["loss"]) == 12
    assert "best" not in run.series


def test_an_index_without_a_title_is_no_metric_beside_a_counter(read):
    text = ",epoch,loss,val_loss\n" + "".join(f"{i - 1},{i},{2 / i:.4f},{2.1 / i:.4f}\n" for i in range(1, 13))
    run = read(text)
    assert set(run.series) == {"loss", "val_loss"}
    assert run.series["loss"].step.tolist() == list(range(1, 13))


def test_the_parameters_of_a_trial_are_no_metrics(read):
    text = "".join(
        f"[I 2023-03-02 10:{i:02d}:12,345] Trial {i} finished with value: {2 / (i + 1):.5f} and parameters: "
        f"{{'lr': 0.00{i + 1}, 'n_layers': {i % 4 + 1}, 'dropout': 0.{i}}}. Best is trial {i} with value: {2 / (i + 1):.5f}.\n"
        for i in range(12)
    )
    run = read(text)
    assert len(run.series) == 1
    (series,) = run.series.values()
    assert series.step.tolist() == list(range(12))
    assert series.value[:3].tolist() == [2, 1, 0.66667]


def test_values_in_an_object_of_parameters_are_read_where_they_are_all_there_is(read):
    text = "".join(f"step {i} params: {{'loss': {2 / i:.4f}, 'grad_norm': 0.{i}}}\n" for i in range(1, 8))
    assert set(read(text).series) == {"loss", "grad_norm"}


def test_rows_of_another_table_are_none_of_the_table_above(read):
    rows = "".join(f"{i:5d}  {2 / i:.4f}  {1 - 1 / (i + 1):.3f}\n" for i in range(1, 13))
    final = "\nFinal evaluation\nTask      Score   Err\n" + "".join(
        f"{task:<9s} 0.8{i}2   0.0{i}\n" for i, task in enumerate(("mnli", "qqp", "sst2"))
    )
    run = read(f"Epoch   Loss   Acc\n{rows}{final}")
    assert run.series["loss"].value[-1] == pytest.approx(2 / 12, abs=1e-4)
    assert len(run.series["accuracy"]) == 12


@pytest.mark.parametrize(("second", "suffix"), [("± 0.0{}00", "std"), ("+/- 0.0{}00", "std"), ("(0.0{}00)", "avg")])
def test_a_cell_may_hold_a_spread_or_an_average(read, second, suffix):
    text = "epoch   train_loss          val_loss\n" + "".join(
        f"{i:<7d} {2 / i:.4f} {second.format(i)}   {2.2 / i:.4f} {second.format(i + 1)}\n" for i in range(1, 9)
    )
    run = read(text)
    assert run.series["loss"].value.tolist() == [round(2 / i, 4) for i in range(1, 9)]
    assert run.series[f"loss_{suffix}"].value[0] == 0.01
    assert run.series[f"val_loss_{suffix}"].value[-1] == 0.09


def test_objects_of_one_line_belong_to_the_words_before_them(read):
    text = "".join(
        f"epoch {i} train {{'loss': {2 / i:.4f}, 'acc': 0.{80 + i}}} val {{'loss': {2.2 / i:.4f}, 'acc': 0.{70 + i}}}\n"
        for i in range(1, 9)
    )
    run = read(text)
    assert {name: float(series.value[-1]) for name, series in run.series.items()} == {
        "loss": 0.25, "accuracy": 0.88, "val_loss": 0.275, "val_accuracy": 0.78,
    }  # fmt: skip
    assert run.series["val_loss"].step.tolist() == list(range(1, 9))


def test_objects_without_quotes_belong_to_the_words_before_them(read):
    text = "".join(
        f"Epoch {i}: train={{loss: {2 / i:.4f}, acc: 0.{80 + i}}} valid={{loss: {2.2 / i:.4f}, acc: 0.{70 + i}}}\n"
        for i in range(1, 9)
    )
    run = read(text)
    assert {name: float(series.value[-1]) for name, series in run.series.items()} == {
        "loss": 0.25, "accuracy": 0.88, "val_loss": 0.275, "val_accuracy": 0.78,
    }  # fmt: skip


@pytest.mark.parametrize("word", ["Valid", "Test", "Validation"])
@pytest.mark.parametrize("bars", [False, True])
def test_columns_under_a_line_of_groups_belong_to_them(read, word, bars):
    if bars:
        head = f"       |      Train       |       {word}\n epoch |  loss  |   acc   |  loss  |  acc\n-------+--------+---------+--------+--------\n"
        row = "{:6d} | {:.4f} | {:.5f} | {:.4f} | {:.4f}\n"
    else:
        head = f"              Train               {word}\nEpoch   Loss     Acc      Loss     Acc\n"
        row = "{:5d}   {:.4f}   {:.3f}    {:.4f}   {:.3f}\n"
    run = read(head + "".join(row.format(i, 2 / i, 0.5 + i / 50, 2.2 / i, 0.4 + i / 50) for i in range(1, 9)))
    assert {name: float(series.value[-1]) for name, series in run.series.items()} == {
        "loss": 0.25, "accuracy": 0.66, "val_loss": 0.275, "val_accuracy": 0.56,
    }  # fmt: skip


def test_a_sentence_of_training_and_validation_groups_nothing(read):
    text = "The model will train on 50000 and validation uses 10000 samples\nepoch   loss   acc   time\n" + "".join(
        f"{i:5d}  {2 / i:.4f}  0.{50 + i}   1.{i}\n" for i in range(1, 9)
    )
    assert read(text).series["accuracy"].value[-1] == 0.58


# ------------------------------------------------------------------------------------------- long form
def test_the_type_of_an_object_may_be_its_phase(read):
    text = "".join(
        f'{{"type": "{"train" if i % 2 else "eval"}", "step": {i}, "metrics": {{"loss": {2 / i:.4f}}}}}\n'
        for i in range(1, 17)
    )
    run = read(text)
    assert len(run.series["loss"]) == len(run.series["val_loss"]) == 8


@pytest.mark.parametrize("key", ["name", "metric", "tag"])
def test_an_object_that_names_its_value(read, key):
    text = "".join(
        f'{{"event": "scalar", "{key}": "{name}", "value": {x / i:.4f}, "step": {i}}}\n'
        for i in range(1, 9)
        for name, x in (("train/loss", 2), ("val/loss", 2.2))
    )
    run = read(text)
    assert {name: float(series.value[-1]) for name, series in run.series.items()} == {"loss": 0.25, "val_loss": 0.275}


def test_a_table_that_names_its_values(read):
    text = "key,value,timestamp,step\n" + "".join(
        f"{name},{x / i:.4f},{1700000000 + i},{i}\n"
        for i in range(1, 9)
        for name, x in (("loss", 2), ("val_loss", 2.2))
    )
    run = read(text)
    assert {name: float(series.value[-1]) for name, series in run.series.items()} == {"loss": 0.25, "val_loss": 0.275}
    assert run.series["loss"].step.tolist() == list(range(1, 9))


def test_a_narrow_table_may_hold_a_word_or_a_time(read):
    rows = [f"{i},{2 / i:.4f},ok\n" for i in range(1, 9)]
    assert len(read("epoch,loss,status\n" + "".join(rows)).series["loss"]) == 8
    rows = [f"2024-01-01 10:{i:02d}:00,{2 / i:.4f},{10 * i + i % 3}\n" for i in range(1, 9)]
    run = read("timestamp,loss,reward\n" + "".join(rows))
    assert len(run.series["loss"]) == len(run.series["reward"]) == 8
    assert not read("loss, and then reward, etc\nwell, 3, of course\nagain, 4, of them\nso, 5, more\n").series


# ------------------------------------------------------------------------------------------- histories in one list
def listed(values) -> str:
    return "[" + ", ".join(f"{value:.4f}" for value in values) + "]"


@pytest.mark.parametrize("count", [8, 12, 30])
def test_histories_are_read_where_there_is_nothing_else(read, count):
    loss, val = [2 / i for i in range(1, count + 1)], [2.2 / i for i in range(1, count + 1)]
    for text in (
        f"Training done\n{{'loss': {listed(loss)}, 'val_loss': {listed(val)}}}\n",
        f"train_loss: {listed(loss)}\nval_loss: {listed(val)}\n",
        f"loss = {listed(loss)}\nval_loss = {listed(val)}\n",
    ):
        run = read(text)
        assert set(run.series) == {"loss", "val_loss"}, text
        assert run.series["val_loss"].value.tolist() == [round(v, 4) for v in val]
        assert run.series["loss"].step.tolist() == list(range(1, count + 1))


@pytest.mark.parametrize("count", [8, 12, 30])
def test_histories_say_again_what_the_rows_said(read, count):
    rows = "".join(f"Epoch {i}/{count} loss: {2 / i:.4f} val_loss: {2.2 / i:.4f}\n" for i in range(1, count + 1))
    lists = f"train losses: {listed(2 / i for i in range(1, count + 1))}\nval_acc = {listed(1 - 1 / i for i in range(1, count + 1))}\n"
    run = read(rows + lists)
    assert set(run.series) == {"loss", "val_loss"}
    assert all(len(series) == count for series in run.series.values())


def test_parts_that_are_printed_in_every_row_stay(read):
    text = "".join(
        f"Epoch {i} loss: {2 / i:.4f} recall: [0.1{i}, 0.2{i}, 0.3{i}, 0.4{i}, 0.5{i}, 0.6{i}]\n" for i in range(1, 9)
    )
    assert len(read(text).series) == 7


def test_an_object_of_numbers_by_number_is_no_record(read):
    text = "classes {0: 1000, 1: 20}\n<app.sampler.Wrapper object at 0x7f3a12c0>\n" + "".join(
        f"epoch: {5 * i}\n{0.2 / i:.6f}\nepoch: {5 * i + 1}\n" for i in range(1, 8)
    )
    run = read(text)
    (series,) = run.series.values()
    assert series.name == "value"
    assert series.value.tolist() == [round(0.2 / i, 6) for i in range(1, 8)]
    assert series.step.tolist() == [5 * i for i in range(1, 8)]


def test_vectors_of_any_length_are_parts(read):
    text = "Step      Train loss                          Test loss                           Test metric\n" + "".join(
        f"{i * 1000:<9d} [{2 / i:.2e}, {1 / i:.2e}, {0.5 / i:.2e}]    [{2.2 / i:.2e}, {1.1 / i:.2e}, {0.6 / i:.2e}]    [{0.1 / i:.2e}]\n"
        for i in range(1, 9)
    )
    run = read(text)
    assert run.series["loss_0"].value[-1] == 0.25
    assert run.series["loss_2"].value[-1] == 0.0625
    assert run.series["val_loss_1"].value[0] == 1.1
    assert any(series.raw_name == "Test metric" and series.value[0] == 0.1 for series in run.series.values())


def test_rows_of_several_data_sets_are_series_of_their_own(read):
    rule = "+---------+-------+-------+\n"
    text = "".join(
        f"Epoch {i}/8 loss {2 / i:.4f}\n{rule}| Dataset |  PSNR |  SSIM |\n{rule}| Set5    | 3{i}.12 | 0.9{i}1 |\n| Set14   | 2{i}.12 | 0.8{i}1 |\n{rule}"
        for i in range(1, 9)
    )
    run = read(text)
    found = {series.raw_name: series.value.tolist() for series in run.series.values()}
    assert found["Set5 / PSNR"] == pytest.approx([30.12 + i for i in range(1, 9)])
    assert found["Set14 / SSIM"][-1] == 0.881


def test_rows_may_leave_out_the_last_column(read):
    text = (
        "epoch,train_loss,val_loss,note\n"
        + "".join(f"{i},{2 / i:.4f},{2.2 / i:.4f}\n" for i in range(1, 9))
        + "9,0.2,0.25,done\n"
    )
    run = read(text)
    assert run.series["val_loss"].step.tolist() == list(range(1, 10))
