"""Study: how gradients are rounded in training."""
