"""The layouts that the survey of programs found, and the grammar that reads each.

For the list of ``logdoctor formats`` alone: nothing here takes part in reading.
"""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    """One layout: the programs that print it, what it looks like, the ids of the grammars that read it."""

    program: str
    kind: str
    grammars: tuple[str, ...]


LAYOUTS: tuple[Known, ...] = (
    Known("Stable-Baselines3 table", "boxed key/value block", ("boxed",)),
    Known("Stable-Baselines3 progress.csv", "CSV", ("columns",)),
    Known("SB3 / Gym Monitor", "CSV with comment line", ("monitor",)),
    Known("OpenAI Baselines logger", "boxed block", ("boxed",)),
    Known("Stable Baselines 2", "boxed block", ("boxed",)),
    Known("Spinning Up progress.txt", "TSV with header", ("columns",)),
    Known("RLlib result.json", "JSON lines", ("literal",)),
    Known("CleanRL", "key=value", ("keyvalue",)),
    Known("keras-rl file logger", "one JSON object of lists", ("json_document",)),
    Known("keras-rl console", "prose key: value", ("keyvalue",)),
    Known("ChainerRL scores", "TSV", ("columns",)),
    Known("custom IMPALA learner", "logging prefix + key: value", ("keyvalue",)),
    Known("Dreamer metrics.jsonl", "JSON lines", ("literal",)),
    Known("RAD / SAC-AE eval log", "JSON lines", ("literal",)),
    Known("Tianshou", "tqdm line + prose line", ("keyvalue",)),
    Known("rl_games (IsaacGym)", "key: value, only blanks between", ("keyvalue",)),
    Known("rsl_rl / legged_gym / IsaacLab", "centered multi-line block", ("blocks",)),
    Known("Unity ML-Agents", "prose", ("keyvalue",)),
    Known("PufferLib dashboard", "two-dimensional panel", ("blocks",)),
    Known("TF-Agents", "logging, `=`", ("keyvalue", "blocks")),
    Known("deeprm / policy-gradient scripts", "multi-line block", ("blocks",)),
    Known("MuZero tutorial loops", "prose", ("keyvalue",)),
    Known("AlphaZero loops (custom)", "phases, prose + key=value", ("keyvalue",)),
    Known("lczero / Leela Zero training", "key=value after `step n,`", ("keyvalue",)),
    Known("verl (PPO/GRPO)", "key:value list", ("keyvalue",)),
    Known("TRL (DPO, PPO, GRPO)", "Python dict literal", ("literal",)),
    Known("HF Trainer console", "Python dict literal", ("literal",)),
    Known("HF trainer_state.json", "JSON document", ("json_document",)),
    Known("LLaMA-Factory trainer_log.jsonl", "JSON lines", ("literal",)),
    Known("nanoGPT", "key value", ("keyvalue",)),
    Known("llm.c", "pipe-separated", ("keyvalue",)),
    Known("nanochat", "pipe-separated", ("keyvalue",)),
    Known("modded-nanogpt", "key:value", ("keyvalue",)),
    Known("Megatron-LM / Megatron-DeepSpeed", "pipe-separated key: value", ("keyvalue",)),
    Known("DeepSpeed engine lines", "logging, key=value with lists", ("keyvalue",)),
    Known("torchtitan", "key: value, double blanks", ("keyvalue",)),
    Known("OLMo trainer", "indented block", ("blocks",)),
    Known("MaxText (JAX)", "comma key: value", ("keyvalue",)),
    Known("NeMo 1 / 2", "tqdm postfix or pipe list", ("keyvalue",)),
    Known("fairseq (hydra, json format)", "prefix + JSON", ("literal",)),
    Known("fairseq (simple / tqdm format)", "pipe-separated name value", ("keyvalue",)),
    Known("PyTorch word_language_model / AWD-LSTM", "pipe-separated name value", ("keyvalue",)),
    Known("Marian / OpenNMT", "prose counters", ("keyvalue",)),
    Known("ESPnet2", "prefix + key=value", ("keyvalue",)),
    Known("Chainer / ESPnet1 report", "aligned columns, redrawn", ("columns",)),
    Known("TF 1 Estimator (BERT, T2T)", "logging, `=`", ("keyvalue", "blocks")),
    Known("Keras 2 bars", "progress bar", ("keyvalue",)),
    Known("Keras 3 bars", "progress bar", ("keyvalue",)),
    Known("Keras CSVLogger", "CSV", ("columns",)),
    Known("PyTorch Lightning bar", "progress bar", ("keyvalue",)),
    Known("Lightning CSVLogger", "CSV", ("columns",)),
    Known("PyTorch ImageNet example / torchvision", "name value (avg)", ("keyvalue",)),
    Known("MetricLogger (DETR, DINO, DeiT, MAE)", "key: value (avg)", ("keyvalue",)),
    Known("DeiT / PVT / ConvNeXt log.txt", "JSON lines", ("literal",)),
    Known("timm style", "key: value (avg)", ("keyvalue",)),
    Known("Torch7 json_stats / SlowFast", "prefix + JSON", ("literal",)),
    Known("mmcv / mmdet / mmpose .log.json", "JSON lines", ("literal",)),
    Known("detectron2 console", "key: value, double blanks", ("keyvalue",)),
    Known("YOLOv5 / v7 / Ultralytics console", "header row + bar row", ("columns",)),
    Known("darknet", "prose", ("keyvalue",)),
    Known("Caffe", "glog + prose", ("keyvalue",)),
    Known("MXNet / GluonCV", "tab key=value", ("keyvalue",)),
    Known("CycleGAN / pix2pix", "key: value", ("keyvalue",)),
    Known("BasicSR family", "key: value", ("keyvalue",)),
    Known("StyleGAN2/3", "name value columns", ("keyvalue", "literal")),
    Known("ST-GCN / torchlight", "prefix + key: value, multi-line", ("blocks",)),
    Known("nnU-Net", "multi-line block", ("blocks",)),
    Known("XGBoost", "tab name:value", ("keyvalue",)),
    Known("LightGBM (python / CLI)", "tab name: value", ("keyvalue",)),
    Known("CatBoost", "tab name: value", ("keyvalue", "columns", "literal")),
    Known("DeePMD-kit lcurve.out", "aligned columns", ("columns",)),
    Known("MonoCon and other box-bar consoles", "pipe cells", ("keyvalue",)),
)
