# ruff: noqa: E501 - banners and dumps as programs print them
"""Hyperparameters: from log text and from configuration files. Python is read, never run."""

from __future__ import annotations

import json

import pytest

from logdoctor.errors import InputError
from logdoctor.hyperparameter_names import canonical, value_of
from logdoctor.hyperparameters import from_mapping, quiet_regions, read_config, scan
from tests.shared import SHARED, needs_shared

BANNER = """\
==============================
   SPACE SHOOTER - NETWORK CONFIGURATION
==============================
📐 NETWORK:
   State Size:        171
   Discrete Actions:  28 (joint FIRE/ZAP/SPINNER)
   Shared Trunk:      4 layers
      Layer 1:        171 → 512
⚙️  TRAINING:
   Learning Rate:     0.000150
   Batch Size:        1,024
   Gamma (γ):         0.99
   Epsilon (ε):       0.5 → 0.05 (exploration)
   Memory Size:       1,500,000 transitions
   Target Update:     Every 1000 steps
   Loss Weights:      Discrete=1.0, Continuous=0.5
   BC Weight:         0.5 (behavioral cloning)
   Max Q-Value Clip:  None
   TD Target Clip:    100.0
   Expert Ratio:      50%
   Gradient Clip:     10.0 (max norm)
   N-Step Returns:    7-step
⌨️  KEYBOARD CONTROLS:
   [q] Quit           [s] Save Model
"""


def found(text: str, quiet=None) -> dict[str, object]:
    return {item.name: item.value for item in scan(enumerate(text.splitlines(), 1), quiet)}


def test_a_banner():
    assert found(BANNER) == {
        "state_size": 171, "n_actions": 28, "n_layers": 4, "learning_rate": 0.00015, "batch_size": 1024, "gamma": 0.99,
        "epsilon_start": 0.5, "epsilon_end": 0.05, "buffer_size": 1_500_000, "target_update": 1000,
        "discrete_loss_weight": 1.0, "continuous_loss_weight": 0.5, "bc_loss_weight": 0.5, "max_q_value": None,
        "td_target_clip": 100.0, "expert_ratio_start": 0.5, "max_grad_norm": 10.0, "n_step": 7,
    }  # fmt: skip


def test_each_setting_has_its_line_and_the_name_as_printed():
    by_name = {item.name: item for item in scan(enumerate(BANNER.splitlines(), 1))}
    assert (by_name["learning_rate"].line, by_name["learning_rate"].raw_name) == (10, "Learning Rate")
    assert by_name["gamma"].raw_name == "Gamma (γ)"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("   Gradient Clip:     off", {"max_grad_norm": None}),
        ("  Discount γ: 0.99, Tau τ: 0.005", {"gamma": 0.99, "tau": 0.005}),
        ("  Policy freq: 2, Policy noise: 0.2", {"policy_delay": 2, "target_policy_noise": 0.2}),
        ("[INIT] Max timesteps: 30,000", {"max_steps": 30_000}),
        ("  Actor CNN optimizer initialized with lr=0.0001", {"actor_cnn_learning_rate": 0.0001}),
        ("Namespace(lr=0.0003, batch_size=64, betas=(0.9, 0.95), name='run', resume=None)",
         {"learning_rate": 0.0003, "batch_size": 64, "betas": "[0.9, 0.95]", "name": "run", "resume": None}),
        ("PPOConfig(learning_rate=1e-05, n_epochs=4, optimizer='adamw')",
         {"learning_rate": 1e-05, "n_epochs": 4, "optimizer": "adamw"}),
        ("config: {'n_layer': 2, 'dropout': 0.1, 'opt': {'lr': 0.003}}",
         {"n_layers": 2, "dropout": 0.1, "learning_rate": 0.003}),
        ('{"gamma": 0.98, "tau": 0.01, "buffer_size": 40000}', {"gamma": 0.98, "tau": 0.01, "buffer_size": 40_000}),
        ("$ python train.py --lr 3e-4 --batch-size=128 --weight_decay 0.1 --resume", {"learning_rate": 3e-4, "batch_size": 128, "weight_decay": 0.1}),
        ("hyperparameters: lr0=0.01, momentum=0.937, weight_decay=0.0005, box=0.05", {"learning_rate": 0.01, "momentum": 0.937, "weight_decay": 0.0005, "box": 0.05}),
        ("| learning rate (LR)    | 6.000000e-04                                       |", {"learning_rate": 6e-4}),
        ("| micro batch size B    | 32 |", {"micro_batch_size": 32}),
        ("  learning_rate ........................ 0.00015", {"learning_rate": 0.00015}),
        ("2024-01-02 10:11:12,345 - trainer - INFO - learning_rate: 0.0003", {"learning_rate": 0.0003}),
        ("\x1b[34m\x1b[1mlearning_rate: \x1b[0m0.0003", {"learning_rate": 0.0003}),
        ("actor_rollout_ref.actor.optim.lr=1e-6", {"actor_learning_rate": 1e-6}),
        ("learning_rate=5e-05,", {"learning_rate": 5e-05}),
        ("Mixed precision: enabled", {"mixed_precision": True}),
    ],
)  # fmt: skip
def test_forms_of_one_line(line, expected):
    assert found(line) == expected


