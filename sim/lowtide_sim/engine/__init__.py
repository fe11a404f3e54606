"""Matrix engines: the golden one, and that of the emitted Verilog."""
