"""Makes the sample logs: ``python sample_logs/make.py [FOLDER]``.

None of these runs took place. Each log is printed by a small seeded program in the layout of a real training program,
through figures that its users published; so the same log comes out on every machine. What is to be found in each
stands in ``index.toml`` beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import _arcade  # noqa: E402
import _policy  # noqa: E402
import _tables  # noqa: E402
import _td3  # noqa: E402

LOGS: dict[str, Callable[[], str]] = {
    "zero_init_head.log": _arcade.zero_init_head,
    "q_divergence.log": _arcade.q_divergence,
    "q_divergence_fixed.log": _arcade.q_divergence_fixed,
    "loss_explosion.log": _arcade.loss_explosion,
    "feature_explosion.log": _td3.feature_explosion,
    "policy_collapse.log": _policy.policy_collapse,
    "overfitting.log": _tables.overfitting_classifier,
    "healthy_policy.log": _policy.policy_healthy,
    "healthy_arcade.log": _arcade.healthy_arcade,
    "healthy_noisy_ppo.log": _tables.noisy_ppo,
    "healthy_sac.log": _tables.sac_growing_critic,
    "healthy_language_model.log": _tables.healthy_language_model,
}


def main(folder: Path = HERE) -> None:
    """Write every log into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in LOGS.items():
        (folder / name).write_text(make(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
