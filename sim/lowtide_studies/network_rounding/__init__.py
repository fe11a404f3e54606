"""Study: how gradients of real networks are rounded in training."""
