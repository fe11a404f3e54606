"""PLL settings, one module per FPGA family."""
