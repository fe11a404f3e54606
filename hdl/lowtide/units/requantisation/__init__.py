"""From the accumulators of an array of integers to the integers of the next layer."""
