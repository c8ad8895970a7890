"""Layouts that are in no list of ours, as generators of small logs with known last values.

Every line is made here from a curve; none is copied from a log. ``Layout.last`` maps a metric (as the program spells
it) to its last value; ``step`` is the last step (None: the layout prints no counter, or one that may be read in
several ways).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

N = int(os.environ.get("LOGDOCTOR_LAYOUT_ROWS", "12"))
L = N - 1


@dataclass(frozen=True)
class Layout:
    """One program's layout: its name, the log, the last step, and the last value of some metrics."""

    name: str
    text: str
    step: float | None
    last: dict[str, float]


def loss(i: int) -> float:
    """A falling curve."""
    return round(2.5 / (1 + 0.4 * i) + 0.05, 4)


def acc(i: int) -> float:
    """A rising curve below 1."""
    return round(0.95 - 0.8 / (1 + 0.5 * i), 4)


def rew(i: int) -> float:
    """A rising return."""
    return round(-20 + 18.25 * i, 2)


def each(line: Callable[[int], str], head: str = "", tail: str = "") -> str:
    """Join ``line(i)`` for every record."""
    return head + "".join(line(i) + "\n" for i in range(N)) + tail


def mnist(i: int) -> str:
    line = f"Train Epoch: {i // 4 + 1} [{(i % 4) * 640}/2560 ({(i % 4) * 25}%)]\tLoss: {loss(i):.6f}"
    test = f"\n\nTest set: Average loss: {loss(i) / 2:.4f}, Accuracy: {9000 + i}/10000 (90%)\n"
    return line + (test if i % 4 == 3 else "")


def isaac(i: int) -> str:
    rows = {
        "Computation:": "52000 steps/s (collection: 1.1s, learning 0.4s)",
        "Value function loss:": f"{loss(i):.4f}",
        "Surrogate loss:": "-0.0123",
        "Mean action noise std:": "0.98",
        "Mean reward:": f"{rew(i):.2f}",
        "Mean episode length:": f"{20 + i:.2f}",
    }
    body = "\n".join(f"{key:>40} {value}" for key, value in rows.items())
    foot = f"{'Total timesteps:':>40} {(i + 1) * 98304}\n{'Iteration time:':>40} 1.50s\n"
    return f"{'#' * 60}\n{f'Learning iteration {i}/1500':^60}\n\n{body}\n{'-' * 60}\n{foot}"


def yolox(i: int) -> str:
    head = f"2023-01-02 10:10:10 | INFO     | yolox.core.trainer:261 - epoch: {i // 6 + 1}/300"
    head += f", iter: {(i % 6 + 1) * 10}/60"
    return (
        f"{head}, mem: 6510Mb, iter_time: 0.345s, data_time: 0.001s, total_loss: {loss(i):.1f}, iou_loss: 2.5, "
        "l1_loss: 0.0, lr: 1.250e-03, size: 640, ETA: 1 day, 10:00:00"
    )


def mmdet(i: int) -> str:
    head = f"2021-06-01 12:00:00,000 - mmdet - INFO - Epoch [{i // 6 + 1}][{(i % 6 + 1) * 50}/300]\tlr: 2.000e-02"
    return (
        f"{head}, eta: 3:00:00, time: 0.500, memory: 3900, loss_cls: {loss(i):.4f}, acc: 93.0, loss: {loss(i) + 1:.4f}"
    )


def paddle(i: int) -> str:
    head = f"[2022/03/04 05:06:07] ppocr INFO: epoch: [{i // 6 + 1}/500], global_step: {i * 10}, lr: 0.001000"
    return f"{head}, acc: {acc(i):.6f}, loss: {loss(i):.6f}, avg_reader_cost: 0.1 s, ips: 700.0 samples/s, eta: 1:00:00"


def opennmt(i: int) -> str:
    head = f"[2020-01-01 00:00:00,000 INFO] Step {(i + 1) * 50}/ 1000; acc: {acc(i) * 100:.1f}; ppl: {loss(i) * 10:.2f}"
    return f"{head}; xent: {loss(i):.2f}; lr: 0.00010; sents:   3000; bsz:  400/ 380/32; 12000/11000 tok/s;    45 sec;"


def wenet(i: int) -> str:
    head = f"2024-05-03 10:0{i % 10}:11,225 DEBUG TRAIN Batch {i // 4}/{(i % 4) * 100}"
    return f"{head} loss {loss(i):.6f} loss_att {loss(i) + 1:.6f} loss_ctc {loss(i) + 2:.6f} lr 0.00010000 rank 0"


def fasttext(i: int) -> str:
    return (
        f"Progress: {i * 9.0:5.1f}% words/sec/thread:   51234 lr:  0.04{i:02d}00 avg.loss:  {loss(i):.6f} ETA:   0h 0m"
    )


