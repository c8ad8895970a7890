"""Settings of the run in q_divergence_fixed.log, as its program keeps them; read by logdoctor, never run."""

from dataclasses import dataclass


@dataclass
class RLConfig:
    """Hyperparameters."""

    lr: float = 0.001
    batch_size: int = 16384
    gamma: float = 0.995
    n_step: int = 5
    tau: float = 0.005
    use_soft_target: bool = True
    gradient_accumulation_steps: int = 4
    training_steps_per_sample: int = 8
    max_grad_norm: float = 5.0
    expert_ratio_start: float = 0.95
    expert_ratio_min: float = 0.05
    clamp_targets: bool = False