def test_a_title_names_the_values_below_it():
    assert found("Learning Rates:\n  Actor:  0.000300\n  Critic: 0.001\n  Actor CNN: 0.0001\n") == {
        "actor_learning_rate": 0.0003,
        "critic_learning_rate": 0.001,
        "actor_cnn_learning_rate": 0.0001,
    }


@pytest.mark.parametrize(
    "line",
    [
        "Epoch 1", "Test Error: ", "Using cpu device", "Shape: (4, 84, 84)", "Mean: 0.398, Std: 0.571", "Loading dataset: 100%",
        "   [q] Quit           [s] Save Model", "loss: 0.5", "http://localhost:6006/", "Layer 1: 171 → 512", "time: 10:30:00",
        "Device: cuda:0", "(0): Linear(in_features=64, out_features=64, bias=True)", "=====", "",
    ],
)  # fmt: skip
def test_lines_that_are_no_settings(line):
    assert found(line) == {}


MODEL = """\
Using cpu device
Sequential(
  (0): Linear(in_features=64, out_features=64, bias=True)
  (1): Tanh()
  (2): Dropout(p=0.1, inplace=False)
  (3): Linear(in_features=64, out_features=64, bias=True)
  (4): Tanh()
  (5): Linear(in_features=64, out_features=10, bias=True)
)
Epoch 1
"""


def test_a_printed_model():
    read = scan(enumerate(MODEL.splitlines(), 1))
    assert [(i.name, i.value, i.line) for i in read] == [
        ("n_layers", 2, 3),
        ("activation", "tanh", 4),
        ("dropout", 0.1, 5),
    ]


def test_a_count_before_its_name():
    assert found("Tube shooter, 32 environments, device cpu") == {"n_envs": 32}


def test_options_that_every_record_repeats():
    rows = [json.dumps({"step": k, "loss": 1 / k, "config": {"lr": 0.1, "grad_clip": 40.0}}) for k in range(1, 5)]
    assert found("\n".join(rows), []) == {"learning_rate": 0.1, "max_grad_norm": 40.0}
    flat = [
        json.dumps({"epoch": k, "loss": 1 / k, "batchSize": 128, "momentum": 0.9, "dropout": 0, "lr": 0.1})
        for k in range(1, 5)
    ]
    assert found("\n".join(flat), []) == {"batch_size": 128, "momentum": 0.9, "dropout": 0, "learning_rate": 0.1}
    assert found("{'loss': 0.5, 'learning_rate': 1e-05, 'epoch': 0.1}\n" * 3, []) == {}


def test_unknown_names_count_only_in_company():
    assert found("frobnication: 3\n") == {}
    assert found("lr: 0.1\ngamma: 0.9\nfrobnication: 3\n") == {"learning_rate": 0.1, "gamma": 0.9, "frobnication": 3}


def test_a_metric_line_is_no_setting_outside_of_the_quiet_region():
    text = "lr: 0.1\nstep 1 lr: 0.2\nlr: 0.3\nNamespace(lr=0.4)\n"
    assert [(i.line, i.value) for i in scan(enumerate(text.splitlines(), 1), [(1, 1)])] == [(1, 0.1), (4, 0.4)]


def test_quiet_regions():
    assert quiet_regions([5, 6, 7, 20, 21], [5, 20], 30) == ((1, 4), (8, 19))
    assert quiet_regions([], [], 12) == ((1, 12),)


