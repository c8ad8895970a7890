"""Settings of the run in q_divergence.log, as its program keeps them; logdoctor reads this file and never runs it."""

from dataclasses import dataclass


@dataclass
class RLConfig:
    """Hyperparameters."""

    lr: float = 0.003
    batch_size: int = 16384
    gamma: float = 0.995
    n_step: int = 8
    tau: float = 0.012
    use_soft_target: bool = True
    gradient_accumulation_steps: int = 1
    training_steps_per_sample: int = 8
    max_grad_norm: float = 5.0
    expert_ratio_start: float = 0.95
    expert_ratio_min: float = 0.05
    clamp_targets: bool = False
