"""cocotb benches of the array. Nothing in here needs the generator: the sidecar says what there is to know."""
