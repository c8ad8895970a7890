"""The parts of a comparison of two runs: findings, levels of metrics, settings, and what explains the outcome."""
