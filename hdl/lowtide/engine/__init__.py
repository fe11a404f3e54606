"""The matrix engine: FP32 operands in, an array of FMACs between, FP32 results out."""
