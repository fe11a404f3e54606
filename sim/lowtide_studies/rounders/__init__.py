"""Study: the area of stochastic rounding per lane."""
