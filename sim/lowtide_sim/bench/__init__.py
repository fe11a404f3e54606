"""cocotb benches. They read a design's sidecar, and need nothing else of the generator."""
