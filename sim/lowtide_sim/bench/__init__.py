"""cocotb benches. They get a design's ports, parameters and formats from its sidecar."""
