"""Models of the matrix engine: operands, panels, results, cycles."""