def summary(i: int) -> str:
    bar = f"Epoch {i + 1}/12: 100%|██████████| 50/50 [00:05<00:00, 9.8it/s, loss={loss(i)}]"
    return f"{bar}\nEpoch {i + 1} - avg_train_loss: {loss(i):.4f}  avg_val_loss: {loss(i) + 0.1:.4f} time: 5s"


def flax(i: int) -> str:
    head = f"I0101 10:00:00.000000 1 train.py:160] epoch:{i + 1:3d}, train_loss: {loss(i):.4f}"
    return (
        f"{head}, train_accuracy: {acc(i) * 100:.2f}, test_loss: {loss(i) + 0.2:.4f}, test_accuracy: {acc(i) * 99:.2f}"
    )


def kaldi(i: int) -> str:
    head = (
        "LOG (nnet3-train[5.5]:PrintStatsForThisPhase():nnet-training.cc:251) Average objective function for 'output'"
    )
    return f"{head} for minibatches {i * 10}-{i * 10 + 9} is {-loss(i):.5f} over 5120 frames."


def mlagents(i: int) -> str:
    head = f"[INFO] Walker. Step: {(i + 1) * 10000}. Time Elapsed: {i * 12.5:.3f} s."
    return f"{head} Mean Reward: {rew(i):.3f}. Std of Reward: {acc(i):.3f}. Training."


def seq2seq(i: int) -> str:
    train = f"\tTrain Loss: {loss(i):.3f} | Train PPL: {loss(i) * 7:7.3f}"
    return (
        f"Epoch: {i + 1:02} | Time: 0m 20s\n{train}\n\t Val. Loss: {loss(i) + 0.1:.3f} |  Val. PPL: {loss(i) * 8:7.3f}"
    )


def chat(i: int) -> str:
    head = f"Epoch: 0 | Step: {i} | PPO Epoch: 1 | Actor Loss: {loss(i):.6f} | Critic Loss: {loss(i) + 1:.6f}"
    return f"{head} | Unsupervised Loss: 0.0\naverage reward score: {rew(i)}"


def bar(i: int) -> str:
    return f"steps:  {i * 8}%|█▏        | {i + 1}/12 [00:0{i % 10}<00:05,  1.20it/s, avr_loss={loss(i)}]"


def glued(i: int) -> str:
    head = f"  {i * 8}%|▊         | {i + 1}/12 [00:10<01:00,  5.10s/it]\x1b[A"
    return f"{head}{{'loss': {loss(i)}, 'learning_rate': 2e-05, 'epoch': {i / 4:.2f}}}"


