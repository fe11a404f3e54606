"""Search for stochastic rounding units: small, and true on average."""
