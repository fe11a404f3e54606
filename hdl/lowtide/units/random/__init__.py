"""Random sources for stochastic rounding."""