def test_hostile_lines_take_no_time():
    assert (
        found("\n".join(c * 60_000 for c in ("a: ", "(", "{", "--a ", "a=", " ", "a.", "Namespace(", "[", "\t")))
        is not None
    )


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("lr", "learning_rate"), ("Learning-Rate", "learning_rate"), ("optim.lr", "learning_rate"), ("critic.optim.lr", "critic_learning_rate"),
        ("target_update_interval", "target_update"), ("grad_clip", "max_grad_norm"), ("eps_end", "epsilon_end"), ("γ", "gamma"),
        ("Epsilon (ε)", "epsilon"), ("exploration_final_eps", "epsilon_end"), ("n_steps", "n_steps"), ("n_step", "n_step"),
        ("num_layers L", "n_layers"), ("Tokens / micro-batch", None), ("baseline_lr", "baseline_learning_rate"), ("frobnicate", None),
    ],
)  # fmt: skip
def test_canonical_names(raw, name):
    assert canonical(raw) == name


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("50%", "epsilon_start", 0.5), ("50%", "kl_coef", 50), ("None", "max_grad_norm", None), ("off", "max_grad_norm", None), ("off", None, False), ("Disabled", "mixed_precision", False),
        ("4M", "buffer_size", 4_000_000), ("1_000_000", "buffer_size", 1_000_000), ("10:30", None, "10:30"), ("1e999", None, float("inf")),
        ("'0.5'", "gamma", 0.5), ("cosine", "lr_schedule", "cosine"), ("12GB", None, "12GB"), ("-1", None, -1), ("0x10", None, "0x10"),
    ],
)  # fmt: skip
def test_values(text, name, value):
    assert value_of(text, name) == value


# ------------------------------------------------------------------------------------------------------------- files

PYTHON = '''"""Configuration."""
from dataclasses import dataclass, field
import os

BASE = 3e-4
lr = BASE * 2
gamma = 1 - 1 / 50
memory = 2**20
betas = (0.9, 0.95)
bad = os.system("echo run")
huge = 9**9**9


@dataclass
class Config:
    tau: float = 0.005
    net_arch: list = field(default_factory=lambda: [64, 64])
    n_epochs: int = field(default=10)
    max_grad_norm: object = None
    reward_scale: float = -0.1


settings = dict(batch_size=64, optimizer=dict(name="adam", weight_decay=1e-2))
config.seed = 7
config["n_envs"] = 8
parser.add_argument("--clip-range", type=float, default=0.2)
'''


