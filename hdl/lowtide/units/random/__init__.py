"""Random words for stochastic rounding."""
