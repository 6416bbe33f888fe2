"""Pure arithmetic of patience: retry, pacing, breaker. ``now`` is always an argument."""
