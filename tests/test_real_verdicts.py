"""The verdict on every real log, argued: what a reader of the log sees, and why it is that verdict and no other.

``critical`` stands only where the run is lost or measured nothing. A log of which nobody could say how the run went
(a few lines, one row, no result metric) is ``inconclusive``. The logs are not part of the project.
"""

from __future__ import annotations

import pytest

from logdoctor.engine import diagnose
from tests.shared import SHARED, needs_shared

HOME = SHARED / "real_logs"
pytestmark = [pytest.mark.shared, needs_shared]

HEALTHY, WARNING, CRITICAL, UNKNOWN = "healthy", "warning", "critical", "inconclusive"

# path -> (verdict, the rule that must have spoken or None, the argument)
VERDICTS: dict[str, tuple[str, str | None, str]] = {
    # ------------------------------------------------------------------------------------------ an arcade DQN
    "tempest/TrainingLog_2025-09-28_ef7e93cc.txt": (
        HEALTHY,
        None,
        "last run of the file: reward of the agent alone 0.9 to 5.5, slope positive to the end",
    ),
    "tempest/log_2025-10-19_c53af4f9.txt": (UNKNOWN, None, "two rows"),
    "tempest/log_2025-10-20_9f159ed0.txt": (HEALTHY, None, "resumed, 18 rows, nothing moves the wrong way"),
    "tempest/log_2025-10-21_d184e782.txt": (
        HEALTHY,
        None,
        "resumed at 7.5M frames; reward 3.4 to 3.2, loss and agreement level: a plateau, not a fault",
    ),
    "tempest/log_2025-10-22_2ddc2ce6.txt": (HEALTHY, None, "agreement 96 %, reward level"),
    "tempest/log_2025-10-23_83a96c7e.txt": (
        WARNING,
        "LD601",
        "last run: reward -0.55, up to -0.38, back to -0.57; too small a gain to call the run lost",
    ),
    "tempest/log_2025-10-28_9616ae4b.txt": (
        CRITICAL,
        "LD106",
        "every result is 0 in all rows, the frame counter never leaves 0",
    ),
    "tempest/log_2025-10-31_be809aea.txt": (
        WARNING,
        None,
        "reward rises from 430 to 800, agreement falls and Q is pinned at -1,000",
    ),
    "tempest/log_2025-11-01_ef490a82.txt": (UNKNOWN, None, "one row"),
    "tempest/log_2025-11-01_bc5f4edf.txt": (
        CRITICAL,
        None,
        "agreement 42 to 20 within 17 rows, Q pinned at its clip, rewards negative",
    ),
    "tempest/log_2025-11-06_aa7c70d6.txt": (
        CRITICAL,
        "LD201",
        "loss 0.03 to 11.3 at 50.7M, agreement 83 to 7, reward 1,770 to 220, gradient dead",
    ),
    "tempest/log_2025-11-12_32e266ba.txt": (
        CRITICAL,
        "LD210",
        "loss 60 times lower while the reward goes from 934 to -77",
    ),
    "tempest/log_2025-11-13_af1e0fd1.txt": (
        WARNING,
        None,
        "four rows; only the clip limit in force differs from the configured one",
    ),
    "tempest/log_2025-11-13_73d7725b.txt": (
        WARNING,
        None,
        "healthy but for the clip limit, which is 1 and not 10 as configured; 780 idle rows are not judged",
    ),
    "tempest/log_2025-11-16_00a522a2.txt": (
        WARNING,
        None,
        "reward rises 2,450 to 3,320 while Q wanders to -8,800: no collapse; clip limit differs",
    ),
    # ------------------------------------------------------------------------------------------ a driving TD3
    "td3_carla/5k_q_values.csv": (CRITICAL, None, "Q 2.3 to 1,796,760 within 3,900 steps"),
    "td3_carla/5k_rewards.csv": (CRITICAL, "LD601", "episode reward 770 to 71, steps 50 to 3"),
    "td3_carla/results_20251120-133459.json": (CRITICAL, "LD601", "the same run: 770 to 71"),
    "td3_carla/results_20251121-110006.json": (CRITICAL, "LD601", "874 to 60"),
    "td3_carla/results_20251202-113322.json": (CRITICAL, "LD601", "-95, up to 165, down to -229"),
    "td3_carla/validation_training_30k_20251026_222128.log": (
        CRITICAL,
        "LD603",
        "average reward -50,000 over all 27,000 steps, success rate 0, the last evaluations identical",
    ),
    "td3_carla/training_run.log": (UNKNOWN, None, "150 steps of a debug run"),
    "td3_carla/lerningRate-rewardConfig.lines_5240-5345.log": (UNKNOWN, None, "a hundred lines around two blocks"),
    # ------------------------------------------------------------------------------------------ other programs
    "formats/alphazero_quoridor.log": (
        CRITICAL,
        "LD805",
        "the last run ends in tracebacks of its workers before its first iteration is done",
    ),
    "formats/baselines_gail_table.log": (HEALTHY, None, "return rises"),
    "formats/basicsr_paddle_ansi.log": (HEALTHY, None, "pixel loss 30,000 to 0.03"),
    "formats/caffe_rmsprop.log": (
        WARNING,
        "LD205",
        "the loss never gets below ln 1000 = 6.9 and ends higher than it began; accuracy 0.001",
    ),
    "formats/cleanrl_output.log": (HEALTHY, None, "episodic return rises"),
    "formats/deepmd_lcurve.log": (HEALTHY, None, "validation error 0.9 to 0.08"),
    "formats/detectron2.log": (
        WARNING,
        "LD205",
        "fine-tuning whose loss rises by a quarter while the rate is warmed up to 0.04",
    ),
    "formats/dreamer_metrics.jsonl": (WARNING, "LD603", "return -48 of -50 over all 4,300 steps"),
    "formats/fairseq_hydra.log": (HEALTHY, None, "loss 9.3 to 3.9, accuracy 0.01 to 0.39; the loss scale settles"),
    "formats/gluoncv_mxnet.log": (HEALTHY, None, "validation error 0.91 to 0.44"),
    "formats/hf_trainer_state.json": (
        CRITICAL,
        "LD701",
        "all six held-out losses more than double from the second evaluation on, train loss 0.85 to 0.05",
    ),
    "formats/impala_learner.log": (UNKNOWN, None, "losses of a policy gradient without any return"),
    "formats/keras2_bar.log": (WARNING, "LD603", "accuracy exactly 0.5885 in all 67 epochs: one class for everything"),
    "formats/keras3_bar.log": (UNKNOWN, None, "three epochs"),
    "formats/keras_csvlogger.csv": (WARNING, "LD701", "held-out loss 0.63 to 1.60 with a level accuracy of 0.78"),
    "formats/kerasrl_history.json": (HEALTHY, None, "episode reward 27 to its cap of 200"),
    "formats/lightning_metrics.csv": (HEALTHY, None, "loss 0.43 to 0.32, level"),
    "formats/llamafactory_trainer_log.jsonl": (HEALTHY, None, "fine-tuning, loss level at 0.56"),
    "formats/llmc_nan.log": (CRITICAL, "LD202", "loss NaN from step 1 on"),
    "formats/megatron_deepspeed.log": (WARNING, "LD101", "loss falls; the gradient norm reads 0.000 in every row"),
    "formats/mmcv_log.jsonl": (HEALTHY, None, "pose accuracy 0.1 to 0.58"),
    "formats/modded_nanogpt.log": (HEALTHY, None, "validation loss falls"),
    "formats/nanochat_sft_nan.log": (CRITICAL, "LD202", "loss NaN from step 9 on"),
    "formats/nanogpt.log": (HEALTHY, None, "loss falls; every 250th iteration is slow because it evaluates"),
    "formats/olmo_block.log": (WARNING, "LD806", "an excerpt from mid-run, loss level, ended by a signal from outside"),
    "formats/pix2pix_loss.log": (UNKNOWN, None, "adversarial losses alone do not say how the run goes"),
    "formats/rllib_result.jsonl": (HEALTHY, None, "Pong return -20.7 to -19.5, rising"),
    "formats/sb3_monitor.csv": (HEALTHY, None, "return 18 to 400"),
    "formats/sb3_ppo_table.log": (UNKNOWN, None, "18 rows without a trend, three evaluations 35, 33, 87"),
    "formats/sb3_progress.csv": (HEALTHY, None, "evaluation return rises"),
    "formats/stylegan_tick.log": (UNKNOWN, None, "three FID values"),
    "formats/tf_estimator_bert.log": (HEALTHY, None, "loss falls"),
    "formats/torch7_json_stats.log": (HEALTHY, None, "held-out accuracy rises"),
    "formats/torchvision_imagenet.log": (
        WARNING,
        "LD802",
        "accuracy rises; a quarter of the printed steps wait 25 s for data against 0.4 s",
    ),
    "formats/trl_dpo.log": (HEALTHY, None, "preference accuracy 0.48 to 0.91"),
    "formats/xgboost.log": (HEALTHY, None, "held-out error falls"),
}

