"""Golden models in NumPy: what the hardware computes, to the bit."""
