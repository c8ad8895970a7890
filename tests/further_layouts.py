"""More layouts that are in no list of ours: robotics, language, speech, vision, graphs, tables, other languages.

As in ``unlisted_layouts``: every line is made here from a curve, none is copied from a log.
"""

from __future__ import annotations

from tests.unlisted_layouts import L, Layout, N, acc, each, loss, rew

T = round(loss(L), 4)
A = acc(L)
R = rew(L)


def val(i: int) -> float:
    """A held-out curve above the other."""
    return round(loss(i) + 0.1, 4)


VL = val(L)


def tasks(i: int) -> str:
    head = f"[INFO 10:00:{i:02d}] my_main Recent Stats | t_env: {i * 5000 + 500:10d} | Episode: {i * 50:8d}\n"
    pairs = {
        "battle_won_mean": acc(i),
        "ep_length_mean": 30.5 + i,
        "epsilon": 1 - i / 20,
        "grad_norm": 1.5,
        "loss_td": loss(i),
    }
    return (
        head
        + "".join(
            f"{key + ':':<25}{value:8.4f}" + ("\n" if n % 4 == 3 else "\t")
            for n, (key, value) in enumerate(pairs.items())
        )
        + "\n"
    )


def updates(i: int) -> str:
    head = f"\n Scenario spread Algo rmappo Exp check updates {i * 5}/125 episodes, total num timesteps {(i + 1) * 16000}/2000000, FPS {900 + i}.\n"
    return f"{head}\naverage episode rewards is {rew(i)}"


def alphazero(i: int) -> str:
    bars = "\r".join(
        f"Training Net |{'#' * k:<4}| ({k}/4) Data: 0.001s | Batch: 0.052s | Total: 0:00:0{k} | ETA: 0:00:01 | Loss_pi: {loss(i):.4f} | Loss_v: {acc(i):.3f}"
        for k in range(1, 5)
    )
    return f"------ITER {i + 1}------\n{bars}"


def rlkit(i: int) -> str:
    rows = {
        "replay_buffer/size": 1000 * (i + 1),
        "trainer/QF1 Loss": loss(i),
        "evaluation/Average Returns": rew(i),
        "Epoch": i,
    }
    rule = f"{'-' * 30}  {'-' * 16}"
    return f"{rule}\n" + "".join(f"{key:<30}  {value:>16}\n" for key, value in rows.items()) + rule


def nemo_rl(i: int) -> str:
    return (
        f"\n{'=' * 25} Step {i + 1}/12 {'=' * 25}\n▶ Preparing batch...\n▶ Generating responses for batch of size 64...\n\n📊 Training Results:\n"
        f"  • Loss: {loss(i)}\n  • Avg Reward: {acc(i)}\n  • Mean Generation Length: {200 + i}.5000\n\n⏱️  Timing:\n  • Total step time: 30.25s\n  • policy_training: 10.50s (34.7%)"
    )


def matlab() -> str:
    rule = f"|{'=' * 72}|\n"
    head = "|  Epoch  |  Iteration  |  Time Elapsed  |  Mini-batch  |  Mini-batch  |\n|         |             |   (hh:mm:ss)   |   Accuracy   |     Loss     |\n"
    return each(
        lambda i: f"| {i // 4 + 1:7d} | {i * 50:11d} |       00:00:{i:02d} | {acc(i) * 100:11.2f}% | {loss(i):12.4f} |",
        rule + head + rule,
        rule,
    )


def vowpal() -> str:
    head = "average  since         example        example  current  current  current\nloss     last          counter         weight    label  predict features\n"
    return each(
        lambda i: f"{loss(i):.6f} {loss(i) + 1:.6f} {2**i:12d} {2.0**i:12.1f}   1.0000   0.0000       {5 + i % 3}", head
    )


def coqui(i: int) -> str:
    step = "".join(
        f"\n   --> STEP: {k}/20 -- GLOBAL_STEP: {i * 20 + k}\n     | > loss: {loss(i)}  ({val(i)})\n     | > grad_norm: 1.{i:02d}  (1.5)\n     | > current_lr: 0.0001 \n"
        for k in (5, 15)
    )
    return f"\n\x1b[4m\x1b[1m > EPOCH: {i}/1000\x1b[0m\n --> /data/run-{i}\n{step}\n  --> EVAL PERFORMANCE\n     | > avg_loader_time: 0.012 (+0.001)\n     | > avg_loss: {val(i)} (-0.021)\n"


def informer(i: int) -> str:
    return (
        f"\titers: 100, epoch: {i + 1} | loss: {loss(i) + 1:.7f}\n\tspeed: 0.0312s/iter; left time: 100.1s\n"
        f"\titers: 200, epoch: {i + 1} | loss: {loss(i):.7f}\n\tspeed: 0.0310s/iter; left time: 97.2s\n"
        f"Epoch: {i + 1} cost time: 7.25\nEpoch: {i + 1}, Steps: 265 | Train Loss: {loss(i):.7f} Vali Loss: {val(i):.7f} Test Loss: {acc(i):.7f}\n"
        f"Validation loss decreased (0.9 --> 0.8).  Saving model ...\nUpdating learning rate to {1e-4 / 2**i}"
    )


def icefall(i: int) -> str:
    head = f"2023-05-01 10:00:{i:02d},123 INFO [train.py:898] (0/4) Epoch {i // 6 + 1}, batch {(i % 6) * 50}, "
    return (
        f"{head}loss[loss={loss(i)}, simple_loss={val(i)}, over 5120.00 frames. ], tot_loss[loss={loss(i) + 1:.4f}, simple_loss={val(i) + 1:.4f}, over 120000.50 frames. ], "
        f"batch size: {40 + i}, lr: 3.00e-03, grad_scale: 1.0"
    )


def jwyang(i: int) -> str:
    return (
        f"[session 1][epoch  {i // 6 + 1}][iter {(i % 6) * 100:4d}/ 600] loss: {loss(i):.4f}, lr: 1.00e-03\n\t\t\tfg/bg=(20/236), time cost: 30.123\n"
        f"\t\t\trpn_cls: {val(i):.4f}, rpn_box: {acc(i):.4f}, rcnn_cls: 0.3, rcnn_box 0.1"
    )


def tf_detect(i: int) -> str:
    return (
        f"INFO:tensorflow:Step {(i + 1) * 100} per-step time 0.512s\nI1120 10:00:{i:02d}.123456 139 model_lib_v2.py:698] Step {(i + 1) * 100} per-step time 0.512s\n"
        f"INFO:tensorflow:{{'Loss/classification_loss': {loss(i)},\n 'Loss/localization_loss': {acc(i)},\n 'Loss/total_loss': {val(i)},\n 'learning_rate': 0.0{i:02d}}}"
    )


def rllib(i: int) -> str:
    return (
        f"Result for PPO_Env_abcde_00000:\n  agent_timesteps_total: {(i + 1) * 4000}\n  custom_metrics: {{}}\n  date: 2022-04-22_01-30-0{i % 10}\n  done: false\n  episode_len_mean: {20.5 + i}\n"
        f"  episode_reward_mean: {rew(i)}\n  experiment_id: 0c9e5ab1\n  info:\n    learner:\n      default_policy:\n        learner_stats:\n          entropy: {loss(i)}\n          vf_loss: {val(i)}\n"
        f"    num_steps_trained: {(i + 1) * 4000}\n  iterations_since_restore: {i + 1}\n  node_ip: 10.0.0.1\n  pid: 61260\n  time_this_iter_s: 3.5\n  timesteps_total: {(i + 1) * 4000}\n  training_iteration: {i + 1}\n"
    )


def robomimic(i: int) -> str:
    return f'Train Epoch {i + 1}\n{{\n    "Loss": {loss(i)},\n    "Optimizer/policy_lr": 0.0001,\n    "Time_Train_Batch": 0.01\n}}\nValidation Epoch {i + 1}\n{{\n    "Loss": {val(i)}\n}}\n'


def yolo3(i: int) -> str:
    rule = "+------------+--------------+--------------+\n"
    rows = "".join(
        f"| {key:<10} | {a:<12} | {b:<12} |\n" for key, a, b in (("loss", loss(i), val(i)), ("conf", acc(i), 0.5))
    )
    return f"\n---- [Epoch {i // 6}/2, Batch {i % 6}/6] ----\n{rule}| Metrics    | YOLO Layer 0 | YOLO Layer 1 |\n{rule}{rows}{rule}Total loss {loss(i) + val(i):.4f}\n---- ETA 0:10:00"


def neat(i: int) -> str:
    return (
        f"\n ****** Running generation {i} ****** \n\nPopulation's average fitness: {rew(i):.5f} stdev: {acc(i):.5f}\nBest fitness: {rew(i) + 5:.5f} - size: (4, 7) - species 1 - id {30 + i}\n"
        f"Average adjusted fitness: 0.512\nMean genetic distance 1.234, standard deviation 0.321\nPopulation of 150 members in 2 species:\n   ID   age  size  fitness  adj fit  stag\n  ====  ===  ====  =======  =======  ====\n     1    {i}    75      9.3    0.512     0\n     2    {i}    75      8.1    0.411     0\nTotal extinctions: 0\nGeneration time: 1.234 sec"
    )


def recbole(i: int) -> str:
    head = f"20 Nov 10:0{i % 10}    INFO  "
    return f"{head}epoch {i} training [time: 5.12s, train loss: {loss(i)}]\n{head}epoch {i} evaluating [time: 0.51s, valid_score: {acc(i):.6f}]\n{head}valid result: \nrecall@10 : {acc(i):.4f}    mrr@10 : {acc(i) / 2:.4f}    ndcg@10 : {acc(i) / 4:.4f}"


def tflearn(i: int) -> str:
    return f"Training Step: {(i + 1) * 10}  | total loss: \x1b[1m\x1b[32m{loss(i):.5f}\x1b[0m\x1b[0m | time: 0.051s\n| Adam | epoch: 001 | loss: {loss(i):.5f} - acc: {acc(i):.4f} -- iter: {(i + 1) * 64:04d}/1000"


def flair(i: int) -> str:
    head = f"2021-01-01 10:00:{i:02d},123 "
    its = "".join(
        f"{head}epoch {i + 1} - iter {k}/20 - loss {val(i):.8f} - samples/sec: 31.20 - lr: 0.100000\n" for k in (10, 20)
    )
    return f"{its}{head}{'-' * 100}\n{head}EPOCH {i + 1} done: loss {loss(i):.4f} - lr 0.1000000\n{head}DEV : loss {acc(i):.4f} - score {acc(i) * 100:.2f}\n{head}BAD EPOCHS (no improvement): 0"


def julia(i: int) -> str:
    return f"┌ Info: after step\n│   epoch = {i + 1}\n│   train_loss = {loss(i)}\n│   test_acc = {acc(i)}\n└ @ Main train.jl:{120}"


