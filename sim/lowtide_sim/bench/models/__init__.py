"""Expected results, computed by the models from a design's sidecar."""
