"""Units for floating point: multiply-accumulates to compare with."""