def catalyst(i: int) -> str:
    return f"train ({i + 1}/12) accuracy01: {acc(i)} | loss: {loss(i)} | lr: 0.001\nvalid ({i + 1}/12) accuracy01: {acc(i) / 2:.4f} | loss: {val(i)} | lr: 0.001\n* Epoch ({i + 1}/12)"


def transfer(i: int) -> str:
    return f"Epoch {i}/11\n----------\ntrain Loss: {loss(i):.4f} Acc: {acc(i):.4f}\nval Loss: {val(i):.4f} Acc: {acc(i) / 2:.4f}\n"


def cifar(i: int) -> str:
    bars = "\r".join(
        f" [{'=' * k:.<5}]  Step: 51ms | Tot: 1s{k}ms | Loss: {loss(i):.3f} | Acc: {acc(i) * 100:.3f}% ({k}/{k * 9}) {k}/4 "
        for k in range(1, 5)
    )
    return f"\nEpoch: {i}\n{bars}"


def trax(i: int) -> str:
    return f"\nStep {(i + 1) * 100:6d}: Ran 100 train steps in 10.20 secs\nStep {(i + 1) * 100:6d}: train CrossEntropyLoss |  {loss(i):.8f}\nStep {(i + 1) * 100:6d}: eval  CrossEntropyLoss |  {val(i):.8f}\nStep {(i + 1) * 100:6d}: eval          Accuracy |  {acc(i):.8f}"


def composer(i: int) -> str:
    return f"[epoch={i // 6 + 1}][batch={i}/12]:\n\t Train time/epoch: {i // 6}\n\t Train loss/train/total: {loss(i)}\n\t Train metrics/train/Accuracy: {acc(i)}\n\t Train lr-SGD/group0: 0.01"


def luz(i: int) -> str:
    return f"Epoch {i + 1}/12\nTrain metrics: Loss: {loss(i)} - Acc: {acc(i)}\nValid metrics: Loss: {val(i)} - Acc: {acc(i) / 2}"


def ssd(i: int) -> str:
    return f"timer: 0.1234 sec.\niter {i * 10} || Loss: {loss(i):.4f} ||"


def tf_rcnn(i: int) -> str:
    return f"iter: {(i + 1) * 20} / 70000, total loss: {loss(i):.6f}\n >>> rpn_loss_cls: {val(i):.6f}\n >>> loss_box: {acc(i):.6f}\n >>> lr: 0.001000\nspeed: 0.512s / iter"


def allennlp(i: int) -> str:
    bar = f"accuracy: {acc(i)}, loss: {loss(i)} ||: 100%|##########| 50/50 [00:0{i % 10}<00:00,  9.81it/s]"
    head = "2020-01-01 10:00:00,123 - INFO - allennlp.training.tensorboard_writer - "
    return f"2020-01-01 10:00:00,100 - INFO - allennlp.training.trainer - Epoch {i}/11\n{bar}\n{head}          Training |  Validation\n{head}accuracy |     {acc(i)}  |     {acc(i) / 2:.4f}\n{head}loss     |     {loss(i)}  |     {val(i)}"


def tune(i: int) -> str:
    return (
        f"== Status ==\nMemory usage on this node: 10.{i}/62.8 GiB\nNumber of trials: 1/1 (1 RUNNING)\n+--------------+----------+------------------+--------+--------+----------+\n| Trial name   | status   | loc              |   iter |     ts |   reward |\n"
        f"|--------------+----------+------------------+--------+--------+----------|\n| DQN_e_00000  | RUNNING  | 10.0.0.1:61260   | {i + 1:6d} | {(i + 1) * 1000:6d} | {rew(i):8.2f} |\n+--------------+----------+------------------+--------+--------+----------+\n"
    )


def elegant() -> str:
    head = "ID     Step    maxR |    avgR   stdR   avgS  stdS |    expR   objC   etc.\n"
    return each(
        lambda i: (
            f"0  {(i + 1) * 8192:8.2e} {rew(i) + 3:8.2f} |{rew(i):8.2f}  {acc(i):5.1f}  {90 + i:5.0f}   {2:3.0f} |{0.5:8.2f} {loss(i):6.2f}   0.10"
        ),
        head,
    )


def pfrl(i: int) -> str:
    return f"outdir:results/a step:{(i + 1) * 200} episode:{i} R:{rew(i)}\nstatistics:[('average_q', {acc(i)}), ('average_loss', {loss(i)}), ('n_updates', {i * 50})]"


def crf(i: int) -> str:
    return f"***** Iteration #{i + 1} *****\nLoss: {loss(i):.6f}\nFeature norm: {acc(i):.6f}\nError norm: 200.{i:06d}\nActive features: {1000 + i}\nLine search trials: 1\nSeconds required for this iteration: 0.012\n"


def mlperf(i: int) -> str:
    return f':::MLLOG {{"namespace": "", "time_ms": {1600000000000 + i * 1000}, "event_type": "POINT_IN_TIME", "key": "eval_accuracy", "value": {acc(i)}, "metadata": {{"file": "train.py", "lineno": 123, "epoch_num": {i + 1}}}}}'


def bubbliiing(i: int) -> str:
    bar = f"Epoch {i + 1}/12: 100%|██████████| 25/25 [00:10<00:00,  2.41it/s, loss={loss(i)}, lr=0.001]"
    held = f"Epoch {i + 1}/12: 100%|██████████| 5/5 [00:01<00:00,  4.41it/s, val_loss={val(i)}]"
    return f"Start Train\n{bar}\nFinish Train\nStart Validation\n{held}\nFinish Validation\nEpoch:{i + 1}/12\nTotal Loss: {loss(i):.3f} || Val Loss: {val(i):.3f} "


def fuxi(i: int) -> str:
    head = f"2023-05-01 10:00:{i:02d},123 P4242 INFO "
    return f"{head}************ Epoch={i + 1} start ************\n{head}Train loss: {loss(i):.6f}\n{head}Evaluation @epoch {i + 1} - batch 120: \n{head}[Metrics] AUC: {acc(i):.6f} - logloss: {val(i):.6f}\n{head}************ Epoch={i + 1} end ************"


def mxnet(i: int) -> str:
    lines = "".join(
        f"INFO:root:Epoch[{i}] Batch [{k}]\tSpeed: 1200.50 samples/sec\taccuracy={acc(i) / 2:.6f}\n" for k in (20, 40)
    )
    return f"{lines}INFO:root:Epoch[{i}] Train-accuracy={acc(i) - 0.01:.6f}\nINFO:root:Epoch[{i}] Time cost=5.123\nINFO:root:Epoch[{i}] Validation-accuracy={acc(i):.6f}"


def keras2(i: int) -> str:
    return f"Epoch {i + 1}/12\n\nEpoch {i + 1:05d}: val_loss improved from {val(i) + 1} to {val(i)}, saving model to w.{i:02d}.hdf5\n - 12s - loss: {loss(i)} - acc: {acc(i)} - val_loss: {val(i)} - val_acc: {acc(i) / 2:.4f}"


def keras23(i: int) -> str:
    return f"Epoch {i + 1}/12\n50/50 - 12s - loss: {loss(i)} - accuracy: {acc(i)} - val_loss: {val(i)} - val_accuracy: {acc(i) / 2:.4f} - lr: 0.0010 - 12s/epoch - 240ms/step"


def weiai(i: int) -> str:
    lines = "".join(f"Training Epoch: {i + 1} [{k}/50000]\tLoss: {loss(i):.4f}\tLR: 0.1\n" for k in (128, 25600, 50000))
    return f"{lines}epoch {i + 1} training time consumed: 20.12s\nEvaluating Network.....\nTest set: Epoch: {i + 1}, Average loss: {val(i):.4f}, Accuracy: {acc(i):.4f}, Time consumed:2.10s\n"


def graph_wave(i: int) -> str:
    its = "".join(
        f"Iter: {k:03d}, Train Loss: {loss(i):.4f}, Train MAPE: 0.1100, Train RMSE: 8.1000\n" for k in (0, 50, 100)
    )
    return f"{its}Epoch: {i + 1:03d}, Inference Time: 1.0123 secs\nEpoch: {i + 1:03d}, Train Loss: {loss(i):.4f}, Train MAPE: 0.1000, Valid Loss: {val(i):.4f}, Valid RMSE: {acc(i):.4f}, Training Time: 30.1234/epoch"


def gluonts(i: int) -> str:
    return f"INFO:gluonts.trainer:Epoch[{i}] Learning rate is 0.001\nINFO:gluonts.trainer:Number of parameters in DeepARTrainingNetwork: 26844\nINFO:gluonts.trainer:Epoch[{i}] Elapsed time 5.123 seconds\nINFO:gluonts.trainer:Epoch[{i}] Evaluation metric 'epoch_loss'={loss(i):.6f}"


def reid(i: int) -> str:
    head = f"2020-01-01 10:00:{i:02d},123 reid_baseline.train INFO: "
    return f"{head}Epoch[{i + 1}] Iteration[100/185] Loss: {loss(i):.3f}, Acc: {acc(i):.3f}, Base Lr: 3.50e-05\n{head}Epoch {i + 1} done. Time per batch: 0.251[s] Speed: 250.1[samples/s]\n{head}Validation Results - Epoch: {i + 1}\n{head}mAP: {acc(i) * 100:.1f}%\n{head}CMC curve, Rank-1  :{acc(i) * 90:.1f}%"


def swin(i: int) -> str:
    return f"[2021-07-01 10:00:{i:02d} swin_t] (main.py 222): INFO Train: [{i // 6}/300][{(i % 6) * 10}/60]\teta 0:10:11 lr 0.000001\t time 0.5123 (0.6012)\tloss {loss(i):.4f} ({val(i):.4f})\tgrad_norm 1.5000 (1.6000)\tmem 4512MB"


def mmengine(i: int) -> str:
    its = "".join(
        f"2023/05/01 10:00:{i:02d} - mmengine - INFO - Epoch(train)  [{i + 1}][{k:3d}/40]  lr: 1.0000e-03  eta: 0:10:00  time: 0.5123  data_time: 0.0123  memory: 4512  loss: {loss(i):.4f}  loss_cls: {val(i):.4f}\n"
        for k in (20, 40)
    )
    return f"{its}2023/05/01 10:00:{i:02d} - mmengine - INFO - Saving checkpoint at {i + 1} epochs\n2023/05/01 10:00:{i:02d} - mmengine - INFO - Epoch(val) [{i + 1}][5/5]    coco/bbox_mAP: {acc(i):.4f}  coco/bbox_mAP_50: {acc(i) / 2:.4f}  data_time: 0.0100  time: 0.0500"


def gaussian(i: int) -> str:
    text = f"Training progress:  {i * 8}%|▊         | {(i + 1) * 10}/120 [00:0{i % 10}<00:10, 60.12it/s, Loss={loss(i):.7f}, Depth Loss=0.0000000]"
    return text + (
        f"\n[ITER {(i + 1) * 10}] Evaluating test: L1 {val(i):.4f} PSNR {20 + acc(i):.4f}\n" if i % 4 == 3 else ""
    )