# Where the argument allows either; never critical.
EITHER: dict[str, tuple[set[str], str]] = {
    "formats/spinningup_progress.tsv": (
        {WARNING, UNKNOWN},
        "ten rows, return of millions without a trend, a fifth of the samples clipped",
    ),
    "formats/stgcn_nan.log": (
        {HEALTHY, WARNING},
        "last run: loss 1.6 to 1.3 on a handful of clips, held-out loss 1.7 to 0.8",
    ),
    "formats/verl_ppo.log": (
        {WARNING, UNKNOWN},
        "25 late steps with a level score; the rate is printed in units of 1e-4",
    ),
    "formats/yolov7_nohup.log": ({HEALTHY, UNKNOWN, WARNING}, "seven epochs of a detector"),
}


@pytest.mark.parametrize("path", VERDICTS)
def test_the_verdict_on_a_real_log(path):
    verdict, rule, why = VERDICTS[path]
    diagnosis = diagnose(HOME / path)
    told = [(f.id, f.severity, f.summary) for f in diagnosis.findings if f.severity != "info"]
    assert diagnosis.verdict == verdict, f"{why}; found {told}"
    assert rule is None or rule in {f.id for f in diagnosis.findings if f.severity != "info"}, told
    assert not [c for c in diagnosis.checks if c.state == "failed"]


@pytest.mark.parametrize("path", EITHER)
def test_a_real_log_that_may_be_seen_either_way(path):
    allowed, why = EITHER[path]
    assert diagnose(HOME / path).verdict in allowed, why


@pytest.mark.skipif(not HOME.is_dir(), reason="the shared logs are not here")
@pytest.mark.parametrize("path", sorted((HOME / "quoted_in_docs").glob("*.txt")) if HOME.is_dir() else [], ids=str)
def test_a_few_quoted_lines_are_never_called_healthy(path):
    diagnosis = diagnose(path)
    assert diagnosis.verdict != HEALTHY, "nobody could say that from a few lines"
    if diagnosis.verdict == CRITICAL:  # a single block may print a value that is absurd by itself
        assert {f.id for f in diagnosis.findings if f.severity == "critical"} <= {"LD301", "LD401", "LD406", "LD506"}


def test_every_real_log_is_argued():
    named = {*VERDICTS, *EITHER}
    there = {
        str(p.relative_to(HOME)) for folder in ("tempest", "td3_carla", "formats") for p in (HOME / folder).iterdir()
    }
    assert there - {"formats/MANIFEST.tsv"} == named