def config(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return {item.name: item for item in read_config(path)}


def test_python_is_read_and_not_run(tmp_path):
    read = config(tmp_path, "config.py", PYTHON)
    values = {name: item.value for name, item in read.items()}
    assert values["learning_rate"] == pytest.approx(6e-4)
    assert values["gamma"] == pytest.approx(0.98)
    assert values["buffer_size"] == 2**20
    assert (values["beta1"], values["beta2"]) == (0.9, 0.95)
    assert values["tau"] == 0.005
    assert values["hidden_size"] == "[64, 64]"
    assert values["n_epochs"] == 10
    assert values["max_grad_norm"] is None
    assert values["reward_scale"] == -0.1
    assert values["batch_size"] == 64
    assert values["weight_decay"] == 0.01
    assert values["seed"] == 7
    assert values["n_envs"] == 8
    assert values["clip_range"] == 0.2
    assert "bad" not in values
    assert "huge" not in values
    assert read["tau"].line == 16
    assert read["tau"].source.endswith("config.py")


def test_python_that_would_do_harm_is_only_read(tmp_path):
    flag = tmp_path / "ran"
    config(tmp_path, "config.py", f"open({str(flag)!r}, 'w').write('x')\nlr = __import__('os').getpid()\n")
    assert not flag.exists()


def test_json_yaml_and_toml_say_the_same(tmp_path):
    data = {
        "lr": 3e-4,
        "gamma": 0.99,
        "max_grad_norm": None,
        "optimizer": {"name": "adam", "weight_decay": 0.1},
        "layers": [64, 64],
    }
    as_json = config(tmp_path, "a.json", json.dumps(data, indent=1))
    as_yaml = config(
        tmp_path,
        "a.yaml",
        "lr: 3e-4\ngamma: 0.99\nmax_grad_norm: null\noptimizer:\n  name: adam\n  weight_decay: 0.1\nlayers: [64, 64]\n",
    )
    as_toml = config(
        tmp_path,
        "a.toml",
        "lr = 3e-4\ngamma = 0.99\nlayers = [64, 64]\n[optimizer]\nname = 'adam'\nweight_decay = 0.1\n",
    )
    values = {name: item.value for name, item in as_json.items()}
    assert values == {name: item.value for name, item in as_yaml.items()}
    assert {k: v for k, v in values.items() if k != "max_grad_norm"} == {n: i.value for n, i in as_toml.items()}
    assert values["learning_rate"] == 3e-4
    assert as_yaml["weight_decay"].line == 6
    assert as_json["gamma"].line == 3


def test_yaml_with_foreign_tags_and_wandb_wrapping(tmp_path):
    zoo = "!!python/object/apply:collections.OrderedDict\n- - - batch_size\n    - 64\n  - - learning_rate\n    - lin_0.001\n"
    assert {n: i.value for n, i in config(tmp_path, "zoo.yml", zoo).items()} == {
        "batch_size": 64,
        "learning_rate": "lin_0.001",
    }
    wandb = "wandb_version: 1\n\n_wandb:\n  desc: null\n  value: {}\nlr:\n  desc: null\n  value: 0.01\n"
    assert {n: i.value for n, i in config(tmp_path, "config.yaml", wandb).items()} == {"learning_rate": 0.01}


def test_yaml_does_not_build_objects(tmp_path):
    flag = tmp_path / "ran"
    config(tmp_path, "a.yaml", f'lr: !!python/object/apply:os.system ["touch {flag}"]\n')
    assert not flag.exists()


def test_two_that_mean_the_same_keep_both(tmp_path):
    read = config(tmp_path, "a.yaml", "optim:\n  lr: 0.1\nlr: 0.2\n")
    assert read["learning_rate"].value == 0.2
    assert read["optim_lr"].value == 0.1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"),
        ("a.yaml", "a: [1"),
        ("a.toml", "a ="),
        ("a.py", "def"),
        ("a.json", "[1]"),
        ("a.yaml", "just words"),
        ("a.conf", "{{{"),
    ],
)
def test_what_does_not_parse_is_one_sentence(tmp_path, name, text):
    with pytest.raises(InputError) as caught:
        config(tmp_path, name, text)
    assert "\n" not in str(caught.value)


def test_hostile_files(tmp_path):
    deep = "x = " + "[" * 5000 + "]" * 5000
    bomb = "\n".join([f"a{i}: &a{i} [{', '.join(['*a' + str(i - 1)] * 9) if i else 1}]" for i in range(30)])
    assert config(tmp_path, "bomb.yaml", bomb)["a29"].value == "[9 items]"
    maps = "\n".join(
        [f"a{i}: &a{i} {{{', '.join(f'k{k}: *a{i - 1}' for k in range(9)) if i else 'lr: 1'}}}" for i in range(30)]
    )
    assert len(config(tmp_path, "maps.yaml", maps)) <= 5000
    for name, text in (("deep.py", deep), ("deep.json", "[" * 100_000)):
        with pytest.raises(InputError):
            config(tmp_path, name, text)
    with pytest.raises(InputError, match="larger than"):
        config(tmp_path, "large.json", "[" + "1," * 4_000_000)
    with pytest.raises(InputError, match="cannot read"):
        read_config(tmp_path / "none.yaml")


def test_from_mapping():
    (item,) = from_mapping({"agent": {"lr": "3e-4"}})
    assert (item.name, item.raw_name, item.value, item.source) == ("learning_rate", "agent.lr", 3e-4, "given")


@needs_shared
def test_every_configuration_of_the_benchmark_is_read_as_it_was():
    runs = [json.loads(line) for line in (SHARED / "benchmark" / "runs.jsonl").read_text().splitlines()]
    with_file = [run for run in runs if run["config"]]
    assert len(with_file) == 81
    for run in with_file:
        read = {item.raw_name.rsplit(".", 1)[-1]: item for item in read_config(SHARED / "benchmark" / run["config"])}
        for name, value in run["hyperparameters"].items():
            expected = json.dumps(value) if isinstance(value, list) else value
            assert read[name].value == expected, (run["id"], name)
            assert read[name].line is not None