def unet(i: int) -> str:
    return f"[epoch: {i}]\ntrain_loss: {loss(i):.4f}\nlr: 0.010000\ndice coefficient: {acc(i):.3f}\nglobal correct: 86.2\naverage row correct: ['98.6', '1.5']\nIoU: ['86.2', '1.4']\nmean IoU: {acc(i) * 50:.1f}\n"


def indented(i: int) -> str:
    saved = f"\n  → Saved best model (Dice: {acc(i):.4f})" if i % 3 == 0 else ""
    return f"Epoch {i + 1}/12\n  Train Loss: {loss(i):.4f}\n  Val Loss:   {val(i):.4f}\n  Val Dice:   {acc(i):.4f}\n  LR:         0.000100{saved}\n"


def phases(i: int) -> str:
    its = "".join(f"epoch {i + 1}, phase train, step {i * 20 + k}, loss_train, {loss(i):.3f}\n" for k in (10, 20))
    return f"epoch {i + 1}, phase train, total step {i * 20}\n{its}epoch {i + 1}, phase valid, total step {i * 20 + 20}\nepoch {i + 1} | val_loss: {val(i)}\nepoch {i + 1} | val_dsc: {acc(i)}\nTime:  2025-04-20 00:42:56.226535"


def dump() -> str:
    return (
        "Parsed arguments:\n{'atom_fea_len': 64,\n 'batch_size': 32,\n 'epoch': 300.0,\n 'learning_rate': 0.001,\n 'n_conv': 3,\n 'seed': 42}\n"
        "Net(\n  (conv1): Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1))\n  (bn1): BatchNorm2d(64, eps=1e-05, momentum=0.1)\n  (fc): Linear(in_features=512, out_features=10, bias=True)\n)\n"
        "----------------------------------------------------------------\n        Layer (type)               Output Shape         Param #\n================================================================\n"
        "            Conv2d-1         [-1, 64, 112, 112]           9,408\n       BatchNorm2d-2         [-1, 64, 112, 112]             128\n              ReLU-3         [-1, 64, 112, 112]               0\n            Linear-4                   [-1, 10]           5,130\n"
        "================================================================\nTotal params: 14,666\nTrainable params: 14,666\nNon-trainable params: 0\n----------------------------------------------------------------\n"
        "Input size (MB): 0.57\nForward/backward pass size (MB): 62.79\nParams size (MB): 44.59\nlayer1.weight : 64 x 3\nlayer2.weight : 64 x 64\n"
    )


def wenet_epochs(i: int) -> str:
    return f"2024-05-03 10:00:{i:02d},225 DEBUG TRAIN Batch {i // 4}/{(i % 4) * 100} loss {loss(i):.6f} loss_att {val(i):.6f} lr 0.00010000 rank 0"


def rich(i: int) -> str:
    return f"╭──────── Step {(i + 1) * 10} ────────╮\n│ loss      {loss(i):>14} │\n│ accuracy  {acc(i):>14} │\n╰───────────────────────────╯"


def muzero(i: int) -> str:
    return f"Last test reward: {rew(i):.2f}. Training step: {(i + 1) * 100}/1200. Played games: {i * 3}. Loss: {loss(i):.2f}"


def torch_rl(i: int) -> str:
    return f"Finished episode {i + 1}: [Total iterations: {(i + 1) * 50}][Episode Reward: {rew(i)}][Epsilon: {acc(i)}]"


def nequip() -> str:
    head = "# Epoch batch         loss       loss_f       f_mae\n"
    return each(lambda i: f"{i // 2 + 1:6d} {(i % 2 + 1) * 10:6d} {loss(i):12.4f} {acc(i):12.4f} {val(i):11.4f}", head)


def gnn_block(i: int) -> str:
    return f"Epoch {i + 1:03d}:\n\ttrain: loss = {loss(i):.4f}, auc = {acc(i):.4f}\n\tvalid: loss = {val(i):.4f}, auc = {acc(i) / 2:.4f}"


def sb_eval(i: int) -> str:
    return f"Eval num_timesteps={(i + 1) * 1000}, episode_reward={rew(i):.2f} +/- 3.20\nEpisode length: {20.5 + i:.2f} +/- 1.10\nNew best mean reward!"


def two_clocks(i: int) -> str:
    return f"[{i:02d}:10:00] iter={i * 10} | frames={(i + 1) * 4096} | loss={loss(i)}\n[{i:02d}:10:30] eval @ frames={(i + 1) * 4096}: return={rew(i)}"


def mpnn(i: int) -> str:
    return f"Epoch {i}\nLoss = {loss(i):.4e}, PNorm = 34.1234, GNorm = {acc(i):.4f}, lr_0 = 1.0000e-04\nValidation rmse = {val(i):.6f}"


def gene(i: int) -> str:
    return f"| epoch {i // 4 + 1:3d} | {(i % 4 + 1) * 100:3d}/400 batches | lr 0.0001 | ms/batch 512.34 | loss {loss(i):5.2f} | mse {val(i):5.2f} | mre {acc(i):5.2f} |"


def alphafold(i: int) -> str:
    return f"Epoch {i}:  100%|██████████| 10/10 [00:1{i % 10}<00:00,  1.02s/it, v_num=3, train/loss_step={loss(i):.3f}, val/loss={val(i):.3f}, train/loss_epoch={loss(i):.3f}]"


def esm(i: int) -> str:
    return f"INFO | fairseq.logging | epoch {i + 1:03d}:  {i * 8} / 100 loss={loss(i)}, ppl={val(i)}, wps=1000.5, num_updates={(i + 1) * 8}, lr=0.0001, gnorm={acc(i)}, train_wall=5, wall=10"


def models(i: int) -> str:
    its = "".join(
        f"\nBatch {k},Model1 Train Loss:{loss(i):.4f},Model1 Train ACC:{acc(i) * 100:.4f},Model2 Train Loss:{val(i):.4f}\n"
        for k in (500, 1000)
    )
    return f"#### Epoch {i}/11\n{'-' * 50}\nTraining...\n{its}\nEpoch, Model1 Loss: {loss(i):.4f},Model1 ACC: {acc(i) * 100:.4f}%\n\nValidating...\nEpoch, Model1 Loss: {val(i):.4f},Model1 ACC: {acc(i) * 50:.4f}%"


def yolo_style(i: int) -> str:
    return f"\n      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size\n       {i + 1}/12      4.51G     {loss(i):.4f}     {val(i):.4f}     {acc(i):.4f}         35        640: 100%|██████████| 50/50 [00:10<00:00,  4.81it/s]\n                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 5/5 [00:01<00:00,  4.10it/s]\n                   all        128        929      {acc(i):.3f}      {acc(i) / 2:.3f}      {acc(i) / 3:.3f}      {acc(i) / 4:.3f}"


def hf_mixed(i: int) -> str:
    bar = f"\r {i * 8:2d}%|▊         | {i + 1}/12 [00:1{i % 10}<01:00,  5.10s/it]"
    held = (
        f"\n{{'eval_loss': {val(i)}, 'eval_runtime': 5.1, 'eval_samples_per_second': 20.1, 'epoch': {(i + 1) / 4}}}"
        if i % 4 == 3
        else ""
    )
    return f"{bar}\n{{'loss': {loss(i)}, 'grad_norm': {acc(i)}, 'learning_rate': 2e-05, 'epoch': {(i + 1) / 4}}}{held}"


def slurm(i: int) -> str:
    head = (
        "srun: job 4242 queued and waiting for resources\nsrun: job 4242 has been allocated resources\n"
        if i == 0
        else ""
    )
    warn = (
        "/opt/lib/python3.10/site-packages/torch/optim/lr_scheduler.py:136: UserWarning: Detected call of `lr_scheduler.step()` before step 3.\n"
        if i % 4 == 1
        else ""
    )
    tail = (
        "\nslurmstepd: error: *** JOB 4242 ON node17 CANCELLED AT 2024-05-01T10:00:00 DUE TO TIME LIMIT ***"
        if i == L
        else ""
    )
    return f"{head}{warn}Epoch: [{i // 6}][{(i % 6) * 10}/60]\tTime 0.512 (0.612)\tLoss {loss(i):.4e} ({val(i):.4e})\tAcc@1 {acc(i) * 100:6.2f} ({acc(i) * 50:6.2f}){tail}"


def restart(i: int) -> str:
    at = i if i < 8 else i - 2
    head = "Loading checkpoint from ckpt.pt (step 60)\n" if i == 8 else ""
    return (
        f"{head}step: {(at + 1) * 10} | train_loss: {loss(i):.4f} | grad_norm: {acc(i):.3f} | lr: 1.00e-04 | 5123 tok/s"
    )


def mlm(i: int) -> str:
    return f"05/01/2023 10:00:{i:02d} - INFO - __main__ -   step = {(i + 1) * 50}, loss = {loss(i)}, lr = 5e-05\n05/01/2023 10:00:{i:02d} - INFO - __main__ -   ***** Eval results *****\n05/01/2023 10:00:{i:02d} - INFO - __main__ -     acc = {acc(i)}\n05/01/2023 10:00:{i:02d} - INFO - __main__ -     eval_loss = {val(i)}"


def pinn(i: int) -> str:
    return f"{(i + 1) * 1000:<9d} [{loss(i):.2e}, {val(i):.2e}]    [{acc(i):.2e}]    []"


def xgb_cv(i: int) -> str:
    return f"[{i}]\ttrain-logloss:{loss(i):.5f}+0.00123\ttest-logloss:{val(i):.5f}+0.00456"


def dense_block(i: int) -> str:
    return (
        f"Iter {i * 100:>6d} ({i * 8}.0%) :: Loss {loss(i):.4f} :: PSNR {20 + acc(i):.2f} dB :: LR 5.0e-04 :: ETA 0h10m"
    )


def episodes(i: int) -> str:
    return f"🚀 Episode {i + 1}/12 finished! 💰 Reward: {rew(i):.2f} | 🎯 Success: {acc(i) * 100:.1f}% | ⏱ Steps: {300 - 7 * i + 50 * (i % 3)} | ε={acc(i):.3f}"


def camel(i: int) -> str:
    return f"INFO:root:epoch={i}, trainLoss={loss(i)}, validLoss={val(i)}, trainAcc={acc(i)}"


def keyed(i: int) -> str:
    return f"epoch:{i}|train_loss:{loss(i)}|valid_loss:{val(i)}|valid_f1:{acc(i)}"


def nas(i: int) -> str:
    its = "".join(f"05/01 10:00:{i:02d} AM train {k:03d} {loss(i):e} {acc(i) * 100:f} 99.500000\n" for k in (0, 50))
    return f"05/01 10:00:{i:02d} AM epoch {i} lr 2.500000e-02\n{its}05/01 10:00:{i:02d} AM train_acc {acc(i) * 100:f}\n05/01 10:00:{i:02d} AM valid 000 {val(i):e} 80.000000 99.000000\n05/01 10:00:{i:02d} AM valid_acc {acc(i) * 90:f}"


