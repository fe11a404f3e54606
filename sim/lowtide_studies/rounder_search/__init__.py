"""Study: a search for stochastic rounding units."""
