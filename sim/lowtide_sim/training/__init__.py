"""Training by quantised products: what the rounding of gradients does to a network."""