def saving(i: int) -> str:
    better = f"\nNew best model! loss improved from {val(i) + 1} to {val(i)}" if i % 2 else ""
    return f"Epoch {i + 1} | train_loss {loss(i)} | val_loss {val(i)} | acc {acc(i)}\nSaving model to checkpoint_epoch_{i + 1}_loss_{loss(i)}.pt{better}"


def paddle_rec(i: int) -> str:
    its = "".join(
        f"2022-04-12 17:05:{i:02d},552 - INFO - epoch: {i}, batch_id: {k}, AUC:{acc(i) / 2:.6f}, loss:{val(i)}, avg_reader_cost: 0.00058 sec, avg_samples: 1024.00000, ips: 1822.08655 ins/s\n"
        for k in (0, 500, 1000)
    )
    return f"{its}2022-04-12 17:24:{i:02d},400 - INFO - epoch: {i} done, AUC: {acc(i):.6f},loss:{loss(i)}, epoch time: 1105.58 s\n2022-04-12 17:24:{i:02d},404 - INFO - Already save model in output_model/{i}"


def unity(i: int) -> str:
    return f"[INFO] Soccer. Step: {(i + 1) * 1000}. Time Elapsed: {i * 2.5:.3f} s. Mean Reward: {acc(i):.3f}. Std of Reward: 0.512. Mean Group Reward: {rew(i):.3f}. Training. ELO: {1200 + i:.3f}."


def lightning_table(i: int) -> str:
    rule = "─" * 60
    return f"Epoch {i}: train_loss={loss(i)}\n{rule}\n     Validate metric           DataLoader 0\n{rule}\n        val_acc             {acc(i)}\n        val_loss            {val(i)}\n{rule}"


def gpt_block(i: int) -> str:
    rows = {
        "training/loss": loss(i),
        "training/grad_norm": acc(i),
        "evaluation/return_mean": rew(i),
        "time/total": 10.5 * i,
    }
    return f"{'=' * 80}\nIteration {i + 1}\n" + "\n".join(f"{k}: {v}" for k, v in rows.items())


def trpo(i: int) -> str:
    return f"********** Iteration {i} ************\nOptimizing...\n     pol_surr |    pol_entpen |       vf_loss |            kl |           ent\n      {loss(i):.5f} |       0.00000 |       {val(i):.5f} |       {acc(i):.5f} |       1.41000\nEvaluating losses...\n     -0.01234 |       0.00000 |       {val(i):.5f} |       {acc(i):.5f} |       1.40000"


def ragged(i: int) -> str:
    held = f"  val_loss={val(i):.4f}  val_acc={acc(i):.3f}" if i % 3 == 2 else ""
    return f"epoch={i + 1:<4d}loss={loss(i):<10.4f}lr=0.001{held}"


def deeplab(i: int) -> str:
    return f"[Epoch: {i}, numImages: {(i + 1) * 10582}]\nLoss: {loss(i):.3f}\nValidation:\n[Epoch: {i}, numImages:  1449]\nAcc:{acc(i)}, mIoU:{acc(i) / 2}\nLoss: {val(i):.3f}"


