"""Networks of PyTorch with the hardware's bits."""
