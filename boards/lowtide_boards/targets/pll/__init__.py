"""PLLs: the settings for a clock, one module per FPGA family."""