FURTHER = [
    Layout(
        "dl4j",
        each(
            lambda i: (
                f"06:38:{i:02d}.402 [main] INFO org.deeplearning4j.optimize.listeners.ScoreIterationListener - Score at iteration {i * 100} is {loss(i)}"
            )
        ),
        1100,
        {"Score": T},
    ),
    Layout(
        "logger epoch",
        each(
            lambda i: (
                f"INFO:__main__:Epoch: {i:04d} avg_loss_tgt: {loss(i):.3f} origin_loss_tgt: {val(i):.3f} time: 9.2099s"
            )
        ),
        11,
        {"avg_loss_tgt": round(T, 3), "origin_loss_tgt": round(VL, 3)},
    ),
    Layout("pymarl", each(tasks), 11 * 5000 + 500, {"battle_won_mean": A, "loss_td": T, "ep_length_mean": 41.5}),
    Layout("mappo", each(updates), 12 * 16000, {"average episode rewards": R}),
    Layout(
        "maddpg",
        each(
            lambda i: (
                f"steps: {(i + 1) * 25000 - 25}, episodes: {(i + 1) * 1000}, mean episode reward: {rew(i)}, time: 30.512"
            )
        ),
        12 * 25000 - 25,
        {"mean episode reward": R},
    ),
    Layout("alphazero bar", each(alphazero), 12, {"Loss_pi": T, "Loss_v": round(A, 3)}),
    Layout(
        "gomoku",
        each(
            lambda i: (
                f"batch i:{i + 1}, episode_len:{12 + i}\nkl:{acc(i):.5f},lr_multiplier:1.500,loss:{loss(i)},entropy:{val(i)},explained_var_old:0.100,explained_var_new:0.200"
            )
        ),
        12,
        {"loss": T, "entropy": VL},
    ),
    Layout("rlkit", each(rlkit), 11, {"trainer/QF1 Loss": T, "evaluation/Average Returns": R}),
    Layout(
        "drqv2",
        each(
            lambda i: (
                f"| train | F: {(i + 1) * 1000} | S: {(i + 1) * 500} | E: {i + 1} | L: 500 | R: {rew(i):.4f} | BS: {(i + 1) * 500} | FPS: 50.1234 | T: 0:00:{i:02d}"
            )
        ),
        12000,
        {"episode return": R},
    ),
    Layout(
        "dreamer",
        each(lambda i: f"[{(i + 1) * 1000}] train_return {rew(i):.1f} / train_length 500.0 / train_episodes {i + 1}.0"),
        12000,
        {"train_return": round(R, 1)},
    ),
    Layout(
        "acme",
        each(
            lambda i: (
                f"[Learner] Critic Loss = {loss(i):.3f} | Learner Steps = {(i + 1) * 100} | Policy Loss = {acc(i):.3f} | Walltime = {12.5 * i:.3f}"
            )
        ),
        1200,
        {"Critic Loss": round(T, 3)},
    ),
    Layout(
        "mava",
        each(
            lambda i: (
                f"ACTOR - Timestep: {(i + 1) * 1000} | Episode Return Mean: {rew(i):.3f} | Episode Length Mean: {20 + i:.3f} | Steps Per Second: 1000.123"
            )
        ),
        12000,
        {"Episode Return Mean": R},
    ),
    Layout("elegantrl", elegant(), None, {"avgR": R, "objC": round(T, 2)}),
    Layout("pfrl", each(pfrl), 2400, {"R": R, "average_loss": T}),
    Layout("nemo-rl", each(nemo_rl), 12, {"Loss": T, "Avg Reward": A}),
    Layout(
        "step then dict",
        each(
            lambda i: (
                f"(Trainer pid=4242) [2025-09-01 10:00:{i:02d}] train.py:120 - step {i}: {{'train/loss': {loss(i)}, 'train/grad_norm': {acc(i)}}}"
            )
        ),
        11,
        {"train/loss": T, "train/grad_norm": A},
    ),
    Layout(
        "litgpt",
        each(
            lambda i: (
                f"Epoch 1 | iter {i + 1} step {i // 2 + 1} | loss train: {loss(i):.3f}, val: n/a | iter time: 300.12 ms (step)"
            )
        ),
        6,
        {"loss train": round(T, 3)},
    ),
    Layout(
        "torchtune bar",
        "\r".join(
            f"1|{i + 1}|Loss: {loss(i)}:  {i * 8}%|▊         | {i + 1}/12 [00:0{i % 10}<00:05,  1.20it/s]"
            for i in range(N)
        )
        + "\n",
        12,
        {"Loss": T},
    ),
    Layout(
        "mlx",
        each(
            lambda i: (
                f"Iter {(i + 1) * 10}: Train loss {loss(i):.3f}, Learning Rate 1.000e-05, It/sec 1.234, Tokens/sec 512.345, Trained Tokens {i * 5000}, Peak mem 10.234 GB"
                + (f"\nIter {(i + 1) * 10}: Val loss {val(i):.3f}, Val took 10.123s" if i % 4 == 3 else "")
            )
        ),
        120,
        {"Train loss": round(T, 3), "Val loss": round(VL, 3)},
    ),
    Layout(
        "llama.cpp",
        each(
            lambda i: (
                f"train_opt_callback: iter= {i + 1:5d} sample={i * 4 + 1}/200 sched=0.{i:02d}0000 loss={loss(i):.6f} dt=00:00:10 eta=00:10:00 |->"
            )
        ),
        12,
        {"loss": T},
    ),
    Layout(
        "llama2.c",
        each(lambda i: f"{i * 10} | loss {loss(i):.4f} | lr 1.000000e-04 | 100.12ms | mfu 1.23%"),
        110,
        {"loss": T},
    ),
    Layout(
        "tinygrad",
        each(
            lambda i: (
                f"{i:3d} {400.5 + i:7.2f} ms run, {200.5:7.2f} ms python, {10.0:6.2f} ms CL, {loss(i):7.2f} loss, 0.000100 LR, 10.55 GB used, 1000.00 GFLOPS"
            )
        ),
        11,
        {"loss": round(T, 2)},
    ),
    Layout(
        "internlm",
        each(
            lambda i: (
                f"2023-09-01 10:00:{i:02d},123\tINFO train.py:123 in record -- tflops=100.5 step={i} loss={loss(i)} tgs (tokens/gpu/second)=3500.12 lr=4e-06 loss_scale=65536.0 grad_norm={val(i)} micro_num=4 num_consumed_tokens={(i + 1) * 131072} inf_nan_skip_batches=0"
            )
        ),
        11,
        {"loss": T, "grad_norm": VL},
    ),
    Layout(
        "ms-swift",
        each(
            lambda i: str(
                {
                    "loss": loss(i),
                    "token_acc": acc(i),
                    "grad_norm": 1.5,
                    "learning_rate": 1e-5,
                    "memory(GiB)": 20.5,
                    "epoch": round(i / 10, 2),
                    "global_step/max_steps": f"{(i + 1) * 5}/60",
                    "percentage": f"{(i + 1) * 5 / 0.6:.2f}%",
                    "elapsed_time": "1m 2s",
                    "remaining_time": "10m 3s",
                }
            )
        ),
        60,
        {"loss": T, "token_acc": A},
    ),
    Layout(
        "picotron",
        each(
            lambda i: (
                f"[rank 0] Step: {i + 1:<5d} | Loss: {loss(i):6.4f} | Global batch size: 512.00K | Tokens/s: 120.50K | Tokens/s/GPU: 15.06K | Tokens: {(i + 1) * 0.5:.2f}M | MFU: 35.20% | Memory usage: 30.12GB"
            )
        ),
        12,
        {"Loss": T},
    ),
    Layout(
        "nanotron",
        each(
            lambda i: (
                f"11/20/2024 10:00:{i:02d} [INFO|DP=0|PP=0|TP=0|host]: iteration: {i + 1} / 100 | consumed_tokens: {i + 1}.05M | elapsed_time_per_iteration_ms: 1.23K | tokens_per_sec: 100K | lm_loss: {loss(i)} | lr: 0.0003 | grad_norm: {val(i)}"
            )
        ),
        12,
        {"lm_loss": T, "grad_norm": VL},
    ),
    Layout("composer", each(composer), 11, {"Train loss/train/total": T, "Train metrics/train/Accuracy": A}),
    Layout(
        "levanter",
        each(
            lambda i: (
                f"2024-05-01T10:00:{i:02d} - 0 - levanter.callbacks - callbacks.py:120 - INFO :: Progress on:train {i + 1}.0it/12.0it rate:1.2it/s remaining:00:10 elapsed:00:05 postfix:loss={loss(i):.3f}"
            )
        ),
        None,
        {"loss": round(T, 3)},
    ),
    Layout(
        "clu",
        each(
            lambda i: (
                f"I0501 10:00:{i:02d}.123456 140234 logging_writer.py:48] [{(i + 1) * 100}] accuracy={acc(i)}, loss={loss(i)}, steps_per_sec=3.12"
            )
        ),
        1200,
        {"loss": T, "accuracy": A},
    ),
    Layout("swin", each(swin), 110, {"loss": T, "loss_avg": VL}),
    Layout("mmengine", each(mmengine), 480, {"loss": T, "coco/bbox_mAP": A}),
    Layout(
        "ppdet",
        each(
            lambda i: (
                f"[11/20 10:00:{i:02d}] ppdet.engine INFO: Epoch: [{i // 6}] [{(i % 6) * 10:3d}/60] learning_rate: 0.001000 loss: {loss(i):.6f} loss_cls: {val(i):.6f} eta: 0:10:00 batch_cost: 0.5123 data_cost: 0.0123 ips: 10.1234 images/s"
            )
        ),
        110,
        {"loss": T, "loss_cls": VL},
    ),
    Layout(
        "paddleseg",
        each(
            lambda i: (
                f"2021-05-01 10:00:{i:02d} [INFO]\t[TRAIN] epoch: {i // 6 + 1}, iter: {(i + 1) * 10}/1000, loss: {loss(i):.4f}, lr: 0.010000, batch_cost: 0.5123, reader_cost: 0.00123, ips: 10.1234 samples/sec | ETA 00:10:00"
                + (
                    f"\n2021-05-01 10:01:00 [INFO]\t[EVAL] #Images: 500 mIoU: {acc(i):.4f} Acc: {acc(i) / 2:.4f} Kappa: 0.5"
                    if i % 4 == 3
                    else ""
                )
            )
        ),
        120,
        {"loss": T, "mIoU": A},
    ),
    Layout(
        "paddlenlp",
        each(
            lambda i: (
                f"[2022-05-01 10:00:{i:02d},123] [    INFO] - global step {(i + 1) * 10}, epoch: 1, batch: {(i + 1) * 10}, loss: {loss(i):.5f}, acc: {acc(i):.5f}, speed: 10.12 step/s"
            )
        ),
        120,
        {"loss": T, "acc": A},
    ),
    Layout(
        "paddle hapi",
        each(lambda i: f"step {i * 10 + 10:4d}/120 - loss: {loss(i):.4f} - acc: {acc(i):.4f} - 10ms/step"),
        120,
        {"loss": T, "acc": A},
    ),
    Layout("yolo layers", each(yolo3), 11, {"Total loss": round(T + VL, 4)}),
    Layout("bubbliiing", each(bubbliiing), 12, {"Total Loss": round(T, 3), "Val Loss": round(VL, 3)}),
    Layout("ssd", each(ssd), 110, {"Loss": T}),
    Layout("jwyang", each(jwyang), 1100, {"loss": T, "rpn_cls": VL, "rpn_box": A}),
    Layout("tf rcnn", each(tf_rcnn), 240, {"total loss": T, "rpn_loss_cls": VL, "loss_box": A}),
    Layout(
        "retinanet",
        each(
            lambda i: (
                f"Epoch: {i // 6} | Iteration: {i % 6} | Classification loss: {loss(i):1.5f} | Regression loss: {val(i):1.5f} | Running loss: {acc(i):1.5f}"
            )
        ),
        11,
        {"Classification loss": T, "Regression loss": VL, "Running loss": A},
    ),
    Layout(
        "centernet",
        each(
            lambda i: (
                f"ctdet/coco_dla |{'#' * (i % 6):<32}| train: [{i // 6 + 1}][{i % 6}/6]|Tot: 0:00:10 |ETA: 0:10:00 |loss {loss(i):.4f} |hm_loss {val(i):.4f} |wh_loss {acc(i):.4f} |Data 0.001s(0.002s) |Net 0.512s"
            )
        ),
        11,
        {"loss": T, "hm_loss": VL},
    ),
    Layout(
        "monodepth",
        each(
            lambda i: (
                f"epoch {i // 6:3d} | batch {(i % 6) * 10:6d} | examples/s:   5.1 | loss: {loss(i):.5f} | time elapsed: 00h00m{i:02d}s | time left: 10h01m02s"
            )
        ),
        None,
        {"loss": T},
    ),
    Layout("reid", each(reid), None, {"Loss": round(T, 3), "Acc": round(A, 3)}),
    Layout(
        "insightface",
        each(
            lambda i: (
                f"Training: 2021-05-01 10:00:{i:02d},123-Speed 1012.34 samples/sec   Loss {loss(i):.4f}   LearningRate 0.1000   Epoch: 0   Global Step: {(i + 1) * 10}   Fp16 Grad Scale:  128   Required: 10 hours"
            )
        ),
        120,
        {"Loss": T},
    ),
    Layout(
        "openpcdet",
        each(
            lambda i: (
                f"2023-05-01 10:00:{i:02d},123   INFO  Train:    {i // 6 + 1}/80 (  1%) [{(i % 6) * 10:4d}/60 ( 11%)]  Loss: {loss(i):.4f} ({val(i):.2f})  LR: 3.000e-03  Time cost: 00:10/01:20 [00:10/10:00:00]  Acc_iter {i * 10 + 1}  Data time: 0.01(0.02)  Forward time: 0.51(0.52)"
            )
        ),
        None,
        {"Loss": T},
    ),
    Layout("gaussian splatting", "\r".join(gaussian(i) for i in range(N)) + "\n", 120, {"Loss": T}),
    Layout(
        "nerf",
        each(lambda i: f"[TRAIN] Iter: {(i + 1) * 100} Loss: {loss(i)}  PSNR: {20 + acc(i)}"),
        1200,
        {"Loss": T, "PSNR": 20 + A},
    ),
    Layout(
        "stylegan desc",
        "\r".join(
            f"d: {loss(i):.4f}; g: {val(i):.4f}; r1: {acc(i):.4f}; path: 0.1000; mean path: 0.2000; augment: 0.0000;:  {i * 8}%|▊         | {i + 1}/12 [00:0{i % 10}<00:05,  1.20it/s]"
            for i in range(N)
        )
        + "\n",
        12,
        {"d": T, "g": VL, "r1": A},
    ),
    Layout(
        "ddpm desc",
        "\r".join(
            f"loss: {loss(i):.4f}:  {i * 8}%|▊         | {i + 1}/12 [00:0{i % 10}<00:05,  1.20it/s]" for i in range(N)
        )
        + "\n",
        12,
        {"loss": T},
    ),
    Layout(
        "dcgan",
        each(
            lambda i: (
                f"[{i // 6}/2][{i % 6}/6]\tLoss_D: {loss(i):.4f}\tLoss_G: {val(i):.4f}\tD(x): {acc(i):.4f}\tD(G(z)): 0.6000 / 0.0100"
            )
        ),
        11,
        {"Loss_D": T, "Loss_G": VL, "D(x)": A},
    ),
    Layout(
        "wgan",
        each(
            lambda i: (
                f"[{i // 6}/2][{i % 6}/6][{i}] Loss_D: {loss(i):f} Loss_G: {val(i):f} Loss_D_real: {acc(i):f} Loss_D_fake 0.500000"
            )
        ),
        None,
        {"Loss_D": T, "Loss_G": VL},
    ),
    Layout(
        "tacotron",
        each(lambda i: f"Train loss {i * 10} {loss(i):.6f} Grad Norm {acc(i):.6f} 1.23s/it"),
        110,
        {"Train loss": T},
    ),
    Layout("waveglow", each(lambda i: f"{i * 10}:\t{loss(i):.9f}", head="Epoch: 0\n"), 110, {}),
    Layout("coqui", each(coqui), 235, {"loss": T, "avg_loss": VL}),
    Layout(
        "sovits",
        each(
            lambda i: (
                f"2023-05-01 10:00:{i:02d},123\t44k\tINFO\tTrain Epoch: {i + 1} [{i * 8}%]\n2023-05-01 10:00:{i:02d},124\t44k\tINFO\tLosses: [2.1, 2.2, {loss(i)}, 3.1, 0.5], step: {(i + 1) * 200}, lr: 0.0001, reference_loss: {acc(i)}"
            )
        ),
        2400,
        {"reference_loss": A},
    ),
    Layout(
        "pwgan",
        each(
            lambda i: (
                f"2020-05-01 10:00:{i:02d},123 (train:123) INFO: (Steps: {(i + 1) * 100}) train/generator_loss = {loss(i):.4f}.\n2020-05-01 10:00:{i:02d},124 (train:123) INFO: (Steps: {(i + 1) * 100}) train/discriminator_loss = {val(i):.4f}."
            )
        ),
        1200,
        {"train/generator_loss": T, "train/discriminator_loss": VL},
    ),
    Layout("icefall", each(icefall), None, {"loss": T, "tot_loss": round(T + 1, 4)}),
    Layout(
        "mozilla",
        each(
            lambda i: (
                f"Epoch {i} |   Training | Elapsed Time: 0:01:00 | Steps: 100 | Loss: {loss(i):.6f}\nEpoch {i} | Validation | Elapsed Time: 0:00:10 | Steps: 10 | Loss: {val(i):.6f} | Dataset: dev.csv"
            )
        ),
        11,
        {},
    ),
    Layout("flair", each(flair), None, {"score": round(A * 100, 2)}),
    Layout(
        "stanza",
        each(
            lambda i: (
                f"2020-05-01 10:00:{i:02d} INFO: Finished STEP {(i + 1) * 20}/50000, loss = {loss(i):.6f} (0.123 sec/batch), lr: 0.003000"
            )
        ),
        240,
        {"loss": T},
    ),
    Layout(
        "glove", each(lambda i: f"05/01/20 - 10:{i:02d}.12AM, iter: {i + 1:03d}, cost: {loss(i):.6f}"), 12, {"cost": T}
    ),
    Layout(
        "electra",
        each(
            lambda i: f"{(i + 1) * 10}/1000 = {i + 1}.0%, SPS: 3.1, ELAP: 0:10, ETA: 1 day, 10:00 - loss: {loss(i):.4f}"
        ),
        120,
        {"loss": T},
    ),
    Layout(
        "simpletransformers",
        "\r".join(
            f"Epochs 0/1. Running Loss:    {loss(i):.4f}:  {i * 8}%|▊         | {i + 1}/12 [00:0{i % 10}<00:05,  1.20it/s]"
            for i in range(N)
        )
        + "\n",
        12,
        {"Running Loss": T},
    ),
    Layout(
        "sockeye",
        each(
            lambda i: (
                f"[INFO:sockeye.training] Epoch[0] Batch [{(i + 1) * 50}]\tSpeed: 1000.50 samples/sec 20000.10 tokens/sec 2.10 updates/sec\tperplexity={loss(i)}"
            )
        ),
        600,
        {"perplexity": T},
    ),
    Layout(
        "joeynmt",
        each(
            lambda i: (
                f"2021-05-01 10:00:{i:02d},123 - INFO - joeynmt.training - Epoch   1, Step: {(i + 1) * 100:8d}, Batch Loss: {loss(i):12.6f}, Tokens per Sec: {5000 + i:8d}, Lr: 0.000300"
            )
        ),
        1200,
        {"Batch Loss": T},
    ),
    Layout("recbole", each(recbole), 11, {"train loss": T, "valid_score": A, "recall@10": A}),
    Layout(
        "lightgcn", each(lambda i: f"EPOCH[{i + 1}/1000] loss{loss(i):.3f}-|Sample:3.12|"), 12, {"loss": round(T, 3)}
    ),
    Layout("ngcf", each(lambda i: f"Epoch {i} [10.1s]: train==[{loss(i):.5f}={val(i):.5f} + 0.10000]"), 11, {}),
    Layout("fuxictr", each(fuxi), 12, {"Train loss": T, "AUC": A, "logloss": VL}),
    Layout(
        "ogb",
        each(
            lambda i: (
                f"Run: 01, Epoch: {i + 1:02d}, Loss: {loss(i):.4f}, Train: {acc(i) * 100:.2f}%, Valid: {acc(i) * 99:.2f}% Test: {acc(i) * 98:.2f}%"
            )
        ),
        12,
        {"Loss": T, "Train": round(A * 100, 2), "Test": round(A * 98, 2)},
    ),
    Layout(
        "pyg",
        each(
            lambda i: (
                f"Epoch: {i + 1:03d}, Loss: {loss(i):.4f}, Train: {acc(i):.4f}, Val: {acc(i) / 2:.4f}, Test: {acc(i) / 4:.4f}"
            )
        ),
        12,
        {"Loss": T, "Train": A, "Val": round(A / 2, 4)},
    ),
    Layout(
        "pygcn",
        each(
            lambda i: (
                f"Epoch: {i + 1:04d} loss_train: {loss(i):.4f} acc_train: {acc(i):.4f} loss_val: {val(i):.4f} acc_val: {acc(i) / 2:.4f} time: 0.0123s"
            )
        ),
        12,
        {"loss_train": T, "acc_train": A, "loss_val": VL},
    ),
    Layout(
        "dgl",
        each(
            lambda i: (
                f"Epoch {i:05d} | Time(s) 0.0123 | Loss {loss(i):.4f} | Accuracy {acc(i):.4f} | ETputs(KTEPS) 100.12"
            )
        ),
        11,
        {"Loss": T, "Accuracy": A},
    ),
    Layout(
        "rotate",
        each(
            lambda i: (
                f"2020-05-01 10:00:{i:02d},123 INFO     Training average positive_sample_loss at step {i * 100}: {val(i):f}\n2020-05-01 10:00:{i:02d},123 INFO     Training average loss at step {i * 100}: {loss(i):f}"
            )
        ),
        1100,
        {"Training average loss": T, "Training average positive_sample_loss": VL},
    ),
    Layout("informer", each(informer), None, {"Train Loss": T, "Vali Loss": VL, "Test Loss": A}),
    Layout("graph wavenet", each(graph_wave), None, {"Valid Loss": VL, "Valid RMSE": A}),
    Layout(
        "dcrnn",
        each(
            lambda i: (
                f"2020-05-01 10:00:{i:02d},123 - INFO - Epoch [{i}/100] ({(i + 1) * 375}) train_mae: {loss(i):.4f}, val_mae: {val(i):.4f} lr:0.010000 60.1s"
            )
        ),
        11,
        {"train_mae": T, "val_mae": VL},
    ),
    Layout(
        "basicts",
        each(
            lambda i: (
                f"2023-05-01 10:00:{i:02d},123 - easytorch-training - INFO - Epoch {i + 1} / 12\n2023-05-01 10:00:{i:02d},124 - easytorch-training - INFO - Result <train>: [train_time: 10.12 (s), lr: 2.00e-03, train_loss: {loss(i):.4f}, train_MAE: {val(i):.4f}]\n2023-05-01 10:00:{i:02d},125 - easytorch-training - INFO - Result <val>: [val_time: 1.12 (s), val_loss: {val(i):.4f}]"
            )
        ),
        12,
        {"train_loss": T, "val_loss": VL},
    ),
    Layout("gluonts", each(gluonts), 11, {"epoch_loss": T}),
    Layout(
        "r gbm",
        each(
            lambda i: f"{i + 1:6d} {loss(i):15.4f} {'nan':>15} {0.1:10.4f} {acc(i):9.4f}",
            head="Iter   TrainDeviance   ValidDeviance   StepSize   Improve\n",
        ),
        12,
        {"TrainDeviance": T, "Improve": A},
    ),
    Layout("luz", each(luz), 12, {}),
    Layout(
        "tabnet",
        each(lambda i: f"epoch {i}  | loss: {loss(i):.5f} | valid_auc: {acc(i):.5f} |  0:00:{i:02d}s"),
        11,
        {"loss": T, "valid_auc": A},
    ),
    Layout(
        "ngboost",
        each(lambda i: f"[iter {i * 100}] loss={loss(i):.4f} val_loss={val(i):.4f} scale=1.0000 norm={acc(i):.4f}"),
        1100,
        {"loss": T, "val_loss": VL},
    ),
    Layout("matlab", matlab(), 550, {"Mini-batch Loss": T, "Mini-batch Accuracy": round(A * 100, 2)}),
    Layout(
        "matlab nn",
        each(
            lambda i: (
                f"Epoch {i * 10}/1000, Time 1.23, Performance {loss(i)}/0, Gradient {acc(i)}/1e-07, Mu 0.001/10000000000"
            )
        ),
        110,
        {"Performance": T},
    ),
    Layout("vowpal", vowpal(), 2048, {"average loss": T, "since last": T + 1}),
    Layout(
        "liblinear",
        each(
            lambda i: (
                f"iter {i + 1:2d} act {loss(i):.3e} pre {val(i):.3e} delta {acc(i):.3e} f {rew(i):.3e} |g| 1.000e+01 CG   3"
            )
        ),
        12,
        {"act": float(f"{T:.3e}")},
    ),
    Layout(
        "lbfgs",
        each(
            lambda i: (
                f"\nAt iterate {i * 5:4d}    f=  {f'{loss(i):.5e}'.replace('e', 'D')}    |proj g|=  {f'{acc(i):.5e}'.replace('e', 'D')}"
            )
        ),
        55,
        {"f": T},
    ),
    Layout("crfsuite", each(crf), 12, {"Loss": T, "Feature norm": A}),
    Layout("julia info", each(julia), 12, {"train_loss": T, "test_acc": A}),
    Layout(
        "dlib",
        each(
            lambda i: (
                f"step#: {i * 100:<8d} learning rate: 0.1  average loss: {loss(i):<12} steps without apparent progress: {i}"
            )
        ),
        1100,
        {"average loss": T},
    ),
    Layout(
        "bullet",
        each(
            lambda i: (
                f"superbatch {i + 1:3d} | time 10.1s | running loss {loss(i):.6f} | 1234567 pos/sec | total time 0h 1m 12.5s"
            )
        ),
        None,
        {"running loss": T},
    ),
    Layout(
        "turicreate",
        each(
            lambda i: f"| {i + 1:<12} | {loss(i):<15} | {1.2 * i:<12.4f} |",
            head="+--------------+-----------------+--------------+\n| Iteration    | Loss            | Elapsed Time |\n+--------------+-----------------+--------------+\n",
        ),
        12,
        {"Loss": T},
    ),
    Layout(
        "brain.js",
        each(lambda i: f"iterations: {(i + 1) * 100}, training error: {loss(i)}"),
        1200,
        {"training error": T},
    ),
    Layout("encog", each(lambda i: f"Epoch #{i + 1} Error:{loss(i)}"), 12, {"Error": T}),
    Layout("neat", each(neat), 11, {"Population's average fitness": R, "Best fitness": R + 5}),
    Layout(
        "deap",
        each(lambda i: f"{i}\t{300:<6d}\t{rew(i)}\t{acc(i)}\t{loss(i)}", head="gen\tnevals\tavg\tstd\tmin\n"),
        11,
        {"avg": R, "min": T},
    ),
    Layout(
        "pygad",
        each(lambda i: f"Generation = {i + 1}\nFitness    = {rew(i)}\nChange     = {acc(i)}"),
        12,
        {"Fitness": R},
    ),
    Layout(
        "cma",
        each(
            lambda i: f"{i + 1:5d} {(i + 1) * 6:6d} {loss(i):.15e} {1.0:.1e} {acc(i):.2e}  2e-01  2e-01 0:00.{i:02d}",
            head="Iterat #Fevals   function value  axis ratio  sigma  min&max std  t[m:s]\n",
        ),
        None,
        {"function value": T},
    ),
    Layout("keras verbose 2", each(keras2), 12, {"loss": T, "val_loss": VL}),
    Layout("keras 2.3", each(keras23), 12, {"loss": T, "val_loss": VL, "accuracy": A}),
    Layout(
        "one line keras",
        each(lambda i: f"Epoch {i + 1}/12 - 12s - loss: {loss(i)} - val_loss: {val(i)} - lr: 0.001"),
        12,
        {"loss": T, "val_loss": VL},
    ),
    Layout("tf detection", each(tf_detect), 1200, {"Loss/total_loss": VL, "Loss/classification_loss": T}),
    Layout(
        "tf slim",
        each(lambda i: f"INFO:tensorflow:global step {(i + 1) * 10}: loss = {loss(i):.4f} (0.251 sec/step)"),
        120,
        {"loss": T},
    ),
    Layout(
        "tf cifar10",
        each(
            lambda i: (
                f"2016-11-04 10:00:{i:02d}.123456: step {i * 10}, loss = {loss(i):.2f} (500.1 examples/sec; 0.256 sec/batch)"
            )
        ),
        110,
        {"loss": round(T, 2)},
    ),
    Layout("tflearn", each(tflearn), 120, {"total loss": T, "acc": A}),
    Layout("tf nmt", each(lambda i: f"Epoch 1 Batch {i * 100} Loss {loss(i):.4f}"), 1100, {"Loss": T}),
    Layout("trax", each(trax), 1200, {}),
    Layout("catalyst", each(catalyst), 12, {}),
    Layout(
        "catalyst 19",
        each(
            lambda i: (
                f"[2020-05-01 10:00:{i:02d},123] \n{i + 1}/12 * Epoch (train): accuracy01={acc(i)} | loss={loss(i)}\n{i + 1}/12 * Epoch (valid): accuracy01={acc(i) / 2:.4f} | loss={val(i)}"
            )
        ),
        12,
        {},
    ),
    Layout(
        "skorch",
        each(
            lambda i: (
                f"{i + 1:7d}        \x1b[36m{loss(i):.4f}\x1b[0m       \x1b[32m{acc(i):.4f}\x1b[0m        \x1b[35m{val(i):.4f}\x1b[0m  0.0190"
            ),
            head="  epoch    train_loss    valid_acc    valid_loss     dur\n-------  ------------  -----------  ------------  ------\n",
        ),
        12,
        {"train_loss": T, "valid_acc": A, "valid_loss": VL},
    ),
    Layout(
        "poutyne",
        each(
            lambda i: (
                f"Epoch: {i + 1:2d}/12 Train steps: 100 Val steps: 10 3.12s loss: {loss(i):.6f} acc: {acc(i) * 100:.6f} val_loss: {val(i):.6f} val_acc: {acc(i) * 50:.6f}"
            )
        ),
        12,
        {"loss": T, "val_loss": VL},
    ),
    Layout("mxnet", each(mxnet), None, {"Validation-accuracy": A}),
    Layout("transfer", each(transfer), 11, {}),
    Layout(
        "cifar tutorial",
        each(lambda i: f"[{i // 6 + 1}, {(i % 6 + 1) * 2000:5d}] loss: {loss(i):.3f}"),
        None,
        {"loss": round(T, 3)},
    ),
    Layout("kuangliu", each(cifar), None, {"Loss": round(T, 3), "Acc": round(A * 100, 3)}),
    Layout("weiaicunzai", each(weiai), None, {"Accuracy": A, "Average loss": VL}),
    Layout("rllib yaml", each(rllib), 48000, {"episode_reward_mean": R}),
    Layout("robomimic", each(robomimic), 12, {}),
    Layout("allennlp", each(allennlp), None, {}),
    Layout("ray tune", each(tune), None, {"reward": round(R, 2)}),
    Layout("mlperf", each(mlperf), None, {}),
    Layout(
        "tqdm twice",
        each(
            lambda i: "".join(
                f"Epoch {i}:  {k * 25}%|██▌       | {k}/4 [00:0{k}<00:03,  1.20it/s, loss={loss(i) + 4 - k:.4f}]"
                for k in range(1, 5)
            )
        ),
        48,
        {"loss": T},
    ),
    Layout(
        "bare timestamps",
        each(lambda i: f"2024-05-01 10:{i:02d}:00 loss={loss(i)} acc={acc(i)}"),
        None,
        {"loss": T, "acc": A},
    ),
    Layout(
        "csv with prefix",
        each(lambda i: f"train,{i},{loss(i)},{acc(i)}", head="mode,epoch,loss,acc\n"),
        11,
        {"loss": T},
    ),
    Layout(
        "chinese",
        each(lambda i: f"第 {i + 1} 轮训练, 损失: {loss(i):.4f}, 准确率: {acc(i):.4f}"),
        12,
        {"损失": T, "准确率": A},
    ),
    Layout(
        "chinese brackets",
        each(lambda i: f"【训练】epoch={i + 1}，loss={loss(i):.4f}，acc={acc(i):.4f}"),
        12,
        {"loss": T, "acc": A},
    ),
    Layout("japanese", each(lambda i: f"エポック {i + 1}/12 損失: {loss(i):.4f} 精度: {acc(i):.4f}"), 12, {"損失": T}),
    Layout(
        "slurm ranks",
        each(
            lambda i: "".join(
                f"{r}: [rank{r}] step {i * 10} loss {loss(i) + r:.4f} grad_norm {val(i) + r:.4f}\n" for r in range(2)
            ).rstrip()
        ),
        110,
        {},
    ),
    Layout("unet", each(unet), 11, {"train_loss": T, "dice coefficient": round(A, 3), "mean IoU": round(A * 50, 1)}),
    Layout("indented epochs", each(indented), 12, {"Train Loss": T, "Val Loss": VL, "Val Dice": A}),
    Layout("commas", each(phases), 240, {"loss_train": round(T, 3), "val_loss": VL, "val_dsc": A}),
    Layout(
        "greek",
        each(
            lambda i: (
                f"Episode {(i + 1) * 100:5d}\tAvg: {rew(i):.2f}\tBest: {rew(i):.3f}\tε: {acc(i):.4f}  ⍺: 0.5000  Buffer: {i * 1000:6d}  Steps:  {900 - 20 * i + 50 * (i % 2)}  Secs:  {130 + i}"
            )
        ),
        1200,
        {"Avg": R, "ε": A},
    ),
    Layout(
        "loguru",
        each(
            lambda i: (
                f"2025-09-20 22:31:{i:02d}.227 | INFO     | finetune.training.trainer:train:469 - ✅ Step {i + 1}: loss={loss(i)}"
            )
        ),
        12,
        {"loss": T},
    ),
    Layout(
        "list of rates",
        each(
            lambda i: (
                f"2025-07-07 13:55:{i:02d}.649 INFO: Epoch [{i + 1:03d}/012] - Train Loss: {loss(i):.5f}, Valid Loss: {val(i):.5f}, LR: [0.001]"
            )
        ),
        12,
        {"Train Loss": T, "Valid Loss": VL, "LR": 0.001},
    ),
    Layout(
        "times named like phases",
        each(
            lambda i: (
                f"Epoch {i + 1:02d} loss {loss(i):.4f} | train 2.1s"
                + (f" | Acc {acc(i) * 100:.2f}% | infer 4.4s" if i % 3 == 2 else "")
            )
        ),
        12,
        {"loss": T, "Acc": round(A * 100, 2)},
    ),
    Layout("brackets", each(torch_rl), None, {"Episode Reward": R, "Epsilon": A}),
    Layout(
        "dumps first",
        dump() + each(lambda i: f"Epoch [{i + 1:03d}/012] - Train Loss: {loss(i):.5f}, Valid Loss: {val(i):.5f}"),
        12,
        {"Train Loss": T, "Valid Loss": VL},
    ),
    Layout("wenet epochs", each(wenet_epochs), None, {"loss": T}),
    Layout("rich panel", each(rich), 120, {"loss": T, "accuracy": A}),
    Layout("muzero", each(muzero), 1200, {"Loss": round(T, 2), "Last test reward": R}),
    Layout("nequip", nequip(), None, {"loss": T, "f_mae": VL}),
    Layout("phases in a block", each(gnn_block), 12, {}),
    Layout("sb3 eval lines", each(sb_eval), 12000, {"episode_reward": R, "Episode length": 31.5}),
    Layout("two clocks", each(two_clocks), None, {"loss": T, "return": R}),
    Layout("chemprop", each(mpnn), 11, {"Loss": T, "GNorm": A}),
    Layout("scgpt", each(gene), 1200, {"loss": round(T, 2), "mse": round(VL, 2)}),
    Layout(
        "lightning bar",
        "\r".join(alphafold(i) for i in range(N)) + "\n",
        None,
        {"train/loss_step": round(T, 3), "val/loss": round(VL, 3)},
    ),
    Layout("fairseq simple", each(esm), 96, {"loss": T, "ppl": VL}),
    Layout(
        "colver",
        each(
            lambda i: (
                f"{(i + 1) * 10000:10d} | {acc(i):.3f} | {0.4:.3f} | {2000000:7d} | {loss(i):8.4f} | {i * 68749:8d} | {427:7d}"
                + (
                    f"\n  [EVAL] deals {60 + i}% | rand {80 + i}% (20s)\n  [SAVE] models/dmc_{i}.safetensors"
                    if i % 4 == 3
                    else ""
                )
            ),
            head="      Step |   Eps |  Beta |  Buffer |     Loss | Episodes | Steps/s\n" + "-" * 72 + "\n",
        ),
        120000,
        {"Loss": T, "Eps": round(A, 3), "deals": 71.0},
    ),
    Layout("two models", each(models), None, {"Model1 Loss": T}),
    Layout(
        "prefixed epoch",
        each(
            lambda i: (
                f"SqueezeNetBypass - Epoch {i}/11\n----------\ntrain Loss: {loss(i):.4f} Acc: {acc(i):.4f}\ntest Loss: {val(i):.4f} Acc: {acc(i) / 2:.4f}"
            )
        ),
        11,
        {},
    ),
    Layout(
        "every data",
        each(
            lambda i: (
                f"Train Epoch: {i + 1:>3}  Step: {i:>3}  [{400:>4}/{400:>4} (100.0%)]  Loss: {loss(i):0.6f}  lr_0:  0.001  [0.100s every    4 data]"
            )
        ),
        None,
        {"Loss": T},
    ),
    Layout("batch first", each(lambda i: f"Batch {i * 10}: Loss {loss(i)}"), 110, {"Loss": T}),
    Layout("yolo tables", each(yolo_style), 12, {"box_loss": T, "cls_loss": VL, "mAP50": round(A / 3, 3)}),
    Layout("trainer with bars", each(hf_mixed), 3, {"loss": T, "eval_loss": VL}),
    Layout("slurm output", each(slurm), 110, {"Loss": T, "Loss_avg": VL, "Acc@1": round(A * 100, 2)}),
    Layout("restart", each(restart), 100, {"train_loss": T}),
    Layout("eval block", each(mlm), 600, {"loss": T, "acc": A, "eval_loss": VL}),
    Layout(
        "deepxde", each(pinn, head="Step      Train loss              Test loss             Test metric\n"), None, {}
    ),
    Layout("xgboost cv", each(xgb_cv), 11, {"train-logloss": T, "test-logloss": VL}),
    Layout("double colons", each(dense_block), 1100, {"Loss": T, "PSNR": 20 + A}),
    Layout("emoji", each(episodes), 12, {"Reward": R, "Success": round(A * 100, 1)}),
    Layout("camel case", each(camel), 11, {"trainLoss": T, "validLoss": VL}),
    Layout("bars and colons", each(keyed), 11, {"train_loss": T, "valid_loss": VL, "valid_f1": A}),
    Layout("darts", each(nas), None, {"train_acc": round(A * 100, 4), "valid_acc": round(A * 90, 4)}),
    Layout(
        "two bare counters",
        each(lambda i: f"{i // 6 + 333} {i % 6 + 1} Loss={loss(i):.3f} Time=0.040"),
        None,
        {"Loss": round(T, 3)},
    ),
    Layout(
        "darkflow",
        each(
            lambda i: (
                f"step {i + 1655} - loss {loss(i)} - moving ave loss {val(i)}"
                + (f"\nFinish {i // 4 + 90} epoch(es)" if i % 4 == 3 else "")
            )
        ),
        1666,
        {"loss": T, "moving ave loss": VL},
    ),
    Layout(
        "dict glued to a bar",
        each(
            lambda i: (
                f"  {i * 8}%|{' ' * 60}| {i + 1}/12 [00:{i + 10}<36:34:36, 10.13s/it]{{'loss': {loss(i)}, 'reward': {rew(i)}, 'learning_rate': 5e-05}}"
            )
        ),
        12,
        {"loss": T, "reward": R},
    ),
    Layout(
        "slashes",
        each(lambda i: f"GLOBAL STEP : {29000 + i} / LEARNING RATE : 0.001 / LOSS : {loss(i)} ( 1.9297 secs)"),
        29011,
        {"LOSS": T, "LEARNING RATE": 0.001},
    ),
    Layout(
        "percent between",
        each(
            lambda i: (
                f"[2025-03-03 20:44:{i:02d},640][train_75_load.py][INFO] [train] epoch:1 iter:{(i + 1) * 64}/20000 {i / 10:.2f}% lr:0.000288 loss:{loss(i):.6f} 0 ETA:17.0min"
            )
        ),
        768,
        {"loss": T, "lr": 0.000288},
    ),
    Layout(
        "faceswap",
        "\r".join(
            f"[10:00:{i:02d}] [#{i * 100 + 29107:05d}] Loss A: {loss(i):.5f}, Loss B: {val(i):.5f}" for i in range(N)
        )
        + "\n",
        30207,
        {"Loss A": T, "Loss B": VL},
    ),
    Layout(
        "logger with an at sign",
        each(
            lambda i: (
                f"2017-11-26 23:14:{i:02d},397@chess_zero.worker.optimize DEBUG # epoch {i + 1}: policy_loss={loss(i)} value_loss={val(i)}"
            )
        ),
        12,
        {"policy_loss": T, "value_loss": VL},
    ),
    Layout(
        "seconds in a table",
        each(
            lambda i: f"| {i + 1:<12} | {loss(i):<12} | {f'{1.36 * i:.2f}s':<12} |",
            head="+--------------+--------------+--------------+\n| Iteration    | Loss         | Elapsed Time |\n+--------------+--------------+--------------+\n",
        ),
        12,
        {"Loss": T},
    ),
    Layout(
        "rnnt",
        each(lambda i: f"Epoch: {i // 6}, Batch: {i % 6}, Global Step: {i}, Step Time: 1.6160, Loss: {loss(i):.4f}"),
        11,
        {"Loss": T, "Step Time": 1.616},
    ),
    Layout(
        "tab separated epochs",
        each(lambda i: f"{i + 1}\t{loss(i)}\t{val(i)}\t{acc(i)}", head="Epoch\tTrain loss\tVal loss\tVal acc\n"),
        12,
        {"Train loss": T, "Val acc": A},
    ),
    Layout(
        "percent signs",
        each(
            lambda i: (
                f"Iteration {i * 10} [{i * 8}%] - Train loss: {loss(i):.3f} - Train acc: {acc(i) * 100:.1f}% - Test acc: {acc(i) * 90:.1f}%"
            )
        ),
        110,
        {"Train loss": round(T, 3), "Test acc": round(A * 90, 1)},
    ),
    Layout(
        "sentence with commas",
        each(lambda i: f"After {(i + 1) * 100} training step(s), loss on training batch is {loss(i)}."),
        1200,
        {"loss on training batch": T},
    ),
    Layout(
        "minutes",
        each(
            lambda i: (
                f"Epoch {i + 1:3d}/12 | Time: 2m 13s | Train Loss: {loss(i):.3f} | Val. Loss: {val(i):.3f} | Best: {loss(i):.3f} (epoch {i + 1})"
            )
        ),
        12,
        {"Train Loss": round(T, 3), "Val. Loss": round(VL, 3)},
    ),
    Layout(
        "cross validation",
        "".join(
            f"Fold {k}\n" + each(lambda i: f"Epoch {i + 1}/12, Loss: {loss(i):.4f}, Val AUC: {acc(i):.4f}")
            for k in range(3)
        ),
        12,
        {"Loss": T, "Val AUC": A},
    ),
    Layout(
        "starred",
        each(
            lambda i: (
                f"*** Episode {i + 1} *** Total Reward: {rew(i)} *** Average Reward (last 100): {rew(i) / 2} *** Epsilon: {acc(i)}"
            )
        ),
        12,
        {"Total Reward": R, "Epsilon": A},
    ),
    Layout(
        "parenthesised",
        each(
            lambda i: (
                f"(epoch: {i // 6 + 1}, iters: {(i % 6 + 1) * 100}, time: 0.123, data: 0.012) , loss: {loss(i):.3f}, psnr: {20 + acc(i):.3f}"
            )
        ),
        None,
        {"loss": round(T, 3), "psnr": round(20 + A, 3)},
    ),
    Layout(
        "units behind",
        each(lambda i: f"step {i * 5} | loss {loss(i):.4f} | 12.3k tok/s | 45.6 TFLOPS | mem 12.3GiB | 512ms"),
        55,
        {"loss": T},
    ),
    Layout(
        "game ai",
        each(
            lambda i: (
                f"Game {i * 10}  Winner: X  Moves: {30 + i % 4}  Win rate: {acc(i) * 100:.1f}%  Loss: {loss(i):.4f}  Buffer: {i * 100}/10000"
            )
        ),
        110,
        {"Loss": T, "Win rate": round(A * 100, 1)},
    ),
    Layout(
        "generations",
        each(lambda i: f"Gen {i:4d} | best {rew(i):.3f} | mean {rew(i) / 2:.3f} | std {acc(i):.3f} | evals {i * 300}"),
        11,
        {"best": R, "mean": round(R / 2, 3)},
    ),
    Layout(
        "nested ratio",
        each(lambda i: f"[{i // 6 + 1}/2, {(i % 6 + 1) * 10}/60] D_loss: {loss(i):.4f} G_loss: {val(i):.4f}"),
        120,
        {"D_loss": T, "G_loss": VL},
    ),
    Layout(
        "arrow epochs",
        each(lambda i: f"=> Epoch {i + 1}/12: train loss {loss(i):.4f} -> val loss {val(i):.4f} -> acc {acc(i):.4f}"),
        12,
        {"train loss": T, "val loss": VL},
    ),
    Layout(
        "mingpt",
        each(
            lambda i: (
                f"iter_dt {7797.46 + i:.2f}ms; iter {i * 2}: train loss {loss(i):.5f}"
                + ("\n( 8 + 7 ) / 6 : 3 / 7 = 9\n)8 /8)/(\n648( /59 +(2" if i % 4 == 0 else "")
            )
        ),
        22,
        {"train loss": T},
    ),
    Layout(
        "nanodet",
        each(
            lambda i: (
                f"[nanodet][05-01 10:00:{i:02d}]INFO: Train|Epoch{i // 6 + 1}/2|Iter{i * 10}({(i % 6) * 10}/60)| mem:0.5G| lr:1.00e-03| loss_qfl:{loss(i):.4f}| loss_bbox:{val(i):.4f}| "
            )
        ),
        110,
        {"loss_qfl": T, "loss_bbox": VL},
    ),
    Layout(
        "examples", each(lambda i: f"{(i + 1) * 10000}/120000 examples, avg loss {loss(i)}"), 120000, {"avg loss": T}
    ),
    Layout("paddle rec", each(paddle_rec), None, {"AUC": A / 2, "loss": VL}),
    Layout(
        "redrawn lines",
        "\r".join(f"Episode {i + 1}\tFrame {(i + 1) * 20} \tAverage100 Score: {rew(i):.2f}" for i in range(N)) + "\n",
        240,
        {"Average100 Score": R},
    ),
    Layout("unity groups", each(unity), 12000, {"Mean Reward": round(A, 3), "Mean Group Reward": R, "ELO": 1211.0}),
    Layout("lightning validation", each(lightning_table), 11, {"train_loss": T, "val_acc": A, "val_loss": VL}),
    Layout("decision transformer", each(gpt_block), 12, {"training/loss": T, "evaluation/return_mean": R}),
    Layout("trpo tables", each(trpo), None, {"vf_loss": VL}),
    Layout("ragged columns", each(ragged), 12, {"loss": T, "val_loss": VL}),
    Layout("deeplab", each(deeplab), None, {"Acc": A, "mIoU": A / 2}),
    Layout(
        "tensors",
        each(
            lambda i: (
                f"epoch {i} loss tensor({loss(i)}, device='cuda:0', grad_fn=<MseLossBackward0>) acc: tensor({acc(i)}, device='cuda:0')"
            )
        ),
        11,
        {"loss": T, "acc": A},
    ),
    Layout(
        "summary at the end",
        each(
            lambda i: str({"loss": loss(i), "learning_rate": 2e-5, "epoch": round(i / 4, 2)}),
            tail="{'train_runtime': 100.1, 'train_samples_per_second': 30.1, 'train_loss': 0.9, 'epoch': 3.0}\n",
        ),
        2.75,
        {"loss": T},
    ),
]

