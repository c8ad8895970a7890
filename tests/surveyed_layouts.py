"""Small invented logs in every layout that real programs are known to print, with what a reader must find.

Each entry: id, text, last step, unit of the steps, canonical metric -> last value. No line is copied from a program's
output; the shapes follow the survey of formats (72 layouts).
"""

from __future__ import annotations

import json
from typing import NamedTuple


class Layout(NamedTuple):
    """One layout. ``steps`` is the last step of the first metric of ``last``."""

    id: str
    text: str
    step: float
    unit: str
    last: dict[str, float]
    count: int = 0


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def _box(rows: list[tuple[str, str]], width: int = 18) -> str:
    rule = "-" * (width + 17)
    return _lines(rule, *(f"| {key:<{width}} | {value:<10} |" for key, value in rows), rule)


def _bar(text: str, done: int) -> str:
    return f"{text} {done}%|" + "█" * (done // 10) + " " * (10 - done // 10) + "|"


def _sb3() -> str:
    out = "Using cuda device\nWrapping the env with a `Monitor` wrapper\n"
    for i in range(1, 5):
        rows = [("rollout/", ""), ("   ep_len_mean", f"{40 + i}"), ("   ep_rew_mean", f"{-90.5 + 10 * i:.4g}")]
        rows += [
            ("time/", ""),
            ("   fps", "810"),
            ("   iterations", str(i)),
            ("   time_elapsed", str(3 * i)),
            ("   total_timesteps", str(2048 * i)),
        ]
        if i > 1:
            rows += [
                ("train/", ""),
                ("   approx_kl", f"{0.004 * i:.4g}"),
                ("   clip_fraction", "0.12"),
                ("   entropy_loss", "-1.31"),
                ("   value_loss", f"{3.5 / i:.3g}"),
            ]
        out += _box(rows)
    return out


def _baselines() -> str:
    out = "Logging to /tmp/openai-run\n"
    for i in range(1, 4):
        out += _box(
            [
                ("EpLenMean", f"{100 + i}"),
                ("EpRewMean", f"{i * 12.5}"),
                ("EpisodesSoFar", str(30 * i)),
                ("TimestepsSoFar", str(4096 * i)),
                ("ev_tdlam_before", "0.42"),
                ("loss_kl", "0.0012"),
                ("TimeElapsed", f"{i * 8.5}"),
            ]
        )
    return out


def _sb2() -> str:
    out = ""
    for i in range(1, 4):
        rew = "nan" if i == 1 else f"{20.5 * i:.3g}"
        out += _box(
            [
                ("approxkl", "0.0021"),
                ("clipfrac", "0.08"),
                ("ep_rewmean", rew),
                ("fps", "512"),
                ("nupdates", str(i)),
                ("policy_entropy", f"{0.69 - 0.01 * i:.3g}"),
                ("policy_loss", "-0.003"),
                ("serial_timesteps", str(128 * i)),
                ("total_timesteps", str(512 * i)),
                ("value_loss", "31.2"),
            ]
        )
    return out


def _rsl() -> str:
    out = ""
    for i in range(3):
        out += _lines(
            "#" * 80,
            f"                       \x1b[1m Learning iteration {i}/1500 \x1b[0m                       ",
            "",
            f"                       Computation: {41200 + i} steps/s (collection: 0.412s, learning 0.184s)",
            f"               Value function loss: {0.5 - 0.1 * i:.4f}",
            f"                    Surrogate loss: {-0.002 * (i + 1):.4f}",
            "             Mean action noise std: 0.98",
            f"                       Mean reward: {-1.5 + i:.2f}",
            f"               Mean episode length: {20.5 + i:.2f}",
            "-" * 80,
            f"                   Total timesteps: {98304 * (i + 1)}",
            "                    Iteration time: 0.60s",
            f"                        Total time: {0.6 * (i + 1):.2f}s",
            "                               ETA: 890.1s",
            "",
        )
    return out


def _puffer() -> str:
    out = ""
    for i in range(1, 4):
        out += _lines(
            "╭────────────────────────────────────────────────────────────────────────╮",
            "│  PufferLib 2.0     CPU: 71.2%     GPU: 33.1%     DRAM: 12.5%            │",
            f"│  Agent Steps       {i}.5m                 17s         policy_loss    {-0.01 * i:.3f}   │",
            f"│  SPS               201.2k               3s         value_loss     {0.4 / i:.3f}    │",
            f"│  Epoch             {10 * i}                  1s         entropy        {1.2 - 0.1 * i:.3f}    │",
            "╰────────────────────────────────────────────────────────────────────────╯",
        )
    return out


def _keras3() -> str:
    out = ""
    for epoch in range(1, 4):
        out += f"Epoch {epoch}/5\n"
        states = []
        for i in (1, 20, 40):
            shown = "━" * (i // 2) + "━" * (20 - i // 2)
            states.append(
                f"\x1b[1m{i:2d}/40\x1b[0m \x1b[32m{shown}\x1b[0m \x1b[1m2s\x1b[0m 30ms/step - accuracy: {0.5 + 0.1 * epoch + i / 1000:.4f} - loss: {1.5 - 0.2 * epoch - i / 1000:.4f}"
            )
        erase = "\x08" * 90
        last = states[-1] + f" - val_accuracy: {0.5 + 0.09 * epoch:.4f} - val_loss: {1.6 - 0.2 * epoch:.4f}"
        out += "\r" + (erase + "\r").join([*states, last]) + "\n"
    return out


def _keras2() -> str:
    out = ""
    for epoch in range(1, 4):
        out += f"Epoch {epoch}/10\n"
        for i, bar in ((640, "[=====>........................]"), (1280, "[==============>...............]")):
            out += f"{i:5d}/2000 {bar} - ETA: 1s - loss: {2 - 0.3 * epoch + 0.01:.4f} - acc: {0.3 + 0.1 * epoch:.4f}\n"
        out += f"2000/2000 [==============================] - 3s 2ms/step - loss: {2 - 0.3 * epoch:.4f} - acc: {0.31 + 0.1 * epoch:.4f} - val_loss: {2.1 - 0.3 * epoch:.4f} - val_acc: {0.3 + 0.1 * epoch:.4f}\n"
    return out


def _lightning() -> str:
    out = ""
    for epoch in range(3):
        states = []
        for i in (1, 5, 10):
            tail = f"loss={1.0 - 0.2 * epoch - 0.01 * i:.3f}, v_num=7"
            states.append(f"{_bar(f'Epoch {epoch}:', i * 10)} {i}/10 [00:0{i // 2}<00:05,  2.10it/s, {tail}]")
            states.append(states[-1])
        out += "\r".join(states) + "\n"
    return out


def _yolo() -> str:
    out = "autoanchor: Analyzing anchors... anchors/target = 4.11\n"
    for epoch in range(3):
        out += "\n     Epoch   gpu_mem       box       obj       cls    labels  img_size\n"
        for i in (3, 7):
            row = f"     {epoch}/49     2.31G   {0.09 - 0.01 * epoch:.5f}   0.04120   0.0{epoch + 1}000        37       640:"
            out += "\r" + f"{_bar(row, i * 100 // 7)} {i}/7 [00:02<00:01,  3.1it/s]"
        out += "\n               Class     Images     Labels          P          R     mAP@.5 mAP@.5:.95\n"
        out += f"                 all         24        101      0.412      0.388      0.{351 + epoch}      0.201\n"
    return out


def _chainer() -> str:
    head = "epoch       iteration   main/loss   main/acc    validation/main/loss  elapsed_time"
    rows = []
    for i in range(1, 5):
        held = f"{90.5 - i:<20.6g}" if i % 2 == 0 else " " * 20
        rows.append(
            f"{i // 2:<10}  {i * 100:<10}  {120.5 - 10 * i:<10.6g}  {0.1 * i:<10.6g}  {held}  {i * 33.5:<10.6g}"
        )
    return "\x1b[J" + head + "\n" + "\n".join("\x1b[J" + row for row in rows) + "\n"


def _modded() -> str:
    code = _lines(
        "import torch", "class Hyperparameters:", "    num_iterations = 3175", "    cooldown_frac = 0.7", "def step(loss, lr=0.02):",
        '    print(f"step:{step}/{n} val_loss:{val_loss:.4f} train_time:{t:.0f}ms")', "=" * 60, "Running Python 3.12.7", "=" * 60,
    )  # fmt: skip
    return code + "".join(
        f"step:{s}/500 val_loss:{5.0 - s / 200:.4f} train_time:{s * 120}ms step_avg:{120.5:.2f}ms\n"
        for s in (0, 125, 250, 375, 500)
    )


def _stgcn() -> str:
    out = ""
    for epoch in range(4):
        out += _lines(
            f"[03.24.23|13:0{epoch}:00] Training epoch: {epoch}",
            f"[03.24.23|13:0{epoch}:10] \tIter 0 Done. | loss: {2.5 - 0.1 * epoch:.4f} | lr: 0.010000",
            f"[03.24.23|13:0{epoch}:20] \tmean_loss: {2.4 - 0.1 * epoch}",
            f"[03.24.23|13:0{epoch}:20] Time consumption:",
            f"[03.24.23|13:0{epoch}:21] Eval epoch: {epoch}",
            f"[03.24.23|13:0{epoch}:30] \tmean_loss: {2.6 - 0.05 * epoch}",
            f"[03.24.23|13:0{epoch}:30] \tTop1: {20 + epoch:.2f}%",
        )
    return out


def _nnunet() -> str:
    out = ""
    for epoch in range(4):
        stamp = f"2020-12-21 19:0{epoch}:28.049095:"
        out += _lines(
            f"{stamp} epoch:  {epoch}",
            f"{stamp} train loss : {-0.1 * epoch:.4f}",
            f"{stamp} validation loss: {-0.08 * epoch:.4f}",
            f"{stamp} Average global foreground Dice: [{0.5 + 0.05 * epoch:.4f}]",
            f"{stamp} lr: {0.01 - 0.001 * epoch}",
            f"{stamp} This epoch took 61.2 s",
            "",
        )
    return out


def _olmo() -> str:
    out = ""
    for step in range(10, 50, 10):
        out += _lines(
            f"2025-01-13 04:19:15.730\tnode-03:0\tolmo.train:979\tINFO\t[step={step}/500,epoch=0]",
            f"    optim/total_grad_norm=0.{300 - step}",
            f"    train/CrossEntropyLoss={4 - step / 20:.3f}",
            "    train/Perplexity=22.30",
            f"    throughput/total_tokens={step * 4_194_304:,}",
            "    throughput/device/tokens_per_second=74,685",
        )
    return out


def _caffe() -> str:
    out = ""
    for step in range(0, 100, 20):
        stamp = f"I0124 14:23:{step % 60:02d}.433430 31536"
        out += _lines(
            f"{stamp} solver.cpp:237] Iteration {step}, loss = {7 - step / 50}",
            f"{stamp} solver.cpp:253]     Train net output #0: loss = {6.9 - step / 50} (* 1 = {6.9 - step / 50} loss)",
            f"{stamp} sgd_solver.cpp:106] Iteration {step}, lr = 0.01",
        )
    return out


def _tf_agents() -> str:
    out = ""
    for step in range(1000, 5000, 1000):
        out += _lines(
            f"INFO:absl:step = {step}, loss = {9 - step / 1000}",
            "INFO:absl:88.212 steps/sec",
            f"INFO:absl: \n\t\t AverageReturn = {step / 100}\n\t\t AverageEpisodeLength = 54.5",
        )
    return out


def _deeprm() -> str:
    out = ""
    for i in range(4):
        out += _lines(
            "-----------------",
            f"Iteration: \t {i}",
            f"NumTrajs: \t {20}",
            f"Loss:     \t {0.5 - 0.1 * i}",
            f"MaxRew: \t {-200 + i}",
            f"MeanRew: \t {-257.4 + i} +- 63.2",
            f"MeanEntropy \t {2.39 - 0.01 * i:.2f}",
            "Elapsed time\t 33.1 seconds",
            "-----------------",
        )
    return out


def _alphazero() -> str:
    out = ""
    for it in range(1, 4):
        out += f"{'=' * 40}\n  Iteration {it}/9\n{'=' * 40}\n[1/2] Self-play\n"
        for game in range(1, 5):
            out += f"  game {game}/4  plies={40 + game}  winner=P{game % 2 + 1}  12.5s\n"
        out += "[2/2] Training\n"
        for epoch in (1, 2):
            out += f"    epoch {epoch}/2  loss={2 - 0.1 * it:.4f} (p={1.6 - 0.1 * it:.4f} v={0.4:.4f})  val={2.1 - 0.1 * it:.4f} (p=1.6128 v=0.2718)\n"
    return out


def _xgboost() -> str:
    return "".join(f"[{i}]\ttrain-rmse:{9 - i:.6f}\tvalidation-rmse:{9.5 - i:.6f} \n" for i in range(5))


def _trl() -> str:
    out = ""
    for i in range(1, 5):
        out += (
            "\r" + _bar("", 25 * i) + f" {i}/4 [00:0{i}<00:03,  1.00s/it]\r                                  \x1b[A\r"
        )
        out += f"{{'loss': {0.7 - 0.01 * i:.4f}, 'grad_norm': {1.5 + i}, 'learning_rate': {1e-6 * i}, 'rewards/chosen': 0.01, 'rewards/margins': {0.01 * i}, 'rewards/accuracies': {0.5 + 0.05 * i}, 'epoch': {0.25 * i}}}\n"
    return out


def _fairseq_json() -> str:
    out = "MyModel(\n  (fc1): Linear(in_features=768, out_features=3072, bias=True)\n)\n"
    for i in range(1, 5):
        inner = {
            "epoch": i,
            "update": i - 0.5,
            "loss": f"{5 - 0.5 * i}",
            "ppl": "20.1",
            "num_updates": str(200 * i),
            "lr": "0.0001",
            "gnorm": f"{1 + i}",
            "wall": str(40 * i),
        }
        held = {"epoch": i, "valid_loss": f"{5.5 - 0.5 * i}", "valid_ppl": "25.5", "valid_num_updates": str(200 * i)}
        out += f"[2022-04-08 18:4{i}:05,372][train_inner][INFO] - {json.dumps(inner)}\n"
        out += f"[2022-04-08 18:4{i}:35,372][valid][INFO] - {json.dumps(held)}\n"
    return out


def _jsonl(*records: dict[str, object]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "sb3-table",
        _sb3(),
        8192,
        "env steps",
        {"episode_return": -50.5, "episode_length": 44, "kl": 0.016, "value_loss": 0.875, "fps": 810},
    ),
    Layout(
        "sb3-progress-csv",
        _lines(
            "rollout/ep_rew_mean,time/iterations,time/total_timesteps,train/loss,train/value_loss,eval/mean_reward",
            "-90.5,1,2048,,,",
            "-80.1,2,4096,1.5,2.5,",
            ",,5000,,,-60.0",
            "-70.0,3,6144,1.1,2.1,",
        ),
        6144,
        "env steps",
        {"episode_return": -70.0, "loss": 1.1, "eval_return": -60.0},
    ),
    Layout(
        "baselines-logger",
        _baselines(),
        12288,
        "env steps",
        {"episode_return": 37.5, "episode_length": 103, "explained_variance": 0.42},
    ),
    Layout(
        "stable-baselines-2",
        _sb2(),
        1536,
        "env steps",
        {"episode_return": 61.5, "kl": 0.0021, "entropy": 0.66, "policy_loss": -0.003},
    ),
    Layout(
        "spinningup-progress",
        "Epoch\tAverageEpRet\tEpLen\tTotalEnvInteracts\tLossPi\tLossV\tEntropy\tKL\tTime\n"
        + "".join(
            f"{i}\t{i * 10.5}\t200\t{4000 * (i + 1)}\t{-0.01 * i}\t{9 - i}\t0.68\t0.002\t{i * 7.5 + 3}\n"
            for i in range(4)
        ),
        16000,
        "env steps",
        {"episode_return": 31.5, "policy_loss": -0.03, "value_loss": 6, "kl": 0.002},
    ),
    Layout(
        "rllib-result",
        "".join(
            f'{{"training_iteration": {i}, "timesteps_total": {i * 4000}, "episode_reward_mean": {"NaN" if i == 1 else i * 5.5}, "episode_len_mean": 20.5, "info": {{"learner": {{"vf_explained_var": 0.{i}}}}}, "config": {{"lr": 0.0005, "train_batch_size": 4000}}, "pid": 27075}}\n'
            for i in range(1, 5)
        ),
        16000,
        "env steps",
        {"episode_return": 22.0, "episode_length": 20.5, "explained_variance": 0.4},
    ),
    Layout(
        "cleanrl",
        "".join(
            f"global_step={s}, episodic_return={s / 100}\n" + ("SPS: 1234\n" if s % 1000 == 0 else "")
            for s in range(250, 3250, 250)
        ),
        3000,
        "env steps",
        {"episode_return": 30.0},
    ),
    Layout(
        "keras-rl-console",
        "".join(
            f" {s}/50000: episode: {s // 100}, duration: 0.930s, episode steps: 100, steps per second: 107, episode reward: {s / 50}, mean reward: 1.000 [1.000, 1.000], mean action: 0.5 [0.0, 1.0], loss: {9 - s / 100}, mae: 2.5, mean_q: {s / 20}\n"
            for s in range(100, 600, 100)
        ),
        500,
        "steps",
        {"loss": 4.0, "q_value": 25.0},
    ),
    Layout(
        "chainerrl-scores",
        "steps\tepisodes\telapsed\tmean\tmedian\tstdev\tmax\tmin\taverage_q\taverage_loss\n"
        + "".join(
            f"{i * 10000}\t{i * 50}\t{i * 38.7}\t{-1500.5 + i * 100}\t-1500\t100.5\t-1200\t-1700\t{i * 1.5}\t{3.5 - i}\n"
            for i in range(1, 4)
        ),
        30000,
        "steps",
        {"loss": 0.5, "q_value": 4.5},
    ),
    Layout(
        "impala-learner",
        "".join(
            f"2024-11-28 21:11:{i:02d},406 Learner INFO value loss: {29.1 - i}, policy gradient loss: {8.5 - i}, entropy: -0.70\r\n"
            for i in range(6)
        ),
        6,
        "lines",
        {"value_loss": 24.1, "policy_loss": 3.5, "entropy": -0.7},
    ),
    Layout(
        "dreamer-metrics",
        _jsonl(*({"step": 50 * i, "train/return": -48.0 + i, "train/length": 50, "episodes": i} for i in range(1, 6))),
        250,
        "steps",
        {"episode_return": -43.0, "episode_length": 50},
    ),
    Layout(
        "rad-eval",
        _jsonl(
            *(
                {"episode": 10.0 * i, "episode_reward": 60.5 * i, "mean_episode_reward": 55.5 * i, "step": 2500 * i}
                for i in range(1, 5)
            )
        ),
        10000,
        "steps",
        {"episode_return": 242.0},
    ),
    Layout(
        "tianshou",
        "".join(
            _bar(f"Epoch #{e}:", 100)
            + f" 1000/1000 [00:02<00:00, 390.31it/s, env_step={e * 1000}, len=120, loss={0.5 - 0.1 * e:.3f}, n/ep=4, n/st=10, rew={100.0 + e}]\nEpoch #{e}: test_reward: {150.0 + e:.6f} ± 3.500000, best_reward: {150.0 + e:.6f} ± 3.500000 in #{e}\n"
            for e in range(1, 4)
        ),
        3000,
        "env steps",
        {"loss": 0.2, "eval_return": 153.0},
    ),
    Layout(
        "rl-games",
        "".join(
            f"fps step: {112918 + e} fps step and policy inference: 104337 fps total: {78179 + e} epoch: {e}/150 frames: {e * 65536}\n"
            for e in range(0, 5)
        ),
        262144,
        "frames",
        {"fps": 78183},
    ),
    Layout(
        "rsl-rl",
        _rsl(),
        294912,
        "env steps",
        {"episode_return": 0.5, "episode_length": 22.5, "value_loss": 0.3, "policy_loss": -0.006, "action_std": 0.98},
    ),
    Layout(
        "mlagents",
        "".join(
            f"INFO:mlagents.trainers: run-a: 3DBall: Step: {s}. Time Elapsed: {s / 300:.3f} s Mean Reward: {s / 5000:.3f}. Std of Reward: 0.490. Training.\n"
            for s in range(5000, 30000, 5000)
        ),
        25000,
        "steps",
        {"episode_return": 5.0, "return_std": 0.49},
    ),
    Layout("pufferlib", _puffer(), 3500000, "env steps", {"policy_loss": -0.03, "value_loss": 0.133, "entropy": 0.9}),
    Layout("tf-agents", _tf_agents(), 4000, "steps", {"loss": 5.0, "episode_return": 40.0, "episode_length": 54.5}),
    Layout("deeprm", _deeprm(), 3, "iterations", {"loss": 0.2, "episode_return": -254.4, "entropy": 2.36}),
    Layout(
        "muzero-prose",
        "".join(
            f"Iteration: {i}    Total reward: {10.0 * i}      Time elapsed: {0.3 * i:.3f} minutes\n"
            for i in range(1, 5)
        ),
        4,
        "iterations",
        {"episode_return": 40.0},
    ),
    Layout(
        "alphazero", _alphazero(), 6, "epochs", {"loss": 1.7, "policy_loss": 1.3, "value_loss": 0.4, "val_loss": 1.8}
    ),
    Layout(
        "lczero",
        "".join(
            f"step {s}, policy={6.1 - s / 1000} mse=0.174783 reg=0.373261 total={7.2 - s / 1000} (4083.19 pos/s)\n"
            for s in range(100, 600, 100)
        ),
        500,
        "steps",
        {"loss": 6.7, "samples_per_second": 4083.19},
    ),
    Layout(
        "verl",
        "".join(
            f"\x1b[36m(main_task pid=64899)\x1b[0m step:{s} - timing/gen:45.812 - critic/kl:0.108 - actor/pg_loss:-0.0{s % 10} - actor/grad_norm:1.{s} - critic/rewards/mean:0.{s} - response_length/mean:np.float64(201.5)\n"
            for s in range(81, 86)
        ),
        85,
        "steps",
        {"policy_loss": -0.05, "actor_grad_norm": 1.85},
    ),
    Layout("trl-dpo", _trl(), 1.0, "epochs", {"loss": 0.66, "grad_norm": 5.5, "reward_margin": 0.04, "accuracy": 0.7}),
    Layout(
        "hf-trainer",
        _lines(
            "{'loss': 0.9, 'grad_norm': 1.1, 'learning_rate': 1e-05, 'epoch': 0.5}",
            "{'loss': 0.7, 'grad_norm': 0.9, 'learning_rate': 5e-06, 'epoch': 1.0}",
            "{'eval_loss': 0.8, 'eval_accuracy': 0.6, 'eval_runtime': 3.5, 'epoch': 1.0}",
            "{'loss': 0.6, 'grad_norm': nan, 'learning_rate': 2e-06, 'epoch': 1.5}",
            "{'loss': '0.5', 'grad_norm': '0.7', 'learning_rate': '0', 'epoch': '2.0'}",
            "{'eval_loss': 0.75, 'eval_accuracy': 0.65, 'eval_runtime': 3.5, 'epoch': 2.0}",
            "{'train_runtime': 273.0, 'train_samples_per_second': 3.6, 'train_loss': 0.675, 'epoch': 2.0}",
        ),
        2.0,
        "epochs",
        {"loss": 0.5, "grad_norm": 0.7, "val_loss": 0.75, "val_accuracy": 0.65},
    ),
    Layout(
        "llamafactory",
        _jsonl(
            *(
                {
                    "current_steps": 10 * i,
                    "total_steps": 600,
                    "loss": 0.9 - 0.1 * i,
                    "lr": 1e-5,
                    "epoch": 0.05 * i,
                    "percentage": 1.6 * i,
                    "elapsed_time": f"0:0{i}:05",
                    "remaining_time": "1 day, 0:34:08",
                }
                for i in range(1, 5)
            )
        ),
        40,
        "steps",
        {"loss": 0.5},
    ),
    Layout(
        "nanogpt",
        _lines(
            "number of parameters: 10.65M",
            "step 0: train loss 10.9, val loss 10.8",
            "iter 0: loss 10.9, time 33043.09ms, mfu -100.00%",
            "iter 10: loss 8.0, time 91.1ms, mfu 3.20%",
            "iter 20: loss 7.5, time 90.1ms, mfu 3.21%",
            "step 30: train loss 7.0, val loss 7.2",
            "iter 30: loss 7.1, time 92.2ms, mfu 3.22%",
        ),
        30,
        "iterations",
        {"loss": 7.1, "val_loss": 7.2, "train_loss": 7.0, "step_time": 92.2, "mfu": 3.22},
    ),
    Layout(
        "llm.c",
        _lines(
            "+-----------------------+------------------------+",
            "| learning rate (LR)    | 6.0e-04                |",
            "| max_steps             | 19560                  |",
            "+-----------------------+------------------------+",
        )
        + "".join(
            f"step {s:4d}/19560 | loss {9 - s / 10:.6f} (+1.2{s}z)| norm 1.5{s} (-0.31z)| lr 2.81e-04 | 3604.30 ms | 37.5% bf16 MFU | 145654 tok/s\n"
            for s in range(1, 6)
        ),
        5,
        "steps",
        {
            "loss": 8.5,
            "grad_norm": 1.55,
            "learning_rate": 2.81e-4,
            "step_time": 3604.3,
            "mfu": 37.5,
            "tokens_per_second": 145654,
        },
    ),
    Layout(
        "nanochat",
        "".join(
            f"step {s:05d} ({s / 10:.2f}%) | loss: {'nan' if s > 3 else 5.5 - s:} | lrm: 1.00 | dt: 5.08ms | tok/sec: 25,212 | mfu: 0.00 | epoch: 1 | total time: 0.0{s}m\n"
            for s in range(1, 6)
        ),
        5,
        "steps",
        {"loss": float("nan"), "tokens_per_second": 25212, "step_time": 5.08},
    ),
    Layout("modded-nanogpt", _modded(), 500, "steps", {"val_loss": 2.5, "step_time": 120.5}),
    Layout(
        "megatron",
        "".join(
            f" iteration {s:8d}/    1000 | consumed samples: {s * 1024:12d} | elapsed time per iteration (ms): 1365.1 | learning rate: 1.875E-05 | global batch size:  1024 | lm loss: {12 - s}.244238E+00 | loss scale: 65536.0 | grad norm: 2.5{s}0 | number of skipped iterations:   0 | number of nan iterations:   0 |\n"
            for s in range(1, 6)
        ),
        5,
        "iterations",
        {"loss": 7.244238, "loss_scale": 65536, "grad_norm": 2.55, "skipped": 0, "nan_iterations": 0},
    ),
    Layout(
        "deepspeed",
        "".join(
            f"[2021-05-26 04:38:2{s},031] [INFO] [logging.py:60:log_dist] [Rank 0] step={s * 10}, skipped={s}, lr=[{5e-5 * s}], mom=[[0.9, 0.999]]\n"
            for s in range(1, 5)
        ),
        40,
        "steps",
        {"learning_rate": 2e-4, "skipped": 4},
    ),
    Layout(
        "torchtitan",
        "".join(
            f"[rank0]:[titan] 2026-05-18 16:04:4{s},338 - root - INFO - \x1b[31mstep: {s:2d}  \x1b[32mloss: {8 - s:7.4f}  \x1b[34mgrad_norm: {0.8:7.4f}  \x1b[33mmemory:  9.46GiB(64.99%)  \x1b[34mtps: 7,282  \x1b[36mtflops: 0.52  \x1b[35mmfu: 0.17%\x1b[39m\n"
            for s in range(1, 6)
        ),
        5,
        "steps",
        {"loss": 3.0, "grad_norm": 0.8, "tokens_per_second": 7282, "mfu": 0.17},
    ),
    Layout(
        "olmo", _olmo(), 40, "steps", {"loss": 2.0, "grad_norm": 0.26, "perplexity": 22.3, "tokens_per_second": 74685}
    ),
    Layout(
        "maxtext",
        "".join(
            f"I0811 21:54:4{s}.944 1383 metric_logger.py:226] completed step: {s}, seconds: 0.631, TFLOP/s/device: 56.282, Tokens/s/device: 3116.521, total_weights: 1572864, loss: {12 - s}.979\n"
            for s in range(1, 6)
        ),
        5,
        "steps",
        {"loss": 7.979, "tokens_per_second": 3116.521},
    ),
    Layout(
        "nemo",
        "".join(
            f"Training epoch 0, iteration {s}/149 | lr: 3e-05 | global_batch_size: 8 | global_step: {s} | reduced_train_loss: {1.8 - s / 100} | train_step_timing in s: 0.51"
            + (f" | val_loss: {4.2 - s / 100}" if s > 20 else "")
            + "\n"
            for s in range(10, 60, 10)
        ),
        50,
        "steps",
        {"loss": 1.3, "val_loss": 3.7},
    ),
    Layout(
        "fairseq-json",
        _fairseq_json(),
        800,
        "updates",
        {"loss": 3.0, "val_loss": 3.5, "grad_norm": 5.0, "perplexity": 20.1},
    ),
    Layout(
        "fairseq-simple",
        "".join(
            f"| epoch {e:03d} | loss {8 - e} | nll_loss {7 - e} | ppl 45.5 | wps 32000 | ups 2.5 | gnorm 1.{e} | lr 0.000{e} | num_updates {e * 500}\n"
            for e in range(1, 5)
        ),
        2000,
        "updates",
        {"loss": 4.0, "perplexity": 45.5, "grad_norm": 1.4, "tokens_per_second": 32000},
    ),
    Layout(
        "word-language-model",
        "".join(
            f"| epoch   {e} | {b:5d}/ 1000 batches | lr 20.0000 | ms/batch  7.65 | loss {9 - e - b / 1000:5.2f} | ppl   {200 - e:8.2f}\n"
            for e in (1, 2, 3)
            for b in (200, 400, 600, 800)
        )
        + "-" * 80
        + "\n| end of epoch   3 | time: 12.3s | valid loss  5.90 | valid ppl   365.04\n"
        + "-" * 80
        + "\n",
        2800,
        "batches",
        {"loss": 5.2, "perplexity": 197.0, "learning_rate": 20.0, "step_time": 7.65},
    ),
    Layout(
        "marian",
        "".join(
            f"[2018-12-01 22:45:4{s}] Ep. 1 : Up. {s * 500} : Sen. {s * 32:,}000 : Cost {60.5 - s} : Time {33.5}s : 4512.10 words/s\n"
            for s in range(1, 6)
        ),
        2500,
        "updates",
        {"loss": 55.5, "tokens_per_second": 4512.1},
    ),
    Layout(
        "espnet2",
        "".join(
            f"[gpu01:0/2] 2020-07-19 08:49:0{e},080 (trainer:464) INFO: {e}epoch:train:{a}-{a + 99}batch: iter_time=2.878e-04, loss={130.5 - 10 * e}, loss_att=77.448, acc=0.{e}13, lr_0=3.460e-06\n"
            for e in (1, 2, 3)
            for a in (1, 101)
        ),
        600,
        "batches",
        {"loss": 100.5, "accuracy": 0.313},
    ),
    Layout("chainer-report", _chainer(), 400, "iterations", {"loss": 80.5, "val_loss": 86.5, "accuracy": 0.4}),
    Layout(
        "tf-estimator",
        "".join(
            f"INFO:tensorflow:global_step/sec: 0.69{s}\nINFO:tensorflow:loss = {0.9 - s / 10:.3f}, step = {s * 100} (144.211 sec)\n"
            for s in range(1, 6)
        ),
        500,
        "steps",
        {"loss": 0.4, "steps_per_second": 0.695},
    ),
    Layout(
        "keras2-bar", _keras2(), 3, "epochs", {"loss": 1.1, "accuracy": 0.61, "val_loss": 1.2, "val_accuracy": 0.6}, 3
    ),
    Layout(
        "keras3-bar", _keras3(), 3, "epochs", {"loss": 0.86, "accuracy": 0.84, "val_loss": 1.0, "val_accuracy": 0.77}, 3
    ),
    Layout(
        "keras-verbose-2",
        "".join(
            f"Epoch {e}/5\n1875/1875 - 3s - loss: {0.9 - 0.1 * e:.4f} - accuracy: 0.8{e} - val_loss: {0.95 - 0.1 * e:.4f} - val_accuracy: 0.7{e} - 3s/epoch - 2ms/step\n"
            for e in range(1, 5)
        ),
        4,
        "epochs",
        {"loss": 0.5, "accuracy": 0.84, "val_loss": 0.55, "val_accuracy": 0.74},
        4,
    ),
    Layout(
        "keras-csvlogger",
        "epoch,accuracy,loss,val_accuracy,val_loss\n"
        + "".join(f"{e},0.{50 + e},{1.5 - 0.1 * e},0.{40 + e},{1.7 - 0.1 * e}\n" for e in range(5)),
        4,
        "epochs",
        {"loss": 1.1, "val_loss": 1.3, "accuracy": 0.54, "val_accuracy": 0.44},
    ),
    Layout("lightning-bar", _lightning(), 30, "iterations", {"loss": 0.5}),
    Layout(
        "lightning-csv",
        _lines(
            "epoch,step,train_loss_step,train_loss_epoch,val_loss",
            "0,49,0.9,,",
            "0,62,,0.95,1.1",
            "1,99,0.7,,",
            "1,125,,0.75,0.9",
            "2,149,0.6,,",
            "2,188,,0.62,0.8",
        ),
        188,
        "steps",
        {"val_loss": 0.8},
    ),
    Layout(
        "torch-imagenet",
        "".join(
            f"Epoch: [{e}][{b:4d}/100]\tTime  8.923 ( 2.125)\tData  0.5 ( 0.4)\tLoss {6 - e:.4e} ({6.5 - e:.4e})\tAcc@1  {e * 10:5.2f} (  {e * 9:4.2f})\tAcc@5  30.00 ( 29.00)\n"
            for e in (0, 1, 2)
            for b in (0, 50, 99)
        )
        + "Test: [ 0/20]\tTime  0.9 ( 0.9)\tLoss 5.1e+00 (5.2e+00)\tAcc@1  22.00 ( 21.00)\n * Acc@1 21.500 Acc@5 41.100\n",
        299,
        "batches",
        {"loss": 4.0, "loss_avg": 4.5, "accuracy": 20.0, "accuracy_avg": 18.0, "step_time": 8.923, "data_time": 0.5},
    ),
    Layout(
        "metric-logger",
        "".join(
            f"Epoch: [{e}]  [{b}/6]  eta: 0:00:25  lr: 0.001004  loss: {8.2 - e:.4f} ({8.5 - e:.4f})  class_error: 50.00 (55.00)  time: 4.1973  data: 1.1  max mem: 2547\n"
            for e in (0, 1, 2)
            for b in (0, 3, 5)
        ),
        17,
        "batches",
        {"loss": 6.2, "loss_avg": 6.5, "learning_rate": 0.001004, "memory": 2547},
    ),
    Layout(
        "deit-log-txt",
        _jsonl(
            *(
                {
                    "train_lr": 1e-4,
                    "train_loss": 3.5 - 0.1 * e,
                    "test_loss": 2.5 - 0.1 * e,
                    "test_acc1": 70.5 + e,
                    "epoch": e,
                    "n_parameters": 11590840,
                }
                for e in range(5)
            )
        ),
        4,
        "epochs",
        {"loss": 3.1, "val_loss": 2.1, "val_accuracy": 74.5, "learning_rate": 1e-4},
    ),
    Layout(
        "timm",
        "".join(
            f"Train: {e} [{b:4d}/100 ({b:3d}%)]  Loss: {5.5 - e:.3f} ({5.9 - e:.2f})  Time: 0.4s, 200.11/s  (0.5s, 190.20/s)  LR: 1.351e-04  Data: 0.01 (0.02)\n"
            for e in (0, 1, 2)
            for b in (0, 50, 99)
        ),
        299,
        "batches",
        {"loss": 3.5, "loss_avg": 3.9, "learning_rate": 1.351e-4},
    ),
    Layout(
        "json-stats",
        "".join(
            'json_stats: {"batchSize":128,"momentum":0.9,"nesterov":true,"train_loss":'
            + f'{1.5 - 0.1 * e},"epoch":{e},"lr":0.1,"test_acc":{58.5 + e}'
            + ',"model":"wide"}\n'
            for e in range(1, 5)
        ),
        4,
        "epochs",
        {"loss": 1.1, "val_accuracy": 62.5},
    ),
    Layout(
        "mmcv-json",
        _jsonl(
            {"env_info": "sys.platform: linux", "seed": 3},
            *(
                {"mode": m, "epoch": e, "iter": i, "lr": 1e-4, "loss": 2.0 - 0.1 * e - 0.01 * i}
                if m == "train"
                else {"mode": "val", "epoch": e, "iter": 20, "lr": 1e-4, "AP": 0.1 * e}
                for e in (1, 2, 3)
                for m, i in (("train", 10), ("train", 20), ("val", 20))
            ),
        ),
        60,
        "iterations",
        {"loss": 1.5, "val_quality": 0.3},
    ),
    Layout(
        "mmcv-text",
        "".join(
            f"2021-03-02 10:22:1{e},417 - mmdet - INFO - Epoch [{e}][{i}/100]\tlr: 1.978e-03, eta: 3:15:37, time: 0.272, data_time: 0.051, memory: 1824, loss_cls: 0.5, loss: {3.0 - 0.5 * e - i / 1000:.4f}\n"
            for e in (1, 2, 3)
            for i in (50, 100)
        ),
        300,
        "batches",
        {"loss": 1.4, "learning_rate": 1.978e-3, "step_time": 0.272},
    ),
    Layout(
        "detectron2",
        "".join(
            f"[11/18 18:14:{i:02d}] d2.utils.events INFO:  eta: 21:04:05  iter: {i}  total_loss: {0.9 - i / 100:.4f}  loss_cls: 0.05403  time: 0.6813  last_time: 0.7  data_time: 0.0654  lr: 0.00{i}  max_mem: 11811M\n"
            for i in (19, 39, 59)
        ),
        59,
        "iterations",
        {"loss": 0.31, "step_time": 0.6813, "memory": 11811, "learning_rate": 0.0059},
    ),
    Layout("yolo", _yolo(), 2, "epochs", {"box": 0.07, "cls": 0.03}),
    Layout(
        "darknet",
        "".join(
            f" {i}: {5.5 - i / 1000:.6f}, {6.5 - i / 1000:.6f} avg loss, 0.001000 rate, 2.113000 seconds, {i * 64} images, 10.5 hours left\n"
            for i in range(1000, 1005)
        ),
        1004,
        "iterations",
        {"loss": 5.496, "learning_rate": 0.001},
    ),
    Layout("caffe", _caffe(), 80, "iterations", {"loss": 5.4, "train_loss": 5.3, "learning_rate": 0.01}),
    Layout(
        "gluoncv",
        "".join(
            "".join(
                f"Epoch[{e}] Batch [{b}]\tSpeed: 5416.09 samples/sec\taccuracy={0.3 + 0.1 * e + b / 10000:.6f}\tlr=0.0095\n"
                for b in (49, 99, 149)
            )
            + f"[Epoch {e}] training: accuracy=0.{4 + e}\n[Epoch {e}] validation: err-top1=0.{6 - e}5 err-top5=0.3{e}\n"
            for e in range(3)
        ),
        449,
        "batches",
        {"accuracy": 0.5149, "samples_per_second": 5416.09, "val_error": 0.45, "learning_rate": 0.0095},
    ),
    Layout(
        "pix2pix",
        "================ Training Loss (Fri Mar 24 12:11:10 2023) ================\n"
        + "".join(
            f"(epoch: {e}, iters: {i}, time: 0.092, data: 0.154) D_A: 0.{500 - e} G_A: 0.182 cycle_A: 1.{i} idt_A: 0.142 \n"
            for e in (1, 2, 3)
            for i in (100, 200)
        ),
        600,
        "iterations",
        {"d_a": 0.497, "cycle_a": 1.2, "data_time": 0.154},
    ),
    Layout(
        "basicsr",
        "".join(
            f"23-05-05 21:2{s}:52.413 - INFO: [epoch:  0, iter:{s * 1000:8,d}, lr:(2.000e-04,)] l_pix: {3.5 - s}e-02 \n"
            for s in range(1, 4)
        ),
        3000,
        "iterations",
        {"loss": 0.005, "learning_rate": 2e-4},
    ),
    Layout(
        "stylegan",
        "".join(
            f"tick {t:<5d} kimg {4.0 * t:<8.1f} time {t}m 25s      sec/tick 291.6   sec/kimg 72.91   maintenance 0.1    cpumem 5.21   gpumem 4.26   augment 0.0{t}\n"
            for t in range(5)
        ),
        16,
        "images x 1000",
        {"augment": 0.04},
    ),
    Layout("stgcn", _stgcn(), 3, "epochs", {"loss": 2.2, "val_loss": 2.45, "val_accuracy": 23.0}),
    Layout("nnunet", _nnunet(), 3, "epochs", {"loss": -0.3, "val_loss": -0.24, "learning_rate": 0.007}),
    Layout("xgboost", _xgboost(), 4, "rounds", {"error": 5.0, "val_error": 5.5}),
    Layout(
        "lightgbm",
        "".join(f"[{i}]\ttraining's auc: 0.8{i}\tvalid_0's auc: 0.7{i}\n" for i in range(1, 6)),
        5,
        "rounds",
        {"val_quality": 0.75},
    ),
    Layout(
        "lightgbm-cli",
        "".join(
            f"[LightGBM] [Info] Iteration:{i}, training auc : 0.8{i}\n[LightGBM] [Info] Iteration:{i}, valid_1 auc : 0.7{i}\n"
            for i in range(1, 6)
        ),
        5,
        "iterations",
        {"val_quality": 0.75},
    ),
    Layout(
        "catboost",
        "".join(
            f"{i}:\tlearn: 0.{700 - i}\ttest: 0.{720 - i}\tbest: 0.{720 - i} ({i})\ttotal: {i * 50}ms\tremaining: 5s\n"
            for i in range(0, 50, 10)
        ),
        40,
        "iterations",
        {"loss": 0.66, "val_loss": 0.68},
    ),
    Layout(
        "deepmd",
        "#  step      rmse_val    rmse_trn    rmse_e_val  rmse_e_trn         lr\n"
        + "".join(
            f"{s:7d}      {3.5 - s / 1000:.2e}    {3.4 - s / 1000:.2e}      2.73e-02    2.71e-02    1.0e-03\n"
            for s in range(0, 500, 100)
        ),
        400,
        "steps",
        {"error": 3.0, "val_error": 3.1, "learning_rate": 1e-3},
    ),
    Layout(
        "monocon",
        "".join(
            f"{'=' * 30}\nEpoch  {e} / 200\n{'=' * 30}\n| Progress [##        ][{p}.64%] | LR 0.000377 | Loss   {9.7 - e:.4f} (  {9.9 - e:.4f}) |\n"
            for e in (1, 2, 3)
            for p in (11,)
        ),
        3,
        "epochs",
        {"loss": 6.7, "loss_avg": 6.9, "learning_rate": 0.000377},
    ),
)
