"""A real workload: a network that reads handwritten digits, on the simulated array."""