# What programs print around their records, of which nothing is a metric of training.
CLUTTER_BEFORE = """\
Namespace(batch_size=64, epochs=10, lr=0.001, seed=42, momentum=0.9)
config:
  model:
    hidden_size: 512
    dropout: 0.1
  train:
    lr: 0.001
    epochs: 10
seed: 7
number of parameters: 0.12M
1 epoch = 264 batches
Train set size: 5000, Test set size: 1000
Train: 5000 Val: 1000
Number of training samples: 4500
Class 0: 500
Class 1: 600
Class 2: 700
trainable params: 4,000 || all params: 6,000 || trainable%: 66.6
Loading shards: 100%|██████████| 3/3 [00:10<00:00,  3.10s/it]
Map: 100%|██████████| 100/100 [00:01<00:00, 80.10 examples/s]
/usr/lib/python3.9/torch/nn/functional.py:1967: UserWarning: sigmoid is deprecated. Use another one instead.
  | Name  | Type             | Params
-------------------------------------------
0 | model | Net              | 11.2 K
1 | loss  | Criterion        | 0
-------------------------------------------
11.2 K    Trainable params
44.696    Total estimated model params size (MB)
{'lr': 0.001, 'epochs': 10, 'batch_size': 64}
"""
CLUTTER_AFTER = """\
              precision    recall  f1-score   support

         cat       0.80      0.85      0.82       100
         dog       0.84      0.79      0.81       100

    accuracy                           0.82       200
   macro avg       0.82      0.82      0.82       200

Confusion matrix:
[[85 15]
 [21 79]]
Best epoch: 12, best val_loss: 1.20
Total training time: 36.6s
"""