V = round(loss(L) + 0.1, 4)
LAYOUTS = [
    Layout("pytorch mnist", each(mnist), None, {"Loss": loss(L)}),
    Layout(
        "gan brackets",
        each(lambda i: f"[Epoch {i // 6}/2] [Batch {i % 6}/6] [D loss: {loss(i):f}] [G loss: {loss(i) + 1:f}]"),
        11,
        {"D loss": loss(L), "G loss": loss(L) + 1},
    ),
    Layout("tab score", each(lambda i: f"Episode {i * 100}\tAverage Score: {rew(i):.2f}"), 1100, {"Average Score": rew(L)}),
    Layout(
        "fastai table",
        each(
            lambda i: f"{i:<10d}{loss(i):<12.6f}{loss(i) + 0.1:<12.6f}{acc(i):<10.6f}00:0{i % 10}",
            head="epoch     train_loss  valid_loss  accuracy  time    \n",
        ),
        11,
        {"train_loss": loss(L), "valid_loss": V, "accuracy": acc(L)},
    ),
    Layout(
        "spacy table",
        each(
            lambda i: f"{i // 4:3d} {i * 200:7d} {loss(i):13.2f} {loss(i) * 100:9.2f} {acc(i) * 100:7.2f}  {acc(i):6.2f}",
            head="E    #       LOSS TOK2VEC  LOSS NER  ENTS_F  SCORE \n---  ------  ------------  --------  ------  ------\n",
        ),
        2200,
        {"SCORE": round(acc(L), 2)},
    ),
    Layout("sklearn mlp", each(lambda i: f"Iteration {i + 1}, loss = {loss(i):.8f}"), 12, {"loss": loss(L)}),
    Layout(
        "sklearn boosting",
        each(
            lambda i: f"{i + 1:10d} {loss(i):16.4f} {N - i:15.2f}s",
            head="      Iter       Train Loss   Remaining Time \n",
        ),
        12,
        {"Train Loss": loss(L)},
    ),
    Layout(
        "speechbrain",
        each(lambda i: f"epoch: {i + 1}, lr: 1.00e-03 - train loss: {loss(i):.2e} - valid loss: {loss(i) + 0.1:.2e}, "
             f"valid WER: {30 - i:.2f}"),
        12,
        {"valid WER": 30 - L},
    ),
    Layout("wenet", each(wenet), None, {"loss": loss(L), "loss_att": round(loss(L) + 1, 6)}),
    Layout("fasttext", "\r".join(fasttext(i) for i in range(N)) + "\n", None, {"avg.loss": loss(L)}),
    Layout("deepspeed-chat", each(chat), 11, {"Actor Loss": loss(L), "Critic Loss": round(loss(L) + 1, 6)}),
    Layout(
        "dopamine",
        each(lambda i: f"I1120 10:00:{i:02d}.123456 139 run_experiment.py:410] Average training return: {rew(i):.2f}"),
        None,
        {"Average training return": rew(L)},
    ),
    Layout("flax", each(flax), 12, {"train_loss": loss(L), "test_loss": round(loss(L) + 0.2, 4)}),
    Layout(
        "julia flux",
        each(lambda i: f"[ Info: Epoch: {i + 1}  Train loss: {loss(i)}  Test acc: {acc(i) * 100:.2f}%"),
        12,
        {"Train loss": loss(L), "Test acc": round(acc(L) * 100, 2)},
    ),
    Layout(
        "kaggle fold",
        each(lambda i: f"Fold 0 | Epoch {i + 1:02d}/12 | train_loss={loss(i):.4f} | val_loss={loss(i) + 0.1:.4f} | "
             f"val_auc={acc(i):.4f} | time=12.3s"),
        12,
        {"train_loss": loss(L), "val_auc": acc(L)},
    ),
    Layout("yolox", each(yolox), 120, {"total_loss": round(loss(L), 1)}),
    Layout("mmdet text", each(mmdet), 600, {"loss": round(loss(L) + 1, 4), "loss_cls": loss(L)}),
    Layout("paddle", each(paddle), 110, {"loss": loss(L), "acc": acc(L)}),
    Layout("opennmt", each(opennmt), 600, {"xent": round(loss(L), 2)}),
    Layout("kohya bar", "\r".join(bar(i) for i in range(N)) + "\n", 12, {"avr_loss": loss(L)}),
    Layout(
        "ultralytics results.csv",
        each(
            lambda i: f"{i + 1:23d}, {loss(i):22.5f}, {acc(i):22.5f}, {0.01:22.5f}",
            head="                  epoch,         train/box_loss,   metrics/mAP50(B),                 lr/pg0\n",
        ),
        12,
        {"train/box_loss": loss(L), "metrics/mAP50(B)": acc(L)},
    ),
    Layout(
        "prose",
        each(lambda i: f"Episode {i + 1} finished after {20 + i} timesteps with total reward {rew(i)}"),
        12,
        {"total reward": rew(L)},
    ),
    Layout(
        "char-rnn",
        each(lambda i: f"{(i + 1) * 50}/600 (epoch {i / 10:.3f}), train_loss = {loss(i):.8f}, grad/param norm = 5.0e-02, "
             "time/batch = 0.3s"),
        600,
        {"train_loss": loss(L)},
    ),
    Layout("seq2seq", each(seq2seq), 12, {"Train Loss": round(loss(L), 3), "Val. Loss": round(V, 3)}),
    Layout(
        "dict with epochs",
        each(lambda i: str({"loss": loss(i), "grad_norm": 1.5, "learning_rate": 2e-5, "epoch": round(i / 10, 2)})),
        1.1,
        {"loss": loss(L)},
    ),
    Layout(
        "dict of strings",
        each(lambda i: str({"loss": str(loss(i)), "rewards/margins": str(acc(i)), "step": i * 10})),
        110,
        {"loss": loss(L), "rewards/margins": acc(L)},
    ),
    Layout("dict after a bar", each(glued), 2.75, {"loss": loss(L)}),
    Layout(
        "semicolons",
        each(lambda i: f"epoch = {i}; train loss = {loss(i)}; test acc = {acc(i)}"),
        11,
        {"train loss": loss(L), "test acc": acc(L)},
    ),
    Layout(
        "arrows",
        each(lambda i: f"--> epoch {i:3d} ==> loss: {loss(i):8.4f} | acc: {100 * acc(i):6.2f}%"),
        11,
        {"loss": loss(L), "acc": round(100 * acc(L), 2)},
    ),
    Layout(
        "percent first",
        each(lambda i: f"({i * 8.3:5.1f}%) step={i * 1000} reward={rew(i):+.2f} eps={1 - i / 12:.3f} loss={loss(i):.3e}"),
        11000,
        {"reward": rew(L)},
    ),
    Layout("isaac block", each(isaac), 12 * 98304, {"Mean reward": rew(L), "Value function loss": loss(L)}),
    Layout("ml-agents", each(mlagents), 120000, {"Mean Reward": rew(L), "Std of Reward": round(acc(L), 3)}),
    Layout(
        "bar then lines",
        "\r".join(f"{i * 9:3d}%|{'█' * i:<12}| {i * 100}/1100 [00:01<00:00, 800it/s]" for i in range(N))
        + "\n"
        + each(lambda i: f"timestep {i * 100} reward_mean {rew(i)} loss_policy {loss(i)}"),
        1100,
        {"reward_mean": rew(L), "loss_policy": loss(L)},
    ),
    Layout(
        "commented csv",
        each(lambda i: f"{i * 10},{loss(i)},{acc(i)}", head="# run 7\nstep,loss,acc\n"),
        110,
        {"loss": loss(L), "acc": acc(L)},
    ),
    Layout(
        "semicolon csv", each(lambda i: f"{i};{loss(i)};{acc(i)}", head="epoch;loss;acc\n"), 11,
        {"loss": loss(L), "acc": acc(L)},
    ),
    Layout(
        "markdown table",
        each(lambda i: f"| {i} | {loss(i)} | {acc(i)} |", head="| epoch | loss | acc |\n|---|---|---|\n"),
        11,
        {"loss": loss(L), "acc": acc(L)},
    ),
    Layout(
        "drawn table",
        each(
            lambda i: f"│ {i:5d} │ {loss(i):8.4f} │ {acc(i):8.4f} │",
            head="┏━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━━┓\n┃ epoch ┃     loss ┃      acc ┃\n┡━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━━┩\n",
            tail="└───────┴──────────┴──────────┘\n",
        ),
        11,
        {"loss": loss(L), "acc": acc(L)},
    ),
    Layout(
        "json after a prefix",
        each(lambda i: f'2024-01-01T00:00:{i:02d}Z INFO metrics {{"step": {i * 5}, "train": {{"loss": {loss(i)}}}}}'),
        55,
        {"train/loss": loss(L)},
    ),
    Layout(
        "full-width colon",
        each(lambda i: f"第{i}轮 epoch：{i} loss：{loss(i)} acc：{acc(i)}"),
        11,
        {"loss": loss(L), "acc": acc(L)},
    ),
    Layout(
        "plus-minus block",
        each(lambda i: f"Iteration: {i}\nMeanRew: \t {rew(i)} +- {acc(i)}\nLoss: \t {loss(i)}\nMeanLen: \t 50.0 +- 1.0"),
        11,
        {"MeanRew": rew(L), "Loss": loss(L)},
    ),
    Layout(
        "value before name",
        each(lambda i: f"step {i * 10}: {loss(i):.4f} loss, {1200 + i} tok/s, {0.5 + i / 100:.2f} mfu"),
        110,
        {"tok/s": 1200 + L},
    ),
    Layout(
        "lists",
        each(lambda i: f"[{i * 64}] losses=[{loss(i)}, {loss(i) + 1:.4f}] reward={rew(i)}"),
        704,
        {"reward": rew(L)},
    ),
    Layout("bars and summaries", each(summary), 12, {"avg_train_loss": loss(L), "avg_val_loss": V}),
    Layout("kaldi", each(kaldi), None, {}),
    Layout(
        "boxed cells",
        each(lambda i: f"| Epoch {i:3d} | Train {loss(i):.4f} | Valid {loss(i) + 0.1:.4f} | Acc {acc(i):.3f} |"),
        11,
        {"Train": loss(L), "Acc": round(acc(L), 3)},
    ),
    Layout(
        "words and numbers",
        each(lambda i: f"epoch {i}, train loss {loss(i):.4f}, train acc {acc(i):.3f}, test acc {acc(i) - 0.01:.3f}"),
        11,
        {"train loss": loss(L), "test acc": round(acc(L) - 0.01, 3)},
    ),
    Layout(
        "syslog prefix",
        each(lambda i: f"Nov 20 08:00:{i:02d} node17 trainer[4242]: [worker-0] step={i * 7} loss={loss(i)} lr=1e-4"),
        77,
        {"loss": loss(L)},
    ),
    Layout(
        "epoch and step of one",
        each(lambda i: f"Epoch [{i + 1}/12], Step [100/100], Loss: {loss(i):.4f}, Perplexity: {loss(i) * 5:5.4f}, Time: 1.2s"),
        None,
        {"Loss": loss(L), "Perplexity": round(loss(L) * 5, 4)},
    ),
]  # fmt: skip
