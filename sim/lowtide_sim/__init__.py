"""Simulation of emitted Verilog: simulator runner, compiled engines, simulated devices, and benches."""
