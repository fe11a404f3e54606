"""Bus masters of the register bench: plain, AXI4-Lite, Wishbone."""
