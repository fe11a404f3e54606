"""Matrix engine: FP32 operands in, an array of FMACs, FP32 results out."""
