"""Many runs: finds them, diagnoses each, and asks which settings separate the failed from the healthy."""
